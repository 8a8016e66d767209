//! What follows from the states: what is left, how regularly, how long in a row.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};

use super::life::{Happened, Item, Slot, When};
use super::model::{Model, Occurrence, State};

/// How an item was kept up over a range of days; the formulas are those of DOMAIN.md.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Measures {
    pub(super) planned: u32,
    pub(super) eligible: u32,
    pub(super) taken: u32,
    pub(super) partial: u32,
    pub(super) skipped: u32,
    pub(super) missed: u32,
    pub(super) unknown: u32,
    pub(super) excused: u32,
    pub(super) extra: u32,
    pub(super) streak: u32,
    pub(super) longest: u32,
    pub(super) of_the_last: [u32; 2],
    /// Days with everything taken, with anything, and all that are eligible.
    pub(super) days: [u32; 3],
    /// Taken in time, and taken at a known time.
    pub(super) timing: [u32; 2],
}

impl Model {
    pub(super) fn date_of(&self, item: Item, occurrence: &Occurrence) -> Date {
        match occurrence.slot {
            Slot::Civil(local) => local.date(),
            Slot::Utc(at) => self.zones.date_for(self.spec_of(item, occurrence), at),
        }
    }

    /// Over the local dates `[since, until)`.
    pub(super) fn measures(&self, item: Item, since: Date, until: Date) -> Measures {
        let (from, to) = (self.zones.midnight(since, self.now), self.zones.midnight(until, self.now));
        let mut found = Measures::default();
        let mut days: BTreeMap<Date, Vec<State>> = BTreeMap::new();
        for occurrence in self.occurrences(item, from, to - SignedDuration::from_secs(1)) {
            let mut state = self.state(item, &occurrence);
            if self.is_paused(item, occurrence.at) {
                found.extra += u32::from(matches!(state, State::Taken | State::Partial));
                state = State::Excused;
            }
            if state == State::Taken {
                let answer = self.written(self.answer_of(item, occurrence.slot).unwrap()).unwrap();
                if let Happened::Intake { at: When::Instant(at), .. } = answer.what {
                    let is_near = at.duration_since(occurrence.at).abs() <= SignedDuration::from_mins(120);
                    found.timing = [found.timing[0] + u32::from(is_near), found.timing[1] + 1];
                }
            }
            days.entry(self.date_of(item, &occurrence)).or_default().push(state);
        }
        found.extra += self.beside_the_plan(item, since, until, from, to);
        let all: Vec<State> = days.values().flatten().copied().collect();
        let count = |state: State| all.iter().filter(|other| **other == state).count() as u32;
        found.planned = all.len() as u32;
        found.taken = count(State::Taken);
        found.partial = count(State::Partial);
        found.skipped = count(State::Skipped);
        found.missed = count(State::Missed);
        found.unknown = count(State::Unknown);
        found.excused = count(State::Excused);
        found.eligible = found.planned - found.excused - count(State::Due) - count(State::Upcoming);
        found.count_days(&days);
        found
    }

    fn beside_the_plan(&self, item: Item, since: Date, until: Date, from: Timestamp, to: Timestamp) -> u32 {
        let is_on = |date: Date| since <= date && date < until;
        let beside = self.intakes(item).filter(|(at, op)| {
            let Happened::Intake { slot, .. } = self.written(*op).unwrap().what else { return false };
            match (slot, at) {
                (None, When::Instant(at)) => from <= *at && *at < to,
                (None, When::Date(date)) => is_on(*date),
                (Some(slot), _) => {
                    let is_in = match slot {
                        Slot::Civil(local) => is_on(local.date()),
                        Slot::Utc(at) => from <= at && at < to,
                    };
                    is_in && self.answer_of(item, slot) != Some(*op)
                }
            }
        });
        beside.count() as u32
    }

    /// How many doses are left of what is counted.
    pub(super) fn stock(&self, item: Item) -> Option<u32> {
        let regimens = self.regimens.get(&item)?;
        let have = regimens.last()?.spec.stock?;
        let since = regimens
            .iter()
            .filter(|regimen| regimen.has_held())
            .rev()
            .take_while(|regimen| regimen.spec.stock == Some(have))
            .last()?
            .opened;
        let mut changes: Vec<(Timestamp, usize)> = Vec::new();
        for (place, entry) in self.log.iter().enumerate() {
            let at = match entry.what {
                Happened::Intake { item: of, at, .. } if of == item && self.is_effective(entry.op) => {
                    match at {
                        When::Instant(at) => at,
                        When::Date(date) => self.end_of(date).min(entry.recorded),
                    }
                }
                Happened::Stock { item: of, .. } if of == item && !self.is_undone(entry.op) => entry.recorded,
                _ => continue,
            };
            if since <= at {
                changes.push((at, place));
            }
        }
        changes.sort_unstable();
        let spec = &regimens.last()?.spec;
        let dose_at = |at: Timestamp| {
            let day = self.zones.at(at).to_datetime(at).date();
            let step = spec.taper.iter().rev().find(|(from, _)| *from <= day);
            step.map(|(_, dose)| *dose).or(spec.dose)
        };
        let mut left = i64::from(have);
        for (at, place) in changes {
            match self.log[place].what {
                Happened::Intake { amount: Some(amount), planned, .. } => {
                    let dose = planned.or_else(|| dose_at(at));
                    left -= dose.map_or(1, |dose| i64::from(amount.div_ceil(dose)));
                }
                Happened::Stock { counted: true, doses, .. } => left = i64::from(doses),
                Happened::Stock { doses, .. } => left += i64::from(doses),
                _ => left -= 1,
            }
        }
        Some(left.max(0) as u32)
    }

    /// The last second of a local day.
    pub(super) fn end_of(&self, date: Date) -> Timestamp {
        self.zones.instant(date.tomorrow().unwrap().to_datetime(Time::midnight()))
            - SignedDuration::from_secs(1)
    }
}

impl Measures {
    fn count_days(&mut self, days: &BTreeMap<Date, Vec<State>>) {
        // Of each day that has something to count, newest first: whether it was fully covered; an open one does not count.
        let mut covered = Vec::new();
        for states in days.values().rev() {
            let is_open = states.iter().any(|state| matches!(state, State::Due | State::Upcoming));
            let eligible =
                states.iter().filter(|state| !matches!(state, State::Excused | State::Due | State::Upcoming));
            let eligible: Vec<_> = eligible.collect();
            let is_full = eligible.iter().all(|state| **state == State::Taken);
            if eligible.is_empty() {
                continue;
            }
            let any = eligible.iter().any(|state| matches!(state, State::Taken | State::Partial));
            self.days = [self.days[0] + u32::from(is_full), self.days[1] + u32::from(any), self.days[2] + 1];
            if !is_open {
                covered.push(is_full);
            }
        }
        self.streak = covered.iter().take_while(|full| **full).count() as u32;
        self.longest = covered.split(|full| !full).map(<[bool]>::len).max().unwrap_or_default() as u32;
        let last = &covered[..covered.len().min(30)];
        self.of_the_last = [last.iter().filter(|full| **full).count() as u32, last.len() as u32];
    }
}
