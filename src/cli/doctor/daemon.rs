//! Examines the daemon: whether it responds, and what it reports of its channels.

use std::path::Path;

use jiff::Timestamp;

use super::{CATCH_UP_PAUSE, CATCH_UP_TRIES, Finding};
use crate::client::{Client, ClientError};
use crate::present;
use crate::protocol::{Notifications, Status};

pub(super) async fn check_daemon(
    client: &Client,
    socket: &Path,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Option<Status> {
    let name = "daemon";
    let finding = match caught_up_status(client).await {
        Ok(status) => {
            findings.push(match &status.schedule.error {
                None => Finding::good(name, format!("running as process {}", status.pid)),
                Some(error) => {
                    let found = format!("{error}; {}", present::plan_in_use(&status.schedule, now));
                    Finding::bad(name, found, "correct the schedule: `dosed check` shows what is wrong")
                }
            });
            return Some(status);
        }
        Err(ClientError::NotRunning { source, .. })
            if source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            let help = format!("remove {} and restart dosed: the socket must be your own", socket.display());
            Finding::bad(name, "permission denied on its socket", help)
        }
        Err(error @ ClientError::NotRunning { .. }) => {
            let help = "`dosed setup`, or where that was done `systemctl --user start dosed`; or `dosed daemon` in a terminal";
            Finding::bad(name, error.to_string(), help)
        }
        Err(error @ ClientError::TimedOut) => {
            let help = "it hangs: `systemctl --user restart dosed`, or end it and start it again";
            Finding::bad(name, error.to_string(), help)
        }
        Err(error) => Finding::bad(name, error.to_string(), "`systemctl --user restart dosed`"),
    };
    findings.push(finding);
    None
}

/// Asks for the status; a daemon that has just been started is still asking the notification server.
async fn caught_up_status(client: &Client) -> Result<Status, ClientError> {
    let mut status = client.status().await?.value;
    for _ in 0..CATCH_UP_TRIES {
        if status.notifications != Notifications::Unknown {
            break;
        }
        tokio::time::sleep(CATCH_UP_PAUSE).await;
        status = client.status().await?.value;
    }
    Ok(status)
}

pub(super) async fn check_channels(client: &Client) -> Vec<Finding> {
    let tests = match client.check_channels().await {
        Ok(tests) => tests.value,
        Err(error) => return vec![Finding::bad("channels", error.to_string(), "restart dosed")],
    };
    // The desktop has checks of its own.
    let channels = tests.iter().filter(|test| test.kind != "desktop");
    let finding = channels.map(|test| match &test.error {
        None => Finding::good("channels", format!("{} responds", test.channel)),
        Some(error) => {
            let help = "look at the channel in the schedule; `dosed test` sends a harmless reminder";
            Finding::bad("channels", format!("{}: {error}", test.channel), help)
        }
    });
    finding.collect()
}
