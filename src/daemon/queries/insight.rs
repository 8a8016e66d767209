//! What the record shows of habits and check-ins together, and when it can first show anything.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::context::{QueryContext, QueryError};
use super::forms::{answered, date_of};
use crate::core::insight::{
    Association, DayOutcomes, Exposure, HabitEntry, MIN_CHECK_INS, QUESTIONS, QuestionSeries, SEED,
    SlotResult, TIMING_WINDOW, all_done_days, associations, co_occurrences, composite, day_outcomes, entries,
    measure, occurrences, target_progress,
};
use crate::core::ledger::{CheckIn, Ledger, State};
use crate::core::schedule::{Item, ItemId, Kind, NoHistory, Plan, QuestionSet};
use crate::protocol::{self, ChangeNote, ItemPair, PrimaryPair};

/// How many days before a check-in its habits are looked at.
const WINDOW_DAYS: i32 = 90;

/// The least part of them that has to be known.
const LEAST_KNOWN: f64 = 0.6;

/// The question that the primary pair is about, fixed before anything was answered.
const PRIMARY_OUTCOME: &str = "wellness";

/// What the record shows of habits and check-ins together, as far as the number of check-ins allows.
pub(in crate::daemon) async fn insight(context: &QueryContext) -> Result<protocol::Insight, QueryError> {
    let check_ins: Vec<(Date, CheckIn)> = answered(context)
        .await?
        .into_iter()
        .map(|(record, check_in)| (date_of(&record, context), check_in))
        .collect();
    let items: Vec<Item> = context
        .plan
        .current_items()
        .filter(|item| matches!(item.kind, Kind::Supplement | Kind::Habit) && item.rule.has_slots())
        .cloned()
        .collect();
    let today = context.today();
    let mut exposures = Vec::new();
    let mut recent = Vec::new();
    let mut recent_days = Vec::new();
    for item in &items {
        let first = first_before(check_ins.first().map_or(today, |(date, _)| *date));
        let from = context.midnight(first)?;
        let ledger = context.ledger(from, context.now, Some(&item.id)).await?;
        let entries = entries(&context.plan, &ledger, &item.id);
        let mut shares = Vec::with_capacity(check_ins.len());
        for (date, _) in &check_ins {
            let occurrences = occurrences_before(context, &ledger, item, *date)?;
            shares.push(share_before(context, &entries, &occurrences, item, *date));
        }
        let occurrences = occurrences_before(context, &ledger, item, today)?;
        recent.push(share_before(context, &entries, &occurrences, item, today));
        recent_days.push(day_outcomes(&occurrences));
        exposures.push(Exposure { item: item.id.to_string(), name: item.name.clone(), shares });
        tokio::task::yield_now().await;
    }
    let outcomes: Vec<QuestionSeries> = QUESTIONS
        .iter()
        .map(|question| QuestionSeries {
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
    .map_err(|error| QueryError::Invalid(error.to_string()))?;
    let mut notes = found.notes;
    if context.plan.current_items().any(|item| matches!(item.questions, QuestionSet::Custom(_))) {
        notes.push(
            "your own questions are not compared with habits: `dosed check-in list` shows them".to_owned(),
        );
    }
    let changed = check_ins
        .iter()
        .filter_map(|(date, check_in)| Some(ChangeNote { date: *date, text: check_in.changed.clone()? }))
        .collect();
    Ok(protocol::Insight {
        check_ins: check_ins.len(),
        needed: MIN_CHECK_INS,
        comparisons: found.comparisons,
        seed: SEED,
        primary: PrimaryPair { exposure: primary, outcome: PRIMARY_OUTCOME.to_owned() },
        pairs: found.pairs.into_iter().map(pair).collect(),
        notes,
        changed,
        composite: composite(&recent),
        together: on_one_day(&items, &recent_days),
        window_days: WINDOW_DAYS,
        first_answer: first_answer(&context.plan, check_ins.len(), context.now, context.zone()),
    })
}

fn pair(pair: Association) -> protocol::Pair {
    let stands_out = pair.stands_out();
    let (slope_low, slope_high) = pair.slope.and_then(|(_, range)| range).unzip();
    protocol::Pair {
        exposure: pair.exposure,
        outcome: pair.outcome,
        primary: pair.primary,
        n: pair.n,
        dropped: pair.dropped,
        tau_b: pair.tau_b,
        tau_b_raw: pair.tau_b_raw,
        p: pair.p,
        p_adjusted: pair.p_adjusted,
        method: pair.method.map(|method| method.as_str().to_owned()),
        slope: pair.slope.map(|(slope, _)| slope),
        slope_low,
        slope_high,
        stands_out,
        sentence: pair.sentence,
    }
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
    context: &QueryContext,
    ledger: &Ledger,
    item: &Item,
    date: Date,
) -> Result<Vec<SlotResult>, QueryError> {
    let (from, until) = (context.midnight(first_before(date))?, context.midnight(date)?);
    Ok(occurrences(&context.plan, ledger, &item.id, from, until, context.now).0)
}

/// Returns how often things happened on the same day: all of them, and each two.
fn on_one_day(items: &[Item], recent_days: &[DayOutcomes]) -> protocol::CoOccurrence {
    let (all, days) = all_done_days(recent_days);
    let name = |rank: usize| items.get(rank).map(|item| item.id.to_string());
    let pairs = co_occurrences(recent_days).into_iter();
    let pairs =
        pairs.map(|pair| ItemPair { a: name(pair.a), b: name(pair.b), both: pair.both, days: pair.days });
    protocol::CoOccurrence { all, days, pairs: pairs.collect() }
}

/// Returns an item's share in the window before a date, where enough of its days is known.
fn share_before(
    context: &QueryContext,
    entries: &[HabitEntry],
    occurrences: &[SlotResult],
    item: &Item,
    date: Date,
) -> Option<f64> {
    let first = first_before(date).max(context.first_day(&item.id));
    if known_days(occurrences, first, date) < LEAST_KNOWN {
        return None;
    }
    let of_target = item.target.as_ref().filter(|_| entries.iter().any(|(_, amount)| amount.is_some()));
    let of_target = of_target
        .and_then(|target| target_progress(target, entries, occurrences, first, date, context.today()).share);
    of_target.or_else(|| measure(occurrences, 0, TIMING_WINDOW).doses_taken_share)
}

/// Returns the part of the window of which it is known what was taken.
fn known_days(occurrences: &[SlotResult], from: Date, until: Date) -> f64 {
    let days = from.until(until).map_or(0, |span| span.get_days()).max(0);
    let mut unknown: Vec<Date> =
        occurrences.iter().filter(|taken| taken.state == State::Unknown).map(|taken| taken.date).collect();
    unknown.dedup();
    let unknown = i32::try_from(unknown.len()).unwrap_or(i32::MAX);
    f64::from(days - unknown) / f64::from(WINDOW_DAYS)
}

/// Tells whether an item asks questions that can be compared with habits.
fn asks_shipped(item: &Item) -> bool {
    item.kind == Kind::CheckIn && !matches!(item.questions, QuestionSet::Custom(_))
}

/// Returns the day of the check-in with which there are enough for a first look, if it is planned.
pub(in crate::daemon) fn first_answer(
    plan: &Plan,
    have: usize,
    now: Timestamp,
    zone: &TimeZone,
) -> Option<Date> {
    let missing = MIN_CHECK_INS.checked_sub(have).filter(|missing| *missing > 0)?;
    let check_ins: Vec<ItemId> =
        plan.current_items().filter(|item| asks_shipped(item)).map(|item| item.id.clone()).collect();
    let mut at = now;
    for _ in 0..missing {
        at = check_ins
            .iter()
            .filter_map(|item| plan.next_after(item, &NoHistory, at))
            .map(|next| next.occurrence.at)
            .min()?;
    }
    Some(zone.to_datetime(at).date())
}
