//! Reminders against a notification server of our own, which does on demand what no real one does.
//!
//! The server is a script: what it does at each notification that it is asked for, and what it is told
//! to do in between. Nothing is waited for by the clock: facts come over the daemon's events, calls over
//! the peer's channel, and both in the order in which they were made. Where nothing is to happen, a
//! notification of its own, the witness, is closed afterwards: what has not come before it never will.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Instant;

use futures_util::StreamExt;
use jiff::SignedDuration;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream, OwnedVariant, Variant};

use crate::support::{
    Daemon, Guard, Home, PATIENCE, Watch, in_seconds, time_of_day, wait_until, write_script,
};

mod reminders;
mod schedule;

const SERVER: &str = "org.freedesktop.Notifications";

const PATH: &str = "/org/freedesktop/Notifications";

const BUS: &str = "org.freedesktop.DBus";

const BUS_PATH: &str = "/org/freedesktop/DBus";

/// Numbers that no script names begin here.
const FIRST_NUMBER: u32 = 101;

/// What a server of today can do.
const USUAL: Capabilities = &["actions", "body"];

const BUTTONS: [&str; 8] = ["taken", "Taken", "snooze", "Snooze 15 min", "skip", "Skip", "default", "Open"];

/// Names and amounts with everything that a server which reads markup would stumble over.
const PROBIOTIC: &str = r#"
[[supplement]]
id = "probiotic"
name = "Probiotic & co"
strain = "L. reuteri <ATCC PTA 6475>"
dose = "5e9 CFU"
with = "food"
note = "not with coffee"
times = ["NOW"]
"#;

const ZINC: &str = r#"
[[supplement]]
id = "zinc"
name = "Zinc"
dose = "15 mg"
times = ["ZINC"]
"#;

/// Announces itself a second after the others, on a notification of its own, as its minute is another.
const WITNESS: &str = r#"
[[habit]]
id = "witness"
times = ["AFTER"]
lead = ["5m"]
"#;

/// Something that a server does.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Answers the newest call for a notification with its number.
    Number(u32),
    /// Answers it with an error.
    Refuse,
    /// Answers it with something that is no number.
    Babble,
    /// Says that a notification is gone.
    Closed(u32, u32),
    /// Says that a button was pressed.
    Pressed(u32, &'static str),
    /// Says both in a form that cannot be read.
    Mumble,
    /// The person wants no notifications, or wants them again.
    Inhibited(bool),
}

use Step::{Babble, Closed, Inhibited, Mumble, Number, Pressed, Refuse};

/// What a server says that it can do.
type Capabilities = &'static [&'static str];

/// What a server does at its first notification, at the second, and so on; then it behaves.
type Script = &'static [&'static [Step]];

/// A call for a notification.
#[derive(Debug)]
struct Notify {
    /// Who asks, by its own name on the bus.
    sender: String,
    app: String,
    replaces: u32,
    icon: String,
    title: String,
    body: String,
    actions: Vec<String>,
    hints: HashMap<String, OwnedVariant>,
    timeout: i32,
}

/// A call that a server got.
#[derive(Debug)]
enum Heard {
    Notify(Notify),
    Close(u32),
}

/// A session bus that starts no programs of its own.
struct Bus {
    _daemon: Guard,
    address: String,
}

impl Bus {
    fn new(home: &mut Home) -> Self {
        let config = format!(
            "<busconfig><type>session</type><auth>EXTERNAL</auth><listen>unix:path={}</listen>\
             <policy context=\"default\"><allow send_destination=\"*\"/><allow receive_sender=\"*\"/>\
             <allow own=\"*\"/></policy></busconfig>",
            home.path("bus"),
        );
        std::fs::write(home.path("bus.conf"), config).unwrap();
        let mut daemon = home
            .command("dbus-daemon")
            .args(["--nofork", "--print-address=1", "--config-file", &home.path("bus.conf")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut address = String::new();
        BufReader::new(daemon.stdout.as_mut().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        assert!(!address.is_empty(), "the bus did not start");
        home.set("DBUS_SESSION_BUS_ADDRESS", &address);
        Self { _daemon: Guard(daemon), address }
    }

    /// Starts a server; where there is one, it takes the name over.
    fn peer(&self, capabilities: Capabilities, script: Script) -> Peer {
        let (address, (steps, told), (say, heard)) =
            (self.address.clone(), unbounded_channel(), mpsc::channel());
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let connection = connect(&address).await;
                // The first call must find someone who listens.
                let stream = MessageStream::from(&connection);
                connection.request_name(SERVER).await.unwrap();
                ready.send(()).unwrap();
                let (number, call, inhibited) = (FIRST_NUMBER, None, None);
                let stage = Stage { connection, capabilities, script, number, call, inhibited, say };
                stage.play(stream, told).await;
            });
        });
        is_ready.recv_timeout(PATIENCE).expect("the peer is on the bus");
        Peer { steps: Some(steps), heard, thread: Some(thread) }
    }

    /// Lets another program of the same bus send messages, and waits until the bus has passed them on.
    fn forge(&self, messages: &[Message]) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let connection = connect(&self.address).await;
            for message in messages {
                connection.send(message).await.unwrap();
            }
            connection.call_method(Some(BUS), BUS_PATH, Some(BUS), "GetId", &()).await.unwrap();
        });
    }
}

async fn connect(address: &str) -> Connection {
    zbus::connection::Builder::address(address).build().await.unwrap()
}

/// The server as a test holds it.
struct Peer {
    steps: Option<UnboundedSender<Step>>,
    heard: mpsc::Receiver<Heard>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Lets it do something now.
    fn act(&self, step: Step) {
        self.steps.as_ref().unwrap().send(step).unwrap();
    }

    /// Waits for the next call.
    #[track_caller]
    fn hear(&self) -> Heard {
        self.heard.recv_timeout(PATIENCE).expect("a call comes in time")
    }

    /// Waits for the next call, which has to be for a notification.
    #[track_caller]
    fn notify(&self) -> Notify {
        match self.hear() {
            Heard::Notify(notify) => notify,
            other @ Heard::Close(_) => panic!("no Notify but {other:?}"),
        }
    }

    /// Waits for the next call, which has to take a notification down, and returns its number.
    #[track_caller]
    fn close(&self) -> u32 {
        match self.hear() {
            Heard::Close(number) => number,
            other @ Heard::Notify(_) => panic!("no CloseNotification but {other:?}"),
        }
    }

    /// Leaves the bus, if it has not yet.
    fn leave(&mut self) {
        drop(self.steps.take());
        // A panic of its own has been printed, and the test fails where it waits.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The server as it plays.
struct Stage {
    connection: Connection,
    capabilities: Capabilities,
    script: Script,
    number: u32,
    /// The newest call for a notification.
    call: Option<Message>,
    /// Whether the person wants no notifications; many servers do not know.
    inhibited: Option<bool>,
    say: mpsc::Sender<Heard>,
}

impl Stage {
    async fn play(mut self, mut stream: MessageStream, mut told: UnboundedReceiver<Step>) {
        loop {
            tokio::select! {
                biased;
                step = told.recv() => match step {
                    Some(step) => self.act(step).await,
                    None => return,
                },
                message = stream.next() => match message {
                    Some(Ok(message)) if message.message_type() == Type::MethodCall => self.hear(message).await,
                    Some(Ok(_)) => {}
                    // The bus ends before the peer where a test ends.
                    _ => return,
                },
            }
        }
    }

    async fn hear(&mut self, message: Message) {
        let header = message.header();
        let sent = match header.member().unwrap().as_str() {
            "GetServerInformation" => self.connection.reply(&header, &("peer", "dosed", "1", "1.2")).await,
            "GetCapabilities" => self.connection.reply(&header, &self.capabilities).await,
            "CloseNotification" => {
                let number = message.body().deserialize().unwrap();
                // The test may have heard enough; so here and below.
                let _ = self.say.send(Heard::Close(number));
                self.connection.reply(&header, &()).await.unwrap();
                // Servers say so, with the reason for this.
                return self.act(Closed(number, 3)).await;
            }
            "Notify" => return self.take_notify(message).await,
            "Get" => match self.inhibited {
                Some(inhibited) => self.connection.reply(&header, &Variant::from(inhibited)).await,
                None => {
                    let unknown = "org.freedesktop.DBus.Error.UnknownProperty";
                    self.connection.reply_error(&header, unknown, &"no such property").await
                }
            },
            other => panic!("a call of {other}"),
        };
        sent.unwrap();
    }

    async fn take_notify(&mut self, message: Message) {
        let (app, replaces, icon, title, body, actions, hints, timeout) =
            message.body().deserialize().unwrap();
        let sender = message.header().sender().unwrap().to_string();
        let notify = Notify { sender, app, replaces, icon, title, body, actions, hints, timeout };
        let _ = self.say.send(Heard::Notify(notify));
        self.call = Some(message);
        if let Some((steps, rest)) = self.script.split_first() {
            self.script = rest;
            for step in *steps {
                self.act(*step).await;
            }
        } else if replaces != 0 {
            self.act(Number(replaces)).await;
        } else {
            self.number += 1;
            self.act(Number(self.number - 1)).await;
        }
    }

    async fn act(&mut self, step: Step) {
        let call = || self.call.as_ref().expect("there was a Notify").header();
        let sent = match step {
            Number(number) => self.connection.reply(&call(), &number).await,
            Refuse => self.connection.reply_error(&call(), "org.example.Full", &"no room").await,
            Babble => self.connection.reply(&call(), &"seven").await,
            Closed(number, reason) => self.connection.send(&closed(number, reason)).await,
            Pressed(number, button) => self.connection.send(&pressed(number, button)).await,
            Inhibited(inhibited) => {
                self.inhibited = Some(inhibited);
                let changed = HashMap::from([("Inhibited", Variant::from(inhibited))]);
                let body = (SERVER, changed, [""; 0].as_slice());
                let signal = Message::signal(PATH, "org.freedesktop.DBus.Properties", "PropertiesChanged");
                self.connection.send(&signal.build(&body).unwrap()).await
            }
            Mumble => {
                self.connection.send(&signal("ActionInvoked", &("seven", "taken"))).await.unwrap();
                self.connection.send(&signal("NotificationClosed", &7_u32)).await
            }
        };
        // The bus ends before the peer where a test ends.
        let _ = sent;
    }
}

fn signal<B: serde::Serialize + zbus::zvariant::DynamicType>(name: &'static str, body: &B) -> Message {
    Message::signal(PATH, SERVER, name).build(body).unwrap()
}

fn closed(number: u32, reason: u32) -> Message {
    signal("NotificationClosed", &(number, reason))
}

fn pressed(number: u32, button: &str) -> Message {
    signal("ActionInvoked", &(number, button))
}

/// Writes the times of a schedule: what is `NOW` falls due so many seconds ahead, or one more.
fn timed(schedule: &str, ahead: i64) -> String {
    let mut now = in_seconds(ahead);
    // A second later it must still be the same minute.
    if now.as_second().rem_euclid(60) == 59 {
        now += SignedDuration::from_secs(1);
    }
    let after = |seconds| time_of_day(now + SignedDuration::from_secs(seconds));
    let words = [("NOW", 0), ("NEXT", 1), ("LATER", 300), ("AFTER", 301)];
    words.iter().fold(schedule.to_owned(), |text, (word, seconds)| text.replace(word, &after(*seconds)))
}

/// A daemon, its server, and what both say.
struct Scene {
    watch: Watch,
    daemon: Daemon,
    peer: Peer,
    bus: Bus,
    home: Home,
    /// How far ahead a time must be that a schedule names, in seconds: the more there is to do, the farther.
    ahead: i64,
}

/// Starts everything and gives it a schedule.
fn scene(schedule: &str, script: Script) -> Scene {
    let mut home = Home::new();
    let bus = Bus::new(&mut home);
    let peer = bus.peer(USUAL, script);
    home.schedule("[[habit]]\nid = \"nothing\"\nas-needed = true\n");
    let begun = Instant::now();
    let daemon = home.start();
    let ahead = 2 + 4 * begun.elapsed().as_secs_f64().round() as i64;
    let watch = home.watch();
    let mut scene = Scene { watch, daemon, peer, bus, home, ahead };
    // Only now: a slot that passes while a daemon starts is not its slot.
    scene.schedule(schedule);
    scene
}

/// Returns what a fact is and what it is about, where it is about reminders and answers.
fn name(fact: &Value) -> Option<String> {
    let fact = &fact["fact"];
    let kind = fact["type"].as_str()?;
    let about = fact["occurrence"].as_str().or(fact["item"].as_str()).unwrap_or_default();
    let item = about.split('@').next()?;
    (kind != "regimen" && kind != "zone").then(|| format!("{kind} {item}"))
}

impl Scene {
    /// Writes a schedule whose times are about to come.
    fn schedule(&mut self, schedule: &str) {
        self.home.schedule(&timed(schedule, self.ahead));
    }

    /// Waits for the next fact about reminders and answers.
    #[track_caller]
    fn fact(&mut self) -> (String, Value) {
        let event = self.watch.wait(|event| name(&event["fact"]).is_some());
        (name(&event["fact"]).unwrap(), event["fact"]["fact"].clone())
    }

    /// Waits for facts, which have to be these, in this order and with no others between.
    #[track_caller]
    fn facts(&mut self, expected: &[&str]) {
        for expected in expected {
            let (name, fact) = self.fact();
            assert_eq!(name, *expected, "{fact}");
        }
    }

    /// Closes the witness and returns all facts until that is recorded, without its own.
    #[track_caller]
    fn facts_until_witness(&mut self) -> Vec<String> {
        self.peer.act(Closed(FIRST_NUMBER, 2));
        let mut found = Vec::new();
        loop {
            match self.fact().0 {
                name if name == "closed witness" => return found,
                name if name == "delivered witness" => {}
                name => found.push(name),
            }
        }
    }

    /// Lets the server go, and another one come in its place.
    fn change_peer(&mut self, capabilities: Capabilities) {
        self.peer.leave();
        self.peer = self.bus.peer(capabilities, &[]);
    }

    /// Ends the daemon as a power cut would.
    fn kill(&mut self) {
        self.daemon.child.kill().unwrap();
        self.daemon.child.wait().unwrap();
    }

    fn start(&mut self) {
        self.daemon = self.home.start();
        self.watch = self.home.watch();
    }

    #[track_caller]
    fn is_due(&self, item: &str) {
        let today = self.home.json(&["today", "--json"]);
        let states: Vec<_> = today
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["item"] == item)
            .map(|row| &row["state"])
            .collect();
        assert!(states.contains(&&"due".into()), "{item} is {states:?}");
    }
}

/// Checks every row of a table at the same time, as each waits for a slot of its own.
fn each<R: Sync>(rows: &[R], check: impl Fn(&R) + Sync) {
    std::thread::scope(|scope| {
        let check = &check;
        for row in rows {
            scope.spawn(move || check(row));
        }
    });
}
