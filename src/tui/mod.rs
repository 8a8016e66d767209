//! The screen: the day in a terminal, answered with one key.
//!
//! One loop waits for a key, the daemon, or the next time on the screen. What is asked of the daemon runs beside
//! it, so that a key is always heard. Nothing is decided here: `state` says what a key does, `view` draws.

mod state;
mod view;

use std::future::pending;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossterm::event::{Event as Input, EventStream, KeyEventKind};
use futures_util::StreamExt;
use jiff::{Timestamp, Zoned};
use ratatui::DefaultTerminal;
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::client::{self, Answer, ClientError, Events};
use crate::clock::{Clock, SystemClock, system_zone};
use crate::render;
use state::{Effect, Item, Loaded, Said, State, View, items};

/// How long a daemon that is away is left alone at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How many occurrences the coming weeks show.
const COMING: usize = 60;

/// Why the screen ended early.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal cannot be drawn on, or tells no keys.
    #[error("cannot talk to the terminal")]
    Terminal(#[from] std::io::Error),
}

/// Why something was not told or done.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the answer of dosed cannot be read")]
    Unreadable(#[from] serde_json::Error),
    #[error("{detail}")]
    Refused { detail: String },
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
    Loaded { asked_at: Timestamp, loaded: Result<Loaded, Failure> },
    /// An answer was recorded, or was not.
    Said(Said),
    /// A time on the screen has come.
    Moment,
    /// End.
    End,
}

/// Shows the day until a key ends it.
///
/// # Errors
///
/// The terminal goes away.
pub async fn run(socket: &Path) -> Result<(), TuiError> {
    // It would be written over the screen.
    client::say_nothing();
    let mut terminal = Screen::open()?;
    let (sender, inbox) = mpsc::unbounded_channel();
    let sources = Sources {
        keys: EventStream::new(),
        terminate: signal(SignalKind::terminate())?,
        hangup: signal(SignalKind::hangup())?,
        inbox,
    };
    tokio::spawn(follow(socket.to_owned(), sender.clone()));
    let desk =
        Desk { socket: socket.to_owned(), sender, state: State::new(), is_loading: false, is_stale: false };
    desk.live(&mut terminal.0, sources).await
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
    /// Waits for the next event, at most for `moment`.
    async fn next(&mut self, moment: Option<Duration>) -> std::io::Result<Event> {
        let moment = async {
            match moment {
                Some(moment) => tokio::time::sleep(moment).await,
                None => pending().await,
            }
        };
        Ok(tokio::select! {
            biased;
            _ = self.terminate.recv() => Event::End,
            _ = self.hangup.recv() => Event::End,
            key = self.keys.next() => key.transpose()?.map_or(Event::End, Event::Input),
            Some(event) = self.inbox.recv() => event,
            () = moment => Event::Moment,
        })
    }
}

/// What is shown, and what is on its way.
struct Desk {
    socket: PathBuf,
    sender: mpsc::UnboundedSender<Event>,
    state: State,
    is_loading: bool,
    /// Something happened since what is being loaded was asked for.
    is_stale: bool,
}

impl Desk {
    async fn live(mut self, terminal: &mut DefaultTerminal, mut sources: Sources) -> Result<(), TuiError> {
        loop {
            let now = now();
            terminal.draw(|frame| view::draw(frame, &self.state, &now))?;
            let moment = self.state.changes_at(&now).filter(|_| self.state.is_there && !self.is_loading);
            // Compared by the clock each time: a timer stands still while the machine sleeps.
            let moment = moment.map(|at| at.duration_since(now.timestamp()).try_into().unwrap_or_default());
            let event =
                if moment == Some(Duration::ZERO) { Event::Moment } else { sources.next(moment).await? };
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
                return self.begin(effect);
            }
            // Whatever the window's size is now: it is drawn anew.
            Event::Input(_) => {}
            Event::Connected => {
                self.state.come_back();
                self.load();
            }
            Event::Happened | Event::Moment => self.load(),
            Event::Gone => self.state.is_there = false,
            Event::Said(said) => self.state.hear(said),
            Event::Loaded { asked_at, loaded } => {
                self.is_loading = false;
                match loaded {
                    Ok(loaded) => self.state.show(loaded, asked_at),
                    Err(error) => self.state.miss(error.to_string(), asked_at),
                }
                if std::mem::take(&mut self.is_stale) {
                    self.load();
                }
            }
        }
        None
    }

    /// Begins what a key asked for.
    fn begin(&mut self, effect: Effect) -> Option<Effect> {
        let (verb, occurrence, body) = match effect {
            Effect::Quit => return Some(Effect::Quit),
            Effect::Load(_) => {
                self.load();
                return None;
            }
            Effect::Undo => {
                let (socket, sender) = (self.socket.clone(), self.sender.clone());
                tokio::spawn(
                    async move { sender.send(Event::Said(undo(&socket).await.unwrap_or_else(refused))) },
                );
                return None;
            }
            Effect::Take { occurrence, confirm: true } => ("take", occurrence, json!({ "confirm": true })),
            Effect::Take { occurrence, confirm: false } => ("take", occurrence, json!({})),
            Effect::Skip(occurrence) => ("skip", occurrence, json!({})),
            Effect::Snooze(occurrence) => ("snooze", occurrence, json!({})),
        };
        let (socket, sender) = (self.socket.clone(), self.sender.clone());
        tokio::spawn(async move {
            let said = answer(&socket, verb, occurrence, body).await.unwrap_or_else(refused);
            sender.send(Event::Said(said))
        });
        None
    }

    /// Loads what is looked at, once for everything that happens until it has come.
    fn load(&mut self) {
        if self.is_loading {
            self.is_stale = true;
            return;
        }
        if !self.state.is_there {
            return;
        }
        self.is_loading = true;
        let (socket, sender) = (self.socket.clone(), self.sender.clone());
        let (view, item, now) = (self.state.view, self.state.item.clone(), now());
        tokio::spawn(async move {
            let loaded = load(&socket, view, item, &now).await;
            sender.send(Event::Loaded { asked_at: now.timestamp(), loaded })
        });
    }
}

fn now() -> Zoned {
    SystemClock.now().to_zoned(system_zone().1)
}

fn refused(failure: Failure) -> Said {
    Said::Refused { detail: failure.to_string() }
}

/// Listens to the daemon for ever; one that is away is looked for again, ever less often.
async fn follow(socket: PathBuf, sender: mpsc::UnboundedSender<Event>) {
    let mut pause = FIRST_PAUSE;
    loop {
        if let Ok(mut events) = Events::open(&socket).await {
            pause = FIRST_PAUSE;
            let mut event = Event::Connected;
            while sender.send(event).is_ok() && matches!(events.next().await, Ok(Some(_))) {
                event = Event::Happened;
            }
        }
        if sender.send(Event::Gone).is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Asks for what a view shows.
async fn load(socket: &Path, view: View, item: Option<Item>, now: &Zoned) -> Result<Loaded, Failure> {
    let (rows, made_up) = get(socket, "/v1/occurrences").await?;
    let mut loaded = Loaded { rows: list(rows), made_up, ..Loaded::default() };
    if view == View::Today {
        return Ok(loaded);
    }
    let coming = list(get(socket, &format!("/v1/next?n={COMING}")).await?.0);
    if view == View::Calendar {
        let known = items(&loaded.rows, &coming);
        // One that left the schedule leaves the calendar, too.
        let item = item.filter(|item| known.contains(item)).or_else(|| known.into_iter().next());
        if let Some(item) = item {
            let path = format!("/v1/adherence?item={}&since={}", item.id, State::since(now));
            loaded.days = Some((item, get(socket, &path).await?.0[0]["days"].take()));
        }
    }
    loaded.coming = Some(coming);
    Ok(loaded)
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    }
}

/// Asks for something, and tells whether it is made up.
async fn get(socket: &Path, path: &str) -> Result<(Value, bool), Failure> {
    let answer = client::get(socket, path).await?;
    let made_up = answer.made_up;
    Ok((good(&answer)?, made_up))
}

/// Returns what a good answer says.
fn good(answer: &Answer) -> Result<Value, Failure> {
    let said: Value = serde_json::from_str(&answer.json)?;
    if answer.status < 400 { Ok(said) } else { Err(Failure::Refused { detail: detail(&said) }) }
}

fn detail(said: &Value) -> String {
    said["detail"].as_str().unwrap_or("it was refused").to_owned()
}

/// Records an answer.
async fn answer(socket: &Path, verb: &str, occurrence: String, body: Value) -> Result<Said, Failure> {
    let answer = client::post(socket, &format!("/v1/occurrences/{occurrence}/{verb}"), &body).await?;
    let said: Value = serde_json::from_str(&answer.json)?;
    if answer.status == 409 && said["type"] == client::TOO_SOON {
        return Ok(Said::TooSoon { occurrence, detail: detail(&said) });
    }
    let fact = good(&answer)?;
    let already = if answer.status == 200 { " (already recorded)" } else { "" };
    Ok(Said::Recorded { words: format!("{}{already}", render::in_words(&fact)), remark: answer.remark })
}

/// Takes the last answer back.
async fn undo(socket: &Path) -> Result<Said, Failure> {
    let facts = get(socket, "/v1/facts").await?.0;
    let nothing = || Failure::Refused { detail: "there is no answer to take back".to_owned() };
    let last = render::last_answer(&facts).ok_or_else(nothing)?;
    let id = last["id"].as_str().ok_or_else(nothing)?;
    good(&client::post(socket, &format!("/v1/facts/{id}/retract"), &json!({})).await?)?;
    Ok(Said::TakenBack { words: render::in_words(last) })
}
