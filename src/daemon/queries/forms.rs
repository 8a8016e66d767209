//! Check-ins and scans: the forms that are asked, and what was recorded with them.

use jiff::Timestamp;

use super::context::{QueryContext, QueryError};
use crate::adapters::store;
use crate::core::insight::{
    CHANGED, CLEAR_CHANGE, LANGUAGE, SCAN_QUESTIONS, are_comparable, compare, differing_fields, form_of,
    is_shipped, precision_error_of, same_series, slope,
};
use crate::core::ledger::{CheckIn, Density, Fact, FormData, Record, Scan, When};
use crate::core::schedule::{Item, ItemId, Kind};
use crate::protocol::{self, Comparison, Form, NumberRange, Question, ScoreChange};

/// The mean length of a year, in seconds.
const YEAR_SECONDS: f64 = 365.25 * 86_400.0;

/// The forms that can be filled in: one for each check-in and scan of the schedule.
pub(in crate::daemon) fn forms(context: &QueryContext) -> Vec<Form> {
    context.plan.current_items().filter_map(form).collect()
}

fn form(item: &Item) -> Option<Form> {
    let question = |key: &str, text: &str| Question {
        key: key.to_owned(),
        text: text.to_owned(),
        low: None,
        high: None,
        hint: None,
        number: None,
    };
    let (form, language, questions): (String, &str, Vec<Question>) = match item.kind {
        Kind::CheckIn => {
            let form = form_of(item);
            let rated = form.questions.iter().map(|rated| {
                let ends = rated.number.is_none().then(|| [&rated.low, &rated.high].map(ToString::to_string));
                let [low, high] = ends.map_or([None, None], |ends| ends.map(Some));
                let hint = rated.number.as_ref().map(ToString::to_string);
                let number = rated.number.as_ref().map(|number| NumberRange {
                    unit: number.unit.clone(),
                    min: number.min.map(|min| min.to_string()),
                    max: number.max.map(|max| max.to_string()),
                });
                Question { low, high, hint, number, ..question(&rated.key, &rated.text) }
            });
            let changed = question(CHANGED, "Anything changed? A new medicine, diet, illness, travel");
            (form.name, form.language, rated.chain([changed]).collect())
        }
        Kind::Scan => {
            let questions = SCAN_QUESTIONS
                .iter()
                .map(|(key, text, hint)| Question { hint: Some((*hint).to_owned()), ..question(key, text) });
            ("scan".to_owned(), LANGUAGE, questions.collect())
        }
        Kind::Supplement | Kind::Habit => return None,
    };
    Some(Form {
        item: item.id.to_string(),
        name: item.name.clone(),
        kind: item.kind.into(),
        form,
        language: language.to_owned(),
        questions,
    })
}

/// Reads what was recorded of the items of a kind and still stands, oldest first.
async fn recorded(context: &QueryContext, kind: Kind) -> Result<Vec<(ItemId, Record)>, QueryError> {
    let mut found = Vec::new();
    let items = context
        .plan
        .items()
        .filter(|id| context.plan.newest(id).is_some_and(|regimen| regimen.item.kind == kind));
    for item in items {
        let uses = store::Query::Uses { items: context.plan.names(item), from: Timestamp::MIN };
        let ledger = context.reader.ledger(uses).await?;
        found.extend(ledger.effective().map(|record| (item.clone(), record.clone())));
    }
    found.sort_by_key(|(_, record)| (record.instant(), record.recorded_at, record.id.seq));
    Ok(found)
}

/// Returns when it was, in years.
fn years(record: &Record) -> f64 {
    record.instant().duration_since(Timestamp::UNIX_EPOCH).as_secs_f64() / YEAR_SECONDS
}

fn note(record: &Record) -> Option<String> {
    match &record.fact {
        Fact::Intake { note, .. } => note.clone(),
        _ => None,
    }
}

fn form_data(record: &Record) -> Option<&FormData> {
    match &record.fact {
        Fact::Intake { form_data, .. } => form_data.as_deref(),
        _ => None,
    }
}

/// Returns the check-ins that answer the shipped questions, oldest first.
pub(in crate::daemon) async fn answered(
    context: &QueryContext,
) -> Result<Vec<(Record, CheckIn)>, QueryError> {
    let records = recorded(context, Kind::CheckIn).await?.into_iter();
    let answered = records.filter_map(|(_, record)| match form_data(&record)? {
        FormData::CheckIn(check_in) if is_shipped(check_in) => {
            let check_in = check_in.clone();
            Some((record, check_in))
        }
        _ => None,
    });
    Ok(answered.collect())
}

/// Returns the local date of a record.
pub(in crate::daemon) fn date_of(record: &Record, context: &QueryContext) -> jiff::civil::Date {
    match record.fact.at() {
        When::Instant(at) => context.zone().to_datetime(at).date(),
        When::Date(date) => date,
    }
}

/// The check-ins, oldest first, each with the difference of its answers to those before in the same words.
pub(in crate::daemon) async fn check_ins(
    context: &QueryContext,
) -> Result<Vec<protocol::CheckIn>, QueryError> {
    let records = recorded(context, Kind::CheckIn).await?;
    let found: Vec<(&ItemId, &Record, &CheckIn)> = records
        .iter()
        .filter_map(|(item, record)| match form_data(record)? {
            FormData::CheckIn(check_in) => Some((item, record, check_in)),
            FormData::Scan(_) => None,
        })
        .collect();
    let row = |i: usize| {
        let (item, record, check_in) = found[i];
        // A question may have been left out, or not be asked by the short form: its own last answer counts.
        let last = |key: &String| {
            let mut earlier =
                found[..i].iter().rev().filter(|(_, _, earlier)| same_series(earlier, check_in));
            earlier.find_map(|(_, _, earlier)| earlier.answers.get(key).copied().flatten())
        };
        let changes = check_in
            .answers
            .iter()
            .map(|(key, answer)| {
                let change = answer.zip(last(key)).map(|(now, before)| i16::from(now) - i16::from(before));
                let is_clear = change.map(|change| change.unsigned_abs() >= u16::from(CLEAR_CHANGE));
                (key.clone(), ScoreChange { change, clear: is_clear })
            })
            .collect();
        protocol::CheckIn {
            fact: record.id.to_string(),
            item: item.to_string(),
            at: context.time_of(record),
            form: check_in.form.clone(),
            language: check_in.language.clone(),
            answers: check_in.answers.clone(),
            values: check_in.values.clone(),
            changed: check_in.changed.clone(),
            note: note(record),
            since_the_last: changes,
        }
    };
    Ok((0..found.len()).map(row).collect())
}

/// The scans, oldest first, each compared with the last one that was made alike.
pub(in crate::daemon) async fn scans(context: &QueryContext) -> Result<Vec<protocol::Scan>, QueryError> {
    let records = recorded(context, Kind::Scan).await?;
    let found: Vec<(&ItemId, &Record, &Scan)> = records
        .iter()
        .filter_map(|(item, record)| match form_data(record)? {
            FormData::Scan(scan) => Some((item, record, scan)),
            FormData::CheckIn(_) => None,
        })
        .collect();
    let row = |i: usize| {
        let (item, record, scan) = found[i];
        let alike: Vec<_> = found[..i].iter().filter(|(_, _, before)| are_comparable(before, scan)).collect();
        let of_region = found[..i].iter().rev().find(|(_, _, before)| before.region == scan.region);
        let differs_in = match of_region.filter(|_| alike.is_empty()) {
            Some((_, _, before)) => differing_fields(before, scan),
            None => Vec::new(),
        };
        let change = alike.last().map(|(_, _, before)| compare(before, scan));
        let points: Vec<(f64, f64)> = alike
            .iter()
            .map(|(_, record, scan)| (*record, *scan))
            .chain([(record, scan)])
            .map(|(record, scan)| (years(record), scan.bmd.grams()))
            .collect();
        let lsc = change.and_then(|change| change.lsc);
        let slope = lsc.and_then(|lsc| slope(&points, precision_error_of(lsc)));
        protocol::Scan {
            fact: record.id.to_string(),
            item: item.to_string(),
            at: context.time_of(record),
            facility: scan.facility.clone(),
            device: scan.device.clone(),
            device_id: scan.device_id.clone(),
            region: scan.region.as_str().to_owned(),
            side: scan.side.clone(),
            vertebrae: scan.vertebrae.clone(),
            bmd: scan.bmd.grams(),
            t_score: scan.t_score.clone(),
            z_score: scan.z_score.clone(),
            note: note(record),
            comparison: Comparison {
                change: change.map(|change| f64::from(change.change) / f64::from(Density::PER_GRAM)),
                change_percent: change.map(|change| change.percent),
                lsc: lsc.or(scan.lsc.map(|Density(lsc)| lsc)).map(|lsc| Density(lsc).grams()),
                lsc_is_default: change.map(|change| change.lsc_is_default),
                detectable: change.and_then(|change| change.detectable),
                differs_in: differs_in.into_iter().map(ToOwned::to_owned).collect(),
                comparable_with: alike.last().map(|(_, record, _)| record.id.to_string()),
                slope: slope.map(|slope| slope.slope),
                slope_low: slope.map(|slope| slope.slope - slope.half_width),
                slope_high: slope.map(|slope| slope.slope + slope.half_width),
            },
        }
    };
    Ok((0..found.len()).map(row).collect())
}
