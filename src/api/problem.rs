//! Errors as RFC 9457 problem details.

use super::Reply;

/// Returns an error as problem details; `title` follows from the status.
#[must_use]
pub fn problem(status: u16, detail: &str) -> Reply {
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
    let json =
        serde_json::json!({ "type": "about:blank", "title": title, "status": status, "detail": detail });
    Reply { status, json: json.to_string() }
}
