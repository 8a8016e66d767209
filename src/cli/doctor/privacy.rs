//! What `dosed doctor` finds of what others on this machine, or on the way, could read.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::Finding;
use crate::cli::advice;
use crate::cli::paths::Paths;
use crate::core::schedule::{Login, Schedule, Transport};

/// Looks whether others can read the secrets of channels.
pub(super) fn check_secrets(schedule: &Schedule) -> Option<Finding> {
    let sources = schedule.settings.channels.iter().flat_map(|channel| match &channel.transport {
        Transport::Command { .. } => Vec::new(),
        Transport::Webhook { url, login, headers, .. } => {
            let headers = headers.iter().map(|(_, value)| value);
            [url].into_iter().chain(login.iter().flat_map(Login::secrets)).chain(headers).collect()
        }
        Transport::Ntfy { topic, replies, login, .. } => {
            let login = login.iter().flat_map(Login::secrets);
            [topic].into_iter().chain(replies).chain(login).collect()
        }
    });
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let files: Vec<_> = sources.filter_map(|source| source.file(home.as_deref())).collect();
    let open = files.iter().find(|path| mode(path).is_some_and(|mode| mode & 0o077 != 0));
    match open {
        Some(path) => Some(Finding::bad(
            "secrets",
            format!("others can read {}", path.display()),
            format!("chmod 600 {}", path.display()),
        )),
        None if files.is_empty() => None,
        None => Some(Finding::good("secrets", "only you can read them")),
    }
}

fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|found| found.permissions().mode() & 0o777)
}

/// Looks for tokens that are sent where anyone on the way can read them.
pub(super) fn check_tokens(schedule: &Schedule) -> Vec<Finding> {
    let help = "change the address in the schedule, and then the token";
    let exposed = advice::plain_http(&schedule.settings.channels).into_iter();
    exposed.map(|found| Finding::bad("secrets", found, help)).collect()
}

/// Looks whether others can get at the record or the socket.
pub(super) fn check_private(paths: &Paths) -> Vec<Finding> {
    let uid = rustix::process::getuid().as_raw();
    let places = [("record", paths.data_dir.as_path()), ("socket", paths.socket.as_path())];
    places
        .into_iter()
        .filter_map(|(check, path)| {
            let found = std::fs::metadata(path).ok()?;
            if found.uid() != uid {
                let help = format!("make it your own: chown $USER {}", path.display());
                return Some(Finding::bad(
                    check,
                    format!("{} belongs to another user", path.display()),
                    help,
                ));
            }
            (found.permissions().mode() & 0o077 != 0).then(|| {
                let help = format!("chmod go= {}", path.display());
                Finding::bad(check, format!("others can open {}", path.display()), help)
            })
        })
        .collect()
}

/// Looks whether others can read the schedule: it says what somebody takes.
pub(super) fn check_readable(schedule: &Path) -> Option<Finding> {
    // No fault: it may be where nobody minds, or where nobody can change it.
    is_readable_by_others(schedule).then(|| {
        let path = schedule.display();
        Finding::unknown("schedule", format!("others can read {path}: `chmod go= {path}` hides it"))
    })
}

/// Tells whether others than its user can read a file, through every directory above it.
fn is_readable_by_others(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    // The group's, and everybody's.
    [0o040, 0o004].into_iter().any(|read| {
        let enter = read >> 2;
        let is_open = |dir: &Path| mode(dir).is_some_and(|mode| mode & enter != 0);
        mode(&path).is_some_and(|mode| mode & read != 0) && path.ancestors().skip(1).all(is_open)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_readable_where_every_directory_is_open() {
        let root = tempfile::tempdir().unwrap();
        let (dir, file) = (root.path().join("dir"), root.path().join("dir/file"));
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, root.path().join("link")).unwrap();
        let set = |path: &Path, mode: u32| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        for (of_root, of_dir, of_file, readable) in [
            (0o755, 0o755, 0o644, true),
            (0o711, 0o711, 0o604, true),
            (0o710, 0o750, 0o640, true),
            (0o755, 0o755, 0o600, false),
            (0o755, 0o700, 0o644, false),
            (0o700, 0o755, 0o644, false),
            (0o710, 0o755, 0o604, false),
        ] {
            set(root.path(), of_root);
            set(&dir, of_dir);
            set(&file, of_file);
            for path in [&file, &root.path().join("link")] {
                assert_eq!(is_readable_by_others(path), readable, "{of_root:o} {of_dir:o} {of_file:o}");
            }
        }
    }
}
