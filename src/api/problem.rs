//! Errors as RFC 9457 problem details.

use super::Reply;

/// The type of the problem that is over when the same is asked for once more with `confirm`.
pub const TOO_SOON: &str = "tag:dosed,2026:too-soon";

/// Returns an error as problem details; `title` follows from the status.
#[must_use]
pub fn problem(status: u16, detail: &str) -> Reply {
    problem_of("about:blank", status, detail)
}

/// Returns an error of a type that programs can tell from others.
#[must_use]
pub fn problem_of(kind: &str, status: u16, detail: &str) -> Reply {
    let title = match status {
        400 => "Bad request",
        404 => "Not found",
        405 => "Method not allowed",
        408 => "Request timeout",
        409 => "Conflict",
        413 => "Content too large",
        422 => "Unprocessable content",
        503 => "Service unavailable",
        507 => "Insufficient storage",
        _ => "Error",
    };
    let json = serde_json::json!({ "type": kind, "title": title, "status": status, "detail": detail });
    Reply::new(status, json.to_string())
}
