//! The keys of the database's trees: they sort as what they name does.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::core::ledger::Record;
use crate::core::schedule::ItemId;

/// The bytes of a number or a time.
const NUMBER: usize = 8;

/// Returns the key of a fact: its device and its number there.
pub(super) fn fact_key(device: &str, seq: u64) -> Vec<u8> {
    [device.as_bytes(), &[0], &seq.to_be_bytes()].concat()
}

/// Reads the device of a fact and the fact's number there.
pub(super) fn read_fact_key(key: &[u8]) -> Option<(&str, u64)> {
    let (device, seq) = key.split_at_checked(key.len().checked_sub(1 + NUMBER)?)?;
    let seq = u64::from_be_bytes(seq.strip_prefix(&[0])?.try_into().ok()?);
    Some((std::str::from_utf8(device).ok()?, seq))
}

/// Returns the key of a fact by what it is about: item, time, and the key of the fact. No item has an empty name.
pub(super) fn time_key(record: &Record) -> Vec<u8> {
    let item = record.fact.item().map_or("", ItemId::as_str);
    let fact = fact_key(&record.id.device, record.id.seq);
    [&item_key(item, about_seconds(record))[..], &fact].concat()
}

/// Returns the start of the keys about an item and a time.
pub(super) fn item_key(item: &str, seconds: i64) -> Vec<u8> {
    [item.as_bytes(), &[0], &biased(seconds)].concat()
}

/// Returns the item of a [`time_key`].
pub(super) fn item_of(key: &[u8]) -> &[u8] {
    key.split(|b| *b == 0).next().unwrap_or_default()
}

/// Returns the key of the fact that a [`time_key`] ends with.
pub(super) fn fact_of(key: &sled::IVec) -> Option<sled::IVec> {
    let skip = item_of(key).len() + 1 + NUMBER;
    Some(key.subslice(skip, key.len().checked_sub(skip)?))
}

/// Splits the keys of two facts, one behind the other.
pub(super) fn split_keys(both: &sled::IVec) -> Option<(sled::IVec, sled::IVec)> {
    let first = both.iter().position(|b| *b == 0)? + 1 + NUMBER;
    Some((both.subslice(0, first), both.subslice(first, both.len().checked_sub(first)?)))
}

/// Returns the key of the last number of a device's journal that the database holds.
pub(super) fn mark_key(device: &str) -> Vec<u8> {
    [b"mark\0", device.as_bytes()].concat()
}

/// Returns seconds as bytes that sort as the number does.
fn biased(seconds: i64) -> [u8; NUMBER] {
    (seconds.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// Returns the time that a fact is about as if it were UTC's: its slot as written, else when it happened.
pub(super) fn about_seconds(record: &Record) -> i64 {
    TimeZone::UTC.to_timestamp(record.local_time(&TimeZone::UTC)).map_or(0, Timestamp::as_second)
}
