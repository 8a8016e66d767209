//! One connection to the session bus: feeds the state with what arrives, and performs its effects.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{debug, warn};
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream};

use super::incoming::{self, Call};
use super::state::{DesktopState, Effect, Input};
use super::{Command, Display, Event, REPLY_TIMEOUT, Surroundings, display, outgoing, timeout_reason};
use crate::process::failpoints;

/// A call that waits for its reply.
#[derive(Debug)]
struct SentCall {
    call: Call,
    /// `None` once it has timed out, while a late reply still matters.
    deadline: Option<Instant>,
}

pub(super) struct Session {
    connection: Connection,
    events: mpsc::UnboundedSender<Event>,
    state: DesktopState,
    /// By serial number.
    calls: BTreeMap<NonZeroU32, SentCall>,
    /// What was asked beside the calls.
    displays: JoinSet<Display>,
    surroundings: Surroundings,
}

impl Session {
    pub(super) fn new(
        connection: Connection,
        events: mpsc::UnboundedSender<Event>,
        lost_before: bool,
        surroundings: Surroundings,
    ) -> Self {
        let state = DesktopState::new(connection.server_guid().to_string(), lost_before);
        Self { connection, events, state, calls: BTreeMap::new(), displays: JoinSet::new(), surroundings }
    }

    /// Serves until the connection or the commands end, and returns the reason.
    pub(super) async fn serve(
        &mut self,
        mut stream: MessageStream,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        first: Option<Command>,
    ) -> String {
        self.feed(Input::Connected).await;
        if let Some(first) = first {
            self.feed(Input::Command(first)).await;
        }
        let mut is_ending = false;
        let reason = loop {
            // What is on its way to the screen is to be taken down, too.
            if is_ending && !self.state.is_in_flight() {
                break "dosed ends".to_owned();
            }
            let deadline = self.calls.values().filter_map(|sent| sent.deadline).min();
            let timed_out = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                message = stream.next() => match message {
                    Some(Ok(message)) => self.on_message(&message).await,
                    Some(Err(error)) => break format!("the session bus is gone: {error}"),
                    None => break "the session bus is gone".to_owned(),
                },
                command = commands.recv(), if !is_ending => match command {
                    Some(command) => self.feed(Input::Command(command)).await,
                    None => is_ending = true,
                },
                Some(display) = self.displays.join_next() => {
                    // One that was given up says nothing.
                    if let Ok(display) = display {
                        self.feed(Input::DisplayReply(display)).await;
                    }
                }
                () = timed_out => self.on_time_out().await,
            }
        };
        self.feed(Input::Disconnected(reason.clone())).await;
        reason
    }

    async fn on_message(&mut self, message: &Message) {
        let input = match message.message_type() {
            Type::MethodReturn | Type::Error => self.decode_reply(message),
            Type::Signal => incoming::signal(message),
            Type::MethodCall => None,
        };
        if let Some(input) = input {
            self.feed(input).await;
        }
    }

    fn decode_reply(&mut self, message: &Message) -> Option<Input> {
        let sent = self.calls.remove(&message.header().reply_serial()?)?;
        let input = incoming::reply(sent.call, message);
        if sent.deadline.is_some() && matches!(input, Some(Input::NotifyReply(_, Ok(_)))) {
            failpoints::reach("after-notify");
        }
        input
    }

    async fn on_time_out(&mut self) {
        let now = Instant::now();
        let mut inputs = Vec::new();
        for sent in self.calls.values_mut().filter(|sent| sent.deadline.is_some_and(|at| at <= now)) {
            sent.deadline = None;
            inputs.extend(match sent.call {
                Call::Notify(id) => Some(Input::NotifyTimedOut(id)),
                query @ Call::Query(_) => incoming::failure(query, timeout_reason()),
            });
        }
        for input in inputs {
            self.feed(input).await;
        }
        let state = &self.state;
        self.calls.retain(|_, sent| match sent.call {
            Call::Notify(id) => state.expects_reply(id),
            Call::Query(_) => sent.deadline.is_some(),
        });
    }

    /// Gives the state an input, and what follows from performing its effects.
    async fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for effect in self.state.handle(input) {
                inputs.extend(self.perform(effect).await);
            }
        }
    }

    async fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::AskDisplay(server) => {
                let (connection, config_dir) =
                    (self.connection.clone(), self.surroundings.config_dir.clone());
                // What was asked of a server before this one.
                self.displays.abort_all();
                self.displays.spawn(display::ask(connection, server, config_dir));
                None
            }
            Effect::Query(query) => self.call(Call::Query(query), outgoing::query(query)).await,
            Effect::Notify(notify) => {
                failpoints::reach("before-notify");
                self.call(Call::Notify(notify.call), outgoing::notify(&notify, &self.surroundings.icon)).await
            }
            Effect::CloseNotification(number) => {
                if let Ok(message) = outgoing::close_notification(number) {
                    self.send(&message).await;
                }
                None
            }
            Effect::Event(event) => {
                // The daemon ends after this task.
                let _ = self.events.send(event);
                None
            }
        }
    }

    /// Sends a call; its reply comes through the stream, or not in time. Returns an input where it cannot be built.
    async fn call(&mut self, call: Call, message: zbus::Result<Message>) -> Option<Input> {
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                warn!(%error, ?call, "a message to the notification server could not be built");
                return incoming::failure(call, error.to_string());
            }
        };
        let serial = message.primary_header().serial_num();
        self.calls.insert(serial, SentCall { call, deadline: Some(Instant::now() + REPLY_TIMEOUT) });
        self.send(&message).await;
        None
    }

    /// Sends a message; a bus that accepts none in time makes the call time out.
    async fn send(&self, message: &Message) {
        match tokio::time::timeout(REPLY_TIMEOUT, self.connection.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "the session bus did not accept a message"),
            Err(_) => debug!("the session bus did not accept a message in time"),
        }
    }
}
