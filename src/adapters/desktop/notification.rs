//! From a notice to a notification: what this server can show of it, and no more.

use notify_rust::{Hint, Notification, Timeout, Urgency};

use super::server::{Quirk, Server};
use crate::core::reminder::Notice;

/// The name on the bus of a click on the notification itself.
pub(super) const DEFAULT_ACTION: &str = "default";

/// The sound of a reminder, by its name in the sound naming specification.
const SOUND: &str = "message-new-instant";

/// How long a test stays, in milliseconds.
const TEST_MS: u32 = 30_000;

/// Makes the notification out of a notice, as the server can show it; `icon` is a name or a path.
pub(super) fn build(notice: &Notice, server: &Server, icon: &str) -> Notification {
    let has_buttons = server.has_buttons() && !notice.buttons.is_empty();
    let mut notification = Notification::new();
    notification
        .appname("dosed")
        .summary(&notice.title)
        .body(&body(notice, server))
        .icon(icon)
        .hint(Hint::DesktopEntry("dosed".to_owned()))
        .hint(Hint::Urgency(Urgency::Normal));
    if notice.is_test {
        // Nobody waits for it.
        notification.timeout(Timeout::Milliseconds(TEST_MS)).hint(Hint::Transient(true));
    } else if server.has_buttons() {
        // A reminder waits for the person; dosed takes it down when its grace is over.
        notification.timeout(Timeout::Never);
    } else {
        // A server without buttons may make a dialog of what never goes.
        notification.timeout(Timeout::Default);
    }
    if notice.sound && server.can("sound") {
        notification.hint(Hint::SoundName(SOUND.to_owned()));
    }
    if has_buttons {
        for (button, label) in &notice.buttons {
            notification.action(button.key(), label);
        }
        if !server.has(Quirk::NoDefaultAction) {
            // The last one: some servers show it in place of the first.
            notification.action(DEFAULT_ACTION, "Open");
        }
        if server.can("persistence") && !server.has(Quirk::KeepsResidents) {
            // A click on it leaves it where it is. Servers without persistence hide it and do not report that.
            notification.hint(Hint::Resident(true));
        }
    }
    notification
}

fn body(notice: &Notice, server: &Server) -> String {
    let mut lines = notice.body.clone();
    if !server.has_buttons() || notice.buttons.is_empty() || server.has(Quirk::ButtonsOutOfSight) {
        lines.extend(notice.command.iter().map(|command| format!("to answer: {command}")));
    }
    // A list of reminders is one by one.
    let is_single = notice.occurrences.len() < 2;
    let body = lines.join(if is_single && server.has(Quirk::JoinsLines) { " · " } else { "\n" });
    if server.can("body-markup") { escape(&body) } else { body }
}

/// Makes text safe for a server that reads markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reminder::{AlertId, Button};

    fn notice() -> Notice {
        Notice {
            alert: AlertId(1),
            occurrences: vec!["a@2026-11-25T08:00".parse().unwrap()],
            due: None,
            title: "A & B".to_owned(),
            body: vec!["<b>5</b> mg".to_owned(), "with food".to_owned()],
            command: Some("dosed take a".to_owned()),
            buttons: vec![(Button::Taken, "Taken".to_owned())],
            sound: true,
            is_test: false,
        }
    }

    fn server(name: &str, capabilities: &[&str]) -> Server {
        let capabilities = capabilities.iter().map(ToString::to_string).collect();
        Server { name: name.to_owned(), capabilities, ..Server::default() }
    }

    /// Returns the names of the hints that are not always there.
    fn hints(notification: &Notification) -> Vec<String> {
        let mut hints: Vec<String> = notification
            .hints
            .iter()
            .filter(|hint| !matches!(hint, Hint::DesktopEntry(_) | Hint::Urgency(_)))
            .map(|hint| format!("{hint:?}"))
            .collect();
        hints.sort();
        hints
    }

    #[test]
    fn capabilities_and_quirks_are_respected() {
        let plain = "<b>5</b> mg\nwith food";
        let buttons = &["taken", "Taken", "default", "Open"][..];
        for (name, capabilities, body, actions) in [
            ("", &["actions"][..], plain, buttons),
            ("", &["actions", "body-markup"], "&lt;b&gt;5&lt;/b&gt; mg\nwith food", buttons),
            ("", &[], "<b>5</b> mg\nwith food\nto answer: dosed take a", &[]),
            ("mako", &["actions"], "<b>5</b> mg\nwith food\nto answer: dosed take a", buttons),
            ("gnome-shell", &["actions"], "<b>5</b> mg · with food", buttons),
            ("lxqt-notificationd", &["actions"], plain, &buttons[..2]),
        ] {
            let built = build(&notice(), &server(name, capabilities), "dosed");
            assert_eq!((built.summary.as_str(), built.body.as_str()), ("A & B", body), "{name}");
            assert_eq!(built.actions, actions, "{name} {capabilities:?}");
        }
    }

    #[test]
    fn how_long_it_stays_depends_on_what_it_asks_and_on_the_server() {
        let test = || Notice {
            occurrences: Vec::new(),
            buttons: Vec::new(),
            sound: false,
            is_test: true,
            ..notice()
        };
        for (notice, capabilities, timeout, expected) in [
            (notice(), &["actions"][..], Timeout::Never, &[][..]),
            (notice(), &["actions", "persistence"], Timeout::Never, &["Resident(true)"]),
            (notice(), &["actions", "sound"], Timeout::Never, &["SoundName(\"message-new-instant\")"]),
            (notice(), &[], Timeout::Default, &[]),
            (test(), &["actions", "sound"], Timeout::Milliseconds(30_000), &["Transient(true)"]),
        ] {
            let built = build(&notice, &server("", capabilities), "dosed");
            assert_eq!(
                (built.timeout, hints(&built)),
                (timeout, expected.iter().map(ToString::to_string).collect()),
                "{capabilities:?}"
            );
        }
    }

    #[test]
    fn a_list_keeps_its_lines() {
        let several = Notice { occurrences: vec!["a@2026-11-25T08:00".parse().unwrap(); 2], ..notice() };
        assert_eq!(
            build(&several, &server("gnome-shell", &["actions"]), "dosed").body,
            "<b>5</b> mg\nwith food"
        );
    }
}
