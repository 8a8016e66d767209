//! kill -9 at any moment: what was acknowledged is there, once.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};

use crate::support::{Desktop, Home, SplitMix64, wait_until};

/// How often the daemon is killed; `DOSED_KILL_ROUNDS` sets another number.
const ROUNDS: u64 = 50;
const CLIENTS: u64 = 4;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_doubled() {
    let home = Home::with_schedule("[[supplement]]\nid = \"a\"\nas-needed = true\n");
    let rounds = std::env::var("DOSED_KILL_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut acknowledged: BTreeMap<String, String> = BTreeMap::new();
    let mut lot = SplitMix64::new(0x5eed);
    for round in 0..rounds {
        let daemon = home.start();
        let (sender, receiver) = channel();
        for client in 0..CLIENTS {
            let (socket, sender) = (home.socket(), sender.clone());
            std::thread::spawn(move || ask_until_it_breaks(&socket, round, client, &sender));
        }
        drop(sender);
        // The moment of the kill is drawn by lot, in answers.
        for (key, id) in receiver.iter().take(lot.range(1, 60) as usize) {
            acknowledged.insert(key, id);
        }
        daemon.kill();
        acknowledged.extend(receiver.iter());
    }
    let _daemon = home.start();
    let facts = home.json(&["history", "--json"]);
    let mut kept: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for fact in facts.as_array().unwrap() {
        if let Some(key) = fact["fact"]["key"].as_str() {
            kept.entry(key.to_owned()).or_default().push(fact["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(
        facts.as_array().unwrap().len(),
        home.journal().len(),
        "the database holds what the journal holds"
    );
    for (key, id) in &acknowledged {
        assert_eq!(kept.get(key), Some(&vec![id.clone()]), "the answer {key}");
    }
    println!("{rounds} kills, {} answers acknowledged, 0 lost", acknowledged.len());
    assert!(acknowledged.len() as u64 >= rounds);
}

/// Logs over one connection after another until nobody listens; every answer is asked for twice.
fn ask_until_it_breaks(socket: &Path, round: u64, client: u64, acknowledged: &Sender<(String, String)>) {
    for n in 0.. {
        let key = format!("{round}-{client}-{n}");
        for _ in 0..2 {
            match log(&socket.to_owned(), &key) {
                Some(id) => drop(acknowledged.send((key.clone(), id))),
                None => return,
            }
        }
    }
}

fn log(socket: &PathBuf, key: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    let request = format!(
        "POST /v1/items/a/log HTTP/1.1\r\nhost: dosed\r\nidempotency-key: {key}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let body = answer.split_once("\r\n\r\n")?.1;
    let fact: serde_json::Value = serde_json::from_str(body).ok()?;
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    Some(fact["id"].as_str()?.to_owned())
}

/// Starts a daemon that dies at a place once the returned file is there.
fn doomed(home: &Home, place: &str) -> (crate::support::Daemon, String) {
    let armed = home.path("armed");
    let daemon = home.start_with(|command| {
        command.env("DOSED_CRASH_AT", place).env("DOSED_CRASH_IF", &armed);
    });
    (daemon, armed)
}

#[test]
fn a_crash_at_any_place_leaves_an_answer_whole_or_not_at_all() {
    for (place, facts) in
        [("before-journal", 0), ("after-journal", 1), ("in-database", 1), ("before-reply", 1)]
    {
        let home = Home::with_schedule("[[habit]]\nid = \"a\"\nas-needed = true\n");
        let (mut daemon, armed) = doomed(&home, place);
        // The start's own facts are written before anything can go wrong.
        wait_until("the start's own facts", || {
            home.json(&["history", "--json"]).as_array().unwrap().len() >= 2
        });
        std::fs::write(&armed, "").unwrap();
        let told = log(&home.socket(), "k");
        // The database is filled beside the answer, whose fact is durable by then.
        assert!(told.is_none() || place == "in-database", "{place}: nobody is told");
        assert_eq!(daemon.child.wait().unwrap().code(), None, "{place}: it died");
        let _daemon = home.start();
        let kept = |home: &Home| {
            let facts = home.json(&["history", "--json"]);
            facts.as_array().unwrap().iter().filter(|fact| fact["fact"]["key"] == "k").count()
        };
        assert_eq!(kept(&home), facts, "{place}");
        // Who was not told asks again with the same key, and it is one fact.
        log(&home.socket(), "k").unwrap();
        assert_eq!(kept(&home), 1, "{place}");
    }
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus dunst"]
fn a_crash_around_the_notification_never_loses_it() {
    for place in ["before-notify", "after-notify"] {
        let (home, _desktop, _dunst) = Desktop::with_dunst();
        let schedule =
            |time: &dyn Fn(i64) -> String| format!("[[supplement]]\nid = \"a\"\ntimes = [\"{}\"]\n", time(0));
        let armed = home.path("armed");
        let mut daemon = home.start_before(schedule, |command| {
            command.env("DOSED_CRASH_AT", place).env("DOSED_CRASH_IF", &armed);
        });
        std::fs::write(&armed, "").unwrap();
        assert_eq!(daemon.child.wait().unwrap().code(), None, "{place}: it died");
        let _daemon = home.start();
        let delivered = |home: &Home| {
            let facts = home.json(&["history", "--json"]);
            facts.as_array().unwrap().iter().filter(|fact| fact["fact"]["type"] == "delivered").count()
        };
        if delivered(&home) == 0 {
            let mut watch = home.watch();
            if delivered(&home) == 0 {
                watch.fact("delivered");
            }
        }
        assert_eq!(delivered(&home), 1, "{place}");
    }
}

#[test]
fn a_start_right_behind_a_kill_waits_until_the_killed_one_has_gone() {
    let home = Home::with_schedule("[[habit]]\nid = \"a\"\nas-needed = true\n");
    let mut daemon = home.start();
    for _ in 0..5 {
        log(&home.socket(), "k").unwrap();
        daemon.signal(rustix::process::Signal::KILL);
        daemon = home.start();
    }
}

#[test]
fn a_panic_ends_the_process_and_the_next_start_has_what_was_recorded() {
    let home = Home::with_schedule("[[habit]]\nid = \"a\"\nas-needed = true\n");
    let armed = home.path("armed");
    let mut daemon = home.start_with(|command| {
        command.env("DOSED_CRASH_AT", "before-reply").env("DOSED_CRASH_BY", "panic");
        command.env("DOSED_CRASH_IF", &armed);
    });
    let first = log(&home.socket(), "before").unwrap();
    std::fs::write(&armed, "").unwrap();
    assert_eq!(log(&home.socket(), "k"), None, "nobody is told");
    // By a signal: a service manager takes that for a failure and starts it again.
    assert_eq!(daemon.child.wait().unwrap().code(), None);
    assert!(home.log().contains("a test wants a panic"), "{}", home.log());
    let _daemon = home.start();
    // Who was not told asks again, and it is one fact.
    let id = log(&home.socket(), "k").unwrap();
    assert_eq!(log(&home.socket(), "before").unwrap(), first);
    let facts = home.json(&["history", "--json"]);
    let of_key = facts.as_array().unwrap().iter().filter(|fact| fact["fact"]["key"] == "k");
    assert_eq!(of_key.map(|fact| fact["id"].as_str().unwrap()).collect::<Vec<_>>(), [id]);
}
