//! The files that `setup` writes, each with a mark and a checksum: one that somebody has changed since is theirs.

use std::path::{Path, PathBuf};

use super::{Home, SetupError};
use crate::process::files::{read_regular, replace};

/// The service as a package has it; it starts `PACKAGED`.
const SERVICE: &str = include_str!("../../../systemd/dosed.service");
const DESKTOP_ENTRY: &str = include_str!("../../../config/dosed.desktop");
const ICON: &str = include_str!("../../../config/dosed.svg");

/// The program that the shipped files start.
pub(super) const PACKAGED: &str = "/usr/bin/dosed";

/// None of the files is nearly as large as this, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Stands in each file that was written here, so that it is known again.
pub(super) const MARK: &str = "written by `dosed setup`";

/// Comes after the mark, with the checksum of the file in hexadecimal; files of the first versions have none.
const CHECKSUM: &str = ", checksum ";

/// Stands for the checksum while it is computed.
const NO_CHECKSUM: &str = "00000000";

/// A file of the set-up.
pub(super) struct File {
    pub(super) path: PathBuf,
    text: String,
}

/// Whose a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// It is not there.
    Nobody,
    /// It is as it was written here.
    Setup,
    /// It was written here, and changed since.
    Changed,
    /// It was not written here.
    Person,
}

impl File {
    /// Returns whose the file is.
    pub(super) fn owner(&self) -> Owner {
        owner(&self.path)
    }

    /// Tells whether the file has this text already.
    pub(super) fn is_written(&self) -> bool {
        read_regular(&self.path, MAX_BYTES).is_ok_and(|bytes| bytes == self.text.as_bytes())
    }

    pub(super) fn write(&self) -> Result<(), SetupError> {
        let io = |source| SetupError::Io { what: "write", path: self.path.clone(), source };
        replace(&self.path, 0o666, self.text.as_bytes()).map_err(io)
    }

    pub(super) fn remove(&self) -> Result<(), SetupError> {
        remove(&self.path)
    }
}

pub(super) fn remove(path: &Path) -> Result<(), SetupError> {
    let io = |source| SetupError::Io { what: "remove", path: path.to_owned(), source };
    std::fs::remove_file(path).map_err(io)
}

/// Returns where the service's file goes.
pub(super) fn service_path(home: &Home) -> PathBuf {
    home.config.join("systemd/user/dosed.service")
}

/// Returns all files, the service first.
pub(super) fn files(home: &Home, program: &Path) -> Result<Vec<File>, SetupError> {
    let wrong = || SetupError::Path { path: program.to_owned() };
    let text = program.to_str().ok_or_else(wrong)?;
    if text.contains(['"', '\\', '\n', '\'', '`', '$']) {
        return Err(wrong());
    }
    // Both formats take a quoted word, and read a doubled % as one.
    let quoted = format!("\"{}\"", text.replace('%', "%%"));
    let note = format!("{MARK}{CHECKSUM}{NO_CHECKSUM}");
    let marked = |text: &str| with_checksum(format!("# {note}\n{}", text.replace(PACKAGED, &quoted)));
    // Only a package installs the manual.
    let without_manual = |line: &&str| !line.starts_with("Documentation=man:");
    let service: String = SERVICE.split_inclusive('\n').filter(without_manual).collect();
    let icon = ICON.replacen("<title>", &format!("<!-- {note} -->\n  <title>"), 1);
    Ok(vec![
        File { path: service_path(home), text: marked(&service) },
        File { path: home.data.join("applications/dosed.desktop"), text: marked(DESKTOP_ENTRY) },
        File { path: home.data.join("icons/hicolor/scalable/apps/dosed.svg"), text: with_checksum(icon) },
    ])
}

fn with_checksum(text: String) -> String {
    let checksum = format!("{:08x}", crc32fast::hash(text.as_bytes()));
    text.replacen(&format!("{CHECKSUM}{NO_CHECKSUM}"), &format!("{CHECKSUM}{checksum}"), 1)
}

/// Returns whose a file is.
pub(super) fn owner(path: &Path) -> Owner {
    if path.symlink_metadata().is_err() {
        return Owner::Nobody;
    }
    let text = read_regular(path, MAX_BYTES).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(text) = text.filter(|text| text.contains(MARK)) else { return Owner::Person };
    let Some((before, rest)) = text.split_once(&format!("{MARK}{CHECKSUM}")) else { return Owner::Setup };
    let (Some(checksum), Some(after)) = (rest.get(..NO_CHECKSUM.len()), rest.get(NO_CHECKSUM.len()..)) else {
        return Owner::Changed;
    };
    let unmarked = format!("{before}{MARK}{CHECKSUM}{NO_CHECKSUM}{after}");
    let is_unchanged = format!("{:08x}", crc32fast::hash(unmarked.as_bytes())) == checksum;
    if is_unchanged { Owner::Setup } else { Owner::Changed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(program: &str) -> Result<Vec<String>, SetupError> {
        let home = Home { config: "/c".into(), data: "/d".into(), variables: Vec::new() };
        Ok(files(&home, Path::new(program))?.into_iter().map(|file| file.text).collect())
    }

    #[test]
    fn only_what_was_written_here_and_is_unchanged_is_ours() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let fifo = dir.path().join("fifo");
        crate::process::files::make_fifo(&fifo);
        let dangling = dir.path().join("dangling");
        std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
        let long = format!("# {MARK}\n{}", "#".repeat(1024 * 1024));
        for (path, expected) in [
            (file("first-version", &format!("# {MARK}\n[Unit]\n")), Owner::Setup),
            (dir.path().join("none"), Owner::Nobody),
            (file("foreign", "[Unit]\n"), Owner::Person),
            (file("long", &long), Owner::Person),
            (file("cut", &format!("# {MARK}{CHECKSUM}12")), Owner::Changed),
            (dir.path().to_owned(), Owner::Person),
            ("/dev/zero".into(), Owner::Person),
            (fifo, Owner::Person),
            (dangling, Owner::Person),
        ] {
            assert_eq!(owner(&path), expected, "{}", path.display());
        }
        for text in written("/home/a/dosed").unwrap() {
            let path = file("written", &text);
            assert_eq!(owner(&path), Owner::Setup, "{text}");
            for changed in [format!("{text}\n"), format!("# mine\n{text}"), text[..text.len() - 2].to_owned()]
            {
                std::fs::write(&path, changed).unwrap();
                assert_eq!(owner(&path), Owner::Changed, "{text}");
            }
        }
    }

    #[test]
    fn the_files_begin_the_program_where_it_lies() {
        let texts = written("/home/a b/100%/dosed").unwrap();
        assert!(texts[0].contains("\nExecStart=\"/home/a b/100%%/dosed\" daemon\n"), "{}", texts[0]);
        assert!(!texts[0].contains("man:"), "{}", texts[0]);
        assert!(texts[1].contains("\nExec=\"/home/a b/100%%/dosed\" tui\n"), "{}", texts[1]);
        for text in &texts {
            assert_eq!((text.matches(MARK).count(), text.contains(PACKAGED)), (1, false), "{text}");
        }
        assert!(matches!(written("/home/\"a\"/dosed"), Err(SetupError::Path { .. })));
    }
}
