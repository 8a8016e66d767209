//! From types of the contract to text for people, tables and pictures, and to the report. Pure.

mod adherence;
pub mod bar;
mod check_ins;
mod day;
mod history;
mod insight;
pub mod report;
mod scans;
mod status;
mod stock;
mod text;

pub use adherence::{adherence, calendar};
pub use check_ins::{changes, check_ins};
pub use day::{as_needed, day_row, next, not_asked, pauses, question, simulated, today};
pub use history::{describe, history, recorded, subject, why};
pub use insight::{insight, letter};
pub use scans::scans;
pub use status::{FindingText, channel_tests, findings, plan_in_use, schedule_warning, status, unread};
pub use stock::stock;
pub use text::{Cell, FOOTER, amount, count, widths};

#[cfg(test)]
pub(crate) mod tests {
    //! Examples that the tests of the person's side share.

    use std::collections::BTreeMap;

    use crate::protocol::{
        Adherence, CheckIn, DatabaseStatus, EventTime, Fact, FactBody, JournalStatus, Kind, Notifications,
        Occurrence, OccurrenceDetails, OccurrenceState, Presence, Scan, ScheduleStatus, Status, ZonedTime,
    };

    fn time(text: &str) -> ZonedTime {
        ZonedTime(text.parse().unwrap())
    }

    pub(crate) fn occurrence(name: &str, at: &str, state: OccurrenceState) -> OccurrenceDetails {
        let item = name.to_lowercase();
        let planned = at.get(..16).unwrap().to_owned();
        let closes = time(at).0.end_of_day().unwrap().into();
        OccurrenceDetails {
            occurrence: Occurrence {
                occurrence: format!("{item}@{planned}"),
                item,
                name: name.to_owned(),
                at: time(at),
                state,
                dose: Some("500 mg".to_owned()),
            },
            kind: Kind::Supplement,
            planned,
            strain: None,
            with: Some("food".to_owned()),
            private: false,
            target: None,
            closes,
            snoozed_until: None,
            answer: None,
            answered_at: None,
            amount: None,
            asks_amount: false,
        }
    }

    pub(crate) fn status() -> Status {
        let now = time("2026-11-25T08:00:00+00:00[UTC]");
        Status {
            pauses: Vec::new(),
            version: "1.0.0".to_owned(),
            pid: 7,
            now: now.clone(),
            started_at: now,
            zone: "UTC".to_owned(),
            zone_error: None,
            is_demo: false,
            schedule: ScheduleStatus {
                path: "schedule.toml".to_owned(),
                items: 1,
                error: None,
                plan_since: None,
                from_record: false,
            },
            notifications: Notifications::Unknown,
            channels: Vec::new(),
            person: Presence::default(),
            last: None,
            next: None,
            journal: JournalStatus {
                path: "a.jsonl".to_owned(),
                device: "a".to_owned(),
                facts: 1,
                copied_from: None,
                skipped: Vec::new(),
                unread: Vec::new(),
                unread_more: 0,
            },
            database: DatabaseStatus { path: "db".to_owned(), facts: 1, devices: None, error: None },
        }
    }

    pub(crate) fn adherence(name: &str) -> Adherence {
        Adherence {
            name: name.to_owned(),
            kind: Some(Kind::Supplement),
            taken: 1,
            eligible: 2,
            doses_taken_share: Some(0.5),
            bounds: Some([0.5, 0.5]),
            ..Adherence::default()
        }
    }

    pub(crate) fn check_in(form: &str, date: &str, key: &str, score: u8) -> CheckIn {
        CheckIn {
            fact: "a.1".to_owned(),
            item: "check-in".to_owned(),
            at: EventTime::Day(date.parse().unwrap()),
            form: form.to_owned(),
            language: "en".to_owned(),
            answers: BTreeMap::from([(key.to_owned(), Some(score))]),
            values: BTreeMap::new(),
            changed: None,
            note: None,
            since_the_last: BTreeMap::new(),
        }
    }

    pub(crate) fn scan(date: &str, bmd: f64) -> Scan {
        Scan {
            fact: "a.1".to_owned(),
            item: "dexa".to_owned(),
            at: EventTime::Day(date.parse().unwrap()),
            facility: None,
            device: None,
            device_id: None,
            region: "hip".to_owned(),
            side: None,
            vertebrae: None,
            bmd,
            t_score: None,
            z_score: None,
            note: None,
            comparison: crate::protocol::Comparison::default(),
        }
    }

    pub(crate) fn fact(item: &str, date: &str, note: &str) -> Fact {
        let body = FactBody::Intake {
            item: item.to_owned(),
            occurrence: None,
            at: EventTime::Day(date.parse().unwrap()),
            amount: None,
            planned: None,
            product: None,
            check_in: None,
            scan: None,
            note: Some(note.to_owned()),
            corrects: None,
            key: None,
        };
        let recorded_at = time("2026-11-25T08:00:00+00:00[UTC]");
        Fact {
            v: 1,
            id: "a.1".to_owned(),
            seq: 1,
            device: "a".to_owned(),
            recorded_at,
            fact: body,
            crc: None,
        }
    }
}
