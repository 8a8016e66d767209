//! Wakes the daemon at the next deadline: tokio-cron-scheduler with a store of our own.
//!
//! The scheduler runs one job per entry. By default it polls twice a second; its public extension points
//! are the store that it asks for due jobs and the code that it runs for one. Our store replies when
//! there is something due, and until then waits on a timer of the real-time clock, which counts
//! suspend and notices a clock that was set.
//!
//! A job is no more than its number, its entry and its deadline: everything else that the scheduler wants
//! to know is the same for all, and one piece of code runs for each. So jobs are added and removed here,
//! not through the scheduler, which would keep a kilobyte for each, and holds the store's lock while it
//! waits. It computes next ticks of its own from a frozen offset; those are ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;
use tokio::sync::{Notify, RwLock, mpsc};
use tokio_cron_scheduler::job::job_data::{JobAndNextTick, JobStoredData, JobType};
use tokio_cron_scheduler::store::{DataStore, InitStore};
use tokio_cron_scheduler::{
    Context, JobCode, JobScheduler, JobSchedulerError, JobToRunAsync, MetaDataStorage, PinnedGetFuture,
    SimpleNotificationCode, SimpleNotificationStore, ToCode,
};
use uuid::Uuid;

use crate::adapters::clock::Clock;
use crate::core::schedule::ItemId;

/// The most jobs that are given to the scheduler at once; each needs four places in its channels,
/// and a channel that overflows loses jobs.
const MAX_DUE_AT_ONCE: usize = 16;
const CHANNEL_SIZE: usize = MAX_DUE_AT_ONCE * 8;

/// A tick in the past: the store returns only what is due.
const PAST_TICK: u64 = 1;

/// When the timer expires while there is no deadline, in seconds since 1970: it still notices a clock that
/// was set.
const FAR_SECONDS: i64 = 400 * 365 * 24 * 3600;

/// What has a deadline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgendaEntry {
    /// An item's next point in time.
    Item(ItemId),
    /// The next attempt to show what could not be shown.
    Retry,
}

/// Why the agenda woke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wake {
    /// A deadline has come.
    Due(AgendaEntry),
    /// The clock was set, or the machine slept.
    ClockChanged,
}

/// An error of the scheduler or its timer.
#[derive(Debug, thiserror::Error)]
pub enum AgendaError {
    /// The system has no more timers.
    #[error("cannot make a timer")]
    Timer(#[from] std::io::Error),
    /// The scheduler failed.
    #[error("the job scheduler failed")]
    Scheduler(#[from] JobSchedulerError),
}

/// Deadlines, each with its job.
pub struct Agenda {
    shared: Arc<Shared>,
    scheduler: JobScheduler,
}

impl std::fmt::Debug for Agenda {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agenda").field("jobs", &self.shared.queue().jobs.len()).finish_non_exhaustive()
    }
}

struct Shared {
    clock: Arc<dyn Clock>,
    queue: Mutex<Queue>,
    changed: Notify,
    timer: AsyncFd<OwnedFd>,
    wakes: mpsc::UnboundedSender<Wake>,
}

/// The scheduler knows a job by its number.
type Number = u64;

/// The jobs and their deadlines.
#[derive(Default)]
struct Queue {
    jobs: BTreeMap<Number, Job>,
    numbers: BTreeMap<AgendaEntry, Number>,
    deadlines: BTreeSet<(Timestamp, Number)>,
    last_number: Number,
    /// Set when the scheduler is to end: it does not wait any more then, and so notices that.
    is_ending: bool,
}

struct Job {
    entry: AgendaEntry,
    deadline: Option<Timestamp>,
}

impl Queue {
    fn set(&mut self, entry: AgendaEntry, deadline: Option<Timestamp>) {
        let known = self.numbers.get(&entry).copied();
        if known.is_none() && deadline.is_none() {
            return;
        }
        let number = known.unwrap_or_else(|| {
            self.last_number += 1;
            self.numbers.insert(entry.clone(), self.last_number);
            self.last_number
        });
        if let Some(Job { deadline: Some(old), .. }) = self.jobs.insert(number, Job { entry, deadline }) {
            self.deadlines.remove(&(old, number));
        }
        self.deadlines.extend(deadline.map(|at| (at, number)));
    }

    fn remove(&mut self, entry: &AgendaEntry) {
        let Some(number) = self.numbers.remove(entry) else { return };
        if let Some(Job { deadline: Some(at), .. }) = self.jobs.remove(&number) {
            self.deadlines.remove(&(at, number));
        }
    }

    /// Returns when the first deadline is.
    fn first(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Returns the first jobs that are due, in the form of the scheduler.
    fn due(&self, now: Timestamp) -> Vec<JobAndNextTick> {
        self.deadlines
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(MAX_DUE_AT_ONCE)
            .map(|(_, number)| JobAndNextTick {
                id: Some(job_id(*number).into()),
                job_type: JobType::Repeated as i32,
                next_tick: PAST_TICK,
                last_tick: None,
            })
            .collect()
    }

    fn job(&self, id: Uuid) -> Option<&Job> {
        self.jobs.get(&Number::try_from(id.as_u128()).ok()?)
    }
}

fn job_id(number: Number) -> Uuid {
    Uuid::from_u128(number.into())
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No code panics while it holds the lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is due or the scheduler is to end, and returns what is due.
    async fn wait(&self) -> Result<Vec<JobAndNextTick>, std::io::Error> {
        loop {
            let changed = self.changed.notified();
            let next = {
                let queue = self.queue();
                let due = queue.due(self.clock.now());
                if !due.is_empty() || queue.is_ending {
                    return Ok(due);
                }
                queue.first()
            };
            if self.arm(next)? == Armed::ClockChanged {
                let _ = self.wakes.send(Wake::ClockChanged);
                continue;
            }
            tokio::select! {
                () = changed => {}
                expired = self.expired() => {
                    if expired? == Expired::ClockChanged {
                        let _ = self.wakes.send(Wake::ClockChanged);
                    }
                }
            }
        }
    }

    /// Sets the timer, and returns whether the clock was set since then: the kernel reports that once, to the
    /// first call that asks.
    fn arm(&self, deadline: Option<Timestamp>) -> std::io::Result<Armed> {
        let at = deadline.map_or((FAR_SECONDS, 0), |at| (at.as_second(), at.subsec_nanosecond()));
        // A zero would stop the timer; anything in the past fires at once.
        let at = if at.0 < 1 { (1, 0) } else { at };
        let value = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: at.0, tv_nsec: at.1.into() },
        };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        match timerfd_settime(&self.timer, flags, &value) {
            Ok(_) => Ok(Armed::Waits),
            Err(rustix::io::Errno::CANCELED) => Ok(Armed::ClockChanged),
            Err(error) => Err(error.into()),
        }
    }

    async fn expired(&self) -> std::io::Result<Expired> {
        loop {
            let mut ready = self.timer.readable().await?;
            let mut count = [0; 8];
            match rustix::io::read(ready.get_inner(), &mut count) {
                Ok(_) => return Ok(Expired::Deadline),
                Err(rustix::io::Errno::CANCELED) => return Ok(Expired::ClockChanged),
                Err(rustix::io::Errno::AGAIN) => ready.clear_ready(),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[allow(
    deprecated,
    reason = "its replacement is unsafe; an owned descriptor cannot be closed behind its back"
)]
fn register(fd: OwnedFd) -> std::io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Armed {
    Waits,
    ClockChanged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expired {
    Deadline,
    ClockChanged,
}

impl Agenda {
    /// Starts an agenda without deadlines; it reports to `wakes` when one has come.
    ///
    /// # Errors
    ///
    /// The system has no more timers, or the scheduler does not start.
    pub async fn start(
        clock: Arc<dyn Clock>,
        wakes: mpsc::UnboundedSender<Wake>,
    ) -> Result<Self, AgendaError> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Realtime, flags).map_err(std::io::Error::from)?;
        let shared = Arc::new(Shared {
            clock,
            queue: Mutex::default(),
            changed: Notify::new(),
            timer: register(timer)?,
            wakes,
        });
        // From now on a change of the clock is noticed, also before the scheduler first asks.
        shared.arm(None)?;
        let scheduler = JobScheduler::new_with_storage_and_code(
            Box::new(JobStore { shared: shared.clone() }),
            Box::new(SimpleNotificationStore::default()),
            Box::new(WakeCode::new(&shared)),
            Box::new(SimpleNotificationCode::default()),
            CHANNEL_SIZE,
        )
        .await?;
        scheduler.start().await?;
        Ok(Self { shared, scheduler })
    }

    /// Sets deadlines; an entry that is new gets its job, one with `None` waits for nothing.
    pub fn set(&mut self, changes: impl IntoIterator<Item = (AgendaEntry, Option<Timestamp>)>) {
        let mut queue = self.shared.queue();
        let first = queue.deadlines.first().copied();
        for (entry, deadline) in changes {
            queue.set(entry, deadline);
        }
        if queue.deadlines.first().copied() != first {
            self.shared.changed.notify_one();
        }
    }

    /// Removes an entry and its job.
    pub fn remove(&mut self, entry: &AgendaEntry) {
        self.shared.queue().remove(entry);
    }

    /// Ends the scheduler.
    pub async fn shut_down(mut self) {
        self.shared.queue().is_ending = true;
        self.shared.changed.notify_one();
        let _ = self.scheduler.shutdown().await;
    }
}

type StoreFuture<T> = Pin<Box<dyn Future<Output = Result<T, JobSchedulerError>> + Send>>;

fn ready<T: Send + 'static>(value: T) -> StoreFuture<T> {
    Box::pin(std::future::ready(Ok(value)))
}

/// The store that the scheduler asks.
struct JobStore {
    shared: Arc<Shared>,
}

impl InitStore for JobStore {
    fn init(&mut self) -> StoreFuture<()> {
        ready(())
    }

    fn inited(&mut self) -> StoreFuture<bool> {
        ready(true)
    }
}

impl DataStore<JobStoredData> for JobStore {
    fn get(&mut self, id: Uuid) -> StoreFuture<Option<JobStoredData>> {
        let known = self.shared.queue().job(id).map(|_| JobStoredData {
            id: Some(id.into()),
            last_updated: None,
            last_tick: None,
            next_tick: PAST_TICK,
            job_type: JobType::Repeated as i32,
            count: 0,
            extra: Vec::new(),
            ran: false,
            stopped: false,
            job: None,
            time_offset_seconds: 0,
        });
        ready(known)
    }

    /// Only the agenda adds and removes jobs.
    fn add_or_update(&mut self, _: JobStoredData) -> StoreFuture<()> {
        Box::pin(std::future::ready(Err(JobSchedulerError::CantAdd)))
    }

    fn delete(&mut self, _: Uuid) -> StoreFuture<()> {
        Box::pin(std::future::ready(Err(JobSchedulerError::CantRemove)))
    }
}

impl MetaDataStorage for JobStore {
    fn list_next_ticks(&mut self) -> StoreFuture<Vec<JobAndNextTick>> {
        let shared = self.shared.clone();
        Box::pin(async move {
            shared.wait().await.map_err(|error| {
                tracing::error!(%error, "the agenda's timer failed");
                JobSchedulerError::TickError
            })
        })
    }

    /// The scheduler's idea of the next tick comes from a frozen offset and a stale clock.
    fn set_next_and_last_tick(
        &mut self,
        _: Uuid,
        _: Option<chrono::DateTime<chrono::Utc>>,
        _: Option<chrono::DateTime<chrono::Utc>>,
    ) -> StoreFuture<()> {
        ready(())
    }

    fn time_till_next_job(&mut self) -> StoreFuture<Option<Duration>> {
        let next = self.shared.queue().first();
        let now = self.shared.clock.now();
        let wait = next.map(|at| at.duration_since(now).try_into().unwrap_or(Duration::ZERO));
        ready(wait)
    }
}

/// The code that the scheduler runs for a job: it reports that the entry is due.
struct WakeCode {
    run: Arc<RwLock<Box<JobToRunAsync>>>,
}

impl WakeCode {
    fn new(shared: &Arc<Shared>) -> Self {
        let shared = shared.clone();
        let run: Box<JobToRunAsync> = Box::new(move |id, _| {
            // One that was removed just now is not due any more.
            if let Some(job) = shared.queue().job(id) {
                let _ = shared.wakes.send(Wake::Due(job.entry.clone()));
            }
            Box::pin(std::future::ready(()))
        });
        Self { run: Arc::new(RwLock::new(run)) }
    }
}

impl ToCode<Box<JobToRunAsync>> for WakeCode {
    fn init(&mut self, _: &Context) -> StoreFuture<()> {
        ready(())
    }

    fn get(&mut self, _: Uuid) -> PinnedGetFuture<Box<JobToRunAsync>> {
        ready(Some(self.run.clone()))
    }
}

impl JobCode for WakeCode {}

#[cfg(test)]
mod tests;
