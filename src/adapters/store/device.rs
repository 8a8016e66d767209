//! The name of this device in the record, which is tied to the machine: a copied home is another device.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use ring::hmac;
use tracing::warn;

use super::error::StoreError;
use super::file_system::{FileSystem, sync_name};
use crate::process::files::read_regular;

/// Where the id of a machine is; the second is that of machines without systemd.
const MACHINE_ID: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// What is hashed: the id itself is confidential, and another program's hash of it is another one.
const PURPOSE: &[u8] = b"dosed device";

/// How much of the hash is kept, in bytes.
const HASH_BYTES: usize = 16;

/// The longest of these files that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4096;

/// This device as its journal names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) name: Arc<str>,
    /// The device of whose record this one is a copy.
    pub(super) copied_from: Option<String>,
}

/// Reads the id of this machine; `None` where it has none.
pub(super) fn machine_id() -> Option<String> {
    MACHINE_ID.iter().find_map(|path| {
        let text = String::from_utf8(read_regular(Path::new(path), MAX_FILE_BYTES).ok()?).ok()?;
        let id = text.trim();
        (id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())).then(|| id.to_owned())
    })
}

/// Returns the device of a data directory: the one that it names, or a new one where it names none or was made on
/// another machine.
pub(super) fn identify(
    files: &dyn FileSystem,
    dir: &Path,
    host_name: &str,
    machine_id: Option<&str>,
) -> Result<Device, StoreError> {
    let known =
        read(files, &dir.join("device"))?.map(|text| text.trim().to_owned()).filter(|name| is_legal(name));
    let noted = read(files, &dir.join("machine"))?.unwrap_or_default();
    let mut noted = noted.split_whitespace();
    let (noted_hash, copied_from) = (noted.next(), noted.next().map(str::to_owned));
    let hash = machine_id.map(hash);
    let is_copy = matches!((noted_hash, &hash), (Some(noted), Some(hash)) if noted != hash);
    match known {
        Some(name) if !is_copy => {
            // A record that is older than the hash stays that of this machine.
            if let (None, Some(hash)) = (noted_hash, &hash) {
                write(files, &dir.join("machine"), hash)?;
            }
            Ok(Device { name: name.into(), copied_from })
        }
        known => {
            let name = new_name(files, dir, host_name);
            // First the name: a crash in between makes one more device, and never two writers of one journal.
            write(files, &dir.join("device"), &name)?;
            if let Some(hash) = &hash {
                write(
                    files,
                    &dir.join("machine"),
                    &format!("{hash} {}", known.as_deref().unwrap_or_default()),
                )?;
            }
            if let Some(before) = &known {
                warn!(device = %name, %before, "this record was copied from another machine: what is recorded here is that of a new device");
            }
            Ok(Device { name: name.into(), copied_from: known })
        }
    }
}

/// Makes a name from the host's and four random digits.
fn new_name(files: &dyn FileSystem, dir: &Path, host_name: &str) -> String {
    let mut host: String = host_name
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .take(32)
        .collect();
    if host.trim_matches('-').is_empty() {
        "desk".clone_into(&mut host);
    }
    loop {
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
        let name = format!("{}-{:04x}", host.trim_matches('-'), random & 0xffff);
        if !files.exists(&dir.join(format!("journal/{name}.jsonl"))) {
            return name;
        }
    }
}

/// Returns the hash by which a data directory knows its machine.
fn hash(machine_id: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, machine_id.as_bytes());
    let tag = hmac::sign(&key, PURPOSE);
    tag.as_ref().iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn read(files: &dyn FileSystem, path: &Path) -> Result<Option<String>, StoreError> {
    match files.read(path, MAX_FILE_BYTES) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Io { what: "read", path: path.to_owned(), source }),
    }
}

/// Writes a line: whole or not at all.
fn write(files: &dyn FileSystem, path: &Path, line: &str) -> Result<(), StoreError> {
    let write = || {
        let fresh = path.with_extension("new");
        let file = files.open(&fresh)?;
        file.set_len(0)?;
        file.write_at(format!("{}\n", line.trim()).as_bytes(), 0)?;
        file.sync()?;
        files.rename(&fresh, path)?;
        sync_name(files, path)
    };
    write().map_err(|source| StoreError::Io { what: "write", path: path.to_owned(), source })
}

/// Tells whether a text can be the name of a device.
pub(super) fn is_legal(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::store::file_system::OsFileSystem;

    const HERE: &str = "0123456789abcdef0123456789abcdef";
    const THERE: &str = "fedcba9876543210fedcba9876543210";

    #[test]
    fn a_device_is_tied_to_its_machine() {
        let dir = tempfile::tempdir().unwrap();
        let identify = |id: Option<&str>| identify(&OsFileSystem, dir.path(), "Desk.Home", id).unwrap();
        // A record that is older than the hash, or on a machine without an id.
        std::fs::write(dir.path().join("device"), "desk-home-1234\n").unwrap();
        let old = Device { name: "desk-home-1234".into(), copied_from: None };
        for id in [None, Some(HERE), Some(HERE), None] {
            assert_eq!(identify(id), old, "{id:?}");
        }
        let noted = std::fs::read_to_string(dir.path().join("machine")).unwrap();
        assert!(!noted.contains(HERE) && noted.trim().len() == 2 * HASH_BYTES, "{noted}");
        // Copied.
        let copy = identify(Some(THERE));
        assert_eq!(copy.copied_from.as_deref(), Some("desk-home-1234"));
        assert!(copy.name.starts_with("desk-home-") && copy.name != old.name, "{copy:?}");
        assert_eq!(identify(Some(THERE)), copy);
        // And copied back.
        let back = identify(Some(HERE));
        assert_eq!(back.copied_from.as_deref(), Some(&*copy.name));
        assert!(![&copy.name, &old.name].contains(&&back.name));
    }

    #[test]
    fn a_new_record_gets_a_name_and_the_hash() {
        for (host, id, start) in
            [("Desk", Some(HERE), "desk-"), ("...", None, "desk-"), ("A b", Some(HERE), "a-b-")]
        {
            let dir = tempfile::tempdir().unwrap();
            let device = identify(&OsFileSystem, dir.path(), host, id).unwrap();
            assert!(device.name.starts_with(start) && is_legal(&device.name), "{device:?}");
            assert_eq!(device.copied_from, None);
            assert_eq!(dir.path().join("machine").exists(), id.is_some());
            assert_eq!(identify(&OsFileSystem, dir.path(), "other", id).unwrap(), device);
        }
    }
}
