//! Two made-up years, so that every view can be tried at once: the same ones for everybody.
//!
//! They lie in a directory of their own, which is marked, and every view of them says so.

use std::path::Path;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use tokio::sync::mpsc;

use crate::adapters::config;
use crate::adapters::store::{Draft, Store, StoreError, Written, make_private_dir};
use crate::core::insight::{FORM, LANGUAGE, QUESTIONS, SplitMix64};
use crate::core::ledger::{
    Channel, CheckIn, Fact, FormData, NamedZone, NotificationHandle, Scan, ScanRegion, When,
};
use crate::core::reminder::Token;
use crate::core::schedule::{Item, Kind, NoHistory, Plan, Planned, ZoneHistory};

/// The file that marks a made-up record.
pub const MARK: &str = "made-up";

/// How far back the record begins, in days.
const DAYS: i64 = 730;

/// Where the made-up numbers begin.
const SEED: u64 = 20_240_101;

/// The schedule of the made-up person.
pub const SCHEDULE: &str = r#"
[[supplement]]
id = "probiotic"
name = "Probiotic"
strain = "Lactobacillus reuteri ATCC PTA 6475"
form = "capsule"
brand = "Made-up brand"
group = "bones"
dose = "5e9 CFU"
times = ["08:00"]
with = "food"

[[supplement]]
id = "calcium"
name = "Calcium"
group = "bones"
dose = "500 mg"
times = ["08:00", "20:00"]
with = "food"

[[supplement]]
id = "vitamin-d"
name = "Vitamin D"
group = "bones"
dose = "1000 IU"
times = ["08:00"]
stock = { have = 800, refill-at = 20 }

[[habit]]
id = "weight-bearing"
name = "Weight-bearing exercise"
target = "150 min / week"
days = "Mon..Fri"
times = ["17:30"]

[[check-in]]
id = "monthly"
name = "Monthly check-in"
every = "1 month"
from = 2024-01-01
times = ["18:00"]

[[scan]]
id = "dexa"
name = "DEXA bone density scan"
every = "1 year"
from = 2024-03-01
after-last = true
times = ["09:00"]
grace = "60 days"
"#;

/// Returns a number from 0 to 99.
fn percent(lot: &mut SplitMix64) -> u64 {
    u64::try_from(lot.below(100)).unwrap_or(0)
}

/// Fills a directory with two made-up years up to `now`; one that is filled stays as it is.
///
/// # Errors
///
/// The directory or its files cannot be written.
pub fn fill(dir: &Path, zone_name: &str, zone: &TimeZone, now: Timestamp) -> Result<(), StoreError> {
    if dir.join(MARK).exists() {
        return Ok(());
    }
    let io = |what| move |source| StoreError::Io { what, path: dir.to_owned(), source };
    make_private_dir(dir).map_err(io("make"))?;
    // The marker first: an incomplete demo is a demo too.
    std::fs::write(dir.join(MARK), "This record is made up: dosed demo\n").map_err(io("write into"))?;
    std::fs::write(dir.join("schedule.toml"), SCHEDULE.trim_start()).map_err(io("write into"))?;
    let facts = years(zone_name, zone, now);
    let (written, mut outcomes) = mpsc::unbounded_channel();
    let store = Store::open(dir, "demo", written, |_, _| {})?;
    let drafts = facts.into_iter().zip(1..).map(|((recorded_at, fact), n)| Draft {
        token: Token(n),
        fact,
        recorded_at,
        zone: zone.clone(),
    });
    store.record(drafts.collect());
    store.close();
    while let Ok(outcome) = outcomes.try_recv() {
        if let Written::Failed(_, why) = outcome {
            return Err(StoreError::Io {
                what: "write into",
                path: dir.to_owned(),
                source: std::io::Error::other(why),
            });
        }
    }
    Ok(())
}

/// Makes up the facts, in the order of their time.
fn years(zone_name: &str, zone: &TimeZone, now: Timestamp) -> Vec<(Timestamp, Fact)> {
    let mut lot = SplitMix64(SEED);
    let first = zone.to_datetime(now).date().saturating_sub(DAYS.days());
    let start = instant(first, Time::midnight(), zone, now);
    let mut plan = Plan::new(ZoneHistory::fixed(zone.clone()));
    let mut facts = vec![(
        start,
        Fact::Zone { at: start, zone: NamedZone { name: zone_name.to_owned(), rules: Some(zone.clone()) } },
    )];
    let items = config::parse(SCHEDULE).map(|schedule| schedule.items).unwrap_or_default();
    for (item, definition) in &items {
        plan.open(item.clone(), start);
        let fact =
            Fact::Regimen { item: item.id.clone(), at: start, definition: Some(definition.text.clone()) };
        facts.push((start, fact));
    }
    for (item, _) in items.iter().filter(|(item, _)| matches!(item.kind, Kind::Supplement | Kind::Habit)) {
        for planned in plan.occurrences(&item.id, &NoHistory, start, now) {
            facts.extend(day(&planned, item, first, zone, &mut lot));
        }
    }
    for (item, _) in items.iter().filter(|(item, _)| item.kind == Kind::CheckIn) {
        for (n, planned) in plan.occurrences(&item.id, &NoHistory, start, now).into_iter().enumerate() {
            facts.push(check_in(&planned, n, &mut lot));
        }
    }
    for (item, _) in items.iter().filter(|(item, _)| item.kind == Kind::Scan) {
        facts.extend([(30, 9_120, 8_010), (395, 9_190, 7_960)].into_iter().flat_map(|(day, spine, hip)| {
            let at = instant(first.saturating_add(day.days()), Time::constant(10, 0, 0, 0), zone, now);
            let sites = [(ScanRegion::LumbarSpine, spine, None), (ScanRegion::TotalHip, hip, Some("left"))];
            sites.map(|(region, bmd, side)| (at, scan(item, at, region, bmd, side)))
        }));
    }
    facts.retain(|(at, _)| *at < now);
    facts.sort_by_key(|(at, _)| *at);
    facts
}

fn instant(date: Date, time: Time, zone: &TimeZone, now: Timestamp) -> Timestamp {
    zone.to_timestamp(date.to_datetime(time)).unwrap_or(now)
}

/// Makes up what became of one planned occurrence: mostly taken, less so in summer and at weekends.
fn day(
    planned: &Planned<'_>,
    item: &Item,
    first: Date,
    zone: &TimeZone,
    lot: &mut SplitMix64,
) -> Vec<(Timestamp, Fact)> {
    let (at, id) = (planned.occurrence.at, planned.occurrence.id.clone());
    let local = zone.to_datetime(at);
    let days = first.until(local.date()).map_or(0, |span| span.get_days());
    let is_weekend = local.weekday().to_monday_zero_offset() >= 5;
    // A routine that takes hold, with a worse time every so often.
    let likely = 70 + u64::try_from(days / 40).unwrap_or(0).min(18);
    let likely = likely - if is_weekend { 12 } else { 0 } - if days / 45 % 4 == 2 { 25 } else { 0 };
    let place = Channel::Desktop(NotificationHandle { notification: 1, server: None });
    let delivered = Fact::Delivered { occurrence: id.clone(), at, channel: place, away: false, nonce: None };
    let minutes = i64::try_from(percent(lot)).unwrap_or(0);
    let later = at.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(at);
    let mut facts = Vec::new();
    // Now and then the machine was off.
    if percent(lot) >= 2 {
        facts.push((at, delivered));
    } else {
        return facts;
    }
    let drawn = percent(lot);
    if drawn < likely {
        let amount = (item.kind == Kind::Habit).then(|| format!("{} min", 15 + percent(lot) / 4));
        facts.push((
            later,
            Fact::Intake {
                item: item.id.clone(),
                occurrence: Some(id.clone()),
                at: When::Instant(later),
                amount: amount.and_then(|amount| amount.parse().ok()),
                planned: item.dose_on(local.date()).cloned(),
                product: item.product.non_empty().cloned().map(Box::new),
                form_data: None,
                note: None,
                corrects: None,
                key: None,
            },
        ));
    } else if drawn < likely + 6 {
        let fact = Fact::Skip {
            occurrence: id,
            at: When::Instant(later),
            reason: None,
            note: None,
            corrects: None,
            key: None,
        };
        facts.push((later, fact));
    }
    facts
}

/// Makes up a check-in that gets a little better over the years, with the ups and downs of real ones.
fn check_in(planned: &Planned<'_>, n: usize, lot: &mut SplitMix64) -> (Timestamp, Fact) {
    let id = planned.occurrence.id.clone();
    let at =
        planned.occurrence.at.saturating_add(SignedDuration::from_mins(20)).unwrap_or(planned.occurrence.at);
    let drift = u8::try_from(n / 8).unwrap_or(0).min(2);
    let mut answers = std::collections::BTreeMap::new();
    for question in QUESTIONS {
        let noise = u8::try_from(percent(lot) / 25).unwrap_or(0);
        let is_complaint = question.low == "none";
        let answer = if is_complaint { 5 - drift + noise } else { 3 + drift + noise };
        answers.insert(question.key.to_string(), (percent(lot) >= 4).then_some(answer.min(10)));
    }
    let changed = (n % 9 == 5).then(|| "travel".to_owned());
    let check_in = CheckIn {
        form: FORM.to_owned(),
        language: LANGUAGE.to_owned(),
        answers,
        values: std::collections::BTreeMap::new(),
        changed,
    };
    let fact = Fact::Intake {
        item: id.item.clone(),
        occurrence: Some(id),
        at: When::Instant(at),
        amount: None,
        planned: None,
        product: None,
        form_data: Some(Box::new(FormData::CheckIn(check_in))),
        note: None,
        corrects: None,
        key: None,
    };
    (at, fact)
}

fn scan(item: &Item, at: Timestamp, region: ScanRegion, bmd: u32, side: Option<&str>) -> Fact {
    let vertebrae = (region == ScanRegion::LumbarSpine).then(|| "L1-L4".to_owned());
    let scan = Scan {
        facility: Some("Made-up clinic".to_owned()),
        device: Some("Made-up device".to_owned()),
        device_id: None,
        region,
        side: side.map(ToOwned::to_owned),
        vertebrae,
        bmd: crate::core::ledger::Density(bmd),
        t_score: None,
        z_score: None,
        lsc: None,
    };
    Fact::Intake {
        item: item.id.clone(),
        occurrence: None,
        at: When::Instant(at),
        amount: None,
        planned: None,
        product: None,
        form_data: Some(Box::new(FormData::Scan(scan))),
        note: None,
        corrects: None,
        key: None,
    }
}
