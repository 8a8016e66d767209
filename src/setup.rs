//! Puts the service, the desktop entry and the icon into the home directory of a person without a package, and takes
//! them away again. It touches no file that it has not written, and neither the schedule nor the record.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The service as a package has it; it begins `PACKAGED`.
const SERVICE: &str = include_str!("../systemd/dosed.service");
const DESKTOP_ENTRY: &str = include_str!("../config/dosed.desktop");
const ICON: &str = include_str!("../config/dosed.svg");

/// The program that the shipped files begin.
const PACKAGED: &str = "/usr/bin/dosed";

/// Where a package has the service.
const PACKAGED_SERVICE: &str = "/usr/lib/systemd/user/dosed.service";

/// Stands in each file that was written here, so that it is known again.
const MARK: &str = "written by `dosed setup`";

/// Why nothing, or not all, could be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file is in the way that is somebody's own.
    #[error("{} is there and was not {MARK}: move it away, or do what this command does by hand. Nothing was changed", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read, written or removed.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The service manager did not do what it was asked for.
    #[error(
        "the files are in place, but `systemctl --user {arguments}` failed: {why}. Once you are logged in to the desktop: systemctl --user enable --now dosed"
    )]
    ServiceManager {
        /// What it was asked for.
        arguments: String,
        /// What it said.
        why: String,
    },
    /// The program's path has something in it that a unit cannot hold.
    #[error("{} cannot stand in a service file: install dosed under a path without quotes, backslashes and line ends", .path.display())]
    Path {
        /// The program.
        path: PathBuf,
    },
}

/// Where the files go: the base directories of the person.
#[derive(Clone, Debug)]
pub struct Home {
    /// `$XDG_CONFIG_HOME`.
    pub config: PathBuf,
    /// `$XDG_DATA_HOME`.
    pub data: PathBuf,
}

struct File {
    path: PathBuf,
    text: String,
}

/// Writes the files, enables the service and starts it; returns what was done, a line each.
///
/// # Errors
///
/// A file of one's own is in the way, one cannot be written, or the service manager is not to be had.
pub fn set_up(home: &Home, program: &Path) -> Result<Vec<String>, SetupError> {
    let mut done = Vec::new();
    if program == Path::new(PACKAGED) && Path::new(PACKAGED_SERVICE).exists() {
        done.push(format!("the package's service is used: {PACKAGED_SERVICE}"));
    } else {
        let files = files(home, program)?;
        if let Some(foreign) = files.iter().find(|file| !is_ours(&file.path)) {
            return Err(SetupError::Foreign { path: foreign.path.clone() });
        }
        for file in &files {
            write(file)?;
            done.push(format!("wrote {}", file.path.display()));
        }
        done.push(format!("the service begins {}: if you move it, run this again", program.display()));
        systemctl(&["daemon-reload"])?;
    }
    systemctl(&["enable", "--now", "dosed.service"])?;
    done.push("the service runs, and begins with your desktop: systemctl --user status dosed".to_owned());
    done.push("to undo all of this: dosed setup --undo".to_owned());
    Ok(done)
}

/// Stops and disables the service and removes the files that were written here; returns what was done, a line each.
///
/// # Errors
///
/// A file cannot be removed.
pub fn undo(home: &Home, program: &Path) -> Result<Vec<String>, SetupError> {
    let mut done = match systemctl(&["disable", "--now", "dosed.service"]) {
        Ok(()) => vec!["the service is stopped and disabled".to_owned()],
        // There may be none, or no service manager: the files go nevertheless.
        Err(error) => vec![format!(
            "the service could not be stopped by the service manager ({})",
            manager_said(&error)
        )],
    };
    for File { path, .. } in files(home, program)? {
        if !path.exists() {
            continue;
        }
        if !is_ours(&path) {
            done.push(format!("left {}: it was not {MARK}", path.display()));
            continue;
        }
        std::fs::remove_file(&path).map_err(|source| SetupError::Io {
            what: "remove",
            path: path.clone(),
            source,
        })?;
        done.push(format!("removed {}", path.display()));
    }
    // Without the files there is nothing left to be told, where nobody listens.
    let _ = systemctl(&["daemon-reload"]);
    Ok(done)
}

fn files(home: &Home, program: &Path) -> Result<Vec<File>, SetupError> {
    let wrong = || SetupError::Path { path: program.to_owned() };
    let text = program.to_str().ok_or_else(wrong)?;
    if text.contains(['"', '\\', '\n', '\'', '`', '$']) {
        return Err(wrong());
    }
    // Both formats take a quoted word, and read a doubled % as one.
    let quoted = format!("\"{}\"", text.replace('%', "%%"));
    let marked = |text: &str| format!("# {MARK}\n{}", text.replace(PACKAGED, &quoted));
    let icon = ICON.replacen("<title>", &format!("<!-- {MARK} -->\n  <title>"), 1);
    Ok(vec![
        File { path: home.config.join("systemd/user/dosed.service"), text: marked(SERVICE) },
        File { path: home.data.join("applications/dosed.desktop"), text: marked(DESKTOP_ENTRY) },
        File { path: home.data.join("icons/hicolor/scalable/apps/dosed.svg"), text: icon },
    ])
}

/// Tells whether a file may be written or removed: it is not there, or was written here.
fn is_ours(path: &Path) -> bool {
    !path.exists() || std::fs::read_to_string(path).is_ok_and(|text| text.contains(MARK))
}

/// Writes a file beside its place first, so that nobody ever reads half of one.
fn write(file: &File) -> Result<(), SetupError> {
    let io = |what| move |source| SetupError::Io { what, path: file.path.clone(), source };
    if let Some(dir) = file.path.parent() {
        std::fs::create_dir_all(dir).map_err(io("make the directory of"))?;
    }
    let beside = file.path.with_extension("new");
    std::fs::write(&beside, &file.text).map_err(io("write"))?;
    std::fs::rename(&beside, &file.path).map_err(io("write"))
}

fn systemctl(arguments: &[&str]) -> Result<(), SetupError> {
    let failed = |why: String| SetupError::ServiceManager { arguments: arguments.join(" "), why };
    let output = Command::new(OsStr::new("systemctl"))
        .arg("--user")
        .args(arguments)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(said.trim().lines().last().unwrap_or("it did not say why").to_owned()))
}

fn manager_said(error: &SetupError) -> String {
    match error {
        SetupError::ServiceManager { why, .. } => why.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(program: &str) -> Result<Vec<String>, SetupError> {
        let home = Home { config: "/c".into(), data: "/d".into() };
        Ok(files(&home, Path::new(program))?.into_iter().map(|file| file.text).collect())
    }

    #[test]
    fn the_files_begin_the_program_where_it_lies() {
        let texts = written("/home/a b/100%/dosed").unwrap();
        assert!(texts[0].contains("\nExecStart=\"/home/a b/100%%/dosed\" daemon\n"), "{}", texts[0]);
        assert!(texts[1].contains("\nExec=\"/home/a b/100%%/dosed\" tui\n"), "{}", texts[1]);
        for text in &texts {
            assert_eq!((text.matches(MARK).count(), text.contains(PACKAGED)), (1, false), "{text}");
        }
        assert!(matches!(written("/home/\"a\"/dosed"), Err(SetupError::Path { .. })));
    }
}
