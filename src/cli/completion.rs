//! What the shell offers while a command is typed: item ids and open occurrences, from the running daemon. Where none responds, nothing.

use std::time::Duration;

use clap_complete::engine::CompletionCandidate;

use super::args::PathOptions;
use super::paths::Paths;
use super::{find_paths, runtime};
use crate::client::Client;
use crate::protocol::{OccurrenceState, OccurrencesQuery, PlannedItem};

/// How long the daemon has: somebody waits at a prompt.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Returns the ids of the items in the schedule, with their names.
pub(super) fn items() -> Vec<CompletionCandidate> {
    ask(async |client| {
        let items = client.items().await.ok()?.value;
        Some(items.iter().filter(|item| item.ended.is_none()).map(item).collect())
    })
}

/// Returns the occurrences that are due, and the items.
pub(super) fn targets() -> Vec<CompletionCandidate> {
    ask(async |client| {
        let rows = client.occurrences(&OccurrencesQuery::default()).await.ok()?.value;
        let due = rows.iter().filter(|row| row.occurrence.state == OccurrenceState::Due);
        let due = due.map(|row| candidate(&row.occurrence.occurrence, &row.occurrence.name));
        let items = client.items().await.ok()?.value;
        let items = items.iter().filter(|item| item.ended.is_none()).map(item);
        Some(items.chain(due).collect())
    })
}

fn item(item: &PlannedItem) -> CompletionCandidate {
    candidate(&item.item, &item.name)
}

fn candidate(value: &str, help: &str) -> CompletionCandidate {
    CompletionCandidate::new(value).help(Some(help.to_owned().into()))
}

fn ask(question: impl AsyncFn(&Client) -> Option<Vec<CompletionCandidate>>) -> Vec<CompletionCandidate> {
    let answer = || {
        // The options are not parsed here, of which the environment is the default.
        let given = PathOptions {
            socket: std::env::var_os("DOSED_SOCKET").map(Into::into),
            ..PathOptions::default()
        };
        let Paths { socket, .. } = find_paths(given).ok()?;
        let client = Client::new(&socket);
        runtime().ok()?.block_on(async { tokio::time::timeout(TIMEOUT, question(&client)).await.ok() })?
    };
    answer().unwrap_or_default()
}
