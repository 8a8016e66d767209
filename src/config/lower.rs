//! From what the file says to what the core knows, with every error of sense in one run.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::SignedDuration;
use toml::Spanned;

use super::channels;
use super::file::{FileToml, ItemToml, LateToml, in_order};
use super::questions;
use super::report::Problem;
use super::text::ZoneName;
use crate::schedule::{
    Again, Apart, Cycle, Extras, Interval, Item, ItemId, Kind, Late, Length, Product, Recurrence, Rule,
    Schedule, Settings, Step, Stock, TaperStep, Weekdays,
};

/// An item can have this many times a day at most.
const MAX_TIMES: usize = 96;
/// A text of the schedule cannot be longer than this, in bytes.
const MAX_TEXT_BYTES: usize = 4096;
/// An elapsed rule cannot be faster than this.
const MIN_ELAPSED: SignedDuration = SignedDuration::from_mins(1);
/// Reminders cannot come again faster than this, nor more often.
const MIN_AGAIN: SignedDuration = SignedDuration::from_mins(1);
const MAX_AGAIN: u32 = 100;
/// The snooze of a button cannot last longer than this.
const MAX_SNOOZE: SignedDuration = SignedDuration::from_hours(24);

/// Two intakes cannot be kept further apart than this.
const MAX_DISTANCE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Where a problem of one item is, by key.
pub(super) struct Places<'a> {
    pub(super) text: &'a str,
    pub(super) item: Range<usize>,
}

impl Places<'_> {
    /// Returns the place of a key's line inside the item, or the item's own first line.
    pub(super) fn of(&self, key: &str) -> Range<usize> {
        let mut start = self.item.start;
        let inside = self.text.get(self.item.clone()).unwrap_or_default();
        for line in inside.split_inclusive('\n') {
            let bare = line.trim_start();
            let indent = line.len() - bare.len();
            if bare.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')) {
                return start + indent..start + line.trim_end().len();
            }
            start += line.len();
        }
        let first = inside.lines().next().unwrap_or_default();
        self.item.start..self.item.start + first.trim_end().len()
    }
}

/// Checks the sense of a file and makes its items.
pub(super) fn lower(file: &FileToml, text: &str) -> Result<Schedule, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut items: Vec<(Item, String)> = Vec::new();
    let mut seen: BTreeMap<ItemId, Range<usize>> = BTreeMap::new();
    let kinds = [
        (Kind::Supplement, &file.supplement),
        (Kind::Habit, &file.habit),
        (Kind::CheckIn, &file.check_in),
        (Kind::Scan, &file.scan),
    ];
    let mut all: Vec<(Kind, &Spanned<ItemToml>)> =
        kinds.into_iter().flat_map(|(kind, items)| items.iter().map(move |item| (kind, item))).collect();
    all.sort_by_key(|(_, item)| item.span().start);
    let channels = file.channel.iter().map(|channel| channel.span().start);
    let mut starts: Vec<usize> = all.iter().map(|(_, item)| item.span().start).chain(channels).collect();
    starts.sort_unstable();
    // An entry's own text goes on to the next entry.
    let places_from = |start: usize| {
        let end = starts.iter().copied().find(|next| *next > start).unwrap_or(text.len());
        Places { text, item: start..end }
    };
    let mut settings = lower_settings(file, &mut problems);
    for (i, channel) in file.channel.iter().enumerate() {
        let places = places_from(channel.span().start);
        let before = &file.channel[..i];
        let lowered = channels::lower(channel.get_ref(), before, &places, &mut problems);
        settings.channels.extend(lowered);
    }
    for (kind, item) in &all {
        let places = places_from(item.span().start);
        channels::check_steps(item.get_ref(), &file.channel, &places, &mut problems);
        let mut described = item.get_ref().clone();
        // What the head of the file says for all belongs to each item: a change of it is a change of them.
        if described.zone.is_none() {
            described.zone = file.zone.as_ref().map(|zone| zone.get_ref().clone());
        }
        described.zone = described.zone.filter(|zone| zone.0.0 != ZoneName::LOCAL);
        described.private |= file.private;
        let id = &described.id.0;
        if seen.insert(id.clone(), places.item.clone()).is_some() {
            problems.push(Problem::new(
                places.of("id"),
                format!("the id `{id}` is used twice"),
                "give each item an id of its own",
            ));
        }
        items.extend(lower_item(*kind, &described, &places, &mut problems).map(|lowered| {
            let definition = definition(*kind, &described);
            (lowered, definition)
        }));
    }
    if items.is_empty() && problems.is_empty() {
        // A full disk or a slip of the hand empties files; that must not silence every reminder.
        problems.push(Problem::new(
            0..0,
            "the schedule has no items",
            "add a `[[supplement]]` or a `[[habit]]`",
        ));
    }
    if problems.is_empty() { Ok(Schedule { items, settings }) } else { Err(in_order(problems)) }
}

/// Makes what holds for all items.
fn lower_settings(file: &FileToml, problems: &mut Vec<Problem>) -> Settings {
    let mut settings = Settings { quiet: file.quiet.map(|quiet| quiet.0), ..Settings::default() };
    if let Some(snooze) = &file.snooze {
        match snooze.get_ref().0.elapsed() {
            Some(length) if MIN_AGAIN <= length && length <= MAX_SNOOZE => settings.snooze = length,
            _ => problems.push(Problem::new(
                snooze.span(),
                format!("a snooze cannot last {}", snooze.get_ref().0),
                "use one minute to one day, such as `15m`",
            )),
        }
    }
    settings
}

/// Writes an item down as a journal keeps it: the keys of the file and the kind, as JSON.
fn definition(kind: Kind, item: &ItemToml) -> String {
    let mut value = serde_json::to_value(item).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("kind".to_owned(), kind.as_str().into());
    }
    value.to_string()
}

pub(super) fn parse_definition(definition: &str) -> Result<Item, String> {
    let mut value: serde_json::Value = serde_json::from_str(definition).map_err(|error| error.to_string())?;
    let kind = value.as_object_mut().and_then(|object| object.remove("kind"));
    let kind = match kind.as_ref().and_then(serde_json::Value::as_str) {
        Some("supplement") => Kind::Supplement,
        Some("habit") => Kind::Habit,
        Some("check-in") => Kind::CheckIn,
        Some("scan") => Kind::Scan,
        _ => return Err("it is of an unknown kind".to_owned()),
    };
    let described: ItemToml = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let mut problems = Vec::new();
    let places = Places { text: "", item: 0..0 };
    let item = lower_item(kind, &described, &places, &mut problems);
    match problems.first() {
        Some(problem) => Err(problem.message.clone()),
        None => item.ok_or_else(|| "it makes no sense".to_owned()),
    }
}

fn lower_item(kind: Kind, item: &ItemToml, places: &Places<'_>, problems: &mut Vec<Problem>) -> Option<Item> {
    let before = problems.len();
    let mut wrong = |key: &str, message: String, help: &str| {
        problems.push(Problem::new(places.of(key), message, help));
    };
    check_kind(kind, item, &mut wrong);
    let recurrence = recurrence(item, &mut wrong);
    check_bounds(item, recurrence.as_ref(), &mut wrong);
    let grace = lower_grace(kind, item, &mut wrong);
    let again = item.again.as_ref().map(|again| {
        let every = again.every.0.elapsed().unwrap_or_default();
        if every < MIN_AGAIN || again.at_most == 0 || again.at_most > MAX_AGAIN {
            wrong(
                "again",
                "this reminder cannot come again like that".to_owned(),
                "use `every` from 1m and `at-most` from 1 to 100, as in `{ every = \"15m\", at-most = 3 }`",
            );
        }
        Again { every, at_most: again.at_most }
    });
    let taper = lower_taper(item, &mut wrong);
    let then = lower_steps(item, grace, &mut wrong);
    let zone = item.zone.as_ref().and_then(|zone| super::zone(&zone.0.0).ok());
    let mut hours = |key: &str, length: Length| {
        let hours = length.elapsed().filter(|hours| hours.is_positive() && *hours <= MAX_DISTANCE);
        if hours.is_none() {
            wrong(key, format!("{length} is no distance"), "use one second to seven days, such as `2h`");
        }
        hours.unwrap_or_default()
    };
    let gap = item.gap.as_ref().map(|gap| hours("gap", gap.0));
    let apart: Vec<Apart> = item
        .apart
        .iter()
        .flatten()
        .map(|apart| Apart { from: apart.from.0.clone(), by: hours("apart", apart.by.0) })
        .collect();
    let questions = questions::lower(kind, item, &mut wrong);
    let extras = Extras {
        note: item.note.clone(),
        taper,
        group: item.group.as_ref().map(|group| group.trim().to_owned()),
        with: item.with.clone(),
        target: item.target.map(|target| target.0),
        questions,
        again,
        then,
        lead: item.lead.iter().flatten().map(|lead| lead.0).collect(),
        gap,
        apart,
        stock: item.stock.as_ref().map(|stock| Stock { have: stock.have, refill_at: stock.refill_at }),
    };
    let lowered = Item {
        id: item.id.0.clone(),
        kind,
        name: item.name.clone().unwrap_or_else(|| item.id.0.to_string()),
        dose: item.dose.map(|dose| dose.0),
        product: product(item),
        rule: Rule {
            recurrence: recurrence.unwrap_or(Recurrence::AsNeeded),
            from: item.from.map(|day| day.0),
            until: item.until.map(|day| day.0),
            cycle: item.cycle.as_ref().map(|cycle| Cycle { on: cycle.on, off: cycle.off }),
        },
        zone,
        grace,
        late: match item.late {
            None | Some(LateToml::Remind) => Late::Remind,
            Some(LateToml::Miss) => Late::Miss,
        },
        private: item.private,
        extras: (extras != Extras::default()).then(|| Arc::new(extras)),
    };
    (problems.len() == before).then_some(lowered)
}

fn product(item: &ItemToml) -> Option<Arc<Product>> {
    let ItemToml { strain, form, brand, batch, .. } = item.clone();
    let product = Product { strain, form, brand, batch };
    (product != Product::default()).then(|| Arc::new(product))
}

/// Refuses keys that have no sense for a kind.
fn check_kind(kind: Kind, item: &ItemToml, wrong: &mut impl FnMut(&str, String, &str)) {
    let supplement_only = [
        ("dose", item.dose.is_some()),
        ("strain", item.strain.is_some()),
        ("form", item.form.is_some()),
        ("brand", item.brand.is_some()),
        ("batch", item.batch.is_some()),
        ("with", item.with.is_some()),
        ("taper", item.taper.is_some()),
        ("gap", item.gap.is_some()),
        ("apart", item.apart.is_some()),
        ("stock", item.stock.is_some()),
    ];
    for (key, given) in supplement_only {
        if given && kind != Kind::Supplement {
            wrong(key, format!("`{key}` has no sense for a {}", kind.as_str()), "only a supplement has it");
        }
    }
    let texts = [
        ("name", &item.name),
        ("note", &item.note),
        ("strain", &item.strain),
        ("form", &item.form),
        ("brand", &item.brand),
        ("batch", &item.batch),
        ("group", &item.group),
        ("with", &item.with),
    ];
    for (key, given) in texts {
        let Some(given) = given else { continue };
        if given.len() > MAX_TEXT_BYTES {
            wrong(key, format!("`{key}` is too long"), "use 4096 bytes at most");
        }
        if given.trim().is_empty() && !matches!(key, "note" | "with") {
            wrong(key, format!("`{key}` is empty"), "write something, or leave the key out");
        }
    }
    if item.target.is_some() && kind != Kind::Habit {
        wrong(
            "target",
            format!("`target` has no sense for a {}", kind.as_str()),
            "only a habit has it; a supplement has a `dose`",
        );
    }
}

/// Makes the recurrence of an item out of its keys.
fn recurrence(item: &ItemToml, wrong: &mut impl FnMut(&str, String, &str)) -> Option<Recurrence> {
    let exclusive =
        |keys: &[(&'static str, bool)], owner: &str, wrong: &mut dyn FnMut(&str, String, &str)| {
            for (key, given) in keys {
                if *given {
                    wrong(key, format!("`{key}` cannot stand beside `{owner}`"), "keep one of the two");
                }
            }
        };
    let (times, days, every) = (item.times.is_some(), item.days.is_some(), item.every.is_some());
    if item.as_needed {
        let keys = [
            ("times", times),
            ("days", days),
            ("every", every),
            ("cron", item.cron.is_some()),
            ("cycle", item.cycle.is_some()),
            ("lead", item.lead.is_some()),
            ("again", item.again.is_some()),
        ];
        exclusive(&keys, "as-needed", wrong);
        return Some(Recurrence::AsNeeded);
    }
    if let Some(cron) = &item.cron {
        exclusive(
            &[("times", times), ("days", days), ("every", every), ("after-last", item.after_last)],
            "cron",
            wrong,
        );
        if !cron.0.ever_matches() {
            let help = "check the day and the month: `0 8 31 2 *` is the 31st of February";
            wrong("cron", format!("`{}` never comes", cron.0), help);
        }
        return Some(Recurrence::Cron(cron.0.clone()));
    }
    let mut clock: Vec<_> = item.times.iter().flatten().map(|time| time.0.0).collect();
    let given = clock.len();
    clock.sort_unstable();
    clock.dedup();
    if clock.len() != given {
        wrong("times", "a time stands in `times` twice".to_owned(), "keep one of them");
    }
    if given > MAX_TIMES {
        wrong("times", format!("{given} times a day are too many"), "use 96 at most, or `every = \"15m\"`");
    }
    if let Some(Length::Exact(exact)) = item.every.as_ref().map(|every| every.0) {
        exclusive(&[("days", days), ("cycle", item.cycle.is_some())], "every", wrong);
        if exact < MIN_ELAPSED {
            wrong("every", "that is too fast".to_owned(), "use one minute or more, such as `8 hours`");
        }
        if given > 1 {
            wrong(
                "times",
                "an elapsed rule begins at one time".to_owned(),
                "keep one of `times`; the others follow from `every`",
            );
        }
        if item.after_last {
            wrong(
                "after-last",
                "an elapsed rule always counts from the last".to_owned(),
                "leave `after-last` out",
            );
        }
        return Some(Recurrence::Elapsed { every: exact, first: clock.first().copied() });
    }
    if clock.is_empty() {
        let key = if times { "times" } else { "id" };
        wrong(
            key,
            format!("`{}` has no time", item.id.0),
            "add `times = [\"08:00\"]`, a `cron` pattern, `every = \"8 hours\"` or `as-needed = true`",
        );
        return None;
    }
    let interval = match item.every.as_ref().map(|every| every.0) {
        None => Interval::Days(1),
        Some(Length::Days(0) | Length::Months(0)) => {
            wrong("every", "that would be at all times".to_owned(), "use one day or more");
            return None;
        }
        Some(Length::Days(n)) if n % 7 == 0 && days => Interval::Weeks(n / 7),
        Some(Length::Days(n)) => Interval::Days(n),
        Some(Length::Months(n)) => Interval::Months(n),
        Some(Length::Exact(_)) => return None,
    };
    if matches!(interval, Interval::Months(_)) && days {
        wrong(
            "days",
            "`days` cannot stand beside months or years".to_owned(),
            "leave `days` out: the day of the month follows from `from`",
        );
    }
    if item.after_last && !matches!(interval, Interval::Months(_)) {
        wrong(
            "after-last",
            "`after-last` goes with months or years".to_owned(),
            "add `every = \"1 year\"`, or leave it out",
        );
    }
    let days = item.days.map_or(Weekdays::ALL, |days| days.0);
    Some(Recurrence::Calendar { interval, days, times: clock, after_last: item.after_last })
}

fn check_bounds(
    item: &ItemToml,
    recurrence: Option<&Recurrence>,
    wrong: &mut impl FnMut(&str, String, &str),
) {
    if let (Some(from), Some(until)) = (item.from, item.until) {
        if until.0 < from.0 {
            wrong(
                "until",
                format!("`until` lies before `from`, which is {}", from.0),
                "`until` is the last day",
            );
        }
    }
    if let Some(cycle) = &item.cycle {
        if cycle.on == 0 || cycle.off == 0 || cycle.on.saturating_add(cycle.off) > Length::MAX_DAYS {
            wrong(
                "cycle",
                "that is not a cycle".to_owned(),
                "use days on and days off, as in `{ on = 21, off = 7 }`",
            );
        }
    }
    let calendar = matches!(recurrence, Some(Recurrence::Calendar { .. } | Recurrence::Cron(_)));
    for lead in item.lead.iter().flatten() {
        if !calendar || lead.0.elapsed().is_some_and(|lead| lead.is_zero()) {
            wrong(
                "lead",
                format!("nothing can be announced {} ahead here", lead.0),
                "`lead` goes with dates: `lead = [\"7 days\", \"1 day\"]`",
            );
        }
    }
}

fn lower_grace(kind: Kind, item: &ItemToml, wrong: &mut impl FnMut(&str, String, &str)) -> SignedDuration {
    let Some(grace) = item.grace.as_ref().map(|grace| grace.0) else { return kind.default_grace() };
    match grace.elapsed() {
        Some(elapsed)
            if elapsed >= SignedDuration::from_mins(1) && elapsed <= SignedDuration::from_hours(24 * 366) =>
        {
            elapsed
        }
        _ => {
            wrong(
                "grace",
                format!("{grace} is no grace"),
                "use one minute to 366 days, as in `4h` or `60 days`",
            );
            kind.default_grace()
        }
    }
}

/// Makes the steps beyond the desktop; whether their channels are known is for the whole file to say.
fn lower_steps(
    item: &ItemToml,
    grace: SignedDuration,
    wrong: &mut impl FnMut(&str, String, &str),
) -> Vec<Step> {
    let steps = item.then.iter().flatten().map(|step| {
        let after = step.after.0.elapsed().unwrap_or(SignedDuration::MAX);
        if after >= grace {
            wrong(
                "then",
                format!("{} after its time it cannot be answered any more", step.after.0),
                "let each step come before the `grace` is over",
            );
        }
        Step { after, channel: step.channel.0.clone() }
    });
    steps.collect()
}

fn lower_taper(item: &ItemToml, wrong: &mut impl FnMut(&str, String, &str)) -> Vec<TaperStep> {
    let mut steps: Vec<TaperStep> =
        item.taper.iter().flatten().map(|step| TaperStep { from: step.from.0, dose: step.dose.0 }).collect();
    steps.sort_by_key(|step| step.from);
    if steps.windows(2).any(|pair| pair[0].from == pair[1].from) {
        wrong(
            "taper",
            "two steps of `taper` begin on the same day".to_owned(),
            "give each step a day of its own",
        );
    }
    let unit = item.dose.map(|dose| dose.0.unit);
    if steps.iter().any(|step| unit.is_some_and(|unit| unit != step.dose.unit)) {
        wrong(
            "taper",
            "`taper` and `dose` have different units".to_owned(),
            "use one unit for all doses of an item",
        );
    }
    steps
}
