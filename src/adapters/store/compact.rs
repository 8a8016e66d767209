//! The facts that there are most of in few bytes, so that thousands are read without parsing their lines.
//!
//! From the lines, ten years of adherence take twice as long (benches/RESULTS.md, removals). All other facts are
//! read from their lines. Nothing but the database of the same version reads this form.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::error::DatabaseError;
use crate::core::ledger::{Channel, CloseReason, Fact, FactId, NotificationHandle, Record, When};
use crate::core::schedule::{Amount, ItemId, OccurrenceId, Product, Slot};

/// Seconds and nanoseconds.
type CompactInstant = (i64, i32);

/// Year, month, day, hour, minute and second.
type CompactSlot = (i16, i8, i8, i8, i8, i8);

/// A record but for its name and its item's, which the key has.
#[derive(Debug, Serialize, Deserialize)]
struct CompactRecord<'a> {
    recorded_at: CompactInstant,
    at: CompactInstant,
    slot: Option<CompactSlot>,
    #[serde(borrow)]
    fact: CompactFact<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
enum CompactFact<'a> {
    Intake {
        #[serde(borrow)]
        amount: Option<&'a str>,
        planned: Option<&'a str>,
        product: Option<[Option<&'a str>; 4]>,
        note: Option<&'a str>,
        key: Option<&'a str>,
    },
    Skip {
        reason: Option<&'a str>,
        note: Option<&'a str>,
        key: Option<&'a str>,
    },
    Delivered {
        notification: u32,
        server: Option<&'a str>,
    },
    Closed {
        reason: u8,
    },
}

const CLOSE_REASONS: [CloseReason; 3] =
    [CloseReason::Expired, CloseReason::Dismissed, CloseReason::Undefined];

/// Encodes a record; empty where it is to be read from its line.
pub(super) fn encode(record: &Record) -> Vec<u8> {
    let compact = compact(record);
    compact.and_then(|compact| postcard::to_allocvec(&compact).ok()).unwrap_or_default()
}

fn compact(record: &Record) -> Option<CompactRecord<'_>> {
    let When::Instant(at) = record.fact.at() else { return None };
    let fact = match &record.fact {
        Fact::Intake { amount, planned, product, form_data: None, note, corrects: None, key, .. } => {
            CompactFact::Intake {
                amount: amount.as_ref().map(Amount::as_str),
                planned: planned.as_ref().map(Amount::as_str),
                product: product.as_deref().map(|Product { strain, form, brand, batch }| {
                    [strain, form, brand, batch].map(|text| text.as_deref())
                }),
                note: note.as_deref(),
                key: key.as_deref(),
            }
        }
        Fact::Skip { reason, note, corrects: None, key, .. } => {
            CompactFact::Skip { reason: reason.as_deref(), note: note.as_deref(), key: key.as_deref() }
        }
        Fact::Delivered {
            channel: Channel::Desktop(NotificationHandle { notification, server }),
            away: false,
            nonce: None,
            ..
        } => CompactFact::Delivered { notification: *notification, server: server.as_deref() },
        Fact::Closed { reason, .. } => {
            let reason = CLOSE_REASONS.iter().position(|known| known == reason)?;
            CompactFact::Closed { reason: u8::try_from(reason).ok()? }
        }
        _ => return None,
    };
    let slot = match record.fact.occurrence().map(|occurrence| occurrence.slot) {
        // The names of slots have whole seconds.
        Some(Slot::Civil(at)) if at.subsec_nanosecond() == 0 => {
            Some((at.year(), at.month(), at.day(), at.hour(), at.minute(), at.second()))
        }
        Some(_) => return None,
        None => None,
    };
    Some(CompactRecord { recorded_at: instant(record.recorded_at), at: instant(at), slot, fact })
}

/// Decodes what [`encode`] made, if that is not empty.
pub(super) fn decode(bytes: &[u8], id: FactId, item: &ItemId) -> Result<Record, DatabaseError> {
    let CompactRecord { recorded_at, at, slot, fact } =
        postcard::from_bytes(bytes).map_err(|_| DatabaseError::Damaged)?;
    let occurrence = slot.map(read_slot).transpose()?.map(|slot| OccurrenceId { item: item.clone(), slot });
    let slot = occurrence.clone().ok_or(DatabaseError::Damaged);
    let at = read_instant(at)?;
    let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
    let fact = match fact {
        CompactFact::Intake { amount, planned, product, note, key } => Fact::Intake {
            item: item.clone(),
            occurrence,
            at: When::Instant(at),
            amount: amount.map(read_amount).transpose()?,
            planned: planned.map(read_amount).transpose()?,
            product: product.map(|product| {
                let [strain, form, brand, batch] = product.map(owned);
                Box::new(Product { strain, form, brand, batch })
            }),
            form_data: None,
            note: owned(note),
            corrects: None,
            key: owned(key),
        },
        CompactFact::Skip { reason, note, key } => Fact::Skip {
            occurrence: slot?,
            at: When::Instant(at),
            reason: owned(reason),
            note: owned(note),
            corrects: None,
            key: owned(key),
        },
        CompactFact::Delivered { notification, server } => Fact::Delivered {
            occurrence: slot?,
            at,
            channel: Channel::Desktop(NotificationHandle { notification, server: server.map(Into::into) }),
            away: false,
            nonce: None,
        },
        CompactFact::Closed { reason } => Fact::Closed {
            occurrence: slot?,
            at,
            reason: *CLOSE_REASONS.get(usize::from(reason)).ok_or(DatabaseError::Damaged)?,
        },
    };
    Ok(Record { id, recorded_at: read_instant(recorded_at)?, fact })
}

fn instant(at: Timestamp) -> CompactInstant {
    (at.as_second(), at.subsec_nanosecond())
}

fn read_instant((seconds, nanoseconds): CompactInstant) -> Result<Timestamp, DatabaseError> {
    Timestamp::new(seconds, nanoseconds).map_err(|_| DatabaseError::Damaged)
}

fn read_slot((year, month, day, hour, minute, second): CompactSlot) -> Result<Slot, DatabaseError> {
    let slot = DateTime::new(year, month, day, hour, minute, second, 0);
    slot.map(Slot::Civil).map_err(|_| DatabaseError::Damaged)
}

fn read_amount(text: &str) -> Result<Amount, DatabaseError> {
    Amount::from_record(text).map_err(|_| DatabaseError::Damaged)
}
