//! The name of this device in the record.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use super::StoreError;

/// Reads the device's name, or makes one from the host's and four random digits and keeps it.
pub(super) fn name(dir: &Path, host_name: &str) -> Result<Arc<str>, StoreError> {
    let path = dir.join("device");
    let failed = |what| {
        let path = path.clone();
        move |source| StoreError::Io { what, path, source }
    };
    match std::fs::read_to_string(&path) {
        Ok(text) if is_legal(text.trim()) => return Ok(text.trim().into()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("read")(error)),
    }
    let mut host: String = host_name
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .take(32)
        .collect();
    if host.trim_matches('-').is_empty() {
        "desk".clone_into(&mut host);
    }
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
    let name = format!("{}-{:04x}", host.trim_matches('-'), random & 0xffff);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed("write"))?;
    writeln!(file, "{name}").and_then(|()| file.sync_all()).map_err(failed("write"))?;
    Ok(name.into())
}

fn is_legal(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(legal)
}
