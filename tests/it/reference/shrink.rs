//! Makes a failing life short: leaves out pieces, then single operations, then parts of them.

use super::faults::Fault;
use super::life::{Deed, Op, Rule};
use super::{Start, relive};

/// What a difference is about: its words up to the first occurrence of each side, without numbers. Another difference on the way
/// is not followed.
fn kind(what: &str) -> String {
    let lines: Vec<&str> = what.lines().collect();
    let first_of_each = lines.iter().enumerate().filter(|(i, line)| {
        !line.starts_with(' ') || i.checked_sub(1).is_some_and(|before| !lines[before].starts_with(' '))
    });
    let words = first_of_each.flat_map(|(_, line)| line.chars().filter(|c| !c.is_ascii_digit()));
    if what.starts_with("the model has") {
        words.collect()
    } else {
        what.split_whitespace().take(3).collect()
    }
}

pub(super) fn shrink(start: Start, ops: &[Op], what: &str, fault: Fault) -> (Vec<Op>, String) {
    // A panic of the core on the way would fill the screen.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let wanted = kind(what);
    let mut best = (ops.to_vec(), what.to_owned());
    let try_it = |ops: Vec<Op>, best: &mut (Vec<Op>, String)| {
        let is_it = relive(start, &ops, fault).filter(|found| kind(found) == wanted);
        is_it.map(|found| *best = (ops, found)).is_some()
    };
    let mut size = best.0.len() / 2;
    while size > 0 {
        let mut at = 0;
        let before = best.0.len();
        while at < best.0.len() {
            let mut fewer = best.0.clone();
            fewer.drain(at..(at + size).min(best.0.len()));
            if !try_it(fewer, &mut best) {
                at += size;
            }
        }
        if size > 1 || best.0.len() == before {
            size /= 2;
        }
    }
    for i in 0..best.0.len() {
        for simpler in simpler(&best.0[i]) {
            let mut ops = best.0.clone();
            ops[i] = simpler;
            try_it(ops, &mut best);
        }
    }
    std::panic::set_hook(hook);
    best
}

/// The operation with one thing less.
fn simpler(op: &Op) -> Vec<Op> {
    let with = |deed| Op { deed, ..op.clone() };
    match &op.deed {
        Deed::Edit(item, Some(spec)) => {
            let mut specs = Vec::new();
            let mut plain = spec.clone();
            (plain.until, plain.stock, plain.gap, plain.again, plain.zone) = (None, None, None, None, None);
            (plain.late_is_missed, plain.taper) = (false, Vec::new());
            specs.push(plain.clone());
            plain.from = None;
            specs.push(plain.clone());
            if let Rule::Times { times, .. } = &mut plain.rule {
                times.truncate(1);
                specs.push(plain);
            }
            specs.into_iter().map(|spec| with(Deed::Edit(*item, Some(spec)))).collect()
        }
        Deed::Answer { verb, item, slot, at, form, .. } => {
            let plain = Deed::Answer {
                verb: *verb,
                item: *item,
                slot: *slot,
                at: *at,
                amount: None,
                form: *form,
                length: None,
                confirmed: false,
            };
            vec![with(plain)]
        }
        Deed::FullDisk(deed) | Deed::Kill(deed) => vec![with((**deed).clone())],
        _ => Vec::new(),
    }
}
