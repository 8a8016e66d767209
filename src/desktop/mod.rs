//! Shows reminders on the desktop: the notification server, over one connection to the session bus.
//!
//! Notifications are built with notify-rust and sent by hand, because its own ways open a connection
//! for each, wait without end on a frozen server, and miss closings. Everything that comes from the
//! bus, answers and signals alike, is taken from one stream in the order in which the server said it:
//! a server that closes the old notification while it replaces it must not look like a person who did.

mod notification;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{debug, info, warn};
use zbus::message::{Flags, Type};
use zbus::{Connection, Message, MessageStream, Variant};

use crate::failpoints;
use crate::ledger::{CloseReason, Place};
use crate::reminder::{AlertId, Button, Notice};

const SERVER: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const BUS: &str = "org.freedesktop.DBus";

/// How long the server has for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The most of a server's error that is kept, in characters.
const MAX_REASON_CHARS: usize = 200;

/// Signals that are kept for notifications whose number is still on its way.
const MAX_ORPHANS: usize = 64;

/// Calls for notifications whose answer is still taken, although nobody waits for it any more.
const MAX_LATE: usize = 64;

/// What the desktop is told.
#[derive(Clone, Debug)]
pub enum Command {
    /// A notification that an earlier run left at this place is this alert's from now on.
    Adopt(AlertId, Place),
    /// Show a reminder, in place of an earlier one of the same alert.
    Show(Notice),
    /// Take it off the screen.
    Withdraw(AlertId),
}

/// What the desktop tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A reminder is on the screen, and where.
    Shown(AlertId, Place),
    /// It could not be shown.
    NotShown(AlertId, String),
    /// It left the screen without an answer.
    Closed(AlertId, CloseReason),
    /// A button was pressed.
    Pressed(AlertId, Button),
    /// A server is there; `again` tells that there was none, or another, before.
    ServerAppeared {
        /// What it says of itself.
        server: Server,
        /// Whether what waits is to be shown now.
        again: bool,
    },
    /// There is no server, or no bus.
    ServerVanished(String),
}

/// What a notification server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it can do.
    pub capabilities: Vec<String>,
}

impl Server {
    fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|have| have == capability)
    }

    /// Tells whether it shows buttons.
    #[must_use]
    pub fn has_buttons(&self) -> bool {
        self.can("actions")
    }
}

/// Runs until the commands end.
pub async fn run(mut commands: mpsc::UnboundedReceiver<Command>, events: mpsc::UnboundedSender<Event>) {
    let mut lost_before = false;
    let mut first = None;
    loop {
        // The bus is looked for at the start, and then whenever there is something to show.
        match connect().await {
            Ok((connection, stream)) => {
                let mut desktop = Desktop::new(connection, events.clone(), lost_before);
                let ended = desktop.serve(stream, &mut commands, first.take().map(Command::Show)).await;
                desktop.fail_all(&ended);
                if commands.is_closed() && commands.is_empty() {
                    return;
                }
                let _ = events.send(Event::ServerVanished(ended));
            }
            Err(error) => {
                let reason = format!("no session bus: {error}");
                if let Some(notice) = first.take() {
                    let _ = events.send(Event::NotShown(notice.alert, reason.clone()));
                }
                if !lost_before {
                    let _ = events.send(Event::ServerVanished(reason));
                }
            }
        }
        lost_before = true;
        // Nothing is on the screen, so there is nothing to withdraw: wait for something to show.
        first = loop {
            match commands.recv().await {
                None => return,
                Some(Command::Withdraw(_) | Command::Adopt(..)) => {}
                Some(Command::Show(notice)) => break Some(notice),
            }
        };
    }
}

async fn connect() -> zbus::Result<(Connection, MessageStream)> {
    let connection =
        zbus::connection::Builder::session().max_queued(NonZeroQueue).method_timeout(ANSWER_TIMEOUT).build();
    let connection = tokio::time::timeout(ANSWER_TIMEOUT, connection)
        .await
        .map_err(|_| zbus::Error::Failure("the session bus does not answer".to_owned()))??;
    let stream = MessageStream::from(&connection);
    let proxy = zbus::fdo::DBusProxy::new(&connection).await?;
    let signals = zbus::MatchRule::builder().msg_type(Type::Signal).interface(SERVER).build()?;
    proxy.add_match_rule(signals).await?;
    let owners = zbus::MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(BUS)
        .member("NameOwnerChanged")
        .arg(0, SERVER)
        .build()?;
    proxy.add_match_rule(owners).await?;
    Ok((connection, stream))
}

#[allow(non_upper_case_globals, reason = "a value of a type that has no literal")]
const NonZeroQueue: std::num::NonZeroUsize = std::num::NonZeroUsize::new(4096).unwrap();

/// What a call that was sent is for.
#[derive(Debug)]
enum Call {
    Owner,
    Information,
    Capabilities,
    Notify { alert: AlertId, replaces: u32 },
}

/// What is known of the server.
#[derive(Debug, PartialEq)]
enum Presence {
    /// Nobody has asked yet.
    Unknown,
    /// It has been asked what it can do.
    Asking,
    /// It is there.
    There(Server),
}

struct Desktop {
    connection: Connection,
    events: mpsc::UnboundedSender<Event>,
    presence: Presence,
    /// The server's own name on the bus; only its signals count.
    owner: Option<String>,
    information: Server,
    lost_before: bool,
    calls: HashMap<NonZeroU32, (Call, Instant)>,
    numbers: BTreeMap<AlertId, u32>,
    /// What an earlier run left on the screen of a server that may not be this one.
    left: BTreeMap<AlertId, Place>,
    /// What is on the screen, so that the same thing is not sent twice.
    on_screen: BTreeMap<AlertId, Notice>,
    /// What waits: for the server's capabilities, or for its answer to an earlier call of the alert.
    waiting: BTreeMap<AlertId, Command>,
    orphans: VecDeque<(u32, Signal)>,
    /// Calls for notifications that were not answered in time.
    late: BTreeSet<NonZeroU32>,
}

#[derive(Clone, Debug)]
enum Signal {
    Closed(CloseReason),
    Action(String),
}

impl Desktop {
    fn new(connection: Connection, events: mpsc::UnboundedSender<Event>, lost_before: bool) -> Self {
        Self {
            connection,
            events,
            presence: Presence::Unknown,
            owner: None,
            information: Server::default(),
            lost_before,
            calls: HashMap::new(),
            numbers: BTreeMap::new(),
            left: BTreeMap::new(),
            on_screen: BTreeMap::new(),
            waiting: BTreeMap::new(),
            orphans: VecDeque::new(),
            late: BTreeSet::new(),
        }
    }

    fn tell(&self, event: Event) {
        // The daemon ends after this task.
        let _ = self.events.send(event);
    }

    /// Serves one connection until it or the commands end, and says why.
    async fn serve(
        &mut self,
        mut stream: MessageStream,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        first: Option<Command>,
    ) -> String {
        self.call(Call::Owner, BUS, "/org/freedesktop/DBus", "GetNameOwner", &(SERVER,)).await;
        if let Some(first) = first {
            self.take(first).await;
        }
        loop {
            let timeout = self.calls.values().map(|(_, until)| *until).min();
            let timed_out = async {
                match timeout {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                message = stream.next() => match message {
                    Some(Ok(message)) => self.hear(&message).await,
                    Some(Err(error)) => return format!("the session bus is gone: {error}"),
                    None => return "the session bus is gone".to_owned(),
                },
                command = commands.recv() => match command {
                    Some(command) => self.take(command).await,
                    None => return "dosed ends".to_owned(),
                },
                () = timed_out => self.time_out().await,
            }
        }
    }

    async fn take(&mut self, command: Command) {
        let alert = match &command {
            Command::Show(notice) => notice.alert,
            Command::Adopt(alert, _) | Command::Withdraw(alert) => *alert,
        };
        let busy = self
            .calls
            .values()
            .any(|(call, _)| matches!(call, Call::Notify { alert: other, .. } if *other == alert));
        match command {
            Command::Adopt(_, place) => {
                self.left.insert(alert, place);
                if matches!(self.presence, Presence::There(_)) {
                    self.adopt();
                }
            }
            command if busy => {
                self.waiting.insert(alert, command);
            }
            Command::Show(notice) => match &self.presence {
                Presence::There(server) => {
                    if self.on_screen.get(&alert) == Some(&notice) {
                        return;
                    }
                    let server = server.clone();
                    self.show(notice, &server).await;
                }
                Presence::Asking => {
                    self.waiting.insert(alert, Command::Show(notice));
                }
                Presence::Unknown => {
                    self.waiting.insert(alert, Command::Show(notice));
                    // The bus starts a server that can be started.
                    self.ask_server().await;
                }
            },
            // Whether it is on this server's screen is known once the server has answered.
            command @ Command::Withdraw(_) if self.left.contains_key(&alert) => {
                self.waiting.insert(alert, command);
            }
            Command::Withdraw(_) => {
                self.waiting.remove(&alert);
                self.on_screen.remove(&alert);
                self.close(alert).await;
            }
        }
    }

    /// Takes what an earlier run left for its own, where it was left with this very server.
    fn adopt(&mut self) {
        let server = self.server_id();
        for (alert, place) in std::mem::take(&mut self.left) {
            if place.server == server {
                self.numbers.insert(alert, place.notification);
            }
        }
    }

    /// Returns the name of this very run of the server: a bus of another session gives the same names anew.
    fn server_id(&self) -> Option<Arc<str>> {
        let owner = self.owner.as_ref()?;
        Some(format!("{}/{owner}", self.connection.server_guid()).into())
    }

    /// Takes an alert's notification off the screen, if it has one.
    async fn close(&mut self, alert: AlertId) {
        if let Some(number) = self.numbers.remove(&alert) {
            self.close_number(number).await;
        }
    }

    async fn close_number(&self, number: u32) {
        let message = Message::method_call(PATH, "CloseNotification")
            .destination(SERVER)
            .interface(SERVER)
            .with_flags(Flags::NO_REPLY_EXPECTED)
            .build(&(number,));
        if let Ok(message) = message {
            self.send(&message).await;
        }
    }

    async fn ask_server(&mut self) {
        self.presence = Presence::Asking;
        self.call(Call::Information, SERVER, PATH, "GetServerInformation", &()).await;
        self.call(Call::Capabilities, SERVER, PATH, "GetCapabilities", &()).await;
    }

    async fn show(&mut self, notice: Notice, server: &Server) {
        let alert = notice.alert;
        let replaces = self.numbers.get(&alert).copied().unwrap_or(0);
        let notification = notification::build(&notice, server);
        let hints: HashMap<&str, Variant<'_>> = notification.hints.iter().map(Into::into).collect();
        let body = (
            notification.appname.as_str(),
            replaces,
            notification.icon.as_str(),
            notification.summary.as_str(),
            notification.body.as_str(),
            &notification.actions,
            hints,
            i32::from(notification.timeout),
        );
        self.on_screen.insert(alert, notice);
        failpoints::reach("before-notify");
        self.call(Call::Notify { alert, replaces }, SERVER, PATH, "Notify", &body).await;
    }

    /// Sends a call; its answer comes through the stream, or not in time.
    async fn call<B>(
        &mut self,
        call: Call,
        to: &'static str,
        path: &'static str,
        method: &'static str,
        body: &B,
    ) where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        let message = Message::method_call(path, method).destination(to).interface(to).build(body);
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                warn!(%error, method, "a message to the notification server could not be built");
                if let Call::Notify { alert, .. } = call {
                    self.fail(alert, error.to_string());
                }
                return;
            }
        };
        let serial = message.primary_header().serial_num();
        self.calls.insert(serial, (call, Instant::now() + ANSWER_TIMEOUT));
        self.send(&message).await;
    }

    /// Sends a message; a bus that takes none in time makes the call time out.
    async fn send(&self, message: &Message) {
        match tokio::time::timeout(ANSWER_TIMEOUT, self.connection.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "the session bus did not take a message"),
            Err(_) => debug!("the session bus did not take a message in time"),
        }
    }

    async fn time_out(&mut self) {
        let now = Instant::now();
        let late: Vec<NonZeroU32> =
            self.calls.iter().filter(|(_, (_, until))| *until <= now).map(|(serial, _)| *serial).collect();
        for serial in late {
            if let Some((call, _)) = self.calls.remove(&serial) {
                if matches!(call, Call::Notify { .. }) {
                    self.late.insert(serial);
                    if self.late.len() > MAX_LATE {
                        self.late.pop_first();
                    }
                }
                let reason =
                    format!("the notification server did not answer within {} s", ANSWER_TIMEOUT.as_secs());
                self.answer(call, Err(reason)).await;
            }
        }
    }

    async fn hear(&mut self, message: &Message) {
        let header = message.header();
        match message.message_type() {
            Type::MethodReturn | Type::Error => {
                let Some(serial) = header.reply_serial() else { return };
                let Some((call, _)) = self.calls.remove(&serial) else {
                    if self.late.remove(&serial) {
                        self.hear_late(message).await;
                    }
                    return;
                };
                let reply = if message.message_type() == Type::Error {
                    let name = header.error_name().map(ToString::to_string).unwrap_or_default();
                    let said: String = message.body().deserialize().unwrap_or_default();
                    // Comes from outside and is written down: not more than a line of it.
                    Err(format!("{name}: {said}").chars().take(MAX_REASON_CHARS).collect())
                } else {
                    Ok(message)
                };
                self.answer(call, reply).await;
            }
            Type::Signal => {
                let sender = header.sender().map(ToString::to_string);
                let member = header.member().map(|member| member.as_str().to_owned()).unwrap_or_default();
                if member == "NameOwnerChanged" && sender.as_deref() == Some(BUS) {
                    if let Ok((name, _, new)) = message.body().deserialize::<(String, String, String)>() {
                        if name == SERVER {
                            self.change_owner(new).await;
                        }
                    }
                } else if sender.is_some() && sender == self.owner {
                    self.hear_signal(&member, message);
                }
            }
            Type::MethodCall => {}
        }
    }

    /// A notification that was given up is on the screen after all: another one takes its place.
    async fn hear_late(&mut self, message: &Message) {
        let Ok(number) = read_number(message) else { return };
        if !self.numbers.values().any(|known| *known == number) {
            self.close_number(number).await;
        }
    }

    fn is_asking(&self) -> bool {
        self.calls.values().any(|(call, _)| matches!(call, Call::Notify { .. }))
    }

    fn hear_signal(&mut self, member: &str, message: &Message) {
        let (number, signal) = match member {
            "ActionInvoked" => match message.body().deserialize::<(u32, String)>() {
                Ok((number, action)) => (number, Signal::Action(action)),
                Err(_) => return,
            },
            "NotificationClosed" => match message.body().deserialize::<(u32, u32)>() {
                Ok((number, reason)) => {
                    let reason = match reason {
                        1 => CloseReason::Expired,
                        2 => CloseReason::Dismissed,
                        _ => CloseReason::Undefined,
                    };
                    (number, Signal::Closed(reason))
                }
                Err(_) => return,
            },
            _ => return,
        };
        let is_replaced = self
            .calls
            .values()
            .any(|(call, _)| matches!(call, Call::Notify { replaces, .. } if *replaces == number));
        match self.numbers.iter().find(|(_, known)| **known == number).map(|(alert, _)| *alert) {
            Some(_) if is_replaced && matches!(signal, Signal::Closed(_)) => {}
            Some(alert) => self.hear_about(alert, &signal),
            // About another program's notification, or one of ours that is over.
            None if !self.is_asking() => {}
            None => {
                // Its number may still be on its way.
                if self.orphans.len() == MAX_ORPHANS {
                    self.orphans.pop_front();
                }
                self.orphans.push_back((number, signal));
            }
        }
    }

    fn hear_about(&mut self, alert: AlertId, signal: &Signal) {
        match signal {
            Signal::Action(key) => match Button::ALL.into_iter().find(|button| button.key() == key) {
                Some(button) => {
                    self.on_screen.remove(&alert);
                    self.tell(Event::Pressed(alert, button));
                }
                // A click on the reminder itself is not an answer.
                None => debug!(key, "an unknown button"),
            },
            Signal::Closed(reason) => {
                self.numbers.remove(&alert);
                self.on_screen.remove(&alert);
                self.tell(Event::Closed(alert, *reason));
            }
        }
    }

    async fn change_owner(&mut self, new: String) {
        self.owner = Some(new).filter(|new| !new.is_empty());
        self.numbers.clear();
        self.on_screen.clear();
        self.orphans.clear();
        self.late.clear();
        match self.owner {
            Some(_) if self.presence == Presence::Asking => {
                // It was started by our question, whose answer is on its way.
            }
            Some(_) => {
                // Where one took over from another, the new one has shown nothing yet.
                self.lost_before |= matches!(self.presence, Presence::There(_));
                self.ask_server().await;
            }
            None => {
                if matches!(self.presence, Presence::There(_)) {
                    info!("the notification server is gone");
                    self.tell(Event::ServerVanished("the notification server is gone".to_owned()));
                }
                self.lost_before = true;
                self.presence = Presence::Unknown;
            }
        }
    }

    async fn answer(&mut self, call: Call, reply: Result<&Message, String>) {
        match call {
            Call::Owner => match reply.and_then(read::<String>) {
                Ok(owner) => {
                    self.owner = Some(owner);
                    if self.presence == Presence::Unknown {
                        self.ask_server().await;
                    }
                }
                Err(_) => {
                    self.lost_before = true;
                    if self.presence == Presence::Unknown {
                        self.tell(Event::ServerVanished("no notification server".to_owned()));
                    }
                }
            },
            Call::Information => {
                if let Ok((name, _, version, _)) = reply.and_then(read::<(String, String, String, String)>) {
                    (self.information.name, self.information.version) = (name, version);
                }
            }
            Call::Capabilities => match reply {
                Ok(message) => {
                    // Who answers is the owner, also where the bus has just started it.
                    self.owner = message.header().sender().map(ToString::to_string).or(self.owner.take());
                    self.information.capabilities = read(message).unwrap_or_default();
                    self.presence = Presence::There(self.information.clone());
                    let server = self.information.clone();
                    let again = std::mem::take(&mut self.lost_before);
                    self.tell(Event::ServerAppeared { server, again });
                    self.adopt();
                    self.take_waiting().await;
                }
                Err(reason) => {
                    self.presence = Presence::Unknown;
                    self.lost_before = true;
                    self.tell(Event::ServerVanished(reason.clone()));
                    self.fail_waiting(&reason);
                }
            },
            Call::Notify { alert, .. } => self.answer_notify(alert, reply).await,
        }
    }

    async fn answer_notify(&mut self, alert: AlertId, reply: Result<&Message, String>) {
        match reply.and_then(read_number) {
            Ok(number) => self.take_number(alert, number).await,
            Err(reason) => {
                // What waits for it and what it was to replace are of an alert that is given up.
                self.waiting.remove(&alert);
                self.close(alert).await;
                self.fail(alert, reason);
            }
        }
        if !self.is_asking() {
            self.orphans.clear();
        }
        if let Some(command) = self.waiting.remove(&alert) {
            self.take(command).await;
        }
    }

    /// An alert is on the screen, under the server's number.
    async fn take_number(&mut self, alert: AlertId, number: u32) {
        failpoints::reach("after-notify");
        let before = self.numbers.insert(alert, number).filter(|before| *before != number);
        let other = self.numbers.iter().find(|(other, known)| **known == number && **other != alert);
        if let Some(other) = other.map(|(other, _)| *other) {
            debug!(number, "the server gave a number that is in use to another notification");
            self.hear_about(other, &Signal::Closed(CloseReason::Undefined));
        }
        if let Some(before) = before {
            debug!(before, number, "the server gave a replaced notification another number");
            // It may have left the old one where it was.
            self.close_number(before).await;
        }
        self.tell(Event::Shown(alert, Place { notification: number, server: self.server_id() }));
        let (early, rest): (VecDeque<_>, _) =
            std::mem::take(&mut self.orphans).into_iter().partition(|(of, _)| *of == number);
        self.orphans = rest;
        for (_, signal) in early {
            self.hear_about(alert, &signal);
        }
    }

    async fn take_waiting(&mut self) {
        for (_, command) in std::mem::take(&mut self.waiting) {
            self.take(command).await;
        }
    }

    fn fail(&mut self, alert: AlertId, reason: String) {
        self.numbers.remove(&alert);
        self.on_screen.remove(&alert);
        self.tell(Event::NotShown(alert, reason));
    }

    fn fail_waiting(&mut self, reason: &str) {
        for (alert, command) in std::mem::take(&mut self.waiting) {
            if matches!(command, Command::Show(_)) {
                self.tell(Event::NotShown(alert, reason.to_owned()));
            }
        }
    }

    /// Tells of everything that was on its way when the connection ended.
    fn fail_all(&mut self, reason: &str) {
        let calls: Vec<Call> = self.calls.drain().map(|(_, (call, _))| call).collect();
        for call in calls {
            if let Call::Notify { alert, .. } = call {
                self.fail(alert, reason.to_owned());
            }
        }
        self.fail_waiting(reason);
    }
}

fn read<T>(message: &Message) -> Result<T, String>
where
    T: serde::de::DeserializeOwned + zbus::zvariant::Type,
{
    message.body().deserialize().map_err(|error| format!("the answer cannot be read: {error}"))
}

fn read_number(message: &Message) -> Result<u32, String> {
    match read(message)? {
        0 => Err("the notification server gave no number".to_owned()),
        number => Ok(number),
    }
}
