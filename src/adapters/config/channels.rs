//! Makes the channels of a schedule from their tables, and reports what is wrong with them.

use jiff::SignedDuration;
use toml::Spanned;

use super::file::{ChannelToml, SecretSourceToml, TransportToml};
use super::report::Reporter;
use crate::core::schedule::{ChannelSpec, SecretSource, Transport};

/// How long a program may run by default, and at most.
const DEFAULT_TIMEOUT: SignedDuration = SignedDuration::from_secs(30);
const MAX_TIMEOUT: SignedDuration = SignedDuration::from_mins(10);

/// The default priority of an ntfy message: high, from 1 to 5.
const DEFAULT_PRIORITY: u8 = 4;

/// Makes one channel; `before` are those above it in the file.
pub(super) fn lower(
    channel: &ChannelToml,
    before: &[Spanned<ChannelToml>],
    reporter: &mut Reporter<'_>,
) -> Option<ChannelSpec> {
    if before.iter().any(|other| other.get_ref().id == channel.id) {
        reporter.error("id", format!("duplicate id `{}`", channel.id.0), "give each channel its own id");
    }
    check_keys(channel, reporter);
    let transport = match channel.kind {
        TransportToml::Command => command(channel, reporter),
        TransportToml::Webhook => webhook(channel, reporter),
        TransportToml::Ntfy => ntfy(channel, reporter),
    };
    Some(ChannelSpec { id: channel.id.0.clone(), private: channel.private, transport: transport? })
}

/// Refuses keys that do not apply to a kind.
fn check_keys(channel: &ChannelToml, reporter: &mut Reporter<'_>) {
    use TransportToml::{Command, Ntfy, Webhook};
    let keys: [(&str, bool, &[TransportToml]); 12] = [
        ("command", channel.command.is_some(), &[Command]),
        ("timeout", channel.timeout.is_some(), &[Command]),
        ("url", channel.url.is_some(), &[Webhook]),
        ("url-from", channel.url_from.is_some(), &[Webhook]),
        ("server", channel.server.is_some(), &[Ntfy]),
        ("topic", channel.topic.is_some(), &[Ntfy]),
        ("topic-from", channel.topic_from.is_some(), &[Ntfy]),
        ("replies", channel.replies.is_some(), &[Ntfy]),
        ("replies-from", channel.replies_from.is_some(), &[Ntfy]),
        ("token-from", channel.token_from.is_some(), &[Webhook, Ntfy]),
        ("priority", channel.priority.is_some(), &[Ntfy]),
        ("tags", channel.tags.is_some(), &[Ntfy]),
    ];
    let kind = match channel.kind {
        Command => "command",
        Webhook => "webhook",
        Ntfy => "ntfy",
    };
    for (key, given, kinds) in keys {
        if given && !kinds.contains(&channel.kind) {
            let message = format!("`{key}` does not apply to a channel of kind `{kind}`");
            reporter.error(key, message, "remove it, or change `kind`");
        }
    }
}

fn command(channel: &ChannelToml, reporter: &mut Reporter<'_>) -> Option<Transport> {
    let program = channel.command.clone().unwrap_or_default();
    if program.first().is_none_or(|program| program.trim().is_empty()) {
        let key = if channel.command.is_some() { "command" } else { "id" };
        reporter.error(key, "this channel has no program", "add `command = [\"notify-me\", \"--loud\"]`");
        return None;
    }
    let timeout = channel.timeout.as_ref().map_or(Some(DEFAULT_TIMEOUT), |timeout| timeout.0.elapsed());
    let timeout = timeout.filter(|timeout| timeout.is_positive() && *timeout <= MAX_TIMEOUT);
    if timeout.is_none() {
        reporter.error("timeout", "`timeout` must be between 1s and 10m", "for example `timeout = \"30s\"`");
    }
    Some(Transport::Command { program, timeout: timeout? })
}

fn webhook(channel: &ChannelToml, reporter: &mut Reporter<'_>) -> Option<Transport> {
    check_address("url", channel.url.as_deref(), reporter);
    let url = one_of("url", channel.url.as_ref(), channel.url_from.as_ref(), reporter);
    if channel.url.is_none() && channel.url_from.is_none() {
        reporter.error("id", "this channel has no address", "add `url = \"https://…\"` or `url-from`");
    }
    let token = channel.token_from.as_ref().and_then(|token| secret("token-from", token, reporter));
    Some(Transport::Webhook { url: url?, token })
}

fn ntfy(channel: &ChannelToml, reporter: &mut Reporter<'_>) -> Option<Transport> {
    check_address("server", channel.server.as_deref(), reporter);
    if channel.server.is_none() {
        let help = "add `server = \"https://ntfy.sh\"`, or the address of your own server";
        reporter.error("id", "this channel has no server", help);
    }
    let topic = one_of("topic", channel.topic.as_ref(), channel.topic_from.as_ref(), reporter);
    if channel.topic.is_none() && channel.topic_from.is_none() {
        let help =
            "add `topic-from = { file = \"~/.config/dosed/topic\" }`, with a name that nobody can guess";
        reporter.error("id", "this channel has no topic", help);
    }
    let replies = one_of("replies", channel.replies.as_ref(), channel.replies_from.as_ref(), reporter);
    let token = channel.token_from.as_ref().and_then(|token| secret("token-from", token, reporter));
    let priority = channel.priority.unwrap_or(DEFAULT_PRIORITY);
    if !(1..=5).contains(&priority) {
        let help = "1 is the lowest, 5 the highest";
        reporter.error("priority", "`priority` must be between 1 and 5", help);
    }
    let server = channel.server.as_ref()?.trim_end_matches('/').to_owned();
    let tags = channel.tags.clone().unwrap_or_default();
    Some(Transport::Ntfy { server, topic: topic?, replies, token, priority, tags })
}

/// Refuses what is not an address, and addresses with a password in them.
fn check_address(key: &str, address: Option<&str>, reporter: &mut Reporter<'_>) {
    let Some(address) = address else { return };
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let Some(rest) = rest.filter(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace)) else {
        let message = format!("`{key}` is not an HTTP address");
        reporter.error(key, message, "write it as `https://example.org/path`");
        return;
    };
    if rest.split('/').next().is_some_and(|host| host.contains('@')) {
        let help = "use `token-from`: secrets are read from a file or a credential, never from the schedule";
        reporter.error(key, format!("`{key}` contains a user name or password"), help);
    }
}

/// Returns the one that is given of a text and its source.
fn one_of(
    key: &str,
    plain: Option<&String>,
    from: Option<&SecretSourceToml>,
    reporter: &mut Reporter<'_>,
) -> Option<SecretSource> {
    match (plain, from) {
        (Some(_), Some(_)) => {
            let message = format!("`{key}` and `{key}-from` cannot be combined");
            reporter.error(key, message, "remove one of them");
            None
        }
        (Some(plain), None) => Some(SecretSource::Plain(plain.clone())),
        (None, Some(from)) => secret(&format!("{key}-from"), from, reporter),
        (None, None) => None,
    }
}

fn secret(key: &str, from: &SecretSourceToml, reporter: &mut Reporter<'_>) -> Option<SecretSource> {
    match (&from.file, &from.credential) {
        (Some(file), None) if file.starts_with('/') || file.starts_with("~/") => {
            Some(SecretSource::File(file.into()))
        }
        (None, Some(name)) if !name.is_empty() && !name.contains('/') => {
            Some(SecretSource::Credential(name.clone()))
        }
        _ => {
            let message =
                format!("`{key}` must have either an absolute `file` or the name of a `credential`");
            let help = "use `{ file = \"~/.config/dosed/secret\" }` or `{ credential = \"name\" }`";
            reporter.error(key, message, help);
            None
        }
    }
}
