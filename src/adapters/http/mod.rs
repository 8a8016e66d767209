//! The socket: HTTP/1.1 with JSON over a Unix socket, for the CLI, `curl` and every other client.
//!
//! Hides HTTP. Requests are read and checked here and passed on as [`Call`]s, each with a typed way back. Everything
//! from outside has a limit.

mod extract;
mod handlers;
#[cfg(test)]
mod openapi;
mod places;
mod reply;
mod request;
mod respond;
mod routes;
mod serve;
mod socket;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};

pub use reply::{ChangeReply, RawJson, Recorded, Reply};
pub use request::{AnswerBody, Call, Change, FormKind};
pub use serve::{is_allowed, serve};
pub use socket::{Listener, SocketError};

use crate::protocol::{Event, RawFact};

/// The largest body of a request, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// The largest head of a request, in bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The most connections at a time, without streams. One more takes the place of the oldest that waits for no response, or
/// waits until one ends.
pub const MAX_CONNECTIONS: usize = 128;
/// The most streams of events at a time; one more is refused.
pub const MAX_STREAMS: usize = 64;
/// How long a client has to send the head of a request.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take, from its head to its response.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client can read nothing of what is written to it.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long dosed waits where a connection cannot be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// The most long responses that are made at a time.
const MAX_LONG: usize = 2;
/// The most of long responses that waits to be read, in KiB; a longer one takes all of it.
const MAX_UNREAD_KIB: u32 = 8 * 1024;
/// How long a long response waits for each of the two.
const LONG_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest text member of a body, in bytes.
pub const MAX_TEXT_BYTES: usize = 4096;
/// The longest idempotency key, in bytes.
pub const MAX_KEY_BYTES: usize = 255;
/// The most occurrences that `next` returns.
pub const MAX_NEXT: usize = 1000;
/// The widest range of one question, in days.
pub const MAX_RANGE_DAYS: i64 = 366 * 30;
/// The most occurrences in one response.
pub const MAX_OCCURRENCES: usize = 50_000;
/// How often a quiet stream of events sends a comment, so that a reader that is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_mins(1);

/// The description of the routes for machines; a test generates it from the handlers and their types.
pub const OPENAPI: &str = include_str!("openapi.json");

/// What the routes need.
#[derive(Clone, Debug)]
pub struct Api {
    calls: mpsc::Sender<Call>,
    events: broadcast::Sender<Arc<Event<RawFact>>>,
    streams: Arc<Semaphore>,
    is_demo: bool,
}

impl Api {
    /// Returns what passes requests on and takes events from there; a demo's responses say so.
    #[must_use]
    pub fn new(
        calls: mpsc::Sender<Call>,
        events: broadcast::Sender<Arc<Event<RawFact>>>,
        is_demo: bool,
    ) -> Self {
        Self { calls, events, streams: Arc::new(Semaphore::new(MAX_STREAMS)), is_demo }
    }

    /// Passes a request on and waits for its reply, not longer than a request may take.
    async fn ask<T>(
        &self,
        call: impl FnOnce(oneshot::Sender<Result<T, crate::protocol::Problem>>) -> Call,
    ) -> Result<T, respond::Refused> {
        let (reply, answer) = oneshot::channel();
        let call = call(reply);
        let asked = async {
            self.calls.send(call).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(REQUEST_TIMEOUT, asked).await {
            Ok(Some(reply)) => Ok(reply?),
            Ok(None) => Err(respond::Refused::new(503, "dosed is shutting down")),
            Err(_) => Err(respond::Refused::new(
                503,
                "dosed did not respond in time; the request may still be carried out",
            )),
        }
    }
}
