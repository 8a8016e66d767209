//! The words in which the reminders are spoken to: what was noticed, and what to do.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{AlertId, Answer, Button, Correction, Notice, Outcome};
use crate::ledger::{CloseReason, Fact, FactId, Place, Record, StockChange};
use crate::schedule::{ChannelId, ItemId, OccurrenceId, Schedule};

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
    /// The clock was set or the machine slept: look at everything.
    ClockChanged,
    /// The daemon runs, perhaps again: what the clock shows and what the schedule says. It comes first.
    Started {
        /// The name of the zone that the clock shows.
        zone_name: String,
        /// That zone.
        zone: TimeZone,
        /// The schedule.
        schedule: Schedule,
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
        /// Recorded facts that the answer may be about and that memory may have let go.
        context: Vec<Arc<Record>>,
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
        /// Recorded facts that it may be about and that memory may have let go.
        context: Vec<Arc<Record>>,
    },
    /// Someone corrects an answer.
    Correct {
        /// Who waits.
        request: RequestId,
        /// What was different.
        correction: Correction,
        /// Recorded facts that it may be about and that memory may have let go.
        context: Vec<Arc<Record>>,
    },
    /// Someone pauses reminders.
    Pause {
        /// Who waits.
        request: RequestId,
        /// Which item; `None` is all.
        item: Option<ItemId>,
        /// Until when.
        until: Option<Timestamp>,
        /// Why.
        reason: Option<String>,
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
        /// Recorded facts that it may be about and that memory may have let go.
        context: Vec<Arc<Record>>,
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
    Shown(AlertId, Place),
    /// A notification could not be shown.
    NotShown(AlertId, String),
    /// A notification left the screen.
    Closed(AlertId, CloseReason),
    /// A button was pressed.
    Pressed(AlertId, Button),
    /// A reminder went out by a channel.
    Sent(AlertId),
    /// A reminder could not go out by a channel, and is not tried again.
    NotSent(AlertId, String),
    /// Someone answered what went out by a channel.
    Replied(OccurrenceId, Button),
    /// A notification server is there (again).
    ServerAppeared,
    /// The person cannot be reached on the desktop, or can be again: it is locked, nobody has touched it for
    /// a while, they do not want to be disturbed.
    Away(bool),
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Write a fact down, then come back with [`Input::Recorded`].
    Record(Token, Fact),
    /// Answer a question.
    Reply(RequestId, Outcome),
    /// Take a notification that an earlier run has left on the screen for this alert's own.
    Adopt(AlertId, Place),
    /// Show a notification, in place of an earlier one of the same alert.
    Show(Notice),
    /// Take a notification off the screen.
    Withdraw(AlertId),
    /// Tell the person on the terminal and in the log, as no server can be reached.
    Announce(Notice),
    /// Send a reminder by a channel, in place of one of the same name that is not out yet.
    Send(ChannelId, Notice),
    /// Let the person answer one by one, in a terminal.
    Open,
    /// Nobody needs to answer it any more: do not try again, and do not wait for answers.
    Recall(AlertId),
    /// An earlier run has sent it: wait for answers that were given since.
    Await(AlertId, ChannelId, Timestamp),
}
