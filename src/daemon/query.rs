//! Questions: answered from the database and the plan, beside the daemon's task.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use serde_json::{Value, json};

use super::adherence::adherence;
use super::forms;
use super::insight::insight;
use super::memory::{Asked, Memory, Moment};
use super::stock::stock;
use super::why::why;
use crate::api::{At, MAX_OCCURRENCES, MAX_RANGE_DAYS, Reply, Request, problem};
use crate::ledger::{Fact, Ledger, Line, NEWEST_INTAKES, Record, State, When, longest_open, timeline};
use crate::reminder::{Reminder, Target};
use crate::schedule::{ItemId, OccurrenceId, Plan, Planned};
use crate::store::{History, Question, Range, Reader, StoreError};

/// The most occurrences that are passed over in the search for those that come next.
const MAX_PASSED_OVER: usize = 2_000;

/// How much of a range is looked at in one go.
const PIECE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Where a question is asked: what is planned, what is paused, and when.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) plan: Arc<Plan>,
    pub(super) pauses: Vec<Arc<Record>>,
    pub(super) reader: Reader,
    pub(super) memory: Arc<Memory>,
    pub(super) moment: Moment,
    /// Until when what is asked about is held back, as it is a quiet hour or nobody is there.
    pub(super) held_back_until: Option<Timestamp>,
    pub(super) now: Timestamp,
}

/// Why a question has no answer.
pub(super) enum Failure {
    Asked(String),
    Unknown(String),
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Answers a question.
pub(super) async fn answer(scene: &Scene, question: Request) -> Reply {
    let answered = match question {
        Request::Today => today(scene).await.map(|json| json.to_string()),
        Request::Next { count } => next(scene, count).await,
        Request::Occurrences { from, until, item } => occurrences(scene, from, until, item).await,
        Request::Facts { since, until, item, limit } => facts(scene, since, until, item, limit).await,
        Request::Why { occurrence } => why(scene, &occurrence).await,
        Request::Stock => stock(scene).await,
        Request::Insight => insight(scene).await,
        Request::Forms => Ok(forms::forms(scene)),
        Request::CheckIns => forms::check_ins(scene).await,
        Request::Scans => forms::scans(scene).await,
        Request::Adherence { since, until, item, by_group } => {
            adherence(scene, since, until, item.as_ref(), by_group).await
        }
        _ => Err(Failure::Asked("this is not a question".to_owned())),
    };
    match answered {
        Ok(json) => Reply::ok(json),
        Err(Failure::Unknown(detail)) => problem(404, &detail),
        Err(Failure::Asked(detail)) => problem(400, &detail),
        Err(Failure::Store(error)) => problem(503, &error.to_string()),
    }
}

impl Scene {
    pub(super) fn zone(&self) -> &TimeZone {
        self.plan.zones.zone_at(self.now)
    }

    pub(super) fn today(&self) -> Date {
        self.zone().to_datetime(self.now).date()
    }

    /// Returns when a day begins.
    pub(super) fn midnight(&self, date: Date) -> Result<Timestamp, Failure> {
        instant(At::Date(date), self.zone(), self.now).map_err(Failure::Asked)
    }

    /// Returns the first day of an item in the schedule; of one that never was in it, today.
    pub(super) fn first_day(&self, item: &ItemId) -> Date {
        let opened = self.plan.regimens(item).first().map_or(self.now, |regimen| regimen.opened);
        self.zone().to_datetime(opened).date()
    }

    /// Remembers an answer that holds until an instant where nothing is recorded, and returns it.
    fn keep(&self, asked: Asked, json: String, until: Option<Timestamp>) -> Arc<str> {
        let json: Arc<str> = json.into();
        // What is near is read anew each day.
        let until = until.into_iter().chain(self.now.checked_add(SignedDuration::from_hours(24)).ok()).min();
        if let Some(until) = until {
            self.memory.keep_answer(&self.moment, asked, (self.now, until), json.clone());
        }
        json
    }

    /// Reads the facts that occurrences of a range can be about.
    pub(super) async fn ledger(
        &self,
        from: Timestamp,
        until: Timestamp,
        item: Option<&ItemId>,
    ) -> Result<Ledger, StoreError> {
        let mut records = self.reader.about(from, until, item.cloned()).await?;
        records.extend(newest_intakes(&self.reader, &self.plan, item).await?);
        records.extend(self.pauses.iter().cloned());
        Ok(records.into_iter().collect())
    }
}

/// Reads the newest intakes of the items whose rule counts from the last, or of one of them.
pub(super) async fn newest_intakes(
    reader: &Reader,
    plan: &Plan,
    item: Option<&ItemId>,
) -> Result<Vec<Arc<Record>>, StoreError> {
    let mut records = Vec::new();
    for id in plan.chosen(item).filter(|id| plan.counts_from_the_last(id)) {
        let found = reader.ask(Question::Intakes { item: id.clone(), newest: NEWEST_INTAKES }).await?;
        records.extend(found.into_iter().map(|line| line.record));
    }
    Ok(records)
}

/// Returns the instant that somebody means; a date is its midnight.
pub(super) fn instant(at: At, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, String> {
    let local = |local: DateTime| zone.to_timestamp(local).map_err(|error| error.to_string());
    match at {
        At::Instant(at) => Ok(at),
        At::Local(at) => local(at),
        At::Date(date) => local(date.to_datetime(Time::midnight())),
        At::Time(time) => local(zone.to_datetime(now).date().to_datetime(time)),
    }
}

/// Returns when something happened, as exactly as it was said.
pub(super) fn when(at: At, zone: &TimeZone, now: Timestamp) -> Result<When, String> {
    match at {
        At::Date(date) => Ok(When::Date(date)),
        other => instant(other, zone, now).map(When::Instant),
    }
}

/// How far a local time, read as if it were UTC, lies from its instant at most.
const FARTHEST_ZONE: SignedDuration = SignedDuration::from_hours(14);

/// Returns the item that an answer is about, and when, to within [`FARTHEST_ZONE`].
fn answered(scene: &Scene, request: &Request) -> Option<(ItemId, Timestamp)> {
    let said =
        |at: Option<At>| at.and_then(|at| instant(at, scene.zone(), scene.now).ok()).unwrap_or(scene.now);
    match request {
        Request::Answer { target: Target::Item(item), body, .. } => Some((item.clone(), said(body.at))),
        Request::Answer { target: Target::Occurrence(occurrence), .. } => {
            Some((occurrence.item.clone(), written(occurrence, scene.now)))
        }
        Request::FillIn { item, at, .. } => Some((item.clone(), said(*at))),
        _ => None,
    }
}

fn written(occurrence: &OccurrenceId, now: Timestamp) -> Timestamp {
    TimeZone::UTC.to_timestamp(occurrence.slot.written()).unwrap_or(now)
}

/// Tells whether memory has everything that an answer may be about, so that nothing needs to be read first.
pub(super) fn is_remembered(scene: &Scene, request: &Request) -> bool {
    if matches!(request, Request::Pause { .. } | Request::Resume { .. }) {
        return true;
    }
    let has_key =
        matches!(request, Request::Answer { key: Some(_), .. } | Request::FillIn { key: Some(_), .. });
    let Some((item, at)) = answered(scene, request).filter(|_| !has_key) else { return false };
    let gap = scene.plan.newest(&item).and_then(|regimen| regimen.item.extras().gap).unwrap_or_default();
    let reach = longest_open(scene.plan.longest_grace(&item)).max(gap) + FARTHEST_ZONE;
    let earliest = at.checked_sub(reach).unwrap_or(Timestamp::MIN);
    // Rules that count from the last intake look further back.
    Reminder::remembers_from(scene.now) <= earliest && !scene.plan.counts_from_the_last(&item)
}

/// Reads the recorded facts that an answer may be about.
pub(super) async fn context(scene: &Scene, request: &Request) -> Result<Vec<Arc<Record>>, StoreError> {
    let mut records = Vec::new();
    let day = SignedDuration::from_hours(24);
    if let Request::Answer { key: Some(key), .. }
    | Request::Retract { key: Some(key), .. }
    | Request::Correct { key: Some(key), .. }
    | Request::FillIn { key: Some(key), .. }
    | Request::ChangeStock { key: Some(key), .. } = request
    {
        let found = scene.reader.ask(Question::Key(key.clone())).await?;
        records.extend(found.into_iter().map(|line| line.record));
    }
    let about = if let Request::Retract { fact, .. } | Request::Correct { fact, .. } = request {
        let found = scene.reader.ask(Question::Fact(fact.clone())).await?;
        let about = found.first().and_then(|line| line.record.fact.occurrence().cloned());
        records.extend(found.into_iter().map(|line| line.record));
        about.map(|occurrence| (occurrence.item.clone(), written(&occurrence, scene.now)))
    } else {
        answered(scene, request)
    };
    let Some((item, centre)) = about else { return Ok(records) };
    let from = centre.checked_sub(scene.plan.longest_grace(&item) + day * 2).unwrap_or(Timestamp::MIN);
    let until = centre.checked_add(day * 2).unwrap_or(Timestamp::MAX);
    records.extend(scene.reader.about(from, until, Some(item)).await?);
    Ok(records)
}

/// Returns an instant as it is shown: RFC 3339 with the zone in brackets.
pub(super) fn shown(at: Timestamp, zone: &TimeZone) -> String {
    Zoned::new(at, zone.clone()).to_string()
}

/// Returns the zone in which an occurrence is shown: its own, or the clock's at that time.
pub(super) fn zone_of<'a>(planned: &'a Planned<'_>, plan: &'a Plan) -> &'a TimeZone {
    planned.regimen.item.zone.as_ref().unwrap_or_else(|| plan.zones.zone_at(planned.occurrence.at))
}

/// Returns the members of an occurrence that `today` and `next` show.
fn short(line: &Line<'_>, plan: &Plan) -> Value {
    let occurrence = &line.planned.occurrence;
    json!({
        "occurrence": occurrence.id.to_string(),
        "item": occurrence.id.item.as_str(),
        "name": line.planned.regimen.item.name,
        "at": shown(occurrence.at, zone_of(&line.planned, plan)),
        "state": line.standing.state.as_str(),
        "dose": line.dose().map(|dose| dose.to_string()),
    })
}

/// Returns all that is known of an occurrence.
pub(super) fn long(line: &Line<'_>, plan: &Plan) -> Value {
    let item = &line.planned.regimen.item;
    let zone = zone_of(&line.planned, plan);
    let answer = line.standing.answer.as_ref();
    let answered_at = answer.map(|record| match record.fact.at() {
        When::Instant(at) => shown(at, zone),
        When::Date(date) => date.to_string(),
    });
    let amount = answer.and_then(|record| match &record.fact {
        Fact::Intake { amount, .. } => amount.map(|amount| amount.to_string()),
        _ => None,
    });
    let mut value = short(line, plan);
    if let Some(object) = value.as_object_mut() {
        object.insert("kind".to_owned(), item.kind.as_str().into());
        object.insert("planned".to_owned(), line.planned.occurrence.id.slot.to_string().into());
        object.insert("strain".to_owned(), item.strain().into());
        object.insert("with".to_owned(), item.extras().with.clone().into());
        object.insert("private".to_owned(), item.private.into());
        object.insert("target".to_owned(), item.extras().target.map(|target| target.to_string()).into());
        object.insert("closes".to_owned(), shown(line.standing.closes, zone).into());
        object.insert(
            "snoozed_until".to_owned(),
            line.standing.snoozed_until.map(|until| shown(until, zone)).into(),
        );
        object.insert("answer".to_owned(), answer.map(|record| record.id.to_string()).into());
        object.insert("answered_at".to_owned(), answered_at.into());
        object.insert("amount".to_owned(), amount.into());
    }
    value
}

/// Returns lines as a list.
fn rows(lines: &[Line<'_>], view: fn(&Line<'_>, &Plan) -> Value, scene: &Scene) -> String {
    Value::Array(lines.iter().map(|line| view(line, &scene.plan)).collect()).to_string()
}

/// The occurrences of today, and those of before that are still due.
async fn today(scene: &Scene) -> Result<Arc<str>, Failure> {
    if let Some(json) = scene.memory.answer(&scene.moment, Asked::Today, scene.now) {
        return Ok(json);
    }
    let Day { lines, ends } = day(scene).await?;
    let until = lines.iter().filter_map(|line| line.changes_at(scene.now)).chain([ends]).min();
    let json = rows(&lines, short, scene);
    Ok(scene.keep(Asked::Today, json, until))
}

/// The occurrences of a day, and those of before that are still due.
struct Day<'a> {
    lines: Vec<Line<'a>>,
    ends: Timestamp,
}

async fn day(scene: &Scene) -> Result<Day<'_>, Failure> {
    let midnight = scene.midnight(scene.today())?;
    let tomorrow = scene.midnight(scene.today().saturating_add(1.day()))?;
    // The day, and what most items can reach back; the few that reach further are asked for by themselves.
    let near = midnight.checked_sub(SignedDuration::from_hours(48)).unwrap_or(Timestamp::MIN);
    let shared = scene.ledger(near, tomorrow, None).await?;
    let mut lines = timeline(&scene.plan, &shared, None, midnight, tomorrow, scene.now);
    // What is still open from before: an evening's slot after midnight, a scan for weeks.
    for item in scene.plan.items() {
        let reach = longest_open(scene.plan.longest_grace(item));
        let from = scene.now.checked_sub(reach).unwrap_or(Timestamp::MIN);
        let own;
        let ledger = if from >= near {
            &shared
        } else {
            own = scene.ledger(from, midnight, Some(item)).await?;
            &own
        };
        let open = timeline(&scene.plan, ledger, Some(item), from, midnight, scene.now);
        lines.extend(open.into_iter().filter(|line| line.standing.state == State::Due));
    }
    lines.sort_by(Line::by_time);
    // Where a clock that was set back comes to a change of zone again, the day is another one.
    let ends = scene.plan.zones.next_change(scene.now).map_or(tomorrow, |change| change.min(tomorrow));
    Ok(Day { lines, ends })
}

/// The next occurrences of all items.
async fn next(scene: &Scene, count: usize) -> Result<String, Failure> {
    let lines = upcoming(scene, count).await?;
    Ok(rows(&lines, short, scene))
}

/// The next occurrence of all items, as a list of one or none.
pub(super) async fn soonest(scene: &Scene) -> Result<Arc<str>, Failure> {
    if let Some(json) = scene.memory.answer(&scene.moment, Asked::Soonest, scene.now) {
        return Ok(json);
    }
    let lines = upcoming(scene, 1).await?;
    let json = rows(&lines, short, scene);
    Ok(scene.keep(Asked::Soonest, json, lines.first().map(|line| line.planned.occurrence.at)))
}

async fn upcoming(scene: &Scene, count: usize) -> Result<Vec<Line<'_>>, Failure> {
    let recent = scene.now.checked_sub(SignedDuration::from_hours(48)).unwrap_or(Timestamp::MIN);
    let soon = scene.now.checked_add(SignedDuration::from_hours(48)).unwrap_or(Timestamp::MAX);
    // Only what is near can have been answered ahead of its time.
    let ledger = scene.ledger(recent, soon, None).await?;
    let following = |item: &ItemId, after: Timestamp| {
        let planned = scene.plan.next_after(item, &ledger.counted_from(&scene.plan, item), after)?;
        let standing = crate::ledger::standing(&planned, &ledger, scene.now);
        Some(Line { planned, standing })
    };
    let mut queue: BTreeMap<(Timestamp, ItemId), Line<'_>> = BTreeMap::new();
    let mut lines = Vec::new();
    queue.extend(scene.plan.current_items().filter_map(|item| following(&item.id, scene.now)).map(by_time));
    // A pause without end excuses everything to come: that must not be searched to the end of time.
    for _ in 0..count + MAX_PASSED_OVER {
        let Some(((at, item), line)) = queue.pop_first() else { break };
        if line.standing.state == State::Upcoming {
            lines.push(line);
        }
        if lines.len() >= count {
            break;
        }
        // A pause is passed over in one step: slot by slot, one without an end would take all day.
        let paused = ledger.paused_until(&item, at);
        let after = paused.and_then(|until| until.checked_sub(SignedDuration::from_nanos(1)).ok());
        let after = after.map_or(at, |after| after.max(at));
        queue.extend(following(&item, after).map(by_time));
    }
    Ok(lines)
}

/// Returns a line under the key that queues sort it by: its time, and its item.
fn by_time(line: Line<'_>) -> ((Timestamp, ItemId), Line<'_>) {
    ((line.planned.occurrence.at, line.planned.occurrence.id.item.clone()), line)
}

async fn occurrences(
    scene: &Scene,
    from: Option<At>,
    until: Option<At>,
    item: Option<ItemId>,
) -> Result<String, Failure> {
    if let Some(item) = item.as_ref().filter(|item| scene.plan.regimens(item).is_empty()) {
        return Err(Failure::Asked(format!("there is no item `{item}` in the schedule")));
    }
    if from.is_none() && until.is_none() && item.is_none() {
        let Day { lines, .. } = day(scene).await?;
        return Ok(rows(&lines, long, scene));
    }
    let zone = scene.zone();
    let from = instant(from.unwrap_or(At::Date(scene.today())), zone, scene.now).map_err(Failure::Asked)?;
    let day_after = zone.to_datetime(from).date().saturating_add(1.day());
    let until = instant(until.unwrap_or(At::Date(day_after)), zone, scene.now).map_err(Failure::Asked)?;
    if until.duration_since(from) > SignedDuration::from_hours(24 * MAX_RANGE_DAYS) {
        return Err(Failure::Asked(format!("the range is wider than {MAX_RANGE_DAYS} days")));
    }
    let ledger = scene.ledger(from, until, item.as_ref()).await?;
    // Piece by piece, each written down at once: a wide range holds up nobody and needs no room to speak of.
    let mut texts: Vec<String> = Vec::new();
    let mut begins = from;
    while begins < until {
        let ends = begins.checked_add(PIECE).map_or(until, |ends| ends.min(until));
        let lines = timeline(&scene.plan, &ledger, item.as_ref(), begins, ends, scene.now);
        if texts.len() + lines.len() > MAX_OCCURRENCES {
            return Err(Failure::Asked(format!(
                "there are more than {MAX_OCCURRENCES} occurrences in that range: ask for less of it, or for one item"
            )));
        }
        texts.extend(lines.iter().map(|line| long(line, &scene.plan).to_string()));
        begins = ends;
        tokio::task::yield_now().await;
    }
    Ok(format!("[{}]", texts.join(",")))
}

/// The facts of a range of local time, in the order in which they were recorded, as the journal has them.
async fn facts(
    scene: &Scene,
    since: Option<At>,
    until: Option<At>,
    item: Option<ItemId>,
    limit: Option<usize>,
) -> Result<String, Failure> {
    let zone = scene.zone();
    let bound = |at: Option<At>, open: Timestamp| {
        at.map_or(Ok(open), |at| instant(at, zone, scene.now)).map_err(Failure::Asked)
    };
    let (from, to) = (bound(since, Timestamp::MIN)?, bound(until, Timestamp::MAX)?);
    let local = |at: Option<At>, instant| at.map(|_| zone.to_datetime(instant));
    let lines = scene.reader.history(History {
        range: Range { from, until: to, item },
        local: (local(since, from), local(until, to)),
        zone: zone.clone(),
        limit,
    });
    Ok(format!("[{}]", lines.await?))
}
