//! Reads items back from the definitions that journals hold: leniently, as history is not judged by today's rules.
//!
//! What can be read counts, what cannot is assumed away and named. Only what says *when* an item was planned is never
//! guessed: where that cannot be read, nothing is planned. The validation of the schedule file has no say here, so that
//! a rule that becomes stricter, a key that goes and a zone that this machine does not know change no past.

mod keys;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use self::keys::{Keys, shorten, shown};
use super::text::{self, ClockTime, Day, QuietToml, RefillAtToml, Text};
use crate::core::schedule::{
    Again, Amount, ChannelId, CronRule, Cycle, Decimal, EscalationStep, HabitTarget, Interval, Item, ItemId,
    Kind, LatePolicy, Length, Limit, NumberScale, Product, Question, QuestionSet, QuietHours, Recurrence,
    Repetition, Rule, Separation, Step, Stock, TaperStep, Unit, Weekdays,
};
use crate::core::text::visible;

/// The widest bounds that any version has had for what costs time or memory.
const GRACE: (SignedDuration, SignedDuration) =
    (SignedDuration::from_mins(1), SignedDuration::from_hours(24 * 366));
const MIN_STEP: SignedDuration = SignedDuration::from_mins(1);
const MAX_TIMES: usize = 1440;
const MIN_REPETITION: SignedDuration = SignedDuration::from_mins(1);
const MAX_REPETITIONS: u32 = 100;

/// An item as a journal holds it.
#[derive(Clone, Debug)]
pub struct RecordedItem {
    /// The item, as far as it can be read.
    pub item: Item,
    /// What cannot be read, each with what is assumed instead.
    pub unread: Vec<String>,
}

/// Reads the definition of an item, whatever is in it.
#[must_use]
pub fn read_definition(id: &ItemId, definition: &str) -> RecordedItem {
    let mut keys = Keys::new(definition);
    let kind = kind(&mut keys);
    let recurrence = if keys.has("plan") { steps_of_plan(&mut keys) } else { recurrence(&mut keys) };
    let is_on_dates =
        matches!(recurrence, Recurrence::Calendar { .. } | Recurrence::Cron(_) | Recurrence::Steps(_));
    let of_steps = first_day_of_steps(&recurrence);
    let mut dose = keys.read("dose", &[], "no dose is assumed").map(|AmountJson(dose)| dose);
    let taper = taper(&mut keys, &mut dose);
    let item = Item {
        id: id.clone(),
        formerly: keys
            .read("formerly", &[], "it is treated as a new item")
            .map(|Text::<ItemId>(former)| former),
        kind,
        name: keys.text("name").filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.to_string()),
        dose,
        ask_amount: keys.read("ask-amount", &[], "it is asked").unwrap_or(false),
        product: Product {
            strain: keys.text("strain"),
            form: keys.text("form"),
            brand: keys.text("brand"),
            batch: keys.text("batch"),
        },
        rule: Rule {
            recurrence,
            from: keys.timing("from").map(|Day(from)| from).or(of_steps),
            until: keys.timing("until").map(|Day(until)| until),
            cycle: cycle(&mut keys),
        },
        zone: zone(&mut keys),
        grace: grace(&mut keys, kind),
        late: match keys.text("late").as_deref() {
            None | Some("remind") => LatePolicy::Remind,
            Some("miss") => LatePolicy::Miss,
            Some(other) => {
                keys.unread.push(format!("`late` is `{}`: `remind` is assumed", shorten(other)));
                LatePolicy::Remind
            }
        },
        // What cannot be read may have been `true`.
        private: keys.has("private") && keys.read("private", &[], "it is treated as private").unwrap_or(true),
        note: keys.text("note"),
        taper,
        turns: turns(&mut keys),
        group: keys.text("group").map(|group| group.trim().to_owned()),
        with: keys.text("with"),
        target: keys.read("target", &[], "no target is assumed").map(|Text::<HabitTarget>(target)| target),
        until_reached: keys.read("until-reached", &[], "it is asked to the end").unwrap_or(false),
        questions: questions(&mut keys),
        again: repetition(&mut keys),
        quiet: keys
            .read("quiet", &[], "the hours of the schedule are assumed")
            .map_or(QuietHours::OfSchedule, |QuietToml(quiet)| quiet),
        then: steps(&mut keys),
        lead: leads(&mut keys, is_on_dates),
        gap: keys.read("gap", &[], "no gap is assumed").and_then(|Text::<Length>(gap)| gap.elapsed()),
        limit: keys.read("limit", &[], "no limit is assumed").map(|Text::<Limit>(limit)| limit),
        apart: separations(&mut keys),
        stock: keys
            .read("stock", &["have", "refill-at", "unit", "each", "expires"], "no stock is assumed")
            .map(|StockJson { have, refill_at, unit, each, expires }| Stock {
                have,
                refill_at: refill_at.0,
                unit: unit.map(|unit| Unit::of(&unit)),
                each: each.map(|AmountJson(each)| each),
                expires: expires.map(|Day(expires)| expires),
            }),
    };
    keys.finish(item)
}

fn kind(keys: &mut Keys) -> Kind {
    let kinds = [Kind::Supplement, Kind::Habit, Kind::CheckIn, Kind::Scan];
    let Some(value) = keys.read::<Value>("kind", &[], "") else {
        keys.unread.push("it has no `kind`: it is treated as a habit".to_owned());
        return Kind::Habit;
    };
    let known = kinds.into_iter().find(|kind| value.as_str() == Some(kind.as_str()));
    known.unwrap_or_else(|| {
        keys.unread.push(format!("`kind` is {}: it is treated as a habit", shown(&value)));
        Kind::Habit
    })
}

fn recurrence(keys: &mut Keys) -> Recurrence {
    let as_needed = keys.timing("as-needed").unwrap_or(false);
    let after_last = keys.timing("after-last").unwrap_or(false);
    let cron = keys.timing("cron").map(|Text::<CronRule>(cron)| cron);
    let every = keys.timing("every").map(|Text::<Length>(every)| every);
    let days = days(keys);
    let times = times(keys);
    if as_needed || keys.is_timing_unknown {
        return Recurrence::AsNeeded;
    }
    if let Some(cron) = cron {
        return Recurrence::Cron(cron);
    }
    let interval = match every {
        Some(Length::Exact(every)) if every >= MIN_STEP => {
            return Recurrence::Elapsed { every, first: times.first().copied() };
        }
        None => Interval::Days(1),
        Some(every) => {
            let is_empty = matches!(every, Length::Days(0) | Length::Months(0));
            match super::recurrence::interval(every, days.is_some()).filter(|_| !is_empty) {
                Some(interval) => interval,
                None => {
                    keys.lose_timing(&format!("`every` is `{every}`"));
                    return Recurrence::AsNeeded;
                }
            }
        }
    };
    if times.is_empty() {
        keys.lose_timing("it has no times");
    }
    if times.len() > MAX_TIMES {
        keys.lose_timing(&format!("it has more than {MAX_TIMES} times a day"));
    }
    if after_last && (every.is_none() || days.is_some()) {
        keys.lose_timing("`after-last` has no `every`, or has `days`");
    }
    Recurrence::Calendar { interval, days: days.unwrap_or(Weekdays::ALL), times, after_last }
}

/// Returns the steps of a plan; where one cannot be read, it is not known when the item is planned.
fn steps_of_plan(keys: &mut Keys) -> Recurrence {
    let (steps, mut is_whole) = keys.list::<Value>("plan", &[], "").unwrap_or_default();
    let mut found = Vec::new();
    for step in steps {
        let mut of_step = Keys::new(&step.to_string());
        let rule = Rule {
            recurrence: recurrence(&mut of_step),
            from: of_step.timing("from").map(|Day(from)| from),
            until: of_step.timing("until").map(|Day(until)| until),
            cycle: cycle(&mut of_step),
        };
        let dose = of_step.read("dose", &[], "no dose is assumed").map(|AmountJson(dose)| dose);
        is_whole &=
            !of_step.is_timing_unknown && !rule.is_relative() && !rule.needs_anchor() && rule.has_slots();
        keys.unread.extend(of_step.unread_keys().into_iter().map(|why| format!("a step of `plan`: {why}")));
        found.push(Step { rule, dose });
    }
    if !is_whole || found.is_empty() {
        keys.lose_timing("`plan` has a step that is not known here");
    }
    Recurrence::Steps(found)
}

fn first_day_of_steps(recurrence: &Recurrence) -> Option<jiff::civil::Date> {
    let Recurrence::Steps(steps) = recurrence else { return None };
    steps.iter().map(|step| step.rule.from).collect::<Option<Vec<_>>>()?.into_iter().min()
}

/// Returns the doses in turn; where one cannot be read, no dose is known.
fn turns(keys: &mut Keys) -> Vec<Amount> {
    let (turns, is_whole) = keys.list("turns", &[], "no dose is assumed").unwrap_or_default();
    if is_whole { turns.into_iter().map(|AmountJson(dose)| dose).collect() } else { Vec::new() }
}

/// Returns the times that can be read: each was planned, whatever the others were.
fn times(keys: &mut Keys) -> Vec<jiff::civil::Time> {
    let Some((times, _)) = keys.list("times", &[], "it is left out of `times`") else { return Vec::new() };
    let mut times: Vec<_> = times.into_iter().map(|Text(ClockTime(time))| time).collect();
    times.sort_unstable();
    times.dedup();
    times
}

/// Returns the weekdays that can be read; `None` where none are named.
fn days(keys: &mut Keys) -> Option<Weekdays> {
    let (names, _) = keys.list::<String>("days", &[], "it is left out of `days`")?;
    let mut days: Option<Weekdays> = None;
    for name in names {
        match name.parse::<Weekdays>() {
            Ok(more) => days = Some(days.map_or(more, |days| days.union(more))),
            Err(_) => keys.unread.push(format!("`days` has `{}`: it is left out", shorten(&name))),
        }
    }
    if days.is_none() {
        keys.lose_timing("`days` names no weekday that is known here");
    }
    days
}

#[derive(Deserialize)]
struct CycleJson {
    on: u32,
    off: u32,
}

fn cycle(keys: &mut Keys) -> Option<Cycle> {
    let is_given = keys.has("cycle");
    let Some(CycleJson { on, off }) = keys.read("cycle", &["on", "off"], "nothing is planned") else {
        keys.is_timing_unknown |= is_given;
        return None;
    };
    if on == 0 {
        keys.lose_timing("`cycle` has no days on");
        return None;
    }
    Some(Cycle { on, off })
}

fn zone(keys: &mut Keys) -> Option<jiff::tz::TimeZone> {
    let name = keys.text("zone").filter(|name| name != text::ZoneName::LOCAL)?;
    let zone = text::zone(&name).ok();
    if zone.is_none() {
        keys.unread.push(format!(
            "the zone `{}` is not known to this machine: its times are read in the zone of the clock",
            shorten(&name)
        ));
    }
    zone
}

fn grace(keys: &mut Keys, kind: Kind) -> SignedDuration {
    let Some(Text::<Length>(length)) = keys.read("grace", &[], "the default grace is assumed") else {
        return kind.default_grace();
    };
    let Some(given) = length.elapsed() else {
        keys.unread.push(format!("`grace` is `{length}`: the default grace is assumed"));
        return kind.default_grace();
    };
    let grace = given.clamp(GRACE.0, GRACE.1);
    if grace != given {
        keys.unread.push(format!("`grace` is `{length}`: the nearest of 1m to 366d is assumed"));
    }
    grace
}

/// An amount as it was recorded.
struct AmountJson(Amount);

impl<'de> Deserialize<'de> for AmountJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Amount::from_record(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[derive(Deserialize)]
struct TaperJson {
    from: Day,
    dose: AmountJson,
}

/// Returns the doses by date. Where one cannot be read, no dose is known: the one before did not go on.
fn taper(keys: &mut Keys, dose: &mut Option<Amount>) -> Vec<TaperStep> {
    let Some((steps, is_whole)) = keys.list("taper", &["from", "dose"], "no dose is assumed") else {
        return Vec::new();
    };
    if !is_whole {
        *dose = None;
        return Vec::new();
    }
    let step = |TaperJson { from: Day(from), dose: AmountJson(dose) }| TaperStep { from, dose };
    let mut steps: Vec<TaperStep> = steps.into_iter().map(step).collect();
    steps.sort_by_key(|step| step.from);
    steps
}

#[derive(Deserialize)]
#[serde(untagged)]
enum QuestionJson {
    Scale { key: Text<ItemId>, text: String, low: String, high: String },
    Number { key: Text<ItemId>, text: String, unit: String, min: Option<f64>, max: Option<f64> },
}

fn questions(keys: &mut Keys) -> QuestionSet {
    let is_short = keys.read("short", &[], "the long form is assumed").unwrap_or(false);
    let members = ["key", "text", "low", "high", "unit", "min", "max"];
    let own = keys.list("questions", &members, "the question is left out").map(|(questions, _)| {
        let shown = |text: &str| visible(text.trim()).into_owned();
        let bound = |bound: Option<f64>| bound.and_then(|bound| bound.to_string().parse::<Decimal>().ok());
        let question = |question| match question {
            QuestionJson::Scale { key: Text(key), text, low, high } => Question {
                key: key.to_string().into(),
                text: shown(&text).into(),
                low: shown(&low).into(),
                high: shown(&high).into(),
                number: None,
            },
            QuestionJson::Number { key: Text(key), text, unit, min, max } => Question {
                key: key.to_string().into(),
                text: shown(&text).into(),
                low: "".into(),
                high: "".into(),
                number: Some(NumberScale { unit: shown(&unit), min: bound(min), max: bound(max) }),
            },
        };
        questions.into_iter().map(question).collect::<Vec<_>>()
    });
    match own {
        Some(own) if !own.is_empty() => QuestionSet::Custom(own),
        _ if is_short => QuestionSet::Short,
        _ => QuestionSet::Full,
    }
}

#[derive(Deserialize)]
#[serde(untagged, rename_all_fields = "kebab-case")]
enum AgainJson {
    Whether(bool),
    Every { every: Text<Length>, at_most: u32 },
}

fn repetition(keys: &mut Keys) -> Again {
    let (length, at_most) = match keys.read("again", &["every", "at-most"], "no repetition is assumed") {
        Some(AgainJson::Every { every: Text(length), at_most }) => (length, at_most),
        Some(AgainJson::Whether(false)) => return Again::Never,
        Some(AgainJson::Whether(true)) | None => return Again::WhereHidden,
    };
    match length.elapsed().filter(|every| *every >= MIN_REPETITION && at_most > 0) {
        Some(every) => Again::Every(Repetition { every, at_most: at_most.min(MAX_REPETITIONS) }),
        None => {
            keys.unread.push(format!("`again` is every `{length}`: no repetition is assumed"));
            Again::WhereHidden
        }
    }
}

#[derive(Deserialize)]
struct StepJson {
    after: Text<Length>,
    channel: Text<ChannelId>,
}

fn steps(keys: &mut Keys) -> Vec<EscalationStep> {
    let steps = keys.list("then", &["after", "channel"], "the step is left out");
    let step = |StepJson { after: Text(after), channel: Text(channel) }| {
        Some(EscalationStep { after: after.elapsed()?, channel })
    };
    steps.map(|(steps, _)| steps.into_iter().filter_map(step).collect()).unwrap_or_default()
}

fn leads(keys: &mut Keys, is_on_dates: bool) -> Vec<Length> {
    let Some((leads, _)) = keys.list("lead", &[], "it is left out of `lead`") else { return Vec::new() };
    let is_announcement = |lead: &Length| is_on_dates && !lead.elapsed().is_some_and(|lead| lead.is_zero());
    leads.into_iter().map(|Text(lead)| lead).filter(is_announcement).collect()
}

#[derive(Deserialize)]
struct ApartJson {
    from: Text<ItemId>,
    by: Text<Length>,
}

fn separations(keys: &mut Keys) -> Vec<Separation> {
    let apart = keys.list("apart", &["from", "by"], "it is left out of `apart`");
    let separation =
        |ApartJson { from: Text(from), by: Text(by) }| Some(Separation { from, by: by.elapsed()? });
    apart.map(|(apart, _)| apart.into_iter().filter_map(separation).collect()).unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StockJson {
    have: u32,
    refill_at: RefillAtToml,
    unit: Option<String>,
    each: Option<AmountJson>,
    expires: Option<Day>,
}

#[cfg(test)]
mod tests;
