//! Rank statistics for few points: exact where that is possible, with a shown seed where it is not.

#![allow(
    clippy::float_cmp,
    clippy::many_single_char_names,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ties are equal numbers, places are small ones, and formulas have their letters"
)]

/// The most points whose permutations are all tried.
const EXACT_UP_TO: usize = 9;

/// How many permutations are drawn where there are too many to try all.
const DRAWN: u32 = 9_999;

/// The seed of the draws, shown with every result.
pub const SEED: u64 = 20_261_125;

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// How a p was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// All permutations were tried.
    Exact,
    /// Some were drawn.
    Drawn,
}

impl Method {
    /// Returns the method's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Drawn => "permutation",
        }
    }
}

/// Returns Kendall's tau-b (Kendall 1945); `None` where one side does not vary.
#[must_use]
pub fn tau_b(x: &[f64], y: &[f64]) -> Option<f64> {
    let scale = (untied(x) * untied(y)).sqrt();
    (scale > 0.0).then(|| f64::from(Order::of(x).kendall_s(&ranks(y))) / scale)
}

/// Returns the two-sided p of a tau-b, and how it was found.
#[must_use]
pub fn tau_b_p(x: &[f64], y: &[f64]) -> Option<(f64, Method)> {
    tau_b(x, y)?;
    let (mut order, mut y) = (Order::of(x), ranks(y));
    // The scale is the same for every order, so that whole numbers can be compared.
    let observed = order.kendall_s(&y).abs();
    if y.len() <= EXACT_UP_TO {
        let (mut hits, mut all) = (0u32, 0u32);
        permute(&mut y, &mut |y| {
            all += 1;
            hits += u32::from(order.kendall_s(y).abs() >= observed);
        });
        return Some((f64::from(hits) / f64::from(all), Method::Exact));
    }
    let mut random = SplitMix64(SEED);
    let hits = (0..DRAWN).filter(|_| {
        random.shuffle(&mut y);
        order.kendall_s(&y).abs() >= observed
    });
    let hits = u32::try_from(hits.count()).unwrap_or(u32::MAX);
    Some((f64::from(1 + hits) / f64::from(DRAWN + 1), Method::Drawn))
}

/// Returns the share of all circular shifts whose tau-b is as large: what drifts is not shuffled apart.
#[must_use]
pub fn circular_shift_p(x: &[f64], y: &[f64]) -> Option<f64> {
    tau_b(x, y)?;
    let (mut order, mut y) = (Order::of(x), ranks(y));
    let observed = order.kendall_s(&y).abs();
    let mut hits = 0;
    for _ in 0..y.len() {
        hits += u32::from(order.kendall_s(&y).abs() >= observed);
        y.rotate_left(1);
    }
    Some(f64::from(hits) / to_f64(y.len()))
}

/// Returns Spearman's rho; `None` where one side does not vary.
#[must_use]
pub fn rho(x: &[f64], y: &[f64]) -> Option<f64> {
    let mean_ranks = |values: &[f64]| -> Vec<f64> {
        let rank = |value: &f64| {
            let below = values.iter().filter(|other| *other < value).count();
            let same = values.iter().filter(|other| *other == value).count();
            to_f64(below) + f64::midpoint(to_f64(same), 1.0)
        };
        values.iter().map(rank).collect()
    };
    let (x, y) = (centred(&mean_ranks(x)), centred(&mean_ranks(y)));
    let scale = (product(&x, &x) * product(&y, &y)).sqrt();
    (scale > 0.0).then(|| product(&x, &y) / scale)
}

/// Returns what is left of values once a straight line through time is taken out.
#[must_use]
pub fn detrended(times: &[f64], values: &[f64]) -> Vec<f64> {
    let (t, y) = (centred(times), centred(values));
    let spread = product(&t, &t);
    let slope = if spread > 0.0 { product(&t, &y) / spread } else { 0.0 };
    // Rounded, so that what is equal but for the last bit stays a tie.
    t.iter().zip(&y).map(|(t, y)| ((y - slope * t) * 1e9).round() / 1e9).collect()
}

/// Returns the Theil-Sen slope and its interval of 95 % (Sen 1968, equation 2.6); `None` without two
/// different x.
#[must_use]
pub fn theil_sen(x: &[f64], y: &[f64]) -> Option<(f64, f64, f64)> {
    let mut slopes = Vec::new();
    for (i, (xi, yi)) in x.iter().zip(y).enumerate() {
        for (xj, yj) in x.iter().zip(y).take(i).filter(|(xj, _)| *xj != xi) {
            slopes.push((yi - yj) / (xi - xj));
        }
    }
    slopes.sort_by(f64::total_cmp);
    let last = slopes.len().checked_sub(1)?;
    let term = |n: usize| to_f64(n) * (to_f64(n) - 1.0) * (2.0 * to_f64(n) + 5.0);
    let ties = |values: &[f64]| repeats(values).into_iter().map(term).sum::<f64>();
    let sigma = ((term(y.len()) - ties(x) - ties(y)).max(0.0) / 18.0).sqrt();
    let count = to_f64(slopes.len());
    let index = |place: f64| place.round_ties_even().max(0.0) as usize;
    let high = index(f64::midpoint(count, Z * sigma)).min(last);
    let low = index(f64::midpoint(count, -Z * sigma)).saturating_sub(1);
    Some((median(&slopes), slopes[low.min(last)], slopes[high]))
}

/// Returns p-values adjusted for being several (Holm 1979), in their order.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut highest: f64 = 0.0;
    for (rank, i) in order.into_iter().enumerate() {
        highest = highest.max((to_f64(p.len() - rank) * p[i]).min(1.0));
        adjusted[i] = highest;
    }
    adjusted
}

/// Returns how many independent points two series that depend on their own past are worth.
#[must_use]
pub fn effective_n(n: usize, r1: f64, r2: f64) -> f64 {
    to_f64(n) * (1.0 - r1 * r2) / (1.0 + r1 * r2)
}

fn to_f64(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

pub(super) fn centred(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / to_f64(values.len().max(1));
    values.iter().map(|value| value - mean).collect()
}

pub(super) fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

/// Returns how often each value occurs that occurs several times.
fn repeats(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).filter(|n| *n > 1).collect()
}

/// Returns how many pairs are no tie.
fn untied(values: &[f64]) -> f64 {
    let pairs = values.iter().enumerate().flat_map(|(i, a)| values[..i].iter().map(move |b| a != b));
    to_f64(pairs.filter(|differ| *differ).count())
}

/// The rank of a value among all: a place of its own, and the range that its ties share.
#[derive(Clone, Copy, Debug)]
struct Rank {
    own: u16,
    first: u16,
    end: u16,
}

/// Returns the place of each value.
fn ranks(values: &[f64]) -> Vec<Rank> {
    let small = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let place = |(i, value): (usize, &f64)| {
        let below = values.iter().filter(|other| *other < value).count();
        let same = values.iter().filter(|other| *other == value).count();
        let before = values[..i].iter().filter(|other| *other == value).count();
        Rank { own: small(below + before), first: small(below), end: small(below + same) }
    };
    values.iter().enumerate().map(place).collect()
}

/// The order of x, in groups of ties, with room to count in.
struct Order {
    groups: Vec<Vec<usize>>,
    /// A bit for each place of y that has been passed.
    passed: Vec<u64>,
}

impl Order {
    fn of(x: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..x.len()).collect();
        order.sort_by(|a, b| x[*a].total_cmp(&x[*b]));
        let groups = order.chunk_by(|a, b| x[*a] == x[*b]).map(<[usize]>::to_vec).collect();
        Self { groups, passed: vec![0; x.len().div_ceil(64)] }
    }

    /// Returns concordant less discordant pairs: for each value, those with a smaller x and a smaller y
    /// less those with a smaller x and a larger y.
    fn kendall_s(&mut self, y: &[Rank]) -> i32 {
        self.passed.fill(0);
        let (mut sum, mut total) = (0, 0);
        for group in &self.groups {
            for place in group.iter().map(|i| y[*i]) {
                let smaller = below(&self.passed, place.first);
                let is_alone = place.end - place.first == 1;
                let not_larger = if is_alone { smaller } else { below(&self.passed, place.end) };
                sum += smaller - (total - not_larger);
            }
            for place in group.iter().map(|i| y[*i]) {
                self.passed[usize::from(place.own) / 64] |= 1 << (place.own % 64);
                total += 1;
            }
        }
        sum
    }
}

/// Returns how many bits are set below a place.
fn below(bits: &[u64], place: u16) -> i32 {
    let (whole, rest) = (usize::from(place) / 64, place % 64);
    let words: u32 = bits[..whole].iter().map(|word| word.count_ones()).sum();
    let last = bits.get(whole).map_or(0, |word| (word & ((1 << rest) - 1)).count_ones());
    (words + last).cast_signed()
}

/// Visits every order of values (Heap 1963).
fn permute<T>(values: &mut [T], visit: &mut impl FnMut(&[T])) {
    fn heap<T>(k: usize, values: &mut [T], visit: &mut impl FnMut(&[T])) {
        if k <= 1 {
            return visit(values);
        }
        for i in 0..k {
            heap(k - 1, values, visit);
            if i < k - 1 {
                values.swap(if k.is_multiple_of(2) { i } else { 0 }, k - 1);
            }
        }
    }
    heap(values.len(), values, visit);
}

/// A small random generator (`SplitMix64`, Steele 2014): repeatable from its seed.
#[derive(Clone, Debug)]
pub struct SplitMix64(pub u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below another, which must not be zero.
    pub fn below(&mut self, n: usize) -> usize {
        // A product in place of a remainder: no number is likelier than another by more than 2^-50.
        let number = (u128::from(self.next()) * (n as u128)) >> 64;
        usize::try_from(number).unwrap_or(0)
    }

    /// Puts values in a random order (Fisher-Yates).
    fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(got: f64, expected: f64) {
        assert!((got - expected).abs() < 5e-7, "{got} is not {expected}");
    }

    const S2_X: [f64; 8] = [0.62, 0.71, 0.55, 0.80, 0.91, 0.88, 0.95, 0.77];
    const S2_Y: [f64; 8] = [5.0, 5.0, 6.0, 4.0, 3.0, 4.0, 2.0, 4.0];

    /// The worked numbers of the domain page.
    #[test]
    fn the_worked_numbers_come_out() {
        // S1
        let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 1.0, 4.0, 3.0, 6.0, 5.0]);
        near(rho(&x, &y).unwrap(), 0.828_571);
        near(tau_b(&x, &y).unwrap(), 0.6);
        assert_eq!(tau_b_p(&x, &y), Some((98.0 / 720.0, Method::Exact)));
        assert_eq!(theil_sen(&x, &y), Some((1.0, -1.0, 3.0)));
        // S2
        near(rho(&S2_X, &S2_Y).unwrap(), -0.969_781_52);
        near(tau_b(&S2_X, &S2_Y).unwrap(), -0.925_820_10);
        assert_eq!(circular_shift_p(&S2_X, &S2_Y), Some(2.0 / 8.0));
        let (slope, low, high) = theil_sen(&S2_X, &S2_Y).unwrap();
        near(slope, -8.712_121);
        near(low, -13.333_333);
        near(high, -5.555_556);
        // S3
        let (x, y) = ([1.0, 2.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 3.0, 3.0, 5.0, 4.0]);
        near(tau_b(&x, &y).unwrap(), 0.642_857_14);
        assert_eq!(tau_b_p(&x, &y), Some((84.0 / 720.0, Method::Exact)));
        // S4
        let (slope, low, high) =
            theil_sen(&[0.0, 1.0, 2.0, 3.0, 4.0], &[0.900, 0.905, 0.903, 0.912, 0.915]).unwrap();
        near(slope, 0.003_625);
        near(low, -0.002);
        near(high, 0.009);
        // S6
        for (got, expected) in holm(&[0.01, 0.04, 0.03]).into_iter().zip([0.03, 0.06, 0.06]) {
            near(got, expected);
        }
        // S7
        for (n, expected) in [(3, 3.0), (4, 12.0), (5, 60.0), (6, 360.0), (7, 2520.0)] {
            let rising: Vec<f64> = (0..n).map(f64::from).collect();
            assert_eq!(tau_b_p(&rising, &rising), Some((1.0 / expected, Method::Exact)), "{n}");
        }
        // S9
        near(effective_n(12, 0.5, 0.5), 7.2);
    }

    #[test]
    fn what_does_not_vary_has_no_association() {
        let (flat, x) = ([3.0; 6], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!((tau_b(&flat, &x), tau_b(&x, &flat), rho(&flat, &x)), (None, None, None));
        assert_eq!(
            (tau_b_p(&x, &flat), circular_shift_p(&x, &flat), theil_sen(&flat, &x)),
            (None, None, None)
        );
        assert_eq!((tau_b(&[], &[]), theil_sen(&[], &[])), (None, None));
    }

    #[test]
    fn drawn_permutations_repeat_and_are_near_the_exact_ones() {
        let x: Vec<f64> = (0..10).map(f64::from).collect();
        let y = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.3, 5.8, 9.7, 9.3];
        let (p, method) = tau_b_p(&x, &y).unwrap();
        assert_eq!((method, tau_b_p(&x, &y).unwrap().0), (Method::Drawn, p));
        // scipy.stats.kendalltau(x, y, method="exact").pvalue
        assert!((p - 0.016_666).abs() < 0.005, "{p}");
    }

    #[test]
    fn a_line_is_taken_out_whole() {
        let times: Vec<f64> = (0..12).map(f64::from).collect();
        let line: Vec<f64> = times.iter().map(|t| 3.0 + 0.1 * t).collect();
        assert!(detrended(&times, &line).iter().all(|rest| *rest == 0.0));
        // Two series that only drift have nothing left in common.
        assert_eq!(tau_b(&detrended(&times, &line), &detrended(&times, &times)), None);
    }
}
