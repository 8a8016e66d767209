//! A life as plain data: what a person, a clock and a machine did, one operation after another.
//!
//! Nothing here knows the core; both sides of the comparison read it.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// The zones that a person travels through.
pub(super) const ZONES: [&str; 7] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Apia",
    "UTC",
];

pub(super) fn zone(index: usize) -> TimeZone {
    static FOUND: std::sync::OnceLock<Vec<TimeZone>> = std::sync::OnceLock::new();
    FOUND.get_or_init(|| ZONES.iter().map(|name| TimeZone::get(name).unwrap()).collect())[index].clone()
}

/// An item, by its place in the alphabet.
pub(super) type Item = u8;

pub(super) fn name(item: Item) -> String {
    char::from(b'a' + item).to_string()
}

/// A planned time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Slot {
    Civil(DateTime),
    Utc(Timestamp),
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, suffix) = match self {
            Self::Civil(at) => (*at, ""),
            Self::Utc(at) => (TimeZone::UTC.to_datetime(*at), "Z"),
        };
        let pattern = if at.second() == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" };
        write!(f, "{}{suffix}", at.strftime(pattern))
    }
}

/// When something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Instant(Timestamp),
    Date(Date),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Days,
    Weeks,
    Months,
}

/// When an item comes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rule {
    /// At local times on days.
    Times {
        times: Vec<Time>,
        /// A bit for each weekday from Monday; `None` is not written.
        days: Option<u8>,
        every: Option<(u32, Unit)>,
        cycle: Option<(u32, u32)>,
    },
    /// Minute, hour and weekdays of a pattern.
    Cron {
        minute: i8,
        hours: Vec<i8>,
        days: u8,
    },
    /// So many minutes after the last intake.
    Elapsed {
        minutes: i64,
    },
    /// So many months after the day of the last intake.
    AfterLast {
        months: u32,
        time: Time,
    },
    AsNeeded,
}

/// What sort of thing an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Supplement,
    CheckIn,
    Scan,
}

/// What a check-in or a scan records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// From 0 to 10; one question may be left out.
    CheckIn(u8, Option<u8>),
    /// In 0.1 mg/cm2.
    Scan(u32),
}

/// An item as the schedule describes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spec {
    pub(super) kind: Kind,
    pub(super) rule: Rule,
    pub(super) from: Option<Date>,
    pub(super) until: Option<Date>,
    pub(super) grace_minutes: i64,
    pub(super) dose: Option<u32>,
    pub(super) stock: Option<u32>,
    pub(super) zone: Option<usize>,
    /// Minutes within which a second intake needs a confirmation.
    pub(super) gap: Option<i64>,
    /// A reminder again after so many minutes, at most so often.
    pub(super) again: Option<(i64, u32)>,
    /// Other doses, each from a day on.
    pub(super) taper: Vec<(Date, u32)>,
    /// What is noticed late is let go.
    pub(super) late_is_missed: bool,
}

impl Spec {
    pub(super) fn toml(&self, item: Item) -> String {
        let kind = match self.kind {
            Kind::Supplement => "supplement",
            Kind::CheckIn => "check-in",
            Kind::Scan => "scan",
        };
        let mut text = format!("[[{kind}]]\nid = \"{}\"\ngrace = \"{}m\"\n", name(item), self.grace_minutes);
        let quoted = |times: &[Time]| {
            let times: Vec<_> = times.iter().map(|time| format!("\"{}\"", time.strftime("%H:%M"))).collect();
            times.join(", ")
        };
        match &self.rule {
            Rule::Times { times, days, every, cycle } => {
                text += &format!("times = [{}]\n", quoted(times));
                if let Some(days) = days {
                    text += &format!("days = [{}]\n", weekdays(*days).collect::<Vec<_>>().join(", "));
                }
                if let Some((n, unit)) = every {
                    let unit = match unit {
                        Unit::Days => "days",
                        Unit::Weeks => "weeks",
                        Unit::Months => "months",
                    };
                    text += &format!("every = \"{n} {unit}\"\n");
                }
                if let Some((on, off)) = cycle {
                    text += &format!("cycle = {{ on = {on}, off = {off} }}\n");
                }
            }
            Rule::Cron { minute, hours, days } => {
                let list = |numbers: Vec<String>| numbers.join(",");
                let hours = list(hours.iter().map(ToString::to_string).collect());
                let days =
                    list((0..7).filter(|i| days & (1 << i) != 0).map(|i| (i + 1).to_string()).collect());
                text += &format!("cron = \"{minute} {hours} * * {days}\"\n");
            }
            Rule::Elapsed { minutes } => text += &format!("every = \"{minutes} minutes\"\n"),
            Rule::AfterLast { months, time } => {
                text += &format!(
                    "every = \"{months} months\"\nafter-last = true\ntimes = [{}]\n",
                    quoted(&[*time])
                );
            }
            Rule::AsNeeded => text += "as-needed = true\n",
        }
        for (key, date) in [("from", self.from), ("until", self.until)] {
            text += &date.map_or(String::new(), |date| format!("{key} = {date}\n"));
        }
        text += &self.dose.map_or(String::new(), |dose| format!("dose = \"{dose} mg\"\n"));
        text +=
            &self.stock.map_or(String::new(), |have| format!("stock = {{ have = {have}, refill-at = 1 }}\n"));
        text += &self.zone.map_or(String::new(), |zone| format!("zone = \"{}\"\n", ZONES[zone]));
        text += &self.gap.map_or(String::new(), |gap| format!("gap = \"{gap}m\"\n"));
        text += &self.again.map_or(String::new(), |(every, at_most)| {
            format!("again = {{ every = \"{every}m\", at-most = {at_most} }}\n")
        });
        let steps: Vec<_> = self
            .taper
            .iter()
            .map(|(from, dose)| format!("{{ from = {from}, dose = \"{dose} mg\" }}"))
            .collect();
        if !steps.is_empty() {
            text += &format!("taper = [{}]\n", steps.join(", "));
        }
        if self.late_is_missed {
            text += "late = \"miss\"\n";
        }
        text
    }
}

fn weekdays(days: u8) -> impl Iterator<Item = String> {
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    (0..7).filter(move |i| days & (1 << i) != 0).map(move |i| format!("\"{}\"", names[i]))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Take,
    Skip,
    Snooze,
    Log,
}

/// The number of an operation; what it recorded is known by it.
pub(super) type OpId = u32;

/// What can be written down.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Happened {
    Intake {
        item: Item,
        slot: Option<Slot>,
        at: When,
        amount: Option<u32>,
        planned: Option<u32>,
        form: Option<Form>,
        corrects: Option<OpId>,
    },
    Skip {
        item: Item,
        slot: Slot,
        at: When,
        corrects: Option<OpId>,
    },
    Snooze {
        item: Item,
        slot: Slot,
        until: Timestamp,
    },
    /// The person was asked, or could not be.
    Shown {
        item: Item,
        slot: Slot,
    },
    NotShown {
        item: Item,
        slot: Slot,
    },
    Stock {
        item: Item,
        counted: bool,
        doses: u32,
    },
    Pause {
        item: Option<Item>,
        from: Timestamp,
        until: Option<Timestamp>,
    },
    Resume(Option<Item>),
    Undo {
        of: OpId,
        about: Option<(Item, Slot)>,
    },
    /// The schedule has the item like this from now on, or has it no more.
    Edit(Item, Option<Spec>),
    Travel(usize),
}

impl Happened {
    /// The earlier operation that it takes back or supersedes.
    pub(super) fn refers_to(&self) -> Option<OpId> {
        match self {
            Self::Undo { of, .. } => Some(*of),
            Self::Intake { corrects, .. } | Self::Skip { corrects, .. } => *corrects,
            _ => None,
        }
    }
}

/// A line of another device's journal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) op: OpId,
    pub(super) recorded: Timestamp,
    pub(super) what: Happened,
}

/// What somebody, or something, did.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Deed {
    Answer {
        verb: Verb,
        item: Item,
        /// The slot that is named.
        slot: Option<Slot>,
        at: Option<When>,
        amount: Option<u32>,
        form: Option<Form>,
        /// Minutes of a snooze.
        length: Option<i64>,
        confirmed: bool,
    },
    /// Takes a fact back; without one, the newest answer.
    Undo(Option<OpId>),
    Correct {
        of: Option<OpId>,
        at: Option<When>,
        amount: Option<u32>,
        form: Option<Form>,
    },
    Pause {
        item: Option<Item>,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    },
    Resume(Option<Item>),
    /// Doses came, or were counted.
    Stock {
        item: Item,
        counted: bool,
        doses: u32,
    },
    /// The schedule has the item like this from now on, or has it no more.
    Edit(Item, Option<Spec>),
    Travel(usize),
    /// The clock jumps, or the machine slept.
    Clock(Timestamp),
    /// The daemon ends and starts again.
    Restart,
    /// The next lines of another device's journal are there.
    Arrival(u8, Vec<Line>),
    /// The notification server comes or goes.
    Server(bool),
    /// Nothing shows between two times of the day.
    Quiet(Option<(Time, Time)>),
    /// A request while the disk is full.
    FullDisk(Box<Deed>),
    /// A request that is written down, and the daemon is killed before it replies.
    Kill(Box<Deed>),
    /// Nothing: time passes.
    Wait,
}

/// One operation, at a reading of the clock.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Op {
    pub(super) id: OpId,
    pub(super) at: Timestamp,
    pub(super) deed: Deed,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was nobody's request.
    None,
    /// It was recorded, and names this slot.
    Recorded(Option<Slot>),
    /// It was already there: what this operation recorded.
    Repeated(OpId),
    Refused(&'static str),
}
