//! The service manager that runs the daemon, if one does: whether it does, and notifications to it.

#![expect(clippy::disallowed_methods, reason = "the environment says whether this is a service")]

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::debug;

/// Tells whether the service manager has started this process.
pub(super) fn is_service() -> bool {
    std::env::var_os("INVOCATION_ID").is_some_and(|id| !id.is_empty())
}

/// Notifies the service manager, if there is one.
pub(super) fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "the service manager could not be notified");
    }
}

/// Returns the state that announces a reload.
pub(super) fn reloading() -> [NotifyState<'static>; 2] {
    let now = NotifyState::monotonic_usec_now().unwrap_or(NotifyState::Status("reloading"));
    [NotifyState::Reloading, now]
}

/// Returns the interval at which the service manager expects a keep-alive, if it does.
pub(super) fn watchdog() -> Option<tokio::time::Interval> {
    let half = sd_notify::watchdog_enabled()? / 2;
    let mut interval = tokio::time::interval(half.max(Duration::from_millis(100)));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    Some(interval)
}
