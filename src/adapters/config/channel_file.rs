//! The channels of the schedule file, as they are written.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;

use super::text::Text;
use crate::core::schedule::{ChannelId, Length};

/// A channel beyond the desktop.
// Without `Debug`: addresses and topics can be secrets.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ChannelToml {
    /// Its id, which `then` refers to.
    pub(super) id: Text<ChannelId>,
    /// Its transport.
    pub(super) kind: TransportToml,
    /// Whether names and doses stay on this machine; `false` sends them.
    #[serde(default = "yes")]
    pub(super) private: bool,
    /// The program and its arguments; it gets one JSON object on its standard input. (command)
    pub(super) command: Option<Vec<String>>,
    /// How long the program may run. (command)
    pub(super) timeout: Option<Text<Length>>,
    /// The address to which one JSON object is posted. (webhook)
    pub(super) url: Option<String>,
    /// Source of the address, if it is a secret. (webhook)
    pub(super) url_from: Option<SecretSourceToml>,
    /// The address of the server, such as `https://ntfy.sh`. (ntfy)
    pub(super) server: Option<String>,
    /// The topic to which reminders are published. (ntfy)
    pub(super) topic: Option<String>,
    /// Source of the topic: anyone who knows the topic can read the reminders. (ntfy)
    pub(super) topic_from: Option<SecretSourceToml>,
    /// The topic to which the phone publishes answers. (ntfy)
    pub(super) replies: Option<String>,
    /// Source of the topic for answers. (ntfy)
    pub(super) replies_from: Option<SecretSourceToml>,
    /// Source of the access token. (webhook, ntfy)
    pub(super) token_from: Option<SecretSourceToml>,
    /// Source of the user name, in place of a token. (webhook, ntfy)
    pub(super) user_from: Option<SecretSourceToml>,
    /// Source of the password, in place of a token. (webhook, ntfy)
    pub(super) password_from: Option<SecretSourceToml>,
    /// `POST` (the default), `PUT` or `PATCH`. (webhook)
    pub(super) method: Option<String>,
    /// More headers: texts, or sources of secrets. (webhook)
    pub(super) headers: Option<BTreeMap<String, HeaderToml>>,
    /// What is sent in place of the JSON object: a text, or a table that becomes JSON, with the places `{title}`, `{body}`, `{id}`,
    /// `{kind}`, `{channel}`, `{at}` and `{occurrences}`. (webhook)
    pub(super) body: Option<serde_json::Value>,
    /// Priority from 1 (lowest) to 5 (highest); 4 by default. (ntfy)
    pub(super) priority: Option<u8>,
    /// Tags, shown as emoji. (ntfy)
    pub(super) tags: Option<Vec<String>>,
}

fn yes() -> bool {
    true
}

/// The transport of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum TransportToml {
    /// A program on this machine.
    Command,
    /// A server to which JSON is posted.
    Webhook,
    /// An ntfy server.
    Ntfy,
}

/// The value of a header.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged)]
pub(super) enum HeaderToml {
    /// As it is.
    Plain(String),
    /// Read when it is sent.
    Secret(SecretSourceToml),
}

/// Source of a secret: exactly one of the two.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SecretSourceToml {
    /// Path of a file, beginning with `/` or `~/`.
    pub(super) file: Option<String>,
    /// Name of a systemd credential of the service.
    pub(super) credential: Option<String>,
}
