//! Python's `zoneinfo`: when every half hour round every change of every zone's clocks is due.

use super::*;

/// What the rules of the zone test count from: a Tuesday, and a 31st.
const ANCHOR: Date = date(2019, 12, 31);

/// A rule with every half hour of some days, and those days told without the engine.
struct HalfHours {
    item: Item,
    is_on: Box<dyn Fn(Date) -> bool>,
}

impl HalfHours {
    fn new(id: &str, keys: &str, is_on: impl Fn(Date) -> bool + 'static) -> Self {
        let times: Vec<_> = (0..48).map(|i| format!("\"{:02}:{:02}\"", i / 2, i % 2 * 30)).collect();
        let times =
            if keys.contains("cron") { String::new() } else { format!("times = [{}]", times.join(", ")) };
        Self { item: item(id, &format!("{keys}\n{times}")), is_on: Box::new(is_on) }
    }
}

fn days_since(anchor: Date, day: Date) -> i32 {
    anchor.until(day).unwrap().get_days()
}

/// Returns a rule of every kind that plans local times.
fn every_kind() -> Vec<HalfHours> {
    let from = format!("from = {ANCHOR}");
    let on_weekend =
        |day: Date| matches!(day.weekday(), Weekday::Friday | Weekday::Saturday | Weekday::Sunday);
    vec![
        HalfHours::new("daily", "", |_| true),
        HalfHours::new("other-day", &format!("{from}\nevery = \"2 days\""), |day| {
            days_since(ANCHOR, day) % 2 == 0
        }),
        HalfHours::new("weekly", "days = \"Fri..Sun\"", on_weekend),
        HalfHours::new(
            "other-week",
            &format!("{from}\nevery = \"2 weeks\"\ndays = \"Fri..Sun\""),
            move |day| days_since(date(2019, 12, 30), day) / 7 % 2 == 0 && on_weekend(day),
        ),
        HalfHours::new("month-end", &format!("{from}\nevery = \"1 month\""), |day| {
            day == day.last_of_month()
        }),
        HalfHours::new("cron", "cron = \"*/30 * * * *\"", |_| true),
        HalfHours::new("cycle", &format!("{from}\ncycle = {{ on = 3, off = 2 }}"), |day| {
            days_since(ANCHOR, day) % 5 < 3
        }),
    ]
}

/// Returns a monthly rule for each day of the month, so that one falls on the day of any change.
fn every_day_of_the_month() -> Vec<HalfHours> {
    let rule = |day: i8| {
        HalfHours::new(
            &format!("month-{day}"),
            &format!("from = 2019-12-{day:02}\nevery = \"1 month\""),
            move |date| date.day() == day.min(date.days_in_month()),
        )
    };
    (1..=31).map(rule).collect()
}

/// A zone's name, and the same rules under its clock and far from it.
struct Place {
    name: String,
    /// Floating items, where the clock shows this zone.
    here: Plan,
    /// The daily item fixed to this zone, where the clock shows UTC.
    away: Plan,
}

impl Place {
    fn new(name: &str, rules: &[HalfHours], months: &[HalfHours]) -> Self {
        let opened = utc(date(2019, 12, 1).at(0, 0, 0, 0));
        let mut here = Plan::new(ZoneHistory::fixed(zone(name)));
        for rule in rules.iter().chain(months) {
            here.open(rule.item.clone(), opened);
        }
        let mut away = Plan::new(ZoneHistory::fixed(TimeZone::UTC));
        away.open(Item { zone: Some(zone(name)), ..rules[0].item.clone() }, opened);
        Self { name: name.to_owned(), here, away }
    }
}

/// The half hours round a change of a zone's clocks, as Python sees them.
struct Change {
    at: Timestamp,
    grid: Vec<Due>,
}

impl Change {
    fn parse(line: &str) -> Self {
        let mut words = line.split(' ');
        let at = Timestamp::from_second(words.next().unwrap().parse().unwrap()).unwrap();
        let mut next = local(words.next().unwrap());
        let grid = words.map(|minute| {
            let minute: i64 = minute.parse().unwrap();
            let slot = (Timestamp::from_second(minute * 60).unwrap(), next);
            next += 30.minutes();
            slot
        });
        Self { at, grid: grid.collect() }
    }

    /// Returns the window from a day before to a day after.
    fn window(&self) -> Window {
        self.cut(self.at - 24.hours(), self.at + 24.hours())
    }

    /// Returns the same window in three pieces, cut at the change and inside the first half hour after it.
    ///
    /// After a gap, slots of the lost hour and of the next one are due in between each other.
    fn pieces(&self) -> [Window; 3] {
        let Window { from, until, .. } = self.window();
        let inside = self.at + 15.minutes();
        [self.cut(from, self.at), self.cut(self.at, inside), self.cut(inside, until)]
    }

    fn cut(&self, from: Timestamp, until: Timestamp) -> Window {
        let mut slots: Vec<_> =
            self.grid.iter().copied().filter(|(at, _)| from <= *at && *at < until).collect();
        slots.sort_unstable();
        Window { from, until, slots }
    }
}

/// What is asked for, and every half hour that is due in it, in order.
struct Window {
    from: Timestamp,
    until: Timestamp,
    slots: Vec<Due>,
}

/// What the zone test has looked at.
#[derive(Debug, Default)]
struct Checked {
    names: usize,
    changes: usize,
    instants: usize,
    expansions: usize,
    slots: usize,
}

impl Checked {
    fn instants(&mut self, place: &Place, change: &Change) {
        for (at, local) in &change.grid {
            let got = place.here.zones.instant(*local);
            assert_eq!(got, Some(*at), "{local} in {}", place.name);
        }
        self.instants += change.grid.len();
    }

    fn rule(&mut self, name: &str, plan: &Plan, rule: &HalfHours, window: &Window) {
        let Window { from, until, slots } = window;
        let days: BTreeSet<Date> = slots.iter().map(|(_, local)| local.date()).collect();
        let days: Vec<Date> = days.into_iter().filter(|day| (rule.is_on)(*day)).collect();
        let expected: Vec<Due> =
            slots.iter().copied().filter(|(_, local)| days.contains(&local.date())).collect();
        let got = due(plan, &rule.item.id, *from, *until);
        compare(|| format!("{:?} in {name} from {from} until {until}", rule.item.rule), &got, &expected);
        self.expansions += 1;
        self.slots += got.len();
    }

    /// Looks at one place: instants, every rule, and the daily one also in pieces and from elsewhere.
    fn place(&mut self, place: &Place, change: &Change, rules: &[HalfHours], months: &[HalfHours]) {
        self.instants(place, change);
        let window = change.window();
        let day = window.slots[window.slots.len() / 2].1.day();
        for rule in rules.iter().chain([&months[usize::try_from(day - 1).unwrap()]]) {
            self.rule(&place.name, &place.here, rule, &window);
        }
        self.rule(&place.name, &place.away, &rules[0], &window);
        for piece in change.pieces() {
            self.rule(&place.name, &place.here, &rules[0], &piece);
        }
    }
}

/// Every grid point has its instant, and every rule plans each of its slots once, in every zone.
#[test]
#[ignore = "needs python3"]
fn zones_agree_with_python() {
    let (rules, months) = (every_kind(), every_day_of_the_month());
    let mut child =
        script("python3", "zones.py").stdout(Stdio::piped()).spawn().expect("needs python3 3.9 or newer");
    let mut places: Vec<Place> = Vec::new();
    let mut checked = Checked::default();
    let mut end = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap) {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "zones" => {
                places = rest.split(' ').map(|name| Place::new(name, &rules, &months)).collect();
                checked.names += places.len();
            }
            "change" | "still" => {
                let change = Change::parse(rest);
                for place in &places {
                    checked.place(place, &change, &rules, &months);
                }
                checked.changes += if word == "change" { places.len() } else { 0 };
            }
            _ => end = rest.to_owned(),
        }
    }
    assert!(child.wait().unwrap().success(), "zones.py failed");
    assert_eq!(end, format!("{} {}", checked.names, checked.changes), "zones.py ended early");
    assert!(checked.names > 400 && checked.changes > 5000, "too little to be worth anything: {checked:?}");
    println!("zones: {checked:?}, {} kinds of rules", rules.len() + 1);
}
