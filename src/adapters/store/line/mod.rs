//! One line of a journal: its JSON, its checksum, and the way back.

mod fact;

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::core::ledger::{FactId, Record};
use fact::{FactJson, Text, from_json, instant, to_json};

/// The version of the line's form.
const VERSION: u32 = 1;

/// The longest line that is read, in bytes.
pub(super) const MAX_LINE_BYTES: usize = 256 * 1024;

/// What stands between the checked part of a line and its checksum.
const CHECKSUM: &str = ",\"crc\":\"";

/// How many digits a checksum has.
const CRC_DIGITS: usize = 8;

/// A recorded fact with the line that holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalLine {
    /// The fact.
    pub record: Arc<Record>,
    /// The line as it stands in the journal, without its end.
    pub text: Arc<str>,
}

impl JournalLine {
    /// Returns the fact with its line, as the database takes it.
    pub(super) fn noted(&self) -> Noted<'_> {
        (&self.record, &self.text)
    }
}

/// A fact with its line.
pub(super) type Noted<'a> = (&'a Record, &'a str);

#[derive(Debug, Serialize, Deserialize)]
struct LineJson<'a> {
    v: u32,
    id: Text<'a>,
    seq: u64,
    device: Text<'a>,
    recorded_at: Text<'a>,
    #[serde(borrow)]
    fact: FactJson<'a>,
}

/// Why a line cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LineError {
    #[error("its checksum does not fit")]
    Checksum,
    #[error("it has form {v}, which a newer dosed wrote")]
    Newer { v: u32 },
    #[error("it cannot be read: {why}")]
    Form { why: String },
}

/// Writes a record as a line, without its end.
pub(super) fn write(record: Record, zone: &TimeZone) -> Result<JournalLine, LineError> {
    let json = LineJson {
        v: VERSION,
        id: Text::of(&record.id),
        seq: record.id.seq,
        device: Text::from(&*record.id.device),
        recorded_at: instant(record.recorded_at, zone),
        fact: to_json(&record.fact, zone)?,
    };
    let mut text =
        serde_json::to_string(&json).map_err(|error| LineError::Form { why: error.to_string() })?;
    text.pop();
    let crc = crc32fast::hash(text.as_bytes());
    text.push_str(CHECKSUM);
    text.push_str(&format!("{crc:08x}\"}}"));
    Ok(JournalLine { record: Arc::new(record), text: text.into() })
}

/// Tells whether a line's checksum fits what it says.
pub(super) fn is_intact(text: &str) -> bool {
    let Some((part, crc)) = parts(text) else { return false };
    // One spelling only: a changed letter of the checksum itself is damage too.
    let is_lower_hex = crc.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_lower_hex && u32::from_str_radix(crc, 16) == Ok(crc32fast::hash(part.as_bytes()))
}

/// Returns what a checksum is of, and the checksum.
fn parts(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_suffix("\"}")?;
    let (part, crc) = rest.split_at_checked(rest.len().checked_sub(CRC_DIGITS)?)?;
    Some((part.strip_suffix(CHECKSUM)?, crc))
}

/// What became of a fact, as members that are added to its line.
#[derive(Serialize)]
struct OutcomeJson<'a> {
    effective: bool,
    superseded_by: Option<Text<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    beyond_slot: bool,
}

/// Returns a line with what became of its fact: three more members, the last only where it is true.
#[must_use]
pub fn with_outcome(line: &str, superseded_by: Option<&FactId>, beyond_slot: bool) -> String {
    let outcome = OutcomeJson {
        effective: superseded_by.is_none(),
        superseded_by: superseded_by.map(Text::of),
        beyond_slot,
    };
    let added = serde_json::to_string(&outcome).unwrap_or_default();
    let members = line.trim_end().strip_suffix('}').unwrap_or_default();
    format!("{members},{}", added.trim_start_matches('{'))
}

/// Checks a line and reads it back.
#[cfg(test)]
pub(super) fn read(text: &str) -> Result<JournalLine, LineError> {
    if !is_intact(text) {
        return Err(LineError::Checksum);
    }
    Ok(JournalLine { record: Arc::new(record(text, None)?), text: text.into() })
}

/// Reads the record of a line whose checksum was found to fit; it shares the name of a device, where that is known.
pub(super) fn record(text: &str, device: Option<&Arc<str>>) -> Result<Record, LineError> {
    #[derive(Deserialize)]
    struct Form {
        v: u32,
    }
    let form = |error: &dyn std::fmt::Display| LineError::Form { why: error.to_string() };
    let json: LineJson = match serde_json::from_str(text) {
        Ok(json) => json,
        Err(error) => {
            let newer = serde_json::from_str::<Form>(text).ok().filter(|form| form.v > VERSION);
            return Err(newer.map_or_else(|| form(&error), |newer| LineError::Newer { v: newer.v }));
        }
    };
    if json.v > VERSION {
        return Err(LineError::Newer { v: json.v });
    }
    let device = match device {
        Some(device) if **device == *json.device.0 => device.clone(),
        _ => (*json.device.0).into(),
    };
    let id = FactId { device, seq: json.seq };
    let recorded_at = json.recorded_at.0.parse().map_err(|error: jiff::Error| form(&error))?;
    let fact = from_json(json.fact).map_err(|why| LineError::Form { why })?;
    Ok(Record { id, recorded_at, fact })
}
