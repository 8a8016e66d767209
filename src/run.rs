//! Decides what a command does, and is the one place that prints errors.

mod ask;
mod manual;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::Value;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::anew;
use crate::answer::AnswerError;
use crate::api::SocketError;
use crate::cli::{Cli, Command, Output};
use crate::client::ClientError;
use crate::clock::{SystemClock, system_zone};
use crate::config::{self, ConfigError};
use crate::daemon::{self, DaemonError};
use crate::demo;
use crate::form::FormError;
use crate::paths::{NoHome, Paths};
use crate::render;
use crate::schedule::{Plan, Planned, ZoneHistory};
use crate::setup::{self, SetupError};
use crate::store::{self, StoreError};
use crate::tui::TuiError;

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
    /// What is wrong has been shown.
    #[error("something is wrong")]
    Shown,
    #[error("cannot print")]
    Output(#[from] std::io::Error),
}

impl RunError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Client(ClientError::NotRunning { .. } | ClientError::Broken(_))
            | Self::Answer(AnswerError::Client(ClientError::NotRunning { .. } | ClientError::Broken(_))) => {
                EXIT_UNREACHABLE
            }
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

/// Runs a command and returns its exit code.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has had enough of it.
        Err(RunError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error @ RunError::Shown) => ExitCode::from(error.exit_code()),
        Err(error) => {
            report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Prints an error with its causes; the errors of a schedule with their lines.
fn report(error: &RunError) {
    let mut text = String::new();
    if let RunError::Config(invalid) | RunError::Daemon(DaemonError::Config(invalid)) = error {
        if let ConfigError::Invalid { path, source_text, problems } = invalid {
            let colour = std::io::stderr().is_terminal();
            text = config::render(&path.display().to_string(), source_text, problems, colour);
            text.push_str("\n\n");
        }
    }
    text.push_str(&format!("dosed: {error}"));
    let mut cause = std::error::Error::source(error);
    // Transparent errors show their source's text themselves.
    let mut said = error.to_string();
    while let Some(source) = cause {
        if source.to_string() != said {
            said = source.to_string();
            text.push_str(&format!(": {said}"));
        }
        cause = source.source();
    }
    let _ = writeln!(anstream::stderr(), "{text}");
}

fn execute(cli: Cli) -> Result<(), RunError> {
    let places = cli.places;
    let paths = Paths::find(places.schedule, places.data_dir, places.socket, |name| {
        std::env::var_os(name).filter(|value| !value.is_empty()).map(Into::into)
    });
    match cli.command {
        Command::Daemon => {
            let paths = paths?;
            // A rebuild is faster with room to spare; it is left behind afterwards.
            if !store::is_to_be_built(&paths.data_dir) {
                anew::spare_memory();
            }
            run_daemon(paths, false)
        }
        Command::Demo => {
            anew::spare_memory();
            run_demo(&paths?)
        }
        Command::Completions { shell } => print(&manual::completions(shell)),
        Command::Man => print(&manual::man()?),
        Command::Setup { undo } => set_up(undo),
        Command::Check { json_schema: true, .. } => print(config::JSON_SCHEMA),
        Command::Check { file, .. } => check(&file.map_or_else(|| paths.map(|paths| paths.schedule), Ok)?),
        Command::Simulate { from, until, zone, output } => {
            simulate(&paths?.schedule, from, until, zone.as_deref(), output)
        }
        command => {
            let is_bar = matches!(&command, Command::Status { format: Some(format), .. } | Command::Watch { format: Some(format) } if format == ask::WAYBAR);
            let done = runtime()?.block_on(ask::ask(&paths?, command));
            if is_bar && done.as_ref().is_err_and(|error| error.exit_code() == EXIT_UNREACHABLE) {
                // A bar shows what it is told, not what went wrong.
                print_json(&render::bar::unreachable())?;
            }
            done
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, RunError> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Runs a daemon on a made-up record beside the real one.
fn run_demo(paths: &Paths) -> Result<(), RunError> {
    let data_dir = paths.data_dir.with_file_name("dosed-demo");
    let (zone_name, zone) = system_zone();
    demo::fill(&data_dir, &zone_name, &zone, Timestamp::now()).map_err(DaemonError::Store)?;
    let socket = data_dir.join("dosed.sock");
    print(&format!(
        "Two made-up years are in {}. In another terminal:\n  export DOSED_SOCKET={}\n  dosed adherence; dosed insight; dosed check-in list; dosed scan list",
        data_dir.display(),
        socket.display()
    ))?;
    run_daemon(Paths { schedule: data_dir.join("schedule.toml"), data_dir, socket }, true)
}

fn run_daemon(paths: Paths, is_demo: bool) -> Result<(), RunError> {
    start_log();
    // A service's output is a log that others may read: there it says nothing in words.
    let is_service = ["NOTIFY_SOCKET", "JOURNAL_STREAM", "INVOCATION_ID"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    let options = daemon::Options {
        schedule: paths.schedule,
        data_dir: paths.data_dir,
        socket: paths.socket,
        on_terminal: !is_service,
        is_demo,
    };
    let runtime = runtime()?;
    let outcome = runtime.block_on(daemon::run(options, Arc::new(SystemClock)));
    // A server that does not answer must not hold up the end.
    runtime.shutdown_background();
    Ok(outcome?)
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
        .finish()
        .with(filter.with_default(level).with_targets(others))
        .init();
    if let Some(error) = error {
        tracing::warn!(%error, "DOSED_LOG is not used: write it as `debug` or `dosed=debug,zbus=info`");
    }
}

fn print(text: &str) -> Result<(), RunError> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Prints what another program reads: every byte as it came, where [`print`] fits text to the terminal.
fn print_json(json: &str) -> Result<(), RunError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{json}")?;
    Ok(out.flush()?)
}

/// Prints an answer as it was asked for: as it came, or in words.
fn show(output: Output, json: &str, words: impl FnOnce(&Value) -> String) -> Result<(), RunError> {
    if output.json { print_json(json) } else { print(&words(&value(json)?)) }
}

/// Sets the service up in the home directory, or takes it away again.
fn set_up(undo: bool) -> Result<(), RunError> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = |name: &str, in_home: &str| {
        variable(name).or_else(|| variable("HOME").map(|home| home.join(in_home))).ok_or(NoHome)
    };
    let home = setup::Home {
        config: base("XDG_CONFIG_HOME", ".config")?,
        data: base("XDG_DATA_HOME", ".local/share")?,
    };
    let program = std::env::current_exe()?;
    let done = if undo { setup::undo(&home, &program)? } else { setup::set_up(&home, &program)? };
    print(&done.join("\n"))
}

fn check(path: &Path) -> Result<(), RunError> {
    let schedule = config::load(path)?;
    print(&format!("{}: right, {} items", path.display(), schedule.items.len()))
}

fn simulate(
    schedule: &Path,
    from: jiff::civil::Date,
    until: jiff::civil::Date,
    zone: Option<&str>,
    output: Output,
) -> Result<(), RunError> {
    let loaded = if schedule.exists() {
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
        Some(name) => config::zone(name).map_err(|detail| RunError::Usage { detail })?,
        None => system_zone().1,
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
    let mut occurrences: Vec<_> =
        plan.items().flat_map(|item| plan.occurrences(item, &[], from, until)).collect();
    occurrences.sort_by(|a, b| {
        let by_time = a.occurrence.at.cmp(&b.occurrence.at);
        by_time.then_with(|| a.occurrence.id.cmp(&b.occurrence.id))
    });
    let rows = occurrences.iter().map(|planned| Simulated::new(planned, &zone));
    if output.json {
        return print_rows(rows);
    }
    let rows =
        serde_json::to_string(&rows.collect::<Vec<_>>()).map_err(|error| RunError::Output(error.into()))?;
    show(output, &rows, render::simulation)
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
struct Simulated<'a> {
    occurrence: String,
    item: &'a str,
    planned: String,
    at: String,
}

impl<'a> Simulated<'a> {
    fn new(planned: &'a Planned<'_>, zone: &TimeZone) -> Self {
        let occurrence = &planned.occurrence;
        let zone = planned.regimen.item.zone.as_ref().unwrap_or(zone);
        let slot = occurrence.id.slot.to_string();
        Self {
            occurrence: format!("{}@{slot}", occurrence.id.item),
            item: occurrence.id.item.as_str(),
            planned: slot,
            at: Zoned::new(occurrence.at, zone.clone()).to_string(),
        }
    }
}

fn value(json: &str) -> Result<Value, RunError> {
    serde_json::from_str(json).map_err(|error| ClientError::Unreadable { why: error.to_string() }.into())
}
