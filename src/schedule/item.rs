//! One thing that a person keeps up.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{ChannelId, ItemId, Length, ParseQuantityError, Quantity, Questions, Rule, Slot};

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
pub enum Late {
    /// Reminds while the grace lasts.
    #[default]
    Remind,
    /// Lets it go: it is shown nowhere and becomes `unknown`.
    Miss,
}

/// How often an unanswered reminder comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Again {
    /// The time between two reminders.
    pub every: SignedDuration,
    /// The number of repetitions after the first.
    pub at_most: u32,
}

/// Another way to reach the person while there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// How long after the time, or after the end of a snooze.
    pub after: SignedDuration,
    /// Which way.
    pub channel: ChannelId,
}

/// What an item should be kept apart from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Apart {
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

/// How much is in the cupboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stock {
    /// Doses at hand when the regimen begins.
    pub have: u32,
    /// The number of doses at which a refill is due.
    pub refill_at: u32,
}

/// A dose that holds from a date on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TaperStep {
    /// The first day of this dose.
    pub from: Date,
    /// The dose.
    pub dose: Quantity,
}

/// How much of a habit a person aims at, `150 min / week`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// How much.
    pub amount: Quantity,
    /// In how many days: 1 or 7.
    pub days: u8,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.amount, if self.days == 7 { "week" } else { "day" })
    }
}

impl FromStr for Target {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseQuantityError::Number { text: text.to_owned() };
        let (amount, per) = text.split_once('/').ok_or_else(wrong)?;
        let days = match per.trim() {
            "day" => 1,
            "week" => 7,
            _ => return Err(wrong()),
        };
        Ok(Self { amount: amount.parse()?, days })
    }
}

/// One thing that a person keeps up, as the schedule describes it.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name for machines.
    pub id: ItemId,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Its name for people.
    pub name: String,
    /// How much at a time, where no taper step holds.
    pub dose: Option<Quantity>,
    /// Which product it is, where the schedule says anything of it.
    pub product: Option<Arc<Product>>,
    /// When it is planned.
    pub rule: Rule,
    /// The zone of its times; `None` floats with the person.
    pub zone: Option<TimeZone>,
    /// How long after its time an occurrence can still be answered.
    pub grace: SignedDuration,
    /// What to do with a slot that is noticed late.
    pub late: Late,
    /// Whether its name and dose stay out of notifications and logs.
    pub private: bool,
    /// What most items do without, where the schedule says anything of it.
    pub extras: Option<Arc<Extras>>,
}

/// What most items do without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// A note of the person's own.
    pub note: Option<String>,
    /// Doses that hold from a date on, by date.
    pub taper: Vec<TaperStep>,
    /// What it belongs to, for adherence of several items together.
    pub group: Option<String>,
    /// What to take it with, such as food.
    pub with: Option<String>,
    /// The aim of a habit.
    pub target: Option<Target>,
    /// What a check-in asks.
    pub questions: Questions,
    /// How often to ask again.
    pub again: Option<Again>,
    /// What else to try while there is no answer.
    pub then: Vec<Step>,
    /// How long ahead to announce it, longest first.
    pub lead: Vec<Length>,
    /// How long after one the next would be too soon.
    pub gap: Option<SignedDuration>,
    /// What to keep it apart from.
    pub apart: Vec<Apart>,
    /// What is in the cupboard.
    pub stock: Option<Stock>,
}

static NO_EXTRAS: Extras = Extras {
    note: None,
    taper: Vec::new(),
    group: None,
    with: None,
    target: None,
    questions: Questions::Full,
    again: None,
    then: Vec::new(),
    lead: Vec::new(),
    gap: None,
    apart: Vec::new(),
    stock: None,
};

impl Item {
    /// Returns what the schedule says of the extras, which may be nothing.
    #[must_use]
    pub fn extras(&self) -> &Extras {
        self.extras.as_deref().unwrap_or(&NO_EXTRAS)
    }

    /// Returns the strain of a probiotic.
    #[must_use]
    pub fn strain(&self) -> Option<&str> {
        self.product.as_ref()?.strain.as_deref()
    }

    /// Returns the dose that is planned for a slot.
    #[must_use]
    pub fn dose_at(&self, slot: Slot) -> Option<Quantity> {
        let date = slot.written().date();
        self.extras()
            .taper
            .iter()
            .rev()
            .find(|step| step.from <= date)
            .map_or(self.dose, |step| Some(step.dose))
    }
}
