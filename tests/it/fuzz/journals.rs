//! Journals open whole, or stay as they are.

use super::*;

#[rustfmt::skip]
const JOURNAL_WORDS: &[&str] = &[
    "\n", "\n\n", "{", "}", "[", "]", ",", ":", ",\"crc\":\"", "\"}", "\"v\":2", "\"v\":1", "\"seq\":1",
    "\"seq\":2", "\"device\":\"fuzz-0000\"", "\"id\":\"fuzz-0000.1\"", "fuzz-0000", "fuzz-0000.2",
    "other-1111", "\"fact\"", "\"type\"", "intake", "skip", "snooze", "delivered", "undelivered", "closed",
    "regimen", "zone", "pause", "resume", "retraction", "\"note\":\"x\"", "\"key\":\"k-1\"",
    "\"definition\":{}", "null", "[[", "\"at\":\"2026-11-23\"", "a@2026-11-23T08:00", "a@2026-11-23T08:00Z",
    "+01:00[Europe/Berlin]", "[Not/AZone]", "+25:59", "5e9 CFU", "\u{0}\u{0}\u{0}\u{0}", "00000000",
    "probiotic", "dismissed", "desktop", "pigeon",
];

#[test]
fn journals_open_whole_or_stay_as_they_are() {
    let mutator = Mutator::new("journal", JOURNAL_WORDS);
    let rounds = Rounds::new(500);
    let desk = tempfile::tempdir().unwrap();
    let good = ["whole", "edges"].map(|name| good_record(desk.path(), name));
    let mut opened = 0;
    for (round, mut rng) in rounds.each() {
        let (record, journal) = &good[rng.below(good.len())];
        let base = if rng.one_in(4) { mutator.any(&mut rng).to_vec() } else { journal.clone() };
        let mut input = mutator.change(&mut rng, base);
        // With checksums that fit, what lies behind them is reached. No disk makes those, so then there is
        // no database that could know better.
        let sealed = rng.one_in(2);
        if sealed {
            input = seal(&input);
        }
        let _case = Case { round, input: &input };
        let dir = desk.path().join("round");
        copy_record(record, &dir, !sealed && rng.one_in(2));
        std::fs::write(journal_of(&dir), &input).unwrap();
        opened += u64::from(check_open(&dir, &input));
        std::fs::remove_dir_all(&dir).unwrap();
    }
    println!("{opened} opened");
    let both = opened > rounds.count / 20 && opened < rounds.count;
    assert!(both || !rounds.are_many(), "{opened} opened: the rounds are too wild or too tame");
}

fn journal_of(dir: &Path) -> PathBuf {
    dir.join(format!("journal/{DEVICE}.jsonl"))
}

/// Makes a record out of a journal of the corpus, with a database that knows all of it.
fn good_record(desk: &Path, name: &str) -> (PathBuf, Vec<u8>) {
    let dir = desk.join(name);
    std::fs::create_dir_all(dir.join("journal")).unwrap();
    std::fs::write(dir.join("device"), DEVICE).unwrap();
    let journal = std::fs::read(corpora().join(format!("journal/{name}.jsonl"))).unwrap();
    std::fs::write(journal_of(&dir), &journal).unwrap();
    let facts = open(&dir).unwrap();
    assert_eq!(facts.len(), journal.split(|b| *b == b'\n').count() - 1, "{name}");
    (dir, journal)
}

/// Copies a record but for its journal, with its database or without.
fn copy_record(from: &Path, to: &Path, with_database: bool) {
    std::fs::create_dir_all(to.join("journal")).unwrap();
    std::fs::copy(from.join("device"), to.join("device")).unwrap();
    let mut dirs = if with_database { vec![PathBuf::from("db")] } else { Vec::new() };
    while let Some(dir) = dirs.pop() {
        std::fs::create_dir(to.join(&dir)).unwrap();
        for entry in std::fs::read_dir(from.join(&dir)).unwrap().map(Result::unwrap) {
            let path = dir.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                dirs.push(path);
            } else {
                std::fs::copy(from.join(&path), to.join(&path)).unwrap();
            }
        }
    }
}

/// Opens a record, and returns the lines of every fact that can be asked for.
fn open(dir: &Path) -> Result<Vec<String>, StoreError> {
    let (sender, _written) = tokio::sync::mpsc::unbounded_channel();
    let store = Store::open(dir, "host", sender, |_, _| {})?;
    let all = Query::About(dosed::adapters::store::Range {
        from: Timestamp::MIN,
        until: Timestamp::MAX,
        items: None,
        most: usize::MAX,
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let reader = store.reader();
    let mut lines = runtime.block_on(reader.lines(Query::Plan)).expect("what opens can be asked");
    lines.extend(runtime.block_on(reader.lines(all)).expect("what opens can be asked"));
    store.close();
    Ok(lines.into_iter().map(|line| line.text.to_string()).collect())
}

/// Opens a bent journal. Where it opens, no sound line is missing and nothing is thrown away; where it does
/// not, it is as before. Tells which.
fn check_open(dir: &Path, input: &[u8]) -> bool {
    let opened = open(dir);
    let kept = std::fs::read(journal_of(dir)).unwrap();
    let Ok(mut facts) = opened else {
        assert!(kept == input, "{}, and yet it was changed", opened.unwrap_err());
        return false;
    };
    let torn = std::fs::read(journal_of(dir).with_extension("torn")).unwrap_or_default();
    let torn = torn.strip_suffix(b"\n").unwrap_or_default();
    assert!([&kept, torn].concat() == input, "what was cut off is not kept");
    let mut lines: Vec<String> = kept.split_inclusive(|b| *b == b'\n').map(bare).collect();
    assert!(lines.iter().all(|line| is_sound(line)), "damage is read over");
    let mut lost = torn.split_inclusive(|b| *b == b'\n').filter(|line| line.ends_with(b"\n")).map(bare);
    assert!(!lost.any(|line| is_sound(&line)), "a sound line is cut off");
    facts.sort_unstable();
    lines.sort_unstable();
    assert_eq!(facts, lines);
    true
}

/// Returns a line without its end.
fn bare(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    line.strip_suffix('\n').map_or(&*line, |line| line.strip_suffix('\r').unwrap_or(line)).to_owned()
}

/// Tells whether a line is one that was written. Said here once more, as what is tested is not its own judge.
fn is_sound(line: &str) -> bool {
    checksum(line.as_bytes()).is_some_and(|(_, fits)| fits)
}

/// Returns the length of the part of a line that its checksum is about, and whether it fits.
fn checksum(line: &[u8]) -> Option<(usize, bool)> {
    const MARK: &[u8] = b",\"crc\":\"";
    let at = line.windows(MARK.len()).rposition(|part| part == MARK)?;
    let crc = format!("{:08x}\"}}", crc32fast::hash(&line[..at]));
    Some((at, line[at + MARK.len()..] == *crc.as_bytes()))
}

/// Gives every whole line that has a checksum the one that fits; but zeros are never part of a line.
fn seal(journal: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(journal.len());
    for line in journal.split_inclusive(|b| *b == b'\n') {
        match checksum(line).filter(|_| line.ends_with(b"\n") && !line.contains(&0)) {
            Some((at, _)) => {
                sealed.extend_from_slice(&line[..at]);
                let crc = crc32fast::hash(&line[..at]);
                sealed.extend_from_slice(format!(",\"crc\":\"{crc:08x}\"}}\n").as_bytes());
            }
            None => sealed.extend_from_slice(line),
        }
    }
    sealed
}
