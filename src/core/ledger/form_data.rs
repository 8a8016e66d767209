//! What a check-in and a scan record: the data of their forms.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::core::text::{folded, plain_dash};

/// The data of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormData {
    /// The answers of a check-in.
    CheckIn(CheckIn),
    /// One site of a bone density scan.
    Scan(Scan),
}

/// The answers of a check-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckIn {
    /// The form with its version, `dosed check-in v1`: another wording is another series.
    pub form: String,
    /// The language in which it was asked.
    pub language: String,
    /// From 0 to 10 by question; `None` was left out, which is no zero.
    pub answers: BTreeMap<String, Option<u8>>,
    /// Numbers with their unit by question, `120 mmHg`; `None` where one was left out.
    pub values: BTreeMap<String, Option<String>>,
    /// What had changed: a medicine, a diet, an illness, a journey.
    pub changed: Option<String>,
}

/// One site of a bone density scan, as the report prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Where it was made.
    pub facility: Option<String>,
    /// The model of the device.
    pub device: Option<String>,
    /// The serial number of the device.
    pub device_id: Option<String>,
    /// What was measured.
    pub region: ScanRegion,
    /// `left` or `right`, of hip and radius.
    pub side: Option<String>,
    /// Which vertebrae, such as `L1-L4`.
    pub vertebrae: Option<String>,
    /// Bone mineral density.
    pub bmd: Density,
    /// The T-score as printed; never computed, never classified.
    pub t_score: Option<String>,
    /// The Z-score as printed.
    pub z_score: Option<String>,
    /// The least significant change that the report gives.
    pub lsc: Option<Density>,
}

/// A region of the skeleton that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScanRegion {
    /// The lumbar spine.
    LumbarSpine,
    /// The whole hip.
    TotalHip,
    /// The neck of the femur.
    FemoralNeck,
    /// The radius at a third of its length.
    OneThirdRadius,
}

impl ScanRegion {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::LumbarSpine, Self::TotalHip, Self::FemoralNeck, Self::OneThirdRadius];

    /// Returns the region's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LumbarSpine => "lumbar-spine",
            Self::TotalHip => "total-hip",
            Self::FemoralNeck => "femoral-neck",
            Self::OneThirdRadius => "one-third-radius",
        }
    }
}

impl FromStr for ScanRegion {
    type Err = ParseFormDataError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = folded(text).replace([' ', '_'], "-");
        let named = match words.as_str() {
            "spine" | "ap-spine" | "l-spine" | "lumbar" => "lumbar-spine",
            "hip-total" => "total-hip",
            "neck" => "femoral-neck",
            "1/3-radius" | "radius-1/3" | "33%-radius" | "radius-33%" => "one-third-radius",
            words => words,
        };
        let known = Self::ALL.into_iter().find(|region| region.as_str() == named);
        known.ok_or_else(|| ParseFormDataError::Region { text: text.to_owned() })
    }
}

/// A bone mineral density in g/cm2, exact to 0.1 mg/cm2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Density(pub u32);

impl Density {
    /// Units in one g/cm2.
    pub const PER_GRAM: u32 = 10_000;

    /// No bone is denser than this.
    const MAX: u32 = 5 * Self::PER_GRAM;

    /// Returns it in g/cm2.
    #[must_use]
    pub fn grams(self) -> f64 {
        f64::from(self.0) / f64::from(Self::PER_GRAM)
    }
}

impl fmt::Display for Density {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / Self::PER_GRAM, self.0 % Self::PER_GRAM);
        // As reports print it: three digits, and the fourth where it says something.
        if rest % 10 == 0 { write!(f, "{whole}.{:03}", rest / 10) } else { write!(f, "{whole}.{rest:04}") }
    }
}

impl FromStr for Density {
    type Err = ParseFormDataError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseFormDataError::Density { text: text.to_owned() };
        let number = ["g/cm2", "g/cm\u{b2}", "g/cm^2"].iter().find_map(|unit| text.trim().strip_suffix(unit));
        let number = number.unwrap_or(text).trim().replace(',', ".");
        let (whole, fraction) = number.split_once('.').unwrap_or((number.as_str(), ""));
        let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > 4 {
            return Err(wrong());
        }
        let value: u32 = format!("{whole}{fraction:0<4}").parse().map_err(|_| wrong())?;
        if (1..=Self::MAX).contains(&value) { Ok(Self(value)) } else { Err(wrong()) }
    }
}

/// Why a text of a check-in or a scan cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseFormDataError {
    /// Not a region.
    #[error("`{text}` is not a region: use lumbar-spine, total-hip, femoral-neck or one-third-radius")]
    Region {
        /// What was read.
        text: String,
    },
    /// Not a score.
    #[error("`{text}` is not a score: write it as on the report, such as `-1.2`")]
    Score {
        /// What was read.
        text: String,
    },
    /// Not a density.
    #[error("`{text}` is not a density in g/cm2: write it as on the report, such as `0.912`")]
    Density {
        /// What was read.
        text: String,
    },
}

/// Reads a T- or Z-score as a report prints it, and returns it as it is recorded: `-1.2`.
///
/// # Errors
///
/// It is no number from -10 to 10.
pub fn parse_score(text: &str) -> Result<String, ParseFormDataError> {
    let wrong = || ParseFormDataError::Score { text: text.to_owned() };
    let plain: String = text.trim().chars().map(plain_dash).map(|c| if c == ',' { '.' } else { c }).collect();
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits.trim_start()),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number =
        |part: &str| !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
    let is_small = whole.parse::<u8>().is_ok_and(|whole| whole <= 10);
    (is_number(whole) && is_number(fraction) && is_small).then(|| format!("{sign}{digits}")).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reports_print_is_read() {
        for (text, region) in [
            ("total-hip", ScanRegion::TotalHip),
            ("Total Hip", ScanRegion::TotalHip),
            ("AP Spine", ScanRegion::LumbarSpine),
            ("lumbar\u{2013}spine", ScanRegion::LumbarSpine),
            ("Femoral  neck", ScanRegion::FemoralNeck),
            ("1/3 radius", ScanRegion::OneThirdRadius),
        ] {
            assert_eq!(text.parse(), Ok(region), "{text}");
        }
        for (text, score) in [
            ("-1.2", "-1.2"),
            ("\u{2212}1,2", "-1.2"),
            ("\u{2013} 2.5", "-2.5"),
            ("+0.3", "0.3"),
            ("0", "0"),
            ("1", "1"),
        ] {
            assert_eq!(parse_score(text).as_deref(), Ok(score), "{text}");
        }
        for bad in ["", "banana", "-", "11", "-1.2.3", "1.234", "- -1"] {
            assert!(parse_score(bad).is_err(), "{bad}");
        }
        assert!("hip".parse::<ScanRegion>().is_err());
    }

    #[test]
    fn densities_are_exact() {
        for (text, value, written) in [
            ("0.912", 9_120, "0.912"),
            ("0.9125", 9_125, "0.9125"),
            ("1.1", 11_000, "1.100"),
            ("1", 10_000, "1.000"),
            ("0,912", 9_120, "0.912"),
            (" 0.912 g/cm\u{b2}", 9_120, "0.912"),
            ("0.912 g/cm2", 9_120, "0.912"),
        ] {
            let density: Density = text.parse().unwrap();
            assert_eq!((density.0, density.to_string().as_str()), (value, written));
        }
        for bad in ["", "0", "-0.9", "0,9,1", "0.9 g", "0.91234", "912", "9e-1", ".9"] {
            assert!(bad.parse::<Density>().is_err(), "{bad}");
        }
    }
}
