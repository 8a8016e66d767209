//! Finds programs as a shell does: by their path, or in the directories of `PATH`.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Returns where a program is, if there is one of that name.
#[must_use]
pub fn find(name: &OsStr, path: &OsStr) -> Option<PathBuf> {
    let named = Path::new(name);
    if named.components().count() > 1 {
        return is_program(named).then(|| named.to_owned());
    }
    std::env::split_paths(path).map(|dir| dir.join(named)).find(|found| is_program(found))
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
