//! The socket: HTTP/1.1 with JSON over a Unix socket, for the CLI, `curl` and whatever else.
//!
//! Hides HTTP. Requests are read and checked here and handed on as [`Request`]s; what comes back is
//! sent as it is. Everything from outside has a limit.

mod problem;
mod request;
mod routes;
mod serve;
mod socket;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot};

pub use problem::{TOO_SOON, problem, problem_of};
pub use request::{AnswerBody, At, Form, ParseAtError, Request};
pub use serve::{is_allowed, serve};
pub use socket::{Listener, SocketError};

/// The largest body of a request, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// The largest head of a request, in bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The most connections at a time; more wait until one ends.
pub const MAX_CONNECTIONS: usize = 128;
/// How long a client has to send the head of a request, in seconds.
pub const HEAD_TIMEOUT_SECONDS: u64 = 10;
/// How long a request may take, from its head to its answer, in seconds.
pub const REQUEST_TIMEOUT_SECONDS: u64 = 10;
/// The longest text member of a body, in bytes.
pub const MAX_TEXT_BYTES: usize = 4096;
/// The longest idempotency key, in bytes.
pub const MAX_KEY_BYTES: usize = 255;
/// The most occurrences that `next` returns.
pub const MAX_NEXT: usize = 1000;
/// The widest range of one question, in days.
pub const MAX_RANGE_DAYS: i64 = 366 * 30;

/// The most occurrences in one answer.
pub const MAX_OCCURRENCES: usize = 50_000;

const HEAD_TIMEOUT: Duration = Duration::from_secs(HEAD_TIMEOUT_SECONDS);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(REQUEST_TIMEOUT_SECONDS);

/// The description of the routes for machines.
pub const OPENAPI: &str = include_str!("openapi.json");

/// The header with what is to be said beside a recorded answer: that it lies close to something else.
pub const REMARK: &str = "dosed-remark";

/// The header that marks every answer about a made-up record.
pub const MADE_UP: &str = "dosed-made-up";

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON text.
    pub json: String,
    /// What is to be said beside it, in a header of its own.
    pub remark: Option<String>,
}

impl Reply {
    /// Returns an answer with nothing beside it.
    #[must_use]
    pub fn new(status: u16, json: String) -> Self {
        Self { status, json, remark: None }
    }

    /// Returns a good answer.
    #[must_use]
    pub fn ok(json: String) -> Self {
        Self::new(200, json)
    }
}

/// A request with the way back.
#[derive(Debug)]
pub struct Call {
    /// What is asked.
    pub request: Request,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Reply>,
}

/// What the routes need.
#[derive(Clone, Debug)]
pub struct Api {
    /// Where requests go.
    pub calls: mpsc::Sender<Call>,
    /// Where events come from, each a JSON object on one line.
    pub events: broadcast::Sender<Arc<str>>,
    /// Whether the record is made up.
    pub made_up: bool,
}
