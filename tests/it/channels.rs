//! Channels beyond the desktop, with programs that run and servers that listen: what goes out, what
//! comes back, and what becomes of it when it does not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, mpsc};

use serde_json::{Value, json};

use crate::support::{Daemon, Home, PATIENCE, Watch, write_script};

/// A request that a server got.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) line: String,
    head: Vec<String>,
    /// The body as it came, and as JSON.
    pub(crate) text: String,
    pub(crate) body: Value,
    /// The way back, where the test answers by itself.
    pub(crate) stream: Option<TcpStream>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}: ");
        self.head.iter().find_map(|line| {
            let is_it = line.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(&prefix));
            is_it.then(|| &line[prefix.len()..])
        })
    }
}

/// What a server does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    /// Answers with this status.
    Answer(&'static str),
    /// Hangs up without a word.
    HangUp,
    /// Begins an answer and breaks off in its head.
    BreakOff,
    /// Leaves it to the test.
    Leave,
}

pub(crate) use Does::{Answer, BreakOff, HangUp, Leave};

pub(crate) const GOOD: Does = Answer("200 OK");

/// A server that does with each request what its script says, and in the end is good.
pub(crate) struct Server {
    pub(crate) address: String,
    asked: mpsc::Receiver<Asked>,
}

impl Server {
    pub(crate) fn new(script: &[Does]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (say, asked) = mpsc::channel();
        let mut script = script.to_vec();
        script.reverse();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(mut asked) = read_request(&stream) else { continue };
                let does = if asked.line.starts_with("GET ") && asked.line.contains("/json?") {
                    Leave
                } else {
                    script.pop().unwrap_or(GOOD)
                };
                match does {
                    Answer(status) => {
                        let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}");
                    }
                    HangUp => {}
                    BreakOff => {
                        let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-le");
                    }
                    Leave => asked.stream = Some(stream),
                }
                // The test may have heard enough.
                let _ = say.send(asked);
            }
        });
        Self { address, asked }
    }

    #[track_caller]
    pub(crate) fn hear(&self) -> Asked {
        self.asked.recv_timeout(PATIENCE).expect("a request comes in time")
    }
}

pub(crate) fn read_request(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let mut asked = Asked {
        line: line.trim_end().to_owned(),
        head,
        text: String::new(),
        body: Value::Null,
        stream: None,
    };
    let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.body = serde_json::from_slice(&body).unwrap_or_default();
    asked.text = String::from_utf8_lossy(&body).into_owned();
    Some(asked)
}

/// Writes a schedule with one item that goes on to a channel a second after its time.
pub(crate) fn one(time: &str, channel: &str) -> String {
    format!(
        "[[supplement]]\nid = \"probiotic\"\nname = \"Probiotic\"\ndose = \"5e9 CFU\"\ntimes = [\"{time}\"]\n\
         then = [{{ after = \"1s\", channel = \"phone\" }}]\n\n[[channel]]\nid = \"phone\"\n{channel}\n"
    )
}

/// Starts a daemon with such an item, which falls due shortly.
fn start(home: &Home, channel: &str) -> Daemon {
    home.start_before_due(|time| one(time, channel))
}

/// Waits for what came of the channel.
#[track_caller]
fn outcome(watch: &mut Watch) -> Value {
    watch.wait(|event| event["fact"]["fact"]["channel"] == "phone")["fact"]["fact"].clone()
}

#[test]
fn a_program_gets_one_object_and_its_failure_is_recorded() {
    let rows = [
        ("cat > \"$1\"\n", "private = false\n", None),
        ("cat > \"$1\"\n", "", None),
        // One that does not read what it gets.
        ("echo '{\"title\":\"Reminder\"}' > \"$1\"\n", "", None),
        ("exit 3\n", "", Some("the program ended with exit status: 3")),
        ("sleep 60 & sleep 60\n", "timeout = \"1s\"\n", Some("the program did not end within 1 s")),
    ];
    std::thread::scope(|scope| {
        for (script, more, failure) in rows {
            scope.spawn(move || {
                let home = Home::new();
                let (program, out) = (home.path("program"), home.path("out"));
                write_script(program.as_ref(), &format!("#!/bin/sh\n{script}"));
                let channel = format!("kind = \"command\"\ncommand = [\"{program}\", \"{out}\"]\n{more}");
                let _daemon = start(&home, &channel);
                let fact = outcome(&mut home.watch());
                if let Some(failure) = failure {
                    assert_eq!((&fact["type"], &fact["reason"]), (&json!("undelivered"), &json!(failure)));
                    assert_eq!(home.json(&["status", "--json"])["channels"][0]["last"]["error"], failure);
                    return;
                }
                assert_eq!((&fact["type"], &fact["channel"]), (&json!("delivered"), &json!("phone")));
                let got = std::fs::read_to_string(out).unwrap();
                let object: Value = serde_json::from_str(&got).unwrap();
                if more.is_empty() {
                    assert_eq!(object["title"], "Reminder");
                    for secret in ["robiotic", "5e9", "CFU"] {
                        assert!(!got.contains(secret), "{got}");
                    }
                } else {
                    assert_eq!((&object["v"], &object["kind"]), (&json!(1), &json!("reminder")));
                    assert_eq!(
                        (&object["title"], &object["body"][0]),
                        (&json!("Probiotic"), &json!("5e9 CFU"))
                    );
                    assert_eq!(object["occurrences"][0], fact["occurrence"]);
                }
            });
        }
    });
}

#[test]
fn a_webhook_is_tried_again_while_it_may_work() {
    let rows: [(&[Does], usize, Option<&str>); 8] = [
        (&[GOOD], 1, None),
        (&[Answer("204 No Content")], 1, None),
        (&[Answer("500 Internal Server Error"), Answer("429 Too Many Requests"), GOOD], 3, None),
        (&[HangUp, GOOD], 2, None),
        // Too slow: it is given up, and tried again.
        (&[Leave, GOOD], 2, None),
        (&[BreakOff, GOOD], 2, None),
        (&[Answer("403 Forbidden")], 1, Some("the server answered 403 Forbidden")),
        (&[Answer("302 Found")], 1, Some("the server answered 302 Found")),
    ];
    std::thread::scope(|scope| {
        for (script, times, failure) in rows {
            scope.spawn(move || {
                let home = Home::new();
                let server = Server::new(script);
                std::fs::write(home.path("token"), "s3cret-token\n").unwrap();
                std::fs::write(home.path("url"), format!("{}/hidden-path\n", server.address)).unwrap();
                let channel = format!(
                    "kind = \"webhook\"\nurl-from = {{ file = \"{}\" }}\ntoken-from = {{ file = \"{}\" }}\n",
                    home.path("url"),
                    home.path("token")
                );
                let schedule = |time: &dyn Fn(i64) -> String| one(&time(0), &channel);
                let _daemon = home.start_before(schedule, |command| {
                    command.env("DOSED_LOG", "debug");
                });
                let mut watch = home.watch();
                let mut kept = Vec::new();
                let ids: Vec<String> = (0..times)
                    .map(|_| {
                        let mut asked = server.hear();
                        // What is left without an answer stays open.
                        kept.extend(asked.stream.take());
                        assert_eq!(asked.line, "POST /hidden-path HTTP/1.1");
                        assert_eq!(asked.header("authorization"), Some("Bearer s3cret-token"));
                        assert_eq!(asked.header("content-type"), Some("application/json"));
                        assert_eq!(asked.body["title"], "Reminder");
                        asked.body["id"].as_str().unwrap().to_owned()
                    })
                    .collect();
                // One name for all tries, so that the server can tell them from another reminder.
                assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
                let fact = outcome(&mut watch);
                assert_eq!(fact["reason"].as_str(), failure);
                assert_eq!(fact["type"], if failure.is_some() { "undelivered" } else { "delivered" });
                let said = [home.log(), home.good(&["status", "--json"]), home.good(&["history", "--json"])];
                for secret in ["s3cret", "hidden-path"] {
                    assert!(said.iter().all(|text| !text.contains(secret)), "{secret} in {said:?}");
                }
            });
        }
    });
}

/// Name, keys, method, headers and body of a webhook.
type Hook = (&'static str, String, &'static str, Vec<(&'static str, &'static str)>, Value);

/// The examples of the README, each against the request that its service documents.
#[test]
fn a_webhook_speaks_as_other_services_want_it() {
    let home = Home::new();
    let server = Server::new(&[]);
    for (name, secret) in [("key", "g0tify-key"), ("user", "ann"), ("password", "s3cret"), ("token", "t0ken")]
    {
        std::fs::write(home.path(name), format!("{secret}\n")).unwrap();
    }
    let from = |name: &str| format!("{{ file = \"{}\" }}", home.path(name));
    let json = "application/json";
    let rows: [Hook; 8] = [
        (
            "gotify",
            format!(
                "headers = {{ X-Gotify-Key = {} }}\nbody = {{ title = \"{{title}}\", message = \"{{body}}\", priority = 8 }}",
                from("key")
            ),
            "POST",
            vec![("x-gotify-key", "g0tify-key"), ("content-type", json)],
            json!({ "title": "dosed test", "message": "TEXT", "priority": 8 }),
        ),
        (
            "discord",
            "body = { content = \"{title}: {body}\" }".to_owned(),
            "POST",
            vec![("content-type", json)],
            json!({ "content": "dosed test: TEXT" }),
        ),
        (
            "slack",
            "body = { text = \"{title}\", blocks = [{ type = \"section\", text = { type = \"plain_text\", text = \"{body}\" } }] }"
                .to_owned(),
            "POST",
            vec![],
            json!({ "text": "dosed test", "blocks": [{ "type": "section", "text": { "type": "plain_text", "text": "TEXT" } }] }),
        ),
        (
            "matrix",
            "body = { text = \"{title}: {body}\" }".to_owned(),
            "POST",
            vec![("content-type", json)],
            json!({ "text": "dosed test: TEXT" }),
        ),
        (
            "put",
            format!("method = \"PUT\"\ntoken-from = {}\nbody = {{ id = \"{{title}}\" }}", from("token")),
            "PUT",
            vec![("authorization", "Bearer t0ken")],
            json!({ "id": "dosed test" }),
        ),
        (
            "home-assistant",
            format!("token-from = {}\nbody = {{ title = \"{{title}}\", message = \"{{body}}\", data = {{ tag = \"{{channel}}\" }} }}", from("token")),
            "POST",
            vec![("authorization", "Bearer t0ken")],
            json!({ "title": "dosed test", "message": "TEXT", "data": { "tag": "home-assistant" } }),
        ),
        (
            "basic",
            format!("user-from = {}\npassword-from = {}", from("user"), from("password")),
            "POST",
            vec![("authorization", "Basic YW5uOnMzY3JldA==")],
            Value::Null,
        ),
        (
            "text",
            "headers = { Title = \"dosed\" }\nbody = \"{title} {{braces}}\"".to_owned(),
            "POST",
            vec![("title", "dosed"), ("content-type", "text/plain; charset=utf-8")],
            json!("dosed test {braces}"),
        ),
    ];
    let mut schedule = "[[habit]]\nid = \"a\"\nas-needed = true\n".to_owned();
    for (name, keys, ..) in &rows {
        let url = &server.address;
        schedule +=
            &format!("\n[[channel]]\nid = \"{name}\"\nkind = \"webhook\"\nurl = \"{url}/{name}\"\n{keys}\n");
    }
    home.schedule(&schedule);
    let _daemon = home.start();
    // The desktop has none to show it here.
    let _ = home.dosed(&["test"]);
    let mut asked: std::collections::BTreeMap<String, Asked> = rows
        .iter()
        .map(|_| server.hear())
        .map(|asked| (asked.line.split(['/', ' ']).nth(2).unwrap().to_owned(), asked))
        .collect();
    for (name, _, method, headers, expected) in rows {
        let asked = asked.remove(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(asked.line, format!("{method} /{name} HTTP/1.1"));
        for (header, value) in headers {
            assert_eq!(asked.header(header), Some(value), "{name}");
        }
        let shown = asked.text.replace("Reminders reach you here. This one needs no answer.", "TEXT");
        match expected {
            Value::Null => assert_eq!(asked.body["kind"], "test"),
            Value::String(text) => assert_eq!(asked.text, text),
            expected => assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), expected, "{name}"),
        }
    }
    let said = [home.log(), home.good(&["status", "--json"])];
    for secret in ["g0tify-key", "s3cret", "t0ken"] {
        assert!(said.iter().all(|text| !text.contains(secret)), "{secret} in {said:?}");
    }
}

#[test]
fn an_answer_ends_the_tries() {
    const BUSY: Does = Answer("503 Service Unavailable");
    let home = Home::new();
    let server = Server::new(&[BUSY; 4]);
    let channel = format!("kind = \"webhook\"\nprivate = false\nurl = \"{}\"\n", server.address);
    // Tries come 1, 2, 4 and 8 s after the time. At 5 s something else goes out: what would come before is heard by then.
    let witness = |time: &str| {
        format!(
            "[[habit]]\nid = \"witness\"\ntimes = [\"{time}\"]\nthen = [{{ after = \"1s\", channel = \"phone\" }}]\n"
        )
    };
    let schedule = |time: &dyn Fn(i64) -> String| witness(&time(4)) + &one(&time(0), &channel);
    let _daemon = home.start_before(schedule, |_| {});
    let about = |asked: &Asked| asked.body["occurrences"][0].as_str().unwrap_or_default().to_owned();
    let first = server.hear();
    assert!(about(&first).starts_with("probiotic@"), "{}", first.body);
    home.good(&["take", "probiotic"]);
    let mut rest = 0;
    while !about(&server.hear()).starts_with("witness@") {
        rest += 1;
    }
    // One may have been on its way.
    assert!(rest <= 1, "{rest} more");
    let facts = home.journal();
    let of_phone = facts.iter().filter(|fact| fact["fact"]["channel"] == "phone");
    let about: Vec<_> = of_phone.map(|fact| fact["fact"]["occurrence"].as_str().unwrap()).collect();
    assert!(!about.iter().any(|occurrence| occurrence.starts_with("probiotic@")), "{about:?}");
}

const PHONE: &str =
    "kind = \"ntfy\"\nserver = \"SERVER\"\ntopic = \"out\"\nreplies = \"back\"\ntags = [\"pill\"]\n";

/// Publishes messages to a subscription in one write: the daemon hangs up once its reminder is answered. They are of now.
fn publish(stream: &mut TcpStream, messages: &[(&str, &str)]) {
    let time = jiff::Timestamp::now().as_second();
    let line = |(id, message): &(&str, &str)| {
        let message =
            json!({ "id": id, "time": time, "event": "message", "topic": "back", "message": message });
        message.to_string() + "\n"
    };
    let lines: String = messages.iter().map(line).collect();
    stream.write_all(lines.as_bytes()).unwrap();
}

/// Answers a subscription, and leaves it open.
fn open(mut asked: Asked) -> TcpStream {
    let mut stream = asked.stream.take().expect("a subscription");
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n").unwrap();
    writeln!(stream, "{}", json!({ "id": "1", "event": "open" })).unwrap();
    stream
}

#[test]
fn a_phone_answers_by_the_topic_that_is_listened_to() {
    let buttons = [(0, "Taken", "intake"), (1, "Snooze 15 min", "snooze"), (2, "Skip", "skip")];
    std::thread::scope(|scope| {
        for (index, label, kind) in buttons {
            scope.spawn(move || {
                let home = Home::new();
                let server = Server::new(&[]);
                let daemon = start(&home, &PHONE.replace("SERVER", &server.address));
                let mut watch = home.watch();
                let published = server.hear();
                assert_eq!(published.line, "POST / HTTP/1.1");
                assert_eq!(
                    (&published.body["topic"], &published.body["priority"]),
                    (&json!("out"), &json!(4))
                );
                assert_eq!(
                    (&published.body["title"], &published.body["tags"][0]),
                    (&json!("Reminder"), &json!("pill"))
                );
                let action = &published.body["actions"][index];
                assert_eq!(
                    (&action["label"], &action["url"]),
                    (&json!(label), &json!(format!("{}/back", server.address)))
                );
                let answer = action["body"].as_str().unwrap();
                let mut stream = open(server.hear());
                // What anybody could send who knows the topic.
                let hostile = [
                    "taken".to_owned(),
                    answer.replace("dosed1", "dosed2"),
                    answer[..answer.len() - 1].to_owned(),
                    answer.replace(|c: char| c.is_ascii_digit(), "0"),
                    format!("dosed1 {}", "0".repeat(4000)),
                    "x".repeat(12_000),
                ];
                publish(&mut stream, &hostile.each_ref().map(|message| ("7", message.as_str())));
                writeln!(stream, "not json\n{{\"event\":7}}\n[]\n").unwrap();
                // It goes on where the connection breaks, from the last message on.
                publish(&mut stream, &[("abc", "hello")]);
                drop(stream);
                let again = server.hear();
                assert_eq!(again.line, "GET /back/json?since=abc HTTP/1.1");
                let mut stream = open(again);
                publish(&mut stream, &[("8", answer), ("9", answer)]);
                let fact = watch.fact(kind);
                let occurrence = fact["fact"]["occurrence"].as_str().unwrap().to_owned();
                assert!(occurrence.starts_with("probiotic@"), "{fact}");
                // The second one is no second answer.
                home.good(&["today"]);
                let answers = home.journal().iter().filter(|fact| fact["fact"]["type"] == kind).count();
                assert_eq!(answers, 1);
                drop(stream);
                daemon.kill();
            });
        }
    });
}

#[test]
fn answers_that_were_given_while_dosed_was_down_count() {
    let home = Home::new();
    let server = Server::new(&[]);
    let daemon = start(&home, &PHONE.replace("SERVER", &server.address));
    let fact = outcome(&mut home.watch());
    let answer = server.hear().body["actions"][0]["body"].as_str().unwrap().to_owned();
    drop(server.hear());
    daemon.kill();
    let _daemon = home.start();
    let mut watch = home.watch();
    let again = server.hear();
    let at: jiff::Timestamp = fact["at"].as_str().unwrap().parse().unwrap();
    // A message can be out before its server has said so.
    assert_eq!(again.line, format!("GET /back/json?since={} HTTP/1.1", at.as_second() - 60));
    let mut stream = open(again);
    publish(&mut stream, &[("1", &answer)]);
    watch.fact("intake");
}

#[test]
fn tls_is_checked() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = key.cert.pem();
    let config = tokio_rustls::rustls::ServerConfig::builder_with_provider(Arc::new(
        tokio_rustls::rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(
        vec![key.cert.der().clone()],
        tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()).into(),
    )
    .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let (port_in, port) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            port_in.send(listener.local_addr().unwrap().port()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                let _ = stream.shutdown().await;
            }
        });
    });
    let port = port.recv().unwrap();
    for (is_known, host) in [(true, "localhost"), (false, "localhost"), (true, "127.0.0.1")] {
        let mut home = Home::new();
        std::fs::write(home.path("ca.pem"), &certificate).unwrap();
        if is_known {
            home.set("SSL_CERT_FILE", home.path("ca.pem"));
        }
        home.schedule(&one("00:00", &format!("kind = \"webhook\"\nurl = \"https://{host}:{port}/\"\n")));
        let _daemon = home.start();
        // There is no desktop here, so that it cannot end well.
        let tried = home.dosed(&["test", "--json"]);
        assert_eq!(tried.status.code(), Some(1));
        let tried: Value = serde_json::from_slice(&tried.stdout).unwrap();
        let phone = tried.as_array().unwrap().iter().find(|row| row["channel"] == "phone").unwrap();
        assert_eq!(phone["ok"], is_known && host == "localhost", "{phone}");
        if phone["ok"] == false {
            let error = phone["error"].as_str().unwrap();
            // The error of TLS names this host and those of the certificate.
            assert!(
                error.contains("certificate") && !error.contains("127.0") && !error.contains("localhost"),
                "{error}"
            );
        }
    }
}
