//! What people read, and what the package says of itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::Home;

/// Words that promise more than numbers can carry; they stand in no text that is shown.
const BANNED: &[&str] = &[
    "works",
    "causes",
    "because of",
    "improves",
    "effective",
    "proven",
    "best combination",
    "optimal",
    "your bones got stronger",
    "thanks to",
    "you should take",
    "you should stop",
    "compliance",
    "patient",
    "treatment",
];

/// Licences that a dependency may have, one of its alternatives at least.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "0BSD",
    "CC0-1.0",
    "BSL-1.0",
];

/// Advisories that are known and borne, each with its reason.
const BORNE: &[(&str, &str, &str)] = &[
    (
        "fxhash",
        "RUSTSEC-2025-0057",
        "unmaintained; through sled, which is required; hashes nothing from outside",
    ),
    (
        "instant",
        "RUSTSEC-2024-0384",
        "unmaintained; through sled's parking_lot; a thin layer over std::time here",
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the string literals of the sources outside of tests.
fn literals(text: &str) -> Vec<String> {
    let code: String = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |all, line| all + line + "\n");
    code.split('"').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

fn has_word(text: &str, word: &str) -> bool {
    let text = text.to_lowercase();
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[test]
fn no_text_promises_too_much() {
    let mut texts: Vec<(String, String)> = Vec::new();
    for file in ["README.md", "config/schedule.toml", "src/api/openapi.json", "systemd/dosed.service"] {
        texts.push((file.to_owned(), std::fs::read_to_string(root().join(file)).unwrap()));
    }
    let home = Home::new();
    for command in ["--help", "man"] {
        texts.push((command.to_owned(), home.good(&[command])));
    }
    let mut stack = vec![root().join("src")];
    while let Some(path) = stack.pop() {
        if path.is_dir() {
            stack.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            texts.extend(literals(&text).into_iter().map(|literal| (path.display().to_string(), literal)));
        }
    }
    for (place, text) in texts {
        for word in BANNED {
            assert!(!has_word(&text, word), "{place}: `{word}` in: {text:.200}");
        }
    }
}

#[test]
fn banned_words_are_found_where_they_stand() {
    assert!(has_word("It works.", "works") && has_word("Because of that", "because of"));
    assert!(!has_word("network, side-effects", "works") && !has_word("ineffective", "effective"));
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let used: BTreeSet<&str> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["id"].as_str().unwrap())
        .collect();
    let packages = metadata["packages"].as_array().unwrap();
    for package in packages.iter().filter(|package| used.contains(package["id"].as_str().unwrap())) {
        let (name, licence) = (package["name"].as_str().unwrap(), package["license"].as_str().unwrap_or(""));
        assert!(is_allowed(licence), "{name}: {licence:?} is not on the list");
    }
    for (name, advisory, why) in BORNE {
        assert!(
            packages.iter().any(|package| package["name"] == *name),
            "{advisory} ({why}) is no longer borne: {name} is gone"
        );
    }
}

/// Reads a licence expression: every part of an AND, one part of an OR.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], "");
    !expression.is_empty()
        && expression
            .split(" AND ")
            .all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[test]
fn the_top_level_holds_what_it_may() {
    let output =
        Command::new("git").args(["ls-tree", "--name-only", "HEAD"]).current_dir(root()).output().unwrap();
    if !output.status.success() {
        // An unpacked source archive has no history; then there is nothing to compare.
        return;
    }
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "benches",
        "config",
        "src",
        "systemd",
        "tests",
    ];
    for name in String::from_utf8(output.stdout).unwrap().lines() {
        assert!(name.starts_with('.') || allowed.contains(&name), "{name} has no place at the top");
    }
}

#[test]
fn the_readme_names_only_commands_that_there_are() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let home = Home::new();
    let mut named = 0;
    for line in readme.split("```").skip(1).step_by(2).flat_map(str::lines) {
        let Some(rest) = line.trim_start_matches("$ ").strip_prefix("dosed ") else { continue };
        let command = rest.split_whitespace().next().unwrap();
        home.good(&[command, "--help"]);
        named += 1;
    }
    assert!(named > 5, "the README shows commands");
}
