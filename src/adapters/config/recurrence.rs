//! Makes the recurrence of an item from its keys, and reports what is wrong with them.

use jiff::SignedDuration;
use jiff::civil::Time;

use super::file::ItemToml;
use super::report::Reporter;
use super::steps;
use crate::core::schedule::{CronRule, Interval, Length, Recurrence, Weekdays};

/// An item can have this many times a day at most.
const MAX_TIMES: usize = 96;

/// An elapsed rule cannot be faster than this.
const MIN_ELAPSED: SignedDuration = SignedDuration::from_mins(1);

/// Makes the recurrence; `None` where that is not possible.
pub(super) fn lower(item: &ItemToml, reporter: &mut Reporter<'_>) -> Option<Recurrence> {
    if item.as_needed {
        refuse_keys_of_plans(item, reporter);
        return Some(Recurrence::AsNeeded);
    }
    if let Some(steps) = &item.plan {
        return steps::lower(item, steps, reporter);
    }
    if let Some(cron) = &item.cron {
        return Some(lower_cron(item, &cron.0, reporter));
    }
    let times = lower_times(item, reporter);
    match item.every.as_ref().map(|every| every.0) {
        Some(Length::Exact(every)) => Some(lower_elapsed(item, every, &times, reporter)),
        every => {
            let interval =
                every.map_or(Some(Interval::Days(1)), |every| interval(every, item.days.is_some()));
            lower_calendar(item, interval?, times, reporter)
        }
    }
}

/// Returns the interval of a calendar rule: whole weeks where weekdays are named; `None` for elapsed time.
pub(super) fn interval(every: Length, names_days: bool) -> Option<Interval> {
    match every {
        Length::Exact(_) => None,
        Length::Days(n) if n % 7 == 0 && names_days => Some(Interval::Weeks(n / 7)),
        Length::Days(n) => Some(Interval::Days(n)),
        Length::Months(n) => Some(Interval::Months(n)),
    }
}

/// Reports bounds, cycles and announcements that do not fit the recurrence.
pub(super) fn check_bounds(item: &ItemToml, recurrence: Option<&Recurrence>, reporter: &mut Reporter<'_>) {
    if let (Some(from), Some(until)) = (item.from, item.until) {
        if until.0 < from.0 {
            let message = format!("`until` is before `from` ({})", from.0);
            reporter.error("until", message, "`until` is the last day");
        }
    }
    if let Some(cycle) = &item.cycle {
        if cycle.on == 0 || cycle.off == 0 || cycle.on.saturating_add(cycle.off) > Length::MAX_DAYS {
            let message = format!(
                "invalid `cycle`: `on` and `off` must be at least 1, together at most {} days",
                Length::MAX_DAYS
            );
            reporter.error("cycle", message, "for example `cycle = { on = 21, off = 7 }`");
        }
    }
    let is_on_dates =
        matches!(recurrence, Some(Recurrence::Calendar { .. } | Recurrence::Cron(_) | Recurrence::Steps(_)));
    for lead in item.lead.iter().flatten() {
        let is_zero = lead.0.elapsed().is_some_and(|lead| lead.is_zero());
        let message = match (is_on_dates, is_zero) {
            (false, _) => "`lead` does not apply to this rule",
            (true, true) => "`lead` must be longer than 0",
            (true, false) => continue,
        };
        let help = "it announces planned times, as in `lead = [\"7 days\", \"1 day\"]`";
        reporter.error("lead", message, help);
    }
}

/// Reports each given key as one that cannot be combined with another.
pub(super) fn refuse(keys: &[(&str, bool)], other: &str, reporter: &mut Reporter<'_>) {
    for (key, given) in keys {
        if *given {
            reporter.error(key, format!("`{key}` and `{other}` cannot be combined"), "remove one of them");
        }
    }
}

fn refuse_keys_of_plans(item: &ItemToml, reporter: &mut Reporter<'_>) {
    let keys = [
        ("times", item.times.is_some()),
        ("days", item.days.is_some()),
        ("every", item.every.is_some()),
        ("cron", item.cron.is_some()),
        ("cycle", item.cycle.is_some()),
        ("lead", item.lead.is_some()),
        ("plan", item.plan.is_some()),
        ("again", item.again.is_some()),
    ];
    refuse(&keys, "as-needed", reporter);
}

fn lower_cron(item: &ItemToml, cron: &CronRule, reporter: &mut Reporter<'_>) -> Recurrence {
    let keys = [
        ("times", item.times.is_some()),
        ("days", item.days.is_some()),
        ("every", item.every.is_some()),
        ("after-last", item.after_last),
    ];
    refuse(&keys, "cron", reporter);
    if !cron.ever_matches() {
        let help = "check the day and the month: `0 8 31 2 *` is the 31st of February";
        reporter.error("cron", format!("`{cron}` never matches a date"), help);
    }
    Recurrence::Cron(cron.clone())
}

/// Returns the times of day in order, each once.
fn lower_times(item: &ItemToml, reporter: &mut Reporter<'_>) -> Vec<Time> {
    let mut times: Vec<_> = item.times.iter().flatten().map(|time| time.0.0).collect();
    let given = times.len();
    times.sort_unstable();
    times.dedup();
    if times.len() != given {
        reporter.error("times", "`times` has a time twice", "remove one of them");
    }
    if given > MAX_TIMES {
        let message = format!("`times` has {given} entries; the limit is {MAX_TIMES}");
        reporter.error("times", message, "use `every` instead, as in `every = \"15m\"`");
    }
    times
}

/// Makes a rule that counts from one intake to the next.
fn lower_elapsed(
    item: &ItemToml,
    every: SignedDuration,
    times: &[Time],
    reporter: &mut Reporter<'_>,
) -> Recurrence {
    refuse(&[("days", item.days.is_some()), ("cycle", item.cycle.is_some())], "every", reporter);
    if every < MIN_ELAPSED {
        reporter.error("every", "`every` must be at least 1m", "for example `every = \"8 hours\"`");
    }
    if item.times.as_ref().is_some_and(|times| times.len() > 1) {
        let message = "`times` can have only one entry where `every` is in hours or minutes";
        reporter.error("times", message, "keep the first; the others follow from `every`");
    }
    if item.after_last {
        let message = "`after-last` does not apply where `every` is in hours or minutes";
        reporter.error("after-last", message, "remove it: such a rule always counts from the last intake");
    }
    Recurrence::Elapsed { every, first: times.first().copied() }
}

fn lower_calendar(
    item: &ItemToml,
    interval: Interval,
    times: Vec<Time>,
    reporter: &mut Reporter<'_>,
) -> Option<Recurrence> {
    if times.is_empty() {
        let key = if item.times.is_some() { "times" } else { "id" };
        let help = "add `times = [\"08:00\"]`, a `cron` pattern, `every = \"8 hours\"` or `as-needed = true`";
        reporter.error(key, format!("`{}` has no times", item.id.0), help);
        return None;
    }
    if matches!(interval, Interval::Days(0) | Interval::Weeks(0) | Interval::Months(0)) {
        reporter.error("every", "`every` must be longer than 0", "use at least `1 day`");
        return None;
    }
    let is_in_months = matches!(interval, Interval::Months(_));
    if is_in_months && item.days.is_some() {
        let message = "`days` cannot be combined with an `every` in months or years";
        reporter.error("days", message, "remove `days`: the day of the month follows from `from`");
    }
    if item.after_last && (item.every.is_none() || item.days.is_some()) {
        let message = "`after-last` requires an `every`, and no `days`";
        reporter.error("after-last", message, "add `every = \"1 year\"`, or remove `after-last`");
    }
    let days = item.days.map_or(Weekdays::ALL, |days| days.0);
    Some(Recurrence::Calendar { interval, days, times, after_last: item.after_last })
}
