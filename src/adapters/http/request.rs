//! Requests that were read and checked, each with the way back for its response.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::Date;
use serde_json::Value;

use super::MAX_TEXT_BYTES;
use super::reply::{ChangeReply, RawJson, Reply};
use crate::core::ledger::{FactId, StockChange};
use crate::core::reminder::{AnswerTarget, Verb};
use crate::core::schedule::{Amount, ItemId, Length, OccurrenceId};
use crate::core::text::find_control;
use crate::protocol::{
    Adherence, At, ChannelTest, CheckIn, ComingOccurrence, CorrectBody, Form, HistoryFact, Insight,
    Occurrence, OccurrenceDetails, PlannedItem, PostponeBody, RawHistoryFact, Scan, SkipBody, SnoozeBody,
    Status, StockLevel, TakeBody, Why,
};

/// A request with the way back.
#[derive(Debug)]
pub enum Call {
    /// How the daemon is.
    Status(Reply<Status>),
    /// The occurrences of today.
    Today(Reply<Vec<Occurrence>>),
    /// The next occurrences.
    Next {
        /// How many.
        count: usize,
        /// Whether what was skipped ahead of its time is among them.
        with_skipped: bool,
        /// The way back.
        reply: Reply<Vec<ComingOccurrence>>,
    },
    /// The occurrences of a range with their states.
    Occurrences {
        /// Start; today by default.
        from: Option<At>,
        /// End (exclusive); the end of the day of `from` by default.
        until: Option<At>,
        /// Of one item only.
        item: Option<ItemId>,
        /// The way back.
        reply: Reply<RawJson<Vec<OccurrenceDetails>>>,
    },
    /// Everything that made one occurrence what it is.
    Why {
        /// Which one.
        occurrence: OccurrenceId,
        /// The way back.
        reply: Reply<Why<RawHistoryFact>>,
    },
    /// The facts of a range.
    Facts {
        /// Start.
        since: Option<At>,
        /// End (exclusive).
        until: Option<At>,
        /// Of one item only.
        item: Option<ItemId>,
        /// The newest so many.
        limit: Option<usize>,
        /// The way back.
        reply: Reply<RawJson<Vec<HistoryFact>>>,
    },
    /// What was taken of what was planned, over local dates.
    Adherence {
        /// First day.
        since: Option<Date>,
        /// Last day (exclusive).
        until: Option<Date>,
        /// Of one item only.
        item: Option<ItemId>,
        /// A row for each group of items instead of each item.
        by_group: bool,
        /// The way back.
        reply: Reply<Vec<Adherence>>,
    },
    /// What the record shows of habits and check-ins together.
    Insight(Reply<Insight>),
    /// The forms that can be filled in.
    Forms(Reply<Vec<Form>>),
    /// What was answered in check-ins.
    CheckIns(Reply<Vec<CheckIn>>),
    /// What was recorded of scans.
    Scans(Reply<Vec<Scan>>),
    /// The items that are in the schedule or were.
    Items(Reply<Vec<PlannedItem>>),
    /// How much is left of what is counted.
    Stock(Reply<Vec<StockLevel>>),
    /// Tests every channel: with a harmless reminder, or without sending anything.
    TestChannels {
        /// Whether something is sent.
        send: bool,
        /// The way back.
        reply: Reply<Vec<ChannelTest>>,
    },
    /// Something is to be recorded.
    Change(Change, ChangeReply),
}

/// Something that is to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An answer.
    Answer {
        /// What.
        verb: Verb,
        /// Of what.
        target: AnswerTarget,
        /// The rest.
        body: AnswerBody,
        /// The idempotency key.
        key: Option<String>,
    },
    /// A fact is taken back.
    Retract {
        /// Which fact; `None` is the newest effective answer of this device.
        fact: Option<FactId>,
        /// Why.
        reason: Option<String>,
        /// The idempotency key.
        key: Option<String>,
    },
    /// An answer is corrected.
    Correct {
        /// Which fact; `None` is the newest effective answer of this device.
        fact: Option<FactId>,
        /// The answers of a form that were different, by name.
        answers: BTreeMap<String, String>,
        /// What else was different.
        body: AnswerBody,
        /// The idempotency key.
        key: Option<String>,
    },
    /// A form is filled in.
    FillIn {
        /// Which form.
        kind: FormKind,
        /// Of which item.
        item: ItemId,
        /// The answers by name.
        answers: BTreeMap<String, String>,
        /// When it was.
        at: Option<At>,
        /// A note.
        note: Option<String>,
        /// The idempotency key.
        key: Option<String>,
    },
    /// Doses were bought or counted.
    Stock {
        /// Of which item.
        item: ItemId,
        /// What it means for what is left.
        change: StockChange,
        /// The idempotency key.
        key: Option<String>,
    },
    /// Reminders are paused.
    Pause {
        /// Of one item only.
        item: Option<ItemId>,
        /// From when on; now by default.
        from: Option<At>,
        /// Until when.
        until: Option<At>,
        /// Why.
        reason: Option<String>,
    },
    /// Reminders are resumed.
    Resume {
        /// Of one item only.
        item: Option<ItemId>,
    },
}

impl Change {
    /// Returns the idempotency key.
    #[must_use]
    pub fn key(&self) -> Option<&String> {
        match self {
            Self::Answer { key, .. }
            | Self::Retract { key, .. }
            | Self::Correct { key, .. }
            | Self::FillIn { key, .. }
            | Self::Stock { key, .. } => key.as_ref(),
            Self::Pause { .. } | Self::Resume { .. } => None,
        }
    }
}

/// A form that can be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKind {
    /// A check-in.
    CheckIn,
    /// A scan.
    Scan,
}

/// The optional members of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerBody {
    /// When it happened.
    pub at: Option<At>,
    /// How much.
    pub amount: Option<Amount>,
    /// A note.
    pub note: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// How long to snooze.
    pub length: Option<SignedDuration>,
    /// Whether it is meant although it comes soon after the last one.
    pub confirm: bool,
}

impl TryFrom<TakeBody> for AnswerBody {
    type Error = String;

    fn try_from(TakeBody { at, amount, note, confirm }: TakeBody) -> Result<Self, String> {
        let (at, amount, note) = (parse(at)?, read_amount(amount)?, checked("note", note)?);
        Ok(Self { at, amount, note, confirm: confirm.unwrap_or(false), ..Self::default() })
    }
}

impl TryFrom<SkipBody> for AnswerBody {
    type Error = String;

    fn try_from(SkipBody { at, reason, note }: SkipBody) -> Result<Self, String> {
        let (at, reason, note) = (parse(at)?, checked("reason", reason)?, checked("note", note)?);
        Ok(Self { at, note, reason, ..Self::default() })
    }
}

impl TryFrom<SnoozeBody> for AnswerBody {
    type Error = String;

    fn try_from(SnoozeBody { length }: SnoozeBody) -> Result<Self, String> {
        let length = parse::<Length>(length)?
            .map(|length| length.elapsed().ok_or("`for` takes minutes, hours or days, such as `15m`"))
            .transpose()?;
        if length.is_some_and(|length| length < SignedDuration::from_secs(1)) {
            return Err("`for` takes one second or more, such as `15m`".to_owned());
        }
        Ok(Self { length, ..Self::default() })
    }
}

impl TryFrom<PostponeBody> for AnswerBody {
    type Error = String;

    fn try_from(PostponeBody { length }: PostponeBody) -> Result<Self, String> {
        SnoozeBody { length: Some(length) }.try_into()
    }
}

impl TryFrom<CorrectBody> for (BTreeMap<String, String>, AnswerBody) {
    type Error = String;

    fn try_from(CorrectBody { at, amount, note, reason, answers }: CorrectBody) -> Result<Self, String> {
        let answers = form_values(answers)?;
        let (note, reason) = (checked("note", note)?, checked("reason", reason)?);
        let body = AnswerBody {
            at: parse(at)?,
            amount: read_amount(amount)?,
            note,
            reason,
            ..AnswerBody::default()
        };
        if answers.is_empty() && body == AnswerBody::default() {
            return Err("say what was different: at, amount, note, reason, answers".to_owned());
        }
        Ok((answers, body))
    }
}

/// Reads a value that may be missing.
pub(super) fn parse<T: FromStr<Err: std::fmt::Display>>(text: Option<String>) -> Result<Option<T>, String> {
    text.map(|text| text.parse().map_err(|error: T::Err| error.to_string())).transpose()
}

/// Reads how much was taken; that is never a range.
fn read_amount(text: Option<String>) -> Result<Option<Amount>, String> {
    let amount: Option<Amount> = parse(text)?;
    match amount {
        Some(range) if range.is_range() => Err(format!("`{range}` is a range: say how much it was")),
        amount => Ok(amount),
    }
}

/// Refuses a text that is too long, or has control characters.
pub(super) fn checked(name: &str, text: Option<String>) -> Result<Option<String>, String> {
    match text {
        Some(text) if text.len() > MAX_TEXT_BYTES => {
            Err(format!("`{name}` is longer than {MAX_TEXT_BYTES} bytes"))
        }
        Some(text) => plain(name, text).map(Some),
        None => Ok(None),
    }
}

/// Refuses a text with control characters.
fn plain(name: &str, text: String) -> Result<String, String> {
    match find_control(&text) {
        Some(c) => Err(format!("`{name}` has the control character {}: leave it out", c.escape_unicode())),
        None => Ok(text),
    }
}

/// Returns the values of a form by name; null is a question that was left out.
pub(super) fn form_values(
    answers: Option<BTreeMap<String, Value>>,
) -> Result<BTreeMap<String, String>, String> {
    let given = answers.into_iter().flatten().filter_map(|(key, value)| match value {
        Value::Null => None,
        Value::String(text) => Some(plain(&key, text).map(|text| (key, text))),
        Value::Number(number) => Some(Ok((key, number.to_string()))),
        _ => Some(Err(format!("`{key}` is answered with a number or a text"))),
    });
    given.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_checked() {
        let long = Some("x".repeat(MAX_TEXT_BYTES + 1));
        assert!(
            AnswerBody::try_from(TakeBody { note: long, ..TakeBody::default() })
                .unwrap_err()
                .contains("note")
        );
        for text in ["\u{1b}]0;x", "\0", "a\rb", "\u{9b}", "\u{202e}"] {
            let (note, reason) = (Some(text.to_owned()), Some(text.to_owned()));
            let take = TakeBody { note: note.clone(), ..TakeBody::default() };
            let skip = SkipBody { reason, ..SkipBody::default() };
            let correct = CorrectBody { note, ..CorrectBody::default() };
            let answers = BTreeMap::from([("facility".to_owned(), Value::from(text))]);
            for refused in [
                AnswerBody::try_from(take).err(),
                AnswerBody::try_from(skip).err(),
                <(BTreeMap<_, _>, AnswerBody)>::try_from(correct).err(),
                form_values(Some(answers)).err(),
            ] {
                assert!(
                    refused.is_some_and(|why| why.contains("has the control character \\u{")),
                    "{text:?}"
                );
            }
        }
        for (length, error) in [("3 months", "minutes"), ("0s", "one second"), ("soon", "soon")] {
            let body = SnoozeBody { length: Some(length.to_owned()) };
            assert!(AnswerBody::try_from(body).unwrap_err().contains(error), "{length}");
        }
        assert!(<(BTreeMap<_, _>, AnswerBody)>::try_from(CorrectBody::default()).is_err());
        let answers = BTreeMap::from([("a".to_owned(), Value::Null), ("b".to_owned(), 3.into())]);
        assert_eq!(form_values(Some(answers)).unwrap(), BTreeMap::from([("b".to_owned(), "3".to_owned())]));
        assert!(form_values(Some(BTreeMap::from([("a".to_owned(), Value::Bool(true))]))).is_err());
    }
}
