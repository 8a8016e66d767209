//! What is shared by everything that shows or sends a reminder: its id, its lines, its buttons, its finished text.

use jiff::Timestamp;

use crate::core::schedule::{Occurrence, OccurrenceId, Planned};

/// Names a reminder that is shown or sent, for as long as the daemon runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub u64);

/// One occurrence on a reminder.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AlertLine {
    pub(super) occurrence: Occurrence,
    /// The point in time that made it show: its time, the end of a snooze, a repetition, a lead.
    pub(super) due: Timestamp,
    /// Whether it only announces what is still to come.
    pub(super) lead: bool,
    /// Whether it goes onto another alert where there is one: the server has dropped its own.
    pub(super) joins: bool,
}

impl AlertLine {
    pub(super) fn new(planned: &Planned<'_>, due: Timestamp, lead: bool) -> Self {
        Self { occurrence: planned.occurrence.clone(), due, lead, joins: false }
    }
}

/// What a desktop does with reminders, as far as it matters for when and how they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesktopTraits {
    /// Whether a reminder stays in sight until it is answered or closed.
    pub keeps_in_sight: bool,
    /// The most reminders that may be on it at once without one pushing out another, where it keeps few.
    pub most_alerts: Option<usize>,
    /// The lines of a reminder's text that it is known to show.
    pub lines: Option<usize>,
}

impl Default for DesktopTraits {
    fn default() -> Self {
        Self { keeps_in_sight: true, most_alerts: None, lines: None }
    }
}

/// A button on a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Button {
    /// It was taken, or done.
    Taken,
    /// Ask again later.
    Snooze,
    /// Not this time.
    Skip,
    /// Answer one by one.
    Open,
}

impl Button {
    /// All buttons, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Taken, Self::Snooze, Self::Skip, Self::Open];

    /// Returns the button's name on the bus.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Snooze => "snooze",
            Self::Skip => "skip",
            Self::Open => "open",
        }
    }
}

/// A reminder, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which alert it is.
    pub alert: AlertId,
    /// The occurrences that it asks about or announces.
    pub occurrences: Vec<OccurrenceId>,
    /// The newest instant that made it show: a repetition is a reminder of its own, in the same words.
    pub due: Option<Timestamp>,
    /// One line, the most important.
    pub title: String,
    /// The rest, a line each.
    pub body: Vec<String>,
    /// What to type where there are no buttons.
    pub command: Option<String>,
    /// The buttons and what they say; none where there is nothing to answer.
    pub buttons: Vec<(Button, String)>,
    /// Whether it asks for a sound.
    pub sound: bool,
    /// Whether it only tests the way to the person, and may go by itself.
    pub is_test: bool,
}

impl Notice {
    /// Returns a notice that is about no occurrence and asks nothing.
    #[must_use]
    pub fn plain(alert: AlertId, title: impl Into<String>, body: Vec<String>) -> Self {
        Self {
            alert,
            occurrences: Vec::new(),
            due: None,
            title: title.into(),
            body,
            command: None,
            buttons: Vec::new(),
            sound: false,
            is_test: false,
        }
    }
}
