//! Why an answer is not taken in, in words that say what to do.

use crate::ledger::FactId;
use crate::schedule::{ItemId, OccurrenceId};

/// Why an answer was not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The schedule has no such item.
    #[error("there is no item `{item}` in the schedule{}", did_you_mean(.nearest.as_ref()))]
    UnknownItem {
        /// What was asked for.
        item: ItemId,
        /// The item that it may have meant.
        nearest: Option<ItemId>,
    },
    /// No regimen planned such an occurrence.
    #[error("nothing was planned as `{occurrence}`: `dosed today` and `dosed next` show what is")]
    UnknownOccurrence {
        /// What was asked for.
        occurrence: OccurrenceId,
    },
    /// It has another answer.
    #[error("`{occurrence}` is already {state}: `dosed undo {fact}` takes that back")]
    AlreadyAnswered {
        /// Which one.
        occurrence: OccurrenceId,
        /// What it is.
        state: &'static str,
        /// The fact that says so.
        fact: FactId,
    },
    /// Another answer to it is being written at this moment.
    #[error("`{occurrence}` is being answered at this moment: try again")]
    BeingAnswered {
        /// Which one.
        occurrence: OccurrenceId,
    },
    /// There is nothing to skip or snooze.
    #[error("nothing of `{item}` is due{}", next_is(.next.as_ref()))]
    NothingDue {
        /// Which item.
        item: ItemId,
        /// Its next occurrence.
        next: Option<OccurrenceId>,
    },
    /// Its time is still far away.
    #[error("`{occurrence}` is too far ahead to be answered")]
    TooEarly {
        /// Which one.
        occurrence: OccurrenceId,
    },
    /// Another one was recorded shortly before or after.
    #[error(
        "`{item}` is recorded already, {distance} from this: say so if this is one more (`--again`, or `\"confirm\": true`)"
    )]
    TooSoon {
        /// Which item.
        item: ItemId,
        /// How far the other one is away.
        distance: String,
    },
    /// The item is of a kind that has no such record.
    #[error("`{item}` is none of that kind: a `[[check-in]]` is answered, a `[[scan]]` has results")]
    OtherKind {
        /// Which item.
        item: ItemId,
    },
    /// The item's stock is not counted.
    #[error("the schedule counts no stock of `{item}`: add `stock = {{ have = 60, refill-at = 10 }}` to it")]
    NoStock {
        /// Which item.
        item: ItemId,
    },
    /// The given time has not come.
    #[error("that time has not come yet")]
    InFuture,
    /// The snooze is too long.
    #[error("a snooze of `{occurrence}` can last until {latest} at most: skip it instead")]
    SnoozeTooLong {
        /// Which one.
        occurrence: OccurrenceId,
        /// The latest end.
        latest: String,
    },
    /// There is no such fact.
    #[error("there is no fact `{fact}`: `dosed history` shows them")]
    UnknownFact {
        /// What was asked for.
        fact: FactId,
    },
    /// The fact is none that a person can take back.
    #[error("`{fact}` is not an answer, so there is nothing to take back")]
    NotRetractable {
        /// Which one.
        fact: FactId,
    },
    /// The fact has nothing of what is corrected.
    #[error(
        "`{fact}` has nothing of that to correct: an intake has an amount, a skip a reason, a form its answers"
    )]
    NotCorrectable {
        /// Which one.
        fact: FactId,
    },
    /// Another fact took its place.
    #[error("`{fact}` does not hold any more: `{by}` stands in its place")]
    Replaced {
        /// Which one.
        fact: FactId,
        /// What took it back or corrects it.
        by: FactId,
    },
    /// A correction of it is being written at this moment.
    #[error("`{fact}` is being corrected at this moment: try again")]
    BeingChanged {
        /// Which one.
        fact: FactId,
    },
    /// It could not be written down.
    #[error("it could not be recorded: {reason}")]
    NotRecorded {
        /// Why not.
        reason: String,
    },
}

fn did_you_mean(nearest: Option<&ItemId>) -> String {
    nearest.map(|nearest| format!(": did you mean `{nearest}`?")).unwrap_or_default()
}

fn next_is(next: Option<&OccurrenceId>) -> String {
    next.map(|next| format!("; the next is `{next}`")).unwrap_or_default()
}

/// Returns the id that is spelt most like another, if one is close.
pub(super) fn nearest<'a>(wanted: &ItemId, ids: impl Iterator<Item = &'a ItemId>) -> Option<ItemId> {
    ids.map(|id| (strsim::damerau_levenshtein(wanted.as_str(), id.as_str()), id))
        .filter(|(distance, id)| {
            *distance <= 2.max(wanted.as_str().len() / 3) || id.as_str().starts_with(wanted.as_str())
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, id)| id.clone())
}
