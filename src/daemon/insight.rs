//! What the record shows of habits and check-ins together, and when it can first show anything.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::forms::{answered, date_of};
use super::query::{Failure, Scene};
use crate::insight::{
    Answers, Days, Entry, Exposure, NEEDED, Pair, QUESTIONS, SEED, TIMING_WINDOW, Taken, Together,
    all_together, associations, composite, decided_days, entries, measure, occurrences, reached, together,
};
use crate::ledger::{CheckIn, Ledger, State};
use crate::schedule::{Item, ItemId, Kind, Plan, Questions};

/// How many days before a check-in its habits are looked at.
const WINDOW_DAYS: i32 = 90;

/// The least part of them that has to be known.
const LEAST_KNOWN: f64 = 0.6;

/// The question that the primary pair is about, fixed before anything was answered.
const PRIMARY_OUTCOME: &str = "wellness";

/// Tells what goes with what, as far as the number of check-ins allows.
pub(super) async fn insight(scene: &Scene) -> Result<String, Failure> {
    let check_ins: Vec<(Date, CheckIn)> = answered(scene)
        .await?
        .into_iter()
        .map(|(record, check_in)| (date_of(&record, scene), check_in))
        .collect();
    let items: Vec<Item> = scene
        .plan
        .current_items()
        .filter(|item| matches!(item.kind, Kind::Supplement | Kind::Habit) && item.rule.has_slots())
        .cloned()
        .collect();
    let today = scene.today();
    let mut exposures = Vec::new();
    let mut recent = Vec::new();
    let mut lately = Vec::new();
    for item in &items {
        let first = first_before(check_ins.first().map_or(today, |(date, _)| *date));
        let from = scene.midnight(first)?;
        let ledger = scene.ledger(from, scene.now, Some(&item.id)).await?;
        let entries = entries(&scene.plan, &ledger, &item.id);
        let mut shares = Vec::with_capacity(check_ins.len());
        for (date, _) in &check_ins {
            let occurrences = occurrences_before(scene, &ledger, item, *date)?;
            shares.push(share_before(scene, &entries, &occurrences, item, *date));
        }
        let occurrences = occurrences_before(scene, &ledger, item, today)?;
        recent.push(share_before(scene, &entries, &occurrences, item, today));
        lately.push(decided_days(&occurrences));
        exposures.push(Exposure { item: item.id.to_string(), name: item.name.clone(), shares });
        tokio::task::yield_now().await;
    }
    let outcomes: Vec<Answers> = QUESTIONS
        .iter()
        .map(|question| Answers {
            key: question.key.to_string(),
            text: question.text.to_lowercase(),
            answers: check_ins
                .iter()
                .map(|(_, check_in)| check_in.answers.get(&*question.key).copied().flatten().map(f64::from))
                .collect(),
        })
        .collect();
    let days = |date: &Date| today.until(*date).map_or(0, |span| span.get_days());
    let times: Vec<f64> = check_ins.iter().map(|(date, _)| f64::from(days(date))).collect();
    let primary = primary(&items).map(|item| item.id.to_string()).unwrap_or_default();
    let exposure = primary.clone();
    // Thousands of orders are looked at: not where reminders wait.
    let found = tokio::task::spawn_blocking(move || {
        associations(&times, &exposures, &outcomes, (&exposure, PRIMARY_OUTCOME))
    })
    .await
    .map_err(|error| Failure::Asked(error.to_string()))?;
    let mut notes = found.notes;
    if scene.plan.current_items().any(|item| matches!(item.extras().questions, Questions::Own(_))) {
        notes.push(
            "questions of your own are not set beside habits: dosed check-in list shows them".to_owned(),
        );
    }
    let changed: Vec<Value> = check_ins
        .iter()
        .filter_map(|(date, check_in)| {
            Some(json!({ "date": date.to_string(), "said": check_in.changed.clone()? }))
        })
        .collect();
    let first_answer = first_answer(&scene.plan, check_ins.len(), scene.now, scene.zone());
    Ok(json!({
        "check_ins": check_ins.len(),
        "needed": NEEDED,
        "comparisons": found.comparisons,
        "seed": SEED,
        "primary": { "exposure": primary, "outcome": PRIMARY_OUTCOME },
        "pairs": found.pairs.iter().map(pair).collect::<Vec<_>>(),
        "notes": notes,
        "changed": changed,
        "composite": composite(&recent),
        "together": on_one_day(&items, &lately),
        "window_days": WINDOW_DAYS,
        "first_answer": first_answer.map(|date| date.to_string()),
    })
    .to_string())
}

fn pair(pair: &Pair) -> Value {
    let (low, high) = pair.slope.and_then(|(_, range)| range).unzip();
    json!({
        "exposure": pair.exposure,
        "outcome": pair.outcome,
        "primary": pair.primary,
        "n": pair.n,
        "dropped": pair.dropped,
        "tau_b": pair.tau_b,
        "tau_b_raw": pair.tau_b_raw,
        "p": pair.p,
        "p_adjusted": pair.p_adjusted,
        "method": pair.method.map(crate::insight::Method::as_str),
        "slope": pair.slope.map(|(slope, _)| slope),
        "slope_low": low,
        "slope_high": high,
        "sentence": pair.sentence,
    })
}

/// Returns the item of the primary pair: the probiotic, which is what has a strain, else what is taken
/// or done first by its id.
fn primary(items: &[Item]) -> Option<&Item> {
    items.iter().find(|item| item.strain().is_some()).or_else(|| items.first())
}

/// Returns the first day of the window before a date.
fn first_before(date: Date) -> Date {
    date.saturating_sub(WINDOW_DAYS.days())
}

/// Returns what became of an item's occurrences in the window before a date.
fn occurrences_before(
    scene: &Scene,
    ledger: &Ledger,
    item: &Item,
    date: Date,
) -> Result<Vec<Taken>, Failure> {
    let (from, until) = (scene.midnight(first_before(date))?, scene.midnight(date)?);
    Ok(occurrences(&scene.plan, ledger, &item.id, from, until, scene.now).0)
}

/// Tells how often things happened on one day: all of them, and each two.
fn on_one_day(items: &[Item], lately: &[Days]) -> Value {
    let (all, days) = all_together(lately);
    let pair = |pair: Together| {
        let name = |place: usize| items.get(place).map(|item| item.id.as_str());
        json!({ "a": name(pair.a), "b": name(pair.b), "both": pair.both, "days": pair.days })
    };
    json!({ "all": all, "days": days, "pairs": together(lately).into_iter().map(pair).collect::<Vec<_>>() })
}

/// Returns an item's share in the window before a date, where enough of its days is known.
fn share_before(
    scene: &Scene,
    entries: &[Entry],
    occurrences: &[Taken],
    item: &Item,
    date: Date,
) -> Option<f64> {
    let first = first_before(date).max(scene.first_day(&item.id));
    if known_days(occurrences, first, date) < LEAST_KNOWN {
        return None;
    }
    let of_target = item.extras().target.filter(|_| entries.iter().any(|(_, amount)| amount.is_some()));
    let of_target =
        of_target.and_then(|target| reached(target, entries, occurrences, first, date, scene.today()).share);
    of_target.or_else(|| measure(occurrences, 0, TIMING_WINDOW).doses_taken_share)
}

/// Returns the part of the window of which it is known what was taken.
fn known_days(occurrences: &[Taken], from: Date, until: Date) -> f64 {
    let days = from.until(until).map_or(0, |span| span.get_days()).max(0);
    let mut unknown: Vec<Date> =
        occurrences.iter().filter(|taken| taken.state == State::Unknown).map(|taken| taken.date).collect();
    unknown.dedup();
    let unknown = i32::try_from(unknown.len()).unwrap_or(i32::MAX);
    f64::from(days - unknown) / f64::from(WINDOW_DAYS)
}

/// Tells whether an item asks questions that can be compared with habits.
fn asks_shipped(item: &Item) -> bool {
    item.kind == Kind::CheckIn && !matches!(item.extras().questions, Questions::Own(_))
}

/// Returns the day of the check-in with which there are enough for a first look, if it is planned.
pub(super) fn first_answer(plan: &Plan, have: usize, now: Timestamp, zone: &TimeZone) -> Option<Date> {
    let missing = NEEDED.checked_sub(have).filter(|missing| *missing > 0)?;
    let check_ins: Vec<ItemId> =
        plan.current_items().filter(|item| asks_shipped(item)).map(|item| item.id.clone()).collect();
    let mut at = now;
    for _ in 0..missing {
        at = check_ins
            .iter()
            .filter_map(|item| plan.next_after(item, &[], at))
            .map(|next| next.occurrence.at)
            .min()?;
    }
    Some(zone.to_datetime(at).date())
}
