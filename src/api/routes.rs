//! The routes: from HTTP to [`Request`]s and back.

use std::collections::HashMap;
use std::convert::Infallible;
use std::str::FromStr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request as HttpRequest, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, post};
use http_body_util::BodyExt;
use tokio::sync::{broadcast, oneshot};

use super::request::{AnswerBody, BodyJson, parse};
use super::{
    Api, Call, Form, MADE_UP, MAX_BODY_BYTES, MAX_KEY_BYTES, MAX_NEXT, OPENAPI, REMARK, REQUEST_TIMEOUT,
    Reply, Request, problem,
};
use crate::ledger::StockChange;
use crate::reminder::{Target, Verb};

/// How much of a body that is too large is read, so that its sender hears so.
const MAX_HEARD_BYTES: usize = 16 * MAX_BODY_BYTES;

/// How many occurrences `next` returns when nobody says.
const NEXT_DEFAULT: usize = 5;

/// Returns the routes.
pub(super) fn router(api: Api) -> Router {
    let router = routes(api.clone());
    if !api.made_up {
        return router;
    }
    router.layer(axum::middleware::map_response(|mut response: Response| async {
        response.headers_mut().insert(MADE_UP, header::HeaderValue::from_static("yes"));
        response
    }))
}

fn routes(api: Api) -> Router {
    Router::new()
        .route("/v1/status", get(|State(api): State<Api>| async move { ask(&api, Request::Status).await }))
        .route("/v1/today", get(|State(api): State<Api>| async move { ask(&api, Request::Today).await }))
        .route("/v1/next", get(next))
        .route("/v1/occurrences", get(occurrences))
        .route("/v1/facts", get(facts))
        .route("/v1/occurrences/{id}/why", get(why))
        .route("/v1/occurrences/{id}/{verb}", post(answer))
        .route("/v1/items/{id}/log", post(log))
        .route("/v1/facts/{id}/retract", post(retract))
        .route("/v1/facts/{id}/correct", post(correct))
        .route("/v1/adherence", get(adherence))
        .route("/v1/insight", get(|State(api): State<Api>| async move { ask(&api, Request::Insight).await }))
        .route("/v1/forms", get(|State(api): State<Api>| async move { ask(&api, Request::Forms).await }))
        .route("/v1/check-ins", get(check_ins))
        .route("/v1/scans", get(|State(api): State<Api>| async move { ask(&api, Request::Scans).await }))
        .route("/v1/items/{id}/check-in", post(check_in))
        .route("/v1/items/{id}/scan", post(scan))
        .route("/v1/stock", get(|State(api): State<Api>| async move { ask(&api, Request::Stock).await }))
        .route("/v1/items/{id}/stock", post(change_stock))
        .route("/v1/channels/check", post(check_channels))
        .route("/v1/channels/test", post(test_channels))
        .route("/v1/pause", post(pause))
        .route("/v1/resume", post(resume))
        .route("/v1/events", get(events))
        .route("/v1/openapi.json", get(|| async { send(Reply::ok(OPENAPI.to_owned())) }))
        .fallback(|| async { send(problem(404, "there is no such route; /v1/openapi.json lists them")) })
        .method_not_allowed_fallback(|| async { send(problem(405, "this route does not know that method")) })
        .layer(axum::middleware::from_fn(hear_out))
        .with_state(api)
}

/// Reads a request to its end before it is looked at: who still sends when the answer comes does not hear it.
async fn hear_out(request: HttpRequest, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match tokio::time::timeout(REQUEST_TIMEOUT, read(body)).await {
        Ok(Ok(Some(bytes))) => next.run(HttpRequest::from_parts(head, Body::from(bytes))).await,
        Ok(Ok(None)) => send(problem(413, &format!("the body is larger than {MAX_BODY_BYTES} bytes"))),
        Ok(Err(error)) => bad(&format!("the body cannot be read: {error}")),
        Err(_) => send(problem(408, "the body did not come in time")),
    }
}

/// Reads a body; `None` is one that is too large, which is read on for a while.
async fn read(mut body: Body) -> Result<Option<Vec<u8>>, axum::Error> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if length <= MAX_BODY_BYTES {
            bytes.extend_from_slice(&data);
        } else if length > MAX_HEARD_BYTES {
            break;
        }
    }
    Ok((length <= MAX_BODY_BYTES).then_some(bytes))
}

type Parameters = Query<HashMap<String, String>>;

fn send(reply: Reply) -> Response {
    let kind = if reply.status < 400 { "application/json" } else { "application/problem+json" };
    let mut response = Response::new(Body::from(reply.json));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    let remark = reply.remark.and_then(|remark| header::HeaderValue::from_bytes(remark.as_bytes()).ok());
    if let Some(remark) = remark {
        response.headers_mut().insert(REMARK, remark);
    }
    response
}

fn bad(detail: &str) -> Response {
    send(problem(400, detail))
}

/// Hands a request on and waits for its answer, not longer than a request may take.
async fn ask(api: &Api, request: Request) -> Response {
    let (reply, answer) = oneshot::channel();
    let asked = async {
        api.calls.send(Call { request, reply }).await.ok()?;
        answer.await.ok()
    };
    send(match tokio::time::timeout(REQUEST_TIMEOUT, asked).await {
        Ok(Some(reply)) => reply,
        Ok(None) => problem(503, "dosed is ending"),
        Err(_) => problem(503, "dosed did not answer in time; what was asked may still be done"),
    })
}

/// Asks, or tells what is wrong with the request.
async fn ask_or_refuse(api: &Api, request: Result<Request, String>) -> Response {
    match request {
        Ok(request) => ask(api, request).await,
        Err(detail) => bad(&detail),
    }
}

fn take<T: FromStr<Err: std::fmt::Display>>(
    parameters: &mut HashMap<String, String>,
    name: &str,
) -> Result<Option<T>, String> {
    parse(parameters.remove(name)).map_err(|error| format!("`{name}`: {error}"))
}

fn no_more(parameters: &HashMap<String, String>) -> Result<(), String> {
    parameters.keys().next().map_or(Ok(()), |name| Err(format!("unknown parameter `{name}`")))
}

async fn next(State(api): State<Api>, Query(mut parameters): Parameters) -> Response {
    let request = (|| {
        let count = take(&mut parameters, "n")?.unwrap_or(NEXT_DEFAULT);
        no_more(&parameters)?;
        if !(1..=MAX_NEXT).contains(&count) {
            return Err(format!("`n` goes from 1 to {MAX_NEXT}"));
        }
        Ok(Request::Next { count })
    })();
    ask_or_refuse(&api, request).await
}

async fn occurrences(State(api): State<Api>, Query(mut parameters): Parameters) -> Response {
    let request = (|| {
        let from = take(&mut parameters, "from")?;
        let until = take(&mut parameters, "until")?;
        let item = take(&mut parameters, "item")?;
        no_more(&parameters)?;
        Ok(Request::Occurrences { from, until, item })
    })();
    ask_or_refuse(&api, request).await
}

async fn why(State(api): State<Api>, Path(id): Path<String>) -> Response {
    let occurrence = id.parse().map_err(|error: crate::schedule::ParseIdError| error.to_string());
    ask_or_refuse(&api, occurrence.map(|occurrence| Request::Why { occurrence })).await
}

async fn facts(State(api): State<Api>, Query(mut parameters): Parameters) -> Response {
    let request = (|| {
        let since = take(&mut parameters, "since")?;
        let since = since.or(take(&mut parameters, "from")?);
        let until = take(&mut parameters, "until")?;
        let item = take(&mut parameters, "item")?;
        let limit = take(&mut parameters, "limit")?;
        no_more(&parameters)?;
        Ok(Request::Facts { since, until, item, limit })
    })();
    ask_or_refuse(&api, request).await
}

async fn adherence(State(api): State<Api>, Query(mut parameters): Parameters) -> Response {
    let request = (|| {
        let since = take(&mut parameters, "since")?;
        let since = since.or(take(&mut parameters, "from")?);
        let until = take(&mut parameters, "until")?;
        let item = take(&mut parameters, "item")?;
        let by_group = match parameters.remove("by").as_deref() {
            None | Some("item") => false,
            Some("group") if item.is_none() => true,
            _ => return Err("`by` is `item` or `group`, the latter without `item`".to_owned()),
        };
        no_more(&parameters)?;
        Ok(Request::Adherence { since, until, item, by_group })
    })();
    ask_or_refuse(&api, request).await
}

async fn answer(
    State(api): State<Api>,
    Path((id, verb)): Path<(String, String)>,
    request: HttpRequest,
) -> Response {
    let (verb, allowed): (_, &[&str]) = match verb.as_str() {
        "take" => (Verb::Take, &["at", "amount", "note", "confirm"]),
        "skip" => (Verb::Skip, &["at", "note", "reason"]),
        "snooze" => (Verb::Snooze, &["for"]),
        _ => return send(problem(404, "an occurrence can be answered with take, skip or snooze")),
    };
    let target =
        if id.contains('@') { id.parse().map(Target::Occurrence) } else { id.parse().map(Target::Item) };
    match target {
        Ok(target) => post_answer(&api, verb, target, allowed, request).await,
        Err(error) => bad(&error.to_string()),
    }
}

async fn log(State(api): State<Api>, Path(id): Path<String>, request: HttpRequest) -> Response {
    match id.parse() {
        Ok(item) => {
            post_answer(&api, Verb::Log, Target::Item(item), &["at", "amount", "note", "confirm"], request)
                .await
        }
        Err(error) => bad(&error.to_string()),
    }
}

async fn post_answer(
    api: &Api,
    verb: Verb,
    target: Target,
    allowed: &[&str],
    request: HttpRequest,
) -> Response {
    let (key, body) = match head_and_body(request, allowed).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let request = body.answer().map(|body| Request::Answer { verb, target, body, key });
    ask_or_refuse(api, request).await
}

async fn retract(State(api): State<Api>, Path(id): Path<String>, request: HttpRequest) -> Response {
    let (key, body) = match head_and_body(request, &["reason"]).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let fact = id.parse().map_err(|error: crate::ledger::ParseFactIdError| error.to_string());
    ask_or_refuse(&api, fact.map(|fact| Request::Retract { fact, reason: body.reason, key })).await
}

async fn correct(State(api): State<Api>, Path(id): Path<String>, request: HttpRequest) -> Response {
    let allowed = ["at", "amount", "note", "reason", "answers"];
    let (key, body) = match head_and_body(request, &allowed).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let request = (|| {
        let fact = id.parse().map_err(|error: crate::ledger::ParseFactIdError| error.to_string())?;
        let answers = body.answers()?;
        let body = body.answer()?;
        if answers.is_empty() && body == AnswerBody::default() {
            return Err(format!("say what was different: {}", allowed.join(", ")));
        }
        Ok(Request::Correct { fact, answers, body, key })
    })();
    ask_or_refuse(&api, request).await
}

async fn pause(State(api): State<Api>, request: HttpRequest) -> Response {
    let body = match head_and_body(request, &["item", "until", "reason"]).await {
        Ok((_, body)) => body,
        Err(response) => return response,
    };
    let request = (|| {
        let BodyJson { item, until, reason, .. } = body;
        Ok(Request::Pause { item: parse(item)?, until: parse(until)?, reason })
    })();
    ask_or_refuse(&api, request).await
}

async fn check_ins(State(api): State<Api>) -> Response {
    ask(&api, Request::CheckIns).await
}

async fn check_in(State(api): State<Api>, Path(id): Path<String>, request: HttpRequest) -> Response {
    fill_in(&api, Form::CheckIn, &id, request).await
}

async fn scan(State(api): State<Api>, Path(id): Path<String>, request: HttpRequest) -> Response {
    fill_in(&api, Form::Scan, &id, request).await
}

async fn fill_in(api: &Api, kind: Form, id: &str, request: HttpRequest) -> Response {
    let (key, body) = match head_and_body(request, &["answers", "at", "note"]).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let request = (|| {
        let item = id.parse().map_err(|error: crate::schedule::ParseIdError| error.to_string())?;
        let (answers, at) = (body.answers()?, parse(body.at)?);
        Ok(Request::FillIn { kind, item, answers, at, note: body.note, key })
    })();
    ask_or_refuse(api, request).await
}

async fn check_channels(State(api): State<Api>, request: HttpRequest) -> Response {
    try_channels(&api, false, request).await
}

async fn test_channels(State(api): State<Api>, request: HttpRequest) -> Response {
    try_channels(&api, true, request).await
}

async fn try_channels(api: &Api, send: bool, request: HttpRequest) -> Response {
    match head_and_body(request, &[]).await {
        Ok(_) => ask(api, Request::TryChannels { send }).await,
        Err(response) => response,
    }
}

async fn change_stock(State(api): State<Api>, Path(id): Path<String>, request: HttpRequest) -> Response {
    let (key, body) = match head_and_body(request, &["add", "count"]).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let request = (|| {
        let item = id.parse().map_err(|error: crate::schedule::ParseIdError| error.to_string())?;
        let change = match (body.add, body.count) {
            (Some(more), None) => StockChange::Add(more),
            (None, Some(counted)) => StockChange::Count(counted),
            _ => return Err("give one of `add` and `count`, in doses".to_owned()),
        };
        Ok(Request::ChangeStock { item, change, key })
    })();
    ask_or_refuse(&api, request).await
}

async fn resume(State(api): State<Api>, request: HttpRequest) -> Response {
    let body = match head_and_body(request, &["item"]).await {
        Ok((_, body)) => body,
        Err(response) => return response,
    };
    ask_or_refuse(&api, parse(body.item).map(|item| Request::Resume { item })).await
}

/// Reads the idempotency key and the body of a request, within the limits.
async fn head_and_body(
    request: HttpRequest,
    allowed: &[&str],
) -> Result<(Option<String>, BodyJson), Response> {
    let key = idempotency_key(request.headers()).map_err(|detail| bad(&detail))?;
    let bytes = axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES);
    let bytes = bytes.await.map_err(|error| bad(&error.to_string()))?;
    let body = BodyJson::read(&bytes).map_err(|detail| bad(&detail))?;
    body.only(allowed).map_err(|detail| bad(&detail))?;
    Ok((key, body))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, String> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() || text.len() > MAX_KEY_BYTES || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!("an idempotency key has 1 to {MAX_KEY_BYTES} visible ASCII characters"));
    }
    Ok(Some(text.to_owned()))
}

/// Streams events as they come; a client that is too slow is told how many it missed.
async fn events(State(api): State<Api>) -> Response {
    let receiver = api.events.subscribe();
    let hello = futures_util::stream::iter([Ok::<_, Infallible>(": dosed events\n\n".to_owned())]);
    let events = futures_util::stream::unfold(receiver, |mut receiver| async {
        let text = match receiver.recv().await {
            Ok(event) => format!("data: {event}\n\n"),
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                format!("data: {{\"event\":\"missed\",\"count\":{missed}}}\n\n")
            }
            Err(broadcast::error::RecvError::Closed) => return None,
        };
        Some((Ok(text), receiver))
    });
    let mut response = Response::new(Body::from_stream(futures_util::StreamExt::chain(hello, events)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}
