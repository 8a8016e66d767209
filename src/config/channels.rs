//! Checks the channels of a schedule, and that items name those that there are.

use jiff::SignedDuration;
use toml::Spanned;

use super::file::{ChannelToml, ItemToml, SourceToml, WayToml};
use super::lower::Places;
use super::report::Problem;
use crate::schedule::{ChannelSpec, Source, Way};

/// How long a program may run when the schedule does not say, and at most.
const DEFAULT_TIMEOUT: SignedDuration = SignedDuration::from_secs(30);
const MAX_TIMEOUT: SignedDuration = SignedDuration::from_mins(10);

/// The priority of an ntfy message when the schedule does not say: high, from 1 to 5.
const DEFAULT_PRIORITY: u8 = 4;

/// Makes one channel; `before` are those that stand before it.
pub(super) fn lower(
    channel: &ChannelToml,
    before: &[Spanned<ChannelToml>],
    places: &Places<'_>,
    problems: &mut Vec<Problem>,
) -> Option<ChannelSpec> {
    let mut wrong = |key: &str, message: String, help: &str| {
        problems.push(Problem::new(places.of(key), message, help));
    };
    if before.iter().any(|other| other.get_ref().id == channel.id) {
        let message = format!("the id `{}` is used twice", channel.id.0);
        wrong("id", message, "give each channel an id of its own");
    }
    check_keys(channel, &mut wrong);
    let way = match channel.kind {
        WayToml::Command => command(channel, &mut wrong),
        WayToml::Webhook => webhook(channel, &mut wrong),
        WayToml::Ntfy => ntfy(channel, &mut wrong),
    };
    Some(ChannelSpec { id: channel.id.0.clone(), private: channel.private, way: way? })
}

/// Refuses steps to channels that there are not.
pub(super) fn check_steps(
    item: &ItemToml,
    channels: &[Spanned<ChannelToml>],
    places: &Places<'_>,
    problems: &mut Vec<Problem>,
) {
    for step in item.then.iter().flatten() {
        let known: Vec<_> = channels.iter().map(|channel| channel.get_ref().id.0.as_str()).collect();
        if !known.contains(&step.channel.0.as_str()) {
            let help = match known.as_slice() {
                [] => format!("add one: `[[channel]]` with `id = \"{}\"` and a `kind`", step.channel.0),
                known => format!("there are: {}", known.join(", ")),
            };
            let message = format!("there is no channel `{}`", step.channel.0);
            problems.push(Problem::new(places.of("then"), message, help));
        }
    }
}

/// Refuses keys that have no sense for a kind.
fn check_keys(channel: &ChannelToml, wrong: &mut impl FnMut(&str, String, &str)) {
    use WayToml::{Command, Ntfy, Webhook};
    let keys: [(&str, bool, &[WayToml]); 12] = [
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
    for (key, given, kinds) in keys {
        if given && !kinds.contains(&channel.kind) {
            let message = format!("`{key}` has no sense for this kind of channel");
            wrong(key, message, "leave it out, or change `kind`");
        }
    }
}

fn command(channel: &ChannelToml, wrong: &mut impl FnMut(&str, String, &str)) -> Option<Way> {
    let program = channel.command.clone().unwrap_or_default();
    if program.first().is_none_or(|program| program.trim().is_empty()) {
        wrong(
            if channel.command.is_some() { "command" } else { "id" },
            "this channel has no program".to_owned(),
            "add `command = [\"notify-me\", \"--loud\"]`",
        );
        return None;
    }
    let timeout = channel.timeout.as_ref().map_or(Some(DEFAULT_TIMEOUT), |timeout| timeout.0.elapsed());
    let timeout = timeout.filter(|timeout| timeout.is_positive() && *timeout <= MAX_TIMEOUT);
    if timeout.is_none() {
        wrong("timeout", "that is no timeout".to_owned(), "use one second to ten minutes, such as `30s`");
    }
    Some(Way::Command { program, timeout: timeout? })
}

fn webhook(channel: &ChannelToml, wrong: &mut impl FnMut(&str, String, &str)) -> Option<Way> {
    check_address("url", channel.url.as_deref(), wrong);
    let url = one_of("url", channel.url.as_ref(), channel.url_from.as_ref(), wrong);
    if channel.url.is_none() && channel.url_from.is_none() {
        wrong("id", "this channel has no address".to_owned(), "add `url = \"https://…\"` or `url-from`");
    }
    let token = channel.token_from.as_ref().and_then(|token| source("token-from", token, wrong));
    Some(Way::Webhook { url: url?, token })
}

fn ntfy(channel: &ChannelToml, wrong: &mut impl FnMut(&str, String, &str)) -> Option<Way> {
    check_address("server", channel.server.as_deref(), wrong);
    if channel.server.is_none() {
        wrong(
            "id",
            "this channel has no server".to_owned(),
            "add `server = \"https://ntfy.sh\"`, or your own",
        );
    }
    let topic = one_of("topic", channel.topic.as_ref(), channel.topic_from.as_ref(), wrong);
    if channel.topic.is_none() && channel.topic_from.is_none() {
        let help = "add `topic-from = { file = \"~/.config/dosed/topic\" }` with a name that nobody guesses";
        wrong("id", "this channel has no topic".to_owned(), help);
    }
    let replies = one_of("replies", channel.replies.as_ref(), channel.replies_from.as_ref(), wrong);
    let token = channel.token_from.as_ref().and_then(|token| source("token-from", token, wrong));
    let priority = channel.priority.unwrap_or(DEFAULT_PRIORITY);
    if !(1..=5).contains(&priority) {
        wrong("priority", "that is no priority".to_owned(), "use 1 (quiet) to 5 (as loud as it gets)");
    }
    let server = channel.server.as_ref()?.trim_end_matches('/').to_owned();
    let tags = channel.tags.clone().unwrap_or_default();
    Some(Way::Ntfy { server, topic: topic?, replies, token, priority, tags })
}

/// Refuses what is no address, and addresses with a password in them.
fn check_address(key: &str, address: Option<&str>, wrong: &mut impl FnMut(&str, String, &str)) {
    let Some(address) = address else { return };
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let Some(rest) = rest.filter(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace)) else {
        wrong(key, "that is no address".to_owned(), "write it as `https://example.org/path`");
        return;
    };
    if rest.split('/').next().is_some_and(|host| host.contains('@')) {
        let help = "use `token-from`: secrets come from a file or a credential, never from the schedule";
        wrong(key, "there is a password in the address".to_owned(), help);
    }
}

/// Returns the one that is given of a text and of where it is read from.
fn one_of(
    key: &str,
    plain: Option<&String>,
    from: Option<&SourceToml>,
    wrong: &mut impl FnMut(&str, String, &str),
) -> Option<Source> {
    match (plain, from) {
        (Some(_), Some(_)) => {
            wrong(key, format!("`{key}` cannot stand beside `{key}-from`"), "keep one of the two");
            None
        }
        (Some(plain), None) => Some(Source::Plain(plain.clone())),
        (None, Some(from)) => source(&format!("{key}-from"), from, wrong),
        (None, None) => None,
    }
}

fn source(key: &str, from: &SourceToml, wrong: &mut impl FnMut(&str, String, &str)) -> Option<Source> {
    match (&from.file, &from.credential) {
        (Some(file), None) if file.starts_with('/') || file.starts_with("~/") => {
            Some(Source::File(file.into()))
        }
        (None, Some(name)) if !name.is_empty() && !name.contains('/') => {
            Some(Source::Credential(name.clone()))
        }
        _ => {
            let help = "use `{ file = \"~/.config/dosed/secret\" }` or `{ credential = \"name\" }`";
            wrong(key, "a secret has one place".to_owned(), help);
            None
        }
    }
}
