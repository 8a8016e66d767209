//! Days and instants, naively: every day is looked at, every zone is walked through.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::life::{Rule, Spec, Unit, zone};

/// The zones that the clock has shown, in order.
#[derive(Clone, Debug)]
pub(super) struct Zones(pub(super) Vec<(Timestamp, usize)>);

impl Zones {
    /// The clock shows another zone from an instant on, whatever it showed for later ones while it was ahead.
    pub(super) fn change(&mut self, at: Timestamp, zone: usize) {
        let first = self.0[0];
        self.0.retain(|known| *known == first || known.0 <= at);
        self.0.push((at, zone));
    }

    pub(super) fn at(&self, at: Timestamp) -> TimeZone {
        let found = self.0.iter().rev().find(|(since, _)| *since <= at).unwrap_or(&self.0[0]);
        zone(found.1)
    }

    /// When a local time is due: where a journey leaves it out, on arrival; where it repeats it, the first time.
    pub(super) fn instant(&self, local: DateTime) -> Timestamp {
        for (i, (since, index)) in self.0.iter().enumerate() {
            let since = if i == 0 { Timestamp::MIN } else { *since };
            let at = zone(*index).to_ambiguous_timestamp(local).compatible().unwrap();
            if self.0.get(i + 1).is_none_or(|(until, _)| at <= *until) {
                return at.max(since);
            }
        }
        unreachable!("the last zone has no end")
    }

    pub(super) fn instant_for(&self, spec: &Spec, local: DateTime) -> Timestamp {
        match spec.zone {
            Some(index) => zone(index).to_ambiguous_timestamp(local).compatible().unwrap(),
            None => self.instant(local),
        }
    }

    pub(super) fn date_for(&self, spec: &Spec, at: Timestamp) -> Date {
        spec.zone.map_or_else(|| self.at(at), zone).to_datetime(at).date()
    }

    pub(super) fn midnight(&self, date: Date, now: Timestamp) -> Timestamp {
        self.at(now).to_ambiguous_timestamp(date.to_datetime(Time::midnight())).compatible().unwrap()
    }
}

pub(super) fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

fn has_day(days: u8, date: Date) -> bool {
    days & (1 << date.weekday().to_monday_zero_offset()) != 0
}

fn monday_of(date: Date) -> Date {
    date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).unwrap()
}

/// The local times of a calendar rule on a day.
pub(super) fn times_on(spec: &Spec, anchor: Date, date: Date) -> Vec<Time> {
    if spec.from.is_some_and(|from| date < from) || spec.until.is_some_and(|until| until < date) {
        return Vec::new();
    }
    match &spec.rule {
        Rule::Times { times, days, every, cycle } => {
            let is_on = match every {
                None => days.is_none_or(|days| has_day(days, date)),
                Some((n, Unit::Days)) => {
                    days_between(anchor, date).rem_euclid(i64::from(*n)) == 0
                        && days.is_none_or(|days| has_day(days, date))
                }
                Some((n, Unit::Weeks)) => {
                    let weeks = days_between(monday_of(anchor), monday_of(date)) / 7;
                    let of_week = days.unwrap_or(1 << anchor.weekday().to_monday_zero_offset());
                    weeks.rem_euclid(i64::from(*n)) == 0 && has_day(of_week, date)
                }
                Some((n, Unit::Months)) => {
                    let step = |k: i64| anchor.checked_add((k * i64::from(*n)).months()).unwrap();
                    (0..1000).map(step).take_while(|day| *day <= date).any(|day| day == date)
                        && days.is_none_or(|days| has_day(days, date))
                }
            };
            let in_cycle = cycle.is_none_or(|(on, off)| {
                days_between(anchor, date).rem_euclid(i64::from(on + off)) < i64::from(on)
            });
            if is_on && in_cycle && anchor <= date { times.clone() } else { Vec::new() }
        }
        Rule::Cron { minute, hours, days } => {
            let hours = hours.iter().filter(|_| has_day(*days, date));
            hours.map(|hour| Time::constant(*hour, *minute, 0, 0)).collect()
        }
        Rule::Elapsed { .. } | Rule::AfterLast { .. } | Rule::AsNeeded => Vec::new(),
    }
}
