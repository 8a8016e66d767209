//! An independent reference model: lives are drawn as lists of operations, lived by the real core and by a naive model
//! that knows nothing but the operations, and compared after each of them.
//!
//! Compared are the state of every occurrence, which answers count, what became of each request, what is left of the
//! stock, and every count of adherence. A life in which the two differ is shrunk and printed as a script of `dosed`
//! commands. `DOSED_REFERENCE_SEED` runs one again, `DOSED_REFERENCE_YEARS` says how long to go on.

#![allow(clippy::cast_sign_loss, reason = "what is drawn is small and not negative")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp, ToSpan};

mod amend;
mod answers;
mod asking;
mod calendar;
mod chains;
mod core_peers;
mod core_side;
mod core_words;
mod draw;
mod draw_items;
mod faults;
mod life;
mod measures;
mod model;
mod plans;
mod script;
mod shrink;

use core_side::Core;
use core_words::{form_data, milligrams};
use draw::{Draw, Drawn};
use faults::Fault;
use life::{Deed, Item, Op, name};
use model::Model;

/// User-years of the normal run.
const YEARS: u64 = 3;

/// An occurrence as both sides tell it: its id, its instant, its state.
type Line = (String, Timestamp, String);

/// Where a life begins.
#[derive(Clone, Copy, Debug)]
struct Start {
    at: Timestamp,
    zone: usize,
}

/// Both sides of a life.
struct Life {
    start: Start,
    model: Model,
    core: Core,
    ops: Vec<Op>,
    compared_to: Timestamp,
}

impl Life {
    fn new(start: Start, fault: Fault) -> Self {
        Self {
            start,
            model: Model::new(start.at, start.zone),
            core: Core::new(start.at, start.zone, fault),
            ops: Vec::new(),
            compared_to: start.at,
        }
    }

    /// Lives through one operation on both sides; an error says in what they differ.
    fn step(&mut self, op: Op) -> Result<(), String> {
        let core = catch_unwind(AssertUnwindSafe(|| self.core.step(&op)));
        let core = core.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            format!("the core panics: {}", text.unwrap_or_default())
        })?;
        let expected = self.model.step(&op);
        let is_first = self.ops.is_empty();
        self.ops.push(op);
        if core != expected {
            return Err(format!("the answer: the model says {expected:?}, the core {core:?}"));
        }
        let is_wide =
            is_first || self.model.now.duration_since(self.compared_to) > SignedDuration::from_hours(24 * 5);
        if is_wide {
            self.compared_to = self.model.now;
        }
        self.compare(is_wide)
    }

    fn compare(&self, is_wide: bool) -> Result<(), String> {
        let hours = SignedDuration::from_hours;
        let from = if is_wide { self.start.at - hours(24) } else { self.model.now - hours(24 * 4) };
        let until = self.model.now + hours(36);
        let core = self.core.occurrences(from, until);
        let model = self.occurrences(from, until);
        if core != model {
            let only = |these: &[Line], others: &[Line]| -> String {
                let lines = these.iter().filter(|line| !others.contains(line));
                lines.map(|(id, at, state)| format!("\n  {id} at {at}: {state}")).collect()
            };
            return Err(format!("the model has{}\nthe core has{}", only(&model, &core), only(&core, &model)));
        }
        let newest = if is_wide { self.ops.len() } else { self.ops.len().min(30) };
        for op in self.ops.iter().rev().take(newest) {
            let deed = match &op.deed {
                Deed::Kill(deed) | Deed::FullDisk(deed) => deed,
                deed => deed,
            };
            let is_answer = matches!(deed, Deed::Answer { .. } | Deed::Undo(_) | Deed::Correct { .. });
            let expected =
                self.model.written(op.id).filter(|_| is_answer).map(|_| self.model.is_effective(op.id));
            let core = self.core.is_effective(op.id).filter(|_| is_answer);
            let said =
                self.model.said(op.id).map(|(amount, form)| (amount.map(milligrams), form.map(form_data)));
            if is_answer && said != self.core.said(op.id) {
                let core = self.core.said(op.id);
                return Err(format!("what {} says: the model has {said:?}, the core {core:?}", op.id));
            }
            if core != expected {
                return Err(format!(
                    "whether {} counts: the model says {expected:?}, the core {core:?}",
                    op.id
                ));
            }
        }
        let items: Vec<Item> = self.model.regimens.keys().copied().collect();
        for item in items {
            // Counts that differ are told by the occurrences that do, where those are older than what was looked at.
            self.compare_item(item, is_wide)
                .or_else(|what| if is_wide { Err(what) } else { self.compare(true).and(Err(what)) })?;
        }
        Ok(())
    }

    fn compare_item(&self, item: Item, is_wide: bool) -> Result<(), String> {
        if self.model.current(item).is_some() {
            let (model, core) = (self.model.stock(item), self.core.stock(item));
            if model != core {
                return Err(format!(
                    "the stock of {}: the model says {model:?}, the core {core:?}",
                    name(item)
                ));
            }
        }
        let now = self.model.now;
        let today = self.model.zones.at(now).to_datetime(now).date();
        let until = today.tomorrow().unwrap();
        let since = until.checked_sub(if is_wide { 130 } else { 10 }.days()).unwrap();
        let model = self.model.measures(item, since, until);
        let (from, to) = (self.model.zones.midnight(since, now), self.model.zones.midnight(until, now));
        let core = self.core.measures(item, since, until, from, to);
        if model == core {
            Ok(())
        } else {
            Err(format!("the adherence of {} from {since}:\n  model {model:?}\n  core  {core:?}", name(item)))
        }
    }

    fn occurrences(&self, from: Timestamp, until: Timestamp) -> Vec<Line> {
        let mut lines = Vec::new();
        for item in self.model.regimens.keys() {
            for occurrence in self.model.occurrences(*item, from, until - SignedDuration::from_nanos(1)) {
                let state = format!("{:?}", self.model.state(*item, &occurrence)).to_lowercase();
                lines.push((format!("{}@{}", name(*item), occurrence.slot), occurrence.at, state));
            }
        }
        lines.sort();
        lines
    }
}

/// A life in which the two sides differ.
struct Failure {
    start: Start,
    ops: Vec<Op>,
    what: String,
}

/// Lives through operations that are given; `None` where both sides agree.
fn relive(start: Start, ops: &[Op], fault: Fault) -> Option<String> {
    let mut life = Life::new(start, fault);
    ops.iter().find_map(|op| life.step(op.clone()).err())
}

/// Draws a life and lives it; returns how many years it was, and how many operations.
fn live(seed: u64, fault: Fault, drawn: Drawn) -> Result<(f64, usize), Failure> {
    let (mut draw, at, zone) = Draw::new(seed, drawn);
    let start = Start { at, zone };
    let mut life = Life::new(start, fault);
    while let Some(op) = draw.next(&life.model) {
        if let Err(what) = life.step(op.clone()) {
            life.ops.retain(|known| known.id != op.id);
            life.ops.push(op);
            return Err(Failure { start, ops: life.ops, what });
        }
    }
    if let Err(what) = life.compare(true) {
        return Err(Failure { start, ops: life.ops, what });
    }
    Ok((life.model.now.duration_since(at).as_secs_f64() / (365.25 * 86400.0), life.ops.len()))
}

/// Shrinks a failing life and says what is left of it.
fn explain(failure: &Failure, fault: Fault) -> (usize, String) {
    let (ops, what) = shrink::shrink(failure.start, &failure.ops, &failure.what, fault);
    let at_first = script::script(failure.start, &failure.ops[failure.ops.len() - 1..]);
    let script = script::script(failure.start, &ops);
    (ops.len(), format!("{script}\n{what}\nAt first it was, after\n{at_first}\n{}\n", failure.what))
}

fn seed_of(life: u64) -> u64 {
    life.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed
}

#[test]
fn the_core_and_the_model_agree() {
    let only: Option<u64> = std::env::var("DOSED_REFERENCE_SEED").ok().map(|seed| seed.parse().unwrap());
    let wanted = std::env::var("DOSED_REFERENCE_YEARS").map_or(YEARS as f64, |years| years.parse().unwrap());
    let next = AtomicU64::new(only.unwrap_or(1));
    let lived = Mutex::new((0.0, 0));
    let has_failed = AtomicBool::new(false);
    let begun = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from).min(2) {
            scope.spawn(|| {
                while lived.lock().unwrap().0 < wanted {
                    let life = next.fetch_add(1, Ordering::Relaxed);
                    if only.is_some_and(|only| life < only) {
                        break;
                    }
                    match live(seed_of(life), Fault::None, draw::NOW) {
                        Ok((years, ops)) => {
                            let mut lived = lived.lock().unwrap();
                            *lived = (lived.0 + years, lived.1 + ops);
                        }
                        Err(failure) => {
                            next.fetch_add(1_000_000, Ordering::Relaxed);
                            lived.lock().unwrap().0 = f64::MAX;
                            if has_failed.swap(true, Ordering::Relaxed) {
                                break;
                            }
                            let (_, text) = explain(&failure, Fault::None);
                            panic!("DOSED_REFERENCE_SEED={life}:\n{text}");
                        }
                    }
                }
            });
        }
    });
    let ((years, ops), took) = (lived.into_inner().unwrap(), begun.elapsed().as_secs_f64());
    println!("{years:.1} user-years, {ops} operations, {:.1} user-years a second", years / took);
}

#[test]
fn faults_that_are_put_in_are_found() {
    std::thread::scope(|scope| {
        for half in Fault::ALL.chunks(Fault::ALL.len().div_ceil(2)) {
            scope.spawn(|| half.iter().for_each(|(fault, first)| find(*fault, *first)));
        }
    });
}

fn find(fault: Fault, first: u64) {
    let found = (first..first + 200)
        .find_map(|life| live(seed_of(life), fault, draw::NOW).err().map(|failure| (life, failure)));
    let Some((life, failure)) = found else { panic!("{fault:?} was not found in 200 lives") };
    let (ops, text) = explain(&failure, fault);
    println!("{fault:?}: found in life {life}, shrunk to {ops} operations\n{text}");
    assert!(ops <= 8, "{fault:?} is not shrunk enough:\n{text}");
}
