//! What is durable and not yet in the database: an answer does not wait for that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::line::JournalLine;

/// The durable lines that the database still lacks, shared by the two threads.
#[derive(Clone, Debug)]
pub(super) struct Backlog(Arc<Mutex<Durable>>);

#[derive(Debug)]
struct Durable {
    lines: Vec<JournalLine>,
    /// How many bytes of this device's journal are durable: what follows them may yet be rolled back.
    bytes: u64,
}

impl Backlog {
    /// Starts with a journal of so many bytes, all of which the database has.
    pub(super) fn new(bytes: u64) -> Self {
        Self(Arc::new(Mutex::new(Durable { lines: Vec::new(), bytes })))
    }

    /// Adds lines, with which the journal has so many bytes.
    pub(super) fn add(&self, lines: &[JournalLine], bytes: u64) {
        let mut durable = self.lock();
        durable.lines.extend_from_slice(lines);
        durable.bytes = bytes;
    }

    pub(super) fn drain(&self) -> Vec<JournalLine> {
        std::mem::take(&mut self.lock().lines)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, Durable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
