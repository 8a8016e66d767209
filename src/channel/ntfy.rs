//! Phones, by ntfy: reminders are published to one topic, and answers come back by another.
//!
//! The forms are those of <https://docs.ntfy.sh/publish/> and <https://docs.ntfy.sh/subscribe/api/>.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tracing::debug;

use super::http::Http;
use super::{Event, Failure, Message, secret};
use crate::schedule::{ChannelId, ChannelSpec, Source, Way};

/// The longest line that a server may send, in bytes.
const MAX_LINE_BYTES: usize = 16 * 1024;

/// The longest answer that is looked at, in bytes: ntfy carries no longer ones.
const MAX_REPLY_BYTES: usize = 4096;

/// The most buttons of a message.
const MAX_BUTTONS: usize = 3;

/// A server says something every 45 seconds; one that is silent for longer than this is gone.
const SILENCE: Duration = Duration::from_secs(150);

/// How long to wait before listening again: first, and at most.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
const AGAIN_LAST: Duration = Duration::from_mins(1);

/// Publishes a reminder.
pub(super) async fn publish(spec: &ChannelSpec, message: &Message, http: &Http) -> Result<(), Failure> {
    let Way::Ntfy { server, topic, replies, token, priority, tags } = &spec.way else { return Ok(()) };
    let topic = topic_name(topic)?;
    let token = token.as_ref().map(secret::read).transpose()?;
    let mut body = json!({
        "topic": topic,
        "title": message.title,
        "message": message.body.join("\n"),
        "priority": priority,
        "tags": tags,
    });
    if let Some(replies) = replies {
        let url = format!("{server}/{}", topic_name(replies)?);
        let button = |(label, text): &(String, String)| json!({ "action": "http", "label": label, "url": url, "method": "POST", "body": text, "clear": true });
        let actions: Vec<Value> = message.answers.iter().take(MAX_BUTTONS).map(button).collect();
        if let Some(object) = body.as_object_mut() {
            object.insert("actions".to_owned(), actions.into());
        }
    }
    http.post(server, token.as_deref(), &body).await
}

/// Looks whether the server is well and the topics can be read.
pub(super) async fn check(spec: &ChannelSpec, http: &Http) -> Result<(), Failure> {
    let Way::Ntfy { server, topic, replies, token, .. } = &spec.way else { return Ok(()) };
    topic_name(topic)?;
    replies.as_ref().map(topic_name).transpose()?;
    token.as_ref().map(secret::read).transpose()?;
    http.get(&format!("{server}/v1/health"), None).await.map(drop)
}

/// Reads a topic; what is no topic would be another address.
fn topic_name(topic: &Source) -> Result<String, Failure> {
    let topic = secret::read(topic)?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if topic.len() <= 64 && topic.bytes().all(legal) {
        return Ok(topic);
    }
    Err(Failure::Final("a topic has 1 to 64 of a-z, A-Z, 0-9, `-` and `_`".to_owned()))
}

/// Listens to what is published where a phone answers, until it is told to stop.
pub(super) async fn listen(
    spec: Arc<ChannelSpec>,
    http: Arc<Http>,
    since: Timestamp,
    events: mpsc::Sender<Event>,
) {
    // A message of the same second is heard twice rather than never.
    let mut since = since.as_second().to_string();
    let mut wait = AGAIN_FIRST;
    loop {
        match subscribe(&spec, &http, &since).await {
            Ok(body) => {
                wait = AGAIN_FIRST;
                let ended = hear(&spec.id, body, &mut since, &events).await;
                debug!(channel = %spec.id, ended, "answers are listened for again");
            }
            Err(failure) => {
                debug!(channel = %spec.id, reason = failure.reason(), "answers cannot be listened for");
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(AGAIN_LAST);
    }
}

async fn subscribe(spec: &ChannelSpec, http: &Http, since: &str) -> Result<Incoming, Failure> {
    let Way::Ntfy { server, replies: Some(replies), token, .. } = &spec.way else {
        return Err(Failure::Final("it has no topic for answers".to_owned()));
    };
    let token = token.as_ref().map(secret::read).transpose()?;
    let topic = topic_name(replies)?;
    http.get(&format!("{server}/{topic}/json?since={since}"), token.as_deref()).await
}

/// A line of the stream.
#[derive(Deserialize)]
struct Line {
    event: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    message: String,
}

/// Hears one stream to its end, and says how it ended; `since` moves on to the last message.
async fn hear(
    channel: &ChannelId,
    mut body: Incoming,
    since: &mut String,
    events: &mpsc::Sender<Event>,
) -> &'static str {
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        let frame = match tokio::time::timeout(SILENCE, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) => return "the connection broke",
            Ok(None) => return "the server ended it",
            Err(_) => return "the server fell silent",
        };
        let Ok(data) = frame.into_data() else { continue };
        buffer.extend_from_slice(&data);
        while let Some(end) = buffer.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            // Anybody can publish to a topic whose name they know, and a server can send anything.
            let Ok(line) = serde_json::from_slice::<Line>(&line) else { continue };
            let is_id = !line.id.is_empty() && line.id.bytes().all(|b| b.is_ascii_alphanumeric());
            if line.event != "message" || line.message.len() > MAX_REPLY_BYTES {
                continue;
            }
            if is_id && line.id.len() <= 64 {
                *since = line.id;
            }
            if events.send(Event::Replied(channel.clone(), line.message)).await.is_err() {
                return "dosed ends";
            }
        }
        if buffer.len() > MAX_LINE_BYTES {
            return "the server sent a line without end";
        }
    }
}
