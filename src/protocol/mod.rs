//! The contract of the socket: every request, response, event and problem of `/v1` as a type.
//!
//! The daemon's handlers return these types, every client parses into them, and the `OpenAPI` document is generated
//! from them. Members are only ever added. No I/O, and nothing is decided here.

mod at;
mod events;
mod facts;
mod insight;
mod occurrences;
mod problem;
mod raw;
mod requests;
mod results;
mod status;
mod times;

pub use at::{At, ParseAtError};
pub use events::Event;
pub use facts::{CheckInAnswers, Fact, FactBody, HistoryFact, Recorded, RecordedProduct, ScanValues};
pub use insight::{ChangeNote, CoOccurrence, Insight, ItemPair, Pair, PrimaryPair};
pub use occurrences::{
    ComingOccurrence, Kind, Occurrence, OccurrenceDetails, OccurrenceState, RegimenDetails, Why,
};
pub use problem::{Problem, TOO_SOON};
pub use raw::{Raw, RawFact, RawHistoryFact};
pub use requests::{
    AdherenceQuery, CheckInBody, CorrectBody, FactsQuery, LogBody, NextQuery, NoBody, NoParameters,
    OccurrencesQuery, PauseBody, PostponeBody, ResumeBody, RetractBody, SkipBody, SnoozeBody, StockBody,
    TakeBody,
};
pub use results::{
    Adherence, CheckIn, Comparison, DayCoverage, DayState, Form, LimitStatus, MonthShare, NumberRange,
    PlannedItem, Product, Question, Scan, ScoreChange, StockLevel, TargetProgress,
};
pub use status::{
    ChannelStatus, ChannelTest, DatabaseStatus, JournalStatus, LastAnswer, LastAttempt, NextOccurrence,
    Notifications, PauseStatus, Presence, ScheduleStatus, SkippedFile, Status, UnreadFact,
};
pub use times::{EventTime, ZonedTime};

/// The header that marks every response about a made-up record.
pub const DEMO_HEADER: &str = "dosed-made-up";

/// The header that carries the first warning of a recorded answer; the body's `warnings` has them all.
pub const WARNING_HEADER: &str = "dosed-remark";
