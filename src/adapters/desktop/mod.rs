//! Shows reminders on the desktop: the notification server, over one connection to the session bus.
//!
//! Notifications are built with notify-rust and sent by hand, because its own functions open a connection
//! for each, wait without limit for a frozen server, and miss closings. Everything that comes from the
//! bus, replies and signals alike, is read from one stream in the order in which the server sent it:
//! a server that closes the old notification while it replaces it must not look like a person who did.
//!
//! `state` decides, `session` performs, `incoming` and `outgoing` translate between the two and D-Bus.

mod display;
mod icon;
mod incoming;
mod notification;
mod outgoing;
mod server;
mod session;
mod state;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use zbus::message::Type;
use zbus::{Connection, MessageStream};

use crate::core::ledger::{CloseReason, NotificationHandle};
use crate::core::reminder::{AlertId, Button, Notice};
pub use display::Display;
pub use icon::icon;
pub use server::Server;
use session::Session;

const SERVER: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// How long the server has for a reply.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

/// Messages of the bus that may wait until they are read.
const MAX_QUEUED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);

/// A command of the daemon.
#[derive(Clone, Debug)]
pub enum Command {
    /// A notification that an earlier run left on the screen is this alert's from now on.
    Adopt(AlertId, NotificationHandle),
    /// Show a reminder, replacing an earlier one of the same alert.
    Show(Notice),
    /// Take it off the screen.
    Withdraw(AlertId),
}

/// What happens on the desktop.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A reminder is on the screen, and where.
    Shown(AlertId, NotificationHandle),
    /// It could not be shown.
    NotShown(AlertId, String),
    /// It left the screen without an answer.
    Closed(AlertId, CloseReason),
    /// A button was pressed.
    Pressed(AlertId, Button),
    /// A server is there; `again` where there was none, or another, before.
    ServerAppeared {
        /// Its description of itself.
        server: Server,
        /// Whether what waits is to be shown now.
        again: bool,
    },
    /// There is no server, or no bus.
    ServerVanished {
        /// Why.
        reason: String,
        /// Whether one is started, or looked for, when something is to be shown.
        on_demand: bool,
    },
    /// Whether the desktop shows notifications now.
    Display(Display),
}

/// What reminders need of this machine.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The name or the path of the icon of every reminder.
    pub icon: String,
    /// Where the settings of desktops lie, if there is such a place.
    pub config_dir: Option<PathBuf>,
}

/// Runs until the commands end.
pub async fn run(
    mut commands: mpsc::UnboundedReceiver<Command>,
    events: mpsc::UnboundedSender<Event>,
    surroundings: Surroundings,
) {
    let mut lost_before = false;
    let mut first = None;
    loop {
        // The bus is looked for at the start, and then whenever there is something to show.
        match connect().await {
            Ok((connection, stream)) => {
                let mut session = Session::new(connection, events.clone(), lost_before, surroundings.clone());
                let reason = session.serve(stream, &mut commands, first.take().map(Command::Show)).await;
                if commands.is_closed() && commands.is_empty() {
                    return;
                }
                // What was on the screen went with the bus; the next one may have the same address.
                let _ = events.send(Event::ServerVanished { reason, on_demand: true });
            }
            Err(error) => {
                let reason = format!("no session bus: {error}");
                if let Some(notice) = first.take() {
                    let _ = events.send(Event::NotShown(notice.alert, reason.clone()));
                }
                if !lost_before {
                    let _ = events.send(Event::ServerVanished { reason, on_demand: false });
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
        zbus::connection::Builder::session().max_queued(MAX_QUEUED).method_timeout(REPLY_TIMEOUT).build();
    let connection = tokio::time::timeout(REPLY_TIMEOUT, connection)
        .await
        .map_err(|_| zbus::Error::Failure("the session bus does not answer".to_owned()))??;
    let stream = MessageStream::from(&connection);
    let proxy = zbus::fdo::DBusProxy::new(&connection).await?;
    let signals = zbus::MatchRule::builder().msg_type(Type::Signal).interface(SERVER).build()?;
    proxy.add_match_rule(signals).await?;
    for interface in [SERVER, display::DUNST] {
        let properties = zbus::MatchRule::builder()
            .msg_type(Type::Signal)
            .interface(PROPERTIES)
            .member("PropertiesChanged")
            .path(PATH)
            .arg(0, interface)
            .build()?;
        proxy.add_match_rule(properties).await?;
    }
    for dir in display::DCONF_DIRS {
        // Written out: zbus takes no path that ends with a slash, which stands for all below it.
        let rule =
            format!("type='signal',interface='ca.desrt.dconf.Writer',member='Notify',arg0path='{dir}'");
        connection.call_method(Some(BUS), BUS_PATH, Some(BUS), "AddMatch", &(rule,)).await?;
    }
    let xfconf = zbus::MatchRule::builder()
        .msg_type(Type::Signal)
        .interface(display::XFCONF)
        .member("PropertyChanged")
        .arg(0, display::XFCE_CHANNEL)
        .build()?;
    proxy.add_match_rule(xfconf).await?;
    let owners = zbus::MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(BUS)
        .member("NameOwnerChanged")
        .arg(0, SERVER)
        .build()?;
    proxy.add_match_rule(owners).await?;
    Ok((connection, stream))
}

fn timeout_reason() -> String {
    format!("the notification server did not answer within {} s", REPLY_TIMEOUT.as_secs())
}
