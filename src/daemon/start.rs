//! The start: opens what is needed, in the order in which a failure costs least.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{broadcast, mpsc};
use tracing::{info, warn};

use super::event::Sources;
use super::insight;
use super::query;
use super::stock;
use super::{CHANNEL_BACKLOG, Condition, Daemon, DaemonError, EVENT_BACKLOG, MAX_WAITING_CALLS};
use crate::agenda::Agenda;
use crate::anew;
use crate::api::Listener;
use crate::channel;
use crate::clock::{Clock, LOCALTIME, system_zone};
use crate::config::{self, DEFAULT_SCHEDULE};
use crate::desktop;
use crate::ledger::{Ledger, Record, replay};
use crate::panics;
use crate::presence;
use crate::reminder::{Input, Reminder};
use crate::schedule::Plan;
use crate::store::{Question, Reader, Store, StoreError, Written, make_private_dir};
use crate::terminal::Terminal;
use crate::watch::Watch;

/// Where everything lies.
#[derive(Clone, Debug)]
pub struct Options {
    /// The schedule file; where there is none, the default one is written.
    pub schedule: PathBuf,
    /// The data directory.
    pub data_dir: PathBuf,
    /// The socket, unless the service manager hands one over.
    pub socket: PathBuf,
    /// Whether a person looks on: then the daemon says what it does in words.
    pub on_terminal: bool,
    /// Whether the record is made up: then nothing is shown on the desktop or sent.
    pub is_demo: bool,
}

/// Rebuilding fewer facts than this is not worth a word.
const PROGRESS_FROM: u64 = 20_000;

/// Reading or writing fewer facts than this takes little room.
const MANY_FACTS: u64 = 500;

impl Daemon {
    pub(super) async fn start(
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Sources, Listener), DaemonError> {
        // Whatever is made from here on is nobody else's business.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let io = |what: &str| {
            let what = what.to_owned();
            move |source| DaemonError::Io { what, source }
        };
        let wrote_schedule = provide_schedule(&options.schedule)?;
        let schedule = config::load(&options.schedule)?;
        let (written_sender, written) = mpsc::unbounded_channel();
        let host_name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let (store, lacked) = open_store(&options, &host_name, written_sender.clone())?;
        let now = clock.now();
        let (zone_name, zone) = system_zone();
        let reader = store.reader();
        let (plan, ledger) = recall(&reader, &zone, now).await?;
        let (wakes_sender, wakes) = mpsc::unbounded_channel();
        let agenda = Agenda::start(wakes_sender).await?;
        let (desktop, desktop_commands) = mpsc::unbounded_channel();
        let (desktop_sender, desktop_events) = mpsc::unbounded_channel();
        if options.is_demo {
            // Nobody is to be reminded of a made-up dose.
            let _ =
                desktop_sender.send(desktop::Event::ServerVanished("a demo shows no reminders".to_owned()));
        } else {
            tokio::spawn(desktop::run(desktop_commands, desktop_sender));
        }
        let (channels, channel_commands) = mpsc::unbounded_channel();
        let (channel_sender, channel_events) = mpsc::channel(CHANNEL_BACKLOG);
        tokio::spawn(channel::run(channel_commands, channel_sender));
        let (presence_sender, presence_events) = mpsc::unbounded_channel();
        tokio::spawn(presence::run(presence_sender));
        let (calls_sender, calls) = mpsc::channel(MAX_WAITING_CALLS);
        let (learned_sender, learned) = mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let watch = Watch::new([options.schedule.as_path(), Path::new(LOCALTIME)])
            .inspect_err(
                |error| warn!(%error, "changes of the schedule are not noticed; SIGHUP reads it again"),
            )
            .ok();
        let sources = Sources {
            wakes,
            written,
            desktop: desktop_events,
            channels: channel_events,
            presence: presence_events,
            calls,
            calls_sender,
            learned,
            watch,
            hangup: signal(SignalKind::hangup()).map_err(io("listen for SIGHUP"))?,
            terminate: signal(SignalKind::terminate()).map_err(io("listen for SIGTERM"))?,
            interrupt: signal(SignalKind::interrupt()).map_err(io("listen for SIGINT"))?,
        };
        let mut daemon = Self {
            clock,
            reminder: Reminder::new(plan, ledger, now),
            agenda,
            device: store.device().to_owned(),
            store: Some(store),
            reader,
            memory: Arc::default(),
            desktop,
            channels,
            key: None,
            tests: HashMap::new(),
            last_test: 0,
            terminal: Terminal::find(|name| std::env::var_os(name).filter(|value| !value.is_empty())),
            counts: 0,
            counted: HashMap::new(),
            events,
            learned: learned_sender,
            waiting: HashMap::new(),
            last_request: 0,
            condition: Condition { zone: zone_name.clone(), started_at: now, ..Condition::default() },
            wrote_schedule,
            taking_in: None,
            options,
        };
        for item in daemon.reminder.plan().clone().items() {
            let left = stock::left(&daemon.reader, daemon.reminder.plan(), item).await?;
            daemon.reminder.know_stock(item.clone(), left);
        }
        daemon.use_channels(&schedule.settings.channels);
        let away = daemon.condition.is_away();
        let can_open = daemon.terminal.is_some();
        daemon.input(now, Input::Started { zone_name, zone, schedule, away, can_open });
        // Before anything was shown or sent, and before anyone has found us: nothing was awaited since.
        daemon.leave_room_behind(lacked, &host_name, written_sender)?;
        let listener = listener(&daemon.options.socket).inspect_err(|_| daemon.close_store())?;
        // A socket that was handed over would be lost with this program.
        panics::settle(std::env::var_os("NOTIFY_SOCKET").is_some() || listener.is_handed_over());
        Ok((daemon, sources, listener))
    }

    /// Begins the program anew where its start took much room; `lacked` is how many facts the database lacked.
    fn leave_room_behind(
        &mut self,
        lacked: u64,
        host_name: &str,
        written: mpsc::UnboundedSender<Written>,
    ) -> Result<(), StoreError> {
        let has_done_much = lacked + self.reminder.unrecorded() as u64 >= MANY_FACTS;
        // A demo would make its record up again.
        let can_begin_anew = !self.options.is_demo && anew::can_leave_room_behind();
        if can_begin_anew && (has_done_much || !anew::is_spare()) {
            self.close_store();
            anew::leave_room_behind();
            // It could not.
            let (store, _) = open_store(&self.options, host_name, written)?;
            self.reader = store.reader();
            self.store = Some(store);
        }
        Ok(())
    }

    /// Writes down what waits, and closes the record.
    fn close_store(&mut self) {
        if let Some(store) = self.store.take() {
            store.close();
        }
    }

    /// Says where everything lies and what comes next.
    pub(super) fn report(&self) {
        info!(version = env!("CARGO_PKG_VERSION"), "dosed runs");
        if !self.options.on_terminal {
            return;
        }
        let now = self.clock.now();
        let plan = self.reminder.plan();
        let items = plan.current_items().count();
        let new = if self.wrote_schedule { ", written just now: change it as you like" } else { "" };
        let socket = self.options.socket.display();
        print(&format!("dosed {} runs; Ctrl-C ends it", env!("CARGO_PKG_VERSION")));
        print(&format!("  schedule  {} ({items} items{new})", self.options.schedule.display()));
        print(&format!("  record    {}", self.options.data_dir.display()));
        print(&format!("  socket    {socket}"));
        let zone = plan.zones.zone_at(now);
        let next = plan
            .current_items()
            .filter_map(|item| {
                let intakes = self.reminder.ledger().counted_from(plan, &item.id);
                let next = plan.next_after(&item.id, &intakes, now)?;
                Some((next.occurrence.at, item.name.as_str()))
            })
            .min();
        match next {
            Some((at, name)) => {
                print(&format!("  next      {name}, {}", zone.to_datetime(at).strftime("%A %-d %B, %H:%M")));
            }
            None => print("  next      nothing is planned"),
        }
        // At the very first start nothing is answered yet.
        let first_answer = self.wrote_schedule.then(|| insight::first_answer(plan, 0, now, zone)).flatten();
        if let Some(date) = first_answer {
            let needed = crate::insight::NEEDED;
            print(&format!(
                "  insight   a first look at what goes with what needs {needed} check-ins: by the schedule, on {date}"
            ));
        }
        print(
            "  in another terminal: dosed today, dosed take ITEM, dosed status (or: cargo run --release -- today)",
        );
    }
}

/// Prints a line for whoever looks on; a terminal that has gone is no reason to end.
pub(super) fn print(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes the default schedule where there is none.
fn provide_schedule(path: &Path) -> Result<bool, DaemonError> {
    if path.exists() {
        return Ok(false);
    }
    let io =
        |source| DaemonError::Io { what: format!("write the first schedule {}", path.display()), source };
    if let Some(dir) = path.parent().filter(|dir| !dir.exists()) {
        make_private_dir(dir).map_err(io)?;
    }
    // Whole or not at all: another program may be looking.
    let beside = path.with_extension("toml.new");
    std::fs::write(&beside, DEFAULT_SCHEDULE).and_then(|()| std::fs::rename(&beside, path)).map_err(io)?;
    Ok(true)
}

/// Takes the socket that the service manager hands over, or makes one.
fn listener(path: &Path) -> Result<Listener, DaemonError> {
    let io = |source| DaemonError::Io { what: "use the socket of the service manager".to_owned(), source };
    match listenfd::ListenFd::from_env().take_unix_listener(0).map_err(io)? {
        Some(socket) => Listener::activated(socket).map_err(io),
        None => Ok(Listener::bind(path)?),
    }
}

/// Opens the record, says how far it is where that takes a while, and returns how many facts the database lacked.
fn open_store(
    options: &Options,
    host_name: &str,
    written: mpsc::UnboundedSender<Written>,
) -> Result<(Store, u64), StoreError> {
    let mut lacked = 0;
    let progress = |done, total| {
        lacked = done;
        if total >= PROGRESS_FROM {
            info!(done, total, "bringing the database up to the journal");
            if options.on_terminal {
                print(&format!("rebuilding the database: {done} of {total} facts"));
            }
        }
    };
    let store = Store::open(&options.data_dir, host_name, written, progress)?;
    Ok((store, lacked))
}

/// Reads back what shapes the plan and what may still be open.
async fn recall(
    reader: &Reader,
    zone: &jiff::tz::TimeZone,
    now: Timestamp,
) -> Result<(Plan, Ledger), StoreError> {
    let mut ledger = reader.ledger(Question::Plan).await?;
    let plan = replay(&ledger, ledger.zone_history(zone), |record, definition| {
        config::parse_definition(definition)
            .inspect_err(|why| {
                warn!(fact = %record.id, %why, "a part of the plan's history cannot be read and is left out");
            })
            .ok()
    });
    ledger.extend(recent(reader, &plan, now).await?);
    ledger.extend(query::newest_intakes(reader, &plan, None).await?);
    Ok((plan, ledger))
}

/// Reads the facts about everything that can be open at an instant.
pub(super) async fn recent(
    reader: &Reader,
    plan: &Plan,
    now: Timestamp,
) -> Result<Vec<Arc<Record>>, StoreError> {
    let grace = plan.items().map(|item| plan.longest_grace(item)).max();
    let back = grace.unwrap_or_default() + SignedDuration::from_hours(72);
    let from = now.checked_sub(back).unwrap_or(Timestamp::MIN);
    let until = now.checked_add(SignedDuration::from_hours(72)).unwrap_or(Timestamp::MAX);
    reader.about(from, until, None).await
}
