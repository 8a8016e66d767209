//! Errors as RFC 9457 problem details.

use serde::{Deserialize, Serialize};

/// The type of the problem that goes away when the request is sent once more with `confirm`.
pub const TOO_SOON: &str = "tag:dosed,2026:too-soon";

/// Why a request was refused (RFC 9457, `application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[error("{detail}{}", .help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
pub struct Problem {
    /// What kind of problem it is, as a URI; `about:blank` where the status says it all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, and where.
    pub detail: String,
    /// What to do, where the detail does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    /// Returns a problem that its status describes.
    #[must_use]
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
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
        Self {
            kind: "about:blank".to_owned(),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            help: None,
        }
    }

    /// Tells whether the request would succeed with `confirm`.
    #[must_use]
    pub fn is_too_soon(&self) -> bool {
        self.kind == TOO_SOON
    }
}
