//! Hears from logind that the machine goes to sleep and wakes up, and whether the person is at the screen.
//!
//! A delay lock gives dosed a moment before sleep; everything it was told is durable already, so it
//! lets go at once. After waking, the clock is looked at. Without a system bus or logind, the timer of
//! the agenda notices the same thing by itself, and the person counts as there.

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

/// How long logind has for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Signals that may wait while logind is asked.
const MAX_QUEUED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// What logind tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The machine is about to sleep.
    Sleeps,
    /// The machine has woken.
    Woke,
    /// How the person's desktop session is, once at the start and then at every change.
    Session(Session),
}

/// How the person's desktop session is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Its screen is locked.
    pub locked: bool,
    /// Nobody has touched it for a while.
    pub idle: bool,
}

/// Runs until the system bus is gone, or there is none.
pub async fn run(events: mpsc::UnboundedSender<Event>) {
    if let Err(error) = listen(&events).await {
        debug!(%error, "logind is not heard; the timer notices sleep by itself");
        // Nobody is left who could tell that the person is back.
        let _ = events.send(Event::Session(Session::default()));
    }
}

async fn listen(events: &mpsc::UnboundedSender<Event>) -> zbus::Result<()> {
    let builder = zbus::connection::Builder::system().method_timeout(ANSWER_TIMEOUT).build();
    let connection = tokio::time::timeout(ANSWER_TIMEOUT, builder)
        .await
        .map_err(|_| zbus::Error::Failure("the system bus does not answer".to_owned()))??;
    // All that logind says, in its order: sleep, sessions that begin and end, properties that change.
    let rule =
        zbus::MatchRule::builder().msg_type(Type::Signal).sender(LOGIND).path_namespace(PATH).build()?;
    let mut signals = MessageStream::for_match_rule(rule, &connection, Some(MAX_QUEUED)).await?;
    let mut lock = delay(&connection).await.ok();
    let mut known = None;
    look(&connection, &mut known, events).await;
    while let Some(message) = signals.next().await {
        let message = message?;
        match sleep(&message) {
            Some(true) => {
                let _ = events.send(Event::Sleeps);
                // Sleep waits for whoever holds a lock.
                drop(lock.take());
            }
            Some(false) => {
                let _ = events.send(Event::Woke);
                lock = delay(&connection).await.ok();
            }
            None => look(&connection, &mut known, events).await,
        }
    }
    Ok(())
}

/// Returns what a signal says about sleep: whether it begins.
fn sleep(message: &Message) -> Option<bool> {
    let header = message.header();
    let is_sleep = header.member().is_some_and(|member| member.as_str() == "PrepareForSleep");
    is_sleep.then(|| message.body().deserialize().ok()).flatten()
}

/// Asks how the person's session is, and tells it where that has changed.
async fn look(connection: &Connection, known: &mut Option<Session>, events: &mpsc::UnboundedSender<Event>) {
    let session = session(connection).await.unwrap_or_else(|error| {
        debug!(%error, "there is no desktop session that logind knows");
        Session::default()
    });
    if *known != Some(session) {
        *known = Some(session);
        let _ = events.send(Event::Session(session));
    }
}

/// Asks for the session on which the person's desktop is; without one, they count as there.
async fn session(connection: &Connection) -> zbus::Result<Session> {
    let uid = rustix::process::getuid().as_raw();
    let user = connection.call_method(Some(LOGIND), PATH, Some(MANAGER), "GetUser", &(uid,)).await?;
    let user: OwnedObjectPath = user.body().deserialize()?;
    let user = properties(connection, &user, USER).await?;
    let (id, path): (String, OwnedObjectPath) = property(&user, "Display").unwrap_or_default();
    if id.is_empty() {
        return Ok(Session::default());
    }
    let session = properties(connection, &path, SESSION).await?;
    // logind calls a text console idle that nobody types on, whatever goes on on the screen beside it.
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
async fn delay(connection: &Connection) -> zbus::Result<OwnedFd> {
    let why = ("sleep", "dosed", "looks at what is due before and after", "delay");
    let reply = connection.call_method(Some(LOGIND), PATH, Some(MANAGER), "Inhibit", &why).await?;
    reply.body().deserialize()
}
