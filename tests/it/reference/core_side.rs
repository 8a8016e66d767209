//! The real core, driven as the daemon drives it: a disk that takes each fact, a notification server, restarts from the
//! record alone. What it shows is read the way the questions of the socket read it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use dosed::adapters::config;
use dosed::core::ledger::{
    Fact, FactId, FormData, Ledger, NotificationHandle, Record, StockChange, replay, stock_left, timeline,
};
use dosed::core::reminder::{
    Action, Answer, AnswerTarget, Correction, Input, Outcome as CoreOutcome, Pause, Reminder, RequestId,
    Verb as CoreVerb,
};
use dosed::core::schedule::{Amount, Plan, Schedule, ZoneHistory};
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};

use super::core_words::{core_when, form_data, item_id, kind_of, milligrams, slot_of};
use super::faults::Fault;
use super::life::{Deed, Item, Op, OpId, Outcome, Spec, Verb, ZONES, name, zone};

/// The device whose journal this is.
const DEVICE: &str = "d";

pub(super) struct Core {
    pub(super) now: Timestamp,
    pub(super) reminder: Reminder,
    fault: Fault,
    /// All that was written, and all of it folded.
    pub(super) disk: Vec<Arc<Record>>,
    seq: u64,
    pub(super) ledger: Ledger,
    first_zone: usize,
    zone: usize,
    specs: BTreeMap<Item, Spec>,
    /// When each item was first read.
    since: BTreeMap<Item, Date>,
    server: bool,
    disk_is_full: bool,
    quiet: Option<(Time, Time)>,
    requests: u64,
    outcome: Option<CoreOutcome>,
    pub(super) facts: HashMap<OpId, FactId>,
    pub(super) ops: HashMap<FactId, OpId>,
}

impl Core {
    pub(super) fn new(now: Timestamp, first: usize, fault: Fault) -> Self {
        let plan = Plan::new(ZoneHistory::fixed(zone(first)));
        let mut core = Self {
            now,
            reminder: Reminder::new(plan, Ledger::default(), now),
            fault,
            disk: Vec::new(),
            seq: 0,
            ledger: Ledger::default(),
            first_zone: first,
            zone: first,
            specs: BTreeMap::new(),
            since: BTreeMap::new(),
            server: true,
            disk_is_full: false,
            quiet: None,
            requests: 0,
            outcome: None,
            facts: HashMap::new(),
            ops: HashMap::new(),
        };
        core.start();
        core
    }

    fn schedule(&self) -> Schedule {
        let text = self.fault.on_schedule(&self.specs, &self.since, self.today());
        let quiet = self.quiet.filter(|_| self.fault != Fault::NoQuiet);
        let quiet = quiet.map_or(String::new(), |(from, until)| {
            format!("quiet = \"{}..{}\"\n", from.strftime("%H:%M"), until.strftime("%H:%M"))
        });
        // A schedule without items is none.
        let text = format!("{quiet}[[supplement]]\nid = \"other\"\nas-needed = true\n{text}");
        config::parse(&text).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
    }

    fn today(&self) -> Date {
        zone(self.zone).to_datetime(self.now).date()
    }

    fn start(&mut self) {
        let schedule = Some(self.schedule());
        let zone_name = ZONES[self.zone].to_owned();
        let (zone, now) = (zone(self.zone), self.now);
        self.input(Input::Started { zone_name, zone, schedule, away: false, can_open: false });
        assert_eq!(now, self.now);
    }

    fn restart(&mut self) {
        let mut ledger = Ledger::default();
        // Newest first: the order of facts is of no account.
        for record in self.disk.iter().rev() {
            ledger.fold(record.clone());
        }
        let plan = replay(&ledger, ledger.zone_history(&zone(self.first_zone)), |record, definition| {
            let read = config::read_definition(record.fact.item()?, definition);
            assert!(read.unread.is_empty(), "{:?}", read.unread);
            Some(read.item)
        });
        self.reminder = Reminder::new(plan, ledger, self.now);
        self.start();
    }

    fn input(&mut self, input: Input) {
        if tracing() {
            println!("{} {input:?}", self.now);
        }
        let mut queue: VecDeque<Action> = self.reminder.handle(self.now, input).into();
        while let Some(action) = queue.pop_front() {
            if tracing() {
                println!("    {action:?}");
            }
            queue.extend(self.act(action));
        }
    }

    fn act(&mut self, action: Action) -> Vec<Action> {
        match action {
            Action::Record(token, fact) if self.disk_is_full => {
                if self.fault == Fault::RefusedIsKept {
                    self.seq += 1;
                    let id = FactId { device: DEVICE.into(), seq: self.seq };
                    let record = Arc::new(Record { id, recorded_at: self.now, fact });
                    self.disk.push(record.clone());
                    self.ledger.fold(record);
                }
                self.reminder
                    .handle(self.now, Input::NotRecorded(token, "no space left on device".to_owned()))
            }
            Action::Record(token, fact) => {
                self.seq += 1;
                let id = FactId { device: DEVICE.into(), seq: self.seq };
                let record = Arc::new(Record { id, recorded_at: self.now, fact });
                for read_back in self.fault.on_record(&record, &self.ledger) {
                    self.disk.push(read_back.clone());
                    self.ledger.fold(read_back.clone());
                    if read_back.id != record.id {
                        self.reminder.add_facts(vec![read_back]);
                    }
                }
                let read_back = self.ledger.get(&record.id).cloned().map_or(record, Arc::new);
                self.reminder.handle(self.now, Input::Recorded(token, read_back))
            }
            Action::Reply(_, outcome) => {
                self.outcome = Some(outcome);
                Vec::new()
            }
            Action::Show(notice) if self.server => {
                let handle = NotificationHandle {
                    notification: u32::try_from(notice.alert.0).unwrap(),
                    server: Some("server".into()),
                };
                self.reminder.handle(self.now, Input::Shown(notice.alert, handle))
            }
            Action::Show(notice) => {
                self.reminder.handle(self.now, Input::NotShown(notice.alert, "no server".to_owned()))
            }
            Action::Send(_)
            | Action::Rewrite(_)
            | Action::Cancel(_)
            | Action::Withdraw(_)
            | Action::Adopt(..)
            | Action::Announce(_)
            | Action::Subscribe(..)
            | Action::Unsubscribe(_)
            | Action::Collect(..)
            | Action::OpenTerminal => Vec::new(),
        }
    }

    /// Time passes as the agenda lets it: from deadline to deadline.
    fn sleep_until(&mut self, end: Timestamp) {
        while let Some(next) = self.reminder.next_deadline().filter(|next| *next <= end) {
            assert!(next > self.now, "the deadline {next} has passed, {}", self.now);
            self.now = next;
            self.input(Input::Tick);
        }
        self.now = end;
        self.input(Input::Tick);
    }

    /// What the daemon reads back before a change is decided.
    fn load(&mut self, item: Option<Item>) {
        let id = item.map(item_id);
        let is_about = |record: &&Arc<Record>| {
            !record.fact.shapes_plan() && (id.is_none() || record.fact.item() == id.as_ref())
        };
        // A retraction of something that names no slot names no item either.
        let is_retraction = |record: &&Arc<Record>| matches!(record.fact, Fact::Retraction { .. });
        let found =
            self.disk.iter().filter(|record| is_about(record) || is_retraction(record)).cloned().collect();
        self.reminder.add_facts(found);
    }

    pub(super) fn step(&mut self, op: &Op) -> Outcome {
        if self.now < op.at {
            self.sleep_until(op.at);
        }
        self.outcome = None;
        self.requests += 1;
        let request = RequestId(self.requests);
        match op.deed.clone() {
            Deed::Answer { verb, item, slot, at, amount, form, length, confirmed } => {
                self.load(Some(item));
                let target = match slot {
                    Some(slot) => AnswerTarget::Occurrence(format!("{}@{slot}", name(item)).parse().unwrap()),
                    None => AnswerTarget::Item(item_id(item)),
                };
                let verb = match verb {
                    Verb::Take => CoreVerb::Take,
                    Verb::Skip => CoreVerb::Skip,
                    Verb::Snooze => CoreVerb::Snooze,
                    Verb::Log => CoreVerb::Log,
                };
                let answer = Answer {
                    at: at.map(core_when),
                    amount: amount.map(milligrams),
                    form_data: form.map(form_data),
                    length: length.map(SignedDuration::from_mins),
                    confirmed,
                    ..Answer::new(verb, target)
                };
                self.input(Input::Answer { request, answer });
            }
            Deed::Undo(of) => {
                self.load(None);
                let Some(fact) = self.named(of) else { return Outcome::Refused("no answer") };
                self.input(Input::Retract { request, fact, reason: None, key: None });
            }
            Deed::Correct { of, at, amount, form } => {
                self.load(None);
                let Some(fact) = self.named(of) else { return Outcome::Refused("no answer") };
                let (at, amount) = (at.map(core_when), amount.map(milligrams));
                let correction = Correction {
                    fact,
                    at,
                    amount,
                    form_data: form.map(form_data),
                    note: None,
                    reason: None,
                    key: None,
                };
                self.input(Input::Correct { request, correction });
            }
            Deed::Pause { item, from, until } => {
                let pause = Pause { item: item.map(item_id), from, until, reason: None };
                self.input(Input::Pause { request, pause });
            }
            Deed::Resume(item) => self.input(Input::Resume { request, item: item.map(item_id) }),
            Deed::Stock { item, counted, doses } => {
                let change = if counted {
                    StockChange::Count(doses)
                } else {
                    StockChange::Add(i32::try_from(doses).unwrap())
                };
                self.input(Input::Stock { request, item: item_id(item), change, key: None });
            }
            Deed::Edit(item, spec) => {
                let today = self.today();
                self.since.entry(item).or_insert(today);
                match spec {
                    Some(spec) => self.specs.insert(item, spec),
                    None => self.specs.remove(&item),
                };
                let schedule = self.schedule();
                self.input(Input::Schedule(schedule));
            }
            Deed::Travel(index) => {
                self.zone = index;
                self.input(Input::Zone(ZONES[index].to_owned(), zone(index)));
            }
            Deed::Clock(to) if self.fault == Fault::UnnoticedClock && to < self.now => self.now = to,
            Deed::Clock(to) => {
                self.now = to;
                // At another time, other facts may matter than those in memory; and another zone may hold.
                self.load(None);
                self.input(Input::Zone(ZONES[self.zone].to_owned(), zone(self.zone)));
                self.input(Input::ClockChanged);
            }
            Deed::Arrival(device, lines) => {
                let records: Vec<_> =
                    lines.iter().filter_map(|line| self.peer_record(device, line)).collect();
                self.reminder.add_facts(records);
                self.input(Input::ClockChanged);
            }
            Deed::Quiet(quiet) => {
                self.quiet = quiet;
                let schedule = self.schedule();
                self.input(Input::Schedule(schedule));
            }
            Deed::FullDisk(deed) => {
                self.disk_is_full = true;
                let outcome = self.step(&Op { deed: *deed, ..op.clone() });
                self.disk_is_full = false;
                return outcome;
            }
            Deed::Kill(deed) => {
                self.step(&Op { deed: *deed, ..op.clone() });
                self.restart();
                return Outcome::None;
            }
            Deed::Restart => self.restart(),
            Deed::Server(there) => {
                self.server = there;
                if there {
                    self.input(Input::ServerAppeared);
                }
            }
            Deed::Wait => self.input(Input::Tick),
        }
        self.outcome_of(op.id)
    }

    fn named(&self, of: Option<OpId>) -> Option<FactId> {
        match of {
            // What nothing was recorded for is no fact that anybody could name.
            Some(of) => {
                let unheard = FactId { device: DEVICE.into(), seq: 999_999 };
                Some(self.facts.get(&of).cloned().unwrap_or(unheard))
            }
            None => self.ledger.newest_answer(DEVICE).map(|record| record.id.clone()),
        }
    }

    fn outcome_of(&mut self, op: OpId) -> Outcome {
        match self.outcome.take() {
            None => Outcome::None,
            Some(CoreOutcome::Recorded(record)) => {
                self.facts.insert(op, record.id.clone());
                self.ops.insert(record.id.clone(), op);
                Outcome::Recorded(record.fact.occurrence().map(slot_of))
            }
            Some(CoreOutcome::Repeated(record)) => {
                Outcome::Repeated(self.ops.get(&record.id).copied().unwrap_or(OpId::MAX))
            }
            Some(CoreOutcome::Refused(refusal)) => Outcome::Refused(kind_of(&refusal)),
        }
    }

    /// Whether what an operation recorded counts.
    pub(super) fn is_effective(&self, op: OpId) -> Option<bool> {
        Some(self.ledger.is_effective(self.facts.get(&op)?))
    }

    /// What the revision of an answer says that counts: how much, and what was filled in.
    pub(super) fn said(&self, op: OpId) -> Option<(Option<Amount>, Option<FormData>)> {
        match &self.ledger.effective_revision(self.facts.get(&op)?)?.fact {
            Fact::Intake { amount, form_data, .. } => Some((amount.clone(), form_data.as_deref().cloned())),
            _ => None,
        }
    }

    /// Each occurrence between two instants as a line: its id, its instant, its state.
    pub(super) fn occurrences(&self, from: Timestamp, until: Timestamp) -> Vec<super::Line> {
        let lines = timeline(self.reminder.plan(), &self.ledger, None, from, until, self.now);
        let mut lines: Vec<_> = lines
            .iter()
            .map(|line| {
                let state = self.fault.on_state(line.status.state);
                (line.planned.occurrence.id.to_string(), line.planned.occurrence.at, state.to_string())
            })
            .collect();
        lines.sort();
        lines
    }

    pub(super) fn stock(&self, item: Item) -> Option<u32> {
        stock_left(self.reminder.plan(), &self.ledger, &item_id(item))
            .map(dosed::core::ledger::StockLeft::whole)
    }
}

/// Whether every input is printed, to see what led to a difference.
fn tracing() -> bool {
    std::env::var_os("DOSED_REFERENCE_TRACE").is_some()
}
