//! From effects of the state to messages for the bus; it decides nothing.

use std::collections::HashMap;

use zbus::message::{Builder, Flags};
use zbus::{Message, Variant};

use super::state::{Notify, Query};
use super::{BUS, BUS_PATH, PATH, SERVER, notification};

/// Builds a call of `Notify`.
pub(super) fn notify(notify: &Notify, icon: &str) -> zbus::Result<Message> {
    let notification = notification::build(&notify.notice, &notify.server, icon);
    let hints: HashMap<&str, Variant<'_>> = notification.hints.iter().map(Into::into).collect();
    to_server(SERVER, "Notify").build(&(
        notification.appname.as_str(),
        notify.replaces,
        notification.icon.as_str(),
        notification.summary.as_str(),
        notification.body.as_str(),
        &notification.actions,
        hints,
        i32::from(notification.timeout),
    ))
}

/// Builds a question to the bus or the server.
pub(super) fn query(query: Query) -> zbus::Result<Message> {
    match query {
        Query::Owner => {
            Message::method_call(BUS_PATH, "GetNameOwner").destination(BUS).interface(BUS).build(&(SERVER,))
        }
        Query::Information => to_server(SERVER, "GetServerInformation").build(&()),
        Query::Activatable => {
            Message::method_call(BUS_PATH, "ListActivatableNames").destination(BUS).interface(BUS).build(&())
        }
        Query::Capabilities => to_server(SERVER, "GetCapabilities").build(&()),
    }
}

/// Builds a call of `CloseNotification`, which wants no reply.
pub(super) fn close_notification(number: u32) -> zbus::Result<Message> {
    to_server(SERVER, "CloseNotification").with_flags(Flags::NO_REPLY_EXPECTED).build(&(number,))
}

fn to_server(interface: &'static str, method: &'static str) -> Builder<'static> {
    Message::method_call(PATH, method).destination(SERVER).interface(interface)
}
