use super::*;

/// Reads a text and compares what is told about it.
#[track_caller]
fn check(text: &str, expected: &[(usize, usize, &str)]) {
    let problems = parse(text).map(|_| ()).expect_err("the text has errors");
    let got: Vec<_> = problems
        .iter()
        .map(|problem| {
            let (line, column) = problem.place(text);
            let help = problem.help.as_deref().map_or(String::new(), |help| format!(" | {help}"));
            (line, column, format!("{}{help}", problem.message))
        })
        .collect();
    let got: Vec<_> = got.iter().map(|(line, column, message)| (*line, *column, message.as_str())).collect();
    assert_eq!(got, expected);
}

#[test]
fn the_shipped_schedule_is_right() {
    let schedule = parse(DEFAULT_SCHEDULE).unwrap();
    let ids: Vec<_> = schedule.items.iter().map(|(item, _)| item.id.to_string()).collect();
    assert_eq!(ids, ["probiotic", "calcium", "vitamin-d", "weight-bearing", "sun", "quarterly", "dexa"]);
}

#[test]
fn definitions_read_back_as_the_same_item() {
    for (item, definition) in parse(DEFAULT_SCHEDULE).unwrap().items {
        let read = parse_definition(&definition).unwrap();
        assert_eq!(format!("{read:?}"), format!("{item:?}"));
    }
}

#[test]
fn every_error_is_told_at_once() {
    check(
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
        &[
            (
                1,
                8,
                "`Europe/Berlim` is not a time zone | use `local` or an IANA name such as `Europe/Berlin`",
            ),
            (4, 1, "unknown key `tims` | did you mean `times`?"),
            (5, 8, "`500` has no unit | write it as `500 mg`, for example"),
            (6, 10, "`25:00` is not a time of the day | write it as `08:00` or `08:00:30`"),
            (7, 8, "`Fry` is not a weekday | write `Mon`, `Mon..Fri` or `[\"Mon\", \"Thu\"]`"),
            (9, 1, "the key `id` is missing | add `id = \"probiotic\"`, for example"),
            (20, 3, "unknown key `habbit` | did you mean `habit`?"),
        ],
    );
}

#[test]
fn errors_of_sense_are_told_at_once() {
    check(
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
        &[
            (3, 1, "`dose` has no sense for a habit | only a supplement has it"),
            (
                5,
                1,
                "`days` cannot stand beside months or years | leave `days` out: the day of the month follows from `from`",
            ),
            (6, 1, "a time stands in `times` twice | keep one of them"),
            (7, 1, "3 months is no grace | use one minute to 366 days, as in `4h` or `60 days`"),
            (10, 1, "the id `b` is used twice | give each item an id of its own"),
            (
                10,
                1,
                "`b` has no time | add `times = [\"08:00\"]`, a `cron` pattern, `every = \"8 hours\"` or `as-needed = true`",
            ),
            (15, 1, "`times` cannot stand beside `cron` | keep one of the two"),
            (17, 1, "`until` lies before `from`, which is 2026-12-01 | `until` is the last day"),
            (
                18,
                1,
                "this reminder cannot come again like that | use `every` from 1m and `at-most` from 1 to 100, as in `{ every = \"15m\", at-most = 3 }`",
            ),
            (19, 1, "that is not a cycle | use days on and days off, as in `{ on = 21, off = 7 }`"),
            (20, 1, "two steps of `taper` begin on the same day | give each step a day of its own"),
        ],
    );
}

#[test]
fn channels_are_checked() {
    check(
        "[[habit]]\nid = \"a\"\nas-needed = true\n\n[[channel]]\nid = \"desktop\"\nkind = \"ntfy\"\n",
        &[(6, 6, "`desktop` is what the desktop itself is called | use another id")],
    );
    check(
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
        &[
            (5, 1, "there is no channel `phon` | there are: phone, phone, n, w"),
            (
                5,
                1,
                "2h after its time it cannot be answered any more | let each step come before the `grace` is over",
            ),
            (11, 1, "`url` has no sense for this kind of channel | leave it out, or change `kind`"),
            (12, 1, "that is no timeout | use one second to ten minutes, such as `30s`"),
            (15, 1, "the id `phone` is used twice | give each channel an id of its own"),
            (15, 1, "this channel has no address | add `url = \"https://…\"` or `url-from`"),
            (
                21,
                1,
                "there is a password in the address | use `token-from`: secrets come from a file or a credential, never from the schedule",
            ),
            (22, 1, "`topic` cannot stand beside `topic-from` | keep one of the two"),
            (24, 1, "that is no priority | use 1 (quiet) to 5 (as loud as it gets)"),
            (29, 1, "that is no address | write it as `https://example.org/path`"),
            (
                30,
                1,
                "a secret has one place | use `{ file = \"~/.config/dosed/secret\" }` or `{ credential = \"name\" }`",
            ),
        ],
    );
}

#[test]
fn questions_are_checked() {
    check(
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
questions = []
"#,
        &[
            (4, 1, "`short` has no sense for a habit | only a check-in asks questions"),
            (5, 1, "`group` is empty | write something, or leave the key out"),
            (10, 1, "`short` cannot stand beside `questions` | keep one of the two"),
            (11, 1, "the key `rest` is used already | give each question a key of its own"),
            (
                11,
                1,
                "`rest` has an empty or a very long text | write what is asked and what 0 and 10 mean, in 200 bytes each",
            ),
            (16, 1, "`brand` has no sense for a check-in | only a supplement has it"),
            (17, 1, "that is no number of questions | ask 1 to 20"),
        ],
    );
}

#[test]
fn syntax_errors_have_their_place() {
    let text = "[[supplement]]\nid = \nname = \"x\nnote = 3 4\n";
    let places: Vec<_> = parse(text).unwrap_err().iter().map(|problem| problem.place(text).0).collect();
    assert_eq!(places, [2, 3, 4]);
}

#[test]
fn reports_look_like_a_compilers() {
    let text = "[[supplement]]\nid = \"a\"\ntims = [\"08:00\"]\ntimes = [\"08:00\"]\n";
    let problems = parse(text).unwrap_err();
    assert_eq!(
        render("schedule.toml", text, &problems, false),
        "error: unknown key `tims`
 --> schedule.toml:3:1
  |
3 | tims = [\"08:00\"]
  | ^^^^
  |
  = help: did you mean `times`?"
    );
}

#[test]
fn old_schedules_load_for_ever() {
    let schedule = parse(include_str!("../../tests/samples/schedule-v1.toml")).unwrap();
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
        assert_eq!(format!("{:?}", parse_definition(&definition).unwrap()), format!("{item:?}"));
    }
}

#[test]
fn a_cron_pattern_that_never_comes_is_refused() {
    let problems = parse("[[habit]]\nid = \"a\"\ncron = \"0 8 31 2 *\"\n").unwrap_err();
    assert_eq!(problems[0].message, "`0 8 31 2 *` never comes");
}

#[test]
fn what_holds_for_all_items_is_checked() {
    check(
        "quiet = \"22:00\"\nsnooze = \"3 months\"\n[[habit]]\nid = \"a\"\ntimes = [\"08:00\"]\n",
        &[(1, 9, "`22:00` are no quiet hours | write them as `22:00..07:00`")],
    );
    check(
        "snooze = \"3 months\"\n[[habit]]\nid = \"a\"\ntimes = [\"08:00\"]\n",
        &[(1, 10, "a snooze cannot last 3 months | use one minute to one day, such as `15m`")],
    );
}
