//! What an edit of the schedule changes in the coming days.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::core::schedule::{Amount, NoHistory, OccurrenceId, Plan, Schedule, ZoneHistory};

/// How far ahead changes are shown.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 7);

/// So many lines are shown.
const MAX_LINES: usize = 10;

/// A slot's instant, and what is shown of it.
type Slots = BTreeMap<OccurrenceId, (Timestamp, String)>;

/// Returns a line for each slot of the coming days that goes (`-`), comes (`+`) or is another dose (`~`).
pub(super) fn coming(before: &Schedule, after: &Schedule, now: Timestamp, zone: &TimeZone) -> Vec<String> {
    let (before, after) = (slots(before, now, zone), slots(after, now, zone));
    let ids: BTreeSet<&OccurrenceId> = before.keys().chain(after.keys()).collect();
    let change = |id: &OccurrenceId| match (before.get(id), after.get(id)) {
        (Some((at, text)), None) => Some((*at, format!("- {text}"))),
        (None, Some((at, text))) => Some((*at, format!("+ {text}"))),
        (Some((at, old)), Some((_, new))) if old != new => Some((*at, format!("~ {new}"))),
        _ => None,
    };
    let mut changes: Vec<(Timestamp, String)> = ids.into_iter().filter_map(change).collect();
    changes.sort();
    let hidden = changes.len().saturating_sub(MAX_LINES);
    let mut lines: Vec<String> = changes.into_iter().take(MAX_LINES).map(|(_, line)| line).collect();
    if hidden > 0 {
        lines.push(format!("and {hidden} more within a week"));
    }
    lines
}

fn slots(schedule: &Schedule, now: Timestamp, zone: &TimeZone) -> Slots {
    let mut plan = Plan::new(ZoneHistory::fixed(zone.clone()));
    for (item, _) in &schedule.items {
        plan.open(item.clone(), now);
    }
    let until = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let mut slots = Slots::new();
    for item in plan.current_items() {
        for planned in plan.occurrences(&item.id, &NoHistory, now, until) {
            let at = planned.occurrence.at;
            let dose = planned.dose(&plan.zones).map(Amount::for_people);
            let dose = dose.map(|dose| format!(", {dose}")).unwrap_or_default();
            let when = zone.to_datetime(at).strftime("%a %-d %b, %H:%M");
            slots.insert(planned.occurrence.id, (at, format!("{when}  {}{dose}", item.name)));
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::config;

    #[test]
    fn what_an_edit_changes_is_shown_by_time() {
        let read = |items: &str| config::parse(items).unwrap();
        let item = |id: &str, keys: &str| {
            format!("[[supplement]]\nid = \"{id}\"\nname = \"{}\"\n{keys}\n", id.to_uppercase())
        };
        let before = read(&format!(
            "{}{}",
            item("a", "dose = \"1 tablet\"\ntimes = [\"08:00\"]\nuntil = 2026-11-26"),
            item("b", "times = [\"09:00\"]\nuntil = 2026-11-25")
        ));
        let after = read(&format!(
            "{}{}",
            item("a", "dose = \"2 tablet\"\ntimes = [\"08:00\"]\nuntil = 2026-11-26"),
            item("c", "times = [\"07:00\"]\nuntil = 2026-11-26")
        ));
        let now = "2026-11-25T06:30:00Z".parse().unwrap();
        let lines = coming(&before, &after, now, &TimeZone::UTC);
        assert_eq!(
            lines,
            [
                "+ Wed 25 Nov, 07:00  C",
                "~ Wed 25 Nov, 08:00  A, 2 tablets",
                "- Wed 25 Nov, 09:00  B",
                "+ Thu 26 Nov, 07:00  C",
                "~ Thu 26 Nov, 08:00  A, 2 tablets",
            ]
        );
        assert_eq!(coming(&before, &before, now, &TimeZone::UTC), [""; 0]);
        let many = read(&item("m", "times = [\"07:00\", \"08:00\"]"));
        let lines = coming(&after, &many, now, &TimeZone::UTC);
        assert_eq!((lines.len(), lines.last().unwrap().as_str()), (11, "and 8 more within a week"));
    }
}
