//! Answers from a phone, by a server that keeps what was published: which count, and what is said where none can be heard.

use dosed::adapters::channels::{Key, write_tokens};
use dosed::core::reminder::Button;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::channels::{Answer, GOOD, Leave, Server, one};
use crate::ntfy::Ntfy;
use crate::support::{Daemon, Home, wait_until, write_script};

/// Returns the channel of a phone at a server.
fn phone(address: &str) -> String {
    format!("kind = \"ntfy\"\nserver = \"{address}\"\ntopic = \"out\"\nreplies = \"back\"\nprivate = false\n")
}

/// Starts a daemon whose item goes out to a phone shortly.
fn start(home: &Home, server: &Ntfy) -> Daemon {
    home.start_before_due(|time| one(time, &phone(&server.address)))
}

/// Returns what a button of a message publishes.
fn button(message: &Value, index: usize) -> String {
    message["actions"][index]["body"].as_str().unwrap().to_owned()
}

fn ahead(seconds: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(seconds)
}

fn count(home: &Home, kind: &str) -> usize {
    home.journal().iter().filter(|fact| fact["fact"]["type"] == kind).count()
}

#[test]
fn an_answer_that_was_taken_back_does_not_come_again() {
    let home = Home::new();
    let server = Ntfy::new();
    let daemon = start(&home, &server);
    let mut watch = home.watch();
    let message = server.published(1);
    let delivered = watch.wait(|event| event["fact"]["fact"]["channel"] == "phone");
    assert!(delivered["fact"]["fact"]["nonce"].is_string(), "{delivered}");
    server.press(&button(&message, 0), ahead(0));
    let taken = watch.fact("intake");
    home.good(&["undo"]);
    // It listens again, and the server repeats the answer; somebody else may have seen it too.
    server.asked(2, "GET /back/json?since=");
    server.press(&button(&message, 0), ahead(5));
    daemon.kill();
    let _daemon = home.start();
    let mut watch = home.watch();
    server.asked(3, "GET /back/json?since=");
    // What is heard after all that: a mind that was changed.
    server.press(&button(&message, 2), ahead(5));
    watch.fact("skip");
    assert_eq!(count(&home, "intake"), 1);
    let day = home.json(&["today", "--json"]);
    assert_eq!((&day[0]["state"], &day[0]["occurrence"]), (&json!("skipped"), &taken["fact"]["occurrence"]));
}

#[test]
fn an_answer_counts_though_its_grace_is_over() {
    let mut home = Home::new();
    home.set("TZ", "UTC");
    let server = Ntfy::new();
    let second = SignedDuration::from_secs(1);
    let slot = (Timestamp::now() - second * 3 * 3600).to_zoned(jiff::tz::TimeZone::UTC);
    let occurrence = slot.strftime("probiotic@%Y-%m-%dT%H:%M").to_string();
    let due: Timestamp = slot.strftime("%Y-%m-%dT%H:%M:00Z").to_string().parse().unwrap();
    let from = slot.yesterday().unwrap().strftime("from = \"%Y-%m-%d\"\ngrace = \"1h\"\nthen").to_string();
    home.schedule(
        &one(&slot.strftime("%H:%M").to_string(), &phone(&server.address)).replacen("then", &from, 1),
    );
    home.start().kill();
    // What an earlier version recorded, and what this one does.
    let delivered = |minutes: i32, more: &str| {
        let at = due + second * 60 * minutes;
        let fact = format!(
            "{{\"type\":\"delivered\",\"occurrence\":\"{occurrence}\",\"at\":\"{at}[UTC]\",\"channel\":\"phone\"{more}}}"
        );
        (at, serde_json::from_str::<Value>(&fact).unwrap())
    };
    home.record(&[delivered(1, ""), delivered(2, ",\"nonce\":\"17\"")]);
    let key = Key::load(&home.data().join("reply.key")).unwrap();
    let answer = |button: Button, nonce: &str| {
        write_tokens(&[key.token(button, &"phone".parse().unwrap(), &occurrence.parse().unwrap(), nonce)])
    };
    // Too late, and one to what was never sent; then one in time.
    server.press(&answer(Button::Skip, "17"), due + second * 60 * 61);
    server.press(&answer(Button::Skip, "18"), due + second * 60 * 20);
    let pressed = due + second * 60 * 30;
    server.press(&answer(Button::Taken, "17"), pressed);
    let _daemon = home.start();
    // It asks once, and does not listen: nothing is open.
    let asked = server.asked(1, "GET /back/json?");
    assert_eq!(asked, format!("GET /back/json?poll=1&since={} HTTP/1.1", due.as_second()));
    wait_until("an intake", || {
        home.good(&["today"]);
        count(&home, "intake") == 1
    });
    assert_eq!(count(&home, "skip"), 0);
    let intake = home.journal().into_iter().find(|fact| fact["fact"]["type"] == "intake").unwrap();
    let at = intake["fact"]["at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert_eq!((&intake["fact"]["occurrence"], at), (&json!(occurrence), pressed));
    let row = &home.json(&["adherence", "--json"])[0];
    assert_eq!((&row["taken"], &row["missed"]), (&json!(1), &json!(0)), "{row}");
}

#[test]
fn whoever_cannot_hear_says_so_once() {
    let rows = [
        ("403 Forbidden", "the server answered 403 Forbidden"),
        ("404 Not Found", "the server answered 404 Not Found"),
        // It says so at once where the server asks for a long wait.
        ("429 Too Many Requests\r\nretry-after: 3600", "the server answered 429 Too Many Requests"),
        ("503 Service Unavailable\r\nretry-after: 3600", "the server answered 503 Service Unavailable"),
    ];
    std::thread::scope(|scope| {
        for (refusal, reason) in rows {
            scope.spawn(move || {
                let home = Home::new();
                let server = Ntfy::new();
                server.refuse(Some(refusal));
                let _daemon = start(&home, &server);
                let mut watch = home.watch();
                let message = server.published(1);
                let replies = || home.json(&["status", "--json"])["channels"][0]["replies"]["error"].clone();
                wait_until(reason, || replies() == reason);
                let said = format!("phone: answers cannot be heard: {reason}");
                assert!(home.good(&["status"]).contains(&said), "{}", home.good(&["status"]));
                // It also tries at once when somebody looks, and says it no second time in the log.
                let found = home.dosed(&["doctor", "--json"]);
                let found: Value = serde_json::from_slice(&found.stdout).unwrap();
                assert!(found.as_array().unwrap().iter().any(|row| row["said"] == said), "{found}");
                assert_eq!(home.log().matches("answers cannot be heard").count(), 1, "{}", home.log());
                let asked = server.wait("requests", |state| Some(state.requests.clone()));
                assert!(asked.iter().filter(|line| line.starts_with("GET /back/")).count() <= 3, "{asked:?}");
                // It is over once it hears again.
                server.refuse(None);
                home.dosed(&["doctor"]);
                wait_until("no complaint", || replies().is_null());
                assert!(!home.good(&["status"]).contains("answers cannot"));
                assert!(home.log().contains("answers can be heard again"));
                server.press(&button(&message, 0), ahead(0));
                watch.fact("intake");
            });
        }
    });
}

/// Writes a schedule with two items of one time that go out together, and a witness that goes out later.
fn two(time: &dyn Fn(i64) -> String, channel: &str) -> String {
    let item = |id: &str, at: i64| {
        let time = time(at);
        format!(
            "[[habit]]\nid = \"{id}\"\nname = \"{id}\"\ntimes = [\"{time}\"]\nthen = [{{ after = \"1s\", channel = \"phone\" }}]\n\n"
        )
    };
    format!(
        "{}{}{}[[channel]]\nid = \"phone\"\n{channel}\n",
        item("anise", 0),
        item("basil", 0),
        item("witness", 8)
    )
}

/// Returns the items about which a channel was delivered, in order.
fn delivered(home: &Home) -> Vec<String> {
    let facts = home.journal();
    let of =
        facts.iter().filter(|fact| fact["fact"]["type"] == "delivered" && fact["fact"]["channel"] == "phone");
    let item =
        |fact: &Value| fact["fact"]["occurrence"].as_str().unwrap().split('@').next().unwrap().to_owned();
    of.map(item).collect()
}

#[test]
fn a_message_in_flight_is_finished_and_then_corrected() {
    std::thread::scope(|scope| {
        for is_phone in [true, false] {
            scope.spawn(move || {
                let home = Home::new();
                let server = Server::new(&[Leave, GOOD]);
                let webhook = format!("kind = \"webhook\"\nurl = \"{}\"\nprivate = false\n", server.address);
                let channel = if is_phone { phone(&server.address) } else { webhook };
                let _daemon = home.start_before(|time| two(time, &channel), |_| {});
                let text = |body: &Value| body.to_string();
                let first = server.hear();
                assert!(
                    text(&first.body).contains("anise") && text(&first.body).contains("basil"),
                    "{}",
                    first.body
                );
                home.good(&["take", "anise"]);
                let mut stream = first.stream.unwrap();
                std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .unwrap();
                // Subscriptions come between.
                let mut posts =
                    std::iter::repeat_with(|| server.hear()).filter(|asked| asked.line.starts_with("POST"));
                if is_phone {
                    let second = posts.next().unwrap();
                    assert_eq!(second.body["sequence_id"], first.body["sequence_id"]);
                    assert!(!text(&second.body).contains("anise") && text(&second.body).contains("basil"));
                    // The answers to both count: it is one delivery.
                    let own = button(&second.body, 0);
                    assert!(button(&first.body, 0).contains(own.trim_start_matches("dosed1 ")));
                }
                let witness = posts.next().unwrap();
                assert!(text(&witness.body).contains("witness"), "{}", witness.body);
                wait_until("deliveries", || delivered(&home).contains(&"witness".to_owned()));
                let expected: &[&str] = if is_phone {
                    &["anise", "basil", "basil", "witness"]
                } else {
                    &["anise", "basil", "witness"]
                };
                assert_eq!(delivered(&home), expected);
            });
        }
    });
}

#[test]
fn what_everything_of_was_answered_is_recorded_where_it_went_out() {
    let home = Home::new();
    let server = Server::new(&[Leave, GOOD]);
    let channel = format!("kind = \"webhook\"\nurl = \"{}\"\nprivate = false\n", server.address);
    let _daemon = home.start_before(|time| two(time, &channel), |_| {});
    let first = server.hear();
    home.good(&["take", "anise"]);
    home.good(&["take", "basil"]);
    std::io::Write::write_all(&mut first.stream.unwrap(), b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    wait_until("deliveries", || delivered(&home).len() == 3);
    assert_eq!(delivered(&home), ["anise", "basil", "witness"]);
}

#[test]
fn no_part_of_a_secret_is_said() {
    // An address by which nothing listens, one that has no name server, one of another name, one that refuses, one without TLS.
    let (server, refusing) = (Server::new(&[GOOD; 8]), Server::new(&[Answer("403 Forbidden"); 8]));
    let port = |server: &Server| server.address.rsplit(':').next().unwrap().to_owned();
    let (plain, refused) = (port(&server), port(&refusing));
    let rows = [
        ("http://us3r:p4ss@127.0.0.77:9/hid-path?q=hid-query".to_owned(), "Connection refused"),
        ("https://us3r:p4ss@hid-host.invalid/hid-path".to_owned(), "cannot be resolved"),
        (format!("https://us3r:p4ss@127.0.0.1:{plain}/hid-path"), "cannot be reached"),
        (format!("http://us3r:p4ss@127.0.0.1:{refused}/hid-path"), "403"),
        ("http://us3r:p4ss@hid host/hid-path".to_owned(), "cannot be used"),
        ("hid-host/hid-path".to_owned(), "cannot be"),
    ];
    std::thread::scope(|scope| {
        for (url, reason) in rows {
            scope.spawn(move || {
                let home = Home::new();
                for (file, text) in [("url", url.as_str()), ("token", "hid-token"), ("topic", "hid-topic")] {
                    std::fs::write(home.path(file), text).unwrap();
                }
                let (address, token) = (home.path("url"), home.path("token"));
                let hook = format!(
                    "kind = \"webhook\"\nurl-from = {{ file = \"{address}\" }}\ntoken-from = {{ file = \"{token}\" }}\n"
                );
                home.schedule(&one("00:00", &hook));
                let _daemon = home.start_with(|command| {
                    command.env("DOSED_LOG", "trace");
                });
                let said: Vec<String> = [&["test", "--json"][..], &["doctor"], &["status"], &["status", "--json"], &["history", "--json"]]
                    .iter()
                    .map(|command| {
                        let output = home.dosed(command);
                        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
                    })
                    .chain([home.log()])
                    .collect();
                assert!(said[0].contains(reason), "{url}: {}", said[0]);
                for hidden in ["us3r", "p4ss", "hid-", "127.0.0.77", &plain_port(&url)] {
                    assert!(said.iter().all(|text| !text.contains(hidden)), "{hidden}: {said:?}");
                }
            });
        }
    });
}

/// Returns the port of an address as it would stand in a text, or what stands nowhere.
fn plain_port(url: &str) -> String {
    let port = url.split('/').nth(2).and_then(|host| host.rsplit(':').next()).filter(|port| port.len() > 3);
    port.map_or_else(|| "\u{0}".to_owned(), |port| format!(":{port}"))
}

#[test]
fn a_program_gets_nothing_of_the_service_and_ends_with_all_that_it_started() {
    let of_service =
        ["WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID", "JOURNAL_STREAM", "CREDENTIALS_DIRECTORY"];
    // An answer ends it, or the end of its time.
    std::thread::scope(|scope| {
        for timeout in ["10m", "10s"] {
            scope.spawn(move || {
                let home = Home::new();
                let (program, out) = (home.path("program"), home.path("out"));
                let script =
                    "env > \"$1.env\"\nsleep 4321 &\necho $! $$ > \"$1.new\"\nmv \"$1.new\" \"$1\"\nwait\n";
                write_script(program.as_ref(), &format!("#!/bin/sh\n{script}"));
                let channel = format!(
                    "kind = \"command\"\ncommand = [\"{program}\", \"{out}\"]\ntimeout = \"{timeout}\"\n"
                );
                let _daemon = home.start_before(
                    |time| one(&time(0), &channel),
                    |command| {
                        // Of another process: the daemon itself does not heed it.
                        command.envs(of_service.map(|name| (name, "1"))).env("FOR_ALL", "1");
                    },
                );
                wait_until("the program", || std::fs::exists(&out).unwrap());
                let environment = std::fs::read_to_string(format!("{out}.env")).unwrap();
                let has = |name: &str| environment.lines().any(|line| line.starts_with(&format!("{name}=")));
                for name in of_service.into_iter().chain(["NOTIFY_SOCKET"]) {
                    assert!(!has(name), "{name}");
                }
                assert!(has("FOR_ALL") && has("HOME"), "{environment}");
                if timeout == "10m" {
                    home.good(&["take", "probiotic"]);
                }
                let processes = std::fs::read_to_string(&out).unwrap();
                for process in processes.split_whitespace() {
                    wait_until("the program and what it started are gone", || is_gone(process));
                }
            });
        }
    });
}

/// Tells whether a process has ended, whether anybody has asked how or not.
fn is_gone(process: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with('Z'))
}
