//! Reads secrets, at the moment in which they are used: one that was changed counts at once.

use std::path::{Path, PathBuf};

use super::Failure;
use crate::schedule::Source;

/// A secret cannot be longer than this, in bytes.
const MAX_BYTES: u64 = 8 * 1024;

/// Returns what a source says, without white space around it.
pub(super) fn read(source: &Source) -> Result<String, Failure> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let path = match source {
        Source::Plain(text) => return Ok(text.clone()),
        Source::File(path) => source.file(home.as_deref()).unwrap_or_else(|| path.clone()),
        Source::Credential(name) => {
            let dir = std::env::var_os("CREDENTIALS_DIRECTORY");
            let dir =
                dir.ok_or_else(|| Failure::Final(format!("systemd has handed over no credential `{name}`")))?;
            Path::new(&dir).join(name)
        }
    };
    let wrong = |why: &str| Failure::Final(format!("{} {why}", path.display()));
    let length = std::fs::metadata(&path).map_err(|error| wrong(&format!("cannot be read: {error}")))?.len();
    if length > MAX_BYTES {
        return Err(wrong("is too long to be a secret"));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    match text.trim() {
        "" => Err(wrong("is empty")),
        text => Ok(text.to_owned()),
    }
}
