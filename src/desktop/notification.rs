//! From a notice to a notification: what this server can show of it, and no more.

use notify_rust::{Hint, Notification, Timeout, Urgency};

use super::Server;
use crate::reminder::Notice;

/// Makes the notification out of a notice, as the server can show it.
pub(super) fn build(notice: &Notice, server: &Server) -> Notification {
    let mut body = notice.body.clone();
    let has_buttons = server.has_buttons() && !notice.buttons.is_empty();
    if !has_buttons {
        body.extend(notice.command.iter().map(|command| format!("to answer: {command}")));
    }
    let mut body = body.join("\n");
    if server.can("body-markup") {
        body = escape(&body);
    }
    let mut notification = Notification::new();
    notification
        .appname("dosed")
        .summary(&notice.title)
        .body(&body)
        .icon("dosed")
        .hint(Hint::DesktopEntry("dosed".to_owned()))
        .hint(Hint::Category("reminder".to_owned()))
        .hint(Hint::Urgency(Urgency::Normal))
        // A reminder waits for the person; dosed takes it down when its grace is over.
        .timeout(Timeout::Never);
    if has_buttons {
        for (button, label) in &notice.buttons {
            notification.action(button.key(), label);
        }
    }
    notification
}

/// Makes text safe for a server that reads markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reminder::{AlertId, Button};

    fn notice() -> Notice {
        Notice {
            alert: AlertId(1),
            occurrences: Vec::new(),
            due: None,
            title: "A & B".to_owned(),
            body: vec!["<b>5</b> mg".to_owned(), "with food".to_owned()],
            command: Some("dosed take a".to_owned()),
            buttons: vec![(Button::Taken, "Taken".to_owned())],
        }
    }

    #[track_caller]
    fn check(capabilities: &[&str], body: &str, actions: &[&str]) {
        let server = Server {
            capabilities: capabilities.iter().map(ToString::to_string).collect(),
            ..Server::default()
        };
        let built = build(&notice(), &server);
        assert_eq!((built.summary.as_str(), built.body.as_str()), ("A & B", body));
        assert_eq!(built.actions, actions);
    }

    #[test]
    fn capabilities_are_respected() {
        check(&["actions"], "<b>5</b> mg\nwith food", &["taken", "Taken"]);
        check(&["actions", "body-markup"], "&lt;b&gt;5&lt;/b&gt; mg\nwith food", &["taken", "Taken"]);
        check(&[], "<b>5</b> mg\nwith food\nto answer: dosed take a", &[]);
    }
}
