//! What each server is asked to do, and what becomes of what it says.

use super::*;

/// A new server is shown what waits, so that one reminder goes through the whole table.
#[test]
#[ignore = "needs dbus-daemon"]
fn a_reminder_is_written_as_each_server_can_show_it() {
    let plain = "5e9 CFU\nL. reuteri <ATCC PTA 6475>\nwith food\nnot with coffee";
    let escaped = "5e9 CFU\nL. reuteri &lt;ATCC PTA 6475&gt;\nwith food\nnot with coffee";
    let command = "\nto answer: dosed take probiotic";
    let mut scene = scene(PROBIOTIC, &[]);
    let first = scene.peer.notify();
    assert_eq!((first.replaces, first.title.as_str(), first.body.as_str()), (0, "Probiotic & co", plain));
    assert_eq!(first.actions, BUTTONS);
    // It stays until the person answers, and is not urgent.
    assert_eq!((first.app.as_str(), first.timeout), ("dosed", 0));
    // Nothing is installed: the icon is a file beside the socket.
    assert!(std::fs::read_to_string(&first.icon).unwrap().contains("<svg"), "{}", first.icon);
    assert_eq!(first.hints["urgency"], OwnedVariant::from(1_u8));
    scene.facts(&["delivered probiotic"]);
    let table: [(Capabilities, &str, &str, &[&str]); 4] = [
        (&["body", "actions", "body-markup"], escaped, "", &BUTTONS),
        (&["body", "body-markup"], escaped, command, &[]),
        (&["body"], plain, command, &[]),
        (&[], plain, command, &[]),
    ];
    for (capabilities, body, command, actions) in table {
        scene.change_peer(capabilities);
        let shown = scene.peer.notify();
        assert_eq!((shown.replaces, shown.title.as_str()), (0, "Probiotic & co"), "{capabilities:?}");
        assert_eq!(shown.body, format!("{body}{command}"), "{capabilities:?}");
        assert_eq!(shown.actions, actions, "{capabilities:?}");
        // By another server: written down, so that it is found there after a kill.
        scene.facts(&["delivered probiotic"]);
    }
    scene.home.good(&["take", "probiotic"]);
    assert_eq!(scene.peer.close(), FIRST_NUMBER);
    scene.facts(&["intake probiotic"]);
}

#[test]
#[ignore = "needs dbus-daemon"]
fn a_private_reminder_tells_nothing() {
    let private = PROBIOTIC.replace("with =", "private = true\nwith =");
    let table = [
        (private.clone(), "Reminder"),
        (format!("private = true\n{PROBIOTIC}"), "Reminder"),
        // Beside one that is not.
        (format!("{private}{}", ZINC.replace("ZINC", "NOW")), "2 reminders"),
    ];
    each(&table, |(schedule, title)| {
        let check = |shown: Notify, has_buttons: bool| {
            assert_eq!((shown.title.as_str(), shown.actions.is_empty()), (*title, !has_buttons));
            let all = format!("{shown:?}").to_lowercase();
            for secret in ["probiotic", "reuteri", "5e9", "cfu", "food", "coffee"] {
                assert!(!all.contains(secret), "{secret} in {all}");
            }
        };
        let mut scene = scene(schedule, &[]);
        check(scene.peer.notify(), true);
        // Without buttons it must not name the command that answers, as that names the item.
        scene.change_peer(&["body"]);
        check(scene.peer.notify(), false);
    });
}

#[test]
#[ignore = "needs dbus-daemon"]
fn slots_of_one_minute_are_one_notification() {
    each(&["NOW", "NEXT"], |zinc| {
        let schedule = format!("{PROBIOTIC}{}{WITNESS}", ZINC.replace("ZINC", zinc));
        let mut scene = scene(&schedule, &[&[Number(7)]]);
        let mut first = scene.peer.notify();
        if *zinc == "NEXT" {
            assert_eq!(first.title, "Probiotic & co");
            // The second one joins it where it stands.
            first = scene.peer.notify();
            assert_eq!(first.replaces, 7);
        }
        assert_eq!(scene.peer.notify().title, "witness");
        assert_eq!(first.title, "2 reminders");
        let lines: Vec<_> = first.body.lines().collect();
        assert_eq!(
            lines,
            [
                "Probiotic & co, 5e9 CFU, L. reuteri <ATCC PTA 6475>, with food, not with coffee",
                "Zinc, 15 mg"
            ]
        );
        let buttons =
            ["taken", "All 2 taken", "snooze", "Snooze 15 min", "skip", "Skip all", "default", "Open"];
        assert_eq!(first.actions, buttons);
        // An answer takes its line away, and the last one the notification.
        scene.home.good(&["take", "probiotic"]);
        let rest = scene.peer.notify();
        assert_eq!((rest.replaces, rest.title.as_str(), rest.body.as_str()), (7, "Zinc", "15 mg"));
        assert_eq!(rest.actions, BUTTONS);
        scene.home.good(&["skip", "zinc"]);
        assert_eq!(scene.peer.close(), 7);
        scene.home.good(&["skip", "witness"]);
        assert_eq!(scene.peer.close(), FIRST_NUMBER);
        let mut facts: Vec<_> = (0..6).map(|_| scene.fact().0).collect();
        facts.sort();
        assert_eq!(
            facts,
            [
                "delivered probiotic",
                "delivered witness",
                "delivered zinc",
                "intake probiotic",
                "skip witness",
                "skip zinc"
            ]
        );
    });
}

#[test]
#[ignore = "needs dbus-daemon"]
fn a_button_is_one_answer_however_it_is_said() {
    let table: [(Script, &[Step], &str); 9] = [
        (&[&[Number(7)]], &[Pressed(7, "taken")], "intake"),
        (&[&[Number(7)]], &[Pressed(7, "taken"), Pressed(7, "taken")], "intake"),
        // As real servers do.
        (&[&[Number(7)]], &[Pressed(7, "skip"), Closed(7, 2)], "skip"),
        (&[&[Number(7)]], &[Pressed(7, "taken"), Closed(7, 2), Pressed(7, "taken")], "intake"),
        // The first one counts.
        (&[&[Number(7)]], &[Pressed(7, "snooze"), Pressed(7, "skip"), Pressed(7, "taken")], "snooze"),
        (&[&[Number(7)]], &[Pressed(7, "default"), Pressed(7, "taken")], "intake"),
        // Whoever presses it may be faster than the server's answer.
        (&[&[Pressed(7, "taken"), Number(7)]], &[], "intake"),
        (&[&[Pressed(7, "taken"), Pressed(7, "taken"), Number(7)]], &[Pressed(7, "taken")], "intake"),
        (&[&[Pressed(7, "skip"), Closed(7, 2), Number(7)]], &[], "skip"),
    ];
    each(&table, |(script, steps, answer)| {
        let mut scene = scene(&format!("{PROBIOTIC}{WITNESS}"), script);
        scene.peer.notify();
        // An answer before the witness has taken the first one down.
        while !matches!(scene.peer.hear(), Heard::Notify(_)) {}
        for step in *steps {
            scene.peer.act(*step);
        }
        let facts = scene.facts_until_witness();
        assert_eq!(facts, ["delivered probiotic", &format!("{answer} probiotic")], "{script:?} {steps:?}");
    });
}

#[test]
#[ignore = "needs dbus-daemon"]
fn a_closing_is_no_answer() {
    let table: [(Script, &[Step]); 6] = [
        (&[&[Number(7)]], &[Closed(7, 1)]),
        (&[&[Number(7)]], &[Closed(7, 2)]),
        (&[&[Number(7)]], &[Closed(7, 4)]),
        (&[&[Number(7)]], &[Closed(7, 2), Closed(7, 2)]),
        // A server that has no room for it, or shows it for no time.
        (&[&[Number(7), Closed(7, 1)]], &[]),
        (&[&[Closed(7, 1), Number(7)]], &[]),
    ];
    each(&table, |(script, steps)| {
        let mut scene = scene(&format!("{PROBIOTIC}{WITNESS}"), script);
        scene.peer.notify();
        scene.peer.notify();
        for step in *steps {
            scene.peer.act(*step);
        }
        let facts = scene.facts_until_witness();
        assert_eq!(facts, ["delivered probiotic", "closed probiotic"], "{script:?} {steps:?}");
        scene.is_due("probiotic");
        scene.home.good(&["take", "probiotic"]);
        scene.facts(&["intake probiotic"]);
    });
}

/// Signals of others, and signals about other things, change nothing.
#[test]
#[ignore = "needs dbus-daemon"]
fn a_forged_signal_records_nothing() {
    let mut scene = scene(&format!("{PROBIOTIC}{WITNESS}"), &[&[Number(7)]]);
    let dosed = scene.peer.notify().sender;
    scene.peer.notify();
    let to_dosed = |name: &'static str, body: (u32, &str)| {
        Message::signal(PATH, SERVER, name).destination(dosed.as_str()).build(&body).unwrap()
    };
    let gone = |path, interface| {
        let signal = Message::signal(path, interface, "NameOwnerChanged").destination(dosed.as_str());
        signal.build(&(SERVER, "", "")).unwrap()
    };
    scene.bus.forge(&[
        pressed(7, "taken"),
        closed(7, 2),
        to_dosed("ActionInvoked", (7, "taken")),
        gone(BUS_PATH, BUS),
        gone(PATH, SERVER),
    ]);
    // What the server says of other programs' notifications, and what nobody understands.
    for step in [Pressed(8, "taken"), Closed(8, 2), Pressed(7, "default"), Pressed(7, ""), Mumble] {
        scene.peer.act(step);
    }
    assert_eq!(scene.facts_until_witness(), ["delivered probiotic"]);
    scene.is_due("probiotic");
    scene.peer.act(Pressed(7, "taken"));
    scene.facts(&["intake probiotic"]);
    assert_eq!(scene.peer.close(), 7);
}

#[test]
#[ignore = "needs dbus-daemon"]
fn what_a_server_refuses_is_recorded_and_shown_later() {
    let table: [(Script, &str, &[Step]); 3] = [
        (&[&[Refuse]], "org.example.Full: no room", &[]),
        (&[&[Babble]], "cannot be read", &[]),
        (&[&[]], "did not answer within 5 s", &[Number(7)]),
    ];
    each(&table, |(script, why, late)| {
        let mut scene = scene(PROBIOTIC, script);
        scene.peer.notify();
        let (name, fact) = scene.fact();
        assert_eq!(name, "undelivered probiotic");
        assert!(fact["reason"].as_str().unwrap().contains(why), "{fact}");
        scene.is_due("probiotic");
        for step in *late {
            // It is on the screen after all, with buttons that nobody listens to: it must not stay there.
            scene.peer.act(*step);
            assert_eq!(scene.peer.close(), 7);
        }
        assert_eq!(scene.peer.notify().replaces, 0);
        scene.facts(&["delivered probiotic"]);
        scene.peer.act(Pressed(FIRST_NUMBER, "taken"));
        scene.facts(&["intake probiotic"]);
        assert_eq!(scene.peer.close(), FIRST_NUMBER);
    });
}

/// As one does that shows a dialog: to ask it once more would show another one.
#[test]
#[ignore = "needs dbus-daemon"]
fn a_server_that_gives_no_number_has_shown_the_reminder() {
    let mut scene = scene(&format!("{PROBIOTIC}{WITNESS}"), &[&[Number(0)]]);
    scene.peer.notify();
    scene.peer.notify();
    assert_eq!(scene.facts_until_witness(), ["delivered probiotic"]);
    scene.is_due("probiotic");
}

#[test]
#[ignore = "needs dbus-daemon"]
fn what_is_on_the_screen_is_taken_down_at_the_end_and_shown_at_the_next_start() {
    let mut scene = scene(PROBIOTIC, &[&[Number(7)]]);
    scene.peer.notify();
    scene.facts(&["delivered probiotic"]);
    scene.daemon.signal(rustix::process::Signal::TERM);
    assert_eq!(scene.peer.close(), 7);
    scene.start();
    assert_eq!(scene.peer.notify().title, "Probiotic & co");
    scene.is_due("probiotic");
}

#[test]
#[ignore = "needs dbus-daemon"]
fn an_answer_before_the_server_has_answered_takes_the_reminder_down() {
    let mut scene = scene(PROBIOTIC, &[&[]]);
    scene.peer.notify();
    scene.home.good(&["take", "probiotic"]);
    scene.facts(&["intake probiotic"]);
    scene.peer.act(Number(7));
    assert_eq!(scene.peer.close(), 7);
}

/// What a server says while it replaces a notification is not what a person does.
#[test]
#[ignore = "needs dbus-daemon"]
fn a_replacement_can_be_answered_whatever_its_number() {
    let table: [(Script, u32, bool); 5] = [
        (&[&[Number(7)], &[Closed(7, 1), Number(7)]], 7, false),
        (&[&[Number(7)], &[Number(8)]], 8, true),
        (&[&[Number(7)], &[Closed(7, 1), Number(8)]], 8, true),
        // The person is faster than the server's answer.
        (&[&[Number(7)], &[Pressed(7, "taken"), Number(7)]], 7, false),
        (&[&[Number(7)], &[Pressed(8, "taken"), Number(8)]], 8, true),
    ];
    each(&table, |(script, number, is_other)| {
        let schedule = format!("{PROBIOTIC}{}", ZINC.replace("ZINC", "NOW"));
        let mut scene = scene(&schedule, script);
        scene.peer.notify();
        scene.facts(&["delivered probiotic", "delivered zinc"]);
        scene.home.good(&["take", "probiotic"]);
        scene.facts(&["intake probiotic"]);
        assert_eq!(scene.peer.notify().replaces, 7);
        if *is_other {
            // The old one may still be there, with buttons that nobody listens to.
            assert_eq!(scene.peer.close(), 7, "{script:?}");
            scene.facts(&["delivered zinc"]);
        }
        scene.peer.act(Pressed(*number, "taken"));
        scene.facts(&["intake zinc"]);
        assert_eq!(scene.peer.close(), *number, "{script:?}");
    });
}

/// A reminder whose change is refused must not stay as it was, and what changes while it is refused must
/// not come up beside it.
#[test]
#[ignore = "needs dbus-daemon"]
fn a_refused_change_is_shown_anew_and_once() {
    let table: [Script; 2] = [&[&[Number(7)], &[Refuse]], &[&[]]];
    each(&table, |script| {
        let mut scene = scene(&format!("{PROBIOTIC}{}", ZINC.replace("ZINC", "NOW")), script);
        scene.peer.notify();
        if script.len() == 2 {
            scene.facts(&["delivered probiotic", "delivered zinc"]);
            scene.home.good(&["take", "probiotic"]);
            assert_eq!(scene.peer.notify().replaces, 7);
            assert_eq!(scene.peer.close(), 7);
        } else {
            scene.home.good(&["take", "probiotic"]);
            // The daemon has asked for the change by the time it answers this.
            scene.is_due("zinc");
            scene.peer.act(Refuse);
        }
        scene.facts(&["intake probiotic", "undelivered zinc"]);
        let again = scene.peer.notify();
        assert_eq!((again.replaces, again.title.as_str()), (0, "Zinc"));
        scene.facts(&["delivered zinc"]);
        scene.peer.act(Pressed(FIRST_NUMBER, "taken"));
        scene.facts(&["intake zinc"]);
        assert_eq!(scene.peer.close(), FIRST_NUMBER);
    });
}

/// The newest notification has the number: the one before is not on the screen any more.
#[test]
#[ignore = "needs dbus-daemon"]
fn one_number_for_two_is_the_second_ones() {
    let earlier = WITNESS.replace("witness", "earlier").replace("AFTER", "LATER");
    let schedule = format!("{earlier}{}", PROBIOTIC.replace("NOW", "NEXT"));
    let mut scene = scene(&schedule, &[&[Number(7)], &[Number(7)]]);
    assert_eq!(scene.peer.notify().title, "earlier");
    assert_eq!(scene.peer.notify().title, "Probiotic & co");
    scene.peer.act(Pressed(7, "taken"));
    scene.facts(&["delivered earlier", "closed earlier", "delivered probiotic", "intake probiotic"]);
}

/// What was said of a number before it was ours, or when it was last ours, is not about us.
#[test]
#[ignore = "needs dbus-daemon"]
fn a_number_that_is_used_again_starts_anew() {
    let table: [(Script, &[Step]); 3] = [
        (&[&[Number(7)], &[Number(7)]], &[]),
        (&[&[Number(7)], &[Number(9)]], &[Closed(9, 2)]),
        (&[&[Number(7)], &[Number(9)]], &[Pressed(9, "skip")]),
    ];
    each(&table, |(script, before)| {
        let mut scene = scene(PROBIOTIC, script);
        scene.peer.notify();
        scene.facts(&["delivered probiotic"]);
        for step in *before {
            scene.peer.act(*step);
        }
        // The server says that it has closed it, and closes 7 for the last time.
        scene.home.good(&["snooze", "probiotic", "1s"]);
        assert_eq!(scene.peer.close(), 7);
        assert_eq!(scene.peer.notify().replaces, 0);
        scene.facts(&["snooze probiotic", "delivered probiotic"]);
        scene.peer.act(Pressed(if before.is_empty() { 7 } else { 9 }, "taken"));
        scene.facts(&["intake probiotic"]);
    });
}

/// A server that takes the name from another, as a panel that is replaced does, has shown nothing yet.
#[test]
#[ignore = "needs dbus-daemon"]
fn a_server_that_takes_over_is_given_what_waits() {
    let mut scene = scene(PROBIOTIC, &[]);
    scene.peer.notify();
    scene.facts(&["delivered probiotic"]);
    let next = scene.bus.peer(USUAL, &[&[Number(7)]]);
    assert_eq!(next.notify().replaces, 0);
    // The one before has no say any more.
    scene.peer.act(Pressed(7, "skip"));
    scene.peer.leave();
    next.act(Pressed(7, "taken"));
    assert_eq!(next.close(), 7);
    scene.facts(&["delivered probiotic", "intake probiotic"]);
}

#[test]
#[ignore = "needs dbus-daemon"]
fn a_due_point_is_one_notify_over_starts_of_the_daemon() {
    let mut scene = scene(PROBIOTIC, &[]);
    scene.peer.leave();
    scene.facts(&["undelivered probiotic"]);
    scene.kill();
    scene.peer = scene.bus.peer(USUAL, &[&[]]);
    // It is due when the daemon starts: shown at once, and once.
    scene.start();
    assert_eq!(scene.peer.notify().title, "Probiotic & co");
    scene.peer.act(Number(7));
    scene.facts(&["delivered probiotic"]);
    scene.kill();
    // It was shown when the daemon starts: taken over in its place, with buttons that are heard.
    scene.start();
    assert_eq!(scene.peer.notify().replaces, 7);
    scene.peer.act(Pressed(7, "snooze"));
    assert_eq!(scene.peer.close(), 7);
    scene.facts(&["snooze probiotic"]);
    scene.kill();
    // Snoozed when the daemon starts: not shown, and down if it still stood.
    scene.start();
    assert_eq!(scene.peer.close(), 7);
    scene.home.good(&["snooze", "probiotic", "1s"]);
    assert_eq!(scene.peer.notify().replaces, 0);
    scene.facts(&["snooze probiotic", "delivered probiotic"]);
    scene.home.good(&["take", "probiotic"]);
    assert_eq!(scene.peer.close(), FIRST_NUMBER);
    let facts: Vec<_> = scene.home.journal().iter().filter_map(name).collect();
    assert_eq!(
        facts,
        [
            "undelivered probiotic",
            "delivered probiotic",
            "snooze probiotic",
            "snooze probiotic",
            "delivered probiotic",
            "intake probiotic"
        ]
    );
}

#[test]
#[ignore = "needs dbus-daemon"]
fn who_does_not_want_to_be_disturbed_is_told_afterwards() {
    let schedule = format!("{PROBIOTIC}{}", ZINC.replace("ZINC", "NEXT"));
    each(&[false, true], |is_new| {
        let later = ZINC.replace("ZINC", "LATER");
        let mut scene = scene(if *is_new { &later } else { &schedule }, &[]);
        scene.peer.act(Inhibited(true));
        if *is_new {
            // Known of a server from its start on, before anything is shown.
            scene.kill();
            scene.schedule(&schedule);
            scene.start();
        }
        wait_until("the person is not to be disturbed", || {
            scene.home.json(&["status", "--json"])["person"]["do_not_disturb"] == true
        });
        scene.home.wait_for_state(1, "due");
        scene.peer.act(Inhibited(false));
        // Had one been shown at its time, it would come first and alone.
        let shown = scene.peer.notify();
        assert_eq!((shown.replaces, shown.title.as_str()), (0, "2 reminders"));
        scene.facts(&["delivered probiotic", "delivered zinc"]);
    });
}

#[test]
#[ignore = "needs dbus-daemon"]
fn several_can_be_answered_one_by_one_where_a_terminal_is_known() {
    let schedule = format!("{PROBIOTIC}{}", ZINC.replace("ZINC", "NOW"));
    let later = ZINC.replace("ZINC", "LATER");
    let mut scene = scene(&later, &[]);
    scene.kill();
    // A terminal that runs its command, with somebody at it who takes the first and skips the second.
    let terminal = scene.home.path("terminal");
    let script = "#!/bin/sh\nshift\necho \"$@\" > \"$HOME/opened\"\nprintf 't\\ns\\n' | \"$@\"\n";
    write_script(terminal.as_ref(), script);
    scene.home.set("TERMINAL", &terminal);
    scene.home.set("DISPLAY", ":99");
    scene.schedule(&schedule);
    scene.start();
    let shown = scene.peer.notify();
    let buttons = ["taken", "All 2 taken", "snooze", "Snooze 15 min", "open", "Open", "default", "Open"];
    assert_eq!(shown.actions, buttons);
    scene.peer.act(Pressed(FIRST_NUMBER, "open"));
    // As real servers do once a button was pressed.
    scene.peer.act(Closed(FIRST_NUMBER, 2));
    scene.watch.fact("intake");
    scene.watch.fact("skip");
    let opened = std::fs::read_to_string(scene.home.dir.path().join("home/opened")).unwrap();
    assert!(opened.trim_end().ends_with("answer") && !opened.contains("probiotic"), "{opened}");
    // One alone needs no list. What was taken today is not asked about again.
    scene.schedule(&PROBIOTIC.replace("\"probiotic\"", "\"alone\""));
    let alone = scene.peer.notify();
    assert_eq!(alone.actions, BUTTONS);
}
