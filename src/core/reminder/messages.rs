//! What goes into the reminders and what comes out: what was noticed, and what to do.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::amend::Correction;
use super::answer::Answer;
use super::commands::Pause;
use super::notice::{AlertId, Button, DesktopTraits, Notice};
use super::refusal::Refusal;
use crate::core::ledger::{CloseReason, Fact, FactId, NotificationHandle, Record, StockChange};
use crate::core::schedule::{ChannelId, ItemId, OccurrenceId, Schedule};

/// Names a question from outside until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Names a fact on its way to the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// What was noticed.
#[derive(Clone, Debug)]
pub enum Input {
    /// A deadline may have come.
    Tick,
    /// The clock was set or the machine slept: everything is to be evaluated.
    ClockChanged,
    /// The daemon runs, perhaps again: what the clock shows and what the schedule says. It comes first.
    Started {
        /// The name of the zone that the clock shows.
        zone_name: String,
        /// That zone.
        zone: TimeZone,
        /// The schedule; none where it cannot be used, and the recorded plan goes on.
        schedule: Option<Schedule>,
        /// Whether the person is away, as far as is known; see [`Input::Away`].
        away: bool,
        /// Whether a terminal can be opened to answer in.
        can_open: bool,
    },
    /// The schedule was read.
    Schedule(Schedule),
    /// The person's clock shows this zone.
    Zone(String, TimeZone),
    /// Someone answers.
    Answer {
        /// Who waits.
        request: RequestId,
        /// What they say.
        answer: Answer,
    },
    /// Someone takes a fact back.
    Retract {
        /// Who waits.
        request: RequestId,
        /// Which fact.
        fact: FactId,
        /// Why.
        reason: Option<String>,
        /// The idempotency key.
        key: Option<String>,
    },
    /// Someone corrects an answer.
    Correct {
        /// Who waits.
        request: RequestId,
        /// What was different.
        correction: Correction,
    },
    /// Someone pauses reminders.
    Pause {
        /// Who waits.
        request: RequestId,
        /// From when to when, and of what.
        pause: Pause,
    },
    /// Someone bought or counted doses.
    Stock {
        /// Who waits.
        request: RequestId,
        /// Which item.
        item: ItemId,
        /// What it means for what is left.
        change: StockChange,
        /// The idempotency key.
        key: Option<String>,
    },
    /// Someone lets reminders go on.
    Resume {
        /// Who waits.
        request: RequestId,
        /// Which item; `None` is all.
        item: Option<ItemId>,
    },
    /// A fact is durable.
    Recorded(Token, Arc<Record>),
    /// A fact could not be written down.
    NotRecorded(Token, String),
    /// A notification is on the screen, and where.
    Shown(AlertId, NotificationHandle),
    /// A notification could not be shown.
    NotShown(AlertId, String),
    /// A notification left the screen.
    Closed(AlertId, CloseReason),
    /// A button was pressed.
    Pressed(AlertId, Button),
    /// A reminder about these occurrences went out by a channel.
    Sent(AlertId, Vec<OccurrenceId>),
    /// A reminder could not go out by a channel, and is not tried again.
    NotSent(AlertId, String),
    /// A reminder that was cancelled did not go out.
    Unsent(AlertId),
    /// Someone answered what went out by a channel.
    Replied(DeliveryReply),
    /// A notification server is there (again).
    ServerAppeared,
    /// The notification server is gone with what it showed, and comes back when something is to be shown.
    ServerVanished,
    /// What the desktop does with reminders.
    Desktop(DesktopTraits),
    /// The person cannot be reached on the desktop, or can be again: it is locked, nobody has touched it for
    /// a while, they do not want to be disturbed.
    Away(bool),
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is durable.
    Recorded(Arc<Record>),
    /// It was already; this is the fact.
    Repeated(Arc<Record>),
    /// Nothing was recorded.
    Refused(Refusal),
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Write a fact down, then come back with [`Input::Recorded`].
    Record(Token, Fact),
    /// Answer a question.
    Reply(RequestId, Outcome),
    /// Take a notification that an earlier run has left on the screen for this alert's own.
    Adopt(AlertId, NotificationHandle),
    /// Show a notification, in place of an earlier one of the same alert.
    Show(Notice),
    /// Take a notification off the screen.
    Withdraw(AlertId),
    /// Tell the person on the terminal and in the log, as no server can be reached.
    Announce(Notice),
    /// Send a reminder by a channel; one of the same name that is out already is corrected by it.
    Send(Outgoing),
    /// If it is not out yet, send it like this.
    Rewrite(Outgoing),
    /// Let the person answer one by one, in a terminal.
    OpenTerminal,
    /// Nobody needs to answer it any more: do not try again.
    Cancel(AlertId),
    /// Listen to the answers that were given by a channel since then, and to those to come.
    Subscribe(ChannelId, Timestamp),
    /// Listen no longer.
    Unsubscribe(ChannelId),
    /// Fetch the answers that were given by a channel from then until now.
    Collect(ChannelId, Timestamp),
}

/// A reminder for a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The channel.
    pub channel: ChannelId,
    /// The reminder.
    pub notice: Notice,
    /// What its answers are bound to, where the channel can carry answers.
    pub nonce: Option<String>,
}

/// An answer to a delivery; whoever hears it has checked that it is genuine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReply {
    /// By which channel.
    pub channel: ChannelId,
    /// The occurrence that it answers.
    pub occurrence: OccurrenceId,
    /// The delivery that it answers.
    pub nonce: String,
    /// What was pressed.
    pub button: Button,
    /// When, as the channel dates it.
    pub at: Timestamp,
    /// Names this answer to this delivery: it counts once.
    pub key: String,
}
