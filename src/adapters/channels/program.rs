//! Channels that are programs on this machine; what they do is not known here.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::SendError;
use crate::process::programs;

/// What the service manager tells the daemon alone.
const OF_THE_SERVICE: [&str; 14] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "CREDENTIALS_DIRECTORY",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "MAINPID",
    "MEMORY_PRESSURE_WATCH",
    "MEMORY_PRESSURE_WRITE",
    "SYSTEMD_EXEC_PID",
];

/// A program and what it started, which end with it unless it came to its own end.
struct ProcessGroup(Option<Pid>);

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // The program is not waited for yet, so that the number is still its own.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs a program once, with a JSON object on its standard input. Where this is dropped, the program ends.
///
/// Every error is permanent: what it has done before it failed is not known here.
pub(super) async fn run(program: &[String], timeout: Duration, json: &Value) -> Result<(), SendError> {
    let (name, arguments) =
        program.split_first().ok_or_else(|| SendError::Permanent("there is no program".to_owned()))?;
    let mut command = Command::new(name);
    for variable in OF_THE_SERVICE {
        command.env_remove(variable);
    }
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        // Its output may be anything; its status is enough.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| SendError::Permanent(format!("the program cannot be started: {error}")))?;
    // Declared after the program: dropped before it.
    let mut group = ProcessGroup(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    let input = child.stdin.take();
    let text = format!("{json}\n");
    let ended = async {
        if let Some(mut input) = input {
            // A program that does not read is free not to.
            let _ = input.write_all(text.as_bytes()).await;
        }
        child.wait().await
    };
    let status = tokio::time::timeout(timeout, ended).await.map_err(|_| {
        SendError::Permanent(format!("the program did not end within {} s", timeout.as_secs()))
    })?;
    group.0 = None;
    let status = status.map_err(|error| SendError::Permanent(format!("the program was lost: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(SendError::Permanent(format!("the program ended with {status}")))
    }
}

/// Checks that there is such a program.
#[expect(clippy::disallowed_methods, reason = "programs are looked up where the service would")]
pub(super) fn check(program: &[String]) -> Result<(), SendError> {
    let name = program.first().map(String::as_str).unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = programs::find(name.as_ref(), &path);
    found.map(drop).ok_or_else(|| SendError::Permanent("there is no such program".to_owned()))
}
