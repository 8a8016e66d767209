//! One thing that a person keeps up.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::rule::days_between;
use super::{
    Amount, ChannelId, Interval, ItemId, Length, Limit, ParseError, QuestionSet, Quiet, Recurrence, Rule,
    Slot, Step, Unit, ZoneHistory,
};

/// What sort of thing an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Something that is taken.
    Supplement,
    /// Something that is done.
    Habit,
    /// Questions to answer.
    CheckIn,
    /// An appointment for a bone density scan.
    Scan,
}

impl Kind {
    /// Returns the kind as the schedule file writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Supplement => "supplement",
            Self::Habit => "habit",
            Self::CheckIn => "check-in",
            Self::Scan => "scan",
        }
    }

    /// Returns how long an occurrence can be answered when the schedule does not say.
    #[must_use]
    pub fn default_grace(self) -> SignedDuration {
        SignedDuration::from_hours(match self {
            Self::Supplement | Self::Habit => 4,
            Self::CheckIn => 7 * 24,
            Self::Scan => 30 * 24,
        })
    }
}

/// What happens to a slot that is noticed only after its time (the machine slept, say).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LatePolicy {
    /// Reminds while the grace lasts.
    #[default]
    Remind,
    /// Lets it go: it is shown nowhere and becomes `unknown`.
    Miss,
}

/// In which hours a reminder of an item waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QuietHours {
    /// In those of the schedule.
    #[default]
    OfSchedule,
    /// In none.
    Never,
    /// In its own.
    Own(Quiet),
}

/// How often an unanswered reminder comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Repetition {
    /// The time between two reminders.
    pub every: SignedDuration,
    /// The number of repetitions after the first.
    pub at_most: u32,
}

/// Whether an unanswered reminder comes again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Again {
    /// Only on a desktop that does not keep reminders in sight.
    #[default]
    WhereHidden,
    /// Never.
    Never,
    /// Always, and how often.
    Every(Repetition),
}

/// Another way to reach the person while there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EscalationStep {
    /// How long after the time, or after the end of a snooze.
    pub after: SignedDuration,
    /// Which way.
    pub channel: ChannelId,
}

/// What an item should be kept apart from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Separation {
    /// The other item.
    pub from: ItemId,
    /// The least time between the two.
    pub by: SignedDuration,
}

/// Which product it is, as its label says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Product {
    /// The strain of a probiotic.
    pub strain: Option<String>,
    /// What it comes as, such as a capsule.
    pub form: Option<String>,
    /// Who makes it.
    pub brand: Option<String>,
    /// The batch that is being used.
    pub batch: Option<String>,
}

impl Product {
    /// Returns the product, unless nothing is known of it.
    #[must_use]
    pub fn non_empty(&self) -> Option<&Self> {
        (*self != Self::default()).then_some(self)
    }
}

/// How much is in the cupboard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stock {
    /// What is at hand when the regimen begins.
    pub have: u32,
    /// When a refill is due.
    pub refill_at: RefillAt,
    /// What it is counted in; the pieces of the dose, else doses, where it does not say.
    pub unit: Option<Unit>,
    /// How much one of it has.
    pub each: Option<Amount>,
    /// The last day on which it can be used.
    pub expires: Option<Date>,
}

/// When a stock is low.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefillAt {
    /// So few are left.
    Left(u32),
    /// It runs out within so many days.
    Days(u32),
}

/// A dose that applies from a date on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TaperStep {
    /// The first day of this dose.
    pub from: Date,
    /// The dose.
    pub dose: Amount,
}

/// How much of a habit a person aims at, `150 min / week`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HabitTarget {
    /// How much; one number with its unit.
    pub amount: Amount,
    /// In how many days: 1 or 7.
    pub days: u8,
}

impl fmt::Display for HabitTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.amount, if self.days == 7 { "week" } else { "day" })
    }
}

impl FromStr for HabitTarget {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            let message = format!("`{text}` is not a target");
            ParseError::new(message, "write it as `150 min / week`")
        };
        let (amount, per) = text.split_once('/').ok_or_else(wrong)?;
        let days = match per.trim() {
            "day" => 1,
            "week" => 7,
            _ => return Err(wrong()),
        };
        let amount: Amount = amount.parse()?;
        if amount.is_range() || amount.quantities().count() > 1 {
            return Err(wrong());
        }
        Ok(Self { amount, days })
    }
}

/// One thing that a person keeps up, as the schedule describes it.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name for machines.
    pub id: ItemId,
    /// The name that it had before, whose record goes on in it.
    pub formerly: Option<ItemId>,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Its name for people.
    pub name: String,
    /// How much at a time, where no taper step applies.
    pub dose: Option<Amount>,
    /// Whether how much it is is decided each time; the dose is what is proposed.
    pub ask_amount: bool,
    /// Which product it is; all empty where the schedule says nothing of it.
    pub product: Product,
    /// When it is planned.
    pub rule: Rule,
    /// The zone of its times; `None` floats with the person.
    pub zone: Option<TimeZone>,
    /// How long after its time an occurrence can still be answered.
    pub grace: SignedDuration,
    /// What to do with a slot that is noticed late.
    pub late: LatePolicy,
    /// Whether its name and dose stay out of notifications and logs.
    pub private: bool,
    /// A note of the person's own.
    pub note: Option<String>,
    /// Doses that apply from a date on, by date.
    pub taper: Vec<TaperStep>,
    /// Doses in turn, one for each planned day.
    pub turns: Vec<Amount>,
    /// What it belongs to, for adherence of several items together.
    pub group: Option<String>,
    /// What to take it with, such as food.
    pub with: Option<String>,
    /// The aim of a habit.
    pub target: Option<HabitTarget>,
    /// Whether it stops asking once the aim of the day is reached.
    pub until_reached: bool,
    /// What a check-in asks.
    pub questions: QuestionSet,
    /// Whether to ask again.
    pub again: Again,
    /// When it waits.
    pub quiet: QuietHours,
    /// What else to try while there is no answer.
    pub then: Vec<EscalationStep>,
    /// How long ahead to announce it, longest first.
    pub lead: Vec<Length>,
    /// How long after one the next would be too soon.
    pub gap: Option<SignedDuration>,
    /// The most that is to be taken within a time.
    pub limit: Option<Limit>,
    /// What to keep it apart from.
    pub apart: Vec<Separation>,
    /// What is in the cupboard.
    pub stock: Option<Stock>,
}

impl Item {
    /// Returns the strain of a probiotic.
    #[must_use]
    pub fn strain(&self) -> Option<&str> {
        self.product.strain.as_deref()
    }

    /// Returns the clock that the item follows: the person's, or that of its own zone.
    pub(super) fn zones<'a>(&self, zones: &'a ZoneHistory) -> Cow<'a, ZoneHistory> {
        match &self.zone {
            Some(zone) => Cow::Owned(ZoneHistory::fixed(zone.clone())),
            None => Cow::Borrowed(zones),
        }
    }

    /// Returns the dose that is planned for a slot, by its day where the clock shows these zones.
    #[must_use]
    pub fn dose_at(&self, slot: Slot, zones: &ZoneHistory) -> Option<&Amount> {
        match (&self.rule.recurrence, slot) {
            (Recurrence::Steps(steps), Slot::Civil(at)) => {
                let step = steps.iter().find(|step| step.slots(at.date(), at.date()).any(|slot| slot == at));
                step.and_then(|step| step.dose.as_ref()).or(self.dose.as_ref())
            }
            _ => self.dose_on(self.date_of(slot, zones)),
        }
    }

    /// Tells whether a person is to say how much it was, where this dose is planned.
    #[must_use]
    pub fn asks_amount(&self, dose: Option<&Amount>) -> bool {
        self.ask_amount || dose.is_some_and(Amount::is_range)
    }

    /// Returns its quiet hours, where the schedule has these for all.
    #[must_use]
    pub fn quiet_hours(&self, of_schedule: Option<Quiet>) -> Option<Quiet> {
        match self.quiet {
            QuietHours::OfSchedule => of_schedule,
            QuietHours::Never => None,
            QuietHours::Own(quiet) => Some(quiet),
        }
    }

    /// Returns what its stock is counted in; `None` for doses.
    #[must_use]
    pub fn stock_unit(&self) -> Option<Unit> {
        let of_dose = || {
            let steps = match &self.rule.recurrence {
                Recurrence::Steps(steps) => steps.first().and_then(|step| step.dose.as_ref()),
                _ => self.turns.first(),
            };
            let unit = &self.dose.as_ref().or(steps)?.first().unit;
            unit.is_in_boxes().then(|| unit.clone())
        };
        self.stock.as_ref()?.unit.clone().or_else(of_dose)
    }

    /// Returns the local date of a slot, where the clock shows these zones.
    #[must_use]
    pub fn date_of(&self, slot: Slot, zones: &ZoneHistory) -> Date {
        match slot {
            // Most slots: without the zones, which an item with a zone of its own would have to make.
            Slot::Civil(local) => local.date(),
            Slot::Utc(at) => self.zones(zones).date_at(at),
        }
    }

    /// Returns whose turn it is on a local day, of doses in turn.
    fn turn_on(&self, date: Date) -> Option<usize> {
        let (Recurrence::Calendar { interval: Interval::Days(n), .. }, Some(from)) =
            (&self.rule.recurrence, self.rule.from)
        else {
            return None;
        };
        let day = days_between(from, date).div_euclid(i64::from((*n).max(1)));
        usize::try_from(day.rem_euclid(i64::try_from(self.turns.len()).ok().filter(|n| *n > 0)?)).ok()
    }

    /// Returns the dose that is planned for a local day.
    #[must_use]
    pub fn dose_on(&self, date: Date) -> Option<&Amount> {
        if let Recurrence::Steps(steps) = &self.rule.recurrence {
            let is_planned = |step: &&Step| step.slots(date, date).next().is_some();
            let of_day = steps.iter().find(is_planned).and_then(|step| step.dose.as_ref());
            return of_day.or(self.dose.as_ref()).or_else(|| steps.first()?.dose.as_ref());
        }
        if let Some(turn) = self.turn_on(date) {
            return self.turns.get(turn);
        }
        let step = self.taper.iter().rev().find(|step| step.from <= date);
        step.map_or(self.dose.as_ref(), |step| Some(&step.dose))
    }
}
