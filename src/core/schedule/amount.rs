//! What one intake is: one or several quantities, kept as they were written.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use super::quantity::{Points, Quantity, not_an_amount};
use super::{ParseError, Unit};

/// The longest text of an amount, in bytes.
const MAX_BYTES: usize = 256;

/// The most substances that one dose can have.
const MAX_QUANTITIES: usize = 16;

/// One or several quantities: `500 mg`, `600 mg + 400 IU`.
///
/// Shown exactly as it was written. Equal where the quantities are, however they were written.
#[derive(Clone, Debug)]
pub struct Amount(Arc<Written>);

/// Shared, as every fact of an item has the same.
#[derive(Debug)]
struct Written {
    text: String,
    first: Quantity,
    others: Vec<Quantity>,
}

impl Amount {
    /// What stands between several quantities.
    pub const SEPARATOR: &'static str = " + ";

    /// Joins several into one, such as those of a list.
    ///
    /// # Errors
    ///
    /// Where there is none, or they are too many.
    pub fn join(parts: &[Self]) -> Result<Self, ParseError> {
        if parts.is_empty() {
            return Err(ParseError::new(
                "there is no amount",
                "name at least one, as in `[\"600 mg\", \"400 IU\"]`",
            ));
        }
        let texts: Vec<&str> = parts.iter().map(Self::as_str).collect();
        texts.join(Self::SEPARATOR).parse()
    }

    /// Reads what a journal has: a point is a decimal point, as the first versions wrote it.
    ///
    /// # Errors
    ///
    /// Where it is not an amount.
    pub fn from_record(text: &str) -> Result<Self, ParseError> {
        Self::read(text, Points::Decimal)
    }

    /// Returns the amount as the first versions wrote it: plain numbers, each unit in one spelling.
    #[must_use]
    pub fn first_form(&self) -> Self {
        let text = |quantity: &Quantity| {
            let most = quantity.most.map(|most| format!("-{most}")).unwrap_or_default();
            format!("{}{most} {}", quantity.value, quantity.unit.first_spelling())
        };
        let texts: Vec<String> = self.quantities().map(text).collect();
        let Written { first, others, .. } = &*self.0;
        let (first, others) = (first.clone(), others.clone());
        Self(Arc::new(Written { text: texts.join(Self::SEPARATOR), first, others }))
    }

    fn read(text: &str, points: Points) -> Result<Self, ParseError> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            let message = format!("the amount is too long: {} bytes", text.len());
            return Err(ParseError::new(message, format!("use at most {MAX_BYTES}")));
        }
        let mut quantities = parts(text).map(|part| Quantity::read(part, points));
        let first = quantities.next().ok_or_else(|| not_an_amount(text))??;
        let others = quantities.collect::<Result<Vec<_>, _>>()?;
        if others.len() >= MAX_QUANTITIES {
            let message = format!("`{text}` has {} amounts", others.len() + 1);
            return Err(ParseError::new(message, format!("use at most {MAX_QUANTITIES}")));
        }
        Ok(Self(Arc::new(Written { text: text.to_owned(), first, others })))
    }

    /// Returns the amount as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Returns its first quantity, the only one of most amounts.
    #[must_use]
    pub fn first(&self) -> &Quantity {
        &self.0.first
    }

    /// Returns its quantities, at least one.
    pub fn quantities(&self) -> impl Iterator<Item = &Quantity> {
        std::iter::once(&self.0.first).chain(&self.0.others)
    }

    /// Tells whether how much it is must be decided each time.
    #[must_use]
    pub fn is_range(&self) -> bool {
        self.quantities().any(|quantity| quantity.most.is_some())
    }

    /// Tells whether this is less than what was planned, in any unit that both have.
    #[must_use]
    pub fn is_part_of(&self, planned: &Self) -> bool {
        let pairs = self.pairs(planned);
        pairs.filter_map(|(mine, theirs)| mine.in_common(theirs)).any(|(mine, planned)| mine < planned)
    }

    /// Returns how many doses this opens, part of one counted as one; `None` where no units convert.
    #[must_use]
    pub fn doses_of(&self, dose: &Self) -> Option<u128> {
        self.pairs(dose).filter_map(|(mine, theirs)| mine.doses_of(theirs)).max()
    }

    /// Tells whether the units of two doses convert, one by one.
    #[must_use]
    pub fn has_units_of(&self, other: &Self) -> bool {
        self.quantities().count() == other.quantities().count()
            && other.quantities().all(|theirs| self.measured_in(&theirs.unit).is_some())
    }

    /// Returns the quantity whose unit converts to another.
    #[must_use]
    pub fn measured_in(&self, unit: &Unit) -> Option<&Quantity> {
        self.quantities().find(|quantity| quantity.unit.ratio(unit).is_some())
    }

    fn pairs<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a Quantity, &'a Quantity)> {
        other.quantities().filter_map(|theirs| Some((self.measured_in(&theirs.unit)?, theirs)))
    }

    /// Returns the text for people: as it was written, with a plural where the number asks for one.
    #[must_use]
    pub fn for_people(&self) -> String {
        let texts = parts(&self.0.text).zip(self.quantities()).map(|(text, quantity)| {
            let is_several = quantity.most.unwrap_or(quantity.value) > 1.into();
            match text.strip_suffix(quantity.unit.as_str()) {
                Some(number) if is_several => format!("{number}{}", quantity.unit.plural()),
                _ => text.to_owned(),
            }
        });
        texts.collect::<Vec<_>>().join(Self::SEPARATOR)
    }
}

/// Splits an amount into its quantities. The sign of an exponent, `5e+9`, is not between two.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let all = rest?;
        let plus = all.match_indices('+').map(|(at, _)| at).find(|at| {
            let before = all[..*at].trim_end_matches(['e', 'E']);
            !(before.len() < *at && before.ends_with(|c: char| c.is_ascii_digit()))
        });
        let (part, others) = plus.map_or((all, None), |at| (&all[..at], Some(&all[at + 1..])));
        rest = others;
        Some(part.trim())
    })
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.quantities().eq(other.quantities())
    }
}

impl Eq for Amount {}

impl Hash for Amount {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.quantities().for_each(|quantity| quantity.hash(state));
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl FromStr for Amount {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text, Points::Strict)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is written, the values and units that are read, and what people are shown.
    #[test]
    fn amounts_are_read_as_labels_have_them() {
        let rows = [
            ("5e9 CFU", "5e9 CFU", "5e9 CFU"),
            ("5E+9 CFU", "5e9 CFU", "5E+9 CFU"),
            ("5x10^9 CFU", "5e9 CFU", "5x10^9 CFU"),
            ("5 \u{d7} 10^9 KBE", "5e9 KBE", "5 \u{d7} 10^9 KBE"),
            ("10 billion CFU", "1e10 CFU", "10 billion CFU"),
            ("1.5 million IU", "1500000 IU", "1.5 million IU"),
            ("500mg", "500 mg", "500mg"),
            ("0.50 g", "0.5 g", "0.50 g"),
            ("0.125 mg", "0.125 mg", "0.125 mg"),
            ("1.1250 mg", "1.125 mg", "1.1250 mg"),
            ("12.5 mg", "12.5 mg", "12.5 mg"),
            ("20 000 IU", "20000 IU", "20 000 IU"),
            ("20'000 IE", "20000 IE", "20'000 IE"),
            ("1_000 IU", "1000 IU", "1_000 IU"),
            ("400 mcg", "400 mcg", "400 mcg"),
            ("25 \u{b5}g", "25 \u{b5}g", "25 \u{b5}g"),
            ("12 units", "12 units", "12 units"),
            ("12 unit", "12 unit", "12 units"),
            ("1 unit", "1 unit", "1 unit"),
            ("1/2 tablet", "0.5 tablet", "1/2 tablet"),
            ("1 1/2 tablet", "1.5 tablet", "1 1/2 tablets"),
            ("\u{bd} tablet", "0.5 tablet", "\u{bd} tablet"),
            ("1\u{bd} tablets", "1.5 tablets", "1\u{bd} tablets"),
            ("2 \u{bc} tablet", "2.25 tablet", "2 \u{bc} tablets"),
            ("3 gummy", "3 gummy", "3 gummies"),
            ("2 TABLETS", "2 tablets", "2 TABLETS"),
            ("20 Tropfen", "20 Tropfen", "20 Tropfen"),
            ("2 pump", "2 pump", "2 pumps"),
            ("0.5 %", "0.5 %", "0.5 %"),
            ("0 min", "0 min", "0 min"),
            ("600 mg + 400 IU", "600 mg, 400 IU", "600 mg + 400 IU"),
            ("600 mg+2 tablet", "600 mg, 2 tablet", "600 mg + 2 tablets"),
        ];
        for (text, expected, shown) in rows {
            let amount: Amount = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            let got: Vec<String> = amount.quantities().map(ToString::to_string).collect();
            assert_eq!(got.join(", "), expected, "{text}");
            assert_eq!((amount.to_string(), amount.for_people()), (text.to_owned(), shown.to_owned()));
        }
    }

    #[test]
    fn ranges_are_read() {
        for (text, least, most, shown) in [
            ("250-500 mg", "250", "500", "250-500 mg"),
            ("1 \u{2013} 2 tablet", "1", "2", "1 \u{2013} 2 tablets"),
            ("1/2 to 1 tablet", "0.5", "1", "1/2 to 1 tablet"),
            ("5e9-1e10 CFU", "5e9", "1e10", "5e9-1e10 CFU"),
        ] {
            let amount: Amount = text.parse().unwrap();
            let quantity = amount.quantities().next().unwrap();
            assert_eq!(quantity.value.to_string(), least, "{text}");
            assert_eq!(quantity.most.map(|most| most.to_string()).as_deref(), Some(most), "{text}");
            assert_eq!((amount.is_range(), amount.for_people()), (true, shown.to_owned()));
        }
        assert!(!"2 tablets".parse::<Amount>().unwrap().is_range());
    }

    /// What is refused, and a part of what the error says.
    #[test]
    fn what_may_mean_two_things_is_refused() {
        for (text, said) in [
            ("20.000 IU", "`20000 IU` or `20 IU`"),
            ("1,000 IU", "`1000 IU` or `1 IU`"),
            ("12.500 IU", "`12500 IU` or `12.5 IU`"),
            ("1.125 mg", "`1125 mg` or `1.1250 mg`"),
            ("500 mg + 1.000 IU", "`1000 IU` or `1 IU`"),
            ("250-1.000 mg", "1000"),
            ("1.000.000 IU", "write `1000000 IU`"),
            ("1,000,000 IU", "write `1000000 IU`"),
            ("1,234.5 mg", "write `1234.5 mg`"),
            ("1.234,5 mg", "write `1234.5 mg`"),
            ("0,5 mg", "write `0.5 mg`"),
            ("2,50 mg", "write `2.5 mg`"),
            (",5 mg", "write `0.5`"),
            (".5 mg", "write `0.5`"),
            ("600 mg / 400 IU", "as a list"),
            ("600 mg and 400 IU", "as a list"),
            ("600 mg, 400 IU", "as a list"),
            ("5 mg/ml", "as a list"),
            ("2 x 250 mg", "in all"),
            ("2 big tablets", "one word"),
            ("1/3 tablet", "exact decimal"),
            ("1/0 tablet", "exact decimal"),
            ("500", "no unit"),
            ("2-1 tablets", "smaller number first"),
            ("2-2 tablets", "smaller number first"),
            ("", "not an amount"),
            ("mg", "not an amount"),
            ("half a tablet", "not an amount"),
            ("-5 mg", "not an amount"),
            ("600 mg +", "not an amount"),
            ("1e99 mg", "not an amount"),
            ("99999999999999999999 mg", "not an amount"),
            ("1. mg", "not a unit"),
            ("5 mg 5", "not a unit"),
        ] {
            let error = text.parse::<Amount>().expect_err(text);
            let full = format!("{error} {}", error.help);
            assert!(full.contains(said), "{text}: {full}");
        }
        let long = format!("5 {}", "m".repeat(MAX_BYTES));
        assert!(long.parse::<Amount>().is_err());
        let many = vec!["1 mg"; MAX_QUANTITIES + 1].join(" + ");
        assert!(many.parse::<Amount>().is_err());
    }

    #[test]
    fn a_record_is_read_as_the_first_versions_wrote_it() {
        for (text, value) in [("1.125 mg", "1.125"), ("20.000 IU", "20"), ("5e9 CFU", "5e9")] {
            let amount = Amount::from_record(text).unwrap();
            assert_eq!(amount.quantities().next().unwrap().value.to_string(), value);
        }
    }

    #[test]
    fn the_first_form_is_what_the_first_versions_recorded() {
        for (text, first) in [
            ("500mg", "500 mg"),
            ("2 tablets", "2 tablet"),
            ("12 units", "12 piece"),
            ("400 mcg", "400 ug"),
            ("5000000000 cfu", "5e9 CFU"),
            ("0.50 g", "0.5 g"),
        ] {
            assert_eq!(text.parse::<Amount>().unwrap().first_form().as_str(), first);
        }
    }

    #[test]
    fn amounts_compare_in_units_that_convert() {
        let read = |text: &str| text.parse::<Amount>().unwrap();
        for (taken, planned, is_part) in [
            ("250 mg", "500 mg", true),
            ("500 mg", "500 mg", false),
            ("0.5 g", "500 mg", false),
            ("499999 mcg", "0.5 g", true),
            ("1 tablet", "500 mg", false),
            ("1 tablet", "2 tablets", true),
            ("6 Tropfen", "12 Tropfen", true),
            ("300 mg", "250-500 mg", false),
            ("200 mg", "250-500 mg", true),
            ("600 mg + 200 IU", "600 mg + 400 IU", true),
            ("600 mg", "600 mg + 400 IU", false),
            ("300 mg", "600 mg + 400 IU", true),
            ("1 h", "90 min", true),
        ] {
            assert_eq!(read(taken).is_part_of(&read(planned)), is_part, "{taken} of {planned}");
        }
        for (amount, dose, doses) in [
            ("500 mg", "500 mg", Some(1)),
            ("0.75 g", "500 mg", Some(2)),
            ("2 tablets", "1 tablet", Some(2)),
            ("2 tablets", "500 mg", None),
            ("1200 mg + 800 IU", "600 mg + 400 IU", Some(2)),
        ] {
            assert_eq!(read(amount).doses_of(&read(dose)), doses, "{amount} of {dose}");
        }
        assert_eq!(read("500mg"), read("500 mg"));
        assert_eq!(read("2 tablets"), read("2 tab"));
        assert_ne!(read("2 tablets"), read("2 capsules"));
        assert_ne!(read("250-500 mg"), read("250 mg"));
    }

    proptest! {
        /// What is written is shown unchanged, and no text makes the reader panic.
        #[test]
        fn what_is_written_is_shown(text in "[0-9a-zA-Z.,/+ \u{bd}%µ'-]{0,24}") {
            if let Ok(amount) = text.parse::<Amount>() {
                prop_assert_eq!(amount.as_str(), text.trim());
                let again: Amount = amount.as_str().parse().unwrap();
                prop_assert_eq!(&again, &amount);
                let shown: Amount = amount.for_people().parse().unwrap();
                prop_assert_eq!(shown, amount.clone());
                prop_assert_eq!(Amount::from_record(amount.as_str()).unwrap(), amount);
            }
        }
    }
}
