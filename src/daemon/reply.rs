//! From what the core refuses to what HTTP says.

use crate::core::reminder::Refusal;
use crate::protocol::{Problem, TOO_SOON};

/// Returns a refusal as problem details.
pub(super) fn problem(refusal: &Refusal) -> Problem {
    let status = match refusal {
        Refusal::UnknownItem { .. } | Refusal::UnknownOccurrence { .. } | Refusal::UnknownFact { .. } => 404,
        Refusal::AlreadyAnswered { .. }
        | Refusal::BeingAnswered { .. }
        | Refusal::NothingDue { .. }
        | Refusal::TooEarly { .. }
        | Refusal::SeveralOpen { .. }
        | Refusal::TooSoon { .. }
        | Refusal::OverLimit { .. }
        | Refusal::NoStock { .. }
        | Refusal::OtherKind { .. }
        | Refusal::NotRetractable { .. }
        | Refusal::NotCorrectable { .. }
        | Refusal::Superseded { .. }
        | Refusal::BeingChanged { .. } => 409,
        Refusal::InFuture | Refusal::KeyReused | Refusal::PauseOver | Refusal::PauseEmpty => 422,
        Refusal::NotRecorded { .. } => 507,
    };
    match refusal {
        Refusal::TooSoon { .. } | Refusal::OverLimit { .. } => Problem {
            kind: TOO_SOON.to_owned(),
            help: Some("to record one more: `--again`, or `\"confirm\": true`".to_owned()),
            ..Problem::new(status, refusal.to_string())
        },
        Refusal::SeveralOpen { .. } => Problem {
            kind: TOO_SOON.to_owned(),
            help: Some("to answer the newest: `--again`, or `\"confirm\": true`".to_owned()),
            ..Problem::new(status, refusal.to_string())
        },
        _ => Problem::new(status, refusal.to_string()),
    }
}
