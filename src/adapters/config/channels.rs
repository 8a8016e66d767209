//! Makes the channels of a schedule from their tables, and reports what is wrong with them.

use jiff::SignedDuration;
use serde_json::Value;
use toml::Spanned;

use super::channel_file::{ChannelToml, HeaderToml, SecretSourceToml, TransportToml};
use super::report::Reporter;
use crate::core::schedule::{ChannelSpec, Login, SecretSource, Transport, WebhookBody};
use crate::core::text::filled;

/// How long a program may run by default, and at most.
const DEFAULT_TIMEOUT: SignedDuration = SignedDuration::from_secs(30);
const MAX_TIMEOUT: SignedDuration = SignedDuration::from_mins(10);

/// The methods that send something; the first is the default.
const METHODS: [&str; 3] = ["POST", "PUT", "PATCH"];

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
    let keys: [(&str, bool, &[TransportToml]); 17] = [
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
        ("user-from", channel.user_from.is_some(), &[Webhook, Ntfy]),
        ("password-from", channel.password_from.is_some(), &[Webhook, Ntfy]),
        ("method", channel.method.is_some(), &[Webhook]),
        ("headers", channel.headers.is_some(), &[Webhook]),
        ("body", channel.body.is_some(), &[Webhook]),
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
    let login = login(channel, reporter);
    let method = method(channel, reporter);
    let headers = headers(channel, reporter);
    let body = channel.body.as_ref().and_then(|body| webhook_body(body, reporter));
    Some(Transport::Webhook { url: url?, login, method, headers, body })
}

fn method(channel: &ChannelToml, reporter: &mut Reporter<'_>) -> String {
    let method = channel.method.as_deref().unwrap_or(METHODS[0]);
    if !METHODS.contains(&method) {
        let help = format!("use one of {}", METHODS.join(", "));
        reporter.error("method", format!("`{method}` is not a method that sends something"), help);
    }
    method.to_owned()
}

/// Makes the headers, and refuses names that no header has and those that follow from the rest.
fn headers(channel: &ChannelToml, reporter: &mut Reporter<'_>) -> Vec<(String, SecretSource)> {
    let mut headers = Vec::new();
    for (name, value) in channel.headers.iter().flatten() {
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let set_by_us = ["host", "content-length", "transfer-encoding", "connection"];
        if name.is_empty() || !name.bytes().all(is_token) || set_by_us.contains(&name.to_lowercase().as_str())
        {
            let help = "for example `headers = { X-Gotify-Key = { file = \"~/.config/dosed/gotify\" } }`";
            reporter.error("headers", format!("`{name}` is not a header that can be set"), help);
            continue;
        }
        let source = match value {
            HeaderToml::Plain(text) if text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) => {
                Some(SecretSource::Plain(text.clone()))
            }
            HeaderToml::Plain(_) => {
                let message = format!("the header `{name}` has characters that none can have");
                reporter.error("headers", message, "use printable ASCII");
                None
            }
            HeaderToml::Secret(from) => secret("headers", from, reporter),
        };
        headers.extend(source.map(|source| (name.clone(), source)));
    }
    headers
}

/// Makes the body, and refuses places that nothing fills.
fn webhook_body(body: &Value, reporter: &mut Reporter<'_>) -> Option<WebhookBody> {
    let mut wrong = None;
    each_text(body, &mut |text| {
        let known = |place: &str| {
            let is_known = WebhookBody::PLACES.contains(&place);
            is_known.then(String::new).ok_or_else(|| format!("unknown place `{{{place}}}`"))
        };
        wrong = wrong.take().or(filled(text, known).err());
    });
    if let Some(why) = wrong {
        let places: Vec<String> = WebhookBody::PLACES.iter().map(|place| format!("{{{place}}}")).collect();
        let help = format!("the places are {}; a brace is written twice", places.join(", "));
        reporter.error("body", why, help);
    }
    match body {
        Value::String(text) => Some(WebhookBody::Text(text.clone())),
        Value::Object(_) => Some(WebhookBody::Json(body.to_string())),
        _ => {
            reporter.error(
                "body",
                "`body` is neither a text nor a table",
                "for example `body = { text = \"{title}\" }`",
            );
            None
        }
    }
}

fn each_text(value: &Value, on: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => on(text),
        Value::Array(values) => values.iter().for_each(|value| each_text(value, on)),
        Value::Object(members) => members.values().for_each(|value| each_text(value, on)),
        _ => {}
    }
}

/// Makes a login by token, or by name and password.
fn login(channel: &ChannelToml, reporter: &mut Reporter<'_>) -> Option<Login> {
    match (&channel.token_from, &channel.user_from, &channel.password_from) {
        (None, None, None) => None,
        (Some(token), None, None) => secret("token-from", token, reporter).map(Login::Token),
        (None, Some(user), Some(password)) => {
            let (user, password) =
                (secret("user-from", user, reporter), secret("password-from", password, reporter));
            Some(Login::Password { user: user?, password: password? })
        }
        (Some(_), ..) => {
            let help = "use the token, or the user and the password";
            reporter.error("token-from", "`token-from` cannot be combined with a user and a password", help);
            None
        }
        (None, user, _) => {
            let (given, missing) =
                if user.is_some() { ("user-from", "password-from") } else { ("password-from", "user-from") };
            let help = format!("add `{missing} = {{ file = \"~/.config/dosed/ntfy-user\" }}`");
            reporter.error(given, format!("`{given}` has no `{missing}`"), help);
            None
        }
    }
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
    let login = login(channel, reporter);
    let priority = channel.priority.unwrap_or(DEFAULT_PRIORITY);
    if !(1..=5).contains(&priority) {
        let help = "1 is the lowest, 5 the highest";
        reporter.error("priority", "`priority` must be between 1 and 5", help);
    }
    let server = channel.server.as_ref()?.trim_end_matches('/').to_owned();
    let tags = channel.tags.clone().unwrap_or_default();
    Some(Transport::Ntfy { server, topic: topic?, replies, login, priority, tags })
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
        let help = "use `token-from`, or `user-from` and `password-from`: secrets are read from a file or a credential, never from the schedule";
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
