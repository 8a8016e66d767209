//! Keeps reminders off the session bus until there is a screen for them: every login starts the service, and faster than any
//! desktop. A notification server that the bus starts without a display fails, and blocks all notifications for two minutes.

use tokio::sync::mpsc;

use super::service_manager::is_service;
use crate::adapters::desktop::{self, Command, Event, Surroundings};
use crate::adapters::service_manager;

/// Runs the desktop adapter; what is to be shown before there is a display or a server counts as not shown, and is tried
/// again later as such.
pub(super) async fn run(
    mut commands: mpsc::UnboundedReceiver<Command>,
    events: mpsc::UnboundedSender<Event>,
    surroundings: Surroundings,
) {
    let (to_desktop, desktop_commands) = mpsc::unbounded_channel();
    let (desktop_sender, mut desktop_events) = mpsc::unbounded_channel();
    let adapter = tokio::spawn(desktop::run(desktop_commands, desktop_sender, surroundings));
    let mut has_screen = !is_service();
    loop {
        tokio::select! {
            biased;
            event = desktop_events.recv() => {
                let Some(event) = event else { return };
                has_screen |= matches!(event, Event::ServerAppeared { .. });
                let _ = events.send(event);
            }
            command = commands.recv() => {
                let Some(command) = command else { break };
                if let (false, Command::Show(notice)) = (has_screen, &command) {
                    has_screen = has_display().await;
                    if !has_screen {
                        let reason = "the desktop has not started yet".to_owned();
                        let _ = events.send(Event::NotShown(notice.alert, reason));
                        continue;
                    }
                }
                let _ = to_desktop.send(command);
            }
        }
    }
    // It takes down what is to be taken down.
    drop(to_desktop);
    let _ = adapter.await;
}

/// Tells whether services know a display; where that cannot be asked, there may be one.
async fn has_display() -> bool {
    let variables = service_manager::environment().await;
    variables.map_or(true, |variables| {
        ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| variables.get(*name).is_some_and(|value| !value.is_empty()))
    })
}
