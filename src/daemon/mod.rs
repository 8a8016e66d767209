//! The daemon: one task that owns everything that changes.
//!
//! It waits for the next `Event`, lets the pure core decide, and executes the actions through the
//! adapters. Questions are answered from the database by tasks of their own, so that none holds up a reminder.

mod calls;
mod channel_events;
mod display;
mod event;
pub mod failed_start;
mod peers;
mod queries;
mod record;
mod recounts;
mod reply;
mod requests;
mod schedule_file;
mod service_manager;
mod start;
mod status;
mod surroundings;
mod terminal;
mod unread;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
use tracing::{debug, info, warn};

pub use start::Options;

use crate::adapters::agenda::{Agenda, AgendaEntry, AgendaError, Wake};
use crate::adapters::channels::{self, Command};
use crate::adapters::clock::{Clock, LOCALTIME, SystemZone, system_zone};
use crate::adapters::config::ConfigError;
use crate::adapters::desktop;
use crate::adapters::http::{self, Api};
use crate::adapters::presence;
use crate::adapters::store::{Draft, JournalLine, StoreError, Written};
use crate::core::reminder::{Action, Input, Notice, Reminder, Token};
use crate::protocol::{self, RawFact};
use channel_events::DesktopTests;
use event::{Event, Sources};
use peers::Folding;
use record::RecordHandle;
use recounts::Recounts;
use requests::PendingRequests;
use schedule_file::ScheduleFile;
use service_manager::notify;
use status::DaemonStatus;

/// The most requests that wait for the daemon's task; more wait at the socket.
const MAX_WAITING_CALLS: usize = 256;

/// How long the notification server has at the end to take down what it shows.
const WITHDRAWAL_LIMIT: Duration = Duration::from_secs(1);

/// The most events that a slow reader can lag behind before it misses some.
const EVENT_BACKLOG: usize = 1024;

/// The most events of channels that wait for the daemon's task: strangers who write to a topic cannot fill the memory.
const CHANNEL_BACKLOG: usize = 64;

/// Why the daemon cannot start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The schedule cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The record cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The socket cannot be listened on.
    #[error(transparent)]
    Socket(#[from] http::SocketError),
    /// The agenda cannot be started.
    #[error(transparent)]
    Agenda(#[from] AgendaError),
    /// The system refused something.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: String,
        /// The error of the system.
        source: std::io::Error,
    },
}

/// Everything that changes.
struct Daemon {
    clock: Arc<dyn Clock>,
    options: Options,
    reminder: Reminder,
    agenda: Agenda,
    record: RecordHandle,
    journal_dir: PathBuf,
    peers: Folding,
    desktop: mpsc::UnboundedSender<desktop::Command>,
    desktop_task: Option<JoinHandle<()>>,
    channels: mpsc::UnboundedSender<Command>,
    /// The secret of replies from phones, where a channel can carry them.
    reply_key: Option<channels::Key>,
    desktop_tests: DesktopTests,
    schedule_file: ScheduleFile,
    recounts: Recounts,
    requests: PendingRequests,
    events: broadcast::Sender<Arc<protocol::Event<RawFact>>>,
    /// Where tasks beside this one send what they found.
    background: mpsc::UnboundedSender<Event>,
    status: DaemonStatus,
    wrote_schedule: bool,
}

/// Runs the daemon until a signal ends it.
///
/// # Errors
///
/// It cannot start: the schedule, the record or the socket is not available.
pub async fn run(options: Options, clock: Arc<dyn Clock>) -> Result<(), DaemonError> {
    let is_service = !options.on_terminal;
    let place = options.socket.clone();
    let (mut daemon, mut sources, mut listener) = match Daemon::start(options, clock).await {
        Ok(started) => started,
        Err(error) => {
            if is_service {
                failed_start::report(&place, &error).await;
            }
            return Err(error);
        }
    };
    failed_start::forget(&place);
    let api = Api::new(sources.calls_sender.clone(), daemon.events.clone(), daemon.options.is_demo);
    let socket = listener.socket.take();
    let server = socket.map(|socket| tokio::spawn(http::serve(socket, api)));
    daemon.print_banner();
    notify(&[sd_notify::NotifyState::Ready]);
    let mut watchdog = service_manager::watchdog();
    loop {
        let event = sources.next(&mut watchdog).await;
        if let Event::Terminate = event {
            break;
        }
        daemon.handle(event).await;
    }
    info!("dosed is shutting down");
    notify(&[sd_notify::NotifyState::Stopping]);
    if let Some(server) = server {
        server.abort();
    }
    drop(listener);
    daemon.end(sources).await;
    Ok(())
}

impl Daemon {
    async fn handle(&mut self, event: Event) {
        let now = self.clock.now();
        match event {
            Event::Wake(Wake::Due(entry)) => {
                debug!(?entry, "due");
                self.input(now, Input::Tick);
            }
            Event::Wake(Wake::ClockChanged) => {
                info!("the clock was set or the machine slept: checking everything");
                self.on_clock_change(now).await;
            }
            Event::Written(Written::Durable(lines)) => self.on_durable(now, lines),
            Event::Written(Written::Failed(tokens, reason)) => {
                for token in tokens {
                    self.input(now, Input::NotRecorded(token, reason.clone()));
                }
            }
            Event::Presence(presence::Event::Sleeps) => info!("the machine suspends"),
            Event::Presence(presence::Event::Woke) => {
                info!("the machine resumed: checking everything");
                self.on_clock_change(now).await;
            }
            Event::Presence(presence::Event::Session(session)) => {
                self.status.session = Some(session);
                self.on_presence_change(now);
            }
            Event::Desktop(event) => self.on_desktop_event(now, event),
            Event::Channel(event) => self.on_channel_event(now, event),
            Event::Call(call) => self.on_call(now, call),
            Event::ContextLoaded { change, reply, records } => {
                self.on_context_loaded(now, change, reply, records);
            }
            Event::StockCounted { item, left, count } => {
                if self.recounts.finish(&item, count) {
                    self.reminder.set_stock(item, left);
                }
            }
            Event::FileChanged(path) if path == Path::new(LOCALTIME) => self.on_zone_change(now),
            Event::FileChanged(path) if path.starts_with(&self.journal_dir) => self.on_journal_change(&path),
            Event::FileChanged(_) => self.reload(),
            Event::ScheduleRead(read) => self.on_schedule_read(now, read),
            Event::PeersFolded { lines, records } => self.on_peers_folded(now, &lines, records),
            Event::Reload => {
                self.announced_reload();
                self.on_zone_change(now);
                self.fold_peers();
            }
            Event::Watchdog => notify(&[sd_notify::NotifyState::Watchdog]),
            Event::Terminate => {}
        }
    }

    /// Lets the core decide, and executes its actions.
    fn input(&mut self, now: Timestamp, input: Input) {
        let actions = self.reminder.handle(now, input);
        self.execute(now, actions, None);
    }

    /// Executes what the core decided; `line` is the fact that has just become durable.
    fn execute(&mut self, now: Timestamp, actions: Vec<Action>, line: Option<&JournalLine>) {
        let mut drafts = Vec::new();
        for action in actions {
            match action {
                Action::Record(token, fact) => {
                    let zone = self.reminder.plan().zones.zone_at(now).clone();
                    drafts.push(Draft { token, fact, recorded_at: now, zone });
                }
                Action::Reply(request, outcome) => self.reply(request, outcome, line),
                Action::Adopt(alert, place) => {
                    let _ = self.desktop.send(desktop::Command::Adopt(alert, place));
                }
                Action::Show(notice) => {
                    let _ = self.desktop.send(desktop::Command::Show(notice));
                }
                Action::Withdraw(alert) => {
                    let _ = self.desktop.send(desktop::Command::Withdraw(alert));
                }
                Action::Announce(notice) => self.announce(&notice),
                Action::Send(outgoing) => self.send(now, outgoing, Command::Send),
                Action::Rewrite(outgoing) => self.send(now, outgoing, Command::Rewrite),
                Action::OpenTerminal => terminal::open(&self.options.socket),
                Action::Cancel(alert) => self.to_channels(Command::Cancel(alert)),
                Action::Subscribe(channel, since) => self.to_channels(Command::Subscribe(channel, since)),
                Action::Unsubscribe(channel) => self.to_channels(Command::Unsubscribe(channel)),
                Action::Collect(channel, since) => self.to_channels(Command::Collect(channel, since)),
            }
        }
        self.record.write(drafts);
        self.set_agenda();
    }

    fn set_agenda(&mut self) {
        let changes = self.reminder.drain_changed_deadlines();
        let plan = self.reminder.plan();
        let (kept, gone): (Vec<_>, Vec<_>) = changes
            .into_iter()
            .partition(|(item, deadline)| deadline.is_some() || plan.current(item).is_some());
        let kept = kept.into_iter().map(|(item, deadline)| (AgendaEntry::Item(item), deadline));
        self.agenda.set(kept.chain([(AgendaEntry::Retry, self.reminder.retry_at())]));
        for (item, _) in gone {
            self.agenda.remove(&AgendaEntry::Item(item));
        }
    }

    fn on_durable(&mut self, now: Timestamp, lines: Vec<(Token, JournalLine)>) {
        for (token, line) in lines {
            // Nobody may be listening; so here and below.
            let fact = RawFact::new(line.text.clone());
            let _ = self.events.send(Arc::new(protocol::Event::Recorded { fact }));
            let actions = self.reminder.handle(now, Input::Recorded(token, line.record.clone()));
            self.execute(now, actions, Some(&line));
            self.recount(&line.record);
        }
        self.record.schedule_indexing();
    }

    fn on_desktop_event(&mut self, now: Timestamp, event: desktop::Event) {
        let Some(event) = self.take_schedule_event(event) else { return };
        match event {
            desktop::Event::Shown(alert, _) if self.desktop_tests.contains(alert) => {
                self.desktop_tests.end(alert, Ok(()));
            }
            desktop::Event::NotShown(alert, reason) if self.desktop_tests.contains(alert) => {
                self.desktop_tests.end(alert, Err(reason));
            }
            desktop::Event::Shown(alert, place) => self.input(now, Input::Shown(alert, place)),
            desktop::Event::NotShown(alert, reason) => self.input(now, Input::NotShown(alert, reason)),
            desktop::Event::Closed(alert, reason) => self.input(now, Input::Closed(alert, reason)),
            desktop::Event::Pressed(alert, button) => self.input(now, Input::Pressed(alert, button)),
            desktop::Event::ServerAppeared { server, again } => {
                info!(server = %server.name, version = %server.version, "a notification server is available");
                self.status.no_server = None;
                self.input(now, Input::Desktop(server.traits()));
                self.status.server = Some(server);
                self.on_presence_change(now);
                if again {
                    self.input(now, Input::ServerAppeared);
                }
                self.tell_schedule_error();
            }
            desktop::Event::ServerVanished { reason, on_demand } => {
                if self.status.no_server.is_none() {
                    warn!(%reason, "reminders cannot be shown on the desktop; dosed retries, and prints them here meanwhile");
                }
                self.status.server = None;
                self.status.no_server = Some(reason);
                self.status.starts_on_demand = on_demand;
                self.on_presence_change(now);
                if on_demand {
                    self.input(now, Input::ServerVanished);
                }
            }
            desktop::Event::Display(display) => {
                self.status.display = display;
                self.on_presence_change(now);
            }
        }
    }

    /// Prints on the terminal what could not be shown on the desktop.
    fn announce(&self, notice: &Notice) {
        warn!("a reminder could not be shown on the desktop: `dosed today` shows which");
        if self.options.on_terminal {
            let details = match notice.body.join(", ") {
                details if details.is_empty() => details,
                details => format!(" ({details})"),
            };
            start::print(&format!("reminder: {}{details}", notice.title));
        }
    }

    /// Checks everything: at another time, other facts may matter than those in memory.
    async fn on_clock_change(&mut self, now: Timestamp) {
        match start::load_recent(&self.record.reader, self.reminder.plan(), now).await {
            Ok(records) => self.reminder.add_facts(records),
            Err(error) => warn!(%error, "what was recorded around this time could not be read"),
        }
        self.on_zone_change(now);
        self.input(now, Input::ClockChanged);
    }

    /// Notices that the machine's clock shows another zone; where that cannot be read, the last one holds.
    fn on_zone_change(&mut self, now: Timestamp) {
        let SystemZone { name, rules } = match system_zone() {
            Ok(zone) => zone,
            Err(error) => {
                let error = error.to_string();
                if self.status.zone_error.as_ref() != Some(&error) {
                    warn!(%error, zone = %self.status.zone, "the zone of this machine cannot be read; the last recorded one holds");
                }
                self.status.zone_error = Some(error);
                return;
            }
        };
        self.status.zone_error = None;
        if name != self.status.zone {
            info!(zone = %name, before = %self.status.zone, "the time zone changed");
            self.status.zone.clone_from(&name);
        }
        self.input(now, Input::Zone(name, rules));
    }

    /// Tells the core whether the person is there to see a reminder.
    fn on_presence_change(&mut self, now: Timestamp) {
        let away = self.status.is_away();
        debug!(away, "whether the person is away");
        self.input(now, Input::Away(away));
    }

    fn status(&self, now: Timestamp) -> queries::status::Snapshot {
        queries::status::Snapshot {
            status: self.status.clone(),
            schedule: self.options.schedule.display().to_string(),
            items: self.reminder.plan().current_items().count(),
            plan_since: self.reminder.plan().changed_at(),
            data_dir: self.options.data_dir.display().to_string(),
            device: self.record.device.clone(),
            copied_from: self.record.copied_from.clone(),
            is_demo: self.options.is_demo,
            keeps_in_sight: self.reminder.desktop().keeps_in_sight,
            last: self.reminder.ledger().newest_answer(&self.record.device).cloned(),
            pauses: self.reminder.ledger().all_pauses_after(now),
            now,
        }
    }

    /// Shuts down: what is on the screen is taken down, as nobody would hear its buttons, what is pending is written, and the files
    /// are closed.
    async fn end(mut self, mut sources: Sources) {
        for alert in self.reminder.alerts() {
            let _ = self.desktop.send(desktop::Command::Withdraw(alert));
        }
        // The task ends with its commands.
        self.desktop = mpsc::unbounded_channel().0;
        if let Some(task) = self.desktop_task.take() {
            // A server that does not answer holds up no shutdown.
            let _ = tokio::time::timeout(WITHDRAWAL_LIMIT, task).await;
        }
        self.record.close().await;
        while let Some(Written::Durable(lines)) = sources.last_written() {
            let now = self.clock.now();
            self.on_durable(now, lines);
        }
        self.agenda.shut_down().await;
    }
}
