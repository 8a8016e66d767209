//! Requests from the socket: told to the core, or answered beside the daemon's task.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::event::Event;
use super::{Daemon, query, reply, status};
use crate::api::{AnswerBody, Call, Form, Reply, Request, problem};
use crate::failpoints;
use crate::insight;
use crate::ledger::{Details, Fact, FactId, Record};
use crate::reminder::{Answer, Correction, Input, Outcome, RequestId, Target, Verb};
use crate::schedule::ItemId;
use crate::store::Line;

impl Daemon {
    /// Takes a request: a question is answered beside the daemon's task, an answer is first given the
    /// recorded facts that it may be about.
    pub(super) fn take_call(&mut self, now: Timestamp, call: Call) {
        let Call { request, reply } = call;
        let scene = query::Scene {
            plan: self.reminder.plan().clone(),
            pauses: self.reminder.ledger().pauses(),
            reader: self.reader.clone(),
            memory: self.memory.clone(),
            moment: self.memory.moment(self.reminder.plan().clone(), self.reader.openings()),
            held_back_until: match &request {
                Request::Why { occurrence } => self.reminder.held_back_until(occurrence, now),
                _ => None,
            },
            now,
        };
        match request {
            Request::Status => {
                let status = self.status(now);
                tokio::spawn(async move {
                    let _ = reply.send(status::status(&scene, status).await);
                });
            }
            Request::TryChannels { send } => self.try_channels(now, send, reply),
            _ if query::is_remembered(&scene, &request) => {
                let _ = self.learned.send(Event::Learned { request, reply, context: Vec::new() });
            }
            Request::Answer { .. }
            | Request::FillIn { .. }
            | Request::Retract { .. }
            | Request::Correct { .. }
            | Request::ChangeStock { .. } => {
                let learned = self.learned.clone();
                tokio::spawn(async move {
                    match query::context(&scene, &request).await {
                        Ok(context) => {
                            let _ = learned.send(Event::Learned { request, reply, context });
                        }
                        Err(error) => {
                            let _ = reply.send(problem(503, &error.to_string()));
                        }
                    }
                });
            }
            question => {
                tokio::spawn(async move {
                    let _ = reply.send(query::answer(&scene, question).await);
                });
            }
        }
    }

    pub(super) fn take_learned(
        &mut self,
        now: Timestamp,
        request: Request,
        reply: oneshot::Sender<Reply>,
        context: Vec<Arc<Record>>,
    ) {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        match self.to_input(now, id, request, context) {
            Ok(input) => {
                self.waiting.insert(id, reply);
                self.input(now, input);
            }
            Err(detail) => {
                let _ = reply.send(problem(400, &detail));
            }
        }
    }

    /// Turns a request into what the core understands, with the times that the person means.
    fn to_input(
        &self,
        now: Timestamp,
        id: RequestId,
        request: Request,
        context: Vec<Arc<Record>>,
    ) -> Result<Input, String> {
        let zone = self.reminder.plan().zones.zone_at(now);
        Ok(match request {
            Request::Answer { verb, target, body, key } => {
                let AnswerBody { at, amount, note, reason, length, confirm: confirmed } = body;
                let at = at.map(|at| query::when(at, zone, now)).transpose()?;
                let details = None;
                let answer =
                    Answer { verb, target, at, amount, details, note, reason, length, confirmed, key };
                Input::Answer { request: id, answer, context }
            }
            Request::Retract { fact, reason, key } => {
                Input::Retract { request: id, fact, reason, key, context }
            }
            Request::Correct { fact, answers, body, key } => {
                let AnswerBody { at, amount, note, reason, .. } = body;
                let at = at.map(|at| query::when(at, zone, now)).transpose()?;
                let details = self.corrected_details(&fact, answers, &context)?;
                let correction = Correction { fact, at, amount, details, note, reason, key };
                Input::Correct { request: id, correction, context }
            }
            Request::Pause { item, until, reason } => {
                let until = until.map(|until| query::instant(until, zone, now)).transpose()?;
                Input::Pause { request: id, item, until, reason }
            }
            Request::Resume { item } => Input::Resume { request: id, item },
            Request::FillIn { kind, item, answers, at, note, key } => {
                let details = match kind {
                    Form::CheckIn => Details::CheckIn(insight::check_in(&self.form(&item), &answers)?),
                    Form::Scan => Details::Scan(insight::scan(&answers)?),
                };
                let at = at.map(|at| query::when(at, zone, now)).transpose()?;
                let answer = Answer {
                    at,
                    details: Some(details),
                    note,
                    key,
                    ..Answer::new(Verb::Log, Target::Item(item))
                };
                Input::Answer { request: id, answer, context }
            }
            Request::ChangeStock { item, change, key } => {
                Input::Stock { request: id, item, change, key, context }
            }
            _ => return Err("this is a question".to_owned()),
        })
    }

    /// Returns the form of an item as the schedule has it; of one that it has not, the shipped one.
    fn form(&self, item: &ItemId) -> insight::Form {
        let newest = self.reminder.plan().newest(item);
        newest.map_or_else(insight::Form::shipped, |regimen| insight::form_of(&regimen.item))
    }

    /// Returns what a form should have recorded: what it did, with the answers that were different.
    fn corrected_details(
        &self,
        fact: &FactId,
        different: BTreeMap<String, String>,
        context: &[Arc<Record>],
    ) -> Result<Option<Details>, String> {
        if different.is_empty() {
            return Ok(None);
        }
        let no_form = || format!("`{fact}` is no check-in and no scan, so it has no answers");
        let recorded = context.iter().find(|record| record.id == *fact).map(|record| &record.fact);
        let Some(Fact::Intake { item, details: Some(recorded), .. }) = recorded else {
            return Err(no_form());
        };
        let mut answers = insight::as_given(recorded);
        answers.extend(different);
        Ok(Some(match &**recorded {
            Details::CheckIn(before) => {
                let form = self.form(item);
                if form.name != before.form {
                    return Err(format!("`{}` is asked in other words now", before.form));
                }
                Details::CheckIn(insight::check_in(&form, &answers)?)
            }
            Details::Scan(_) => Details::Scan(insight::scan(&answers)?),
        }))
    }

    /// Tells whoever waits what came of a request; `line` is the fact that has just become durable.
    pub(super) fn reply(&mut self, request: RequestId, outcome: Outcome, line: Option<&Line>) {
        let Some(waiting) = self.waiting.remove(&request) else { return };
        failpoints::reach("before-reply");
        let (status, record) = match outcome {
            Outcome::Refused(refusal) => {
                // Whoever asked may have gone; so here and below.
                let _ = waiting.send(reply::refusal(&refusal));
                return;
            }
            Outcome::Recorded(record) => (201, record),
            Outcome::Repeated(record) => (200, record),
        };
        if let Some(line) = line.filter(|line| line.record.id == record.id) {
            let remark = self.reminder.remark(&record.fact);
            let _ = waiting.send(Reply { remark, ..Reply::new(status, line.text.to_string()) });
            return;
        }
        let reader = self.reader.clone();
        tokio::spawn(async move {
            let reply = match reader.fact(record.id.clone()).await {
                Ok(Some(line)) => Reply::new(status, line.text.to_string()),
                Ok(None) => problem(503, "the fact is recorded, but the database has not caught up"),
                Err(error) => problem(503, &error.to_string()),
            };
            let _ = waiting.send(reply);
        });
    }
}
