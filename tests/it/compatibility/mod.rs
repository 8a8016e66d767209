//! What other programs rely on: every answer of `/v1` and of `--json` has at least what it had in the samples.
//!
//! `tests/samples/api-v1` holds a schedule, a record of the first months of 2026 and one sample for each step below, as
//! the first contract answered it. A sample says what has to be there; members may be added. To take samples of new
//! steps, name the program that answers them:
//! `DOSED_SAMPLES_OF=target/debug/dosed cargo test --test it -- --ignored samples_are_written`.

pub(crate) mod matching;
mod steps;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use self::matching::{masked, mismatches};
use self::steps::{Call, STEPS};
use crate::support::{Daemon, Home};

/// The device of the record.
const DEVICE: &str = "desk-0001";

/// A zone without summer time: each day is open for 24 hours.
const ZONE: &str = "Asia/Tokyo";

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/api-v1")
}

/// Returns a home with the schedule and the record of the samples.
pub(crate) fn home_with_record() -> Home {
    let mut home = Home::with_schedule(&std::fs::read_to_string(samples().join("schedule.toml")).unwrap());
    home.set("TZ", ZONE);
    // Whether this machine has logind makes no difference.
    let no_bus = format!("unix:path={}", home.path("no-bus"));
    home.set("DBUS_SYSTEM_BUS_ADDRESS", no_bus);
    let journals = home.data().join("journal");
    std::fs::create_dir_all(&journals).unwrap();
    std::fs::write(home.data().join("device"), format!("{DEVICE}\n")).unwrap();
    std::fs::copy(samples().join("record.jsonl"), journals.join(format!("{DEVICE}.jsonl"))).unwrap();
    home
}

/// One run through all steps.
struct Run {
    home: Home,
    program: String,
    _daemon: Daemon,
    /// What was answered, by the names of the steps.
    answers: BTreeMap<&'static str, Value>,
}

impl Run {
    fn start(program: &str) -> Self {
        let home = home_with_record();
        std::fs::write(home.path("bad.toml"), "[[supplement]]\nid = 7\n").unwrap();
        let daemon = |home: &Home| {
            let mut command = home.command(program);
            command.arg("daemon");
            command
        };
        let daemon = home.start_by(daemon, |_| {});
        Self { home, program: program.to_owned(), _daemon: daemon, answers: BTreeMap::new() }
    }

    /// Fills in what an earlier step answered: `{take.id}` is the member `id` of the step `take`.
    fn filled_in(&self, text: &str) -> String {
        let mut text = text.replace("{home}", self.home.dir.path().to_str().unwrap());
        for (name, answer) in &self.answers {
            let id = answer["body"]["id"].as_str().unwrap_or_default();
            text = text.replace(&format!("{{{name}.id}}"), id);
        }
        text
    }

    fn take_step(&mut self, name: &'static str, call: &Call) -> Value {
        let answer = match call {
            Call::Get(path) => self.request("GET", path, &[], ""),
            Call::Post(path, body) => self.request("POST", path, &[], body),
            Call::Keyed(key, path, body) => {
                self.request("POST", path, &[&format!("idempotency-key: {key}")], body)
            }
            Call::Other(method, path) => self.request(method, path, &[], ""),
            Call::Event(kind, path, body) => {
                let mut watch = self.home.watch();
                self.request("POST", path, &[], body);
                let event = watch.wait(|event| event["fact"]["fact"]["type"] == *kind);
                json!({ "body": event })
            }
            Call::Command(arguments) => self.command(arguments),
            Call::Exit(arguments) => json!({ "exit": self.command(arguments)["exit"] }),
        };
        self.answers.insert(name, answer.clone());
        answer
    }

    fn request(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Value {
        let answer = self.home.request(method, &self.filled_in(path), headers, body);
        json!({
            "status": answer.status(),
            "content-type": answer.header("content-type"),
            "has-remark": answer.header("dosed-remark").is_some(),
            "body": answer.body,
        })
    }

    fn command(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<String> = arguments.iter().map(|argument| self.filled_in(argument)).collect();
        let output = self.home.command(&self.program).args(&arguments).output().unwrap();
        let exit = output.status.code().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        json!({ "exit": exit, "body": serde_json::from_str::<Value>(&text).ok() })
    }
}

/// Leaves out of an answer what is not held: of the document of all routes all but the routes and their methods.
fn kept(name: &str, mut answer: Value) -> Value {
    if name == "openapi" {
        let routes: BTreeMap<&String, Vec<&String>> = answer["body"]["paths"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(path, methods)| (path, methods.as_object().unwrap().keys().collect()))
            .collect();
        // Each method is a member: more may be added.
        let routes: Value = routes
            .into_iter()
            .map(|(path, methods)| {
                let methods: BTreeMap<_, _> = methods.into_iter().map(|method| (method, json!({}))).collect();
                (path.clone(), json!(methods))
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        answer["body"] = json!({ "paths": routes });
    }
    answer
}

#[test]
fn every_answer_has_what_it_had_in_the_samples() {
    let mut run = Run::start(env!("CARGO_BIN_EXE_dosed"));
    let mut wrong = Vec::new();
    for (name, call) in STEPS {
        let answer = kept(name, run.take_step(name, call));
        let sample = std::fs::read_to_string(samples().join(format!("{name}.json")))
            .unwrap_or_else(|error| panic!("there is no sample of the step {name}: {error}"));
        let found = mismatches(&serde_json::from_str(&sample).unwrap(), &answer);
        wrong.extend(found.iter().map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_is_a_step_for_each_sample_and_each_route() {
    let mut names: Vec<String> = STEPS.iter().map(|(name, _)| format!("{name}.json")).collect();
    names.sort();
    let mut files: Vec<String> = std::fs::read_dir(samples())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert_eq!(names, files);
    let document = std::fs::read_to_string(samples().join("openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    for (route, methods) in document["body"]["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let is_called = STEPS.iter().any(|(_, call)| call.is_of(method, route));
            assert!(is_called, "no step calls {method} {route}");
        }
    }
}

#[test]
#[ignore = "writes the samples; run by hand with DOSED_SAMPLES_OF=PROGRAM"]
fn samples_are_written() {
    let mut run = Run::start(&std::env::var("DOSED_SAMPLES_OF").expect("DOSED_SAMPLES_OF names the program"));
    let home = run.home.dir.path().to_str().unwrap().to_owned();
    for (name, call) in STEPS {
        let mut answer = masked(kept(name, run.take_step(name, call)), &home);
        if *name == "command-doctor" {
            // What is looked at, and whether it is well, depends on the machine.
            answer = json!({ "body": ["<each>", { "check": "<word>", "state": "<word>", "said": "<any>", "help": "<any>" }] });
        }
        let text = serde_json::to_string_pretty(&answer).unwrap();
        std::fs::write(samples().join(format!("{name}.json")), text + "\n").unwrap();
    }
}
