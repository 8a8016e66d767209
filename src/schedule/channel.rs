//! Ways to reach a person beyond the desktop, as the schedule file describes them.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::ChannelId;

/// One way beyond the desktop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSpec {
    /// Its name.
    pub id: ChannelId,
    /// Whether names and doses stay on this machine; only a `false` lets them out.
    pub private: bool,
    /// How it is reached.
    pub way: Way,
}

/// How a channel is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A program that gets one JSON object on its standard input.
    Command {
        /// The program and its arguments.
        program: Vec<String>,
        /// How long it may run.
        timeout: SignedDuration,
    },
    /// A server that one JSON object is posted to.
    Webhook {
        /// Where.
        url: Source,
        /// What it is shown, as `Authorization: Bearer`.
        token: Option<Source>,
    },
    /// An ntfy server, as <https://docs.ntfy.sh/publish/> describes it.
    Ntfy {
        /// Its address.
        server: String,
        /// Where reminders are published.
        topic: Source,
        /// Where the phone publishes answers.
        replies: Option<Source>,
        /// What it is shown, as `Authorization: Bearer`.
        token: Option<Source>,
        /// From 1 to 5.
        priority: u8,
        /// Tags, shown as symbols.
        tags: Vec<String>,
    },
}

impl Way {
    /// Returns the way's name as the schedule file writes it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Command { .. } => "command",
            Self::Webhook { .. } => "webhook",
            Self::Ntfy { .. } => "ntfy",
        }
    }
}

/// Where a text comes from that may have to be kept secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// It stands in the schedule.
    Plain(String),
    /// It is what this file says; `~/` is the home directory.
    File(PathBuf),
    /// It is a credential that systemd hands to the service.
    Credential(String),
}

impl Source {
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

impl std::fmt::Debug for Source {
    /// Leaves out what the schedule says: an address can be a secret too.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Credential(name) => f.debug_tuple("Credential").field(name).finish(),
        }
    }
}
