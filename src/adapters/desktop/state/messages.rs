//! What goes into the bookkeeping of the notification adapter, and what comes out.

use crate::adapters::desktop::server::Server;
use crate::adapters::desktop::{Command, Display, Event};
use crate::core::ledger::CloseReason;
use crate::core::reminder::{Button, Notice};

/// One `Notify` call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::adapters::desktop) struct CallId(pub(in crate::adapters::desktop) u64);

/// Something that happened.
#[derive(Clone, Debug)]
pub(in crate::adapters::desktop) enum Input {
    /// The connection to the bus is open.
    Connected,
    /// The daemon wants something.
    Command(Command),
    /// The server's well-known name has a new owner, or none.
    OwnerChanged(Option<String>),
    /// Whether the desktop shows notifications may have changed.
    DisplayChanged,
    /// The sender reports something about a notification.
    Signal { sender: String, number: u32, signal: Signal },
    /// The bus replied with the owner of the server's name.
    OwnerReply(Result<String, String>),
    /// The server replied with its name and version.
    InformationReply { name: String, version: String },
    /// The bus replied whether it starts a server that does not run.
    ActivatableReply(bool),
    /// The desktop said whether it shows notifications now.
    DisplayReply(Display),
    /// The server replied with what it can do.
    CapabilitiesReply(Result<Capabilities, String>),
    /// The server replied to a `Notify` call, with the number or with an error.
    NotifyReply(CallId, Result<u32, String>),
    /// The server did not reply to a `Notify` call in time.
    NotifyTimedOut(CallId),
    /// The connection to the bus ended, for this reason.
    Disconnected(String),
}

/// What happened to a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::adapters::desktop) enum Signal {
    /// It left the screen.
    Closed(CloseReason),
    /// One of its buttons was pressed.
    Pressed(Button),
}

/// A reply to the question what the server can do.
#[derive(Clone, Debug)]
pub(in crate::adapters::desktop) struct Capabilities {
    /// The unique name of the server that replied, where the bus gives it.
    pub(in crate::adapters::desktop) sender: Option<String>,
    pub(in crate::adapters::desktop) names: Vec<String>,
}

/// A question to the bus or the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::adapters::desktop) enum Query {
    Owner,
    Information,
    Activatable,
    Capabilities,
}

/// Something to do, in the order in which it was returned.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::adapters::desktop) enum Effect {
    /// Call a method whose reply is an input.
    Query(Query),
    /// Ask the desktop of this server whether it shows notifications now; the answer is an input.
    AskDisplay(Server),
    /// Call `Notify`.
    Notify(Notify),
    /// Call `CloseNotification`.
    CloseNotification(u32),
    /// Report to the daemon.
    Event(Event),
}

/// A `Notify` call.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::adapters::desktop) struct Notify {
    pub(in crate::adapters::desktop) call: CallId,
    pub(in crate::adapters::desktop) notice: Notice,
    /// The notification that it replaces; 0 for none.
    pub(in crate::adapters::desktop) replaces: u32,
    pub(in crate::adapters::desktop) server: Server,
}
