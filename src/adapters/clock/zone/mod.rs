//! The zone of a machine, from `TZ` and the files below a root directory, in every form that `date` reads.
//!
//! The name that it returns can be read back from the journal: an IANA name, or the text of a POSIX rule.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::LOCALTIME;
use crate::process::files::read_regular;

/// The file in which some distributions write the name of the zone.
const TIMEZONE: &str = "/etc/timezone";

/// Where zone files lie.
const ZONEINFO: [&str; 2] = ["/usr/share/zoneinfo", "/etc/zoneinfo"];

/// The tables of the zones that people choose from, below [`ZONEINFO`].
const TABLES: [&str; 2] = ["zone1970.tab", "zone.tab"];

/// Files among the zones that stand for the machine's own zone or its defaults.
const NOT_NAMES: [&str; 2] = ["localtime", "posixrules"];

/// The longest of these files that is read, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// The most links that are followed, as in the kernel.
const MAX_LINKS: usize = 40;

/// What a POSIX zone with summer time and without rules follows in glibc.
const DEFAULT_RULES: &str = ",M3.2.0,M11.1.0";

/// In which seconds two zones are compared: 2020 to 2050. Nothing is recorded before, and rules repeat.
const COMPARED: (i64, i64) = (1_577_836_800, 2_524_608_000);

/// The zone of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemZone {
    /// Its IANA name, or the POSIX rule that it is.
    pub name: String,
    /// Its rules.
    pub rules: TimeZone,
}

/// Why the zone of the machine is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// `TZ` is neither a name, nor a file, nor a rule.
    #[error("TZ is `{tz}`, which is neither a known zone, nor a zone file, nor a POSIX rule")]
    Variable {
        /// What it is.
        tz: String,
    },
    /// A file does not give a zone.
    #[error("{} gives no zone: {why}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

/// Returns the zone that `TZ` names, or else the files below a root directory.
///
/// # Errors
///
/// What decides cannot be read.
pub(super) fn detect(tz: Option<&OsStr>, root: &Path) -> Result<SystemZone, ZoneError> {
    let Some(tz) = tz else { return of_machine(root) };
    of_variable(tz, root).ok_or_else(|| ZoneError::Variable { tz: tz.to_string_lossy().into_owned() })
}

fn of_machine(root: &Path) -> Result<SystemZone, ZoneError> {
    // When the link is broken, the name in `/etc/timezone` is better than no answer.
    from_file(root, Path::new(LOCALTIME))
        .or_else(|error| written_name(root).and_then(|name| named(&name)).ok_or(error))
}

fn of_variable(tz: &OsStr, root: &Path) -> Option<SystemZone> {
    let tz = tz.to_str()?;
    let tz = tz.strip_prefix(':').unwrap_or(tz);
    if tz.is_empty() {
        return Some(SystemZone { name: "UTC".to_owned(), rules: TimeZone::UTC });
    }
    if tz.starts_with('/') {
        return from_file(root, Path::new(tz)).ok();
    }
    let file = |dir: &&str| from_file(root, &Path::new(dir).join(tz)).ok();
    named(tz).or_else(|| ZONEINFO.iter().find_map(file)).or_else(|| rule(tz))
}

/// Returns the zone of an IANA name, which may have the prefix of a variant of the database.
fn named(name: &str) -> Option<SystemZone> {
    let name = ["posix/", "right/"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    if NOT_NAMES.contains(&name) {
        return None;
    }
    let rules = TimeZone::get(name).ok()?;
    Some(SystemZone { name: rules.iana_name()?.to_owned(), rules })
}

/// Returns the zone of a POSIX rule.
fn rule(text: &str) -> Option<SystemZone> {
    let read = |text: String| TimeZone::posix(&text).ok().map(|rules| SystemZone { name: text, rules });
    read(text.to_owned()).or_else(|| read(format!("{text}{DEFAULT_RULES}")))
}

/// Returns the name in `/etc/timezone`.
fn written_name(root: &Path) -> Option<String> {
    let bytes = read_regular(&below(root, Path::new(TIMEZONE)), MAX_FILE_BYTES).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned)
}

/// Returns the zone of a file: by the name of a link or of itself in the zone database, else by what it holds.
fn from_file(root: &Path, path: &Path) -> Result<SystemZone, ZoneError> {
    let failed = |why: String| ZoneError::File { path: path.to_owned(), why };
    let mut file = normal(path);
    for _ in 0..MAX_LINKS {
        if let Some(zone) = name_in_database(&file).and_then(|name| named(&name)) {
            return Ok(zone);
        }
        let place = below(root, &file);
        match std::fs::read_link(&place) {
            Ok(target) => file = normal(&file.parent().unwrap_or(&file).join(target)),
            // It is no link.
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                let bytes =
                    read_regular(&place, MAX_FILE_BYTES).map_err(|error| failed(error.to_string()))?;
                return from_data(root, &bytes).map_err(failed);
            }
            Err(error) if file == normal(path) => return Err(failed(error.to_string())),
            Err(error) => return Err(failed(format!("it links to {}: {error}", file.display()))),
        }
    }
    Err(failed("it links in a circle".to_owned()))
}

/// Returns a path without `.` and `..`; a link among its directories is not followed.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::Normal(name) => normal.push(name),
            _ => {}
        }
    }
    normal
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Returns what follows the directory of a zone database in a path: `zoneinfo`, or a variant as `zoneinfo-posix`.
fn name_in_database(path: &Path) -> Option<String> {
    let names: Vec<&OsStr> = path.iter().collect();
    let is_database =
        |name: &&OsStr| name.to_str().is_some_and(|name| name == "zoneinfo" || name.starts_with("zoneinfo-"));
    let at = names.iter().rposition(is_database)?;
    let name = names[at + 1..].join(&OsString::from("/"));
    name.into_string().ok()
}

/// Returns the zone of a file's data: the one that `/etc/timezone` names if its offsets are the same, else the one
/// whose file in the database is identical, else the rule in the file's footer, which holds from its last listed
/// change on.
fn from_data(root: &Path, bytes: &[u8]) -> Result<SystemZone, String> {
    let zone = TimeZone::tzif("", bytes).map_err(|error| error.to_string())?;
    let written = written_name(root).and_then(|name| named(&name));
    if let Some(written) = written.filter(|written| is_like(&written.rules, &zone)) {
        return Ok(written);
    }
    same_file(root, bytes)
        .or_else(|| footer(bytes).and_then(rule))
        .ok_or_else(|| "it is a zone file without a name or a rule".to_owned())
}

/// Tells whether two zones have the same offsets at every instant of [`COMPARED`].
fn is_like(a: &TimeZone, b: &TimeZone) -> bool {
    let [from, until] =
        [COMPARED.0, COMPARED.1].map(|second| Timestamp::from_second(second).unwrap_or_default());
    let changes = |zone: &TimeZone| -> Vec<_> {
        let following = zone.following(from).take_while(|change| change.timestamp() < until);
        let mut last = zone.to_offset(from);
        // A change of the name alone changes no time.
        following
            .map(|change| (change.timestamp(), change.offset()))
            .filter(|(_, offset)| std::mem::replace(&mut last, *offset) != *offset)
            .collect()
    };
    a.to_offset(from) == b.to_offset(from) && changes(a) == changes(b)
}

/// Returns the zone that people choose and whose file has the same bytes.
fn same_file(root: &Path, bytes: &[u8]) -> Option<SystemZone> {
    ZONEINFO.iter().find_map(|dir| {
        let dir = below(root, Path::new(dir));
        let table = TABLES.iter().find_map(|table| read_regular(&dir.join(table), MAX_FILE_BYTES).ok())?;
        let table = String::from_utf8(table).ok()?;
        let rows = table.lines().filter(|line| !line.starts_with('#'));
        let names = rows.filter_map(|line| line.split('\t').nth(2)).chain(["Etc/UTC"]);
        let is_same =
            |name: &&str| read_regular(&dir.join(name), MAX_FILE_BYTES).is_ok_and(|other| other == bytes);
        names.filter(|name| !name.split('/').any(|part| part == "..")).find(is_same).and_then(named)
    })
}

/// Returns the POSIX rule between the last two line ends of a zone file.
fn footer(bytes: &[u8]) -> Option<&str> {
    let text = bytes.strip_suffix(b"\n")?;
    let start = text.iter().rposition(|byte| *byte == b'\n')? + 1;
    std::str::from_utf8(&text[start..]).ok().filter(|rule| !rule.is_empty())
}

#[cfg(test)]
mod tests;
