//! Watches logind: whether the machine goes to sleep or wakes up, and whether the person is at the screen.
//!
//! A delay lock gives dosed a moment before sleep; everything it has accepted is durable already, so it
//! releases the lock at once. It decides nothing: without a system bus or logind, the timer of the agenda
//! notices sleep by itself, and the person counts as present.

use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tracing::debug;
use zbus::message::Type;

use zbus::{Connection, Message, MessageStream, OwnedFd, OwnedObjectPath};

const LOGIND: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const USER: &str = "org.freedesktop.login1.User";
const SESSION: &str = "org.freedesktop.login1.Session";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// How long logind has for a reply.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

/// Signals that may wait while logind is asked.
const MAX_QUEUED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// What logind reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The machine is about to sleep.
    Sleeps,
    /// The machine has woken.
    Woke,
    /// The state of the person's desktop session, once at the start and then at every change.
    Session(Session),
}

/// The state of the person's desktop session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Its screen is locked.
    pub locked: bool,
    /// There was no input for a while.
    pub idle: bool,
}

/// Runs until the system bus is gone, or there is none.
pub async fn run(events: mpsc::UnboundedSender<Event>) {
    if let Err(error) = watch(&events).await {
        debug!(%error, "no logind; the timer notices sleep by itself");
        // Nothing would report that the person is back.
        let _ = events.send(Event::Session(Session::default()));
    }
}

async fn watch(events: &mpsc::UnboundedSender<Event>) -> zbus::Result<()> {
    let builder = zbus::connection::Builder::system().method_timeout(REPLY_TIMEOUT).build();
    let connection = tokio::time::timeout(REPLY_TIMEOUT, builder)
        .await
        .map_err(|_| zbus::Error::Failure("the system bus does not answer".to_owned()))??;
    // All signals of logind in order: sleep, sessions that start and end, properties that change.
    let rule =
        zbus::MatchRule::builder().msg_type(Type::Signal).sender(LOGIND).path_namespace(PATH).build()?;
    let mut signals = MessageStream::for_match_rule(rule, &connection, Some(MAX_QUEUED)).await?;
    let mut lock = inhibit_sleep(&connection).await.ok();
    let mut known = None;
    report_session(&connection, &mut known, events).await;
    while let Some(message) = signals.next().await {
        let message = message?;
        match sleep_signal(&message) {
            Some(true) => {
                let _ = events.send(Event::Sleeps);
                // Sleep waits for the lock.
                drop(lock.take());
            }
            Some(false) => {
                let _ = events.send(Event::Woke);
                lock = inhibit_sleep(&connection).await.ok();
            }
            None => report_session(&connection, &mut known, events).await,
        }
    }
    Ok(())
}

/// Reads a signal about sleep: whether it starts or ends; `None` for any other signal.
fn sleep_signal(message: &Message) -> Option<bool> {
    let header = message.header();
    let is_sleep = header.member().is_some_and(|member| member.as_str() == "PrepareForSleep");
    is_sleep.then(|| message.body().deserialize().ok()).flatten()
}

/// Queries the person's session, and reports it where it has changed.
async fn report_session(
    connection: &Connection,
    known: &mut Option<Session>,
    events: &mpsc::UnboundedSender<Event>,
) {
    let session = query_session(connection).await.unwrap_or_else(|error| {
        debug!(%error, "logind has no desktop session");
        Session::default()
    });
    if *known != Some(session) {
        *known = Some(session);
        let _ = events.send(Event::Session(session));
    }
}

/// Queries the session with the person's desktop; without one, the person counts as present.
async fn query_session(connection: &Connection) -> zbus::Result<Session> {
    let uid = rustix::process::getuid().as_raw();
    let user = connection.call_method(Some(LOGIND), PATH, Some(MANAGER), "GetUser", &(uid,)).await?;
    let user: OwnedObjectPath = user.body().deserialize()?;
    let user = properties(connection, &user, USER).await?;
    let (id, path): (String, OwnedObjectPath) = property(&user, "Display").unwrap_or_default();
    if id.is_empty() {
        return Ok(Session::default());
    }
    let session = properties(connection, &path, SESSION).await?;
    // logind calls a text console idle on which nobody types, whatever happens on another screen.
    let kind: String = property(&session, "Type").unwrap_or_default();
    if !matches!(kind.as_str(), "x11" | "wayland" | "mir") {
        return Ok(Session::default());
    }
    let is = |name| property(&session, name).unwrap_or_default();
    Ok(Session { locked: is("LockedHint"), idle: is("IdleHint") })
}

type Properties = std::collections::HashMap<String, zbus::OwnedVariant>;

async fn properties(
    connection: &Connection,
    path: &OwnedObjectPath,
    interface: &str,
) -> zbus::Result<Properties> {
    let path = path.as_ref();
    let reply = connection.call_method(Some(LOGIND), path, Some(PROPERTIES), "GetAll", &(interface,)).await?;
    reply.body().deserialize()
}

fn property<T>(properties: &Properties, name: &str) -> Option<T>
where
    T: TryFrom<zbus::OwnedVariant>,
{
    T::try_from(properties.get(name)?.try_clone().ok()?).ok()
}

/// Takes a lock that delays sleep until it is dropped.
async fn inhibit_sleep(connection: &Connection) -> zbus::Result<OwnedFd> {
    let why = ("sleep", "dosed", "checks what is due before and after sleep", "delay");
    let reply = connection.call_method(Some(LOGIND), PATH, Some(MANAGER), "Inhibit", &why).await?;
    reply.body().deserialize()
}
