//! HTTP as a client: one request at a time, bounded in bytes and seconds, over TLS by rustls.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::Failure;

/// How long a server has until the head of its answer is here.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);

/// A server cannot ask for more patience than this.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(10);

/// The most of an error that is kept, in characters.
const MAX_REASON_CHARS: usize = 200;

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client that is made when it is first needed: most people have no channel.
#[derive(Debug, Default)]
pub(super) struct Http(OnceLock<HttpClient>);

impl Http {
    fn client(&self) -> Result<&HttpClient, Failure> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| {
                Failure::Final(format!("the certificates of this machine cannot be read: {error}"))
            })?
            .https_or_http()
            .enable_http1()
            .build();
        // No connection is kept open for the next time, which may be tomorrow.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(self.0.get_or_init(|| client))
    }

    /// Posts a JSON object; every answer from 200 to 299 is good.
    pub(super) async fn post(&self, url: &str, token: Option<&str>, json: &Value) -> Result<(), Failure> {
        judge(self.send(Method::POST, url, token, Some(json)).await?).map(drop)
    }

    /// Gets something, as it comes.
    pub(super) async fn get(&self, url: &str, token: Option<&str>) -> Result<Incoming, Failure> {
        judge(self.send(Method::GET, url, token, None).await?).map(Response::into_body)
    }

    /// Looks whether anybody answers; what they answer is of no account.
    pub(super) async fn knock(&self, url: &str) -> Result<(), Failure> {
        self.send(Method::HEAD, url, None, None).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        token: Option<&str>,
        json: Option<&Value>,
    ) -> Result<Response<Incoming>, Failure> {
        let body = json.map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder().method(method).uri(url);
        request = request.header(USER_AGENT, concat!("dosed/", env!("CARGO_PKG_VERSION")));
        if json.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {token}"));
            let mut value =
                value.map_err(|_| Failure::Final("the token has characters that none has".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let request = request
            .body(Full::from(body))
            .map_err(|_| Failure::Final("the address cannot be used".to_owned()))?;
        match tokio::time::timeout(ANSWER_TIMEOUT, self.client()?.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(Failure::Again(reason(&error), Duration::ZERO)),
            Err(_) => {
                let reason = format!("the server did not answer within {} s", ANSWER_TIMEOUT.as_secs());
                Err(Failure::Again(reason, Duration::ZERO))
            }
        }
    }
}

/// Takes an answer from 200 to 299 for good; others may pass, or will not.
fn judge(response: Response<Incoming>) -> Result<Response<Incoming>, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let reason = format!("the server answered {status}");
    let is_passing = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    if !is_passing {
        return Err(Failure::Final(reason));
    }
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let wait = seconds.map_or(Duration::ZERO, Duration::from_secs);
    Err(Failure::Again(reason, wait.min(MAX_RETRY_AFTER)))
}

/// Returns what lies at the bottom of an error; the address is not in it.
fn reason(error: &hyper_util::client::legacy::Error) -> String {
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = deepest.to_string();
    // What the system says where the service may use no network.
    let is_forbidden = text.contains("Address family not supported");
    let hint =
        if is_forbidden { ": the service may not use the network; see systemd/network.conf" } else { "" };
    let text: String = text.chars().take(MAX_REASON_CHARS).collect();
    format!("the server cannot be reached: {text}{hint}")
}
