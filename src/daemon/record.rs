//! The record as the daemon holds it: the store while it runs, and the reader that answers questions from it.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::adapters::store::{Draft, Reader, Store};

/// How long after a fact the database applies it, with all that has been recorded since.
const INDEX_DELAY: Duration = Duration::from_millis(100);

/// How long the last facts have to be written when the daemon ends.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(800);

/// The record. It is written to until [`RecordHandle::close`]; it can be read for as long as it exists.
pub(super) struct RecordHandle {
    store: Option<Store>,
    pub(super) reader: Reader,
    pub(super) device: String,
    /// The device of whose record this one is a copy, made on another machine.
    pub(super) copied_from: Option<String>,
    /// The wait until the database applies what is durable.
    indexing: Option<JoinHandle<()>>,
}

impl RecordHandle {
    pub(super) fn new(store: Store) -> Self {
        let (reader, device) = (store.reader(), store.device().to_owned());
        let copied_from = store.copied_from().map(str::to_owned);
        Self { store: Some(store), reader, device, copied_from, indexing: None }
    }

    /// Records drafts; what comes of them is an event.
    pub(super) fn write(&self, drafts: Vec<Draft>) {
        if let (false, Some(store)) = (drafts.is_empty(), &self.store) {
            store.record(drafts);
        }
    }

    /// Has the journal put back where another file, or none, has taken its place.
    pub(super) fn check_journal(&self) {
        if let Some(store) = &self.store {
            store.check_journal();
        }
    }

    /// Has the database apply what is durable a little later: at once, it would compete with the response for the
    /// processor. A question does not wait for that.
    pub(super) fn schedule_indexing(&mut self) {
        if self.indexing.as_ref().is_none_or(JoinHandle::is_finished) {
            let reader = self.reader.clone();
            self.indexing = Some(tokio::spawn(async move {
                tokio::time::sleep(INDEX_DELAY).await;
                reader.apply_backlog();
            }));
        }
    }

    /// Writes what is pending and closes the files, on this thread.
    pub(super) fn close_now(&mut self) {
        if let Some(store) = self.store.take() {
            store.close();
        }
    }

    /// Writes what is pending and closes the files, beside the runtime and not longer than the end may take.
    pub(super) async fn close(&mut self) {
        if let Some(store) = self.store.take() {
            let closed = tokio::task::spawn_blocking(move || store.close());
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, closed).await;
        }
    }
}
