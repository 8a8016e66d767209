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
    let mut found = Vec::new();
    let mut rest = code.as_str();
    while let Some(at) = rest.find('"') {
        let (before, inside) = (&rest[..at], &rest[at + 1..]);
        if before.ends_with('\'') && inside.starts_with('\'') {
            // The character, not the beginning of a text.
            rest = &inside[1..];
            continue;
        }
        let hashes = before.len() - before.trim_end_matches('#').len();
        let is_raw = before.trim_end_matches('#').ends_with(['r']);
        let end = if is_raw {
            inside.find(&format!("\"{}", "#".repeat(hashes)))
        } else {
            let mut is_escaped = false;
            inside.find(|c| {
                let is_end = c == '"' && !is_escaped;
                is_escaped = c == '\\' && !is_escaped;
                is_end
            })
        };
        let Some(end) = end else { break };
        found.push(inside[..end].to_owned());
        rest = &inside[end + 1..];
    }
    found
}

#[test]
fn literals_are_found_between_their_quotes() {
    let code =
        "let a = \"one\"; let b = '\"'; c(\"t\\\"wo\", r#\"th\"ree\"#, \"\\\\\"); // \"no\"\n// \"none\"\n";
    assert_eq!(literals(code)[..4], ["one", "t\\\"wo", "th\"ree", "\\\\"]);
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
    for file in ["README.md", "config/schedule.toml", "systemd/dosed.service"] {
        texts.push((file.to_owned(), std::fs::read_to_string(root().join(file)).unwrap()));
    }
    let document = std::fs::read_to_string(root().join("src/adapters/http/openapi.json")).unwrap();
    let mut described = Vec::new();
    descriptions(&serde_json::from_str(&document).unwrap(), &mut described);
    assert!(!described.is_empty());
    texts.extend(described.into_iter().map(|text| ("openapi.json".to_owned(), text)));
    let home = Home::new();
    for command in ["--help", "man"] {
        texts.push((command.to_owned(), home.good(&[command])));
    }
    let mut stack = vec![root().join("src")];
    while let Some(path) = stack.pop() {
        if path.ends_with("tests") || path.ends_with("tests.rs") {
            continue;
        }
        if path.is_dir() {
            stack.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
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

/// Collects what a document says in sentences; names of members such as `effective` are the contract's.
fn descriptions(document: &serde_json::Value, found: &mut Vec<String>) {
    match document {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                match value {
                    serde_json::Value::String(text) if name == "description" || name == "summary" => {
                        found.push(text.clone());
                    }
                    value => descriptions(value, found),
                }
            }
        }
        serde_json::Value::Array(elements) => {
            for element in elements {
                descriptions(element, found);
            }
        }
        _ => {}
    }
}

#[test]
fn banned_words_are_found_where_they_stand() {
    assert!(has_word("It works.", "works") && has_word("Because of that", "because of"));
    assert!(!has_word("network, side-effects", "works") && !has_word("ineffective", "effective"));
}

/// Where cargo-deny is installed it says the same, and more.
#[test]
#[ignore = "needs cargo"]
fn every_dependency_has_a_licence_that_is_allowed() {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
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
    let rules: toml::Table = std::fs::read_to_string(root().join(".deny.toml")).unwrap().parse().unwrap();
    let allowed: Vec<&str> =
        rules["licenses"]["allow"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let packages = metadata["packages"].as_array().unwrap();
    for package in packages.iter().filter(|package| used.contains(package["id"].as_str().unwrap())) {
        let (name, licence) = (package["name"].as_str().unwrap(), package["license"].as_str().unwrap_or(""));
        assert!(is_allowed(licence, &allowed), "{name}: {licence:?} is not in .deny.toml");
    }
    for borne in rules["advisories"]["ignore"].as_array().unwrap() {
        let reason = borne["reason"].as_str().unwrap();
        let name = reason.split(' ').next().unwrap();
        assert!(
            packages.iter().any(|package| package["name"] == name),
            "{} is no longer borne: {name} is gone",
            borne["id"].as_str().unwrap()
        );
    }
}

/// Tells whether one of the alternatives of a licence expression, or both of its parts, are allowed.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], "");
    !expression.is_empty()
        && expression
            .split(" AND ")
            .all(|part| part.split(" OR ").any(|licence| allowed.contains(&licence.trim())))
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
