//! What a process needs and no room owns: panics, failpoints, files, base directories, other programs, errors in words.

#![expect(clippy::disallowed_methods, reason = "failpoints and restarts are set by the environment")]

pub mod base_dirs;
pub mod dumps;
pub mod errors;
pub(crate) mod failpoints;
pub(crate) mod files;
pub mod panics;
pub mod programs;
