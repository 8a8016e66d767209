//! What a record cannot show, whatever the answers are: habits that never varied, and habits that always varied together.

use super::series::{Exposure, MIN_CHECK_INS};
use super::stats::{centred, product, rho};

/// Shares that differ by less than this over all check-ins cannot be compared with anything.
const LITTLE_VARIATION: f64 = 0.2;

/// Two habits with a rank correlation above this cannot be separated.
const COLLINEAR: f64 = 0.8;

/// Of a habit with a variance inflation factor above this, nearly all follows from the others.
const INFLATED: f64 = 5.0;

/// Added to each correlation of a column with itself, so that columns that follow from others wholly have a factor too: a huge one.
const RIDGE: f64 = 1e-9;

/// Returns which habits the record can show nothing about, or not apart from one another.
pub(super) fn caveats(exposures: &[Exposure]) -> Vec<String> {
    let mut notes = Vec::new();
    for exposure in exposures {
        let known: Vec<f64> = exposure.shares.iter().copied().flatten().collect();
        let (low, high) =
            (known.iter().copied().fold(f64::INFINITY, f64::min), known.iter().copied().fold(0.0, f64::max));
        if known.len() >= 2 && high - low < LITTLE_VARIATION {
            notes.push(format!("{} hardly varied: it cannot be compared with anything", exposure.name));
        }
    }
    let mut reported = Vec::new();
    for (i, a) in exposures.iter().enumerate() {
        for b in &exposures[..i] {
            let both = a.shares.iter().zip(&b.shares).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
            let (x, y): (Vec<f64>, Vec<f64>) = both.unzip();
            if x.len() >= MIN_CHECK_INS && rho(&x, &y).is_some_and(|rho| rho.abs() > COLLINEAR) {
                notes.push(format!(
                    "{} and {} always varied together: their effects cannot be separated",
                    b.name, a.name
                ));
                reported.extend([a.item.as_str(), b.item.as_str()]);
            }
        }
    }
    for name in inflated(exposures, &reported) {
        notes.push(format!(
            "{name} follows from the other habits combined: its effect cannot be separated from theirs"
        ));
    }
    notes
}

/// Returns the habits that follow from the others, without those that are reported already.
fn inflated<'a>(exposures: &'a [Exposure], reported: &[&str]) -> Vec<&'a str> {
    let rows = exposures.first().map_or(0, |exposure| exposure.shares.len());
    let complete: Vec<usize> =
        (0..rows).filter(|row| exposures.iter().all(|exposure| exposure.shares[*row].is_some())).collect();
    let column =
        |exposure: &Exposure| complete.iter().filter_map(|row| exposure.shares[*row]).collect::<Vec<f64>>();
    let varying: Vec<(&Exposure, Vec<f64>)> = exposures
        .iter()
        .map(|exposure| (exposure, column(exposure)))
        .filter(|(_, column)| column.iter().any(|value| (value - column[0]).abs() > RIDGE))
        .collect();
    let columns: Vec<Vec<f64>> = varying.iter().map(|(_, column)| column.clone()).collect();
    let factors = variance_inflation(&columns).unwrap_or_default();
    let named = varying.iter().zip(factors).filter(|(_, factor)| *factor > INFLATED);
    let unreported = named.filter(|((exposure, _), _)| !reported.contains(&exposure.item.as_str()));
    unreported.map(|((exposure, _), _)| exposure.name.as_str()).collect()
}

/// Returns the variance inflation factor of each column (Marquardt 1970): how much less is known of it because it follows from
/// the others. `None` where there are too few rows, or a column does not vary.
#[must_use]
pub fn variance_inflation(columns: &[Vec<f64>]) -> Option<Vec<f64>> {
    let rows = columns.first()?.len();
    if columns.len() < 2 || rows <= columns.len() || columns.iter().any(|column| column.len() != rows) {
        return None;
    }
    let centred: Vec<Vec<f64>> = columns.iter().map(|column| centred(column)).collect();
    let scale = |column: &[f64]| Some(product(column, column).sqrt()).filter(|scale| *scale > 0.0);
    let scales: Vec<f64> = centred.iter().map(|column| scale(column)).collect::<Option<_>>()?;
    let correlation = |a: usize, b: usize| {
        product(&centred[a], &centred[b]) / (scales[a] * scales[b]) + if a == b { RIDGE } else { 0.0 }
    };
    let n = columns.len();
    let correlations = (0..n).map(|a| (0..n).map(|b| correlation(a, b)).collect()).collect();
    // The factors are the diagonal of the inverse of the correlations.
    let inverse = inverse(correlations)?;
    Some((0..n).map(|i| inverse[i][i]).collect())
}

/// Inverts a matrix by elimination with pivots (Gauss-Jordan); `None` where there is no inverse.
fn inverse(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    for (i, row) in matrix.iter_mut().enumerate() {
        row.extend((0..n).map(|j| f64::from(u8::from(i == j))));
    }
    for i in 0..n {
        let pivot = (i..n).max_by(|a, b| matrix[*a][i].abs().total_cmp(&matrix[*b][i].abs()))?;
        matrix.swap(i, pivot);
        let of = matrix[i][i];
        if of == 0.0 {
            return None;
        }
        matrix[i].iter_mut().for_each(|value| *value /= of);
        let row = matrix[i].clone();
        for (_, other) in matrix.iter_mut().enumerate().filter(|(j, _)| *j != i) {
            let by = other[i];
            other.iter_mut().zip(&row).for_each(|(value, own)| *value -= by * own);
        }
    }
    Some(matrix.into_iter().map(|row| row[n..].to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposure(item: &str, shares: &[f64]) -> Exposure {
        let shares = shares.iter().copied().map(Some).collect();
        Exposure { item: item.to_owned(), name: item.to_owned(), shares }
    }

    #[test]
    fn caveats_name_what_cannot_be_shown() {
        let steady = exposure("steady", &[0.9, 0.95, 0.92, 0.99, 0.9, 0.93]);
        let (one, same) = (
            exposure("one", &[0.1, 0.5, 0.3, 0.9, 0.7, 0.2]),
            exposure("same", &[0.2, 0.6, 0.4, 1.0, 0.8, 0.3]),
        );
        let notes = caveats(&[steady, one, same]);
        assert_eq!(
            notes,
            [
                "steady hardly varied: it cannot be compared with anything",
                "one and same always varied together: their effects cannot be separated",
            ]
        );
    }

    #[test]
    fn what_follows_from_several_is_reported_once() {
        // The third is the sum of the first two, which have nothing in common.
        let (one, two) = ([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.5, 0.4], [0.5, 0.4, 0.1, 0.2, 0.9, 0.8, 0.3, 0.7]);
        let sum: Vec<f64> = one.iter().zip(two).map(|(a, b)| (a + b) / 2.0).collect();
        let notes = caveats(&[exposure("one", &one), exposure("two", &two), exposure("sum", &sum)]);
        assert!(
            notes.iter().any(|note| note.starts_with("sum follows from the other habits combined")),
            "{notes:?}"
        );
        assert!(caveats(&[exposure("one", &one), exposure("two", &two)]).is_empty());
    }

    #[test]
    fn inflation_is_what_the_books_say() {
        // Two columns: 1 / (1 - r^2); r = 0.8 here.
        let factors = variance_inflation(&[vec![1.0, 2.0, 3.0, 4.0], vec![1.0, 3.0, 2.0, 4.0]]).unwrap();
        assert!(factors.iter().all(|factor| (factor - 1.0 / 0.36).abs() < 1e-6), "{factors:?}");
        let same = vec![1.0, 2.0, 4.0];
        assert!(
            variance_inflation(&[same.clone(), same.clone()]).unwrap().iter().all(|factor| *factor > 1e6)
        );
        // Too few rows, or a column that says nothing.
        assert_eq!(variance_inflation(&[vec![1.0, 2.0], vec![2.0, 1.0]]), None);
        assert_eq!(variance_inflation(&[same, vec![1.0; 3]]), None);
    }
}
