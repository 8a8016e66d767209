//! Changes the text of a schedule, and leaves its comments and its layout as they are.

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use crate::core::schedule::Kind;

/// Why a text cannot be changed.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum EditError {
    /// It is no TOML.
    #[error("the schedule has errors: `dosed check` shows them, and `dosed edit` opens it")]
    Unreadable,
    /// Its items are written in a way that cannot be changed here.
    #[error("`{0}` is not written as `[[{0}]]`: `dosed edit` opens the file")]
    OtherForm(&'static str),
    /// There is no such item.
    #[error("there is no item `{0}` in the schedule")]
    NoItem(String),
}

/// An item to add.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NewItem {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) dose: Vec<String>,
    pub(super) target: Option<String>,
    pub(super) times: Vec<String>,
    pub(super) days: Option<String>,
    pub(super) every: Option<String>,
    pub(super) from: Option<String>,
    pub(super) until: Option<String>,
    pub(super) with: Option<String>,
    pub(super) note: Option<String>,
    pub(super) stock: Option<u32>,
    pub(super) as_needed: bool,
}

/// The doses at which a stock that is given as a number is low.
const REFILL_AT: i64 = 10;

/// Returns the text with an item at the end of those of its kind.
pub(super) fn add(text: &str, item: &NewItem) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse().map_err(|_| EditError::Unreadable)?;
    let kind = item.kind.as_str();
    let last = last_position(&document);
    let tables = document.entry(kind).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let tables = tables.as_array_of_tables_mut().ok_or(EditError::OtherForm(kind))?;
    let mut table = Table::new();
    if !text.trim().is_empty() {
        table.decor_mut().set_prefix("\n");
    }
    // Behind everything that there is, where it disturbs no comment.
    table.set_position(Some(last + 1));
    fill(&mut table, item);
    tables.push(table);
    Ok(document.to_string())
}

fn fill(table: &mut Table, item: &NewItem) {
    let list = |texts: &[String]| texts.iter().map(String::as_str).collect::<Array>();
    table.insert("id", value(&item.id));
    let mut insert = |key: &str, text: Option<Value>| {
        if let Some(text) = text {
            table.insert(key, Item::Value(text));
        }
    };
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    // A date is written as one where it can be.
    let date = |given: &Option<String>| {
        given
            .as_deref()
            .map(|given| given.parse::<toml_edit::Datetime>().map_or(Value::from(given), Value::from))
    };
    insert("name", text(&item.name));
    insert(
        "dose",
        match item.dose.as_slice() {
            [] => None,
            [dose] => Some(dose.as_str().into()),
            several => Some(list(several).into()),
        },
    );
    insert("target", text(&item.target));
    insert("times", (!item.times.is_empty()).then(|| list(&item.times).into()));
    insert("days", text(&item.days));
    insert("every", text(&item.every));
    insert("from", date(&item.from));
    insert("until", date(&item.until));
    insert("with", text(&item.with));
    insert("note", text(&item.note));
    insert("as-needed", item.as_needed.then(|| true.into()));
    insert(
        "stock",
        item.stock.map(|have| {
            let mut stock = InlineTable::new();
            stock.insert("have", i64::from(have).into());
            stock.insert("refill-at", REFILL_AT.min(i64::from(have)).into());
            stock.into()
        }),
    );
}

/// Returns the place of the last table of a document.
fn last_position(document: &DocumentMut) -> isize {
    let of_tables = document.iter().filter_map(|(_, item)| match item {
        Item::Table(table) => table.position(),
        Item::ArrayOfTables(tables) => tables.iter().filter_map(Table::position).max(),
        _ => None,
    });
    of_tables.max().unwrap_or(0)
}

/// Returns the text without an item.
pub(super) fn remove(text: &str, id: &str) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse().map_err(|_| EditError::Unreadable)?;
    for kind in [Kind::Supplement, Kind::Habit, Kind::CheckIn, Kind::Scan] {
        let Some(tables) = document.get_mut(kind.as_str()) else { continue };
        let tables = tables.as_array_of_tables_mut().ok_or(EditError::OtherForm(kind.as_str()))?;
        let is_it = |table: &Table| table.get("id").and_then(Item::as_str) == Some(id);
        let Some(place) = tables.iter().position(is_it) else { continue };
        // What is written above it can be the heading of several.
        let removed = tables.get(place);
        let (heading, position) = (heading(removed), removed.and_then(Table::position).unwrap_or(0));
        tables.remove(place);
        if tables.is_empty() {
            document.remove(kind.as_str());
        }
        return Ok(match (heading, table_after(&mut document, position)) {
            (None, _) => document.to_string(),
            (Some(heading), Some(next)) => {
                let own = next.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
                let both = format!("{heading}\n\n{}", own.trim_start_matches('\n'));
                next.decor_mut().set_prefix(both);
                document.to_string()
            }
            (Some(heading), None) => format!("{document}{heading}\n"),
        });
    }
    Err(EditError::NoItem(id.to_owned()))
}

/// Returns the first table behind a place in the document.
fn table_after(document: &mut DocumentMut, position: isize) -> Option<&mut Table> {
    let tables = document.iter_mut().flat_map(|(_, item)| -> Vec<&mut Table> {
        match item {
            Item::Table(table) => vec![table],
            Item::ArrayOfTables(tables) => tables.iter_mut().collect(),
            _ => Vec::new(),
        }
    });
    let behind = tables.filter(|table| table.position().is_some_and(|at| at > position));
    behind.min_by_key(|table| table.position())
}

/// Returns the comments above an item that an empty line parts from it: they are about more than it.
fn heading(table: Option<&Table>) -> Option<String> {
    let prefix = table?.decor().prefix()?.as_str()?;
    let (heading, _) = prefix.rsplit_once("\n\n")?;
    heading.contains('#').then(|| heading.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::config;

    fn probiotic() -> NewItem {
        NewItem {
            kind: Kind::Supplement,
            id: "probiotic".to_owned(),
            name: Some("Pro \"B\"".to_owned()),
            dose: vec!["5e9 CFU".to_owned()],
            target: None,
            times: vec!["08:00".to_owned(), "20:00".to_owned()],
            days: Some("Mon..Fri".to_owned()),
            every: None,
            from: Some("2026-12-01".to_owned()),
            until: None,
            with: Some("food".to_owned()),
            note: None,
            stock: Some(60),
            as_needed: false,
        }
    }

    const PROBIOTIC: &str = "[[supplement]]\nid = \"probiotic\"\nname = 'Pro \"B\"'\ndose = \"5e9 CFU\"\ntimes = [\"08:00\", \"20:00\"]\ndays = \"Mon..Fri\"\nfrom = 2026-12-01\nwith = \"food\"\nstock = { have = 60, refill-at = 10 }\n";

    #[test]
    fn an_item_is_added_behind_all_others() {
        assert_eq!(add("", &probiotic()).unwrap(), PROBIOTIC);
        let text = "# mine\n[[supplement]]\nid = \"a\"   # first\ntimes = [ \"08:00\" ]\n\n# done\n[[habit]]\nid = \"walk\"\nas-needed = true # now and then\n";
        assert_eq!(add(text, &probiotic()).unwrap(), format!("{text}\n{PROBIOTIC}"));
        let several = NewItem { dose: vec!["600 mg".to_owned(), "400 IU".to_owned()], ..probiotic() };
        assert!(add("", &several).unwrap().contains("dose = [\"600 mg\", \"400 IU\"]"));
        // What it makes can be read, the shipped schedule included.
        for text in ["", text, config::DEFAULT_SCHEDULE] {
            let item = NewItem { id: "new".to_owned(), ..probiotic() };
            assert!(config::parse(&add(text, &item).unwrap()).is_ok());
        }
        assert_eq!(add("[[supplement\n", &probiotic()), Err(EditError::Unreadable));
        assert_eq!(
            add("supplement = [{ id = \"a\" }]\n", &probiotic()),
            Err(EditError::OtherForm("supplement"))
        );
    }

    #[test]
    fn an_item_is_removed_and_nothing_else() {
        let text = "# head\n\n[[supplement]]\nid = \"a\" # the first\nas-needed = true\n\n[[supplement]]\nid = \"b\"\nas-needed = true\n\n# about walks\n[[habit]]\nid = \"walk\"\nas-needed = true\n";
        assert_eq!(
            remove(text, "b").unwrap(),
            "# head\n\n[[supplement]]\nid = \"a\" # the first\nas-needed = true\n\n# about walks\n[[habit]]\nid = \"walk\"\nas-needed = true\n"
        );
        assert_eq!(
            remove(text, "walk").unwrap(),
            "# head\n\n[[supplement]]\nid = \"a\" # the first\nas-needed = true\n\n[[supplement]]\nid = \"b\"\nas-needed = true\n"
        );
        assert_eq!(remove(text, "c"), Err(EditError::NoItem("c".to_owned())));
        // Adding and removing is as if nothing had been.
        let with_one = add(text, &probiotic()).unwrap();
        assert_eq!(remove(&with_one, "probiotic").unwrap(), text);
        for id in ["probiotic", "calcium", "vitamin-d", "weight-bearing", "sun", "quarterly", "dexa"] {
            let rest = remove(config::DEFAULT_SCHEDULE, id).unwrap();
            let left = config::parse(&rest).unwrap().items;
            assert_eq!(left.len(), 6, "{id}");
            assert!(left.iter().all(|(item, _)| item.id.as_str() != id));
            let headings = |text: &str| text.lines().filter(|line| line.starts_with("# ---")).count();
            assert_eq!(headings(&rest), headings(config::DEFAULT_SCHEDULE), "{id}");
        }
        // A heading stays above what is left below it.
        let done = remove(config::DEFAULT_SCHEDULE, "weight-bearing").unwrap();
        let below =
            done.split("# ---------------------------------------------------------------- done\n").nth(1);
        assert!(below.unwrap().starts_with("\n[[habit]]\nid = \"sun\""), "{below:?}");
    }
}
