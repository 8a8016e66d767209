//! Facts: each one thing that happened, never changed once recorded.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::FormData;
use crate::core::schedule::{Amount, ChannelId, ItemId, OccurrenceId, Product, Slot, ZoneHistory};

/// The name of a fact: the device that recorded it and its number there, `desk-3f2a.17`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FactId {
    /// The device, `[a-z0-9-]+`.
    pub device: Arc<str>,
    /// Its number in that device's journal, from 1.
    pub seq: u64,
}

impl Ord for FactId {
    fn cmp(&self, other: &Self) -> Ordering {
        // Facts of one reading share the text of their device, and most are of one device.
        let devices = if Arc::ptr_eq(&self.device, &other.device) {
            Ordering::Equal
        } else {
            self.device.cmp(&other.device)
        };
        devices.then(self.seq.cmp(&other.seq))
    }
}

impl PartialOrd for FactId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.device, self.seq)
    }
}

impl FromStr for FactId {
    type Err = ParseFactIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseFactIdError { text: text.to_owned() };
        let (device, seq) = text.rsplit_once('.').ok_or_else(wrong)?;
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if device.is_empty() || !device.bytes().all(legal) {
            return Err(wrong());
        }
        Ok(Self { device: device.into(), seq: seq.parse().map_err(|_| wrong())? })
    }
}

/// A text that is not a fact's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the id of a fact: `dosed history` shows them, as in `desk-3f2a.17`")]
pub struct ParseFactIdError {
    text: String,
}

/// When something was done, as exactly as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// To the second.
    Instant(Timestamp),
    /// On this local date, the hour not known.
    Date(Date),
}

/// How a reminder went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A notification server, and where it put it.
    Desktop(NotificationHandle),
    /// One that the schedule describes.
    Named(ChannelId),
}

impl Channel {
    /// Returns the channel's name; `None` is the desktop.
    #[must_use]
    pub fn name(&self) -> Option<&ChannelId> {
        match self {
            Self::Desktop(_) => None,
            Self::Named(name) => Some(name),
        }
    }
}

/// Where a notification is: enough to find it again after this process has ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotificationHandle {
    /// The server's number for it.
    pub notification: u32,
    /// The run of the server: its bus and its unique name there. Early facts do not have it.
    pub server: Option<Arc<str>>,
}

/// A zone as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedZone {
    /// The IANA name, or the POSIX rule that it is.
    pub name: String,
    /// Its rules; `None` where this machine's zone database does not have the name.
    pub rules: Option<TimeZone>,
}

/// How a notification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Its time on the screen was over.
    Expired,
    /// The person closed it.
    Dismissed,
    /// The server did not say.
    Undefined,
}

/// What happened to a stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockChange {
    /// So many doses came to it, or went.
    Add(i32),
    /// So many were counted.
    Count(u32),
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Something was taken or done.
    Intake {
        /// What.
        item: ItemId,
        /// For which slot; `None` is extra or as needed.
        occurrence: Option<OccurrenceId>,
        /// When.
        at: When,
        /// How much, where that is known.
        amount: Option<Amount>,
        /// How much was planned at that time, so that the record outlives the schedule.
        planned: Option<Amount>,
        /// Which product was planned, for the same reason.
        product: Option<Box<Product>>,
        /// What a check-in or a scan records.
        form_data: Option<Box<FormData>>,
        /// The person's note.
        note: Option<String>,
        /// The earlier fact that this one supersedes.
        corrects: Option<FactId>,
        /// The client's idempotency key.
        key: Option<String>,
    },
    /// The person decided not to.
    Skip {
        /// Which slot.
        occurrence: OccurrenceId,
        /// When.
        at: When,
        /// Why.
        reason: Option<String>,
        /// The person's note.
        note: Option<String>,
        /// The earlier fact that this one supersedes.
        corrects: Option<FactId>,
        /// The client's idempotency key.
        key: Option<String>,
    },
    /// The person wants to be asked later.
    Snooze {
        /// Which slot.
        occurrence: OccurrenceId,
        /// When it was snoozed.
        at: Timestamp,
        /// When to ask again.
        until: Timestamp,
        /// The client's idempotency key.
        key: Option<String>,
    },
    /// A reminder reached a channel.
    Delivered {
        /// Of which slot.
        occurrence: OccurrenceId,
        /// When.
        at: Timestamp,
        /// Which way.
        channel: Channel,
        /// Whether the person was away from the screen, or did not want to be disturbed: nobody may have seen it.
        away: bool,
        /// What the answers of this delivery are bound to, where its channel can carry answers.
        nonce: Option<String>,
    },
    /// A reminder could not be delivered.
    Undelivered {
        /// Of which slot.
        occurrence: OccurrenceId,
        /// When it was tried.
        at: Timestamp,
        /// Which way; `None` is the desktop.
        channel: Option<ChannelId>,
        /// Why not.
        reason: String,
    },
    /// A notification left the screen without an answer.
    Closed {
        /// Of which slot.
        occurrence: OccurrenceId,
        /// When.
        at: Timestamp,
        /// How.
        reason: CloseReason,
    },
    /// Doses were bought, or counted.
    Stock {
        /// Of which item.
        item: ItemId,
        /// When.
        at: Timestamp,
        /// What it means for what is left.
        change: StockChange,
        /// The client's idempotency key.
        key: Option<String>,
    },
    /// A version of an item's schedule began, or the item was taken out of it.
    Regimen {
        /// Which item.
        item: ItemId,
        /// From when on.
        at: Timestamp,
        /// The item as the schedule describes it, as JSON text; `None` when it was taken out.
        definition: Option<String>,
    },
    /// The person's clock shows another zone.
    Zone {
        /// From when on.
        at: Timestamp,
        /// Which zone.
        zone: NamedZone,
    },
    /// Reminders are paused.
    Pause {
        /// Which item; `None` is all.
        item: Option<ItemId>,
        /// From when on.
        at: Timestamp,
        /// Until when; `None` is until a resume.
        until: Option<Timestamp>,
        /// Why.
        reason: Option<String>,
    },
    /// Reminders go on.
    Resume {
        /// Which item; `None` is all.
        item: Option<ItemId>,
        /// From when on.
        at: Timestamp,
    },
    /// An earlier fact is retracted.
    Retraction {
        /// Which fact.
        fact: FactId,
        /// The slot that the fact is about, if it is about one.
        occurrence: Option<OccurrenceId>,
        /// When.
        at: Timestamp,
        /// Why.
        reason: Option<String>,
        /// The client's idempotency key.
        key: Option<String>,
    },
}

impl Fact {
    /// Returns an intake that says nothing beside what it is of and when it was.
    #[must_use]
    pub fn intake(item: ItemId, occurrence: Option<OccurrenceId>, at: When) -> Self {
        Self::Intake {
            item,
            occurrence,
            at,
            amount: None,
            planned: None,
            product: None,
            form_data: None,
            note: None,
            corrects: None,
            key: None,
        }
    }

    /// Returns the slot that the fact is about.
    #[must_use]
    pub fn occurrence(&self) -> Option<&OccurrenceId> {
        match self {
            Self::Intake { occurrence, .. } | Self::Retraction { occurrence, .. } => occurrence.as_ref(),
            Self::Skip { occurrence, .. }
            | Self::Snooze { occurrence, .. }
            | Self::Delivered { occurrence, .. }
            | Self::Undelivered { occurrence, .. }
            | Self::Closed { occurrence, .. } => Some(occurrence),
            Self::Stock { .. }
            | Self::Regimen { .. }
            | Self::Zone { .. }
            | Self::Pause { .. }
            | Self::Resume { .. } => None,
        }
    }

    /// Returns the item that the fact is about.
    #[must_use]
    pub fn item(&self) -> Option<&ItemId> {
        match self {
            Self::Intake { item, .. } | Self::Stock { item, .. } | Self::Regimen { item, .. } => Some(item),
            Self::Pause { item, .. } | Self::Resume { item, .. } => item.as_ref(),
            Self::Zone { .. } => None,
            other => other.occurrence().map(|occurrence| &occurrence.item),
        }
    }

    /// Returns the earlier fact that this one retracts or corrects.
    #[must_use]
    pub fn supersedes(&self) -> Option<&FactId> {
        match self {
            Self::Retraction { fact, .. } => Some(fact),
            Self::Intake { corrects, .. } | Self::Skip { corrects, .. } => corrects.as_ref(),
            _ => None,
        }
    }

    /// Returns when it happened.
    #[must_use]
    pub fn at(&self) -> When {
        match self {
            Self::Intake { at, .. } | Self::Skip { at, .. } => *at,
            Self::Snooze { at, .. }
            | Self::Delivered { at, .. }
            | Self::Undelivered { at, .. }
            | Self::Closed { at, .. }
            | Self::Stock { at, .. }
            | Self::Regimen { at, .. }
            | Self::Zone { at, .. }
            | Self::Pause { at, .. }
            | Self::Resume { at, .. }
            | Self::Retraction { at, .. } => When::Instant(*at),
        }
    }

    /// Returns the client's idempotency key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Intake { key, .. }
            | Self::Skip { key, .. }
            | Self::Snooze { key, .. }
            | Self::Stock { key, .. }
            | Self::Retraction { key, .. } => key.as_deref(),
            _ => None,
        }
    }

    /// Tells whether the fact is what a person answered: an intake, a skip or a snooze.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Intake { .. } | Self::Skip { .. } | Self::Snooze { .. })
    }

    /// Tells whether the fact resolves its occurrence: an intake or a skip.
    #[must_use]
    pub fn is_resolution(&self) -> bool {
        matches!(self, Self::Intake { .. } | Self::Skip { .. })
    }

    /// Tells whether a person can retract the fact.
    #[must_use]
    pub fn is_retractable(&self) -> bool {
        self.is_act() || matches!(self, Self::Stock { .. } | Self::Retraction { .. })
    }

    /// Tells whether the fact is what an undo without a name undoes: what a person answered or paused.
    #[must_use]
    pub fn is_act(&self) -> bool {
        self.is_answer() || matches!(self, Self::Pause { .. } | Self::Resume { .. })
    }

    /// Tells whether the fact shapes the plan itself and so must be known at all times.
    #[must_use]
    pub fn shapes_plan(&self) -> bool {
        matches!(self, Self::Regimen { .. } | Self::Zone { .. } | Self::Pause { .. } | Self::Resume { .. })
    }
}

/// A fact as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub id: FactId,
    /// When it was written down, which can be long after it happened.
    pub recorded_at: Timestamp,
    /// What happened.
    pub fact: Fact,
}

impl Record {
    /// Returns when it happened; of a day whose hour is not known, its noon in UTC.
    #[must_use]
    pub fn instant(&self) -> Timestamp {
        match self.fact.at() {
            When::Instant(at) => at,
            When::Date(date) => TimeZone::UTC.to_timestamp(date.at(12, 0, 0, 0)).unwrap_or(self.recorded_at),
        }
    }

    /// Returns when it happened; of a local day whose hour is not known, its end, or when it was recorded before that.
    #[must_use]
    pub fn latest_instant(&self, zones: &ZoneHistory) -> Timestamp {
        match self.fact.at() {
            When::Instant(at) => at,
            When::Date(date) => {
                let ends = date.tomorrow().ok().and_then(|next| zones.midnight(next));
                let ends = ends.and_then(|ends| ends.checked_sub(SignedDuration::from_secs(1)).ok());
                ends.map_or(self.recorded_at, |ends| ends.min(self.recorded_at))
            }
        }
    }

    /// Returns the local time that it is about: its slot's, else when it happened; of a day, its beginning.
    #[must_use]
    pub fn local_time(&self, zone: &TimeZone) -> DateTime {
        match (self.fact.occurrence().map(|occurrence| occurrence.slot), self.fact.at()) {
            (Some(Slot::Civil(at)), _) => at,
            (Some(Slot::Utc(at)), _) | (None, When::Instant(at)) => zone.to_datetime(at),
            (None, When::Date(date)) => date.to_datetime(Time::midnight()),
        }
    }
}
