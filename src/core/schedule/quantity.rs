//! Amounts with their unit, exact: no floating point, no conversion between units.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::ParseError;

/// An exact decimal number, never negative: `coefficient * 10^exponent`, without trailing zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    coefficient: u64,
    exponent: i8,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { coefficient: 0, exponent: 0 };
    /// The digits that a coefficient always has room for.
    const MAX_DIGITS: usize = 19;
    /// The exponents that are accepted: 10^-9 to 10^18 covers micrograms to colony counts.
    const EXPONENTS: std::ops::RangeInclusive<i8> = -9..=18;

    fn new(mut coefficient: u64, mut exponent: i32) -> Option<Self> {
        if coefficient == 0 {
            return Some(Self::ZERO);
        }
        while coefficient.is_multiple_of(10) {
            coefficient /= 10;
            exponent = exponent.checked_add(1)?;
        }
        let exponent = i8::try_from(exponent).ok().filter(|e| Self::EXPONENTS.contains(e))?;
        Some(Self { coefficient, exponent })
    }

    /// Returns the nearest number that statistics can be made of.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "statistics need no more digits")]
        let coefficient = self.coefficient as f64;
        coefficient * 10f64.powi(i32::from(self.exponent))
    }

    /// Returns the number as its coefficient and the exponent of ten that it has.
    #[must_use]
    pub fn parts(self) -> (u64, i8) {
        (self.coefficient, self.exponent)
    }

    /// Makes a number of its parts again; `None` where no number has them.
    #[must_use]
    pub fn from_parts((coefficient, exponent): (u64, i8)) -> Option<Self> {
        Self::new(coefficient, i32::from(exponent)).filter(|number| number.parts() == (coefficient, exponent))
    }

    /// Returns the exact sum; `None` where it cannot be held.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let sum = self.scaled(exponent)?.checked_add(other.scaled(exponent)?)?;
        Self::new(u64::try_from(sum).ok()?, i32::from(exponent))
    }

    fn scaled(self, exponent: i8) -> Option<u128> {
        let shift = u32::try_from(i32::from(self.exponent) - i32::from(exponent)).ok()?;
        u128::from(self.coefficient).checked_mul(10u128.checked_pow(shift)?)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let exponent = self.exponent.min(other.exponent);
        // The exponents span 27 and a coefficient has 20 digits: the widest product has 47, so
        // compare by magnitude where it does not fit.
        match (self.scaled(exponent), other.scaled(exponent)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (None, None) => self.exponent.cmp(&other.exponent),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.coefficient.to_string();
        match self.exponent {
            0 => f.write_str(&digits),
            e @ 1..6 if digits.len() + usize::from(e.unsigned_abs()) <= Self::MAX_DIGITS => {
                write!(f, "{digits}{}", "0".repeat(usize::from(e.unsigned_abs())))
            }
            e @ 1.. => {
                let (head, tail) = digits.split_at(1);
                let point = if tail.is_empty() { "" } else { "." };
                let exponent = usize::from(e.unsigned_abs()) + tail.len();
                write!(f, "{head}{point}{tail}e{exponent}")
            }
            e => {
                let places = usize::from(e.unsigned_abs());
                let padded = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = padded.split_at(padded.len() - places);
                write!(f, "{whole}.{fraction}")
            }
        }
    }
}

impl FromStr for Decimal {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || not_an_amount(text);
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (
                mantissa,
                exponent.strip_prefix('+').unwrap_or(exponent).parse::<i32>().map_err(|_| wrong())?,
            ),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty()
            || !digits(whole)
            || !digits(fraction)
            || (mantissa.contains('.') && fraction.is_empty())
        {
            return Err(wrong());
        }
        let coefficient: u64 = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
        let places = i32::try_from(fraction.len()).map_err(|_| wrong())?;
        let exponent = exponent.checked_sub(places).ok_or_else(wrong)?;
        Self::new(coefficient, exponent).ok_or_else(wrong)
    }
}

/// The unit of a quantity, in its one spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unit(&'static str);

impl Unit {
    /// Each unit with the other spellings that are read as it.
    const KNOWN: &'static [(&'static str, &'static [&'static str])] = &[
        ("CFU", &["cfu"]),
        ("IU", &["iu"]),
        ("g", &[]),
        ("mg", &[]),
        ("ug", &["µg", "μg", "mcg"]),
        ("ml", &["mL"]),
        ("l", &["L"]),
        ("tablet", &["tablets", "tab", "tabs"]),
        ("capsule", &["capsules", "cap", "caps"]),
        ("drop", &["drops"]),
        ("sachet", &["sachets"]),
        ("scoop", &["scoops"]),
        ("spray", &["sprays"]),
        ("puff", &["puffs"]),
        ("patch", &["patches"]),
        ("piece", &["pieces", "unit", "units", "dose", "doses"]),
        ("portion", &["portions"]),
        ("glass", &["glasses"]),
        ("cup", &["cups"]),
        ("min", &["minute", "minutes", "mins"]),
        ("h", &["hour", "hours"]),
        ("step", &["steps"]),
        ("km", &[]),
        ("m", &[]),
        ("kcal", &[]),
        ("time", &["times", "session", "sessions"]),
    ];

    /// Returns the unit's spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Returns the spelling of every unit.
    pub fn all() -> impl Iterator<Item = &'static str> {
        Self::KNOWN.iter().map(|(name, _)| *name)
    }
}

impl FromStr for Unit {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::KNOWN
            .iter()
            .find(|(name, others)| *name == text || others.contains(&text))
            .map(|(name, _)| Self(name))
            .ok_or_else(|| {
                let known: Vec<_> = Self::all().collect();
                ParseError::new(format!("unknown unit `{text}`"), format!("use one of {}", known.join(", ")))
            })
    }
}

/// An exact amount of something, `5e9 CFU`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quantity {
    /// How many.
    pub value: Decimal,
    /// Of what.
    pub unit: Unit,
}

impl Quantity {
    /// Returns how many doses this opens, part of one counted as one; `None` where the units differ or it
    /// cannot be held.
    #[must_use]
    pub fn doses_of(self, dose: Self) -> Option<u128> {
        let exponent = self.value.exponent.min(dose.value.exponent);
        let (all, one) = (self.value.scaled(exponent)?, dose.value.scaled(exponent)?);
        (self.unit == dose.unit && one > 0).then(|| all.div_ceil(one))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.unit.0)
    }
}

impl FromStr for Quantity {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let number_ends = text
            .char_indices()
            .find(|&(i, c)| {
                let exponent = matches!(c, 'e' | 'E')
                    && text[i + 1..].starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-');
                let sign = matches!(c, '+' | '-') && text[..i].ends_with(['e', 'E']);
                !(c.is_ascii_digit() || c == '.' || exponent || sign)
            })
            .map_or(text.len(), |(i, _)| i);
        let (number, unit) = text.split_at(number_ends);
        if number.is_empty() {
            return Err(not_an_amount(text));
        }
        let unit = unit.trim();
        if unit.is_empty() {
            return Err(ParseError::new(
                format!("`{text}` has no unit"),
                format!("write it as `{text} mg`, for example"),
            ));
        }
        Ok(Self { value: number.parse()?, unit: unit.parse()? })
    }
}

fn not_an_amount(text: &str) -> ParseError {
    ParseError::new(format!("`{text}` is not an amount"), "write it as `500 mg` or `5e9 CFU`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(read: &str, written: &str) {
        let quantity: Quantity = read.parse().unwrap();
        assert_eq!(quantity.to_string(), written);
        assert_eq!(written.parse::<Quantity>().unwrap(), quantity);
    }

    #[test]
    fn quantities_are_exact_and_have_one_spelling() {
        check("5e9 CFU", "5e9 CFU");
        check("5.5e9 CFU", "5.5e9 CFU");
        check("5000000000 CFU", "5e9 CFU");
        check("500mg", "500 mg");
        check("0.5 g", "0.5 g");
        check("0.50 g", "0.5 g");
        check("25 µg", "25 ug");
        check("1000 IU", "1000 IU");
        check("2 tablets", "2 tablet");
        check("0 min", "0 min");
    }

    #[test]
    fn impossible_quantities_are_refused() {
        for bad in ["", "mg", "500", "-5 mg", "5 mgg", "1e99 mg", "1. mg", ".5 mg", "99999999999999999999 mg"]
        {
            assert!(bad.parse::<Quantity>().is_err(), "{bad}");
        }
    }

    #[test]
    fn decimals_compare_by_value() {
        let order = ["0", "0.000000001", "0.1", "1", "1.5", "10", "5e9", "1e18"];
        for pair in order.windows(2) {
            let (a, b): (Decimal, Decimal) = (pair[0].parse().unwrap(), pair[1].parse().unwrap());
            assert!(a < b, "{a} {b}");
        }
    }
}
