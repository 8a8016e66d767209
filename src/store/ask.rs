//! Questions to the database, and how it finds what they ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::StoreError;
use super::blocks::Reading;
use super::database::{Database, DatabaseError};
use super::kept;
use super::keys::{biased, fact_key, read_fact_key, split_keys};
use super::line::{self, Line};
use super::pages::{Entry, week_of};
use crate::ledger::{Fact, FactId, Record};
use crate::schedule::ItemId;

/// The most facts that one question returns.
const MAX_ANSWER: usize = 1_000_000;

/// For more keys than this, all that is replaced is looked through once.
const FEW_KEYS: usize = 64;

/// A day and a half: how far a slot's written time can lie from its instant.
const SLACK_SECONDS: i64 = 36 * 3600;

/// What is asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// One fact by its name.
    Fact(FactId),
    /// The fact that was recorded under an idempotency key.
    Key(String),
    /// The facts that shape the plan, with what takes them back or corrects them.
    Plan,
    /// The facts about slots and times of a range, with what takes them back or corrects them.
    About(Range),
    /// An item's intakes and the changes of its stock since an instant, with what takes them back or corrects them.
    Uses {
        /// Which item.
        item: ItemId,
        /// From when on.
        from: Timestamp,
    },
    /// The newest intakes of an item, with what takes them back or corrects them.
    Intakes {
        /// Which item.
        item: ItemId,
        /// How many.
        newest: usize,
    },
}

/// Slots and times in `[from, until)`, a day and a half wider on both sides.
#[derive(Clone, Debug)]
pub struct Range {
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Of one item only.
    pub item: Option<ItemId>,
}

/// The history of a stretch of local time.
#[derive(Clone, Debug)]
pub struct History {
    /// Wherein its facts lie, and whose they are.
    pub range: Range,
    /// The local times of `[since, until)`; the ends can be open.
    pub local: (Option<DateTime>, Option<DateTime>),
    /// In which zone they are.
    pub zone: TimeZone,
    /// At most so many, the newest ones.
    pub limit: Option<usize>,
}

impl History {
    fn has(&self, record: &Record) -> bool {
        let about = record.about(&self.zone);
        let (since, until) = self.local;
        since.is_none_or(|since| since <= about) && until.is_none_or(|until| about < until)
    }
}

impl Database {
    pub(super) fn ask(&self, question: Question) -> Result<Vec<Line>, StoreError> {
        self.find(question).map_err(|error| self.failed(error))
    }

    fn find(&self, question: Question) -> Result<Vec<Line>, DatabaseError> {
        let mut keys: Vec<sled::IVec> = Vec::new();
        match question {
            Question::Fact(id) => keys.push(fact_key(&id.device, id.seq).into()),
            Question::Key(name) => keys.extend(self.keys.get(name)?),
            Question::Plan => {
                for entry in self.plan.iter().keys() {
                    keys.push(entry?);
                }
            }
            Question::About(range) => {
                self.each(&range, |_, entry| {
                    keys.push(entry.key());
                    Ok(())
                })?;
                keys.extend(self.plan_about(&range)?);
            }
            Question::Uses { item, from } => {
                let range = Range { from, until: Timestamp::MAX, item: Some(item) };
                self.each(&range, |item, entry| {
                    let record = self.record(item, &entry)?;
                    let fact = record.as_deref().map(|record| &record.fact);
                    if matches!(fact, Some(Fact::Intake { .. } | Fact::Stock { .. })) {
                        keys.push(entry.key());
                    }
                    Ok(())
                })?;
            }
            Question::Intakes { item, newest } => keys = self.newest_intakes(&item, newest)?,
        }
        self.with_replacements(&mut keys)?;
        let mut reading = self.lines.reading();
        keys.into_iter().filter_map(|key| line(&mut reading, &key).transpose()).collect()
    }

    /// Returns the facts of a range that do not shape the plan, read from what is kept of them beside their lines.
    pub(super) fn about(&self, range: &Range) -> Result<Vec<Arc<Record>>, StoreError> {
        self.read_about(range).map_err(|error| self.failed(error))
    }

    fn read_about(&self, range: &Range) -> Result<Vec<Arc<Record>>, DatabaseError> {
        let (mut keys, mut records) = (Vec::new(), Vec::new());
        let may_be_replaced = !self.replaced.is_empty();
        self.each(range, |item, entry| {
            if may_be_replaced {
                keys.push(entry.key());
            }
            records.extend(self.record(item, &entry)?);
            Ok(())
        })?;
        let known = keys.len();
        self.with_replacements(&mut keys)?;
        let mut reading = self.lines.reading();
        for key in &keys[known..] {
            records.extend(line(&mut reading, key)?.map(|line| line.record));
        }
        Ok(records)
    }

    /// Returns the lines of a history in the order in which they were recorded, with commas between them.
    pub(super) fn history(&self, asked: &History) -> Result<String, StoreError> {
        self.read_history(asked).map_err(|error| self.failed(error))
    }

    fn read_history(&self, asked: &History) -> Result<String, DatabaseError> {
        // Only their keys: the lines of ten years would leave much room behind, in many small pieces.
        let mut found: Vec<(Timestamp, sled::IVec)> = Vec::new();
        self.each(&asked.range, |item, entry| {
            let record = self.record(item, &entry)?.filter(|record| asked.has(record));
            found.extend(record.map(|record| (record.recorded_at, entry.key())));
            Ok(())
        })?;
        let mut reading = self.lines.reading();
        for key in self.plan_about(&asked.range)? {
            let line = line(&mut reading, &key)?.filter(|line| asked.has(&line.record));
            found.extend(line.map(|line| (line.record.recorded_at, key)));
        }
        found.sort_unstable();
        let skip = asked.limit.map_or(0, |limit| found.len().saturating_sub(limit));
        let mut history = String::new();
        for (_, key) in &found[skip..] {
            if let Some(text) = text(&mut reading, key)? {
                if !history.is_empty() {
                    history.push(',');
                }
                history.push_str(text);
            }
        }
        Ok(history)
    }

    /// Walks over the facts of a range that do not shape the plan, item by item; what has no item has none.
    fn each(
        &self,
        range: &Range,
        mut on: impl FnMut(Option<&ItemId>, Entry) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let seconds = (
            range.from.as_second().saturating_sub(SLACK_SECONDS),
            range.until.as_second().saturating_add(SLACK_SECONDS),
        );
        let (mut device, mut left) = (Arc::from(""), MAX_ANSWER);
        let mut walk = |name: &str| -> Result<(), DatabaseError> {
            let item =
                if name.is_empty() { None } else { Some(name.parse().map_err(|_| DatabaseError::Damaged)?) };
            for page in self.about.of_item(name, seconds, &mut device) {
                for entry in page? {
                    if left == 0 {
                        return Ok(());
                    }
                    left -= 1;
                    on(item.as_ref(), entry)?;
                }
            }
            Ok(())
        };
        match &range.item {
            Some(item) => walk(item.as_str()),
            None => self.about.items().try_for_each(|item| walk(&item?)),
        }
    }

    fn record(&self, item: Option<&ItemId>, entry: &Entry) -> Result<Option<Arc<Record>>, DatabaseError> {
        let kept = match item {
            Some(item) => kept::read(entry.kept(), entry.id.clone(), item)?,
            None => None,
        };
        match kept {
            Some(record) => Ok(Some(Arc::new(record))),
            None => Ok(line(&mut self.lines.reading(), &entry.key())?.map(|line| line.record)),
        }
    }

    /// Returns the keys of the facts of a range that shape the plan.
    fn plan_about(&self, range: &Range) -> Result<Vec<sled::IVec>, DatabaseError> {
        let first = biased(range.from.as_second().saturating_sub(SLACK_SECONDS));
        let last = biased(range.until.as_second().saturating_add(SLACK_SECONDS));
        let wanted = range.item.as_ref().map(|item| item.as_str().as_bytes());
        let mut keys = Vec::new();
        for entry in &self.plan {
            let (key, value) = entry?;
            let (about, item) = value.split_first_chunk::<8>().ok_or(DatabaseError::Damaged)?;
            if first <= *about && *about < last && wanted.is_none_or(|wanted| wanted == item) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// Returns the keys of the intakes of an item that happened last.
    fn newest_intakes(&self, item: &ItemId, newest: usize) -> Result<Vec<sled::IVec>, DatabaseError> {
        let mut device = Arc::from("");
        let mut found: Vec<(i64, sled::IVec)> = Vec::new();
        for page in self.about.of_item(item.as_str(), (i64::MIN, i64::MAX), &mut device).rev() {
            let page = page?;
            // Several devices have each a page of one week.
            let is_earlier = |week| found.iter().all(|(about, _)| week < week_of(*about));
            if found.len() >= newest && page.first().is_some_and(|entry| is_earlier(week_of(entry.about))) {
                break;
            }
            for entry in page {
                let record = self.record(Some(item), &entry)?;
                if record.is_some_and(|record| matches!(record.fact, Fact::Intake { .. })) {
                    found.push((entry.about, entry.key()));
                }
            }
        }
        found.sort_by(|a, b| b.cmp(a));
        found.truncate(newest);
        Ok(found.into_iter().map(|(_, key)| key).collect())
    }

    /// Adds what takes facts back or corrects them, and what does so with that.
    fn with_replacements(&self, keys: &mut Vec<sled::IVec>) -> Result<(), DatabaseError> {
        if self.replaced.is_empty() {
            return Ok(());
        }
        // Few facts are ever replaced: for many keys, they are read once.
        let all = if keys.len() > FEW_KEYS { Some(self.replacements(&[])?) } else { None };
        let by = |key: &sled::IVec| match &all {
            Some(all) => Ok(all.get(key).cloned().unwrap_or_default()),
            None => self.replacements(key).map(|mut of_key| of_key.remove(key).unwrap_or_default()),
        };
        let mut found = BTreeSet::new();
        let mut todo = Vec::new();
        for key in &*keys {
            todo.extend(by(key)?);
        }
        while let Some(key) = todo.pop() {
            if found.insert(key.clone()) {
                todo.extend(by(&key)?);
            }
        }
        for key in &*keys {
            found.remove(key);
        }
        keys.extend(found);
        Ok(())
    }

    /// Returns the facts that are taken back or corrected and whose keys begin so, with those that say it.
    fn replacements(&self, prefix: &[u8]) -> Result<BTreeMap<sled::IVec, Vec<sled::IVec>>, DatabaseError> {
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for entry in self.replaced.scan_prefix(prefix).keys() {
            let entry = entry?;
            if let Some((earlier, by)) = split_keys(&entry) {
                found.entry(earlier).or_default().push(by);
            }
        }
        Ok(found)
    }
}

fn text<'a>(reading: &'a mut Reading<'_>, key: &[u8]) -> Result<Option<&'a str>, DatabaseError> {
    let (device, seq) = read_fact_key(key).ok_or(DatabaseError::Damaged)?;
    reading.line(device, seq)
}

fn line(reading: &mut Reading<'_>, key: &[u8]) -> Result<Option<Line>, DatabaseError> {
    let Some(text) = text(reading, key)? else { return Ok(None) };
    line::read(text).map(Some).map_err(|_| DatabaseError::Damaged)
}
