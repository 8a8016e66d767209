//! A desk to test at: a home of its own, the real binary, and a real desktop where one is wanted.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

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
    pub(crate) fn curl(&self, arguments: &[&str], path: &str) -> Value {
        let output = self
            .command("curl")
            .args(["--silent", "--show-error", "--max-time", "30", "--unix-socket"])
            .arg(self.socket())
            .args(arguments)
            .arg(format!("http://dosed{path}"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{path}: {error}: {}", String::from_utf8_lossy(&output.stdout));
        })
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
    pub(crate) fn ask_until_logged(&self, said: &str) {
        let mut asked = 0;
        while !self.log().contains(said) {
            self.good(&["today"]);
            asked += 1;
            assert!(asked < 1000, "{}", self.log());
        }
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

/// A desktop: Xvfb, a session bus, and dunst.
pub(crate) struct Desktop {
    _xvfb: Guard,
    _bus: Guard,
    pub(crate) display: String,
}

impl Desktop {
    /// Starts the display and the bus, and lets the home use them; dunst comes with [`Desktop::dunst`].
    pub(crate) fn new(home: &mut Home) -> Self {
        let mut xvfb = home
            .command("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "640x360x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let display = format!(":{}", first_line(&mut xvfb));
        let (bus, address) = session_bus(home);
        home.set("DISPLAY", &display);
        home.set("DBUS_SESSION_BUS_ADDRESS", &address);
        Self { _xvfb: Guard(xvfb), _bus: bus, display }
    }

    /// Returns a home with a desktop on which dunst runs.
    pub(crate) fn with_dunst() -> (Home, Self, Guard) {
        let mut home = Home::new();
        let desktop = Self::new(&mut home);
        let dunst = desktop.dunst(&home);
        (home, desktop, dunst)
    }

    /// Starts dunst and waits until it owns its name. Its menu picks the entry that [`Desktop::choose`]
    /// names.
    pub(crate) fn dunst(&self, home: &Home) -> Guard {
        let pick = home.path("pick");
        let script = format!("#!/bin/sh\ngrep -F -- \"#$(cat {}) \" | head -n 1\n", home.path("choice"));
        write_script(Path::new(&pick), &script);
        let config = home.dir.path().join("home/.config/dunst/dunstrc");
        std::fs::create_dir_all(config.parent().unwrap()).unwrap();
        let text = format!(
            "[global]\ndmenu = {pick}\nfont = DejaVu Sans 12\nwidth = 420\norigin = top-center\noffset = 0x24\nframe_width = 2\nframe_color = \"#5a7d5a\"\ncorner_radius = 8\nheight = 240\n[urgency_normal]\nbackground = \"#f7f5ef\"\nforeground = \"#26302a\"\n"
        );
        std::fs::write(&config, text).unwrap();
        let dunst = home
            .command("dunst")
            .arg("-config")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .expect("dunst is installed");
        let waited = home
            .command("gdbus")
            .args(["wait", "--session", "--timeout", "30", "org.freedesktop.Notifications"])
            .status()
            .expect("gdbus is installed");
        assert!(waited.success());
        Guard(dunst)
    }

    /// Chooses a button on the notification that is shown.
    pub(crate) fn choose(&self, home: &Home, label: &str) {
        std::fs::write(home.path("choice"), label).unwrap();
        assert!(home.command("dunstctl").arg("action").status().unwrap().success());
    }

    pub(crate) fn displayed(&self, home: &Home) -> usize {
        let output = home.command("dunstctl").args(["count", "displayed"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }
}

/// Starts a bus and returns it with its address.
pub(crate) fn session_bus(home: &Home) -> (Guard, String) {
    let mut bus = home
        .command("dbus-daemon")
        .args(["--session", "--nofork", "--print-address=1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("dbus-daemon is installed");
    let address = first_line(&mut bus);
    (Guard(bus), address)
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

/// A small random generator, xorshift: repeatable from its seed, which must not be zero.
pub(crate) struct Lot(pub(crate) u64);

impl Lot {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// Returns a number below another; below 0 and 1 there is only 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Returns a local time some seconds ahead, as a schedule writes it.
pub(crate) fn soon(seconds: i64) -> String {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
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
