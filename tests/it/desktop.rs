//! The main job on a real desktop: a reminder appears, is answered, and the answer is kept.

use rustix::process::Signal;

use crate::support::{Desktop, Home, in_seconds, time_of_day, wait_until};

/// How far ahead a time is that an edit names: an edit is read within a second, also where there is much to do.
const EDIT_SECONDS: i64 = 4;

fn one(times: &str) -> String {
    format!(
        "[[supplement]]\nid = \"probiotic\"\nname = \"Probiotic\"\nstrain = \"Lactobacillus reuteri ATCC PTA 6475\"\ndose = \"5e9 CFU\"\ntimes = [\"{times}\"]\nwith = \"food\"\n"
    )
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus dunst import"]
fn a_reminder_is_shown_answered_recorded_and_found_again() {
    let (home, desktop, _dunst) = Desktop::with_dunst();
    home.schedule(&one("00:00"));
    let daemon = home.start();
    let mut watch = home.watch();
    // The schedule is edited while the daemon runs.
    let time = time_of_day(in_seconds(EDIT_SECONDS));
    home.schedule(&one(&time));
    let delivered = watch.fact("delivered");
    let occurrence = delivered["fact"]["occurrence"].as_str().unwrap();
    assert!(occurrence.ends_with(&time.trim_end_matches(":00")), "{occurrence} {time}");
    assert_eq!(desktop.displayed(&home), 1);
    screenshot(&home, &desktop);
    let today = home.get("/v1/today");
    let due = today.as_array().unwrap().iter().find(|row| row["state"] == "due").unwrap();
    assert_eq!((&due["dose"], &due["name"]), (&"5e9 CFU".into(), &"Probiotic".into()));
    desktop.choose(&home, "Taken");
    let intake = watch.fact("intake");
    assert_eq!(intake["fact"]["occurrence"], occurrence);
    assert_eq!(intake["fact"]["planned"], "5e9 CFU");
    assert_eq!(home.journal().last().unwrap(), &intake);
    let today = home.json(&["today", "--json"]);
    assert!(
        today
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["occurrence"] == occurrence && row["state"] == "taken")
    );
    assert!(home.good(&["history"]).contains("taken"));
    assert_eq!(desktop.displayed(&home), 0);
    // Killed and started again, it surprises nobody.
    daemon.kill();
    let _daemon = home.start();
    let today = home.json(&["today", "--json"]);
    assert!(
        today
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["occurrence"] == occurrence && row["state"] == "taken")
    );
    assert_eq!(desktop.displayed(&home), 0);
}

/// Takes the picture that the README shows.
fn screenshot(home: &Home, desktop: &Desktop) {
    let to = &home.path("notification.png");
    let status = home
        .command("import")
        .args(["-window", "root", "-display", &desktop.display, "-crop", "460x150+90+14", "+repage", to])
        .status()
        .expect("import (imagemagick) is installed");
    assert!(status.success());
    assert!(std::fs::metadata(to).unwrap().len() > 1000, "the picture is empty");
    if std::env::var_os("DOSED_KEEP_PICTURES").is_some() {
        std::fs::copy(to, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures/notification.png")).unwrap();
    }
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus dunst"]
fn a_snooze_survives_a_kill() {
    let (home, desktop, _dunst) = Desktop::with_dunst();
    let daemon = home.start_before_due(one);
    let mut watch = home.watch();
    watch.fact("delivered");
    home.good(&["snooze", "probiotic", "4s"]);
    let until = watch.fact("snooze")["fact"]["until"].as_str().unwrap().parse::<jiff::Zoned>().unwrap();
    daemon.kill();
    let _daemon = home.start();
    let mut watch = home.watch();
    let again = watch.fact("delivered")["fact"]["at"].as_str().unwrap().parse::<jiff::Zoned>().unwrap();
    assert!(again >= until, "{again} {until}");
    desktop.choose(&home, "Skip");
    watch.fact("skip");
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus dunst"]
fn a_server_that_comes_late_or_anew_is_given_what_waits() {
    let mut home = Home::new();
    let desktop = Desktop::new(&mut home);
    let _daemon = home.start_before_due(one);
    let mut watch = home.watch();
    watch.fact("undelivered");
    let dunst = desktop.dunst(&home);
    watch.fact("delivered");
    assert_eq!(desktop.displayed(&home), 1);
    drop(dunst);
    // The second server is shown what the first one had.
    let _dunst = desktop.dunst(&home);
    wait_until("it is shown", || desktop.displayed(&home) > 0);
    desktop.choose(&home, "Taken");
    watch.fact("intake");
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus dunst"]
fn a_frozen_server_holds_up_nothing_and_is_given_what_waits() {
    let (home, _desktop, dunst) = Desktop::with_dunst();
    let daemon = home.start_before_due(one);
    let mut watch = home.watch();
    let pid = rustix::process::Pid::from_child(&dunst.0);
    rustix::process::kill_process(pid, Signal::STOP).unwrap();
    // Commands are answered, and so is the person, while the server says nothing.
    watch.fact("undelivered");
    assert_eq!(home.json(&["today", "--json"])[0]["state"], "due");
    rustix::process::kill_process(pid, Signal::CONT).unwrap();
    watch.fact("delivered");
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus dunst"]
fn a_thousand_items_of_one_second_are_all_delivered() {
    let (home, desktop, _dunst) = Desktop::with_dunst();
    let _daemon = home.start_before_due(|time| {
        (0..1000).map(|i| format!("[[supplement]]\nid = \"item-{i}\"\ntimes = [\"{time}\"]\n")).collect()
    });
    let mut watch = home.watch();
    let mut delivered = std::collections::BTreeSet::new();
    while delivered.len() < 1000 {
        delivered.insert(watch.fact("delivered")["fact"]["occurrence"].as_str().unwrap().to_owned());
    }
    // Slots of one minute are one notification.
    assert_eq!(desktop.displayed(&home), 1);
}

#[test]
fn without_a_bus_it_says_so_and_goes_on() {
    let home = Home::new();
    let daemon = home.start_before_due(one);
    let mut watch = home.watch();
    watch.fact("undelivered");
    home.good(&["take", "probiotic"]);
    watch.fact("intake");
    assert_eq!(daemon.stop(), Some(0));
    let log = home.log();
    assert_eq!(log.matches("reminders cannot be shown on the desktop").count(), 1, "{log}");
    assert!(!log.contains("Probiotic"), "a service's log has no names: {log}");
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus dunst"]
fn what_a_killed_daemon_left_on_the_screen_is_answered_in_its_place() {
    let (home, desktop, dunst) = Desktop::with_dunst();
    let daemon = home.start_before_due(|time| {
        format!("[[supplement]]\nid = \"a\"\nname = \"Anise\"\ntimes = [\"{time}\"]\n")
    });
    home.watch().fact("delivered");
    daemon.kill();
    assert_eq!(desktop.displayed(&home), 1);
    let daemon = home.start();
    let mut watch = home.watch();
    assert_eq!(desktop.displayed(&home), 1);
    until_ready(&home);
    desktop.choose(&home, "Snooze");
    watch.fact("snooze");
    // One beside it would have stayed.
    assert_eq!(desktop.displayed(&home), 0);
    home.good(&["snooze", "a", "1s"]);
    watch.fact("delivered");
    daemon.kill();
    // Another server has nothing on its screen: there it is shown anew.
    drop((dunst, watch));
    let _dunst = desktop.dunst(&home);
    let _daemon = home.start();
    watch = home.watch();
    while home.journal().iter().filter(|line| line["fact"]["type"] == "delivered").count() < 3 {
        watch.fact("delivered");
    }
    assert_eq!(desktop.displayed(&home), 1);
    desktop.choose(&home, "Taken");
    assert_eq!(watch.fact("intake")["fact"]["item"], "a");
}

/// Asks until the daemon has heard from the notification server.
fn until_ready(home: &Home) {
    wait_until("the server is ready", || {
        home.json(&["status", "--json"])["notifications"]["state"] == "ready"
    });
}
