//! Fuzzing as ordinary tests: what comes from outside, bent at random, breaks nothing.
//!
//! The mutator is blind to coverage. Small corpora, splices between their files and dictionaries stand in
//! for it. Every round is drawn from the seed and its own number, so what a failing test prints is enough
//! to see it again. `DOSED_FUZZ_SEED` draws other rounds, `DOSED_FUZZ_TIMES` so many times as many.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Instant;

use dosed::config;
use dosed::schedule::{Item, Plan, Recurrence, ZoneHistory};
use dosed::store::{Question, Store, StoreError};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::support::{Daemon, Home, Lot, PATIENCE};

/// The rounds that run when nobody says: the same each time, as chance must not fail a sound change.
const SEED: u64 = 0x646f_7365_6421;

/// The longest input, in bytes: past every limit that a request has.
const MAX_INPUT: usize = 72 * 1024;

/// A random generator whose first state is stirred by splitmix.
struct Rng(Lot);

impl Rng {
    /// Returns the generator of one round, which depends on no round before.
    fn of(seed: u64, round: u64) -> Self {
        let mut state = seed.wrapping_add(round.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(Lot((state ^ (state >> 31)).max(1)))
    }

    /// Returns a number below another; below 0 and 1 there is only 0.
    fn below(&mut self, end: usize) -> usize {
        self.0.below(end as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// Returns a part of something so long, mostly a short one.
    fn part(&mut self, length: usize) -> Range<usize> {
        let start = self.below(length);
        let longest = if self.one_in(4) { length } else { 16 };
        start..(start + 1 + self.below(longest)).min(length)
    }
}

/// Numbers, times and texts at the edges of what anything here can hold.
#[rustfmt::skip]
const EDGES: &[&str] = &[
    "0", "-1", "1", "96", "100", "255", "366", "36525", "36526", "2147483647", "4294967295", "4294967296",
    "9223372036854775807", "18446744073709551615", "18446744073709551616", "1e18", "1e400", "0.000000001",
    "10e2147483647", "18446744073709551615e5", "nan", "0000-01-01", "0001-01-01", "1582-10-15", "1970-01-01",
    "2026-02-30", "2028-02-29", "2026-03-29", "9999-12-30", "9999-12-31", "2026-12-31T23:59:60Z",
    "9999-12-31T23:59:59", "-009999-01-02T01:59:59Z", "24:00", "23:59:60", "02:30", "\u{0}", "\u{feff}",
    "\u{202e}", "\u{1f48a}", "\u{7f}", "\u{1b}[2J", "\r", "\n", "\t", "\\u0000", "\\ud800", "\"", "'", "\\",
];

/// Inputs out of a corpus and a dictionary.
struct Mutator {
    good: Vec<Vec<u8>>,
    hostile: Vec<Vec<u8>>,
    words: Vec<&'static str>,
    /// The words that can stand for another word without the form around them breaking.
    plain: Vec<&'static str>,
}

impl Mutator {
    /// Reads the corpus of one kind.
    fn new(kind: &str, words: &[&'static str]) -> Self {
        let dir = corpora().join(kind);
        let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let is_hostile = |path: &PathBuf| path.to_str().unwrap().contains("hostile-");
        let (hostile, good): (Vec<_>, Vec<_>) = paths.into_iter().partition(is_hostile);
        let read = |paths: Vec<PathBuf>| paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
        let words = [words, EDGES].concat();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || " .:+-@*".contains(c);
        let plain = words.iter().copied().filter(|word| word.trim() == *word && word.chars().all(is_plain));
        Self { good: read(good), hostile: read(hostile), plain: plain.collect(), words }
    }

    fn any(&self, rng: &mut Rng) -> &[u8] {
        let from = if rng.one_in(4) { &self.hostile } else { &self.good };
        &from[rng.below(from.len())]
    }

    /// Returns a file of the corpus, changed a few times.
    fn input(&self, rng: &mut Rng) -> Vec<u8> {
        let base = self.any(rng).to_vec();
        self.change(rng, base)
    }

    /// Changes something a few times. Half of the time only words become other words: what has lost its form
    /// is refused at the door, and what lies behind is never seen.
    fn change(&self, rng: &mut Rng, mut bytes: Vec<u8>) -> Vec<u8> {
        if rng.one_in(2) {
            for _ in 0..=rng.below(2) {
                self.rename(rng, &mut bytes);
            }
            return bytes;
        }
        let times = if rng.one_in(4) { 1 + rng.below(12) } else { 1 + rng.below(2) };
        for _ in 0..times {
            self.mutate(rng, &mut bytes);
            bytes.truncate(MAX_INPUT);
        }
        bytes
    }

    fn mutate(&self, rng: &mut Rng, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let at = rng.below(length + 1);
        match rng.below(12) {
            0 if length > 0 => bytes[at.min(length - 1)] ^= 1 << rng.below(8),
            1 if length > 0 => bytes[at.min(length - 1)] = rng.0.next() as u8,
            2 => insert(bytes, at, rng.pick(&self.words).as_bytes()),
            3..6 => {
                let token = token(rng, bytes);
                bytes.splice(token, rng.pick(&self.words).bytes());
            }
            6 => drop(bytes.drain(rng.part(length))),
            7 if rng.one_in(2) => bytes.truncate(at),
            7 => self.splice(rng, bytes, at),
            8 => swap_lines(rng, bytes),
            9 => {
                // A few times as a slip of the hand does; a great many times as malice does.
                let times = if rng.one_in(8) { rng.below(3000) } else { 1 + rng.below(3) };
                let part = rng.part(length);
                insert(bytes, part.end, &bytes[part].repeat(times));
            }
            10 => {
                let times = if rng.one_in(8) { rng.below(3000) } else { 1 };
                insert(bytes, at, &rng.pick(&self.words).as_bytes().repeat(times));
            }
            _ => {
                let part = self.any(rng);
                let (from, to) = (token(rng, part), token(rng, bytes));
                bytes.splice(to, part[from].iter().copied());
            }
        }
    }

    /// Puts another word in the place of a word, a number in that of a number. Capitals and keys are left, as
    /// the form of a request or a schedule hangs on them.
    fn rename(&self, rng: &mut Rng, bytes: &mut Vec<u8>) {
        let is_number = |word: &[u8]| word.first().is_some_and(u8::is_ascii_digit);
        let is_form = |token: &Range<usize>| {
            let word = &bytes[token.clone()];
            let after = bytes[token.end..].iter().find(|b| !matches!(b, b' ' | b'"'));
            word.first().is_none_or(u8::is_ascii_uppercase)
                || word.ends_with(b":")
                || matches!(after, Some(b':' | b'='))
        };
        let Some(token) = (0..8).map(|_| token(rng, bytes)).find(|token| !is_form(token)) else { return };
        let like = is_number(&bytes[token.clone()]);
        let word = (0..8).map(|_| rng.pick(&self.plain)).find(|word| is_number(word.as_bytes()) == like);
        bytes.splice(token, word.unwrap_or_default().bytes());
    }

    /// Puts the end of a file of the corpus after the start of this one, from line to line or anywhere.
    fn splice(&self, rng: &mut Rng, bytes: &mut Vec<u8>, at: usize) {
        let other = self.any(rng);
        let from = rng.below(other.len() + 1);
        let (at, from) =
            if rng.one_in(3) { (at, from) } else { (line(bytes, at).end, line(other, from).start) };
        bytes.truncate(at);
        bytes.extend_from_slice(&other[from..]);
    }
}

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpora")
}

fn insert(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    let room = MAX_INPUT.saturating_sub(bytes.len()).min(new.len());
    bytes.splice(at..at, new[..room].iter().copied());
}

/// Returns the place of some word, alone or with all that is joined to it.
fn token(rng: &mut Rng, bytes: &[u8]) -> Range<usize> {
    let at = rng.below(bytes.len() + 1);
    let joints: &[u8] = if rng.one_in(2) { b"-.:@/" } else { b"" };
    let inside = |b: &&u8| b.is_ascii_alphanumeric() || joints.contains(b);
    let before = bytes[..at].iter().rev().take_while(inside).count();
    let after = bytes[at..].iter().take_while(inside).count();
    at - before..at + after
}

/// Returns the place of the line that stands around a place, with its end.
fn line(bytes: &[u8], at: usize) -> Range<usize> {
    let start = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    let end = bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |i| at + i + 1);
    start..end
}

/// Moves a line to another place, or copies it there.
fn swap_lines(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let one = line(bytes, rng.below(bytes.len() + 1));
    let text = bytes[one.clone()].to_vec();
    if rng.one_in(2) {
        bytes.drain(one);
    }
    let other = line(bytes, rng.below(bytes.len() + 1)).start;
    insert(bytes, other, &text);
}

/// The rounds of one test.
struct Rounds {
    seed: u64,
    count: u64,
}

impl Rounds {
    #[allow(clippy::print_stdout, reason = "shown with a test that fails")]
    fn new(count: u64) -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
        let rounds = Self {
            seed: number("DOSED_FUZZ_SEED").unwrap_or(SEED),
            count: count * number("DOSED_FUZZ_TIMES").unwrap_or(1),
        };
        println!("seed {}, {} rounds", rounds.seed, rounds.count);
        rounds
    }

    fn each(&self) -> impl Iterator<Item = (u64, Rng)> + '_ {
        (0..self.count).map(|round| (round, Rng::of(self.seed, round)))
    }

    /// Tells whether enough was tried to say that a test reaches what it should reach.
    fn are_many(&self) -> bool {
        self.count >= 100
    }
}

/// Shows the input of a round that fails.
struct Case<'a> {
    round: u64,
    input: &'a [u8],
}

impl Drop for Case<'_> {
    #[allow(clippy::print_stdout, reason = "shown with a test that fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("round {}, {} bytes: b\"{}\"", self.round, self.input.len(), self.input.escape_ascii());
        }
    }
}

#[rustfmt::skip]
const SCHEDULE_WORDS: &[&str] = &[
    "[[supplement]]\n", "[[habit]]\n", "[[check-in]]\n", "[[scan]]\n", "id", "name", "note", "dose", "strain",
    "with", "target", "times", "days", "every", "cron", "from", "until", "as-needed", "cycle", "taper",
    "zone", "grace", "again", "late", "lead", "after-last", "private", "apart", "stock", "on", "off", "by",
    "have", "refill-at", "at-most", "true", "false", "local", "Pacific/Apia", "Antarctica/Troll", "8 hours",
    "90m", "1 week", "2 weeks", "1 month", "18 months", "1 year", "98 years", "1h 30m", "Mon..Fri",
    "Sat..Tue", "Sunday", "0 8 * * 1-5", "*/5 8 * * *", "0 0 30 2 *", "0 0 29 2 MON#5", "0 8 LW * *",
    "@yearly", "5e9 CFU", "1.5 tablets", "150 min / week", "miss", "remind", "08:00", "00:00", "23:59:59",
    "[", "]", "{", "}", "[[", "]]", "=", ",", ".", "#", "\"\"\"", "'''", "a.b", "{a=", "0x", "inf",
    "every = \"1 day\"\n", "from = 2026-01-31\n", "until = 2026-06-30\n", "private = true\n",
    "days = [\"Mon\", \"Thu\"]\n", "cycle = { on = 1, off = 1 }\n", "grace = \"1 day\"\n",
];

/// A file with more errors tells only the first.
const MAX_PROBLEMS: usize = 100;

#[test]
fn schedules_are_read_or_refused_with_every_place() {
    let mutator = Mutator::new("schedules", SCHEDULE_WORDS);
    let rounds = Rounds::new(30_000);
    let is_right = |file: &Vec<u8>| config::parse(str::from_utf8(file).unwrap()).is_ok();
    assert!(mutator.good.iter().all(is_right), "what is bent has to be right first");
    let mut accepted = 0;
    for (round, mut rng) in rounds.each() {
        let input = mutator.input(&mut rng);
        let _case = Case { round, input: &input };
        let text = String::from_utf8_lossy(&input);
        let began = Instant::now();
        match config::parse(&text) {
            Err(problems) => check_problems(&text, &problems),
            Ok(schedule) => {
                accepted += 1;
                for (item, definition) in schedule.items {
                    let read = config::parse_definition(&definition).expect("a definition reads back");
                    assert_eq!(format!("{read:?}"), format!("{item:?}"), "{definition}");
                    check_a_year(item);
                }
            }
        }
        assert!(began.elapsed() < PATIENCE, "that took {:?}", began.elapsed());
    }
    println!("{accepted} accepted");
    assert!(
        accepted > rounds.count / 20 || !rounds.are_many(),
        "{accepted} accepted: the rounds are too wild"
    );
}

/// Every problem has its place in the text, and can be shown.
fn check_problems(text: &str, problems: &[config::Problem]) {
    assert!((1..=MAX_PROBLEMS).contains(&problems.len()), "{} problems", problems.len());
    assert!(problems.is_sorted_by_key(|problem| problem.span.start));
    let lines = text.matches('\n').count() + 1;
    for problem in problems {
        assert!(text.get(problem.span.clone()).is_some(), "{problem:?} lies beside the text");
        assert!((1..=lines).contains(&problem.place(text).0), "{problem:?}");
    }
    // Each is shown by itself, and a long line takes its time.
    let few = &problems[..problems.len().min(8)];
    let shown = config::render("schedule.toml", text, few, text.len().is_multiple_of(2));
    assert!(shown.matches("error").count() >= few.len(), "{shown}");
}

/// A year of an item has no end of slots, shows the same through every window, and no slot is unheard of.
fn check_a_year(item: Item) {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let mut plan = Plan::new(ZoneHistory::fixed(zone));
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let day = |n: i64| from + SignedDuration::from_hours(24 * n);
    let (id, rule) = (item.id.clone(), item.rule.clone());
    plan.open(item, from);
    let slots = |from, until| -> Vec<_> {
        plan.occurrences(&id, &[], from, until).into_iter().map(|planned| planned.occurrence).collect()
    };
    // A rule for every minute has half a million slots a year, which is its right and takes its time.
    let days = if slots(day(0), day(1)).len() > 24 { 10 } else { 366 };
    let all = slots(day(0), day(days));
    assert!(all.len() as i64 <= days * 24 * 60, "{} slots in {days} days", all.len());
    assert!(all.is_sorted_by(|a, b| a.at <= b.at));
    assert!(all.iter().all(|slot| day(0) <= slot.at && slot.at < day(days)));
    let names: BTreeSet<_> = all.iter().map(|slot| &slot.id).collect();
    assert_eq!(names.len(), all.len(), "two slots have one name");
    let within: Vec<_> = all.iter().filter(|slot| day(3) <= slot.at && slot.at < day(9)).cloned().collect();
    assert_eq!(slots(day(3), day(9)), within);
    for slot in all.first().into_iter().chain(all.last()) {
        assert_eq!(plan.find(&slot.id, &[]).expect("a slot is found by its name").occurrence, *slot);
    }
    let later = all.iter().find(|slot| slot.at > from);
    let next = plan.next_after(&id, &[], from).map(|planned| planned.occurrence);
    assert!(later.is_none() || next.as_ref() == later, "{next:?} comes next, not {later:?}");
    if let (Recurrence::Elapsed { every, .. }, None, None) = (rule.recurrence, rule.until, rule.cycle) {
        let began = rule.from.is_none_or(|first| first.year() < 2026);
        assert!(
            !began || every > SignedDuration::from_hours(24 * days - 24) || !all.is_empty(),
            "it is silent"
        );
    }
}

#[rustfmt::skip]
const JOURNAL_WORDS: &[&str] = &[
    "\n", "\n\n", "{", "}", "[", "]", ",", ":", ",\"crc\":\"", "\"}", "\"v\":2", "\"v\":1", "\"seq\":1",
    "\"seq\":2", "\"device\":\"fuzz-0000\"", "\"id\":\"fuzz-0000.1\"", "fuzz-0000", "fuzz-0000.2",
    "other-1111", "\"fact\"", "\"type\"", "intake", "skip", "snooze", "delivered", "undelivered", "closed",
    "regimen", "zone", "pause", "resume", "retraction", "\"note\":\"x\"", "\"key\":\"k-1\"",
    "\"definition\":{}", "null", "[[", "\"at\":\"2026-11-23\"", "a@2026-11-23T08:00", "a@2026-11-23T08:00Z",
    "+01:00[Europe/Berlin]", "[Not/AZone]", "+25:59", "5e9 CFU", "\u{0}\u{0}\u{0}\u{0}", "00000000",
    "probiotic", "dismissed", "desktop", "pigeon",
];

/// The device whose journals the corpus holds.
const DEVICE: &str = "fuzz-0000";

#[test]
fn journals_open_whole_or_stay_as_they_are() {
    let mutator = Mutator::new("journal", JOURNAL_WORDS);
    let rounds = Rounds::new(500);
    let desk = tempfile::tempdir().unwrap();
    let good = ["whole", "edges"].map(|name| good_record(desk.path(), name));
    let mut opened = 0;
    for (round, mut rng) in rounds.each() {
        let (record, journal) = &good[rng.below(good.len())];
        let base = if rng.one_in(4) { mutator.any(&mut rng).to_vec() } else { journal.clone() };
        let mut input = mutator.change(&mut rng, base);
        // With checksums that fit, what lies behind them is reached. No disk makes those, so then there is
        // no database that could know better.
        let sealed = rng.one_in(2);
        if sealed {
            input = seal(&input);
        }
        let _case = Case { round, input: &input };
        let dir = desk.path().join("round");
        copy_record(record, &dir, !sealed && rng.one_in(2));
        std::fs::write(journal_of(&dir), &input).unwrap();
        opened += u64::from(check_open(&dir, &input));
        std::fs::remove_dir_all(&dir).unwrap();
    }
    println!("{opened} opened");
    let both = opened > rounds.count / 20 && opened < rounds.count;
    assert!(both || !rounds.are_many(), "{opened} opened: the rounds are too wild or too tame");
}

fn journal_of(dir: &Path) -> PathBuf {
    dir.join(format!("journal/{DEVICE}.jsonl"))
}

/// Makes a record out of a journal of the corpus, with a database that knows all of it.
fn good_record(desk: &Path, name: &str) -> (PathBuf, Vec<u8>) {
    let dir = desk.join(name);
    std::fs::create_dir_all(dir.join("journal")).unwrap();
    std::fs::write(dir.join("device"), DEVICE).unwrap();
    let journal = std::fs::read(corpora().join(format!("journal/{name}.jsonl"))).unwrap();
    std::fs::write(journal_of(&dir), &journal).unwrap();
    let facts = open(&dir).unwrap();
    assert_eq!(facts.len(), journal.split(|b| *b == b'\n').count() - 1, "{name}");
    (dir, journal)
}

/// Copies a record but for its journal, with its database or without.
fn copy_record(from: &Path, to: &Path, with_database: bool) {
    std::fs::create_dir_all(to.join("journal")).unwrap();
    std::fs::copy(from.join("device"), to.join("device")).unwrap();
    let mut dirs = if with_database { vec![PathBuf::from("db")] } else { Vec::new() };
    while let Some(dir) = dirs.pop() {
        std::fs::create_dir(to.join(&dir)).unwrap();
        for entry in std::fs::read_dir(from.join(&dir)).unwrap().map(Result::unwrap) {
            let path = dir.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                dirs.push(path);
            } else {
                std::fs::copy(from.join(&path), to.join(&path)).unwrap();
            }
        }
    }
}

/// Opens a record, and returns the lines of every fact that can be asked for.
fn open(dir: &Path) -> Result<Vec<String>, StoreError> {
    let (sender, _written) = tokio::sync::mpsc::unbounded_channel();
    let store = Store::open(dir, "host", sender, |_, _| {})?;
    let all = Question::About { from: Timestamp::MIN, until: Timestamp::MAX, item: None };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let lines = runtime.block_on(store.reader().ask(all)).expect("what opens can be asked");
    store.close();
    Ok(lines.into_iter().map(|line| line.text.to_string()).collect())
}

/// Opens a bent journal. Where it opens, no sound line is missing and nothing is thrown away; where it does
/// not, it is as before. Tells which.
fn check_open(dir: &Path, input: &[u8]) -> bool {
    let opened = open(dir);
    let kept = std::fs::read(journal_of(dir)).unwrap();
    let Ok(mut facts) = opened else {
        assert!(kept == input, "{}, and yet it was changed", opened.unwrap_err());
        return false;
    };
    let torn = std::fs::read(journal_of(dir).with_extension("torn")).unwrap_or_default();
    let torn = torn.strip_suffix(b"\n").unwrap_or_default();
    assert!([&kept, torn].concat() == input, "what was cut off is not kept");
    let mut lines: Vec<String> = kept.split_inclusive(|b| *b == b'\n').map(bare).collect();
    assert!(lines.iter().all(|line| is_sound(line)), "damage is read over");
    let mut lost = torn.split_inclusive(|b| *b == b'\n').filter(|line| line.ends_with(b"\n")).map(bare);
    assert!(!lost.any(|line| is_sound(&line)), "a sound line is cut off");
    facts.sort_unstable();
    lines.sort_unstable();
    assert_eq!(facts, lines);
    true
}

/// Returns a line without its end.
fn bare(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    line.strip_suffix('\n').map_or(&*line, |line| line.strip_suffix('\r').unwrap_or(line)).to_owned()
}

/// Tells whether a line is one that was written. Said here once more, as what is tested is not its own judge.
fn is_sound(line: &str) -> bool {
    checksum(line.as_bytes()).is_some_and(|(_, fits)| fits)
}

/// Returns the length of the part of a line that its checksum is about, and whether it fits.
fn checksum(line: &[u8]) -> Option<(usize, bool)> {
    const MARK: &[u8] = b",\"crc\":\"";
    let at = line.windows(MARK.len()).rposition(|part| part == MARK)?;
    let crc = format!("{:08x}\"}}", crc32fast::hash(&line[..at]));
    Some((at, line[at + MARK.len()..] == *crc.as_bytes()))
}

/// Gives every whole line that has a checksum the one that fits; but zeros are never part of a line.
fn seal(journal: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(journal.len());
    for line in journal.split_inclusive(|b| *b == b'\n') {
        match checksum(line).filter(|_| line.ends_with(b"\n") && !line.contains(&0)) {
            Some((at, _)) => {
                sealed.extend_from_slice(&line[..at]);
                let crc = crc32fast::hash(&line[..at]);
                sealed.extend_from_slice(format!(",\"crc\":\"{crc:08x}\"}}\n").as_bytes());
            }
            None => sealed.extend_from_slice(line),
        }
    }
    sealed
}

#[rustfmt::skip]
const REQUEST_WORDS: &[&str] = &[
    "GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "CONNECT ", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "\r\n",
    "\r\n\r\n", "host: dosed\r\n", "connection: close\r\n", "connection: upgrade\r\n",
    "expect: 100-continue\r\n", "transfer-encoding: chunked\r\n", "content-length: 0\r\n",
    "idempotency-key: k-1\r\n", "ffffffffffffffff\r\n", "0\r\n\r\n", "/v1/status", "/v1/today", "/v1/next",
    "/v1/occurrences", "/v1/facts", "/v1/items/walk/log", "/v1/pause", "/v1/resume", "/v1/events",
    "/v1/openapi.json", "/..", "//", "%00", "%ff", "%2f", "?", "&", "n=1000", "from=", "until=", "since=",
    "item=", "limit=", "probiotic", "calcium", "walk", "painkiller", "dexa", "@TOMORROWT00:00",
    "@TOMORROWT12:00", "TODAY", "take", "skip", "snooze", "log", "retract", "fuzz-0000.1", "fuzz-0000.9", "{",
    "}", "[", "]", "{\"at\":", "\"at\":\"00:00\"", "\"amount\":\"1 piece\"", "\"note\":\"x\"",
    "\"reason\":\"x\"", "\"for\":\"1h\"", "\"item\":\"walk\"", "\"until\":\"2099-01-01\"", "null", ",",
    "5e9 CFU", "36525 days", "2020-01-01", "2049-12-31", "[Europe/Berlin]",
];

/// Every sort of rule and kind, due from midnight on.
const SCHEDULE: &str = r#"
supplement = [
    { id = "probiotic", dose = "5e9 CFU", times = ["00:00"], grace = "24h" },
    { id = "calcium", dose = "500 mg", times = ["00:00", "12:00"], again = { every = "1h", at-most = 3 } },
    { id = "painkiller", dose = "1 tablet", every = "8 hours" },
    { id = "eyes", cron = "0 */6 * * *" },
]
habit = [{ id = "walk", as-needed = true, target = "150 min / week" }]
check-in = [{ id = "quarterly", every = "3 months", times = ["18:00"] }]
scan = [{ id = "dexa", every = "1 year", after-last = true, times = ["09:00"], lead = ["7 days"] }]
"#;

/// How much more memory the daemon may hold after the rounds, in KiB. Its database caches as much as 8 MiB.
const MAX_GROWTH: u64 = 20 * 1024;

/// How often others are answered before a client that is not gives up.
const TURNS: usize = 8;

#[test]
fn requests_are_answered_or_refused_by_a_daemon_that_lives_on() {
    let mutator = Mutator::new("requests", REQUEST_WORDS);
    let rounds = Rounds::new(12_000);
    let home = Home::with_schedule(SCHEDULE);
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::write(home.data().join("device"), DEVICE).unwrap();
    let daemon = home.start();
    let today = Timestamp::now().to_zoned(TimeZone::get("Europe/Berlin").unwrap()).date();
    let tomorrow = today.tomorrow().unwrap();
    let mut probe = Probe::new(&home);
    let mut before = memory(&daemon);
    let mut statuses = [0; 5];
    for (round, mut rng) in rounds.each() {
        let input = mutator.input(&mut rng);
        // Today's slots were before the daemon, which plans nothing for the past; tomorrow's can be answered.
        let input = replace(&input, b"TODAY", today.to_string().as_bytes());
        let input = replace(&input, b"TOMORROW", tomorrow.to_string().as_bytes());
        let input = if rng.one_in(4) { input } else { with_length(&input) };
        let _case = Case { round, input: &input };
        let answer = probe.exchange(&home, &input);
        statuses[check_answer(&answer)] += 1;
        if round == rounds.count / 4 {
            // By now every cache has what it wants.
            before = memory(&daemon);
        }
    }
    let after = memory(&daemon);
    println!("answers by their first digit: {statuses:?}; {before} KiB of memory, then {after} KiB");
    assert!(after < before + MAX_GROWTH, "it grew from {before} KiB to {after} KiB");
    let answered = |class: usize| statuses[class] > rounds.count / 20 || !rounds.are_many();
    assert!(answered(2) && answered(4), "{statuses:?}: the rounds are too wild or too tame");
    check_record(&home, daemon);
}

/// What was recorded along the way is sound, and the next daemon begins with it.
fn check_record(home: &Home, daemon: Daemon) {
    home.good(&["status"]);
    assert_eq!(daemon.stop(), Some(0), "{}", home.log());
    let facts = home.journal();
    let _again = home.start();
    let known = home.curl(&[], "/v1/facts");
    let known = known.as_array().unwrap();
    let missing: Vec<_> = facts.iter().filter(|fact| !known.contains(fact)).collect();
    assert!(missing.is_empty(), "{missing:?} are missing");
    assert!(!home.log().contains("panicked"), "{}", home.log());
}

/// Returns the first digit of an answer's status, or 0 where the connection was closed without one.
fn check_answer(answer: &[u8]) -> usize {
    let text = String::from_utf8_lossy(answer);
    if text.is_empty() {
        return 0;
    }
    let status =
        text.strip_prefix("HTTP/1.").and_then(|rest| rest[1..].trim_start().get(..3)?.parse::<usize>().ok());
    let status = status.unwrap_or_else(|| panic!("that is no answer: {text}"));
    assert!((100..500).contains(&status) && !text.contains("HTTP/1.1 500"), "{text}");
    status / 100
}

/// A client that is always answered.
struct Probe(UnixStream);

impl Probe {
    fn new(home: &Home) -> Self {
        let stream = UnixStream::connect(home.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    fn ask(&mut self) {
        self.0.write_all(b"GET /v1/facts?since=2099-01-01 HTTP/1.1\r\nhost: dosed\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while !answer.ends_with(b"]") && !answer.ends_with(b"}") {
            let length = self.0.read(&mut buffer).expect("the daemon answers in time");
            assert_ne!(length, 0, "the daemon lives");
            answer.extend_from_slice(&buffer[..length]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", answer.escape_ascii());
    }

    /// Sends bytes as they are, and returns all that comes back.
    ///
    /// Nobody waits for the daemon's patience to end: once it has answered others often enough it has had its
    /// turn with this one, and what it still waits for never comes.
    fn exchange(&mut self, home: &Home, bytes: &[u8]) -> Vec<u8> {
        let mut stream = UnixStream::connect(home.socket()).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // It may hang up in the middle.
        let _ = stream.write_all(bytes);
        let mut answer = vec![0; 4096];
        stream.set_nonblocking(true).unwrap();
        let mut length = 0;
        for _ in 0..TURNS {
            self.ask();
            match stream.read(&mut answer) {
                Ok(read) => length = read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(_) => {}
            }
            break;
        }
        answer.truncate(length);
        if replace(&answer, b"text/event-stream", b"").len() < answer.len() {
            // That goes on until somebody hangs up.
            return answer;
        }
        stream.set_nonblocking(false).unwrap();
        let _ = stream.shutdown(Shutdown::Write);
        if let Err(error) = stream.read_to_end(&mut answer) {
            assert!(error.kind() != ErrorKind::WouldBlock, "the daemon neither answers nor hangs up");
        }
        answer
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|part| part == from) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Gives a request the length that its body has, so that more than the wrong length is tried.
fn with_length(request: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"content-length: ";
    let find = |what: &[u8]| request.windows(what.len()).position(|part| part == what);
    let (Some(name), Some(head)) = (find(NAME), find(b"\r\n\r\n")) else { return request.to_vec() };
    let start = name + NAME.len();
    let body = request.len() - (head + 4);
    let digits = request[start..].iter().take_while(|b| b.is_ascii_digit()).count();
    [&request[..start], body.to_string().as_bytes(), &request[start + digits..]].concat()
}

/// Returns the memory that a daemon holds, in KiB.
fn memory(daemon: &Daemon) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", daemon.child.id())).expect("the daemon lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
