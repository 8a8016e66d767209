//! Self-reported implementation: what was taken of what was planned, with its bounds.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::core::ledger::{Ledger, OccurrenceStatus, State, When, timeline};
use crate::core::schedule::{ItemId, Plan, Planned, Slot};

/// How far from its time an intake still counts as on time.
pub const TIMING_WINDOW: SignedDuration = SignedDuration::from_mins(120);

/// From so many eligible occurrences on an interval is shown.
const INTERVAL_FROM: u32 = 10;

/// The 97.5 % quantile of the normal distribution, for intervals of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// One planned occurrence, as adherence looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotResult {
    /// The local date that it was planned for.
    pub date: Date,
    /// What became of it.
    pub state: State,
    /// How long after its time it was taken, negative before; only where that is known to the minute.
    pub offset: Option<SignedDuration>,
}

impl SlotResult {
    /// Tells whether it can still be answered, or its time has not come.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Upcoming | State::Due)
    }
}

/// The measures of one item over a range of local dates; shares are fractions, `None` where nothing was due.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adherence {
    /// Planned occurrences.
    pub planned: u32,
    /// Planned, less excused, less still open.
    pub eligible: u32,
    /// Taken as planned.
    pub taken: u32,
    /// Taken in part.
    pub partial: u32,
    /// Decided against.
    pub skipped: u32,
    /// Asked about and not answered.
    pub missed: u32,
    /// Not asked about.
    pub unknown: u32,
    /// Paused.
    pub excused: u32,
    /// Taken without being planned, or while paused.
    pub extra: u32,
    /// Taken of eligible, at most 1: what was extra never fills a gap.
    pub doses_taken_share: Option<f64>,
    /// Taken and extra, of eligible; may exceed 1.
    pub taking_raw: Option<f64>,
    /// Eligible days with everything taken, of eligible days.
    pub days_fully_covered: Option<f64>,
    /// Eligible days with at least one, of eligible days.
    pub days_any_dose: Option<f64>,
    /// The mean over eligible days of taken of planned.
    pub days_covered_fraction: Option<f64>,
    /// Taken after the window around its time; counted among what was taken, too.
    pub late: u32,
    /// Taken within the window around its time, of those whose time is known.
    pub timing_share: Option<f64>,
    /// The share if nothing, and if everything, that is unknown was taken.
    pub bounds: Option<[f64; 2]>,
    /// The Wilson interval of 95 %, from 10 eligible occurrences on.
    pub interval: Option<[f64; 2]>,
    /// Consecutive eligible days up to now, all of them fully covered.
    pub streak: u32,
    /// The longest that there was.
    pub longest_streak: u32,
    /// Of the last 30 eligible days: how many were fully covered, and how many there were.
    pub of_the_last: [u32; 2],
}

/// Days that the forgiving form of the streak looks at.
const FORGIVING_DAYS: usize = 30;

/// What one day came to.
#[derive(Clone, Copy, Debug, Default)]
struct Day {
    eligible: u32,
    taken: u32,
    any: bool,
    open: bool,
}

/// Measures occurrences, which are in the order of their time; `extra` is what was taken without being planned.
#[must_use]
pub fn measure(occurrences: &[SlotResult], extra: u32, window: SignedDuration) -> Adherence {
    let count = |state| count_where(occurrences, |taken| taken.state == state);
    let (taken, unknown) = (count(State::Taken), count(State::Unknown));
    let (excused, open) = (count(State::Excused), count_where(occurrences, SlotResult::is_open));
    let planned = count_where(occurrences, |_| true);
    let eligible = planned - excused - open;
    let of_eligible = |part: u32| (eligible > 0).then(|| f64::from(part) / f64::from(eligible));
    let timed: Vec<SignedDuration> = occurrences.iter().filter_map(|taken| taken.offset).collect();
    let on_time = timed.iter().filter(|offset| offset.abs() <= window).count();
    let days = days(occurrences);
    let eligible_days: Vec<&Day> = days.iter().filter(|day| day.eligible > 0).collect();
    let mean = |of_day: &dyn Fn(&Day) -> f64| {
        let sum: f64 = eligible_days.iter().map(|day| of_day(day)).sum();
        (!eligible_days.is_empty()).then(|| sum / as_f64(eligible_days.len()))
    };
    let (streak, longest_streak) = streaks(&days);
    // Today counts once it is complete.
    let last = days.iter().rev().filter(|day| day.eligible > 0 && !day.open).take(FORGIVING_DAYS);
    let covered: Vec<bool> = last.map(|day| day.taken == day.eligible).collect();
    let covered_days = covered.iter().filter(|covered| **covered).count();
    Adherence {
        planned,
        eligible,
        taken,
        partial: count(State::Partial),
        skipped: count(State::Skipped),
        missed: count(State::Missed),
        unknown,
        excused,
        extra,
        doses_taken_share: of_eligible(taken).map(|share| share.min(1.0)),
        taking_raw: of_eligible(taken + extra),
        days_fully_covered: mean(&|day| f64::from(u8::from(day.taken == day.eligible))),
        days_any_dose: mean(&|day| f64::from(u8::from(day.any))),
        days_covered_fraction: mean(&|day| f64::from(day.taken) / f64::from(day.eligible)),
        late: as_u32(timed.iter().filter(|offset| **offset > window).count()),
        timing_share: (!timed.is_empty()).then(|| as_f64(on_time) / as_f64(timed.len())),
        bounds: of_eligible(taken).zip(of_eligible(taken + unknown)).map(|(low, high)| [low, high]),
        interval: (eligible >= INTERVAL_FROM).then(|| wilson(taken, eligible)).flatten(),
        streak,
        longest_streak,
        of_the_last: [as_u32(covered_days), as_u32(covered.len())],
    }
}

fn count_where(occurrences: &[SlotResult], is: impl Fn(&SlotResult) -> bool) -> u32 {
    as_u32(occurrences.iter().filter(|taken| is(taken)).count())
}

fn as_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn as_f64(n: usize) -> f64 {
    f64::from(as_u32(n))
}

/// Sums up each day, in order.
fn days(occurrences: &[SlotResult]) -> Vec<Day> {
    let mut days: Vec<(Date, Day)> = Vec::new();
    for taken in occurrences {
        // A change of zone can bring days out of order; it is rare.
        let place = match days.last() {
            Some((last, _)) if taken.date <= *last => days.partition_point(|(date, _)| *date < taken.date),
            _ => days.len(),
        };
        if days.get(place).is_none_or(|(date, _)| *date != taken.date) {
            days.insert(place, (taken.date, Day::default()));
        }
        let day = &mut days[place].1;
        match taken.state {
            State::Upcoming | State::Due => day.open = true,
            State::Excused => {}
            state => {
                day.eligible += 1;
                day.taken += u32::from(state == State::Taken);
                day.any |= matches!(state, State::Taken | State::Partial);
            }
        }
    }
    days.into_iter().map(|(_, day)| day).collect()
}

/// Returns the streak up to now and the longest one; days on which nothing was eligible, and such as are
/// still open, neither count nor break.
fn streaks(days: &[Day]) -> (u32, u32) {
    let (mut streak, mut longest) = (0, 0);
    for day in days.iter().filter(|day| day.eligible > 0 && !day.open) {
        streak = if day.taken == day.eligible { streak + 1 } else { 0 };
        longest = streak.max(longest);
    }
    (streak, longest)
}

/// Returns the Wilson score interval of 95 % of a share (Wilson 1927); `None` of nothing.
#[must_use]
pub fn wilson(hits: u32, of: u32) -> Option<[f64; 2]> {
    if of == 0 {
        return None;
    }
    let (n, share) = (f64::from(of), f64::from(hits) / f64::from(of));
    let scale = 1.0 + Z * Z / n;
    let centre = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Rounding must not leave the range of shares.
    let low = if hits == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if hits == of { 1.0 } else { (centre + half).min(1.0) };
    Some([low, high])
}

/// Returns what became of an item's occurrences in a range of instants, and how many were taken while paused.
#[must_use]
pub fn occurrences(
    plan: &Plan,
    ledger: &Ledger,
    item: &ItemId,
    from: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> (Vec<SlotResult>, u32) {
    let lines = timeline(plan, ledger, Some(item), from, until, now);
    let mut extra = 0;
    let mut occurrences = Vec::with_capacity(lines.len());
    for line in &lines {
        // A dose that was taken while paused is extra.
        let is_paused = ledger.is_paused(item, line.planned.occurrence.at);
        let was_taken = matches!(line.status.state, State::Taken | State::Partial);
        extra += u32::from(is_paused && was_taken);
        let state = if is_paused { State::Excused } else { line.status.state };
        let offset = (state == State::Taken).then(|| offset(line)).flatten();
        occurrences.push(SlotResult { date: day_of(plan, &line.planned), state, offset });
    }
    (occurrences, extra)
}

/// Returns the day to which a slot belongs.
fn day_of(plan: &Plan, planned: &Planned<'_>) -> Date {
    match planned.occurrence.id.slot {
        Slot::Civil(local) => plan.day_of(local),
        Slot::Utc(at) if planned.regimen.item.zone.is_none() => plan.day_at(at),
        Slot::Utc(_) => planned.date(&plan.zones),
    }
}

fn offset(line: &OccurrenceStatus<'_>) -> Option<SignedDuration> {
    match line.status.answer.as_ref()?.fact.at() {
        When::Instant(at) => Some(at.duration_since(line.planned.occurrence.at)),
        When::Date(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, prop, proptest};

    use super::*;
    use crate::core::ledger::{Fact, FactId, Record};
    use jiff::tz::TimeZone;

    /// Reads a record day by day: a word a day, a letter an occurrence.
    fn read(days: &str) -> Vec<SlotResult> {
        let mut date = jiff::civil::date(2026, 1, 1);
        let mut occurrences = Vec::new();
        for day in days.split(' ') {
            for letter in day.chars() {
                let state = match letter {
                    'T' => State::Taken,
                    'p' => State::Partial,
                    'S' => State::Skipped,
                    'M' => State::Missed,
                    'U' => State::Unknown,
                    'P' => State::Excused,
                    'O' => State::Due,
                    other => panic!("{other}"),
                };
                occurrences.push(SlotResult { date, state, offset: None });
            }
            date = date.tomorrow().unwrap();
        }
        occurrences
    }

    fn days(of: &[(usize, &str)]) -> Vec<SlotResult> {
        let words: Vec<&str> = of.iter().flat_map(|(n, day)| std::iter::repeat_n(*day, *n)).collect();
        read(&words.join(" "))
    }

    #[track_caller]
    fn near(got: Option<f64>, expected: f64) {
        let got = got.unwrap();
        assert!((got - expected).abs() < 5e-7, "{got} is not {expected}");
    }

    #[track_caller]
    fn both(got: Option<[f64; 2]>, expected: [f64; 2]) {
        near(got.map(|[low, _]| low), expected[0]);
        near(got.map(|[_, high]| high), expected[1]);
    }

    /// The worked numbers of the domain page.
    #[test]
    fn the_worked_numbers_come_out() {
        // A1
        let a1 = measure(&days(&[(3, "P"), (24, "T"), (1, "S"), (2, "M")]), 0, TIMING_WINDOW);
        near(a1.doses_taken_share, 0.888_889);
        both(a1.interval, [0.719_422, 0.961_480]);
        assert_eq!((a1.planned, a1.eligible, a1.excused), (30, 27, 3));
        // A2
        let a2 = measure(&days(&[(3, "P"), (20, "T"), (3, "M"), (4, "U")]), 0, TIMING_WINDOW);
        both(a2.bounds, [0.740_741, 0.888_889]);
        // A3
        let a3 = measure(&days(&[(4, "TT"), (2, "TM"), (1, "MM")]), 0, TIMING_WINDOW);
        near(a3.doses_taken_share, 0.714_286);
        near(a3.days_fully_covered, 0.571_429);
        near(a3.days_any_dose, 0.857_143);
        near(a3.days_covered_fraction, 0.714_286);
        // A4
        let a4 = measure(&days(&[(6, "T"), (1, "M")]), 2, TIMING_WINDOW);
        near(a4.doses_taken_share, 0.857_143);
        near(a4.taking_raw, 1.142_857);
        // A5
        let mut a5 = days(&[(5, "T")]);
        for (taken, offset) in a5.iter_mut().zip([-5, 10, 70, 130, 0]) {
            taken.offset = Some(SignedDuration::from_mins(offset));
        }
        near(measure(&a5, 0, SignedDuration::from_mins(60)).timing_share, 0.6);
        near(measure(&a5, 0, TIMING_WINDOW).timing_share, 0.8);
        assert_eq!(measure(&a5, 0, TIMING_WINDOW).late, 1);
        // A6
        let a6 = measure(&read("T T P T T M T T O"), 0, TIMING_WINDOW);
        assert_eq!((a6.streak, a6.longest_streak), (2, 4));
        assert_eq!(a6.of_the_last, [6, 7]);
        // A9
        both(wilson(27, 30), [0.743_789, 0.965_400]);
        both(wilson(0, 10), [0.0, 0.277_533]);
        both(wilson(10, 10), [0.722_467, 1.0]);
        // 7 / (7 + z^2); the page has 0.645666, which no z gives that gives its other rows.
        both(wilson(7, 7), [0.645_670, 1.0]);
    }

    #[test]
    fn nothing_that_was_due_is_no_share() {
        for none in ["P P", "O", "PO"] {
            let none = measure(&read(none), 1, TIMING_WINDOW);
            assert_eq!((none.eligible, none.extra), (0, 1));
            assert_eq!((none.doses_taken_share, none.taking_raw, none.bounds), (None, None, None));
            assert_eq!((none.days_fully_covered, none.days_any_dose, none.interval), (None, None, None));
        }
        assert_eq!(wilson(0, 0), None);
        // Below ten, no interval.
        assert_eq!(measure(&days(&[(9, "T")]), 0, TIMING_WINDOW).interval, None);
    }

    #[test]
    fn streaks_break_where_they_should() {
        for (record, streak, longest) in [
            ("T T U T", 1, 2),
            ("T T p", 0, 2),
            ("TT TM TT TT", 2, 2),
            ("T T TO", 2, 2),
            ("T T MO", 2, 2),
            ("M", 0, 0),
            ("P P", 0, 0),
        ] {
            let measured = measure(&read(record), 0, TIMING_WINDOW);
            assert_eq!((measured.streak, measured.longest_streak), (streak, longest), "{record}");
        }
    }

    #[test]
    fn the_window_is_on_both_sides_and_closed() {
        for (minutes, late, share) in
            [(-121, 0, 0.0), (-120, 0, 1.0), (0, 0, 1.0), (120, 0, 1.0), (121, 1, 0.0)]
        {
            let mut record = days(&[(1, "T")]);
            record[0].offset = Some(SignedDuration::from_mins(minutes));
            let measured = measure(&record, 0, TIMING_WINDOW);
            assert_eq!((measured.late, measured.timing_share), (late, Some(share)), "{minutes}");
        }
        assert_eq!(measure(&days(&[(1, "T")]), 0, TIMING_WINDOW).timing_share, None);
    }

    #[test]
    fn the_forgiving_streak_is_of_thirty_days() {
        for (record, of_the_last) in [
            (vec![(40, "T")], [30, 30]),
            (vec![(40, "T"), (5, "M"), (1, "P")], [25, 30]),
            (vec![(5, "M"), (30, "T"), (1, "TO")], [30, 30]),
            (vec![(3, "T"), (1, "p")], [3, 4]),
        ] {
            assert_eq!(measure(&days(&record), 0, TIMING_WINDOW).of_the_last, of_the_last, "{record:?}");
        }
        // From ten on, an interval.
        assert!(measure(&days(&[(10, "T")]), 0, TIMING_WINDOW).interval.is_some());
    }

    #[test]
    fn days_that_come_out_of_order_are_summed_up_all_the_same() {
        let mut record = days(&[(1, "TT"), (1, "TM"), (1, "MM")]);
        let expected = measure(&record, 0, TIMING_WINDOW);
        record.swap(1, 4);
        record.swap(0, 3);
        assert_eq!(measure(&record, 0, TIMING_WINDOW), expected);
        assert_eq!((expected.streak, expected.longest_streak), (0, 1));
    }

    #[test]
    fn a_record_is_read_with_its_pauses_and_its_zone() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let mut plan = Plan::new(crate::core::schedule::ZoneHistory::fixed(berlin));
        let schedule = "[[supplement]]\nid = \"a\"\ntimes = [\"08:00\"]\n\n[[supplement]]\nid = \"b\"\nevery = \"12 hours\"\nfrom = 2026-11-25\ntimes = [\"00:30\"]\n";
        for (item, _) in crate::adapters::config::parse(schedule).unwrap().items {
            plan.open(item, at("2026-11-24T22:00:00Z"));
        }
        let intake = |occurrence: &str, when: When| {
            Fact::intake("a".parse().unwrap(), Some(occurrence.parse().unwrap()), when)
        };
        let pause = Fact::Pause {
            item: None,
            at: at("2026-11-26T00:00:00Z"),
            until: Some(at("2026-11-27T00:00:00Z")),
            reason: None,
        };
        let facts = [
            intake("a@2026-11-25T08:00", When::Instant(at("2026-11-25T07:30:00Z"))),
            pause,
            intake("a@2026-11-26T08:00", When::Instant(at("2026-11-26T07:00:00Z"))),
            intake("a@2026-11-27T08:00", When::Date(jiff::civil::date(2026, 11, 27))),
        ];
        let mut ledger = Ledger::default();
        for (seq, fact) in (1..).zip(facts) {
            let id = FactId { device: "desk".into(), seq };
            ledger.fold(Record { id, recorded_at: at("2026-11-28T00:00:00Z"), fact });
        }
        let read = |item: &str| {
            let (from, until) = (at("2026-11-24T00:00:00Z"), at("2026-11-28T00:00:00Z"));
            let item = item.parse().unwrap();
            let (found, extra) =
                super::occurrences(&plan, &ledger, &item, from, until, at("2026-11-29T00:00:00Z"));
            let found: Vec<_> = found
                .into_iter()
                .map(|slot| (slot.date.day(), slot.state, slot.offset.map(|offset| offset.as_mins())))
                .collect();
            (found, extra)
        };
        let (found, extra) = read("a");
        assert_eq!(
            found,
            [(25, State::Taken, Some(30)), (26, State::Excused, None), (27, State::Taken, None)]
        );
        assert_eq!(extra, 1);
        // Named in UTC, on the day that it is for the person: half past midnight is still yesterday in UTC.
        let (found, extra) = read("b");
        let dates: Vec<i8> = found.iter().map(|(day, _, _)| *day).collect();
        assert_eq!((dates, extra), (vec![25, 25, 26, 26, 27, 27, 28], 0));
    }

    fn occurrences() -> impl Strategy<Value = Vec<SlotResult>> {
        let state = prop::sample::select(vec![
            State::Taken,
            State::Partial,
            State::Skipped,
            State::Missed,
            State::Unknown,
            State::Excused,
            State::Due,
            State::Upcoming,
        ]);
        prop::collection::vec((0i64..40, state, Just(())), 0..80).prop_map(|drawn| {
            let first = jiff::civil::date(2026, 1, 1);
            let mut found: Vec<SlotResult> = drawn
                .into_iter()
                .map(|(day, state, ())| SlotResult {
                    date: first.saturating_add(jiff::Span::new().days(day)),
                    state,
                    offset: None,
                })
                .collect();
            found.sort_by_key(|taken| taken.date);
            found
        })
    }

    proptest! {
        #[test]
        fn shares_are_shares_and_excused_days_change_none(occurrences in occurrences(), extra in 0u32..5) {
            let measured = measure(&occurrences, extra, TIMING_WINDOW);
            let shares = [
                measured.doses_taken_share,
                measured.days_fully_covered,
                measured.days_any_dose,
                measured.days_covered_fraction,
            ];
            let shares = shares.into_iter().flatten();
            for share in shares.chain(measured.bounds.into_iter().flatten()).chain(measured.interval.into_iter().flatten()) {
                assert!((0.0..=1.0).contains(&share), "{share}");
            }
            let eligible: Vec<SlotResult> =
                occurrences.into_iter().filter(|taken| taken.state != State::Excused).collect();
            let mut without = measure(&eligible, extra, TIMING_WINDOW);
            (without.excused, without.planned) = (measured.excused, measured.planned);
            assert_eq!(without, measured);
        }
    }
}
