//! From what the core refuses to what HTTP says.

use crate::api::{Reply, problem};
use crate::reminder::Refusal;

/// Returns a refusal as problem details.
pub(super) fn refusal(refusal: &Refusal) -> Reply {
    let status = match refusal {
        Refusal::UnknownItem { .. } | Refusal::UnknownOccurrence { .. } | Refusal::UnknownFact { .. } => 404,
        Refusal::AlreadyAnswered { .. }
        | Refusal::BeingAnswered { .. }
        | Refusal::NothingDue { .. }
        | Refusal::TooEarly { .. }
        | Refusal::NotRetractable { .. } => 409,
        Refusal::InFuture | Refusal::SnoozeTooLong { .. } => 422,
        Refusal::NotRecorded { .. } => 507,
    };
    problem(status, &refusal.to_string())
}
