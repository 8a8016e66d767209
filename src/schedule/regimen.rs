//! One version of an item's schedule and dose, and the occurrences that it makes.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span, Timestamp, ToSpan};

use super::rule::Interval;
use super::{Item, OccurrenceId, Recurrence, Slot, ZoneHistory};

/// How far an instant's local date can lie from the date of the slot that is due then, in days: a gap
/// of a whole day has been, and a traveller's slot can wait for the landing, up to 26 hours.
const SLACK_DAYS: i64 = 1;
const SLACK_DAYS_OF_TRAVEL: i64 = 2;

/// How many slots one question can expand, so that no schedule can ask for memory without end.
const MAX_SLOTS: usize = 2_000_000;

/// One version of an item: what was planned from when to when.
#[derive(Clone, Debug)]
pub struct Regimen {
    /// The item as it was.
    pub item: Item,
    /// When it began; slots before are none of its.
    pub opened: Timestamp,
    /// When it ended; slots from then on are none of its.
    pub closed: Option<Timestamp>,
    /// When its rule began, which an edit of anything else does not change.
    pub anchored: Timestamp,
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
    /// Returns the occurrences that are due in `[from, until)`, in order of their instant.
    ///
    /// `zones` is the clock that floating items follow; `intakes` are the instants at which the item
    /// was taken, in order (only elapsed rules and `after-last` look at them).
    #[must_use]
    pub fn occurrences(
        &self,
        zones: &ZoneHistory,
        intakes: &[Timestamp],
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Occurrence> {
        let from = from.max(self.opened);
        let until = self.closed.map_or(until, |closed| closed.min(until));
        if from >= until {
            return Vec::new();
        }
        let fixed;
        let zones = if let Some(zone) = &self.item.zone {
            fixed = ZoneHistory::fixed(zone.clone());
            &fixed
        } else {
            zones
        };
        let mut found = self.expand(zones, intakes, from, until);
        found.sort();
        found
    }

    /// Returns the first occurrence that is due after an instant.
    #[must_use]
    pub fn next_after(
        &self,
        zones: &ZoneHistory,
        intakes: &[Timestamp],
        after: Timestamp,
    ) -> Option<Occurrence> {
        // Before its first day there is nothing to look at, wherever on earth that day begins.
        let first_day =
            self.item.rule.from.and_then(|from| zones.instant(from.to_datetime(Time::midnight())));
        let begins = first_day.and_then(|begins| begins.checked_sub(SignedDuration::from_hours(48)).ok());
        let from =
            begins.unwrap_or(Timestamp::MIN).max(after.checked_add(SignedDuration::from_nanos(1)).ok()?);
        // Ever wider windows: most rules answer from the first, a rare one from the last.
        [3, 40, 400, 3_700, 36_600].into_iter().find_map(|days| {
            let until = from.checked_add(SignedDuration::from_hours(days * 24)).unwrap_or(Timestamp::MAX);
            self.occurrences(zones, intakes, from, until).into_iter().next()
        })
    }

    /// Returns the day that intervals and cycles count from.
    #[must_use]
    pub fn anchor(&self, zones: &ZoneHistory) -> Date {
        self.item.rule.from.unwrap_or_else(|| {
            let zone = self.item.zone.as_ref().unwrap_or_else(|| zones.zone_at(self.anchored));
            zone.to_datetime(self.anchored).date()
        })
    }

    fn expand(
        &self,
        zones: &ZoneHistory,
        intakes: &[Timestamp],
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Occurrence> {
        match &self.item.rule.recurrence {
            Recurrence::AsNeeded => Vec::new(),
            Recurrence::Elapsed { every, first } => self.elapsed(zones, *every, *first, intakes, from, until),
            Recurrence::Calendar { interval: Interval::Months(n), after_last: true, .. } => {
                self.after_last(zones, *n, intakes, from, until)
            }
            Recurrence::Calendar { .. } | Recurrence::Cron(_) => {
                self.civil(zones, self.anchor(zones), from, until)
            }
        }
    }

    fn occurrence(&self, slot: Slot, at: Timestamp) -> Occurrence {
        Occurrence { id: OccurrenceId { slot, item: self.item.id.clone() }, at }
    }

    fn civil(&self, zones: &ZoneHistory, anchor: Date, from: Timestamp, until: Timestamp) -> Vec<Occurrence> {
        let day = |at: Timestamp| zones.zone_at(at).to_datetime(at).date();
        let around = SignedDuration::from_hours(SLACK_DAYS_OF_TRAVEL * 24);
        let near = (from.saturating_sub(around), until.saturating_add(around));
        let travels = matches!(near, (Ok(from), Ok(until)) if zones.changes_between(from, until));
        let slack = if travels { SLACK_DAYS_OF_TRAVEL } else { SLACK_DAYS };
        let start = day(from).saturating_sub(slack.days());
        let end = day(until).saturating_add(slack.days());
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
        months: u32,
        intakes: &[Timestamp],
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Occurrence> {
        let day = |at: Timestamp| zones.zone_at(at).to_datetime(at).date();
        let mut found = Vec::new();
        let mut anchor = self.anchor(zones);
        let mut begins = Timestamp::MIN;
        for done in intakes.iter().copied().map(Some).chain([None]) {
            let ends = done.unwrap_or(Timestamp::MAX);
            if begins.max(from) < ends.min(until) {
                found.extend(self.civil(zones, anchor, begins.max(from), ends.min(until)));
            }
            if let Some(done) = done {
                let Ok(next) = Span::new().try_months(months).and_then(|span| day(done).checked_add(span))
                else {
                    break;
                };
                (anchor, begins) = (next, done);
            }
        }
        found
    }

    fn elapsed(
        &self,
        zones: &ZoneHistory,
        every: SignedDuration,
        first: Option<jiff::civil::Time>,
        intakes: &[Timestamp],
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Occurrence> {
        let whole_second = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
        let day = |at: Timestamp| zones.zone_at(at).to_datetime(at).date();
        let start = match (self.item.rule.from, first) {
            (None, None) => Some(self.anchored),
            (date, time) => zones
                .instant(date.unwrap_or_else(|| day(self.anchored)).to_datetime(time.unwrap_or_default())),
        };
        let Some(mut at) = start.map(whole_second) else { return Vec::new() };
        let mut intakes = intakes.iter().copied().map(whole_second).peekable();
        let mut found = Vec::new();
        let anchor = self.anchor(zones);
        for _ in 0..MAX_SLOTS {
            // An intake before the slot's time takes its place: the next counts from there.
            while let Some(taken) = intakes.next_if(|taken| *taken < at) {
                if let Ok(next) = taken.checked_add(every) {
                    at = at.max(next);
                }
            }
            if at >= until {
                break;
            }
            // What nobody asks about is leapt over, up to the next intake: the start can be centuries away.
            let bound = intakes.peek().map_or(from, |taken| from.min(*taken));
            let steps = bound.duration_since(at).as_secs() / every.as_secs().max(1);
            if steps > 0 {
                at = Timestamp::from_second(at.as_second() + steps * every.as_secs()).unwrap_or(at);
            }
            if at >= from && self.item.rule.is_on(anchor, day(at)) {
                found.push(self.occurrence(Slot::Utc(at), at));
            }
            let Ok(next) = at.checked_add(every) else { break };
            // An intake that answers this slot sets the next one.
            at = match intakes.next_if(|taken| *taken < next) {
                Some(taken) => taken.checked_add(every).unwrap_or(next),
                None => next,
            };
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Plan;
    use jiff::tz::TimeZone;

    /// Expands an item that began on 2026-11-25 at 06:00 in Berlin.
    #[track_caller]
    fn check(keys: &str, intakes: &[&str], from: &str, until: &str, expected: &[&str]) {
        let text = format!("[[supplement]]\nid = \"a\"\ndose = \"4 mg\"\n{keys}\n");
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |local: &str| zone.to_timestamp(local.parse::<jiff::civil::DateTime>().unwrap()).unwrap();
        let mut plan = Plan::new(ZoneHistory::fixed(zone.clone()));
        for (item, _) in crate::config::parse(&text).unwrap().items {
            plan.open(item, at("2026-11-25T06:00"));
        }
        let intakes: Vec<Timestamp> = intakes.iter().map(|local| at(local)).collect();
        let found = plan.occurrences(&"a".parse().unwrap(), &intakes, at(from), at(until));
        let got: Vec<String> = found
            .iter()
            .map(|planned| {
                let id = &planned.occurrence.id;
                let dose = planned.regimen.item.dose_at(id.slot).unwrap();
                format!("{} {dose}", id.slot)
            })
            .collect();
        assert_eq!(got, expected, "{keys}");
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
