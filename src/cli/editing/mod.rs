//! Commands that change the schedule file: `add`, `edit` and `remove`.
//!
//! A change is checked before it is written, shown by what it does to the coming days, and put in place at once or not at all; links
//! are followed. The daemon reads the file by itself.

mod changes;
mod document;

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Command as Program;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::named::folded;
use super::output::print;
use super::{RunError, prompt};
use crate::adapters::config::{self, ConfigError};
use crate::cli::args::AddArgs;
use crate::core::schedule::{Item, Kind, Schedule};
use crate::process::files;
use crate::protocol::At;
use document::{EditError, NewItem};

/// The editors that are tried where the environment names none.
const EDITORS: [&str; 4] = ["sensible-editor", "editor", "nano", "vi"];

/// The editors that open a file at a line.
const WITH_LINES: [&str; 7] = ["vi", "vim", "nvim", "nano", "emacs", "micro", "kak"];

/// The mode of a schedule that is written anew: it tells what a person takes.
const MODE: u32 = 0o600;

/// A schedule file as it is.
struct File {
    /// Where it is, at the end of all links.
    path: PathBuf,
    text: String,
    mode: u32,
}

impl File {
    /// Reads the schedule; one that there is not yet is empty.
    fn open(path: &Path) -> Result<Self, RunError> {
        if path.symlink_metadata().is_err() {
            return Ok(Self { path: path.to_owned(), text: String::new(), mode: MODE });
        }
        let text = config::read(path)?;
        let unreadable = |why| ConfigError::Read { path: path.to_owned(), why };
        let real = path.canonicalize().map_err(unreadable)?;
        let metadata = real.metadata().map_err(unreadable)?;
        let mode = std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777;
        Ok(Self { path: real, text, mode })
    }

    /// Returns the schedule as it was read, if it is one.
    fn schedule(&self) -> Option<Schedule> {
        config::parse(&self.text).ok()
    }

    /// Puts another text in its place, unless somebody else has changed it meanwhile.
    fn replace(&self, text: &str) -> Result<(), RunError> {
        let now = if self.path.exists() { config::read(&self.path)? } else { String::new() };
        if now != self.text {
            let detail =
                "the schedule was changed by something else meanwhile: nothing was written".to_owned();
            return Err(RunError::Refused { detail });
        }
        files::replace(&self.path, self.mode, text.as_bytes())?;
        Ok(())
    }
}

/// Adds an item, as given or as the person says in a short dialogue.
pub(super) fn add(path: &Path, args: AddArgs, now: Timestamp, zone: &TimeZone) -> Result<(), RunError> {
    let item = match args.item.clone() {
        Some(name) => given(&name, args)?,
        None if std::io::stdin().is_terminal() => {
            asked(&mut std::io::stdin().lock(), &mut anstream::stderr().lock())?
        }
        None => {
            let detail = "name the item: `dosed add probiotic --dose '5e9 CFU' --at 08:00`".to_owned();
            return Err(RunError::Usage { detail });
        }
    };
    let file = File::open(path)?;
    let text = document::add(&file.text, &item).map_err(refused)?;
    let after = config::check(path, text.clone())?;
    file.replace(&text)?;
    let name = item.name.as_deref().unwrap_or(&item.id);
    print(&format!("{name} was added to {}.\n{}", path.display(), changed(&file, &after, now, zone)))
}

/// Removes an item; its record stays.
pub(super) fn remove(path: &Path, name: &str, now: Timestamp, zone: &TimeZone) -> Result<(), RunError> {
    let file = File::open(path)?;
    let id = find(&file, name)?.id.to_string();
    let text = document::remove(&file.text, &id).map_err(refused)?;
    let after = config::check(path, text.clone())?;
    file.replace(&text)?;
    let back = "What you recorded of it stays.";
    print(&format!(
        "`{id}` was removed from {}. {back}\n{}",
        path.display(),
        changed(&file, &after, now, zone)
    ))
}

/// Lets the person edit a copy, until it is a schedule, and puts that in place.
pub(super) fn edit(path: &Path, item: Option<&str>, now: Timestamp, zone: &TimeZone) -> Result<(), RunError> {
    let file = File::open(path)?;
    let line = item
        .map(|name| find(&file, name))
        .transpose()?
        .and_then(|item| line_of(&file.text, item.id.as_str()));
    let dir = tempfile::Builder::new().prefix("dosed-edit-").tempdir()?;
    let copy = dir.path().join("schedule.toml");
    files::replace(&copy, MODE, file.text.as_bytes())?;
    loop {
        run_editor(&copy, line)?;
        let text = config::read(&copy)?;
        if text == file.text {
            return print("Nothing was changed.");
        }
        match config::check(path, text.clone()) {
            Ok(after) => {
                if let Err(error) = file.replace(&text) {
                    return Err(kept(dir, &error));
                }
                return print(&format!("The schedule was changed.\n{}", changed(&file, &after, now, zone)));
            }
            Err(error) => {
                super::report(&error.into());
                if !std::io::stdin().is_terminal() || !again()? {
                    let error = RunError::Refused { detail: "the schedule was left as it was".to_owned() };
                    return Err(kept(dir, &error));
                }
            }
        }
    }
}

/// Keeps what was written, which is in no schedule yet.
fn kept(dir: tempfile::TempDir, error: &RunError) -> RunError {
    let copy = dir.keep().join("schedule.toml");
    RunError::Refused { detail: format!("{error}; what you wrote is in {}", copy.display()) }
}

fn again() -> Result<bool, RunError> {
    let mut out = anstream::stderr().lock();
    write!(out, "Edit it again? [Y/n] ")?;
    out.flush()?;
    let reply = prompt::read_line(&mut std::io::stdin().lock())?;
    Ok(reply.is_some_and(|reply| !matches!(reply.trim(), "n" | "N" | "no")))
}

/// Runs the person's editor on a file, and waits for it.
#[expect(clippy::disallowed_methods, reason = "the environment names the editor")]
fn run_editor(path: &Path, line: Option<usize>) -> Result<(), RunError> {
    let named = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty()));
    let candidates = named.map_or_else(|| EDITORS.map(ToOwned::to_owned).to_vec(), |editor| vec![editor]);
    for editor in candidates {
        let mut words = editor.split_whitespace();
        let Some(program) = words.next() else { continue };
        let name = Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let mut command = Program::new(program);
        command.args(words);
        if let Some(line) = line.filter(|_| WITH_LINES.contains(&name)) {
            command.arg(format!("+{line}"));
        }
        match command.arg(path).status() {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => {
                let detail = format!("the editor `{editor}` ended with {status}: nothing was changed");
                return Err(RunError::Refused { detail });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(RunError::Refused {
                    detail: format!("the editor `{editor}` cannot be run: {error}"),
                });
            }
        }
    }
    let detail = "there is no editor: set EDITOR to one, as in `EDITOR=nano dosed edit`".to_owned();
    Err(RunError::Refused { detail })
}

/// Returns the line on which an item's id stands, counted from 1.
fn line_of(text: &str, id: &str) -> Option<usize> {
    let is_id = |line: &str| {
        let value = line.trim().strip_prefix("id")?.trim_start().strip_prefix('=')?;
        Some(value.trim_start().trim_start_matches(['"', '\'']).starts_with(id))
    };
    text.lines().position(|line| is_id(line) == Some(true)).map(|line| line + 1)
}

/// Finds an item of the file by its id or its name.
fn find(file: &File, name: &str) -> Result<Item, RunError> {
    let schedule = file.schedule().ok_or(EditError::Unreadable).map_err(refused)?;
    let wanted = folded(name);
    let is_it = |item: &Item| folded(item.id.as_str()) == wanted || folded(&item.name) == wanted;
    let items = || schedule.items.iter().map(|(item, _)| item);
    let exact = items().find(|item| item.id.as_str() == name);
    let found: Vec<&Item> = items().filter(|item| is_it(item)).collect();
    match (exact, found.as_slice()) {
        (Some(item), _) => Ok(item.clone()),
        (None, [item]) => Ok((*item).clone()),
        (None, []) => Err(refused(EditError::NoItem(name.to_owned()))),
        (None, several) => {
            let ids: Vec<String> = several.iter().map(|item| format!("`{}`", item.id)).collect();
            let detail = format!("`{name}` is the name of several items: say which of {}", ids.join(", "));
            Err(RunError::Refused { detail })
        }
    }
}

fn refused(error: EditError) -> RunError {
    RunError::Refused { detail: error.to_string() }
}

/// Says what is different in the coming days.
fn changed(file: &File, after: &Schedule, now: Timestamp, zone: &TimeZone) -> String {
    let none = || Schedule { items: Vec::new(), ..after.clone() };
    let lines = changes::coming(&file.schedule().unwrap_or_else(none), after, now, zone);
    if lines.is_empty() {
        "Nothing changes in the coming week.\n".to_owned()
    } else {
        lines.join("\n") + "\n"
    }
}

/// Makes the item of the command line.
fn given(name: &str, args: AddArgs) -> Result<NewItem, RunError> {
    let id = id_of(name);
    if id.is_empty() {
        return Err(RunError::Usage { detail: format!("`{name}` has no letter or digit for an id") });
    }
    let kind = if args.habit { Kind::Habit } else { Kind::Supplement };
    let has_time = !args.at.is_empty() || args.as_needed;
    if !has_time {
        let detail = "say when: `--at 08:00`, as often as you like, or `--as-needed`".to_owned();
        return Err(RunError::Usage { detail });
    }
    let label = args.name.or_else(|| (id != name).then(|| name.to_owned()));
    Ok(NewItem {
        kind,
        id,
        name: label,
        dose: args.dose,
        target: args.target,
        times: args.at.iter().map(|time| clock(time)).collect(),
        days: args.days,
        every: args.every,
        from: args.from.map(|date| date.to_string()),
        until: args.until.map(|date| date.to_string()),
        with: args.with,
        note: args.note,
        stock: args.stock,
        as_needed: args.as_needed,
    })
}

/// Returns the id that a name makes: `Vitamin D3` is `vitamin-d3`.
fn id_of(name: &str) -> String {
    let plain: String =
        folded(name).chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-").chars().take(64).collect()
}

/// Asks for an item, one question after the other.
fn asked(input: &mut impl BufRead, output: &mut impl Write) -> Result<NewItem, RunError> {
    let name = loop {
        let name = question("What is it called?", input, output)?;
        if !id_of(&name).is_empty() {
            break name;
        }
        if name.is_empty() {
            return Err(RunError::Refused { detail: "nothing was added".to_owned() });
        }
    };
    let kind = question("Is it taken or done? [taken]", input, output)?;
    let is_habit = kind.to_lowercase().starts_with('d');
    let dose = if is_habit {
        Vec::new()
    } else {
        let dose = question(
            "How much at a time, as the label has it (5e9 CFU, 1 tablet; Enter for none)?",
            input,
            output,
        )?;
        dose.split(" + ").map(str::trim).filter(|dose| !dose.is_empty()).map(ToOwned::to_owned).collect()
    };
    let target = if is_habit {
        question(
            "How much do you aim at (150 min / week, 3 times / week; Enter for nothing)?",
            input,
            output,
        )?
    } else {
        String::new()
    };
    let times = question("At what times (08:00, 20:00; Enter if it is as needed)?", input, output)?;
    let times: Vec<String> = times.split([',', ' ']).filter(|time| !time.is_empty()).map(clock).collect();
    let days = if times.is_empty() {
        String::new()
    } else {
        question("On which days (Mon..Fri; Enter for every day)?", input, output)?
    };
    let with = if is_habit {
        String::new()
    } else {
        question("With what (food, water; Enter for nothing)?", input, output)?
    };
    let stock = if is_habit {
        String::new()
    } else {
        question("How many are in the box (Enter if you do not count)?", input, output)?
    };
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let id = id_of(&name);
    Ok(NewItem {
        kind: if is_habit { Kind::Habit } else { Kind::Supplement },
        name: (id != name).then_some(name),
        id,
        dose,
        target: some(target),
        as_needed: times.is_empty(),
        times,
        days: some(days),
        every: None,
        from: None,
        until: None,
        with: some(with),
        note: None,
        stock: stock.parse().ok(),
    })
}

/// Returns a time of the day as the schedule has it: `8am` is `08:00`. What is none is left to the check of the schedule.
fn clock(time: &str) -> String {
    match time.parse() {
        Ok(At::Time(time)) => time.strftime("%H:%M").to_string(),
        _ => time.to_owned(),
    }
}

fn question(text: &str, input: &mut impl BufRead, output: &mut impl Write) -> Result<String, RunError> {
    write!(output, "{text} ")?;
    output.flush()?;
    Ok(prompt::read_line(input)?.unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialogue_makes_an_item() {
        let asked = |lines: &str| asked(&mut lines.as_bytes(), &mut Vec::new());
        let item = asked("Vitamin D3\n\n20 µg + 1 tablet\n8:00, 20:00\n\nfood\n60\n").unwrap();
        assert_eq!((item.id.as_str(), item.name.as_deref()), ("vitamin-d3", Some("Vitamin D3")));
        assert_eq!(
            (item.dose, item.times),
            (vec!["20 µg".to_owned(), "1 tablet".to_owned()], vec!["08:00".to_owned(), "20:00".to_owned()])
        );
        assert_eq!(
            (item.days, item.with.as_deref(), item.stock, item.as_needed),
            (None, Some("food"), Some(60), false)
        );
        let item = asked("walk\ndone\n3 times / week\n\n").unwrap();
        assert_eq!((item.kind, item.name, item.as_needed), (Kind::Habit, None, true));
        assert_eq!(item.target.as_deref(), Some("3 times / week"));
        assert!(asked("\n").is_err());
    }

    #[test]
    fn names_make_ids() {
        for (name, id) in [
            ("Vitamin D3", "vitamin-d3"),
            ("  L. reuteri ", "l-reuteri"),
            ("Ω-3", "3"),
            ("iron", "iron"),
            ("...", ""),
        ] {
            assert_eq!(id_of(name), id);
        }
    }

    #[test]
    fn the_line_of_an_item_is_found() {
        let text = "# id = \"b\"\n[[habit]]\nid = \"a\"\n[[habit]]\n  id='b'\n";
        assert_eq!((line_of(text, "a"), line_of(text, "b"), line_of(text, "c")), (Some(3), Some(5), None));
    }
}
