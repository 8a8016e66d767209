//! Servers that come and go, what an earlier run left with them, and what some do in a way of their own.

use super::*;

#[test]
fn servers_come_and_go_at_any_time() {
    let first: Step = (show(1, "a"), &["notify#1 1:a over 0"]);
    let gone: &'static [&'static str] = &["server vanished: the notification server is gone"];
    let cases: Vec<Case> = vec![
        (
            "a restart while a call is in flight",
            vec![
                (owner_changed(""), gone),
                (owner_changed(SERVER_B), QUERY_SERVER),
                (capabilities(SERVER_B), &["server appeared, again: true"]),
                (show(1, "b"), &[]),
                (refused(1), &["1 not shown: no room"]),
                (show(1, "b"), &["notify#2 1:b over 0"]),
                (replied(2, 1), &["1 shown as 1 by bus/:1.2"]),
            ],
        ),
        (
            "what the first server showed is not on the second",
            vec![
                (replied(1, 7), &["1 shown as 7 by bus/:1.1"]),
                (owner_changed(SERVER_B), QUERY_SERVER),
                (closed(7), &[]),
                (show(1, "a"), &[]),
                (capabilities(SERVER_B), &["server appeared, again: true", "notify#2 1:a over 0"]),
            ],
        ),
        (
            "the old server's late reply is nothing to the new one",
            vec![
                (timed_out(1), &["1 not shown: the notification server did not answer within 5 s"]),
                (owner_changed(SERVER_B), QUERY_SERVER),
                (replied(1, 7), &[]),
            ],
        ),
        (
            "signals that waited are the old server's",
            vec![
                (pressed(7), &[]),
                (owner_changed(SERVER_B), QUERY_SERVER),
                (replied(1, 7), &["1 shown as 7 by bus/:1.2"]),
            ],
        ),
        (
            "the bus ends",
            vec![
                (show(1, "b"), &[]),
                (show(2, "c"), &["notify#2 2:c over 0"]),
                (
                    Input::Disconnected("gone".to_owned()),
                    &["1 not shown: gone", "2 not shown: gone", "1 not shown: gone"],
                ),
            ],
        ),
    ];
    for (case, steps) in cases {
        check(case, ready(), std::iter::once(first.clone()).chain(steps).collect());
    }
}

#[test]
fn what_an_earlier_run_left_is_adopted_from_the_same_server_only() {
    let cases: Vec<Case> = vec![
        (
            "the same server",
            vec![
                (adopt(1, 7, SERVER_A), &[]),
                (capabilities(SERVER_A), &["server appeared, again: false"]),
                (show(1, "a"), &["notify#1 1:a over 7"]),
            ],
        ),
        (
            "another server",
            vec![
                (adopt(1, 7, SERVER_B), &[]),
                (capabilities(SERVER_A), &["server appeared, again: false"]),
                (pressed(7), &[]),
                (show(1, "a"), &["notify#1 1:a over 0"]),
            ],
        ),
        (
            "a withdrawal waits until that is known",
            vec![
                (adopt(1, 7, SERVER_A), &[]),
                (withdraw(1), &[]),
                (capabilities(SERVER_A), &["server appeared, again: false", "close 7"]),
            ],
        ),
        (
            "the server was known before",
            vec![
                (capabilities(SERVER_A), &["server appeared, again: false"]),
                (adopt(1, 7, SERVER_A), &[]),
                (pressed(7), &["1 pressed: Taken"]),
                (withdraw(1), &["close 7"]),
            ],
        ),
    ];
    for (case, steps) in cases {
        let start: Vec<Step> = vec![
            (Input::Connected, &["query Activatable", "query Owner"]),
            (Input::OwnerReply(Ok(SERVER_A.to_owned())), QUERY_SERVER),
        ];
        check(case, new(), start.into_iter().chain(steps).collect());
    }
}

/// Compares the effects of inputs, that of asking the display too.
#[track_caller]
fn check_all(mut state: DesktopState, steps: Vec<Step>) {
    for (step, (input, expected)) in steps.into_iter().enumerate() {
        let what = format!("{input:?}");
        let effects: Vec<String> = state.handle(input).iter().map(text).collect();
        assert_eq!(effects, expected, "step {step}: {what}");
    }
}

#[test]
fn whether_the_desktop_shows_notifications_is_known_before_the_first_and_reported_when_it_changes() {
    let display = Input::DisplayReply;
    check_all(
        new(),
        vec![
            (Input::Connected, &["query Activatable", "query Owner"]),
            (Input::ActivatableReply(true), &[]),
            (Input::OwnerReply(Ok(SERVER_A.to_owned())), QUERY_SERVER),
            (show(1, "a"), &[]),
            (Input::DisplayChanged, &[]),
            (capabilities(SERVER_A), &["ask display"]),
            (
                display(Display::DoNotDisturb),
                &["display: DoNotDisturb", "server appeared, again: false", "notify#1 1:a over 0"],
            ),
            (replied(1, 7), &["1 shown as 7 by bus/:1.1"]),
            (Input::DisplayChanged, &["ask display"]),
            // It may have changed after it was asked.
            (Input::DisplayChanged, &[]),
            (display(Display::DoNotDisturb), &["ask display"]),
            (display(Display::On), &["display: On"]),
            (Input::DisplayChanged, &["ask display"]),
            (
                owner_changed(""),
                &["server vanished: the notification server is gone, started on demand", "display: NotTold"],
            ),
            // About the server that is gone.
            (display(Display::On), &[]),
        ],
    );
}

#[test]
fn a_server_that_gives_no_number_has_shown_it() {
    let dialog: &[&str] = &["1 shown as 0 by bus/:1.1"];
    check(
        "no number",
        ready(),
        vec![
            (show(1, "a"), &["notify#1 1:a over 0"]),
            (replied(1, 0), dialog),
            (show(2, "b"), &["notify#2 2:b over 0"]),
            (replied(2, 0), &["2 shown as 0 by bus/:1.1"]),
            (withdraw(1), &[]),
        ],
    );
}

#[test]
fn gnome_shell_gets_a_new_notification_in_place_of_the_one_before() {
    let mut state = ready();
    handle(
        &mut state,
        Input::InformationReply { name: "gnome-shell".to_owned(), version: "43.9".to_owned() },
    );
    let closed_by_us = signal(SERVER_A, 7, Signal::Closed(CloseReason::Undefined));
    check(
        "its buttons are there again",
        state,
        vec![
            (show(1, "a"), &["notify#1 1:a over 0"]),
            (replied(1, 7), &["1 shown as 7 by bus/:1.1"]),
            (show(1, "b"), &["close 7", "notify#2 1:b over 0"]),
            // That was no person.
            (closed_by_us, &[]),
            (replied(2, 8), &["1 shown as 8 by bus/:1.1"]),
            (pressed(8), &["1 pressed: Taken"]),
        ],
    );
}
