//! How much of a habit's target was reached, day by day or week by week; part of it counts as part.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::SlotResult;
use crate::core::ledger::{Fact, Ledger, Record, State, When};
use crate::core::schedule::{Amount, Decimal, HabitTarget, ItemId, Plan, Quantity, Slot};

/// What a target came to over the whole days or weeks of a range.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TargetProgress {
    /// Days or weeks that are over and of which it is known how much was done.
    pub periods: u32,
    /// Those in which all of the target was reached.
    pub reached: u32,
    /// Those in which something was done and it is not known how much.
    pub unmeasured: u32,
    /// Those without an answer in which the person could not be asked.
    pub unknown: u32,
    /// The mean over periods of what was done of the target, at most 1 each; `None` where no period is known.
    pub share: Option<f64>,
    /// All that was done, in the smallest unit that occurs; `None` where it cannot be held.
    pub total: Option<Quantity>,
}

/// One entry: its local date, and how much it was, where that is known.
pub type HabitEntry = (Date, Option<Amount>);

/// Returns the entries of an item: each under the day for which it was planned, else on which it happened.
#[must_use]
pub fn entries(plan: &Plan, ledger: &Ledger, item: &ItemId) -> Vec<HabitEntry> {
    let entry = |record: &Record| {
        let Fact::Intake { occurrence, at, amount, planned, .. } = &record.fact else { return None };
        let slot = occurrence.as_ref().map(|occurrence| occurrence.slot);
        let date = match (slot, at) {
            (Some(Slot::Civil(slot)), _) => plan.day_of(slot),
            (_, When::Date(date)) => *date,
            (_, When::Instant(at)) => plan.day_at(*at),
        };
        // Without an amount of its own, it is what was planned.
        Some((date, amount.as_ref().or(planned.as_ref()).cloned()))
    };
    let names = plan.names(item);
    names.iter().flat_map(|name| ledger.intake_records(name)).filter_map(entry).collect()
}

/// Looks at a target over the local dates [from, until), of which `today` is not over yet.
///
/// A week is one from Monday to Sunday that lies in the range as a whole. What was paused needs nothing: a day
/// falls away, a week's target shrinks by its share. A target by the day counts on the days for which something was planned,
/// or on all of them where nothing ever is.
#[must_use]
pub fn target_progress(
    target: &HabitTarget,
    entries: &[HabitEntry],
    planned: &[SlotResult],
    from: Date,
    until: Date,
    today: Date,
) -> TargetProgress {
    let in_range = entries.iter().filter(|(date, _)| from <= *date && *date < until);
    let by_day = Days::of(in_range, planned);
    let mut progress = TargetProgress { total: total(target, &by_day.amounts), ..TargetProgress::default() };
    let mut shares = Vec::new();
    for days in periods(target, from, until.min(today)) {
        match by_day.outcome(target, &days) {
            Outcome::NothingPlanned => {}
            Outcome::Unknown => progress.unknown += 1,
            Outcome::Unmeasured => progress.unmeasured += 1,
            Outcome::Share(share) => {
                progress.reached += u32::from(share >= 1.0);
                shares.push(share);
            }
        }
    }
    progress.periods = u32::try_from(shares.len()).unwrap_or(u32::MAX);
    progress.share = (!shares.is_empty()).then(|| sum(&shares) / as_f64(shares.len()));
    progress
}

/// What was entered and what was planned, by day.
struct Days {
    amounts: BTreeMap<Date, Vec<Option<Amount>>>,
    states: BTreeMap<Date, Vec<State>>,
}

/// What a day or a week came to.
enum Outcome {
    /// It was paused, or nothing was planned: it needs nothing.
    NothingPlanned,
    /// Nothing was entered, and the person could not be asked.
    Unknown,
    /// Something was done, and it is not known how much.
    Unmeasured,
    /// What was done of the target, at most 1.
    Share(f64),
}

impl Days {
    fn of<'a>(entries: impl Iterator<Item = &'a HabitEntry>, planned: &[SlotResult]) -> Self {
        let mut days = Self { amounts: BTreeMap::new(), states: BTreeMap::new() };
        for (date, amount) in entries {
            days.amounts.entry(*date).or_default().push(amount.clone());
        }
        for slot in planned {
            days.states.entry(slot.date).or_default().push(slot.state);
        }
        days
    }

    fn outcome(&self, target: &HabitTarget, days: &[Date]) -> Outcome {
        let excused = days.iter().filter(|date| self.all_are(**date, State::Excused)).count();
        let planned: Vec<&Date> = days.iter().filter(|date| self.states.contains_key(*date)).collect();
        if excused == days.len() || (planned.is_empty() && !self.states.is_empty()) {
            return Outcome::NothingPlanned;
        }
        let done: Vec<&Option<Amount>> =
            days.iter().filter_map(|date| self.amounts.get(date)).flatten().collect();
        if done.is_empty()
            && !planned.is_empty()
            && planned.iter().all(|date| self.all_are(**date, State::Unknown))
        {
            return Outcome::Unknown;
        }
        let measured: Vec<f64> = done.iter().filter_map(|amount| measured(target, amount.as_ref())).collect();
        if measured.len() < done.len() {
            return Outcome::Unmeasured;
        }
        let wanted = target.amount.first().value.to_f64() * as_f64(days.len() - excused) / as_f64(days.len());
        Outcome::Share(if wanted > 0.0 { (sum(&measured) / wanted).min(1.0) } else { 1.0 })
    }

    fn all_are(&self, date: Date, state: State) -> bool {
        self.states.get(&date).is_some_and(|of| of.iter().all(|one| *one == state))
    }
}

/// Returns an amount in the unit of the target; `None` where it does not convert, or is not known.
fn measured(target: &HabitTarget, amount: Option<&Amount>) -> Option<f64> {
    let unit = &target.amount.first().unit;
    let Some(amount) = amount else { return unit.is_times().then_some(1.0) };
    let quantity = amount.measured_in(unit)?;
    let (mine, theirs) = quantity.unit.ratio(unit)?;
    Some(quantity.value.to_f64() * f64::from(mine) / f64::from(theirs))
}

fn total(target: &HabitTarget, by_day: &BTreeMap<Date, Vec<Option<Amount>>>) -> Option<Quantity> {
    let unit = &target.amount.first().unit;
    let once = Quantity { value: Decimal::from(1), most: None, unit: unit.clone() };
    let quantity = |amount: &Option<Amount>| match amount {
        Some(amount) => amount.measured_in(unit).cloned(),
        None => unit.is_times().then(|| once.clone()),
    };
    let quantities: Vec<Quantity> = by_day.values().flatten().filter_map(quantity).collect();
    Quantity::sum(quantities.iter(), unit)
}

/// Returns the whole days or weeks of a range, oldest first.
fn periods(target: &HabitTarget, from: Date, until: Date) -> Vec<Vec<Date>> {
    let days = usize::from(target.days);
    let offset = if days == 7 { (7 - from.weekday().to_monday_zero_offset()) % 7 } else { 0 };
    let first = from.saturating_add(i64::from(offset).days());
    let all: Vec<Date> = first.series(1.day()).take_while(|date| *date < until).collect();
    all.chunks_exact(days.max(1)).map(<[Date]>::to_vec).collect()
}

/// Returns the sum, which is 0 of nothing: that of the standard library is -0, and people would see it.
fn sum(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, value| sum + value)
}

fn as_f64(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// The range is 2026-11-02, a Monday, to 2026-11-16; `entries` are "DAY AMOUNT", `planned` a letter a day.
    #[track_caller]
    fn check(target: &str, entries: &[&str], planned: &str, expected: (u32, u32, u32, u32, Option<f64>)) {
        let day = |text: &str| date(2026, 11, text.parse().unwrap());
        let entries: Vec<HabitEntry> = entries
            .iter()
            .map(|entry| {
                let (date, amount) = entry.split_once(' ').unwrap_or((entry, ""));
                (day(date), (!amount.is_empty()).then(|| amount.parse().unwrap()))
            })
            .collect();
        let states = planned.chars().enumerate().filter_map(|(n, letter)| {
            let state = match letter {
                'T' => State::Taken,
                'M' => State::Missed,
                'U' => State::Unknown,
                'P' => State::Excused,
                _ => return None,
            };
            Some(SlotResult {
                date: date(2026, 11, 2).saturating_add(i64::try_from(n).unwrap().days()),
                state,
                offset: None,
            })
        });
        let planned: Vec<SlotResult> = states.collect();
        let (from, until) = (date(2026, 11, 2), date(2026, 11, 16));
        let found = target_progress(&target.parse().unwrap(), &entries, &planned, from, until, until);
        let got = (found.periods, found.reached, found.unmeasured, found.unknown, found.share);
        assert_eq!(got, expected, "{target} {entries:?}");
        assert!(found.share.is_none_or(f64::is_sign_positive), "{target} {entries:?}");
    }

    #[test]
    fn part_of_a_target_counts_as_part() {
        // S8: 120 of 150 minutes are 0.8; more than all of it fills no other week.
        let weekly = "150 min / week";
        check(weekly, &["2 60 min", "3 60 min", "10 300 min"], "", (2, 1, 0, 0, Some(0.9)));
        check(weekly, &[], "", (2, 0, 0, 0, Some(0.0)));
        // Several entries of one day are one sum.
        check("15 min / day", &["2 5 min", "2 10 min"], "", (14, 1, 0, 0, Some(1.0 / 14.0)));
        // By the day, only days for which something was planned.
        check("15 min / day", &["2 15 min", "4 3 min"], "T.T", (2, 1, 0, 0, Some(0.6)));
    }

    #[test]
    fn what_is_not_known_is_left_out_and_counted() {
        let weekly = "150 min / week";
        check(weekly, &["2", "10 150 min"], "", (1, 1, 1, 0, Some(1.0)));
        // Kilometres are no minutes.
        check(weekly, &["2 2 km", "10 75 min"], "", (1, 0, 1, 0, Some(0.5)));
        check(weekly, &["10 150 min"], "UUUUUUUTTTTTTT", (1, 1, 0, 1, Some(1.0)));
    }

    #[test]
    fn units_convert_and_times_count_as_one() {
        // Two hours and half an hour.
        check("150 min / week", &["2 2 h", "3 30 min", "10 75 min"], "", (2, 1, 0, 0, Some(0.75)));
        // The button gives no amount.
        check("3 times / week", &["2", "3", "4 1 time", "10"], "", (2, 1, 0, 0, Some(2.0 / 3.0)));
        check("2 sessions / week", &["2", "10 2 sessions"], "", (2, 1, 0, 0, Some(0.75)));
    }

    #[test]
    fn what_was_paused_needs_nothing() {
        let weekly = "70 min / week";
        check(weekly, &["10 70 min"], "PPPPPPPTTTTTTT", (1, 1, 0, 0, Some(1.0)));
        // Three days of seven.
        check(weekly, &["2 40 min", "10 35 min"], "TTTTPPPTTTTTTT", (2, 1, 0, 0, Some(0.75)));
    }

    #[test]
    fn sums_are_exact() {
        for (target, entries, total) in [
            ("5 km / week", &["0.1 km", "0.2 km", "1e3 km"][..], "1000.3 km"),
            ("5 km / week", &["1 km", "250 m"], "1250 m"),
            ("1 h / week", &["10 min", "1 h"], "70 min"),
            ("2 h / week", &["1.5 hours"], "1.5 h"),
            ("3 times / week", &[""], "1 times"),
            ("3 glasses / day", &["2 glass", "5 mg"], "2 glasses"),
        ] {
            let amount = |text: &&str| (!text.is_empty()).then(|| text.parse().unwrap());
            let entries: Vec<HabitEntry> =
                entries.iter().map(|text| (date(2026, 11, 3), amount(text))).collect();
            let (from, until) = (date(2026, 11, 2), date(2026, 11, 16));
            let found = target_progress(&target.parse().unwrap(), &entries, &[], from, until, until);
            assert_eq!(found.total.unwrap().to_string(), total, "{target}");
        }
    }
}
