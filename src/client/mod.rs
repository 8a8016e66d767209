//! The client side of the socket: typed requests, their responses, and a stream of events.
//!
//! An error of the daemon is an [`Err`]: it cannot be read as an empty response.

mod text;

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use uuid::Uuid;

use crate::protocol::{
    Adherence, AdherenceQuery, ChannelTest, CheckIn, CheckInBody, ComingOccurrence, CorrectBody, DEMO_HEADER,
    FactsQuery, Form, HistoryFact, Insight, LogBody, NextQuery, NoBody, NoParameters, Occurrence,
    OccurrenceDetails, OccurrencesQuery, PauseBody, PlannedItem, PostponeBody, Problem, Recorded, ResumeBody,
    RetractBody, Scan, SkipBody, SnoozeBody, Status, StockBody, StockLevel, TakeBody, Why,
};

/// The largest response that is read, in bytes.
const MAX_RESPONSE_BYTES: usize = 512 * 1024 * 1024;

/// The longest event that is read, in bytes.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// How long the daemon has to respond. It gives up on a request by itself some seconds earlier.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a stream of events can be silent: the daemon sends a comment each minute.
const STREAM_TIMEOUT: Duration = Duration::from_secs(150);

/// How long to wait where more wait at the socket than it takes.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// What stands in a path as it is (RFC 3986, unreserved, `@` and `:`); everything else is percent-encoded.
const IN_A_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@').remove(b':');

/// A demo is announced once, whatever is shown of it.
static DEMO_NOTICE: std::sync::Once = std::sync::Once::new();

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens on the socket.
    #[error("dosed is not running (nothing listens on {}): start it with `dosed daemon`, or `systemctl --user start dosed`", .path.display())]
    NotRunning {
        /// The socket.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// Another user listens on the socket.
    #[error("another user ({user}) listens on {}: nothing was sent there; use another --socket", .path.display())]
    OtherUser {
        /// The socket.
        path: PathBuf,
        /// The number of the user.
        user: u32,
    },
    /// A stream of events is silent.
    #[error("dosed sent nothing for {} s: `dosed doctor` finds out more", STREAM_TIMEOUT.as_secs())]
    Silent,
    /// The daemon does not respond.
    #[error("dosed did not respond within {} s: `dosed doctor` finds out more", RESPONSE_TIMEOUT.as_secs())]
    TimedOut,
    /// The connection broke.
    #[error("the connection to dosed broke")]
    Broken(#[from] hyper::Error),
    /// The response makes no sense.
    #[error("the response of dosed cannot be read: {why}")]
    Unreadable {
        /// Why.
        why: String,
    },
    /// The daemon refused the request.
    #[error(transparent)]
    Refused(Problem),
}

impl ClientError {
    fn unreadable(error: &impl std::fmt::Display) -> Self {
        Self::Unreadable { why: error.to_string() }
    }
}

/// A response of the daemon.
#[derive(Clone, Debug)]
pub struct Response<T> {
    /// What it says.
    pub value: T,
    /// The JSON text that says it, with members that this version may not know.
    pub json: String,
    /// Whether an earlier request had recorded it.
    pub is_repeat: bool,
    /// Whether the record is a demo.
    pub is_demo: bool,
}

/// The result of a request.
pub type Result<T> = std::result::Result<Response<T>, ClientError>;

/// Leaves it to the caller to say that a record is a demo, by [`Response::is_demo`].
pub fn suppress_demo_notice() {
    DEMO_NOTICE.call_once(|| {});
}

/// A client of one socket. Each request is a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

/// Every method fails where the daemon cannot be reached, does not respond in time, or refuses the request.
#[expect(clippy::missing_errors_doc, reason = "the comment of the block says it")]
impl Client {
    /// Returns a client of a socket.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// The state of the daemon.
    pub async fn status(&self) -> Result<Status> {
        self.get("/v1/status", &NoParameters {}).await
    }

    /// The occurrences of today, and earlier ones that are still due.
    pub async fn today(&self) -> Result<Vec<Occurrence>> {
        self.get("/v1/today", &NoParameters {}).await
    }

    /// The next occurrences.
    pub async fn next(&self, count: u16) -> Result<Vec<ComingOccurrence>> {
        self.get("/v1/next", &NextQuery { n: Some(count.to_string()), skipped: None }).await
    }

    /// The next occurrences, with those that are skipped already.
    pub async fn next_with_skipped(&self, count: u16) -> Result<Vec<ComingOccurrence>> {
        let query = NextQuery { n: Some(count.to_string()), skipped: Some("true".to_owned()) };
        self.get("/v1/next", &query).await
    }

    /// The occurrences of a range in full; by default, those of today.
    pub async fn occurrences(&self, query: &OccurrencesQuery) -> Result<Vec<OccurrenceDetails>> {
        self.get("/v1/occurrences", query).await
    }

    /// Everything that made one occurrence what it is.
    pub async fn why(&self, occurrence: &str) -> Result<Why> {
        self.get(&format!("/v1/occurrences/{}/why", encode(occurrence)), &NoParameters {}).await
    }

    /// The facts of a range, in the order in which they were recorded.
    pub async fn facts(&self, query: &FactsQuery) -> Result<Vec<HistoryFact>> {
        self.get("/v1/facts", query).await
    }

    /// What was taken of what was planned.
    pub async fn adherence(&self, query: &AdherenceQuery) -> Result<Vec<Adherence>> {
        self.get("/v1/adherence", query).await
    }

    /// What the record shows of habits and check-ins together.
    pub async fn insight(&self) -> Result<Insight> {
        self.get("/v1/insight", &NoParameters {}).await
    }

    /// The forms that can be filled in.
    pub async fn forms(&self) -> Result<Vec<Form>> {
        self.get("/v1/forms", &NoParameters {}).await
    }

    /// The answered check-ins.
    pub async fn check_ins(&self) -> Result<Vec<CheckIn>> {
        self.get("/v1/check-ins", &NoParameters {}).await
    }

    /// The recorded scans.
    pub async fn scans(&self) -> Result<Vec<Scan>> {
        self.get("/v1/scans", &NoParameters {}).await
    }

    /// The items that are in the schedule or were.
    pub async fn items(&self) -> Result<Vec<PlannedItem>> {
        self.get("/v1/items", &NoParameters {}).await
    }

    /// What is left of each item whose stock is counted.
    pub async fn stock(&self) -> Result<Vec<StockLevel>> {
        self.get("/v1/stock", &NoParameters {}).await
    }

    /// Records that an occurrence, or the open one of an item, was taken.
    pub async fn take(&self, target: &str, body: &TakeBody) -> Result<Recorded> {
        self.record(&format!("/v1/occurrences/{}/take", encode(target)), body).await
    }

    /// Records that an occurrence, or the open one of an item, was skipped.
    pub async fn skip(&self, target: &str, body: &SkipBody) -> Result<Recorded> {
        self.record(&format!("/v1/occurrences/{}/skip", encode(target)), body).await
    }

    /// Snoozes an occurrence, or the open one of an item.
    pub async fn snooze(&self, target: &str, body: &SnoozeBody) -> Result<Recorded> {
        self.record(&format!("/v1/occurrences/{}/snooze", encode(target)), body).await
    }

    /// Lets an occurrence be asked about later than planned: that one, or what is open of an item or comes next.
    pub async fn postpone(&self, target: &str, body: &PostponeBody) -> Result<Recorded> {
        self.record(&format!("/v1/occurrences/{}/postpone", encode(target)), body).await
    }

    /// Records what was not scheduled.
    pub async fn log(&self, item: &str, body: &LogBody) -> Result<Recorded> {
        self.record(&format!("/v1/items/{}/log", encode(item)), body).await
    }

    /// Records the answers of a check-in.
    pub async fn check_in(&self, item: &str, body: &CheckInBody) -> Result<Recorded> {
        self.record(&format!("/v1/items/{}/check-in", encode(item)), body).await
    }

    /// Records one site of a scan.
    pub async fn scan(&self, item: &str, body: &CheckInBody) -> Result<Recorded> {
        self.record(&format!("/v1/items/{}/scan", encode(item)), body).await
    }

    /// Records that doses were bought or counted.
    pub async fn change_stock(&self, item: &str, body: &StockBody) -> Result<Recorded> {
        self.record(&format!("/v1/items/{}/stock", encode(item)), body).await
    }

    /// Undoes a fact.
    pub async fn retract(&self, fact: &str, body: &RetractBody) -> Result<Recorded> {
        self.record(&format!("/v1/facts/{}/retract", encode(fact)), body).await
    }

    /// Corrects an answer.
    pub async fn correct(&self, fact: &str, body: &CorrectBody) -> Result<Recorded> {
        self.record(&format!("/v1/facts/{}/correct", encode(fact)), body).await
    }

    /// Undoes the newest effective answer of the daemon's device.
    pub async fn undo(&self, body: &RetractBody) -> Result<Recorded> {
        self.record("/v1/undo", body).await
    }

    /// Corrects the newest effective answer of the daemon's device.
    pub async fn correct_newest(&self, body: &CorrectBody) -> Result<Recorded> {
        self.record("/v1/correct", body).await
    }

    /// Pauses reminders.
    pub async fn pause(&self, body: &PauseBody) -> Result<Recorded> {
        self.record("/v1/pause", body).await
    }

    /// Resumes reminders.
    pub async fn resume(&self, body: &ResumeBody) -> Result<Recorded> {
        self.record("/v1/resume", body).await
    }

    /// Checks each channel without sending anything.
    pub async fn check_channels(&self) -> Result<Vec<ChannelTest>> {
        self.post("/v1/channels/check", &NoBody {}).await
    }

    /// Sends one harmless reminder through each channel.
    pub async fn test_channels(&self) -> Result<Vec<ChannelTest>> {
        self.post("/v1/channels/test", &NoBody {}).await
    }

    /// Starts to listen to events: everything that happens once this has returned.
    pub async fn events(&self) -> std::result::Result<Events, ClientError> {
        let response = in_time(self.send(Method::GET, "/v1/events", String::new(), None)).await?;
        if !response.status().is_success() {
            return Err(refusal(&in_time(body(response)).await?));
        }
        Ok(Events { body: response.into_body(), text: Vec::new() })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &impl Serialize) -> Result<T> {
        let query = serde_urlencoded::to_string(query).map_err(|error| ClientError::unreadable(&error))?;
        let mut target = path.to_owned();
        if !query.is_empty() {
            let _ = write!(target, "?{query}");
        }
        self.request(Method::GET, &target, String::new(), None).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let body = serde_json::to_string(body).map_err(|error| ClientError::unreadable(&error))?;
        self.request(Method::POST, path, body, None).await
    }

    /// Sends what is to be recorded; where the connection breaks, once more: under its key it is recorded once.
    async fn record(&self, path: &str, body: &impl Serialize) -> Result<Recorded> {
        let body = serde_json::to_string(body).map_err(|error| ClientError::unreadable(&error))?;
        let key = Uuid::new_v4().to_string();
        in_time(async {
            match self.request(Method::POST, path, body.clone(), Some(&key)).await {
                Err(ClientError::Broken(_)) => self.request(Method::POST, path, body, Some(&key)).await,
                response => response,
            }
        })
        .await
    }

    async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        sent: String,
        key: Option<&str>,
    ) -> Result<T> {
        let RawResponse { status, is_demo, json } = self.exchange(method, target, sent, key).await?;
        if !status.is_success() {
            return Err(refusal(&json));
        }
        let value = text::read(&json).map_err(|error| ClientError::unreadable(&error))?;
        Ok(Response { value, json, is_repeat: status == StatusCode::OK, is_demo })
    }

    /// Sends a request and reads its response to the end.
    ///
    /// Boxed: inlined into every command, it made one function that took the compiler minutes.
    fn exchange<'a>(
        &'a self,
        method: Method,
        target: &'a str,
        sent: String,
        key: Option<&'a str>,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<RawResponse, ClientError>> + Send + 'a>> {
        Box::pin(in_time(async move {
            let response = self.send(method, target, sent, key).await?;
            let status = response.status();
            let is_demo = response.headers().contains_key(DEMO_HEADER);
            if is_demo {
                DEMO_NOTICE.call_once(|| {
                    let _ = writeln!(std::io::stderr(), "This record is made up: dosed demo");
                });
            }
            Ok(RawResponse { status, is_demo, json: body(response).await? })
        }))
    }

    /// Connects to the daemon, and to no one else: in a directory that others write to, anyone may listen.
    async fn connect(&self) -> std::result::Result<UnixStream, ClientError> {
        loop {
            match UnixStream::connect(&self.socket).await {
                Ok(stream) => {
                    let own = rustix::process::geteuid().as_raw();
                    let peer = stream.peer_cred().map(|peer| other_user(peer.uid(), own));
                    return match peer {
                        Ok(None) => Ok(stream),
                        Ok(Some(user)) => Err(ClientError::OtherUser { path: self.socket.clone(), user }),
                        Err(source) => Err(ClientError::NotRunning { path: self.socket.clone(), source }),
                    };
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => tokio::time::sleep(BUSY_PAUSE).await,
                Err(source) => return Err(ClientError::NotRunning { path: self.socket.clone(), source }),
            }
        }
    }

    async fn send(
        &self,
        method: Method,
        target: &str,
        body: String,
        key: Option<&str>,
    ) -> std::result::Result<hyper::Response<Incoming>, ClientError> {
        let stream = self.connect().await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "dosed")
            .header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let request =
            request.body(Full::new(Bytes::from(body))).map_err(|error| ClientError::unreadable(&error))?;
        Ok(sender.send_request(request).await?)
    }
}

/// Tells whether the peer of a connection is a user whom nothing may be told.
fn other_user(peer: u32, own: u32) -> Option<u32> {
    (peer != own).then_some(peer)
}

/// A response before it is parsed.
struct RawResponse {
    status: StatusCode,
    is_demo: bool,
    json: String,
}

fn encode(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, IN_A_PATH)
}

async fn in_time<T>(
    response: impl Future<Output = std::result::Result<T, ClientError>>,
) -> std::result::Result<T, ClientError> {
    tokio::time::timeout(RESPONSE_TIMEOUT, response).await.unwrap_or(Err(ClientError::TimedOut))
}

/// Reads a response to its end.
async fn body(response: hyper::Response<Incoming>) -> std::result::Result<String, ClientError> {
    let collected = Limited::new(response.into_body(), MAX_RESPONSE_BYTES).collect().await;
    let bytes = collected.map_err(|error| ClientError::unreadable(&error))?.to_bytes();
    let json = String::from_utf8(bytes.into()).map_err(|error| ClientError::unreadable(&error))?;
    Ok(text::escape(json))
}

/// Returns what a refusal says.
fn refusal(json: &str) -> ClientError {
    text::read(json).map_or_else(|error| ClientError::unreadable(&error), ClientError::Refused)
}

/// The events of the daemon.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    /// What arrived and is not yet a whole line.
    text: Vec<u8>,
}

impl Events {
    /// Waits for the next event, a JSON text; there is none when the daemon has ended.
    ///
    /// # Errors
    ///
    /// The connection breaks, or nothing comes for longer than the daemon is ever silent.
    pub async fn next(&mut self) -> std::result::Result<Option<String>, ClientError> {
        loop {
            while let Some(end) = self.text.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.text.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                if let Some(event) = line.strip_prefix("data: ") {
                    return Ok(Some(text::escape(event.trim_end().to_owned())));
                }
            }
            if self.text.len() > MAX_EVENT_BYTES {
                return Err(ClientError::Unreadable { why: "an event without end".to_owned() });
            }
            let frame = tokio::time::timeout(STREAM_TIMEOUT, self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| ClientError::Silent)? else { return Ok(None) };
            if let Ok(data) = frame?.into_data() {
                self.text.extend_from_slice(&data);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_encoded_in_paths() {
        for (id, encoded) in [
            ("probiotic@2026-11-23T08:00", "probiotic@2026-11-23T08:00"),
            ("../status", "..%2Fstatus"),
            ("a b?c#d", "a%20b%3Fc%23d"),
            ("ü", "%C3%BC"),
        ] {
            assert_eq!(encode(id).to_string(), encoded);
        }
    }

    #[test]
    fn only_the_same_user_is_told_anything() {
        for (peer, own, refused) in [(1000, 1000, None), (0, 1000, Some(0)), (1000, 0, Some(1000))] {
            assert_eq!(other_user(peer, own), refused);
        }
    }

    #[test]
    fn an_error_is_no_response() {
        let problem = serde_json::to_string(&Problem::new(503, "dosed is shutting down")).unwrap();
        assert!(matches!(refusal(&problem), ClientError::Refused(problem) if problem.status == 503));
        assert!(matches!(refusal("<html>"), ClientError::Unreadable { .. }));
    }
}
