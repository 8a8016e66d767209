//! Years of a person's life with the real core: a simulated clock, person, notification server and disk,
//! and everything that goes wrong with them.
//!
//! After each step an independent, naive model checks the invariants: nothing acknowledged is lost, each
//! occurrence is resolved once, asked about while it is open and the person can be reached, never more
//! often than it was due, by one alert at most; the past stays as it was; the order of facts is of no
//! account. The seed of a run that fails is printed; `DOSED_SIMULATION_SEED` runs it again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use dosed::config;
use dosed::ledger::{Channel, CloseReason, Fact, FactId, Ledger, Place, Record, State, replay, timeline};
use dosed::reminder::{
    Action, AlertId, Answer, Button, Input, Outcome, Reminder, RequestId, Target, Token, Verb,
};
use dosed::schedule::{OccurrenceId, Plan, Schedule, ZoneHistory};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::support::Lot;

/// User-years of the normal run; `DOSED_SIMULATION_YEARS` sets another number.
const YEARS: usize = 200;

/// A bug that is put in on purpose, between the world and the core.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bug {
    None,
    /// The core believes each grace to be a minute longer than it is.
    GraceOffByOne,
    /// A restart loses the snoozes.
    LostSnooze,
    /// The zone is frozen into the offset of the day on which it was read.
    FrozenOffset,
    /// Facts are acknowledged before they are on the disk.
    EarlyReply,
    /// A restart forgets what was delivered.
    ForgottenDelivery,
}

/// An item as the model knows it.
#[derive(Clone, Debug, PartialEq)]
struct Spec {
    id: String,
    times: Vec<Time>,
    every: u32,
    weekdays: u8,
    grace_minutes: i64,
    again: Option<(i64, u32)>,
    anchor: Date,
}

impl Spec {
    fn draw(lot: &mut Lot, id: &str, anchor: Date) -> Self {
        let times: BTreeSet<Time> = (0..=lot.below(2))
            .map(|_| Time::constant(lot.below(24) as i8, (lot.below(4) * 15) as i8, 0, 0))
            .collect();
        Self {
            id: id.to_owned(),
            times: times.into_iter().collect(),
            every: [1, 1, 1, 2, 3][lot.below(5) as usize],
            weekdays: if lot.one_in(3) { 0b001_1111 } else { 0x7f },
            grace_minutes: [30, 60, 240, 720][lot.below(4) as usize],
            again: lot.one_in(3).then(|| (10, 1 + lot.below(3) as u32)),
            anchor,
        }
    }

    fn toml(&self, bug: Bug) -> String {
        let times: Vec<String> =
            self.times.iter().map(|time| format!("\"{}\"", time.strftime("%H:%M"))).collect();
        let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let days: Vec<_> =
            (0..7).filter(|i| self.weekdays & (1 << i) != 0).map(|i| format!("\"{}\"", names[i])).collect();
        let grace = self.grace_minutes + i64::from(bug == Bug::GraceOffByOne);
        let again = self.again.map_or(String::new(), |(every, at_most)| {
            format!("again = {{ every = \"{every}m\", at-most = {at_most} }}\n")
        });
        format!(
            "[[supplement]]\nid = \"{}\"\ntimes = [{}]\ndays = [{}]\nevery = \"{} days\"\nfrom = {}\ngrace = \"{grace}m\"\n{again}",
            self.id,
            times.join(", "),
            days.join(", "),
            self.every,
            self.anchor,
        )
    }

    /// The naive expansion: every day is looked at.
    fn slots(&self, from: Date, until: Date) -> Vec<jiff::civil::DateTime> {
        let mut found = Vec::new();
        let mut date = from.max(self.anchor);
        while date <= until {
            let days = date.duration_since(self.anchor).as_hours() / 24;
            let weekday = date.weekday().to_monday_zero_offset();
            if days % i64::from(self.every) == 0 && self.weekdays & (1 << weekday) != 0 {
                found.extend(self.times.iter().map(|time| date.to_datetime(*time)));
            }
            date = date.tomorrow().unwrap();
        }
        found
    }
}

/// What the model knows of one occurrence.
#[derive(Clone, Debug)]
struct Known {
    at: Timestamp,
    grace: SignedDuration,
    again: Option<(i64, u32)>,
    /// How often it was put on the screen as something new.
    asked: u32,
    /// How often it may have been.
    may_ask: u32,
    /// The run of the server that showed it last; the next one shows it again.
    shown_by: u32,
    snoozed_until: Option<Timestamp>,
    resolved: bool,
    excused: bool,
    /// Whether there was a moment at which it had to be asked about.
    had_to_be_asked: bool,
    closed: bool,
}

impl Known {
    fn closes(&self) -> Timestamp {
        let end = self.at + self.grace;
        let after = self.snoozed_until.map(|until| until + self.grace.min(SignedDuration::from_hours(1)));
        after.map_or(end, |after| after.max(end))
    }
}

/// A notification server and what stands on its screen; it outlives the daemon.
#[derive(Default)]
struct Screen {
    /// Which run of the server this is.
    run: u32,
    last_number: u32,
    notifications: BTreeMap<u32, Vec<OccurrenceId>>,
    /// What the running daemon knows of it.
    numbers: BTreeMap<AlertId, u32>,
    /// Shown, and nothing of it could be written down: after the next start nobody can find these again.
    orphans: BTreeSet<u32>,
}

impl Screen {
    fn place(&self, notification: u32) -> Place {
        Place { notification, server: Some(format!("peer/{}", self.run).into()) }
    }

    fn adopt(&mut self, alert: AlertId, place: &Place) {
        if *place == self.place(place.notification) {
            self.numbers.insert(alert, place.notification);
        }
    }

    fn show(&mut self, alert: AlertId, occurrences: Vec<OccurrenceId>) -> Place {
        let number = *self.numbers.entry(alert).or_insert_with(|| {
            self.last_number += 1;
            self.last_number
        });
        self.notifications.insert(number, occurrences);
        self.place(number)
    }

    fn take_down(&mut self, alert: AlertId) {
        if let Some(number) = self.numbers.remove(&alert) {
            self.notifications.remove(&number);
        }
    }

    /// The server ends, and another one comes.
    fn restart(&mut self) {
        *self = Self { run: self.run + 1, ..Self::default() };
    }

    /// The alerts that can be pressed or closed.
    fn alerts(&self) -> Vec<AlertId> {
        let shown = |number: &u32| self.notifications.contains_key(number);
        self.numbers.iter().filter(|(_, number)| shown(number)).map(|(alert, _)| *alert).collect()
    }

    fn lines(&self) -> impl Iterator<Item = &OccurrenceId> {
        let known = self.notifications.iter().filter(|(number, _)| !self.orphans.contains(number));
        known.flat_map(|(_, lines)| lines)
    }
}

struct World {
    lot: Lot,
    bug: Bug,
    now: Timestamp,
    /// The highest that the clock has shown.
    latest: Timestamp,
    zones: Vec<(Timestamp, TimeZone)>,
    specs: Vec<(Spec, Timestamp)>,
    core: Reminder,
    disk: Vec<Record>,
    acknowledged: BTreeSet<FactId>,
    server_works: bool,
    disk_works: bool,
    screen: Screen,
    known: BTreeMap<OccurrenceId, Known>,
    pauses: Vec<(Timestamp, Option<Timestamp>)>,
    last_request: u64,
    steps: u64,
    /// Before this instant the model has nothing to learn.
    learn_at: Timestamp,
    /// The clock was set back: an occurrence's time may come twice, its asking not.
    turned_back: bool,
}

impl World {
    fn new(seed: u64, bug: Bug) -> Self {
        let mut lot = Lot(seed | 1);
        let names = zone_names();
        let zone = TimeZone::get(&names[lot.below(names.len() as u64) as usize]).unwrap();
        let day = Date::constant(2026, 1, 1).checked_add((lot.below(3650) as i64).days()).unwrap();
        let now = zone.to_timestamp(day.to_datetime(Time::constant(5, 0, 0, 0))).unwrap();
        let core = Reminder::new(Plan::new(ZoneHistory::fixed(zone.clone())), Ledger::default(), now);
        let mut world = Self {
            lot,
            bug,
            now,
            latest: now,
            zones: vec![(Timestamp::MIN, zone.clone())],
            specs: Vec::new(),
            core,
            disk: Vec::new(),
            acknowledged: BTreeSet::new(),
            server_works: true,
            disk_works: true,
            screen: Screen::default(),
            known: BTreeMap::new(),
            pauses: Vec::new(),
            last_request: 0,
            steps: 0,
            learn_at: Timestamp::MIN,
            turned_back: false,
        };
        world.tell_zone(zone);
        for id in ["a", "b", "c"] {
            world.add(id);
        }
        world.tell_schedule();
        world
    }

    fn zone(&self) -> TimeZone {
        self.zones.last().unwrap().1.clone()
    }

    fn today(&self) -> Date {
        self.zone().to_datetime(self.now).date()
    }

    fn add(&mut self, id: &str) {
        let anchor = self.today();
        let spec = Spec::draw(&mut self.lot, id, anchor);
        self.specs.push((spec, self.now));
        self.learn_at = Timestamp::MIN;
    }

    fn schedule(&self) -> Schedule {
        let text: String = self.specs.iter().map(|(spec, _)| spec.toml(self.bug)).collect();
        config::parse(&text).unwrap()
    }

    fn tell_schedule(&mut self) {
        let schedule = self.schedule();
        self.input(Input::Schedule(schedule));
    }

    fn told_zone(&self, zone: TimeZone) -> (String, TimeZone) {
        let name = zone.iana_name().unwrap().to_owned();
        let told =
            if self.bug == Bug::FrozenOffset { TimeZone::fixed(zone.to_offset(self.now)) } else { zone };
        (name, told)
    }

    fn tell_zone(&mut self, zone: TimeZone) {
        let (name, told) = self.told_zone(zone);
        self.input(Input::Zone(name, told));
    }

    /// The instant at which a local time is due, naively: through the zones one after another.
    fn instant(&self, local: jiff::civil::DateTime) -> Timestamp {
        for (i, (since, zone)) in self.zones.iter().enumerate() {
            let at = zone.to_ambiguous_timestamp(local).compatible().unwrap();
            let until = self.zones.get(i + 1).map_or(Timestamp::MAX, |(until, _)| *until);
            if at <= until {
                return at.max(*since);
            }
        }
        unreachable!("the last zone has no end")
    }

    /// Lets the model know of the occurrences whose time has come.
    fn learn(&mut self) {
        if self.now < self.learn_at {
            return;
        }
        self.learn_at = self.now + SignedDuration::from_hours(12);
        let (from, until) = (self.today().checked_sub(3.days()).unwrap(), self.today().tomorrow().unwrap());
        for (spec, opened) in self.specs.clone() {
            for local in spec.slots(from, until) {
                let at = self.instant(local);
                let slot = dosed::schedule::Slot::Civil(local);
                let id = OccurrenceId { slot, item: spec.id.parse().unwrap() };
                if at > self.now {
                    self.learn_at = self.learn_at.min(at);
                }
                if at < opened || at > self.now || self.known.contains_key(&id) {
                    continue;
                }
                let excused = self
                    .pauses
                    .iter()
                    .any(|(since, until)| *since <= at && until.is_none_or(|until| at < until));
                let known = Known {
                    at,
                    grace: SignedDuration::from_mins(spec.grace_minutes),
                    again: spec.again,
                    asked: 0,
                    may_ask: 1,
                    shown_by: 0,
                    snoozed_until: None,
                    resolved: self.disk.iter().rev().take(400).any(|record| resolves(&record.fact, &id)),
                    excused,
                    had_to_be_asked: false,
                    closed: false,
                };
                self.known.insert(id, known);
            }
        }
    }

    fn input(&mut self, input: Input) {
        if tracing() {
            println!("{} {input:?}", self.now);
        }
        let actions = self.core.handle(self.now, input);
        self.act(actions);
        self.learn();
    }

    /// Carries actions out, on a disk and with a server that may fail.
    fn act(&mut self, actions: Vec<Action>) {
        let mut queue: VecDeque<Action> = actions.into();
        while let Some(action) = queue.pop_front() {
            if tracing() {
                println!("    {action:?}");
            }
            let more = match action {
                Action::Record(token, fact) => self.write(token, fact),
                Action::Reply(_, Outcome::Recorded(record) | Outcome::Repeated(record)) => {
                    self.acknowledged.insert(record.id);
                    Vec::new()
                }
                Action::Reply(_, Outcome::Refused(_)) | Action::Announce(_) => Vec::new(),
                Action::Show(notice) if self.server_works => {
                    self.learn();
                    let place = self.screen.show(notice.alert, notice.occurrences.clone());
                    let before = self.disk.len();
                    let answer = self.core.handle(self.now, Input::Shown(notice.alert, place));
                    let new: Vec<OccurrenceId> = answer
                        .iter()
                        .filter_map(|action| match action {
                            Action::Record(_, Fact::Delivered { occurrence, .. }) => Some(occurrence.clone()),
                            _ => None,
                        })
                        .collect();
                    assert_eq!(before, self.disk.len());
                    for id in new {
                        self.asked(&id);
                    }
                    answer
                }
                Action::Show(notice) => {
                    self.screen.take_down(notice.alert);
                    self.core.handle(self.now, Input::NotShown(notice.alert, "no server".to_owned()))
                }
                Action::Withdraw(alert) => {
                    self.screen.take_down(alert);
                    Vec::new()
                }
                Action::Adopt(alert, place) => {
                    self.screen.adopt(alert, &place);
                    Vec::new()
                }
            };
            queue.extend(more);
        }
    }

    fn asked(&mut self, id: &OccurrenceId) {
        let now = self.now;
        let known = self.known.get_mut(id).unwrap_or_else(|| panic!("{id} was shown before its time, {now}"));
        known.may_ask += u32::from(known.asked > 0 && known.shown_by != self.screen.run);
        known.shown_by = self.screen.run;
        known.asked += 1;
        assert!(now >= known.at || self.turned_back, "{id} was shown at {now}, before {}", known.at);
        let again = known.again.map_or(0, |(_, at_most)| at_most);
        let may = known.may_ask * (1 + again);
        assert!(
            known.excused || known.asked <= may,
            "{id} was asked about {} times, {may} were due",
            known.asked
        );
    }

    fn write(&mut self, token: Token, fact: Fact) -> Vec<Action> {
        if !self.disk_works {
            if let Fact::Delivered { channel: Channel::Desktop(place), .. } = &fact {
                self.screen.orphans.insert(place.notification);
            }
            if let Some(known) = fact.occurrence().and_then(|id| self.known.get_mut(id)) {
                // An answer by button that fails is asked for again; a delivery that fails may be forgotten.
                known.may_ask += 1;
            }
            return self.core.handle(self.now, Input::NotRecorded(token, "disk full".to_owned()));
        }
        let seq = self.disk.len() as u64 + 1;
        let record = Record { id: FactId { device: "d".into(), seq }, recorded_at: self.now, fact };
        if self.bug == Bug::EarlyReply && self.lot.one_in(20) {
            // Told, and never written.
            return self.core.handle(self.now, Input::Recorded(token, record));
        }
        self.disk.push(record.clone());
        self.take_note(&record.fact);
        self.core.handle(self.now, Input::Recorded(token, record))
    }

    /// The model hears of what is on the disk.
    fn take_note(&mut self, fact: &Fact) {
        if let Fact::Pause { at, until, .. } = fact {
            self.pauses.push((*at, *until));
            for known in self.known.values_mut() {
                known.excused |= *at <= known.at && until.is_none_or(|until| known.at < until);
            }
        }
        if let Fact::Resume { at, .. } = fact {
            for (_, until) in &mut self.pauses {
                *until = Some(until.map_or(*at, |until| until.min(*at)));
            }
        }
        let Some(id) = fact.occurrence() else { return };
        self.learn();
        let Some(known) = self.known.get_mut(id) else { return };
        match fact {
            Fact::Intake { .. } | Fact::Skip { .. } => {
                assert!(!known.resolved, "{id} was resolved twice");
                known.resolved = true;
            }
            Fact::Snooze { until, .. } => {
                known.snoozed_until = Some(*until);
                known.may_ask += 1;
            }
            _ => {}
        }
    }

    /// The daemon is killed, sometimes with the whole machine: what is on the disk is all that it has.
    fn restart(&mut self) {
        self.screen.numbers.clear();
        if self.lot.one_in(3) {
            self.screen.restart();
        }
        let mut records: Vec<Record> = self
            .disk
            .iter()
            .filter(|record| {
                let lost = match record.fact {
                    Fact::Snooze { .. } => self.bug == Bug::LostSnooze,
                    Fact::Delivered { .. } => self.bug == Bug::ForgottenDelivery,
                    _ => false,
                };
                let recent = record.recorded_at > self.now - SignedDuration::from_hours(24 * 5);
                !lost && (record.fact.shapes_plan() || recent)
            })
            .cloned()
            .collect();
        // Any order, and some of them twice.
        for i in (1..records.len()).rev() {
            let j = self.lot.below(i as u64 + 1) as usize;
            records.swap(i, j);
        }
        let twice: Vec<Record> = records.iter().take(5).cloned().collect();
        let mut ledger = Ledger::default();
        for record in records.into_iter().chain(twice) {
            ledger.fold(record);
        }
        let plan = replay(&ledger, ledger.zone_history(&self.zones[0].1), |_, definition| {
            Some(config::parse_definition(definition).unwrap())
        });
        self.core = Reminder::new(plan, ledger, self.now);
        let (zone_name, zone) = self.told_zone(self.zone());
        let schedule = self.schedule();
        self.input(Input::Started { zone_name, zone, schedule });
    }

    fn set_clock(&mut self, to: Timestamp) {
        self.now = to;
        self.latest = self.latest.max(to);
    }

    /// Time passes as the agenda lets it: from deadline to deadline.
    fn sleep(&mut self, length: SignedDuration) {
        let end = self.now + length;
        while let Some(next) = self.core.next_deadline().filter(|next| *next <= end) {
            assert!(
                next > self.now || self.steps == 0,
                "a deadline that has passed: {next}, now {}",
                self.now
            );
            self.set_clock(next.max(self.now));
            self.input(Input::Tick);
            self.check();
        }
        self.set_clock(end);
        self.input(Input::Tick);
    }

    fn step(&mut self) {
        match self.lot.below(100) {
            0..55 => {
                let minutes = 30 + self.lot.below(900) as i64;
                self.sleep(SignedDuration::from_mins(minutes));
            }
            55..75 => self.person_answers(),
            75..80 => self.person_closes(),
            80..83 => {
                self.server_works = !self.server_works;
                self.screen.restart();
                if self.server_works {
                    self.input(Input::ServerAppeared);
                }
            }
            83..86 => self.crash_in_an_action(),
            86..89 => self.restart(),
            89..91 => {
                // Asleep, or off: no tick until it is over.
                let minutes = self.lot.below(60 * 24 * 4) as i64;
                self.set_clock(self.now + SignedDuration::from_mins(minutes));
                if self.lot.one_in(2) { self.input(Input::ClockChanged) } else { self.restart() }
            }
            91..93 => self.turn_the_clock(),
            93..95 => self.travel(),
            95..97 => self.edit(),
            97 => self.pause(),
            98 => self.disk_works = self.lot.one_in(2) || !self.disk_works,
            _ => {
                for input in [Input::Tick, Input::ClockChanged, Input::Tick] {
                    self.input(input);
                }
            }
        }
        self.check();
        self.steps += 1;
    }

    /// Somebody answers: on the screen, or with a command, sometimes twice or with two minds at once.
    fn person_answers(&mut self) {
        let alerts = self.screen.alerts();
        if !alerts.is_empty() && self.lot.one_in(2) {
            let alert = alerts[self.lot.below(alerts.len() as u64) as usize];
            let button = Button::ALL[self.lot.below(3) as usize];
            self.input(Input::Pressed(alert, button));
            return;
        }
        let item = ["a", "b", "c"][self.lot.below(3) as usize];
        let named = self.known.keys().rev().take(6).nth(self.lot.below(6) as usize).cloned();
        for _ in 0..=self.lot.below(2) {
            let verb =
                [Verb::Take, Verb::Take, Verb::Skip, Verb::Snooze, Verb::Log][self.lot.below(5) as usize];
            let target = match &named {
                Some(named) if self.lot.one_in(2) => Target::Occurrence(named.clone()),
                _ => Target::Item(item.parse().unwrap()),
            };
            let length = SignedDuration::from_mins(5 + self.lot.below(90) as i64);
            self.last_request += 1;
            let answer = Answer { length: Some(length), ..Answer::new(verb, target) };
            let request = RequestId(self.last_request);
            let context = self.context();
            self.input(Input::Answer { request, answer, context });
        }
    }

    /// What the database knows of the last days, as the daemon hands it in with an answer.
    fn context(&self) -> Vec<Record> {
        let since = self.now - SignedDuration::from_hours(24 * 5);
        self.disk.iter().rev().take(40).filter(|record| record.recorded_at > since).cloned().collect()
    }

    fn person_closes(&mut self) {
        if let Some(alert) = self.screen.alerts().first().copied() {
            self.screen.take_down(alert);
            let reason = if self.lot.one_in(2) { CloseReason::Expired } else { CloseReason::Dismissed };
            self.input(Input::Closed(alert, reason));
        }
    }

    /// The power goes in the middle of a tick: after some of its actions, before the others.
    fn crash_in_an_action(&mut self) {
        let minutes = 30 + self.lot.below(600) as i64;
        let end = self.now + SignedDuration::from_mins(minutes);
        let Some(next) = self.core.next_deadline().filter(|next| *next <= end) else { return };
        self.set_clock(next);
        let actions = self.core.handle(self.now, Input::Tick);
        self.learn();
        let done = self.lot.below(actions.len() as u64 + 1) as usize;
        for action in actions.into_iter().take(done) {
            match action {
                // Shown, and the power goes before that is written down: the one case of twice.
                Action::Show(notice) => {
                    let place = self.screen.show(notice.alert, notice.occurrences.clone());
                    self.screen.orphans.insert(place.notification);
                    for id in &notice.occurrences {
                        if let Some(known) = self.known.get_mut(id) {
                            known.asked += 1;
                            known.may_ask += 1;
                        }
                    }
                }
                Action::Record(_, fact) if self.disk_works && self.lot.one_in(2) => {
                    let seq = self.disk.len() as u64 + 1;
                    let id = FactId { device: "d".into(), seq };
                    self.take_note(&fact);
                    self.disk.push(Record { id, recorded_at: self.now, fact });
                }
                _ => {}
            }
        }
        self.restart();
    }

    fn turn_the_clock(&mut self) {
        let minutes = self.lot.below(60 * 30) as i64 - 60 * 10;
        let to = self.now + SignedDuration::from_mins(minutes);
        self.turned_back |= to < self.now;
        self.learn_at = Timestamp::MIN;
        self.set_clock(to);
        self.input(Input::ClockChanged);
    }

    fn travel(&mut self) {
        // A clock that was set back has no straight history of zones to be naive about, and a change that
        // a full disk does not take is made up for at the next start.
        if self.now < self.latest || !self.disk_works {
            return;
        }
        let names = zone_names();
        let zone = TimeZone::get(&names[self.lot.below(names.len() as u64) as usize]).unwrap();
        if zone == self.zone() {
            return;
        }
        self.zones.push((self.now, zone.clone()));
        self.learn_at = Timestamp::MIN;
        self.tell_zone(zone);
    }

    fn edit(&mut self) {
        if self.now < self.latest || !self.disk_works {
            return;
        }
        let past = self.past();
        let which = self.lot.below(3) as usize;
        let (anchor, now) = (self.today(), self.now);
        let id = self.specs[which].0.id.clone();
        let spec = Spec::draw(&mut self.lot, &id, anchor);
        // What is open and planned no more is let go of.
        for (occurrence, known) in &mut self.known {
            if occurrence.item.as_str() == id && !known.closed && now < known.closes() {
                let kept = spec
                    .slots(anchor.checked_sub(2.days()).unwrap(), anchor)
                    .iter()
                    .any(|local| dosed::schedule::Slot::Civil(*local) == occurrence.slot);
                if kept {
                    known.grace = SignedDuration::from_mins(spec.grace_minutes);
                }
                // Under which grace a kept slot goes on is for its own regimen to say; the model looks away.
                known.excused = true;
            }
        }
        self.specs[which] = (spec, now);
        self.learn_at = Timestamp::MIN;
        self.tell_schedule();
        let after = self.past();
        for (id, state) in past {
            assert_eq!(after.get(&id), Some(&state), "an edit changed the past of {id}");
        }
    }

    /// The states of what has closed in the last days.
    fn past(&self) -> BTreeMap<OccurrenceId, State> {
        let from = self.now - SignedDuration::from_hours(72);
        timeline(self.core.plan(), self.core.ledger(), None, from, self.now, self.now)
            .into_iter()
            .filter(|line| line.standing.closes <= self.now)
            .map(|line| (line.planned.occurrence.id.clone(), line.standing.state))
            .collect()
    }

    fn pause(&mut self) {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        if self.lot.one_in(2) {
            let hours = 1 + self.lot.below(60) as i64;
            let until = Some(self.now + SignedDuration::from_hours(hours));
            self.input(Input::Pause { request, item: None, until, reason: None });
        } else {
            self.input(Input::Resume { request, item: None });
        }
    }

    /// The invariants.
    fn check(&mut self) {
        self.learn();
        let now = self.now;
        let mut on_screen = BTreeSet::new();
        for id in self.screen.lines() {
            assert!(on_screen.insert(id.clone()), "{id} is on two alerts");
        }
        for id in &on_screen {
            if let Some(known) = self.known.get(id) {
                assert!(!known.resolved, "{id} is resolved and still on the screen");
                assert!(
                    known.excused || now < known.closes(),
                    "{id} is on the screen at {now}, after {}",
                    known.closes()
                );
            }
        }
        for known in self.known.values_mut().filter(|known| !known.closed) {
            let snoozed = known.snoozed_until.is_some_and(|until| now < until);
            let open =
                known.at <= now && now < known.closes() && !known.resolved && !known.excused && !snoozed;
            // A server that works and a core that is not waiting to try again: now it has to have been asked.
            known.had_to_be_asked |=
                open && self.server_works && self.disk_works && self.core.retry_at().is_none();
        }
        for (id, known) in &mut self.known {
            assert!(
                !known.had_to_be_asked || known.asked > 0,
                "{id} (at {}) was not asked about, {now}",
                known.at
            );
            if let Some(until) = known.snoozed_until.filter(|until| *until <= now) {
                let open = now < known.closes() && !known.resolved && !known.excused;
                let must = open && self.server_works && self.disk_works && self.core.retry_at().is_none();
                let asked = self.core.ledger().deliveries(id).iter().any(|at| *at >= until);
                assert!(
                    !must || asked || self.turned_back,
                    "{id} was snoozed until {until} and forgotten, {now}"
                );
            }
            known.closed |= now >= known.closes() + SignedDuration::from_hours(40);
        }
        self.known.retain(|_, known| !known.closed);
        for id in std::mem::take(&mut self.acknowledged) {
            let kept = usize::try_from(id.seq).ok().and_then(|seq| self.disk.get(seq - 1));
            assert!(
                kept.is_some_and(|record| record.id == id),
                "{id} was acknowledged and is not on the disk"
            );
        }
        assert!(self.core.next_deadline().is_none_or(|next| next > now), "a deadline stays in the past");
    }
}

/// Whether every input of a life is printed, to see what led to a broken promise.
fn tracing() -> bool {
    std::env::var_os("DOSED_SIMULATION_TRACE").is_some()
}

fn resolves(fact: &Fact, id: &OccurrenceId) -> bool {
    matches!(fact, Fact::Intake { .. } | Fact::Skip { .. }) && fact.occurrence() == Some(id)
}

/// The zones of the whole time zone database.
fn zone_names() -> &'static [String] {
    static NAMES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    NAMES.get_or_init(|| {
        jiff::tz::db()
            .available()
            .map(|name| name.to_string())
            .filter(|name| TimeZone::get(name).is_ok_and(|zone| zone.iana_name().is_some()))
            .collect()
    })
}

/// Runs one life and returns the years and steps that it took.
fn live(seed: u64, bug: Bug, years: i64) -> (f64, u64) {
    let mut world = World::new(seed, bug);
    let start = world.now;
    let end = start + SignedDuration::from_hours(24 * 365 * years);
    while world.now < end {
        world.step();
        if world.disk.len() > 4_000 {
            // The far past is the database's; names go on counting.
            break;
        }
    }
    (world.now.duration_since(start).as_secs_f64() / (365.25 * 86400.0), world.steps)
}

fn seed() -> u64 {
    std::env::var("DOSED_SIMULATION_SEED").map_or(0x00d0_5ed0, |seed| seed.parse().unwrap())
}

#[test]
fn lives_are_lived_without_a_broken_promise() {
    let wanted = std::env::var("DOSED_SIMULATION_YEARS").map_or(YEARS, |years| years.parse().unwrap());
    // One core is what the normal run may take; a long one takes what there is.
    let cores = if wanted > YEARS { std::thread::available_parallelism().map_or(1, usize::from) } else { 1 };
    let first = seed();
    let begun = std::time::Instant::now();
    let (lives, steps) = (AtomicU64::new(0), AtomicU64::new(0));
    let years = Mutex::new(0.0);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while *years.lock().unwrap() < wanted as f64 {
                    let life = lives.fetch_add(1, Ordering::Relaxed);
                    let seed = first.wrapping_add(life).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    let lived = std::panic::catch_unwind(|| live(seed, Bug::None, 2));
                    let (lived, stepped) = lived.unwrap_or_else(|_| {
                        panic!("the life with DOSED_SIMULATION_SEED={} broke a promise", first + life)
                    });
                    *years.lock().unwrap() += lived;
                    steps.fetch_add(stepped, Ordering::Relaxed);
                }
            });
        }
    });
    let (years, took) = (*years.lock().unwrap(), begun.elapsed().as_secs_f64());
    let (lives, steps) = (lives.into_inner(), steps.into_inner());
    println!(
        "{years:.0} user-years, {lives} seeds from {first}, {steps} steps, {:.1} user-years a second on {cores} cores",
        years / took
    );
}

#[test]
fn bugs_that_are_put_in_are_found() {
    for bug in
        [Bug::GraceOffByOne, Bug::LostSnooze, Bug::FrozenOffset, Bug::EarlyReply, Bug::ForgottenDelivery]
    {
        let found = (0..60).find(|seed| std::panic::catch_unwind(|| live(seed * 7919 + 1, bug, 1)).is_err());
        assert!(found.is_some(), "{bug:?} was not found in 60 lives");
    }
}
