//! The thread that owns the database, and opens it again where it had to be given up.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use tokio::sync::oneshot;
use tracing::{error, info};

use super::ask::{History, Question, Range};
use super::database::{Database, Health, TIMER_SLACK, mark_of_panic, set_aside};
use super::line::{Line, Noted};
use super::{StoreError, journal};
use crate::ledger::Record;
use crate::panics;

/// What is durable and not yet in the database: whoever recorded it is answered first.
#[derive(Clone, Debug)]
pub(super) struct Backlog(Arc<Mutex<Durable>>);

#[derive(Debug)]
struct Durable {
    lines: Vec<Line>,
    /// How many bytes of this device's journal are durable: what stands behind them may yet be taken back.
    bytes: u64,
}

impl Backlog {
    /// Begins with a journal of so many bytes, all of which the database has.
    pub(super) fn new(bytes: u64) -> Self {
        Self(Arc::new(Mutex::new(Durable { lines: Vec::new(), bytes })))
    }

    /// Adds lines, with which the journal has so many bytes.
    pub(super) fn add(&self, lines: &[Line], bytes: u64) {
        let mut durable = self.open();
        durable.lines.extend_from_slice(lines);
        durable.bytes = bytes;
    }

    fn take(&self) -> Vec<Line> {
        std::mem::take(&mut self.open().lines)
    }

    fn bytes(&self) -> u64 {
        self.open().bytes
    }

    fn open(&self) -> MutexGuard<'_, Durable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the database's thread is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Take in the backlog; every other order begins with it.
    TakeIn,
    Ask(Question, oneshot::Sender<Result<Vec<Line>, StoreError>>),
    About(Range, oneshot::Sender<Result<Vec<Arc<Record>>, StoreError>>),
    History(History, oneshot::Sender<Result<String, StoreError>>),
    Health(oneshot::Sender<Result<Health, StoreError>>),
    Close,
}

/// The database with what it takes to open it again: sled does not recover from a full disk by itself.
struct Owner {
    path: PathBuf,
    /// This device's journal.
    journal: PathBuf,
    database: Option<Database>,
    backlog: Backlog,
    openings: Arc<AtomicU64>,
    error: Option<String>,
    /// Whether one that could not be read was set aside: a second time it would not be the database's fault.
    has_set_aside: bool,
}

impl Owner {
    fn take_in(&mut self) {
        let lines = self.backlog.take();
        let Some(database) = self.database.as_ref().filter(|_| !lines.is_empty()) else { return };
        let noted: Vec<Noted> = lines.iter().map(Line::noted).collect();
        if let Err(error) = database.apply(&noted) {
            // The mark stays behind; the journal has these facts, and they are applied again from there.
            self.give_up(&error.to_string());
        }
    }

    fn give_up(&mut self, why: &str) {
        error!(%why, "the database cannot be used; the journal has every fact, and it is tried again when asked");
        self.error = Some(why.to_owned());
        self.database = None;
    }

    /// Returns the database, opened again from the journals where it had to be given up.
    fn ready(&mut self) -> Result<&Database, StoreError> {
        if self.database.is_none() {
            let files = journal::read_all(&self.journal, self.backlog.bytes())?;
            self.database = Some(Database::open(&self.path, &files, |_, _| {})?);
            self.error = None;
            self.openings.fetch_add(1, Ordering::Relaxed);
            info!("the database can be used again");
        }
        self.database.as_ref().ok_or(StoreError::Closed)
    }

    /// Asks something, a second time where the database had to be opened again for it, a third where it had to be
    /// built anew.
    fn ask<T>(&mut self, ask: impl Fn(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let error = match ask(self.ready()?) {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        // What made it fail may be over: a disk has room again.
        self.give_up(&error.to_string());
        match ask(self.ready()?) {
            Err(error @ StoreError::Database { is_damaged: true, .. }) if !self.has_set_aside => {
                // It can be opened, but not read.
                self.give_up(&error.to_string());
                self.has_set_aside = true;
                set_aside(&self.path)?;
                ask(self.ready()?)
            }
            answer => answer,
        }
    }

    /// Does what it is told until the end.
    fn serve(mut self, orders: mpsc::Receiver<Order>) {
        for order in orders {
            self.take_in();
            match order {
                Order::TakeIn => {}
                Order::Ask(question, reply) => {
                    let _ = reply.send(self.ask(|database| database.ask(question.clone())));
                }
                Order::About(range, reply) => {
                    let _ = reply.send(self.ask(|database| database.about(&range)));
                }
                Order::History(asked, reply) => {
                    let _ = reply.send(self.ask(|database| database.history(&asked)));
                }
                Order::Health(reply) => {
                    let _ = reply.send(self.health());
                }
                Order::Close => break,
            }
        }
        if let Some(database) = self.database {
            database.close();
        }
    }

    fn health(&mut self) -> Result<Health, StoreError> {
        let error = self.error.clone();
        let mut health = self.ask(Database::health)?;
        health.error = error.filter(|_| self.error.is_some());
        Ok(health)
    }
}

/// Starts the thread that owns the database.
pub(super) fn spawn(
    database: Database,
    journal: PathBuf,
    backlog: Backlog,
    openings: Arc<AtomicU64>,
) -> (mpsc::Sender<Order>, std::thread::JoinHandle<()>) {
    let (sender, orders) = mpsc::channel();
    let path = database.path.clone();
    let owner = Owner {
        path,
        journal,
        database: Some(database),
        backlog,
        openings,
        error: None,
        has_set_aside: false,
    };
    let run = move || {
        let _ = rustix::thread::set_current_timer_slack(TIMER_SLACK);
        panics::marked(&mark_of_panic(&owner.path), || owner.serve(orders));
    };
    let thread = std::thread::Builder::new().name("database".to_owned()).spawn(run);
    #[allow(clippy::expect_used, reason = "there is nothing to go on with")]
    (sender, thread.expect("a thread can be started"))
}
