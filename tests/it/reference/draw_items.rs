//! Draws items as somebody may write them into the schedule, and edits of them.

use jiff::ToSpan;
use jiff::civil::Time;

use super::draw::Draw;
use super::life::{Kind, Rule, Spec, Unit, ZONES};
use super::model::Model;

impl Draw {
    /// An item as somebody may write it, or with one key changed.
    pub(super) fn spec(&mut self, model: &Model, before: Option<&Spec>) -> Spec {
        let today = model.zones.at(model.now).to_datetime(model.now).date();
        let rule = self.rule();
        let from = match self.below(6) {
            // The plan of an item that is new today and begins today has a past, too.
            0 => Some(
                today.checked_add((self.below(6) + 2 * i64::from(!self.drawn.past_from)).days()).unwrap(),
            ),
            1 | 2 if self.drawn.past_from => Some(today.checked_sub(self.below(40).days()).unwrap()),
            _ => None,
        };
        let kind = if self.drawn.forms && self.lot.one_in(3) {
            self.pick(&[Kind::CheckIn, Kind::Scan])
        } else {
            Kind::Supplement
        };
        let taper = if self.drawn.taper && self.lot.one_in(4) {
            (1..3)
                .map(|i| (today.checked_add((self.below(6) + 7 * i).days()).unwrap(), 250 * i as u32))
                .collect()
        } else {
            Vec::new()
        };
        let new = Spec {
            kind,
            taper,
            late_is_missed: self.drawn.quiet && self.lot.one_in(5),
            rule,
            from,
            until: self.lot.one_in(12).then(|| today.checked_add((10 + self.below(40)).days()).unwrap()),
            grace_minutes: self.pick(&[30, 60, 120, 240, 240, 720, 1440]),
            dose: (!self.lot.one_in(5)).then(|| self.pick(&[250, 500])),
            stock: self.lot.one_in(2).then(|| 20 + self.below(40) as u32),
            zone: self.lot.one_in(5).then(|| self.below(ZONES.len() as u64) as usize),
            gap: self.lot.one_in(5).then(|| self.pick(&[60, 240])),
            again: self.lot.one_in(4).then_some((10, 2)),
        };
        let Some(before) = before else { return self.possible(new) };
        let mut spec = before.clone();
        match self.below(11) {
            9 => spec.taper = new.taper,
            10 => spec.late_is_missed = new.late_is_missed,
            0 => spec.grace_minutes = new.grace_minutes,
            1 => spec.dose = new.dose,
            2 => spec.stock = new.stock,
            3 => spec.rule = new.rule,
            4 => spec.until = new.until,
            5 => spec.gap = new.gap,
            _ => match &mut spec.rule {
                Rule::Times { times, .. } => *times = self.times(),
                _ => spec.grace_minutes = new.grace_minutes,
            },
        }
        self.possible(spec)
    }

    fn times(&mut self) -> Vec<Time> {
        let mut times: Vec<Time> = (0..=self.below(3))
            .map(|_| Time::constant(self.below(24) as i8, self.pick(&[0, 0, 15, 30]), 0, 0))
            .collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    fn rule(&mut self) -> Rule {
        let days = self.lot.one_in(3).then(|| self.pick(&[0b001_1111, 0b110_0000, 0b010_1010]));
        let relative = self.drawn.relative;
        match self.below(12) {
            0 => Rule::AsNeeded,
            1 => Rule::Cron {
                minute: self.pick(&[0, 30]),
                hours: self
                    .times()
                    .iter()
                    .map(|time| time.hour())
                    .collect::<std::collections::BTreeSet<_>>()
                    .into_iter()
                    .collect(),
                days: days.unwrap_or(0x7f),
            },
            2 if relative => Rule::Elapsed { minutes: self.pick(&[240, 480, 1440]) },
            3 if relative => Rule::AfterLast { months: 1, time: self.times()[0] },
            4 | 5 => Rule::Times {
                times: self.times(),
                days,
                every: Some((2 + self.below(3) as u32, Unit::Days)),
                cycle: None,
            },
            6 => Rule::Times {
                times: self.times(),
                days,
                every: Some((1 + self.below(2) as u32, Unit::Weeks)),
                cycle: None,
            },
            7 => Rule::Times {
                times: self.times(),
                days: None,
                every: Some((1 + self.below(2) as u32, Unit::Months)),
                cycle: None,
            },
            8 => {
                let cycle = Some((1 + self.below(6) as u32, 1 + self.below(4) as u32));
                Rule::Times { times: self.times(), days: None, every: None, cycle }
            }
            _ => Rule::Times { times: self.times(), days, every: None, cycle: None },
        }
    }

    /// What does not go together is left out.
    fn possible(&self, mut spec: Spec) -> Spec {
        if spec.kind != Kind::Supplement {
            (spec.dose, spec.stock, spec.gap) = (None, None, None);
            if spec.rule == Rule::AsNeeded {
                spec.rule = Rule::Times {
                    times: vec![Time::constant(9, 0, 0, 0)],
                    days: None,
                    every: None,
                    cycle: None,
                };
            }
        }
        if spec.dose.is_none() {
            spec.taper.clear();
        }
        if matches!(spec.rule, Rule::AsNeeded) {
            spec.late_is_missed = false;
            spec.again = None;
        }
        if matches!(spec.rule, Rule::AsNeeded | Rule::Cron { .. }) {
            (spec.from, spec.until) = (None, None);
        }
        spec
    }
}
