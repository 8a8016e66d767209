//! Facts by what they are about: a page for each item, week and device, so that what is asked for together lies together.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::database::DatabaseError;
use super::kept;
use super::keys::{about_seconds, biased, fact_key, join};
use crate::ledger::{FactId, Record};
use crate::schedule::ItemId;

/// The seconds that one page is about.
const WEEK: i64 = 7 * 24 * 3600;

/// A page that would be larger is followed by another one, so that a busy day is not written again with each fact.
const MAX_BYTES: usize = 4_000;

/// The number of the last fact stands before the entries.
const HEAD: usize = 8;

#[derive(Debug)]
pub(super) struct Pages(pub(super) sled::Tree);

/// What a page has of one fact.
#[derive(Debug, Serialize, Deserialize)]
struct Kept<'a> {
    seq: u64,
    about: i64,
    #[serde(serialize_with = "bytes")]
    fact: &'a [u8],
}

/// Writes bytes at once: serde takes them for numbers otherwise, each by itself.
fn bytes<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// A fact of a page.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: FactId,
    /// The time that it is about, see [`about_seconds`].
    pub(super) about: i64,
    page: sled::IVec,
    fact: std::ops::Range<usize>,
}

impl Entry {
    /// Returns the fact's key.
    pub(super) fn key(&self) -> sled::IVec {
        fact_key(&self.id.device, self.id.seq).into()
    }

    /// Returns what is kept of the fact.
    pub(super) fn kept(&self) -> &[u8] {
        &self.page[self.fact.clone()]
    }
}

impl Pages {
    /// Adds facts, which stand in the order of each device; those that are there already stay as they are.
    pub(super) fn add<'a>(&self, records: impl Iterator<Item = &'a Record>) -> Result<(), DatabaseError> {
        let mut pages: BTreeMap<Vec<u8>, Vec<(i64, &Record)>> = BTreeMap::new();
        for record in records {
            let item = record.fact.item().map_or("", ItemId::as_str);
            let about = about_seconds(record);
            pages.entry(of_device(item, about, &record.id.device)).or_default().push((about, record));
        }
        for (name, facts) in pages {
            self.add_to(&name, &facts)?;
        }
        Ok(())
    }

    fn add_to(&self, name: &[u8], facts: &[(i64, &Record)]) -> Result<(), DatabaseError> {
        let (mut part, mut page) = match self.0.scan_prefix(name).next_back().transpose()? {
            Some((key, page)) => (part(name, &key)?, page.to_vec()),
            None => (0, vec![0; HEAD]),
        };
        let known = last(&page)?;
        let mut is_changed = false;
        for (about, record) in facts.iter().filter(|(_, record)| known < record.id.seq) {
            let before = page.len();
            let entry = Kept { seq: record.id.seq, about: *about, fact: &kept::write(record) };
            page = postcard::to_extend(&entry, page).map_err(|_| DatabaseError::Damaged)?;
            if before > HEAD && page.len() > MAX_BYTES {
                let next: Vec<u8> = [&[0; HEAD], &page[before..]].concat();
                page.truncate(before);
                self.0.insert(join(&[name, &part.to_be_bytes()]), std::mem::replace(&mut page, next))?;
                part += 1;
            }
            page[..HEAD].copy_from_slice(&record.id.seq.to_be_bytes());
            is_changed = true;
        }
        if is_changed {
            self.0.insert(join(&[name, &part.to_be_bytes()]), page)?;
        }
        Ok(())
    }

    /// Returns the items that there are facts about; the empty name stands for none.
    pub(super) fn items(&self) -> impl Iterator<Item = Result<String, DatabaseError>> {
        let mut after = Vec::new();
        std::iter::from_fn(move || {
            let found = self.0.range(after.clone()..).keys().next()?;
            let item = found.map_err(DatabaseError::from).and_then(|key| {
                let item = key.split(|b| *b == 0).next().unwrap_or_default();
                String::from_utf8(item.to_vec()).map_err(|_| DatabaseError::Damaged)
            });
            // Ids have no byte so low.
            after = join(&[item.as_deref().unwrap_or("\u{7f}").as_bytes(), &[1]]);
            Some(item)
        })
    }

    /// Returns an item's facts about `[from, until)`, in seconds, page by page.
    ///
    /// `device` is the text that the facts of one device share.
    pub(super) fn of_item<'a>(
        &'a self,
        item: &'a str,
        (from, until): (i64, i64),
        device: &'a mut Arc<str>,
    ) -> impl DoubleEndedIterator<Item = Result<Vec<Entry>, DatabaseError>> + 'a {
        let name = |week: i64| join(&[item.as_bytes(), &[0], &biased(week)]);
        // The end may lie within the last week.
        let range = name(week_of(from))..name(week_of(until).saturating_add(1));
        let skip = item.len() + 1 + 8;
        self.0.range(range).map(move |found| {
            let (key, page) = found?;
            let mut entries = read(&key[skip..], &page, device)?;
            entries.retain(|entry| from <= entry.about && entry.about < until);
            Ok(entries)
        })
    }
}

/// Returns the number of the week that a time lies in.
pub(super) fn week_of(about: i64) -> i64 {
    about.div_euclid(WEEK)
}

/// Returns how the keys begin under which a device's facts about an item's week stand.
fn of_device(item: &str, about: i64, device: &str) -> Vec<u8> {
    join(&[item.as_bytes(), &[0], &biased(week_of(about)), device.as_bytes(), &[0]])
}

fn part(name: &[u8], key: &[u8]) -> Result<u32, DatabaseError> {
    let part = key.strip_prefix(name).and_then(|part| part.try_into().ok());
    part.map(u32::from_be_bytes).ok_or(DatabaseError::Damaged)
}

fn last(page: &[u8]) -> Result<u64, DatabaseError> {
    let head = page.first_chunk::<HEAD>().ok_or(DatabaseError::Damaged)?;
    Ok(u64::from_be_bytes(*head))
}

/// Reads a page; its key goes on with the device, after item and week.
fn read(rest_of_key: &[u8], page: &sled::IVec, device: &mut Arc<str>) -> Result<Vec<Entry>, DatabaseError> {
    let name = rest_of_key.split(|b| *b == 0).next().unwrap_or_default();
    if device.as_bytes() != name {
        *device = std::str::from_utf8(name).map_err(|_| DatabaseError::Damaged)?.into();
    }
    let mut entries = Vec::new();
    let mut rest = page.get(HEAD..).ok_or(DatabaseError::Damaged)?;
    while !rest.is_empty() {
        let (Kept { seq, about, fact }, after) =
            postcard::take_from_bytes(rest).map_err(|_| DatabaseError::Damaged)?;
        let ends = page.len() - after.len();
        let fact = ends - fact.len()..ends;
        entries.push(Entry { id: FactId { device: device.clone(), seq }, about, page: page.clone(), fact });
        rest = after;
    }
    Ok(entries)
}
