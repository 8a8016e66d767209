//! A stand-in for an ntfy server, as far as <https://docs.ntfy.sh> describes what dosed uses: topics that keep what was
//! published and repeat it to whoever asks `since` a time or a message, streams and polls, refusals.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::channels::read_request;
use crate::support::PATIENCE;

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Each with its topic.
    messages: Vec<Value>,
    subscribers: Vec<(String, TcpStream)>,
    /// The lines of all requests.
    pub(crate) requests: Vec<String>,
    /// What is answered to whoever listens: a status, and perhaps more of the head.
    refusal: Option<String>,
}

impl State {
    fn publish(&mut self, topic: &str, message: &str, time: i64, more: Value) {
        let id = format!("m{:011}", self.messages.len());
        let whole = json!({
            "id": id, "time": time, "event": "message", "topic": topic, "message": message, "published": more,
        });
        self.subscribers.retain_mut(|(of, stream)| of != topic || writeln!(stream, "{whole}").is_ok());
        self.messages.push(whole);
    }

    /// Returns what a topic has since a time, or after a message.
    fn since(&self, topic: &str, since: &str) -> Vec<&Value> {
        let after = self.messages.iter().position(|message| message["id"] == since);
        let from = since.parse::<i64>().unwrap_or(i64::MIN);
        let newer = self.messages.iter().enumerate().filter(|(i, message)| match after {
            Some(after) => *i > after,
            None => message["time"].as_i64().unwrap() >= from,
        });
        newer.map(|(_, message)| message).filter(|message| message["topic"] == topic).collect()
    }

    fn listen(&mut self, mut stream: TcpStream, topic: &str, query: &str) -> std::io::Result<()> {
        if let Some(refusal) = &self.refusal {
            return write!(stream, "HTTP/1.1 {refusal}\r\ncontent-length: 0\r\n\r\n");
        }
        let parameter = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name));
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n")?;
        let is_poll = parameter("poll=") == Some("1");
        if !is_poll {
            writeln!(stream, "{}", json!({ "id": "open", "time": 1, "event": "open", "topic": topic }))?;
        }
        for message in self.since(topic, parameter("since=").unwrap_or_default()) {
            writeln!(stream, "{message}")?;
        }
        if !is_poll {
            self.subscribers.push((topic.to_owned(), stream));
        }
        Ok(())
    }
}

/// A server on this machine.
pub(crate) struct Ntfy {
    pub(crate) address: String,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Ntfy {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let server = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                // Whoever hangs up has heard enough.
                let _ = answer(stream, &server);
                server.1.notify_all();
            }
        });
        Self { address, shared }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap()
    }

    /// Waits until the server has heard something.
    #[track_caller]
    pub(crate) fn wait<T>(&self, what: &str, mut found: impl FnMut(&State) -> Option<T>) -> T {
        let mut state = self.state();
        loop {
            if let Some(found) = found(&state) {
                return found;
            }
            let (next, waited) = self.shared.1.wait_timeout(state, PATIENCE).unwrap();
            assert!(!waited.timed_out(), "{what}: {:?}", next.requests);
            state = next;
        }
    }

    /// Waits for the message that went out as the `n`th, from 1, and returns what was published.
    #[track_caller]
    pub(crate) fn published(&self, n: usize) -> Value {
        self.wait("a message", |state| {
            let mut of = state.messages.iter().filter(|message| message["topic"] == "out");
            of.nth(n - 1).map(|message| message["published"].clone())
        })
    }

    /// Waits until so many requests began like this.
    #[track_caller]
    pub(crate) fn asked(&self, n: usize, begin: &str) -> String {
        self.wait(begin, |state| {
            state.requests.iter().filter(|line| line.starts_with(begin)).nth(n - 1).cloned()
        })
    }

    /// Whoever listens from now on is refused like this, or not any more; who listens already is cut off.
    pub(crate) fn refuse(&self, refusal: Option<&str>) {
        let mut state = self.state();
        state.refusal = refusal.map(ToOwned::to_owned);
        state.subscribers.clear();
    }

    /// Publishes an answer, as a press of the phone would at a time.
    pub(crate) fn press(&self, answer: &str, at: Timestamp) {
        self.state().publish("back", answer, at.as_second(), Value::Null);
    }
}

fn answer(mut stream: TcpStream, shared: &(Mutex<State>, Condvar)) -> std::io::Result<()> {
    let Some(asked) = read_request(&stream) else { return Ok(()) };
    let mut state = shared.0.lock().unwrap();
    state.requests.push(asked.line.clone());
    let path = asked.line.split(' ').nth(1).unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if let Some(topic) = path.strip_prefix('/').and_then(|path| path.strip_suffix("/json")) {
        return state.listen(stream, topic, query);
    }
    if asked.line.starts_with("POST ") {
        let topic = asked.body["topic"].as_str().unwrap_or(path.trim_start_matches('/')).to_owned();
        let text = asked.body["message"].as_str().unwrap_or(&asked.text).to_owned();
        state.publish(&topic, &text, Timestamp::now().as_second(), asked.body);
    }
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{{}}")
}
