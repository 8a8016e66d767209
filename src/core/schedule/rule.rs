//! Recurrence rules: which local times an item is planned at.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Span, ToSpan};

use super::{Amount, ParseError, Weekdays};

/// When an item is planned.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// How it repeats.
    pub recurrence: Recurrence,
    /// The first day, and the anchor of intervals and cycles.
    pub from: Option<Date>,
    /// The last day, itself included.
    pub until: Option<Date>,
    /// Days on and days off, counted from the anchor.
    pub cycle: Option<Cycle>,
}

/// How an item repeats.
#[derive(Clone, Debug, PartialEq)]
pub enum Recurrence {
    /// It has no slots.
    AsNeeded,
    /// Local times on days of the calendar.
    Calendar {
        /// From one day to the next.
        interval: Interval,
        /// The weekdays that count.
        days: Weekdays,
        /// The times of the day, in order, never empty.
        times: Vec<Time>,
        /// Whether the next one counts from the last that was recorded.
        after_last: bool,
    },
    /// Elapsed time since the last intake, or since the last slot where there was none.
    Elapsed {
        /// From one to the next.
        every: SignedDuration,
        /// The local time of the first slot, on the first day.
        first: Option<Time>,
    },
    /// Local times by a five-field cron pattern.
    Cron(CronRule),
    /// Several calendar and cron rules, none of which counts from an intake or needs an anchor.
    Steps(Vec<Step>),
}

/// One step of a plan, with a dose of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When it is planned: a rule by the calendar that says what it counts from.
    pub rule: Rule,
    /// How much at a time, where that is not the item's.
    pub dose: Option<Amount>,
}

impl Step {
    /// Returns its local times on the days `[start, end]`, in order.
    #[must_use]
    pub fn slots(&self, start: Date, end: Date) -> Box<dyn Iterator<Item = DateTime> + '_> {
        self.rule.slots(self.rule.from.unwrap_or(Date::MIN), start, end)
    }
}

/// The step from one day of a calendar rule to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// Every so many days, counted from the anchor.
    Days(u32),
    /// Every so many weeks, Monday to Sunday, counted from the anchor's week.
    Weeks(u32),
    /// Every so many months, on the anchor's day of the month or the month's last.
    Months(u32),
}

/// Days on, then days off, over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The days on, at least one.
    pub on: u32,
    /// The days off.
    pub off: u32,
}

/// A five-field cron pattern.
#[derive(Clone)]
pub struct CronRule {
    text: String,
    pattern: Box<croner::Cron>,
}

impl fmt::Debug for CronRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CronRule").field(&self.text).finish()
    }
}

impl PartialEq for CronRule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for CronRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for CronRule {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why: &dyn fmt::Display| {
            let message = format!("`{text}` is not a five-field cron pattern ({why})");
            ParseError::new(message, "write it as `30 8 * * 1-5`")
        };
        // croner reads more than it says: names for whole patterns, and lists with holes.
        let fields = text.split_whitespace().count();
        if fields != 5 {
            return Err(wrong(&format_args!(
                "it has {fields} {}",
                if fields == 1 { "field" } else { "fields" }
            )));
        }
        if text.split_whitespace().any(|field| field.split(',').any(str::is_empty)) {
            return Err(wrong(&"a list has an empty entry"));
        }
        let pattern = croner::parser::CronParser::builder()
            .seconds(croner::parser::Seconds::Disallowed)
            .year(croner::parser::Year::Disallowed)
            .build()
            .parse(text)
            .map_err(|error| wrong(&error))?;
        Ok(Self { text: text.to_owned(), pattern: Box::new(pattern) })
    }
}

impl CronRule {
    /// Tells whether the pattern ever matches (`0 8 31 2 *` does not).
    #[must_use]
    pub fn ever_matches(&self) -> bool {
        self.times(Date::constant(2000, 1, 1)).next().is_some()
    }

    /// Returns how often the pattern matches on the days `[start, end]`: every day that it matches has the same times.
    fn count(&self, start: Date, end: Date) -> u64 {
        let on_or_after = |day: Date| self.times(day).next().map(DateTime::date);
        let next = |day: &Date| on_or_after(day.tomorrow().ok()?);
        let days = std::iter::successors(on_or_after(start), next).take_while(|day| *day <= end);
        let mut days = days.peekable();
        let of_one_day =
            days.peek().map_or(0, |day| self.times(*day).take_while(|at| at.date() == *day).count());
        days.count() as u64 * of_one_day as u64
    }

    /// Returns the local times from the start of a day on, in order.
    fn times(&self, start: Date) -> impl Iterator<Item = DateTime> + '_ {
        self.pattern.iter_from(start.to_datetime(Time::midnight()), croner::Direction::Forward)
    }
}

impl Rule {
    /// Returns a rule for these times every day.
    #[must_use]
    pub fn daily(times: Vec<Time>) -> Self {
        Self {
            recurrence: Recurrence::Calendar {
                interval: Interval::Days(1),
                days: Weekdays::ALL,
                times,
                after_last: false,
            },
            from: None,
            until: None,
            cycle: None,
        }
    }

    /// Tells whether the next slot depends on when the last was taken.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        matches!(self.recurrence, Recurrence::Elapsed { .. } | Recurrence::Calendar { after_last: true, .. })
    }

    /// Tells whether the rule repeats as another one does: whatever its times and days, what it counts from stays.
    #[must_use]
    pub fn has_period_of(&self, other: &Self) -> bool {
        self.cycle == other.cycle
            && match (&self.recurrence, &other.recurrence) {
                (Recurrence::Calendar { interval: a, .. }, Recurrence::Calendar { interval: b, .. }) => {
                    a == b
                }
                (Recurrence::Elapsed { every: a, .. }, Recurrence::Elapsed { every: b, .. }) => a == b,
                (Recurrence::Cron(_), Recurrence::Cron(_)) | (Recurrence::Steps(_), Recurrence::Steps(_)) => {
                    true
                }
                _ => false,
            }
    }

    /// Tells whether the days of the rule depend on the day that it counts from, and the rule does not say which that is.
    #[must_use]
    pub fn needs_anchor(&self) -> bool {
        let is_daily = match self.recurrence {
            Recurrence::Calendar { interval, .. } => interval == Interval::Days(1),
            Recurrence::Cron(_)
            | Recurrence::AsNeeded
            | Recurrence::Elapsed { .. }
            | Recurrence::Steps(_) => true,
        };
        self.from.is_none() && (self.cycle.is_some() || !is_daily)
    }

    /// Tells whether the rule plans slots at all.
    #[must_use]
    pub fn has_slots(&self) -> bool {
        self.recurrence != Recurrence::AsNeeded
    }

    /// Returns the local times of a calendar or cron rule on the days `[start, end]`, in order.
    ///
    /// `anchor` is the day that intervals and cycles count from. Other rules give none.
    pub(crate) fn slots(
        &self,
        anchor: Date,
        start: Date,
        end: Date,
    ) -> Box<dyn Iterator<Item = DateTime> + '_> {
        let start = self.from.map_or(start, |from| from.max(start));
        let end = self.until.map_or(end, |until| until.min(end));
        let slots: Box<dyn Iterator<Item = DateTime> + '_> = match &self.recurrence {
            Recurrence::Calendar { interval, days, times, .. } => Box::new(
                dates(*interval, anchor, start)
                    // Before the weekdays narrow it: a rule that matches nothing ends too.
                    .take_while(move |date| *date <= end)
                    .filter(move |date| days.contains(date.weekday()))
                    .flat_map(move |date| times.iter().map(move |time| date.to_datetime(*time))),
            ),
            Recurrence::Cron(cron) => Box::new(cron.times(start).take_while(move |at| at.date() <= end)),
            Recurrence::Steps(steps) => merged(steps.iter().map(|step| step.slots(start, end)).collect()),
            Recurrence::AsNeeded | Recurrence::Elapsed { .. } => Box::new(std::iter::empty()),
        };
        match self.cycle {
            Some(_) => Box::new(slots.filter(move |at| self.is_on(anchor, at.date()))),
            None => slots,
        }
    }

    /// Returns a number of slots that the days `[start, end]` cannot exceed, without making them.
    ///
    /// It is exact for cron, up to the first and last day and a cycle, and for elapsed rules without intakes.
    #[must_use]
    pub fn most_slots(&self, start: Date, end: Date) -> u64 {
        let start = self.from.map_or(start, |from| from.max(start));
        let end = self.until.map_or(end, |until| until.min(end));
        let Ok(days @ 1..) = u64::try_from(days_between(start, end) + 1) else { return 0 };
        match &self.recurrence {
            Recurrence::AsNeeded => 0,
            Recurrence::Calendar { interval, times, .. } => {
                let days = match *interval {
                    Interval::Days(n) => days / u64::from(n.max(1)) + 1,
                    Interval::Weeks(n) => (days / (7 * u64::from(n.max(1))) + 2) * 7,
                    Interval::Months(n) => days / (28 * u64::from(n.max(1))) + 2,
                };
                days * times.len() as u64
            }
            Recurrence::Elapsed { every, .. } => days * 86_400 / every.as_secs().max(1).unsigned_abs() + 1,
            Recurrence::Cron(cron) => cron.count(start, end),
            Recurrence::Steps(steps) => steps.iter().map(|step| step.rule.most_slots(start, end)).sum(),
        }
    }

    /// Tells whether a date bound or the cycle leaves this day in.
    pub(super) fn is_on(&self, anchor: Date, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date)
            && self.until.is_none_or(|until| date <= until)
            && self.cycle.is_none_or(|cycle| {
                let period = i64::from(cycle.on) + i64::from(cycle.off);
                days_between(anchor, date).rem_euclid(period) < i64::from(cycle.on)
            })
    }
}

/// Merges times that are in order each, one that several have once.
fn merged<'a>(
    slots: Vec<Box<dyn Iterator<Item = DateTime> + 'a>>,
) -> Box<dyn Iterator<Item = DateTime> + 'a> {
    let mut slots: Vec<_> = slots.into_iter().map(Iterator::peekable).collect();
    Box::new(std::iter::from_fn(move || {
        let next = slots.iter_mut().filter_map(|slots| slots.peek().copied()).min()?;
        for slots in &mut slots {
            slots.next_if_eq(&next);
        }
        Some(next)
    }))
}

/// Returns the number of days from one date to another.
pub(super) fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

/// Returns the days of an interval from a day on, whatever their weekday.
fn dates(interval: Interval, anchor: Date, start: Date) -> Box<dyn Iterator<Item = Date>> {
    let start = start.max(anchor);
    match interval {
        Interval::Days(n) => {
            let n = i64::from(n.max(1));
            let over = days_between(anchor, start).rem_euclid(n);
            let first = if over == 0 { Some(start) } else { start.checked_add((n - over).days()).ok() };
            // Days can be chained: no step of theirs is ever clamped.
            let next = move |date: &Date| {
                if n == 1 { date.tomorrow().ok() } else { date.checked_add(n.days()).ok() }
            };
            Box::new(std::iter::successors(first, next))
        }
        Interval::Weeks(n) => {
            let monday = |date: Date| {
                date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days())
                    .unwrap_or(Date::MIN)
            };
            let first_week = monday(anchor);
            Box::new(
                start.series(1.day()).filter(move |date| {
                    days_between(first_week, *date).div_euclid(7) % i64::from(n.max(1)) == 0
                }),
            )
        }
        Interval::Months(n) => {
            let n = i64::from(n.max(1));
            let months = (i64::from(start.year()) - i64::from(anchor.year())) * 12 + i64::from(start.month())
                - i64::from(anchor.month());
            // One step back, as the anchor's day may lie after the start's.
            let first = (months / n - 1).max(0);
            // Always from the anchor: chained steps would slide off the end of the month for good.
            Box::new(
                (first..)
                    .map_while(move |k| {
                        anchor.checked_add(Span::new().try_months(k.checked_mul(n)?).ok()?).ok()
                    })
                    .skip_while(move |date| *date < start),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn calendar(interval: Interval, days: &str) -> Rule {
        let mut rule = Rule::daily(vec![Time::midnight()]);
        rule.recurrence = Recurrence::Calendar {
            interval,
            days: days.parse().unwrap(),
            times: vec![Time::midnight()],
            after_last: false,
        };
        rule
    }

    #[track_caller]
    fn check(rule: &Rule, anchor: Date, start: Date, expected: &[&str]) {
        let got: Vec<_> = rule
            .slots(anchor, start, Date::MAX)
            .take(expected.len())
            .map(|at| at.date().to_string())
            .collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn months_clamp_from_the_anchor() {
        let rule = calendar(Interval::Months(3), "Mon..Sun");
        check(
            &rule,
            date(2026, 1, 31),
            date(2026, 1, 1),
            &["2026-01-31", "2026-04-30", "2026-07-31", "2026-10-31", "2027-01-31"],
        );
        check(&rule, date(2026, 1, 31), date(2026, 4, 30), &["2026-04-30", "2026-07-31"]);
        check(&rule, date(2026, 1, 31), date(2026, 5, 1), &["2026-07-31"]);
        let rule = calendar(Interval::Months(12), "Mon..Sun");
        check(
            &rule,
            date(2024, 2, 29),
            date(2024, 1, 1),
            &["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
        );
    }

    #[test]
    fn days_weeks_and_cycles_count_from_the_anchor() {
        let anchor = date(2026, 11, 25);
        check(
            &calendar(Interval::Days(2), "Mon..Sun"),
            anchor,
            date(2026, 11, 28),
            &["2026-11-29", "2026-12-01"],
        );
        check(
            &calendar(Interval::Weeks(2), "Mon,Thu"),
            anchor,
            date(2026, 11, 1),
            &["2026-11-26", "2026-12-07", "2026-12-10", "2026-12-21"],
        );
        let mut rule = calendar(Interval::Days(1), "Mon..Sun");
        rule.cycle = Some(Cycle { on: 2, off: 3 });
        check(&rule, anchor, anchor, &["2026-11-25", "2026-11-26", "2026-11-30", "2026-12-01"]);
    }

    #[test]
    fn bounds_hold_for_every_rule() {
        let mut rule = calendar(Interval::Days(1), "Mon..Sun");
        rule.from = Some(date(2026, 11, 30));
        rule.until = Some(date(2026, 12, 1));
        let got: Vec<_> = rule.slots(date(2026, 11, 30), date(2026, 11, 1), Date::MAX).collect();
        assert_eq!(got.len(), 2);
    }

    #[test]
    fn cron_is_read_in_local_time() {
        let mut rule = Rule::daily(vec![]);
        rule.recurrence = Recurrence::Cron("30 8 * * 1-5".parse().unwrap());
        let got: Vec<_> = rule
            .slots(date(2026, 11, 1), date(2026, 11, 27), Date::MAX)
            .take(2)
            .map(|at| at.to_string())
            .collect();
        assert_eq!(got, ["2026-11-27T08:30:00", "2026-11-30T08:30:00"]);
        for bad in ["", "* * * *", "* * * * * *", "61 * * * *", "@daily", "0 1,,2 * * *", "0 1, * * *"] {
            assert!(bad.parse::<CronRule>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rule_that_never_matches_ends() {
        let rule = calendar(Interval::Days(7), "Tue");
        assert_eq!(rule.slots(date(2026, 11, 23), date(2026, 11, 23), date(2126, 11, 23)).next(), None);
    }

    /// Never fewer than there are, and not many more.
    #[test]
    fn slots_are_counted_without_making_them() {
        for (keys, days, at_most) in [
            ("times = [\"08:00\", \"20:00\"]", 365, 740),
            ("times = [\"08:00\"]\nevery = \"3 days\"", 365, 124),
            ("times = [\"08:00\"]\nevery = \"2 weeks\"\ndays = \"Mon,Thu\"", 365, 210),
            ("times = [\"08:00\"]\nevery = \"3 months\"", 3650, 50),
            ("times = [\"08:00\"]\nuntil = 2026-01-31", 365, 33),
            ("times = [\"08:00\"]\nfrom = 2026-12-01", 365, 33),
            ("times = [\"08:00\"]\nuntil = 2025-12-31", 365, 0),
            ("cron = \"* * * * *\"", 365, 365 * 1440),
            ("cron = \"*/15 8-17 * * 1-5\"", 365, 261 * 40),
            ("cron = \"0 0 29 2 *\"", 3650, 2),
            ("cron = \"30 23 L * *\"", 365, 12),
            ("as-needed = true", 365, 0),
        ] {
            let text = format!("[[habit]]\nid = \"a\"\n{keys}\n");
            let item = crate::adapters::config::parse(&text).unwrap().items.remove(0).0;
            let start = date(2026, 1, 1);
            let end = start + (days - 1).days();
            let most = item.rule.most_slots(start, end);
            let made = item.rule.slots(item.rule.from.unwrap_or(start), start, end).count() as u64;
            assert!(made <= most && most <= at_most, "{keys}: {made} {most}");
        }
        let mut every = Rule::daily(vec![]);
        every.recurrence = Recurrence::Elapsed { every: SignedDuration::from_mins(1), first: None };
        assert_eq!(every.most_slots(date(2026, 1, 1), date(2026, 1, 1)), 1441);
    }
}
