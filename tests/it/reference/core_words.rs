//! The words of a life as the core has them, and the other way round.

use dosed::core::ledger::{CheckIn, Density, FormData, Scan, ScanRegion, When as CoreWhen};
use dosed::core::reminder::Refusal;
use dosed::core::schedule::{Amount, ItemId, OccurrenceId, Slot as CoreSlot};

use super::life::{Form, Item, Slot, When, name};

pub(super) fn item_id(item: Item) -> ItemId {
    name(item).parse().unwrap()
}

pub(super) fn milligrams(amount: u32) -> Amount {
    format!("{amount} mg").parse().unwrap()
}

pub(super) fn core_when(when: When) -> CoreWhen {
    match when {
        When::Instant(at) => CoreWhen::Instant(at),
        When::Date(date) => CoreWhen::Date(date),
    }
}

pub(super) fn form_data(form: Form) -> FormData {
    match form {
        Form::CheckIn(rest, energy) => FormData::CheckIn(CheckIn {
            values: std::collections::BTreeMap::new(),
            form: "own".to_owned(),
            language: "en".to_owned(),
            answers: [("rest".to_owned(), Some(rest)), ("energy".to_owned(), energy)].into(),
            changed: None,
        }),
        Form::Scan(density) => FormData::Scan(Scan {
            facility: None,
            device: None,
            device_id: None,
            region: ScanRegion::TotalHip,
            side: None,
            vertebrae: None,
            bmd: Density(density),
            t_score: None,
            z_score: None,
            lsc: None,
        }),
    }
}

pub(super) fn slot_of(id: &OccurrenceId) -> Slot {
    match id.slot {
        CoreSlot::Civil(at) => Slot::Civil(at),
        CoreSlot::Utc(at) => Slot::Utc(at),
    }
}

pub(super) fn kind_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::UnknownItem { .. } => "unknown item",
        Refusal::UnknownOccurrence { .. } => "unknown occurrence",
        Refusal::AlreadyAnswered { .. } => "already answered",
        Refusal::NothingDue { .. } => "nothing due",
        Refusal::TooEarly { .. } => "too early",
        Refusal::TooSoon { .. } => "too soon",
        Refusal::SeveralOpen { .. } => "several open",
        Refusal::NoStock { .. } => "no stock",
        Refusal::InFuture => "in the future",
        Refusal::PauseOver => "pause over",
        Refusal::PauseEmpty => "pause empty",
        Refusal::UnknownFact { .. } => "unknown fact",
        Refusal::NotRetractable { .. } => "not retractable",
        Refusal::NotCorrectable { .. } => "not correctable",
        Refusal::Superseded { .. } => "superseded",
        Refusal::OtherKind { .. } => "another kind",
        Refusal::NotRecorded { .. } => "not recorded",
        _ => "another",
    }
}
