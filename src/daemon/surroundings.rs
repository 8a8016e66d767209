//! What reminders need of this machine: where the icon is, and the settings of the desktop.

#![expect(clippy::disallowed_methods, reason = "the environment says where things of the desktop are")]

use std::path::{Path, PathBuf};

use crate::adapters::desktop::{self, Surroundings};
use crate::process::base_dirs;

/// Returns what reminders need of this machine; the directory of the socket has the icon where it is not installed.
pub(super) fn find(socket: &Path) -> Surroundings {
    let dir = socket.parent().unwrap_or(socket);
    let variable = |name: &str| std::env::var_os(name);
    let config_dir = base_dirs::find(|name| variable(name).map(PathBuf::from), "XDG_CONFIG_HOME", ".config");
    Surroundings { icon: desktop::icon(dir, variable), config_dir }
}
