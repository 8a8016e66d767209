//! Responses: typed JSON, JSON that was already written, what was recorded, problem details, and streams of events.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_stream::{Stream, StreamExt};

use super::KEEP_ALIVE;
use super::places::hold;
use super::reply::{RawJson, Recorded};
use crate::protocol::{Event, Problem, RawFact, WARNING_HEADER};

/// A refused request: problem details (RFC 9457).
#[derive(Debug)]
pub(super) struct Refused(Problem);

impl Refused {
    pub(super) fn new(status: u16, detail: impl Into<String>) -> Self {
        Self(Problem::new(status, detail))
    }

    /// A request that makes no sense in itself.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(400, detail)
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self.0).unwrap_or_default();
        json(status, "application/problem+json", body)
    }
}

impl<T> IntoResponse for RawJson<T> {
    fn into_response(self) -> Response {
        json(StatusCode::OK, "application/json", self.into_json())
    }
}

impl IntoResponse for Recorded {
    fn into_response(self) -> Response {
        let status = if self.is_repeat { StatusCode::OK } else { StatusCode::CREATED };
        let mut response = json(status, "application/json", self.fact.recorded(&self.warnings));
        // Clients of earlier versions read the first warning here; what a header cannot carry is in the body only.
        let warning = self.warnings.first().and_then(|warning| HeaderValue::from_str(warning).ok());
        if let Some(warning) = warning {
            response.headers_mut().insert(WARNING_HEADER, warning);
        }
        response
    }
}

pub(super) fn json(status: StatusCode, kind: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The events from now on; a reader that is too slow gets the number that it missed.
pub(super) struct EventStream {
    pub(super) events: broadcast::Receiver<Arc<Event<RawFact>>>,
    /// Its place among the streams.
    pub(super) place: OwnedSemaphorePermit,
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        // The comment tells the reader that from here on it misses nothing.
        let first = tokio_stream::once(Ok(sse::Event::default().comment("dosed events")));
        let mut response = Sse::new(first.chain(events(self.events)))
            .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
            .into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        hold(response, self.place)
    }
}

fn events(
    receiver: broadcast::Receiver<Arc<Event<RawFact>>>,
) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    BroadcastStream::new(receiver).filter_map(|received| {
        let event = match received {
            Ok(event) => event,
            Err(BroadcastStreamRecvError::Lagged(count)) => Arc::new(Event::Missed { count }),
        };
        let mut message = sse::Event::default().event(event.name());
        if let Event::Recorded { fact } = &*event {
            message = message.id(fact.id()?);
        }
        Some(Ok(message.data(serde_json::to_string(&*event).ok()?)))
    })
}
