//! Lives of the record on a simulated disk: facts are appended, the disk is full, fails, and loses what was not synced,
//! processes are killed at any operation, somebody replaces the journal, other devices' journals arrive in pieces, and the
//! database, which is on a real disk, is behind, damaged, of an older copy or gone.
//!
//! What was told is there after each of it, once, as it was written and in that order. The seed of a life that fails is
//! printed; `DOSED_STORE_SEED` lives it again, `DOSED_STORE_LIVES` sets how many are lived, and `DOSED_STORE_TRACE` prints
//! what happens.

mod compare;
mod harms;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use super::disk::{Bug, Disk, End, Faults, scratch_dir};
use super::*;
use crate::core::insight::SplitMix64;
use crate::core::ledger::{NamedZone, StockChange};

/// Lives of the normal run.
const LIVES: u64 = 150;

/// How often the process is started in one life.
const STARTS: usize = 8;

#[expect(clippy::disallowed_methods, reason = "how a test is run")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A device whose journal arrives here.
struct Peer {
    path: PathBuf,
    device: String,
    text: String,
    /// How many of its facts were told here.
    told: usize,
}

impl Peer {
    fn draw(lot: &mut SplitMix64, journals: &Path, name: &str) -> Self {
        let text = (1..=4 + lot.below(20) as u64)
            .map(|seq| {
                let id = FactId { device: name.into(), seq };
                let record =
                    Record { id, recorded_at: instant(seq as usize), fact: fact(lot, name, seq as usize) };
                format!("{}\n", line::write(record, &TimeZone::UTC).unwrap().text)
            })
            .collect::<Vec<_>>()
            .concat();
        Self { path: journals.join(format!("{name}.jsonl")), device: name.to_owned(), text, told: 0 }
    }
}

/// Draws a fact; its number is in it.
fn fact(lot: &mut SplitMix64, device: &str, n: usize) -> Fact {
    let note = match lot.below(12) {
        0 => "n".repeat(lot.below(6_000)),
        1 => "ä\"\\\n".to_owned(),
        _ => String::new(),
    };
    let (at, key) = (instant(lot.below(28)), Some(format!("{device}-{n}")));
    match lot.below(6) {
        0 => Fact::Stock { item: "a".parse().unwrap(), at, change: StockChange::Count(n as u32), key },
        1 => {
            let name = format!("Europe/{n}");
            Fact::Zone { at, zone: NamedZone { name, rules: None } }
        }
        2 => Fact::Pause { item: None, at, until: None, reason: Some(format!("{n} {note}")) },
        3 => Fact::Intake {
            item: "b".parse().unwrap(),
            occurrence: None,
            at: When::Instant(at),
            amount: None,
            planned: None,
            product: None,
            form_data: None,
            note: Some(note),
            corrects: None,
            key,
        },
        _ => Fact::Skip {
            occurrence: occurrence(lot.below(28)),
            at: When::Instant(at),
            reason: Some(format!("{n}")),
            note: Some(note),
            corrects: None,
            key,
        },
    }
}

#[expect(clippy::struct_excessive_bools, reason = "each is on its own")]
struct Life {
    lot: SplitMix64,
    disk: Disk,
    dir: tempfile::TempDir,
    journals: PathBuf,
    runtime: tokio::runtime::Runtime,
    device: Option<String>,
    /// What was acknowledged or answered: the line of each fact, and the number of its draft.
    told: BTreeMap<u64, (String, u64)>,
    /// What was not, and may be there all the same.
    untold: Vec<Draft>,
    drafts: u64,
    peers: Vec<Peer>,
    /// What was cut off the journal.
    torn: Vec<Vec<u8>>,
    /// Somebody changed the journal, and that is not made good yet.
    is_harmed: bool,
    /// The disk did something wrong since the process was started.
    is_troubled: bool,
    /// The database is not the one that was closed last.
    is_other_database: bool,
    /// What is known of other devices was compared since the process was started.
    is_compared: bool,
    copies: usize,
    now: Timestamp,
}

struct Run {
    store: Store,
    written: async_mpsc::UnboundedReceiver<Written>,
}

impl Life {
    fn new(seed: u64, bug: Bug) -> Self {
        let mut lot = SplitMix64(seed);
        let dir = scratch_dir();
        let data = dir.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let journals = data.join("journal");
        let disk = Disk::new(seed ^ 1, dir.path(), bug);
        let peers = ["other-1", "other-2"].map(|name| Peer::draw(&mut lot, &journals, name)).into();
        Self {
            lot,
            disk,
            dir,
            journals,
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            device: None,
            told: BTreeMap::new(),
            untold: Vec::new(),
            drafts: 0,
            peers,
            torn: Vec::new(),
            is_harmed: false,
            is_troubled: false,
            is_other_database: false,
            is_compared: false,
            copies: 0,
            now: instant(3),
        }
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.lot.below(n) == 0
    }

    fn trace(&self, what: impl FnOnce() -> String) {
        if variable("DOSED_STORE_TRACE").is_some() {
            println!("{:>6} {}", self.disk.operations(), what());
        }
    }

    fn database(&self) -> PathBuf {
        self.dir.path().join("data/db")
    }

    fn journal(&self) -> PathBuf {
        self.journals.join(format!("{}.jsonl", self.device.as_deref().unwrap()))
    }

    /// Returns the text that the journal should have.
    fn text(&self) -> String {
        self.told.values().map(|(line, _)| format!("{line}\n")).collect::<Vec<_>>().concat()
    }

    fn draw_end(&mut self) -> End {
        if self.one_in(2) { End::Kill } else { End::PowerLoss }
    }

    fn live(&mut self) {
        for _ in 0..STARTS {
            let Some(mut run) = self.start() else { continue };
            self.is_troubled = false;
            self.verify(&mut run);
            for _ in 0..self.lot.below(10) {
                self.step(&mut run);
                if !self.disk.is_running() {
                    break;
                }
            }
            self.stop(run);
        }
        self.disk.set_faults(Faults::default());
        let mut run = self.start_for_good();
        self.verify(&mut run);
        run.store.close();
    }

    /// Starts a process, which the disk may not let.
    fn start(&mut self) -> Option<Run> {
        self.disk.set_faults(Faults::default());
        self.change_database();
        if !self.one_in(3) {
            return Some(self.start_for_good());
        }
        let files = self.disk.process();
        match self.lot.below(6) {
            0 => self.disk.set_faults(Faults { is_full: true, ..Faults::default() }),
            1 => self.disk.set_faults(Faults { failing: 1 << self.lot.below(20), ..Faults::default() }),
            2 => self.disk.set_faults(Faults { errors: 1 + self.lot.below(12), ..Faults::default() }),
            _ => {
                let end = self.draw_end();
                self.disk.end_after(self.lot.below(30), end);
            }
        }
        let opened = self.open(files);
        self.disk.set_faults(Faults::default());
        match opened {
            Ok(run) => {
                if self.disk.is_running() {
                    return Some(run);
                }
                run.store.close();
            }
            Err(error) => self.trace(|| format!("not started: {error:?}")),
        }
        if self.disk.is_running() {
            let end = self.draw_end();
            self.disk.end(end);
        }
        None
    }

    /// Starts a process on a disk that works.
    fn start_for_good(&mut self) -> Run {
        let mut torn = self.torn_end();
        let files = self.disk.process();
        let run = match self.open(files) {
            Ok(run) => run,
            Err(error @ (StoreError::JournalShort { .. } | StoreError::Damaged { .. })) if self.is_harmed => {
                // What the message says.
                self.trace(|| format!("restored from a backup: {error}"));
                self.disk.replace(&self.journal(), self.text().as_bytes());
                torn = None;
                let files = self.disk.process();
                self.open(files).unwrap()
            }
            Err(error) => panic!("not started: {error:?}"),
        };
        self.torn.extend(torn);
        run
    }

    /// Returns what follows the last whole line, where nothing else is put in place of the journal.
    fn torn_end(&self) -> Option<Vec<u8>> {
        self.device.as_ref()?;
        let bytes = self.disk.read(&self.journal())?;
        let is_replaced = ["restoring", "restored"]
            .iter()
            .any(|part| self.disk.read(&self.journal().with_extension(part)).is_some());
        let end = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
        (end < bytes.len() && !is_replaced).then(|| bytes[end..].to_vec())
    }

    fn open(&mut self, files: Arc<dyn FileSystem>) -> Result<Run, StoreError> {
        let (sender, written) = async_mpsc::unbounded_channel();
        let store = Store::open_on(files, &self.dir.path().join("data"), "desk", sender, |_, _| {})?;
        self.trace(|| format!("started as {}", store.device()));
        if self.device.as_deref() != Some(store.device()) {
            assert!(self.told.is_empty(), "the device {:?} has become {}", self.device, store.device());
            self.device = Some(store.device().to_owned());
        }
        if std::mem::take(&mut self.is_harmed) {
            self.accept_loss();
        }
        Ok(Run { store, written })
    }

    /// Where somebody changed the journal and the process ended before it noticed, and the database does not know
    /// better, what they left is the record.
    fn accept_loss(&mut self) {
        let bytes = self.disk.read(&self.journal()).unwrap_or_default();
        let text = self.text();
        let same = bytes.iter().zip(text.as_bytes()).take_while(|(a, b)| a == b).count();
        let whole = text[..same].matches('\n').count() as u64;
        if whole < self.told.len() as u64 {
            self.trace(|| format!("the record goes on after fact {whole}"));
            self.told.retain(|seq, _| *seq <= whole);
            self.copies = 0;
        }
    }

    fn stop(&mut self, run: Run) {
        // Damage can be found at any question until then.
        self.is_other_database &= !std::mem::take(&mut self.is_compared);
        if self.disk.is_running() {
            self.disk.set_faults(Faults::default());
            if self.one_in(3) {
                self.trace(|| "closed".to_owned());
                run.store.close();
                // That puts the journal back where the disk lets it.
                self.is_harmed &= self.is_troubled || !self.disk.is_running();
                return;
            }
            let end = self.draw_end();
            self.disk.end(end);
        }
        self.trace(|| "ended".to_owned());
        run.store.close();
    }

    fn step(&mut self, run: &mut Run) {
        match self.lot.below(12) {
            0..5 => self.record(run),
            5 => self.verify(run),
            6 | 7 => self.send_peer(run),
            8 => self.harm_journal(run),
            9 => {
                let hours = self.lot.below(200) as i64 - 80;
                self.now += SignedDuration::from_hours(hours);
            }
            10 => {
                let faults = match self.lot.below(5) {
                    0 => Faults::default(),
                    1 => Faults { is_full: true, ..Faults::default() },
                    2 | 3 => {
                        let failing = (1 << self.lot.below(8)) | (1 << self.lot.below(8));
                        Faults { failing, ..Faults::default() }
                    }
                    _ => Faults { errors: 1 + self.lot.below(10), ..Faults::default() },
                };
                self.trace(|| format!("{faults:?}"));
                self.is_troubled |= faults.is_full || faults.errors > 0 || faults.failing != 0;
                self.disk.set_faults(faults);
            }
            _ => {
                let (operations, end) = (self.lot.below(12), self.draw_end());
                self.trace(|| format!("{end:?} after {operations} operations"));
                self.disk.end_after(operations, end);
            }
        }
    }

    /// Hands drafts over and waits for what becomes of them.
    fn record(&mut self, run: &mut Run) {
        let count = if self.one_in(12) { 40 } else { 1 + self.lot.below(5) };
        let mut drafts = BTreeMap::new();
        for _ in 0..count {
            self.drafts += 1;
            let mut fact = fact(&mut self.lot, "own", self.drafts as usize);
            if let (Fact::Skip { note, .. }, true) = (&mut fact, self.one_in(30)) {
                *note = Some("n".repeat(line::MAX_LINE_BYTES));
            }
            let token = Token(self.drafts);
            drafts.insert(token.0, Draft { token, fact, recorded_at: self.now, zone: TimeZone::UTC });
        }
        let had_error = self.disk.faults().failing != 0;
        run.store.record(drafts.values().cloned().collect());
        while !drafts.is_empty() {
            match run.written.blocking_recv().unwrap() {
                Written::Durable(lines) => {
                    self.trace(|| {
                        format!(
                            "durable: {:?}",
                            lines.iter().map(|(_, line)| line.record.id.seq).collect::<Vec<_>>()
                        )
                    });
                    for (token, line) in lines {
                        let draft = drafts.remove(&token.0).unwrap();
                        assert_eq!(line.record.fact, draft.fact);
                        self.tell(line.record.id.seq, &line.text, token.0);
                    }
                    self.is_harmed = false;
                }
                Written::Failed(tokens, reason) => {
                    self.trace(|| format!("failed: {} facts, {reason}", tokens.len()));
                    let faults = self.disk.faults();
                    let is_good = !faults.is_full && faults.errors == 0 && !had_error;
                    let is_refused = reason.contains("too long");
                    assert!(is_refused || !is_good || !self.disk.is_running(), "{reason}");
                    for token in tokens {
                        self.untold.push(drafts.remove(&token.0).unwrap());
                    }
                }
            }
        }
    }

    fn tell(&mut self, seq: u64, text: &str, draft: u64) {
        let before = self.told.insert(seq, (text.to_owned(), draft));
        assert_eq!(before, None, "fact {seq} has two contents");
        let earlier = self.told.range(..seq).next_back();
        assert_eq!(earlier.map_or(0, |(seq, _)| *seq), seq - 1, "a number was left out");
        assert!(earlier.is_none_or(|(_, (_, earlier))| *earlier < draft), "fact {seq} is not in write order");
    }
}

/// Returns the seed of a life by its number.
fn seed(life: u64) -> u64 {
    // Numbers that follow each other would draw the same, one step apart.
    SplitMix64(life).below(usize::MAX) as u64
}

fn live(seed: u64, bug: Bug) -> u64 {
    let mut life = Life::new(seed, bug);
    life.live();
    life.disk.operations()
}

#[test]
fn lives_of_the_record_lose_nothing() {
    let wanted = variable("DOSED_STORE_LIVES").map_or(LIVES, |lives| lives.parse().unwrap());
    let first: u64 = variable("DOSED_STORE_SEED").map_or(0x00d0_5ed0, |seed| seed.parse().unwrap());
    if variable("DOSED_STORE_TRACE").is_some() {
        let _ = tracing_subscriber::fmt().without_time().with_writer(std::io::stdout).try_init();
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = std::time::Instant::now();
    let (lives, operations) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let life = lives.fetch_add(1, Ordering::Relaxed);
                    if life >= wanted {
                        break;
                    }
                    let lived = std::panic::catch_unwind(|| live(seed(first + life), Bug::None));
                    let lived = lived.unwrap_or_else(|_| {
                        panic!("the life with DOSED_STORE_SEED={} broke a promise", first + life)
                    });
                    operations.fetch_add(lived, Ordering::Relaxed);
                }
            });
        }
    });
    println!(
        "{wanted} lives of the record, {} operations on the disk, {:.1} lives a second on {cores} cores",
        operations.into_inner(),
        f64::from(wanted as u32) / begun.elapsed().as_secs_f64()
    );
}

#[test]
fn bugs_that_are_put_in_are_found() {
    let bugs =
        [Bug::UnsyncedFacts, Bug::UnsyncedNames, Bug::LostTornEnd, Bug::NoRollBack, Bug::IgnoredSyncError];
    for bug in bugs {
        let found = (0..LIVES).find(|life| std::panic::catch_unwind(|| live(seed(*life), bug)).is_err());
        println!("{bug:?} was found in life {found:?}");
        assert!(found.is_some(), "{bug:?} was not found in {LIVES} lives");
    }
}
