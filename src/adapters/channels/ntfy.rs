//! Phones, by ntfy: publishes reminders to one topic, and receives answers from another; whether they are
//! genuine is not decided here.
//!
//! The formats are those of <https://docs.ntfy.sh/publish/> and <https://docs.ntfy.sh/subscribe/api/>.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::debug;

use super::http::{Authorization, Http};
use super::{Event, Message, Reply, SendError, secret};
use crate::core::schedule::{ChannelId, ChannelSpec, SecretSource, Transport};

/// The longest line that a server may send, in bytes.
const MAX_LINE_BYTES: usize = 16 * 1024;

/// The longest message that is read, in bytes: ntfy carries no longer ones.
const MAX_REPLY_BYTES: usize = 4096;

/// The most buttons of a message.
const MAX_BUTTONS: usize = 3;

/// A server sends something every 45 seconds; one that is silent for longer than this is gone.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(150);

/// The delay before the first attempt to connect again, and the longest.
const RECONNECT_MIN_DELAY: Duration = Duration::from_secs(1);
const RECONNECT_MAX_DELAY: Duration = Duration::from_mins(5);

/// The same where the server refused it.
const REFUSED_MIN_DELAY: Duration = Duration::from_mins(1);
const REFUSED_MAX_DELAY: Duration = Duration::from_hours(1);

/// How long a server keeps a message unless it is set up otherwise.
const KEPT_BY_SERVERS: Duration = Duration::from_hours(12);

/// The number of consecutive failures from which on the person is told.
const OUTAGE_FROM: u32 = 3;

/// After a connection that lasted so long, delays are short again.
const STABLE_AFTER: Duration = Duration::from_mins(1);

/// Publishes a reminder.
///
/// `id` names it among the messages of its topic: another one of that name takes its place, where the server knows that.
pub(super) async fn publish(
    spec: &ChannelSpec,
    message: &Message,
    id: &str,
    http: &Http,
) -> Result<(), SendError> {
    let Transport::Ntfy { server, topic, replies, login, priority, tags } = &spec.transport else {
        return Ok(());
    };
    let topic = topic_name(topic).await?;
    let login = Authorization::read_any(login.as_ref()).await?;
    let mut body = json!({
        "topic": topic.expose_secret(),
        "sequence_id": id,
        "title": message.title,
        "message": message.body.join("\n"),
        "priority": priority,
        "tags": tags,
    });
    if let Some(replies) = replies {
        let url = format!("{server}/{}", topic_name(replies).await?.expose_secret());
        let button = |(label, text): &(String, String)| json!({ "action": "http", "label": label, "url": url, "method": "POST", "body": text, "clear": true });
        let actions: Vec<Value> = message.answers.iter().take(MAX_BUTTONS).map(button).collect();
        if let Some(object) = body.as_object_mut() {
            object.insert("actions".to_owned(), actions.into());
        }
    }
    http.post(server, login.as_ref(), &body).await
}

/// Checks that the server is healthy, and that answers can be heard.
pub(super) async fn check(spec: &ChannelSpec, http: &Http) -> Result<(), SendError> {
    let Transport::Ntfy { server, topic, replies, login, .. } = &spec.transport else { return Ok(()) };
    topic_name(topic).await?;
    Authorization::read_any(login.as_ref()).await?;
    drop(http.get(&format!("{server}/v1/health"), None).await?);
    if replies.is_some() {
        // What was published in the last second: it is about the permission.
        drop(connect(spec, http, "1s", Listen::Once).await.map_err(SendError::unheard)?);
    }
    Ok(())
}

/// Reads the name of a topic; anything else would change the address.
async fn topic_name(topic: &SecretSource) -> Result<SecretString, SendError> {
    let topic = secret::read(topic).await?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let name = topic.expose_secret();
    if name.len() <= 64 && name.bytes().all(legal) {
        return Ok(topic);
    }
    Err(SendError::Permanent("a topic has 1 to 64 of a-z, A-Z, 0-9, `-` and `_`".to_owned()))
}

/// What is asked of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listen {
    /// What was published, and what will be.
    On,
    /// Only what was published until now.
    Once,
}

/// Listens to what is published where a phone answers; if it asks once, it ends when it was answered, or never will be.
pub(super) async fn listen(
    spec: Arc<ChannelSpec>,
    http: Arc<Http>,
    since: Timestamp,
    how: Listen,
    events: mpsc::Sender<Event>,
) {
    let listening = attempts(spec, http, since, how, events);
    match how {
        Listen::On => listening.await,
        // What is older is nowhere any more.
        Listen::Once => drop(tokio::time::timeout(KEPT_BY_SERVERS, listening).await),
    }
}

async fn attempts(
    spec: Arc<ChannelSpec>,
    http: Arc<Http>,
    since: Timestamp,
    how: Listen,
    events: mpsc::Sender<Event>,
) {
    let mut delays = Delays::default();
    // A message of the same second is received twice rather than never.
    let mut since = since.as_second().to_string();
    loop {
        let started = Instant::now();
        let delay = match connect(&spec, &http, &since, how).await {
            Ok(body) => {
                // The daemon ends after this task.
                let _ = events.send(Event::Listening(spec.id.clone(), Ok(()))).await;
                match read_stream(&spec.id, body, &mut since, &events).await {
                    StreamEnd::Closed if how == Listen::Once => return,
                    end => debug!(channel = %spec.id, ?end, "the subscription to answers ended"),
                }
                delays.on_end(started.elapsed())
            }
            Err(error) => {
                debug!(channel = %spec.id, %error, "answers cannot be heard");
                let (delay, is_outage) = delays.on_error(&error);
                if is_outage {
                    let _ = events.send(Event::Listening(spec.id.clone(), Err(error.to_string()))).await;
                }
                delay
            }
        };
        tokio::time::sleep(delay).await;
    }
}

/// How long to wait before the next attempt to listen.
#[derive(Debug)]
struct Delays {
    /// After a connection broke or could not be made.
    temporary: ExponentialBackoff,
    /// After the server refused it, which will hardly change.
    permanent: ExponentialBackoff,
    /// How many attempts have failed in a row.
    failures: u32,
}

impl Default for Delays {
    fn default() -> Self {
        let backoff = |min: Duration, max: Duration| {
            ExponentialBuilder::default().with_min_delay(min).with_max_delay(max).without_max_times().build()
        };
        Self {
            temporary: backoff(RECONNECT_MIN_DELAY, RECONNECT_MAX_DELAY),
            permanent: backoff(REFUSED_MIN_DELAY, REFUSED_MAX_DELAY),
            failures: 0,
        }
    }
}

impl Delays {
    /// Returns the delay after a connection that lasted so long.
    fn on_end(&mut self, lasted: Duration) -> Duration {
        self.failures = 0;
        if lasted >= STABLE_AFTER {
            *self = Self::default();
        }
        self.temporary.next().unwrap_or(RECONNECT_MAX_DELAY)
    }

    /// Returns the delay after an attempt that failed, and whether the person has to know.
    fn on_error(&mut self, error: &SendError) -> (Duration, bool) {
        self.failures = self.failures.saturating_add(1);
        match error {
            SendError::Permanent(_) => (self.permanent.next().unwrap_or(REFUSED_MAX_DELAY), true),
            SendError::Retryable { min_delay, .. } => {
                let delay = self.temporary.next().unwrap_or(RECONNECT_MAX_DELAY);
                (delay.max(*min_delay), self.failures >= OUTAGE_FROM || !min_delay.is_zero())
            }
        }
    }
}

async fn connect(spec: &ChannelSpec, http: &Http, since: &str, how: Listen) -> Result<Incoming, SendError> {
    let Transport::Ntfy { server, replies: Some(replies), login, .. } = &spec.transport else {
        return Err(SendError::Permanent("the channel has no topic for answers".to_owned()));
    };
    let login = Authorization::read_any(login.as_ref()).await?;
    let topic = topic_name(replies).await?;
    let poll = if how == Listen::Once { "poll=1&" } else { "" };
    let url = format!("{server}/{}/json?{poll}since={since}", topic.expose_secret());
    http.get(&url, login.as_ref()).await
}

/// A message of the stream, one to a line.
#[derive(Deserialize)]
struct StreamMessage {
    event: String,
    #[serde(default)]
    id: String,
    /// Seconds since 1970, by the server's clock.
    #[serde(default)]
    time: Option<i64>,
    #[serde(default)]
    message: String,
}

/// Why a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StreamEnd {
    /// The server has no more to say.
    Closed,
    Broken,
    Silent,
    LineTooLong,
    /// dosed ends.
    Unheard,
}

/// Reads one stream to its end, and returns the reason; `since` moves on to the last message.
async fn read_stream(
    channel: &ChannelId,
    mut body: Incoming,
    since: &mut String,
    events: &mpsc::Sender<Event>,
) -> StreamEnd {
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        let frame = match tokio::time::timeout(SILENCE_TIMEOUT, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) => return StreamEnd::Broken,
            Ok(None) => return StreamEnd::Closed,
            Err(_) => return StreamEnd::Silent,
        };
        let Ok(data) = frame.into_data() else { continue };
        buffer.extend_from_slice(&data);
        while let Some(end) = buffer.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            // Anybody can publish to a topic whose name they know, and a server can send anything.
            let Ok(message) = serde_json::from_slice::<StreamMessage>(&line) else { continue };
            let is_id = !message.id.is_empty() && message.id.bytes().all(|b| b.is_ascii_alphanumeric());
            if message.event != "message" || message.message.len() > MAX_REPLY_BYTES {
                continue;
            }
            if is_id && message.id.len() <= 64 {
                *since = message.id;
            }
            let at = message.time.and_then(|seconds| Timestamp::from_second(seconds).ok());
            let reply = Reply { text: message.message, at };
            if events.send(Event::Replied(channel.clone(), reply)).await.is_err() {
                return StreamEnd::Unheard;
            }
        }
        if buffer.len() > MAX_LINE_BYTES {
            return StreamEnd::LineTooLong;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_cannot_hear_slows_down() {
        let secs = Duration::from_secs;
        let broken = |min_delay| SendError::Retryable { reason: "no".to_owned(), min_delay };
        let mut delays = Delays::default();
        let outage = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300];
        for (seconds, is_outage) in outage.into_iter().zip([false, false, true].into_iter().chain([true; 8]))
        {
            assert_eq!(delays.on_error(&broken(Duration::ZERO)), (secs(seconds), is_outage));
        }
        // A delay that the server asks for is honoured, and reported at once.
        let mut delays = Delays::default();
        assert_eq!(delays.on_error(&broken(secs(600))), (secs(600), true));
        assert_eq!(delays.on_error(&broken(Duration::ZERO)), (secs(2), false));
        let mut delays = Delays::default();
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            let refused = delays.on_error(&SendError::Permanent("no".to_owned()));
            assert_eq!(refused, (secs(minutes * 60), true));
        }
        // A server that hangs up at once is not asked every second; one that was heard for a while is.
        let mut delays = Delays::default();
        let lasted = [(0, 1), (1, 2), (2, 4), (60, 1), (1, 2)];
        for (lasted, seconds) in lasted {
            assert_eq!(delays.on_end(secs(lasted)), secs(seconds), "{lasted}");
        }
    }
}
