//! Channels that are programs of this machine.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::Failure;
use crate::anew;
use crate::programs;

/// Runs a program with a JSON object on its standard input. It is run once: what it has done before it
/// failed is not known here.
pub(super) async fn run(program: &[String], timeout: Duration, json: &Value) -> Result<(), Failure> {
    let (name, arguments) =
        program.split_first().ok_or_else(|| Failure::Final("there is no program".to_owned()))?;
    let mut command = Command::new(name);
    anew::keep_to_ourselves(command.as_std_mut());
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        // What it says may be anything; how it ended is enough.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // So that what it starts ends with it.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Failure::Final(format!("the program cannot be started: {error}")))?;
    let group = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
    let input = child.stdin.take();
    let text = format!("{json}\n");
    let ended = async {
        if let Some(mut input) = input {
            // A program that does not read is free not to.
            let _ = input.write_all(text.as_bytes()).await;
        }
        child.wait().await
    };
    let status = match tokio::time::timeout(timeout, ended).await {
        Ok(status) => status.map_err(|error| Failure::Final(format!("the program was lost: {error}")))?,
        Err(_) => {
            if let Some(group) = group {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            return Err(Failure::Final(format!("the program did not end within {} s", timeout.as_secs())));
        }
    };
    if status.success() { Ok(()) } else { Err(Failure::Final(format!("the program ended with {status}"))) }
}

/// Tells whether there is such a program.
pub(super) fn check(program: &[String]) -> Result<(), Failure> {
    let name = program.first().map(String::as_str).unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = programs::find(name.as_ref(), &path);
    found.map(drop).ok_or_else(|| Failure::Final("there is no such program".to_owned()))
}
