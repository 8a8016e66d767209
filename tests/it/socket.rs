//! The socket: routes, errors, limits, and who may ask.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use dosed::api::{MAX_BODY_BYTES, MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_OCCURRENCES, MAX_TEXT_BYTES, OPENAPI};
use serde_json::Value;

use crate::support::{Home, PATIENCE, raw};

const SCHEDULE: &str = "[[supplement]]\nid = \"a\"\ndose = \"5 mg\"\ntimes = [\"00:00\"]\n\n[[habit]]\nid = \"walk\"\nas-needed = true\n";

fn post(home: &Home, path: &str, body: &str, key: Option<&str>) -> (u16, Value) {
    let key = key.map(|key| format!("idempotency-key: {key}\r\n")).unwrap_or_default();
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: dosed\r\nconnection: close\r\n{key}content-length: {length}\r\n\r\n{body}"
    );
    let answer = raw(&home.socket(), request.as_bytes());
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn answers_are_facts_with_their_status() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let (status, fact) =
        post(&home, "/v1/items/walk/log", "{\"amount\":\"20 min\",\"note\":\"hill\"}", Some("k"));
    assert_eq!((status, &fact["fact"]["note"]), (201, &"hill".into()));
    assert_eq!(post(&home, "/v1/items/walk/log", "", Some("k")), (200, fact.clone()));
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
    assert_eq!(home.curl(&[], "/v1/next?n=1")[0]["occurrence"], "a@2098-05-01T08:00");
    // Without an end, nothing comes next, and the question has an answer all the same.
    assert_eq!(post(&home, "/v1/pause", "{}", None).0, 201);
    assert_eq!(home.curl(&[], "/v1/next?n=1"), Value::Array(Vec::new()));
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
        let answer = home.curl(&[], path);
        assert!(answer.get("status").is_none_or(|status| !status.is_number()), "{path}: {answer}");
    }
    assert_eq!(home.curl(&[], "/v1/facts?limit=1").as_array().unwrap().len(), 1);
}

#[test]
fn what_makes_no_sense_is_a_problem_with_its_detail() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let long = format!("{{\"note\":\"{}\"}}", "x".repeat(MAX_TEXT_BYTES + 1));
    for (path, body, status, detail) in [
        ("/v1/occurrences/b/take", "", 404, "no item"),
        ("/v1/occurrences/a@2020-01-01T00:00/take", "", 404, "nothing was planned"),
        ("/v1/occurrences/a@x/take", "", 400, "not a slot"),
        ("/v1/occurrences/A/take", "", 400, "not an id"),
        ("/v1/occurrences/a/eat", "", 404, "take, skip or snooze"),
        ("/v1/occurrences/a/take", "{\"at\":\"soon\"}", 400, "not a time"),
        ("/v1/occurrences/a/take", "{\"att\":\"08:00\"}", 400, "att"),
        ("/v1/occurrences/a/take", "[1]", 400, "JSON object"),
        ("/v1/occurrences/a/take", "{\"for\":\"15m\"}", 400, "no sense here"),
        ("/v1/occurrences/a/take", "{\"amount\":\"5\"}", 400, "no unit"),
        ("/v1/occurrences/a/take", "{\"at\":\"2099-01-01\"}", 422, "has not come"),
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
        assert_eq!(home.curl(&[], path)["status"], 400, "{path}");
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
    assert!(answer.starts_with("HTTP/1.1 431") || answer.is_empty(), "{answer}");
    let key = "k".repeat(dosed::api::MAX_KEY_BYTES + 1);
    assert_eq!(post(&home, "/v1/items/walk/log", "", Some(&key)).0, 400);
    home.good(&["today"]);
}

#[test]
fn an_answer_has_a_limit() {
    let home = Home::with_schedule("[[supplement]]\nid = \"a\"\nevery = \"15m\"\n");
    let _daemon = home.start();
    let year = home.curl(&[], "/v1/occurrences?from=2099-01-01&until=2100-01-01");
    assert!(year.as_array().is_some_and(|rows| rows.len() < MAX_OCCURRENCES && rows.len() > 35_000));
    let decades = home.curl(&[], "/v1/occurrences?from=2099-01-01&until=2120-01-01");
    assert_eq!(decades["status"], 400);
    assert!(decades["detail"].as_str().unwrap().contains(&MAX_OCCURRENCES.to_string()), "{decades}");
}

#[test]
fn a_client_that_says_nothing_is_let_go() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    // Half a head, and then silence: the daemon ends it.
    let answer = raw(&home.socket(), b"GET /v1/today HTTP/1.1\r\nhost:");
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[test]
fn connections_have_a_limit_and_wait_their_turn() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let mut crowd: Vec<UnixStream> = (0..MAX_CONNECTIONS)
        .map(|_| {
            let mut stream = UnixStream::connect(home.socket()).unwrap();
            // Served once, so that it has a place, and kept open.
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(b"GET /v1/next HTTP/1.1\r\nhost: dosed\r\n\r\n").unwrap();
            assert_ne!(stream.read(&mut [0; 1]).unwrap(), 0);
            stream
        })
        .collect();
    let mut waiting = UnixStream::connect(home.socket()).unwrap();
    waiting.write_all(b"GET /v1/today HTTP/1.1\r\nhost: dosed\r\nconnection: close\r\n\r\n").unwrap();
    waiting.set_nonblocking(true).unwrap();
    assert_eq!(waiting.read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    waiting.set_nonblocking(false).unwrap();
    waiting.set_read_timeout(Some(PATIENCE)).unwrap();
    crowd.pop();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn only_its_own_user_may_ask() {
    let own = rustix::process::geteuid().as_raw();
    assert!(dosed::api::is_allowed(own, own));
    assert!(!dosed::api::is_allowed(own + 1, own));
    if own != 0 {
        // Only root can be somebody else; the rule above is the same one.
        return;
    }
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
fn the_openapi_document_names_every_route() {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let routes = include_str!("../../src/api/routes.rs");
    let mut named = 0;
    for part in routes.split(".route(\"").skip(1) {
        let path = part.split('"').next().unwrap();
        let paths: Vec<String> = match path {
            "/v1/occurrences/{id}/{verb}" => {
                ["take", "skip", "snooze"].map(|verb| format!("/v1/occurrences/{{id}}/{verb}")).to_vec()
            }
            path => vec![path.to_owned()],
        };
        for path in paths {
            assert!(document["paths"][&path].is_object(), "{path} is missing from openapi.json");
            named += 1;
        }
    }
    assert_eq!(document["paths"].as_object().unwrap().len(), named);
}

#[test]
fn who_hangs_up_on_the_events_gives_the_place_back() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    for shutdown in [std::net::Shutdown::Write, std::net::Shutdown::Both] {
        let mut listeners: Vec<UnixStream> = (0..MAX_CONNECTIONS)
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
        assert!(home.curl(&[], "/v1/status").is_object(), "{shutdown:?}");
    }
}
