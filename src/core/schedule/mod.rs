//! What a person keeps up and when: items, rules, zones, and the occurrences that follow from them.
//!
//! Pure: no clock, no files, no formats. Every time is an argument. One engine,
//! [`Plan::occurrences`], serves the daemon, `dosed simulate` and every question about the past.

mod amount;
mod chain;
mod channel;
mod course;
mod decimal;
mod handover;
mod history;
mod id;
mod item;
mod length;
mod limit;
mod parse_error;
mod plan;
mod quantity;
mod question;
mod regimen;
mod rule;
mod settings;
mod unit;
mod weekdays;
mod zones;

pub use amount::Amount;
pub use channel::{ChannelSpec, Login, SecretSource, Transport, WebhookBody};
pub use decimal::Decimal;
pub use history::{Dose, History, Naming, NoHistory, Standing};
pub use id::{ChannelId, ItemId, OccurrenceId, Slot};
pub use item::{
    Again, EscalationStep, HabitTarget, Item, Kind, LatePolicy, Product, QuietHours, RefillAt, Repetition,
    Separation, Stock, TaperStep,
};
pub use length::Length;
pub use limit::Limit;
pub use parse_error::ParseError;
pub use plan::{Plan, Planned, Removal};
pub use quantity::Quantity;
pub use question::{NumberScale, Question, QuestionSet};
pub use regimen::{Anchor, Occurrence, Regimen};
pub use rule::{CronRule, Cycle, Interval, Recurrence, Rule, Step};
pub use settings::{Definition, Quiet, Schedule, Settings, parse_clock_time};
pub use unit::Unit;
pub use weekdays::Weekdays;
pub use zones::ZoneHistory;
