//! The arrows of the house, and what its rooms must not do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What each room may use beside itself. A room is a folder of `src`; the first one that holds a file counts.
const ARROWS: &[(&str, &[&str])] = &[
    ("core/schedule", &[]),
    ("core/ledger", &["core/schedule", "core/text"]),
    ("core/reminder", &["core/ledger", "core/schedule"]),
    ("core/insight", &["core/ledger", "core/schedule", "core/text"]),
    ("core", &[]),
    ("process", &[]),
    ("protocol", &["core"]),
    ("adapters/agenda", &["adapters/clock", "core"]),
    ("adapters/channels", &["core", "process"]),
    ("adapters/clock", &["process"]),
    ("adapters/config", &["core", "process"]),
    ("adapters/desktop", &["core", "process"]),
    ("adapters/file_watch", &[]),
    ("adapters/http", &["core", "process", "protocol"]),
    ("adapters/presence", &[]),
    ("adapters/service_manager", &["process"]),
    ("adapters/store", &["core", "process"]),
    ("adapters/terminal", &["process"]),
    ("adapters", &[]),
    ("client", &["core", "protocol"]),
    ("present", &["core", "protocol"]),
    ("daemon", &["adapters", "core", "process", "protocol"]),
    ("tui", &["adapters/clock", "client", "core", "present", "protocol"]),
    ("cli", &["adapters", "client", "core", "daemon", "present", "process", "protocol", "tui"]),
    ("main", &["cli", "process"]),
    ("lib", &[]),
];

/// What the core must not name: I/O, clocks, the zone database, and the technologies behind the adapters. `clippy.toml` refuses the
/// functions of the standard library and of jiff that read a clock, a file or the environment.
const NOT_IN_THE_CORE: &[&str] = &[
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "std::time::SystemTime",
    "tokio",
    "sled",
    "serde",
    "toml",
    "axum",
    "zbus",
    "rustix",
    "tracing",
    "println!",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::get",
    "TimeZone::system",
];

/// The names of technologies, and the only rooms that may use them.
const TECHNOLOGIES: &[(&str, &[&str])] = &[
    ("sled::", &["adapters/store"]),
    ("tokio_cron_scheduler", &["adapters/agenda", "cli"]),
    ("notify_rust", &["adapters/desktop"]),
    ("zbus", &["adapters/desktop", "adapters/presence", "cli"]),
    ("axum", &["adapters/http"]),
    ("toml::", &["adapters/config"]),
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
];

/// A source file: where it lies in `src`, its room, and its code without comments and tests.
struct Source {
    path: String,
    room: &'static str,
    text: String,
    code: String,
}

fn sources() -> Vec<Source> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let mut sources = Vec::new();
    for path in paths {
        let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        // Tests may reach further than what they test.
        if relative.ends_with("/tests.rs") || relative.contains("/tests/") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let without_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: Vec<_> =
            without_tests.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        let room = room_of(&relative).unwrap_or_else(|| panic!("{relative} is in no room that has arrows"));
        sources.push(Source { path: relative, room, code: code.join("\n"), text });
    }
    sources
}

/// Returns the room that holds a file or a module path.
fn room_of(path: &str) -> Option<&'static str> {
    ARROWS.iter().map(|(room, _)| *room).find(|room| is_within(path, room))
}

fn is_within(path: &str, room: &str) -> bool {
    path.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
}

/// Returns the first three modules of each path that begins with the crate, with slashes.
fn used_modules(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for prefix in ["crate::", "dosed::"] {
        for part in code.split(prefix).skip(1) {
            let end =
                part.find(|c: char| !(c.is_ascii_lowercase() || c == '_' || c == ':')).unwrap_or(part.len());
            let module = part[..end].trim_end_matches("::").replace("::", "/");
            used.insert(module);
        }
    }
    used
}

#[test]
fn arrows_point_one_way() {
    for source in sources() {
        let (_, allowed) = ARROWS.iter().find(|(room, _)| *room == source.room).unwrap();
        for used in used_modules(&source.code) {
            assert!(
                is_within(&used, source.room) || allowed.iter().any(|room| is_within(&used, room)),
                "{}: {} must not use {used}",
                source.path,
                source.room
            );
        }
    }
}

#[test]
fn the_core_does_no_io_and_reads_no_clock() {
    for source in sources().iter().filter(|source| source.room.starts_with("core")) {
        for word in NOT_IN_THE_CORE {
            assert!(!source.code.contains(word), "{}: the core must not name {word}", source.path);
        }
    }
}

#[test]
fn each_technology_has_one_room() {
    for source in sources() {
        for (word, rooms) in TECHNOLOGIES {
            assert!(
                !source.code.contains(word) || rooms.contains(&source.room),
                "{}: only {rooms:?} may name {word}",
                source.path
            );
        }
    }
}

#[test]
fn every_module_says_what_it_is() {
    for source in sources() {
        assert!(source.text.starts_with("//!"), "{} has no module documentation", source.path);
    }
}
