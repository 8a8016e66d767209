//! Which habits coincided with which answers, and how little few check-ins can show.
//!
//! One pair is the primary one, fixed beforehand; all others are one family, adjusted for being many. The
//! gates by the number of check-ins are those of the domain page.

use super::caveats::caveats;
use super::series::{Exposure, MIN_CHECK_INS, QuestionSeries};
use super::stats::{Method, circular_shift_p, detrended, holm, tau_b, tau_b_p, theil_sen};

/// From so many on all pairs are compared, without their trends.
const FAMILY_FROM: usize = 8;

/// From so many on circular shifts can tell a drift from an association.
const SHIFTS_FROM: usize = 20;

/// A p up to this is unlikely, where nothing else explains it.
const UNLIKELY: f64 = 0.05;

/// A habit and a question, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Association {
    /// The habit.
    pub exposure: String,
    /// The question.
    pub outcome: String,
    /// Whether it is the pair that was fixed beforehand.
    pub primary: bool,
    /// The check-ins at which both are known.
    pub n: usize,
    /// Those at which one is not.
    pub dropped: usize,
    /// The association, without trends from 8 check-ins on.
    pub tau_b: Option<f64>,
    /// The association with everything that drifts.
    pub tau_b_raw: Option<f64>,
    /// The two-sided p of the association.
    pub p: Option<f64>,
    /// The p, adjusted for the number of pairs; of the primary pair it is its own.
    pub p_adjusted: Option<f64>,
    /// How the p was found.
    pub method: Option<Method>,
    /// Points of the answer for a share from 0 to 1, with its interval.
    pub slope: Option<(f64, Option<(f64, f64)>)>,
    /// A summary in one sentence.
    pub sentence: String,
}

/// What the check-ins and the habits show together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Insight {
    /// The pairs that are shown.
    pub pairs: Vec<Association>,
    /// How many pairs were compared.
    pub comparisons: usize,
    /// What the record cannot show, and why.
    pub notes: Vec<String>,
}

/// Looks at habits and answers over check-ins at the given times; `primary` was fixed beforehand.
#[must_use]
pub fn associations(
    times: &[f64],
    exposures: &[Exposure],
    outcomes: &[QuestionSeries],
    primary: (&str, &str),
) -> Insight {
    let mut insight = Insight { notes: caveats(exposures), ..Insight::default() };
    let all = exposures.len() * outcomes.len();
    for exposure in exposures {
        for outcome in outcomes {
            let is_primary = (exposure.item.as_str(), outcome.key.as_str()) == primary;
            insight.pairs.extend(associate(times, exposure, outcome, is_primary));
        }
    }
    let waiting = all.saturating_sub(insight.pairs.len());
    if waiting > 0 {
        insight.notes.push(format!(
            "{waiting} more {} from {FAMILY_FROM} check-ins on",
            if waiting == 1 { "pair is compared" } else { "pairs are compared" }
        ));
    }
    insight.comparisons = insight.pairs.iter().filter(|pair| pair.p.is_some()).count();
    adjust_family(&mut insight.pairs);
    for pair in &mut insight.pairs {
        let exposure = exposures.iter().find(|exposure| exposure.item == pair.exposure);
        let outcome = outcomes.iter().find(|outcome| outcome.key == pair.outcome);
        if let (Some(exposure), Some(outcome)) = (exposure, outcome) {
            pair.sentence = sentence(pair, exposure, outcome);
        }
    }
    // The one that was fixed beforehand comes first.
    insight.pairs.sort_by_key(|pair| !pair.primary);
    insight
}

/// Adjusts the p of all pairs but the primary one for being several.
fn adjust_family(pairs: &mut [Association]) {
    let mut family: Vec<&mut Association> =
        pairs.iter_mut().filter(|pair| !pair.primary && pair.p.is_some()).collect();
    let p: Vec<f64> = family.iter().filter_map(|pair| pair.p).collect();
    for (pair, adjusted) in family.iter_mut().zip(holm(&p)) {
        pair.p_adjusted = Some(adjusted);
    }
}

/// Looks at one pair, as far as its number of check-ins allows.
fn associate(
    times: &[f64],
    exposure: &Exposure,
    outcome: &QuestionSeries,
    primary: bool,
) -> Option<Association> {
    let known: Vec<(f64, f64, f64)> = times
        .iter()
        .zip(&exposure.shares)
        .zip(&outcome.answers)
        .filter_map(|((time, share), answer)| Some((*time, (*share)?, (*answer)?)))
        .collect();
    let n = known.len();
    if !primary && n < FAMILY_FROM {
        return None;
    }
    let mut pair = Association {
        exposure: exposure.item.clone(),
        outcome: outcome.key.clone(),
        primary,
        n,
        dropped: times.len() - n,
        tau_b: None,
        tau_b_raw: None,
        p: None,
        p_adjusted: None,
        method: None,
        slope: None,
        sentence: String::new(),
    };
    if n < MIN_CHECK_INS {
        return Some(pair);
    }
    let (when, (x, y)): (Vec<f64>, (Vec<f64>, Vec<f64>)) =
        known.into_iter().map(|(time, x, y)| (time, (x, y))).unzip();
    pair.tau_b_raw = tau_b(&x, &y);
    let has_family = n >= FAMILY_FROM;
    let (x, y) = if has_family { (detrended(&when, &x), detrended(&when, &y)) } else { (x, y) };
    pair.tau_b = tau_b(&x, &y);
    let (mut p, method) = tau_b_p(&x, &y).unzip();
    if n >= SHIFTS_FROM {
        // Whichever is the more careful.
        p = p.zip(circular_shift_p(&x, &y)).map(|(drawn, shifted)| drawn.max(shifted));
    }
    (pair.p, pair.method) = (p, method);
    pair.p_adjusted = if primary { p } else { None };
    pair.slope = theil_sen(&x, &y).map(|(slope, low, high)| (slope, has_family.then_some((low, high))));
    Some(pair)
}

impl Association {
    /// Tells whether the two are unlikely to have gone together by chance alone.
    #[must_use]
    pub fn stands_out(&self) -> bool {
        self.n >= SHIFTS_FROM && self.tau_b.is_some() && self.p_adjusted.is_some_and(|p| p <= UNLIKELY)
    }
}

fn sentence(pair: &Association, exposure: &Exposure, outcome: &QuestionSeries) -> String {
    let (name, asked) = (&exposure.name, &outcome.text);
    if pair.n < MIN_CHECK_INS {
        return format!(
            "{} of {MIN_CHECK_INS} check-ins so far: too few to compare {name} and {asked}",
            pair.n
        );
    }
    let (Some(tau), Some(p)) = (pair.tau_b, pair.p_adjusted) else {
        return format!("{name} or {asked} did not vary: the two cannot be compared");
    };
    let coincided = match tau {
        tau if tau > 0.0 => format!("Higher {name} adherence coincided with higher {asked} scores"),
        tau if tau < 0.0 => format!("Higher {name} adherence coincided with lower {asked} scores"),
        _ => format!("{name} adherence and {asked} scores did not vary together"),
    };
    let seen = format!("{coincided} (tau {tau:+.2}, p {p:.3}, {} check-ins)", pair.n);
    if pair.n < FAMILY_FROM {
        return format!("{seen}: only a rough hint");
    }
    if pair.stands_out() {
        return format!(
            "{seen}: unlikely to be chance alone; this does not show which caused the other, or what caused both"
        );
    }
    format!("{seen}: this may well be chance")
}

/// Returns the mean of shares, of those that are known; `None` of nothing.
#[must_use]
pub fn composite(shares: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = shares.iter().copied().flatten().collect();
    let n = u32::try_from(known.len()).ok().filter(|n| *n > 0)?;
    Some(known.iter().sum::<f64>() / f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposure(item: &str, shares: &[f64]) -> Exposure {
        let shares = shares.iter().copied().map(Some).collect();
        Exposure { item: item.to_owned(), name: item.to_owned(), shares }
    }

    fn answers(key: &str, answers: &[f64]) -> QuestionSeries {
        let answers = answers.iter().copied().map(Some).collect();
        QuestionSeries { key: key.to_owned(), text: key.to_owned(), answers }
    }

    fn times(n: usize) -> Vec<f64> {
        (0..u32::try_from(n).unwrap()).map(f64::from).collect()
    }

    /// Numbers without order: the digits of pi.
    const PI: [f64; 24] = [
        3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0, 8.0, 9.0, 7.0, 9.0, 3.0, 2.0, 3.0, 8.0, 4.0,
        6.0, 2.0, 6.0, 4.0,
    ];

    fn seen(n: usize) -> Insight {
        let shares: Vec<f64> = PI[..n].iter().map(|digit| digit / 10.0).collect();
        let other: Vec<f64> = PI[..n].iter().rev().map(|digit| digit / 10.0).collect();
        let exposures = [exposure("probiotic", &shares), exposure("sun", &other)];
        let outcomes = [answers("wellness", &PI[..n]), answers("energy", &other)];
        associations(&times(n), &exposures, &outcomes, ("probiotic", "wellness"))
    }

    #[test]
    fn the_gates_open_with_the_number_of_check_ins() {
        for (n, pairs, comparisons, text) in [
            (0, 1, 0, "0 of 6 check-ins so far"),
            (5, 1, 0, "5 of 6 check-ins so far"),
            (6, 1, 1, "only a rough hint"),
            (7, 1, 1, "only a rough hint"),
            (8, 4, 4, "this may well be chance"),
            (19, 4, 4, "this may well be chance"),
            (20, 4, 4, "unlikely to be chance alone"),
        ] {
            let insight = seen(n);
            assert_eq!((insight.pairs.len(), insight.comparisons), (pairs, comparisons), "{n}");
            let first = &insight.pairs[0];
            assert!(
                first.primary && first.n == n && first.sentence.contains(text),
                "{n}: {}",
                first.sentence
            );
            // No trends, no interval and no family before there are eight.
            assert_eq!(first.slope.and_then(|(_, range)| range).is_some(), n >= 8);
        }
        // The primary pair is not adjusted, the others are.
        let insight = seen(12);
        assert_eq!(insight.pairs[0].p, insight.pairs[0].p_adjusted);
        assert!(insight.pairs[1..].iter().all(|pair| pair.p_adjusted >= pair.p));
    }

    #[test]
    fn two_that_only_drift_are_nothing_together() {
        let rising: Vec<f64> = (0..12).map(|i| f64::from(i) / 20.0).collect();
        let outcome: Vec<f64> = (0..12).map(f64::from).collect();
        let insight =
            associations(&times(12), &[exposure("a", &rising)], &[answers("b", &outcome)], ("a", "b"));
        let pair = &insight.pairs[0];
        assert_eq!((pair.tau_b_raw, pair.tau_b), (Some(1.0), None));
        assert!(pair.sentence.contains("did not vary"), "{}", pair.sentence);
    }

    #[test]
    fn what_is_left_out_is_counted_out_loud() {
        let mut with_gaps = exposure("a", &PI[..10].iter().map(|digit| digit / 10.0).collect::<Vec<_>>());
        (with_gaps.shares[2], with_gaps.shares[5]) = (None, None);
        let mut outcome = answers("b", &PI[2..12]);
        outcome.answers[5] = None;
        let insight = associations(&times(10), &[with_gaps], &[outcome], ("a", "b"));
        assert_eq!((insight.pairs[0].n, insight.pairs[0].dropped), (8, 2));
    }

    #[test]
    fn the_composite_is_a_mean_of_shares() {
        // S8
        let of = [Some(0.9), Some(0.8), Some(0.95), Some(f64::min(1.0, 120.0 / 150.0))];
        assert!((composite(&of).unwrap() - 0.8625).abs() < 1e-12);
        assert_eq!((composite(&[None, Some(0.5)]), composite(&[None])), (Some(0.5), None));
    }
}
