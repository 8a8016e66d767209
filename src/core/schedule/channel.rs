//! Channels beyond the desktop, as the schedule file describes them.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::ChannelId;

/// One channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSpec {
    /// Its name.
    pub id: ChannelId,
    /// Whether names and doses stay on this machine; only `false` sends them.
    pub private: bool,
    /// How it is reached.
    pub transport: Transport,
}

/// How a channel is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A program that gets one JSON object on its standard input.
    Command {
        /// The program and its arguments.
        program: Vec<String>,
        /// How long it may run.
        timeout: SignedDuration,
    },
    /// A server that is sent one request.
    Webhook {
        /// Where.
        url: SecretSource,
        /// How it knows who sends.
        login: Option<Login>,
        /// The method of HTTP.
        method: String,
        /// More headers.
        headers: Vec<(String, SecretSource)>,
        /// What it is sent; by default the JSON object that programs get.
        body: Option<WebhookBody>,
    },
    /// An ntfy server, as <https://docs.ntfy.sh/publish/> describes it.
    Ntfy {
        /// Its address.
        server: String,
        /// Where reminders are published.
        topic: SecretSource,
        /// Where the phone publishes answers.
        replies: Option<SecretSource>,
        /// How it knows who publishes.
        login: Option<Login>,
        /// From 1 to 5.
        priority: u8,
        /// Tags, shown as symbols.
        tags: Vec<String>,
    },
}

impl Transport {
    /// Tells whether the person can answer by it.
    #[must_use]
    pub fn carries_replies(&self) -> bool {
        matches!(self, Self::Ntfy { replies: Some(_), .. })
    }

    /// Tells whether a message that is out can be replaced by another one.
    #[must_use]
    pub fn replaces_messages(&self) -> bool {
        matches!(self, Self::Ntfy { .. })
    }

    /// Returns the name of the transport in the schedule file.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Command { .. } => "command",
            Self::Webhook { .. } => "webhook",
            Self::Ntfy { .. } => "ntfy",
        }
    }
}

/// How a server knows who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// By a token, as `Authorization: Bearer`.
    Token(SecretSource),
    /// By name and password, as `Authorization: Basic`.
    Password {
        /// The name.
        user: SecretSource,
        /// The password.
        password: SecretSource,
    },
}

impl Login {
    /// Returns its secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretSource> {
        let (one, other) = match self {
            Self::Token(token) => (token, None),
            Self::Password { user, password } => (user, Some(password)),
        };
        std::iter::once(one).chain(other)
    }
}

/// The body of a request, with places such as `{title}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookBody {
    /// A text.
    Text(String),
    /// A JSON value as text, whose strings have the places.
    Json(String),
}

impl WebhookBody {
    /// The places that can be filled in.
    pub const PLACES: [&str; 7] = ["title", "body", "id", "kind", "channel", "at", "occurrences"];
}

/// Where a text comes from that may be secret.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// It is written in the schedule.
    Plain(String),
    /// The content of this file; `~/` is the home directory.
    File(PathBuf),
    /// It is a credential that systemd hands to the service.
    Credential(String),
}

impl SecretSource {
    /// Returns the file that it is read from, if it is one, for a person with this home directory.
    #[must_use]
    pub fn file(&self, home: Option<&Path>) -> Option<PathBuf> {
        let Self::File(path) = self else { return None };
        Some(match (path.strip_prefix("~"), home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.clone(),
        })
    }
}

impl std::fmt::Debug for SecretSource {
    /// Leaves out the text: an address can be a secret too.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Credential(name) => f.debug_tuple("Credential").field(name).finish(),
        }
    }
}
