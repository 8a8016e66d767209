//! Facts as the database keeps them to answer from: small, and read without looking at text.
//!
//! Only what there are many of has such a form; the rest is read from its line. The form is no promise to
//! anyone: the database is built anew from the journals when it changes ([`super::database`]'s version).

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use crate::ledger::{Channel, CloseReason, Fact, FactId, Place, Record, When};
use crate::schedule::{ChannelId, Decimal, ItemId, OccurrenceId, Product, Quantity, Slot};

/// Seconds and nanoseconds.
type Instant = (i64, i32);

/// A record but for its name and its item's, which the page has.
#[derive(Debug, Serialize, Deserialize)]
struct Kept<'a> {
    recorded_at: Instant,
    slot: Option<KeptSlot>,
    #[serde(borrow)]
    fact: KeptFact<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
enum KeptFact<'a> {
    Intake {
        at: KeptWhen,
        #[serde(borrow)]
        amount: Option<KeptQuantity<'a>>,
        planned: Option<KeptQuantity<'a>>,
        product: Option<[Option<&'a str>; 4]>,
        note: Option<&'a str>,
        key: Option<&'a str>,
    },
    Skip {
        at: KeptWhen,
        reason: Option<&'a str>,
        note: Option<&'a str>,
        key: Option<&'a str>,
    },
    Snooze {
        at: Instant,
        until: Instant,
        key: Option<&'a str>,
    },
    Shown {
        at: Instant,
        notification: u32,
        server: Option<&'a str>,
    },
    Sent {
        at: Instant,
        channel: &'a str,
    },
    Undelivered {
        at: Instant,
        channel: Option<&'a str>,
        reason: &'a str,
    },
    Closed {
        at: Instant,
        reason: u8,
    },
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum KeptSlot {
    Civil(i16, i8, i8, i8, i8, i8),
    Utc(i64),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum KeptWhen {
    Instant(Instant),
    Date(i16, i8, i8),
}

type KeptQuantity<'a> = ((u64, i8), &'a str);

/// Why a fact cannot be read from the database; from its line it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fact of the database is damaged")]
pub(super) struct KeptError;

/// Writes a record, if it is of a sort that there are many of; else nothing.
pub(super) fn write(record: &Record) -> Vec<u8> {
    let kept = of_many(record);
    // Most are shorter.
    let room = Vec::with_capacity(96);
    kept.and_then(|kept| postcard::to_extend(&kept, room).ok()).unwrap_or_default()
}

fn of_many(record: &Record) -> Option<Kept<'_>> {
    if record.fact.replaces().is_some() {
        return None;
    }
    let fact = match &record.fact {
        Fact::Intake { details: Some(_), .. } => return None,
        Fact::Intake { at, amount, planned, product, note, key, .. } => KeptFact::Intake {
            at: when(*at),
            amount: amount.as_ref().map(quantity),
            planned: planned.as_ref().map(quantity),
            product: product.as_deref().map(|Product { strain, form, brand, batch }| {
                [strain, form, brand, batch].map(|text| text.as_deref())
            }),
            note: note.as_deref(),
            key: key.as_deref(),
        },
        Fact::Skip { at, reason, note, key, .. } => KeptFact::Skip {
            at: when(*at),
            reason: reason.as_deref(),
            note: note.as_deref(),
            key: key.as_deref(),
        },
        Fact::Snooze { at, until, key, .. } => {
            KeptFact::Snooze { at: instant(*at), until: instant(*until), key: key.as_deref() }
        }
        Fact::Delivered { at, channel: Channel::Desktop(Place { notification, server }), .. } => {
            KeptFact::Shown { at: instant(*at), notification: *notification, server: server.as_deref() }
        }
        Fact::Delivered { at, channel: Channel::Named(name), .. } => {
            KeptFact::Sent { at: instant(*at), channel: name.as_str() }
        }
        Fact::Undelivered { at, channel, reason, .. } => KeptFact::Undelivered {
            at: instant(*at),
            channel: channel.as_ref().map(ChannelId::as_str),
            reason,
        },
        Fact::Closed { at, reason, .. } => KeptFact::Closed { at: instant(*at), reason: place(*reason) },
        _ => return None,
    };
    let slot = match record.fact.occurrence().map(|occurrence| occurrence.slot) {
        // The names of slots have whole seconds.
        Some(Slot::Civil(at)) if at.subsec_nanosecond() != 0 => return None,
        Some(Slot::Civil(at)) => {
            Some(KeptSlot::Civil(at.year(), at.month(), at.day(), at.hour(), at.minute(), at.second()))
        }
        Some(Slot::Utc(at)) if at.subsec_nanosecond() != 0 => return None,
        Some(Slot::Utc(at)) => Some(KeptSlot::Utc(at.as_second())),
        None => None,
    };
    Some(Kept { recorded_at: instant(record.recorded_at), slot, fact })
}

/// Reads a record back; `None` is one that is read from its line.
pub(super) fn read(bytes: &[u8], id: FactId, item: &ItemId) -> Result<Option<Record>, KeptError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let Kept { recorded_at, slot, fact } = postcard::from_bytes(bytes).map_err(|_| KeptError)?;
    let slot = slot.map(read_slot).transpose()?;
    let occurrence = slot.map(|slot| OccurrenceId { slot, item: item.clone() });
    let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
    let fact = match fact {
        KeptFact::Intake { at, amount, planned, product, note, key } => Fact::Intake {
            item: item.clone(),
            occurrence,
            at: read_when(at)?,
            amount: amount.map(read_quantity).transpose()?,
            planned: planned.map(read_quantity).transpose()?,
            product: product.map(|product| {
                let [strain, form, brand, batch] = product.map(owned);
                Arc::new(Product { strain, form, brand, batch })
            }),
            details: None,
            note: owned(note),
            corrects: None,
            key: owned(key),
        },
        KeptFact::Skip { at, reason, note, key } => Fact::Skip {
            occurrence: occurrence.ok_or(KeptError)?,
            at: read_when(at)?,
            reason: owned(reason),
            note: owned(note),
            corrects: None,
            key: owned(key),
        },
        KeptFact::Snooze { at, until, key } => Fact::Snooze {
            occurrence: occurrence.ok_or(KeptError)?,
            at: read_instant(at)?,
            until: read_instant(until)?,
            key: owned(key),
        },
        KeptFact::Shown { at, notification, server } => Fact::Delivered {
            occurrence: occurrence.ok_or(KeptError)?,
            at: read_instant(at)?,
            channel: Channel::Desktop(Place { notification, server: server.map(Into::into) }),
        },
        KeptFact::Sent { at, channel } => Fact::Delivered {
            occurrence: occurrence.ok_or(KeptError)?,
            at: read_instant(at)?,
            channel: Channel::Named(channel.parse().map_err(|_| KeptError)?),
        },
        KeptFact::Undelivered { at, channel, reason } => Fact::Undelivered {
            occurrence: occurrence.ok_or(KeptError)?,
            at: read_instant(at)?,
            channel: channel.map(|name| name.parse().map_err(|_| KeptError)).transpose()?,
            reason: reason.to_owned(),
        },
        KeptFact::Closed { at, reason } => Fact::Closed {
            occurrence: occurrence.ok_or(KeptError)?,
            at: read_instant(at)?,
            reason: *CLOSE_REASONS.get(usize::from(reason)).ok_or(KeptError)?,
        },
    };
    Ok(Some(Record { id, recorded_at: read_instant(recorded_at)?, fact }))
}

const CLOSE_REASONS: [CloseReason; 3] =
    [CloseReason::Expired, CloseReason::Dismissed, CloseReason::Undefined];

fn place(reason: CloseReason) -> u8 {
    match reason {
        CloseReason::Expired => 0,
        CloseReason::Dismissed => 1,
        CloseReason::Undefined => 2,
    }
}

fn instant(at: Timestamp) -> Instant {
    (at.as_second(), at.subsec_nanosecond())
}

fn read_instant((seconds, nanoseconds): Instant) -> Result<Timestamp, KeptError> {
    Timestamp::new(seconds, nanoseconds).map_err(|_| KeptError)
}

fn when(at: When) -> KeptWhen {
    match at {
        When::Instant(at) => KeptWhen::Instant(instant(at)),
        When::Date(date) => KeptWhen::Date(date.year(), date.month(), date.day()),
    }
}

fn read_when(at: KeptWhen) -> Result<When, KeptError> {
    match at {
        KeptWhen::Instant(at) => read_instant(at).map(When::Instant),
        KeptWhen::Date(year, month, day) => {
            Date::new(year, month, day).map(When::Date).map_err(|_| KeptError)
        }
    }
}

fn read_slot(slot: KeptSlot) -> Result<Slot, KeptError> {
    match slot {
        KeptSlot::Civil(year, month, day, hour, minute, second) => {
            DateTime::new(year, month, day, hour, minute, second, 0).map(Slot::Civil).map_err(|_| KeptError)
        }
        KeptSlot::Utc(at) => read_instant((at, 0)).map(Slot::Utc),
    }
}

fn quantity(quantity: &Quantity) -> KeptQuantity<'_> {
    (quantity.value.parts(), quantity.unit.as_str())
}

fn read_quantity((parts, unit): KeptQuantity<'_>) -> Result<Quantity, KeptError> {
    let (value, unit) = (Decimal::from_parts(parts).ok_or(KeptError)?, unit.parse().map_err(|_| KeptError)?);
    Ok(Quantity { value, unit })
}
