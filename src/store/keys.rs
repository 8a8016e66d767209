//! The keys of the database's trees: they sort as what they name does.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::ledger::Record;

pub(super) fn fact_key(device: &str, seq: u64) -> Vec<u8> {
    join(&[device.as_bytes(), &[0], &seq.to_be_bytes()])
}

/// Reads the name of a fact's device and the fact's number there.
pub(super) fn read_fact_key(key: &[u8]) -> Option<(&str, u64)> {
    let (device, seq) = key.split_at_checked(key.len().checked_sub(9)?)?;
    let seq = u64::from_be_bytes(seq.strip_prefix(&[0])?.try_into().ok()?);
    Some((std::str::from_utf8(device).ok()?, seq))
}

/// Splits the keys of two facts that stand one behind the other.
pub(super) fn split_keys(both: &sled::IVec) -> Option<(sled::IVec, sled::IVec)> {
    let first = both.iter().position(|b| *b == 0)? + 9;
    Some((both.subslice(0, first), both.subslice(first, both.len().checked_sub(first)?)))
}

pub(super) fn mark_key(device: &str) -> Vec<u8> {
    join(&[b"mark\0", device.as_bytes()])
}

pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Returns seconds as bytes that sort as the number does.
pub(super) fn biased(seconds: i64) -> [u8; 8] {
    (seconds.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// Returns the time that a fact is about as if it were UTC's: its slot as written, else when it happened.
pub(super) fn about_seconds(record: &Record) -> i64 {
    TimeZone::UTC.to_timestamp(record.about(&TimeZone::UTC)).map_or(0, Timestamp::as_second)
}
