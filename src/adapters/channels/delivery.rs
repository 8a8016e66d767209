//! One message on its way: sent as it is wanted at each attempt, until it is out, given up or not wanted any more.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::watch;

use super::http::Http;
use super::{Message, SendError, send_once};
use crate::core::schedule::{ChannelSpec, OccurrenceId, Transport};

/// The delay before the first retry, and the longest; each failure doubles it.
const RETRY_MIN_DELAY: Duration = Duration::from_secs(1);
const RETRY_MAX_DELAY: Duration = Duration::from_mins(5);

/// How often a reminder is retried: some 20 minutes in all.
const MAX_RETRIES: usize = 11;

/// What came of a message.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// It went out and asks about these.
    Sent(Vec<OccurrenceId>),
    /// It was given up.
    NotSent(String),
    /// Nobody wanted it any more.
    Unsent,
}

/// Sends a message as it is wanted at each attempt, again and again while that may help.
///
/// What a server may have got is not sent again with other content before it has answered, or could have.
pub(super) async fn deliver(
    spec: &ChannelSpec,
    mut wanted: watch::Receiver<Option<Message>>,
    id: &str,
    http: &Http,
) -> Outcome {
    let backoff = ExponentialBuilder::default()
        .with_min_delay(RETRY_MIN_DELAY)
        .with_max_delay(RETRY_MAX_DELAY)
        .with_max_times(MAX_RETRIES);
    let mut delays = backoff.build();
    let mut tries = 0;
    loop {
        let Some(message) = wanted.borrow_and_update().clone() else { return Outcome::Unsent };
        tries += 1;
        let attempt = send_once(spec, &message, id, http);
        let sent = match &spec.transport {
            Transport::Command { .. } => tokio::select! {
                sent = attempt => sent,
                () = unwanted(&mut wanted) => return Outcome::Unsent,
            },
            Transport::Webhook { .. } | Transport::Ntfy { .. } => attempt.await,
        };
        let Err(error) = sent else { return Outcome::Sent(message.occurrences) };
        let delay = delays.next().filter(|_| matches!(error, SendError::Retryable { .. }));
        let Some(delay) = delay else {
            let is_wanted = wanted.borrow().is_some();
            let reason = if tries > 1 { format!("{error}, {tries} times") } else { error.to_string() };
            return if is_wanted { Outcome::NotSent(reason) } else { Outcome::Unsent };
        };
        tokio::select! {
            () = tokio::time::sleep(delay.max(error.min_delay())) => {}
            () = unwanted(&mut wanted) => return Outcome::Unsent,
        }
    }
}

/// Waits until a message is not wanted any more.
async fn unwanted(wanted: &mut watch::Receiver<Option<Message>>) {
    // An error is the end of dosed.
    let _ = wanted.wait_for(Option::is_none).await;
}
