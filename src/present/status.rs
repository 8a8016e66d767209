//! How dosed is: its status, the doctor's findings, and what a test of the channels gave.

use jiff::Timestamp;

use super::text::{Cell, FAINT, GOOD, LOST, PLAIN, WAITS, cell, clock, count, table};
use crate::protocol::{
    ChannelStatus, ChannelTest, DatabaseStatus, LastAttempt, Notifications, Presence, ScheduleStatus, Status,
    UnreadFact,
};

/// One thing that `doctor` checked, in the words that it shows.
#[derive(Clone, Copy, Debug)]
pub struct FindingText<'a> {
    /// What was checked.
    pub check: &'a str,
    /// Whether it is right; none where that cannot be found out here.
    pub is_good: Option<bool>,
    /// What was found.
    pub found: &'a str,
    /// How to fix it.
    pub help: Option<&'a str>,
}

/// Shows what was found, and how to fix it.
#[must_use]
pub fn findings<'a>(found: impl IntoIterator<Item = FindingText<'a>>) -> String {
    let mut lines = Vec::new();
    for FindingText { check, is_good, found, help } in found {
        let (mark, style) = match is_good {
            Some(true) => ("ok", GOOD),
            Some(false) => ("!!", LOST),
            None => ("?", FAINT),
        };
        lines.push(vec![cell(mark, style), cell(check, FAINT), cell(found, PLAIN)]);
        if let Some(help) = help {
            lines.push(vec![cell("", PLAIN), cell("", PLAIN), cell(format!("-> {help}"), WAITS)]);
        }
    }
    table(&lines)
}

/// Shows what came of a harmless reminder through every channel.
#[must_use]
pub fn channel_tests(tests: &[ChannelTest]) -> String {
    let line = |test: &ChannelTest| {
        let outcome = match &test.error {
            None => cell("sent: check that it arrived", GOOD),
            Some(error) => cell(error, LOST),
        };
        let kind = if test.kind == "desktop" { "" } else { &test.kind };
        vec![cell(&test.channel, PLAIN), cell(kind, FAINT), outcome]
    };
    table(&tests.iter().map(line).collect::<Vec<_>>())
}

/// Says whether the person can see what is shown.
fn presence(person: Presence) -> String {
    let away = [
        (person.locked == Some(true), "the screen is locked"),
        (person.idle == Some(true), "idle"),
        (person.do_not_disturb, "do not disturb"),
        (person.switched_off, "the desktop's settings switch the notifications of dosed off"),
    ];
    let away: Vec<&str> = away.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text).collect();
    if away.is_empty() {
        return "reachable".to_owned();
    }
    format!("{}: reminders wait, at most for half of their grace", away.join(", "))
}

fn server(notifications: &Notifications) -> Cell {
    match notifications {
        Notifications::Ready { server, version, buttons, expectation, .. } => {
            let buttons = if *buttons { "with buttons" } else { "without buttons" };
            let expectation = expectation.as_ref().map(|text| format!("; {text}")).unwrap_or_default();
            cell(format!("{server} {version}, {buttons}{expectation}"), GOOD)
        }
        Notifications::Unavailable { on_demand: true, .. } => {
            cell("none runs: one is started when a reminder is due", PLAIN)
        }
        Notifications::Unavailable { reason, .. } => cell(reason, LOST),
        Notifications::Unknown => cell("not asked yet", FAINT),
    }
}

/// Shows the channels, and what is wrong with them.
fn channels(channels: &[ChannelStatus]) -> Vec<Vec<Cell>> {
    let names: Vec<&str> = channels.iter().map(|channel| channel.channel.as_str()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let problems = channels.iter().flat_map(|channel| {
        let of = |last: &Option<LastAttempt>| last.as_ref().and_then(|last| last.error.clone());
        let sent = of(&channel.last).map(|error| format!("the last reminder was not sent: {error}"));
        let heard = of(&channel.replies).map(|error| format!("answers cannot be heard: {error}"));
        let line = |text| vec![cell("", PLAIN), cell(format!("{}: {text}", channel.channel), LOST)];
        sent.into_iter().chain(heard).map(line)
    });
    std::iter::once(vec![cell("channels", FAINT), cell(names.join(", "), PLAIN)]).chain(problems).collect()
}

fn database(database: &DatabaseStatus) -> Cell {
    match &database.error {
        Some(error) => cell(error, LOST),
        None => cell(format!("{}, {}", database.path, count(database.facts, "fact")), PLAIN),
    }
}

/// Says what cannot be read of an item or a zone as it was recorded, and what is assumed.
#[must_use]
pub fn unread(one: &UnreadFact, now: Timestamp) -> String {
    let subject = one.item.as_deref().unwrap_or("the clock");
    format!("{subject} as recorded at {}: {}", clock(&one.since.0, now), one.reason)
}

/// Says which plan goes on while the schedule cannot be used.
#[must_use]
pub fn plan_in_use(schedule: &ScheduleStatus, now: Timestamp) -> String {
    let since = schedule.plan_since.as_ref().map(|since| format!(" of {}", clock(&since.0, now)));
    let lacks = if schedule.from_record { ", without channels and quiet hours" } else { "" };
    format!("still using the plan{}{lacks}", since.unwrap_or_default())
}

/// Warns of a schedule that cannot be used; empty where it can.
#[must_use]
pub fn schedule_warning(schedule: &ScheduleStatus, now: Timestamp) -> String {
    if schedule.error.is_none() {
        return String::new();
    }
    let plan = plan_in_use(schedule, now);
    format!("\n{LOST}The schedule cannot be used: {plan}. `dosed check` shows what is wrong.{LOST:#}\n")
}

/// Shows the state of the daemon.
#[must_use]
pub fn status(status: &Status, now: Timestamp) -> String {
    let line = |name: &str, text: String| vec![cell(name, FAINT), cell(text, PLAIN)];
    let last = status.last.as_ref().map_or_else(
        || "nothing yet".to_owned(),
        |last| {
            let subject = last.occurrence.as_deref().or(last.item.as_deref()).unwrap_or("an answer");
            format!("{subject} at {}", clock(&last.recorded_at.0, now))
        },
    );
    let next = status.next.as_ref().map_or_else(
        || "nothing".to_owned(),
        |next| format!("{}, {}", next.occurrence.name, clock(&next.occurrence.at.0, now)),
    );
    let schedule = &status.schedule;
    let items = count(schedule.items as u64, "item");
    let mut lines = vec![
        vec![
            cell("dosed", FAINT),
            cell(format!("{}, running as process {}", status.version, status.pid), GOOD),
        ],
        vec![cell("notifications", FAINT), server(&status.notifications)],
        line("person", presence(status.person)),
    ];
    lines.extend(channels(&status.channels));
    lines.extend([line("last", last), line("next", next), line("zone", status.zone.clone())]);
    if let Some(error) = &status.zone_error {
        lines.push(vec![cell("", PLAIN), cell(format!("{error}; using the last recorded zone"), LOST)]);
    }
    lines.push(line("schedule", format!("{}, {items}", schedule.path)));
    if let Some(error) = &schedule.error {
        lines.push(vec![cell("", PLAIN), cell(format!("{error}; {}", plan_in_use(schedule, now)), LOST)]);
    }
    let journal = format!("{}, {}", status.journal.path, count(status.journal.facts, "fact"));
    lines.push(line("journal", journal));
    if let Some(before) = &status.journal.copied_from {
        let text = format!(
            "copied from another machine, where it is {before}; here it is {}",
            status.journal.device
        );
        lines.push(line("", text));
    }
    for file in &status.journal.skipped {
        lines.push(vec![cell("", PLAIN), cell(format!("skipped {}: {}", file.path, file.reason), LOST)]);
    }
    for one in &status.journal.unread {
        lines.push(vec![cell("", PLAIN), cell(unread(one, now), LOST)]);
    }
    if status.journal.unread_more > 0 {
        let text = format!("and {} more that cannot be read", status.journal.unread_more);
        lines.push(vec![cell("", PLAIN), cell(text, LOST)]);
    }
    lines.push(vec![cell("database", FAINT), database(&status.database)]);
    table(&lines)
}
