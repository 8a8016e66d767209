//! The socket: routes, errors, limits, and who may ask.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use dosed::adapters::http::{
    HEAD_TIMEOUT, MAX_BODY_BYTES, MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_OCCURRENCES, MAX_STREAMS,
    MAX_TEXT_BYTES,
};
use serde_json::Value;

use crate::support::{Home, PATIENCE, raw, wait_until};

const SCHEDULE: &str = "[[supplement]]\nid = \"a\"\ndose = \"5 mg\"\ntimes = [\"00:00\"]\n\n[[habit]]\nid = \"walk\"\nas-needed = true\n";

fn post(home: &Home, path: &str, body: &str, key: Option<&str>) -> (u16, Value) {
    let key = key.map(|key| format!("idempotency-key: {key}"));
    let answer = home.request("POST", path, key.as_deref().as_slice(), body);
    (answer.status(), answer.body)
}

#[test]
fn answers_are_facts_with_their_status() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let (status, fact) =
        post(&home, "/v1/items/walk/log", "{\"amount\":\"20 min\",\"note\":\"hill\"}", Some("k"));
    assert_eq!((status, &fact["fact"]["note"]), (201, &"hill".into()));
    let again = post(&home, "/v1/items/walk/log", "{\"amount\":\"20 min\",\"note\":\"hill\"}", Some("k"));
    assert_eq!(again, (200, fact.clone()));
    // The key of another request, of the same kind or not.
    for (path, body) in
        [("/v1/items/walk/log", ""), ("/v1/undo", ""), ("/v1/items/walk/stock", "{\"add\":1}")]
    {
        let (status, problem) = post(&home, path, body, Some("k"));
        assert!(
            status == 422 && problem["detail"].as_str().unwrap().contains("idempotency key"),
            "{path}: {problem}"
        );
    }
    let id = fact["id"].as_str().unwrap();
    let (status, retraction) = post(&home, &format!("/v1/facts/{id}/retract"), "{\"reason\":\"no\"}", None);
    assert_eq!((status, retraction["fact"]["retracts"].as_str()), (201, Some(id)));
    assert_eq!(post(&home, &format!("/v1/facts/{id}/retract"), "", None), (200, retraction));
    // An occurrence of a past day, with its full name.
    let (status, _) = post(&home, "/v1/pause", "{\"item\":\"a\",\"reason\":\"x\"}", None);
    assert_eq!(status, 201);
    assert_eq!(post(&home, "/v1/resume", "{}", None).0, 201);
}

#[test]
fn what_comes_next_is_found_behind_a_pause() {
    let home = Home::with_schedule("[[supplement]]\nid = \"a\"\ntimes = [\"08:00\"]\n");
    let _daemon = home.start();
    assert_eq!(post(&home, "/v1/pause", "{\"until\":\"2098-05-01\"}", None).0, 201);
    assert_eq!(home.get("/v1/next?n=1")[0]["occurrence"], "a@2098-05-01T08:00");
    // Without an end, nothing comes next, and the question has an answer all the same.
    assert_eq!(post(&home, "/v1/pause", "{}", None).0, 201);
    assert_eq!(home.get("/v1/next?n=1"), Value::Array(Vec::new()));
}

#[test]
fn questions_are_answered() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    for path in [
        "/v1/status",
        "/v1/today",
        "/v1/next?n=2",
        "/v1/occurrences?from=2026-01-01&until=2027-01-01&item=a",
        "/v1/facts?limit=1",
        "/v1/openapi.json",
    ] {
        let answer = home.get(path);
        assert!(answer.get("status").is_none_or(|status| !status.is_number()), "{path}: {answer}");
    }
    // The database takes in what a start records shortly after.
    wait_until("one fact", || home.get("/v1/facts?limit=1").as_array().unwrap().len() == 1);
}

#[test]
fn what_makes_no_sense_is_a_problem_with_its_detail() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let long = format!("{{\"note\":\"{}\"}}", "x".repeat(MAX_TEXT_BYTES + 1));
    for (path, body, status, detail) in [
        ("/v1/occurrences/b/take", "", 404, "no item"),
        ("/v1/occurrences/a@2020-01-01T00:00/take", "", 404, "is not in the plan"),
        ("/v1/occurrences/a@x/take", "", 400, "not a slot"),
        ("/v1/occurrences/A/take", "", 400, "not an id"),
        ("/v1/occurrences/a/eat", "", 404, "take, skip or snooze"),
        ("/v1/occurrences/a/take", "{\"at\":\"soon\"}", 400, "not a time"),
        ("/v1/occurrences/a/take", "{\"att\":\"08:00\"}", 400, "att"),
        ("/v1/occurrences/a/take", "[1]", 400, "JSON object"),
        ("/v1/occurrences/a/take", "{\"for\":\"15m\"}", 400, "unknown member `for`"),
        ("/v1/occurrences/a/take", "{\"amount\":\"5\"}", 400, "no unit"),
        ("/v1/occurrences/a/take", "{\"at\":\"2099-01-01\"}", 422, "in the future"),
        ("/v1/occurrences/a/snooze", "{\"for\":\"1 month\"}", 400, "minutes"),
        ("/v1/occurrences/a/take", &long, 400, "longer than"),
        ("/v1/facts/x.1/retract", "", 404, "no fact"),
        ("/v1/facts/x/retract", "", 400, "not the id of a fact"),
        ("/v1/nothing", "", 404, "no such route"),
        ("/v1/today", "", 405, "method"),
    ] {
        let (got, problem) = post(&home, path, body, None);
        assert_eq!(got, status, "{path} {body}: {problem}");
        assert!(
            problem["detail"].as_str().is_some_and(|said| said.contains(detail)),
            "{path} {body}: {problem}"
        );
        assert_eq!(problem["status"], status);
    }
    for path in [
        "/v1/next?n=0",
        "/v1/next?n=x",
        "/v1/facts?since=x",
        "/v1/occurrences?frm=2026-01-01",
        "/v1/occurrences?from=1900-01-01&until=2100-01-01",
    ] {
        assert_eq!(home.get(path)["status"], 400, "{path}");
    }
}

#[test]
fn sizes_have_limits() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let body = " ".repeat(MAX_BODY_BYTES + 1);
    assert_eq!(post(&home, "/v1/items/walk/log", &body, None).0, 413);
    // Whoever sends far more hears so, too, and not that the connection broke; what else is wrong does not cut it short.
    assert_eq!(post(&home, "/v1/items/walk/log", &body.repeat(15), None).0, 413);
    assert_eq!(post(&home, "/v1/nowhere", &body[1..], None).0, 404);
    assert_eq!(post(&home, "/v1/today", &body[1..], None).0, 405);
    assert_eq!(post(&home, "/v1/items/walk/log", &body[1..], Some(" ")).0, 400);
    assert_eq!(post(&home, "/v1/items/walk/log", &body[1..], None).0, 201);
    let head = format!("GET /v1/today HTTP/1.1\r\nhost: dosed\r\nx: {}\r\n\r\n", "x".repeat(MAX_HEAD_BYTES));
    let answer = raw(&home.socket(), head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let key = "k".repeat(dosed::adapters::http::MAX_KEY_BYTES + 1);
    assert_eq!(post(&home, "/v1/items/walk/log", "", Some(&key)).0, 400);
    home.good(&["today"]);
}

#[test]
fn an_answer_has_a_limit() {
    let home = Home::with_schedule("[[supplement]]\nid = \"a\"\nevery = \"15m\"\n");
    let _daemon = home.start();
    let year = home.get("/v1/occurrences?from=2099-01-01&until=2100-01-01");
    assert!(year.as_array().is_some_and(|rows| rows.len() < MAX_OCCURRENCES && rows.len() > 35_000));
    // A machine with much to do may not answer in time, which is another error.
    let mut decades = Value::Null;
    wait_until("an answer in time", || {
        decades = home.get("/v1/occurrences?from=2099-01-01&until=2120-01-01");
        decades["status"] != 503
    });
    assert_eq!(decades["status"], 400);
    assert!(decades["detail"].as_str().unwrap().contains(&MAX_OCCURRENCES.to_string()), "{decades}");
}

#[test]
fn a_client_that_says_nothing_is_let_go() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let mut stream = UnixStream::connect(home.socket()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let begun = Instant::now();
    stream.write_all(b"GET /v1/today HTTP/1.1\r\nhost:").unwrap();
    // Half a head, and then silence: the daemon ends it when the time for a head is over, and not before.
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the daemon closes the connection");
    let waited = begun.elapsed();
    assert!(waited >= HEAD_TIMEOUT, "{waited:?}: {answer}");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

/// Opens a connection and sends something on it, without waiting for what comes back.
fn send(home: &Home, bytes: &[u8]) -> UnixStream {
    let mut stream = UnixStream::connect(home.socket()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

#[test]
fn connections_have_a_limit_and_wait_their_turn() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    // Each is in the middle of its request.
    let half = b"POST /v1/undo HTTP/1.1\r\nhost: dosed\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
    let mut crowd: Vec<UnixStream> = (0..MAX_CONNECTIONS)
        .map(|_| {
            let mut stream = send(&home, half);
            // It has a place once the daemon asks for the rest.
            assert_eq!(stream.read(&mut [0; 256]).unwrap(), 25);
            stream
        })
        .collect();
    let mut waiting = send(&home, b"GET /v1/today HTTP/1.1\r\nhost: dosed\r\nconnection: close\r\n\r\n");
    waiting.set_nonblocking(true).unwrap();
    assert_eq!(waiting.read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    waiting.set_nonblocking(false).unwrap();
    crowd.pop();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn silent_connections_make_room() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    // Some say nothing, some half a head, and some have had their response and stay.
    let half = b"GET /v1/today HTTP/1.1\r\nhost:";
    let whole = b"GET /v1/openapi.json HTTP/1.1\r\nhost: dosed\r\n\r\n";
    let openings: [&[u8]; 3] = [b"", half, whole];
    let crowd: Vec<UnixStream> = (0..900).map(|i| send(&home, openings[i % 3])).collect();
    // Within the time that a command waits.
    home.good(&["status"]);
    home.good(&["take", "a", "--again"]);
    drop(crowd);
}

#[test]
fn streams_have_places_of_their_own() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let streams: Vec<_> = (0..MAX_STREAMS).map(|_| home.watch()).collect();
    let refused = home.request("GET", "/v1/events", &[], "");
    assert_eq!((refused.status(), refused.header("content-type")), (503, Some("application/problem+json")));
    assert!(refused.body["detail"].as_str().unwrap().contains("64 programs follow the events"));
    home.good(&["take", "a", "--again"]);
    drop(streams);
    wait_until("a place", || {
        let mut stream = send(&home, b"GET /v1/events HTTP/1.1\r\nhost: dosed\r\n\r\n");
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        head == *b"HTTP/1.1 200"
    });
}

#[test]
fn responses_that_nobody_reads_have_a_limit_and_an_end() {
    let home = Home::with_schedule(SCHEDULE);
    assert_eq!(home.start().stop(), Some(0));
    let note = "x".repeat(500);
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    let fact = serde_json::json!({ "type": "intake", "item": "walk", "at": format!("{at}[UTC]"), "amount": "1 min", "note": note });
    home.record(&vec![(at, fact); 4000]);
    let daemon = home.start_with(|command| {
        command.env("MALLOC_ARENA_MAX", "1").env("MALLOC_MMAP_THRESHOLD_", "32768");
    });
    let memory = |name: &str| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
    };
    let facts = home.get("/v1/facts").to_string().len() / (1024 * 1024);
    assert!(facts >= 2, "{facts} MiB");
    let before = memory("VmHWM:");
    let whole = b"GET /v1/facts HTTP/1.1\r\nhost: dosed\r\n\r\n";
    let mut crowd: Vec<UnixStream> = (0..MAX_CONNECTIONS - 1).map(|_| send(&home, whole)).collect();
    // Every one has the beginning of a response.
    for stream in &mut crowd {
        assert_ne!(stream.read(&mut [0; 1]).unwrap(), 0);
    }
    home.good(&["take", "a", "--again"]);
    let grown = memory("VmHWM:") - before;
    assert!(grown < 32, "{grown} MiB for {} responses of {facts} MiB each", crowd.len());
    // Those who read nothing are let go, and long responses are there again.
    wait_until("a long response", || home.get("/v1/facts").is_array());
}

#[test]
fn where_connections_cannot_be_accepted_the_daemon_tries_again() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let home = Home::with_schedule(SCHEDULE);
    let daemon = home.start();
    let limit = |descriptors| {
        let limit = Rlimit { current: Some(descriptors), maximum: Some(1024) };
        prlimit(Some(Pid::from_child(&daemon.child)), Resource::Nofile, limit).unwrap();
    };
    limit(3);
    let waiting = send(&home, b"");
    wait_until("the error", || home.log().contains("a connection could not be accepted"));
    limit(1024);
    home.good(&["take", "a", "--again"]);
    drop(waiting);
    let lines = home.log().matches("a connection could not be accepted").count();
    assert_eq!(lines, 1);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_daemon_that_hangs_is_said_to_hang() {
    let home = Home::with_schedule(SCHEDULE);
    let daemon = home.start();
    daemon.signal(rustix::process::Signal::STOP);
    let commands: [&[&str]; 3] = [&["status"], &["take", "a"], &["doctor"]];
    std::thread::scope(|scope| {
        for command in commands {
            let home = &home;
            scope.spawn(move || {
                let output = home.dosed(command);
                let text = [output.stdout, output.stderr].concat();
                let text = String::from_utf8(text).unwrap();
                assert!(text.contains("dosed did not respond within 15 s"), "{command:?}: {text}");
                let is_doctor = *command == ["doctor"];
                assert_eq!(output.status.code(), Some(if is_doctor { 1 } else { 69 }), "{command:?}");
                assert_eq!(text.contains("it hangs"), is_doctor, "{command:?}: {text}");
            });
        }
    });
    daemon.signal(rustix::process::Signal::CONT);
    home.good(&["status"]);
}

#[test]
fn a_path_that_is_not_utf_8_is_a_problem() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    for path in [
        "/v1/occurrences/%ff/take",
        "/v1/occurrences/%ff/eat",
        "/v1/items/%ff/log",
        "/v1/facts/%ff/retract",
        "/v1/%ff",
    ] {
        let refused = home.request("POST", path, &[], "");
        assert_eq!(refused.header("content-type"), Some("application/problem+json"), "{path}");
        assert!([400, 404].contains(&refused.status()), "{path}");
    }
}

/// Control characters from a journal that another device has written.
#[test]
fn no_control_character_reaches_the_terminal() {
    const ACTING: [char; 6] = ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{7f}', '\r'];
    let text: String = ACTING.iter().collect();
    let home = Home::with_schedule(SCHEDULE);
    assert_eq!(home.start().stop(), Some(0));
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    let definition = serde_json::json!({ "id": "evil", "kind": "habit", "name": format!("N{text}"), "note": text, "group": text, "times": ["00:00"] });
    let check_in = serde_json::json!({ "id": "ask", "kind": "check-in", "name": format!("C{text}"), "as-needed": true,
        "questions": [{ "key": "q", "text": format!("Q{text}"), "low": "a", "high": "b" }] });
    let fact = |value: serde_json::Value| (at, value);
    home.record(&[
        fact(serde_json::json!({ "type": "regimen", "item": "evil", "at": format!("{at}[UTC]"), "definition": definition })),
        fact(serde_json::json!({ "type": "regimen", "item": "ask", "at": format!("{at}[UTC]"), "definition": check_in })),
        fact(serde_json::json!({ "type": "intake", "item": "evil", "at": format!("{at}[UTC]"), "note": format!("M{text}") })),
    ]);
    // The schedule is no use, so that the recorded plan goes on.
    std::fs::remove_file(home.schedule_path()).unwrap();
    let _daemon = home.start();
    let fact = home.get("/v1/facts?item=evil");
    assert!(fact.to_string().contains("\\u001b"), "{fact}");
    for arguments in [
        &["today"][..],
        &["next", "9"],
        &["history"],
        &["adherence"],
        &["adherence", "--groups"],
        &["adherence", "--item", "evil"],
        &["answer"],
        &["check-in", "ask"],
        &["report"],
        &["stock"],
        &["status"],
        &["doctor"],
        &["insight"],
        &["history", "--json"],
        &["today", "--json"],
        &["next", "--json"],
        &["adherence", "--json"],
    ] {
        let output = home.dosed(arguments);
        let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let acting = shown.find(ACTING);
        assert_eq!(acting, None, "{arguments:?}: {:?}", &shown[acting.unwrap_or(0)..]);
    }
    assert!(home.good(&["history"]).contains("M\\u{1b}\\u{7}\\u{9b}\\u{202e}\\u{7f}\\u{d}"));
    // And none is recorded here.
    let note = serde_json::json!({ "note": text }).to_string();
    assert_eq!(post(&home, "/v1/items/evil/log", &note, None).0, 400);
}

#[test]
fn only_its_own_user_may_ask() {
    let own = rustix::process::geteuid().as_raw();
    assert!(dosed::adapters::http::is_allowed(own, own));
    assert!(!dosed::adapters::http::is_allowed(own + 1, own));
}

/// Only root can be somebody else.
#[test]
#[ignore = "needs root setpriv curl"]
fn another_user_is_refused() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    // Open every door that the daemon itself has closed.
    for path in
        [home.dir.path().to_owned(), home.path("run").into(), home.path("run/dosed").into(), home.socket()]
    {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let ask = |user: &str| {
        home.command("setpriv")
            .args(["--reuid", user, "--clear-groups", "curl", "-s", "--max-time", "10", "--unix-socket"])
            .arg(home.socket())
            .arg("http://dosed/v1/today")
            .output()
            .unwrap()
    };
    assert!(ask("0").status.success());
    let refused = ask("65534");
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{refused:?}");
    assert!(home.log().contains("another user"));
}

#[test]
fn who_hangs_up_on_the_events_gives_the_place_back() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    for shutdown in [std::net::Shutdown::Write, std::net::Shutdown::Both] {
        let mut listeners: Vec<UnixStream> = (0..MAX_STREAMS)
            .map(|_| {
                let mut stream = UnixStream::connect(home.socket()).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.write_all(b"GET /v1/events HTTP/1.1\r\nhost: dosed\r\n\r\n").unwrap();
                let mut first = [0];
                stream.read_exact(&mut first).unwrap();
                stream
            })
            .collect();
        for stream in &mut listeners {
            stream.shutdown(shutdown).unwrap();
            // The daemon ends it too, without an event to write.
            stream.read_to_end(&mut Vec::new()).unwrap();
        }
        assert!(home.get("/v1/status").is_object(), "{shutdown:?}");
    }
}
