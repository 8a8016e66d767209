//! Makes the plan of an item that has several steps, each with times and a dose of its own.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::file::{ItemToml, StepPlanToml};
use super::recurrence;
use super::report::Reporter;
use crate::core::schedule::{Cycle, Interval, Recurrence, Rule, Step};

/// The most steps of one plan.
const MAX_STEPS: usize = 50;

/// So many days are looked through for two steps that claim one slot: most patterns repeat within four years.
const DAYS_LOOKED_THROUGH: i32 = 1_500;

/// Where none of the steps says when it begins, they are looked through from here.
const ANY_MONDAY: Date = Date::constant(2026, 1, 5);

/// Makes the rules of the steps; `None` where that is not possible.
pub(super) fn lower(
    item: &ItemToml,
    steps: &[StepPlanToml],
    reporter: &mut Reporter<'_>,
) -> Option<Recurrence> {
    refuse_other_keys(item, reporter);
    if steps.is_empty() || steps.len() > MAX_STEPS {
        let message = format!("`plan` must have 1 to {MAX_STEPS} steps");
        reporter.error("plan", message, "for example `plan = [{ times = [\"08:00\"], dose = \"5 mg\" }]`");
        return None;
    }
    let rules: Vec<Option<Step>> = steps.iter().map(|step| lower_step(item, step, reporter)).collect();
    let steps: Vec<Step> = rules.into_iter().collect::<Option<_>>()?;
    if let Some((slot, one, other)) = claimed_twice(&steps) {
        let message =
            format!("steps {one} and {other} of `plan` both claim {} at {}", slot.date(), slot.time());
        reporter.error("plan", message, "end one with `until`, or give them other times or days");
    }
    Some(Recurrence::Steps(steps))
}

fn lower_step(item: &ItemToml, step: &StepPlanToml, reporter: &mut Reporter<'_>) -> Option<Step> {
    let StepPlanToml { times, days, every, cron, from, until, cycle, dose } = step.clone();
    let of_step = ItemToml { times, days, every, cron, from, until, cycle, plan: None, ..item.clone() };
    let recurrence = recurrence::lower(&of_step, reporter);
    recurrence::check_bounds(&of_step, recurrence.as_ref(), reporter);
    let rule = Rule {
        recurrence: recurrence?,
        from: of_step.from.map(|day| day.0),
        until: of_step.until.map(|day| day.0),
        cycle: of_step.cycle.as_ref().map(|cycle| Cycle { on: cycle.on, off: cycle.off }),
    };
    if rule.is_relative() {
        let message = "a step of `plan` cannot count from the last intake";
        reporter.error("plan", message, "use times of the day, `days`, or `every` in days, weeks or months");
        return None;
    }
    if rule.needs_anchor() {
        let message = "a step of `plan` with `every` or `cycle` has no `from`";
        reporter.error("plan", message, "add the day from which it counts, as in `from = 2026-12-01`");
        return None;
    }
    Some(Step { rule, dose: dose.map(|dose| dose.0) })
}

/// Refuses what each step says for itself.
fn refuse_other_keys(item: &ItemToml, reporter: &mut Reporter<'_>) {
    let keys = [
        ("times", item.times.is_some()),
        ("days", item.days.is_some()),
        ("every", item.every.is_some()),
        ("cron", item.cron.is_some()),
        ("cycle", item.cycle.is_some()),
        ("as-needed", item.as_needed),
        ("after-last", item.after_last),
        ("taper", item.taper.is_some()),
        ("turns", item.turns.is_some()),
    ];
    recurrence::refuse(&keys, "plan", reporter);
}

/// Returns the first slot that two steps have, with the numbers of both as people count them.
fn claimed_twice(steps: &[Step]) -> Option<(DateTime, usize, usize)> {
    let start = steps.iter().filter_map(|step| step.rule.from).min().unwrap_or(ANY_MONDAY);
    let end = start.saturating_add(DAYS_LOOKED_THROUGH.days());
    let mut claimed: BTreeMap<DateTime, usize> = BTreeMap::new();
    let mut found: Option<(DateTime, usize, usize)> = None;
    for (number, step) in (1..).zip(steps) {
        for slot in step.slots(start, end) {
            match claimed.get(&slot) {
                Some(first) if found.is_none_or(|(earliest, ..)| slot < earliest) => {
                    found = Some((slot, *first, number));
                }
                Some(_) => {}
                None => {
                    claimed.insert(slot, number);
                }
            }
        }
    }
    found
}

/// Refuses doses in turn where it is not plain whose turn it is.
pub(super) fn check_turns(item: &ItemToml, recurrence: Option<&Recurrence>, reporter: &mut Reporter<'_>) {
    let Some(turns) = &item.turns else { return };
    let help =
        "for example `turns = [\"5 mg\", \"2.5 mg\"]` with `times = [\"08:00\"]` and `from = 2026-12-01`";
    if turns.len() < 2 {
        reporter.error("turns", "`turns` needs two doses or more", help);
    }
    let taken = [("dose", item.dose.is_some()), ("taper", item.taper.is_some())];
    recurrence::refuse(&taken, "turns", reporter);
    let is_by_days = matches!(
        recurrence,
        Some(Recurrence::Calendar { interval: Interval::Days(_), after_last: false, .. })
    );
    if !is_by_days || item.days.is_some() || item.cycle.is_some() {
        let message = "`turns` needs `times` every day, or `every` in days";
        reporter.error("turns", message, "for other patterns, `plan` has steps with doses of their own");
    } else if item.from.is_none() {
        reporter.error("turns", "`turns` has no `from`: the day of the first dose", help);
    }
}
