//! Shows reminders on the desktop: the notification server, over one connection to the session bus.
//!
//! Notifications are built with notify-rust and sent by hand, because its own ways open a connection
//! for each, wait without end on a frozen server, and miss closings. Everything that comes from the
//! bus, answers and signals alike, is taken from one stream in the order in which the server said it:
//! a server that closes the old notification while it replaces it must not look like a person who did.

mod hear;
mod notification;
mod say;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::Instant;
use zbus::message::Type;
use zbus::{Connection, MessageStream};

use crate::ledger::{CloseReason, Place};
use crate::reminder::{AlertId, Button, Notice};

const SERVER: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// The property of a server on which it is known whether the person wants no notifications now.
const INHIBITED: &str = "Inhibited";

/// How long the server has for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// The person wants no notifications now, or wants them again, as far as the server tells.
    Inhibited(bool),
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
    let properties = zbus::MatchRule::builder()
        .msg_type(Type::Signal)
        .interface(PROPERTIES)
        .member("PropertiesChanged")
        .path(PATH)
        .arg(0, SERVER)
        .build()?;
    proxy.add_match_rule(properties).await?;
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
    Inhibited,
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
    /// What was last told of whether the person wants no notifications.
    inhibited: bool,
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
            inhibited: false,
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
        self.call(Call::Owner, BUS, BUS, "GetNameOwner", &(SERVER,)).await;
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

    /// Returns the name of this very run of the server: a bus of another session gives the same names anew.
    fn server_id(&self) -> Option<Arc<str>> {
        let owner = self.owner.as_ref()?;
        Some(format!("{}/{owner}", self.connection.server_guid()).into())
    }
}
