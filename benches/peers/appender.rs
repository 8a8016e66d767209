//! The peer: a server that does nothing but record, without letting a slow disk hold it up. One thread hears requests,
//! another appends so many bytes for each and tells when they are on the disk. Use: appender SOCKET FILE BYTES

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::sync::mpsc;

const REPLY: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";

fn main() -> Result<(), Box<dyn Error>> {
    let [socket, file, bytes] = <[String; 3]>::try_from(std::env::args().skip(1).collect::<Vec<_>>())
        .map_err(|_| "three arguments")?;
    let line = vec![b'x'; bytes.parse()?];
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    let (to_disk, lines) = mpsc::channel();
    let (tell, durable) = mpsc::channel();
    std::thread::spawn(move || {
        for () in lines {
            let written = file.write_all(&line).and_then(|()| file.sync_data());
            if tell.send(written).is_err() {
                return;
            }
        }
    });
    for stream in UnixListener::bind(socket)?.incoming() {
        let mut stream = stream?;
        // A request of this bench comes in one piece.
        while stream.read(&mut [0; 4096])? > 0 {
            to_disk.send(())?;
            durable.recv()??;
            stream.write_all(REPLY)?;
        }
    }
    Ok(())
}
