//! What goes out beyond the desktop, what comes back, and how the channels are tested.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tracing::{debug, info, warn};

use super::Daemon;
use crate::adapters::channels::{self, Command, Key, MAX_TOKENS, Message, tokens, write_tokens};
use crate::adapters::desktop;
use crate::adapters::http::Reply;
use crate::core::reminder::{AlertId, Button, CLOCKS_DISAGREE, DeliveryReply, Input, Notice, Outgoing};
use crate::core::schedule::{ChannelId, ChannelSpec};
use crate::protocol::ChannelTest;

/// How long a channel that is tested has to respond.
const TEST_TIMEOUT: Duration = Duration::from_secs(9);

/// What came of the last attempt to send a reminder by a channel, or to hear answers.
#[derive(Clone, Debug)]
pub(super) struct LastAttempt {
    pub(super) at: Timestamp,
    pub(super) error: Option<String>,
}

/// The channels as they are now.
#[derive(Clone, Debug, Default)]
pub(super) struct ChannelStates {
    pub(super) specs: Vec<ChannelSpec>,
    pub(super) last: BTreeMap<ChannelId, LastAttempt>,
    /// What came of the last attempt to hear answers.
    pub(super) replies: BTreeMap<ChannelId, LastAttempt>,
}

/// What came of a test: nothing, or why it failed.
type TestResult = Result<(), String>;

/// Notifications that only test the desktop, each with the test that waits for its result.
#[derive(Debug, Default)]
pub(super) struct DesktopTests {
    last: u64,
    waiting: HashMap<AlertId, oneshot::Sender<TestResult>>,
}

impl DesktopTests {
    /// Returns an alert that is no reminder's.
    fn next_alert(&mut self) -> AlertId {
        self.last += 1;
        // The core counts from below.
        AlertId(u64::MAX - self.last)
    }

    pub(super) fn contains(&self, alert: AlertId) -> bool {
        self.waiting.contains_key(&alert)
    }

    pub(super) fn end(&mut self, alert: AlertId, result: TestResult) {
        if let Some(waiting) = self.waiting.remove(&alert) {
            // The requester may be gone.
            let _ = waiting.send(result);
        }
    }
}

impl Daemon {
    /// Configures the channels of a schedule, before anything of it is sent.
    pub(super) fn use_channels(&mut self, specs: &[ChannelSpec]) {
        if self.reply_key.is_none() && specs.iter().any(|spec| spec.transport.carries_replies()) {
            self.reply_key = Key::load(&self.options.data_dir.join("reply.key"))
                .inspect_err(|error| warn!(%error, "phones cannot answer: reply.key in the data directory cannot be used"))
                .ok();
        }
        let before = std::mem::replace(&mut self.status.channels.specs, specs.to_vec());
        self.status.channels.last.retain(|id, _| specs.iter().any(|spec| spec.id == *id));
        // What was wrong with a channel that is changed may be so no more.
        self.status.channels.replies.retain(|id, _| {
            let of = |spec: &&ChannelSpec| spec.id == *id;
            before.iter().find(of) == specs.iter().find(of)
        });
        self.to_channels(Command::Configure(specs.to_vec()));
    }

    pub(super) fn to_channels(&self, command: Command) {
        // The task that receives it ends after this one.
        let _ = self.channels.send(command);
    }

    /// Passes a reminder on to its channel.
    pub(super) fn send(&self, now: Timestamp, outgoing: Outgoing, command: fn(Message) -> Command) {
        let Outgoing { channel, notice, nonce } = outgoing;
        let Some(spec) = self.status.channels.specs.iter().find(|spec| spec.id == channel) else { return };
        let answers = nonce.map_or_else(Vec::new, |nonce| self.answers(&channel, &notice, &nonce));
        let message = Message {
            alert: notice.alert,
            channel,
            title: notice.title,
            occurrences: notice.occurrences,
            private: spec.private,
            body: notice.body,
            at: now,
            answers,
            is_test: false,
        };
        self.to_channels(command(message));
    }

    /// Returns the labels of a reminder's buttons with what each sends back.
    fn answers(&self, channel: &ChannelId, notice: &Notice, nonce: &str) -> Vec<(String, String)> {
        let Some(key) = self.reply_key.as_ref().filter(|_| notice.occurrences.len() <= MAX_TOKENS) else {
            return Vec::new();
        };
        let answer = |(button, label): &(Button, String)| {
            let asked = notice.occurrences.iter();
            let tokens: Vec<_> =
                asked.map(|occurrence| key.token(*button, channel, occurrence, nonce)).collect();
            (label.clone(), write_tokens(&tokens))
        };
        notice.buttons.iter().map(answer).collect()
    }

    pub(super) fn on_channel_event(&mut self, now: Timestamp, event: channels::Event) {
        match event {
            channels::Event::Sent(alert, channel, occurrences) => {
                self.status.channels.last.insert(channel, LastAttempt { at: now, error: None });
                self.input(now, Input::Sent(alert, occurrences));
            }
            channels::Event::NotSent(alert, channel, reason) => {
                warn!(%channel, %reason, "a reminder could not be sent");
                let last = LastAttempt { at: now, error: Some(reason.clone()) };
                self.status.channels.last.insert(channel, last);
                self.input(now, Input::NotSent(alert, reason));
            }
            channels::Event::Unsent(alert) => self.input(now, Input::Unsent(alert)),
            channels::Event::Replied(channel, reply) => self.on_reply(now, &channel, &reply),
            channels::Event::Listening(channel, outcome) => self.on_listening(now, channel, outcome.err()),
        }
    }

    /// Notes whether answers can be heard, and logs it where that has changed.
    fn on_listening(&mut self, now: Timestamp, channel: ChannelId, error: Option<String>) {
        let before = self.status.channels.replies.get(&channel).and_then(|last| last.error.as_ref());
        match (before, &error) {
            (None, Some(reason)) => {
                warn!(%channel, %reason, "answers cannot be heard; dosed goes on trying, less and less often");
            }
            (Some(_), None) => info!(%channel, "answers can be heard again"),
            _ => {}
        }
        self.status.channels.replies.insert(channel, LastAttempt { at: now, error });
    }

    /// Handles a message that may be a reply to what was sent.
    fn on_reply(&mut self, now: Timestamp, channel: &ChannelId, reply: &channels::Reply) {
        let given = tokens(&reply.text);
        let Some(key) = self.reply_key.as_ref().filter(|_| !given.is_empty()) else { return };
        let at = reply.at.unwrap_or(now);
        let mut answers = Vec::new();
        for (occurrence, nonce) in self.reminder.unanswered_deliveries(channel) {
            let pressed = Button::ALL.into_iter().find_map(|button| {
                let token = key.token(button, channel, &occurrence, &nonce);
                given.contains(&token.as_str()).then_some((button, token))
            });
            answers.extend(pressed.map(|(button, key)| {
                let channel = channel.clone();
                DeliveryReply { channel, occurrence, nonce, button, at, key }
            }));
        }
        if answers.is_empty() {
            debug!(%channel, "a message that is not a reply to anything that waits");
        } else if at.duration_since(now) > CLOCKS_DISAGREE {
            warn!(%channel, %at, "a reply does not count: the clock of the server is ahead of this one");
        } else {
            info!(%channel, "a reply arrived");
        }
        for answer in answers {
            self.input(now, Input::Replied(answer));
        }
    }

    /// Tests every channel, the desktop first: with a harmless reminder, or without sending anything.
    pub(super) fn test_channels(&mut self, now: Timestamp, is_sent: bool, reply: Reply<Vec<ChannelTest>>) {
        let mut tests: Vec<(String, &'static str, oneshot::Receiver<TestResult>)> = Vec::new();
        tests.push((ChannelId::DESKTOP.to_owned(), "desktop", self.test_desktop(is_sent)));
        for spec in self.status.channels.specs.clone() {
            let (sender, outcome) = oneshot::channel();
            tests.push((spec.id.to_string(), spec.transport.as_str(), outcome));
            let command = if is_sent {
                Command::Test(self.test_message(now, spec.id), sender)
            } else {
                Command::Check(spec.id, sender)
            };
            self.to_channels(command);
        }
        tokio::spawn(async move {
            let until = tokio::time::Instant::now() + TEST_TIMEOUT;
            let mut rows = Vec::new();
            for (channel, kind, outcome) in tests {
                let outcome = match tokio::time::timeout_at(until, outcome).await {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(_)) => Err("no result".to_owned()),
                    Err(_) => Err(format!("no response within {} s", TEST_TIMEOUT.as_secs())),
                };
                rows.push(ChannelTest {
                    channel,
                    kind: kind.to_owned(),
                    ok: outcome.is_ok(),
                    error: outcome.err(),
                });
            }
            // The requester may be gone.
            let _ = reply.send(Ok(rows));
        });
    }

    fn test_desktop(&mut self, is_sent: bool) -> oneshot::Receiver<TestResult> {
        let (sender, outcome) = oneshot::channel();
        if is_sent {
            let notice = self.test_notice();
            self.desktop_tests.waiting.insert(notice.alert, sender);
            let _ = self.desktop.send(desktop::Command::Show(notice));
        } else {
            let reason = self.status.no_server.clone();
            let _ = sender.send(reason.map_or(Ok(()), Err));
        }
        outcome
    }

    fn test_notice(&mut self) -> Notice {
        let body = vec!["Reminders reach you here. This one needs no answer.".to_owned()];
        let notice = Notice::plain(self.desktop_tests.next_alert(), "dosed test", body);
        Notice { sound: self.reminder.asks_for_sound(), is_test: true, ..notice }
    }

    fn test_message(&mut self, now: Timestamp, channel: ChannelId) -> Message {
        let Notice { alert, title, body, .. } = self.test_notice();
        let (occurrences, answers) = (Vec::new(), Vec::new());
        Message { alert, channel, title, body, occurrences, private: true, at: now, answers, is_test: true }
    }
}
