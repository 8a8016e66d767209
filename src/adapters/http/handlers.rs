//! The handlers: from what was extracted to a [`Call`], and back.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};

use super::extract::{JsonBody, Parameters, PathId, Posted};
use super::places::Place;
use super::reply::RawJson;
use super::request::{checked, form_values, parse};
use super::respond::{EventStream, Refused, json};
use super::{AnswerBody, Api, Call, Change, FormKind, MAX_NEXT, MAX_STREAMS, OPENAPI, Recorded};
use crate::core::ledger::{FactId, StockChange};
use crate::core::reminder::{AnswerTarget, Verb};
use crate::core::schedule::{ItemId, OccurrenceId};
use crate::protocol::{
    Adherence, AdherenceQuery, ChannelTest, CheckIn, CheckInBody, ComingOccurrence, CorrectBody, FactsQuery,
    Form, HistoryFact, Insight, LogBody, NextQuery, NoBody, NoParameters, Occurrence, OccurrenceDetails,
    OccurrencesQuery, PauseBody, PlannedItem, PostponeBody, RawHistoryFact, ResumeBody, RetractBody, Scan,
    SkipBody, SnoozeBody, Status, StockBody, StockLevel, TakeBody, Why,
};

/// How many occurrences `next` returns by default.
const NEXT_DEFAULT: usize = 5;

type Found<T> = Result<Json<T>, Refused>;
type NoQuery = Parameters<NoParameters>;

pub(super) async fn status(State(api): State<Api>, _: NoQuery) -> Found<Status> {
    api.ask(Call::Status).await.map(Json)
}

pub(super) async fn today(State(api): State<Api>, _: NoQuery) -> Found<Vec<Occurrence>> {
    api.ask(Call::Today).await.map(Json)
}

pub(super) async fn next(
    State(api): State<Api>,
    query: Parameters<NextQuery>,
) -> Found<Vec<ComingOccurrence>> {
    let count = named("n", query.0.n)?.unwrap_or(NEXT_DEFAULT);
    if !(1..=MAX_NEXT).contains(&count) {
        return Err(Refused::bad(format!("`n` goes from 1 to {MAX_NEXT}")));
    }
    let with_skipped = named("skipped", query.0.skipped)?.unwrap_or(false);
    api.ask(|reply| Call::Next { count, with_skipped, reply }).await.map(Json)
}

pub(super) async fn occurrences(
    State(api): State<Api>,
    query: Parameters<OccurrencesQuery>,
) -> Result<RawJson<Vec<OccurrenceDetails>>, Refused> {
    let OccurrencesQuery { from, until, item } = query.0;
    let (from, until, item) = (named("from", from)?, named("until", until)?, named("item", item)?);
    api.ask(|reply| Call::Occurrences { from, until, item, reply }).await
}

pub(super) async fn why(
    State(api): State<Api>,
    PathId(occurrence): PathId<OccurrenceId>,
    _: NoQuery,
) -> Found<Why<RawHistoryFact>> {
    api.ask(|reply| Call::Why { occurrence, reply }).await.map(Json)
}

pub(super) async fn facts(
    State(api): State<Api>,
    query: Parameters<FactsQuery>,
) -> Result<RawJson<Vec<HistoryFact>>, Refused> {
    let FactsQuery { since, from, until, item, limit } = query.0;
    let since = named("since", since)?.or(named("from", from)?);
    let (until, item, limit) = (named("until", until)?, named("item", item)?, named("limit", limit)?);
    api.ask(|reply| Call::Facts { since, until, item, limit, reply }).await
}

pub(super) async fn adherence(
    State(api): State<Api>,
    query: Parameters<AdherenceQuery>,
) -> Found<Vec<Adherence>> {
    let AdherenceQuery { since, from, until, item, by } = query.0;
    let since = named("since", since)?.or(named("from", from)?);
    let (until, item) = (named("until", until)?, named("item", item)?);
    let by_group = match by.as_deref() {
        None | Some("item") => false,
        Some("group") if item.is_none() => true,
        _ => return Err(Refused::bad("`by` is `item` or `group`, the latter without `item`")),
    };
    api.ask(|reply| Call::Adherence { since, until, item, by_group, reply }).await.map(Json)
}

pub(super) async fn insight(State(api): State<Api>, _: NoQuery) -> Found<Insight> {
    api.ask(Call::Insight).await.map(Json)
}

pub(super) async fn forms(State(api): State<Api>, _: NoQuery) -> Found<Vec<Form>> {
    api.ask(Call::Forms).await.map(Json)
}

pub(super) async fn check_ins(State(api): State<Api>, _: NoQuery) -> Found<Vec<CheckIn>> {
    api.ask(Call::CheckIns).await.map(Json)
}

pub(super) async fn scans(State(api): State<Api>, _: NoQuery) -> Found<Vec<Scan>> {
    api.ask(Call::Scans).await.map(Json)
}

pub(super) async fn items(State(api): State<Api>, _: NoQuery) -> Found<Vec<PlannedItem>> {
    api.ask(Call::Items).await.map(Json)
}

pub(super) async fn stock(State(api): State<Api>, _: NoQuery) -> Found<Vec<StockLevel>> {
    api.ask(Call::Stock).await.map(Json)
}

pub(super) async fn check_channels(
    State(api): State<Api>,
    _: NoQuery,
    _: JsonBody<NoBody>,
) -> Found<Vec<ChannelTest>> {
    api.ask(|reply| Call::TestChannels { send: false, reply }).await.map(Json)
}

pub(super) async fn test_channels(
    State(api): State<Api>,
    _: NoQuery,
    _: JsonBody<NoBody>,
) -> Found<Vec<ChannelTest>> {
    api.ask(|reply| Call::TestChannels { send: true, reply }).await.map(Json)
}

pub(super) async fn take(
    State(api): State<Api>,
    PathId(target): PathId<AnswerTarget>,
    posted: Posted<TakeBody>,
) -> Result<Recorded, Refused> {
    answer(&api, Verb::Take, target, posted).await
}

pub(super) async fn skip(
    State(api): State<Api>,
    PathId(target): PathId<AnswerTarget>,
    posted: Posted<SkipBody>,
) -> Result<Recorded, Refused> {
    answer(&api, Verb::Skip, target, posted).await
}

pub(super) async fn snooze(
    State(api): State<Api>,
    PathId(target): PathId<AnswerTarget>,
    posted: Posted<SnoozeBody>,
) -> Result<Recorded, Refused> {
    answer(&api, Verb::Snooze, target, posted).await
}

pub(super) async fn postpone(
    State(api): State<Api>,
    PathId(target): PathId<AnswerTarget>,
    posted: Posted<PostponeBody>,
) -> Result<Recorded, Refused> {
    answer(&api, Verb::Postpone, target, posted).await
}

pub(super) async fn log(
    State(api): State<Api>,
    PathId(item): PathId<ItemId>,
    posted: Posted<LogBody>,
) -> Result<Recorded, Refused> {
    answer(&api, Verb::Log, AnswerTarget::Item(item), posted).await
}

async fn answer<B: TryInto<AnswerBody, Error = String>>(
    api: &Api,
    verb: Verb,
    target: AnswerTarget,
    Posted { key, body }: Posted<B>,
) -> Result<Recorded, Refused> {
    let body = body.try_into().map_err(Refused::bad)?;
    record(api, Change::Answer { verb, target, body, key }).await
}

async fn record(api: &Api, change: Change) -> Result<Recorded, Refused> {
    api.ask(|reply| Call::Change(change, reply)).await
}

pub(super) async fn retract(
    State(api): State<Api>,
    PathId(fact): PathId<FactId>,
    posted: Posted<RetractBody>,
) -> Result<Recorded, Refused> {
    retract_fact(&api, Some(fact), posted).await
}

pub(super) async fn undo(State(api): State<Api>, posted: Posted<RetractBody>) -> Result<Recorded, Refused> {
    retract_fact(&api, None, posted).await
}

async fn retract_fact(
    api: &Api,
    fact: Option<FactId>,
    Posted { key, body: RetractBody { reason } }: Posted<RetractBody>,
) -> Result<Recorded, Refused> {
    let reason = checked("reason", reason).map_err(Refused::bad)?;
    record(api, Change::Retract { fact, reason, key }).await
}

pub(super) async fn correct(
    State(api): State<Api>,
    PathId(fact): PathId<FactId>,
    posted: Posted<CorrectBody>,
) -> Result<Recorded, Refused> {
    correct_fact(&api, Some(fact), posted).await
}

pub(super) async fn correct_newest(
    State(api): State<Api>,
    posted: Posted<CorrectBody>,
) -> Result<Recorded, Refused> {
    correct_fact(&api, None, posted).await
}

async fn correct_fact(
    api: &Api,
    fact: Option<FactId>,
    Posted { key, body }: Posted<CorrectBody>,
) -> Result<Recorded, Refused> {
    let (answers, body) = body.try_into().map_err(Refused::bad)?;
    record(api, Change::Correct { fact, answers, body, key }).await
}

pub(super) async fn check_in(
    State(api): State<Api>,
    PathId(item): PathId<ItemId>,
    posted: Posted<CheckInBody>,
) -> Result<Recorded, Refused> {
    fill_in(&api, FormKind::CheckIn, item, posted).await
}

pub(super) async fn scan(
    State(api): State<Api>,
    PathId(item): PathId<ItemId>,
    posted: Posted<CheckInBody>,
) -> Result<Recorded, Refused> {
    fill_in(&api, FormKind::Scan, item, posted).await
}

async fn fill_in(
    api: &Api,
    kind: FormKind,
    item: ItemId,
    Posted { key, body: CheckInBody { answers, at, note } }: Posted<CheckInBody>,
) -> Result<Recorded, Refused> {
    let answers = form_values(answers).map_err(Refused::bad)?;
    let (at, note) = (parse(at).map_err(Refused::bad)?, checked("note", note).map_err(Refused::bad)?);
    record(api, Change::FillIn { kind, item, answers, at, note, key }).await
}

pub(super) async fn change_stock(
    State(api): State<Api>,
    PathId(item): PathId<ItemId>,
    Posted { key, body }: Posted<StockBody>,
) -> Result<Recorded, Refused> {
    let change = match body {
        StockBody { add: Some(more), count: None } => StockChange::Add(more),
        StockBody { add: None, count: Some(counted) } => StockChange::Count(counted),
        _ => return Err(Refused::bad("give one of `add` and `count`, in doses")),
    };
    record(&api, Change::Stock { item, change, key }).await
}

pub(super) async fn pause(
    State(api): State<Api>,
    _: NoQuery,
    JsonBody(PauseBody { item, from, until, reason }): JsonBody<PauseBody>,
) -> Result<Recorded, Refused> {
    let (item, from) = (parse(item).map_err(Refused::bad)?, parse(from).map_err(Refused::bad)?);
    let until = parse(until).map_err(Refused::bad)?;
    let reason = checked("reason", reason).map_err(Refused::bad)?;
    record(&api, Change::Pause { item, from, until, reason }).await
}

pub(super) async fn resume(
    State(api): State<Api>,
    _: NoQuery,
    JsonBody(ResumeBody { item }): JsonBody<ResumeBody>,
) -> Result<Recorded, Refused> {
    record(&api, Change::Resume { item: parse(item).map_err(Refused::bad)? }).await
}

pub(super) async fn events(
    State(api): State<Api>,
    Extension(connection): Extension<Arc<Place>>,
    _: NoQuery,
) -> Result<EventStream, Refused> {
    let place = api.streams.clone().try_acquire_owned();
    let place = place
        .map_err(|_| Refused::new(503, format!("{MAX_STREAMS} programs follow the events, the limit")))?;
    connection.free();
    Ok(EventStream { events: api.events.subscribe(), place })
}

pub(super) async fn openapi(_: NoQuery) -> Result<Response, Refused> {
    Ok(json(StatusCode::OK, "application/json", OPENAPI.to_owned()))
}

/// Reads a parameter that may be missing, and says which one is wrong.
fn named<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &str,
    text: Option<String>,
) -> Result<Option<T>, Refused> {
    parse(text).map_err(|error| Refused::bad(format!("`{name}`: {error}")))
}
