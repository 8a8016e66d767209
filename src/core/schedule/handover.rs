//! An edit during a day: which slots of the new regimen stand, as what was answered or is open that day counts for the slot that took its place.
//!
//! The slots of the day under both regimens are paired: those of the same time, and the others in order. Where the old one was
//! answered or is open, it stays and the new one is left out; where it had not come, the new one takes its place, at once if its time
//! has passed.

use jiff::Timestamp;
use jiff::civil::Date;

use super::chain::Chain;
use super::history::{History, Standing};
use super::{Occurrence, Regimen, Slot, ZoneHistory};

/// What becomes of the slots that a regimen plans on the day on which it follows another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Handover {
    turns: Vec<Turn>,
}

/// A slot of the new regimen on that day.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Turn {
    occurrence: Occurrence,
    /// Another slot of the day stands for it.
    left_out: bool,
    /// It was answered or open before, by itself or by what stands for it.
    settled: bool,
    /// Its time had passed when it was planned, and it takes the place of one that had not come.
    at_once: bool,
}

impl Handover {
    /// Tells whether another slot stands for one that the regimen plans.
    pub(super) fn leaves_out(&self, slot: Slot) -> bool {
        self.turns.iter().any(|turn| turn.left_out && turn.occurrence.id.slot == slot)
    }

    /// Returns what is due although its time had passed when the regimen was read.
    pub(super) fn at_once(&self) -> impl Iterator<Item = &Occurrence> {
        self.turns.iter().filter(|turn| turn.at_once).map(|turn| &turn.occurrence)
    }

    /// Returns what becomes of the slots of the newest of some regimens of an item, given all of them that were before.
    pub(super) fn of(regimens: &[Regimen], zones: &ZoneHistory, history: &dyn History) -> Self {
        let [.., before, next] = regimens else { return Self::default() };
        // What a relative rule counts from has the slots of the regimen before in it already.
        if before.closed.is_none_or(|closed| closed < start_of_day(next, zones))
            || !before.has_held()
            || next.item.rule.is_relative()
        {
            return Self::default();
        }
        let date = day_of(next, zones);
        let earlier = if day_of(before, zones) == date {
            Self::of(&regimens[..regimens.len() - 1], zones, history)
        } else {
            Self::default()
        };
        let old: Vec<OldTurn> = slots_of(before, date, zones)
            .into_iter()
            .map(|occurrence| OldTurn::new(occurrence, before, next.opened, &earlier, history))
            .collect();
        let mut turns: Vec<Turn> = slots_of(next, date, zones).into_iter().map(Turn::new).collect();
        for (old, new) in pairs(&old, &turns) {
            turns[new].follow(&old, next.opened);
        }
        Self { turns }
    }
}

impl Turn {
    fn new(occurrence: Occurrence) -> Self {
        Self { occurrence, left_out: false, settled: false, at_once: false }
    }

    fn follow(&mut self, old: &OldTurn, edited: Timestamp) {
        match old.state {
            OldState::Settled => {
                self.settled = true;
                self.left_out = old.left_out || old.occurrence.id.slot != self.occurrence.id.slot;
            }
            OldState::Upcoming => self.at_once = self.occurrence.at < edited,
            OldState::Over => {}
        }
    }
}

/// A slot of the regimen before on that day.
#[derive(Clone, Debug)]
struct OldTurn {
    occurrence: Occurrence,
    state: OldState,
    left_out: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OldState {
    /// It was answered or open at the edit, by itself or by what stands for it.
    Settled,
    /// It had not come.
    Upcoming,
    /// It was over without an answer, or was never planned.
    Over,
}

impl OldTurn {
    fn new(
        occurrence: Occurrence,
        regimen: &Regimen,
        edited: Timestamp,
        earlier: &Handover,
        history: &dyn History,
    ) -> Self {
        let before = earlier.turns.iter().find(|turn| turn.occurrence.id.slot == occurrence.id.slot);
        let left_out = before.is_some_and(|turn| turn.left_out);
        let was_planned = regimen.plans_from <= occurrence.at || before.is_some_and(|turn| turn.at_once);
        let had_come = regimen.closed.is_none_or(|closed| occurrence.at <= closed);
        let standing = history.standing(&occurrence, regimen.item.grace, edited);
        let state = if before.is_some_and(|turn| turn.settled) || standing == Standing::Answered {
            OldState::Settled
        } else if !had_come {
            OldState::Upcoming
        } else if was_planned && standing == Standing::Open {
            OldState::Settled
        } else {
            OldState::Over
        };
        Self { occurrence, state, left_out }
    }
}

/// Pairs the slots of a day under two regimens: those of the same time, then the others in order.
fn pairs(old: &[OldTurn], new: &[Turn]) -> Vec<(OldTurn, usize)> {
    let slot = |turn: &Turn| turn.occurrence.id.slot;
    let is_kept = |old: &&OldTurn| new.iter().any(|turn| slot(turn) == old.occurrence.id.slot);
    let (kept, gone): (Vec<&OldTurn>, Vec<&OldTurn>) = old.iter().partition(is_kept);
    let same = kept.iter().filter_map(|old| {
        Some(((*old).clone(), new.iter().position(|turn| slot(turn) == old.occurrence.id.slot)?))
    });
    let is_new = |turn: &Turn| kept.iter().all(|old| old.occurrence.id.slot != slot(turn));
    let others = (0..new.len()).filter(|n| is_new(&new[*n]));
    same.chain(gone.into_iter().cloned().zip(others)).collect()
}

/// Returns the local day on which a regimen was read.
fn day_of(regimen: &Regimen, zones: &ZoneHistory) -> Date {
    regimen.item.zones(zones).date_at(regimen.opened)
}

fn start_of_day(regimen: &Regimen, zones: &ZoneHistory) -> Timestamp {
    regimen.item.zones(zones).midnight(day_of(regimen, zones)).unwrap_or(Timestamp::MIN)
}

/// Returns what a regimen plans on a local day, whether it lasts all day or not.
fn slots_of(regimen: &Regimen, date: Date, zones: &ZoneHistory) -> Vec<Occurrence> {
    let own = regimen.item.zones(zones);
    let next = date.tomorrow().ok().and_then(|next| own.midnight(next));
    let (Some(begins), Some(ends)) = (own.midnight(date), next) else {
        return Vec::new();
    };
    let mut slots = regimen.planned(zones, &Chain::default(), begins, ends);
    // What a flight leapt over is due on landing, and is of the day before.
    slots.retain(|occurrence| own.date_of(occurrence.id.slot) == date);
    slots
}
