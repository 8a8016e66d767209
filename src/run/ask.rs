//! The commands that ask the daemon.

use std::io::{IsTerminal, Write};
use std::path::Path;

use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use serde_json::{Value, json};

use super::{RunError, print, print_json, show, value};
use crate::answer;
use crate::cli::{Command, FormArgs, Output, ScanCommand};
use crate::client;
use crate::doctor;
use crate::form;
use crate::paths::Paths;
use crate::render;
use crate::render::report::{self, Material};
use crate::tui;

/// How far back `today` offers to fill in what could not be asked.
const BACKFILL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Asks the daemon and prints what it says.
pub(super) async fn ask(paths: &Paths, command: Command) -> Result<(), RunError> {
    let socket = &paths.socket;
    let now = Timestamp::now();
    match command {
        Command::Today(Output { json: true }) => print_json(&get(socket, "/v1/today").await?),
        Command::Today(_) => {
            let today = value(&get(socket, "/v1/occurrences").await?)?;
            let since = now.checked_sub(BACKFILL).unwrap_or(now).to_string();
            let past = value(
                &get(
                    socket,
                    &format!("/v1/occurrences?from={}&until={}", encode(&since), encode(&now.to_string())),
                )
                .await?,
            )?;
            print(&format!("{}{}", render::today(&today, now), render::unasked(&past)))
        }
        Command::Next { count, output } => {
            let text = get(socket, &format!("/v1/next?n={count}")).await?;
            show(output, &text, |next| render::next(next, now))
        }
        Command::Status { format: Some(format), output: _ } => print_json(&bar(socket, &format, now).await?),
        Command::Status { format: None, output } => {
            let text = get(socket, "/v1/status").await?;
            show(output, &text, |status| render::status(status, now))
        }
        Command::History { item, since, until, output } => {
            let parameters = [("item", item), ("since", since), ("until", until)];
            let text = get(socket, &with_parameters("/v1/facts", &parameters)).await?;
            show(output, &text, render::history)
        }
        Command::CheckIn { item: Some(item), form } if item == "list" => {
            let text = get(socket, "/v1/check-ins").await?;
            show(form.output, &text, |found| render::check_ins(found, std::io::stdout().is_terminal()))
        }
        Command::CheckIn { item, form } => {
            let output = form.output;
            fill_in(socket, "check-in", item.as_deref(), form).await?;
            if output.json {
                return Ok(());
            }
            // Only now: the last answers are not to colour the new ones.
            let rows = value(&get(socket, "/v1/check-ins").await?)?;
            print(&render::since_the_last(&rows))
        }
        Command::Scan(ScanCommand::Add { item, form }) => {
            fill_in(socket, "scan", item.as_deref(), form).await
        }
        Command::Scan(ScanCommand::List(output)) => {
            let text = get(socket, "/v1/scans").await?;
            show(output, &text, |found| render::scans(found, std::io::stdout().is_terminal()))
        }
        Command::Report { since, until } => print_json(&page(socket, since, until, now).await?),
        Command::Insight(output) => {
            let text = get(socket, "/v1/insight").await?;
            show(output, &text, render::insight)
        }
        Command::Adherence { item, groups, since, until, output } => {
            let date = |date: Option<jiff::civil::Date>| date.map(|date| date.to_string());
            let by = groups.then(|| "group".to_owned());
            let parameters = [("item", item), ("by", by), ("since", date(since)), ("until", date(until))];
            let text = get(socket, &with_parameters("/v1/adherence", &parameters)).await?;
            show(output, &text, |found| render::adherence(found, std::io::stdout().is_terminal()))
        }
        Command::Why { occurrence, output } => {
            let text = get(socket, &format!("/v1/occurrences/{}/why", encode(&occurrence))).await?;
            show(output, &text, |why| render::why(why, now))
        }
        Command::Doctor(output) => {
            let findings = doctor::examine(paths, now).await;
            let rows = Value::Array(findings.iter().map(doctor::Finding::json).collect());
            show(output, &rows.to_string(), render::findings)?;
            let is_bad = findings.iter().any(|finding| finding.state == doctor::State::Bad);
            if is_bad { Err(RunError::Shown) } else { Ok(()) }
        }
        Command::Test(output) => {
            let answer = client::post(socket, "/v1/channels/test", &json!({})).await?;
            if answer.status >= 400 {
                return Err(refused(answer.status, &answer.json));
            }
            show(output, &answer.json, render::tried)?;
            let rows = value(&answer.json)?;
            let all_good = rows.as_array().is_some_and(|rows| rows.iter().all(|row| row["ok"] == true));
            if all_good { Ok(()) } else { Err(RunError::Shown) }
        }
        Command::Watch { format: Some(format) } => watch_bar(socket, &format).await,
        Command::Watch { format: None } => watch(socket).await,
        Command::Take { item, at, amount, note, again, output } => {
            let body = members(&[("at", at), ("amount", amount), ("note", note)]);
            let path = format!("/v1/occurrences/{}/take", encode(&item));
            post_once_more(socket, &path, body, again, output).await
        }
        Command::Skip { item, at, reason, note, output } => {
            let body = members(&[("at", at), ("reason", reason), ("note", note)]);
            post(socket, &format!("/v1/occurrences/{}/skip", encode(&item)), &body, output).await
        }
        Command::Snooze { item, length, output } => {
            let body = members(&[("for", length)]);
            post(socket, &format!("/v1/occurrences/{}/snooze", encode(&item)), &body, output).await
        }
        Command::Log { item, amount, at, note, again, output } => {
            let amount = Some(amount.join(" ")).filter(|amount| !amount.is_empty());
            let body = members(&[("at", at), ("amount", amount), ("note", note)]);
            post_once_more(socket, &format!("/v1/items/{}/log", encode(&item)), body, again, output).await
        }
        Command::Answer => {
            let (mut input, mut output) = (std::io::stdin().lock(), anstream::stdout().lock());
            Ok(answer::pick(socket, now, &mut input, &mut output).await?)
        }
        Command::Tui => {
            if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
                let detail = "`dosed tui` needs a terminal; `dosed today` prints the day".to_owned();
                return Err(RunError::Usage { detail });
            }
            Ok(tui::run(socket).await?)
        }
        Command::Stock { item: Some(item), doses: Some(doses), output } => {
            let number = |text: &str| text.parse::<i32>().ok();
            let body = match (doses.strip_prefix('+').unwrap_or(&doses), doses.starts_with(['+', '-'])) {
                (text, true) => number(text).map(|more| json!({ "add": more })),
                (text, false) => number(text).map(|counted| json!({ "count": counted })),
            };
            let detail = format!("`{doses}` is no number of doses: write `+60`, `-2` or `55`");
            let body = body.ok_or(RunError::Usage { detail })?;
            post(socket, &format!("/v1/items/{}/stock", encode(&item)), &body, output).await
        }
        Command::Stock { item, doses: _, output } => {
            let rows = value(&get(socket, "/v1/stock").await?)?;
            let rows = rows.as_array().into_iter().flatten();
            let rows = rows.filter(|row| item.as_deref().is_none_or(|item| row["item"] == item)).cloned();
            let rows = Value::Array(rows.collect());
            if item.is_some() && rows[0].is_null() {
                return Err(RunError::Refused { detail: "nothing is counted of that item".to_owned() });
            }
            show(output, &rows.to_string(), |rows| render::stock(rows, now))
        }
        Command::Undo { fact, reason, output } => {
            let fact = match fact {
                Some(fact) => fact,
                None => last_answer(socket).await?,
            };
            let body = members(&[("reason", reason)]);
            post(socket, &format!("/v1/facts/{}/retract", encode(&fact)), &body, output).await
        }
        Command::Correct { fact, at, amount, note, reason, answers, output } => {
            let fact = match fact {
                Some(fact) => fact,
                None => last_answer(socket).await?,
            };
            let mut body = members(&[("at", at), ("amount", amount), ("note", note), ("reason", reason)]);
            if !answers.is_empty() {
                body["answers"] = Value::Object(form::given(&answers)?);
            }
            post(socket, &format!("/v1/facts/{}/correct", encode(&fact)), &body, output).await
        }
        Command::Pause { item, until, reason, output } => {
            let body = members(&[("item", item), ("until", until), ("reason", reason)]);
            post(socket, "/v1/pause", &body, output).await
        }
        Command::Resume { item, output } => {
            post(socket, "/v1/resume", &members(&[("item", item)]), output).await
        }
        // The others need no daemon.
        Command::Daemon
        | Command::Demo
        | Command::Simulate { .. }
        | Command::Check { .. }
        | Command::Setup { .. }
        | Command::Completions { .. }
        | Command::Man => Ok(()),
    }
}

/// Makes the page of a range of days.
async fn page(
    socket: &Path,
    since: Option<jiff::civil::Date>,
    until: Option<jiff::civil::Date>,
    now: Timestamp,
) -> Result<String, RunError> {
    let status = value(&get(socket, "/v1/status").await?)?;
    // The day as the daemon's clock shows it.
    let today = status["now"].as_str().and_then(|now| now.parse::<Zoned>().ok());
    let today = today.map_or_else(|| now.to_zoned(jiff::tz::TimeZone::UTC).date(), |now| now.date());
    let until = until.unwrap_or_else(|| today.saturating_add(1.day()));
    let since = since.unwrap_or_else(|| until.saturating_sub(1.year()));
    let range = [("since", Some(since.to_string())), ("until", Some(until.to_string()))];
    let material = Material {
        since: since.to_string(),
        until: until.to_string(),
        made: today.to_string(),
        adherence: value(&get(socket, &with_parameters("/v1/adherence", &range)).await?)?,
        check_ins: value(&get(socket, "/v1/check-ins").await?)?,
        scans: value(&get(socket, "/v1/scans").await?)?,
        facts: value(&get(socket, &with_parameters("/v1/facts", &range)).await?)?,
        made_up: status["made_up"] == true,
    };
    Ok(report::html(&material))
}

/// Fills in the form of an item and records it.
async fn fill_in(socket: &Path, kind: &str, item: Option<&str>, args: FormArgs) -> Result<(), RunError> {
    let forms = value(&get(socket, "/v1/forms").await?)?;
    let form = form::find(&forms, kind, item)?;
    let answers = if args.answers.is_empty() {
        form::ask(form, &mut std::io::stdin().lock(), &mut anstream::stderr().lock())?
    } else {
        form::given(&args.answers)?
    };
    let mut body = members(&[("at", args.at), ("note", args.note)]);
    body["answers"] = Value::Object(answers);
    let item = form["item"].as_str().unwrap_or_default();
    post(socket, &format!("/v1/items/{}/{kind}", encode(item)), &body, args.output).await
}

async fn get(socket: &Path, path: &str) -> Result<String, RunError> {
    let answer = client::get(socket, path).await?;
    if answer.status >= 400 { Err(refused(answer.status, &answer.json)) } else { Ok(answer.json) }
}

async fn post(socket: &Path, path: &str, body: &Value, output: Output) -> Result<(), RunError> {
    show_recorded(client::post(socket, path, body).await?, output)
}

/// Sends an intake; where it comes too soon after the last one, asks whether it is meant.
async fn post_once_more(
    socket: &Path,
    path: &str,
    mut body: Value,
    again: bool,
    output: Output,
) -> Result<(), RunError> {
    if again {
        body["confirm"] = true.into();
    }
    let answer = client::post(socket, path, &body).await?;
    let is_too_soon = answer.status == 409 && value(&answer.json)?["type"] == client::TOO_SOON;
    if !is_too_soon || output.json || !std::io::stdin().is_terminal() {
        return show_recorded(answer, output);
    }
    let detail = value(&answer.json)?["detail"].as_str().unwrap_or_default().to_owned();
    let mut out = anstream::stderr().lock();
    write!(out, "{detail}\nRecord one more? [y/N] ")?;
    out.flush()?;
    let mut said = String::new();
    std::io::stdin().read_line(&mut said)?;
    if !matches!(said.trim(), "y" | "Y" | "yes") {
        return Err(RunError::Shown);
    }
    body["confirm"] = true.into();
    show_recorded(client::post(socket, path, &body).await?, output)
}

/// Shows what came of an answer, with what there is to say beside it.
fn show_recorded(answer: client::Answer, output: Output) -> Result<(), RunError> {
    if answer.status >= 400 {
        return Err(refused(answer.status, &answer.json));
    }
    show(output, &answer.json, |fact| render::recorded(fact, answer.status == 200))?;
    if let Some(remark) = answer.remark {
        // Beside the fact, which other programs read.
        writeln!(anstream::stderr(), "{remark}")?;
    }
    Ok(())
}

fn refused(status: u16, json: &str) -> RunError {
    let detail = serde_json::from_str::<Value>(json).ok();
    let detail = detail.and_then(|value| value["detail"].as_str().map(ToOwned::to_owned));
    let detail = detail.unwrap_or_else(|| json.to_owned());
    if status == 400 { RunError::Usage { detail } } else { RunError::Refused { detail } }
}

async fn watch(socket: &Path) -> Result<(), RunError> {
    let mut events = client::Events::open(socket).await?;
    while let Some(event) = events.next().await? {
        print_json(&event)?;
    }
    Ok(())
}

/// The format of waybar, by its name.
pub(super) const WAYBAR: &str = "waybar";

/// Returns one line for a status bar.
async fn bar(socket: &Path, format: &str, now: Timestamp) -> Result<String, RunError> {
    let status = value(&get(socket, "/v1/status").await?)?;
    let today = value(&get(socket, "/v1/occurrences").await?)?;
    match format {
        WAYBAR => Ok(render::bar::waybar(&status, &today, now)),
        format => {
            render::bar::template(format, &status, &today, now).map_err(|detail| RunError::Usage { detail })
        }
    }
}

/// Prints a line for a status bar, and a new one with each event that changes it.
async fn watch_bar(socket: &Path, format: &str) -> Result<(), RunError> {
    // First the ear, then the eye: nothing happens between the two unheard.
    let mut events = client::Events::open(socket).await?;
    let mut shown = String::new();
    loop {
        let line = bar(socket, format, Timestamp::now()).await?;
        if line != shown {
            print_json(&line)?;
            shown = line;
        }
        if events.next().await?.is_none() {
            return Ok(());
        }
    }
}

/// Finds the person's last answer that still stands.
async fn last_answer(socket: &Path) -> Result<String, RunError> {
    // All of them: where a clock was set back, what takes an answer back can stand far before it.
    let facts = value(&get(socket, "/v1/facts").await?)?;
    render::last_answer(&facts)
        .and_then(|fact| fact["id"].as_str())
        .map(ToOwned::to_owned)
        .ok_or_else(|| RunError::Refused { detail: "there is no answer to take back".to_owned() })
}

fn members(members: &[(&str, Option<String>)]) -> Value {
    let given = members.iter().filter_map(|(name, text)| Some(((*name).to_owned(), text.clone()?.into())));
    Value::Object(given.collect())
}

fn with_parameters(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let given: Vec<String> = parameters
        .iter()
        .filter_map(|(name, text)| Some(format!("{name}={}", encode(text.as_ref()?))))
        .collect();
    if given.is_empty() { path.to_owned() } else { format!("{path}?{}", given.join("&")) }
}

/// Percent-encodes a part of a path or query (RFC 3986).
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~@:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}
