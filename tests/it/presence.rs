//! Sleep, locked screens and idle hands, as a logind of our own tells them.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread::JoinHandle;

use futures_util::StreamExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream, ObjectPath, Variant};

use crate::support::{Guard, Home, PATIENCE, session_bus};

const LOGIND: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const USER_PATH: &str = "/org/freedesktop/login1/user/_1000";
const SESSION_PATH: &str = "/org/freedesktop/login1/session/_32";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// The session that logind knows.
#[derive(Clone, Copy, Debug)]
enum Session {
    /// None: somebody has logged in over the network, say.
    None,
    /// One of this type, with whether it is locked and idle.
    Open(&'static str, bool, bool),
}

use Session::Open;

enum Say {
    Sleep(bool),
    Session(Session),
}

/// A logind of our own: it hands out locks, knows one session, and says what it is told to say.
struct Logind {
    say: Option<UnboundedSender<Say>>,
    locks: mpsc::Receiver<UnixStream>,
    thread: Option<JoinHandle<()>>,
    _bus: Guard,
}

impl Logind {
    fn new(home: &mut Home, session: Session) -> Self {
        let (bus, address) = session_bus(home);
        home.set("DBUS_SYSTEM_BUS_ADDRESS", &address);
        let ((say, told), (locks_in, locks)) = (unbounded_channel(), mpsc::channel());
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let connection = zbus::connection::Builder::address(&*address).build().await.unwrap();
                let stream = MessageStream::from(&connection);
                connection.request_name(LOGIND).await.unwrap();
                ready.send(()).unwrap();
                Stage { connection, session, locks: locks_in }.play(stream, told).await;
            });
        });
        is_ready.recv_timeout(PATIENCE).expect("logind is on the bus");
        Self { say: Some(say), locks, thread: Some(thread), _bus: bus }
    }

    fn say(&self, what: Say) {
        assert!(self.say.as_ref().unwrap().send(what).is_ok());
    }

    fn lock(&self) -> UnixStream {
        self.locks.recv_timeout(PATIENCE).expect("it asks for a delay lock")
    }
}

impl Drop for Logind {
    fn drop(&mut self) {
        drop(self.say.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Stage {
    connection: Connection,
    session: Session,
    locks: mpsc::Sender<UnixStream>,
}

impl Stage {
    async fn play(mut self, mut stream: MessageStream, mut told: UnboundedReceiver<Say>) {
        loop {
            tokio::select! {
                say = told.recv() => match say {
                    Some(Say::Sleep(begins)) => {
                        let signal = Message::signal(PATH, MANAGER, "PrepareForSleep").build(&begins);
                        self.connection.send(&signal.unwrap()).await.unwrap();
                    }
                    Some(Say::Session(session)) => {
                        self.session = session;
                        // As logind does: which properties have changed, without their values.
                        let body = ("org.freedesktop.login1.Session", empty(), ["LockedHint", "IdleHint"].as_slice());
                        let signal = Message::signal(SESSION_PATH, PROPERTIES, "PropertiesChanged").build(&body);
                        self.connection.send(&signal.unwrap()).await.unwrap();
                    }
                    None => return,
                },
                message = stream.next() => match message {
                    Some(Ok(message)) if message.message_type() == Type::MethodCall => self.answer(&message).await,
                    Some(Ok(_)) => {}
                    _ => return,
                },
            }
        }
    }

    async fn answer(&self, message: &Message) {
        let header = message.header();
        let path = header.path().unwrap().as_str();
        let path_of = |path: &'static str| ObjectPath::try_from(path).unwrap();
        let sent = match (path, header.member().unwrap().as_str()) {
            (PATH, "Inhibit") => {
                let (what, who, _, how): (String, String, String, String) =
                    message.body().deserialize().unwrap();
                assert_eq!((what.as_str(), who.as_str(), how.as_str()), ("sleep", "dosed", "delay"));
                let (ours, theirs) = UnixStream::pair().unwrap();
                // The test may have heard enough.
                let _ = self.locks.send(ours);
                let fd = zbus::OwnedFd::from(std::os::fd::OwnedFd::from(theirs));
                self.connection.reply(&header, &fd).await
            }
            (PATH, "GetUser") => {
                let uid: u32 = message.body().deserialize().unwrap();
                assert_eq!(uid, rustix::process::getuid().as_raw());
                self.connection.reply(&header, &path_of(USER_PATH)).await
            }
            (USER_PATH, "GetAll") => {
                let display = match self.session {
                    Session::None => ("", path_of("/")),
                    Open(..) => ("2", path_of(SESSION_PATH)),
                };
                let mut all = empty();
                all.insert("Display", Variant::from(display));
                self.connection.reply(&header, &all).await
            }
            (SESSION_PATH, "GetAll") => {
                let Open(kind, locked, idle) = self.session else { panic!("there is no session") };
                let mut all = empty();
                all.insert("Type", Variant::from(kind));
                all.insert("LockedHint", Variant::from(locked));
                all.insert("IdleHint", Variant::from(idle));
                self.connection.reply(&header, &all).await
            }
            other => panic!("a call of {other:?}"),
        };
        let _ = sent;
    }
}

fn empty() -> std::collections::HashMap<&'static str, Variant<'static>> {
    std::collections::HashMap::new()
}

#[test]
#[ignore = "needs dbus-daemon"]
fn sleep_is_delayed_let_go_and_looked_at_after() {
    let mut home = Home::with_schedule("[[habit]]\nid = \"walk\"\nas-needed = true\n");
    let logind = Logind::new(&mut home, Session::None);
    let daemon = home.start();
    let mut lock = logind.lock();
    logind.say(Say::Sleep(true));
    // It lets go: the other end of the lock reads its end.
    assert_eq!(lock.read(&mut [0; 1]).unwrap(), 0);
    logind.say(Say::Sleep(false));
    // It takes the lock again.
    logind.lock();
    home.good(&["today"]);
    for said in ["the machine suspends", "the machine resumed"] {
        assert!(home.log().contains(said), "{}", home.log());
    }
    assert_eq!(daemon.stop(), Some(0));
}

/// Without a notification server what would be shown is announced, so that the journal tells when.
#[test]
#[ignore = "needs dbus-daemon"]
fn nothing_is_shown_to_a_session_that_is_locked_or_idle() {
    let rows = [
        (Session::None, true),
        (Open("tty", true, true), true),
        (Open("x11", false, false), true),
        (Open("wayland", true, false), false),
        (Open("x11", false, true), false),
    ];
    std::thread::scope(|scope| {
        for (session, is_shown) in rows {
            scope.spawn(move || {
                let mut home = Home::new();
                let logind = Logind::new(&mut home, session);
                let schedule = |time: &dyn Fn(i64) -> String| {
                    format!(
                        "[[supplement]]\nid = \"a\"\ntimes = [\"{}\"]\n[[habit]]\nid = \"b\"\nlate = \"miss\"\ntimes = [\"{}\"]\n",
                        time(0),
                        time(1)
                    )
                };
                let _daemon = home.start_before(schedule, |_| {});
                let mut watch = home.watch();
                if is_shown {
                    watch.fact("undelivered");
                    return;
                }
                let (locked, idle) = match session {
                    Open(_, locked, idle) => (locked, idle),
                    Session::None => (false, false),
                };
                home.wait_for_state(1, "due");
                let status = home.json(&["status", "--json"]);
                assert_eq!(status["person"]["locked"], locked);
                assert_eq!(status["person"]["idle"], idle);
                assert!(home.good(&["status"]).contains("reminders wait"));
                let is_known = |fact: &serde_json::Value| fact["fact"]["type"] == "undelivered";
                assert!(!home.journal().iter().any(is_known), "{session:?}: {}", home.log());
                let occurrence = home.json(&["today", "--json"])[0]["occurrence"].as_str().unwrap().to_owned();
                let why = home.json(&["why", &occurrence, "--json"]);
                assert!(why["next"].as_str().unwrap().contains("when you are there"), "{}", why["next"]);
                logind.say(Say::Session(Open("x11", false, false)));
                // Both of them, at once.
                watch.fact("undelivered");
                watch.fact("undelivered");
                assert_eq!(home.json(&["status", "--json"])["person"]["locked"], false);
            });
        }
    });
}
