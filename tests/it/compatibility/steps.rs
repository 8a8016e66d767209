//! What is asked and done, in this order: every route of the first contract, its errors, and every `--json`.

/// One step.
pub(super) enum Call {
    Get(&'static str),
    /// A path and a body.
    Post(&'static str, &'static str),
    /// An idempotency key, a path and a body.
    Keyed(&'static str, &'static str, &'static str),
    /// Another method, and a path.
    Other(&'static str, &'static str),
    /// A kind of fact that is followed as an event, and the path and body of what records it.
    Event(&'static str, &'static str, &'static str),
    /// The arguments of a command that prints JSON.
    Command(&'static [&'static str]),
    /// The arguments of a command of which only the exit code counts.
    Exit(&'static [&'static str]),
}

impl Call {
    /// Tells whether it calls a route, which has `{}` around its parameters.
    pub(super) fn is_of(&self, method: &str, route: &str) -> bool {
        let (own, path) = match self {
            Self::Get(path) => ("get", path),
            Self::Post(path, _) | Self::Keyed(_, path, _) => ("post", path),
            Self::Event(..) => ("get", &"/v1/events"),
            Self::Command(_) | Self::Exit(_) | Self::Other(..) => return false,
        };
        let path = path.split('?').next().unwrap_or_default();
        let mut parts = path.split('/').zip(route.split('/'));
        own == method
            && path.split('/').count() == route.split('/').count()
            && parts.all(|(part, expected)| part == expected || expected.starts_with('{'))
    }
}

use Call::{Command, Event, Exit, Get, Keyed, Other, Post};

/// The name of each step, which is the name of its sample, and what it does.
pub(super) const STEPS: &[(&str, Call)] = &[
    // What the record says, before anything is done.
    ("status", Get("/v1/status")),
    ("today", Get("/v1/today")),
    ("next", Get("/v1/next")),
    ("next-4", Get("/v1/next?n=4")),
    ("occurrences-today", Get("/v1/occurrences")),
    ("occurrences", Get("/v1/occurrences?from=2026-01-22&until=2026-01-24")),
    ("occurrences-before", Get("/v1/occurrences?from=2000-01-01&until=2026-01-01")),
    ("occurrences-item", Get("/v1/occurrences?from=2026-03-08&until=2026-03-15&item=probiotic")),
    ("facts", Get("/v1/facts?since=2026-01-22&until=2026-01-24")),
    ("facts-from", Get("/v1/facts?from=2026-02-10T09:00&until=2026-02-13")),
    ("facts-corrected", Get("/v1/facts?since=2026-01-04&until=2026-01-06&item=calcium")),
    ("facts-limit", Get("/v1/facts?until=2026-03-01&item=magnesium&limit=3")),
    ("facts-plan", Get("/v1/facts?since=2026-01-01&until=2026-01-01T00:00:01")),
    ("why", Get("/v1/occurrences/swim@2026-01-22T18:00/why")),
    ("why-excused", Get("/v1/occurrences/probiotic@2026-03-12T00:00/why")),
    ("why-corrected", Get("/v1/occurrences/calcium@2026-01-05T00:00/why")),
    ("why-elapsed", Get("/v1/occurrences/drops@2026-01-03T15:00Z/why")),
    ("adherence", Get("/v1/adherence?since=2026-01-01&until=2026-04-15")),
    ("adherence-from", Get("/v1/adherence?from=2026-02-01&until=2026-03-01&by=item")),
    ("adherence-item", Get("/v1/adherence?since=2026-03-01&until=2026-04-15&item=probiotic")),
    ("adherence-target", Get("/v1/adherence?since=2026-01-01&until=2026-04-15&item=walk")),
    ("adherence-group", Get("/v1/adherence?since=2026-01-01&until=2026-04-15&by=group")),
    ("insight", Get("/v1/insight")),
    ("forms", Get("/v1/forms")),
    ("check-ins", Get("/v1/check-ins")),
    ("scans", Get("/v1/scans")),
    ("stock", Get("/v1/stock")),
    ("openapi", Get("/v1/openapi.json")),
    // What is done.
    ("take", Keyed("k-take", "/v1/occurrences/calcium/take", r#"{"amount":"200 mg","note":"half"}"#)),
    (
        "take-again-same-key",
        Keyed("k-take", "/v1/occurrences/calcium/take", r#"{"amount":"200 mg","note":"half"}"#),
    ),
    ("take-answered", Post("/v1/occurrences/calcium/take", "")),
    ("skip", Post("/v1/occurrences/magnesium/skip", r#"{"reason":"stomach","note":"since noon"}"#)),
    ("snooze", Post("/v1/occurrences/walk/snooze", r#"{"for":"10m"}"#)),
    ("log", Post("/v1/items/painkiller/log", r#"{"amount":"200 mg","at":"2026-04-20T10:00"}"#)),
    ("log-day", Post("/v1/items/swim/log", r#"{"amount":"30 min","at":"2026-04-21"}"#)),
    ("log-now", Post("/v1/items/painkiller/log", "")),
    ("log-too-soon", Post("/v1/items/painkiller/log", "")),
    ("log-confirmed", Post("/v1/items/painkiller/log", r#"{"confirm":true}"#)),
    ("log-with-remark", Post("/v1/items/calcium/log", "")),
    ("correct", Post("/v1/facts/{take.id}/correct", r#"{"amount":"250 mg"}"#)),
    ("correct-skip", Post("/v1/facts/{skip.id}/correct", r#"{"reason":"none left"}"#)),
    ("retract", Post("/v1/facts/{log.id}/retract", r#"{"reason":"wrong item"}"#)),
    ("retract-retracted", Post("/v1/facts/{log.id}/retract", "")),
    (
        "check-in",
        Post(
            "/v1/items/weekly/check-in",
            r#"{"at":"2026-04-22","note":"a good week","answers":{"bloating":1,"energy":7,"wellness":null,"changed":"diet"}}"#,
        ),
    ),
    ("check-in-correct", Post("/v1/facts/{check-in.id}/correct", r#"{"answers":{"energy":6}}"#)),
    (
        "check-in-own",
        Post("/v1/items/sleep/check-in", r#"{"at":"2026-04-23","answers":{"rest":4,"waking":"2"}}"#),
    ),
    (
        "scan",
        Post(
            "/v1/items/dexa/scan",
            r#"{"at":"2026-04-24","answers":{"region":"lumbar-spine","bmd":"0.950","facility":"Clinic","device":"Horizon","device-id":"7","vertebrae":"L1-L4","t-score":"-1.0"}}"#,
        ),
    ),
    ("stock-add", Keyed("k-stock", "/v1/items/probiotic/stock", r#"{"add":60}"#)),
    ("stock-count", Post("/v1/items/probiotic/stock", r#"{"count":55}"#)),
    ("pause", Post("/v1/pause", r#"{"item":"swim","until":"2099-01-01","reason":"pool closed"}"#)),
    ("resume", Post("/v1/resume", r#"{"item":"swim"}"#)),
    ("pause-all", Post("/v1/pause", "")),
    ("resume-all", Post("/v1/resume", "")),
    ("channels-check", Post("/v1/channels/check", "")),
    ("channels-test", Post("/v1/channels/test", "")),
    ("event", Event("intake", "/v1/items/painkiller/log", r#"{"at":"2026-04-25T08:00","note":"seen"}"#)),
    // What it says afterwards.
    ("after-today", Get("/v1/today")),
    ("after-scans", Get("/v1/scans")),
    ("after-check-ins", Get("/v1/check-ins")),
    ("after-stock", Get("/v1/stock")),
    ("after-facts", Get("/v1/facts?since=2026-04-20&until=2026-04-26")),
    // What is refused.
    ("error-no-route", Get("/v1/nothing")),
    ("error-no-route-at-all", Get("/")),
    ("error-method", Other("DELETE", "/v1/today")),
    ("error-parameter", Get("/v1/adherence?colour=blue")),
    ("error-parameter-value", Get("/v1/next?n=many")),
    ("error-parameter-range", Get("/v1/next?n=0")),
    ("error-time", Get("/v1/facts?since=someday")),
    ("error-group-of-item", Get("/v1/adherence?by=group&item=walk")),
    ("error-range", Get("/v1/occurrences?from=1900-01-01&until=2090-01-01")),
    ("error-why-id", Get("/v1/occurrences/nothing/why")),
    ("error-why-unknown", Get("/v1/occurrences/swim@2026-01-23T18:00/why")),
    ("error-occurrences-item", Get("/v1/occurrences?item=nothing")),
    ("error-adherence-item", Get("/v1/adherence?item=nothing")),
    ("error-body", Post("/v1/items/painkiller/log", "{")),
    ("error-body-type", Post("/v1/items/painkiller/log", r#"{"amount":5}"#)),
    ("error-body-member", Post("/v1/items/painkiller/log", r#"{"amont":"5 mg"}"#)),
    ("error-body-elsewhere", Post("/v1/items/painkiller/log", r#"{"reason":"a cold"}"#)),
    ("error-body-list", Post("/v1/items/painkiller/log", "[]")),
    ("error-quantity", Post("/v1/items/painkiller/log", r#"{"amount":"much"}"#)),
    ("error-key", Keyed("not visible", "/v1/items/painkiller/log", "")),
    ("error-future", Post("/v1/items/painkiller/log", r#"{"at":"2099-01-01"}"#)),
    ("error-snooze-length", Post("/v1/occurrences/walk/snooze", r#"{"for":"3 months"}"#)),
    ("error-verb", Post("/v1/occurrences/walk/forget", "")),
    ("error-item", Post("/v1/items/nothing/log", "")),
    ("error-item-id", Post("/v1/items/No%20Id/log", "")),
    ("error-occurrence", Post("/v1/occurrences/calcium@2020-01-01T00:00/take", "")),
    ("error-fact", Post("/v1/facts/desk-0001.999999/retract", "")),
    ("error-fact-id", Post("/v1/facts/nothing/retract", "")),
    ("error-correct-nothing", Post("/v1/facts/{take.id}/correct", "")),
    ("error-check-in-kind", Post("/v1/items/walk/check-in", r#"{"answers":{"energy":7}}"#)),
    ("error-check-in-answer", Post("/v1/items/weekly/check-in", r#"{"answers":{"energy":11}}"#)),
    ("error-scan-answer", Post("/v1/items/dexa/scan", r#"{"answers":{"region":"elbow"}}"#)),
    ("error-stock-both", Post("/v1/items/probiotic/stock", r#"{"add":1,"count":1}"#)),
    ("error-stock-uncounted", Post("/v1/items/calcium/stock", r#"{"add":1}"#)),
    ("error-pause-item", Post("/v1/pause", r#"{"item":"nothing"}"#)),
    // The same through commands.
    ("command-status", Command(&["status", "--json"])),
    ("command-status-waybar", Command(&["status", "--format", "waybar"])),
    ("command-today", Command(&["today", "--json"])),
    ("command-next", Command(&["next", "--json"])),
    ("command-history", Command(&["history", "--json", "--since", "2026-01-22", "--until", "2026-01-24"])),
    ("command-history-item", Command(&["history", "--json", "--until", "2026-01-09", "--item", "calcium"])),
    (
        "command-adherence",
        Command(&["adherence", "--json", "--since", "2026-01-01", "--until", "2026-04-15"]),
    ),
    (
        "command-adherence-item",
        Command(&["adherence", "--json", "--item", "iron", "--since", "2026-01-01", "--until", "2026-02-01"]),
    ),
    (
        "command-adherence-groups",
        Command(&["adherence", "--json", "--groups", "--since", "2026-01-01", "--until", "2026-04-15"]),
    ),
    ("command-insight", Command(&["insight", "--json"])),
    ("command-stock", Command(&["stock", "--json"])),
    ("command-stock-item", Command(&["stock", "probiotic", "--json"])),
    ("command-stock-add", Command(&["stock", "probiotic", "+10", "--json"])),
    ("command-scan-list", Command(&["scan", "list", "--json"])),
    ("command-check-in-list", Command(&["check-in", "list", "--json"])),
    ("command-why", Command(&["why", "swim@2026-01-22T18:00", "--json"])),
    ("command-simulate", Command(&["simulate", "--json", "--from", "2026-03-02", "--until", "2026-03-04"])),
    ("command-doctor", Command(&["doctor", "--json"])),
    ("command-take", Command(&["take", "walk", "--json", "--amount", "20 min"])),
    ("command-skip", Command(&["skip", "probiotic", "--json", "--reason", "none left"])),
    ("command-undo", Command(&["undo", "--json"])),
    ("command-snooze", Command(&["snooze", "probiotic", "5m", "--json"])),
    ("command-log", Command(&["log", "swim", "25", "min", "--json", "--at", "2026-04-26", "--note", "slow"])),
    ("command-correct", Command(&["correct", "--json", "--amount", "26 min"])),
    (
        "command-check-in",
        Command(&["check-in", "weekly", "--json", "--at", "2026-04-27", "--answer", "energy=5"]),
    ),
    (
        "command-scan-add",
        Command(&[
            "scan",
            "add",
            "--json",
            "--at",
            "2026-04-28",
            "--answer",
            "region=total-hip",
            "--answer",
            "bmd=0.805",
            "--answer",
            "side=left",
        ]),
    ),
    ("command-pause", Command(&["pause", "walk", "--json", "--until", "2099-01-01"])),
    ("command-resume", Command(&["resume", "walk", "--json"])),
    ("command-test", Command(&["test", "--json"])),
    ("command-check", Exit(&["check"])),
    ("command-check-bad", Exit(&["check", "{home}/bad.toml"])),
    ("command-check-missing", Exit(&["check", "{home}/nothing.toml"])),
    ("command-refused", Exit(&["take", "nothing"])),
    ("command-usage", Exit(&["take"])),
    ("command-unreachable", Exit(&["--socket", "{home}/nothing", "today"])),
    ("command-daemon-twice", Exit(&["daemon"])),
];
