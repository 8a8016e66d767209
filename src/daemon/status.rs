//! Says how the daemon, the notification server, the journal and the database are.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Condition;
use super::query::{Scene, shown, soonest};
use crate::api::Reply;
use crate::ledger::Record;

/// What the daemon knows of itself.
#[derive(Clone, Debug)]
pub(super) struct Status {
    pub(super) condition: Condition,
    pub(super) schedule: String,
    pub(super) items: usize,
    pub(super) data_dir: String,
    pub(super) device: String,
    pub(super) made_up: bool,
    pub(super) last: Option<Record>,
    pub(super) now: Timestamp,
}

/// Says how the daemon, the journal and the database are.
pub(super) async fn status(scene: &Scene, status: Status) -> Reply {
    let zone = scene.zone();
    let next = soonest(scene).await.ok();
    let mut next: Value = next.and_then(|next| serde_json::from_str(&next).ok()).unwrap_or_default();
    if let Some(next) = next.get_mut(0) {
        // Status bars are seen by others.
        let item = next["item"].as_str().and_then(|item| item.parse().ok());
        let item = item.and_then(|item| scene.plan.current(&item));
        next["private"] = item.is_some_and(|item| item.private).into();
    }
    let health = scene.reader.health().await;
    let (facts, marks, error) = match &health {
        Ok(health) => (health.facts, json!(health.marks), health.error.clone()),
        Err(error) => (0, Value::Null, Some(error.to_string())),
    };
    let Status { condition, schedule, items, data_dir, device, made_up, last, now } = status;
    let notifications = match (&condition.server, &condition.no_server) {
        (Some(server), _) => json!({
            "state": "ready",
            "server": server.name,
            "version": server.version,
            "buttons": server.has_buttons(),
            "capabilities": server.capabilities,
        }),
        (None, Some(reason)) => json!({ "state": "unavailable", "reason": reason }),
        (None, None) => json!({ "state": "unknown" }),
    };
    let channels: Vec<Value> = condition
        .channels
        .specs
        .iter()
        .map(|spec| {
            let last = condition.channels.last.get(&spec.id);
            json!({
                "channel": spec.id.as_str(),
                "kind": spec.way.as_str(),
                "private": spec.private,
                "last": last.map(|last| json!({ "at": shown(last.at, zone), "error": last.error })),
            })
        })
        .collect();
    let last = last.map(|record| {
        json!({
            "fact": record.id.to_string(),
            "occurrence": record.fact.occurrence().map(ToString::to_string),
            "item": record.fact.item().map(ToString::to_string),
            "recorded_at": shown(record.recorded_at, zone),
        })
    });
    let json = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "now": shown(now, zone),
        "started_at": shown(condition.started_at, zone),
        "zone": condition.zone,
        "made_up": made_up,
        "schedule": { "path": schedule, "items": items, "error": condition.schedule_error },
        "notifications": notifications,
        "channels": channels,
        "person": {
            "locked": condition.session.map(|session| session.locked),
            "idle": condition.session.map(|session| session.idle),
            "do_not_disturb": condition.do_not_disturb,
        },
        "last": last,
        "next": next.get(0),
        "journal": { "path": format!("{data_dir}/journal/{device}.jsonl"), "device": device, "facts": marks.get(&device).and_then(Value::as_u64).unwrap_or(0) },
        "database": { "path": format!("{data_dir}/db"), "facts": facts, "devices": marks, "error": error },
    });
    Reply::ok(json.to_string())
}
