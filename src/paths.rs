//! Where things are: from options and variables to paths.

use std::path::PathBuf;

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
    /// Finds the places: what is given, else what the XDG base directories say.
    ///
    /// # Errors
    ///
    /// A place is not given and there is no home directory.
    pub fn find(
        schedule: Option<PathBuf>,
        data_dir: Option<PathBuf>,
        socket: Option<PathBuf>,
        variable: impl Fn(&str) -> Option<PathBuf>,
    ) -> Result<Self, NoHome> {
        // The base directory rules leave out what is not absolute.
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        let base = |name: &str, in_home: &str| {
            absolute(name).or_else(|| absolute("HOME").map(|home| home.join(in_home)))
        };
        let schedule = schedule
            .or_else(|| base("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("dosed/schedule.toml")))
            .ok_or(NoHome)?;
        let data_dir = data_dir
            .or_else(|| base("XDG_DATA_HOME", ".local/share").map(|dir| dir.join("dosed")))
            .ok_or(NoHome)?;
        let socket = socket.unwrap_or_else(|| match absolute("XDG_RUNTIME_DIR") {
            Some(dir) => dir.join("dosed/dosed.sock"),
            // No login session made one (a container, say): beside the record, which is as private.
            None => data_dir.join("dosed.sock"),
        });
        Ok(Self { schedule, data_dir, socket })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn places_follow_the_base_directories() {
        let find = |variables: &[(&str, &str)]| {
            Paths::find(None, None, None, |name| {
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
}
