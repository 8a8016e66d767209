//! Check-ins and scans: the forms that are asked, and what was recorded with them.

use jiff::{Timestamp, Zoned};
use serde_json::{Map, Value, json};

use super::query::{Failure, Scene};
use crate::insight::{
    CHANGED, CLEAR_CHANGE, LANGUAGE, SCAN_QUESTIONS, are_comparable, are_one_series, compare, form_of,
    is_shipped, precision_error_of, slope,
};
use crate::ledger::{CheckIn, Density, Details, Fact, Record, Scan, When};
use crate::schedule::{ItemId, Kind};
use crate::store::Question;

/// The mean length of a year, in seconds.
const YEAR_SECONDS: f64 = 365.25 * 86_400.0;

/// Tells which forms there are to be filled in: one for each check-in and scan of the schedule.
pub(super) fn forms(scene: &Scene) -> String {
    let rows = scene.plan.current_items().filter_map(|item| {
        let (form, language, questions): (String, &str, Vec<Value>) = match item.kind {
            Kind::CheckIn => {
                let form = form_of(item);
                let rated = form.questions.iter().map(|question| {
                    json!({ "key": question.key, "text": question.text, "low": question.low, "high": question.high })
                });
                let changed = "Anything changed? A new medicine, diet, illness, travel";
                let questions = rated.chain([json!({ "key": CHANGED, "text": changed })]).collect();
                (form.name, form.language, questions)
            }
            Kind::Scan => {
                let asked = SCAN_QUESTIONS.iter();
                let questions = asked.map(|(key, text, hint)| json!({ "key": key, "text": text, "hint": hint }));
                ("scan".to_owned(), LANGUAGE, questions.collect())
            }
            Kind::Supplement | Kind::Habit => return None,
        };
        Some(json!({
            "item": item.id.as_str(),
            "name": item.name,
            "kind": item.kind.as_str(),
            "form": form,
            "language": language,
            "questions": questions,
        }))
    });
    Value::Array(rows.collect()).to_string()
}

/// Reads what was recorded of the items of a kind and still stands, oldest first.
async fn recorded(scene: &Scene, kind: Kind) -> Result<Vec<(ItemId, Record)>, Failure> {
    let mut found = Vec::new();
    let items = scene
        .plan
        .items()
        .filter(|id| scene.plan.newest(id).is_some_and(|regimen| regimen.item.kind == kind));
    for item in items {
        let uses = Question::Uses { item: item.clone(), from: Timestamp::MIN };
        let ledger = scene.reader.ledger(uses).await?;
        found.extend(ledger.standing().map(|record| (item.clone(), record.clone())));
    }
    found.sort_by_key(|(_, record)| (record.instant(), record.recorded_at, record.id.seq));
    Ok(found)
}

/// Returns when it was, in years.
fn years(record: &Record) -> f64 {
    record.instant().duration_since(Timestamp::UNIX_EPOCH).as_secs_f64() / YEAR_SECONDS
}

fn when(record: &Record, scene: &Scene) -> String {
    match record.fact.at() {
        When::Instant(at) => Zoned::new(at, scene.zone().clone()).to_string(),
        When::Date(date) => date.to_string(),
    }
}

fn note(record: &Record) -> Option<&str> {
    match &record.fact {
        Fact::Intake { note, .. } => note.as_deref(),
        _ => None,
    }
}

fn details(record: &Record) -> Option<&Details> {
    match &record.fact {
        Fact::Intake { details, .. } => details.as_deref(),
        _ => None,
    }
}

/// Returns the check-ins that answer the shipped questions, oldest first.
pub(super) async fn answered(scene: &Scene) -> Result<Vec<(Record, CheckIn)>, Failure> {
    let records = recorded(scene, Kind::CheckIn).await?.into_iter();
    let answered = records.filter_map(|(_, record)| match details(&record)? {
        Details::CheckIn(check_in) if is_shipped(check_in) => {
            let check_in = check_in.clone();
            Some((record, check_in))
        }
        _ => None,
    });
    Ok(answered.collect())
}

/// Returns the local date of a record.
pub(super) fn date_of(record: &Record, scene: &Scene) -> jiff::civil::Date {
    match record.fact.at() {
        When::Instant(at) => scene.zone().to_datetime(at).date(),
        When::Date(date) => date,
    }
}

/// Tells the check-ins, each with the difference of its answers to those before in the same words.
pub(super) async fn check_ins(scene: &Scene) -> Result<String, Failure> {
    let records = recorded(scene, Kind::CheckIn).await?;
    let found: Vec<(&ItemId, &Record, &CheckIn)> = records
        .iter()
        .filter_map(|(item, record)| match details(record)? {
            Details::CheckIn(check_in) => Some((item, record, check_in)),
            Details::Scan(_) => None,
        })
        .collect();
    let row = |i: usize| {
        let (item, record, check_in) = found[i];
        // A question may have been left out, or not be asked by the short form: its own last answer counts.
        let last = |key: &String| {
            let mut earlier =
                found[..i].iter().rev().filter(|(_, _, earlier)| are_one_series(earlier, check_in));
            earlier.find_map(|(_, _, earlier)| earlier.answers.get(key).copied().flatten())
        };
        let changes: Map<String, Value> = check_in
            .answers
            .iter()
            .map(|(key, answer)| {
                let change = answer.zip(last(key)).map(|(now, before)| i16::from(now) - i16::from(before));
                let is_clear = change.map(|change| change.unsigned_abs() >= u16::from(CLEAR_CHANGE));
                (key.clone(), json!({ "change": change, "clear": is_clear }))
            })
            .collect();
        json!({
            "fact": record.id.to_string(),
            "item": item.as_str(),
            "at": when(record, scene),
            "form": check_in.form,
            "language": check_in.language,
            "answers": check_in.answers,
            "changed": check_in.changed,
            "note": note(record),
            "since_the_last": changes,
        })
    };
    Ok(Value::Array((0..found.len()).map(row).collect()).to_string())
}

/// Tells the scans, each with its difference to the last one that it can be compared with.
pub(super) async fn scans(scene: &Scene) -> Result<String, Failure> {
    let records = recorded(scene, Kind::Scan).await?;
    let found: Vec<(&ItemId, &Record, &Scan)> = records
        .iter()
        .filter_map(|(item, record)| match details(record)? {
            Details::Scan(scan) => Some((item, record, scan)),
            Details::CheckIn(_) => None,
        })
        .collect();
    let row = |i: usize| {
        let (item, record, scan) = found[i];
        let alike: Vec<_> = found[..i].iter().filter(|(_, _, before)| are_comparable(before, scan)).collect();
        let change = alike.last().map(|(_, _, before)| compare(before, scan));
        let points: Vec<(f64, f64)> = alike
            .iter()
            .map(|(_, record, scan)| (*record, *scan))
            .chain([(record, scan)])
            .map(|(record, scan)| (years(record), scan.bmd.grams()))
            .collect();
        let lsc = change.and_then(|change| change.lsc);
        let slope = lsc.and_then(|lsc| slope(&points, precision_error_of(lsc)));
        json!({
            "fact": record.id.to_string(),
            "item": item.as_str(),
            "at": when(record, scene),
            "facility": scan.facility,
            "device": scan.device,
            "device_id": scan.device_id,
            "region": scan.region.as_str(),
            "side": scan.side,
            "vertebrae": scan.vertebrae,
            "bmd": scan.bmd.grams(),
            "t_score": scan.t_score,
            "z_score": scan.z_score,
            "note": note(record),
            "change": change.map(|change| f64::from(change.change) / f64::from(Density::PER_GRAM)),
            "change_percent": change.map(|change| change.percent),
            "lsc": lsc.or(scan.lsc.map(|Density(lsc)| lsc)).map(|lsc| Density(lsc).grams()),
            "lsc_is_default": change.map(|change| change.lsc_is_default),
            "detectable": change.and_then(|change| change.detectable),
            "comparable_with": alike.last().map(|(_, record, _)| record.id.to_string()),
            "slope": slope.map(|slope| slope.slope),
            "slope_low": slope.map(|slope| slope.slope - slope.half_width),
            "slope_high": slope.map(|slope| slope.slope + slope.half_width),
        })
    };
    Ok(Value::Array((0..found.len()).map(row).collect()).to_string())
}
