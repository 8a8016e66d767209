//! The base directories of a person, by the XDG base directory specification.

use std::path::PathBuf;

/// Returns the directory that a variable names, else the one in the person's home that stands for it; one that is not absolute does not count.
pub fn find(variable: impl Fn(&str) -> Option<PathBuf>, name: &str, in_home: &str) -> Option<PathBuf> {
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    absolute(name).or_else(|| absolute("HOME").map(|home| home.join(in_home)))
}
