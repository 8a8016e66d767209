//! Bone density scans: which can be compared, and whether a difference is larger than the error of measuring.

use crate::core::ledger::{Density, Scan, ScanRegion};
use crate::core::text::folded;

/// The least significant change is this many precision errors (ISCD: 1.96 times the root of 2).
const LSC_OF_PRECISION_ERROR: f64 = 2.77;

/// The 97.5 % quantile that the page uses for slopes.
const Z: f64 = 1.96;

/// From so many comparable scans on there is a slope.
const SLOPE_FROM: usize = 3;

/// Returns the least significant change of a precision error, both in g/cm2.
#[must_use]
pub fn least_significant_change(precision_error: f64) -> f64 {
    LSC_OF_PRECISION_ERROR * precision_error
}

/// Returns the precision error of people who were measured several times, as the root mean square of
/// their standard deviations (ISCD); `None` of nobody.
#[must_use]
pub fn precision_error(people: &[&[f64]]) -> Option<f64> {
    let variances: Vec<f64> = people
        .iter()
        .filter(|values| values.len() > 1)
        .map(|values| {
            let n = to_f64(values.len());
            let mean = values.iter().sum::<f64>() / n;
            values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)
        })
        .collect();
    (!variances.is_empty()).then(|| (variances.iter().sum::<f64>() / to_f64(variances.len())).sqrt())
}

fn to_f64(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// Returns a default of the least significant change, in tenths of a percent; `None` where none is known.
#[must_use]
pub fn default_lsc(region: ScanRegion) -> Option<u32> {
    match region {
        ScanRegion::LumbarSpine => Some(53),
        ScanRegion::TotalHip => Some(50),
        ScanRegion::FemoralNeck => Some(69),
        ScanRegion::OneThirdRadius => None,
    }
}

/// Tells whether two scans were made alike: the same place, device and site.
#[must_use]
pub fn are_comparable(a: &Scan, b: &Scan) -> bool {
    differing_fields(a, b).is_empty()
}

/// Returns the names of the fields for which two scans cannot be compared.
#[must_use]
pub fn differing_fields(a: &Scan, b: &Scan) -> Vec<&'static str> {
    let is_equal = |a: &Option<String>, b: &Option<String>| {
        a.as_deref().map(folded_site) == b.as_deref().map(folded_site)
    };
    // Where the place is not recorded, nobody knows that it was the same.
    let same = |a: &Option<String>, b: &Option<String>| a.is_some() && is_equal(a, b);
    let same_if_known = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || is_equal(a, b);
    let fields = [
        ("region", a.region == b.region),
        ("side", is_equal(&a.side, &b.side)),
        ("vertebrae", is_equal(&a.vertebrae, &b.vertebrae)),
        ("facility", same(&a.facility, &b.facility)),
        ("device", same(&a.device, &b.device)),
        ("device-id", same_if_known(&a.device_id, &b.device_id)),
    ];
    fields.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect()
}

/// Returns a text of a report as it is compared; blanks about a dash say nothing.
fn folded_site(text: &str) -> String {
    folded(text).replace(" - ", "-")
}

/// How a scan differs from an earlier one that it can be compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The difference, in units of 0.1 mg/cm2.
    pub change: i32,
    /// The difference in percent of the earlier one.
    pub percent: f64,
    /// The least significant change, in units of 0.1 mg/cm2 and rounded up; `None` where none is known.
    pub lsc: Option<u32>,
    /// Whether that is a default and not from a report.
    pub lsc_is_default: bool,
    /// Whether the difference is at least as large.
    pub detectable: Option<bool>,
}

/// Compares a scan with an earlier one.
#[must_use]
pub fn compare(earlier: &Scan, later: &Scan) -> Change {
    let change = later.bmd.0.cast_signed() - earlier.bmd.0.cast_signed();
    let percent = f64::from(change) / f64::from(earlier.bmd.0) * 100.0;
    let printed = later.lsc.or(earlier.lsc).map(|Density(lsc)| lsc);
    // In whole numbers: a change that equals it counts.
    let default = default_lsc(earlier.region).map(|tenths| (tenths * earlier.bmd.0).div_ceil(1000));
    let lsc = printed.or(default);
    let detectable = lsc.map(|lsc| change.unsigned_abs() >= lsc);
    Change { change, percent, lsc, lsc_is_default: printed.is_none() && lsc.is_some(), detectable }
}

/// A slope in g/cm2 a year with its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// By least squares.
    pub slope: f64,
    /// How far the interval goes to each side.
    pub half_width: f64,
}

/// Returns the slope of comparable scans, given as years and g/cm2, from three of them on.
#[must_use]
pub fn slope(points: &[(f64, f64)], precision_error: f64) -> Option<Slope> {
    if points.len() < SLOPE_FROM {
        return None;
    }
    let (slope, spread) = least_squares(points)?;
    Some(Slope { slope, half_width: Z * precision_error / spread.sqrt() })
}

/// Returns the slope, and the sum of squares of the times about their mean.
fn least_squares(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = to_f64(points.len());
    let (mean_t, mean_y) =
        (points.iter().map(|(t, _)| t).sum::<f64>() / n, points.iter().map(|(_, y)| y).sum::<f64>() / n);
    let spread: f64 = points.iter().map(|(t, _)| (t - mean_t).powi(2)).sum();
    let product: f64 = points.iter().map(|(t, y)| (t - mean_t) * (y - mean_y)).sum();
    (spread > 0.0).then(|| (product / spread, spread))
}

/// Returns the precision error that a least significant change implies, in g/cm2.
#[must_use]
pub fn precision_error_of(lsc: u32) -> f64 {
    Density(lsc).grams() / LSC_OF_PRECISION_ERROR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(region: ScanRegion, bmd: &str, lsc: Option<&str>) -> Scan {
        Scan {
            facility: Some("Clinic".to_owned()),
            device: Some("Horizon".to_owned()),
            device_id: None,
            region,
            side: None,
            vertebrae: None,
            bmd: bmd.parse().unwrap(),
            t_score: None,
            z_score: None,
            lsc: lsc.map(|lsc| lsc.parse().unwrap()),
        }
    }

    /// The worked numbers of the domain page.
    #[test]
    fn the_worked_numbers_come_out() {
        let near =
            |got: f64, expected: f64| assert!((got - expected).abs() < 5e-9, "{got} is not {expected}");
        // D1
        near(least_significant_change(0.010), 0.0277);
        // D3, D4
        let d3 = precision_error(&[&[1.00, 1.02], &[0.90, 0.91], &[0.80, 0.80]]).unwrap();
        near(d3, 0.009_128_71);
        near(least_significant_change(d3), 0.025_286_52);
        let d4 = precision_error(&[&[1.00, 1.01, 1.02], &[0.90, 0.90, 0.93]]).unwrap();
        near(d4, 0.014_142_14);
        near(least_significant_change(d4), 0.039_173_72);
        // D5, D6, D12: a least significant change of 0.0277
        for (later, detectable) in [("0.925", false), ("0.930", true), ("0.9277", true), ("0.9276", false)] {
            let (earlier, later) = (
                scan(ScanRegion::LumbarSpine, "0.900", Some("0.0277")),
                scan(ScanRegion::LumbarSpine, later, Some("0.0277")),
            );
            assert_eq!(compare(&earlier, &later).detectable, Some(detectable), "{later:?}");
        }
        // D7, D8: the default of the spine
        for (earlier, later, detectable) in
            [("0.900", "0.940", false), ("0.900", "0.950", true), ("0.950", "0.900", false)]
        {
            let (earlier, later) =
                (scan(ScanRegion::LumbarSpine, earlier, None), scan(ScanRegion::LumbarSpine, later, None));
            let change = compare(&earlier, &later);
            assert_eq!((change.detectable, change.lsc_is_default), (Some(detectable), true));
        }
        let down = compare(
            &scan(ScanRegion::LumbarSpine, "0.950", None),
            &scan(ScanRegion::LumbarSpine, "0.900", None),
        );
        assert!((down.percent - -5.263).abs() < 5e-4);
        assert_eq!(
            compare(
                &scan(ScanRegion::OneThirdRadius, "0.7", None),
                &scan(ScanRegion::OneThirdRadius, "0.8", None)
            )
            .detectable,
            None
        );
        // D10; two scans have a half width, but no slope is shown of them
        for (n, half_width) in [(3, 0.0139), (4, 0.0088), (5, 0.0062)] {
            let points: Vec<(f64, f64)> = (0..n).map(|year| (f64::from(year), 0.9)).collect();
            let slope = slope(&points, 0.010).unwrap();
            assert!((slope.half_width - half_width).abs() < 5e-5, "{n}: {slope:?}");
        }
        assert_eq!(slope(&[(0.0, 0.9), (1.0, 0.9)], 0.010), None);
        assert_eq!(slope(&[(1.0, 0.9); 3], 0.010), None);
        assert_eq!(precision_error(&[]), None);
    }

    #[test]
    fn only_what_was_made_alike_is_compared() {
        let one = scan(ScanRegion::TotalHip, "0.9", None);
        assert!(are_comparable(&one, &one));
        let other = |change: &dyn Fn(&mut Scan)| {
            let mut other = one.clone();
            change(&mut other);
            are_comparable(&one, &other)
        };
        assert!(!other(&|scan| scan.facility = Some("Elsewhere".to_owned())));
        assert!(!other(&|scan| scan.facility = None));
        assert!(!other(&|scan| scan.device = Some("Prodigy".to_owned())));
        assert!(!other(&|scan| scan.region = ScanRegion::FemoralNeck));
        assert!(!other(&|scan| scan.side = Some("left".to_owned())));
        assert!(other(&|scan| scan.device_id = Some("17".to_owned())));
        assert!(other(&|scan| scan.bmd = "1.0".parse().unwrap()));
        let known = |id: &str| Scan { device_id: Some(id.to_owned()), ..one.clone() };
        assert!(!are_comparable(&known("17"), &known("18")));
        // As another report prints it.
        let spine = |vertebrae: &str| Scan { vertebrae: Some(vertebrae.to_owned()), ..one.clone() };
        for other in ["l1-l4", "L1\u{2013}L4", "L1 \u{2013} L4", " L1-L4 "] {
            assert!(are_comparable(&spine("L1-L4"), &spine(other)), "{other}");
        }
        assert!(!are_comparable(&spine("L1-L4"), &spine("L2-L4")));
        assert!(other(&|scan| scan.facility = Some(" CLINIC".to_owned())));
        let elsewhere = Scan { facility: None, device: Some("Prodigy".to_owned()), ..spine("L1-L4") };
        assert_eq!(differing_fields(&one, &elsewhere), ["vertebrae", "facility", "device"]);
    }
}
