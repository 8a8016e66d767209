//! What a rule counts from that is relative to the last intake: intakes, and the slots that keep their place.
//!
//! Between one intake and the next lies a stretch. A rule fills it from the intake before; what would come nearer than half a step to a
//! slot in it that keeps its place is that slot's turn, and is left out.

use jiff::{SignedDuration, Timestamp};

/// The intakes of an item and the slots that keep their place, both in order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    doses: Vec<Timestamp>,
    turns: Vec<Turn>,
}

/// A slot that keeps its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    /// When it is due.
    pub at: Timestamp,
    /// When the intake was that answers it.
    pub answered: Option<Timestamp>,
}

/// The time between two intakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The intake that it begins with; none before the first.
    pub dose: Option<Timestamp>,
    /// Its last instant, which is that of the next intake.
    pub ends: Timestamp,
    /// What is planned in it comes after this.
    pub floor: Option<Timestamp>,
    /// The slots in it that keep their place.
    pub turns: Vec<Timestamp>,
}

impl Stretch {
    /// Returns the first instant at which something can be planned in it.
    pub(super) fn first(&self) -> Timestamp {
        self.floor.map_or(Timestamp::MIN, just_after)
    }

    /// Returns the first instant from which on nothing can be planned in it.
    pub(super) fn end(&self) -> Timestamp {
        just_after(self.ends)
    }
}

/// Returns the first instant after another.
pub(super) fn just_after(at: Timestamp) -> Timestamp {
    at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX)
}

impl Chain {
    pub(super) fn new(mut doses: Vec<Timestamp>, mut turns: Vec<Turn>) -> Self {
        doses.sort_unstable();
        doses.dedup();
        turns.sort_unstable();
        Self { doses, turns }
    }

    /// Adds a slot that keeps its place, unless it is there.
    pub(super) fn insert(&mut self, turn: Turn) {
        let place = self.turns.partition_point(|before| before.at < turn.at);
        if self.turns.get(place).is_none_or(|known| known.at != turn.at) {
            self.turns.insert(place, turn);
        }
    }

    /// Returns the stretches that reach into `[from, ∞)`, in order.
    pub(super) fn stretches(&self, from: Timestamp) -> Vec<Stretch> {
        let first = self.doses.partition_point(|dose| *dose < from);
        let dose = |n: usize| self.doses.get(n).copied();
        let mut stretches: Vec<Stretch> = (first..=self.doses.len())
            .map(|n| Stretch {
                dose: n.checked_sub(1).and_then(dose),
                ends: dose(n).unwrap_or(Timestamp::MAX),
                floor: None,
                turns: Vec::new(),
            })
            .collect();
        let mut floor = None;
        for turn in &self.turns {
            // One that was taken belongs to the stretch that its intake ends.
            let ends = turn.answered.unwrap_or(turn.at);
            let n = self.doses.partition_point(|dose| *dose < ends);
            match n.checked_sub(first).and_then(|n| stretches.get_mut(n)) {
                Some(stretch) => stretch.turns.push(turn.at),
                None => floor = floor.max(Some(turn.at)),
            }
        }
        for stretch in &mut stretches {
            stretch.floor = floor;
            floor = floor.max(stretch.turns.last().copied());
        }
        stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    #[test]
    fn a_slot_belongs_to_the_stretch_that_its_intake_ends() {
        let turn = |hour, answered: Option<i64>| Turn { at: at(hour), answered: answered.map(at) };
        let chain = Chain::new(
            vec![at(16), at(8)],
            // Answered in time, ahead of its time, and not at all.
            vec![turn(24, None), turn(7, Some(8)), turn(17, Some(16))],
        );
        let stretch = |dose: Option<i64>, ends, floor: Option<i64>, turns: &[i64]| Stretch {
            dose: dose.map(at),
            ends,
            floor: floor.map(at),
            turns: turns.iter().copied().map(at).collect(),
        };
        let all = [
            stretch(None, at(8), None, &[7]),
            stretch(Some(8), at(16), Some(7), &[17]),
            stretch(Some(16), Timestamp::MAX, Some(17), &[24]),
        ];
        assert_eq!(chain.stretches(at(0)), all);
        assert_eq!(chain.stretches(at(16)), all[1..]);
        assert_eq!(chain.stretches(at(17)), all[2..]);
        assert_eq!(Chain::default().stretches(at(0)), [stretch(None, Timestamp::MAX, None, &[])]);
    }

    #[test]
    fn a_slot_is_inserted_once() {
        let mut chain = Chain::default();
        for hour in [9, 8, 9] {
            chain.insert(Turn { at: at(hour), answered: None });
        }
        assert_eq!(chain.stretches(at(0))[0].turns, [at(8), at(9)]);
    }
}
