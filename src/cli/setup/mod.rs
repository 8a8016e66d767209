//! Puts the service, the desktop entry and the icon into the home directory of a person without a package, and removes
//! them again. It touches no file that it has not written or that was changed since, and neither the schedule nor the
//! record; no service but its own is enabled, started, stopped or disabled.

mod files;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::EXIT_RUNNING;
use super::outdated;
use super::paths::NoHome;
use crate::adapters::service_manager::{self, DESKTOP, LOGIN, SERVICE, Service};
use crate::client::{Client, ClientError};
use crate::daemon::failed_start;
use crate::process::base_dirs;
use crate::process::files::is_same_file;
use crate::process::programs::AskError;
use files::{MARK, Owner, PACKAGED};

/// Where a package has the service.
const PACKAGED_SERVICE: &str = "/usr/lib/systemd/user/dosed.service";

/// The variables that say where the schedule, the record and the socket are.
const PLACES: [&str; 3] = ["DOSED_SCHEDULE", "DOSED_DATA_DIR", "DOSED_SOCKET"];

/// The base directories, each with what stands for it where it is not set.
const BASES: [(&str, &str); 2] = [("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", ".local/share")];

/// Why nothing, or not all, could be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file is in the way that is somebody's own.
    #[error("{} is there and was not {MARK}: move it away, or do what this command does by hand. Nothing was changed", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file that was written before has been changed.
    #[error("{} was changed since it was {MARK}: move it away (what you add belongs in {SERVICE}.d). Nothing was changed", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The service would look elsewhere than this command.
    #[error("the service would use another schedule or record: {0}. Nothing was changed")]
    Elsewhere(Difference),
    /// A file cannot be read, written or removed.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The service manager did not do what it was asked for.
    #[error(
        "the files are in place, but {0}. Once you are logged in to the desktop: systemctl --user enable --now dosed"
    )]
    ServiceManager(#[source] AskError),
    /// The service manager reads another file than the one that was written.
    #[error("the files are in place, but the service manager uses {used}, not {}: move that away, and run this again", .written.display())]
    NotUsed {
        /// What it uses.
        used: String,
        /// What was written.
        written: PathBuf,
    },
    /// The service is there and does not come up.
    #[error(
        "the service is enabled, but it cannot start: {reason}. It is tried again every few seconds; `dosed doctor` says more"
    )]
    CannotStart {
        /// Why.
        reason: String,
    },
    /// The program's path has something in it that a unit cannot hold.
    #[error("{} cannot stand in a service file: install dosed under a path without quotes, backslashes and line ends", .path.display())]
    Path {
        /// The program.
        path: PathBuf,
    },
}

/// A variable that this terminal has and services have not, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name} is {here} here, and {there} for services; set it for both in ~/.config/environment.d/dosed.conf, and log in again"
)]
pub struct Difference {
    name: &'static str,
    here: String,
    there: String,
}

/// Where the files go: the base directories of the person, and what else says where things are.
#[derive(Clone, Debug)]
pub struct Home {
    /// `$XDG_CONFIG_HOME`.
    config: PathBuf,
    /// `$XDG_DATA_HOME`.
    data: PathBuf,
    /// The variables that were found.
    variables: Vec<(&'static str, PathBuf)>,
}

impl Home {
    /// Finds the home.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn find(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, NoHome> {
        let [config, data] = BASES.map(|(name, in_home)| base_dirs::find(&variable, name, in_home));
        let known = PLACES.into_iter().filter_map(|name| Some((name, variable(name)?)));
        Ok(Self { config: config.ok_or(NoHome)?, data: data.ok_or(NoHome)?, variables: known.collect() })
    }

    /// Returns in what services look elsewhere, by the variables that they are started with.
    #[must_use]
    pub fn difference(&self, services: &BTreeMap<String, String>) -> Option<Difference> {
        let there = |name: &str| services.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let bases = BASES.into_iter().zip([&self.config, &self.data]).map(|((name, in_home), here)| {
            // Without a home of its own it uses that of the person.
            let found = base_dirs::find(there, name, in_home).unwrap_or_else(|| here.clone());
            (name, Some(here.clone()), Some(found))
        });
        let places = PLACES.into_iter().map(|name| {
            let here = self.variables.iter().find(|(known, _)| *known == name).map(|(_, path)| path.clone());
            (name, here, there(name))
        });
        let text = |path: Option<PathBuf>| {
            path.map_or_else(|| "not set".to_owned(), |path| path.display().to_string())
        };
        let (name, here, there) = bases.chain(places).find(|(_, here, there)| here != there)?;
        Some(Difference { name, here: text(here), there: text(there) })
    }
}

/// Writes the files, enables the service and starts it; returns what was done, a line each.
///
/// # Errors
///
/// A file of one's own is in the way, one cannot be written, or the service manager does not do what it is asked for.
pub async fn set_up(home: &Home, program: &Path, socket: &Path) -> Result<Vec<String>, SetupError> {
    if let Ok(variables) = service_manager::environment().await {
        if let Some(difference) = home.difference(&variables) {
            return Err(SetupError::Elsewhere(difference));
        }
    }
    let mut done = Vec::new();
    let (file, is_new) = write_files(home, program, &mut done)?;
    enable(&file).await?;
    start(socket, is_new, &mut done).await?;
    done.push("to undo all of this: dosed setup --undo".to_owned());
    Ok(done)
}

/// Provides the service's file; returns where it is and whether it is another than before.
fn write_files(home: &Home, program: &Path, done: &mut Vec<String>) -> Result<(PathBuf, bool), SetupError> {
    let files = files::files(home, program)?;
    for file in &files {
        match file.owner() {
            Owner::Nobody | Owner::Setup => {}
            Owner::Changed => return Err(SetupError::Changed { path: file.path.clone() }),
            Owner::Person => return Err(SetupError::Foreign { path: file.path.clone() }),
        }
    }
    if is_packaged(program) {
        // What was written before the package was installed would go first.
        let old: Vec<_> = files.iter().filter(|file| file.owner() == Owner::Setup).collect();
        for file in &old {
            file.remove()?;
            done.push(format!("removed {}: the package has its own", file.path.display()));
        }
        done.push(format!("the package's service is used: {PACKAGED_SERVICE}"));
        return Ok((PACKAGED_SERVICE.into(), !old.is_empty()));
    }
    let path = files::service_path(home);
    let is_new = !files.iter().any(|file| file.path == path && file.is_written());
    for file in &files {
        file.write()?;
        done.push(format!("wrote {}", file.path.display()));
    }
    done.push(format!("the service starts {}: if you move it, run this again", program.display()));
    Ok((path, is_new))
}

fn is_packaged(program: &Path) -> bool {
    program == Path::new(PACKAGED) && Path::new(PACKAGED_SERVICE).exists()
}

/// Enables the service, and checks that this is the one that the service manager uses.
async fn enable(file: &Path) -> Result<(), SetupError> {
    let command = async |arguments: &[&str]| {
        service_manager::command(arguments).await.map_err(SetupError::ServiceManager)
    };
    command(&["daemon-reload"]).await?;
    // Removes the links of earlier versions too, which began with the desktop.
    command(&["reenable", SERVICE]).await?;
    let service = service_manager::service().await.map_err(SetupError::ServiceManager)?;
    let is_used = service.file.as_deref().is_some_and(|used| is_same_file(used, file));
    if !is_used || !service.is_wanted_by(LOGIN) {
        let used = match &service.file {
            Some(used) if !is_used => used.display().to_string(),
            _ if service.load_state == "masked" => "none, as it is masked".to_owned(),
            _ => "none".to_owned(),
        };
        return Err(SetupError::NotUsed { used, written: file.to_owned() });
    }
    Ok(())
}

/// Starts the service, or restarts it where another program or file of it runs.
async fn start(socket: &Path, is_new: bool, done: &mut Vec<String>) -> Result<(), SetupError> {
    let running = Client::new(socket).status().await.map(|response| response.value);
    let service = service_manager::service().await.map_err(SetupError::ServiceManager)?;
    let verb = match &running {
        Ok(status) if service.pid != Some(status.pid) => {
            // It takes over once the other one is gone.
            service_manager::command(&["start", "--no-block", SERVICE])
                .await
                .map_err(SetupError::ServiceManager)?;
            done.push(format!(
                "a daemon runs already, outside of the service: process {}. End it with Ctrl-C in its terminal: the \
                 service takes over within ten seconds",
                status.pid
            ));
            done.push("the service starts when you log in".to_owned());
            return Ok(());
        }
        Ok(status) if is_new || outdated::difference(status).is_some() => "restart",
        Ok(_) => "start",
        Err(ClientError::NotRunning { .. }) if service.pid.is_none() => "start",
        // It hangs, or its socket is elsewhere.
        Err(_) => "restart",
    };
    let started = service_manager::command(&[verb, SERVICE]).await;
    let service = service_manager::service().await.map_err(SetupError::ServiceManager)?;
    if started.is_err() || service.active_state != "active" {
        return Err(SetupError::CannotStart { reason: why_not(&service, socket, started.err()) });
    }
    let how = if verb == "restart" { "was restarted" } else { "is running" };
    done.push(format!("the service {how}, and starts when you log in: systemctl --user status dosed"));
    Ok(())
}

/// Returns why the service does not run: in its own words, else by its exit code.
fn why_not(service: &Service, socket: &Path, error: Option<AskError>) -> String {
    match (service.failed_with(), failed_start::read(socket)) {
        (Some(code), _) if code == i32::from(EXIT_RUNNING) => {
            format!("another daemon uses the record (exit code {code})")
        }
        (_, Some(failed)) => failed.reason,
        (Some(code), None) => format!("exit code {code}"),
        (None, None) => error.map_or_else(|| service.active_state.clone(), |error| error.to_string()),
    }
}

/// Stops and disables the service and removes the files that were written here; returns what was done, a line each.
///
/// # Errors
///
/// A file cannot be removed.
pub async fn undo(home: &Home, program: &Path, socket: &Path) -> Result<Vec<String>, SetupError> {
    let mut done = Vec::new();
    let path = files::service_path(home);
    match files::owner(&path) {
        Owner::Setup => disable(home, &path, &mut done).await?,
        Owner::Nobody if is_packaged(program) => {
            disable(home, Path::new(PACKAGED_SERVICE), &mut done).await?;
        }
        // Its file is named below.
        Owner::Nobody | Owner::Changed | Owner::Person => {}
    }
    for file in files::files(home, program)? {
        let path = file.path.display();
        match file.owner() {
            Owner::Nobody => {}
            Owner::Setup => {
                file.remove()?;
                done.push(format!("removed {path}"));
            }
            Owner::Changed => done.push(format!("left {path}: it was changed since it was {MARK}")),
            Owner::Person => done.push(format!("left {path}: it was not {MARK}")),
        }
    }
    // Without a service manager there is nothing to reload.
    let _ = service_manager::command(&["daemon-reload"]).await;
    if let Ok(status) = Client::new(socket).status().await {
        let pid = status.value.pid;
        done.push(format!("a daemon still runs, as process {pid}: `kill {pid}` ends it"));
    }
    if done.is_empty() {
        done.push("there was nothing to undo".to_owned());
    }
    Ok(done)
}

/// Stops and disables the service, if this is the file that the service manager uses; without one, removes the links that enable it.
async fn disable(home: &Home, file: &Path, done: &mut Vec<String>) -> Result<(), SetupError> {
    match service_manager::service().await {
        Ok(service) if service.file.as_deref().is_some_and(|used| is_same_file(used, file)) => {
            match service_manager::command(&["disable", "--now", SERVICE]).await {
                Ok(()) => done.push(stopped(&service_manager::service().await.unwrap_or_default())),
                Err(error) => done.push(format!("the service could not be stopped: {error}")),
            }
        }
        // It uses another file, which is not ours.
        Ok(_) => {}
        Err(error) => done.push(format!("the service could not be stopped by the service manager: {error}")),
    }
    for target in [LOGIN, DESKTOP] {
        let link = home.config.join("systemd/user").join(format!("{target}.wants")).join(SERVICE);
        if std::fs::read_link(&link).is_ok_and(|to| is_same_file(&to, file)) {
            files::remove(&link)?;
            done.push(format!("removed {}", link.display()));
        }
    }
    Ok(())
}

/// Returns what became of a service that was disabled.
fn stopped(service: &Service) -> String {
    let wanted = service.wanted_by.join(", ");
    match (service.active_state.as_str(), wanted.as_str()) {
        ("active", _) => "the service is disabled, but it still runs".to_owned(),
        (_, "") => "the service is stopped and disabled".to_owned(),
        // For all users, say.
        _ => format!("the service is stopped, but something else still starts it with {wanted}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_service_is_looked_up() {
        for (active_state, wanted_by, expected) in [
            ("inactive", &[][..], "the service is stopped and disabled"),
            (
                "inactive",
                &[LOGIN],
                "the service is stopped, but something else still starts it with default.target",
            ),
            ("active", &[LOGIN], "the service is disabled, but it still runs"),
        ] {
            let wanted_by = wanted_by.iter().map(|by| (*by).to_owned()).collect();
            let service = Service { active_state: active_state.into(), wanted_by, ..Service::default() };
            assert_eq!(stopped(&service), expected);
        }
    }

    #[test]
    fn what_services_see_elsewhere_is_noticed() {
        let difference = |here: &[(&str, &str)], there: &[(&str, &str)]| {
            let here =
                |name: &str| here.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            let there = there.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Home::find(here).unwrap().difference(&there).map(|found| (found.name, found.here, found.there))
        };
        let home = ("HOME", "/home/a");
        let found = |name, here: &str, there: &str| Some((name, here.to_owned(), there.to_owned()));
        for (here, there, expected) in [
            (&[home][..], &[home][..], None),
            (&[home], &[], None),
            // The same place, said and unsaid.
            (&[home, ("XDG_CONFIG_HOME", "/home/a/.config")], &[home], None),
            (&[home, ("XDG_CONFIG_HOME", "relative")], &[home], None),
            (&[home], &[home, ("XDG_DATA_HOME", "/home/a/.local/share")], None),
            (&[home, ("DOSED_SOCKET", "/s")], &[home, ("DOSED_SOCKET", "/s")], None),
            (&[home, ("XDG_CONFIG_HOME", "/c")], &[home], found("XDG_CONFIG_HOME", "/c", "/home/a/.config")),
            (&[home], &[home, ("XDG_DATA_HOME", "/d")], found("XDG_DATA_HOME", "/home/a/.local/share", "/d")),
            (&[home, ("DOSED_DATA_DIR", "/d")], &[home], found("DOSED_DATA_DIR", "/d", "not set")),
            (&[home], &[home, ("DOSED_SCHEDULE", "/s")], found("DOSED_SCHEDULE", "not set", "/s")),
        ] {
            assert_eq!(difference(here, there), expected, "{here:?} {there:?}");
        }
    }
}
