//! The bookkeeping of the notification adapter: which alert has which notification, and what is in flight.
//!
//! Takes the daemon's commands and what arrives from the bus, in order, and returns effects. It performs none of
//! them: no D-Bus, no async and no clock here, so that every race on the bus is a table test.

mod messages;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::server::Quirk;
use super::{Command, Display, Event, Server, timeout_reason};
use crate::core::ledger::{CloseReason, NotificationHandle};
use crate::core::reminder::{AlertId, Notice};

pub(super) use messages::{CallId, Capabilities, Effect, Input, Notify, Query, Signal};

/// Signals that are kept for notifications whose number is not known yet.
const MAX_EARLY_SIGNALS: usize = 64;

/// `Notify` calls that have timed out and whose late reply is still acted upon.
const MAX_LATE_CALLS: usize = 64;

/// What is known of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Unknown,
    /// It was asked what it can do, and then whether it shows notifications now.
    Queried,
    Ready,
}

/// A `Notify` call that waits for its reply.
#[derive(Clone, Copy, Debug)]
struct Pending {
    alert: AlertId,
    replaces: u32,
}

/// Everything that is known over one connection to the bus.
#[derive(Debug)]
pub(super) struct DesktopState {
    /// The bus itself: the bus of another session gives the same unique names.
    bus_id: String,
    /// The server's unique name; only its signals count.
    owner: Option<String>,
    presence: Presence,
    server: Server,
    /// Whether there was no server, or another one, before.
    lost_before: bool,
    /// Whether the bus starts a server that does not run.
    activatable: bool,
    /// What was last reported of whether the desktop shows notifications.
    display: Display,
    /// Whether that is being asked, and is to be asked once more.
    asking_display: Option<bool>,
    last_call: u64,
    /// At most one call for each alert.
    pending: BTreeMap<CallId, Pending>,
    /// Calls that timed out: a notification may appear for them after all.
    late: BTreeSet<CallId>,
    numbers: BTreeMap<AlertId, u32>,
    /// What an earlier run left on the screen of a server that may not be this one.
    adoptable: BTreeMap<AlertId, NotificationHandle>,
    /// What each alert shows, so that the same thing is not sent twice.
    displayed: BTreeMap<AlertId, Notice>,
    /// The newest command of an alert that waits for the server, or for the reply to its earlier call.
    deferred: BTreeMap<AlertId, Command>,
    early_signals: VecDeque<(u32, Signal)>,
    effects: Vec<Effect>,
}

impl DesktopState {
    pub(super) fn new(bus_id: String, lost_before: bool) -> Self {
        Self {
            bus_id,
            owner: None,
            presence: Presence::Unknown,
            server: Server::default(),
            lost_before,
            activatable: false,
            display: Display::NotTold,
            asking_display: None,
            last_call: 0,
            pending: BTreeMap::new(),
            late: BTreeSet::new(),
            numbers: BTreeMap::new(),
            adoptable: BTreeMap::new(),
            displayed: BTreeMap::new(),
            deferred: BTreeMap::new(),
            early_signals: VecDeque::new(),
            effects: Vec::new(),
        }
    }

    /// Updates the bookkeeping and returns what is to be done about it.
    pub(super) fn handle(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Connected => {
                self.query(Query::Activatable);
                self.query(Query::Owner);
            }
            Input::Command(command) => self.on_command(command),
            Input::OwnerChanged(owner) => self.on_owner_changed(owner),
            Input::DisplayChanged => {
                if self.presence == Presence::Ready {
                    // It is not always said to what.
                    self.ask_display();
                }
            }
            Input::Signal { sender, number, signal } => {
                if self.owner.as_ref() == Some(&sender) {
                    self.on_signal(number, signal);
                }
            }
            Input::OwnerReply(reply) => self.on_owner_reply(reply),
            Input::InformationReply { name, version } => {
                (self.server.name, self.server.version) = (name, version);
            }
            Input::ActivatableReply(activatable) => self.activatable = activatable,
            Input::DisplayReply(display) => self.on_display_reply(display),
            Input::CapabilitiesReply(reply) => self.on_capabilities_reply(reply),
            Input::NotifyReply(call, reply) => self.on_notify_reply(call, reply),
            Input::NotifyTimedOut(call) => self.on_notify_timed_out(call),
            Input::Disconnected(reason) => self.on_disconnected(&reason),
        }
        std::mem::take(&mut self.effects)
    }

    /// Returns whether a reply to this call would still change anything.
    pub(super) fn expects_reply(&self, call: CallId) -> bool {
        self.pending.contains_key(&call) || self.late.contains(&call)
    }

    /// Returns whether a reminder is on its way to the screen.
    pub(super) fn is_in_flight(&self) -> bool {
        !self.pending.is_empty()
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Adopt(alert, handle) => {
                self.adoptable.insert(alert, handle);
                if self.presence == Presence::Ready {
                    self.adopt();
                }
            }
            Command::Show(notice) => self.on_show(notice),
            Command::Withdraw(alert) => self.on_withdraw(alert),
        }
    }

    fn on_show(&mut self, notice: Notice) {
        let alert = notice.alert;
        if self.presence == Presence::Ready && !self.is_alert_in_flight(alert) {
            if self.displayed.get(&alert) != Some(&notice) {
                self.notify(notice);
            }
            return;
        }
        let is_server_unasked = self.presence == Presence::Unknown && !self.is_alert_in_flight(alert);
        self.deferred.insert(alert, Command::Show(notice));
        if is_server_unasked {
            // The bus starts a server that can be started.
            self.query_server();
        }
    }

    fn on_withdraw(&mut self, alert: AlertId) {
        // Whether an adopted one is on this server's screen is known once the server has replied.
        if self.is_alert_in_flight(alert) || self.adoptable.contains_key(&alert) {
            self.deferred.insert(alert, Command::Withdraw(alert));
            return;
        }
        self.deferred.remove(&alert);
        self.displayed.remove(&alert);
        self.close(alert);
    }

    fn on_owner_reply(&mut self, reply: Result<String, String>) {
        let is_server_unasked = self.presence == Presence::Unknown;
        match reply {
            Ok(owner) => {
                self.owner = Some(owner);
                if is_server_unasked {
                    self.query_server();
                }
            }
            Err(_) => {
                self.lost_before = true;
                if is_server_unasked {
                    self.emit_vanished("no notification server runs");
                }
            }
        }
    }

    fn on_owner_changed(&mut self, owner: Option<String>) {
        self.owner = owner;
        self.numbers.clear();
        self.displayed.clear();
        self.early_signals.clear();
        self.late.clear();
        let was_ready = self.presence == Presence::Ready;
        if self.owner.is_none() {
            if was_ready {
                self.emit_vanished("the notification server is gone");
            }
            self.lost_before = true;
            self.presence = Presence::Unknown;
            self.asking_display = None;
            self.set_display(Display::NotTold);
        } else if self.presence != Presence::Queried {
            // Where one took over from another, the new one has shown nothing yet.
            self.lost_before |= was_ready;
            self.query_server();
        }
        // Else the bus started it for our own question, and its reply is on its way.
    }

    fn on_capabilities_reply(&mut self, reply: Result<Capabilities, String>) {
        match reply {
            Ok(Capabilities { sender, names }) => {
                // Who replies is the owner, also where the bus has just started it.
                self.owner = sender.or(self.owner.take());
                self.server.capabilities = names;
                // Before anything is shown.
                self.ask_display();
            }
            Err(reason) => {
                self.presence = Presence::Unknown;
                self.lost_before = true;
                self.emit(Event::ServerVanished { reason: reason.clone(), on_demand: false });
                self.fail_deferred(&reason);
            }
        }
    }

    fn on_display_reply(&mut self, display: Display) {
        // None is being asked: it is about a server that is gone.
        let Some(is_outdated) = self.asking_display.take() else { return };
        self.set_display(display);
        if self.presence == Presence::Queried {
            self.on_ready();
        }
        if is_outdated {
            self.ask_display();
        }
    }

    /// Shows what waits: all is known of the server.
    fn on_ready(&mut self) {
        self.presence = Presence::Ready;
        let again = std::mem::take(&mut self.lost_before);
        self.emit(Event::ServerAppeared { server: self.server.clone(), again });
        self.adopt();
        for (_, command) in std::mem::take(&mut self.deferred) {
            self.on_command(command);
        }
    }

    fn on_notify_reply(&mut self, call: CallId, reply: Result<u32, String>) {
        let Some(Pending { alert, .. }) = self.pending.remove(&call) else {
            // An alert that was given up is on the screen after all, with another one in its place.
            if self.late.remove(&call) {
                if let Ok(number) = reply {
                    self.close_unknown(number);
                }
            }
            return;
        };
        match reply {
            Ok(number) => self.on_shown(alert, number),
            Err(reason) => {
                // What was deferred for it and what it was to replace are of an alert that is given up.
                self.deferred.remove(&alert);
                self.close(alert);
                self.fail(alert, reason);
            }
        }
        if self.pending.is_empty() {
            self.early_signals.clear();
        }
        if let Some(command) = self.deferred.remove(&alert) {
            self.on_command(command);
        }
    }

    fn on_notify_timed_out(&mut self, call: CallId) {
        if !self.pending.contains_key(&call) {
            return;
        }
        self.on_notify_reply(call, Err(timeout_reason()));
        self.late.insert(call);
        if self.late.len() > MAX_LATE_CALLS {
            self.late.pop_first();
        }
    }

    /// Notes that an alert is on the screen, under the server's number.
    fn on_shown(&mut self, alert: AlertId, number: u32) {
        // A server that shows it as a dialog gives no number, and takes nothing down.
        let before =
            if number == 0 { self.numbers.remove(&alert) } else { self.numbers.insert(alert, number) };
        let before = before.filter(|before| *before != number);
        if let Some(other) = self.alert_of(number, Some(alert)) {
            // The newest notification has the number: the one before it is gone.
            self.on_own_signal(other, Signal::Closed(CloseReason::Undefined));
        }
        if let Some(before) = before {
            // The server gave the replacement another number, and may have left the old one on the screen.
            self.emit_close(before);
        }
        let server = self.server_id();
        self.emit(Event::Shown(alert, NotificationHandle { notification: number, server }));
        let (own, others): (VecDeque<_>, _) =
            std::mem::take(&mut self.early_signals).into_iter().partition(|(of, _)| *of == number);
        self.early_signals = others;
        for (_, signal) in own {
            self.on_own_signal(alert, signal);
        }
    }

    fn on_signal(&mut self, number: u32, signal: Signal) {
        match self.alert_of(number, None) {
            // Some servers close the old notification while they replace it; the person did nothing.
            Some(_) if matches!(signal, Signal::Closed(_)) && self.is_being_replaced(number) => {}
            Some(alert) => self.on_own_signal(alert, signal),
            // About another program's notification, or one of ours that is gone.
            None if self.pending.is_empty() => {}
            None => {
                // The reply with its number may still be on its way.
                if self.early_signals.len() == MAX_EARLY_SIGNALS {
                    self.early_signals.pop_front();
                }
                self.early_signals.push_back((number, signal));
            }
        }
    }

    fn on_own_signal(&mut self, alert: AlertId, signal: Signal) {
        self.displayed.remove(&alert);
        match signal {
            Signal::Pressed(button) => self.emit(Event::Pressed(alert, button)),
            Signal::Closed(reason) => {
                self.numbers.remove(&alert);
                self.emit(Event::Closed(alert, reason));
            }
        }
    }

    fn on_disconnected(&mut self, reason: &str) {
        for Pending { alert, .. } in std::mem::take(&mut self.pending).into_values() {
            self.fail(alert, reason.to_owned());
        }
        self.fail_deferred(reason);
        self.set_display(Display::NotTold);
    }

    fn query(&mut self, query: Query) {
        self.effects.push(Effect::Query(query));
    }

    fn query_server(&mut self) {
        self.presence = Presence::Queried;
        self.asking_display = None;
        self.query(Query::Information);
        self.query(Query::Capabilities);
    }

    /// Asks whether the desktop shows notifications; where that is being asked, once more afterwards.
    fn ask_display(&mut self) {
        let is_asking = self.asking_display.is_some();
        self.asking_display = Some(is_asking);
        if !is_asking {
            self.effects.push(Effect::AskDisplay(self.server.clone()));
        }
    }

    fn notify(&mut self, notice: Notice) {
        let alert = notice.alert;
        if self.server.has(Quirk::ReplacesWithoutButtons) {
            self.close(alert);
        }
        let replaces = self.numbers.get(&alert).copied().unwrap_or(0);
        self.last_call += 1;
        let call = CallId(self.last_call);
        self.pending.insert(call, Pending { alert, replaces });
        self.displayed.insert(alert, notice.clone());
        self.effects.push(Effect::Notify(Notify { call, notice, replaces, server: self.server.clone() }));
    }

    fn emit(&mut self, event: Event) {
        self.effects.push(Effect::Event(event));
    }

    fn emit_close(&mut self, number: u32) {
        self.effects.push(Effect::CloseNotification(number));
    }

    /// Closes an alert's notification, if it has one.
    fn close(&mut self, alert: AlertId) {
        if let Some(number) = self.numbers.remove(&alert) {
            self.emit_close(number);
        }
    }

    fn close_unknown(&mut self, number: u32) {
        if self.alert_of(number, None).is_none() {
            self.emit_close(number);
        }
    }

    fn fail(&mut self, alert: AlertId, reason: String) {
        self.numbers.remove(&alert);
        self.displayed.remove(&alert);
        self.emit(Event::NotShown(alert, reason));
    }

    fn fail_deferred(&mut self, reason: &str) {
        for (alert, command) in std::mem::take(&mut self.deferred) {
            if matches!(command, Command::Show(_)) {
                self.emit(Event::NotShown(alert, reason.to_owned()));
            }
        }
    }

    fn emit_vanished(&mut self, reason: &str) {
        self.emit(Event::ServerVanished { reason: reason.to_owned(), on_demand: self.activatable });
    }

    fn set_display(&mut self, display: Display) {
        if display != self.display {
            self.display = display;
            self.emit(Event::Display(display));
        }
    }

    /// Adopts what an earlier run left on the screen, where it was left with this very server.
    fn adopt(&mut self) {
        let server = self.server_id();
        for (alert, handle) in std::mem::take(&mut self.adoptable) {
            if handle.server == server {
                self.numbers.insert(alert, handle.notification);
            }
        }
    }

    /// Returns the alert that has this number, other than one.
    fn alert_of(&self, number: u32, except: Option<AlertId>) -> Option<AlertId> {
        let mut known = self.numbers.iter();
        known.find(|(alert, known)| **known == number && Some(**alert) != except).map(|(alert, _)| *alert)
    }

    fn is_alert_in_flight(&self, alert: AlertId) -> bool {
        self.pending.values().any(|pending| pending.alert == alert)
    }

    fn is_being_replaced(&self, number: u32) -> bool {
        self.pending.values().any(|pending| pending.replaces == number)
    }

    /// Returns the name of this very run of the server.
    fn server_id(&self) -> Option<Arc<str>> {
        let owner = self.owner.as_ref()?;
        Some(format!("{}/{owner}", self.bus_id).into())
    }
}

#[cfg(test)]
mod tests;
