//! Single faults of a disk, one at a time, at every operation: kills, power losses and errors.

use super::disk::{Bug, Disk, End, Faults, scratch_dir};
use super::*;

/// A data directory on a simulated disk, and the database on a real one.
struct Machine {
    dir: tempfile::TempDir,
    disk: Disk,
}

struct Run {
    store: Store,
    written: async_mpsc::UnboundedReceiver<Written>,
}

impl Machine {
    fn new(seed: u64) -> Self {
        let dir = scratch_dir();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        let disk = Disk::new(seed, dir.path(), Bug::None);
        Self { dir, disk }
    }

    fn start(&self) -> Result<Run, StoreError> {
        self.start_on(self.disk.process())
    }

    fn start_on(&self, files: Arc<dyn FileSystem>) -> Result<Run, StoreError> {
        let (sender, written) = async_mpsc::unbounded_channel();
        let store = Store::open_on(files, &self.dir.path().join("data"), "desk", sender, |_, _| {})?;
        Ok(Run { store, written })
    }

    fn lose_database(&self) {
        let _ = std::fs::remove_dir_all(self.dir.path().join("data/db"));
    }
}

impl Run {
    /// Records facts and returns those that are acknowledged.
    fn record(&mut self, facts: std::ops::Range<usize>) -> Vec<JournalLine> {
        let mut waiting = facts.len();
        self.store.record(drafts(facts));
        let mut lines = Vec::new();
        while waiting > 0 {
            match self.written.blocking_recv().unwrap() {
                Written::Durable(more) => {
                    waiting -= more.len();
                    lines.extend(more.into_iter().map(|(_, line)| line));
                }
                Written::Failed(tokens, _) => waiting -= tokens.len(),
            }
        }
        lines
    }

    /// Returns every fact.
    fn ask(&self) -> Vec<JournalLine> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.store.reader().lines(ALL())).unwrap()
    }

    fn journal(&self, machine: &Machine) -> PathBuf {
        machine.dir.path().join(format!("data/journal/{}.jsonl", self.store.device()))
    }
}

#[test]
fn an_append_that_fails_leaves_nothing_and_the_next_one_goes_on() {
    for (seed, operation) in (0..8).flat_map(|seed| (0..4).map(move |operation| (seed, operation))) {
        let machine = Machine::new(seed);
        let mut run = machine.start().unwrap();
        let mut told = run.record(0..2);
        machine.disk.set_faults(Faults { failing: 1 << operation, ..Faults::default() });
        told.extend(run.record(2..4));
        machine.disk.set_faults(Faults { is_full: true, ..Faults::default() });
        assert_eq!(run.record(4..6), [], "{seed}, {operation}");
        machine.disk.set_faults(Faults::default());
        told.extend(run.record(6..7));
        assert_eq!(run.ask(), told, "{seed}, {operation}");
        run.store.close();
        machine.disk.end(End::PowerLoss);
        machine.lose_database();
        let run = machine.start().unwrap();
        assert_eq!(run.ask(), told, "{seed}, {operation}");
        run.store.close();
    }
}

#[test]
fn what_is_recorded_first_outlives_a_power_loss() {
    for seed in 0..16 {
        let machine = Machine::new(seed);
        let mut run = machine.start().unwrap();
        let told = run.record(0..2);
        let journal = run.journal(&machine);
        run.store.close();
        machine.disk.end(End::PowerLoss);
        machine.lose_database();
        let run = machine.start().unwrap();
        assert_eq!((run.ask(), run.journal(&machine)), (told, journal), "{seed}");
        run.store.close();
    }
}

#[test]
fn what_was_told_after_a_kill_outlives_a_power_loss() {
    for (seed, operation) in (0..4).flat_map(|seed| (0..40).map(move |operation| (seed, operation))) {
        let machine = Machine::new(seed);
        let files = machine.disk.process();
        machine.disk.end_after(operation, End::Kill);
        let mut told = Vec::new();
        if let Ok(mut run) = machine.start_on(files) {
            told = run.record(0..2);
            run.store.close();
        }
        let mut run = machine.start().unwrap();
        let answered = run.ask();
        assert!(answered.starts_with(&told), "{seed}, {operation}");
        told = answered;
        told.extend(run.record(2..4));
        run.store.close();
        machine.disk.end(End::PowerLoss);
        let run = machine.start().unwrap();
        assert_eq!(run.ask(), told, "{seed}, {operation}");
        run.store.close();
    }
}

#[test]
fn what_a_failed_sync_dropped_is_not_told() {
    for (seed, operation) in (0..8).flat_map(|seed| (8..30).map(move |operation| (seed, operation))) {
        let machine = Machine::new(seed);
        let mut run = machine.start().unwrap();
        let told = run.record(0..1);
        // Written, and not synced.
        machine.disk.end_after(3, End::Kill);
        assert_eq!(run.record(1..3), []);
        run.store.close();
        machine.disk.set_faults(Faults { failing: 1 << operation, ..Faults::default() });
        if let Ok(run) = machine.start() {
            run.store.close();
        }
        machine.disk.set_faults(Faults::default());
        let mut run = machine.start().unwrap();
        let mut answered = run.ask();
        assert!(answered.starts_with(&told), "{seed}, {operation}");
        answered.extend(run.record(3..4));
        run.store.close();
        machine.disk.end(End::PowerLoss);
        let run = machine.start().unwrap();
        assert_eq!(run.ask(), answered, "{seed}, {operation}");
        run.store.close();
    }
}

#[test]
fn facts_that_are_too_many_for_one_sync_are_written_with_several() {
    let machine = Machine::new(0);
    let mut run = machine.start().unwrap();
    let before = machine.disk.operations();
    let mut all = drafts(0..100);
    for draft in &mut all {
        if let Fact::Skip { note, .. } = &mut draft.fact {
            *note = Some("n".repeat(20_000));
        }
    }
    // The second write fails, and with it what is not written yet.
    machine.disk.set_faults(Faults { failing: 1 << 6, ..Faults::default() });
    run.store.record(all);
    let (mut lines, mut failed) = (0, 0);
    while lines + failed < 100 {
        match run.written.blocking_recv().unwrap() {
            Written::Durable(more) => lines += more.len(),
            Written::Failed(tokens, _) => failed += tokens.len(),
        }
    }
    assert!((10..20).contains(&lines), "{lines} facts are durable");
    assert!(machine.disk.operations() > before + 6);
    assert_eq!(run.ask().len(), lines);
    run.store.close();
}

#[test]
fn what_is_torn_off_is_kept_whatever_happens() {
    for (seed, operation) in (0..8).flat_map(|seed| (0..26).map(move |operation| (seed, operation))) {
        let machine = Machine::new(seed);
        let mut run = machine.start().unwrap();
        let told = run.record(0..1);
        let journal = run.journal(&machine);
        run.store.close();
        machine.disk.append(&journal, b"torn");
        let files = machine.disk.process();
        machine.disk.end_after(operation, End::PowerLoss);
        if let Ok(run) = machine.start_on(files) {
            run.store.close();
            machine.disk.end(End::PowerLoss);
            let kept = machine.disk.read(&journal.with_extension("torn")).unwrap_or_default();
            assert_eq!(kept, b"torn\n", "{seed}, {operation}");
        }
        let run = machine.start().unwrap();
        assert_eq!(run.ask(), told, "{seed}, {operation}");
        run.store.close();
    }
}

#[test]
fn an_error_while_a_journal_is_put_back_loses_nothing() {
    // What of the journal is there under its own name, and under which one all of it is.
    for (there, part) in [(0, "restoring"), (1, "restoring"), (0, "restored"), (1, "restored")] {
        for operation in 0..30u32 {
            let machine = Machine::new(u64::from(operation));
            let mut run = machine.start().unwrap();
            let told = run.record(0..3);
            let journal = run.journal(&machine);
            run.store.close();
            let text = machine.disk.read(&journal).unwrap();
            machine.disk.rename(&journal, &journal.with_extension(part));
            if there > 0 {
                machine.disk.replace(&journal, &text[..=told[0].text.len()]);
            }
            machine.lose_database();
            machine.disk.set_faults(Faults { failing: 1 << operation, ..Faults::default() });
            if let Ok(mut run) = machine.start() {
                assert_eq!(run.ask(), told, "{there}, {part}, {operation}");
                run.record(3..4);
                run.store.close();
            }
            machine.disk.set_faults(Faults::default());
            let run = machine.start().unwrap();
            assert!(run.ask().starts_with(&told), "{there}, {part}, {operation}");
            run.store.close();
        }
    }
}

#[test]
fn a_journal_that_was_put_back_in_another_way_is_not_taken_back() {
    let machine = Machine::new(0);
    let mut run = machine.start().unwrap();
    let mut told = run.record(0..2);
    let journal = run.journal(&machine);
    run.store.close();
    // It was moved away while there was no room, and moved back.
    machine.disk.replace(&journal.with_extension("restored"), &machine.disk.read(&journal).unwrap());
    let files = machine.disk.process();
    machine.disk.rename(&journal.with_extension("restored"), &journal.with_extension("later"));
    let mut run = machine.start_on(files).unwrap();
    told.extend(run.record(2..4));
    run.store.close();
    machine.disk.rename(&journal.with_extension("later"), &journal.with_extension("restored"));
    let run = machine.start().unwrap();
    assert_eq!(run.ask(), told);
    assert_eq!(machine.disk.read(&journal.with_extension("restored")), None);
    run.store.close();
}

#[test]
fn of_a_journal_that_was_half_written_the_intact_lines_count() {
    let machine = Machine::new(0);
    let mut run = machine.start().unwrap();
    let told = run.record(0..3);
    let journal = run.journal(&machine);
    run.store.close();
    let mut text = machine.disk.read(&journal).unwrap();
    let first = told[0].text.len() + 1;
    // A block that never reached the disk.
    text[first + 10..first + 20].fill(0);
    machine.disk.replace(&journal.with_extension("restoring"), &text);
    machine.disk.remove(&journal);
    machine.lose_database();
    let run = machine.start().unwrap();
    assert_eq!(run.ask(), told[..1]);
    run.store.close();
}

#[test]
fn a_journal_that_was_being_put_back_takes_the_place_of_another_file() {
    for junk in ["[server]\n", "[serv"] {
        let machine = Machine::new(0);
        let mut run = machine.start().unwrap();
        let told = run.record(0..3);
        let journal = run.journal(&machine);
        run.store.close();
        machine.disk.rename(&journal, &journal.with_extension("restoring"));
        machine.disk.replace(&journal, junk.as_bytes());
        machine.lose_database();
        let run = machine.start().unwrap();
        assert_eq!(run.ask(), told, "{junk}");
        assert_eq!(machine.disk.read(&journal.with_extension("replaced-1")).unwrap(), junk.as_bytes());
        run.store.close();
    }
}

#[test]
fn a_journal_that_could_not_be_brought_back_is_written_again() {
    for seed in 0..24 {
        let machine = Machine::new(seed);
        let mut run = machine.start().unwrap();
        let mut told = run.record(0..2);
        // The sync, and that of what it was brought back to.
        machine.disk.set_faults(Faults { failing: 0b10_1000, ..Faults::default() });
        assert_eq!(run.record(2..6), []);
        machine.disk.set_faults(Faults::default());
        let more = run.record(6..7);
        assert_eq!(more.len(), 1, "{seed}");
        told.extend(more);
        assert_eq!(run.ask(), told, "{seed}");
        run.store.close();
        machine.disk.end(End::PowerLoss);
        machine.lose_database();
        let run = machine.start().unwrap();
        assert_eq!(run.ask(), told, "{seed}");
        run.store.close();
    }
}
