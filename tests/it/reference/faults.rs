//! Faults that are put in between the core and what it is told, to see that the comparison finds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use dosed::core::ledger::{Fact, FactId, Ledger, Record, State, When};
use dosed::core::schedule::Slot;
use jiff::civil::Date;

use super::life::{Item, Rule, Spec};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// What was missed is told as unknown, and the other way round.
    MissedForUnknown,
    /// A skip counts as taken.
    SkipForTaken,
    /// An intake is read back without its amount.
    LostAmount,
    /// R1: a second correction lets the first answer count again.
    SecondCorrection,
    /// R3: a corrected time moves the slot of a rule that counts from the last intake.
    MovedSlot,
    /// R7: an edit moves the anchor of an interval to the day of the edit.
    MovedAnchor,
    /// R10: a pause takes the place of the one before.
    OnePause,
    /// That a clock was set back goes unnoticed.
    UnnoticedClock,
    /// A corrected form is the old one.
    OldForm,
    /// The dose does not change with the day.
    NoTaper,
    /// What is noticed late is shown all the same.
    LateIsShown,
    /// Reminders come in quiet hours.
    NoQuiet,
    /// What a full disk refused is there all the same.
    RefusedIsKept,
}

impl Fault {
    /// Each with the first life in which it was found, so that those before need not be lived.
    pub(super) const ALL: [(Self, u64); 13] = [
        (Self::MissedForUnknown, 1),
        (Self::SkipForTaken, 1),
        (Self::LostAmount, 1),
        (Self::SecondCorrection, 2),
        (Self::MovedSlot, 17),
        (Self::MovedAnchor, 1),
        (Self::OnePause, 1),
        (Self::UnnoticedClock, 14),
        (Self::OldForm, 5),
        (Self::NoTaper, 17),
        (Self::LateIsShown, 6),
        (Self::NoQuiet, 5),
        (Self::RefusedIsKept, 1),
    ];

    pub(super) fn on_state(self, state: State) -> State {
        match (self, state) {
            (Self::MissedForUnknown, State::Missed) => State::Unknown,
            (Self::MissedForUnknown, State::Unknown) => State::Missed,
            _ => state,
        }
    }

    /// What is read back of a fact that was written.
    pub(super) fn on_record(self, record: &Arc<Record>, known: &Ledger) -> Vec<Arc<Record>> {
        let mut read_back = Record::clone(record);
        let mut before = None;
        // A number that no fact of the life reaches.
        let beside = FactId { device: "d".into(), seq: 1_000_000 + record.id.seq };
        match (self, &mut read_back.fact) {
            (Self::SkipForTaken, Fact::Skip { occurrence, at, note, corrects, key, .. }) => {
                read_back.fact = Fact::Intake {
                    item: occurrence.item.clone(),
                    occurrence: Some(occurrence.clone()),
                    at: *at,
                    amount: None,
                    planned: None,
                    product: None,
                    form_data: None,
                    note: note.take(),
                    corrects: corrects.take(),
                    key: key.take(),
                };
            }
            (Self::LostAmount, Fact::Intake { amount, .. }) => *amount = None,
            (Self::SecondCorrection, Fact::Intake { corrects: Some(of), occurrence, .. })
                if known.get(of).is_some_and(|of| of.fact.supersedes().is_some()) =>
            {
                read_back.fact = Fact::Retraction {
                    fact: of.clone(),
                    occurrence: occurrence.clone(),
                    at: record.recorded_at,
                    reason: None,
                    key: None,
                };
            }
            (Self::OldForm, Fact::Intake { corrects: Some(of), form_data, .. }) => {
                if let Some(Fact::Intake { form_data: before, .. }) = known.get(of).map(|of| &of.fact) {
                    form_data.clone_from(before);
                }
            }
            (Self::MovedSlot, Fact::Intake { corrects: Some(of), occurrence: Some(occurrence), at, .. }) => {
                let before = known.get(of).map(|of| of.fact.at());
                if let (Slot::Utc(slot), When::Instant(at), Some(When::Instant(was))) =
                    (&mut occurrence.slot, at, before)
                {
                    *slot += at.duration_since(was);
                }
            }
            (Self::OnePause, Fact::Pause { at, .. }) => {
                let fact = Fact::Resume { item: None, at: *at };
                before = Some(Record { id: beside, recorded_at: record.recorded_at, fact });
                let before = before.as_mut().unwrap();
                // The resume has to be the older of the two.
                std::mem::swap(&mut before.id, &mut read_back.id);
            }
            _ => {}
        }
        before.into_iter().chain([read_back]).map(Arc::new).collect()
    }

    /// What is read of a schedule; `since` is when each item was first read.
    pub(super) fn on_schedule(
        self,
        specs: &BTreeMap<Item, Spec>,
        since: &BTreeMap<Item, Date>,
        today: Date,
    ) -> String {
        let changed = |(item, spec): (&Item, &Spec)| {
            let mut spec = spec.clone();
            match self {
                Self::MovedAnchor => {
                    let is_interval = matches!(spec.rule, Rule::Times { every: Some(_), .. });
                    let moved = Some(today).filter(|today| is_interval && since[item] < *today);
                    spec.from = spec.from.or(moved);
                }
                Self::NoTaper => spec.taper.clear(),
                Self::LateIsShown => spec.late_is_missed = false,
                _ => {}
            }
            spec.toml(*item)
        };
        specs.iter().map(changed).collect()
    }
}
