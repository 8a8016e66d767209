//! From messages of the bus to inputs of the state; it decides nothing.

use serde::de::DeserializeOwned;
use tracing::debug;
use zbus::Message;
use zbus::zvariant::Type;

use super::notification::DEFAULT_ACTION;
use super::state::{CallId, Capabilities, Input, Query, Signal};
use super::{BUS, SERVER};
use crate::core::ledger::CloseReason;
use crate::core::reminder::Button;

/// The most of a server's error that is kept, in characters.
const MAX_REASON_CHARS: usize = 200;

/// A call that was sent, and what its reply means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    Query(Query),
    Notify(CallId),
}

/// Reads a signal; `None` for one that is about nothing of ours or cannot be read.
pub(super) fn signal(message: &Message) -> Option<Input> {
    let header = message.header();
    let sender = header.sender()?.to_string();
    let body = message.body();
    match header.member()?.as_str() {
        "NameOwnerChanged" if sender == BUS => {
            let (name, _, owner) = body.deserialize::<(String, String, String)>().ok()?;
            (name == SERVER).then(|| Input::OwnerChanged(Some(owner).filter(|owner| !owner.is_empty())))
        }
        // Of the server, or of the settings that it follows: they are asked, whoever says so.
        "PropertiesChanged" | "OnDndToggle" | "Notify" | "PropertyChanged" => Some(Input::DisplayChanged),
        "ActionInvoked" => {
            let (number, key) = body.deserialize::<(u32, String)>().ok()?;
            // A click on the reminder itself is not an answer: it opens what *Open* opens.
            let is_it =
                |button: &Button| button.key() == key || (*button == Button::Open && key == DEFAULT_ACTION);
            let button = Button::ALL.into_iter().find(is_it);
            if button.is_none() {
                debug!(key, "an unknown button");
            }
            Some(Input::Signal { sender, number, signal: Signal::Pressed(button?) })
        }
        "NotificationClosed" => {
            let (number, reason) = body.deserialize::<(u32, u32)>().ok()?;
            let reason = match reason {
                1 => CloseReason::Expired,
                2 => CloseReason::Dismissed,
                _ => CloseReason::Undefined,
            };
            Some(Input::Signal { sender, number, signal: Signal::Closed(reason) })
        }
        _ => None,
    }
}

/// Reads the reply to a call, which may be an error.
pub(super) fn reply(call: Call, message: &Message) -> Option<Input> {
    if message.message_type() == zbus::message::Type::Error {
        return failure(call, error_text(message));
    }
    Some(match call {
        Call::Query(Query::Owner) => Input::OwnerReply(read(message)),
        Call::Query(Query::Information) => {
            let (name, _, version, _) = read::<(String, String, String, String)>(message).ok()?;
            Input::InformationReply { name, version }
        }
        Call::Query(Query::Activatable) => Input::ActivatableReply(
            read::<Vec<String>>(message).is_ok_and(|names| names.iter().any(|name| name == SERVER)),
        ),
        Call::Query(Query::Capabilities) => Input::CapabilitiesReply(Ok(Capabilities {
            sender: message.header().sender().map(ToString::to_string),
            names: read(message).unwrap_or_default(),
        })),
        Call::Notify(id) => Input::NotifyReply(id, read(message)),
    })
}

/// Makes the input for a query that failed; `None` where nothing follows from that.
pub(super) fn failure(call: Call, reason: String) -> Option<Input> {
    match call {
        Call::Query(Query::Owner) => Some(Input::OwnerReply(Err(reason))),
        Call::Query(Query::Information) => None,
        Call::Query(Query::Activatable) => Some(Input::ActivatableReply(false)),
        Call::Query(Query::Capabilities) => Some(Input::CapabilitiesReply(Err(reason))),
        Call::Notify(id) => Some(Input::NotifyReply(id, Err(reason))),
    }
}

/// Returns the name and text of an error. Both come from outside and are recorded: the length is limited.
fn error_text(message: &Message) -> String {
    let name = message.header().error_name().map(ToString::to_string).unwrap_or_default();
    let text: String = message.body().deserialize().unwrap_or_default();
    format!("{name}: {text}").chars().take(MAX_REASON_CHARS).collect()
}

fn read<T: DeserializeOwned + Type>(message: &Message) -> Result<T, String> {
    message.body().deserialize().map_err(|error| format!("the answer cannot be read: {error}"))
}
