//! The state of the daemon, the notification server, the journal and the database.

use jiff::Timestamp;

use super::context::{QueryContext, zoned};
use super::next;
use crate::adapters::desktop::Display;
use crate::adapters::store::Skipped;
use crate::core::ledger::Record;
use crate::core::schedule::ItemId;
use crate::daemon::channel_events;
use crate::daemon::status::DaemonStatus;
use crate::daemon::unread;
use crate::protocol::{
    ChannelStatus, ComingOccurrence, DatabaseStatus, JournalStatus, LastAnswer, LastAttempt, NextOccurrence,
    Notifications, PauseStatus, Presence, ScheduleStatus, SkippedFile, Status, UnreadFact,
};

/// What the daemon's task knows when it is asked for its status.
#[derive(Clone, Debug)]
pub(in crate::daemon) struct Snapshot {
    pub(in crate::daemon) status: DaemonStatus,
    pub(in crate::daemon) schedule: String,
    pub(in crate::daemon) items: usize,
    /// When the plan was last changed.
    pub(in crate::daemon) plan_since: Option<Timestamp>,
    pub(in crate::daemon) data_dir: String,
    pub(in crate::daemon) device: String,
    pub(in crate::daemon) copied_from: Option<String>,
    pub(in crate::daemon) is_demo: bool,
    /// Whether the desktop keeps reminders in sight.
    pub(in crate::daemon) keeps_in_sight: bool,
    pub(in crate::daemon) last: Option<Record>,
    /// The pauses that have not ended: of which item, from when, until when.
    pub(in crate::daemon) pauses: Vec<(Option<ItemId>, Timestamp, Option<Timestamp>)>,
    pub(in crate::daemon) now: Timestamp,
}

pub(in crate::daemon) async fn status(context: &QueryContext, snapshot: Snapshot) -> Status {
    let zone = context.zone();
    let next = next(context, 1, false).await.ok().and_then(|next| next.into_iter().next());
    let next = next.map(|ComingOccurrence { occurrence, .. }| {
        let item = occurrence.item.parse().ok();
        let item = item.and_then(|item| context.plan.current(&item));
        NextOccurrence { private: item.is_some_and(|item| item.private), occurrence }
    });
    let health = context.reader.health().await;
    let (facts, devices, error, skipped) = match health {
        Ok(health) => (health.facts, Some(health.marks), health.error, health.skipped),
        Err(error) => (0, None, Some(error.to_string()), Vec::new()),
    };
    let Snapshot {
        status,
        schedule,
        items,
        plan_since,
        data_dir,
        device,
        copied_from,
        is_demo,
        keeps_in_sight,
        last,
        pauses,
        now,
    } = snapshot;
    let unread = |one: &unread::UnreadFact| UnreadFact {
        item: one.item.as_ref().map(ToString::to_string),
        fact: one.fact.to_string(),
        since: zoned(one.since, zone),
        reason: one.reason.clone(),
    };
    let own_facts = devices.as_ref().and_then(|devices| devices.get(&device)).copied().unwrap_or(0);
    Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        now: zoned(now, zone),
        started_at: zoned(status.started_at, zone),
        is_demo,
        schedule: ScheduleStatus {
            path: schedule,
            items,
            error: status.schedule_error.clone(),
            plan_since: plan_since.map(|at| zoned(at, zone)),
            from_record: status.is_plan_from_record,
        },
        notifications: notifications(&status, keeps_in_sight),
        channels: channels(&status, context),
        person: Presence {
            locked: status.session.map(|session| session.locked),
            idle: status.session.map(|session| session.idle),
            do_not_disturb: status.display == Display::DoNotDisturb,
            do_not_disturb_told: status.display != Display::NotTold,
            switched_off: status.display == Display::SwitchedOff,
        },
        zone: status.zone,
        zone_error: status.zone_error,
        last: last.map(|record| LastAnswer {
            fact: record.id.to_string(),
            occurrence: record.fact.occurrence().map(ToString::to_string),
            item: record.fact.item().map(ToString::to_string),
            recorded_at: zoned(record.recorded_at, zone),
        }),
        next,
        pauses: pauses
            .into_iter()
            .map(|(item, from, until)| PauseStatus {
                item: item.map(|item| item.to_string()),
                from: zoned(from, zone),
                until: until.map(|until| zoned(until, zone)),
            })
            .collect(),
        journal: JournalStatus {
            path: format!("{data_dir}/journal/{device}.jsonl"),
            device,
            facts: own_facts,
            copied_from,
            skipped: skipped.iter().map(skipped_file).collect(),
            unread: status.unread.iter().map(unread).collect(),
            unread_more: status.unread.more(),
        },
        database: DatabaseStatus { path: format!("{data_dir}/db"), facts, devices, error },
    }
}

fn skipped_file(skipped: &Skipped) -> SkippedFile {
    SkippedFile { path: skipped.path.display().to_string(), reason: skipped.reason.clone() }
}

fn notifications(status: &DaemonStatus, keeps_in_sight: bool) -> Notifications {
    match (&status.server, &status.no_server) {
        (Some(server), _) => Notifications::Ready {
            server: server.name.clone(),
            version: server.version.clone(),
            buttons: server.has_buttons(),
            capabilities: server.capabilities.clone(),
            stays: keeps_in_sight,
            expectation: server.expectation().map(ToOwned::to_owned),
        },
        (None, Some(reason)) => {
            Notifications::Unavailable { reason: reason.clone(), on_demand: status.starts_on_demand }
        }
        (None, None) => Notifications::Unknown,
    }
}

fn channels(status: &DaemonStatus, context: &QueryContext) -> Vec<ChannelStatus> {
    let attempt = |last: &channel_events::LastAttempt| LastAttempt {
        at: zoned(last.at, context.zone()),
        error: last.error.clone(),
    };
    let channels = status.channels.specs.iter().map(|spec| ChannelStatus {
        channel: spec.id.to_string(),
        kind: spec.transport.as_str().to_owned(),
        private: spec.private,
        last: status.channels.last.get(&spec.id).map(attempt),
        replies: status.channels.replies.get(&spec.id).map(attempt),
    });
    channels.collect()
}
