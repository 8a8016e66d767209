//! Requests from the socket: questions are answered by tasks of their own, changes go to the core.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::event::Event;
use super::queries::{self, QueryContext, QueryError};
use super::{Daemon, reply};
use crate::adapters::http::{AnswerBody, Call, Change, ChangeReply, FormKind, Recorded, Reply};
use crate::adapters::store::JournalLine;
use crate::core::insight;
use crate::core::ledger::{Fact, FactId, FormData, Ledger, Record, When};
use crate::core::reminder::{Answer, AnswerTarget, Correction, Input, Outcome, Pause, RequestId, Verb};
use crate::core::schedule::ItemId;
use crate::process::failpoints;
use crate::protocol::{At, Problem, RawFact};

/// A request that is sent again, as its reply was lost, comes within this time of the first.
const SAME_REQUEST: SignedDuration = SignedDuration::from_mins(2);

/// Answers a question in a task of its own, so that it holds up no reminder.
fn answer<T: Send + 'static>(
    reply: Reply<T>,
    query: impl Future<Output = Result<T, QueryError>> + Send + 'static,
) {
    tokio::spawn(async move {
        // The requester may be gone; so here and below.
        let _ = reply.send(query.await.map_err(Problem::from));
    });
}

impl Daemon {
    pub(super) fn on_call(&mut self, now: Timestamp, call: Call) {
        let context = self.query_context(now);
        match call {
            Call::Status(reply) => {
                let (mut daemon, events) = (self.status(now), self.background.clone());
                let (path, compared) = (self.options.schedule.clone(), self.schedule_file.compare());
                answer(reply, async move {
                    if let Some(difference) = compared.await {
                        daemon.status.schedule_error.get_or_insert(difference);
                        let _ = events.send(Event::FileChanged(path));
                    }
                    Ok(queries::status::status(&context, daemon).await)
                });
            }
            Call::Today(reply) => answer(reply, async move { queries::today(&context).await }),
            Call::Next { count, with_skipped, reply } => {
                answer(reply, async move { queries::next(&context, count, with_skipped).await });
            }
            Call::Occurrences { from, until, item, reply } => {
                answer(reply, async move { queries::occurrences(&context, from, until, item).await });
            }
            Call::Why { occurrence, reply } => {
                let deferred_until = self.reminder.occurrence_deferred_until(&occurrence, now);
                answer(reply, async move { queries::why::why(&context, &occurrence, deferred_until).await });
            }
            Call::Facts { since, until, item, limit, reply } => {
                answer(reply, async move { queries::facts(&context, since, until, item, limit).await });
            }
            Call::Adherence { since, until, item, by_group, reply } => answer(reply, async move {
                queries::adherence::adherence(&context, since, until, item.as_ref(), by_group).await
            }),
            Call::Insight(reply) => answer(reply, async move { queries::insight::insight(&context).await }),
            Call::Forms(reply) => answer(reply, async move { Ok(queries::forms::forms(&context)) }),
            Call::CheckIns(reply) => answer(reply, async move { queries::forms::check_ins(&context).await }),
            Call::Scans(reply) => answer(reply, async move { queries::forms::scans(&context).await }),
            Call::Items(reply) => answer(reply, async move { queries::items(&context).await }),
            Call::Stock(reply) => answer(reply, async move { queries::stock::stock(&context).await }),
            Call::TestChannels { send, reply } => self.test_channels(now, send, reply),
            Call::Change(change, reply) => self.load_context(context, change, reply),
        }
    }

    fn query_context(&self, now: Timestamp) -> QueryContext {
        QueryContext {
            plan: self.reminder.plan().clone(),
            pauses: self.reminder.ledger().pauses(),
            reader: self.record.reader.clone(),
            now,
        }
    }

    /// Reads the recorded facts that a change may be about, where memory does not have them.
    fn load_context(&self, context: QueryContext, change: Change, reply: ChangeReply) {
        let events = self.background.clone();
        if queries::changes::is_in_memory(&context, &change) {
            let _ = events.send(Event::ContextLoaded { change, reply, records: Vec::new() });
            return;
        }
        let device = self.record.device.clone();
        tokio::spawn(async move {
            match queries::changes::records_for(&context, &device, &change).await {
                Ok(records) => {
                    let _ = events.send(Event::ContextLoaded { change, reply, records });
                }
                Err(error) => {
                    let _ = reply.send(Err(Problem::new(503, error.to_string())));
                }
            }
        });
    }

    pub(super) fn on_context_loaded(
        &mut self,
        now: Timestamp,
        change: Change,
        reply: ChangeReply,
        records: Vec<Arc<Record>>,
    ) {
        // What an answer may be about, and which facts are effective, follows from these too.
        self.reminder.add_facts(records);
        let request = self.requests.next_id();
        match self.input_for(now, request, change) {
            Ok(input) => {
                self.requests.insert(request, reply);
                self.input(now, input);
            }
            Err(problem) => {
                let _ = reply.send(Err(problem));
            }
        }
    }

    /// Returns the given fact, else the newest one of this device; a repeated request means what it meant at first.
    fn given_or_newest(
        &self,
        fact: Option<FactId>,
        key: Option<&str>,
        newest: fn(&Ledger, &str) -> Option<FactId>,
    ) -> Result<FactId, Problem> {
        let ledger = self.reminder.ledger();
        let repeated = || ledger.by_key(key?)?.fact.supersedes().cloned();
        fact.or_else(repeated)
            .or_else(|| newest(ledger, &self.record.device))
            .ok_or_else(|| Problem::new(409, "there is no answer to undo or correct"))
    }

    /// Returns when something happened. A request that is repeated means the time that it meant at first.
    fn meant_at(&self, at: Option<At>, key: Option<&str>, now: Timestamp) -> Result<Option<When>, String> {
        let Some(at) = at else { return Ok(None) };
        let meant = queries::when(at, self.reminder.plan(), now)?;
        let repeated = key.and_then(|key| self.reminder.ledger().by_key(key)).map(|record| record.fact.at());
        Ok(Some(match (meant, repeated) {
            (When::Instant(meant), Some(When::Instant(at_first)))
                if matches!(at, At::FromNow(_)) && meant.duration_since(at_first).abs() <= SAME_REQUEST =>
            {
                When::Instant(at_first)
            }
            (meant, _) => meant,
        }))
    }

    /// Turns a change into what the core understands, with the times that the person means.
    fn input_for(&self, now: Timestamp, request: RequestId, change: Change) -> Result<Input, Problem> {
        let bad = |detail: String| Problem::new(400, detail);
        let zone = self.reminder.plan().zones.zone_at(now);
        Ok(match change {
            Change::Answer { verb, target, body, key } => {
                let AnswerBody { at, amount, note, reason, length, confirm: confirmed } = body;
                let at = self.meant_at(at, key.as_deref(), now).map_err(bad)?;
                let answer = Answer {
                    verb,
                    target,
                    at,
                    amount,
                    form_data: None,
                    note,
                    reason,
                    length,
                    confirmed,
                    key,
                };
                Input::Answer { request, answer }
            }
            Change::Retract { fact, reason, key } => {
                let newest = |ledger: &Ledger, device: &str| Some(ledger.newest_act(device)?.id.clone());
                let fact = self.given_or_newest(fact, key.as_deref(), newest)?;
                Input::Retract { request, fact, reason, key }
            }
            Change::Correct { fact, answers, body, key } => {
                let newest = |ledger: &Ledger, device: &str| Some(ledger.newest_answer(device)?.id.clone());
                let fact = self.given_or_newest(fact, key.as_deref(), newest)?;
                let AnswerBody { at, amount, note, reason, .. } = body;
                let at = self.meant_at(at, key.as_deref(), now).map_err(bad)?;
                let form_data = self.corrected_form_data(&fact, answers).map_err(bad)?;
                let correction = Correction { fact, at, amount, form_data, note, reason, key };
                Input::Correct { request, correction }
            }
            Change::Pause { item, from, until, reason } => {
                let instant = |at: Option<At>| at.map(|at| queries::instant(at, zone, now)).transpose();
                let (from, until) = (instant(from).map_err(bad)?, instant(until).map_err(bad)?);
                Input::Pause { request, pause: Pause { item, from, until, reason } }
            }
            Change::Resume { item } => Input::Resume { request, item },
            Change::FillIn { kind, item, answers, at, note, key } => {
                let form_data = match kind {
                    FormKind::CheckIn => {
                        FormData::CheckIn(insight::parse_check_in(&self.form(&item), &answers).map_err(bad)?)
                    }
                    FormKind::Scan => FormData::Scan(insight::parse_scan(&answers).map_err(bad)?),
                };
                let at = self.meant_at(at, key.as_deref(), now).map_err(bad)?;
                let answer = Answer {
                    at,
                    form_data: Some(form_data),
                    note,
                    key,
                    ..Answer::new(Verb::Log, AnswerTarget::Item(item))
                };
                Input::Answer { request, answer }
            }
            Change::Stock { item, change, key } => Input::Stock { request, item, change, key },
        })
    }

    /// Returns the form of an item as the schedule has it; of an item that it does not have, the shipped one.
    fn form(&self, item: &ItemId) -> insight::CheckInForm {
        let newest = self.reminder.plan().newest(item);
        newest.map_or_else(insight::CheckInForm::shipped, |regimen| insight::form_of(&regimen.item))
    }

    /// Returns what a form should have recorded: what it did, with the answers that were different.
    fn corrected_form_data(
        &self,
        fact: &FactId,
        different: BTreeMap<String, String>,
    ) -> Result<Option<FormData>, String> {
        if different.is_empty() {
            return Ok(None);
        }
        let ledger = self.reminder.ledger();
        let recorded =
            ledger.effective_revision(fact).or_else(|| ledger.get(fact)).map(|record| &record.fact);
        let Some(Fact::Intake { item, form_data: Some(recorded), .. }) = recorded else {
            return Err(format!("`{fact}` is neither a check-in nor a scan: it has no answers"));
        };
        let mut answers = insight::form_values(recorded);
        answers.extend(different);
        Ok(Some(match &**recorded {
            FormData::CheckIn(before) => {
                let form = self.form(item);
                if form.name != before.form {
                    return Err(format!("the questions of `{}` have changed since", before.form));
                }
                FormData::CheckIn(insight::parse_check_in(&form, &answers)?)
            }
            FormData::Scan(_) => FormData::Scan(insight::parse_scan(&answers)?),
        }))
    }

    /// Replies to a request; `line` is the fact that has just become durable.
    pub(super) fn reply(&mut self, request: RequestId, outcome: Outcome, line: Option<&JournalLine>) {
        let Some(reply) = self.requests.take(request) else { return };
        failpoints::reach("before-reply");
        let (is_repeat, record) = match outcome {
            Outcome::Refused(refusal) => {
                let _ = reply.send(Err(reply::problem(&refusal)));
                return;
            }
            Outcome::Recorded(record) => (false, record),
            Outcome::Repeated(record) => (true, record),
        };
        if let Some(line) = line.filter(|line| line.record.id == record.id) {
            let warnings = self.reminder.warning_for(&record.fact).into_iter();
            let warnings =
                warnings.chain(self.reminder.still_asked(&record.fact, record.recorded_at)).collect();
            let _ = reply.send(Ok(Recorded { fact: RawFact::new(line.text.clone()), is_repeat, warnings }));
            return;
        }
        let reader = self.record.reader.clone();
        tokio::spawn(async move {
            let _ = reply.send(match reader.fact(record.id.clone()).await {
                Ok(Some(line)) => {
                    Ok(Recorded { fact: RawFact::new(line.text), is_repeat, warnings: Vec::new() })
                }
                Ok(None) => {
                    Err(Problem::new(503, "the fact is recorded, but the database has not caught up"))
                }
                Err(error) => Err(Problem::new(503, error.to_string())),
            });
        });
    }
}
