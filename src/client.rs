//! The client side of the socket: one HTTP request, its answer, or a stream of events.

use std::io::Write;
use std::path::{Path, PathBuf};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// The largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 512 * 1024 * 1024;

/// The longest event that is read, in bytes.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// That a record is made up is said once, whatever is shown of it.
static MADE_UP: std::sync::Once = std::sync::Once::new();

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens on the socket.
    #[error("dosed does not run (nobody listens on {}): start it with `dosed daemon`, or `systemctl --user start dosed`", .path.display())]
    NotRunning {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The daemon went away in the middle.
    #[error("the connection to dosed broke")]
    Broken(#[from] hyper::Error),
    /// The answer makes no sense.
    #[error("the answer of dosed cannot be read: {why}")]
    Unreadable {
        /// Why.
        why: String,
    },
}

/// The type of the problem that is over when the same is sent once more with `confirm`.
pub const TOO_SOON: &str = crate::api::TOO_SOON;

/// An answer of the daemon.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON text.
    pub json: String,
    /// What is to be said beside it.
    pub remark: Option<String>,
    /// Whether it is about a made-up record.
    pub made_up: bool,
}

/// Leaves it to the caller to say that a record is made up, by [`Answer::made_up`].
pub fn say_nothing() {
    MADE_UP.call_once(|| {});
}

/// Asks for something.
///
/// # Errors
///
/// The daemon cannot be reached, or goes away.
pub async fn get(socket: &Path, path: &str) -> Result<Answer, ClientError> {
    read(send(socket, Method::GET, path, String::new()).await?).await
}

/// Sends something with a JSON body.
///
/// # Errors
///
/// The daemon cannot be reached, or goes away.
pub async fn post(socket: &Path, path: &str, body: &serde_json::Value) -> Result<Answer, ClientError> {
    read(send(socket, Method::POST, path, body.to_string()).await?).await
}

/// The events of the daemon: everything that happens once [`Events::open`] has returned.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    /// What came and is not yet a whole line.
    text: Vec<u8>,
}

impl Events {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// The daemon cannot be reached, or has no room for one more.
    pub async fn open(socket: &Path) -> Result<Self, ClientError> {
        let response = send(socket, Method::GET, "/v1/events", String::new()).await?;
        if !response.status().is_success() {
            return Err(ClientError::Unreadable { why: format!("{} to events", response.status()) });
        }
        Ok(Self { body: response.into_body(), text: Vec::new() })
    }

    /// Waits for the next event, a JSON text; there is none when the daemon has ended.
    ///
    /// # Errors
    ///
    /// The daemon goes away in the middle.
    pub async fn next(&mut self) -> Result<Option<String>, ClientError> {
        loop {
            while let Some(end) = self.text.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.text.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                if let Some(event) = line.strip_prefix("data: ") {
                    return Ok(Some(event.trim_end().to_owned()));
                }
            }
            if self.text.len() > MAX_EVENT_BYTES {
                return Err(ClientError::Unreadable { why: "an event without end".to_owned() });
            }
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            if let Ok(data) = frame?.into_data() {
                self.text.extend_from_slice(&data);
            }
        }
    }
}

async fn send(
    socket: &Path,
    method: Method,
    path: &str,
    body: String,
) -> Result<Response<Incoming>, ClientError> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|source| ClientError::NotRunning { path: socket.to_owned(), source })?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "dosed")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| ClientError::Unreadable { why: error.to_string() })?;
    Ok(sender.send_request(request).await?)
}

async fn read(response: Response<Incoming>) -> Result<Answer, ClientError> {
    let status = response.status().as_u16();
    let made_up = response.headers().contains_key(crate::api::MADE_UP);
    if made_up {
        MADE_UP.call_once(|| {
            let _ = writeln!(std::io::stderr(), "This record is made up: dosed demo");
        });
    }
    let remark = response.headers().get(crate::api::REMARK);
    let remark = remark.map(|remark| String::from_utf8_lossy(remark.as_bytes()).into_owned());
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
    let bytes = body.map_err(|error| ClientError::Unreadable { why: error.to_string() })?.to_bytes();
    let json = String::from_utf8(bytes.to_vec())
        .map_err(|error| ClientError::Unreadable { why: error.to_string() })?;
    Ok(Answer { status, json, remark, made_up })
}
