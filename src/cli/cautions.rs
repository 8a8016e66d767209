//! What `dosed check` warns of: what is legal in a schedule and probably not meant.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::core::schedule::{
    CronRule, Item, Length, NoHistory, Occurrence, Plan, Recurrence, Schedule, ZoneHistory,
};

/// So far ahead the slots are looked at.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 28);

/// Returns a line for each thing of an item that is probably not meant, the first of its kind.
pub(super) fn cautions(schedule: &Schedule, now: Timestamp, zone: &TimeZone) -> Vec<String> {
    let mut plan = Plan::new(ZoneHistory::fixed(zone.clone()));
    for (item, _) in &schedule.items {
        plan.open(item.clone(), now);
    }
    let until = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let slots = |item: &Item| -> Vec<Occurrence> {
        let planned = plan.occurrences(&item.id, &NoHistory, now, until);
        planned.into_iter().map(|planned| planned.occurrence).collect()
    };
    let items: Vec<(&Item, Vec<Occurrence>)> =
        schedule.items.iter().map(|(item, _)| (item, slots(item))).collect();
    let mut lines = Vec::new();
    for (item, slots) in &items {
        lines.extend(days_of_the_month(item));
        lines.extend(long_grace(item, slots));
        lines.extend(in_quiet_hours(item, slots, schedule, zone));
        for apart in &item.apart {
            let other = items.iter().find(|(other, _)| other.id == apart.from);
            lines.extend(
                other.and_then(|(other, of_other)| too_close(item, slots, other, of_other, apart.by, zone)),
            );
        }
    }
    lines
}

/// `0 8 */2 * *` is no "every other day": it begins anew with each month.
fn days_of_the_month(item: &Item) -> Option<String> {
    let step = |cron: &CronRule| {
        let text = cron.to_string();
        let day = text.split_whitespace().nth(2)?.to_owned();
        let n = day.strip_prefix("*/")?.parse::<u32>().ok().filter(|n| *n > 1)?;
        Some(format!(
            "`{}`: `{day}` in `cron` begins anew with each month; every {n} days is `every = \"{n} days\"`",
            item.id
        ))
    };
    match &item.rule.recurrence {
        Recurrence::Cron(cron) => step(cron),
        Recurrence::Steps(steps) => steps.iter().find_map(|of| match &of.rule.recurrence {
            Recurrence::Cron(cron) => step(cron),
            _ => None,
        }),
        _ => None,
    }
}

/// While two slots are open, an answer can mean either.
fn long_grace(item: &Item, slots: &[Occurrence]) -> Option<String> {
    let distances = slots.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at));
    let shortest = distances.min().filter(|shortest| *shortest < item.grace)?;
    let (id, grace, shortest) = (&item.id, length(item.grace), length(shortest));
    Some(format!(
        "`{id}` can be answered for {grace}, and its next slot comes after {shortest}: shorten `grace`"
    ))
}

fn in_quiet_hours(item: &Item, slots: &[Occurrence], schedule: &Schedule, zone: &TimeZone) -> Option<String> {
    // Hours that pass are sometimes those.
    let is_on_the_clock = !matches!(item.rule.recurrence, Recurrence::Elapsed { .. });
    let quiet = item.quiet_hours(schedule.settings.quiet).filter(|_| is_on_the_clock)?;
    let (slot, ends) = slots.iter().find_map(|slot| Some((slot, quiet.ends(slot.at, zone)?)))?;
    let latest = slot.at.checked_add(item.grace / 2).unwrap_or(ends);
    let clock = |at: Timestamp| zone.to_datetime(at).strftime("%H:%M").to_string();
    let (id, at, shown) = (&item.id, clock(slot.at), clock(ends.min(latest)));
    Some(format!("`{id}` is planned at {at}, within `quiet`: it is shown at {shown}"))
}

fn too_close(
    item: &Item,
    slots: &[Occurrence],
    other: &Item,
    of_other: &[Occurrence],
    by: SignedDuration,
    zone: &TimeZone,
) -> Option<String> {
    let is_near = |one: &Occurrence, two: &Occurrence| one.at.duration_since(two.at).abs() < by;
    let (one, two) =
        slots.iter().find_map(|one| Some((one, of_other.iter().find(|two| is_near(one, two))?)))?;
    let when = zone.to_datetime(one.at).strftime("%a %-d %b, %H:%M");
    let (distance, by) = (length(one.at.duration_since(two.at).abs()), length(by));
    let (item, other) = (&item.id, &other.id);
    Some(format!(
        "`{item}` and `{other}` are planned {distance} apart ({when}), and `apart` keeps them {by} apart"
    ))
}

fn length(length: SignedDuration) -> String {
    Length::Exact(length).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_probably_not_meant_is_warned_of() {
        let now = "2026-11-25T06:30:00Z".parse().unwrap();
        for (text, expected) in [
            (
                "id = \"a\"\ncron = \"0 8 */2 * *\"",
                &["`a`: `*/2` in `cron` begins anew with each month; every 2 days is `every = \"2 days\"`"][..],
            ),
            ("id = \"a\"\ncron = \"*/15 8 1,15 * *\"\ngrace = \"10m\"", &[]),
            (
                "id = \"a\"\ntimes = [\"08:00\", \"10:00\"]",
                &["`a` can be answered for 4h, and its next slot comes after 2h: shorten `grace`"],
            ),
            ("id = \"a\"\ntimes = [\"08:00\", \"12:00\"]", &[]),
            (
                "id = \"a\"\ntimes = [\"22:30\"]",
                &["`a` is planned at 22:30, within `quiet`: it is shown at 00:30"],
            ),
            ("id = \"a\"\ntimes = [\"22:30\"]\nquiet = false", &[]),
            ("id = \"a\"\nevery = \"8 hours\"", &[]),
            (
                "id = \"a\"\ntimes = [\"06:30\"]\ngrace = \"2h\"",
                &["`a` is planned at 06:30, within `quiet`: it is shown at 07:00"],
            ),
            (
                "id = \"a\"\ntimes = [\"08:00\"]\napart = [{ from = \"b\", by = \"2h\" }]\n[[supplement]]\nid = \"b\"\ndays = \"Sat\"\ntimes = [\"09:00\"]",
                &["`a` and `b` are planned 1h apart (Sat 28 Nov, 08:00), and `apart` keeps them 2h apart"],
            ),
            (
                "id = \"a\"\ntimes = [\"08:00\"]\napart = [{ from = \"b\", by = \"2h\" }]\n[[supplement]]\nid = \"b\"\ntimes = [\"10:00\"]",
                &[],
            ),
        ] {
            let schedule = crate::adapters::config::parse(&format!(
                "quiet = \"22:00..07:00\"\n[[supplement]]\n{text}\n"
            ))
            .unwrap();
            assert_eq!(cautions(&schedule, now, &TimeZone::UTC), expected, "{text}");
        }
    }
}
