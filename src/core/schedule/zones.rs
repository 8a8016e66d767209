//! Which zone the person's clock showed when: the link between local times and instants.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Slot;

/// The zones that a clock has shown, oldest first; never empty.
///
/// A floating item is planned in local time. Where the clock jumps to another zone, a local time
/// that has already been is not due again, and one that the jump leaps over is due at the jump:
/// a traveller is neither asked twice for one morning nor skipped.
#[derive(Clone, Debug)]
pub struct ZoneHistory {
    first: TimeZone,
    changes: Vec<(Timestamp, TimeZone)>,
}

impl ZoneHistory {
    /// Returns the history of a clock that has always shown one zone.
    #[must_use]
    pub fn fixed(zone: TimeZone) -> Self {
        Self { first: zone, changes: Vec::new() }
    }

    /// Returns the history made of changes in the order of writing; `before` is the zone ahead of the first.
    #[must_use]
    pub fn new(before: TimeZone, changes: Vec<(Timestamp, TimeZone)>) -> Self {
        let mut zones = Self::fixed(before);
        for (at, zone) in changes {
            zones.change(at, zone);
        }
        zones
    }

    /// Adds a change of the zone; it takes the place of those that a clock which was ahead has dated later.
    pub fn change(&mut self, at: Timestamp, zone: TimeZone) {
        let earlier = self.changes.partition_point(|(known, _)| *known <= at);
        self.changes.truncate(earlier);
        self.changes.push((at, zone));
    }

    /// Returns the zone that the clock showed at an instant.
    #[must_use]
    pub fn zone_at(&self, at: Timestamp) -> &TimeZone {
        let until = self.changes.partition_point(|(change, _)| *change <= at);
        until.checked_sub(1).map_or(&self.first, |i| &self.changes[i].1)
    }

    /// Returns the date that the clock showed at an instant.
    #[must_use]
    pub fn date_at(&self, at: Timestamp) -> Date {
        self.zone_at(at).to_datetime(at).date()
    }

    /// Returns the local date of a slot.
    #[must_use]
    pub fn date_of(&self, slot: Slot) -> Date {
        match slot {
            Slot::Civil(local) => local.date(),
            Slot::Utc(at) => self.date_at(at),
        }
    }

    /// Returns the instant of a slot; see [`ZoneHistory::instant`].
    #[must_use]
    pub fn instant_of(&self, slot: Slot) -> Option<Timestamp> {
        match slot {
            Slot::Civil(local) => self.instant(local),
            Slot::Utc(at) => Some(at),
        }
    }

    /// Returns the instant at which a date begins; see [`ZoneHistory::instant`].
    #[must_use]
    pub fn midnight(&self, date: Date) -> Option<Timestamp> {
        self.instant(date.to_datetime(Time::midnight()))
    }

    /// Tells whether the clock changed its zone in `[from, until)`.
    #[must_use]
    pub fn changes_between(&self, from: Timestamp, until: Timestamp) -> bool {
        self.changes.iter().rev().any(|(at, _)| from <= *at && *at < until)
    }

    /// Returns the instant at which a local time is due.
    ///
    /// In a gap (clocks go forward) the time shifts forward by the gap; in an overlap the first of
    /// the two counts (RFC 5545). Returns `None` only beyond the years that jiff can hold.
    #[must_use]
    pub fn instant(&self, local: DateTime) -> Option<Timestamp> {
        // No zone is further than 14 hours ahead: what ended a day and more before cannot hold the slot.
        let earliest = TimeZone::UTC.to_timestamp(local).ok()?.checked_sub(FURTHEST_AHEAD).ok()?;
        let skip = self.changes.partition_point(|(change, _)| *change < earliest);
        let (mut since, mut zone) = match skip.checked_sub(1) {
            Some(last) => (self.changes[last].0, &self.changes[last].1),
            None => (Timestamp::MIN, &self.first),
        };
        for (change, next) in &self.changes[skip..] {
            let at = zone.to_timestamp(local).ok()?;
            if at <= *change {
                return Some(at.max(since));
            }
            (since, zone) = (*change, next);
        }
        Some(zone.to_timestamp(local).ok()?.max(since))
    }
}

/// More than any zone is ahead of UTC.
const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_hours(26);

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[track_caller]
    fn check(zones: &ZoneHistory, local: &str, instant: &str) {
        let local: DateTime = local.parse().unwrap();
        assert_eq!(zones.instant(local).unwrap().to_string(), instant, "{local}");
    }

    #[test]
    fn gap_shifts_forward_and_overlap_takes_the_first() {
        let berlin = ZoneHistory::fixed(zone("Europe/Berlin"));
        check(&berlin, "2026-03-29T02:30", "2026-03-29T01:30:00Z");
        check(&berlin, "2026-10-25T02:30", "2026-10-25T00:30:00Z");
    }

    #[test]
    fn a_traveller_is_asked_once_for_each_morning() {
        // West: 14:00 in Berlin becomes 08:00 in New York. That morning has been.
        let west = ZoneHistory::new(
            zone("Europe/Berlin"),
            vec![("2026-06-01T12:00:00Z".parse().unwrap(), zone("America/New_York"))],
        );
        check(&west, "2026-06-01T08:00", "2026-06-01T06:00:00Z");
        check(&west, "2026-06-02T08:00", "2026-06-02T12:00:00Z");
        // East: 03:00 in New York becomes 09:00 in Berlin. The leapt-over 08:00 is due on landing.
        let east = ZoneHistory::new(
            zone("America/New_York"),
            vec![("2026-06-01T07:00:00Z".parse().unwrap(), zone("Europe/Berlin"))],
        );
        check(&east, "2026-05-31T08:00", "2026-05-31T12:00:00Z");
        check(&east, "2026-06-01T08:00", "2026-06-01T07:00:00Z");
        check(&east, "2026-06-01T20:00", "2026-06-01T18:00:00Z");
    }
}
