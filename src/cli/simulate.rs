//! The occurrences that a plan makes over any time, a piece at a time: however many there are, none is left out and few
//! are in memory.

use jiff::{SignedDuration, Timestamp};

use crate::core::schedule::{NoHistory, Plan, Planned};

/// How much is expanded at once.
const PIECE: SignedDuration = SignedDuration::from_hours(24 * 31);

/// Returns what is planned in `[from, until)`, in the order of time.
pub(super) fn occurrences(
    plan: &Plan,
    from: Timestamp,
    until: Timestamp,
) -> impl Iterator<Item = Planned<'_>> {
    let is_before_end = move |begins: &Timestamp| *begins < until;
    let next = move |begins: &Timestamp| begins.checked_add(PIECE).ok().filter(is_before_end);
    std::iter::successors(Some(from).filter(is_before_end), next).flat_map(move |begins| {
        let ends = begins.checked_add(PIECE).map_or(until, |ends| ends.min(until));
        let mut found: Vec<_> =
            plan.items().flat_map(|item| plan.occurrences(item, &NoHistory, begins, ends)).collect();
        found.sort_by(|a, b| a.occurrence.cmp(&b.occurrence));
        found
    })
}

/// Returns the length of the longest id among the items that are planned in `[from, until)`; `None` where none is.
pub(super) fn longest_id(plan: &Plan, from: Timestamp, until: Timestamp) -> Option<usize> {
    let before = from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(from);
    let is_planned = |next: Planned<'_>| next.occurrence.at < until;
    let planned =
        plan.items().filter(|item| plan.next_after(item, &NoHistory, before).is_some_and(is_planned));
    planned.map(|item| item.as_str().len()).max()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::adapters::config;
    use crate::core::schedule::ZoneHistory;

    const SCHEDULE: &str = r#"
[[habit]]
id = "daily"
times = ["08:00", "02:30", "00:00"]

[[habit]]
id = "monthly"
times = ["08:00"]
every = "1 month"
from = 2026-01-31

[[habit]]
id = "elapsed"
every = "7h 13m"

[[habit]]
id = "cron"
cron = "*/20 8-17 L,1 * *"

[[habit]]
id = "cycle"
times = ["23:59"]
cycle = { on = 3, off = 2 }
until = 2026-12-01

[[habit]]
id = "only-afterwards"
times = ["08:00"]
from = 2031-01-01
"#;

    #[test]
    fn pieces_are_the_whole() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |date: jiff::civil::Date| zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap();
        let (from, until) = (at(date(2026, 1, 1)), at(date(2027, 7, 2)));
        let mut plan = Plan::new(ZoneHistory::fixed(zone.clone()));
        for (item, _) in config::parse(SCHEDULE).unwrap().items {
            plan.open(item, from);
        }
        let mut whole: Vec<_> = plan
            .items()
            .flat_map(|item| plan.occurrences(item, &NoHistory, from, until))
            .map(|planned| planned.occurrence)
            .collect();
        whole.sort();
        let pieces: Vec<_> = occurrences(&plan, from, until).map(|planned| planned.occurrence).collect();
        assert!(pieces.len() > 3000, "{}", pieces.len());
        assert_eq!(pieces, whole);
        assert_eq!(longest_id(&plan, from, until), Some("elapsed".len()));
        assert_eq!((occurrences(&plan, until, from).count(), longest_id(&plan, until, from)), (0, None));
    }
}
