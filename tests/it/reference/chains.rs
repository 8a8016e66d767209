//! Rules that count from the last intake, walked through from their first slot.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::life::{Happened, Item, Rule, Slot, When};
use super::model::Model;
use super::plans::Regimen;

impl Model {
    /// The slots that a relative rule plans up to an instant: from one intake to the next, a step each, but for those whose
    /// turn is a slot that something names.
    pub(super) fn chain(&self, item: Item, regimen: &Regimen, until: Timestamp) -> Vec<(Slot, Timestamp)> {
        let mut intakes: Vec<Timestamp> = self.instants(item, regimen).collect();
        intakes.sort_unstable();
        let mut found = Vec::new();
        let first = self.first(regimen);
        let pinned = self.pinned(item, regimen);
        for i in 0..=intakes.len() {
            let begins = i.checked_sub(1).map(|before| intakes[before]);
            let ends = intakes.get(i).copied().unwrap_or(until).min(until);
            let (mut slot, mut at) = match begins {
                None => first,
                // What was taken before the rule began can put its first slot off, but not bring it forward.
                Some(taken) => {
                    [self.after(regimen, taken), first].into_iter().max_by_key(|(_, at)| *at).unwrap()
                }
            };
            let next_intake = intakes.get(i).copied();
            // Nothing is asked for before a slot that was answered already, however far ahead of its time.
            let is_before = |place: Timestamp| begins.is_some_and(|begins| place <= begins);
            let floor = pinned.iter().filter(|(_, place)| is_before(*place)).map(|(at, _)| *at).max();
            while at <= ends {
                let next = self.after(regimen, at);
                let half = next.1.duration_since(at) / 2;
                let near = &pinned[pinned.partition_point(|(pinned, _)| *pinned <= at - half)..];
                let is_free =
                    near.iter().take_while(|(pinned, _)| *pinned < at + half).all(|(pinned, place)| {
                        let is_after = next_intake.is_some_and(|next| next < *place);
                        *pinned == at || is_before(*place) || is_after
                    });
                if is_free && floor.is_none_or(|floor| floor < at) {
                    found.push((slot, at));
                }
                (slot, at) = next;
            }
        }
        found
    }

    /// The slots that something names, by their time, each with the instant by which it belongs to the time between two intakes: one
    /// that was taken belongs to the intake that took it.
    fn pinned(&self, item: Item, regimen: &Regimen) -> Vec<(Timestamp, Timestamp)> {
        let all = self.about.keys().filter(|(of, _)| *of == item).map(|(_, slot)| *slot);
        let found = all.map(|slot| {
            let at = match slot {
                Slot::Civil(local) => self.zones.instant_for(&regimen.spec, local),
                Slot::Utc(at) => at,
            };
            let answer = self.answer_of(item, slot).map(|op| &self.written(op).unwrap().what);
            let place = match answer {
                Some(Happened::Intake { at, .. }) => self.counts_from(item, *at, Some(slot), regimen),
                _ => at,
            };
            (at, place)
        });
        let mut found: Vec<_> = found.collect();
        found.sort_unstable();
        found
    }

    /// What the effective intakes count from.
    fn instants(&self, item: Item, regimen: &Regimen) -> impl Iterator<Item = Timestamp> {
        self.intakes(item).filter_map(move |(when, op)| {
            let Happened::Intake { slot, .. } = self.written(op)?.what else { return None };
            Some(self.counts_from(item, when, slot, regimen))
        })
    }

    fn first(&self, regimen: &Regimen) -> (Slot, Timestamp) {
        let spec = &regimen.spec;
        match spec.rule {
            Rule::AfterLast { time, .. } => {
                let local = regimen.anchor.to_datetime(time);
                (Slot::Civil(local), self.zones.instant_for(spec, local))
            }
            _ => {
                let at = match spec.from {
                    Some(from) => self.zones.instant_for(spec, from.at(0, 0, 0, 0)),
                    None => regimen.anchored,
                };
                (Slot::Utc(at), at)
            }
        }
    }

    fn after(&self, regimen: &Regimen, at: Timestamp) -> (Slot, Timestamp) {
        let spec = &regimen.spec;
        match spec.rule {
            Rule::AfterLast { months, time } => {
                let day = self.zones.date_for(spec, at).checked_add(i64::from(months).months()).unwrap();
                let local = day.to_datetime(time);
                (Slot::Civil(local), self.zones.instant_for(spec, local))
            }
            Rule::Elapsed { minutes } => {
                let at = at + SignedDuration::from_mins(minutes);
                (Slot::Utc(at), at)
            }
            _ => unreachable!("no other rule counts from the last"),
        }
    }

    /// The instant that an intake counts from: of a day without a time its slot's, where that is on the day.
    fn counts_from(&self, item: Item, when: When, slot: Option<Slot>, regimen: &Regimen) -> Timestamp {
        let date = match when {
            When::Instant(at) => return at,
            When::Date(date) => date,
        };
        let named = slot.map(|slot| match slot {
            Slot::Civil(local) => (local.date(), self.zones.instant_for(&regimen.spec, local)),
            Slot::Utc(at) => (self.zones.date_for(&regimen.spec, at), at),
        });
        if let Some((_, at)) = named.filter(|(day, _)| *day == date) {
            return at;
        }
        let same = self.intakes(item).find(|(other, op)| {
            *other == when
                && matches!(self.written(*op).unwrap().what, Happened::Intake { slot: of, .. } if of == slot)
        });
        let recorded = same.map_or(self.now, |(_, op)| self.written(op).unwrap().recorded);
        // The day is one of the clock that the item follows.
        let ends =
            self.zones.instant_for(&regimen.spec, date.tomorrow().unwrap().to_datetime(Time::midnight()));
        (ends - SignedDuration::from_secs(1)).min(recorded)
    }
}
