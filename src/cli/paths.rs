//! Where things are: from options and variables to paths.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::process::base_dirs;

/// Where the login session of a user has its directory, by the user's number.
const RUNTIME_DIRS: &str = "/run/user";

/// The three places that daemon and commands must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The schedule file.
    pub schedule: PathBuf,
    /// The directory of the record.
    pub data_dir: PathBuf,
    /// The socket.
    pub socket: PathBuf,
}

/// There is no home directory to put things in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither HOME nor the XDG directories are set: give --schedule, --data-dir and --socket")]
pub struct NoHome;

impl Paths {
    /// Finds the places of a user: what is given, else what the XDG base directories say.
    ///
    /// # Errors
    ///
    /// A place is not given and there is no home directory.
    pub fn find(
        schedule: Option<PathBuf>,
        data_dir: Option<PathBuf>,
        socket: Option<PathBuf>,
        user: u32,
        variable: impl Fn(&str) -> Option<PathBuf>,
    ) -> Result<Self, NoHome> {
        // The base directory rules leave out what is not absolute.
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        let base = |name: &str, in_home: &str| base_dirs::find(&variable, name, in_home);
        let schedule = schedule
            .or_else(|| base("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("dosed/schedule.toml")))
            .ok_or(NoHome)?;
        let data_dir = data_dir
            .or_else(|| base("XDG_DATA_HOME", ".local/share").map(|dir| dir.join("dosed")))
            .ok_or(NoHome)?;
        // `su` and cron do not say where the session has its directory.
        let usual = || own_dir(Path::new(RUNTIME_DIRS).join(user.to_string()), user);
        let socket = socket.unwrap_or_else(|| match absolute("XDG_RUNTIME_DIR").or_else(usual) {
            Some(dir) => dir.join("dosed/dosed.sock"),
            // No login session made one (a container, say): in the data directory, which is as private.
            None => data_dir.join("dosed.sock"),
        });
        Ok(Self { schedule, data_dir, socket })
    }
}

/// Returns a directory where it is one of this user.
fn own_dir(dir: PathBuf, user: u32) -> Option<PathBuf> {
    let found = std::fs::symlink_metadata(&dir).ok()?;
    (found.is_dir() && found.uid() == user).then_some(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A user who has no session.
    const NOBODY: u32 = u32::MAX - 1;

    #[test]
    fn places_follow_the_base_directories() {
        let find = |variables: &[(&str, &str)]| {
            Paths::find(None, None, None, NOBODY, |name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            })
        };
        let paths = find(&[("HOME", "/home/a"), ("XDG_RUNTIME_DIR", "/run/user/1")]).unwrap();
        assert_eq!(paths.schedule, Path::new("/home/a/.config/dosed/schedule.toml"));
        assert_eq!(paths.data_dir, Path::new("/home/a/.local/share/dosed"));
        assert_eq!(paths.socket, Path::new("/run/user/1/dosed/dosed.sock"));
        let paths = find(&[("HOME", "/home/a"), ("XDG_DATA_HOME", "/d"), ("XDG_CONFIG_HOME", "c")]).unwrap();
        assert_eq!(paths.schedule, Path::new("/home/a/.config/dosed/schedule.toml"));
        assert_eq!(paths.socket, Path::new("/d/dosed/dosed.sock"));
        assert_eq!(find(&[]), Err(NoHome));
    }

    #[test]
    fn the_directory_of_a_session_is_the_users_own() {
        let dir = tempfile::tempdir().unwrap();
        let own = rustix::process::geteuid().as_raw();
        assert_eq!(own_dir(dir.path().to_owned(), own), Some(dir.path().to_owned()));
        assert_eq!(own_dir(dir.path().to_owned(), own + 1), None);
        assert_eq!(own_dir(dir.path().join("none"), own), None);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("link")).unwrap();
        assert_eq!(own_dir(dir.path().join("link"), own), None);
    }
}
