//! Schedules are read, or refused with every place.

use super::*;

#[rustfmt::skip]
const SCHEDULE_WORDS: &[&str] = &[
    "[[supplement]]\n", "[[habit]]\n", "[[check-in]]\n", "[[scan]]\n", "id", "name", "note", "dose", "strain", "form", "brand", "batch", "group", "short", "questions",
    "with", "target", "times", "days", "every", "cron", "from", "until", "as-needed", "cycle", "taper",
    "zone", "grace", "again", "late", "lead", "after-last", "private", "apart", "stock", "on", "off", "by",
    "have", "refill-at", "at-most", "true", "false", "local", "Pacific/Apia", "Antarctica/Troll", "8 hours",
    "90m", "1 week", "2 weeks", "1 month", "18 months", "1 year", "98 years", "1h 30m", "Mon..Fri",
    "Sat..Tue", "Sunday", "0 8 * * 1-5", "*/5 8 * * *", "0 0 30 2 *", "0 0 29 2 MON#5", "0 8 LW * *",
    "@yearly", "5e9 CFU", "1.5 tablets", "150 min / week", "miss", "remind", "08:00", "00:00", "23:59:59",
    "[", "]", "{", "}", "[[", "]]", "=", ",", ".", "#", "\"\"\"", "'''", "a.b", "{a=", "0x", "inf",
    "every = \"1 day\"\n", "from = 2026-01-31\n", "until = 2026-06-30\n", "private = true\n",
    "days = [\"Mon\", \"Thu\"]\n", "cycle = { on = 1, off = 1 }\n", "grace = \"1 day\"\n",
];

/// A file with more errors tells only the first.
const MAX_PROBLEMS: usize = 100;

#[test]
fn schedules_are_read_or_refused_with_every_place() {
    let mutator = Mutator::new("schedules", SCHEDULE_WORDS);
    let rounds = Rounds::new(30_000);
    let is_right = |file: &Vec<u8>| config::parse(str::from_utf8(file).unwrap()).is_ok();
    assert!(mutator.good.iter().all(is_right), "what is bent has to be right first");
    let mut accepted = 0;
    for (round, mut rng) in rounds.each() {
        let input = mutator.input(&mut rng);
        let _case = Case { round, input: &input };
        let text = String::from_utf8_lossy(&input);
        let began = Instant::now();
        match config::parse(&text) {
            Err(problems) => check_problems(&text, &problems),
            Ok(schedule) => {
                accepted += 1;
                for (item, definition) in schedule.items {
                    let read = config::read_definition(&item.id, &definition.text);
                    assert_eq!(read.unread, [""; 0], "{}", definition.text);
                    assert_eq!(format!("{:?}", read.item), format!("{item:?}"), "{}", definition.text);
                    check_a_year(item);
                }
            }
        }
        assert!(began.elapsed() < PATIENCE, "that took {:?}", began.elapsed());
    }
    println!("{accepted} accepted");
    assert!(
        accepted > rounds.count / 20 || !rounds.are_many(),
        "{accepted} accepted: the rounds are too wild"
    );
}

/// Every problem has its place in the text, and can be shown.
fn check_problems(text: &str, problems: &[config::Problem]) {
    assert!((1..=MAX_PROBLEMS).contains(&problems.len()), "{} problems", problems.len());
    assert!(problems.is_sorted_by_key(|problem| problem.span.start));
    let lines = text.matches('\n').count() + 1;
    for problem in problems {
        assert!(text.get(problem.span.clone()).is_some(), "{problem:?} lies beside the text");
        assert!((1..=lines).contains(&problem.position(text).0), "{problem:?}");
    }
    // Each is shown by itself, and a long line takes its time.
    let few = &problems[..problems.len().min(8)];
    let shown = config::render("schedule.toml", text, few, text.len().is_multiple_of(2));
    assert!(shown.matches("error").count() >= few.len(), "{shown}");
}

/// A year of an item has no end of slots, shows the same through every window, and no slot is unheard of.
fn check_a_year(item: Item) {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let mut plan = Plan::new(ZoneHistory::fixed(zone));
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let day = |n: i64| from + SignedDuration::from_hours(24 * n);
    let (id, rule) = (item.id.clone(), item.rule.clone());
    plan.open(item, from);
    let slots = |from, until| -> Vec<_> {
        plan.occurrences(&id, &NoHistory, from, until).into_iter().map(|planned| planned.occurrence).collect()
    };
    // A rule for every minute has half a million slots a year, which is its right and takes its time.
    let days = if slots(day(0), day(1)).len() > 24 { 10 } else { 366 };
    let all = slots(day(0), day(days));
    assert!(all.len() as i64 <= days * 24 * 60, "{} slots in {days} days", all.len());
    assert!(all.is_sorted_by(|a, b| a.at <= b.at));
    assert!(all.iter().all(|slot| day(0) <= slot.at && slot.at < day(days)));
    let names: BTreeSet<_> = all.iter().map(|slot| &slot.id).collect();
    assert_eq!(names.len(), all.len(), "two slots have one name");
    let within: Vec<_> = all.iter().filter(|slot| day(3) <= slot.at && slot.at < day(9)).cloned().collect();
    assert_eq!(slots(day(3), day(9)), within);
    for slot in all.first().into_iter().chain(all.last()) {
        assert_eq!(plan.find(&slot.id, &NoHistory).expect("a slot is found by its name").occurrence, *slot);
    }
    let later = all.iter().find(|slot| slot.at > from);
    let next = plan.next_after(&id, &NoHistory, from).map(|planned| planned.occurrence);
    assert!(later.is_none() || next.as_ref() == later, "{next:?} comes next, not {later:?}");
    if let (Recurrence::Elapsed { every, .. }, None, None) = (rule.recurrence, rule.until, rule.cycle) {
        let began = rule.from.is_none_or(|first| first.year() < 2026);
        assert!(
            !began || every > SignedDuration::from_hours(24 * days - 24) || !all.is_empty(),
            "it is silent"
        );
    }
}
