//! A service that cannot start: why is kept in the runtime directory, where `dosed doctor` looks, and shown once on the desktop.
//!
//! The service manager tries again for ever, and nobody would hear of it otherwise. No item is named.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tracing::warn;

use super::{DaemonError, surroundings};
use crate::adapters::desktop;
use crate::adapters::http::SocketError;
use crate::adapters::store::StoreError;
use crate::core::reminder::{AlertId, Notice};
use crate::process::errors;
use crate::process::files::{self, read_regular};

/// The file, beside the socket.
const FILE: &str = "start-error.json";

/// The file is not nearly as large as this, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// How long the desktop has for showing it; the service manager waits meanwhile.
const SHOW_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the service could not start when it was last tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedStart {
    /// Why.
    pub reason: String,
    /// Whether it was on the screen.
    is_shown: bool,
}

/// Returns why the last start failed; none where it did not, or it was not the service that was started.
#[must_use]
pub fn read(socket: &Path) -> Option<FailedStart> {
    serde_json::from_slice(&read_regular(&file(socket), MAX_BYTES).ok()?).ok()
}

/// Forgets it: the daemon runs.
pub(super) fn forget(socket: &Path) {
    // Mostly there is none.
    let _ = std::fs::remove_file(file(socket));
}

/// Keeps why the start failed, and shows it unless that was shown before.
pub(super) async fn report(socket: &Path, error: &DaemonError) {
    // Then reminders come: from the other daemon.
    if matches!(
        error,
        DaemonError::Store(StoreError::Locked { .. }) | DaemonError::Socket(SocketError::Live { .. })
    ) {
        return;
    }
    let reason = errors::chain(error);
    let was_shown = read(socket).is_some_and(|before| before.is_shown && before.reason == reason);
    let is_shown = was_shown || show(&reason, surroundings::find(socket)).await;
    if let Err(error) = write(socket, &FailedStart { reason, is_shown }) {
        warn!(%error, "why it cannot start could not be kept for `dosed doctor`");
    }
}

fn file(socket: &Path) -> PathBuf {
    socket.with_file_name(FILE)
}

fn write(socket: &Path, failed: &FailedStart) -> std::io::Result<()> {
    files::replace(&file(socket), 0o600, &serde_json::to_vec(failed)?)
}

/// Shows it on the desktop; returns whether that succeeded.
async fn show(reason: &str, surroundings: desktop::Surroundings) -> bool {
    let (commands, receiver) = mpsc::unbounded_channel();
    let (sender, mut events) = mpsc::unbounded_channel();
    tokio::spawn(desktop::run(receiver, sender, surroundings));
    let help = "Until then there are no reminders. `dosed doctor` says more.";
    let notice = Notice::plain(AlertId(0), "dosed cannot start", vec![reason.to_owned(), help.to_owned()]);
    if commands.send(desktop::Command::Show(notice)).is_err() {
        return false;
    }
    let shown = async {
        loop {
            match events.recv().await {
                Some(desktop::Event::Shown(..)) => return true,
                Some(desktop::Event::NotShown(..)) | None => return false,
                Some(_) => {}
            }
        }
    };
    tokio::time::timeout(SHOW_TIMEOUT, shown).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_until_it_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("dosed/dosed.sock");
        assert_eq!(read(&socket), None);
        let failed = FailedStart { reason: "the disk is full".to_owned(), is_shown: true };
        write(&socket, &failed).unwrap();
        assert_eq!(read(&socket), Some(failed));
        forget(&socket);
        assert_eq!(read(&socket), None);
        // Whatever else lies there is no reason.
        for text in ["", "null", "{\"reason\":1}"] {
            std::fs::write(file(&socket), text).unwrap();
            assert_eq!(read(&socket), None, "{text}");
        }
    }
}
