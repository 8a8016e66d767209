//! Begins the program anew, in the same process, where it needs another environment.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What glibc's allocator is told, which it hears only at the start of a program: what a start or a long
/// question took is given back, in place of being kept for the next one.
const MALLOC: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

/// Is set in a program that a panic began anew, for which it must not be again and again.
pub(crate) const AGAIN: &str = "DOSED_AGAIN";

/// Is set where it was told: from some programs glibc takes its own variables away.
const TOLD: &str = "DOSED_MALLOC";

/// Takes the place of this program with another run of it, with more in its environment; returns only if
/// that fails.
pub(crate) fn begin(environment: impl IntoIterator<Item = (&'static str, String)>) -> io::Error {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut arguments = std::env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments).envs(environment).exec()
}

/// Begins anew with an allocator that keeps little, unless somebody has told it already how to be. Where that
/// fails, the program goes on as it is.
pub(crate) fn spare_memory() {
    let mut told = MALLOC.iter().map(|(name, _)| *name).chain([TOLD]);
    if cfg!(target_env = "gnu") && told.all(|name| std::env::var_os(name).is_none()) {
        let _ = begin(MALLOC.into_iter().chain([(TOLD, "1")]).map(|(name, value)| (name, value.to_owned())));
    }
}

/// Takes out of a command's environment what is meant for this program alone.
pub(crate) fn keep_to_ourselves(command: &mut Command) {
    for (name, _) in MALLOC {
        command.env_remove(name);
    }
    command.env_remove(TOLD).env_remove(AGAIN);
}
