//! Finds programs as a shell does: by their path, or in the directories of `PATH`; and asks them, with a limit.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// How long a program that is asked has for its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a program gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// There is no such program.
    #[error("`{program}` is not installed")]
    NotInstalled {
        /// Its name.
        program: String,
    },
    /// It failed.
    #[error("`{command}` failed: {reason}")]
    Failed {
        /// What was called, with its first two arguments.
        command: String,
        /// Why: the last line that it printed as an error, else how it ended.
        reason: String,
    },
}

/// Runs a program and returns what it prints, without blanks around it; that may be nothing.
///
/// # Errors
///
/// It is not there, or it fails: the two are different answers, and an empty one is neither.
pub async fn ask(program: &str, arguments: &[&str]) -> Result<String, AskError> {
    let failed = |reason: String| {
        // What follows is for the program, not for people.
        let command = [program].iter().chain(arguments.iter().take(2)).copied().collect::<Vec<_>>().join(" ");
        AskError::Failed { command, reason }
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(ANSWER_TIMEOUT, command.output()).await {
        Ok(Ok(output)) => output,
        // A directory of `PATH` that is closed to this user counts as one without it.
        Ok(Err(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            return Err(AskError::NotInstalled { program: program.to_owned() });
        }
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Err(_) => return Err(failed(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let reason = errors.trim().lines().last().map_or_else(|| output.status.to_string(), ToOwned::to_owned);
    Err(failed(reason))
}

/// Returns the path under which this program can be started again: where it was replaced, that of what took its place.
///
/// # Errors
///
/// The system does not tell.
pub fn current() -> std::io::Result<PathBuf> {
    std::env::current_exe().map(|path| without_deleted(&path).0)
}

/// Returns the program that a process runs, and whether that was replaced or removed since; `None` where that cannot be seen.
#[must_use]
pub fn of_process(pid: u32) -> Option<(PathBuf, bool)> {
    std::fs::read_link(format!("/proc/{pid}/exe")).ok().map(|path| without_deleted(&path))
}

/// Splits the mark of the kernel off the path of a program that is not there any more: `/a/b (deleted)`.
#[must_use]
pub fn without_deleted(path: &Path) -> (PathBuf, bool) {
    use std::os::unix::ffi::OsStrExt;
    let is_marked = path.as_os_str().as_bytes().strip_suffix(b" (deleted)").filter(|_| !path.exists());
    match is_marked {
        Some(before) => (OsStr::from_bytes(before).into(), true),
        None => (path.to_owned(), false),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_program_a_failure_and_no_words_are_told_apart() {
        async fn shell(script: &str) -> Result<String, AskError> {
            ask("sh", &["-c", script]).await
        }
        assert_eq!(shell("echo ' yes '").await, Ok("yes".to_owned()));
        assert_eq!(shell("true").await, Ok(String::new()));
        for (script, reason) in [
            ("echo no; echo first >&2; echo why >&2; exit 3", "why"),
            ("exit 4", "exit status: 4"),
            ("kill -9 $$", "signal: 9 (SIGKILL)"),
        ] {
            let error = shell(script).await.unwrap_err();
            assert_eq!(error.to_string(), format!("`sh -c {script}` failed: {reason}"));
        }
        let error = ask("no-such-program", &[]).await.unwrap_err();
        assert_eq!(error, AskError::NotInstalled { program: "no-such-program".to_owned() });
    }

    #[test]
    fn a_replaced_program_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join("c (deleted)");
        std::fs::write(&odd, "").unwrap();
        for (path, expected, is_deleted) in [
            ("/a/dosed", "/a/dosed", false),
            ("/a/dosed (deleted)", "/a/dosed", true),
            ("/a (deleted)/dosed", "/a (deleted)/dosed", false),
            // It is called that.
            (odd.to_str().unwrap(), odd.to_str().unwrap(), false),
        ] {
            assert_eq!(without_deleted(Path::new(path)), (PathBuf::from(expected), is_deleted), "{path}");
        }
    }
}
