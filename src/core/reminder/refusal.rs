//! Why a request is refused, in a text that says what to do.

use crate::core::ledger::FactId;
use crate::core::schedule::{ItemId, OccurrenceId};

/// Why a request was refused.
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
    #[error("`{occurrence}` is not in the plan: `dosed today` and `dosed next` list what is")]
    UnknownOccurrence {
        /// What was asked for.
        occurrence: OccurrenceId,
    },
    /// It has another answer.
    #[error(
        "`{occurrence}` is already {state}: `dosed correct {fact}` changes that, `dosed undo {fact}` undoes it"
    )]
    AlreadyAnswered {
        /// Which one.
        occurrence: OccurrenceId,
        /// What it is.
        state: &'static str,
        /// The fact that says so.
        fact: FactId,
    },
    /// Another answer to it is being written right now.
    #[error("`{occurrence}` is being answered right now: try again")]
    BeingAnswered {
        /// Which one.
        occurrence: OccurrenceId,
    },
    /// There is nothing to skip or snooze.
    #[error("nothing is due for `{item}`{}", next_is(.next.as_ref()))]
    NothingDue {
        /// Which item.
        item: ItemId,
        /// Its next occurrence.
        next: Option<OccurrenceId>,
    },
    /// Its time is still far away.
    #[error("`{occurrence}` is more than {} ahead: it cannot be answered yet", days_or_hours(*.days))]
    TooEarly {
        /// Which one.
        occurrence: OccurrenceId,
        /// How many days ahead it can be answered.
        days: i64,
    },
    /// Another one was recorded shortly before or after.
    #[error("`{item}` was already recorded {distance} from this time")]
    TooSoon {
        /// Which item.
        item: ItemId,
        /// How far the other one is away.
        distance: String,
    },
    /// With it, the item's limit would be exceeded.
    #[error("`{item}`: {reason}")]
    OverLimit {
        /// Which item.
        item: ItemId,
        /// What was taken, what the limit is, and when the next is within it.
        reason: String,
    },
    /// Several slots of the item are open, and the answer names none.
    #[error("`{item}` has several open slots, name one of {}", listed(.open))]
    SeveralOpen {
        /// Which item.
        item: ItemId,
        /// Those that are open.
        open: Vec<OccurrenceId>,
    },
    /// The item is of a kind that has no such record.
    #[error("`{item}` is of another kind: only a `[[check-in]]` has answers, only a `[[scan]]` has results")]
    OtherKind {
        /// Which item.
        item: ItemId,
    },
    /// The item's stock is not counted.
    #[error(
        "the stock of `{item}` is not counted: add `stock = {{ have = 60, refill-at = 10 }}` to it in the schedule"
    )]
    NoStock {
        /// Which item.
        item: ItemId,
    },
    /// The given time is in the future.
    #[error("that time is in the future")]
    InFuture,
    /// The idempotency key belongs to another request.
    #[error("this idempotency key was used for another request: use a new one")]
    KeyReused,
    /// The end of a pause is over.
    #[error("that pause would be over already: give an end that lies ahead")]
    PauseOver,
    /// A pause ends before it begins.
    #[error("that pause would end before it begins")]
    PauseEmpty,
    /// There is no such fact.
    #[error("there is no fact `{fact}`: `dosed history` lists them")]
    UnknownFact {
        /// What was asked for.
        fact: FactId,
    },
    /// The fact is none that a person can undo.
    #[error("`{fact}` cannot be undone: only answers, stock changes, pauses and undos can")]
    NotRetractable {
        /// Which one.
        fact: FactId,
    },
    /// The fact has nothing of what is corrected.
    #[error(
        "`{fact}` cannot be corrected like that: an intake has an amount, a skip a reason, a form its answers"
    )]
    NotCorrectable {
        /// Which one.
        fact: FactId,
    },
    /// Another fact superseded it.
    #[error("`{fact}` was superseded by `{by}`: undo or correct that one")]
    Superseded {
        /// Which one.
        fact: FactId,
        /// The retraction or correction.
        by: FactId,
    },
    /// A correction of it is being written right now.
    #[error("`{fact}` is being corrected right now: try again")]
    BeingChanged {
        /// Which one.
        fact: FactId,
    },
    /// It could not be recorded.
    #[error("it could not be recorded: {reason}")]
    NotRecorded {
        /// Why not.
        reason: String,
    },
}

fn days_or_hours(days: i64) -> String {
    if days == 1 { "24 hours".to_owned() } else { format!("{days} days") }
}

fn listed(open: &[OccurrenceId]) -> String {
    open.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_names_what_and_what_to_do() {
        let item: ItemId = "iron".parse().unwrap();
        let occurrence: OccurrenceId = "iron@2026-11-25T08:00".parse().unwrap();
        let fact: FactId = "desk.4".parse().unwrap();
        let next = || Some("iron@2026-11-26T08:00".parse().unwrap());
        let table: [(Refusal, &str); 22] = [
            (
                Refusal::UnknownItem { item: item.clone(), nearest: None },
                "there is no item `iron` in the schedule",
            ),
            (
                Refusal::UnknownItem { item: item.clone(), nearest: Some("irons".parse().unwrap()) },
                "there is no item `iron` in the schedule: did you mean `irons`?",
            ),
            (
                Refusal::UnknownOccurrence { occurrence: occurrence.clone() },
                "`iron@2026-11-25T08:00` is not in the plan: `dosed today` and `dosed next` list what is",
            ),
            (
                Refusal::AlreadyAnswered {
                    occurrence: occurrence.clone(),
                    state: "taken",
                    fact: fact.clone(),
                },
                "`iron@2026-11-25T08:00` is already taken: `dosed correct desk.4` changes that, `dosed undo desk.4` undoes it",
            ),
            (
                Refusal::BeingAnswered { occurrence: occurrence.clone() },
                "`iron@2026-11-25T08:00` is being answered right now: try again",
            ),
            (Refusal::NothingDue { item: item.clone(), next: None }, "nothing is due for `iron`"),
            (
                Refusal::NothingDue { item: item.clone(), next: next() },
                "nothing is due for `iron`; the next is `iron@2026-11-26T08:00`",
            ),
            (
                Refusal::TooEarly { occurrence, days: 1 },
                "`iron@2026-11-25T08:00` is more than 24 hours ahead: it cannot be answered yet",
            ),
            (
                Refusal::TooSoon { item: item.clone(), distance: "5 min".to_owned() },
                "`iron` was already recorded 5 min from this time",
            ),
            (
                Refusal::OtherKind { item: item.clone() },
                "`iron` is of another kind: only a `[[check-in]]` has answers, only a `[[scan]]` has results",
            ),
            (
                Refusal::NoStock { item },
                "the stock of `iron` is not counted: add `stock = { have = 60, refill-at = 10 }` to it in the schedule",
            ),
            (Refusal::InFuture, "that time is in the future"),
            (
                Refusal::SeveralOpen {
                    item: "iron".parse().unwrap(),
                    open: vec![
                        "iron@2026-11-25T08:00".parse().unwrap(),
                        "iron@2026-11-25T09:00".parse().unwrap(),
                    ],
                },
                "`iron` has several open slots, name one of `iron@2026-11-25T08:00`, `iron@2026-11-25T09:00`",
            ),
            (Refusal::KeyReused, "this idempotency key was used for another request: use a new one"),
            (Refusal::PauseOver, "that pause would be over already: give an end that lies ahead"),
            (Refusal::PauseEmpty, "that pause would end before it begins"),
            (
                Refusal::UnknownFact { fact: fact.clone() },
                "there is no fact `desk.4`: `dosed history` lists them",
            ),
            (
                Refusal::NotRetractable { fact: fact.clone() },
                "`desk.4` cannot be undone: only answers, stock changes, pauses and undos can",
            ),
            (
                Refusal::NotCorrectable { fact: fact.clone() },
                "`desk.4` cannot be corrected like that: an intake has an amount, a skip a reason, a form its answers",
            ),
            (
                Refusal::Superseded { fact: fact.clone(), by: "desk.5".parse().unwrap() },
                "`desk.4` was superseded by `desk.5`: undo or correct that one",
            ),
            (Refusal::BeingChanged { fact }, "`desk.4` is being corrected right now: try again"),
            (Refusal::NotRecorded { reason: "disk full".to_owned() }, "it could not be recorded: disk full"),
        ];
        for (refusal, text) in table {
            assert_eq!(refusal.to_string(), text);
        }
    }

    #[test]
    fn the_nearest_id_is_offered_only_if_it_is_near() {
        let ids: Vec<ItemId> =
            ["calcium", "vitamin-d", "iron"].iter().map(|id| id.parse().unwrap()).collect();
        for (wanted, offered) in [
            ("calcum", Some("calcium")),
            ("vit", Some("vitamin-d")),
            ("vitamin-c", Some("vitamin-d")),
            ("ion", Some("iron")),
            ("magnesium", None),
            ("zinc-oxide", None),
        ] {
            let found = nearest(&wanted.parse().unwrap(), ids.iter());
            assert_eq!(found.as_ref().map(ItemId::as_str), offered, "{wanted}");
        }
    }
}
