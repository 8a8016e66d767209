//! Everything that can happen to the daemon, and the one place that waits for it.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::Signal;
use tokio::sync::mpsc;
use tokio::time::Interval;
use tracing::warn;

use super::schedule_file::ScheduleRead;
use crate::adapters::agenda::Wake;
use crate::adapters::channels;
use crate::adapters::desktop;
use crate::adapters::file_watch::Watch;
use crate::adapters::http::{Call, Change, ChangeReply};
use crate::adapters::presence;
use crate::adapters::store::{JournalLine, Written};
use crate::core::ledger::{Record, StockLeft};
use crate::core::schedule::ItemId;

/// Something that happened.
#[derive(Debug)]
pub(super) enum Event {
    /// A deadline came, or the clock was set.
    Wake(Wake),
    /// Facts are durable, or could not be written.
    Written(Written),
    /// The desktop tells something.
    Desktop(desktop::Event),
    /// A channel tells something.
    Channel(channels::Event),
    /// The machine sleeps or has woken.
    Presence(presence::Event),
    /// Someone asks.
    Call(Call),
    /// The recorded facts that a change may be about were read.
    ContextLoaded {
        /// The change.
        change: Change,
        /// Where the response goes.
        reply: ChangeReply,
        /// The facts.
        records: Vec<Arc<Record>>,
    },
    /// What is left of an item was counted.
    StockCounted {
        /// Which item.
        item: ItemId,
        /// How much; `None` where nothing is counted.
        left: Option<StockLeft>,
        /// Which count it was.
        count: u64,
    },
    /// What is new in the journals of other devices was folded, with the facts that may matter now.
    PeersFolded {
        /// What is new.
        lines: Vec<JournalLine>,
        /// What may matter now, of all devices.
        records: Vec<Arc<Record>>,
    },
    /// A watched file changed.
    FileChanged(PathBuf),
    /// The schedule was read.
    ScheduleRead(ScheduleRead),
    /// Read the schedule again.
    Reload,
    /// The service manager wants to hear of us.
    Watchdog,
    /// End.
    Terminate,
}

/// Where events come from.
pub(super) struct Sources {
    pub(super) wakes: mpsc::UnboundedReceiver<Wake>,
    pub(super) written: mpsc::UnboundedReceiver<Written>,
    pub(super) desktop: mpsc::UnboundedReceiver<desktop::Event>,
    pub(super) channels: mpsc::Receiver<channels::Event>,
    pub(super) presence: mpsc::UnboundedReceiver<presence::Event>,
    pub(super) calls: mpsc::Receiver<Call>,
    pub(super) calls_sender: mpsc::Sender<Call>,
    pub(super) background: mpsc::UnboundedReceiver<Event>,
    pub(super) watch: Option<Watch>,
    pub(super) hangup: Signal,
    pub(super) terminate: Signal,
    pub(super) interrupt: Signal,
}

impl Sources {
    /// Waits for the next event. What is durable comes first: others wait for it.
    pub(super) async fn next(&mut self, watchdog: &mut Option<Interval>) -> Event {
        let tick = async {
            match watchdog {
                Some(interval) => interval.tick().await,
                None => std::future::pending().await,
            }
        };
        let changed = async {
            match &mut self.watch {
                Some(watch) => watch.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Event::Terminate,
            _ = self.interrupt.recv() => Event::Terminate,
            Some(written) = self.written.recv() => Event::Written(written),
            Some(wake) = self.wakes.recv() => Event::Wake(wake),
            Some(event) = self.desktop.recv() => Event::Desktop(event),
            Some(event) = self.channels.recv() => Event::Channel(event),
            Some(event) = self.presence.recv() => Event::Presence(event),
            Some(background) = self.background.recv() => background,
            Some(call) = self.calls.recv() => Event::Call(call),
            _ = self.hangup.recv() => Event::Reload,
            _ = tick => Event::Watchdog,
            changed = changed => match changed {
                Ok(path) => Event::FileChanged(path),
                Err(error) => {
                    warn!(%error, "changes of the schedule are not noticed any more; SIGHUP reads it again");
                    self.watch = None;
                    Event::Reload
                }
            },
        }
    }

    /// Returns what was written while the daemon ended.
    pub(super) fn last_written(&mut self) -> Option<Written> {
        self.written.try_recv().ok()
    }
}
