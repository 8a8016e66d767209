//! The journals of other devices while the daemon runs: what is new in them is folded as soon as it is there.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tracing::{debug, info, warn};

use super::event::Event;
use super::{Daemon, queries, start};
use crate::adapters::store::{JournalLine, StoreError};
use crate::core::ledger::{Fact, Record};
use crate::core::reminder::Input;
use crate::protocol::{self, RawFact};

/// Whether journals are being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Folding {
    /// They are not.
    #[default]
    Idle,
    /// They are.
    Running,
    /// They are, and have changed since that started.
    Outdated,
}

impl Daemon {
    /// Looks at what changed in the journal directory; hidden files are those of tools.
    pub(super) fn on_journal_change(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let is_own = path.file_stem().is_some_and(|stem| stem == self.record.device.as_str());
        if is_own {
            self.record.check_journal();
        } else if !name.starts_with(b".") {
            self.fold_peers();
        }
    }

    /// Folds what is new in the journals of other devices, beside the daemon's task and once at a time.
    pub(super) fn fold_peers(&mut self) {
        if self.peers != Folding::Idle {
            self.peers = Folding::Outdated;
            return;
        }
        self.peers = Folding::Running;
        let (reader, events) = (self.record.reader.clone(), self.background.clone());
        let (plan, now) = (self.reminder.plan().clone(), self.clock.now());
        tokio::spawn(async move {
            let fold = async {
                let lines = reader.fold_peers().await?;
                let mut records = Vec::new();
                if !lines.is_empty() {
                    records.extend(start::load_recent(&reader, &plan, now).await?);
                    records.extend(queries::chain_facts(&reader, &plan, None, (now, now)).await?);
                }
                Ok::<_, StoreError>((lines, records))
            };
            let (lines, records) = fold.await.unwrap_or_else(|error| {
                warn!(%error, "the journals of other devices could not be read");
                (Vec::new(), Vec::new())
            });
            // Where the daemon ends, nobody listens.
            let _ = events.send(Event::PeersFolded { lines, records });
        });
    }

    /// Lets the core decide about what other devices have recorded.
    pub(super) fn on_peers_folded(
        &mut self,
        now: Timestamp,
        lines: &[JournalLine],
        mut records: Vec<Arc<Record>>,
    ) {
        let was = std::mem::take(&mut self.peers);
        if was == Folding::Outdated {
            self.fold_peers();
        }
        if lines.is_empty() {
            debug!("nothing is new in the journals of other devices");
            return;
        }
        info!(facts = lines.len(), "facts of other devices were added");
        // Their schedule and zone count from the next start, when the plan is made from the record.
        let pauses = lines.iter().map(|line| &line.record);
        records.extend(
            pauses.filter(|record| matches!(record.fact, Fact::Pause { .. } | Fact::Resume { .. })).cloned(),
        );
        self.reminder.add_facts(records);
        for line in lines {
            let fact = RawFact::new(line.text.clone());
            let _ = self.events.send(Arc::new(protocol::Event::Recorded { fact }));
        }
        self.recount_all();
        self.input(now, Input::ClockChanged);
    }
}
