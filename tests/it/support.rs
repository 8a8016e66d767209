//! A desk to test at: a home of its own, the real binary, and a real desktop where one is wanted.

mod desktop;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub(crate) use desktop::{Desktop, bare_bus, session_bus};

/// How long anything may take before a test fails; nothing waits this long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A home directory of its own.
pub(crate) struct Home {
    pub(crate) dir: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut home = Self { dir, variables: Vec::new() };
        home.set("HOME", home.path("home"));
        home.set("XDG_RUNTIME_DIR", home.path("run"));
        home.set("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", home.path("no-bus")));
        std::fs::create_dir(home.path("home")).unwrap();
        std::fs::create_dir(home.path("run")).unwrap();
        home
    }

    pub(crate) fn with_schedule(schedule: &str) -> Self {
        let home = Self::new();
        home.schedule(schedule);
        home
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value));
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("run/dosed/dosed.sock")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("home/.local/share/dosed")
    }

    pub(crate) fn schedule_path(&self) -> PathBuf {
        self.dir.path().join("home/.config/dosed/schedule.toml")
    }

    /// Writes the schedule as an editor does: a new file in place of the old.
    pub(crate) fn schedule(&self, text: &str) {
        let path = self.schedule_path();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path.with_extension("new"), text).unwrap();
        std::fs::rename(path.with_extension("new"), path).unwrap();
    }

    /// Returns a command in this home, without anything of the tester's own environment but `PATH`.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("TZ", "Europe/Berlin");
        command.envs(self.variables.iter().cloned());
        command
    }

    pub(crate) fn dosed(&self, arguments: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_dosed")).args(arguments).output().unwrap()
    }

    /// Runs a command that has to succeed, and returns what it prints.
    #[track_caller]
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let output = self.dosed(arguments);
        assert!(output.status.success(), "dosed {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.good(arguments)).unwrap()
    }

    /// Runs a command that has to fail, and returns its exit code and its error.
    #[track_caller]
    pub(crate) fn bad(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.dosed(arguments);
        assert!(!output.status.success(), "dosed {arguments:?} should fail");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// Asks the socket as any program would.
    #[track_caller]
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Response {
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: dosed\r\nconnection: close\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let response = raw(&self.socket(), request.as_bytes());
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{path}: {response}"));
        let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"));
        Response { head: head.to_owned(), body }
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.request("GET", path, &[], "").body
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &str) -> Value {
        self.request("POST", path, &[], body).body
    }

    pub(crate) fn journal(&self) -> Vec<Value> {
        let device = std::fs::read_to_string(self.data().join("device")).unwrap();
        let journal = self.data().join(format!("journal/{}.jsonl", device.trim()));
        std::fs::read_to_string(journal)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Adds facts to the journal, as a daemon would have recorded them at those times; none runs.
    pub(crate) fn record(&self, facts: &[(Timestamp, Value)]) {
        let device = std::fs::read_to_string(self.data().join("device")).unwrap();
        let device = device.trim();
        let path = self.data().join(format!("journal/{device}.jsonl"));
        let mut text = std::fs::read_to_string(&path).unwrap();
        for (seq, (recorded_at, fact)) in (text.lines().count() + 1..).zip(facts) {
            let line = format!(
                "{{\"v\":1,\"id\":\"{device}.{seq}\",\"seq\":{seq},\"device\":\"{device}\",\"recorded_at\":\"{recorded_at}[UTC]\",\"fact\":{fact}"
            );
            text.push_str(&format!("{line},\"crc\":\"{:08x}\"}}\n", crc32fast::hash(line.as_bytes())));
        }
        std::fs::write(path, text).unwrap();
    }

    /// Starts the daemon and waits until it says that it is ready.
    pub(crate) fn start(&self) -> Daemon {
        self.start_with(|_| {})
    }

    pub(crate) fn start_with(&self, change: impl FnOnce(&mut Command)) -> Daemon {
        let daemon = |home: &Self| {
            let mut command = home.command(env!("CARGO_BIN_EXE_dosed"));
            command.arg("daemon");
            command
        };
        self.start_by(daemon, change)
    }

    /// Starts the daemon with a schedule that names a time a few seconds ahead, and returns it before that time comes.
    pub(crate) fn start_before_due(&self, schedule: impl Fn(&str) -> String) -> Daemon {
        self.start_before(|time| schedule(&time(0)), |_| {})
    }

    /// Starts the daemon with a schedule that names times a few seconds ahead, and returns it before the first of them
    /// comes. `schedule` is given a function that writes the time so many seconds after the first.
    ///
    /// A slot whose time passes while a daemon starts is none of that daemon's: on a machine with much to do, it
    /// is started again with more time.
    pub(crate) fn start_before(
        &self,
        schedule: impl Fn(&dyn Fn(i64) -> String) -> String,
        change: impl Fn(&mut Command),
    ) -> Daemon {
        for seconds in [2, 4, 8, 16, 32] {
            let first = in_seconds(seconds);
            self.schedule(&schedule(&|more| time_of_day(first + SignedDuration::from_secs(more))));
            let daemon = self.start_with(&change);
            if Timestamp::now() < first {
                return daemon;
            }
            drop(daemon);
            let _ = std::fs::remove_dir_all(self.data());
            std::fs::remove_file(self.path("log")).unwrap();
        }
        panic!("the daemon does not start within 32 s: {}", self.log());
    }

    /// Starts the demo, and returns it with the directory of its made-up record.
    pub(crate) fn start_demo(&self) -> (Daemon, PathBuf) {
        let demo = |home: &Self| {
            let mut command = home.command(env!("CARGO_BIN_EXE_dosed"));
            command.arg("demo");
            command
        };
        (self.start_by(demo, |_| {}), self.data().with_file_name("dosed-demo"))
    }

    /// Starts the daemon by a command of the test's own.
    pub(crate) fn start_by(
        &self,
        command: impl FnOnce(&Self) -> Command,
        change: impl FnOnce(&mut Command),
    ) -> Daemon {
        let path = self.dir.path().join("notify");
        let _ = std::fs::remove_file(&path);
        let ready = UnixDatagram::bind(&path).unwrap();
        ready.set_read_timeout(Some(PATIENCE)).unwrap();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = command(self);
        command.env("NOTIFY_SOCKET", &path).stdout(log.try_clone().unwrap()).stderr(log);
        change(&mut command);
        let daemon = Daemon { child: command.spawn().unwrap(), notify: ready };
        assert_eq!(daemon.hear(), "READY=1", "{}", self.log());
        daemon
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Waits until the log says something: the next question comes after the event in the daemon's queue, or
    /// shortly after.
    #[track_caller]
    pub(crate) fn ask_until_logged(&self, said: &str) {
        wait_until(said, || {
            self.good(&["today"]);
            self.log().contains(said)
        });
    }

    /// Waits until the state of one of today's occurrences, of which there are several in the order of `today`, is this.
    #[track_caller]
    pub(crate) fn wait_for_state(&self, row: usize, state: &str) {
        wait_until(state, || self.json(&["today", "--json"])[row]["state"] == state);
    }

    /// Follows the events, from now on.
    pub(crate) fn watch(&self) -> Watch {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"GET /v1/events HTTP/1.1\r\nhost: dosed\r\n\r\n").unwrap();
        let mut lines = BufReader::new(stream).lines();
        // The greeting comes once it listens.
        assert!(lines.by_ref().any(|line| line.unwrap() == ": dosed events"));
        Watch { lines }
    }
}

/// What the socket answers.
pub(crate) struct Response {
    head: String,
    pub(crate) body: Value,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// Writes a schedule of so many daily items.
pub(crate) fn daily(count: usize) -> String {
    let items = (0..count).map(|i| format!("{{id=\"item-{i}\",times=[\"08:00\"]}}"));
    format!("supplement = [{}]\n", items.collect::<Vec<_>>().join(","))
}

/// A running daemon; it is killed when this is dropped.
pub(crate) struct Daemon {
    pub(crate) child: Child,
    notify: UnixDatagram,
}

impl Daemon {
    /// Waits for what the daemon tells the service manager.
    pub(crate) fn hear(&self) -> String {
        let mut buffer = [0; 256];
        match self.notify.recv(&mut buffer) {
            Ok(length) => String::from_utf8_lossy(&buffer[..length]).trim().to_owned(),
            Err(error) => format!("nothing: {error}"),
        }
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as the service manager does, and returns its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::TERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that ends with its test.
pub(crate) struct Guard(pub(crate) Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Events as they come.
pub(crate) struct Watch {
    lines: std::io::Lines<BufReader<UnixStream>>,
}

impl Watch {
    /// Waits for the next fact of a kind.
    #[track_caller]
    pub(crate) fn fact(&mut self, kind: &str) -> Value {
        self.wait(|event| event["fact"]["fact"]["type"] == kind)["fact"].clone()
    }

    #[track_caller]
    pub(crate) fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.next().expect("the daemon lives").expect("the event comes in time");
            let Some(event) = line.strip_prefix("data: ") else { continue };
            let event = serde_json::from_str(event).unwrap();
            if wanted(&event) {
                return event;
            }
        }
    }
}

pub(crate) fn write_script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.is_empty(), "it did not start");
    line.trim().to_owned()
}

/// A random generator, repeatable from its seed: the library's own, with what tests draw from it.
pub(crate) struct SplitMix64(dosed::core::insight::SplitMix64);

impl SplitMix64 {
    pub(crate) fn new(seed: u64) -> Self {
        Self(dosed::core::insight::SplitMix64(seed))
    }

    /// Returns the generator of one of many rounds, which depends on no round before.
    pub(crate) fn of_round(seed: u64, round: u64) -> Self {
        // Two seeds that lie next to each other would draw the same numbers, one step apart.
        let mut stirred = Self::new(seed ^ round.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self::new(stirred.below(u64::MAX))
    }

    /// Returns a number below another; below 0 and 1 there is only 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0.below(n.max(1) as usize) as u64
    }

    /// Returns a number of `low..=high`.
    pub(crate) fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Waits until something is so; looks often, and fails when it takes longer than anything may.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Returns the full second so many seconds ahead of this one.
pub(crate) fn in_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second() + seconds).unwrap()
}

/// Returns the local time of an instant, as a schedule writes it.
pub(crate) fn time_of_day(at: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    zone.to_datetime(at).strftime("%H:%M:%S").to_string()
}

/// Sends raw bytes to the socket and returns everything that comes back.
pub(crate) fn raw(socket: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
