use super::*;

#[test]
fn the_shipped_schedule_is_valid() {
    let schedule = parse(DEFAULT_SCHEDULE).unwrap();
    let ids: Vec<_> = schedule.items.iter().map(|(item, _)| item.id.to_string()).collect();
    assert_eq!(ids, ["probiotic", "calcium", "vitamin-d", "weight-bearing", "sun", "quarterly", "dexa"]);
}

#[track_caller]
fn check_read_back(item: &crate::core::schedule::Item, definition: &str) {
    let read = read_definition(&item.id, definition);
    assert_eq!(read.unread, [""; 0], "{definition}");
    assert_eq!(format!("{:?}", read.item), format!("{item:?}"));
}

#[test]
fn definitions_read_back_as_the_same_item() {
    for (item, definition) in parse(DEFAULT_SCHEDULE).unwrap().items {
        check_read_back(&item, &definition.text);
    }
}

/// Schedules with errors, each with the name of the snapshot that holds their text.
const BAD_SCHEDULES: &[(&str, &str)] = &[
    (
        "form",
        r#"zone = "Europe/Berlim"
[[supplement]]
id = "a"
tims = ["08:00"]
dose = "500"
times = ["25:00"]
days = "Mon..Fry"

[[supplement]]
name = "No id"
times = ["08:00"]

[[habit]]
id = "b"
dose = "5 mg"
every = "3 months"
days = "Mon"
times = ["08:00"]

[[habbit]]
id = "c"
"#,
    ),
    (
        "values",
        r#"[[habit]]
id = "b"
dose = "5 mg"
every = "3 months"
days = "Mon"
times = ["08:00", "08:00"]
grace = "3 months"

[[habit]]
id = "b"

[[supplement]]
id = "c"
cron = "0 8 * * *"
times = ["08:00"]
from = 2026-12-01
until = 2026-11-30
again = { every = "10s", at-most = 3 }
cycle = { on = 0, off = 3 }
taper = [{ from = 2026-12-01, dose = "1 mg" }, { from = 2026-12-01, dose = "2 mg" }]
"#,
    ),
    (
        "reserved_channel",
        r#"[[habit]]
id = "a"
as-needed = true

[[channel]]
id = "desktop"
kind = "ntfy"
"#,
    ),
    (
        "channels",
        r#"[[supplement]]
id = "a"
times = ["08:00"]
grace = "1h"
then = [{ after = "2h", channel = "phone" }, { after = "10m", channel = "phon" }]

[[channel]]
id = "phone"
kind = "command"
command = ["call"]
url = "https://example.org"
timeout = "3 months"

[[channel]]
id = "phone"
kind = "webhook"

[[channel]]
id = "n"
kind = "ntfy"
server = "https://me:secret@ntfy.sh"
topic = "x"
topic-from = { file = "topic" }
priority = 9

[[channel]]
id = "w"
kind = "webhook"
url = "ftp://example.org"
token-from = { file = "/a", credential = "b" }
"#,
    ),
    (
        "questions",
        r#"[[habit]]
id = "a"
as-needed = true
short = true
group = " "

[[check-in]]
id = "b"
as-needed = true
short = true
questions = [{ key = "rest", text = "Rested?", low = "no", high = "yes" }, { key = "rest", text = "", low = "no", high = "yes" }]

[[check-in]]
id = "c"
as-needed = true
brand = "Anise"
dose = "5 mg"
questions = []

[[check-in]]
id = "d"
as-needed = true
questions = [
  { key = "sys", text = "Upper?", unit = "mmHg", min = 260, max = 60 },
  { key = "dia", text = "Lower?", unit = "mmHg", low = "no" },
  { key = "pulse", text = "Pulse?", low = "a", high = "b", min = 30 },
  { key = "weight", text = "Weight?", unit = "" },
]
"#,
    ),
    (
        "amounts",
        r#"[[supplement]]
id = "a"
as-needed = true
dose = "20.000 IU"

[[supplement]]
id = "b"
as-needed = true
dose = ["600 mg", "1,5 g"]

[[supplement]]
id = "c"
as-needed = true
dose = "600 mg / 400 IU"

[[supplement]]
id = "d"
as-needed = true
dose = []

[[supplement]]
id = "e"
as-needed = true
dose = 500

[[habit]]
id = "f"
target = "1-2 glasses / day"
as-needed = true
"#,
    ),
    (
        "channel-keys",
        r#"[[habit]]
id = "a"
as-needed = true

[[channel]]
id = "b"
kind = "webhook"
url = "https://example.org"
method = "GET"
headers = { Host = "x", "bad name" = "y", Title = "gr\u00fcn" }
body = { text = "{titel}" }

[[channel]]
id = "c"
kind = "webhook"
url = "https://example.org"
body = 5
user-from = { file = "/u" }

[[channel]]
id = "d"
kind = "ntfy"
server = "https://ntfy.sh"
topic = "x"
body = "{title}"
token-from = { file = "/t" }
user-from = { file = "/u" }
password-from = { file = "/p" }

[[channel]]
id = "e"
kind = "webhook"
url = "https://example.org"
body = "{title"
"#,
    ),
    (
        "steps",
        r#"[[supplement]]
id = "a"
plan = [
  { times = ["08:00"], dose = "5 mg" },
  { times = ["08:00", "20:00"], days = "Mon", dose = "10 mg" },
]

[[supplement]]
id = "b"
times = ["08:00"]
plan = [{ times = ["08:00"] }]

[[supplement]]
id = "c"
plan = [{ every = "8 hours", from = 2026-12-01 }, { times = ["08:00"], every = "2 days" }]

[[supplement]]
id = "d"
plan = []

[[supplement]]
id = "e"
times = ["08:00"]
turns = ["5 mg", "2.5 mg"]

[[supplement]]
id = "f"
times = ["08:00"]
days = "Mon"
from = 2026-12-01
turns = ["5 mg"]
dose = "5 mg"

[[supplement]]
id = "g"
times = ["08:00"]
dose = "500 mg"
limit = "8 tablets / day"
after-last = true
"#,
    ),
    (
        "quiet",
        r#"quiet = "22:00"
snooze = "3 months"
[[habit]]
id = "a"
times = ["08:00"]
"#,
    ),
    (
        "snooze",
        r#"snooze = "3 months"
[[habit]]
id = "a"
times = ["08:00"]
"#,
    ),
    (
        "recurrence",
        r#"[[supplement]]
id = "a"
every = "30s"
times = ["08:00", "20:00"]
days = "Mon"
after-last = true
lead = ["1 day"]

[[supplement]]
id = "b"
times = ["08:00"]
every = "0 days"

[[supplement]]
id = "c"
times = ["08:00"]
after-last = true
lead = ["0s"]
gap = "8 days"
apart = [{ from = "a", by = "1 month" }]
taper = [{ from = 2026-12-01, dose = "1 mg" }]
dose = "1 tablet"

[[supplement]]
id = "d"
as-needed = true
times = ["08:00"]
cron = "0 8 * * *"
again = { every = "15m", at-most = 0 }

[[supplement]]
id = "e"
cron = "0 8 31 2 *"
every = "1 day"
"#,
    ),
    (
        "words",
        r#"[[supplement]]
id = "a: b"
dose = "5 mg: in the morning"
times = ["08:00: or so"]
days = ["Mon", "Tue: sometimes"]
every = "2 days: or 3"
from = "tomorrow: early"

[[habit]]
id = "b"
target = "much"
cron = "0 8 * *"
zone = "Europe: Berlin"
late = "remnd"
again = true

[[channel]]
id = "phone"
kind = "gotify"

[[channel]]
id = "other"
kind = "a`, expected b: c"

[[channel]]
id = "third"
"ur`l: x" = 1
"#,
    ),
    ("nothing", ""),
    (
        "missing",
        r#"[[check-in]]
id = "a"
again = { every = "15m" }
then = [{ after = "10m" }]
questions = [{ key = "rest", low = "no", high = "yes" }]
stock = { have = 3 }

[[channel]]
id = "phone"
"#,
    ),
];

#[test]
fn errors_are_explained() {
    insta::with_settings!({ snapshot_path => "../../../tests/snapshots", prepend_module_to_snapshot => false }, {
        for (name, text) in BAD_SCHEDULES {
            let problems = parse(text).map(|_| ()).expect_err("the text has errors");
            let rendered = render("schedule.toml", text, &problems, false);
            insta::assert_snapshot!(format!("schedule_{name}"), rendered);
        }
    });
}

/// What a person wrote may hold any separator.
#[test]
fn message_and_help_are_carried_apart() {
    let problems = parse("[[supplement]]\nid = \"a\"\nas-needed = true\ndose = \"5 mg: in the morning\"\n");
    let problem = &problems.map(|_| ()).unwrap_err()[0];
    assert_eq!(
        problem.message,
        "`5 mg: in the morning` is not an amount: `mg: in the morning` is not a unit"
    );
    assert!(problem.help.as_ref().unwrap().starts_with("write a number and one word"));
}

#[test]
fn syntax_errors_have_their_position() {
    let text = "[[supplement]]\nid = \nname = \"x\nnote = 3 4\n";
    let spans: Vec<_> = parse(text).unwrap_err().iter().map(|problem| problem.position(text).0).collect();
    assert_eq!(spans, [2, 3, 4]);
}

#[test]
fn old_schedules_load_for_ever() {
    let schedule = parse(include_str!("../../../tests/samples/schedule-v1.toml")).unwrap();
    let ids: Vec<_> = schedule.items.iter().map(|(item, _)| item.id.to_string()).collect();
    let all = [
        "probiotic",
        "calcium",
        "painkiller",
        "drops",
        "rescue",
        "weight-bearing",
        "swim",
        "quarterly",
        "dexa",
        "monthly",
        "sleep",
    ];
    assert_eq!(ids, all);
    for (item, definition) in schedule.items {
        check_read_back(&item, &definition.text);
    }
}

/// However an item comes to be too long, the key that makes it so is named.
#[test]
fn an_item_that_is_too_long_to_be_recorded_is_refused() {
    let day = |n: usize| jiff::civil::date(2026, 1, 1) + jiff::ToSpan::days(i64::try_from(n).unwrap());
    let list =
        |count: usize, entry: &dyn Fn(usize) -> String| (0..count).map(entry).collect::<Vec<_>>().join(", ");
    let taper = |n: usize| format!("{{ from = {}, dose = \"1 mg\" }}", day(n));
    let apart = |n: usize| format!("{{ from = \"{n:064}\", by = \"1h\" }}");
    let step = |_: usize| "{ after = \"1m\", channel = \"phone\" }".to_owned();
    let lead = |n: usize| format!("\"{} days\"", n % 900 + 100);
    type Entry<'a> = &'a dyn Fn(usize) -> String;
    let cases: [(&str, Entry<'_>, usize, usize); 4] = [
        ("taper", &taper, 100, 10_000),
        ("apart", &apart, 100, 4_000),
        ("then", &step, 100, 10_000),
        ("lead", &lead, 100, 30_000),
    ];
    for (key, entry, few, many) in cases {
        let text = |count: usize| {
            format!(
                "[[supplement]]\nid = \"a\"\ndose = \"1 mg\"\ntimes = [\"08:00\"]\n{key} = [{}]\n\n[[channel]]\nid = \"phone\"\nkind = \"command\"\ncommand = [\"call\"]\n",
                list(count, entry)
            )
        };
        parse(&text(few)).unwrap();
        let text = text(many);
        let problems = parse(&text).map(|_| ()).unwrap_err();
        let [problem] = problems.as_slice() else { panic!("{key}: {} problems", problems.len()) };
        let begins = "the item is too long to be recorded: ";
        assert!(problem.message.starts_with(begins), "{}", problem.message);
        assert!(problem.message.ends_with("; the limit is 261120"), "{}", problem.message);
        assert!(problem.help.as_ref().unwrap().starts_with(&format!("shorten `{key}`, ")));
        assert_eq!(problem.position(&text), (5, 1), "{key}");
    }
    // Line breaks take two bytes in the journal, and control characters six.
    let note = |text: &str| format!("[[habit]]\nid = \"a\"\nas-needed = true\nnote = \"\"\"{text}\"\"\"\n");
    parse(&note(&"\n".repeat(4096))).unwrap();
    assert_eq!(parse(&note(&"x".repeat(4097))).map(|_| ()).unwrap_err()[0].message, "`note` is too long");
}

#[test]
fn only_a_regular_file_is_read_as_a_schedule() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    crate::process::files::make_fifo(&fifo);
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let dangling = dir.path().join("dangling");
    std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
    let large = file("large", &vec![b'#'; usize::try_from(MAX_FILE_BYTES).unwrap() + 1]);
    for (path, why) in [
        (fifo, "it is a FIFO, not a regular file; give the path of a TOML file"),
        (dir.path().to_owned(), "it is a directory, not a regular file; give the path of a TOML file"),
        ("/dev/zero".into(), "it is a device, not a regular file; give the path of a TOML file"),
        (dangling, "No such file or directory (os error 2)"),
        (file("bytes", &[0xff]), "it is not text in UTF-8"),
    ] {
        let error = load(&path).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error, format!("cannot read the schedule {}: {why}", path.display()));
    }
    let error = load(&large).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("has more than 4194304 bytes, the limit of a schedule"), "{error}");
}

/// A list of errors that ends before its time says so.
#[test]
fn many_errors_are_said_to_be_more() {
    let items = |count: usize| {
        let item = |n: usize| format!("[[habit]]\nid = \"i{n}\"\ntimes = [\"25:00\"]\n");
        let text: String = (0..count).map(item).collect();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("schedule.toml");
        std::fs::write(&path, text).unwrap();
        load(&path).map(|_| ()).unwrap_err().to_string()
    };
    assert!(items(99).ends_with("schedule.toml has 99 errors"), "{}", items(99));
    assert!(items(150).ends_with("schedule.toml has 100 errors and perhaps more"), "{}", items(150));
}
