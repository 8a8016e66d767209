//! kill -9 at any moment: what was acknowledged is there, once.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};

use crate::support::Home;

/// How often the daemon is killed; `DOSED_KILL_ROUNDS` sets another number.
const ROUNDS: u64 = 50;
const CLIENTS: u64 = 4;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_doubled() {
    let home = Home::with_schedule("[[supplement]]\nid = \"a\"\nas-needed = true\n");
    let rounds = std::env::var("DOSED_KILL_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut acknowledged: BTreeMap<String, String> = BTreeMap::new();
    let mut seed = 0x5eed_u64;
    for round in 0..rounds {
        let daemon = home.start();
        let (sender, receiver) = channel();
        for client in 0..CLIENTS {
            let (socket, sender) = (home.socket(), sender.clone());
            std::thread::spawn(move || ask_until_it_breaks(&socket, round, client, &sender));
        }
        drop(sender);
        // The moment of the kill is drawn by lot, in answers.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for (key, id) in receiver.iter().take((seed >> 33) as usize % 60 + 1) {
            acknowledged.insert(key, id);
        }
        daemon.kill();
        acknowledged.extend(receiver.iter());
    }
    let _daemon = home.start();
    let facts = home.json(&["history", "--json"]);
    let mut kept: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for fact in facts.as_array().unwrap() {
        if let Some(key) = fact["fact"]["key"].as_str() {
            kept.entry(key.to_owned()).or_default().push(fact["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(
        facts.as_array().unwrap().len(),
        home.journal().len(),
        "the database holds what the journal holds"
    );
    for (key, id) in &acknowledged {
        assert_eq!(kept.get(key), Some(&vec![id.clone()]), "the answer {key}");
    }
    println!("{rounds} kills, {} answers acknowledged, 0 lost", acknowledged.len());
    assert!(acknowledged.len() as u64 >= rounds);
}

/// Logs over one connection after another until nobody listens; every answer is asked for twice.
fn ask_until_it_breaks(socket: &Path, round: u64, client: u64, acknowledged: &Sender<(String, String)>) {
    for n in 0.. {
        let key = format!("{round}-{client}-{n}");
        for _ in 0..2 {
            match log(&socket.to_owned(), &key) {
                Some(id) => drop(acknowledged.send((key.clone(), id))),
                None => return,
            }
        }
    }
}

fn log(socket: &PathBuf, key: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    let request = format!(
        "POST /v1/items/a/log HTTP/1.1\r\nhost: dosed\r\nidempotency-key: {key}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let body = answer.split_once("\r\n\r\n")?.1;
    let fact: serde_json::Value = serde_json::from_str(body).ok()?;
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    Some(fact["id"].as_str()?.to_owned())
}
