//! Every race on the bus, as tables of inputs and the effects that follow.

use super::*;
use crate::core::reminder::Button;

mod servers;

const SERVER_A: &str = ":1.1";
const SERVER_B: &str = ":1.2";

/// An input, and the effects that it is to have.
type Step = (Input, &'static [&'static str]);

type Case = (&'static str, Vec<Step>);

fn notice(alert: u64, title: &str) -> Notice {
    Notice::plain(AlertId(alert), title, Vec::new())
}

fn show(alert: u64, title: &str) -> Input {
    Input::Command(Command::Show(notice(alert, title)))
}

fn withdraw(alert: u64) -> Input {
    Input::Command(Command::Withdraw(AlertId(alert)))
}

fn adopt(alert: u64, notification: u32, server: &str) -> Input {
    let server = Some(format!("bus/{server}").into());
    Input::Command(Command::Adopt(AlertId(alert), NotificationHandle { notification, server }))
}

fn replied(call: u64, number: u32) -> Input {
    Input::NotifyReply(CallId(call), Ok(number))
}

fn refused(call: u64) -> Input {
    Input::NotifyReply(CallId(call), Err("no room".to_owned()))
}

fn timed_out(call: u64) -> Input {
    Input::NotifyTimedOut(CallId(call))
}

fn signal(sender: &str, number: u32, signal: Signal) -> Input {
    Input::Signal { sender: sender.to_owned(), number, signal }
}

fn closed(number: u32) -> Input {
    signal(SERVER_A, number, Signal::Closed(CloseReason::Dismissed))
}

fn pressed(number: u32) -> Input {
    signal(SERVER_A, number, Signal::Pressed(Button::Taken))
}

fn owner_changed(owner: &str) -> Input {
    Input::OwnerChanged(Some(owner.to_owned()).filter(|owner| !owner.is_empty()))
}

fn capabilities(sender: &str) -> Input {
    let names = vec!["actions".to_owned()];
    Input::CapabilitiesReply(Ok(Capabilities { sender: Some(sender.to_owned()), names }))
}

/// Writes an effect down in a few words.
fn text(effect: &Effect) -> String {
    match effect {
        Effect::Query(query) => format!("query {query:?}"),
        Effect::Notify(Notify { call, notice, replaces, .. }) => {
            format!("notify#{} {}:{} over {replaces}", call.0, notice.alert.0, notice.title)
        }
        Effect::CloseNotification(number) => format!("close {number}"),
        Effect::Event(Event::Shown(alert, handle)) => {
            format!(
                "{} shown as {} by {}",
                alert.0,
                handle.notification,
                handle.server.as_deref().unwrap_or("?")
            )
        }
        Effect::Event(Event::NotShown(alert, reason)) => format!("{} not shown: {reason}", alert.0),
        Effect::Event(Event::Closed(alert, reason)) => format!("{} closed: {reason:?}", alert.0),
        Effect::Event(Event::Pressed(alert, button)) => format!("{} pressed: {button:?}", alert.0),
        Effect::Event(Event::ServerAppeared { again, .. }) => format!("server appeared, again: {again}"),
        Effect::Event(Event::ServerVanished { reason, on_demand }) => {
            format!("server vanished: {reason}{}", if *on_demand { ", started on demand" } else { "" })
        }
        Effect::Event(Event::Display(display)) => format!("display: {display:?}"),
        Effect::AskDisplay(_) => "ask display".to_owned(),
    }
}

/// Handles an input on a desktop that does not tell whether it shows notifications, and says so at once.
fn handle(state: &mut DesktopState, input: Input) -> Vec<Effect> {
    let mut effects = state.handle(input);
    let asked = effects.iter().position(|effect| matches!(effect, Effect::AskDisplay(_)));
    if let Some(asked) = asked {
        effects.remove(asked);
        effects.extend(state.handle(Input::DisplayReply(Display::NotTold)));
    }
    effects
}

/// Feeds inputs to a state and compares the effects of each.
#[track_caller]
fn check(case: &str, mut state: DesktopState, steps: Vec<Step>) {
    for (step, (input, expected)) in steps.into_iter().enumerate() {
        let what = format!("{input:?}");
        let effects: Vec<String> = handle(&mut state, input).iter().map(text).collect();
        assert_eq!(effects, expected, "{case}, step {step}: {what}");
    }
}

fn new() -> DesktopState {
    DesktopState::new("bus".to_owned(), false)
}

/// A state whose server, `SERVER_A`, is ready.
fn ready() -> DesktopState {
    let mut state = new();
    for input in [Input::Connected, Input::OwnerReply(Ok(SERVER_A.to_owned())), capabilities(SERVER_A)] {
        handle(&mut state, input);
    }
    state
}

const QUERY_SERVER: &[&str] = &["query Information", "query Capabilities"];

#[test]
fn a_server_is_found_asked_and_given_what_waits() {
    check(
        "one that runs",
        new(),
        vec![
            (Input::Connected, &["query Activatable", "query Owner"]),
            (Input::OwnerReply(Ok(SERVER_A.to_owned())), QUERY_SERVER),
            (show(1, "a"), &[]),
            (capabilities(SERVER_A), &["server appeared, again: false", "notify#1 1:a over 0"]),
            (replied(1, 7), &["1 shown as 7 by bus/:1.1"]),
        ],
    );
    check(
        "one that the bus starts for a reminder",
        new(),
        vec![
            (Input::Connected, &["query Activatable", "query Owner"]),
            (Input::OwnerReply(Err("nobody".to_owned())), &["server vanished: no notification server runs"]),
            (show(1, "a"), QUERY_SERVER),
            (show(1, "b"), &[]),
            (owner_changed(SERVER_A), &[]),
            (capabilities(SERVER_A), &["server appeared, again: true", "notify#1 1:b over 0"]),
        ],
    );
    check(
        "none",
        new(),
        vec![
            (show(1, "a"), QUERY_SERVER),
            (withdraw(2), &[]),
            (
                Input::CapabilitiesReply(Err("nobody".to_owned())),
                &["server vanished: nobody", "1 not shown: nobody"],
            ),
            (show(1, "a"), QUERY_SERVER),
            (withdraw(1), &[]),
            (Input::CapabilitiesReply(Err("nobody".to_owned())), &["server vanished: nobody"]),
        ],
    );
}

#[test]
fn signals_and_replies_race() {
    let taken: &'static [&'static str] = &["1 shown as 7 by bus/:1.1", "1 pressed: Taken"];
    let show = |title| show(1, title);
    let first: Step = (show("a"), &["notify#1 1:a over 0"]);
    let cases: Vec<Case> = vec![
        ("a button after the reply", vec![(replied(1, 7), &taken[..1]), (pressed(7), &taken[1..])]),
        ("a button before the reply", vec![(pressed(7), &[]), (replied(1, 7), taken)]),
        (
            "a close before the reply",
            vec![(closed(7), &[]), (replied(1, 7), &["1 shown as 7 by bus/:1.1", "1 closed: Dismissed"])],
        ),
        (
            "a button and a close before the reply, among those of others",
            vec![
                (closed(8), &[]),
                (pressed(7), &[]),
                (closed(7), &[]),
                (replied(1, 7), &["1 shown as 7 by bus/:1.1", "1 pressed: Taken", "1 closed: Dismissed"]),
                (closed(8), &[]),
            ],
        ),
        (
            "signals that waited for a reply that had another number",
            vec![
                (closed(8), &[]),
                (replied(1, 7), &taken[..1]),
                (show("b"), &["notify#2 1:b over 7"]),
                (replied(2, 8), &["close 7", "1 shown as 8 by bus/:1.1"]),
            ],
        ),
        (
            "signals of other programs",
            vec![
                (signal(SERVER_B, 7, Signal::Pressed(Button::Taken)), &[]),
                (replied(1, 7), &taken[..1]),
                (signal(SERVER_B, 7, Signal::Closed(CloseReason::Dismissed)), &[]),
                (closed(9), &[]),
            ],
        ),
        (
            "a second close",
            vec![(replied(1, 7), &taken[..1]), (closed(7), &["1 closed: Dismissed"]), (closed(7), &[])],
        ),
    ];
    for (case, steps) in cases {
        check(case, ready(), std::iter::once(first.clone()).chain(steps).collect());
    }
}

#[test]
fn a_replacement_keeps_one_notification() {
    let shown: &'static [&'static str] = &["1 shown as 7 by bus/:1.1"];
    let start: Vec<Step> = vec![
        (show(1, "a"), &["notify#1 1:a over 0"]),
        (replied(1, 7), shown),
        (show(1, "b"), &["notify#2 1:b over 7"]),
    ];
    let cases: Vec<Case> = vec![
        ("the same number", vec![(replied(2, 7), shown), (show(1, "b"), &[])]),
        ("a close while it is replaced is the server's own", vec![(closed(7), &[]), (replied(2, 7), shown)]),
        ("another number", vec![(closed(7), &[]), (replied(2, 8), &["close 7", "1 shown as 8 by bus/:1.1"])]),
        ("a button while it is replaced", vec![(pressed(7), &["1 pressed: Taken"]), (replied(2, 7), shown)]),
        (
            "a button of the other number before it is known",
            vec![
                (pressed(8), &[]),
                (replied(2, 8), &["close 7", "1 shown as 8 by bus/:1.1", "1 pressed: Taken"]),
            ],
        ),
        (
            "it is refused",
            vec![
                (refused(2), &["close 7", "1 not shown: no room"]),
                (show(1, "b"), &["notify#3 1:b over 0"]),
            ],
        ),
        (
            "the newest of several waits for the reply",
            vec![
                (show(1, "c"), &[]),
                (show(1, "d"), &[]),
                (replied(2, 7), &["1 shown as 7 by bus/:1.1", "notify#3 1:d over 7"]),
            ],
        ),
        ("what is shown already is not sent", vec![(show(1, "b"), &[]), (replied(2, 7), shown)]),
        (
            "a refusal drops what waits",
            vec![
                (show(1, "c"), &[]),
                (refused(2), &["close 7", "1 not shown: no room"]),
                (replied(2, 7), &[]),
            ],
        ),
    ];
    for (case, steps) in cases {
        check(case, ready(), start.iter().cloned().chain(steps).collect());
    }
}

#[test]
fn a_withdrawal_wins_whatever_is_in_flight() {
    let first: Step = (show(1, "a"), &["notify#1 1:a over 0"]);
    const SHOWN: &str = "1 shown as 7 by bus/:1.1";
    let cases: Vec<Case> = vec![
        ("after the reply", vec![(replied(1, 7), &[SHOWN]), (withdraw(1), &["close 7"]), (closed(7), &[])]),
        ("before the reply", vec![(withdraw(1), &[]), (replied(1, 7), &[SHOWN, "close 7"])]),
        (
            "and shown again before the reply",
            vec![(withdraw(1), &[]), (show(1, "a"), &[]), (replied(1, 7), &[SHOWN])],
        ),
        (
            "before a refusal",
            vec![(withdraw(1), &[]), (refused(1), &["1 not shown: no room"]), (withdraw(1), &[])],
        ),
        ("of another alert", vec![(withdraw(2), &[]), (replied(1, 7), &[SHOWN])]),
    ];
    for (case, steps) in cases {
        check(case, ready(), std::iter::once(first.clone()).chain(steps).collect());
    }
}

#[test]
fn a_reply_may_be_late_or_wrong() {
    const TIMEOUT: &str = "1 not shown: the notification server did not answer within 5 s";
    let first: Step = (show(1, "a"), &["notify#1 1:a over 0"]);
    let cases: Vec<Case> = vec![
        (
            "a late number is taken down",
            vec![(timed_out(1), &[TIMEOUT]), (replied(1, 7), &["close 7"]), (replied(1, 7), &[])],
        ),
        ("a late error is nothing", vec![(timed_out(1), &[TIMEOUT]), (refused(1), &[])]),
        (
            "a late number that another notification has by now stays",
            vec![
                (timed_out(1), &[TIMEOUT]),
                (show(2, "b"), &["notify#2 2:b over 0"]),
                (replied(2, 7), &["2 shown as 7 by bus/:1.1"]),
                (replied(1, 7), &[]),
            ],
        ),
        (
            "shown again while the first is late",
            vec![
                (timed_out(1), &[TIMEOUT]),
                (show(1, "a"), &["notify#2 1:a over 0"]),
                (replied(1, 7), &["close 7"]),
                (replied(2, 8), &["1 shown as 8 by bus/:1.1"]),
            ],
        ),
        (
            "one number for two is the second one's",
            vec![
                (replied(1, 7), &["1 shown as 7 by bus/:1.1"]),
                (show(2, "b"), &["notify#2 2:b over 0"]),
                (replied(2, 7), &["1 closed: Undefined", "2 shown as 7 by bus/:1.1"]),
                (pressed(7), &["2 pressed: Taken"]),
                (withdraw(1), &[]),
                (withdraw(2), &["close 7"]),
            ],
        ),
        ("a reply to no call", vec![(replied(9, 7), &[]), (timed_out(9), &[]), (replied(9, 7), &[])]),
    ];
    for (case, steps) in cases {
        check(case, ready(), std::iter::once(first.clone()).chain(steps).collect());
    }
}

#[test]
fn what_is_kept_for_a_server_that_never_replies_is_limited() {
    let mut state = ready();
    state.handle(show(1, "a"));
    for number in 1..=1000 {
        state.handle(closed(number));
    }
    assert_eq!(state.early_signals.len(), MAX_EARLY_SIGNALS);
    state.handle(timed_out(1));
    for call in 2..=1000 {
        state.handle(show(1, "a"));
        state.handle(timed_out(call));
    }
    assert_eq!((state.late.len(), state.pending.len()), (MAX_LATE_CALLS, 0));
    assert!(!state.expects_reply(CallId(1)) && state.expects_reply(CallId(1000)));
}
