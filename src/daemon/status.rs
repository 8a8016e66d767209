//! What the daemon knows of its surroundings.

use std::sync::Arc;

use jiff::Timestamp;

use super::channel_events::ChannelStates;
use super::unread::UnreadHistory;
use crate::adapters::{desktop, presence};

/// What the daemon knows of its surroundings, for `status` and to tell whether the person is away.
#[derive(Clone, Debug, Default)]
pub(super) struct DaemonStatus {
    /// Why the schedule file cannot be used; then the plan before it goes on.
    pub(super) schedule_error: Option<String>,
    /// Whether the file could not be used since the start: the record has neither channels nor quiet hours.
    pub(super) is_plan_from_record: bool,
    pub(super) server: Option<desktop::Server>,
    pub(super) no_server: Option<String>,
    pub(super) zone: String,
    /// Why the machine's own zone cannot be read; then `zone` is the last recorded one.
    pub(super) zone_error: Option<String>,
    pub(super) started_at: Timestamp,
    /// What cannot be read of the recorded definitions.
    pub(super) unread: Arc<UnreadHistory>,
    /// What logind reports; unknown in the first moments.
    pub(super) session: Option<presence::Session>,
    /// Whether the desktop shows notifications now.
    pub(super) display: desktop::Display,
    /// Whether the notification server is started when something is to be shown.
    pub(super) starts_on_demand: bool,
    pub(super) channels: ChannelStates,
}

impl DaemonStatus {
    /// Tells whether the person would not see what is shown now, or that is not known yet: within moments logind and
    /// the notification server respond, or it is known that they will not.
    pub(super) fn is_away(&self) -> bool {
        let is_here = self.session.is_some_and(|session| !session.locked && !session.idle);
        let is_desktop_known = self.server.is_some() || self.no_server.is_some();
        !is_here || !is_desktop_known || self.display.is_off()
    }
}
