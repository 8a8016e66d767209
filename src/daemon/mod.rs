//! The daemon: one task that owns everything that changes.
//!
//! It waits for the next `Event`, lets the pure core decide, and carries the decisions out through
//! the adapters. Questions are answered from the database beside it, so that none holds up a reminder.

mod adherence;
mod calls;
mod channels;
mod event;
mod forms;
mod insight;
mod memory;
mod months;
mod query;
mod reply;
mod start;
mod status;
mod stock;
mod why;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, oneshot};
use tracing::{debug, info, warn};

pub use start::Options;

use crate::agenda::{Agenda, AgendaError, Entry, Wake};
use crate::api::{self, Api, Reply};
use crate::channel;
use crate::clock::{Clock, LOCALTIME, system_zone};
use crate::config::{self, ConfigError};
use crate::desktop;
use crate::presence;
use crate::reminder::{Action, AlertId, Input, Notice, Reminder, RequestId, Token};
use crate::schedule::ItemId;
use crate::store::{Draft, Line, Store, StoreError, Written};
use crate::terminal::Terminal;
use event::{Event, Sources};

/// The most requests that wait for the daemon's task; more wait at the socket.
const MAX_WAITING_CALLS: usize = 256;

/// How long the end may take.
const END_TIMEOUT: Duration = Duration::from_millis(800);

/// How long after a fact the database takes it in, with all that has come since.
const TAKE_IN_AFTER: Duration = Duration::from_millis(100);

/// Events that a slow listener can lag behind before it misses some.
const EVENT_BACKLOG: usize = 1024;

/// What channels can tell before they have to wait: whoever writes to a topic is not to fill the memory.
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
    Socket(#[from] api::SocketError),
    /// The agenda cannot be started.
    #[error(transparent)]
    Agenda(#[from] AgendaError),
    /// The system refused something.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What the daemon says of itself, for `status`.
#[derive(Clone, Debug, Default)]
struct Condition {
    schedule_error: Option<String>,
    server: Option<desktop::Server>,
    no_server: Option<String>,
    zone: String,
    started_at: Timestamp,
    /// What logind says; not known in the first moments.
    session: Option<presence::Session>,
    do_not_disturb: bool,
    channels: channels::State,
}

impl Condition {
    /// Tells whether the person would not see what is shown now, or that is not known yet: logind and the
    /// notification server are heard within moments, or it is known that they will not be.
    fn is_away(&self) -> bool {
        let is_here = self.session.is_some_and(|session| !session.locked && !session.idle);
        let is_desktop_known = self.server.is_some() || self.no_server.is_some();
        !is_here || !is_desktop_known || self.do_not_disturb
    }
}

/// Everything that changes.
struct Daemon {
    clock: Arc<dyn Clock>,
    options: Options,
    reminder: Reminder,
    agenda: Agenda,
    store: Option<Store>,
    device: String,
    reader: crate::store::Reader,
    memory: Arc<memory::Memory>,
    desktop: mpsc::UnboundedSender<desktop::Command>,
    channels: mpsc::UnboundedSender<channel::Command>,
    /// The secret of answers from afar, where a channel can carry them.
    key: Option<channel::Key>,
    /// Notifications that only try the desktop, and who waits for what comes of them.
    tests: HashMap<AlertId, oneshot::Sender<Result<(), String>>>,
    last_test: u64,
    terminal: Option<Terminal>,
    /// How many counts of stocks were begun, and which of them the last known one of each item was.
    counts: u64,
    counted: HashMap<ItemId, u64>,
    events: broadcast::Sender<Arc<str>>,
    learned: mpsc::UnboundedSender<Event>,
    waiting: HashMap<RequestId, oneshot::Sender<Reply>>,
    last_request: u64,
    condition: Condition,
    wrote_schedule: bool,
    /// The wait until the database takes in what is durable.
    taking_in: Option<tokio::task::JoinHandle<()>>,
}

/// Runs the daemon until it is told to end.
///
/// # Errors
///
/// It cannot start: the schedule, the record or the socket is not to be had.
pub async fn run(options: Options, clock: Arc<dyn Clock>) -> Result<(), DaemonError> {
    let (mut daemon, mut sources, mut listener) = Daemon::start(options, clock).await?;
    let api = Api {
        calls: sources.calls_sender.clone(),
        events: daemon.events.clone(),
        made_up: daemon.options.is_demo,
    };
    let socket = listener.socket.take();
    let server = socket.map(|socket| tokio::spawn(api::serve(socket, api)));
    daemon.report();
    notify(&[sd_notify::NotifyState::Ready]);
    let mut watchdog = watchdog();
    loop {
        let event = sources.next(&mut watchdog).await;
        if let Event::Terminate = event {
            break;
        }
        daemon.handle(event).await;
    }
    info!("dosed ends");
    notify(&[sd_notify::NotifyState::Stopping]);
    if let Some(server) = server {
        server.abort();
    }
    drop(listener);
    daemon.end(sources).await;
    Ok(())
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "the service manager could not be told");
    }
}

/// Returns the rhythm in which the service manager wants to hear of us, if it does.
fn watchdog() -> Option<tokio::time::Interval> {
    let half = sd_notify::watchdog_enabled()? / 2;
    let mut interval = tokio::time::interval(half.max(Duration::from_millis(100)));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    Some(interval)
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
                info!("the clock was set or the machine slept: looking at everything");
                self.look_at_clock(now).await;
            }
            Event::Written(Written::Durable(lines)) => self.take_durable(now, lines),
            Event::Written(Written::Failed(tokens, reason)) => {
                for token in tokens {
                    self.input(now, Input::NotRecorded(token, reason.clone()));
                }
            }
            Event::Presence(presence::Event::Sleeps) => info!("the machine goes to sleep"),
            Event::Presence(presence::Event::Woke) => {
                info!("the machine has woken: looking at everything");
                self.look_at_clock(now).await;
            }
            Event::Presence(presence::Event::Session(session)) => {
                self.condition.session = Some(session);
                self.look_at_person(now);
            }
            Event::Desktop(event) => self.take_desktop(now, event),
            Event::Channel(event) => self.take_channel(now, event),
            Event::Call(call) => {
                self.take_call(now, call);
            }
            Event::Learned { request, reply, context } => {
                self.take_learned(now, request, reply, context);
            }
            Event::Counted { item, left, count } => {
                // An older count may come later.
                let known = self.counted.entry(item.clone()).or_default();
                if *known < count {
                    *known = count;
                    self.reminder.know_stock(item, left);
                }
            }
            Event::FileChanged(path) if path == Path::new(LOCALTIME) => self.look_at_zone(now),
            Event::FileChanged(_) => self.reload(now),
            Event::Reload => {
                notify(&[sd_notify::NotifyState::Reloading, monotonic_now()]);
                self.look_at_zone(now);
                self.reload(now);
                notify(&[sd_notify::NotifyState::Ready]);
            }
            Event::Watchdog => notify(&[sd_notify::NotifyState::Watchdog]),
            Event::Terminate => {}
        }
    }

    /// Lets the core decide, and carries it out.
    fn input(&mut self, now: Timestamp, input: Input) {
        let actions = self.reminder.handle(now, input);
        self.carry_out(now, actions, None);
    }

    /// Carries out what the core decided; `line` is the fact that has just become durable.
    fn carry_out(&mut self, now: Timestamp, actions: Vec<Action>, line: Option<&Line>) {
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
                Action::Send(channel, notice) => self.send(now, channel, notice),
                Action::Open => self.open_terminal(),
                Action::Recall(alert) => {
                    let _ = self.channels.send(channel::Command::Recall(alert));
                }
                Action::Await(alert, channel, since) => {
                    let _ = self.channels.send(channel::Command::Await(alert, channel, since));
                }
            }
        }
        if let (false, Some(store)) = (drafts.is_empty(), &self.store) {
            store.record(drafts);
        }
        self.set_agenda();
    }

    fn set_agenda(&mut self) {
        let changes = self.reminder.take_changed_deadlines();
        let plan = self.reminder.plan();
        let (kept, gone): (Vec<_>, Vec<_>) = changes
            .into_iter()
            .partition(|(item, deadline)| deadline.is_some() || plan.current(item).is_some());
        let kept = kept.into_iter().map(|(item, deadline)| (Entry::Item(item), deadline));
        self.agenda.set(kept.chain([(Entry::Retry, self.reminder.retry_at())]));
        for (item, _) in gone {
            self.agenda.remove(&Entry::Item(item));
        }
    }

    fn take_durable(&mut self, now: Timestamp, lines: Vec<(Token, Line)>) {
        for (token, line) in lines {
            self.memory.forget(&line.record);
            let event = format!("{{\"event\":\"recorded\",\"fact\":{}}}", line.text);
            // Nobody may be listening.
            let _ = self.events.send(event.into());
            let actions = self.reminder.handle(now, Input::Recorded(token, line.record.clone()));
            self.carry_out(now, actions, Some(&line));
            self.recount(&line.record);
        }
        self.let_database_take_in();
    }

    /// Lets the database take in what is durable a little later: at once, it would take the processor from who is
    /// answered. A question does not wait for that.
    fn let_database_take_in(&mut self) {
        if self.taking_in.as_ref().is_none_or(tokio::task::JoinHandle::is_finished) {
            let reader = self.reader.clone();
            self.taking_in = Some(tokio::spawn(async move {
                tokio::time::sleep(TAKE_IN_AFTER).await;
                reader.take_in();
            }));
        }
    }

    fn take_desktop(&mut self, now: Timestamp, event: desktop::Event) {
        match event {
            desktop::Event::Shown(alert, _) if self.tests.contains_key(&alert) => {
                self.end_test(alert, Ok(()));
            }
            desktop::Event::NotShown(alert, reason) if self.tests.contains_key(&alert) => {
                self.end_test(alert, Err(reason));
            }
            desktop::Event::Shown(alert, place) => self.input(now, Input::Shown(alert, place)),
            desktop::Event::NotShown(alert, reason) => self.input(now, Input::NotShown(alert, reason)),
            desktop::Event::Closed(alert, reason) => self.input(now, Input::Closed(alert, reason)),
            desktop::Event::Pressed(alert, button) => self.input(now, Input::Pressed(alert, button)),
            desktop::Event::ServerAppeared { server, again } => {
                info!(server = %server.name, version = %server.version, "a notification server is there");
                self.condition.no_server = None;
                self.condition.server = Some(server);
                self.look_at_person(now);
                if again {
                    self.input(now, Input::ServerAppeared);
                }
            }
            desktop::Event::ServerVanished(reason) => {
                if self.condition.no_server.is_none() {
                    warn!(%reason, "reminders cannot be shown on the desktop; they are tried again and printed here meanwhile");
                }
                self.condition.server = None;
                self.condition.no_server = Some(reason);
                self.look_at_person(now);
            }
            desktop::Event::Inhibited(inhibited) => {
                self.condition.do_not_disturb = inhibited;
                self.look_at_person(now);
            }
        }
    }

    /// Opens a terminal in which the person answers one by one.
    fn open_terminal(&self) {
        let (Some(terminal), Ok(dosed)) = (&self.terminal, std::env::current_exe()) else { return };
        // No names: what a process was called with can be read by others.
        let socket = self.options.socket.clone().into_os_string();
        terminal.open([dosed.into_os_string(), "--socket".into(), socket, "answer".into()]);
    }

    fn end_test(&mut self, alert: AlertId, outcome: Result<(), String>) {
        if let Some(waiting) = self.tests.remove(&alert) {
            // Whoever asked may have gone.
            let _ = waiting.send(outcome);
        }
    }

    /// Tells the person on the terminal what could not be shown on the desktop.
    fn announce(&self, notice: &Notice) {
        warn!("a reminder could not be shown on the desktop: `dosed today` tells which");
        if self.options.on_terminal {
            start::print(&format!("reminder: {} ({})", notice.title, notice.body.join(", ")));
        }
    }

    /// Reads the schedule again; one with errors leaves the running one as it is.
    fn reload(&mut self, now: Timestamp) {
        match config::load(&self.options.schedule) {
            Ok(schedule) => {
                self.condition.schedule_error = None;
                info!(items = schedule.items.len(), "the schedule was read");
                let _ = self
                    .events
                    .send(format!("{{\"event\":\"schedule\",\"items\":{}}}", schedule.items.len()).into());
                self.use_channels(&schedule.settings.channels);
                self.input(now, Input::Schedule(schedule));
            }
            Err(error) => {
                warn!(%error, "the schedule was changed and cannot be used; the one before goes on. `dosed check` tells more");
                if let (true, ConfigError::Invalid { path, source_text, problems }) =
                    (self.options.on_terminal, &error)
                {
                    start::print(&config::render(&path.display().to_string(), source_text, problems, false));
                }
                self.condition.schedule_error = Some(error.to_string());
            }
        }
    }

    /// Looks at everything anew: at another time, other facts may matter than those in memory.
    async fn look_at_clock(&mut self, now: Timestamp) {
        match start::recent(&self.reader, self.reminder.plan(), now).await {
            Ok(records) => self.reminder.know(records),
            Err(error) => warn!(%error, "what was recorded around this time could not be read"),
        }
        self.look_at_zone(now);
        self.input(now, Input::ClockChanged);
    }

    /// Notices that the machine's clock shows another zone.
    fn look_at_zone(&mut self, now: Timestamp) {
        let (name, zone) = system_zone();
        if name != self.condition.zone {
            info!(zone = %name, before = %self.condition.zone, "the clock shows another zone");
            self.condition.zone.clone_from(&name);
        }
        self.input(now, Input::Zone(name, zone));
    }

    /// Tells the core whether the person is there to see a reminder.
    fn look_at_person(&mut self, now: Timestamp) {
        let away = self.condition.is_away();
        debug!(away, "whether the person is away");
        self.input(now, Input::Away(away));
    }

    fn status(&self, now: Timestamp) -> status::Status {
        status::Status {
            condition: self.condition.clone(),
            schedule: self.options.schedule.display().to_string(),
            items: self.reminder.plan().current_items().count(),
            data_dir: self.options.data_dir.display().to_string(),
            device: self.device.clone(),
            made_up: self.options.is_demo,
            last: self.reminder.ledger().newest_answer().cloned(),
            now,
        }
    }

    /// Ends cleanly: what waits is written down, and the files are closed.
    async fn end(mut self, mut sources: Sources) {
        if let Some(store) = self.store.take() {
            // The journal's thread finishes its last group; there is nothing that it waits for.
            let closed = tokio::task::spawn_blocking(move || store.close());
            let _ = tokio::time::timeout(END_TIMEOUT, closed).await;
        }
        while let Some(Written::Durable(lines)) = sources.last_written() {
            let now = self.clock.now();
            self.take_durable(now, lines);
        }
        self.agenda.shut_down().await;
    }
}

fn monotonic_now() -> sd_notify::NotifyState<'static> {
    sd_notify::NotifyState::monotonic_usec_now().unwrap_or(sd_notify::NotifyState::Status("reloading"))
}
