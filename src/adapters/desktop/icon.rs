//! The icon of reminders: by its name where it is installed, else as a file of our own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracing::debug;

use crate::process::{base_dirs, files};

/// The name of the icon.
const NAME: &str = "dosed";

const SVG: &str = include_str!("../../../config/dosed.svg");

/// Where a data directory has it.
const PLACE: &str = "icons/hicolor/scalable/apps/dosed.svg";

/// The data directories of a system that names none.
const USUAL_DIRS: &str = "/usr/local/share:/usr/share";

/// Returns the icon's name where the desktop can find it, else the path of a copy that is written to `dir`.
#[must_use]
pub fn icon(dir: &Path, variable: impl Fn(&str) -> Option<OsString>) -> String {
    let is_installed = data_dirs(variable).iter().any(|dir| dir.join(PLACE).is_file());
    if is_installed {
        return NAME.to_owned();
    }
    let copy = dir.join("dosed.svg");
    let is_there = files::read_regular(&copy, SVG.len() as u64).is_ok_and(|bytes| bytes == SVG.as_bytes());
    if is_there {
        // An earlier start has written it.
        return copy.display().to_string();
    }
    match files::replace(&copy, 0o600, SVG.as_bytes()) {
        Ok(()) => copy.display().to_string(),
        Err(error) => {
            debug!(%error, "the icon could not be written");
            NAME.to_owned()
        }
    }
}

fn data_dirs(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let home = base_dirs::find(|name| variable(name).map(PathBuf::from), "XDG_DATA_HOME", ".local/share");
    let others = variable("XDG_DATA_DIRS").filter(|value| !value.is_empty());
    let others = others.unwrap_or_else(|| USUAL_DIRS.into());
    home.into_iter().chain(std::env::split_paths(&others)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn an_icon_that_is_not_installed_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let variables = |name: &str| match name {
            "XDG_DATA_HOME" => Some(dir.path().join("data").into_os_string()),
            "XDG_DATA_DIRS" => Some(dir.path().join("system").into_os_string()),
            _ => None,
        };
        let copy = dir.path().join("dosed.svg");
        assert_eq!(icon(dir.path(), variables), copy.display().to_string());
        assert_eq!(std::fs::read_to_string(&copy).unwrap(), SVG);
        // Once; one of an earlier version is replaced.
        let inode = || std::fs::metadata(&copy).unwrap().ino();
        let first = inode();
        assert_eq!((icon(dir.path(), variables), inode()), (copy.display().to_string(), first));
        std::fs::write(&copy, "an earlier one").unwrap();
        assert_eq!(icon(dir.path(), variables), copy.display().to_string());
        assert_eq!(std::fs::read_to_string(&copy).unwrap(), SVG);
        // It cannot be written: the name is all that there is.
        assert_eq!(icon(&copy.join("nowhere"), variables), NAME);
        for place in ["data", "system"] {
            let installed = dir.path().join(place).join(PLACE);
            std::fs::create_dir_all(installed.parent().unwrap()).unwrap();
            std::fs::write(&installed, SVG).unwrap();
            assert_eq!(icon(dir.path(), variables), NAME, "{place}");
            std::fs::remove_file(installed).unwrap();
        }
    }
}
