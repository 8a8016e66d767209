//! What `dosed check` advises about a schedule that is right: keys that say what only the record knows.

use jiff::SignedDuration;

use crate::core::schedule::{ChannelSpec, Item, SecretSource, Transport};
use crate::protocol::PlannedItem;

/// How far apart one item can have gone and another have come and still be one edit.
const ONE_EDIT: SignedDuration = SignedDuration::from_mins(10);

/// From which similarity of their ids on, 0 to 1, two items may be one.
const ALIKE: f64 = 0.5;

/// Returns a line for each key that would say more than the schedule does.
pub(super) fn advice(items: &[Item], recorded: &[PlannedItem]) -> Vec<String> {
    let unsaid = items.iter().filter(|item| item.rule.needs_anchor()).map(|item| {
        let id = &item.id;
        match recorded.iter().find(|known| known.item == id.as_str() && known.ended.is_none()) {
            Some(known) => {
                let date = known.counts_from;
                format!(
                    "`{id}` counts from {date}, as the record says: `from = {date}` says so in the schedule"
                )
            }
            None => format!("`{id}` counts from the day on which it is first read: `from` says which day"),
        }
    });
    let renamed = items.iter().filter(|item| item.formerly.is_none()).filter_map(|item| {
        let id = &item.id;
        let former = &recorded.iter().find(|known| may_be_former(known, item, items, recorded))?.item;
        Some(format!(
            "`{former}` is no longer in the schedule, and `{id}` is new: if they are one, `formerly = \"{former}\"` keeps its record"
        ))
    });
    unsaid.chain(renamed).collect()
}

/// Returns a line for each channel that sends its token to another machine where anyone on the way can read it.
pub(super) fn plain_http(channels: &[ChannelSpec]) -> Vec<String> {
    let is_plain = |address: &str| {
        let host = address.strip_prefix("http://").and_then(|rest| rest.split(['/', ':', '?']).next());
        host.is_some_and(|host| !matches!(host, "localhost" | "127.0.0.1" | "["))
    };
    let exposed = channels.iter().filter(|channel| match &channel.transport {
        Transport::Command { .. } => false,
        Transport::Webhook { url: SecretSource::Plain(url), login, headers, .. } => {
            let is_secret = |source: &SecretSource| !matches!(source, SecretSource::Plain(_));
            (login.is_some() || headers.iter().any(|(_, value)| is_secret(value))) && is_plain(url)
        }
        Transport::Webhook { .. } => false,
        Transport::Ntfy { server, login, .. } => login.is_some() && is_plain(server),
    });
    let line = |channel: &ChannelSpec| {
        let id = &channel.id;
        format!(
            "channel `{id}` sends its token over `http://`, which anyone on the way can read: use `https://`"
        )
    };
    exposed.map(line).collect()
}

/// Tells whether a recorded item may be what an item was called before: it went when the item came, and is like it.
fn may_be_former(former: &PlannedItem, item: &Item, items: &[Item], recorded: &[PlannedItem]) -> bool {
    let is_gone = items.iter().all(|other| other.id.as_str() != former.item);
    let came = recorded.iter().find(|known| known.item == item.id.as_str()).map(|known| &known.since.0);
    let is_one_edit = match (came, former.ended.as_ref().map(|ended| &ended.0)) {
        // The daemon has not read this schedule yet.
        (None, _) => true,
        (Some(came), Some(ended)) => came.duration_since(ended).abs() <= ONE_EDIT,
        (Some(_), None) => false,
    };
    let is_alike = former.name.eq_ignore_ascii_case(&item.name)
        || strsim::normalized_damerau_levenshtein(&former.item, item.id.as_str()) >= ALIKE;
    is_gone && is_one_edit && is_alike
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_would_say_more_is_advised() {
        let time = |text: &str| format!("2026-11-{text}[UTC]").parse::<jiff::Zoned>().unwrap().into();
        let known = |item: &str, name: &str, since: &str, ended: Option<&str>| PlannedItem {
            item: item.to_owned(),
            name: name.to_owned(),
            counts_from: jiff::civil::date(2026, 11, 23),
            since: time(since),
            ended: ended.map(time),
            dose: None,
            asks_amount: false,
            as_needed: false,
            last: None,
            limit: None,
        };
        let (before, edit, later) = ("01T08:00", "25T09:00", "25T12:00");
        let weekly = "id = \"walk\"\nevery = \"1 week\"\ntimes = [\"08:00\"]";
        let daily = "id = \"vitamin-d3\"\nname = \"Vitamin D\"\ntimes = [\"08:00\"]";
        let renamed = "`vitamin-d` is no longer in the schedule, and `vitamin-d3` is new";
        for (keys, recorded, expected) in [
            (
                weekly,
                vec![known("walk", "Walk", before, None)],
                Some("`walk` counts from 2026-11-23, as the record"),
            ),
            (weekly, vec![], Some("`walk` counts from the day on which it is first read")),
            ("id = \"walk\"\nevery = \"1 week\"\nfrom = 2026-11-23\ntimes = [\"08:00\"]", vec![], None),
            (daily, vec![known("vitamin-d", "D", before, None)], Some(renamed)),
            (
                daily,
                vec![known("vitamin-d", "D", before, Some(edit)), known("vitamin-d3", "D", edit, None)],
                Some(renamed),
            ),
            // Alike by name only; by nothing; gone long before.
            (
                daily,
                vec![known("xyz", "vitamin d", before, None)],
                Some("`xyz` is no longer in the schedule"),
            ),
            (daily, vec![known("xyz", "Calcium", before, None)], None),
            (
                daily,
                vec![known("vitamin-d", "D", before, Some(edit)), known("vitamin-d3", "D", later, None)],
                None,
            ),
        ] {
            let schedule = crate::adapters::config::parse(&format!("[[habit]]\n{keys}\n")).unwrap();
            let items: Vec<Item> = schedule.items.into_iter().map(|(item, _)| item).collect();
            let lines = advice(&items, &recorded);
            assert_eq!(lines.len(), usize::from(expected.is_some()), "{keys}: {lines:?}");
            assert!(lines.iter().all(|line| line.starts_with(expected.unwrap())), "{lines:?}");
        }
    }

    #[test]
    fn a_token_over_plain_http_is_advised_against() {
        let token = "token-from = { credential = \"t\" }";
        for (channel, is_exposed) in [
            ("kind = \"webhook\"\nurl = \"http://example.org/a\"\nTOKEN", true),
            ("kind = \"webhook\"\nurl = \"http://example.org/a\"", false),
            ("kind = \"webhook\"\nurl = \"https://example.org/a\"\nTOKEN", false),
            ("kind = \"webhook\"\nurl = \"http://localhost:8080/a\"\nTOKEN", false),
            ("kind = \"webhook\"\nurl = \"http://127.0.0.1\"\nTOKEN", false),
            ("kind = \"webhook\"\nurl = \"http://[::1]:80\"\nTOKEN", false),
            ("kind = \"webhook\"\nurl = \"http://localhost.example.org\"\nTOKEN", true),
            ("kind = \"ntfy\"\nserver = \"http://ntfy.lan\"\ntopic = \"a\"\nTOKEN", true),
            ("kind = \"ntfy\"\nserver = \"http://ntfy.lan\"\ntopic = \"a\"", false),
        ] {
            let channel = channel.replace("TOKEN", token);
            let text =
                format!("[[habit]]\nid = \"a\"\nas-needed = true\n[[channel]]\nid = \"phone\"\n{channel}\n");
            let lines = plain_http(&crate::adapters::config::parse(&text).unwrap().settings.channels);
            assert_eq!(lines.len(), usize::from(is_exposed), "{channel}: {lines:?}");
            assert!(lines.iter().all(|line| line.starts_with("channel `phone` sends its token")));
        }
    }
}
