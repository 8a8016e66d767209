//! Reaches a person beyond the desktop: programs, webhooks, and phones by ntfy.
//!
//! Hides HTTP as a client, TLS and child processes. A reminder that cannot go out is tried again for a
//! while; what is nobody's business any more is let go of. Answers from a phone come by a topic that is
//! listened to only while something that was sent waits for one, so that nothing is open here.
//!
//! Addresses, topics and tokens can be secrets: they are in no error and in no log.

mod http;
mod ntfy;
mod program;
mod secret;
mod token;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::reminder::AlertId;
use crate::schedule::{ChannelId, ChannelSpec, Way};
use http::Http;

pub use token::{Key, MAX_TOKENS, tokens, write_tokens};

/// How long to wait before the second try, and at most between two; each failure doubles it.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LAST: Duration = Duration::from_mins(5);

/// How often a reminder is tried: some 20 minutes in all.
const MAX_TRIES: u32 = 12;

/// A reminder for a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Which alert it is.
    pub alert: AlertId,
    /// By which channel.
    pub channel: ChannelId,
    /// One line, the most important.
    pub title: String,
    /// The rest, a line each.
    pub body: Vec<String>,
    /// The occurrences that it asks about; none where names are to stay here.
    pub occurrences: Vec<String>,
    /// When it goes out.
    pub at: Timestamp,
    /// The answers that it offers where the channel can carry them: what they say, and what comes back.
    pub answers: Vec<(String, String)>,
    /// Whether it only tries the channel.
    pub is_test: bool,
}

impl Message {
    /// Returns the object that programs and webhooks get; `id` is the same for every try.
    fn json(&self, id: &str) -> Value {
        json!({
            "v": 1,
            "id": id,
            "kind": if self.is_test { "test" } else { "reminder" },
            "channel": self.channel.as_str(),
            "at": self.at.to_string(),
            "title": self.title,
            "body": self.body,
            "occurrences": self.occurrences,
        })
    }
}

/// What the channels are told.
#[derive(Debug)]
pub enum Command {
    /// These are the channels from now on.
    Use(Vec<ChannelSpec>),
    /// Send a reminder, in place of one of the same alert that is not out yet.
    Send(Message),
    /// Nobody needs an answer to it any more.
    Recall(AlertId),
    /// An earlier run has sent it at this time: listen for answers that were given since.
    Await(AlertId, ChannelId, Timestamp),
    /// Send it once and tell what came of it.
    Try(Message, oneshot::Sender<Result<(), String>>),
    /// Tell whether a channel would work, as far as that can be seen without sending anything.
    Check(ChannelId, oneshot::Sender<Result<(), String>>),
}

/// What the channels tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A reminder is out.
    Sent(AlertId, ChannelId),
    /// A reminder was given up.
    NotSent(AlertId, ChannelId, String),
    /// Somebody published this where a phone answers; whether it is an answer has to be looked at.
    Replied(ChannelId, String),
}

/// Why one try failed.
#[derive(Debug, PartialEq)]
enum Failure {
    /// It may work later, not before the given time has passed.
    Again(String, Duration),
    /// It will not work.
    Final(String),
}

impl Failure {
    fn reason(self) -> String {
        match self {
            Self::Again(reason, _) | Self::Final(reason) => reason,
        }
    }
}

/// Runs until the commands end.
pub async fn run(mut commands: mpsc::UnboundedReceiver<Command>, events: mpsc::Sender<Event>) {
    let (done, mut ended) = mpsc::unbounded_channel();
    let mut channels = Channels {
        specs: BTreeMap::new(),
        http: Arc::new(Http::default()),
        tasks: HashMap::new(),
        listening: BTreeMap::new(),
        done,
        events,
    };
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => channels.take(command),
                None => return channels.end(),
            },
            Some((message, outcome)) = ended.recv() => channels.take_outcome(message, outcome).await,
        }
    }
}

type Outcome = (Message, Result<(), String>);

struct Channels {
    specs: BTreeMap<ChannelId, Arc<ChannelSpec>>,
    http: Arc<Http>,
    tasks: HashMap<AlertId, AbortHandle>,
    listening: BTreeMap<ChannelId, Listening>,
    done: mpsc::UnboundedSender<Outcome>,
    events: mpsc::Sender<Event>,
}

/// A topic that is listened to, and for what.
struct Listening {
    alerts: BTreeSet<AlertId>,
    since: Timestamp,
    task: AbortHandle,
}

impl Channels {
    fn take(&mut self, command: Command) {
        match command {
            Command::Use(specs) => self.change(specs),
            Command::Send(message) => self.send(message),
            Command::Recall(alert) => self.recall(alert),
            Command::Await(alert, channel, since) => self.listen(alert, &channel, since),
            Command::Try(message, reply) => {
                let (spec, http) = (self.specs.get(&message.channel).cloned(), self.http.clone());
                tokio::spawn(async move {
                    let outcome = match spec {
                        Some(spec) => try_once(&spec, &message, &token::random_id(), &http)
                            .await
                            .map_err(Failure::reason),
                        None => Err("there is no such channel".to_owned()),
                    };
                    // Whoever asked may have gone; so here and below.
                    let _ = reply.send(outcome);
                });
            }
            Command::Check(channel, reply) => {
                let (spec, http) = (self.specs.get(&channel).cloned(), self.http.clone());
                tokio::spawn(async move {
                    let outcome = match spec {
                        Some(spec) => check(&spec, &http).await,
                        None => Err("there is no such channel".to_owned()),
                    };
                    let _ = reply.send(outcome);
                });
            }
        }
    }

    /// Takes the channels of the schedule; where one was changed, answers are listened for anew.
    fn change(&mut self, specs: Vec<ChannelSpec>) {
        let specs = specs.into_iter().map(|spec| (spec.id.clone(), Arc::new(spec))).collect();
        let before = std::mem::replace(&mut self.specs, specs);
        let is_changed = |channel: &ChannelId| before.get(channel) != self.specs.get(channel);
        let changed: Vec<_> = self.listening.extract_if(.., |channel, _| is_changed(channel)).collect();
        for (channel, Listening { alerts, since, task }) in changed {
            task.abort();
            for alert in alerts {
                self.listen(alert, &channel, since);
            }
        }
    }

    fn send(&mut self, message: Message) {
        let alert = message.alert;
        let spec = self.specs.get(&message.channel).cloned();
        let (http, done) = (self.http.clone(), self.done.clone());
        let task = tokio::spawn(async move {
            let outcome = match spec {
                Some(spec) => deliver(&spec, &message, &http).await,
                None => Err("there is no such channel in the schedule".to_owned()),
            };
            // The task that hears it ends last.
            let _ = done.send((message, outcome));
        });
        if let Some(before) = self.tasks.insert(alert, task.abort_handle()) {
            before.abort();
        }
    }

    async fn take_outcome(&mut self, message: Message, outcome: Result<(), String>) {
        self.tasks.remove(&message.alert);
        let event = match outcome {
            Ok(()) => {
                self.listen(message.alert, &message.channel, message.at);
                Event::Sent(message.alert, message.channel)
            }
            Err(reason) => Event::NotSent(message.alert, message.channel, reason),
        };
        // The daemon ends after this task.
        let _ = self.events.send(event).await;
    }

    fn recall(&mut self, alert: AlertId) {
        if let Some(task) = self.tasks.remove(&alert) {
            task.abort();
        }
        self.listening.retain(|_, listening| {
            listening.alerts.remove(&alert);
            if listening.alerts.is_empty() {
                listening.task.abort();
            }
            !listening.alerts.is_empty()
        });
    }

    /// Listens for answers to an alert, where its channel can carry them.
    fn listen(&mut self, alert: AlertId, channel: &ChannelId, since: Timestamp) {
        if let Some(listening) = self.listening.get_mut(channel) {
            listening.alerts.insert(alert);
            return;
        }
        let Some(spec) = self.specs.get(channel).cloned() else { return };
        if !matches!(&spec.way, Way::Ntfy { replies: Some(_), .. }) {
            return;
        }
        let task = tokio::spawn(ntfy::listen(spec, self.http.clone(), since, self.events.clone()));
        let listening = Listening { alerts: BTreeSet::from([alert]), since, task: task.abort_handle() };
        self.listening.insert(channel.clone(), listening);
    }

    fn end(&self) {
        self.tasks.values().for_each(AbortHandle::abort);
        self.listening.values().for_each(|listening| listening.task.abort());
    }
}

/// Tries until it is out, it cannot be, or it has been tried often enough.
async fn deliver(spec: &ChannelSpec, message: &Message, http: &Http) -> Result<(), String> {
    let id = token::random_id();
    let mut wait = RETRY_FIRST;
    let mut tries = 1;
    loop {
        match try_once(spec, message, &id, http).await {
            Ok(()) => return Ok(()),
            Err(Failure::Again(_, at_least)) if tries < MAX_TRIES => {
                tokio::time::sleep(wait.max(at_least)).await;
                wait = (wait * 2).min(RETRY_LAST);
                tries += 1;
            }
            Err(failure) if tries > 1 => return Err(format!("{}, {tries} times", failure.reason())),
            Err(failure) => return Err(failure.reason()),
        }
    }
}

async fn try_once(spec: &ChannelSpec, message: &Message, id: &str, http: &Http) -> Result<(), Failure> {
    match &spec.way {
        Way::Command { program, timeout } => {
            program::run(program, timeout.unsigned_abs(), &message.json(id)).await
        }
        Way::Webhook { url, token } => {
            let url = secret::read(url)?;
            let token = token.as_ref().map(secret::read).transpose()?;
            http.post(&url, token.as_deref(), &message.json(id)).await
        }
        Way::Ntfy { .. } => ntfy::publish(spec, message, http).await,
    }
}

/// Looks whether a channel would work, without sending anything.
async fn check(spec: &ChannelSpec, http: &Http) -> Result<(), String> {
    let looked = match &spec.way {
        Way::Command { program, .. } => program::check(program),
        Way::Webhook { url, token } => {
            let read = || Ok((secret::read(url)?, token.as_ref().map(secret::read).transpose()?));
            match read() {
                Ok((url, _)) => http.knock(&url).await,
                Err(failure) => Err(failure),
            }
        }
        Way::Ntfy { .. } => ntfy::check(spec, http).await,
    };
    looked.map_err(Failure::reason)
}
