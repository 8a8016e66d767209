//! Makes a schedule from the tables of the file, and reports everything that is wrong with their values.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use toml::Spanned;

use super::again::AgainToml;
use super::file::{FileToml, ItemToml, LateToml, StockToml, sorted};
use super::report::{Problem, Reporter};
use super::text::{self, ZoneName};
use super::{channels, questions, recurrence, steps};
use crate::core::schedule::{
    Again, Amount, Cycle, Definition, EscalationStep, Item, ItemId, Kind, LatePolicy, Length, Limit, Product,
    QuietHours, Recurrence, Repetition, Rule, Schedule, Separation, Settings, Stock, TaperStep, Unit,
};

/// The longest definition of an item, in bytes: with what is recorded about it, it fits a line of the journal.
const MAX_DEFINITION_BYTES: usize = 255 * 1024;

/// The longest text of the schedule, in bytes.
const MAX_TEXT_BYTES: usize = 4096;

/// The shortest time between two repetitions of a reminder, and the most repetitions.
const MIN_REPETITION: SignedDuration = SignedDuration::from_mins(1);
const MAX_REPETITIONS: u32 = 100;

/// The bounds of the snooze of a button.
const MIN_SNOOZE: SignedDuration = SignedDuration::from_mins(1);
const MAX_SNOOZE: SignedDuration = SignedDuration::from_hours(24);

/// A day begins in the morning.
const LATEST_DAY_START: Time = Time::constant(12, 0, 0, 0);

/// The bounds of a grace.
const MIN_GRACE: SignedDuration = SignedDuration::from_mins(1);
const MAX_GRACE: SignedDuration = SignedDuration::from_hours(24 * 366);

/// The longest time that two intakes can be kept apart.
const MAX_SEPARATION: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Makes the schedule, or returns every problem.
pub(super) fn lower(file: &FileToml, text: &str) -> Result<Schedule, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut items: Vec<(Item, Definition)> = Vec::new();
    let mut seen: BTreeSet<ItemId> = BTreeSet::new();
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
    // A table's own text extends to the next table.
    let table_at = |start: usize| {
        let end = starts.iter().copied().find(|next| *next > start).unwrap_or(text.len());
        start..end
    };
    let mut settings = lower_settings(file, &mut problems);
    for (i, channel) in file.channel.iter().enumerate() {
        let mut reporter = Reporter::new(text, table_at(channel.span().start), &mut problems);
        let lowered = channels::lower(channel.get_ref(), &file.channel[..i], &mut reporter);
        settings.channels.extend(lowered);
    }
    let ids: BTreeSet<&ItemId> = all.iter().map(|(_, item)| &item.get_ref().id.0).collect();
    for (kind, item) in &all {
        let mut reporter = Reporter::new(text, table_at(item.span().start), &mut problems);
        check_steps(item.get_ref(), file, &mut reporter);
        let item = with_defaults(item.get_ref(), file);
        let id = &item.id.0;
        if !seen.insert(id.clone()) {
            reporter.error("id", format!("duplicate id `{id}`"), "give each item its own id");
        }
        if let Some(former) = item.formerly.as_ref().filter(|former| ids.contains(&&former.0)) {
            reporter.error(
                "formerly",
                format!("`{}` is still in the schedule", former.0),
                "take it out, or leave `formerly` out",
            );
        }
        let lowered = lower_item(*kind, &item, &mut reporter);
        let definition = definition(*kind, &item);
        check_length(&definition.text, &mut reporter);
        items.extend(lowered.map(|lowered| (lowered, definition)));
    }
    if items.is_empty() && problems.is_empty() {
        // A full disk or a mistake empties files; that must not silence every reminder.
        problems.push(Problem::new(
            0..0,
            "the schedule has no items",
            "add a `[[supplement]]` or a `[[habit]]`",
        ));
    }
    if problems.is_empty() { Ok(Schedule { items, settings }) } else { Err(sorted(problems)) }
}

/// Returns an item with what the head of the file sets for all: a change there is a change of each item.
fn with_defaults(item: &ItemToml, file: &FileToml) -> ItemToml {
    let mut item = item.clone();
    if item.zone.is_none() {
        item.zone = file.zone.as_ref().map(|zone| zone.get_ref().clone());
    }
    item.zone = item.zone.filter(|zone| zone.0.0 != ZoneName::LOCAL);
    item.private |= file.private;
    item
}

/// Makes the settings of all items.
fn lower_settings(file: &FileToml, problems: &mut Vec<Problem>) -> Settings {
    let quiet = file.quiet.map(|quiet| quiet.0);
    let mut settings = Settings { quiet, sound: file.sound, ..Settings::default() };
    if let Some(starts) = &file.day_starts {
        settings.day_starts = starts.get_ref().0.0;
        if settings.day_starts >= LATEST_DAY_START {
            let message = "`day-starts` must be before 12:00";
            problems.push(Problem::new(starts.span(), message, "for example `day-starts = \"04:00\"`"));
        }
    }
    if let Some(snooze) = &file.snooze {
        match snooze.get_ref().0.elapsed() {
            Some(length) if MIN_SNOOZE <= length && length <= MAX_SNOOZE => settings.snooze = length,
            _ => problems.push(Problem::new(
                snooze.span(),
                "`snooze` must be between 1m and 24h",
                "for example `snooze = \"15m\"`",
            )),
        }
    }
    settings
}

/// Returns an item as the journal records it.
fn definition(kind: Kind, item: &ItemToml) -> Definition {
    let mut first = item.clone();
    let of_steps = first.plan.iter_mut().flatten().filter_map(|step| step.dose.as_mut());
    let amounts = first
        .dose
        .iter_mut()
        .chain(first.turns.iter_mut().flatten())
        .chain(of_steps)
        .chain(first.taper.iter_mut().flatten().map(|step| &mut step.dose));
    amounts.for_each(|dose| dose.0 = dose.0.first_form());
    if let Some(target) = &mut first.target {
        target.0.amount = target.0.amount.first_form();
    }
    let (text, first_form) = (definition_text(kind, item), definition_text(kind, &first));
    Definition { first_form: Some(first_form).filter(|first| *first != text), text }
}

/// Returns the keys of the file and the kind, as JSON.
fn definition_text(kind: Kind, item: &ItemToml) -> String {
    let mut value = serde_json::to_value(item).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("kind".to_owned(), kind.as_str().into());
    }
    value.to_string()
}

/// Refuses an item that no line of the journal could hold, at its longest key.
fn check_length(definition: &str, reporter: &mut Reporter<'_>) {
    let length = definition.len();
    if length <= MAX_DEFINITION_BYTES {
        return;
    }
    let keys: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(definition).unwrap_or_default();
    let lengths = keys.iter().map(|(key, value)| (value.to_string().len(), key.as_str()));
    let (longest, key) = lengths.max().unwrap_or((length, "id"));
    reporter.error(
        key,
        format!(
            "the item is too long to be recorded: {length} bytes, of which `{key}` has {longest}; the limit is {MAX_DEFINITION_BYTES}"
        ),
        format!("shorten `{key}`, or make several items of this one"),
    );
}

fn lower_item(kind: Kind, item: &ItemToml, reporter: &mut Reporter<'_>) -> Option<Item> {
    let before = reporter.count();
    check_kind(kind, item, reporter);
    check_texts(item, reporter);
    let recurrence = recurrence::lower(item, reporter);
    recurrence::check_bounds(item, recurrence.as_ref(), reporter);
    let grace = lower_grace(kind, item, reporter);
    let again = lower_repetition(item, reporter);
    steps::check_turns(item, recurrence.as_ref(), reporter);
    let taper = lower_taper(item, reporter);
    let first_day = first_day(item, recurrence.as_ref());
    let then = lower_steps(item, grace, reporter);
    let zone = item.zone.as_ref().and_then(|zone| text::zone(&zone.0.0).ok());
    let gap = item.gap.as_ref().map(|gap| lower_separation("gap", "`gap`", gap.0, reporter));
    let apart = item
        .apart
        .iter()
        .flatten()
        .map(|apart| Separation {
            from: apart.from.0.clone(),
            by: lower_separation("apart", "`by` in `apart`", apart.by.0, reporter),
        })
        .collect();
    let questions = questions::lower(kind, item, reporter);
    let lowered = Item {
        id: item.id.0.clone(),
        formerly: item.formerly.as_ref().map(|former| former.0.clone()),
        kind,
        name: item.name.clone().unwrap_or_else(|| item.id.0.to_string()),
        dose: item.dose.clone().map(|dose| dose.0),
        ask_amount: item.ask_amount,
        product: product(item),
        rule: Rule {
            recurrence: recurrence.unwrap_or(Recurrence::AsNeeded),
            from: first_day,
            until: item.until.map(|day| day.0),
            cycle: item.cycle.as_ref().map(|cycle| Cycle { on: cycle.on, off: cycle.off }),
        },
        zone,
        grace,
        late: match item.late {
            None | Some(LateToml::Remind) => LatePolicy::Remind,
            Some(LateToml::Miss) => LatePolicy::Miss,
        },
        private: item.private,
        note: item.note.clone(),
        taper,
        turns: item.turns.iter().flatten().map(|dose| dose.0.clone()).collect(),
        group: item.group.as_ref().map(|group| group.trim().to_owned()),
        with: item.with.clone(),
        target: item.target.clone().map(|target| target.0),
        until_reached: item.until_reached,
        questions,
        again,
        quiet: item.quiet.map_or(QuietHours::OfSchedule, |quiet| quiet.0),
        then,
        lead: item.lead.iter().flatten().map(|lead| lead.0).collect(),
        gap,
        limit: lower_limit(item, reporter),
        apart,
        stock: lower_stock(item, reporter),
    };
    (reporter.count() == before).then_some(lowered)
}

/// Returns the first day of an item, as it says, or as all steps of its plan do.
fn first_day(item: &ItemToml, recurrence: Option<&Recurrence>) -> Option<Date> {
    let of_steps = || match recurrence? {
        Recurrence::Steps(steps) => {
            steps.iter().map(|step| step.rule.from).collect::<Option<Vec<_>>>()?.into_iter().min()
        }
        _ => None,
    };
    item.from.map(|day| day.0).or_else(of_steps)
}

fn product(item: &ItemToml) -> Product {
    let ItemToml { strain, form, brand, batch, .. } = item.clone();
    Product { strain, form, brand, batch }
}

/// Refuses keys that do not apply to a kind.
fn check_kind(kind: Kind, item: &ItemToml, reporter: &mut Reporter<'_>) {
    let supplement_only = [
        ("strain", item.strain.is_some()),
        ("form", item.form.is_some()),
        ("brand", item.brand.is_some()),
        ("batch", item.batch.is_some()),
        ("with", item.with.is_some()),
        ("taper", item.taper.is_some()),
        ("turns", item.turns.is_some()),
        ("gap", item.gap.is_some()),
        ("limit", item.limit.is_some()),
        ("apart", item.apart.is_some()),
        ("stock", item.stock.is_some()),
    ];
    for (key, given) in supplement_only {
        if given && kind != Kind::Supplement {
            let message = format!("`{key}` does not apply to a {}", kind.as_str());
            reporter.error(key, message, "only a supplement has it");
        }
    }
    for (key, given) in [("dose", item.dose.is_some()), ("ask-amount", item.ask_amount)] {
        if given && matches!(kind, Kind::CheckIn | Kind::Scan) {
            let message = format!("`{key}` does not apply to a {}", kind.as_str());
            reporter.error(key, message, "only a supplement or a habit has it");
        }
    }
    if item.until_reached && item.target.as_ref().is_none_or(|target| target.0.days != 1) {
        let message = "`until-reached` needs a `target` by the day";
        reporter.error("until-reached", message, "for example `target = \"8 glasses / day\"`");
    }
    if item.target.is_some() && kind != Kind::Habit {
        let message = format!("`target` does not apply to a {}", kind.as_str());
        reporter.error("target", message, "only a habit has it; a supplement has a `dose`");
    }
}

/// Refuses texts that are empty or too long.
fn check_texts(item: &ItemToml, reporter: &mut Reporter<'_>) {
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
            reporter.error(key, format!("`{key}` is too long"), "use at most 4096 bytes");
        }
        if given.trim().is_empty() && !matches!(key, "note" | "with") {
            reporter.error(key, format!("`{key}` is empty"), "write a text, or remove the key");
        }
    }
}

fn lower_grace(kind: Kind, item: &ItemToml, reporter: &mut Reporter<'_>) -> SignedDuration {
    let Some(grace) = item.grace.as_ref() else { return kind.default_grace() };
    match grace.0.elapsed() {
        Some(grace) if MIN_GRACE <= grace && grace <= MAX_GRACE => grace,
        _ => {
            let help = "for example `grace = \"4h\"` or `grace = \"60 days\"`";
            reporter.error("grace", "`grace` must be between 1m and 366d", help);
            kind.default_grace()
        }
    }
}

fn lower_repetition(item: &ItemToml, reporter: &mut Reporter<'_>) -> Again {
    let again = match &item.again {
        None => return Again::WhereHidden,
        Some(AgainToml::Never) => return Again::Never,
        Some(AgainToml::Every(again)) => again,
    };
    let every = again.every.0.elapsed().unwrap_or_default();
    if every < MIN_REPETITION || again.at_most == 0 || again.at_most > MAX_REPETITIONS {
        let message = "invalid `again`: `every` must be at least 1m, and `at-most` between 1 and 100";
        reporter.error("again", message, "for example `again = { every = \"15m\", at-most = 3 }`");
    }
    Again::Every(Repetition { every, at_most: again.at_most })
}

/// Makes a time between two intakes; `name` is how a message refers to the key.
fn lower_separation(key: &str, name: &str, length: Length, reporter: &mut Reporter<'_>) -> SignedDuration {
    let separation = length.elapsed().filter(|length| length.is_positive() && *length <= MAX_SEPARATION);
    if separation.is_none() {
        reporter.error(key, format!("{name} must be between 1s and 7 days"), "for example `2h`");
    }
    separation.unwrap_or_default()
}

/// Refuses steps to channels that do not exist.
fn check_steps(item: &ItemToml, file: &FileToml, reporter: &mut Reporter<'_>) {
    let mut known: Vec<_> = file.channel.iter().map(|channel| channel.get_ref().id.0.as_str()).collect();
    known.dedup();
    for step in item.then.iter().flatten() {
        let id = step.channel.0.as_str();
        if !known.contains(&id) {
            let help = match known.as_slice() {
                [] => format!("add it: `[[channel]]` with `id = \"{id}\"` and a `kind`"),
                known => format!("known channels: {}", known.join(", ")),
            };
            reporter.error("then", format!("unknown channel `{id}`"), help);
        }
    }
}

/// Makes the steps of the escalation; whether their channels exist is checked for the whole file.
fn lower_steps(item: &ItemToml, grace: SignedDuration, reporter: &mut Reporter<'_>) -> Vec<EscalationStep> {
    let steps = item.then.iter().flatten().map(|step| {
        let after = step.after.0.elapsed().unwrap_or(SignedDuration::MAX);
        if after >= grace {
            let message = format!("a step after {} is not within the `grace`", step.after.0);
            reporter.error("then", message, "shorten `after`, or lengthen `grace`");
        }
        EscalationStep { after, channel: step.channel.0.clone() }
    });
    steps.collect()
}

fn lower_stock(item: &ItemToml, reporter: &mut Reporter<'_>) -> Option<Stock> {
    let StockToml { have, refill_at, unit, each, expires } = item.stock.clone()?;
    let help = "for example `stock = { have = 80, unit = \"tablet\", each = \"250 mg\", refill-at = 10 }`";
    let is_word =
        |unit: &String| unit.parse::<f64>().is_err() && format!("1 {unit}").parse::<Amount>().is_ok();
    if unit.as_ref().is_some_and(|unit| !is_word(unit)) {
        reporter.error("stock", "`unit` of `stock` must be one word", help);
    }
    let each = each.map(|each| each.0);
    if each.is_some() && unit.is_none() {
        reporter.error("stock", "`each` of `stock` has no `unit`", help);
    }
    if each.as_ref().is_some_and(|each| each.is_range() || each.quantities().count() > 1) {
        reporter.error("stock", "`each` of `stock` must be one amount", help);
    }
    let unit = unit.map(|unit| Unit::of(unit.trim()));
    Some(Stock { have, refill_at: refill_at.0, unit, each, expires: expires.map(|day| day.0) })
}

/// Refuses a limit by which the dose cannot be measured.
fn lower_limit(item: &ItemToml, reporter: &mut Reporter<'_>) -> Option<Limit> {
    let limit = item.limit.as_ref()?.0.clone();
    let unit = &limit.amount.first().unit;
    if let Some(dose) = item.dose.as_ref().map(|dose| &dose.0).filter(|dose| dose.measured_in(unit).is_none())
    {
        let message = format!("the dose, {dose}, cannot be counted in `{unit}`");
        reporter.error("limit", message, "use a unit of the dose");
    }
    Some(limit)
}

fn lower_taper(item: &ItemToml, reporter: &mut Reporter<'_>) -> Vec<TaperStep> {
    let mut steps: Vec<TaperStep> = item
        .taper
        .iter()
        .flatten()
        .map(|step| TaperStep { from: step.from.0, dose: step.dose.0.clone() })
        .collect();
    steps.sort_by_key(|step| step.from);
    if steps.windows(2).any(|pair| pair[0].from == pair[1].from) {
        reporter.error("taper", "`taper` has two steps from the same day", "give each step its own day");
    }
    let dose = item.dose.as_ref().map(|dose| &dose.0);
    if steps.iter().any(|step| dose.is_some_and(|dose| !dose.has_units_of(&step.dose))) {
        let help = "use the same units for all doses of an item";
        reporter.error("taper", "`taper` and `dose` have different units", help);
    }
    steps
}
