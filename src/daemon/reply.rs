//! From what the core refuses to what HTTP says.

use crate::api::{Reply, TOO_SOON, problem, problem_of};
use crate::reminder::Refusal;

/// Returns a refusal as problem details.
pub(super) fn refusal(refusal: &Refusal) -> Reply {
    let status = match refusal {
        Refusal::UnknownItem { .. } | Refusal::UnknownOccurrence { .. } | Refusal::UnknownFact { .. } => 404,
        Refusal::AlreadyAnswered { .. }
        | Refusal::BeingAnswered { .. }
        | Refusal::NothingDue { .. }
        | Refusal::TooEarly { .. }
        | Refusal::TooSoon { .. }
        | Refusal::NoStock { .. }
        | Refusal::OtherKind { .. }
        | Refusal::NotRetractable { .. }
        | Refusal::NotCorrectable { .. }
        | Refusal::Replaced { .. }
        | Refusal::BeingChanged { .. } => 409,
        Refusal::InFuture | Refusal::SnoozeTooLong { .. } => 422,
        Refusal::NotRecorded { .. } => 507,
    };
    match refusal {
        Refusal::TooSoon { .. } => problem_of(TOO_SOON, status, &refusal.to_string()),
        _ => problem(status, &refusal.to_string()),
    }
}
