//! Decides what a command does, and is the one place that prints errors.

#![expect(clippy::disallowed_methods, reason = "the person's environment, clock and zone are read here")]

mod advice;
pub mod answer;
pub mod args;
mod cautions;
mod commands;
mod completion;
pub mod demo;
pub mod doctor;
mod editing;
mod manual;
mod named;
mod outdated;
mod output;
pub mod paths;
pub mod prompt;
pub mod setup;
mod simulate;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::CommandFactory;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::adapters::clock::{SystemClock, SystemZone, system_zone};
use crate::adapters::config::{self, ConfigError};
use crate::adapters::http::SocketError;
use crate::adapters::store::StoreError;
use crate::cli::answer::AnswerError;
use crate::cli::args::{Cli, Command, Output, PathOptions};
use crate::cli::paths::{NoHome, Paths};
use crate::cli::prompt::FormError;
use crate::cli::setup::SetupError;
use crate::client::{Client, ClientError};
use crate::core::schedule::{Item, ItemId, Plan, Planned, ZoneHistory};
use crate::daemon::{self, DaemonError};
use crate::present;
use crate::process::{dumps, errors, programs};
use crate::protocol::{PlannedItem, ZonedTime};
use crate::tui::TuiError;
use output::{print, print_json};

/// The daemon cannot be reached.
const EXIT_UNREACHABLE: u8 = 69;
/// Another daemon runs.
const EXIT_RUNNING: u8 = 75;
/// The schedule is invalid.
const EXIT_INVALID: u8 = 78;
/// Wrong usage.
const EXIT_USAGE: u8 = 2;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    NoHome(#[from] NoHome),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Tui(#[from] TuiError),
    /// The daemon refused, with its reason.
    #[error("{detail}")]
    Refused { detail: String },
    /// What was asked for makes no sense.
    #[error("{detail}")]
    Usage { detail: String },
    /// The fault has been shown.
    #[error("a fault was found")]
    Shown,
    #[error("cannot print")]
    Output(#[from] std::io::Error),
}

impl RunError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Client(error) | Self::Answer(AnswerError::Client(error)) => match error {
                ClientError::NotRunning { .. }
                | ClientError::OtherUser { .. }
                | ClientError::TimedOut
                | ClientError::Silent
                | ClientError::Broken(_) => EXIT_UNREACHABLE,
                ClientError::Refused(problem) if problem.status == 400 => EXIT_USAGE,
                ClientError::Refused(_) | ClientError::Unreadable { .. } => 1,
            },
            Self::Daemon(
                DaemonError::Store(StoreError::Locked { .. }) | DaemonError::Socket(SocketError::Live { .. }),
            ) => EXIT_RUNNING,
            Self::Config(ConfigError::Invalid { .. } | ConfigError::TooLarge { .. })
            | Self::Daemon(DaemonError::Config(ConfigError::Invalid { .. } | ConfigError::TooLarge { .. })) => {
                EXIT_INVALID
            }
            Self::Usage { .. } | Self::Form(FormError::Item(_) | FormError::Answer(_)) => EXIT_USAGE,
            _ => 1,
        }
    }
}

/// Answers the shell, where it asks for completions, and ends the process then.
pub fn complete() {
    clap_complete::CompleteEnv::with_factory(Cli::command).complete();
}

/// Runs a command and returns its exit code.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output is gone.
        Err(RunError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error @ RunError::Shown) => ExitCode::from(error.exit_code()),
        Err(error) => {
            report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Prints an error with its causes; the errors of a schedule with their lines, but not where others may read them.
fn report(error: &RunError) {
    let mut text = String::new();
    let invalid = match error {
        RunError::Config(invalid) => Some(invalid),
        RunError::Daemon(DaemonError::Config(invalid)) if !is_service() => Some(invalid),
        _ => None,
    };
    if let Some(ConfigError::Invalid { path, source_text, problems }) = invalid {
        let colour = std::io::stderr().is_terminal();
        text = config::render(&path.display().to_string(), source_text, problems, colour);
        text.push_str("\n\n");
    }
    text.push_str(&format!("dosed: {}", errors::chain(error)));
    if is_service() && matches!(error, RunError::Daemon(DaemonError::Config(ConfigError::Invalid { .. }))) {
        text.push_str("; `dosed check` shows them");
    }
    let _ = writeln!(anstream::stderr(), "{text}");
}

fn execute(cli: Cli) -> Result<(), RunError> {
    let paths = find_paths(cli.places);
    match cli.command {
        Command::Daemon => run_daemon(paths?, false),
        Command::Demo => run_demo(&paths?),
        Command::Completions { shell } => print(&manual::completions(shell)?),
        Command::Man => print(&manual::man()?),
        Command::Add(args) => editing::add(&paths?.schedule, args, Timestamp::now(), &zone_or_utc()?.rules),
        Command::Edit { item } => {
            editing::edit(&paths?.schedule, item.as_deref(), Timestamp::now(), &zone_or_utc()?.rules)
        }
        Command::Remove { item } => {
            editing::remove(&paths?.schedule, &item, Timestamp::now(), &zone_or_utc()?.rules)
        }
        Command::Setup { undo } => set_up(&paths?.socket, undo),
        Command::Check { json_schema: true, .. } => print(config::JSON_SCHEMA),
        Command::Check { file: Some(file), .. } => check(&file, None),
        Command::Check { file: None, .. } => {
            let paths = paths?;
            check(&paths.schedule, Some(&paths.socket))
        }
        Command::Simulate { from, until, zone, output } => {
            simulate(&paths?, from, until, zone.as_deref(), output)
        }
        command => {
            let is_bar = matches!(&command, Command::Status { format: Some(format), .. } | Command::Watch { format: Some(format) } if format == commands::WAYBAR);
            let done = runtime()?.block_on(commands::run(&paths?, command));
            if is_bar && done.as_ref().is_err_and(|error| error.exit_code() == EXIT_UNREACHABLE) {
                // A bar shows what is printed, not what went wrong.
                print_json(&present::bar::unreachable())?;
            }
            done
        }
    }
}

fn find_paths(given: PathOptions) -> Result<Paths, NoHome> {
    let user = rustix::process::getuid().as_raw();
    Paths::find(given.schedule, given.data_dir, given.socket, user, |name| {
        std::env::var_os(name).filter(|value| !value.is_empty()).map(Into::into)
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, RunError> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Runs a daemon on a demo record, apart from the real one.
fn run_demo(paths: &Paths) -> Result<(), RunError> {
    let data_dir = paths.data_dir.with_file_name("dosed-demo");
    let SystemZone { name: zone_name, rules: zone } = zone_or_utc()?;
    demo::fill(&data_dir, &zone_name, &zone, Timestamp::now()).map_err(DaemonError::Store)?;
    let socket = data_dir.join("dosed.sock");
    print(&format!(
        "Two made-up years are in {}. In another terminal:\n  export DOSED_SOCKET={}\n  dosed adherence; dosed insight; dosed check-in list; dosed scan list",
        data_dir.display(),
        socket.display()
    ))?;
    run_daemon(Paths { schedule: data_dir.join("schedule.toml"), data_dir, socket }, true)
}

/// Returns the zone of this machine; where it cannot be read, UTC, with a warning.
fn zone_or_utc() -> Result<SystemZone, RunError> {
    system_zone().or_else(|error| {
        writeln!(anstream::stderr(), "dosed: {error}; times are in UTC")?;
        Ok(SystemZone { name: "UTC".to_owned(), rules: TimeZone::UTC })
    })
}

fn run_daemon(paths: Paths, is_demo: bool) -> Result<(), RunError> {
    start_log();
    if let Err(error) = dumps::keep_memory_out() {
        tracing::warn!(%error, "a crash may leave a core dump, with names in it");
    }
    let options = daemon::Options {
        schedule: paths.schedule,
        data_dir: paths.data_dir,
        socket: paths.socket,
        on_terminal: !is_service(),
        is_demo,
    };
    let runtime = runtime()?;
    let outcome = runtime.block_on(daemon::run(options, Arc::new(SystemClock)));
    // A server that does not answer must not hold up the end.
    runtime.shutdown_background();
    Ok(outcome?)
}

/// Tells whether this is a service: its output is a log that others may read, and says nothing in words.
fn is_service() -> bool {
    ["NOTIFY_SOCKET", "JOURNAL_STREAM", "INVOCATION_ID"].iter().any(|name| std::env::var_os(name).is_some())
}

/// Logs to stderr: what `DOSED_LOG` says, else what a person running it wants to know.
fn start_log() {
    let asked = std::env::var("DOSED_LOG").unwrap_or_default();
    let (filter, error) = match asked.parse::<Targets>() {
        // Nothing would be read as a name of nothing.
        _ if asked.is_empty() => (Targets::new(), None),
        Ok(filter) => (filter, None),
        Err(error) => (Targets::new(), Some(error)),
    };
    let level = filter.default_level().unwrap_or(LevelFilter::INFO);
    let others = ["tokio_cron_scheduler", "sled", "zbus"].map(|name| (name, LevelFilter::WARN));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(colour)
        .with_writer(std::io::stderr)
        .with_target(false)
        // What cannot be written is lost: to say so would be one more write that fails, and a panic.
        .log_internal_errors(false)
        .finish()
        .with(filter.with_default(level).with_targets(others))
        .init();
    if let Some(error) = error {
        tracing::warn!(%error, "DOSED_LOG is not used: write it as `debug` or `dosed=debug,zbus=info`");
    }
}

/// Finds the home directory, and what else says where things are.
fn home() -> Result<setup::Home, NoHome> {
    setup::Home::find(|name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
}

/// Sets the service up in the home directory, or takes it away again.
fn set_up(socket: &Path, undo: bool) -> Result<(), RunError> {
    let home = home()?;
    let program = programs::current()?;
    let done = runtime()?.block_on(async {
        if undo {
            setup::undo(&home, &program, socket).await
        } else {
            setup::set_up(&home, &program, socket).await
        }
    })?;
    print(&done.join("\n"))
}

fn check(path: &Path, socket: Option<&Path>) -> Result<(), RunError> {
    let schedule = config::load(path)?;
    print(&format!("{}: OK, {}", path.display(), present::count(schedule.items.len() as u64, "item")))?;
    let mut warnings = cautions::cautions(&schedule, Timestamp::now(), &zone_or_utc()?.rules);
    warnings.extend(advice::plain_http(&schedule.settings.channels));
    let items: Vec<Item> = schedule.items.into_iter().map(|(item, _)| item).collect();
    // Of a schedule that is named, this machine's record knows nothing.
    let recorded = socket.and_then(|socket| recorded_items(socket).ok()).unwrap_or_default();
    let mut advice = advice::advice(&items, &recorded);
    advice.extend(warnings);
    if advice.is_empty() { Ok(()) } else { print(&advice.join("\n")) }
}

/// Asks the daemon which items its record knows.
fn recorded_items(socket: &Path) -> Result<Vec<PlannedItem>, RunError> {
    let response = runtime()?.block_on(async { Client::new(socket).items().await })?;
    Ok(response.value)
}

fn simulate(
    Paths { schedule, socket, .. }: &Paths,
    from: jiff::civil::Date,
    until: jiff::civil::Date,
    zone: Option<&str>,
    output: Output,
) -> Result<(), RunError> {
    // A link that leads nowhere is not the lack of a schedule.
    let loaded = if schedule.symlink_metadata().is_ok() {
        config::load(schedule)?
    } else {
        // Before the first start there is only the schedule that would be written.
        config::parse(config::DEFAULT_SCHEDULE).map_err(|problems| ConfigError::Invalid {
            path: schedule.to_owned(),
            source_text: config::DEFAULT_SCHEDULE.to_owned(),
            problems,
        })?
    };
    let zone = match zone {
        Some(name) => config::zone(name).map_err(|error| RunError::Usage { detail: error.to_string() })?,
        None => zone_or_utc()?.rules,
    };
    let instant = |date: jiff::civil::Date| {
        zone.to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
            .map_err(|error| RunError::Usage { detail: error.to_string() })
    };
    let (from, until) = (instant(from)?, instant(until)?);
    let mut plan = Plan::new(ZoneHistory::fixed(zone.clone()));
    for (item, _) in loaded.items {
        plan.open(item, from);
    }
    count_as_recorded(&mut plan, socket)?;
    let rows = simulate::occurrences(&plan, from, until).map(|planned| Simulated::new(&planned, &zone));
    if output.json {
        return print_rows(rows);
    }
    match simulate::longest_id(&plan, from, until) {
        Some(width) => print_lines(rows, width),
        None => print("Nothing is scheduled in that time."),
    }
}

/// Lets rules that do not say from which day they count do so from the day that the record knows; where it knows none, says so.
fn count_as_recorded(plan: &mut Plan, socket: &Path) -> Result<(), RunError> {
    let unsaid: Vec<ItemId> =
        plan.current_items().filter(|item| item.rule.needs_anchor()).map(|item| item.id.clone()).collect();
    if unsaid.is_empty() {
        return Ok(());
    }
    let recorded = recorded_items(socket);
    let mut errors = anstream::stderr().lock();
    let why = if recorded.is_ok() { "it is not in the record" } else { "no daemon responds" };
    let recorded = recorded.unwrap_or_default();
    for item in unsaid {
        match recorded.iter().find(|planned| planned.item == item.as_str()) {
            Some(planned) => plan.count_from(&item, planned.counts_from),
            None => writeln!(
                errors,
                "dosed: `{item}` has no `from`, and {why}: it counts from the first day of the simulation"
            )?,
        }
    }
    Ok(())
}

/// Prints a line for each row: a schedule can make millions of them.
fn print_lines(rows: impl Iterator<Item = Simulated>, width: usize) -> Result<(), RunError> {
    let mut out = std::io::BufWriter::new(anstream::stdout().lock());
    for row in rows {
        out.write_all(
            present::simulated(&row.occurrence, &row.item, &row.planned, &row.at.0, width).as_bytes(),
        )?;
    }
    Ok(out.flush()?)
}

/// Prints an array row by row: a schedule can make millions of them.
fn print_rows(rows: impl Iterator<Item: serde::Serialize>) -> Result<(), RunError> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut before = "[";
    for row in rows {
        out.write_all(before.as_bytes())?;
        serde_json::to_writer(&mut out, &row).map_err(|error| RunError::Output(error.into()))?;
        before = ",";
    }
    out.write_all(if before == "[" { b"[]\n" } else { b"]\n" })?;
    Ok(out.flush()?)
}

/// An occurrence that a schedule makes, as `simulate --json` prints it.
#[derive(serde::Serialize)]
struct Simulated {
    occurrence: String,
    item: String,
    planned: String,
    at: ZonedTime,
}

impl Simulated {
    fn new(planned: &Planned<'_>, zone: &TimeZone) -> Self {
        let occurrence = &planned.occurrence;
        let zone = planned.regimen.item.zone.as_ref().unwrap_or(zone);
        let slot = occurrence.id.slot.to_string();
        Self {
            occurrence: format!("{}@{slot}", occurrence.id.item),
            item: occurrence.id.item.to_string(),
            planned: slot,
            at: Zoned::new(occurrence.at, zone.clone()).into(),
        }
    }
}
