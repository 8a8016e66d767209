//! The arrows of the house, and what its rooms must not do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each module may use; what is not listed may use nothing of the house.
const ARROWS: &[(&str, &[&str])] = &[
    ("schedule", &[]),
    ("ledger", &["schedule"]),
    ("reminder", &["ledger", "schedule"]),
    ("insight", &["ledger", "schedule"]),
    ("clock", &[]),
    ("watch", &[]),
    ("anew", &[]),
    ("panics", &["anew"]),
    ("failpoints", &[]),
    ("paths", &[]),
    ("config", &["schedule"]),
    ("agenda", &["schedule"]),
    ("store", &["failpoints", "ledger", "panics", "reminder", "schedule"]),
    ("desktop", &["failpoints", "ledger", "reminder"]),
    ("programs", &[]),
    ("channel", &["anew", "programs", "reminder", "schedule"]),
    ("api", &["ledger", "reminder", "schedule"]),
    (
        "daemon",
        &[
            "failpoints",
            "agenda",
            "anew",
            "api",
            "channel",
            "clock",
            "config",
            "desktop",
            "insight",
            "ledger",
            "panics",
            "presence",
            "reminder",
            "schedule",
            "store",
            "terminal",
            "watch",
        ],
    ),
    ("presence", &[]),
    ("terminal", &["anew", "programs"]),
    ("client", &["api"]),
    ("answer", &["client", "form", "render"]),
    ("form", &[]),
    ("demo", &["config", "insight", "ledger", "reminder", "schedule", "store"]),
    ("doctor", &["client", "clock", "config", "paths", "schedule"]),
    ("setup", &[]),
    ("tui", &["client", "clock", "render"]),
    ("cli", &[]),
    ("render", &[]),
    (
        "run",
        &[
            "anew", "answer", "api", "cli", "client", "clock", "config", "daemon", "demo", "doctor", "form",
            "paths", "render", "schedule", "setup", "store", "tui",
        ],
    ),
    ("main", &["cli", "panics", "run"]),
    ("lib", &[]),
];

/// What the pure modules must not name: IO, clocks, and the technologies behind the adapters.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "std::time::SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
    "tokio",
    "sled",
    "serde",
    "toml",
    "axum",
    "zbus",
    "rustix",
    "tracing",
    "println!",
];

/// The words of the outside world, and the only modules that may know them.
const HIDDEN: &[(&str, &[&str])] = &[
    ("sled::", &["store"]),
    ("tokio_cron_scheduler", &["agenda", "run"]),
    ("notify_rust", &["desktop"]),
    ("zbus", &["desktop", "presence", "run"]),
    ("axum", &["api"]),
    ("toml::", &["config"]),
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
    ("Timestamp::now()", &["clock", "agenda", "run"]),
];

fn sources() -> BTreeMap<String, Vec<(PathBuf, String)>> {
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
    let mut modules: BTreeMap<String, Vec<(PathBuf, String)>> = BTreeMap::new();
    for path in paths {
        let relative = path.strip_prefix(&root).unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        // Tests may reach further than what they test.
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
        if !relative.iter().any(|part| part == "tests.rs" || part == "tests") {
            modules.entry(module).or_default().push((path, text));
        }
    }
    modules
}

/// Returns the code without comments and doc comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn used_modules(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for prefix in ["crate::", "dosed::"] {
        for part in code.split(prefix).skip(1) {
            let end = part.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(part.len());
            used.insert(part[..end].to_owned());
        }
    }
    used
}

#[test]
fn arrows_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for (module, files) in sources() {
        let allowed =
            allowed.get(module.as_str()).unwrap_or_else(|| panic!("the module {module} has no arrows"));
        for (path, text) in files {
            for used in used_modules(&code(&text)) {
                assert!(
                    used == module || allowed.contains(&used.as_str()),
                    "{}: {module} must not use {used}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn the_core_does_no_io_and_reads_no_clock() {
    let sources = sources();
    for module in ["schedule", "ledger", "reminder", "insight"] {
        for (path, text) in &sources[module] {
            let code = code(text);
            for word in IMPURE {
                assert!(!code.contains(word), "{}: the core must not name {word}", path.display());
            }
        }
    }
}

#[test]
fn each_technology_has_one_room() {
    for (module, files) in sources() {
        for (path, text) in files {
            let code = code(&text);
            for (word, rooms) in HIDDEN {
                assert!(
                    !code.contains(word) || rooms.contains(&module.as_str()),
                    "{}: only {rooms:?} may know {word}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn every_module_says_what_it_is() {
    for (path, text) in sources().into_values().flatten() {
        assert!(text.starts_with("//!"), "{} has no module documentation", path.display());
    }
}
