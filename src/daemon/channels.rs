//! What goes out beyond the desktop, what comes back, and how to try it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::oneshot;
use tracing::{debug, info, warn};

use super::Daemon;
use crate::api::Reply;
use crate::channel::{self, Key, MAX_TOKENS, Message, tokens, write_tokens};
use crate::desktop;
use crate::reminder::{AlertId, Button, Input, Notice};
use crate::schedule::{ChannelId, ChannelSpec, Way};

/// How long a channel that is tried has for its answer.
const TRY_TIMEOUT: Duration = Duration::from_secs(9);

/// What came of the last reminder of a channel.
#[derive(Clone, Debug)]
pub(super) struct LastTry {
    pub(super) at: Timestamp,
    pub(super) error: Option<String>,
}

/// The channels as they are now.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) specs: Vec<ChannelSpec>,
    pub(super) last: BTreeMap<ChannelId, LastTry>,
}

/// What a channel said to somebody who tries it.
type Outcome = oneshot::Receiver<Result<(), String>>;

impl Daemon {
    /// Takes the channels of a schedule, before anything of it is sent.
    pub(super) fn use_channels(&mut self, specs: &[ChannelSpec]) {
        let takes_answers = |spec: &ChannelSpec| matches!(spec.way, Way::Ntfy { replies: Some(_), .. });
        if self.key.is_none() && specs.iter().any(takes_answers) {
            self.key = Key::load(&self.options.data_dir.join("reply.key"))
                .inspect_err(|error| warn!(%error, "phones cannot answer: reply.key in the data directory cannot be used"))
                .ok();
        }
        self.condition.channels.specs = specs.to_vec();
        self.condition.channels.last.retain(|id, _| specs.iter().any(|spec| spec.id == *id));
        let _ = self.channels.send(channel::Command::Use(specs.to_vec()));
    }

    pub(super) fn send(&self, now: Timestamp, channel: ChannelId, notice: Notice) {
        let Some(spec) = self.condition.channels.specs.iter().find(|spec| spec.id == channel) else { return };
        let answers = self.answers(&channel, &notice);
        let occurrences = notice.occurrences.iter().filter(|_| !spec.private).map(ToString::to_string);
        let message = Message {
            alert: notice.alert,
            channel,
            title: notice.title,
            occurrences: occurrences.collect(),
            body: notice.body,
            at: now,
            answers,
            is_test: false,
        };
        let _ = self.channels.send(channel::Command::Send(message));
    }

    /// Returns what the buttons of a reminder say and send back.
    fn answers(&self, channel: &ChannelId, notice: &Notice) -> Vec<(String, String)> {
        let Some(key) = self.key.as_ref().filter(|_| notice.occurrences.len() <= MAX_TOKENS) else {
            return Vec::new();
        };
        let awaited = self.reminder.awaited(channel);
        let answer = |(button, label): &(Button, String)| {
            let asked = awaited.iter().filter(|(occurrence, _)| notice.occurrences.contains(occurrence));
            let tokens: Vec<_> =
                asked.map(|(occurrence, due)| key.token(*button, occurrence, *due)).collect();
            (label.clone(), write_tokens(&tokens))
        };
        notice.buttons.iter().map(answer).collect()
    }

    pub(super) fn take_channel(&mut self, now: Timestamp, event: channel::Event) {
        match event {
            channel::Event::Sent(alert, channel) => {
                self.condition.channels.last.insert(channel, LastTry { at: now, error: None });
                self.input(now, Input::Sent(alert));
            }
            channel::Event::NotSent(alert, channel, reason) => {
                warn!(%channel, %reason, "a reminder could not go out");
                let last = LastTry { at: now, error: Some(reason.clone()) };
                self.condition.channels.last.insert(channel, last);
                self.input(now, Input::NotSent(alert, reason));
            }
            channel::Event::Replied(channel, message) => self.take_reply(now, &channel, &message),
        }
    }

    /// Looks whether a message is an answer to what was sent, and takes it as such.
    fn take_reply(&mut self, now: Timestamp, channel: &ChannelId, message: &str) {
        let Some(key) = &self.key else { return };
        let given = tokens(message);
        let mut answers = Vec::new();
        for (occurrence, due) in self.reminder.awaited(channel) {
            let said = Button::ALL.into_iter().find(|button| {
                let token = key.token(*button, &occurrence, due);
                given.contains(&token.as_str())
            });
            answers.extend(said.map(|button| (occurrence, button)));
        }
        if answers.is_empty() {
            debug!(%channel, "a message that is no answer");
        }
        for (occurrence, button) in answers {
            info!(%channel, "an answer came from afar");
            self.input(now, Input::Replied(occurrence, button));
        }
    }

    /// Tries every channel, the desktop first: with a harmless reminder, or without sending anything.
    pub(super) fn try_channels(&mut self, now: Timestamp, is_sent: bool, reply: oneshot::Sender<Reply>) {
        let mut tried: Vec<(String, &'static str, Outcome)> = Vec::new();
        tried.push((ChannelId::DESKTOP.to_owned(), "desktop", self.try_desktop(is_sent)));
        for spec in self.condition.channels.specs.clone() {
            let (sender, outcome) = oneshot::channel();
            tried.push((spec.id.to_string(), spec.way.as_str(), outcome));
            let command = if is_sent {
                channel::Command::Try(self.test_message(now, spec.id), sender)
            } else {
                channel::Command::Check(spec.id, sender)
            };
            let _ = self.channels.send(command);
        }
        tokio::spawn(async move {
            let until = tokio::time::Instant::now() + TRY_TIMEOUT;
            let mut rows = Vec::new();
            for (channel, kind, outcome) in tried {
                let outcome = match tokio::time::timeout_at(until, outcome).await {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(_)) => Err("nothing came of it".to_owned()),
                    Err(_) => Err(format!("no answer within {} s", TRY_TIMEOUT.as_secs())),
                };
                rows.push(json!({ "channel": channel, "kind": kind, "ok": outcome.is_ok(), "error": outcome.err() }));
            }
            // Whoever asked may have gone.
            let _ = reply.send(Reply::ok(serde_json::Value::Array(rows).to_string()));
        });
    }

    fn try_desktop(&mut self, is_sent: bool) -> Outcome {
        let (sender, outcome) = oneshot::channel();
        if is_sent {
            let notice = self.test_notice();
            self.tests.insert(notice.alert, sender);
            let _ = self.desktop.send(desktop::Command::Show(notice));
        } else {
            let reason = self.condition.no_server.clone();
            let _ = sender.send(reason.map_or(Ok(()), Err));
        }
        outcome
    }

    fn test_notice(&mut self) -> Notice {
        self.last_test += 1;
        Notice {
            // The core counts from below.
            alert: AlertId(u64::MAX - self.last_test),
            occurrences: Vec::new(),
            due: None,
            title: "A test of dosed".to_owned(),
            body: vec!["Reminders reach you here. This one needs no answer.".to_owned()],
            command: None,
            buttons: Vec::new(),
        }
    }

    fn test_message(&mut self, now: Timestamp, channel: ChannelId) -> Message {
        let Notice { alert, title, body, .. } = self.test_notice();
        let (occurrences, answers) = (Vec::new(), Vec::new());
        Message { alert, channel, title, body, occurrences, at: now, answers, is_test: true }
    }
}
