//! Requests are answered or refused by a daemon that lives on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

#[rustfmt::skip]
const REQUEST_WORDS: &[&str] = &[
    "GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "CONNECT ", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "\r\n",
    "\r\n\r\n", "host: dosed\r\n", "connection: close\r\n", "connection: upgrade\r\n",
    "expect: 100-continue\r\n", "transfer-encoding: chunked\r\n", "content-length: 0\r\n",
    "idempotency-key: k-1\r\n", "ffffffffffffffff\r\n", "0\r\n\r\n", "/v1/status", "/v1/today", "/v1/next",
    "/v1/occurrences", "/v1/facts", "/v1/items/walk/log", "/v1/pause", "/v1/resume", "/v1/events",
    "/v1/openapi.json", "/..", "//", "%00", "%ff", "%2f", "?", "&", "n=1000", "from=", "until=", "since=",
    "item=", "limit=", "probiotic", "calcium", "walk", "painkiller", "dexa", "@TOMORROWT00:00",
    "@TOMORROWT12:00", "TODAY", "take", "skip", "snooze", "log", "retract", "correct", "fuzz-0000.1", "fuzz-0000.9", "{",
    "}", "[", "]", "{\"at\":", "\"at\":\"00:00\"", "\"amount\":\"1 piece\"", "\"note\":\"x\"",
    "\"reason\":\"x\"", "\"for\":\"1h\"", "\"item\":\"walk\"", "\"until\":\"2099-01-01\"", "null", ",",
    "/v1/adherence", "/v1/insight", "/v1/forms", "/v1/check-ins", "/v1/scans", "/v1/stock",
    "/v1/items/quarterly/check-in", "/v1/items/dexa/scan", "/v1/items/probiotic/stock",
    "\"answers\":{\"energy\":7}", "\"answers\":{\"region\":\"total-hip\",\"bmd\":0.9}", "\"add\":60",
    "\"count\":5", "\"confirm\":true", "5e9 CFU", "36525 days", "2020-01-01", "2049-12-31", "[Europe/Berlin]",
];

/// Every sort of rule and kind, due from midnight on.
const SCHEDULE: &str = r#"
supplement = [
    { id = "probiotic", dose = "5e9 CFU", times = ["00:00"], grace = "24h" },
    { id = "calcium", dose = "500 mg", times = ["00:00", "12:00"], again = { every = "1h", at-most = 3 } },
    { id = "painkiller", dose = "1 tablet", every = "8 hours" },
    { id = "eyes", cron = "0 */6 * * *" },
]
habit = [{ id = "walk", as-needed = true, target = "150 min / week" }]
check-in = [{ id = "quarterly", every = "3 months", times = ["18:00"] }]
scan = [{ id = "dexa", every = "1 year", after-last = true, times = ["09:00"], lead = ["7 days"] }]
"#;

/// How much more memory the daemon may hold after the rounds, in KiB. Its database caches as much as 8 MiB.
const MAX_GROWTH: u64 = 20 * 1024;

/// How often others are answered before a client that is not gives up.
const TURNS: usize = 8;

#[test]
fn requests_are_answered_or_refused_by_a_daemon_that_lives_on() {
    let mutator = Mutator::new("requests", REQUEST_WORDS);
    let rounds = Rounds::new(12_000);
    let home = Home::with_schedule(SCHEDULE);
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::write(home.data().join("device"), DEVICE).unwrap();
    let daemon = home.start();
    let today = Timestamp::now().to_zoned(TimeZone::get("Europe/Berlin").unwrap()).date();
    let tomorrow = today.tomorrow().unwrap();
    let mut probe = Probe::new(&home);
    let mut before = memory(&daemon);
    let mut statuses = [0; 5];
    for (round, mut rng) in rounds.each() {
        let input = mutator.input(&mut rng);
        // Today's slots were before the daemon, which plans nothing for the past; tomorrow's can be answered.
        let input = replace(&input, b"TODAY", today.to_string().as_bytes());
        let input = replace(&input, b"TOMORROW", tomorrow.to_string().as_bytes());
        let input = if rng.one_in(4) { input } else { with_length(&input) };
        let _case = Case { round, input: &input };
        let answer = probe.exchange(&home, &input);
        statuses[check_answer(&answer)] += 1;
        if round == rounds.count / 4 {
            // By now every cache has what it wants.
            before = memory(&daemon);
        }
    }
    let after = memory(&daemon);
    println!("answers by their first digit: {statuses:?}; {before} KiB of memory, then {after} KiB");
    assert!(after < before + MAX_GROWTH, "it grew from {before} KiB to {after} KiB");
    let answered = |class: usize| statuses[class] > rounds.count / 20 || !rounds.are_many();
    assert!(answered(2) && answered(4), "{statuses:?}: the rounds are too wild or too tame");
    check_record(&home, daemon);
}

/// What was recorded along the way is sound, and the next daemon begins with it.
fn check_record(home: &Home, daemon: Daemon) {
    home.good(&["status"]);
    assert_eq!(daemon.stop(), Some(0), "{}", home.log());
    let facts = home.journal();
    let _again = home.start();
    let known = home.get("/v1/facts");
    let known: BTreeMap<&str, &Value> =
        known.as_array().unwrap().iter().map(|fact| (fact["id"].as_str().unwrap(), fact)).collect();
    // What became of a fact comes in addition to its own members.
    let is_known = |fact: &&Value| {
        let found = known.get(fact["id"].as_str().unwrap());
        found.is_some_and(|found| fact.as_object().unwrap().iter().all(|(name, value)| found[name] == *value))
    };
    let missing: Vec<_> = facts.iter().filter(|fact| !is_known(fact)).collect();
    assert!(missing.is_empty(), "{missing:?} are missing");
    assert!(!home.log().contains("panicked"), "{}", home.log());
}

/// Returns the first digit of an answer's status, or 0 where the connection was closed without one.
fn check_answer(answer: &[u8]) -> usize {
    let text = String::from_utf8_lossy(answer);
    if text.is_empty() {
        return 0;
    }
    let status =
        text.strip_prefix("HTTP/1.").and_then(|rest| rest[1..].trim_start().get(..3)?.parse::<usize>().ok());
    let status = status.unwrap_or_else(|| panic!("that is no answer: {text}"));
    assert!((100..500).contains(&status) && !text.contains("HTTP/1.1 500"), "{text}");
    status / 100
}

/// A client that is always answered.
struct Probe(UnixStream);

impl Probe {
    fn new(home: &Home) -> Self {
        let stream = UnixStream::connect(home.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    fn ask(&mut self) {
        self.0.write_all(b"GET /v1/facts?since=2099-01-01 HTTP/1.1\r\nhost: dosed\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while !answer.ends_with(b"]") && !answer.ends_with(b"}") {
            let length = self.0.read(&mut buffer).expect("the daemon answers in time");
            assert_ne!(length, 0, "the daemon lives");
            answer.extend_from_slice(&buffer[..length]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", answer.escape_ascii());
    }

    /// Sends bytes as they are, and returns all that comes back.
    ///
    /// Nobody waits for the daemon's patience to end: once it has answered others often enough it has had its
    /// turn with this one, and what it still waits for never comes.
    fn exchange(&mut self, home: &Home, bytes: &[u8]) -> Vec<u8> {
        let mut stream = UnixStream::connect(home.socket()).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // It may hang up in the middle.
        let _ = stream.write_all(bytes);
        let mut answer = vec![0; 4096];
        stream.set_nonblocking(true).unwrap();
        let mut length = 0;
        for _ in 0..TURNS {
            self.ask();
            match stream.read(&mut answer) {
                Ok(read) => length = read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(_) => {}
            }
            break;
        }
        answer.truncate(length);
        if replace(&answer, b"text/event-stream", b"").len() < answer.len() {
            // That goes on until somebody hangs up.
            return answer;
        }
        stream.set_nonblocking(false).unwrap();
        let _ = stream.shutdown(Shutdown::Write);
        if let Err(error) = stream.read_to_end(&mut answer) {
            assert!(error.kind() != ErrorKind::WouldBlock, "the daemon neither answers nor hangs up");
        }
        answer
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|part| part == from) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Gives a request the length that its body has, so that more than the wrong length is tried.
fn with_length(request: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"content-length: ";
    let find = |what: &[u8]| request.windows(what.len()).position(|part| part == what);
    let (Some(name), Some(head)) = (find(NAME), find(b"\r\n\r\n")) else { return request.to_vec() };
    let start = name + NAME.len();
    let body = request.len() - (head + 4);
    let digits = request[start..].iter().take_while(|b| b.is_ascii_digit()).count();
    [&request[..start], body.to_string().as_bytes(), &request[start + digits..]].concat()
}

/// Returns the memory that a daemon holds, in KiB.
fn memory(daemon: &Daemon) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", daemon.child.id())).expect("the daemon lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
