//! The journal directory: what others put into it, and what happens to the own journal while it is open.

use super::*;

const NOTED: &str = "sync-conflict-20261127-135500-ABCDEFG";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn health(store: &Store) -> Health {
    runtime().block_on(store.reader().health()).unwrap()
}

fn fold(store: &Store) -> usize {
    runtime().block_on(store.reader().fold_peers()).unwrap().len()
}

/// Returns what is skipped: the names, and the reasons.
fn skipped(store: &Store) -> Vec<(String, String)> {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    health(store).skipped.into_iter().map(|skipped| (name(&skipped.path), skipped.reason)).collect()
}

fn fifo(path: &Path) {
    crate::process::files::make_fifo(path);
}

/// Returns the text of another device's journal with some facts, and its name.
fn peer(facts: std::ops::Range<usize>) -> (String, String) {
    let other = Home::new();
    other.fill(facts);
    let path = other.journal();
    (std::fs::read_to_string(&path).unwrap(), path.file_name().unwrap().to_str().unwrap().to_owned())
}

#[test]
fn only_journals_of_devices_are_read() {
    let home = Home::new();
    home.fill(0..2);
    let own = home.journal();
    let dir = own.parent().unwrap();
    let (text, name) = peer(3..6);
    let device = name.strip_suffix(".jsonl").unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    write(&name, &text);
    write(&format!("{device}.{NOTED}.jsonl"), &text);
    let own_name = own.file_stem().unwrap().to_str().unwrap();
    std::fs::copy(&own, dir.join(format!("{own_name}.{NOTED}.jsonl"))).unwrap();
    write("copied.jsonl", &text);
    write("Other.jsonl", &text);
    write("backup.jsonl~", &text);
    write("empty.jsonl", "");
    write("partial.jsonl", &text[..40]);
    write("text.jsonl", "these are notes\n");
    write(".syncthing.tmp", "");
    std::fs::create_dir(dir.join("directory.jsonl")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.join("endless.jsonl")).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.join("dangling.jsonl")).unwrap();
    fifo(&dir.join("fifo.jsonl"));
    let (store, _written) = home.open().unwrap();
    let found = skipped(&store);
    let named = "it is not named as the journal of a device";
    let mut expected = vec![
        (
            "copied.jsonl".to_owned(),
            "its first line is not one of copied: fact 1 of copied should stand here",
        ),
        ("Other.jsonl".to_owned(), named),
        (format!("{device}.{NOTED}.jsonl"), named),
        (format!("{own_name}.{NOTED}.jsonl"), named),
        ("backup.jsonl~".to_owned(), named),
        ("empty.jsonl".to_owned(), "it is empty"),
        ("partial.jsonl".to_owned(), "its first line is not complete yet"),
        ("text.jsonl".to_owned(), "its first line is not one of text: its checksum does not fit"),
        ("directory.jsonl".to_owned(), "it is a directory, not a regular file"),
        ("endless.jsonl".to_owned(), "it is a device, not a regular file"),
        ("fifo.jsonl".to_owned(), "it is a FIFO, not a regular file"),
        ("dangling.jsonl".to_owned(), "No such file or directory (os error 2)"),
    ];
    expected.sort();
    let found: Vec<(String, &str)> = found.iter().map(|(name, why)| (name.clone(), &**why)).collect();
    assert_eq!(found, expected);
    assert_eq!(health(&store).facts, 5);
    store.close();
}

#[test]
fn another_devices_journal_never_stops_the_daemon() {
    let (text, name) = peer(3..6);
    let lines: Vec<&str> = text.lines().collect();
    let newer = {
        let head = lines[2].replacen("\"v\":1", "\"v\":9", 1);
        let head = &head[..head.rfind(",\"crc\"").unwrap()];
        format!("{head},\"crc\":\"{:08x}\"}}", crc32fast::hash(head.as_bytes()))
    };
    let start = format!("{}\n{}\n", lines[0], lines[1]);
    // Its text, how many of its facts are known then, and what is said about it.
    let cases: Vec<(&str, Vec<u8>, u64, &str)> = vec![
        ("whole", text.clone().into_bytes(), 3, ""),
        ("cut", text[..text.len() - 5].into(), 2, ""),
        ("torn", [start.as_bytes(), &[0; 64]].concat(), 2, ""),
        (
            "damaged",
            format!("{start}{}\n", lines[2].replace("2026", "2025")).into(),
            2,
            "line 3 cannot be read",
        ),
        ("not text", [start.as_bytes(), b"\xff\n"].concat(), 2, "line 3 cannot be read (it is not UTF-8)"),
        ("twice", format!("{start}{}\n", lines[1]).into(), 2, "line 3 cannot be read (fact 3 of"),
        ("newer", format!("{start}{newer}\n").into(), 2, "line 3 cannot be read (it has form 9"),
        ("one missing", format!("{}\n{}\n", lines[0], lines[2]).into(), 1, "line 2 cannot be read"),
    ];
    for (case, bytes, facts, reason) in cases {
        let home = Home::new();
        home.fill(0..2);
        let path = home.journal().with_file_name(&name);
        std::fs::write(&path, &bytes).unwrap();
        for start in ["at its first start", "at the next"] {
            let (store, _written) = home.open().unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_eq!(health(&store).facts, 2 + facts, "{case}, {start}");
            let said = skipped(&store);
            assert_eq!(said.len(), usize::from(!reason.is_empty()), "{case}, {start}: {said:?}");
            assert!(said.iter().all(|(_, said)| said.starts_with(reason)), "{case}, {start}: {said:?}");
            store.close();
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{case}");
        // Shorter than what is known, and gone.
        std::fs::write(&path, format!("{}\n", lines[0])).unwrap();
        let (store, _written) = home.open().unwrap();
        let said = skipped(&store);
        assert_eq!(health(&store).facts, 2 + facts, "{case}");
        assert_eq!(said.iter().any(|(_, said)| said.contains("not here yet")), facts > 1, "{case}: {said:?}");
        std::fs::remove_file(&path).unwrap();
        assert!(skipped(&store).iter().any(|(_, said)| said.contains("not there any more")), "{case}");
        store.close();
    }
}

#[test]
fn journals_of_other_devices_are_folded_while_running() {
    let home = Home::new();
    home.fill(0..2);
    let (text, name) = peer(3..6);
    let path = home.journal().with_file_name(&name);
    let (store, _written) = home.open().unwrap();
    assert_eq!(fold(&store), 0);
    let ends: Vec<usize> = text.match_indices('\n').map(|(end, _)| end + 1).collect();
    // In pieces, of which each may end within a line.
    for (length, facts) in
        [(10, 0), (ends[0] - 1, 0), (ends[0], 1), (ends[1] + 7, 1), (ends[1] + 7, 0), (ends[2], 1)]
    {
        std::fs::write(&path, &text[..length]).unwrap();
        assert_eq!(fold(&store), facts, "{length}");
    }
    assert_eq!((health(&store).facts, skipped(&store).len()), (5, 0));
    // Another history under the same name, and a shorter one.
    let (other, other_name) = peer(7..10);
    let (device, other_device) = (&name[..name.len() - 6], &other_name[..other_name.len() - 6]);
    let renamed = other
        .lines()
        .map(|line| {
            let line = line.replace(other_device, device);
            let head = &line[..line.rfind(",\"crc\"").unwrap()];
            format!("{head},\"crc\":\"{:08x}\"}}\n", crc32fast::hash(head.as_bytes()))
        })
        .collect::<Vec<_>>()
        .concat();
    for (text, reason) in [(renamed.as_str(), "it holds another fact 3"), (&text[..ends[0]], "not here yet")]
    {
        std::fs::write(&path, text).unwrap();
        assert_eq!((fold(&store), health(&store).facts), (0, 5));
        let said = skipped(&store);
        assert!(said.len() == 1 && said[0].1.contains(reason), "{said:?}");
    }
    store.close();
}

/// What can happen to a journal while it is open, how it is called, and whether what is there then is kept beside.
type Harm = (&'static str, fn(&Path), bool);

const HARMS: &[Harm] = &[
    (
        "an older one renamed over it",
        |path| {
            let text = std::fs::read_to_string(path).unwrap();
            let older: String = text.split_inclusive('\n').take(1).collect();
            std::fs::write(path.with_extension("backup"), older).unwrap();
            std::fs::rename(path.with_extension("backup"), path).unwrap();
        },
        false,
    ),
    (
        "the same one renamed over it",
        |path| {
            std::fs::copy(path, path.with_extension("backup")).unwrap();
            std::fs::rename(path.with_extension("backup"), path).unwrap();
        },
        false,
    ),
    ("removed", |path| std::fs::remove_file(path).unwrap(), false),
    ("moved away", |path| std::fs::rename(path, path.with_file_name(".away")).unwrap(), false),
    (
        "cut in place",
        |path| {
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::write(path, &text[..text.len() / 2]).unwrap();
        },
        false,
    ),
    ("emptied in place", |path| std::fs::write(path, "").unwrap(), false),
    (
        "another one in its place",
        |path| {
            std::fs::remove_file(path).unwrap();
            std::fs::write(path, peer(0..1).0).unwrap();
        },
        true,
    ),
    (
        "more than was written",
        |path| {
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::write(path, format!("{text}more")).unwrap();
        },
        true,
    ),
    (
        "a directory",
        |path| {
            std::fs::remove_file(path).unwrap();
            std::fs::create_dir(path).unwrap();
        },
        true,
    ),
    (
        "a FIFO",
        |path| {
            std::fs::remove_file(path).unwrap();
            fifo(path);
        },
        true,
    ),
];

#[test]
fn nothing_acknowledged_is_lost_where_the_journal_is_replaced() {
    for (name, harm, is_kept) in HARMS {
        // Noticed before the next fact, when asked to look, and at the end.
        for noticed in ["append", "check", "close"] {
            let home = Home::new();
            let mut lines = home.fill(0..2);
            let (store, mut written) = home.open().unwrap();
            store.record(drafts(2..4));
            lines.extend(durable(&mut written, 2));
            let path = home.journal();
            harm(&path);
            match noticed {
                "append" => {
                    store.record(drafts(4..5));
                    lines.extend(durable(&mut written, 1));
                }
                "check" => store.check_journal(),
                _ => {}
            }
            store.close();
            let text = lines.iter().map(|line| format!("{}\n", line.text)).collect::<Vec<_>>().concat();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{name}, {noticed}");
            assert_eq!(path.with_extension("replaced-1").exists(), *is_kept, "{name}, {noticed}");
            let (store, _written) = home.open().unwrap_or_else(|error| panic!("{name}, {noticed}: {error}"));
            assert_eq!(runtime().block_on(store.reader().lines(ALL())).unwrap(), lines, "{name}, {noticed}");
            store.close();
        }
    }
}

#[test]
fn what_a_crash_interrupted_is_finished_at_the_next_start() {
    type Left = fn(&Path);
    let left: &[(&str, Left)] = &[
        ("not complete", |path| std::fs::write(path.with_extension("restoring"), "half").unwrap()),
        ("not complete, and nothing in its place", |path| {
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::write(path.with_extension("restoring"), format!("{text}half")).unwrap();
            std::fs::remove_file(path).unwrap();
        }),
        ("complete, beside an older one", |path| {
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::rename(path, path.with_extension("restored")).unwrap();
            std::fs::write(path, text.split_inclusive('\n').next().unwrap()).unwrap();
        }),
        ("complete, beside another one", |path| {
            std::fs::rename(path, path.with_extension("restored")).unwrap();
            std::fs::write(path, peer(0..1).0).unwrap();
        }),
        ("complete, and nothing in its place", |path| {
            std::fs::rename(path, path.with_extension("restored")).unwrap();
        }),
    ];
    for (name, leave) in left {
        let home = Home::new();
        let lines = home.fill(0..3);
        leave(&home.journal());
        let (store, _written) = home.open().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(runtime().block_on(store.reader().lines(ALL())).unwrap(), lines, "{name}");
        assert!(!home.journal().with_extension("restored").exists(), "{name}");
        store.close();
    }
}

#[test]
fn a_journal_that_is_no_file_stops_the_start() {
    let home = Home::new();
    home.fill(0..1);
    let path = home.journal();
    for harm in [
        |path: &Path| std::fs::create_dir(path).unwrap(),
        fifo,
        |path: &Path| {
            std::os::unix::fs::symlink("/dev/zero", path).unwrap();
        },
    ] {
        std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path)).unwrap();
        harm(&path);
        assert!(matches!(home.open(), Err(StoreError::Io { .. })));
    }
}

#[test]
fn a_fact_that_is_too_long_fails_alone() {
    let home = Home::new();
    let (store, mut written) = home.open().unwrap();
    let mut all = drafts(0..3);
    if let Fact::Skip { note, .. } = &mut all[1].fact {
        *note = Some("n".repeat(line::MAX_LINE_BYTES));
    }
    store.record(all);
    let (mut tokens, mut failed) = (Vec::new(), Vec::new());
    while tokens.len() + failed.len() < 3 {
        match written.blocking_recv().unwrap() {
            Written::Durable(lines) => {
                tokens.extend(lines.iter().map(|(token, line)| (token.0, line.record.id.seq)));
            }
            Written::Failed(these, reason) => {
                assert!(reason.contains("too long to be recorded"), "{reason}");
                failed.extend(these.iter().map(|token| token.0));
            }
        }
    }
    assert_eq!((tokens, failed), (vec![(0, 1), (2, 2)], vec![1]));
    store.close();
    assert_eq!(runtime().block_on(home.lines(ALL())).len(), 2);
}

#[test]
fn a_record_from_another_machine_is_that_of_a_new_device() {
    let home = Home::new();
    home.fill(0..2);
    let before = home.journal();
    let machine = home.dir.path().join("data/machine");
    if device::machine_id().is_none() {
        return;
    }
    std::fs::write(&machine, "0123456789abcdef0123456789abcdef\n").unwrap();
    home.fill(2..3);
    assert_ne!(home.journal(), before);
    assert_eq!(std::fs::read_to_string(&before).unwrap().lines().count(), 2);
    let (store, _written) = home.open().unwrap();
    assert_eq!(store.copied_from(), before.file_stem().unwrap().to_str());
    assert_eq!((health(&store).facts, skipped(&store).len()), (3, 0));
    store.close();
}

#[test]
fn what_is_skipped_is_named_or_counted() {
    let home = Home::new();
    home.fill(0..1);
    let path = home.journal();
    for n in 10..50 {
        std::fs::write(path.with_file_name(format!("{n}.bak")), "").unwrap();
    }
    let (store, _written) = home.open().unwrap();
    let found = skipped(&store);
    assert_eq!(found.len(), 33);
    let last = found.iter().find(|(name, _)| name == "journal").unwrap();
    assert!(
        last.1.starts_with("8 more in it are skipped, from ") && last.1.ends_with("42.bak on"),
        "{last:?}"
    );
    store.close();
}
