//! A fact as a line of a journal has it, and the way back.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::LineError;
use crate::adapters::store::form_data::{CheckInJson, ProductJson, ScanJson, form_data};
use crate::core::ledger::{
    Channel, CloseReason, Fact, FormData, NamedZone, NotificationHandle, StockChange, When,
};
use crate::core::schedule::{Amount, ChannelId, Product};

/// The form of the definitions of items; journals of before this was written have the first.
const DEFINITION_VERSION: u32 = 1;

/// A text of a line: as it stands there, where it has no escapes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn of(written: impl ToString) -> Self {
        Self(Cow::Owned(written.to_string()))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

/// A fact as a journal writes it. Fields are only ever added.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", bound(deserialize = "'de: 'a"))]
pub(super) enum FactJson<'a> {
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
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        away: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        nonce: Option<Text<'a>>,
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
        /// The form of the definition. Beside it and not in it: versions that do not know it read on, and the
        /// definition is compared with the schedule's as text.
        #[serde(skip_serializing_if = "Option::is_none")]
        definition_version: Option<u32>,
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

/// Writes an instant as RFC 3339 with its zone in brackets.
pub(super) fn instant(at: Timestamp, zone: &TimeZone) -> Text<'static> {
    Text::of(Zoned::new(at, zone.clone()))
}

fn when(at: When, zone: &TimeZone) -> Text<'static> {
    match at {
        When::Instant(at) => instant(at, zone),
        When::Date(date) => Text::of(date),
    }
}

pub(super) fn to_json<'a>(fact: &'a Fact, zone: &TimeZone) -> Result<FactJson<'a>, LineError> {
    let text = |value: &'a Option<String>| value.as_deref().map(Text::from);
    Ok(match fact {
        Fact::Intake { item, occurrence, at, amount, planned, product, form_data, note, corrects, key } => {
            FactJson::Intake {
                item: item.as_str().into(),
                occurrence: occurrence.as_ref().map(Text::of),
                at: when(*at, zone),
                amount: amount.as_ref().map(Text::of),
                planned: planned.as_ref().map(Text::of),
                product: product.as_deref().map(|product| Box::new(product.into())),
                check_in: match form_data.as_deref() {
                    Some(FormData::CheckIn(check_in)) => Some(Box::new(check_in.into())),
                    _ => None,
                },
                scan: match form_data.as_deref() {
                    Some(FormData::Scan(scan)) => Some(Box::new(scan.into())),
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
        Fact::Delivered { occurrence, at, channel, away, nonce } => {
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
                away: *away,
                nonce: text(nonce),
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
            definition_version: definition.as_ref().map(|_| DEFINITION_VERSION),
        },
        Fact::Zone { at, zone: name } => {
            FactJson::Zone { at: instant(*at, zone), zone: name.name.as_str().into() }
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

pub(super) fn from_json(json: FactJson<'_>) -> Result<Fact, String> {
    fn read<T: std::str::FromStr<Err: std::fmt::Display>>(text: &Text<'_>) -> Result<T, String> {
        text.0.parse().map_err(|error: T::Err| error.to_string())
    }
    fn maybe<T: std::str::FromStr<Err: std::fmt::Display>>(
        text: Option<Text<'_>>,
    ) -> Result<Option<T>, String> {
        text.map(|text| read(&text)).transpose()
    }
    let read_amount = |text: Option<Text<'_>>| {
        text.map(|text| Amount::from_record(&text.0)).transpose().map_err(|error| error.to_string())
    };
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
            amount: read_amount(amount)?,
            planned: read_amount(planned)?,
            product: product.map(|product| Box::new(Product::from(*product))),
            form_data: form_data(check_in.map(|json| *json), scan.map(|json| *json))?,
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
        FactJson::Delivered { occurrence, at, channel, notification, server, away, nonce } => {
            let channel = if channel.0 == ChannelId::DESKTOP {
                let notification = notification.ok_or("a notification without a number")?;
                Channel::Desktop(NotificationHandle {
                    notification,
                    server: server.map(|server| server.0.into()),
                })
            } else {
                Channel::Named(read(&channel)?)
            };
            Fact::Delivered {
                occurrence: read(&occurrence)?,
                at: read(&at)?,
                channel,
                away,
                nonce: owned(nonce),
            }
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
        FactJson::Regimen { item, at, mut definition, definition_version } => {
            // Whoever reads the definition has to know that it is of a newer form.
            let newer = definition_version.filter(|version| *version > DEFINITION_VERSION);
            if let (Some(version), Some(serde_json::Value::Object(keys))) = (newer, &mut definition) {
                keys.insert("v".to_owned(), version.into());
            }
            // What it was made in has room for twice as much.
            let definition =
                definition.map(|definition| definition.to_string().into_boxed_str().into_string());
            Fact::Regimen { item: read(&item)?, at: read(&at)?, definition }
        }
        FactJson::Zone { at, zone } => {
            let name = zone.0.into_owned();
            #[expect(
                clippy::disallowed_methods,
                reason = "the zones that a journal names are looked up here"
            )]
            let rules = TimeZone::get(&name).or_else(|_| TimeZone::posix(&name)).ok();
            Fact::Zone { at: read(&at)?, zone: NamedZone { name, rules } }
        }
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
