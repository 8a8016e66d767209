//! HTTP as a client: one request at a time, bounded in bytes and seconds, over TLS by rustls.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{SendError, secret};
use crate::core::schedule::Login;

/// How long a server has until the head of its response is here.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(8);

/// The longest delay that a server can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client that is made when it is first needed: most people have no channel.
#[derive(Debug, Default)]
pub(super) struct Http(OnceLock<HttpClient>);

impl Http {
    fn client(&self) -> Result<&HttpClient, SendError> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| {
                SendError::Permanent(format!("the certificates of this machine cannot be read: {error}"))
            })?
            .https_or_http()
            .enable_http1()
            .build();
        // The next message may be tomorrow's: no connection is kept open.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(self.0.get_or_init(|| client))
    }

    /// Posts a JSON object.
    pub(super) async fn post(
        &self,
        url: &str,
        login: Option<&Authorization>,
        json: &Value,
    ) -> Result<(), SendError> {
        let body = Body { text: json.to_string(), content_type: JSON };
        self.submit(Method::POST, url, login, &[], body).await
    }

    /// Sends a request with a body, whose response does not matter.
    pub(super) async fn submit(
        &self,
        method: Method,
        url: &str,
        login: Option<&Authorization>,
        headers: &[(String, SecretString)],
        body: Body,
    ) -> Result<(), SendError> {
        check_status(self.send(method, url, login, headers, Some(body)).await?).map(drop)
    }

    /// Gets a body, as it arrives.
    pub(super) async fn get(&self, url: &str, login: Option<&Authorization>) -> Result<Incoming, SendError> {
        check_status(self.send(Method::GET, url, login, &[], None).await?).map(Response::into_body)
    }

    /// Checks that there is a server; its response does not matter.
    pub(super) async fn probe(&self, url: &str) -> Result<(), SendError> {
        self.send(Method::HEAD, url, None, &[], None).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        login: Option<&Authorization>,
        headers: &[(String, SecretString)],
        body: Option<Body>,
    ) -> Result<Response<Incoming>, SendError> {
        let mut request = Request::builder().method(method).uri(url);
        request = request.header(USER_AGENT, concat!("dosed/", env!("CARGO_PKG_VERSION")));
        let is_given = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if let Some(body) = body.as_ref().filter(|_| !is_given(CONTENT_TYPE.as_str())) {
            request = request.header(CONTENT_TYPE, body.content_type);
        }
        if let Some(login) = login.filter(|_| !is_given(AUTHORIZATION.as_str())) {
            request = request.header(AUTHORIZATION, sensitive(&login.0, "the token")?);
        }
        for (name, value) in headers {
            request = request.header(name, sensitive(value, &format!("the header `{name}`"))?);
        }
        let request = request
            .body(Full::from(body.map(|body| body.text).unwrap_or_default()))
            .map_err(|_| SendError::Permanent("the address cannot be used".to_owned()))?;
        match tokio::time::timeout(RESPONSE_TIMEOUT, self.client()?.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(SendError::Retryable { reason: reason(&error), min_delay: Duration::ZERO }),
            Err(_) => {
                let reason = format!("the server did not answer within {} s", RESPONSE_TIMEOUT.as_secs());
                Err(SendError::Retryable { reason, min_delay: Duration::ZERO })
            }
        }
    }
}

/// What is sent, and as what.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) text: String,
    pub(super) content_type: &'static str,
}

pub(super) const JSON: &str = "application/json";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// The value of `Authorization`.
#[derive(Debug)]
pub(super) struct Authorization(SecretString);

impl Authorization {
    /// Reads the secrets of a login that there may be.
    pub(super) async fn read_any(login: Option<&Login>) -> Result<Option<Self>, SendError> {
        let value = match login {
            None => return Ok(None),
            Some(Login::Token(token)) => format!("Bearer {}", secret::read(token).await?.expose_secret()),
            Some(Login::Password { user, password }) => {
                let (user, password) = (secret::read(user).await?, secret::read(password).await?);
                let both = format!("{}:{}", user.expose_secret(), password.expose_secret());
                format!("Basic {}", BASE64_STANDARD.encode(both))
            }
        };
        Ok(Some(Self(value.into())))
    }
}

/// Makes a value of a header that no log shows.
fn sensitive(value: &SecretString, what: &str) -> Result<HeaderValue, SendError> {
    let value = HeaderValue::from_str(value.expose_secret());
    let mut value =
        value.map_err(|_| SendError::Permanent(format!("{what} has characters that none has")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Accepts a status from 200 to 299; other ones are temporary or permanent errors.
fn check_status(response: Response<Incoming>) -> Result<Response<Incoming>, SendError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let reason = format!("the server answered {status}");
    let is_temporary = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    if !is_temporary {
        return Err(SendError::Permanent(reason));
    }
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let wait = seconds.map_or(Duration::ZERO, Duration::from_secs);
    Err(SendError::Retryable { reason, min_delay: wait.min(MAX_RETRY_AFTER) })
}

/// Known causes of TLS and name resolution errors, by a part of the error's text. The text itself is never passed on: it names
/// hosts, and the address can be a secret.
const CAUSES: [(&str, &str); 8] = [
    ("certificate not valid for name", "its certificate is for another name"),
    ("NotValidForName", "its certificate is for another name"),
    ("certificate expired", "its certificate has expired"),
    ("Expired", "its certificate has expired"),
    ("UnknownIssuer", "nobody who is known here has signed its certificate"),
    ("invalid peer certificate", "its certificate is not valid"),
    ("failed to lookup address", "its name cannot be resolved"),
    ("dns error", "its name cannot be resolved"),
];

/// Returns why a server cannot be reached, as one of our messages or the system's: neither can contain the address.
fn reason(error: &(dyn Error + 'static)) -> String {
    let mut chain = vec![error];
    while let Some(source) = chain[chain.len() - 1].source() {
        chain.push(source);
    }
    let known = |error: &&(dyn Error + 'static)| {
        let text = error.to_string();
        CAUSES.iter().find(|(part, _)| text.contains(part)).map(|(_, cause)| (*cause).to_owned())
    };
    let io = chain.iter().rev().find_map(|error| error.downcast_ref::<std::io::Error>());
    let of_system = || {
        let error = io?;
        let code = error.raw_os_error();
        Some(code.map_or_else(
            || error.kind().to_string(),
            |code| std::io::Error::from_raw_os_error(code).to_string(),
        ))
    };
    let cause = chain.iter().rev().find_map(known).or_else(of_system);
    let cause = cause.unwrap_or_else(|| "the connection failed".to_owned());
    // The error of the system where the service may not use the network.
    let is_forbidden = cause.contains("Address family not supported");
    let hint =
        if is_forbidden { ": the service may not use the network; see systemd/network.conf" } else { "" };
    format!("the server cannot be reached: {cause}{hint}")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// An error as it comes from below: with one below it.
    #[derive(Debug, thiserror::Error)]
    #[error("connecting to hid-host failed")]
    struct Outer(#[source] io::Error);

    #[test]
    fn an_error_is_told_without_anything_of_the_address() {
        let other = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
        let rows = [
            (
                other(
                    "invalid peer certificate: certificate not valid for name \"hid-host\"; certificate is only valid for DnsName(\"hid-name\")",
                ),
                "its certificate is for another name",
            ),
            (other("invalid peer certificate: NotValidForName"), "its certificate is for another name"),
            (other("invalid peer certificate: certificate expired: hid"), "its certificate has expired"),
            (
                other("invalid peer certificate: UnknownIssuer"),
                "nobody who is known here has signed its certificate",
            ),
            (other("invalid peer certificate: hid"), "its certificate is not valid"),
            (other("failed to lookup address information: hid-host"), "its name cannot be resolved"),
            (other("hid-host said no"), "invalid data"),
            (io::Error::from_raw_os_error(111), "Connection refused (os error 111)"),
            (
                io::Error::from_raw_os_error(97),
                "Address family not supported by protocol (os error 97): the service may not use the network; see systemd/network.conf",
            ),
        ];
        for (error, cause) in rows {
            assert_eq!(reason(&Outer(error)), format!("the server cannot be reached: {cause}"));
        }
        let unknown: Box<dyn Error> = "hid-host".into();
        assert_eq!(reason(&*unknown), "the server cannot be reached: the connection failed");
    }
}
