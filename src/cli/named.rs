//! Which item a person means: by its id or its name, in any case, and by what is spelt nearly like one.

use std::io::{IsTerminal, Write};

use super::{RunError, prompt};
use crate::client::Client;
use crate::core::schedule::ItemId;
use crate::protocol::PlannedItem;

/// What a command is about.
pub(super) struct Named {
    /// The item's id, or an occurrence of it.
    pub(super) target: String,
    /// The item, unless the daemon does not know it.
    pub(super) item: Option<PlannedItem>,
}

/// Finds out what a person means by an item or an occurrence. What nothing fits is left to the daemon, which says so.
///
/// # Errors
///
/// The daemon cannot be asked, the name is that of several items, or only nearly that of one.
pub(super) async fn find(client: &Client, text: &str) -> Result<Named, RunError> {
    let items = client.items().await?.value;
    let (name, slot) = split(text);
    let named = |item: &PlannedItem| {
        let slot = slot.map(|slot| format!("@{slot}")).unwrap_or_default();
        Named { target: format!("{}{slot}", item.item), item: Some(item.clone()) }
    };
    match meant(name, &items) {
        Meant::Item(item) => Ok(named(item)),
        Meant::Perhaps(item) if is_confirmed(name, item)? => Ok(named(item)),
        Meant::Perhaps(item) => {
            let detail = format!("there is no item `{name}` in the schedule: did you mean `{}`?", item.item);
            Err(RunError::Refused { detail })
        }
        Meant::OneOf(several) => {
            let ids: Vec<String> = several.iter().map(|item| format!("`{}`", item.item)).collect();
            let detail = format!("`{name}` is the name of several items: say which of {}", ids.join(", "));
            Err(RunError::Refused { detail })
        }
        Meant::None => Ok(Named { target: text.to_owned(), item: None }),
    }
}

/// Asks on a terminal whether an item is the one that was meant.
fn is_confirmed(name: &str, item: &PlannedItem) -> Result<bool, RunError> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let mut out = anstream::stderr().lock();
    write!(out, "There is no item `{name}`. Do you mean {} (`{}`)? [y/N] ", item.name, item.item)?;
    out.flush()?;
    Ok(prompt::is_yes(&mut std::io::stdin().lock())?)
}

/// What a text means.
#[derive(Debug, PartialEq)]
enum Meant<'a> {
    /// This item.
    Item(&'a PlannedItem),
    /// Nothing exactly; perhaps this item.
    Perhaps(&'a PlannedItem),
    /// Any of these, which share the name.
    OneOf(Vec<&'a PlannedItem>),
    /// No item.
    None,
}

/// Returns what a text means among items; those that have left the schedule only where no other fits.
fn meant<'a>(text: &str, items: &'a [PlannedItem]) -> Meant<'a> {
    if let Some(item) = items.iter().find(|item| item.item == text) {
        return Meant::Item(item);
    }
    let wanted = folded(text);
    let is_it = |item: &&PlannedItem| folded(&item.item) == wanted || folded(&item.name) == wanted;
    let (current, ended): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.ended.is_none());
    for group in [&current, &ended] {
        let found: Vec<&PlannedItem> = group.iter().copied().filter(is_it).collect();
        match found.as_slice() {
            [] => {}
            [item] => return Meant::Item(item),
            _ => return Meant::OneOf(found),
        }
    }
    let distance = |item: &&&PlannedItem| {
        let to = |name: &str| strsim::damerau_levenshtein(&wanted, &folded(name));
        to(&item.item).min(to(&item.name))
    };
    let nearest = current.iter().min_by_key(distance);
    let is_near = |item: &&&PlannedItem| distance(item) <= wanted.chars().count() / 3;
    nearest.filter(is_near).map_or(Meant::None, |item| Meant::Perhaps(item))
}

/// Returns a name as it is compared: in lower case, its words apart by one hyphen as in ids.
pub(super) fn folded(name: &str) -> String {
    let lower = name.to_lowercase();
    let words =
        lower.split(|c: char| c.is_whitespace() || c == '-' || c == '_').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// Splits what a command is given into an item and the time of one of its occurrences.
fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        // A name may have the sign too; an id has not.
        Some((item, slot))
            if slot.starts_with(|c: char| c.is_ascii_digit()) && item.parse::<ItemId>().is_ok() =>
        {
            (item, Some(slot))
        }
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> Vec<PlannedItem> {
        let since = || "2026-11-23T08:00:00+01:00[Europe/Berlin]".parse::<jiff::Zoned>().unwrap().into();
        let item = |item: &str, name: &str, is_ended: bool| PlannedItem {
            item: item.to_owned(),
            name: name.to_owned(),
            counts_from: "2026-11-23".parse().unwrap(),
            since: since(),
            ended: is_ended.then(since),
            dose: None,
            asks_amount: false,
            as_needed: false,
            last: None,
            limit: None,
        };
        vec![
            item("vitamin-d", "Vitamin D", false),
            item("iron", "Eisen", false),
            item("iron-old", "Iron", true),
            item("am", "Eye drops", false),
            item("pm", "Eye drops", false),
            item("d3", "Vitamin D", true),
        ]
    }

    #[test]
    fn items_are_found_by_id_and_name() {
        let items = items();
        for (text, expected) in [
            ("vitamin-d", "vitamin-d"),
            ("Vitamin D", "vitamin-d"),
            ("VITAMIN_D", "vitamin-d"),
            (" vitamin  d ", "vitamin-d"),
            ("IRON", "iron"),
            ("eisen", "iron"),
            ("iron-old", "iron-old"),
            ("d3", "d3"),
            ("Eye Drops", "one of am pm"),
            ("vitamin f", "perhaps vitamin-d"),
            ("vitmain-d", "perhaps vitamin-d"),
            ("irn", "perhaps iron"),
            ("x", "none"),
            ("calcium", "none"),
            ("", "none"),
        ] {
            let got = match meant(text, &items) {
                Meant::Item(item) => item.item.clone(),
                Meant::Perhaps(item) => format!("perhaps {}", item.item),
                Meant::OneOf(items) => {
                    let ids: Vec<&str> = items.iter().map(|item| item.item.as_str()).collect();
                    format!("one of {}", ids.join(" "))
                }
                Meant::None => "none".to_owned(),
            };
            assert_eq!(got, expected, "{text}");
        }
    }

    #[test]
    fn an_occurrence_names_its_item() {
        assert_eq!(split("iron@2026-11-23T08:00"), ("iron", Some("2026-11-23T08:00")));
        assert_eq!(split("Iron @home"), ("Iron @home", None));
        assert_eq!(split("iron"), ("iron", None));
    }
}
