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

use dosed::adapters::config;
use dosed::core::ledger::{Channel, CloseReason, Fact, FactId, Ledger, Record, State, replay, timeline};
use dosed::core::reminder::{
    Action, Answer, AnswerTarget, Button, DeliveryReply, Input, Outcome, Outgoing, Pause, Reminder,
    RequestId, Token, Verb,
};
use dosed::core::schedule::{OccurrenceId, Plan, Schedule, ZoneHistory};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::support::SplitMix64;

mod days;
mod promises;
mod screen;

use screen::Screen;

/// User-years of the normal run; `DOSED_SIMULATION_YEARS` sets another number.
const YEARS: usize = 20;

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
    /// The core never hears that the person is back.
    UnheardReturn,
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
    /// After how many minutes it goes out to the phone.
    then: Option<i64>,
    anchor: Date,
}

/// The channel of every schedule.
const PHONE: &str = "[[channel]]\nid = \"phone\"\nkind = \"ntfy\"\nserver = \"https://example.org\"\ntopic = \"a\"\nreplies = \"b\"\n";

impl Spec {
    fn draw(lot: &mut SplitMix64, id: &str, anchor: Date) -> Self {
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
            then: lot.one_in(2).then(|| 5 + lot.below(20) as i64),
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
        let then = self.then.map_or(String::new(), |minutes| {
            format!("then = [{{ after = \"{minutes}m\", channel = \"phone\" }}]\n")
        });
        format!(
            "[[supplement]]\nid = \"{}\"\ntimes = [{}]\ndays = [{}]\nevery = \"{} days\"\nfrom = {}\ngrace = \"{grace}m\"\n{again}{then}",
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
    then: Option<i64>,
    /// How often it went to the phone, or was tried and given up, and how often it may.
    sent: u32,
    may_send: u32,
    /// How often it was put on the screen as something new.
    asked: u32,
    /// How often it may have been.
    may_ask: u32,
    /// The run of the server that showed it last; the next one shows it again.
    shown_by: u32,
    /// Whether it was last shown while the person was away.
    unseen: bool,
    /// Whether it was shown on a desktop that was seen not to keep reminders in sight.
    hidden: bool,
    snoozed_until: Option<Timestamp>,
    resolved: bool,
    excused: bool,
    /// Whether there was a moment at which it had to be asked about.
    had_to_be_asked: bool,
    closed: bool,
}

impl Known {
    /// When it is shown at the latest, also to somebody who is not there.
    fn half_time(&self) -> Timestamp {
        let first = self.snoozed_until.unwrap_or(self.at);
        first + self.closes_at().duration_since(first) / 2
    }

    fn closes_at(&self) -> Timestamp {
        let end = self.at + self.grace;
        let after = self.snoozed_until.map(|until| until + self.grace.min(SignedDuration::from_hours(1)));
        after.map_or(end, |after| after.max(end))
    }
}

struct World {
    lot: SplitMix64,
    bug: Bug,
    now: Timestamp,
    /// The highest that the clock has shown.
    latest: Timestamp,
    zones: Vec<(Timestamp, TimeZone)>,
    /// The items, each with the first day on which its slots are for this model to know.
    specs: Vec<(Spec, Date)>,
    core: Reminder,
    disk: Vec<Record>,
    acknowledged: BTreeSet<FactId>,
    server_works: bool,
    disk_works: bool,
    phone_works: bool,
    /// What went to the phone, and what its answers are bound to; some of it may still be answered there.
    sendings: Vec<(OccurrenceId, String)>,
    /// Nobody is at the screen.
    away: bool,
    /// The server has taken a reminder off the screen by itself, and the core has seen it since it was started.
    hides: bool,
    screen: Screen,
    known: BTreeMap<OccurrenceId, Known>,
    pauses: Vec<(Timestamp, Option<Timestamp>)>,
    last_request: u64,
    steps: u64,
    /// How many occurrences were asked about, and how often one of them was put on the screen as something new.
    occurrences: u64,
    alerts: u64,
    /// Before this instant the model has nothing to learn.
    learn_at: Timestamp,
    /// The clock was set back: an occurrence's time may come twice, and what was asked after it is asked once more.
    turned_back: bool,
}

impl World {
    fn new(seed: u64, bug: Bug) -> Self {
        let mut lot = SplitMix64::new(seed);
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
            phone_works: true,
            sendings: Vec::new(),
            away: false,
            hides: false,
            screen: Screen::default(),
            known: BTreeMap::new(),
            pauses: Vec::new(),
            last_request: 0,
            steps: 0,
            occurrences: 0,
            alerts: 0,
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
        // It says itself since when it is planned.
        self.specs.push((spec, anchor));
        self.learn_at = Timestamp::MIN;
    }

    fn schedule(&self) -> Schedule {
        let items = self.specs.iter().map(|(spec, _)| spec.toml(self.bug));
        let text: String = items.chain([PHONE.to_owned()]).collect();
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
                    self.acknowledged.insert(record.id.clone());
                    Vec::new()
                }
                Action::Reply(_, Outcome::Refused(_))
                | Action::Announce(_)
                | Action::Rewrite(_)
                | Action::Cancel(_)
                | Action::Subscribe(..)
                | Action::Unsubscribe(_)
                | Action::Collect(..)
                | Action::OpenTerminal => Vec::new(),
                Action::Send(Outgoing { notice, nonce, .. }) => {
                    self.learn();
                    for id in &notice.occurrences {
                        self.sent(id);
                    }
                    let outcome = if self.phone_works {
                        let asked = notice.occurrences.iter().map(|id| (id.clone(), nonce.clone().unwrap()));
                        self.sendings.extend(asked);
                        Input::Sent(notice.alert, notice.occurrences)
                    } else {
                        Input::NotSent(notice.alert, "no network".to_owned())
                    };
                    self.core.handle(self.now, outcome)
                }
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

    fn write(&mut self, token: Token, fact: Fact) -> Vec<Action> {
        if !self.disk_works {
            if let Fact::Delivered { channel: Channel::Desktop(place), .. } = &fact {
                self.screen.orphans.insert(place.notification);
            }
            if let Some(known) = fact.occurrence().and_then(|id| self.known.get_mut(id)) {
                // An answer by button that fails is asked for again; a delivery that fails may be forgotten.
                known.may_ask += 1;
                known.may_send += 1;
            }
            return self.core.handle(self.now, Input::NotRecorded(token, "disk full".to_owned()));
        }
        let seq = self.disk.len() as u64 + 1;
        let record = Record { id: FactId { device: "d".into(), seq }, recorded_at: self.now, fact };
        if self.bug == Bug::EarlyReply && self.lot.one_in(20) {
            // Told, and never written.
            return self.core.handle(self.now, Input::Recorded(token, record.into()));
        }
        self.disk.push(record.clone());
        self.take_note(&record.fact);
        self.core.handle(self.now, Input::Recorded(token, record.into()))
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

/// What lives came to.
#[derive(Default)]
struct Lived {
    years: f64,
    steps: u64,
    occurrences: u64,
    alerts: u64,
}

/// Runs one life.
fn live(seed: u64, bug: Bug, years: i64) -> Lived {
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
    Lived {
        years: world.now.duration_since(start).as_secs_f64() / (365.25 * 86400.0),
        steps: world.steps,
        occurrences: world.occurrences,
        alerts: world.alerts,
    }
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
    let lives = AtomicU64::new(0);
    let all = Mutex::new(Lived::default());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while all.lock().unwrap().years < wanted as f64 {
                    let life = lives.fetch_add(1, Ordering::Relaxed);
                    let seed = first.wrapping_add(life).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    let lived = std::panic::catch_unwind(|| live(seed, Bug::None, 2));
                    let lived = lived.unwrap_or_else(|_| {
                        panic!("the life with DOSED_SIMULATION_SEED={} broke a promise", first + life)
                    });
                    let mut all = all.lock().unwrap();
                    all.years += lived.years;
                    all.steps += lived.steps;
                    all.occurrences += lived.occurrences;
                    all.alerts += lived.alerts;
                }
            });
        }
    });
    let (Lived { years, steps, occurrences, alerts }, took) =
        (all.into_inner().unwrap(), begun.elapsed().as_secs_f64());
    let lives = lives.into_inner();
    println!(
        "{years:.0} user-years, {lives} seeds from {first}, {steps} steps, {:.1} user-years a second on {cores} cores",
        years / took
    );
    println!(
        "{occurrences} occurrences asked about, {alerts} alerts: {:.2} for each",
        alerts as f64 / occurrences as f64
    );
}

#[test]
fn bugs_that_are_put_in_are_found() {
    let bugs = [
        Bug::GraceOffByOne,
        Bug::LostSnooze,
        Bug::FrozenOffset,
        Bug::EarlyReply,
        Bug::ForgottenDelivery,
        Bug::UnheardReturn,
    ];
    for bug in bugs {
        let found = (0..120).find(|seed| std::panic::catch_unwind(|| live(seed * 7919 + 1, bug, 1)).is_err());
        assert!(found.is_some(), "{bug:?} was not found in 120 lives");
    }
}
