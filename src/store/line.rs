//! One line of a journal: its JSON, its checksum, and the way back.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::details::{CheckInJson, ProductJson, ScanJson, details};
use crate::ledger::{Channel, CloseReason, Details, Fact, FactId, Place, Record, StockChange, When};
use crate::schedule::{ChannelId, Product};

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
pub struct Line {
    /// The fact.
    pub record: Arc<Record>,
    /// The line as it stands in the journal, without its end.
    pub text: Arc<str>,
}

impl Line {
    /// Returns the fact with its line, as the database takes it.
    pub(super) fn noted(&self) -> Noted<'_> {
        (&self.record, &self.text)
    }
}

/// A fact with its line.
pub(super) type Noted<'a> = (&'a Record, &'a str);

/// A text of a line: as it stands there, where it has no escapes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    fn of(written: impl ToString) -> Self {
        Self(Cow::Owned(written.to_string()))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

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

/// A fact as a journal writes it. Fields are only ever added.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", bound(deserialize = "'de: 'a"))]
enum FactJson<'a> {
    Intake {
        item: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        occurrence: Option<Text<'a>>,
        at: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        amount: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        planned: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        product: Option<Box<ProductJson>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        check_in: Option<Box<CheckInJson>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        scan: Option<Box<ScanJson>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        corrects: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<Text<'a>>,
    },
    Skip {
        occurrence: Text<'a>,
        at: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        corrects: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<Text<'a>>,
    },
    Snooze {
        occurrence: Text<'a>,
        at: Text<'a>,
        until: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<Text<'a>>,
    },
    Delivered {
        occurrence: Text<'a>,
        at: Text<'a>,
        channel: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        notification: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<Text<'a>>,
    },
    Undelivered {
        occurrence: Text<'a>,
        at: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<Text<'a>>,
        reason: Text<'a>,
    },
    Closed {
        occurrence: Text<'a>,
        at: Text<'a>,
        reason: Text<'a>,
    },
    Stock {
        item: Text<'a>,
        at: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        add: Option<i32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<Text<'a>>,
    },
    Regimen {
        item: Text<'a>,
        at: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        definition: Option<serde_json::Value>,
    },
    Zone {
        at: Text<'a>,
        zone: Text<'a>,
    },
    Pause {
        #[serde(skip_serializing_if = "Option::is_none")]
        item: Option<Text<'a>>,
        at: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Text<'a>>,
    },
    Resume {
        #[serde(skip_serializing_if = "Option::is_none")]
        item: Option<Text<'a>>,
        at: Text<'a>,
    },
    Retraction {
        retracts: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        occurrence: Option<Text<'a>>,
        at: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<Text<'a>>,
    },
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
pub(super) fn write(record: Record, zone: &TimeZone) -> Result<Line, LineError> {
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
    Ok(Line { record: Arc::new(record), text: text.into() })
}

/// Tells whether a line's checksum fits what it says.
pub(super) fn is_sound(text: &str) -> bool {
    let Some((part, crc)) = parts(text) else { return false };
    // One spelling only: a changed letter of the checksum itself is damage too.
    let is_spelt_so = crc.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_spelt_so && u32::from_str_radix(crc, 16) == Ok(crc32fast::hash(part.as_bytes()))
}

/// Returns what a checksum is of, and the checksum.
fn parts(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_suffix("\"}")?;
    let (part, crc) = rest.split_at_checked(rest.len().checked_sub(CRC_DIGITS)?)?;
    Some((part.strip_suffix(CHECKSUM)?, crc))
}

/// Reads a line back.
pub(super) fn read(text: &str) -> Result<Line, LineError> {
    if !is_sound(text) {
        return Err(LineError::Checksum);
    }
    Ok(Line { record: Arc::new(record(text, None)?), text: text.into() })
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

/// Writes an instant as RFC 3339 with its zone in brackets.
fn instant(at: Timestamp, zone: &TimeZone) -> Text<'static> {
    Text::of(Zoned::new(at, zone.clone()))
}

fn when(at: When, zone: &TimeZone) -> Text<'static> {
    match at {
        When::Instant(at) => instant(at, zone),
        When::Date(date) => Text::of(date),
    }
}

fn to_json<'a>(fact: &'a Fact, zone: &TimeZone) -> Result<FactJson<'a>, LineError> {
    let text = |value: &'a Option<String>| value.as_deref().map(Text::from);
    Ok(match fact {
        Fact::Intake { item, occurrence, at, amount, planned, product, details, note, corrects, key } => {
            FactJson::Intake {
                item: item.as_str().into(),
                occurrence: occurrence.as_ref().map(Text::of),
                at: when(*at, zone),
                amount: amount.as_ref().map(Text::of),
                planned: planned.as_ref().map(Text::of),
                product: product.as_deref().map(|product| Box::new(product.into())),
                check_in: match details.as_deref() {
                    Some(Details::CheckIn(check_in)) => Some(Box::new(check_in.into())),
                    _ => None,
                },
                scan: match details.as_deref() {
                    Some(Details::Scan(scan)) => Some(Box::new(scan.into())),
                    _ => None,
                },
                note: text(note),
                corrects: corrects.as_ref().map(Text::of),
                key: text(key),
            }
        }
        Fact::Skip { occurrence, at, reason, note, corrects, key } => FactJson::Skip {
            occurrence: Text::of(occurrence),
            at: when(*at, zone),
            reason: text(reason),
            note: text(note),
            corrects: corrects.as_ref().map(Text::of),
            key: text(key),
        },
        Fact::Snooze { occurrence, at, until, key } => FactJson::Snooze {
            occurrence: Text::of(occurrence),
            at: instant(*at, zone),
            until: instant(*until, zone),
            key: text(key),
        },
        Fact::Delivered { occurrence, at, channel } => {
            let place = match channel {
                Channel::Desktop(place) => Some(place),
                Channel::Named(_) => None,
            };
            FactJson::Delivered {
                occurrence: Text::of(occurrence),
                at: instant(*at, zone),
                channel: channel.name().map_or(ChannelId::DESKTOP, ChannelId::as_str).into(),
                notification: place.map(|place| place.notification),
                server: place.and_then(|place| place.server.as_deref()).map(Text::from),
            }
        }
        Fact::Undelivered { occurrence, at, channel, reason } => FactJson::Undelivered {
            occurrence: Text::of(occurrence),
            at: instant(*at, zone),
            channel: channel.as_ref().map(Text::of),
            reason: reason.as_str().into(),
        },
        Fact::Closed { occurrence, at, reason } => FactJson::Closed {
            occurrence: Text::of(occurrence),
            at: instant(*at, zone),
            reason: match reason {
                CloseReason::Expired => "expired",
                CloseReason::Dismissed => "dismissed",
                CloseReason::Undefined => "undefined",
            }
            .into(),
        },
        Fact::Stock { item, at, change, key } => {
            let (add, count) = match change {
                StockChange::Add(more) => (Some(*more), None),
                StockChange::Count(counted) => (None, Some(*counted)),
            };
            let (item, at, key) = (item.as_str().into(), instant(*at, zone), text(key));
            FactJson::Stock { item, at, add, count, key }
        }
        Fact::Regimen { item, at, definition } => FactJson::Regimen {
            item: item.as_str().into(),
            at: instant(*at, zone),
            definition: match definition {
                Some(definition) => Some(
                    serde_json::from_str(definition)
                        .map_err(|error| LineError::Form { why: error.to_string() })?,
                ),
                None => None,
            },
        },
        Fact::Zone { at, zone: name } => {
            FactJson::Zone { at: instant(*at, zone), zone: name.as_str().into() }
        }
        Fact::Pause { item, at, until, reason } => FactJson::Pause {
            item: item.as_ref().map(|item| item.as_str().into()),
            at: instant(*at, zone),
            until: until.map(|until| instant(until, zone)),
            reason: text(reason),
        },
        Fact::Resume { item, at } => {
            FactJson::Resume { item: item.as_ref().map(|item| item.as_str().into()), at: instant(*at, zone) }
        }
        Fact::Retraction { fact, occurrence, at, reason, key } => FactJson::Retraction {
            retracts: Text::of(fact),
            occurrence: occurrence.as_ref().map(Text::of),
            at: instant(*at, zone),
            reason: text(reason),
            key: text(key),
        },
    })
}

fn from_json(json: FactJson<'_>) -> Result<Fact, String> {
    fn read<T: std::str::FromStr<Err: std::fmt::Display>>(text: &Text<'_>) -> Result<T, String> {
        text.0.parse().map_err(|error: T::Err| error.to_string())
    }
    fn maybe<T: std::str::FromStr<Err: std::fmt::Display>>(
        text: Option<Text<'_>>,
    ) -> Result<Option<T>, String> {
        text.map(|text| read(&text)).transpose()
    }
    let owned = |text: Option<Text<'_>>| text.map(|text| text.0.into_owned());
    let when = |text: &Text<'_>| match text.0.len() {
        10 => read(text).map(When::Date),
        _ => read(text).map(When::Instant),
    };
    Ok(match json {
        FactJson::Intake {
            item,
            occurrence,
            at,
            amount,
            planned,
            product,
            check_in,
            scan,
            note,
            corrects,
            key,
        } => Fact::Intake {
            item: read(&item)?,
            occurrence: maybe(occurrence)?,
            at: when(&at)?,
            amount: maybe(amount)?,
            planned: maybe(planned)?,
            product: product.map(|product| Arc::new(Product::from(*product))),
            details: details(check_in.map(|json| *json), scan.map(|json| *json))?,
            note: owned(note),
            corrects: maybe(corrects)?,
            key: owned(key),
        },
        FactJson::Skip { occurrence, at, reason, note, corrects, key } => {
            let (occurrence, at, corrects) = (read(&occurrence)?, when(&at)?, maybe(corrects)?);
            Fact::Skip { occurrence, at, reason: owned(reason), note: owned(note), corrects, key: owned(key) }
        }
        FactJson::Snooze { occurrence, at, until, key } => Fact::Snooze {
            occurrence: read(&occurrence)?,
            at: read(&at)?,
            until: read(&until)?,
            key: owned(key),
        },
        FactJson::Delivered { occurrence, at, channel, notification, server } => {
            let channel = if channel.0 == ChannelId::DESKTOP {
                let notification = notification.ok_or("a notification without a number")?;
                Channel::Desktop(Place { notification, server: server.map(|server| server.0.into()) })
            } else {
                Channel::Named(read(&channel)?)
            };
            Fact::Delivered { occurrence: read(&occurrence)?, at: read(&at)?, channel }
        }
        FactJson::Undelivered { occurrence, at, channel, reason } => Fact::Undelivered {
            occurrence: read(&occurrence)?,
            at: read(&at)?,
            channel: maybe(channel)?,
            reason: reason.0.into_owned(),
        },
        FactJson::Closed { occurrence, at, reason } => Fact::Closed {
            occurrence: read(&occurrence)?,
            at: read(&at)?,
            reason: match &*reason.0 {
                "expired" => CloseReason::Expired,
                "dismissed" => CloseReason::Dismissed,
                _ => CloseReason::Undefined,
            },
        },
        FactJson::Stock { item, at, add, count, key } => {
            let change = match (add, count) {
                (Some(more), None) => StockChange::Add(more),
                (None, Some(counted)) => StockChange::Count(counted),
                _ => return Err("a stock is either added to or counted".to_owned()),
            };
            Fact::Stock { item: read(&item)?, at: read(&at)?, change, key: owned(key) }
        }
        FactJson::Regimen { item, at, definition } => Fact::Regimen {
            item: read(&item)?,
            at: read(&at)?,
            // What it was made in has room for twice as much.
            definition: definition.map(|definition| definition.to_string().into_boxed_str().into_string()),
        },
        FactJson::Zone { at, zone } => Fact::Zone { at: read(&at)?, zone: zone.0.into_owned() },
        FactJson::Pause { item, at, until, reason } => {
            Fact::Pause { item: maybe(item)?, at: read(&at)?, until: maybe(until)?, reason: owned(reason) }
        }
        FactJson::Resume { item, at } => Fact::Resume { item: maybe(item)?, at: read(&at)? },
        FactJson::Retraction { retracts, occurrence, at, reason, key } => Fact::Retraction {
            fact: read(&retracts)?,
            occurrence: maybe(occurrence)?,
            at: read(&at)?,
            reason: owned(reason),
            key: owned(key),
        },
    })
}
