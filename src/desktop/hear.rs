//! What the server says: answers and signals, in the order in which it said them.

use std::collections::VecDeque;

use tracing::{debug, info};
use zbus::Message;
use zbus::message::Type;

use super::{BUS, Call, Desktop, Event, Presence, SERVER, Signal};
use crate::failpoints;
use crate::ledger::{CloseReason, Place};
use crate::reminder::{AlertId, Button};

/// The most of a server's error that is kept, in characters.
const MAX_REASON_CHARS: usize = 200;

/// Signals that are kept for notifications whose number is still on its way.
const MAX_ORPHANS: usize = 64;

impl Desktop {
    pub(super) async fn hear(&mut self, message: &Message) {
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
                    if member == "PropertiesChanged" {
                        // What has changed is asked for: a server may tell only that something did.
                        self.ask_inhibited().await;
                    } else {
                        self.hear_signal(&member, message);
                    }
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

    pub(super) fn set_inhibited(&mut self, inhibited: bool) {
        if inhibited != self.inhibited {
            self.inhibited = inhibited;
            self.tell(Event::Inhibited(inhibited));
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
                self.set_inhibited(false);
            }
        }
    }

    pub(super) async fn answer(&mut self, call: Call, reply: Result<&Message, String>) {
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
            // A server without it never wants us to wait.
            Call::Inhibited => self.set_inhibited(reply.and_then(read_flag).unwrap_or(false)),
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
}

fn read<T>(message: &Message) -> Result<T, String>
where
    T: serde::de::DeserializeOwned + zbus::zvariant::Type,
{
    message.body().deserialize().map_err(|error| format!("the answer cannot be read: {error}"))
}

fn read_flag(message: &Message) -> Result<bool, String> {
    read::<zbus::OwnedVariant>(message)?.try_into().map_err(|_| "the answer is no yes or no".to_owned())
}

fn read_number(message: &Message) -> Result<u32, String> {
    match read(message)? {
        0 => Err("the notification server gave no number".to_owned()),
        number => Ok(number),
    }
}
