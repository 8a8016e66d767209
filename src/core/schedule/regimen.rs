//! One version of an item's schedule and dose, and the occurrences that it makes.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span, Timestamp, ToSpan};

use super::chain::{Chain, just_after};
use super::rule::{Interval, days_between};
use super::{Item, OccurrenceId, Recurrence, Slot, ZoneHistory};

/// How far an instant's local date can lie from the date of the slot that is due then, in days: a gap
/// of a whole day has been, and a traveller's slot can wait for the landing, up to 26 hours.
const SLACK_DAYS: i64 = 1;
const SLACK_DAYS_OF_TRAVEL: i64 = 2;

/// The fewest days of a month.
const DAYS_OF_A_MONTH: i64 = 28;

/// How many slots one question can expand, so that no schedule can ask for memory without end.
const MAX_SLOTS: usize = 2_000_000;

/// One version of an item: what was planned from when to when.
#[derive(Clone, Debug)]
pub struct Regimen {
    /// The item as it was.
    pub item: Item,
    /// When it was read.
    pub opened: Timestamp,
    /// From when on it plans slots: since it was read, but for an item that is new and began earlier.
    pub plans_from: Timestamp,
    /// When it ended; slots after that are none of its.
    pub closed: Option<Timestamp>,
    /// What its intervals and cycles count from, where the rule has no first day.
    pub anchor: Anchor,
}

/// When a rule was planned first, which an edit of anything but its period does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The instant.
    pub at: Timestamp,
    /// The local day.
    pub date: Date,
}

/// One planned slot of one item; they sort by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// The instant at which it is due.
    pub at: Timestamp,
    /// Its name.
    pub id: OccurrenceId,
}

impl Regimen {
    /// Returns the occurrences that the rule plans in `[from, until)` while the regimen lasts, in order of their instant.
    ///
    /// `zones` is the clock that floating items follow.
    #[must_use]
    pub(super) fn occurrences(
        &self,
        zones: &ZoneHistory,
        chain: &Chain,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Occurrence> {
        let until = self.closed.map_or(until, |closed| just_after(closed).min(until));
        self.planned(zones, chain, from.max(self.plans_from), until)
    }

    /// Returns the occurrences that the rule plans in `[from, until)` whether the regimen lasts or not, in order of their instant.
    pub(super) fn planned(
        &self,
        zones: &ZoneHistory,
        chain: &Chain,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Occurrence> {
        if from >= until {
            return Vec::new();
        }
        let zones = &*self.item.zones(zones);
        let mut found = match &self.item.rule.recurrence {
            Recurrence::AsNeeded => Vec::new(),
            Recurrence::Elapsed { every, first } => self.elapsed(zones, *every, *first, chain, from, until),
            Recurrence::Calendar { interval, after_last: true, .. } => {
                self.after_last(zones, *interval, chain, from, until)
            }
            Recurrence::Calendar { .. } | Recurrence::Cron(_) | Recurrence::Steps(_) => {
                self.civil(zones, self.anchor_day(), from, until)
            }
        };
        found.sort();
        found
    }

    /// Tells whether it lasted for any time: one that was read by a clock that was ahead can have ended before it began.
    pub(super) fn has_held(&self) -> bool {
        self.closed.is_none_or(|closed| self.plans_from <= closed)
    }

    /// Returns how far from a slot of a relative rule another time can lie and still be its turn; `None` for other rules.
    #[must_use]
    pub fn half_step(&self) -> Option<SignedDuration> {
        match self.item.rule.recurrence {
            Recurrence::Elapsed { every, .. } => Some(every / 2),
            Recurrence::Calendar { interval, after_last: true, .. } => {
                let days = match interval {
                    Interval::Days(days) => i64::from(days),
                    Interval::Weeks(weeks) => 7 * i64::from(weeks),
                    Interval::Months(months) => DAYS_OF_A_MONTH * i64::from(months),
                };
                Some(SignedDuration::from_hours(24 * days) / 2)
            }
            _ => None,
        }
    }

    /// Returns the day that intervals and cycles count from.
    #[must_use]
    pub fn anchor_day(&self) -> Date {
        self.item.rule.from.unwrap_or(self.anchor.date)
    }

    fn occurrence(&self, slot: Slot, at: Timestamp) -> Occurrence {
        Occurrence { id: OccurrenceId { slot, item: self.item.id.clone() }, at }
    }

    fn civil(&self, zones: &ZoneHistory, anchor: Date, from: Timestamp, until: Timestamp) -> Vec<Occurrence> {
        let around = SignedDuration::from_hours(SLACK_DAYS_OF_TRAVEL * 24);
        let near = (from.saturating_sub(around), until.saturating_add(around));
        let travels = matches!(near, (Ok(from), Ok(until)) if zones.changes_between(from, until));
        let slack = if travels { SLACK_DAYS_OF_TRAVEL } else { SLACK_DAYS };
        let start = zones.date_at(from).saturating_sub(slack.days());
        let end = zones.date_at(until).saturating_add(slack.days());
        self.item
            .rule
            .slots(anchor, start, end)
            .take(MAX_SLOTS)
            .filter_map(|slot| Some((slot, zones.instant(slot)?)))
            // Not `skip_while`: where clocks go forward, a later slot can be due before an earlier one.
            .filter(|(_, at)| from <= *at && *at < until)
            .map(|(slot, at)| self.occurrence(Slot::Civil(slot), at))
            .collect()
    }

    /// Slots count from the last recorded day; until there is one, from the anchor.
    fn after_last(
        &self,
        zones: &ZoneHistory,
        interval: Interval,
        chain: &Chain,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Occurrence> {
        let next = |date: Date| {
            let span = match interval {
                Interval::Days(n) => Span::new().try_days(n),
                Interval::Weeks(n) => Span::new().try_weeks(n),
                Interval::Months(n) => Span::new().try_months(n),
            };
            date.checked_add(span.ok()?).ok()
        };
        let mut found = Vec::new();
        for stretch in chain.stretches(from) {
            let anchor = stretch.dose.map_or(Some(self.anchor_day()), |dose| next(zones.date_at(dose)));
            let Some(anchor) = anchor else { break };
            let (first, end) = (stretch.first().max(from), stretch.end().min(until));
            let mut slots = self.civil(zones, anchor, first, end);
            slots.retain(|slot| {
                let date = zones.date_at(slot.at);
                let half = next(date).map_or(i64::MAX, |next| days_between(date, next) / 2);
                let is_near =
                    |turn: &Timestamp| (1..half).contains(&days_between(date, zones.date_at(*turn)).abs());
                !stretch.turns.iter().any(is_near)
            });
            found.extend(slots);
        }
        found
    }

    fn elapsed(
        &self,
        zones: &ZoneHistory,
        every: SignedDuration,
        first: Option<Time>,
        chain: &Chain,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Occurrence> {
        let start = match (self.item.rule.from, first) {
            (None, None) => Some(self.anchor.at),
            (_, time) => zones.instant(self.anchor_day().to_datetime(time.unwrap_or_default())),
        };
        let Some(start) = start.map(whole_second) else { return Vec::new() };
        let anchor_day = self.anchor_day();
        let mut found = Vec::new();
        for stretch in chain.stretches(from) {
            let next = |dose: Timestamp| dose.checked_add(every).unwrap_or(Timestamp::MAX).max(start);
            let anchor = stretch.dose.map_or(start, next);
            let (first, end) = (stretch.first().max(from).max(start), stretch.end().min(until));
            let is_near =
                |at: Timestamp, turn: &Timestamp| at != *turn && turn.duration_since(at).abs() < every / 2;
            found.extend(
                grid(anchor, every, first, end)
                    .take(MAX_SLOTS)
                    .filter(|at| !stretch.turns.iter().any(|turn| is_near(*at, turn)))
                    .filter(|at| self.item.rule.is_on(anchor_day, zones.date_at(*at)))
                    .map(|at| self.occurrence(Slot::Utc(at), at)),
            );
        }
        found
    }
}

/// Returns an instant without its parts of a second, which no slot has.
pub(super) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Returns `anchor`, `anchor + every` and so on, as far as they lie in `[from, until)`.
fn grid(
    anchor: Timestamp,
    every: SignedDuration,
    from: Timestamp,
    until: Timestamp,
) -> impl Iterator<Item = Timestamp> {
    // What nobody asks about is leapt over: the start can be centuries away.
    let every = every.as_secs().max(1);
    let missing = from.duration_since(anchor);
    let steps = if missing.is_positive() { (missing.as_secs() - 1).div_euclid(every) + 1 } else { 0 };
    // A part of a second needs one more step at most, which the filter leaves out.
    let first = anchor.as_second().checked_add(steps.saturating_mul(every));
    std::iter::successors(first, move |second| second.checked_add(every))
        .map_while(|second| Timestamp::from_second(second).ok())
        .take_while(move |at| *at < until)
        .filter(move |at| from <= *at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::schedule::{Dose, History, ItemId, Naming, NoHistory, Plan, Standing};
    use jiff::civil::DateTime;
    use jiff::tz::TimeZone;

    /// Intakes that name no slot.
    struct Taken(Vec<Timestamp>);

    impl History for Taken {
        fn doses(&self, _: &ItemId, _: &ZoneHistory) -> Vec<Dose> {
            self.0.iter().map(|at| Dose { at: *at, answers: None }).collect()
        }

        fn named_slots(&self, item: &ItemId, from: DateTime, until: DateTime) -> Vec<OccurrenceId> {
            NoHistory.named_slots(item, from, until)
        }

        fn naming(&self, slot: &OccurrenceId) -> Option<Naming> {
            NoHistory.naming(slot)
        }

        fn standing(&self, occurrence: &Occurrence, grace: SignedDuration, at: Timestamp) -> Standing {
            NoHistory.standing(occurrence, grace, at)
        }
    }

    /// Expands an item that began on 2026-11-25 at 06:00 in Berlin.
    #[track_caller]
    fn check(keys: &str, intakes: &[&str], from: &str, until: &str, expected: &[&str]) {
        let dose = if keys.contains("turns") { "" } else { "dose = \"4 mg\"\n" };
        let text = format!("[[supplement]]\nid = \"a\"\n{dose}{keys}\n");
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |local: &str| zone.to_timestamp(local.parse::<jiff::civil::DateTime>().unwrap()).unwrap();
        let mut plan = Plan::new(ZoneHistory::fixed(zone.clone()));
        for (item, _) in crate::adapters::config::parse(&text).unwrap().items {
            plan.open(item, at("2026-11-25T06:00"));
        }
        let taken = Taken(intakes.iter().map(|local| at(local)).collect());
        let found = plan.occurrences(&"a".parse().unwrap(), &taken, at(from), at(until));
        let got: Vec<String> = found
            .iter()
            .map(|planned| {
                let id = &planned.occurrence.id;
                let dose = planned.dose(&plan.zones).unwrap();
                format!("{} {dose}", id.slot)
            })
            .collect();
        assert_eq!(got, expected, "{keys}");
    }

    #[test]
    fn the_dose_of_an_elapsed_slot_is_that_of_its_local_day() {
        // 23:30 UTC is half past midnight in Berlin, when the next step begins.
        check(
            "every = \"8 hours\"\ntaper = [{ from = 2026-11-27, dose = \"2 mg\" }]",
            &["2026-11-26T08:30"],
            "2026-11-26T12:00",
            "2026-11-27T12:00",
            &["2026-11-26T15:30Z 4 mg", "2026-11-26T23:30Z 2 mg", "2026-11-27T07:30Z 2 mg"],
        );
    }

    #[test]
    fn elapsed_rules_count_from_the_last_intake() {
        let keys = "every = \"8 hours\"";
        let (from, until) = ("2026-11-25T00:00", "2026-11-26T06:00");
        // Named in UTC, from the start of the regimen.
        let steady = ["2026-11-25T05:00Z 4 mg", "2026-11-25T13:00Z 4 mg", "2026-11-25T21:00Z 4 mg"];
        check(keys, &[], from, until, &steady);
        // Two hours late: the next one is two hours later.
        let late = ["2026-11-25T05:00Z 4 mg", "2026-11-25T15:00Z 4 mg", "2026-11-25T23:00Z 4 mg"];
        check(keys, &["2026-11-25T08:00"], from, until, &late);
        // Ahead of its time: that intake takes the slot's place.
        let early = ["2026-11-25T05:00Z 4 mg", "2026-11-25T19:00Z 4 mg", "2026-11-26T03:00Z 4 mg"];
        check(keys, &["2026-11-25T07:00", "2026-11-25T12:00"], from, until, &early);
    }

    #[test]
    fn elapsed_rules_that_began_long_ago_go_on() {
        let keys = "every = \"1m\"\nfrom = 1900-01-01\ntimes = [\"00:00\"]";
        let expected = ["2026-11-25T06:00Z 4 mg", "2026-11-25T06:01Z 4 mg"];
        // Berlin's clock of 1900 was an hour ahead to the second.
        check(keys, &[], "2026-11-25T07:00", "2026-11-25T07:02", &expected);
    }

    #[test]
    fn elapsed_hours_do_not_bend_at_a_change_of_clocks() {
        let keys = "every = \"12 hours\"\nfrom = 2027-03-27\ntimes = [\"20:00\"]";
        let expected = ["2027-03-27T19:00Z 4 mg", "2027-03-28T07:00Z 4 mg", "2027-03-28T19:00Z 4 mg"];
        check(keys, &[], "2027-03-27T00:00", "2027-03-29T00:00", &expected);
    }

    #[test]
    fn a_taper_gives_each_slot_the_dose_of_its_day() {
        let keys = "times = [\"08:00\"]\ntaper = [{ from = 2026-11-26, dose = \"2 mg\" }, { from = 2026-11-27, dose = \"1 mg\" }]";
        let expected = ["2026-11-25T08:00 4 mg", "2026-11-26T08:00 2 mg", "2026-11-27T08:00 1 mg"];
        check(keys, &[], "2026-11-25T00:00", "2026-11-28T00:00", &expected);
    }

    /// Titration, a larger evening dose on workdays, and a step without a dose of its own.
    #[test]
    fn the_steps_of_a_plan_are_one_plan() {
        let keys = "plan = [\n\
            { times = [\"08:00\"], until = 2026-11-26 },\n\
            { times = [\"08:00\"], from = 2026-11-27, dose = \"8 mg\" },\n\
            { times = [\"21:00\"], days = \"Mon..Fri\", dose = \"2 mg\" },\n\
            { cron = \"30 9 28 * *\", dose = \"1 mg\" },\n\
        ]";
        check(
            keys,
            &[],
            "2026-11-25T00:00",
            "2026-11-29T00:00",
            &[
                "2026-11-25T08:00 4 mg",
                "2026-11-25T21:00 2 mg",
                "2026-11-26T08:00 4 mg",
                "2026-11-26T21:00 2 mg",
                "2026-11-27T08:00 8 mg",
                "2026-11-27T21:00 2 mg",
                "2026-11-28T08:00 8 mg",
                "2026-11-28T09:30 1 mg",
            ],
        );
        // Each counts from its own day.
        let keys = "plan = [\n\
            { times = [\"08:00\"], every = \"2 days\", from = 2026-11-25, dose = \"5 mg\" },\n\
            { times = [\"08:00\"], every = \"2 days\", from = 2026-11-26, dose = \"2.5 mg\" },\n\
        ]";
        let expected = ["2026-11-25T08:00 5 mg", "2026-11-26T08:00 2.5 mg", "2026-11-27T08:00 5 mg"];
        check(keys, &[], "2026-11-25T00:00", "2026-11-28T00:00", &expected);
    }

    #[test]
    fn doses_take_turns_by_planned_days() {
        let keys = "times = [\"08:00\", \"20:00\"]\nfrom = 2026-11-24\nturns = [\"5 mg\", \"2.5 mg\"]";
        let expected = [
            "2026-11-25T08:00 2.5 mg",
            "2026-11-25T20:00 2.5 mg",
            "2026-11-26T08:00 5 mg",
            "2026-11-26T20:00 5 mg",
            "2026-11-27T08:00 2.5 mg",
        ];
        check(keys, &[], "2026-11-25T00:00", "2026-11-27T12:00", &expected);
        let keys = "times = [\"08:00\"]\nevery = \"3 days\"\nfrom = 2026-11-25\nturns = [\"1 mg\", \"2 mg\", \"3 mg\"]";
        let expected = [
            "2026-11-25T08:00 1 mg",
            "2026-11-28T08:00 2 mg",
            "2026-12-01T08:00 3 mg",
            "2026-12-04T08:00 1 mg",
        ];
        check(keys, &[], "2026-11-25T00:00", "2026-12-06T00:00", &expected);
    }

    #[test]
    fn days_can_count_from_the_last_intake() {
        let keys = "times = [\"09:00\"]\nevery = \"7 days\"\nafter-last = true";
        let (from, until) = ("2026-11-25T00:00", "2026-12-20T00:00");
        let steady = [
            "2026-11-25T09:00 4 mg",
            "2026-12-02T09:00 4 mg",
            "2026-12-09T09:00 4 mg",
            "2026-12-16T09:00 4 mg",
        ];
        check(keys, &[], from, until, &steady);
        // Two days late: so are the next ones, at the same hour.
        let late = [
            "2026-11-25T09:00 4 mg",
            "2026-12-04T09:00 4 mg",
            "2026-12-11T09:00 4 mg",
            "2026-12-18T09:00 4 mg",
        ];
        check(keys, &["2026-11-27T22:00"], from, until, &late);
    }

    #[test]
    fn cycles_and_last_days_hold() {
        let keys = "times = [\"08:00\"]\nfrom = 2026-11-26\nuntil = 2026-12-01\ncycle = { on = 2, off = 2 }";
        let expected = [
            "2026-11-26T08:00 4 mg",
            "2026-11-27T08:00 4 mg",
            "2026-11-30T08:00 4 mg",
            "2026-12-01T08:00 4 mg",
        ];
        check(keys, &[], "2026-11-25T00:00", "2026-12-20T00:00", &expected);
    }

    #[test]
    fn the_first_day_begins_when_it_is_read() {
        let keys = "times = [\"05:00\", \"07:00\"]";
        check(keys, &[], "2026-11-25T00:00", "2026-11-26T00:00", &["2026-11-25T07:00 4 mg"]);
    }

    #[test]
    fn long_intervals_are_found_however_far() {
        let keys = "times = [\"08:00\"]\nevery = \"4 years\"\nfrom = 2028-02-29";
        let expected = ["2028-02-29T08:00 4 mg", "2032-02-29T08:00 4 mg"];
        check(keys, &[], "2026-11-25T00:00", "2036-01-01T00:00", &expected);
        let keys = "times = [\"08:00\"]\nevery = \"90 days\"\nfrom = 2026-11-25";
        let expected = ["2026-11-25T08:00 4 mg", "2027-02-23T08:00 4 mg"];
        check(keys, &[], "2026-11-25T00:00", "2027-03-01T00:00", &expected);
    }
}
