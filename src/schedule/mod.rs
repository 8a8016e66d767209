//! What a person keeps up and when: items, rules, zones, and the occurrences that follow from them.
//!
//! Pure: no clock, no files, no formats. Every time is an argument. One engine,
//! [`Regimen::occurrences`], serves the daemon, `dosed simulate` and every question about the past.

mod channel;
mod id;
mod item;
mod length;
mod plan;
mod quantity;
mod question;
mod regimen;
mod rule;
mod settings;
mod weekdays;
mod zones;

pub use channel::{ChannelSpec, Source, Way};
pub use id::{ChannelId, ItemId, OccurrenceId, ParseIdError, Slot};
pub use item::{Again, Apart, Extras, Item, Kind, Late, Product, Step, Stock, TaperStep, Target};
pub use length::{Length, ParseLengthError};
pub use plan::{Plan, Planned};
pub use quantity::{Decimal, ParseQuantityError, Quantity, Unit};
pub use question::{Question, Questions};
pub use regimen::{Occurrence, Regimen};
pub use rule::{CronRule, Cycle, Interval, Recurrence, Rule};
pub use settings::{Quiet, Schedule, Settings, parse_clock_time};
pub use weekdays::{ParseWeekdaysError, Weekdays};
pub use zones::ZoneHistory;
