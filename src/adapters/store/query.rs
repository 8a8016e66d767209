//! Queries of the database, and how it finds what they ask for.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::compact;
use super::database::Database;
use super::error::{DatabaseError, StoreError};
use super::keys::{fact_key, fact_of, item_key, item_of, read_fact_key, split_keys};
use super::line::{self, JournalLine, with_outcome};
use crate::core::ledger::{Fact, FactId, Ledger, Record};
use crate::core::schedule::{ItemId, OccurrenceId};
use crate::process::failpoints;

/// The most facts that one answer to a client is made of.
pub const MAX_FACTS: usize = 1_000_000;

/// For more keys than this, all that is replaced is looked through once.
const FEW_KEYS: usize = 64;

/// A day and a half: how far a slot's written time can lie from its instant.
const SLACK_SECONDS: i64 = 36 * 3600;

/// Facts by the key of one that they have to do with.
type Replacements = BTreeMap<sled::IVec, Vec<sled::IVec>>;

/// Which facts are wanted; all come with what undoes or corrects them, and with what they undo or correct.
#[derive(Clone, Debug)]
pub enum Query {
    /// One fact by its name.
    Fact(FactId),
    /// The fact that was recorded under an idempotency key.
    Key(String),
    /// The newest effective fact of a sort that a device wrote.
    Newest {
        /// Which device.
        device: String,
        /// Which sort: answers, or all acts of a person.
        is_wanted: fn(&Fact) -> bool,
    },
    /// The facts that shape the plan.
    Plan,
    /// The facts about slots and times of a range, without those that shape the plan.
    About(Range),
    /// The intakes of an item and the changes of its stock since an instant.
    Uses {
        /// Which item, by all names that it has had.
        items: BTreeSet<ItemId>,
        /// From when on.
        from: Timestamp,
    },
    /// The newest intakes of an item.
    Intakes {
        /// Which item.
        item: ItemId,
        /// At least so many.
        newest: usize,
        /// And as many more as reach to one before this.
        before: Timestamp,
    },
}

/// Slots and times in `[from, until)`, a day and a half wider on both sides.
#[derive(Clone, Debug)]
pub struct Range {
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Of these items only.
    pub items: Option<BTreeSet<ItemId>>,
    /// Where there are more facts than this, it is an error: no answer is made of a part of them.
    pub most: usize,
}

impl Range {
    fn seconds(&self) -> (i64, i64) {
        let from = self.from.as_second().saturating_sub(SLACK_SECONDS);
        (from, self.until.as_second().saturating_add(SLACK_SECONDS))
    }
}

/// The history of a range of local time.
#[derive(Clone, Debug)]
pub struct HistoryQuery {
    /// Wherein its facts lie, and whose they are.
    pub range: Range,
    /// The local times of `[since, until)`; the ends can be open.
    pub local: (Option<DateTime>, Option<DateTime>),
    /// In which zone they are.
    pub zone: TimeZone,
    /// At most so many, the newest ones.
    pub limit: Option<usize>,
}

impl HistoryQuery {
    fn has(&self, record: &Record) -> bool {
        let about = record.local_time(&self.zone);
        let (since, until) = self.local;
        since.is_none_or(|since| since <= about) && until.is_none_or(|until| about < until)
    }
}

impl Database {
    /// Returns facts with their lines.
    pub(super) fn lines(&self, query: &Query) -> Result<Vec<JournalLine>, StoreError> {
        self.read_lines(query).map_err(|error| self.failed(error))
    }

    fn read_lines(&self, query: &Query) -> Result<Vec<JournalLine>, DatabaseError> {
        let (mut keys, mut lines) = (Vec::new(), Vec::new());
        self.select(query, |key, _| keys.push(key))?;
        self.with_replacements(&mut keys)?;
        let mut device = Arc::from("");
        for key in &keys {
            if let Some(line) = self.facts.get(key)? {
                let record = Arc::new(parse(&line, &mut device)?);
                lines.push(JournalLine { record, text: text(&line)?.into() });
            }
        }
        Ok(lines)
    }

    /// Returns facts without their lines.
    pub(super) fn records(&self, query: &Query) -> Result<Vec<Arc<Record>>, StoreError> {
        self.read_records(query).map_err(|error| self.failed(error))
    }

    fn read_records(&self, query: &Query) -> Result<Vec<Arc<Record>>, DatabaseError> {
        let (mut keys, mut records) = (Vec::new(), Vec::new());
        self.select(query, |key, record| {
            keys.push(key);
            records.push(Arc::new(record));
        })?;
        let selected = keys.len();
        self.with_replacements(&mut keys)?;
        let mut device = Arc::from("");
        for key in &keys[selected..] {
            records.extend(self.record(key, &mut device)?.map(Arc::new));
        }
        Ok(records)
    }

    /// Returns the lines of a history in the order in which they were recorded, with commas between them.
    pub(super) fn history(&self, query: &HistoryQuery) -> Result<String, StoreError> {
        self.read_history(query).map_err(|error| self.failed(error))
    }

    fn read_history(&self, query: &HistoryQuery) -> Result<String, DatabaseError> {
        failpoints::reach("database-reads");
        // Only their keys: the lines of ten years would leave much room behind, in many small pieces.
        let mut found: Vec<(Timestamp, sled::IVec)> = Vec::new();
        let mut first_of_slot: HashMap<OccurrenceId, sled::IVec> = HashMap::new();
        let mut answers_of_one_slot = Vec::new();
        for tree in [&self.by_time, &self.plan] {
            self.walk(tree, &query.range, |key, record| {
                if !query.has(&record) {
                    return;
                }
                if let Some(slot) = record.fact.occurrence().filter(|_| record.fact.is_resolution()) {
                    match first_of_slot.entry(slot.clone()) {
                        Entry::Occupied(first) => {
                            answers_of_one_slot.extend([first.get().clone(), key.clone()]);
                        }
                        Entry::Vacant(vacant) => {
                            vacant.insert(key.clone());
                        }
                    }
                }
                found.push((record.recorded_at, key));
            })?;
        }
        found.sort_unstable();
        let outcomes = self.outcomes(answers_of_one_slot)?;
        let skip = query.limit.map_or(0, |limit| found.len().saturating_sub(limit));
        let mut history = String::new();
        for (_, key) in &found[skip..] {
            if let Some(line) = self.facts.get(key)? {
                if !history.is_empty() {
                    history.push(',');
                }
                let outcome = outcomes.get(key);
                let superseded_by = outcome.and_then(|outcome| outcome.superseded_by.as_ref());
                let beyond_slot = outcome.is_some_and(|outcome| outcome.beyond_slot);
                history.push_str(&with_outcome(text(&line)?, superseded_by, beyond_slot));
            }
        }
        Ok(history)
    }

    /// Returns what became of the facts that were undone or corrected, or are one of several answers to a slot; every other one counts.
    fn outcomes(
        &self,
        answers_of_one_slot: Vec<sled::IVec>,
    ) -> Result<BTreeMap<sled::IVec, FactOutcome>, DatabaseError> {
        let revised = self.replacements(&[])?.into_iter();
        let mut keys: BTreeSet<sled::IVec> =
            revised.flat_map(|(earlier, by)| by.into_iter().chain([earlier])).collect();
        keys.extend(answers_of_one_slot);
        let mut records = Vec::with_capacity(keys.len());
        let mut device = Arc::from("");
        for key in keys {
            if let Some(record) = self.record(&key, &mut device)? {
                records.push((key, Arc::new(record)));
            }
        }
        let ledger: Ledger = records.iter().map(|(_, record)| record.clone()).collect();
        let outcome = |record: &Record| {
            let superseded_by = ledger.superseded_by(&record.id).map(|by| by.id.clone());
            let beyond_slot = superseded_by.is_none() && ledger.is_beyond_slot(record);
            FactOutcome { superseded_by, beyond_slot }
        };
        Ok(records.iter().map(|(key, record)| (key.clone(), outcome(record))).collect())
    }

    /// Returns the key of the newest effective fact of a sort that a device wrote.
    fn newest(
        &self,
        device: &str,
        is_wanted: fn(&Fact) -> bool,
    ) -> Result<Option<sled::IVec>, DatabaseError> {
        let range = fact_key(device, 0)..=fact_key(device, u64::MAX);
        let mut name = Arc::from("");
        for key in self.facts.range(range).keys().rev() {
            let mut keys = vec![key?];
            let Some(newest) = self.record(&keys[0], &mut name)?.filter(|record| is_wanted(&record.fact))
            else {
                continue;
            };
            self.with_replacements(&mut keys)?;
            let id = newest.id.clone();
            let mut ledger = Ledger::from_iter([Arc::new(newest)]);
            for key in &keys[1..] {
                ledger.extend(self.record(key, &mut name)?.map(Arc::new));
            }
            if ledger.is_effective(&id) {
                return Ok(keys.into_iter().next());
            }
        }
        Ok(None)
    }

    /// Passes on the facts that a query asks for, without what takes them back or corrects them.
    fn select(&self, query: &Query, mut on: impl FnMut(sled::IVec, Record)) -> Result<(), DatabaseError> {
        failpoints::reach("database-reads");
        let all_times = Range { from: Timestamp::MIN, until: Timestamp::MAX, items: None, most: usize::MAX };
        match query {
            Query::Fact(id) => self.select_one(Some(fact_key(&id.device, id.seq).into()), on)?,
            Query::Key(name) => self.select_one(self.keys.get(name)?, on)?,
            Query::Newest { device, is_wanted } => self.select_one(self.newest(device, *is_wanted)?, on)?,
            Query::Plan => self.walk(&self.plan, &all_times, on)?,
            Query::About(range) => self.walk(&self.by_time, range, on)?,
            Query::Uses { items, from } => {
                let range = Range { from: *from, items: Some(items.clone()), ..all_times };
                self.walk(&self.by_time, &range, |key, record| {
                    if matches!(record.fact, Fact::Intake { .. } | Fact::Stock { .. }) {
                        on(key, record);
                    }
                })?;
            }
            Query::Intakes { item, newest, before } => {
                let (mut device, mut left, mut is_reached) = (Arc::from(""), *newest, false);
                for entry in entries(&self.by_time, item.as_str(), all_times.seconds()).rev() {
                    if left == 0 && is_reached {
                        break;
                    }
                    let (key, compact) = entry?;
                    let record = self.indexed(Some(item), &key, &compact, &mut device)?;
                    if let Some(record) = record.filter(|record| matches!(record.fact, Fact::Intake { .. })) {
                        is_reached |= record.instant() < *before;
                        on(key, record);
                        left = left.saturating_sub(1);
                    }
                }
            }
        }
        Ok(())
    }

    /// Passes on the fact of a key, if there is one.
    fn select_one(
        &self,
        key: Option<sled::IVec>,
        mut on: impl FnMut(sled::IVec, Record),
    ) -> Result<(), DatabaseError> {
        if let Some(key) = key {
            if let Some(record) = self.record(&key, &mut Arc::from(""))? {
                on(key, record);
            }
        }
        Ok(())
    }

    /// Passes on the facts of a range, item by item in the order of time; more than it allows are an error.
    fn walk(
        &self,
        tree: &sled::Tree,
        range: &Range,
        mut on: impl FnMut(sled::IVec, Record),
    ) -> Result<(), DatabaseError> {
        let (mut device, mut left) = (Arc::from(""), range.most);
        let mut walk_item = |name: &str| -> Result<(), DatabaseError> {
            // What is about no item has an empty name.
            let item =
                if name.is_empty() { None } else { Some(name.parse().map_err(|_| DatabaseError::Damaged)?) };
            for entry in entries(tree, name, range.seconds()) {
                let (key, compact) = entry?;
                left = left.checked_sub(1).ok_or(DatabaseError::TooManyFacts { most: range.most })?;
                if let Some(record) = self.indexed(item.as_ref(), &key, &compact, &mut device)? {
                    on(key, record);
                }
            }
            Ok(())
        };
        match &range.items {
            Some(items) => items.iter().try_for_each(|item| walk_item(item.as_str())),
            None => items(tree).try_for_each(|item| walk_item(&item?)),
        }
    }

    /// Returns a fact of an index, whose compact form may be empty.
    fn indexed(
        &self,
        item: Option<&ItemId>,
        key: &sled::IVec,
        compact: &[u8],
        device: &mut Arc<str>,
    ) -> Result<Option<Record>, DatabaseError> {
        if let Some(item) = item.filter(|_| !compact.is_empty()) {
            let (name, seq) = read_fact_key(key).ok_or(DatabaseError::Damaged)?;
            if **device != *name {
                *device = name.into();
            }
            return compact::decode(compact, FactId { device: device.clone(), seq }, item).map(Some);
        }
        self.record(key, device)
    }

    /// Returns a fact by its key, read from its line.
    fn record(&self, key: &sled::IVec, device: &mut Arc<str>) -> Result<Option<Record>, DatabaseError> {
        self.facts.get(key)?.map(|line| parse(&line, device)).transpose()
    }

    /// Adds every fact that corrects or undoes one of these, or that one of these corrects or undoes, and so on.
    fn with_replacements(&self, keys: &mut Vec<sled::IVec>) -> Result<(), DatabaseError> {
        if self.replaced.is_empty() {
            return Ok(());
        }
        // Few facts are ever replaced: for many keys, they are read once.
        let all = if keys.len() > FEW_KEYS { Some(both_ways(self.replacements(&[])?)) } else { None };
        let neighbours = |key: &sled::IVec| match &all {
            Some(all) => Ok(all.get(key).cloned().unwrap_or_default()),
            None => self.neighbours(key),
        };
        let mut found: BTreeSet<sled::IVec> = keys.iter().cloned().collect();
        let mut to_visit = keys.clone();
        while let Some(key) = to_visit.pop() {
            to_visit.extend(neighbours(&key)?.into_iter().filter(|key| found.insert(key.clone())));
        }
        for key in &*keys {
            found.remove(key);
        }
        keys.extend(found);
        Ok(())
    }

    /// Returns the facts that undo or correct a fact, and the one that it undoes or corrects.
    fn neighbours(&self, key: &sled::IVec) -> Result<Vec<sled::IVec>, DatabaseError> {
        let mut found = self.replacements(key)?.remove(key).unwrap_or_default();
        let record = self.record(key, &mut Arc::from(""))?;
        let earlier = record.as_ref().and_then(|record| record.fact.supersedes());
        found.extend(earlier.map(|earlier| fact_key(&earlier.device, earlier.seq).into()));
        Ok(found)
    }

    /// Returns the facts that are taken back or corrected and whose keys start so, with those that do it.
    fn replacements(&self, prefix: &[u8]) -> Result<Replacements, DatabaseError> {
        let mut found = Replacements::new();
        for entry in self.replaced.scan_prefix(prefix).keys() {
            let entry = entry?;
            if let Some((earlier, by)) = split_keys(&entry) {
                found.entry(earlier).or_default().push(by);
            }
        }
        Ok(found)
    }
}

/// What became of a fact.
struct FactOutcome {
    superseded_by: Option<FactId>,
    beyond_slot: bool,
}

/// Adds to facts that are undone or corrected, with those that do it, the way back.
fn both_ways(by_earlier: Replacements) -> Replacements {
    let mut found = by_earlier.clone();
    for (earlier, by) in by_earlier {
        for later in by {
            found.entry(later).or_default().push(earlier.clone());
        }
    }
    found
}

/// Returns the keys of an item's facts about `[from, until)`, in seconds, with their compact form.
fn entries(
    tree: &sled::Tree,
    item: &str,
    (from, until): (i64, i64),
) -> impl DoubleEndedIterator<Item = Result<(sled::IVec, sled::IVec), DatabaseError>> {
    tree.range(item_key(item, from)..item_key(item, until)).map(|entry| {
        let (key, compact) = entry?;
        Ok((fact_of(&key).ok_or(DatabaseError::Damaged)?, compact))
    })
}

/// Returns the items that there are facts about; the empty name stands for none.
fn items(tree: &sled::Tree) -> impl Iterator<Item = Result<String, DatabaseError>> {
    let mut after = Vec::new();
    std::iter::from_fn(move || {
        let found = tree.range(after.clone()..).keys().next()?;
        let item = found
            .map_err(DatabaseError::from)
            .and_then(|key| String::from_utf8(item_of(&key).to_vec()).map_err(|_| DatabaseError::Damaged));
        // Ids have no byte so low.
        after = [item.as_deref().unwrap_or("\u{7f}").as_bytes(), &[1]].concat();
        Some(item)
    })
}

fn text(line: &[u8]) -> Result<&str, DatabaseError> {
    std::str::from_utf8(line).map_err(|_| DatabaseError::Damaged)
}

/// Reads the record of a line; facts of one device share its text.
fn parse(line: &[u8], device: &mut Arc<str>) -> Result<Record, DatabaseError> {
    let record = line::record(text(line)?, Some(device)).map_err(|_| DatabaseError::Damaged)?;
    *device = record.id.device.clone();
    Ok(record)
}
