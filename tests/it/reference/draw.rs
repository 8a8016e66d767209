//! Draws lives: what a person, a clock and a machine may do next, with a liking for the edges.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::life::{Deed, Form, Happened, Item, Kind, Line, Op, OpId, Rule, Slot, Verb, When, ZONES};
use super::model::{Model, Occurrence};
use crate::support::SplitMix64;

/// What is drawn; what the core is known to do otherwise is switched off here, with a line in the list of findings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    pub(super) edits: bool,
    pub(super) removals: bool,
    pub(super) past_from: bool,
    pub(super) journeys: bool,
    pub(super) server_failures: bool,
    pub(super) clock_back: bool,
    pub(super) relative: bool,
    pub(super) devices: bool,
    /// A slot of a relative rule that is named is taken at a time far from it.
    pub(super) far_answers: bool,
    /// An edit while the clock is behind what it has shown: the core compares its day by the clock, not by the order of writing.
    pub(super) edits_while_behind: bool,
    /// Check-ins and scans.
    pub(super) forms: bool,
    /// Doses that change with the day.
    pub(super) taper: bool,
    /// Quiet hours, and slots that are let go when they are noticed late.
    pub(super) quiet: bool,
    /// A full disk, and kills between the record and the reply.
    pub(super) disk: bool,
}

pub(super) const NOW: Drawn = Drawn {
    edits: true,
    removals: true,
    past_from: true,
    journeys: true,
    server_failures: true,
    clock_back: true,
    relative: true,
    devices: true,
    far_answers: true,
    edits_while_behind: false,
    forms: true,
    taper: true,
    quiet: true,
    disk: true,
};

pub(super) struct Draw {
    pub(super) lot: SplitMix64,
    pub(super) drawn: Drawn,
    pub(super) last: OpId,
    end: Timestamp,
    /// The latest time that the clock has shown.
    latest: Timestamp,
    /// When the newest line of each other device was written.
    heard: [Timestamp; 3],
}

const ITEMS: Item = 3;

fn time(hour: i8, minute: i8) -> Time {
    Time::constant(hour, minute, 0, 0)
}

impl Draw {
    pub(super) fn new(seed: u64, drawn: Drawn) -> (Self, Timestamp, usize) {
        let mut lot = SplitMix64::new(seed);
        let zone = lot.below(ZONES.len() as u64) as usize;
        let month = Date::constant(2026, 1, 1).checked_add((lot.below(120) as i64).months()).unwrap();
        let day = month.checked_add((lot.below(28) as i64).days()).unwrap();
        let minute = SignedDuration::from_mins(lot.below(24 * 60) as i64);
        let start = super::life::zone(zone).to_timestamp(day.to_datetime(Time::midnight())).unwrap() + minute;
        let days = [15, 30, 60, 120][lot.below(4) as usize];
        let end = start + SignedDuration::from_hours(24 * days);
        (Self { lot, drawn, last: 0, end, latest: start, heard: [start; 3] }, start, zone)
    }

    /// The next operation; none at the end of the life.
    pub(super) fn next(&mut self, model: &Model) -> Option<Op> {
        self.last += 1;
        if self.last <= u32::from(ITEMS) {
            let item = (self.last - 1) as Item;
            let spec = self.spec(model, None);
            return Some(self.op(model.now, Deed::Edit(item, Some(spec))));
        }
        let at = self.time(model);
        if self.end < at {
            return None;
        }
        let deed = self.deed(model, at);
        let is_behind = at <= self.latest;
        self.latest = self.latest.max(at).max(match deed {
            Deed::Clock(to) => to,
            _ => at,
        });
        let deed = match deed {
            Deed::Edit(..) if is_behind && !self.drawn.edits_while_behind => Deed::Wait,
            deed => deed,
        };
        let is_request = matches!(
            deed,
            Deed::Answer { .. } | Deed::Undo(_) | Deed::Correct { .. } | Deed::Pause { .. } | Deed::Resume(_)
        );
        let deed = match if is_request && self.drawn.disk { self.below(30) } else { 30 } {
            0 => Deed::FullDisk(Box::new(deed)),
            1 => Deed::Kill(Box::new(deed)),
            _ => deed,
        };
        Some(self.op(at, deed))
    }

    fn op(&self, at: Timestamp, deed: Deed) -> Op {
        Op { id: self.last, at, deed }
    }

    pub(super) fn below(&mut self, n: u64) -> i64 {
        self.lot.below(n) as i64
    }

    pub(super) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.lot.below(of.len() as u64) as usize].clone()
    }

    fn item(&mut self) -> Item {
        self.below(u64::from(ITEMS)) as Item
    }

    /// At once, at an edge of something planned, or some time later.
    fn time(&mut self, model: &Model) -> Timestamp {
        match self.below(10) {
            0..3 => model.now + SignedDuration::from_mins(self.below(4)),
            3..6 => {
                let item = self.item();
                let ahead = model.occurrences(
                    item,
                    model.now - SignedDuration::from_hours(12),
                    model.now + SignedDuration::from_hours(30),
                );
                if ahead.is_empty() {
                    return model.now + SignedDuration::from_hours(6);
                }
                let near = self.pick(&ahead);
                let edge = if self.lot.one_in(2) { near.at } else { model.closes_at(item, &near) };
                (edge + SignedDuration::from_mins(self.pick(&[-60, -1, 0, 0, 1, 20]))).max(model.now)
            }
            _ => model.now + SignedDuration::from_mins(self.below(14 * 60)),
        }
    }

    fn deed(&mut self, model: &Model, at: Timestamp) -> Deed {
        let item = self.item();
        match self.below(100) {
            0..46 => self.answer(model, at, item),
            46..54 => Deed::Undo(self.reference(model)),
            54..62 => {
                let of = self.reference(model);
                let when = self.lot.one_in(2).then(|| self.when(model, at, item)).flatten();
                let amount = (when.is_none() || self.lot.one_in(2)).then(|| self.pick(&[125, 250, 500, 750]));
                let form = amount.and_then(|_| self.form(model, item));
                let amount = amount.filter(|_| form.is_none() || self.lot.one_in(6));
                Deed::Correct { of, at: when, amount, form }
            }
            62..67 => self.pause(at, item),
            67..70 => Deed::Resume(self.lot.one_in(2).then_some(item)),
            70..74 => Deed::Stock { item, counted: self.lot.one_in(2), doses: self.below(40) as u32 },
            74..78 => Deed::Restart,
            79..81 => {
                let hours = if self.lot.one_in(4) { self.below(100) } else { self.below(10) };
                Deed::Clock(at + SignedDuration::from_mins(hours * 60 + self.below(60)))
            }
            81..84 if self.drawn.clock_back => {
                Deed::Clock(at - SignedDuration::from_mins(self.below(20 * 60)))
            }
            84..86 if self.drawn.journeys => Deed::Travel(self.below(ZONES.len() as u64) as usize),
            86..90 if self.drawn.server_failures => Deed::Server(!model.server),
            78 if self.drawn.devices => self.arrival(model, at),
            90..95 if self.drawn.edits => self.edit(model, item),
            96 if self.drawn.quiet => {
                let hours =
                    [(time(22, 0), time(7, 0)), (time(12, 30), time(15, 0)), (time(5, 0), time(20, 30))];
                Deed::Quiet((!self.lot.one_in(3)).then(|| self.pick(&hours)))
            }
            95 if self.drawn.removals && model.current(item).is_some() => Deed::Edit(item, None),
            _ => Deed::Wait,
        }
    }

    fn answer(&mut self, model: &Model, at: Timestamp, item: Item) -> Deed {
        let hours = SignedDuration::from_hours;
        let near = model.occurrences(item, at - hours(72), at + hours(30));
        let is_relative = model.regimens[&item]
            .iter()
            .any(|regimen| matches!(regimen.spec.rule, Rule::Elapsed { .. } | Rule::AfterLast { .. }));
        let is_near_only = is_relative && !self.drawn.far_answers;
        let come = near.iter().filter(|known| known.at <= at).count();
        let near = if is_near_only { &near[..(come + 1).min(near.len())] } else { &near[..] };
        let slot = match self.below(10) {
            0..4 if !near.is_empty() => Some(self.pick(near).slot),
            4 if !near.is_empty() && self.lot.one_in(4) => Some(self.wrong_slot(near)),
            _ => None,
        };
        let verb =
            self.pick(&[Verb::Take, Verb::Take, Verb::Take, Verb::Take, Verb::Skip, Verb::Snooze, Verb::Log]);
        let when = match verb {
            Verb::Snooze => None,
            _ => self.lot.one_in(3).then(|| self.when(model, at, item)).flatten(),
        };
        let when = when.filter(|_| !is_near_only || slot.is_none());
        let amount = matches!(verb, Verb::Take | Verb::Log) && self.lot.one_in(3);
        let amount = amount.then(|| self.pick(&[125, 250, 500, 750]));
        let length = (verb == Verb::Snooze && self.lot.one_in(2)).then(|| self.pick(&[5, 15, 60, 300, 1000]));
        let form = matches!(verb, Verb::Take | Verb::Log).then(|| self.form(model, item)).flatten();
        Deed::Answer { verb, item, slot, at: when, amount, form, length, confirmed: self.lot.one_in(4) }
    }

    /// What is filled in; now and then the form of another item.
    fn form(&mut self, model: &Model, item: Item) -> Option<Form> {
        if !self.drawn.forms {
            return None;
        }
        let kind = model.regimens[&item].last()?.spec.kind;
        let kind = if self.lot.one_in(20) { self.pick(&[Kind::CheckIn, Kind::Scan]) } else { kind };
        match kind {
            Kind::Supplement => None,
            Kind::CheckIn => Some(Form::CheckIn(self.below(3) as u8, self.lot.one_in(2).then_some(5))),
            Kind::Scan => Some(Form::Scan(9_000 + self.below(3) as u32)),
        }
    }

    fn wrong_slot(&mut self, near: &[Occurrence]) -> Slot {
        match self.pick(near).slot {
            Slot::Civil(local) => Slot::Civil(local.checked_add(1.minute()).unwrap()),
            Slot::Utc(at) => Slot::Utc(at + SignedDuration::from_mins(1)),
        }
    }

    /// A time that is not now: near a slot, some hours ago, or a day.
    fn when(&mut self, model: &Model, now: Timestamp, item: Item) -> Option<When> {
        let hours = SignedDuration::from_hours;
        match self.below(4) {
            0 => {
                let today = model.zones.at(now).to_datetime(now).date();
                Some(When::Date(today.checked_sub(self.pick(&[0, 0, 1, 1, 2, 5]).days()).unwrap()))
            }
            1 => {
                let near = model.occurrences(item, now - hours(50), now);
                if near.is_empty() {
                    return None;
                }
                let at =
                    self.pick(&near).at + SignedDuration::from_mins(self.pick(&[-90, -1, 0, 0, 1, 30, 200]));
                Some(When::Instant(at.min(now)))
            }
            _ => Some(When::Instant(now - SignedDuration::from_mins(self.below(30 * 60)))),
        }
    }

    /// An operation that recorded something, mostly one of the last.
    fn reference(&mut self, model: &Model) -> Option<OpId> {
        if self.lot.one_in(2) {
            return None;
        }
        let made = model.log.iter().rev().filter(|entry| {
            entry.op != 0 && (!matches!(entry.what, Happened::Pause { .. } | Happened::Resume(_)))
        });
        let made: Vec<OpId> =
            made.map(|entry| entry.op).take(if self.lot.one_in(5) { 60 } else { 6 }).collect();
        if made.is_empty() { None } else { Some(self.pick(&made)) }
    }

    /// Some lines of another device: written since the last ones, and on their way for up to days.
    fn arrival(&mut self, model: &Model, now: Timestamp) -> Deed {
        let device = 1 + self.below(2) as usize;
        let mut recorded = self.heard[device].max(now - SignedDuration::from_hours(24 * self.below(7)));
        let mut lines = Vec::new();
        for i in 0..=self.below(4) {
            let left = now.duration_since(recorded).as_mins().max(1) as u64;
            recorded = (recorded + SignedDuration::from_mins(self.below(left))).min(now);
            let op = 10_000 * self.last + i as OpId;
            if let Some(what) = self.line(model, recorded) {
                lines.push(Line { op, recorded, what });
            }
        }
        self.heard[device] = recorded;
        Deed::Arrival(device as u8, lines)
    }

    fn line(&mut self, model: &Model, recorded: Timestamp) -> Option<Happened> {
        let item = self.item();
        let hours = SignedDuration::from_hours;
        let near = model.occurrences(item, recorded - hours(40), recorded + hours(1));
        let slot = (!near.is_empty()).then(|| self.pick(&near).slot);
        let at = When::Instant(recorded - SignedDuration::from_mins(self.pick(&[0, 0, 0, 30, 600])));
        let amount = self.lot.one_in(3).then_some(250);
        let made: Vec<_> =
            model.log.iter().filter(|entry| entry.op != 0 && entry.recorded < recorded).collect();
        let earlier = made.iter().rev().take(10).copied().cloned().collect::<Vec<_>>();
        Some(match self.below(12) {
            0..4 => {
                let slot = slot.filter(|_| !self.lot.one_in(4));
                Happened::Intake { item, slot, at, amount, planned: Some(500), form: None, corrects: None }
            }
            4 => Happened::Skip { item, slot: slot?, at, corrects: None },
            5 => Happened::Snooze { item, slot: slot?, until: recorded + hours(1) },
            6 | 7 => Happened::Shown { item, slot: slot? },
            8 if self.lot.one_in(4) => {
                let until = self.lot.one_in(2).then(|| recorded + hours(10));
                Happened::Pause { item: self.lot.one_in(2).then_some(item), from: recorded, until }
            }
            8 => Happened::Resume(None),
            _ if earlier.is_empty() => return None,
            9 | 10 => {
                let of = self.pick(&earlier);
                match of.what {
                    Happened::Intake { item, slot, planned, form, .. } => {
                        Happened::Intake { item, slot, at, amount, planned, form, corrects: Some(of.op) }
                    }
                    Happened::Skip { item, slot, .. } => {
                        Happened::Skip { item, slot, at, corrects: Some(of.op) }
                    }
                    _ => return None,
                }
            }
            _ => {
                let of = self.pick(&earlier);
                let about = match of.what {
                    Happened::Intake { item, slot, .. } => slot.map(|slot| (item, slot)),
                    Happened::Skip { item, slot, .. } | Happened::Snooze { item, slot, .. } => {
                        Some((item, slot))
                    }
                    _ => return None,
                };
                Happened::Undo { of: of.op, about }
            }
        })
    }

    fn pause(&mut self, at: Timestamp, item: Item) -> Deed {
        let item = self.lot.one_in(2).then_some(item);
        let hours = |n: i64| SignedDuration::from_mins(n * 30);
        let from = self.lot.one_in(3).then(|| at + hours(self.below(100) - 4));
        let until = (!self.lot.one_in(3)).then(|| from.unwrap_or(at) + hours(self.below(120) - 4));
        Deed::Pause { item, from, until }
    }

    fn edit(&mut self, model: &Model, item: Item) -> Deed {
        let Some(current) = model.current(item).cloned() else {
            // What was removed comes back, as it was or otherwise.
            let before = model.regimens.get(&item).and_then(|all| all.last()).map(|last| last.spec.clone());
            let kind = before.as_ref().map(|before| before.kind);
            let other = self.spec(model, None);
            let is_same = self.lot.one_in(2) || kind.is_some_and(|kind| kind != other.kind);
            let spec = before.filter(|_| is_same).unwrap_or(other);
            return Deed::Edit(item, Some(spec));
        };
        let spec = self.spec(model, Some(&current));
        Deed::Edit(item, Some(spec))
    }
}
