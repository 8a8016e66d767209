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

use dosed::adapters::config;
use dosed::adapters::store::{Query, Store, StoreError};
use dosed::core::schedule::{Item, NoHistory, Plan, Recurrence, ZoneHistory};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::support::{Daemon, Home, PATIENCE, SplitMix64};

mod journals;
mod requests;
mod schedules;

/// The device whose journals the corpus holds.
const DEVICE: &str = "fuzz-0000";

/// The rounds that run when nobody says: the same each time, as chance must not fail a sound change.
const SEED: u64 = 0x646f_7365_6421;

/// The longest input, in bytes: past every limit that a request has.
const MAX_INPUT: usize = 72 * 1024;

/// A random generator that draws parts of texts.
struct Rng(SplitMix64);

impl Rng {
    /// Returns the generator of one round, which depends on no round before.
    fn of(seed: u64, round: u64) -> Self {
        Self(SplitMix64::of_round(seed, round))
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
            1 if length > 0 => bytes[at.min(length - 1)] = rng.below(256) as u8,
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
