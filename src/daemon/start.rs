//! The start: opens what is needed, in the order in which a failure costs least.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{broadcast, mpsc};
use tracing::{info, warn};

use super::channel_events::DesktopTests;
use super::display;
use super::event::Sources;
use super::peers::Folding;
use super::queries;
use super::queries::insight;
use super::queries::stock;
use super::record::RecordHandle;
use super::recounts::Recounts;
use super::requests::PendingRequests;
use super::schedule_file::ScheduleFile;
use super::surroundings;
use super::terminal;
use super::unread::UnreadHistory;
use super::{CHANNEL_BACKLOG, Daemon, DaemonError, DaemonStatus, EVENT_BACKLOG, MAX_WAITING_CALLS};
use crate::adapters::agenda::Agenda;
use crate::adapters::channels;
use crate::adapters::clock::{Clock, LOCALTIME, SystemZone, system_zone};
use crate::adapters::config;
use crate::adapters::desktop;
use crate::adapters::file_watch::Watch;
use crate::adapters::http::Listener;
use crate::adapters::presence;
use crate::adapters::store::{Query, Reader, Store, StoreError, Written};
use crate::core::ledger::{Fact, Ledger, NamedZone, Record, replay};
use crate::core::reminder::{FAR_AHEAD, Input, Reminder};
use crate::core::schedule::Plan;

/// Where everything lies.
#[derive(Clone, Debug)]
pub struct Options {
    /// The schedule file; where there is neither one nor a record, the default one is written.
    pub schedule: PathBuf,
    /// The data directory.
    pub data_dir: PathBuf,
    /// The socket, unless the service manager hands one over.
    pub socket: PathBuf,
    /// Whether it runs on a terminal: then the daemon prints what it does.
    pub on_terminal: bool,
    /// Whether the record is a demo: then nothing is shown on the desktop or sent.
    pub is_demo: bool,
}

/// Rebuilding fewer facts than this is not reported.
const PROGRESS_FROM: u64 = 20_000;

impl Daemon {
    pub(super) async fn start(
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Sources, Listener), DaemonError> {
        // Every file made from here on is private.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let io = |what: &str| {
            let what = what.to_owned();
            move |source| DaemonError::Io { what, source }
        };
        let watch = Watch::new([Path::new(LOCALTIME)]).inspect_err(not_watched).ok();
        let mut schedule_file =
            ScheduleFile::new(options.schedule.clone(), watch.as_ref().map(Watch::follower));
        let schedule = schedule_file.read_first().await;
        let (written_sender, written) = mpsc::unbounded_channel();
        let host_name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let store = open_store(&options, &host_name, written_sender)?;
        let now = clock.now();
        let reader = store.reader();
        let detected = system_zone();
        let before = detected.as_ref().map_or(TimeZone::UTC, |zone| zone.rules.clone());
        let (plan, ledger, unread) = load_state(&reader, &before, now).await?;
        let has_record = !ledger.plan_records().is_empty();
        let (schedule, schedule_error, wrote_schedule) = match schedule {
            Ok(schedule) => (Some(schedule), None, false),
            Err(error) if has_record => (None, Some(error), false),
            Err(_) if schedule_file.is_absent() => {
                schedule_file.write_first().map_err(io("write the first schedule"))?;
                (Some(schedule_file.read_first().await?), None, true)
            }
            Err(error) => {
                store.close();
                return Err(error.into());
            }
        };
        let (SystemZone { name: zone_name, rules: zone }, zone_error) = match detected {
            Ok(zone) => (zone, None),
            Err(error) => {
                let zone = recorded_zone(&ledger);
                warn!(%error, zone = %zone.name, "the zone of this machine cannot be read; the last recorded one holds");
                (zone, Some(error.to_string()))
            }
        };
        let (wakes_sender, wakes) = mpsc::unbounded_channel();
        let agenda = Agenda::start(clock.clone(), wakes_sender).await?;
        let (desktop, desktop_commands) = mpsc::unbounded_channel();
        let (desktop_sender, desktop_events) = mpsc::unbounded_channel();
        let desktop_task = if options.is_demo {
            // A demo reminds nobody.
            let _ = desktop_sender.send(desktop::Event::ServerVanished {
                reason: "a demo shows no reminders".to_owned(),
                on_demand: false,
            });
            None
        } else {
            let surroundings = surroundings::find(&options.socket);
            Some(tokio::spawn(display::run(desktop_commands, desktop_sender, surroundings)))
        };
        let (channels, channel_commands) = mpsc::unbounded_channel();
        let (channel_sender, channel_events) = mpsc::channel(CHANNEL_BACKLOG);
        tokio::spawn(channels::run(channel_commands, channel_sender));
        let (presence_sender, presence_events) = mpsc::unbounded_channel();
        tokio::spawn(presence::run(presence_sender));
        let (calls_sender, calls) = mpsc::channel(MAX_WAITING_CALLS);
        let (background_sender, background) = mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let journal_dir = options.data_dir.join("journal");
        let journal = journal_dir.join(format!("{}.jsonl", store.device()));
        let watch = watch.and_then(|mut watch| {
            watch.add_dir_of(&journal).inspect_err(not_watched).ok()?;
            Some(watch)
        });
        let sources = Sources {
            wakes,
            written,
            desktop: desktop_events,
            channels: channel_events,
            presence: presence_events,
            calls,
            calls_sender,
            background,
            watch,
            hangup: signal(SignalKind::hangup()).map_err(io("listen for SIGHUP"))?,
            terminate: signal(SignalKind::terminate()).map_err(io("listen for SIGTERM"))?,
            interrupt: signal(SignalKind::interrupt()).map_err(io("listen for SIGINT"))?,
        };
        let mut daemon = Self {
            clock,
            reminder: Reminder::new(plan, ledger, now),
            agenda,
            record: RecordHandle::new(store),
            journal_dir,
            peers: Folding::default(),
            desktop,
            desktop_task,
            channels,
            reply_key: None,
            desktop_tests: DesktopTests::default(),
            schedule_file,
            recounts: Recounts::default(),
            requests: PendingRequests::default(),
            events,
            background: background_sender,
            status: DaemonStatus {
                zone: zone_name.clone(),
                zone_error,
                is_plan_from_record: schedule.is_none(),
                started_at: now,
                unread: Arc::new(unread),
                ..DaemonStatus::default()
            },
            wrote_schedule,
            options,
        };
        for item in daemon.reminder.plan().clone().items() {
            let left = stock::left(&daemon.record.reader, daemon.reminder.plan(), item).await?;
            daemon.reminder.set_stock(item.clone(), left);
        }
        if let Some(schedule) = &schedule {
            daemon.use_channels(&schedule.settings.channels);
        }
        let away = daemon.status.is_away();
        let can_open = terminal::is_likely();
        daemon.input(now, Input::Started { zone_name, zone, schedule, away, can_open });
        if let Some(error) = schedule_error {
            daemon.on_schedule_error(&error);
        }
        // What came between the reading of the journals and the watch.
        daemon.fold_peers();
        let listener = listener(&daemon.options.socket).inspect_err(|_| daemon.record.close_now())?;
        Ok((daemon, sources, listener))
    }

    /// Prints where everything is and what comes next.
    pub(super) fn print_banner(&self) {
        info!(version = env!("CARGO_PKG_VERSION"), "dosed is running");
        if !self.options.on_terminal {
            return;
        }
        let now = self.clock.now();
        let plan = self.reminder.plan();
        let items = plan.current_items().count();
        let new = if self.wrote_schedule { ", just written: edit it to suit you" } else { "" };
        let socket = self.options.socket.display();
        print(&format!("dosed {} is running; press Ctrl-C to stop it", env!("CARGO_PKG_VERSION")));
        print(&format!("  schedule  {} ({}{new})", self.options.schedule.display(), count_items(items)));
        print(&format!("  record    {}", self.options.data_dir.display()));
        print(&format!("  socket    {socket}"));
        let zone = plan.zones.zone_at(now);
        let next = plan
            .current_items()
            .filter_map(|item| {
                let next = plan.next_after(&item.id, self.reminder.ledger(), now)?;
                Some((next.occurrence.at, item.name.as_str()))
            })
            .min();
        match next {
            Some((at, name)) => {
                print(&format!("  next      {name}, {}", zone.to_datetime(at).strftime("%A %-d %B, %H:%M")));
            }
            None => print("  next      nothing is scheduled"),
        }
        // At the very first start nothing is answered yet.
        let first_answer = self.wrote_schedule.then(|| insight::first_answer(plan, 0, now, zone)).flatten();
        if let Some(date) = first_answer {
            let needed = crate::core::insight::MIN_CHECK_INS;
            print(&format!(
                "  insight   a first look at what went together needs {needed} check-ins: by the schedule, on {date}"
            ));
        }
        print(
            "  in another terminal: dosed today, dosed take ITEM, dosed status (or: cargo run --release -- today)",
        );
    }
}

/// Prints a line on the terminal; a terminal that is gone is no reason to end.
pub(super) fn print(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn count_items(items: usize) -> String {
    if items == 1 { "1 item".to_owned() } else { format!("{items} items") }
}

fn not_watched(error: &std::io::Error) {
    warn!(%error, "changes of the schedule and of the journals are not noticed; SIGHUP reads them again");
}

/// Takes the socket that the service manager hands over, or makes one.
fn listener(path: &Path) -> Result<Listener, DaemonError> {
    let io = |source| DaemonError::Io { what: "use the socket of the service manager".to_owned(), source };
    match listenfd::ListenFd::from_env().take_unix_listener(0).map_err(io)? {
        Some(socket) => Listener::activated(socket).map_err(io),
        None => Ok(Listener::bind(path)?),
    }
}

/// Opens the record, and reports progress where that takes a while.
fn open_store(
    options: &Options,
    host_name: &str,
    written: mpsc::UnboundedSender<Written>,
) -> Result<Store, StoreError> {
    let on_terminal = options.on_terminal;
    let progress = move |done, total| {
        if total >= PROGRESS_FROM {
            info!(done, total, "bringing the database up to the journal");
            if on_terminal {
                print(&format!("rebuilding the database: {done} of {total} facts"));
            }
        }
    };
    Store::open(&options.data_dir, host_name, written, progress)
}

/// Returns the zone that was recorded last, or UTC where none was.
fn recorded_zone(ledger: &Ledger) -> SystemZone {
    let recorded =
        ledger.last_zone().and_then(|zone| Some(SystemZone { name: zone.name, rules: zone.rules? }));
    recorded.unwrap_or_else(|| SystemZone { name: "UTC".to_owned(), rules: TimeZone::UTC })
}

/// Reads back what shapes the plan and what may still be open, and names what cannot be read of the plan.
async fn load_state(
    reader: &Reader,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<(Plan, Ledger, UnreadHistory), StoreError> {
    let mut ledger = reader.ledger(Query::Plan).await?;
    let mut unread = UnreadHistory::default();
    let plan = replay(&ledger, ledger.zone_history(zone), |record, definition| {
        let read = config::read_definition(record.fact.item()?, definition);
        unread.add(record, read.unread);
        Some(read.item)
    });
    for record in ledger.plan_records() {
        if let Fact::Zone { zone: NamedZone { name, rules: None }, .. } = &record.fact {
            unread.add_zone(record, name);
        }
    }
    unread.log();
    ledger.extend(load_recent(reader, &plan, now).await?);
    ledger.extend(queries::chain_facts(reader, &plan, None, (now, now)).await?);
    Ok((plan, ledger, unread))
}

/// Reads the facts about everything that can be open at an instant.
pub(super) async fn load_recent(
    reader: &Reader,
    plan: &Plan,
    now: Timestamp,
) -> Result<Vec<Arc<Record>>, StoreError> {
    let grace = plan.items().map(|item| plan.longest_grace(item)).max();
    let back = grace.unwrap_or_default() + SignedDuration::from_hours(72);
    let from = now.checked_sub(back).unwrap_or(Timestamp::MIN);
    // What was skipped or postponed ahead of its time.
    let until = now.checked_add(FAR_AHEAD + SignedDuration::from_hours(72)).unwrap_or(Timestamp::MAX);
    reader.facts_for(from, until, None).await
}
