//! Reads secrets at the moment of use, so that a changed one counts at once; they cannot be logged.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::SendError;
use crate::core::schedule::SecretSource;
use crate::process::files::{self, read_regular};

/// A secret cannot be longer than this, in bytes.
const MAX_BYTES: u64 = 8 * 1024;

/// Reads a secret, without white space around it.
#[expect(clippy::disallowed_methods, reason = "the environment names the home and the credentials directory")]
pub(super) async fn read(source: &SecretSource) -> Result<SecretString, SendError> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let path = match source {
        SecretSource::Plain(text) => return Ok(text.as_str().into()),
        SecretSource::File(path) => source.file(home.as_deref()).unwrap_or_else(|| path.clone()),
        SecretSource::Credential(name) => {
            let dir = std::env::var_os("CREDENTIALS_DIRECTORY");
            let dir = dir
                .ok_or_else(|| SendError::Permanent(format!("systemd has passed no credential `{name}`")))?;
            Path::new(&dir).join(name)
        }
    };
    let wrong = |why: &str| SendError::Permanent(format!("{} {why}", path.display()));
    let unreadable = |why: &dyn std::fmt::Display| {
        wrong(&format!("cannot be read ({why}): a secret stands alone in a small text file"))
    };
    // Never waiting for a writer or for a disk, and never without a bound.
    let of = path.clone();
    let bytes = files::blocking(files::DISK_TIMEOUT, move || read_regular(&of, MAX_BYTES)).await;
    let bytes = bytes.map_err(|error| unreadable(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8"))?;
    match text.trim() {
        "" => Err(wrong("is empty")),
        text => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[tokio::test]
    async fn a_secret_is_a_short_regular_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let fifo = dir.path().join("fifo");
        crate::process::files::make_fifo(&fifo);
        let dangling = dir.path().join("dangling");
        std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
        let full = file("full", &[b'x'; 8192]);
        let good = read(&SecretSource::File(file("good", b" hidden\n"))).await.unwrap();
        assert_eq!(good.expose_secret(), "hidden");
        assert_eq!(read(&SecretSource::File(full)).await.unwrap().expose_secret().len(), 8192);
        for (path, why) in [
            ("/dev/zero".into(), "cannot be read (it is a device, not a regular file)"),
            (fifo, "cannot be read (it is a FIFO, not a regular file)"),
            (dir.path().to_owned(), "cannot be read (it is a directory, not a regular file)"),
            (dangling, "cannot be read (No such file or directory (os error 2))"),
            (file("long", &[b'x'; 8193]), "cannot be read (it has more than 8192 bytes, the limit)"),
            (file("bytes", &[0xff]), "cannot be read (it is not UTF-8)"),
            (file("empty", b"\n"), "is empty"),
        ] {
            let remedy = if why.ends_with(')') { ": a secret stands alone in a small text file" } else { "" };
            let expected = format!("{} {why}{remedy}", path.display());
            match read(&SecretSource::File(path)).await {
                Err(SendError::Permanent(error)) => assert_eq!(error, expected),
                other => panic!("{expected}: {}", other.is_ok()),
            }
        }
    }
}
