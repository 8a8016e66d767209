#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::type_complexity,
    reason = "small numbers of tests"
)]

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::notice::AlertLine;
use super::*;
use crate::adapters::config;
use crate::core::ledger::{CloseReason, FactId, NotificationHandle, StockChange, When, replay, timeline};
use crate::core::schedule::{Amount, ChannelId, Occurrence, ZoneHistory};

mod ahead;
mod answers;
mod desktops;
mod escalation;
mod plans;
mod renames;
mod replies;
mod screen;
mod time;
mod warnings;

/// Returns a line of a reminder about an occurrence that is due at its written time, as if that were in UTC.
pub(super) fn line(id: &str) -> AlertLine {
    let id: OccurrenceId = id.parse().unwrap();
    let at = TimeZone::UTC.to_timestamp(id.slot.written()).unwrap();
    AlertLine { occurrence: Occurrence { at, id }, due: at, lead: false, joins: false }
}

/// A stage for the core: a clock that is set by hand, a journal that always works (or never), and a
/// server that always shows (or never).
struct Stage {
    reminder: Reminder,
    schedule: String,
    zone: TimeZone,
    now: Timestamp,
    facts: Vec<Record>,
    log: Vec<String>,
    journal_works: bool,
    server_works: bool,
    /// Whether channels send, refuse, or have not answered yet.
    channel_works: Option<bool>,
    /// Whether the person is away at a start.
    away: bool,
    /// What the answers of each delivery by a channel are bound to, in order.
    nonces: Vec<String>,
    alerts: BTreeMap<AlertId, u32>,
    notifications: u32,
    questions: u64,
}

const BASIC: &str = r#"
    [[supplement]]
    id = "a"
    name = "Anise"
    dose = "5 mg"
    times = ["08:00"]
    with = "food"
"#;

impl Stage {
    fn new(schedule: &str, start: &str) -> Self {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = zone.to_timestamp(start.parse().unwrap()).unwrap();
        let reminder = Reminder::new(Plan::new(ZoneHistory::fixed(zone.clone())), Ledger::default(), now);
        let mut stage = Self {
            reminder,
            schedule: String::new(),
            zone: zone.clone(),
            now,
            facts: Vec::new(),
            log: Vec::new(),
            journal_works: true,
            server_works: true,
            channel_works: Some(true),
            away: false,
            nonces: Vec::new(),
            alerts: BTreeMap::new(),
            notifications: 0,
            questions: 0,
        };
        stage.input(Input::Zone("Europe/Berlin".to_owned(), zone));
        stage.schedule(schedule);
        stage
    }

    fn schedule(&mut self, schedule: &str) {
        schedule.clone_into(&mut self.schedule);
        self.input(Input::Schedule(config::parse(schedule).unwrap()));
    }

    /// Ends the process as kill -9 does, and starts it again from what was recorded.
    fn restart(&mut self) {
        let mut ledger = Ledger::default();
        for record in &self.facts {
            ledger.fold(record.clone());
        }
        let plan = replay(&ledger, ledger.zone_history(&self.zone), |record, definition| {
            Some(config::read_definition(record.fact.item().unwrap(), definition).item)
        });
        self.reminder = Reminder::new(plan, ledger, self.now);
        self.alerts.clear();
        let schedule = config::parse(&self.schedule).unwrap();
        let zone = self.zone.clone();
        self.input(Input::Started {
            zone_name: zone.iana_name().unwrap().to_owned(),
            zone,
            schedule: Some(schedule),
            away: self.away,
            can_open: false,
        });
    }

    fn at(&mut self, local: &str) -> &mut Self {
        let local: DateTime = local.parse().unwrap();
        self.now = self.zone.to_timestamp(local).unwrap();
        self.input(Input::Tick);
        self
    }

    /// Sets the clock, which is noticed.
    fn set_clock(&mut self, local: &str) {
        self.now = self.zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap();
        self.input(Input::ClockChanged);
    }

    /// Lets time pass as the agenda does, from deadline to deadline.
    fn sleep_until(&mut self, local: &str) -> &mut Self {
        let end = self.zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap();
        while let Some(next) = self.reminder.next_deadline().filter(|next| *next <= end) {
            assert!(next >= self.now, "a deadline in the past: {next}");
            self.now = next;
            self.input(Input::Tick);
            assert!(self.reminder.next_deadline().is_none_or(|after| after > next), "the deadline stays");
        }
        self.now = end;
        self.input(Input::Tick);
        self
    }

    fn input(&mut self, input: Input) {
        let mut queue = std::collections::VecDeque::from(self.reminder.handle(self.now, input));
        while let Some(action) = queue.pop_front() {
            let next = match action {
                Action::Record(token, fact) if self.journal_works => {
                    let seq = self.facts.len() as u64 + 1;
                    let record =
                        Record { id: FactId { device: "d".into(), seq }, recorded_at: self.now, fact };
                    self.facts.push(record.clone());
                    Some(Input::Recorded(token, record.into()))
                }
                Action::Record(token, _) => Some(Input::NotRecorded(token, "disk full".to_owned())),
                Action::Reply(_, outcome) => {
                    self.note(&match outcome {
                        Outcome::Recorded(record) => format!("recorded {}", record.id),
                        Outcome::Repeated(record) => format!("repeated {}", record.id),
                        Outcome::Refused(refusal) => format!("refused: {refusal}"),
                    });
                    None
                }
                Action::Show(notice) if self.server_works => {
                    let number = *self.alerts.entry(notice.alert).or_insert_with(|| {
                        self.notifications += 1;
                        self.notifications
                    });
                    self.note(&format!("show {number}: {}: {}", notice.title, notice.body.join(" | ")));
                    let place = NotificationHandle { notification: number, server: Some("peer".into()) };
                    Some(Input::Shown(notice.alert, place))
                }
                Action::Show(notice) => Some(Input::NotShown(notice.alert, "no server".to_owned())),
                Action::Adopt(alert, place) => {
                    self.alerts.insert(alert, place.notification);
                    None
                }
                Action::Withdraw(alert) => {
                    let number = self.alerts[&alert];
                    self.note(&format!("withdraw {number}"));
                    None
                }
                Action::Send(Outgoing { channel, notice, nonce }) => {
                    let (title, body) = (&notice.title, notice.body.join(" | "));
                    self.note(&format!("send {channel} {}: {title}: {body}", notice.alert.0));
                    self.nonces.extend(nonce);
                    let sent = Input::Sent(notice.alert, notice.occurrences);
                    match self.channel_works {
                        Some(true) => Some(sent),
                        Some(false) => Some(Input::NotSent(notice.alert, "refused".to_owned())),
                        None => None,
                    }
                }
                Action::Rewrite(Outgoing { channel, notice, .. }) => {
                    let (title, body) = (&notice.title, notice.body.join(" | "));
                    self.note(&format!("rewrite {channel} {}: {title}: {body}", notice.alert.0));
                    None
                }
                Action::OpenTerminal => {
                    self.note("open");
                    None
                }
                Action::Cancel(alert) => {
                    self.note(&format!("cancel {}", alert.0));
                    None
                }
                Action::Subscribe(channel, since) => self.note_since("listen to", &channel, since),
                Action::Collect(channel, since) => self.note_since("ask", &channel, since),
                Action::Unsubscribe(channel) => {
                    self.note(&format!("leave {channel}"));
                    None
                }
                Action::Announce(notice) => {
                    self.note(&format!("announce: {}", notice.title));
                    None
                }
            };
            if let Some(next) = next {
                queue.extend(self.reminder.handle(self.now, next));
            }
        }
    }

    fn note_since(&mut self, what: &str, channel: &ChannelId, since: Timestamp) -> Option<Input> {
        let since = self.zone.to_datetime(since).strftime("%H:%M");
        self.note(&format!("{what} {channel}, since {since}"));
        None
    }

    fn note(&mut self, what: &str) {
        let clock = self.zone.to_datetime(self.now).strftime("%H:%M");
        self.log.push(format!("{clock} {what}"));
    }

    fn answer(&mut self, verb: Verb, target: &str) -> &mut Self {
        self.answer_with(verb, target, |_| {})
    }

    fn answer_with(&mut self, verb: Verb, target: &str, change: impl FnOnce(&mut Answer)) -> &mut Self {
        let target = match target.parse() {
            Ok(occurrence) => AnswerTarget::Occurrence(occurrence),
            Err(_) => AnswerTarget::Item(target.parse().unwrap()),
        };
        let mut answer = Answer::new(verb, target);
        change(&mut answer);
        self.questions += 1;
        let request = RequestId(self.questions);
        self.input(Input::Answer { request, answer });
        self
    }

    fn press(&mut self, number: u32, button: Button) -> &mut Self {
        let alert = *self.alerts.iter().find(|(_, known)| **known == number).unwrap().0;
        self.input(Input::Pressed(alert, button));
        self
    }

    /// Compares what happened since the last call.
    #[track_caller]
    fn expect(&mut self, expected: &[&str]) -> &mut Self {
        assert_eq!(std::mem::take(&mut self.log), expected);
        self
    }

    /// Compares the states of a day's occurrences.
    #[track_caller]
    fn states(&mut self, day: &str, expected: &[&str]) -> &mut Self {
        let midnight = format!("{day}T00:00").parse::<DateTime>().unwrap();
        let from = self.zone.to_timestamp(midnight).unwrap();
        let until = self.zone.to_timestamp(midnight.checked_add(jiff::Span::new().days(1)).unwrap()).unwrap();
        let lines = timeline(self.reminder.plan(), self.reminder.ledger(), None, from, until, self.now);
        let got: Vec<String> = lines
            .iter()
            .map(|line| format!("{} {}", line.planned.occurrence.id, line.status.state))
            .collect();
        assert_eq!(got, expected);
        self
    }

    fn facts(&self, name: &str) -> usize {
        self.facts.iter().filter(|record| format!("{:?}", record.fact).starts_with(name)).count()
    }
}
