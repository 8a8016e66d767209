//! How often several things happened on the same day.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::SlotResult;
use crate::core::ledger::State;

/// One thing, with the days on which it was planned and is decided: whether all of it was taken.
pub type DayOutcomes = BTreeMap<Date, bool>;

/// Two things, and how often they happened on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoOccurrence {
    /// The first of them, by its place.
    pub a: usize,
    /// The second.
    pub b: usize,
    /// Days on which both were planned.
    pub days: u32,
    /// Those on which both happened.
    pub both: u32,
}

/// Returns the days of an item on which something was planned and is decided.
#[must_use]
pub fn day_outcomes(occurrences: &[SlotResult]) -> DayOutcomes {
    let mut days = DayOutcomes::new();
    for taken in occurrences {
        if !taken.is_open() && !matches!(taken.state, State::Excused | State::Unknown) {
            *days.entry(taken.date).or_insert(true) &= taken.state == State::Taken;
        }
    }
    days
}

/// Counts for each pair how often both happened, of the days on which both were planned.
#[must_use]
pub fn co_occurrences(things: &[DayOutcomes]) -> Vec<CoOccurrence> {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let pairs = (0..things.len()).flat_map(|a| (a + 1..things.len()).map(move |b| (a, b)));
    pairs
        .map(|(a, b)| {
            let both_planned: Vec<bool> = things[a]
                .iter()
                .filter_map(|(date, taken)| things[b].get(date).map(|other| *taken && *other))
                .collect();
            let both = both_planned.iter().filter(|both| **both).count();
            CoOccurrence { a, b, days: count(both_planned.len()), both: count(both) }
        })
        .filter(|pair| pair.days > 0)
        .collect()
}

/// Counts the days on which everything that was planned happened, of those on which two things or more were.
#[must_use]
pub fn all_done_days(things: &[DayOutcomes]) -> (u32, u32) {
    let mut by_day: BTreeMap<Date, (u32, bool)> = BTreeMap::new();
    for (date, taken) in things.iter().flatten() {
        let (planned, all) = by_day.entry(*date).or_insert((0, true));
        *planned += 1;
        *all &= *taken;
    }
    let several = by_day.values().filter(|(planned, _)| *planned >= 2);
    several.fold((0, 0), |(all, days), (_, were_all)| (all + u32::from(*were_all), days + 1))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn days(of: &str) -> DayOutcomes {
        let day = |n: usize| date(2026, 11, i8::try_from(n).unwrap() + 1);
        of.chars().enumerate().filter(|(_, c)| *c != '.').map(|(n, c)| (day(n), c == 'T')).collect()
    }

    #[test]
    fn only_days_on_which_both_were_planned_count() {
        let things = [days("TT-T."), days("T-TT."), days("....T")];
        let found: Vec<_> =
            co_occurrences(&things).into_iter().map(|pair| (pair.a, pair.b, pair.both, pair.days)).collect();
        assert_eq!(found, [(0, 1, 2, 4)]);
        assert_eq!(all_done_days(&things), (2, 4));
        assert_eq!(all_done_days(&[]), (0, 0));
    }

    #[test]
    fn what_is_not_decided_is_no_day() {
        let taken = |day, state| SlotResult { date: date(2026, 11, day), state, offset: None };
        let occurrences = [
            taken(1, State::Taken),
            taken(1, State::Missed),
            taken(2, State::Taken),
            taken(3, State::Unknown),
            taken(4, State::Excused),
            taken(5, State::Due),
            taken(6, State::Partial),
        ];
        assert_eq!(
            day_outcomes(&occurrences),
            [(date(2026, 11, 1), false), (date(2026, 11, 2), true), (date(2026, 11, 6), false)].into()
        );
    }
}
