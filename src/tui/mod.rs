//! The terminal view: the day, answered with one key.
//!
//! One loop waits for a key, the daemon, or the next time on the screen. Requests to the daemon run in tasks of
//! their own, so that keys always respond. Nothing is decided here: `state` says what a key does, `view` draws.

mod state;
mod view;

use std::future::pending;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use crossterm::event::{Event as Input, EventStream, KeyEventKind};
use futures_util::StreamExt;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use ratatui::DefaultTerminal;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::adapters::clock::{Clock, SystemClock, system_zone};
use crate::client::{self, Client, ClientError, Response};
use crate::present;
use crate::protocol::{
    AdherenceQuery, Occurrence, OccurrencesQuery, Recorded, RetractBody, SkipBody, SnoozeBody, TakeBody,
};
use state::{Effect, Item, Loaded, Outcome, State, View, items};

/// The first and the longest pause between two attempts to connect to a daemon that is away.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How many occurrences the coming weeks show.
const COMING: u16 = 60;

/// Why the screen ended early.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal cannot be drawn on, or tells no keys.
    #[error("cannot use the terminal")]
    Terminal(#[from] std::io::Error),
}

/// Everything that can happen.
enum Event {
    /// A key was pressed, or the window has another size.
    Input(Input),
    /// The daemon is there, and tells what happens from now on.
    Connected,
    /// Something happened.
    Happened,
    /// The daemon is away.
    Gone,
    /// What was asked for came, or did not.
    Loaded { asked_at: Timestamp, loaded: Result<Loaded, ClientError> },
    /// An answer was recorded, or was not.
    Answered(Outcome),
    /// A time on the screen has come.
    DisplayDue,
    /// End.
    End,
}

/// Shows the day until a key ends it.
///
/// # Errors
///
/// The terminal goes away.
pub async fn run(client: &Client) -> Result<(), TuiError> {
    // It would be written over the screen.
    client::suppress_demo_notice();
    let mut terminal = Screen::open()?;
    let (sender, inbox) = mpsc::unbounded_channel();
    let sources = Sources {
        keys: EventStream::new(),
        terminate: signal(SignalKind::terminate())?,
        hangup: signal(SignalKind::hangup())?,
        inbox,
    };
    tokio::spawn(follow(client.clone(), sender.clone()));
    let app = App { client: client.clone(), sender, state: State::new(), is_loading: false, is_stale: false };
    app.run(&mut terminal.0, sources).await
}

/// The terminal, drawn on; it is put back when this is dropped.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> std::io::Result<Self> {
        ratatui::try_init().map(Self).inspect_err(|_| put_back())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        put_back();
    }
}

fn put_back() {
    // Where this fails there is no terminal left to say so on.
    let _ = ratatui::try_restore();
}

/// Where events come from.
struct Sources {
    keys: EventStream,
    terminate: Signal,
    hangup: Signal,
    inbox: mpsc::UnboundedReceiver<Event>,
}

impl Sources {
    /// Waits for the next event, at most for `display_due`.
    async fn next(&mut self, display_due: Option<Duration>) -> std::io::Result<Event> {
        let display_due = async {
            match display_due {
                Some(display_due) => tokio::time::sleep(display_due).await,
                None => pending().await,
            }
        };
        Ok(tokio::select! {
            biased;
            _ = self.terminate.recv() => Event::End,
            _ = self.hangup.recv() => Event::End,
            key = self.keys.next() => key.transpose()?.map_or(Event::End, Event::Input),
            Some(event) = self.inbox.recv() => event,
            () = display_due => Event::DisplayDue,
        })
    }
}

/// What is shown, and what is on its way.
struct App {
    client: Client,
    sender: mpsc::UnboundedSender<Event>,
    state: State,
    is_loading: bool,
    /// Something happened since what is being loaded was asked for.
    is_stale: bool,
}

impl App {
    async fn run(mut self, terminal: &mut DefaultTerminal, mut sources: Sources) -> Result<(), TuiError> {
        loop {
            let now = now();
            terminal.draw(|frame| view::draw(frame, &self.state, &now))?;
            let display_due =
                self.state.changes_at(&now).filter(|_| self.state.is_connected && !self.is_loading);
            // Compared by the clock each time: a timer stands still while the machine sleeps.
            let display_due =
                display_due.map(|at| at.duration_since(now.timestamp()).try_into().unwrap_or_default());
            let event = if display_due == Some(Duration::ZERO) {
                Event::DisplayDue
            } else {
                sources.next(display_due).await?
            };
            if self.handle(event) == Some(Effect::Quit) {
                return Ok(());
            }
        }
    }

    /// Does what an event asks for; the end is left to the caller.
    fn handle(&mut self, event: Event) -> Option<Effect> {
        match event {
            Event::End => return Some(Effect::Quit),
            // A terminal may tell when a key is let go, too.
            Event::Input(Input::Key(key)) if key.kind != KeyEventKind::Release => {
                let effect = self.state.press(key)?;
                return self.start(effect);
            }
            // The window has another size: the loop draws again.
            Event::Input(_) => {}
            Event::Connected => {
                self.state.on_connected();
                self.load();
            }
            Event::Happened | Event::DisplayDue => self.load(),
            Event::Gone => self.state.is_connected = false,
            Event::Answered(outcome) => self.state.on_outcome(outcome),
            Event::Loaded { asked_at, loaded } => {
                self.is_loading = false;
                match loaded {
                    Ok(loaded) => self.state.show(loaded, asked_at),
                    Err(error) => self.state.on_load_error(error.to_string(), asked_at),
                }
                if std::mem::take(&mut self.is_stale) {
                    self.load();
                }
            }
        }
        None
    }

    /// Starts what a key asked for.
    fn start(&mut self, effect: Effect) -> Option<Effect> {
        let client = self.client.clone();
        match effect {
            Effect::Quit => return Some(Effect::Quit),
            Effect::Load(_) => self.load(),
            Effect::Take { occurrence, confirm } => self.answer(async move {
                let body = TakeBody { confirm: confirm.then_some(true), ..TakeBody::default() };
                outcome_of(client.take(&occurrence, &body).await, occurrence)
            }),
            Effect::Skip(occurrence) => self.answer(async move {
                outcome_of(client.skip(&occurrence, &SkipBody::default()).await, occurrence)
            }),
            Effect::Snooze(occurrence) => self.answer(async move {
                outcome_of(client.snooze(&occurrence, &SnoozeBody::default()).await, occurrence)
            }),
            Effect::Undo => self.answer(async move { undo(&client).await }),
        }
        None
    }

    /// Records an answer in the background; what comes of it is an event.
    fn answer(&self, outcome: impl Future<Output = Outcome> + Send + 'static) {
        let sender = self.sender.clone();
        tokio::spawn(async move { sender.send(Event::Answered(outcome.await)) });
    }

    /// Loads what is looked at, once for everything that happens until it has come.
    fn load(&mut self) {
        if self.is_loading {
            self.is_stale = true;
            return;
        }
        if !self.state.is_connected {
            return;
        }
        self.is_loading = true;
        let (client, sender) = (self.client.clone(), self.sender.clone());
        let (view, item, now) = (self.state.view, self.state.item.clone(), now());
        tokio::spawn(async move {
            let loaded = load(&client, view, item, &now).await;
            sender.send(Event::Loaded { asked_at: now.timestamp(), loaded })
        });
    }
}

fn now() -> Zoned {
    // Where the zone cannot be read, the daemon's status says so.
    SystemClock.now().to_zoned(system_zone().map_or(TimeZone::UTC, |zone| zone.rules))
}

/// Listens to the daemon for ever; while it is away, tries to connect less and less often.
async fn follow(client: Client, sender: mpsc::UnboundedSender<Event>) {
    let pauses = ExponentialBuilder::new()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times();
    let mut pause = pauses.build();
    loop {
        if let Ok(mut events) = client.events().await {
            pause = pauses.build();
            let mut event = Event::Connected;
            while sender.send(event).is_ok() && matches!(events.next().await, Ok(Some(_))) {
                event = Event::Happened;
            }
        }
        if sender.send(Event::Gone).is_err() {
            return;
        }
        tokio::time::sleep(pause.next().unwrap_or(LONGEST_PAUSE)).await;
    }
}

/// Asks for what a view shows.
async fn load(client: &Client, view: View, item: Option<Item>, now: &Zoned) -> Result<Loaded, ClientError> {
    let day = client.occurrences(&OccurrencesQuery::default()).await?;
    let mut loaded = Loaded { is_demo: day.is_demo, rows: day.value, ..Loaded::default() };
    if view == View::Today {
        return Ok(loaded);
    }
    let coming = client.next(COMING).await?.value;
    let coming: Vec<Occurrence> = coming.into_iter().map(|row| row.occurrence).collect();
    if view == View::Calendar {
        let known = items(&loaded.rows, &coming);
        // One that left the schedule leaves the calendar, too.
        let item = item.filter(|item| known.contains(item)).or_else(|| known.into_iter().next());
        if let Some(item) = item {
            let since = Some(State::since(now).to_string());
            let query = AdherenceQuery { item: Some(item.id.clone()), since, ..AdherenceQuery::default() };
            let rows = client.adherence(&query).await?.value;
            loaded.days = Some((item, rows.into_iter().next().and_then(|row| row.days).unwrap_or_default()));
        }
    }
    loaded.coming = Some(coming);
    Ok(loaded)
}

/// Returns what came of an answer to an occurrence.
fn outcome_of(recorded: Result<Response<Recorded>, ClientError>, occurrence: String) -> Outcome {
    match recorded {
        Ok(response) => recorded_outcome(&response),
        Err(ClientError::Refused(problem)) if problem.is_too_soon() => {
            Outcome::TooSoon { occurrence, detail: problem.detail }
        }
        Err(error) => Outcome::Refused { detail: error.to_string() },
    }
}

fn recorded_outcome(response: &Response<Recorded>) -> Outcome {
    let repeat = if response.is_repeat { " (already recorded)" } else { "" };
    let text = format!("{}{repeat}", present::describe(&response.value.fact));
    Outcome::Recorded { text, warnings: response.value.warnings.clone() }
}

/// Undoes the last answer.
async fn undo(client: &Client) -> Outcome {
    match client.undo(&RetractBody::default()).await {
        Ok(undone) => Outcome::Undone { text: present::subject(&undone.value.fact) },
        Err(error) => Outcome::Refused { detail: error.to_string() },
    }
}
