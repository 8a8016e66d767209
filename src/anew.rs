//! Begins the program anew, in the same process, where it needs another environment or is to hold less memory.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What glibc's allocator is told, which it hears only at the start of a program: what a start or a long
/// question took is given back, in place of being kept for the next one, and what is large is a mapping of its own.
const MALLOC: [(&str, &str); 4] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "32768"),
    ("MALLOC_TRIM_THRESHOLD_", "65536"),
    ("MALLOC_TOP_PAD_", "0"),
];

/// Says when a panic began this program anew, in seconds since 1970: it must not be again and again.
pub(crate) const AGAIN: &str = "DOSED_AGAIN";

/// Is set where it was told: from some programs glibc takes its own variables away.
const TOLD: &str = "DOSED_MALLOC";

/// Is set in a program that has left behind what its start took.
const LIGHT: &str = "DOSED_LIGHT";

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

/// Returns what the allocator is still to be told, unless somebody has told it already how to be.
fn untold() -> Vec<(&'static str, String)> {
    let mut told = MALLOC.iter().map(|(name, _)| *name).chain([TOLD]);
    if cfg!(target_env = "gnu") && told.all(|name| std::env::var_os(name).is_none()) {
        MALLOC.into_iter().chain([(TOLD, "1")]).map(|(name, value)| (name, value.to_owned())).collect()
    } else {
        Vec::new()
    }
}

/// Tells whether the allocator keeps little, or what somebody else has told it.
pub(crate) fn is_spare() -> bool {
    untold().is_empty()
}

/// Begins anew with an allocator that keeps little. Where that fails, the program goes on as it is.
pub(crate) fn spare_memory() {
    let untold = untold();
    if !untold.is_empty() {
        let _ = begin(untold);
    }
}

/// Tells whether this program may still begin anew for [`leave_room_behind`].
pub(crate) fn can_leave_room_behind() -> bool {
    std::env::var_os(LIGHT).is_none()
}

/// Begins anew to be rid of the room that a start took which had much to do, as the allocator gives little of it
/// back. Only once: what cannot be kept would be done for ever. Where that fails, the program goes on as it is.
pub(crate) fn leave_room_behind() {
    let _ = begin(untold().into_iter().chain([(LIGHT, "1".to_owned())]));
}

/// Takes out of a command's environment what is meant for this program alone.
pub(crate) fn keep_to_ourselves(command: &mut Command) {
    for (name, _) in MALLOC {
        command.env_remove(name);
    }
    command.env_remove(TOLD).env_remove(AGAIN).env_remove(LIGHT);
}
