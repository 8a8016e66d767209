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

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream, OwnedVariant};

use crate::support::{Daemon, Guard, Home, PATIENCE, Watch};

const SERVER: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";

/// Numbers that no script names begin here.
const FIRST_NUMBER: u32 = 101;

/// What a server of today can do.
const USUAL: Capabilities = &["actions", "body"];

const BUTTONS: [&str; 6] = ["taken", "Taken", "snooze", "Snooze 15 min", "skip", "Skip"];

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
}

use Step::{Babble, Closed, Mumble, Number, Pressed, Refuse};

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
                let stage = Stage { connection, capabilities, script, number: FIRST_NUMBER, call: None, say };
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

/// Writes the times of a schedule: what is `NOW` falls due in one to three seconds.
fn timed(schedule: &str) -> String {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let mut now = Timestamp::now() + SignedDuration::from_secs(2);
    // A second later it must still be the same minute.
    if now.as_second().rem_euclid(60) == 59 {
        now += SignedDuration::from_secs(1);
    }
    let after = |seconds| {
        let at = zone.to_datetime(now + SignedDuration::from_secs(seconds));
        at.strftime("%H:%M:%S").to_string()
    };
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
}

/// Starts everything and gives it a schedule.
fn scene(schedule: &str, script: Script) -> Scene {
    let mut home = Home::new();
    let bus = Bus::new(&mut home);
    let peer = bus.peer(USUAL, script);
    home.schedule("[[habit]]\nid = \"nothing\"\nas-needed = true\n");
    let daemon = home.start();
    let watch = home.watch();
    // Only now: a slot that passes while a daemon starts is not its slot.
    home.schedule(&timed(schedule));
    Scene { watch, daemon, peer, bus, home }
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

/// A new server is shown what waits, so that one reminder goes through the whole table.
#[test]
fn a_reminder_is_written_as_each_server_can_show_it() {
    let plain = "5e9 CFU\nL. reuteri <ATCC PTA 6475>\nwith food\nnot with coffee";
    let escaped = "5e9 CFU\nL. reuteri &lt;ATCC PTA 6475&gt;\nwith food\nnot with coffee";
    let command = "\nto answer: dosed take probiotic";
    let mut scene = scene(PROBIOTIC, &[]);
    let first = scene.peer.notify();
    assert_eq!((first.replaces, first.title.as_str(), first.body.as_str()), (0, "Probiotic & co", plain));
    assert_eq!(first.actions, BUTTONS);
    // It stays until the person answers, and is not urgent.
    assert_eq!((first.app.as_str(), first.icon.as_str(), first.timeout), ("dosed", "dosed", 0));
    assert_eq!(first.hints["urgency"], OwnedVariant::from(1_u8));
    scene.facts(&["delivered probiotic"]);
    let table: [(Capabilities, &str, &str, &[&str]); 4] = [
        (&["body", "actions", "body-markup"], escaped, "", &BUTTONS),
        (&["body", "body-markup"], escaped, command, &[]),
        (&["body"], plain, command, &[]),
        (&[], plain, command, &[]),
    ];
    for (capabilities, body, command, actions) in table {
        scene.change_peer(capabilities);
        let shown = scene.peer.notify();
        assert_eq!((shown.replaces, shown.title.as_str()), (0, "Probiotic & co"), "{capabilities:?}");
        assert_eq!(shown.body, format!("{body}{command}"), "{capabilities:?}");
        assert_eq!(shown.actions, actions, "{capabilities:?}");
        // By another server: written down, so that it is found there after a kill.
        scene.facts(&["delivered probiotic"]);
    }
    scene.home.good(&["take", "probiotic"]);
    assert_eq!(scene.peer.close(), FIRST_NUMBER);
    scene.facts(&["intake probiotic"]);
}

#[test]
fn a_private_reminder_tells_nothing() {
    let private = PROBIOTIC.replace("with =", "private = true\nwith =");
    let table = [
        (private.clone(), "Reminder"),
        (format!("private = true\n{PROBIOTIC}"), "Reminder"),
        // Beside one that is not.
        (format!("{private}{}", ZINC.replace("ZINC", "NOW")), "2 reminders"),
    ];
    each(&table, |(schedule, title)| {
        let check = |shown: Notify, has_buttons: bool| {
            assert_eq!((shown.title.as_str(), shown.actions.is_empty()), (*title, !has_buttons));
            let all = format!("{shown:?}").to_lowercase();
            for secret in ["probiotic", "reuteri", "5e9", "cfu", "food", "coffee"] {
                assert!(!all.contains(secret), "{secret} in {all}");
            }
        };
        let mut scene = scene(schedule, &[]);
        check(scene.peer.notify(), true);
        // Without buttons it must not name the command that answers, as that names the item.
        scene.change_peer(&["body"]);
        check(scene.peer.notify(), false);
    });
}

#[test]
fn slots_of_one_minute_are_one_notification() {
    each(&["NOW", "NEXT"], |zinc| {
        let schedule = format!("{PROBIOTIC}{}{WITNESS}", ZINC.replace("ZINC", zinc));
        let mut scene = scene(&schedule, &[&[Number(7)]]);
        let mut first = scene.peer.notify();
        if *zinc == "NEXT" {
            assert_eq!(first.title, "Probiotic & co");
            // The second one joins it where it stands.
            first = scene.peer.notify();
            assert_eq!(first.replaces, 7);
        }
        assert_eq!(scene.peer.notify().title, "witness");
        assert_eq!(first.title, "2 reminders");
        let lines: Vec<_> = first.body.lines().collect();
        assert_eq!(
            lines,
            [
                "Probiotic & co, 5e9 CFU, L. reuteri <ATCC PTA 6475>, with food, not with coffee",
                "Zinc, 15 mg"
            ]
        );
        assert_eq!(first.actions, ["taken", "All taken", "snooze", "Snooze 15 min", "skip", "Skip all"]);
        // An answer takes its line away, and the last one the notification.
        scene.home.good(&["take", "probiotic"]);
        let rest = scene.peer.notify();
        assert_eq!((rest.replaces, rest.title.as_str(), rest.body.as_str()), (7, "Zinc", "15 mg"));
        assert_eq!(rest.actions, BUTTONS);
        scene.home.good(&["skip", "zinc"]);
        assert_eq!(scene.peer.close(), 7);
        scene.home.good(&["skip", "witness"]);
        assert_eq!(scene.peer.close(), FIRST_NUMBER);
        let mut facts: Vec<_> = (0..6).map(|_| scene.fact().0).collect();
        facts.sort();
        assert_eq!(
            facts,
            [
                "delivered probiotic",
                "delivered witness",
                "delivered zinc",
                "intake probiotic",
                "skip witness",
                "skip zinc"
            ]
        );
    });
}

#[test]
fn a_button_is_one_answer_however_it_is_said() {
    let table: [(Script, &[Step], &str); 9] = [
        (&[&[Number(7)]], &[Pressed(7, "taken")], "intake"),
        (&[&[Number(7)]], &[Pressed(7, "taken"), Pressed(7, "taken")], "intake"),
        // As real servers do.
        (&[&[Number(7)]], &[Pressed(7, "skip"), Closed(7, 2)], "skip"),
        (&[&[Number(7)]], &[Pressed(7, "taken"), Closed(7, 2), Pressed(7, "taken")], "intake"),
        // The first one counts.
        (&[&[Number(7)]], &[Pressed(7, "snooze"), Pressed(7, "skip"), Pressed(7, "taken")], "snooze"),
        (&[&[Number(7)]], &[Pressed(7, "default"), Pressed(7, "taken")], "intake"),
        // Whoever presses it may be faster than the server's answer.
        (&[&[Pressed(7, "taken"), Number(7)]], &[], "intake"),
        (&[&[Pressed(7, "taken"), Pressed(7, "taken"), Number(7)]], &[Pressed(7, "taken")], "intake"),
        (&[&[Pressed(7, "skip"), Closed(7, 2), Number(7)]], &[], "skip"),
    ];
    each(&table, |(script, steps, answer)| {
        let mut scene = scene(&format!("{PROBIOTIC}{WITNESS}"), script);
        scene.peer.notify();
        // An answer before the witness has taken the first one down.
        while !matches!(scene.peer.hear(), Heard::Notify(_)) {}
        for step in *steps {
            scene.peer.act(*step);
        }
        let facts = scene.facts_until_witness();
        assert_eq!(facts, ["delivered probiotic", &format!("{answer} probiotic")], "{script:?} {steps:?}");
    });
}

#[test]
fn a_closing_is_no_answer() {
    let table: [(Script, &[Step]); 6] = [
        (&[&[Number(7)]], &[Closed(7, 1)]),
        (&[&[Number(7)]], &[Closed(7, 2)]),
        (&[&[Number(7)]], &[Closed(7, 4)]),
        (&[&[Number(7)]], &[Closed(7, 2), Closed(7, 2)]),
        // A server that has no room for it, or shows it for no time.
        (&[&[Number(7), Closed(7, 1)]], &[]),
        (&[&[Closed(7, 1), Number(7)]], &[]),
    ];
    each(&table, |(script, steps)| {
        let mut scene = scene(&format!("{PROBIOTIC}{WITNESS}"), script);
        scene.peer.notify();
        scene.peer.notify();
        for step in *steps {
            scene.peer.act(*step);
        }
        let facts = scene.facts_until_witness();
        assert_eq!(facts, ["delivered probiotic", "closed probiotic"], "{script:?} {steps:?}");
        scene.is_due("probiotic");
        scene.home.good(&["take", "probiotic"]);
        scene.facts(&["intake probiotic"]);
    });
}

/// Signals of others, and signals about other things, change nothing.
#[test]
fn a_forged_signal_records_nothing() {
    let mut scene = scene(&format!("{PROBIOTIC}{WITNESS}"), &[&[Number(7)]]);
    let dosed = scene.peer.notify().sender;
    scene.peer.notify();
    let to_dosed = |name: &'static str, body: (u32, &str)| {
        Message::signal(PATH, SERVER, name).destination(dosed.as_str()).build(&body).unwrap()
    };
    let gone = |path, interface| {
        let signal = Message::signal(path, interface, "NameOwnerChanged").destination(dosed.as_str());
        signal.build(&(SERVER, "", "")).unwrap()
    };
    scene.bus.forge(&[
        pressed(7, "taken"),
        closed(7, 2),
        to_dosed("ActionInvoked", (7, "taken")),
        gone(BUS_PATH, BUS),
        gone(PATH, SERVER),
    ]);
    // What the server says of other programs' notifications, and what nobody understands.
    for step in [Pressed(8, "taken"), Closed(8, 2), Pressed(7, "default"), Pressed(7, ""), Mumble] {
        scene.peer.act(step);
    }
    assert_eq!(scene.facts_until_witness(), ["delivered probiotic"]);
    scene.is_due("probiotic");
    scene.peer.act(Pressed(7, "taken"));
    scene.facts(&["intake probiotic"]);
    assert_eq!(scene.peer.close(), 7);
}

#[test]
fn what_a_server_refuses_is_recorded_and_shown_later() {
    let table: [(Script, &str, &[Step]); 4] = [
        (&[&[Number(0)]], "gave no number", &[]),
        (&[&[Refuse]], "org.example.Full: no room", &[]),
        (&[&[Babble]], "cannot be read", &[]),
        (&[&[]], "did not answer within 5 s", &[Number(7)]),
    ];
    each(&table, |(script, why, late)| {
        let mut scene = scene(PROBIOTIC, script);
        scene.peer.notify();
        let (name, fact) = scene.fact();
        assert_eq!(name, "undelivered probiotic");
        assert!(fact["reason"].as_str().unwrap().contains(why), "{fact}");
        scene.is_due("probiotic");
        for step in *late {
            // It is on the screen after all, with buttons that nobody listens to: it must not stay there.
            scene.peer.act(*step);
            assert_eq!(scene.peer.close(), 7);
        }
        assert_eq!(scene.peer.notify().replaces, 0);
        scene.facts(&["delivered probiotic"]);
        scene.peer.act(Pressed(FIRST_NUMBER, "taken"));
        scene.facts(&["intake probiotic"]);
        assert_eq!(scene.peer.close(), FIRST_NUMBER);
    });
}

#[test]
fn an_answer_before_the_server_has_answered_takes_the_reminder_down() {
    let mut scene = scene(PROBIOTIC, &[&[]]);
    scene.peer.notify();
    scene.home.good(&["take", "probiotic"]);
    scene.facts(&["intake probiotic"]);
    scene.peer.act(Number(7));
    assert_eq!(scene.peer.close(), 7);
}

/// What a server says while it replaces a notification is not what a person does.
#[test]
fn a_replacement_can_be_answered_whatever_its_number() {
    let table: [(Script, u32, bool); 5] = [
        (&[&[Number(7)], &[Closed(7, 1), Number(7)]], 7, false),
        (&[&[Number(7)], &[Number(8)]], 8, true),
        (&[&[Number(7)], &[Closed(7, 1), Number(8)]], 8, true),
        // The person is faster than the server's answer.
        (&[&[Number(7)], &[Pressed(7, "taken"), Number(7)]], 7, false),
        (&[&[Number(7)], &[Pressed(8, "taken"), Number(8)]], 8, true),
    ];
    each(&table, |(script, number, is_other)| {
        let schedule = format!("{PROBIOTIC}{}", ZINC.replace("ZINC", "NOW"));
        let mut scene = scene(&schedule, script);
        scene.peer.notify();
        scene.facts(&["delivered probiotic", "delivered zinc"]);
        scene.home.good(&["take", "probiotic"]);
        scene.facts(&["intake probiotic"]);
        assert_eq!(scene.peer.notify().replaces, 7);
        if *is_other {
            // The old one may still be there, with buttons that nobody listens to.
            assert_eq!(scene.peer.close(), 7, "{script:?}");
            scene.facts(&["delivered zinc"]);
        }
        scene.peer.act(Pressed(*number, "taken"));
        scene.facts(&["intake zinc"]);
        assert_eq!(scene.peer.close(), *number, "{script:?}");
    });
}

/// A reminder whose change is refused must not stay as it was, and what changes while it is refused must
/// not come up beside it.
#[test]
fn a_refused_change_is_shown_anew_and_once() {
    let table: [Script; 2] = [&[&[Number(7)], &[Refuse]], &[&[]]];
    each(&table, |script| {
        let mut scene = scene(&format!("{PROBIOTIC}{}", ZINC.replace("ZINC", "NOW")), script);
        scene.peer.notify();
        if script.len() == 2 {
            scene.facts(&["delivered probiotic", "delivered zinc"]);
            scene.home.good(&["take", "probiotic"]);
            assert_eq!(scene.peer.notify().replaces, 7);
            assert_eq!(scene.peer.close(), 7);
        } else {
            scene.home.good(&["take", "probiotic"]);
            // The daemon has asked for the change by the time it answers this.
            scene.is_due("zinc");
            scene.peer.act(Refuse);
        }
        scene.facts(&["intake probiotic", "undelivered zinc"]);
        let again = scene.peer.notify();
        assert_eq!((again.replaces, again.title.as_str()), (0, "Zinc"));
        scene.facts(&["delivered zinc"]);
        scene.peer.act(Pressed(FIRST_NUMBER, "taken"));
        scene.facts(&["intake zinc"]);
        assert_eq!(scene.peer.close(), FIRST_NUMBER);
    });
}

/// The newest notification has the number: the one before is not on the screen any more.
#[test]
fn one_number_for_two_is_the_second_ones() {
    let earlier = WITNESS.replace("witness", "earlier").replace("AFTER", "LATER");
    let schedule = format!("{earlier}{}", PROBIOTIC.replace("NOW", "NEXT"));
    let mut scene = scene(&schedule, &[&[Number(7)], &[Number(7)]]);
    assert_eq!(scene.peer.notify().title, "earlier");
    assert_eq!(scene.peer.notify().title, "Probiotic & co");
    scene.peer.act(Pressed(7, "taken"));
    scene.facts(&["delivered earlier", "closed earlier", "delivered probiotic", "intake probiotic"]);
}

/// What was said of a number before it was ours, or when it was last ours, is not about us.
#[test]
fn a_number_that_is_used_again_starts_anew() {
    let table: [(Script, &[Step]); 3] = [
        (&[&[Number(7)], &[Number(7)]], &[]),
        (&[&[Number(7)], &[Number(9)]], &[Closed(9, 2)]),
        (&[&[Number(7)], &[Number(9)]], &[Pressed(9, "skip")]),
    ];
    each(&table, |(script, before)| {
        let mut scene = scene(PROBIOTIC, script);
        scene.peer.notify();
        scene.facts(&["delivered probiotic"]);
        for step in *before {
            scene.peer.act(*step);
        }
        // The server says that it has closed it, and closes 7 for the last time.
        scene.home.good(&["snooze", "probiotic", "1s"]);
        assert_eq!(scene.peer.close(), 7);
        assert_eq!(scene.peer.notify().replaces, 0);
        scene.facts(&["snooze probiotic", "delivered probiotic"]);
        scene.peer.act(Pressed(if before.is_empty() { 7 } else { 9 }, "taken"));
        scene.facts(&["intake probiotic"]);
    });
}

/// A server that takes the name from another, as a panel that is replaced does, has shown nothing yet.
#[test]
fn a_server_that_takes_over_is_given_what_waits() {
    let mut scene = scene(PROBIOTIC, &[]);
    scene.peer.notify();
    scene.facts(&["delivered probiotic"]);
    let next = scene.bus.peer(USUAL, &[&[Number(7)]]);
    assert_eq!(next.notify().replaces, 0);
    // The one before has no say any more.
    scene.peer.act(Pressed(7, "skip"));
    scene.peer.leave();
    next.act(Pressed(7, "taken"));
    assert_eq!(next.close(), 7);
    scene.facts(&["delivered probiotic", "intake probiotic"]);
}

#[test]
fn a_due_point_is_one_notify_over_starts_of_the_daemon() {
    let mut scene = scene(PROBIOTIC, &[]);
    scene.peer.leave();
    scene.facts(&["undelivered probiotic"]);
    scene.kill();
    scene.peer = scene.bus.peer(USUAL, &[&[]]);
    // It is due when the daemon starts: shown at once, and once.
    scene.start();
    assert_eq!(scene.peer.notify().title, "Probiotic & co");
    scene.peer.act(Number(7));
    scene.facts(&["delivered probiotic"]);
    scene.kill();
    // It was shown when the daemon starts: taken over in its place, with buttons that are heard.
    scene.start();
    assert_eq!(scene.peer.notify().replaces, 7);
    scene.peer.act(Pressed(7, "snooze"));
    assert_eq!(scene.peer.close(), 7);
    scene.facts(&["snooze probiotic"]);
    scene.kill();
    // Snoozed when the daemon starts: not shown, and down if it still stood.
    scene.start();
    assert_eq!(scene.peer.close(), 7);
    scene.home.good(&["snooze", "probiotic", "1s"]);
    assert_eq!(scene.peer.notify().replaces, 0);
    scene.facts(&["snooze probiotic", "delivered probiotic"]);
    scene.home.good(&["take", "probiotic"]);
    assert_eq!(scene.peer.close(), FIRST_NUMBER);
    let facts: Vec<_> = scene.home.journal().iter().filter_map(name).collect();
    assert_eq!(
        facts,
        [
            "undelivered probiotic",
            "delivered probiotic",
            "snooze probiotic",
            "snooze probiotic",
            "delivered probiotic",
            "intake probiotic"
        ]
    );
}
