//! The reference model: what is so, worked out from the list of operations and from nothing else.
//!
//! It keeps what was written down, in the order of writing, and looks all of it over for each question. It
//! must not know the core: neither its types nor what it answered.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::calendar::{Zones, times_on};
use super::life::{Deed, Happened, Item, Line, Op, OpId, Outcome, Rule, Slot, Spec};
use super::plans::Regimen;

/// What was written down.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Whose journal it is in; 0 is this one's.
    pub(super) device: u8,
    pub(super) recorded: Timestamp,
    /// The operation that it came from; 0 is none.
    pub(super) op: OpId,
    pub(super) what: Happened,
}

/// One occurrence.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Occurrence {
    pub(super) slot: Slot,
    pub(super) at: Timestamp,
    /// The regimen that it belongs to, by its place.
    pub(super) regimen: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Upcoming,
    Due,
    Taken,
    Partial,
    Skipped,
    Missed,
    Unknown,
    Excused,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) now: Timestamp,
    pub(super) server: bool,
    /// Between which times of the day nothing shows.
    pub(super) quiet: Option<(Time, Time)>,
    pub(super) zones: Zones,
    pub(super) regimens: BTreeMap<Item, Vec<Regimen>>,
    pub(super) log: Vec<Entry>,
    /// Where the log speaks of a slot.
    pub(super) about: BTreeMap<(Item, Slot), Vec<usize>>,
    /// Where it speaks of pauses, and of intakes.
    pub(super) pauses: Vec<usize>,
    pub(super) intakes: Vec<usize>,
    pub(super) by_op: HashMap<OpId, usize>,
    /// The undoings of an operation, and the revisions of an answer beside the first.
    pub(super) undone_by: HashMap<OpId, Vec<OpId>>,
    pub(super) revisions: HashMap<OpId, Vec<OpId>>,
}

impl Model {
    pub(super) fn new(now: Timestamp, zone: usize) -> Self {
        Self {
            now,
            server: true,
            quiet: None,
            zones: Zones(vec![(now, zone)]),
            regimens: BTreeMap::new(),
            log: Vec::new(),
            about: BTreeMap::new(),
            pauses: Vec::new(),
            intakes: Vec::new(),
            by_op: HashMap::new(),
            undone_by: HashMap::new(),
            revisions: HashMap::new(),
        }
    }

    /// Lives through one operation, and says what became of the request.
    pub(super) fn step(&mut self, op: &Op) -> Outcome {
        if self.now < op.at {
            self.ask(self.now, op.at);
            self.now = op.at;
        }
        let outcome = match &op.deed {
            Deed::Answer { .. } => self.answer(op),
            Deed::Undo(of) => self.undo(op.id, *of),
            Deed::Correct { of, at, amount, form } => self.correct(op.id, *of, *at, *amount, *form),
            Deed::Pause { item, from, until } => self.pause(op.id, *item, *from, *until),
            Deed::Resume(item) => self.resume(op.id, *item),
            Deed::Stock { item, counted, doses } => self.count(op.id, *item, *counted, *doses),
            Deed::Edit(item, spec) => {
                if self.current(*item) != spec.as_ref() {
                    self.write(0, Happened::Edit(*item, spec.clone()));
                }
                Outcome::None
            }
            Deed::Travel(zone) => {
                if self.zones.0.last().unwrap().1 != *zone {
                    self.write(0, Happened::Travel(*zone));
                }
                Outcome::None
            }
            Deed::Clock(to) => {
                self.now = *to;
                self.read_again();
                Outcome::None
            }
            Deed::Server(there) => {
                self.server = *there;
                Outcome::None
            }
            Deed::Arrival(device, lines) => {
                self.arrive(*device, lines);
                Outcome::None
            }
            Deed::Quiet(quiet) => {
                self.quiet = *quiet;
                Outcome::None
            }
            // A write that is refused is no fact.
            Deed::FullDisk(deed) => {
                let mut other = self.clone();
                match other.step(&Op { deed: (**deed).clone(), ..op.clone() }) {
                    Outcome::Recorded(_) => Outcome::Refused("not recorded"),
                    outcome => outcome,
                }
            }
            // What is written down is a fact, whoever heard of it.
            Deed::Kill(deed) => {
                self.step(&Op { deed: (**deed).clone(), ..op.clone() });
                Outcome::None
            }
            Deed::Restart | Deed::Wait => Outcome::None,
        };
        self.ask(self.now, self.now);
        outcome
    }

    pub(super) fn write(&mut self, op: OpId, what: Happened) {
        self.write_at(self.now, op, what);
    }

    pub(super) fn write_at(&mut self, recorded: Timestamp, op: OpId, what: Happened) {
        self.enter(Entry { device: 0, recorded, op, what });
    }

    /// Lines of another device: everything is looked at anew, in the order of writing.
    fn arrive(&mut self, device: u8, lines: &[Line]) {
        let mut journals: BTreeMap<u8, VecDeque<Entry>> = BTreeMap::new();
        for entry in std::mem::take(&mut self.log) {
            journals.entry(entry.device).or_default().push_back(entry);
        }
        for Line { op, recorded, what } in lines {
            if what.refers_to().is_none_or(|of| self.by_op.contains_key(&of)) {
                let entry = Entry { device, recorded: *recorded, op: *op, what: what.clone() };
                journals.entry(device).or_default().push_back(entry);
            }
        }
        let mut anew = Self::new(self.zones.0[0].0, self.zones.0[0].1);
        (anew.server, anew.quiet) = (self.server, self.quiet);
        // By their clocks, and never a journal's own lines out of their order.
        while let Some((_, device)) =
            journals.iter().filter_map(|(device, lines)| Some((lines.front()?.recorded, *device))).min()
        {
            let entry = journals.get_mut(&device).and_then(VecDeque::pop_front).unwrap();
            anew.now = entry.recorded;
            anew.enter(entry);
        }
        anew.now = self.now;
        *self = anew;
    }

    fn enter(&mut self, entry: Entry) {
        let Entry { op, what, .. } = &entry;
        let (op, place, mut is_pause) = (*op, self.log.len(), false);
        let about = match what {
            Happened::Intake { item, slot, .. } => slot.map(|slot| (*item, slot)),
            Happened::Skip { item, slot, .. }
            | Happened::Snooze { item, slot, .. }
            | Happened::Shown { item, slot }
            | Happened::NotShown { item, slot } => Some((*item, *slot)),
            Happened::Undo { about, .. } => *about,
            _ => None,
        };
        if let Some(about) = about {
            self.about.entry(about).or_default().push(place);
        }
        match what {
            Happened::Undo { of, .. } => self.undone_by.entry(*of).or_default().push(op),
            Happened::Intake { corrects: Some(of), .. } | Happened::Skip { corrects: Some(of), .. } => {
                let root = self.root(*of);
                self.revisions.entry(root).or_default().push(op);
            }
            _ => {}
        }
        match what {
            Happened::Pause { .. } | Happened::Resume(_) => is_pause = true,
            Happened::Intake { .. } => self.intakes.push(place),
            Happened::Edit(item, spec) => self.edit(*item, spec.clone()),
            Happened::Travel(zone) => self.zones.change(entry.recorded, *zone),
            _ => {}
        }
        if op != 0 {
            self.by_op.insert(op, place);
        }
        self.log.push(entry);
        if is_pause {
            self.pauses.push(place);
            self.pauses = self.in_order(self.pauses.iter().copied());
        }
    }

    /// The order in which some entries count: by their clocks, but never a journal's own out of their order.
    pub(super) fn in_order(&self, places: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut journals: BTreeMap<u8, VecDeque<usize>> = BTreeMap::new();
        for place in places {
            journals.entry(self.log[place].device).or_default().push_back(place);
        }
        let mut ordered = Vec::new();
        while let Some(next) = journals.values().filter_map(|journal| journal.front()).min_by_key(|place| {
            let entry = &self.log[**place];
            (entry.recorded, entry.device)
        }) {
            let next = *next;
            ordered.push(next);
            journals.get_mut(&self.log[next].device).unwrap().pop_front();
        }
        ordered
    }

    pub(super) fn written(&self, op: OpId) -> Option<&Entry> {
        Some(&self.log[*self.by_op.get(&op)?])
    }

    pub(super) fn about(&self, item: Item, slot: Slot) -> impl Iterator<Item = &Entry> {
        self.about.get(&(item, slot)).into_iter().flatten().map(|place| &self.log[*place])
    }

    /// Every occurrence of an item whose instant lies in `[from, until]`, by its time.
    pub(super) fn occurrences(&self, item: Item, from: Timestamp, until: Timestamp) -> Vec<Occurrence> {
        let Some(regimens) = self.regimens.get(&item) else { return Vec::new() };
        let mut found: BTreeMap<Slot, Occurrence> = BTreeMap::new();
        let day = |at: Timestamp, days: i64| {
            self.zones.at(at).to_datetime(at).date().checked_add(days.days()).unwrap()
        };
        for (place, regimen) in regimens.iter().enumerate().filter(|(_, regimen)| regimen.has_held()) {
            if matches!(regimen.spec.rule, Rule::Elapsed { .. } | Rule::AfterLast { .. }) {
                for (slot, at) in self.chain(item, regimen, until) {
                    let day = self.zones.date_for(&regimen.spec, at);
                    let is_on = regimen.spec.from.is_none_or(|from| from <= day)
                        && regimen.spec.until.is_none_or(|until| day <= until);
                    if from <= at && is_on && regimen.plans(slot, at) {
                        found.entry(slot).or_insert(Occurrence { slot, at, regimen: place });
                    }
                }
                continue;
            }
            let mut date = day(from.max(regimen.begins), -2);
            let last = day(regimen.closed.map_or(until, |closed| closed.min(until)), 2);
            while date <= last {
                for (slot, at) in self.slots_on(&regimen.spec, regimen.anchor, date) {
                    if from <= at && at <= until && regimen.plans(slot, at) {
                        found.entry(slot).or_insert(Occurrence { slot, at, regimen: place });
                    }
                }
                date = date.tomorrow().unwrap();
            }
        }
        // No zone is further than two days from what is written.
        let two_days = SignedDuration::from_hours(50);
        let (first, last) = (from - two_days, until + two_days);
        let written = |at: Timestamp| (item, Slot::Civil(jiff::tz::TimeZone::UTC.to_datetime(at)));
        let civil = self.about.range(written(first)..=written(last));
        let utc = self.about.range((item, Slot::Utc(first))..=(item, Slot::Utc(last)));
        for ((_, slot), places) in civil.chain(utc) {
            let first = places.iter().map(|place| self.log[*place].recorded).min().unwrap();
            let planned = found.get(slot).map(|occurrence| occurrence.regimen);
            let regimen = self.regimen_of_pinned(item, *slot, planned, first);
            let at = self.instant_of(&regimens[regimen].spec, *slot);
            if from <= at && at <= until {
                found.insert(*slot, Occurrence { slot: *slot, at, regimen });
            }
        }
        let mut found: Vec<_> = found.into_values().collect();
        found.sort_by_key(|occurrence| (occurrence.at, occurrence.slot));
        found
    }

    /// A slot that something names belongs to the regimen that plans it, else to the one that held when that was written, or when its
    /// time came before that.
    fn regimen_of_pinned(&self, item: Item, slot: Slot, planned: Option<usize>, first: Timestamp) -> usize {
        let regimens = &self.regimens[&item];
        let held = |regimen: &Regimen| regimen.opened <= self.instant_of(&regimen.spec, slot).min(first);
        let newest = || regimens.iter().rposition(held);
        let oldest = || regimens.iter().position(Regimen::has_held).unwrap_or(0);
        planned.or_else(newest).unwrap_or_else(oldest)
    }

    fn instant_of(&self, spec: &Spec, slot: Slot) -> Timestamp {
        match slot {
            Slot::Civil(local) => self.zones.instant_for(spec, local),
            Slot::Utc(at) => at,
        }
    }

    pub(super) fn slots_on(&self, spec: &Spec, anchor: Date, date: Date) -> Vec<(Slot, Timestamp)> {
        let locals = times_on(spec, anchor, date).into_iter().map(|time| date.to_datetime(time));
        locals.map(|local| (Slot::Civil(local), self.zones.instant_for(spec, local))).collect()
    }

    pub(super) fn find(&self, item: Item, slot: Slot) -> Option<Occurrence> {
        let near = match slot {
            Slot::Civil(local) => jiff::tz::TimeZone::UTC.to_timestamp(local).ok()?,
            Slot::Utc(at) => at,
        };
        let days = SignedDuration::from_hours(72);
        self.occurrences(item, near - days, near + days)
            .into_iter()
            .find(|occurrence| occurrence.slot == slot)
    }

    pub(super) fn spec_of(&self, item: Item, occurrence: &Occurrence) -> &Spec {
        &self.regimens[&item][occurrence.regimen].spec
    }

    pub(super) fn snoozed_until(&self, item: Item, slot: Slot) -> Option<Timestamp> {
        let about = self.about.get(&(item, slot)).into_iter().flatten().copied();
        let counts = about.filter(|place| {
            let entry = &self.log[*place];
            match entry.what {
                Happened::Intake { .. } | Happened::Skip { .. } => self.is_effective(entry.op),
                _ => !self.is_undone(entry.op),
            }
        });
        let newest_first = self.in_order(counts).into_iter().rev();
        newest_first.map(|place| &self.log[place].what).find_map(|what| match what {
            Happened::Snooze { until, .. } => Some(*until),
            _ => None,
        })
    }

    /// When an occurrence can no longer be answered without naming it.
    pub(super) fn closes_at(&self, item: Item, occurrence: &Occurrence) -> Timestamp {
        let grace = SignedDuration::from_mins(self.spec_of(item, occurrence).grace_minutes);
        let after = self.snoozed_until(item, occurrence.slot);
        let after = after.map(|until| until + grace.min(SignedDuration::from_hours(1)));
        after.unwrap_or(Timestamp::MIN).max(occurrence.at + grace)
    }

    pub(super) fn state(&self, item: Item, occurrence: &Occurrence) -> State {
        self.state_at(item, occurrence, self.now)
    }

    /// The state at an instant, with what is known now.
    pub(super) fn state_at(&self, item: Item, occurrence: &Occurrence, now: Timestamp) -> State {
        if let Some(answer) = self.answer_of(item, occurrence.slot) {
            return match self.written(answer).unwrap().what {
                Happened::Intake { amount: Some(amount), planned: Some(planned), .. } if amount < planned => {
                    State::Partial
                }
                Happened::Intake { .. } => State::Taken,
                _ => State::Skipped,
            };
        }
        let closes = self.closes_at(item, occurrence);
        let is_dropped = || self.dropped_at(item, occurrence, closes).is_some_and(|dropped| dropped <= now);
        if self.is_paused(item, occurrence.at) || is_dropped() {
            State::Excused
        } else if now < occurrence.at {
            State::Upcoming
        } else if now < closes {
            State::Due
        } else {
            let mut asked = self
                .about(item, occurrence.slot)
                .filter(|entry| matches!(entry.what, Happened::Shown { .. }));
            if asked.any(|entry| occurrence.at <= entry.recorded) { State::Missed } else { State::Unknown }
        }
    }

    /// Pauses are intervals. A resume ends those that were written before it.
    pub(super) fn is_paused(&self, item: Item, at: Timestamp) -> bool {
        let concerns = |of: &Option<Item>| of.is_none_or(|of| of == item);
        self.pauses.iter().enumerate().any(|(i, place)| match &self.log[*place].what {
            Happened::Pause { item: of, from, until } if concerns(of) => {
                let later = self.pauses[i..].iter().map(|place| &self.log[*place]);
                let resumed =
                    later.filter(|later| matches!(&later.what, Happened::Resume(of) if concerns(of)));
                let until = resumed.map(|later| later.recorded).chain(*until).min();
                *from <= at && until.is_none_or(|until| at < until)
            }
            _ => false,
        })
    }
}
