//! Answers as chains of revisions: which one is effective, and what counts as one more dose.

use std::sync::Arc;

use super::*;

#[test]
fn the_newest_revision_is_effective() {
    // The facts that are effective, the answer of the slot, and what superseded the first fact.
    let facts = [
        intake(Some(A), "08:00"),
        skip(A, Some("d.1")),
        retraction("d.2"),
        retraction("d.3"),
        retraction("d.1"),
    ];
    for (n, effective, answer, by) in [
        (1, &["d.1"][..], Some("d.1"), None),
        (2, &["d.2"], Some("d.2"), Some("d.2")),
        (3, &["d.1", "d.3"], Some("d.1"), None),
        (4, &["d.2", "d.4"], Some("d.2"), Some("d.2")),
        // An undone root takes the whole answer back.
        (5, &["d.4", "d.5"], None, Some("d.5")),
    ] {
        let ledger = ledger(facts[..n].iter().cloned());
        let found: Vec<String> = ledger.effective().map(|record| record.id.to_string()).collect();
        assert_eq!(found, effective, "{n}");
        assert_eq!(name(ledger.answer(&occurrence(A))).as_deref(), answer, "{n}");
        assert_eq!(name(ledger.superseded_by(&id("d.1"))).as_deref(), by, "{n}");
        assert_eq!(name(ledger.newest_answer("d")).as_deref(), answer, "{n}");
    }
}

#[test]
fn undo_then_redo_is_the_identity() {
    for (undos, is_effective) in [(0, true), (1, false), (2, true), (15, false), (20, true)] {
        let undos = (1..=undos).map(|n| retraction(&format!("d.{n}")));
        let ledger = ledger([intake(Some(A), "08:00")].into_iter().chain(undos));
        assert_eq!(ledger.is_effective(&id("d.1")), is_effective);
    }
    // Facts that name each other in a circle end the search.
    let circle = ledger([retraction("d.2"), retraction("d.1")]);
    assert_eq!(circle.is_effective(&id("d.1")), circle.is_effective(&id("d.2")));
}

/// A correction of an answer to `A` that says another amount.
fn correction(of: &str, mg: &str) -> Fact {
    let mut fact = amount(mg, Some("5 mg"));
    if let Fact::Intake { corrects, .. } = &mut fact {
        *corrects = Some(id(of));
    }
    fact
}

#[test]
fn an_answer_is_a_chain_of_revisions() {
    // What is recorded, the amount that counts, and what superseded each fact.
    let answer = || amount("5 mg", Some("5 mg"));
    let (two, three) = (|of: &str| correction(of, "2 mg"), |of: &str| correction(of, "3 mg"));
    type Case<'a> = (Vec<Fact>, Option<&'a str>, &'a [Option<&'a str>]);
    let cases: [Case<'_>; 9] = [
        (vec![answer(), two("d.1")], Some("2 mg"), &[Some("d.2"), None]),
        // A correction of a correction, by whichever revision it names.
        (vec![answer(), two("d.1"), three("d.2")], Some("3 mg"), &[Some("d.2"), Some("d.3"), None]),
        (vec![answer(), two("d.1"), three("d.1")], Some("3 mg"), &[Some("d.2"), Some("d.3"), None]),
        // Undone, the one before counts again; undone twice, the first.
        (
            vec![answer(), two("d.1"), three("d.2"), retraction("d.3")],
            Some("2 mg"),
            &[Some("d.2"), None, Some("d.4"), None],
        ),
        (
            vec![answer(), two("d.1"), three("d.2"), retraction("d.3"), retraction("d.2")],
            Some("5 mg"),
            &[None, Some("d.5"), Some("d.4"), None, None],
        ),
        // Redone.
        (
            vec![answer(), two("d.1"), three("d.2"), retraction("d.3"), retraction("d.4")],
            Some("3 mg"),
            &[Some("d.2"), Some("d.3"), None, Some("d.5"), None],
        ),
        // The root takes everything back, and brings it back.
        (
            vec![answer(), two("d.1"), three("d.2"), retraction("d.1")],
            None,
            &[Some("d.4"), Some("d.3"), Some("d.4"), None],
        ),
        (
            vec![answer(), two("d.1"), three("d.2"), retraction("d.1"), retraction("d.4")],
            Some("3 mg"),
            &[Some("d.2"), Some("d.3"), None, Some("d.5"), None],
        ),
        // A correction after an undo.
        (
            vec![answer(), two("d.1"), retraction("d.2"), three("d.1")],
            Some("3 mg"),
            &[Some("d.4"), Some("d.3"), None, None],
        ),
    ];
    for (facts, counts, superseded_by) in cases {
        let known = ledger(facts.iter().cloned());
        let amounts: Vec<String> = known
            .intake_records(&item("a"))
            .filter_map(|record| match &record.fact {
                Fact::Intake { amount, .. } => amount.as_ref().map(ToString::to_string),
                _ => None,
            })
            .collect();
        assert_eq!(amounts, counts.into_iter().collect::<Vec<_>>(), "{facts:?}");
        let answer = known.answer(&occurrence(A)).map(|record| record.id.clone());
        assert_eq!(known.effective_revision(&id("d.1")).map(|record| record.id.clone()), answer);
        for (n, by) in (1..).zip(superseded_by) {
            let fact = id(&format!("d.{n}"));
            assert_eq!(name(known.superseded_by(&fact)).as_deref(), *by, "{fact} of {facts:?}");
            assert_eq!(known.is_effective(&fact), by.is_none());
        }
    }
}

/// Returns what is known of facts that arrive in other orders.
fn in_every_rotation(facts: &[Record]) -> impl Iterator<Item = Ledger> {
    (0..facts.len())
        .map(|first| facts[first..].iter().chain(&facts[..first]).cloned().map(Arc::new).collect())
}

#[test]
fn a_correction_on_another_device_comes_after_what_it_names() {
    // The other device's clock is an hour behind.
    let facts = [
        record("d.1", "08:00", amount("5 mg", Some("5 mg"))),
        record("d.2", "08:10", correction("d.1", "2 mg")),
        record("e.1", "07:20", correction("d.2", "3 mg")),
        record("e.2", "07:10", correction("e.1", "4 mg")),
    ];
    for known in in_every_rotation(&facts) {
        assert_eq!(name(known.answer(&occurrence(A))).as_deref(), Some("e.2"));
        assert_eq!(name(known.superseded_by(&id("d.1"))).as_deref(), Some("d.2"));
        assert_eq!(name(known.newest_answer("d")), None);
    }
}

#[test]
fn a_second_answer_to_one_slot_is_one_more_dose() {
    // Corrected later, the first answer is still the one of the slot.
    let facts = [
        record("e.1", "08:20", amount("5 mg", Some("5 mg"))),
        record("d.1", "08:30", amount("5 mg", Some("5 mg"))),
        record("e.2", "08:40", correction("e.1", "2 mg")),
    ];
    for known in in_every_rotation(&facts) {
        assert_eq!(name(known.answer(&occurrence(A))).as_deref(), Some("e.2"));
        let beyond: Vec<String> = known
            .intake_records(&item("a"))
            .filter(|record| known.is_beyond_slot(record))
            .map(|record| record.id.to_string())
            .collect();
        assert_eq!(beyond, ["d.1"]);
    }
}
