//! Exact decimal numbers: no floating point.

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
    /// The most decimal places.
    const PLACES: u32 = 9;
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

    /// Returns the exact difference; `None` below zero, or where it cannot be held.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let difference = self.scaled(exponent)?.checked_sub(other.scaled(exponent)?)?;
        Self::of_digits(difference, i32::from(exponent))
    }

    /// Returns the exact product; `None` where it cannot be held.
    #[must_use]
    pub fn checked_mul(self, factor: Self) -> Option<Self> {
        let coefficient = u128::from(self.coefficient).checked_mul(u128::from(factor.coefficient))?;
        Self::of_digits(coefficient, i32::from(self.exponent) + i32::from(factor.exponent))
    }

    /// Returns the exact quotient; `None` where no decimal is equal to it, as for a third.
    #[must_use]
    pub fn checked_div(self, divisor: Self) -> Option<Self> {
        let denominator = u128::from(divisor.coefficient);
        // As many places as a number can have settle whether there is one.
        let numerator = u128::from(self.coefficient).checked_mul(10u128.pow(Self::PLACES))?;
        (denominator != 0 && numerator.is_multiple_of(denominator)).then_some(())?;
        let exponent =
            i32::from(self.exponent) - i32::from(divisor.exponent) - i32::try_from(Self::PLACES).ok()?;
        Self::of_digits(numerator / denominator, exponent)
    }

    /// Returns the quotient in billionths, rounded up; `None` where it cannot be held.
    #[must_use]
    pub fn ratio_in_billionths(self, divisor: Self) -> Option<u128> {
        let exponent = self.exponent.min(divisor.exponent);
        let (all, one) = (self.scaled(exponent)?, divisor.scaled(exponent)?);
        (one > 0).then(|| Some(all.checked_mul(1_000_000_000)?.div_ceil(one)))?
    }

    fn of_digits(mut coefficient: u128, mut exponent: i32) -> Option<Self> {
        while coefficient != 0 && coefficient.is_multiple_of(10) {
            coefficient /= 10;
            exponent += 1;
        }
        Self::new(u64::try_from(coefficient).ok()?, exponent)
    }

    /// Returns how many of another number this is, part of one counted as one; `None` where it cannot be held.
    #[must_use]
    pub fn div_ceil(self, divisor: Self) -> Option<u128> {
        let exponent = self.exponent.min(divisor.exponent);
        let (all, one) = (self.scaled(exponent)?, divisor.scaled(exponent)?);
        (one > 0).then(|| all.div_ceil(one))
    }

    fn scaled(self, exponent: i8) -> Option<u128> {
        let shift = u32::try_from(i32::from(self.exponent) - i32::from(exponent)).ok()?;
        u128::from(self.coefficient).checked_mul(10u128.checked_pow(shift)?)
    }
}

impl From<u32> for Decimal {
    fn from(number: u32) -> Self {
        Self::of_digits(u128::from(number), 0).unwrap_or(Self::ZERO)
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
        let wrong =
            || ParseError::new(format!("`{text}` is not a number"), "write it as `0.5`, `500` or `5e9`");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_quotients_are_exact() {
        let read = |text: &str| text.parse::<Decimal>().unwrap();
        let product = |a: &str, b: &str| read(a).checked_mul(read(b)).map(|number| number.to_string());
        assert_eq!(product("2.5", "4").as_deref(), Some("10"));
        assert_eq!(product("5", "1e9").as_deref(), Some("5e9"));
        assert_eq!(product("1e18", "10"), None);
        let quotient = |a: &str, b: &str| read(a).checked_div(read(b)).map(|number| number.to_string());
        assert_eq!(quotient("1", "2").as_deref(), Some("0.5"));
        assert_eq!(quotient("3", "8").as_deref(), Some("0.375"));
        assert_eq!(quotient("500", "0.25").as_deref(), Some("2000"));
        assert_eq!(quotient("1", "3"), None);
        assert_eq!(quotient("1", "0"), None);
        assert_eq!(read("250").div_ceil(read("100")), Some(3));
        assert_eq!(read("0").div_ceil(read("100")), Some(0));
        assert_eq!(read("1").div_ceil(read("0")), None);
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
