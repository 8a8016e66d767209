//! The commands that speak to the daemon.

use std::io::{IsTerminal, Write};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::named::{self, Named};
use super::output::{print, print_json, show};
use super::{RunError, answer, doctor, outdated, prompt};
use crate::adapters::clock::{Clock, SystemClock};
use crate::cli::args::{Command, FormArgs, Output, ScanCommand};
use crate::cli::paths::Paths;
use crate::client::{self, Client, ClientError, Response};
use crate::core::schedule::Amount;
use crate::present;
use crate::present::report::{self, Material};
use crate::protocol::{
    AdherenceQuery, CheckInBody, CorrectBody, FactsQuery, Kind, OccurrencesQuery, PauseBody, PostponeBody,
    Recorded, ResumeBody, RetractBody, SkipBody, SnoozeBody, StockBody, StockLevel, TakeBody,
};
use crate::tui;

/// How far back `today` offers to fill in what could not be asked about.
const BACKFILL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Runs a command that speaks to the daemon.
pub(super) async fn run(paths: &Paths, command: Command) -> Result<(), RunError> {
    let client = Client::new(&paths.socket);
    let now = SystemClock.now();
    let is_terminal = std::io::stdout().is_terminal();
    match command {
        Command::Today(output) => today(&client, output, now).await,
        Command::Next { count, output } => next(&client, count, output, now).await,
        Command::Status { format: Some(format), output: _ } => print_json(&bar(&client, &format, now).await?),
        Command::Status { format: None, output } => {
            let status = client.status().await?;
            let outdated = outdated::difference(&status.value);
            show(output, status, |status| present::status(status, now))?;
            if let Some(found) = outdated {
                let help = "`systemctl --user restart dosed`, or end it and start it again";
                writeln!(
                    anstream::stderr(),
                    "dosed: the daemon is not the program that is installed: {found}. {help}"
                )?;
            }
            Ok(())
        }
        Command::History { item, since, until, output } => {
            let item = find_id(&client, item).await?;
            let query = FactsQuery { since, until, item, ..FactsQuery::default() };
            show(output, client.facts(&query).await?, |facts| present::history(facts))
        }
        Command::CheckIn { item: Some(item), form } if item == "list" => {
            let found = client.check_ins().await?;
            show(form.output, found, |found| present::check_ins(found, is_terminal))
        }
        Command::CheckIn { item, form } => {
            check_in(&client, find_id(&client, item).await?.as_deref(), form).await
        }
        Command::Scan(ScanCommand::Add { item, form }) => {
            fill_in(&client, Kind::Scan, find_id(&client, item).await?.as_deref(), form).await
        }
        Command::Scan(ScanCommand::List(output)) => {
            show(output, client.scans().await?, |found| present::scans(found, is_terminal))
        }
        Command::Report { since, until } => print_json(&page(&client, since, until).await?),
        Command::Insight { all, output } => {
            let text = if all { present::insight } else { present::letter };
            show(output, client.insight().await?, text)
        }
        Command::Adherence { item, groups, since, until, output } => {
            let item = find_id(&client, item).await?;
            let date = |date: Option<Date>| date.map(|date| date.to_string());
            let by = groups.then(|| "group".to_owned());
            let query = AdherenceQuery { item, by, since: date(since), until: date(until), from: None };
            show(output, client.adherence(&query).await?, |found| present::adherence(found, is_terminal))
        }
        Command::Why { occurrence, output } => {
            let occurrence = named::find(&client, &occurrence).await?.target;
            show(output, client.why(&occurrence).await?, |why| present::why(why, now))
        }
        Command::Doctor(output) => diagnose(paths, output, now).await,
        Command::Test(output) => test_channels(&client, output).await,
        Command::Watch { format: Some(format) } => watch_bar(&client, &format).await,
        Command::Watch { format: None } => watch(&client).await,
        Command::Take { item, at, amount, note, again, output } => {
            let item = named::find(&client, &item).await?;
            let amount = amount_of(&item, amount, output)?;
            let body = TakeBody { at, amount, note, confirm: again.then_some(true) };
            confirm_too_soon(output, body, async |body| client.take(&item.target, body).await).await
        }
        Command::Log { item, amount, at, note, again, output } => {
            let item = named::find(&client, &item).await?;
            let amount = Some(amount.join(" ")).filter(|amount| !amount.is_empty());
            let amount = amount_of(&item, amount, output)?;
            let body = TakeBody { at, amount, note, confirm: again.then_some(true) };
            confirm_too_soon(output, body, async |body| client.log(&item.target, body).await).await
        }
        Command::Skip { item, on: Some(day), at: _, reason, note, output } => {
            let target = named::find(&client, &item).await?.target;
            skip_day(&client, &target, &day, &SkipBody { at: None, reason, note }, output).await
        }
        Command::Skip { item, on: None, at, reason, note, output } => {
            let target = named::find(&client, &item).await?.target;
            show_recorded(client.skip(&target, &SkipBody { at, reason, note }).await?, output)
        }
        Command::Snooze { item, length, output } => {
            let target = named::find(&client, &item).await?.target;
            show_recorded(client.snooze(&target, &SnoozeBody { length }).await?, output)
        }
        Command::Postpone { item, length, output } => {
            let target = named::find(&client, &item).await?.target;
            show_recorded(client.postpone(&target, &PostponeBody { length }).await?, output)
        }
        Command::Answer => {
            let (mut input, mut output) = (std::io::stdin().lock(), anstream::stdout().lock());
            Ok(answer::pick(&client, now, &mut input, &mut output).await?)
        }
        Command::Tui => {
            if !(std::io::stdin().is_terminal() && is_terminal) {
                let detail = "`dosed tui` needs a terminal; `dosed today` prints the day".to_owned();
                return Err(RunError::Usage { detail });
            }
            Ok(tui::run(&client).await?)
        }
        Command::Stock { item: Some(item), doses: Some(doses), output } => {
            let change = stock_change(&doses)?;
            let target = named::find(&client, &item).await?.target;
            show_recorded(client.change_stock(&target, &change).await?, output)
        }
        Command::Stock { item, doses: _, output } => {
            stock(&client, find_id(&client, item).await?.as_deref(), output, now).await
        }
        Command::Undo { fact, reason, output } => {
            let body = RetractBody { reason };
            let undone = match fact {
                Some(fact) => client.retract(&fact, &body).await?,
                None => client.undo(&body).await?,
            };
            show_recorded(undone, output)
        }
        Command::Correct { fact, at, amount, note, reason, answers, output } => {
            let answers = if answers.is_empty() { None } else { Some(prompt::given(&answers)?) };
            let body = CorrectBody { at, amount, note, reason, answers };
            let corrected = match fact {
                Some(fact) => client.correct(&fact, &body).await?,
                None => client.correct_newest(&body).await?,
            };
            show_recorded(corrected, output)
        }
        Command::Pause { item, from, until, reason, output } => {
            let item = find_id(&client, item).await?;
            show_recorded(client.pause(&PauseBody { item, from, until, reason }).await?, output)
        }
        Command::Resume { item, output } => {
            let item = find_id(&client, item).await?;
            show_recorded(client.resume(&ResumeBody { item }).await?, output)
        }
        // The others need no daemon.
        Command::Daemon
        | Command::Demo
        | Command::Add(_)
        | Command::Edit { .. }
        | Command::Remove { .. }
        | Command::Simulate { .. }
        | Command::Check { .. }
        | Command::Setup { .. }
        | Command::Completions { .. }
        | Command::Man => Ok(()),
    }
}

/// Returns the id of the item that a person means, if they name one.
async fn find_id(client: &Client, item: Option<String>) -> Result<Option<String>, RunError> {
    match item {
        Some(item) => Ok(Some(named::find(client, &item).await?.target)),
        None => Ok(None),
    }
}

/// Returns how much it was, as given; where it is decided each time and was not given, as the person says on a terminal.
fn amount_of(named: &Named, given: Option<String>, output: Output) -> Result<Option<String>, RunError> {
    let Some(item) = &named.item else { return Ok(given) };
    let dose = item.dose.as_deref().and_then(|dose| dose.parse::<Amount>().ok());
    match given {
        Some(given) => return Ok(Some(prompt::with_unit(&given, dose.as_ref()))),
        None if !item.asks_amount => return Ok(None),
        None => {}
    }
    if !output.json && std::io::stdin().is_terminal() {
        let (mut input, mut out) = (std::io::stdin().lock(), anstream::stderr().lock());
        return Ok(prompt::ask_amount(item.dose.as_deref(), &mut input, &mut out)?);
    }
    match dose.filter(Amount::is_range) {
        Some(range) => {
            let (item, range) = (&item.item, range.for_people());
            let detail = format!(
                "the dose of `{item}` is {range}: say how much it was (`dosed log {item} AMOUNT`, or `--amount`)"
            );
            Err(RunError::Refused { detail })
        }
        // The dose is what is proposed.
        None => Ok(None),
    }
}

async fn today(client: &Client, output: Output, now: Timestamp) -> Result<(), RunError> {
    if output.json {
        return print_json(&client.today().await?.json);
    }
    let today = client.occurrences(&OccurrencesQuery::default()).await?.value;
    let since = now.checked_sub(BACKFILL).unwrap_or(now);
    let query = OccurrencesQuery { from: Some(since.to_string()), until: Some(now.to_string()), item: None };
    let past = client.occurrences(&query).await?.value;
    let schedule = client.status().await?.value.schedule;
    let warning = present::schedule_warning(&schedule, now);
    let as_needed = present::as_needed(&client.items().await?.value, now);
    print(&format!("{}{as_needed}{}{warning}", present::today(&today, now), present::not_asked(&past)))
}

async fn next(client: &Client, count: u16, output: Output, now: Timestamp) -> Result<(), RunError> {
    if output.json {
        return print_json(&client.next(count).await?.json);
    }
    let rows = client.next_with_skipped(count).await?.value;
    let pauses = client.status().await?.value.pauses;
    print(&format!("{}{}", present::next(&rows, now), present::pauses(&pauses, now)))
}

/// Skips all that is planned of an item on a day and has no answer.
async fn skip_day(
    client: &Client,
    item: &str,
    day: &str,
    body: &SkipBody,
    output: Output,
) -> Result<(), RunError> {
    let query = OccurrencesQuery { from: Some(day.to_owned()), until: None, item: Some(item.to_owned()) };
    let planned = client.occurrences(&query).await?.value;
    let mut open = planned.iter().filter(|row| row.answer.is_none()).peekable();
    if open.peek().is_none() {
        let detail = match planned.len() {
            0 => format!("nothing is planned of `{item}` on that day: `dosed next` shows what is"),
            _ => format!("all that is planned of `{item}` on that day is answered already"),
        };
        return Err(RunError::Refused { detail });
    }
    for row in open {
        show_recorded(client.skip(&row.occurrence.occurrence, body).await?, output)?;
    }
    Ok(())
}

async fn check_in(client: &Client, item: Option<&str>, form: FormArgs) -> Result<(), RunError> {
    let output = form.output;
    fill_in(client, Kind::CheckIn, item, form).await?;
    if output.json {
        return Ok(());
    }
    // Only now: the last answers are not to colour the new ones.
    print(&present::changes(&client.check_ins().await?.value))
}

/// Fills in the form of an item and records it.
async fn fill_in(client: &Client, kind: Kind, item: Option<&str>, args: FormArgs) -> Result<(), RunError> {
    let forms = client.forms().await?.value;
    let form = prompt::find(&forms, kind, item)?;
    let answers = if args.answers.is_empty() {
        prompt::ask(form, &mut std::io::stdin().lock(), &mut anstream::stderr().lock())?
    } else {
        prompt::given(&args.answers)?
    };
    let body = CheckInBody { answers: Some(answers), at: args.at, note: args.note };
    let recorded = match kind {
        Kind::Scan => client.scan(&form.item, &body).await?,
        _ => client.check_in(&form.item, &body).await?,
    };
    show_recorded(recorded, args.output)
}

/// Makes the page of a range of days.
async fn page(client: &Client, since: Option<Date>, until: Option<Date>) -> Result<String, RunError> {
    let status = client.status().await?.value;
    // The day as the daemon's clock shows it.
    let made = status.now.0.date();
    let until = until.unwrap_or_else(|| made.saturating_add(1.day()));
    let since = since.unwrap_or_else(|| until.saturating_sub(1.year()));
    let range = (Some(since.to_string()), Some(until.to_string()));
    let adherence =
        AdherenceQuery { since: range.0.clone(), until: range.1.clone(), ..AdherenceQuery::default() };
    let facts = FactsQuery { since: range.0, until: range.1, ..FactsQuery::default() };
    Ok(report::page(&Material {
        since,
        until,
        made,
        adherence: client.adherence(&adherence).await?.value,
        check_ins: client.check_ins().await?.value,
        scans: client.scans().await?.value,
        facts: client.facts(&facts).await?.value,
        is_demo: status.is_demo,
    }))
}

async fn diagnose(paths: &Paths, output: Output, now: Timestamp) -> Result<(), RunError> {
    let findings = doctor::examine(paths, super::home().ok().as_ref(), now).await;
    if output.json {
        print_json(&doctor::json(&findings))?;
    } else {
        print(&present::findings(findings.iter().map(doctor::Finding::text)))?;
    }
    let is_bad = findings.iter().any(|finding| finding.state == doctor::State::Bad);
    if is_bad { Err(RunError::Shown) } else { Ok(()) }
}

async fn test_channels(client: &Client, output: Output) -> Result<(), RunError> {
    let tests = client.test_channels().await?;
    let all_good = tests.value.iter().all(|test| test.ok);
    show(output, tests, |tests| present::channel_tests(tests))?;
    if all_good { Ok(()) } else { Err(RunError::Shown) }
}

fn stock_change(doses: &str) -> Result<StockBody, RunError> {
    let (number, is_change) = (doses.strip_prefix('+').unwrap_or(doses), doses.starts_with(['+', '-']));
    let body = if is_change {
        number.parse().ok().map(|more| StockBody { add: Some(more), count: None })
    } else {
        number.parse().ok().map(|counted| StockBody { add: None, count: Some(counted) })
    };
    let detail = format!("`{doses}` is not a number of doses: write `+60`, `-2` or `55`");
    body.ok_or(RunError::Usage { detail })
}

async fn stock(client: &Client, item: Option<&str>, output: Output, now: Timestamp) -> Result<(), RunError> {
    let levels = client.stock().await?.value;
    let is_wanted = |level: &StockLevel| item.is_none_or(|item| level.item == item);
    let levels: Vec<StockLevel> = levels.into_iter().filter(is_wanted).collect();
    if item.is_some() && levels.is_empty() {
        return Err(RunError::Refused { detail: "no stock is counted for that item".to_owned() });
    }
    if output.json {
        return print_json(&serde_json::to_string(&levels).map_err(std::io::Error::from)?);
    }
    print(&present::stock(&levels, now))
}

/// Records an intake; where it comes too soon after the last one, asks whether it is meant.
async fn confirm_too_soon(
    output: Output,
    mut body: TakeBody,
    send: impl AsyncFn(&TakeBody) -> client::Result<Recorded>,
) -> Result<(), RunError> {
    let problem = match send(&body).await {
        Err(ClientError::Refused(problem))
            if problem.is_too_soon() && !output.json && std::io::stdin().is_terminal() =>
        {
            problem
        }
        recorded => return show_recorded(recorded?, output),
    };
    let mut out = anstream::stderr().lock();
    write!(out, "{problem}\nRecord one more? [y/N] ")?;
    out.flush()?;
    if !prompt::is_yes(&mut std::io::stdin().lock())? {
        return Err(RunError::Shown);
    }
    body.confirm = Some(true);
    show_recorded(send(&body).await?, output)
}

/// Shows what was recorded, with what to look out for.
fn show_recorded(response: Response<Recorded>, output: Output) -> Result<(), RunError> {
    let warnings = response.value.warnings.clone();
    let is_repeat = response.is_repeat;
    show(output, response, |recorded| present::recorded(&recorded.fact, is_repeat))?;
    for warning in warnings {
        // Not in the output, which other programs read.
        writeln!(anstream::stderr(), "{warning}")?;
    }
    Ok(())
}

async fn watch(client: &Client) -> Result<(), RunError> {
    let mut events = client.events().await?;
    while let Some(event) = events.next().await? {
        print_json(&event)?;
    }
    Ok(())
}

/// The format of waybar, by its name.
pub(super) const WAYBAR: &str = "waybar";

/// Returns one line for a status bar.
async fn bar(client: &Client, format: &str, now: Timestamp) -> Result<String, RunError> {
    let status = client.status().await?.value;
    let today = client.occurrences(&OccurrencesQuery::default()).await?.value;
    match format {
        WAYBAR => Ok(present::bar::waybar(&status, &today, now)),
        format => {
            present::bar::template(format, &status, &today, now).map_err(|detail| RunError::Usage { detail })
        }
    }
}

/// Prints a line for a status bar, and a new one with each event that changes it.
async fn watch_bar(client: &Client, format: &str) -> Result<(), RunError> {
    // Events first: nothing that happens after the first line is missed.
    let mut events = client.events().await?;
    let mut shown = String::new();
    loop {
        let line = bar(client, format, SystemClock.now()).await?;
        if line != shown {
            print_json(&line)?;
            shown = line;
        }
        if events.next().await?.is_none() {
            return Ok(());
        }
    }
}
