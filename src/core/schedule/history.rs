//! What is recorded of an item, as far as its occurrences follow from it.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::{ItemId, Occurrence, OccurrenceId, ZoneHistory};

/// What was recorded; the ledger knows it, and the plan asks for it.
pub trait History {
    /// Returns the effective intakes of an item, those of one instant in any order.
    fn doses(&self, item: &ItemId, zones: &ZoneHistory) -> Vec<Dose>;

    /// Returns the slots of an item that any fact names, written in `[from, until]`.
    fn named_slots(&self, item: &ItemId, from: DateTime, until: DateTime) -> Vec<OccurrenceId>;

    /// Returns how a slot is named; `None` where no fact names it.
    fn naming(&self, slot: &OccurrenceId) -> Option<Naming>;

    /// Tells what had become of an occurrence by an instant, from what was recorded until then.
    fn standing(&self, occurrence: &Occurrence, grace: SignedDuration, at: Timestamp) -> Standing;
}

/// An intake that relative rules count from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dose {
    /// When it was taken; of a day without an hour, the latest time that it can have been.
    pub at: Timestamp,
    /// The slot that it answers.
    pub answers: Option<OccurrenceId>,
}

/// How facts name a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Naming {
    /// When the first of them was recorded.
    pub first: Timestamp,
    /// Whether one of them is the person's: an answer, a snooze, or what took one back.
    pub by_person: bool,
    /// When the person was last asked, or could not be.
    pub asked: Option<Timestamp>,
}

impl Naming {
    /// Tells whether the slot keeps its place whatever becomes of the plan: an announcement ahead of its time does not see to that.
    #[must_use]
    pub fn pins(&self, at: Timestamp) -> bool {
        self.by_person || self.asked.is_some_and(|asked| at <= asked)
    }
}

/// What has become of an occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its time has not come, and it is not answered.
    Upcoming,
    /// It can be answered.
    Open,
    /// It is answered.
    Answered,
    /// It can no longer be answered without naming it.
    Closed,
}

/// The history of something of which nothing was recorded.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHistory;

impl History for NoHistory {
    fn doses(&self, _: &ItemId, _: &ZoneHistory) -> Vec<Dose> {
        Vec::new()
    }

    fn named_slots(&self, _: &ItemId, _: DateTime, _: DateTime) -> Vec<OccurrenceId> {
        Vec::new()
    }

    fn naming(&self, _: &OccurrenceId) -> Option<Naming> {
        None
    }

    fn standing(&self, occurrence: &Occurrence, grace: SignedDuration, at: Timestamp) -> Standing {
        match occurrence.at.checked_add(grace) {
            _ if at < occurrence.at => Standing::Upcoming,
            Ok(closes) if closes <= at => Standing::Closed,
            _ => Standing::Open,
        }
    }
}
