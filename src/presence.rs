//! Hears from logind that the machine goes to sleep and wakes up.
//!
//! A delay lock gives dosed a moment before sleep; everything it was told is durable already, so it
//! lets go at once. After waking, the clock is looked at. Without a system bus or logind, the timer of
//! the agenda notices the same thing by itself.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tracing::debug;
use zbus::OwnedFd;
use zbus::message::Type;
use zbus::{Connection, MessageStream};

const LOGIND: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";

/// How long logind has for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// What logind tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The machine is about to sleep.
    Sleeps,
    /// The machine has woken.
    Woke,
}

/// Runs until the system bus is gone, or there is none.
pub async fn run(events: mpsc::UnboundedSender<Event>) {
    if let Err(error) = listen(&events).await {
        debug!(%error, "logind is not heard; the timer notices sleep by itself");
    }
}

async fn listen(events: &mpsc::UnboundedSender<Event>) -> zbus::Result<()> {
    let builder = zbus::connection::Builder::system().method_timeout(ANSWER_TIMEOUT).build();
    let connection = tokio::time::timeout(ANSWER_TIMEOUT, builder)
        .await
        .map_err(|_| zbus::Error::Failure("the system bus does not answer".to_owned()))??;
    let mut signals = MessageStream::for_match_rule(
        zbus::MatchRule::builder()
            .msg_type(Type::Signal)
            .interface(MANAGER)
            .member("PrepareForSleep")
            .path(PATH)
            .build()?,
        &connection,
        None,
    )
    .await?;
    let mut lock = delay(&connection).await.ok();
    while let Some(message) = signals.next().await {
        let Ok(begins) = message?.body().deserialize::<bool>() else { continue };
        if begins {
            let _ = events.send(Event::Sleeps);
            // Sleep waits for whoever holds a lock.
            drop(lock.take());
        } else {
            let _ = events.send(Event::Woke);
            lock = delay(&connection).await.ok();
        }
    }
    Ok(())
}

/// Takes a lock that delays sleep until it is dropped.
async fn delay(connection: &Connection) -> zbus::Result<OwnedFd> {
    let why = ("sleep", "dosed", "looks at what is due before and after", "delay");
    let reply = connection.call_method(Some(LOGIND), PATH, Some(MANAGER), "Inhibit", &why).await?;
    reply.body().deserialize()
}
