//! What a check-in asks.

use std::borrow::Cow;
use std::fmt;

use super::Decimal;

/// A question that is answered with 0 to 10, or with a number of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// Its name.
    pub key: Cow<'static, str>,
    /// What is asked.
    pub text: Cow<'static, str>,
    /// What 0 means; empty where the answer is a number of its own.
    pub low: Cow<'static, str>,
    /// What 10 means; empty where the answer is a number of its own.
    pub high: Cow<'static, str>,
    /// What it is measured in, where the answer is a number of its own.
    pub number: Option<NumberScale>,
}

/// The numbers that answer a question, such as a blood pressure.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NumberScale {
    /// Of what.
    pub unit: String,
    /// The lowest that can be.
    pub min: Option<Decimal>,
    /// The highest that can be.
    pub max: Option<Decimal>,
}

impl NumberScale {
    /// Reads an answer, with or without its unit, and returns it as it is recorded: `120 mmHg`.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<String> {
        let number = text.trim().strip_suffix(self.unit.as_str()).unwrap_or(text).trim().replace(',', ".");
        let value: Decimal = number.parse().ok()?;
        let is_within = self.min.is_none_or(|min| min <= value) && self.max.is_none_or(|max| value <= max);
        is_within.then(|| format!("{value} {}", self.unit))
    }
}

impl fmt::Display for NumberScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = &self.unit;
        match (self.min, self.max) {
            (Some(min), Some(max)) => write!(f, "{unit}, {min} to {max}"),
            (Some(min), None) => write!(f, "{unit}, from {min}"),
            (None, Some(max)) => write!(f, "{unit}, up to {max}"),
            (None, None) => f.write_str(unit),
        }
    }
}

/// Which questions a check-in asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum QuestionSet {
    /// All of the shipped ones.
    #[default]
    Full,
    /// Three of them, for every month.
    Short,
    /// The person's own.
    Custom(Vec<Question>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_unit_and_within_their_bounds() {
        let read = |text: &str| text.parse::<Decimal>().ok();
        let scale = NumberScale { unit: "mmHg".to_owned(), min: read("60"), max: read("260") };
        for (text, recorded) in [
            ("120", Some("120 mmHg")),
            ("120 mmHg", Some("120 mmHg")),
            ("120mmHg", Some("120 mmHg")),
            (" 120,5 ", Some("120.5 mmHg")),
            ("60", Some("60 mmHg")),
            ("260", Some("260 mmHg")),
            ("59", None),
            ("261", None),
            ("12 kg", None),
            ("-120", None),
            ("", None),
        ] {
            assert_eq!(scale.read(text).as_deref(), recorded, "{text}");
        }
        assert_eq!(scale.to_string(), "mmHg, 60 to 260");
        let open = NumberScale { unit: "kg".to_owned(), min: None, max: read("300") };
        assert_eq!(open.to_string(), "kg, up to 300");
    }
}
