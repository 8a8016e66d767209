//! One line of a journal: its JSON, its checksum, and the way back.

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

/// A recorded fact with the line that holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The fact.
    pub record: Record,
    /// The line as it stands in the journal, without its end.
    pub text: Arc<str>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LineJson {
    v: u32,
    id: String,
    seq: u64,
    device: String,
    recorded_at: String,
    fact: FactJson,
}

/// A fact as a journal writes it. Fields are only ever added.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum FactJson {
    Intake {
        item: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        occurrence: Option<String>,
        at: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        amount: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        planned: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        product: Option<Box<ProductJson>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        check_in: Option<Box<CheckInJson>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        scan: Option<Box<ScanJson>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        corrects: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    Skip {
        occurrence: String,
        at: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        corrects: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    Snooze {
        occurrence: String,
        at: String,
        until: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    Delivered {
        occurrence: String,
        at: String,
        channel: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        notification: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<String>,
    },
    Undelivered {
        occurrence: String,
        at: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<String>,
        reason: String,
    },
    Closed {
        occurrence: String,
        at: String,
        reason: String,
    },
    Stock {
        item: String,
        at: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        add: Option<i32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    Regimen {
        item: String,
        at: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        definition: Option<serde_json::Value>,
    },
    Zone {
        at: String,
        zone: String,
    },
    Pause {
        #[serde(skip_serializing_if = "Option::is_none")]
        item: Option<String>,
        at: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Resume {
        #[serde(skip_serializing_if = "Option::is_none")]
        item: Option<String>,
        at: String,
    },
    Retraction {
        retracts: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        occurrence: Option<String>,
        at: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
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
        id: record.id.to_string(),
        seq: record.id.seq,
        device: record.id.device.to_string(),
        recorded_at: instant(record.recorded_at, zone),
        fact: to_json(&record.fact, zone)?,
    };
    let mut text =
        serde_json::to_string(&json).map_err(|error| LineError::Form { why: error.to_string() })?;
    text.pop();
    let crc = crc32fast::hash(text.as_bytes());
    text.push_str(CHECKSUM);
    text.push_str(&format!("{crc:08x}\"}}"));
    Ok(Line { record, text: text.into() })
}

/// Tells whether a line's checksum fits what it says.
pub(super) fn is_sound(text: &str) -> bool {
    checked_part(text).is_some()
}

fn checked_part(text: &str) -> Option<&str> {
    let at = text.rfind(CHECKSUM)?;
    let crc = text[at + CHECKSUM.len()..].strip_suffix("\"}")?;
    // One spelling only: a changed letter of the checksum itself is damage too.
    (format!("{:08x}", crc32fast::hash(&text.as_bytes()[..at])) == crc).then_some(&text[..at])
}

/// Reads a line back.
pub(super) fn read(text: &str) -> Result<Line, LineError> {
    if !is_sound(text) {
        return Err(LineError::Checksum);
    }
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
    let id = FactId { device: json.device.as_str().into(), seq: json.seq };
    let recorded_at = json.recorded_at.parse().map_err(|error: jiff::Error| form(&error))?;
    let fact = from_json(json.fact).map_err(|why| LineError::Form { why })?;
    Ok(Line { record: Record { id, recorded_at, fact }, text: text.into() })
}

/// Writes an instant as RFC 3339 with its zone in brackets.
fn instant(at: Timestamp, zone: &TimeZone) -> String {
    Zoned::new(at, zone.clone()).to_string()
}

fn when(at: When, zone: &TimeZone) -> String {
    match at {
        When::Instant(at) => instant(at, zone),
        When::Date(date) => date.to_string(),
    }
}

fn to_json(fact: &Fact, zone: &TimeZone) -> Result<FactJson, LineError> {
    let text = |value: &Option<String>| value.clone();
    fn written<T: ToString>(value: Option<&T>) -> Option<String> {
        value.map(ToString::to_string)
    }
    Ok(match fact {
        Fact::Intake { item, occurrence, at, amount, planned, product, details, note, corrects, key } => {
            FactJson::Intake {
                item: item.to_string(),
                occurrence: written(occurrence.as_ref()),
                at: when(*at, zone),
                amount: written(amount.as_ref()),
                planned: written(planned.as_ref()),
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
                corrects: written(corrects.as_ref()),
                key: text(key),
            }
        }
        Fact::Skip { occurrence, at, reason, note, corrects, key } => FactJson::Skip {
            occurrence: occurrence.to_string(),
            at: when(*at, zone),
            reason: text(reason),
            note: text(note),
            corrects: written(corrects.as_ref()),
            key: text(key),
        },
        Fact::Snooze { occurrence, at, until, key } => FactJson::Snooze {
            occurrence: occurrence.to_string(),
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
                occurrence: occurrence.to_string(),
                at: instant(*at, zone),
                channel: channel.name().map_or(ChannelId::DESKTOP, ChannelId::as_str).to_owned(),
                notification: place.map(|place| place.notification),
                server: written(place.and_then(|place| place.server.as_ref())),
            }
        }
        Fact::Undelivered { occurrence, at, channel, reason } => FactJson::Undelivered {
            occurrence: occurrence.to_string(),
            at: instant(*at, zone),
            channel: written(channel.as_ref()),
            reason: reason.clone(),
        },
        Fact::Closed { occurrence, at, reason } => FactJson::Closed {
            occurrence: occurrence.to_string(),
            at: instant(*at, zone),
            reason: match reason {
                CloseReason::Expired => "expired",
                CloseReason::Dismissed => "dismissed",
                CloseReason::Undefined => "undefined",
            }
            .to_owned(),
        },
        Fact::Stock { item, at, change, key } => {
            let (add, count) = match change {
                StockChange::Add(more) => (Some(*more), None),
                StockChange::Count(counted) => (None, Some(*counted)),
            };
            let (item, at, key) = (item.to_string(), instant(*at, zone), text(key));
            FactJson::Stock { item, at, add, count, key }
        }
        Fact::Regimen { item, at, definition } => FactJson::Regimen {
            item: item.to_string(),
            at: instant(*at, zone),
            definition: match definition {
                Some(definition) => Some(
                    serde_json::from_str(definition)
                        .map_err(|error| LineError::Form { why: error.to_string() })?,
                ),
                None => None,
            },
        },
        Fact::Zone { at, zone: name } => FactJson::Zone { at: instant(*at, zone), zone: name.clone() },
        Fact::Pause { item, at, until, reason } => FactJson::Pause {
            item: written(item.as_ref()),
            at: instant(*at, zone),
            until: until.map(|until| instant(until, zone)),
            reason: text(reason),
        },
        Fact::Resume { item, at } => {
            FactJson::Resume { item: written(item.as_ref()), at: instant(*at, zone) }
        }
        Fact::Retraction { fact, occurrence, at, reason, key } => FactJson::Retraction {
            retracts: fact.to_string(),
            occurrence: written(occurrence.as_ref()),
            at: instant(*at, zone),
            reason: text(reason),
            key: text(key),
        },
    })
}

fn from_json(json: FactJson) -> Result<Fact, String> {
    fn read<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
        text.parse().map_err(|error: T::Err| error.to_string())
    }
    fn maybe<T: std::str::FromStr<Err: std::fmt::Display>>(
        text: Option<String>,
    ) -> Result<Option<T>, String> {
        text.map(|text| read(&text)).transpose()
    }
    let when = |text: &str| match text.len() {
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
            note,
            corrects: maybe(corrects)?,
            key,
        },
        FactJson::Skip { occurrence, at, reason, note, corrects, key } => {
            let (occurrence, at, corrects) = (read(&occurrence)?, when(&at)?, maybe(corrects)?);
            Fact::Skip { occurrence, at, reason, note, corrects, key }
        }
        FactJson::Snooze { occurrence, at, until, key } => {
            Fact::Snooze { occurrence: read(&occurrence)?, at: read(&at)?, until: read(&until)?, key }
        }
        FactJson::Delivered { occurrence, at, channel, notification, server } => {
            let channel = if channel == ChannelId::DESKTOP {
                let notification = notification.ok_or("a notification without a number")?;
                Channel::Desktop(Place { notification, server: server.map(Into::into) })
            } else {
                Channel::Named(read(&channel)?)
            };
            Fact::Delivered { occurrence: read(&occurrence)?, at: read(&at)?, channel }
        }
        FactJson::Undelivered { occurrence, at, channel, reason } => Fact::Undelivered {
            occurrence: read(&occurrence)?,
            at: read(&at)?,
            channel: maybe(channel)?,
            reason,
        },
        FactJson::Closed { occurrence, at, reason } => Fact::Closed {
            occurrence: read(&occurrence)?,
            at: read(&at)?,
            reason: match reason.as_str() {
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
            Fact::Stock { item: read(&item)?, at: read(&at)?, change, key }
        }
        FactJson::Regimen { item, at, definition } => Fact::Regimen {
            item: read(&item)?,
            at: read(&at)?,
            // What it was made in has room for twice as much.
            definition: definition.map(|definition| definition.to_string().into_boxed_str().into_string()),
        },
        FactJson::Zone { at, zone } => Fact::Zone { at: read(&at)?, zone },
        FactJson::Pause { item, at, until, reason } => {
            Fact::Pause { item: maybe(item)?, at: read(&at)?, until: maybe(until)?, reason }
        }
        FactJson::Resume { item, at } => Fact::Resume { item: maybe(item)?, at: read(&at)? },
        FactJson::Retraction { retracts, occurrence, at, reason, key } => Fact::Retraction {
            fact: read(&retracts)?,
            occurrence: maybe(occurrence)?,
            at: read(&at)?,
            reason,
            key,
        },
    })
}
