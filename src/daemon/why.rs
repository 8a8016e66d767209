//! Tells everything that made one occurrence what it is.

use jiff::SignedDuration;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde_json::{Value, json};

use super::query::{Failure, Scene, long, shown, zone_of};
use crate::ledger::{Fact, Ledger, Line, State, standing};
use crate::schedule::{OccurrenceId, Planned, Slot};
use crate::store::{Question, Range};

/// Tells all that made an occurrence what it is: what planned it, which instant that is and why, what
/// happened to it, and what would happen next.
pub(super) async fn why(scene: &Scene, occurrence: &OccurrenceId) -> Result<String, Failure> {
    let written = TimeZone::UTC.to_timestamp(occurrence.slot.written()).unwrap_or(scene.now);
    let day = SignedDuration::from_hours(48);
    let (from, until) = (written.saturating_sub(day), written.saturating_add(day));
    let (Ok(from), Ok(until)) = (from, until) else {
        return Err(Failure::Asked("that time cannot be held".to_owned()));
    };
    let ledger = scene.ledger(from, until, Some(&occurrence.item)).await?;
    let Some(planned) = scene.plan.find(occurrence, &ledger.counted_from(&scene.plan, &occurrence.item))
    else {
        return Err(Failure::Unknown(format!("nothing was planned as `{occurrence}`")));
    };
    let standing = standing(&planned, &ledger, scene.now);
    let regimen = planned.regimen;
    let zone = zone_of(&planned, &scene.plan);
    let plan_lines = scene.reader.ask(Question::Plan).await?;
    let definition = plan_lines.iter().find_map(|line| match &line.record.fact {
        Fact::Regimen { item, at, definition: Some(definition) }
            if *item == occurrence.item && *at == regimen.opened =>
        {
            serde_json::from_str::<Value>(definition).ok()
        }
        _ => None,
    });
    let about =
        scene.reader.ask(Question::About(Range { from, until, item: Some(occurrence.item.clone()) })).await?;
    let mut about: Vec<_> =
        about.into_iter().filter(|line| line.record.fact.occurrence() == Some(occurrence)).collect();
    about.sort_by(|a, b| (a.record.recorded_at, &a.record.id).cmp(&(b.record.recorded_at, &b.record.id)));
    let facts: Vec<Value> = about.iter().filter_map(|line| serde_json::from_str(&line.text).ok()).collect();
    let line = Line { planned: planned.clone(), standing };
    let mut value = long(&line, &scene.plan);
    if let Some(object) = value.as_object_mut() {
        object.insert(
            "regimen".to_owned(),
            json!({
                "opened": shown(regimen.opened, zone),
                "closed": regimen.closed.map(|closed| shown(closed, zone)),
                "definition": definition,
            }),
        );
        object.insert("zone_decision".to_owned(), zone_decision(&planned, zone).into());
        object.insert("facts".to_owned(), facts.into());
        object.insert("next".to_owned(), what_next(&line, &ledger, zone, scene).into());
    }
    Ok(value.to_string())
}

/// Says how a planned local time became an instant.
fn zone_decision(planned: &Planned<'_>, zone: &TimeZone) -> String {
    let Slot::Civil(local) = planned.occurrence.id.slot else {
        return "elapsed time, named in UTC".to_owned();
    };
    let name = zone.iana_name().unwrap_or("its zone");
    let offset = zone.to_ambiguous_timestamp(local).offset();
    let clock = zone.to_datetime(planned.occurrence.at).strftime("%H:%M");
    if matches!(offset, AmbiguousOffset::Gap { .. }) {
        return format!(
            "{} does not exist on that day in {name}: shifted forward to {clock}",
            local.strftime("%H:%M")
        );
    }
    if matches!(offset, AmbiguousOffset::Fold { .. }) {
        return format!("{} comes twice on that day in {name}: the first counts", local.strftime("%H:%M"));
    }
    if zone.to_datetime(planned.occurrence.at) != local {
        return format!("the clock had changed to {name} and had passed it: due on arrival, {clock}");
    }
    let floats = if planned.regimen.item.zone.is_some() { "fixed to" } else { "floating, then in" };
    format!("{floats} {name}")
}

/// Says what would happen next to an occurrence.
fn what_next(line: &Line<'_>, ledger: &Ledger, zone: &TimeZone, scene: &Scene) -> String {
    let occurrence = &line.planned.occurrence;
    let closes = shown(line.standing.closes, zone);
    match line.standing.state {
        State::Upcoming => format!("a reminder at {}", shown(occurrence.at, zone)),
        State::Due => match line.standing.snoozed_until {
            Some(until) => format!("a reminder at {}, when the snooze ends", shown(until, zone)),
            None if let Some(until) = scene.held_back_until => {
                let until = shown(until, zone);
                format!("a reminder when you are there and no quiet hour is, at {until} at the latest")
            }
            None if ledger.deliveries(&occurrence.id).iter().all(|at| *at < occurrence.at) => {
                format!("a reminder as soon as it can be shown; it can be answered until {closes}")
            }
            None => format!("it can be answered until {closes}"),
        },
        State::Missed | State::Unknown if scene.now >= occurrence.at => {
            format!("nothing; `dosed take {}` fills it in", occurrence.id)
        }
        _ => "nothing; `dosed undo` takes an answer back".to_owned(),
    }
}
