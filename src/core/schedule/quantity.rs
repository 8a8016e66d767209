//! One number with its unit, or a range of numbers, as labels and leaflets have it: `5e9 CFU`, `1/2 tablet`, `250-500 mg`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::{Decimal, ParseError, Unit};

/// A number with its unit, exact; or a range, where the person decides each time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quantity {
    /// How many; of a range, the fewest.
    pub value: Decimal,
    /// The most of a range.
    pub most: Option<Decimal>,
    /// Of what.
    pub unit: Unit,
}

/// How a point between digits is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Points {
    /// One that may group thousands is refused.
    Strict,
    /// As a decimal point always: so the first versions recorded amounts.
    Decimal,
}

impl Quantity {
    /// Returns the values of two in a common unit; `None` where their units do not convert, or they cannot be held.
    #[must_use]
    pub fn in_common(&self, other: &Self) -> Option<(Decimal, Decimal)> {
        let (mine, theirs) = self.unit.ratio(&other.unit)?;
        Some((self.value.checked_mul(mine.into())?, other.value.checked_mul(theirs.into())?))
    }

    /// Returns the value in a unit of which this one's is a multiple; `None` where they do not convert.
    #[must_use]
    pub fn value_in(&self, unit: &Unit) -> Option<Decimal> {
        let (mine, theirs) = self.unit.ratio(unit)?;
        self.value.checked_mul(mine.into())?.checked_div(theirs.into())
    }

    /// Returns the sum of quantities that convert to a unit, in the smallest unit that occurs; `None` where it cannot be held.
    #[must_use]
    pub fn sum<'a>(quantities: impl Iterator<Item = &'a Self>, unit: &Unit) -> Option<Self> {
        let quantities: Vec<&Self> = quantities.collect();
        let worth = |of: &Unit| of.ratio(unit).map(|(mine, theirs)| f64::from(mine) / f64::from(theirs));
        // Where it is as small, the unit itself, in its own spelling.
        let units = [unit].into_iter().chain(quantities.iter().map(|quantity| &quantity.unit));
        let smallest = units.min_by(|a, b| worth(a).partial_cmp(&worth(b)).unwrap_or(Ordering::Equal))?;
        let values = quantities.iter().map(|quantity| quantity.value_in(smallest));
        let value = values.into_iter().try_fold(Decimal::ZERO, |sum, value| sum.checked_add(value?))?;
        Some(Self { value, most: None, unit: smallest.clone() })
    }

    /// Returns how many doses this opens, part of one counted as one; `None` where the units do not convert.
    #[must_use]
    pub fn doses_of(&self, dose: &Self) -> Option<u128> {
        let (all, one) = self.in_common(dose)?;
        all.div_ceil(one)
    }

    pub(super) fn read(text: &str, points: Points) -> Result<Self, ParseError> {
        let text = text.trim();
        let (value, rest) = number(text, points)?;
        let (most, rest) = match range_end(rest) {
            Some(rest) => number(rest, points).map(|(most, rest)| (Some(most), rest))?,
            None => (None, rest),
        };
        if most.is_some_and(|most| most <= value) {
            let help = "write the smaller number first, as in `250-500 mg`";
            return Err(ParseError::new(format!("`{text}` is not a range"), help));
        }
        Ok(Self { value, most, unit: unit(text, rest.trim())? })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.unit)
    }
}

impl FromStr for Quantity {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text, Points::Strict)
    }
}

/// Returns what follows the sign or the word of a range.
fn range_end(rest: &str) -> Option<&str> {
    let rest = rest.trim_start();
    let end = rest.strip_prefix(['-', '\u{2013}', '\u{2014}']).or_else(|| rest.strip_prefix("to "))?;
    let end = end.trim_start();
    end.starts_with(|c: char| c.is_ascii_digit() || fraction_sign(c).is_some()).then_some(end)
}

/// Reads the word of a unit.
fn unit(text: &str, word: &str) -> Result<Unit, ParseError> {
    if word.is_empty() {
        let message = format!("`{text}` has no unit");
        return Err(ParseError::new(
            message,
            format!("write it as `{text} mg` or `{text} tablets`, for example"),
        ));
    }
    let is_first = |c: char| c.is_alphabetic() || c == '%';
    let is_other = |c: char| c.is_alphanumeric() || "%.-'\u{2019}".contains(c);
    if word.starts_with(is_first) && word.chars().all(is_other) {
        return Ok(Unit::of(word));
    }
    let names_several = word.contains(['/', '+', '&', ',', ';']) || word.contains(" and ");
    let help = match word.strip_prefix(['x', '\u{d7}']).map(str::trim_start) {
        Some(times) if times.starts_with(|c: char| c.is_ascii_digit()) => {
            "write how much it is in all, as `500 mg`, or how many, as `2 tablets`"
        }
        _ if names_several => {
            "write several substances as a list, `[\"600 mg\", \"400 IU\"]`; a strength such as `mg/ml` goes into `note`"
        }
        _ => "write a number and one word, as `2 tablets`; anything else goes into `note`",
    };
    Err(ParseError::new(format!("`{text}` is not an amount: `{word}` is not a unit"), help))
}

/// Reads the number with which a text begins, and returns what follows.
fn number(text: &str, points: Points) -> Result<(Decimal, &str), ParseError> {
    let (digits, rest) = text.split_at(digits_end(text));
    let rest_trimmed = rest.trim_start();
    if let Some((sign, half)) = rest_trimmed.chars().next().and_then(|c| Some((c, fraction_sign(c)?))) {
        let whole = if digits.is_empty() { Decimal::ZERO } else { plain(text, digits, 0, points)? };
        let value = whole.checked_add(half).ok_or_else(|| not_an_amount(text))?;
        return Ok((value, &rest_trimmed[sign.len_utf8()..]));
    }
    if digits.is_empty() {
        return Err(not_an_amount(text));
    }
    if let Some((denominator, rest)) = rest.strip_prefix('/').and_then(leading_integer) {
        // The numerator is the last word before it: `1 1/2` has a whole number too.
        return fraction(text, digits, denominator).map(|value| (value, rest));
    }
    match power_of_ten(rest).ok_or_else(|| not_an_amount(text))? {
        (0, rest) => plain(text, digits, 0, points).map(|value| (value, rest)),
        // Nobody groups thousands before a power of ten.
        (power, rest) => plain(text, digits, power, Points::Decimal).map(|value| (value, rest)),
    }
}

/// Returns where the digits of a number end, with the signs between them.
fn digits_end(text: &str) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next_is_digit = chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        if c.is_ascii_digit() {
            end = at + c.len_utf8();
        } else if is_space(c) {
            // Of a group of three, or of the fraction after a whole number.
            let after = &text[at + c.len_utf8()..];
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let is_fraction =
                digits > 0 && after[digits..].starts_with('/') && !text[..at].contains(is_space);
            if end == 0 || !(digits == 3 || is_fraction) {
                break;
            }
        } else if !(is_sign(c) && next_is_digit) {
            break;
        }
    }
    end
}

/// Tells whether a character stands between the digits of one number.
fn is_sign(c: char) -> bool {
    matches!(c, '.' | ',' | '\'' | '\u{2019}' | '_')
}

/// The spaces that stand between groups of three digits.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}')
}

/// Reads digits with what groups them, before a power of ten.
fn plain(text: &str, digits: &str, power: i32, points: Points) -> Result<Decimal, ParseError> {
    let whole = digits.split(is_sign_or_space).next().unwrap_or_default();
    if whole.is_empty() {
        let help = format!("write `0{}`", digits.replace(',', "."));
        return Err(ParseError::new(format!("`{text}` does not begin with a digit"), help));
    }
    let groups: Vec<&str> = digits.split(is_sign_or_space).skip(1).collect();
    let in_threes = whole.len() <= 3 && whole != "0" && groups.iter().all(|group| group.len() == 3);
    let all: String = digits.chars().filter(char::is_ascii_digit).collect();
    let has = |sign: char| digits.contains(sign);
    if points == Points::Strict && (has('.') || has(',')) {
        let last = digits.rfind(['.', ',']).unwrap_or_default();
        let fraction = digits[last + 1..].trim_end_matches('0');
        let before: String = digits[..last].chars().filter(char::is_ascii_digit).collect();
        if in_threes && groups.len() == 1 {
            return Err(ambiguous(text, digits, &all, &before, fraction));
        }
        if in_threes && (has('.') != has(',')) {
            let message = format!("`{text}` has signs between groups of digits");
            return Err(ParseError::new(message, format!("write `{}`", text.replacen(digits, &all, 1))));
        }
        if has(',') {
            let point = if fraction.is_empty() { before } else { format!("{before}.{fraction}") };
            let message = format!("`{text}` has a comma");
            return Err(ParseError::new(message, format!("write `{}`", text.replacen(digits, &point, 1))));
        }
    }
    let is_grouped = digits.contains(|c: char| is_sign_or_space(c) && c != '.');
    let number = if is_grouped {
        if !in_threes || has('.') {
            return Err(not_an_amount(text));
        }
        all.as_str()
    } else {
        digits
    };
    format!("{number}e{power}").parse().map_err(|_| not_an_amount(text))
}

fn is_sign_or_space(c: char) -> bool {
    is_sign(c) || is_space(c)
}

/// One sign before three digits: either thousands or a fraction.
fn ambiguous(text: &str, digits: &str, thousands: &str, whole: &str, fraction: &str) -> ParseError {
    // Three decimal places would be ambiguous once more; a fourth tells that they are decimal.
    let decimal = match fraction.len() {
        0 => whole.to_owned(),
        3 => format!("{whole}.{fraction}0"),
        _ => format!("{whole}.{fraction}"),
    };
    let with = |number: &str| text.replacen(digits, number, 1);
    ParseError::new(
        format!("`{text}` is ambiguous: {thousands} or {decimal}"),
        format!("write `{}` or `{}`", with(thousands), with(&decimal)),
    )
}

/// Returns the value of a sign for a fraction.
fn fraction_sign(c: char) -> Option<Decimal> {
    let text = match c {
        '\u{bd}' => "0.5",
        '\u{bc}' => "0.25",
        '\u{be}' => "0.75",
        _ => return None,
    };
    text.parse().ok()
}

fn leading_integer(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    (end > 0).then(|| text.split_at(end))
}

/// Makes the number of `1/2`, or of `1 1/2`.
fn fraction(text: &str, digits: &str, denominator: &str) -> Result<Decimal, ParseError> {
    let (whole, numerator) = digits.rsplit_once(is_space).unwrap_or(("0", digits));
    let read = |digits: &str| digits.parse::<Decimal>().map_err(|_| not_an_amount(text));
    let value = read(numerator)?.checked_div(read(denominator)?);
    let Some(value) = value.and_then(|part| part.checked_add(read(whole).ok()?)) else {
        let message = format!("`{text}` has no exact decimal");
        return Err(ParseError::new(message, "halves, quarters, fifths, eighths and tenths have one"));
    };
    Ok(value)
}

/// Reads a power of ten: `e9`, `x10^9`, ` billion`; 0 where there is none. `None` where no number can have it.
fn power_of_ten(rest: &str) -> Option<(i32, &str)> {
    let power = |exponent: &str| exponent.trim_start_matches('+').parse().ok();
    if let Some(after) = rest.strip_prefix(['e', 'E']) {
        let sign = usize::from(after.starts_with(['+', '-']));
        let end = sign + after[sign..].bytes().take_while(u8::is_ascii_digit).count();
        if end > sign {
            return Some((power(&after[..end])?, &after[end..]));
        }
    }
    let trimmed = rest.trim_start();
    if let Some(after) = trimmed.strip_prefix(['x', '\u{d7}', '\u{b7}', '*']).map(str::trim_start) {
        if let Some((exponent, rest)) = after.strip_prefix("10^").and_then(leading_integer) {
            return Some((power(exponent)?, rest));
        }
    }
    for (word, exponent) in [("thousand", 3), ("million", 6), ("billion", 9)] {
        if let Some(after) = trimmed.strip_prefix(word).filter(|after| after.starts_with(is_space)) {
            return Some((exponent, after));
        }
    }
    Some((0, rest))
}

pub(super) fn not_an_amount(text: &str) -> ParseError {
    ParseError::new(format!("`{text}` is not an amount"), "write it as `500 mg`, `1/2 tablet` or `5e9 CFU`")
}
