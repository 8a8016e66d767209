//! The routes of `/v1`, each named once: the router and the `OpenAPI` document are made from this table.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;

use super::places::{LongResponses, bound_long};
use super::respond::Refused;
use super::{Api, MAX_BODY_BYTES, REQUEST_TIMEOUT, handlers};
use crate::protocol::DEMO_HEADER;

/// How much of a body that is too large is read, so that its sender gets the response.
const MAX_DISCARDED_BYTES: usize = 16 * MAX_BODY_BYTES;

/// What the document has of an operation apart from its types.
#[cfg(test)]
pub(super) struct Operation {
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
}

macro_rules! operations {
    ($($method:ident $path:literal $handler:ident $summary:literal;)*) => {
        fn operations() -> Router<Api> {
            Router::new()$(.route($path, axum::routing::$method(handlers::$handler)))*
        }

        #[cfg(test)]
        pub(super) fn documented() -> (aide::axum::ApiRouter<Api>, Vec<Operation>) {
            let router = aide::axum::ApiRouter::new()
                $(.api_route($path, aide::axum::routing::$method(handlers::$handler)))*;
            let operations =
                vec![$(Operation { path: $path, id: stringify!($handler), summary: $summary }),*];
            (router, operations)
        }
    };
}

operations! {
    get "/v1/status" status "The state of the daemon, the notification server, the journal and the database.";
    get "/v1/today" today "The occurrences of today, and earlier ones that are still due.";
    get "/v1/next" next "The next occurrences.";
    get "/v1/occurrences" occurrences "The occurrences of a range in full; without parameters, those of today.";
    get "/v1/occurrences/{id}/why" why "Everything that made one occurrence what it is.";
    get "/v1/facts" facts "The facts of a range as the journal has them, in the order in which they were recorded, each with what became of it.";
    get "/v1/adherence" adherence "What was taken of what was planned, over local dates: a row for each item or group.";
    get "/v1/insight" insight "What the record shows of habits and check-ins together, and what it cannot show.";
    get "/v1/forms" forms "The forms that can be filled in: one for each check-in and scan.";
    get "/v1/check-ins" check_ins "The answered check-ins, oldest first.";
    get "/v1/scans" scans "The recorded scans, oldest first, compared only where they were made alike.";
    get "/v1/items" items "The items that are in the schedule or were, each with the day from which its intervals and cycles count.";
    get "/v1/stock" stock "What is left of each item whose stock is counted.";
    get "/v1/events" events "Events as they happen (server-sent events), each a JSON object with the member `event`.";
    get "/v1/openapi.json" openapi "This document.";
    post "/v1/occurrences/{id}/take" take "It was taken, or done. The id is an occurrence, or an item whose slot is open.";
    post "/v1/occurrences/{id}/skip" skip "It is deliberately left out. The id is an occurrence, or an item whose slot is open.";
    post "/v1/occurrences/{id}/snooze" snooze "Ask again later. The id is an occurrence, or an item whose slot is open.";
    post "/v1/occurrences/{id}/postpone" postpone "Ask later than planned. The id is an occurrence, or an item: what is open of it, else what comes next.";
    post "/v1/items/{id}/log" log "Record an unscheduled dose or activity: as needed, extra, or a number of minutes.";
    post "/v1/items/{id}/check-in" check_in "Answer a check-in.";
    post "/v1/items/{id}/scan" scan "Record one site of a scan.";
    post "/v1/items/{id}/stock" change_stock "Doses were bought (`add`) or counted (`count`).";
    post "/v1/facts/{id}/retract" retract "Undo a fact; the record keeps both.";
    post "/v1/facts/{id}/correct" correct "Correct an answer; the record keeps both.";
    post "/v1/undo" undo "Undo the newest answer of this device that still counts, in the order of writing; the record keeps both.";
    post "/v1/correct" correct_newest "Correct the newest answer of this device that still counts, in the order of writing; the record keeps both.";
    post "/v1/pause" pause "Pause reminders; occurrences within the pause are excused.";
    post "/v1/resume" resume "Resume reminders.";
    post "/v1/channels/check" check_channels "Check whether each channel would work, without sending anything.";
    post "/v1/channels/test" test_channels "Send one harmless reminder through each channel.";
}

/// Returns the router of the socket.
pub(super) fn router(api: Api) -> Router {
    let router = operations()
        .route("/v1/occurrences/{id}/{verb}", axum::routing::any(unknown_verb))
        .fallback(|| async { Refused::new(404, "there is no such route; /v1/openapi.json lists them") })
        .method_not_allowed_fallback(|| async {
            Refused::new(405, "this route does not support that method")
        })
        .layer(from_fn_with_state(Arc::new(LongResponses::new()), bound_long))
        .layer(from_fn(buffer_body));
    let router = if api.is_demo { router.layer(map_response(mark_demo)) } else { router };
    router.with_state(api)
}

async fn unknown_verb() -> Refused {
    Refused::new(404, "an occurrence can be answered with take, skip or snooze")
}

async fn mark_demo(mut response: Response) -> Response {
    response.headers_mut().insert(DEMO_HEADER, HeaderValue::from_static("yes"));
    response
}

/// Reads a request to its end before it is handled: a client that is still sending would miss the response.
async fn buffer_body(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match tokio::time::timeout(REQUEST_TIMEOUT, read(body)).await {
        Ok(Ok(Some(bytes))) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Ok(None)) => {
            Refused::new(413, format!("the body is larger than {MAX_BODY_BYTES} bytes")).into_response()
        }
        Ok(Err(error)) => Refused::bad(format!("the body cannot be read: {error}")).into_response(),
        Err(_) => Refused::new(408, "the body did not arrive in time").into_response(),
    }
}

/// Reads a body; returns `None` for one that is too large, of which the rest is discarded up to a limit.
async fn read(mut body: Body) -> Result<Option<Vec<u8>>, axum::Error> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if length <= MAX_BODY_BYTES {
            bytes.extend_from_slice(&data);
        } else if length > MAX_DISCARDED_BYTES {
            break;
        }
    }
    Ok((length <= MAX_BODY_BYTES).then_some(bytes))
}
