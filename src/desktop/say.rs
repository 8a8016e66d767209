//! What the server is asked: to show, to replace, to take down, and what it can do.

use std::collections::HashMap;
use std::num::NonZeroU32;

use tokio::time::Instant;
use tracing::{debug, warn};
use zbus::message::Flags;
use zbus::{Message, Variant};

use super::{
    ANSWER_TIMEOUT, BUS, BUS_PATH, Call, Command, Desktop, Event, INHIBITED, PATH, PROPERTIES, Presence,
    SERVER, Server, notification,
};
use crate::failpoints;
use crate::reminder::{AlertId, Notice};

/// Calls for notifications whose answer is still taken, although nobody waits for it any more.
const MAX_LATE: usize = 64;

impl Desktop {
    pub(super) async fn take(&mut self, command: Command) {
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
    pub(super) fn adopt(&mut self) {
        let server = self.server_id();
        for (alert, place) in std::mem::take(&mut self.left) {
            if place.server == server {
                self.numbers.insert(alert, place.notification);
            }
        }
    }

    /// Takes an alert's notification off the screen, if it has one.
    pub(super) async fn close(&mut self, alert: AlertId) {
        if let Some(number) = self.numbers.remove(&alert) {
            self.close_number(number).await;
        }
    }

    pub(super) async fn close_number(&self, number: u32) {
        let message = Message::method_call(PATH, "CloseNotification")
            .destination(SERVER)
            .interface(SERVER)
            .with_flags(Flags::NO_REPLY_EXPECTED)
            .build(&(number,));
        if let Ok(message) = message {
            self.send(&message).await;
        }
    }

    pub(super) async fn ask_server(&mut self) {
        self.presence = Presence::Asking;
        self.call(Call::Information, SERVER, SERVER, "GetServerInformation", &()).await;
        // Before the answer to the next one lets everything that waits be shown.
        self.ask_inhibited().await;
        self.call(Call::Capabilities, SERVER, SERVER, "GetCapabilities", &()).await;
    }

    pub(super) async fn ask_inhibited(&mut self) {
        self.call(Call::Inhibited, SERVER, PROPERTIES, "Get", &(SERVER, INHIBITED)).await;
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
        self.call(Call::Notify { alert, replaces }, SERVER, SERVER, "Notify", &body).await;
    }

    /// Sends a call; its answer comes through the stream, or not in time.
    pub(super) async fn call<B>(
        &mut self,
        call: Call,
        to: &'static str,
        interface: &'static str,
        method: &'static str,
        body: &B,
    ) where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        let path = if to == BUS { BUS_PATH } else { PATH };
        let message = Message::method_call(path, method).destination(to).interface(interface).build(body);
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
    pub(super) async fn send(&self, message: &Message) {
        match tokio::time::timeout(ANSWER_TIMEOUT, self.connection.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "the session bus did not take a message"),
            Err(_) => debug!("the session bus did not take a message in time"),
        }
    }

    pub(super) async fn time_out(&mut self) {
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

    pub(super) async fn take_waiting(&mut self) {
        for (_, command) in std::mem::take(&mut self.waiting) {
            self.take(command).await;
        }
    }

    pub(super) fn fail(&mut self, alert: AlertId, reason: String) {
        self.numbers.remove(&alert);
        self.on_screen.remove(&alert);
        self.tell(Event::NotShown(alert, reason));
    }

    pub(super) fn fail_waiting(&mut self, reason: &str) {
        for (alert, command) in std::mem::take(&mut self.waiting) {
            if matches!(command, Command::Show(_)) {
                self.tell(Event::NotShown(alert, reason.to_owned()));
            }
        }
    }

    /// Tells of everything that was on its way when the connection ended.
    pub(super) fn fail_all(&mut self, reason: &str) {
        let calls: Vec<Call> = self.calls.drain().map(|(_, (call, _))| call).collect();
        for call in calls {
            if let Call::Notify { alert, .. } = call {
                self.fail(alert, reason.to_owned());
            }
        }
        self.fail_waiting(reason);
        self.set_inhibited(false);
    }
}
