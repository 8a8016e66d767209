//! Names: of an item, of a slot, of an occurrence. They never change once given.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::ParseError;

/// The name of an item, `[a-z0-9-]+`, at most [`ItemId::MAX_BYTES`] long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(Arc<str>);

impl ItemId {
    /// The longest id, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ItemId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || text.len() > Self::MAX_BYTES || !text.bytes().all(legal) {
            return Err(ParseError::new(format!("`{text}` is not an id"), "use 1 to 64 of a-z, 0-9 and `-`"));
        }
        Ok(Self(text.into()))
    }
}

/// The name of a channel, of the same letters as an item's; `desktop` is the desktop itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(ItemId);

impl ChannelId {
    /// What the desktop is called where channels are named; no other channel can have it.
    pub const DESKTOP: &str = "desktop";

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ChannelId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == Self::DESKTOP {
            return Err(ParseError::new("`desktop` is reserved for the desktop itself", "use another id"));
        }
        text.parse().map(Self)
    }
}

/// The planned time of an occurrence: civil for all rules but elapsed ones, which are named in UTC.
///
/// Always whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// A local time, whatever zone the person is in.
    Civil(DateTime),
    /// An instant, written with a `Z`.
    Utc(Timestamp),
}

impl Slot {
    /// Returns the slot's date and time as written in its name.
    #[must_use]
    pub fn written(self) -> DateTime {
        match self {
            Self::Civil(at) => at,
            Self::Utc(at) => TimeZone::UTC.to_datetime(at),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.written();
        write!(f, "{}T{:02}:{:02}", at.date(), at.hour(), at.minute())?;
        if at.second() != 0 {
            write!(f, ":{:02}", at.second())?;
        }
        match self {
            Self::Civil(_) => Ok(()),
            Self::Utc(_) => f.write_str("Z"),
        }
    }
}

impl FromStr for Slot {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseError::new(format!("`{text}` is not a slot"), "write it as `2026-11-23T08:00`");
        let (civil, utc) = match text.strip_suffix('Z') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        // jiff reads more forms than the one that names have; an id has exactly one spelling.
        let at: DateTime = civil.parse().map_err(|_| wrong())?;
        let slot = if utc {
            Self::Utc(TimeZone::UTC.to_timestamp(at).map_err(|_| wrong())?)
        } else {
            Self::Civil(at)
        };
        if is_to_the_minute(civil) || slot.to_string() == text { Ok(slot) } else { Err(wrong()) }
    }
}

/// Tells whether a time is written as almost all slots are, which is not worth writing again to compare.
fn is_to_the_minute(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00";
    let fits = |(b, form): (&u8, &u8)| if *form == b'0' { b.is_ascii_digit() } else { b == form };
    text.len() == FORM.len() && text.as_bytes().iter().zip(FORM).all(fits)
}

/// The name of one planned slot of one item, `probiotic@2026-11-23T08:00`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OccurrenceId {
    /// When it is planned.
    pub slot: Slot,
    /// Whose slot it is.
    pub item: ItemId,
}

impl fmt::Display for OccurrenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.item, self.slot)
    }
}

impl FromStr for OccurrenceId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (item, slot) = text.split_once('@').ok_or_else(|| {
            ParseError::new(
                format!("`{text}` is not an occurrence"),
                "write it as `probiotic@2026-11-23T08:00`",
            )
        })?;
        Ok(Self { slot: slot.parse()?, item: item.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_spelling() {
        for good in
            ["probiotic@2026-11-23T08:00", "probiotic@2026-11-23T08:00:30", "painkiller@2026-10-25T00:30Z"]
        {
            assert_eq!(good.parse::<OccurrenceId>().unwrap().to_string(), good);
        }
        for bad in [
            "probiotic",
            "Probiotic@2026-11-23T08:00",
            "probiotic@2026-11-23",
            "probiotic@2026-11-23T08:00:00",
            "probiotic@2026-11-23 08:00",
            "probiotic@2026-11-23T08:00:00.5",
            "probiotic@2026-11-31T08:00",
            "@2026-11-23T08:00",
        ] {
            assert!(bad.parse::<OccurrenceId>().is_err(), "{bad}");
        }
    }
}
