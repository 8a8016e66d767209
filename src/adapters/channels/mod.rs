//! Reaches a person beyond the desktop: programs, webhooks, and phones by ntfy.
//!
//! Hides HTTP as a client, TLS and child processes. A reminder that cannot be sent is retried for a while,
//! unless it is cancelled. Answers from a phone arrive by a topic that is subscribed to only while a reminder
//! that was sent waits for one, so that nothing listens here.
//!
//! Addresses, topics and tokens can be secrets: they are in no error and in no log. Errors of libraries may name hosts, and are
//! replaced by messages of our own.

mod delivery;
mod http;
mod ntfy;
mod program;
mod secret;
mod token;
mod webhook;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use crate::core::reminder::AlertId;
use crate::core::schedule::{ChannelId, ChannelSpec, OccurrenceId, SecretSource, Transport};
use delivery::{Outcome, deliver};
use http::{Authorization, Http};
use ntfy::Listen;

pub use token::{Key, MAX_TOKENS, tokens, write_tokens};

/// A reminder for a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Which alert it is.
    pub alert: AlertId,
    /// The channel.
    pub channel: ChannelId,
    /// One line, the most important.
    pub title: String,
    /// The rest, a line each.
    pub body: Vec<String>,
    /// The occurrences that it asks about.
    pub occurrences: Vec<OccurrenceId>,
    /// Whether the names of these are to stay here.
    pub private: bool,
    /// When it goes out.
    pub at: Timestamp,
    /// The answers that it offers where the channel can carry them: the label, and what comes back.
    pub answers: Vec<(String, String)>,
    /// Whether it only tests the channel.
    pub is_test: bool,
}

impl Message {
    /// Returns the object that programs get, and webhooks without a body of their own; `id` is the same for every attempt.
    fn json(&self, id: &str) -> Value {
        let named = self.occurrences.iter().filter(|_| !self.private);
        json!({
            "v": 1,
            "id": id,
            "kind": if self.is_test { "test" } else { "reminder" },
            "channel": self.channel.as_str(),
            "at": self.at.to_string(),
            "title": self.title,
            "body": self.body,
            "occurrences": named.map(ToString::to_string).collect::<Vec<_>>(),
        })
    }
}

/// A command of the daemon.
#[derive(Debug)]
pub enum Command {
    /// Use these channels from now on.
    Configure(Vec<ChannelSpec>),
    /// Send a reminder; what came of it is an event.
    Send(Message),
    /// If the reminder of this alert is not out yet, send it like this.
    Rewrite(Message),
    /// Try no longer to send it; what is being sent to a server goes on to its end.
    Cancel(AlertId),
    /// Listen to the answers since then, and to those to come.
    Subscribe(ChannelId, Timestamp),
    /// Listen no longer.
    Unsubscribe(ChannelId),
    /// Fetch the answers from then until now.
    Collect(ChannelId, Timestamp),
    /// Send it once and report the outcome.
    Test(Message, oneshot::Sender<Result<(), String>>),
    /// Report whether a channel would work, as far as that can be seen without sending anything.
    Check(ChannelId, oneshot::Sender<Result<(), String>>),
}

/// What happens on the channels.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A reminder about these occurrences was sent.
    Sent(AlertId, ChannelId, Vec<OccurrenceId>),
    /// A reminder was given up.
    NotSent(AlertId, ChannelId, String),
    /// A reminder was cancelled before it was sent.
    Unsent(AlertId),
    /// This was published where a phone answers, by anyone: it has to be checked before it counts.
    Replied(ChannelId, Reply),
    /// Answers can be heard, or why they cannot.
    Listening(ChannelId, Result<(), String>),
}

/// What was published where a phone answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The message.
    pub text: String,
    /// When, by the server's clock, if it says so.
    pub at: Option<Timestamp>,
}

/// Why one attempt to send failed.
#[derive(Debug, PartialEq, thiserror::Error)]
enum SendError {
    /// It may work later.
    #[error("{reason}")]
    Retryable {
        reason: String,
        /// How long the server wants us to wait.
        min_delay: Duration,
    },
    /// It will not work.
    #[error("{0}")]
    Permanent(String),
}

impl SendError {
    fn min_delay(&self) -> Duration {
        match self {
            Self::Retryable { min_delay, .. } => *min_delay,
            Self::Permanent(_) => Duration::ZERO,
        }
    }

    /// Says that it is about the answers.
    fn unheard(self) -> Self {
        let text = |reason: String| format!("answers cannot be heard: {reason}");
        match self {
            Self::Retryable { reason, min_delay } => Self::Retryable { reason: text(reason), min_delay },
            Self::Permanent(reason) => Self::Permanent(text(reason)),
        }
    }
}

/// Runs until the commands end.
pub async fn run(mut commands: mpsc::UnboundedReceiver<Command>, events: mpsc::Sender<Event>) {
    let (done, mut ended) = mpsc::unbounded_channel();
    let mut channels = Channels {
        specs: BTreeMap::new(),
        http: Arc::new(Http::default()),
        run: token::random_id(),
        deliveries: HashMap::new(),
        subscriptions: BTreeMap::new(),
        collections: BTreeMap::new(),
        done,
        events,
    };
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => channels.on_command(command),
                None => return channels.shut_down(),
            },
            Some((alert, event)) = ended.recv() => channels.on_ended(alert, event).await,
        }
    }
}

struct Channels {
    specs: BTreeMap<ChannelId, Arc<ChannelSpec>>,
    http: Arc<Http>,
    /// Names this run: with an alert, the name of a message.
    run: String,
    deliveries: HashMap<AlertId, Delivery>,
    subscriptions: BTreeMap<ChannelId, Listener>,
    /// Listeners that end once they have heard what was published before.
    collections: BTreeMap<ChannelId, Listener>,
    done: mpsc::UnboundedSender<(AlertId, Event)>,
    events: mpsc::Sender<Event>,
}

/// A message on its way.
struct Delivery {
    /// How it is wanted now, if at all.
    wanted: watch::Sender<Option<Message>>,
    task: AbortHandle,
}

/// A topic that is listened to.
struct Listener {
    since: Timestamp,
    task: AbortHandle,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Channels {
    fn on_command(&mut self, command: Command) {
        match command {
            Command::Configure(specs) => self.configure(specs),
            Command::Send(message) => self.send(message),
            Command::Rewrite(message) => self.set_wanted(message.alert, Some(message)),
            Command::Cancel(alert) => self.set_wanted(alert, None),
            Command::Subscribe(channel, since) => self.subscribe(channel, since),
            Command::Unsubscribe(channel) => drop(self.subscriptions.remove(&channel)),
            Command::Collect(channel, since) => self.collect(channel, since),
            Command::Test(message, reply) => {
                let id = message.channel.clone();
                self.report(&id, reply, |spec, http| async move {
                    send_once(&spec, &message, &token::random_id(), &http).await
                });
            }
            Command::Check(channel, reply) => {
                // Who asks may have mended it.
                self.listen_again(|of| *of == channel);
                let (events, of) = (self.events.clone(), channel.clone());
                self.report(&channel, reply, |spec, http| async move {
                    check(&spec, &http).await?;
                    if spec.transport.carries_replies() {
                        let _ = events.send(Event::Listening(of, Ok(()))).await;
                    }
                    Ok(())
                });
            }
        }
    }

    /// Does something with a channel, and reports the outcome to who asked.
    fn report<F>(
        &self,
        channel: &ChannelId,
        reply: oneshot::Sender<Result<(), String>>,
        act: impl FnOnce(Arc<ChannelSpec>, Arc<Http>) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), SendError>> + Send,
    {
        let (spec, http) = (self.specs.get(channel).cloned(), self.http.clone());
        tokio::spawn(async move {
            let outcome = match spec {
                Some(spec) => act(spec, http).await.map_err(|error| error.to_string()),
                None => Err("there is no such channel".to_owned()),
            };
            // Nobody may be waiting any more.
            let _ = reply.send(outcome);
        });
    }

    /// Sets the channels of the schedule; where one has changed, it is listened to again.
    fn configure(&mut self, specs: Vec<ChannelSpec>) {
        let specs = specs.into_iter().map(|spec| (spec.id.clone(), Arc::new(spec))).collect();
        let before = std::mem::replace(&mut self.specs, specs);
        let changed: Vec<ChannelId> =
            before.keys().filter(|id| before.get(id) != self.specs.get(id)).cloned().collect();
        self.listen_again(|channel| changed.contains(channel));
    }

    /// Listens to channels from the start on.
    fn listen_again(&mut self, is_meant: impl Fn(&ChannelId) -> bool) {
        let subscriptions: Vec<_> =
            self.subscriptions.extract_if(.., |channel, _| is_meant(channel)).collect();
        for (channel, listener) in subscriptions {
            self.subscribe(channel, listener.since);
        }
        let is_under_way =
            |of: &ChannelId, listener: &mut Listener| is_meant(of) && !listener.task.is_finished();
        let collections: Vec<_> = self.collections.extract_if(.., is_under_way).collect();
        for (channel, listener) in collections {
            self.collect(channel, listener.since);
        }
    }

    fn send(&mut self, message: Message) {
        let (alert, channel) = (message.alert, message.channel.clone());
        let id = format!("{}{:016x}", &self.run[..16], alert.0);
        let spec = self.specs.get(&channel).cloned();
        let (http, done) = (self.http.clone(), self.done.clone());
        let (wanted, message) = watch::channel(Some(message));
        let task = tokio::spawn(async move {
            let event = match spec {
                Some(spec) => deliver(&spec, message, &id, &http).await,
                None => Outcome::NotSent("there is no such channel in the schedule".to_owned()),
            };
            let event = match event {
                Outcome::Sent(occurrences) => Event::Sent(alert, channel, occurrences),
                Outcome::NotSent(reason) => Event::NotSent(alert, channel, reason),
                Outcome::Unsent => Event::Unsent(alert),
            };
            // The task that receives it ends last.
            let _ = done.send((alert, event));
        });
        self.deliveries.insert(alert, Delivery { wanted, task: task.abort_handle() });
    }

    /// Says how a message on its way is wanted from now on, if at all.
    fn set_wanted(&mut self, alert: AlertId, message: Option<Message>) {
        if let Some(delivery) = self.deliveries.get(&alert) {
            delivery.wanted.send_replace(message);
        }
    }

    async fn on_ended(&mut self, alert: AlertId, event: Event) {
        self.deliveries.remove(&alert);
        // The daemon ends after this task.
        let _ = self.events.send(event).await;
    }

    fn subscribe(&mut self, channel: ChannelId, since: Timestamp) {
        if let Some(listener) = self.listener(&channel, since, Listen::On) {
            self.subscriptions.insert(channel, listener);
        }
    }

    /// Fetches what was published, also what an earlier attempt has not fetched yet.
    fn collect(&mut self, channel: ChannelId, since: Timestamp) {
        let before = self.collections.remove(&channel).filter(|before| !before.task.is_finished());
        let since = before.map_or(since, |before| since.min(before.since));
        if let Some(listener) = self.listener(&channel, since, Listen::Once) {
            self.collections.insert(channel, listener);
        }
    }

    fn listener(&self, channel: &ChannelId, since: Timestamp, how: Listen) -> Option<Listener> {
        let spec = self.specs.get(channel).filter(|spec| spec.transport.carries_replies())?.clone();
        let task = tokio::spawn(ntfy::listen(spec, self.http.clone(), since, how, self.events.clone()));
        Some(Listener { since, task: task.abort_handle() })
    }

    fn shut_down(&self) {
        self.deliveries.values().for_each(|delivery| delivery.task.abort());
    }
}

async fn send_once(spec: &ChannelSpec, message: &Message, id: &str, http: &Http) -> Result<(), SendError> {
    match &spec.transport {
        Transport::Command { program, timeout } => {
            program::run(program, timeout.unsigned_abs(), &message.json(id)).await
        }
        Transport::Webhook { url, login, method, headers, body } => {
            let url = secret::read(url).await?;
            let login = Authorization::read_any(login.as_ref()).await?;
            let headers = read_headers(headers).await?;
            let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::POST);
            let body = webhook::body(body.as_ref(), message, id);
            http.submit(method, url.expose_secret(), login.as_ref(), &headers, body).await
        }
        Transport::Ntfy { .. } => ntfy::publish(spec, message, id, http).await,
    }
}

async fn read_headers(headers: &[(String, SecretSource)]) -> Result<Vec<(String, SecretString)>, SendError> {
    let mut read = Vec::new();
    for (name, source) in headers {
        read.push((name.clone(), secret::read(source).await?));
    }
    Ok(read)
}

/// Checks whether a channel would work, without sending anything.
async fn check(spec: &ChannelSpec, http: &Http) -> Result<(), SendError> {
    match &spec.transport {
        Transport::Command { program, .. } => program::check(program),
        Transport::Webhook { url, login, headers, .. } => {
            let url = secret::read(url).await?;
            Authorization::read_any(login.as_ref()).await?;
            read_headers(headers).await?;
            http.probe(url.expose_secret()).await
        }
        Transport::Ntfy { .. } => ntfy::check(spec, http).await,
    }
}
