//! The schedule file while the daemon runs: read beside the daemon's task, whatever disk it is on, and told once on the
//! desktop where it cannot be used.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::AbortHandle;
use tracing::{info, warn};

use super::event::Event;
use super::service_manager::{self, notify};
use super::{Daemon, start};
use crate::adapters::config::{self, ConfigError, DEFAULT_SCHEDULE};
use crate::adapters::desktop;
use crate::adapters::file_watch::Follower;
use crate::core::reminder::{AlertId, Input, Notice};
use crate::core::schedule::Schedule;
use crate::process::files;
use crate::protocol;

/// The notification that the schedule cannot be used: that of no reminder, which count from below, and of no test.
const ALERT: AlertId = AlertId(u64::MAX);

/// How long a file that is gone has to come back: some editors remove it before they write it again.
const REPLACE_TIME: Duration = Duration::from_secs(1);

/// After how long a file that cannot be read is read again: a mount that it is on tells nobody that it is there.
const RETRY_DELAY: Duration = Duration::from_mins(1);

/// How long `status` waits for the file.
const STATUS_TIMEOUT: Duration = Duration::from_secs(2);

/// The file, and what is known of it.
#[derive(Debug)]
pub(super) struct ScheduleFile {
    path: PathBuf,
    follower: Option<Follower>,
    /// The text that was read last; none where it could not be read.
    text: Option<TextId>,
    reading: Reading,
    retry: Option<AbortHandle>,
    /// Whether the service manager waits for a reload to end.
    is_reload: bool,
    /// Whether the person was told that the file cannot be used.
    is_told: bool,
}

/// Whether the file is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Idle,
    Running,
    /// It is, and may have changed since that started.
    Outdated,
}

/// Tells two texts of a schedule apart, without keeping them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextId(usize, u32);

impl TextId {
    fn new(text: &str) -> Self {
        Self(text.len(), crc32fast::hash(text.as_bytes()))
    }
}

/// What came of reading the file.
#[derive(Debug)]
pub(super) struct ScheduleRead {
    text: Option<TextId>,
    pub(super) outcome: Result<Schedule, ConfigError>,
}

/// Reads and checks the file, and watches it wherever it is now.
async fn read(path: PathBuf, follower: Option<Follower>) -> ScheduleRead {
    let of = path.clone();
    let read = move || {
        // First: a change from here on is noticed.
        if let Some(follower) = follower {
            follower.follow(&path);
        }
        Ok(match config::read(&path) {
            Ok(text) => ScheduleRead { text: Some(TextId::new(&text)), outcome: config::check(&path, text) },
            Err(error) => ScheduleRead { text: None, outcome: Err(error) },
        })
    };
    let stalled = |why| ScheduleRead { text: None, outcome: Err(ConfigError::Read { path: of, why }) };
    files::blocking(files::DISK_TIMEOUT, read).await.unwrap_or_else(stalled)
}

impl ScheduleFile {
    pub(super) fn new(path: PathBuf, follower: Option<Follower>) -> Self {
        let (text, retry) = (None, None);
        Self { path, follower, text, reading: Reading::Idle, retry, is_reload: false, is_told: false }
    }

    /// Reads the file at the start.
    pub(super) async fn read_first(&mut self) -> Result<Schedule, ConfigError> {
        let read = read(self.path.clone(), self.follower.clone()).await;
        self.text = read.text;
        read.outcome
    }

    /// Tells whether there is no file and no link; what cannot be looked at may be there.
    pub(super) fn is_absent(&self) -> bool {
        self.path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    /// Writes the default schedule where there is none.
    pub(super) fn write_first(&self) -> std::io::Result<()> {
        files::replace(&self.path, 0o600, DEFAULT_SCHEDULE.as_bytes())
    }

    /// Compares the file with what was read of it last; returns what is wrong where it is another.
    pub(super) fn compare(&self) -> impl Future<Output = Option<String>> + Send + 'static {
        let (path, of, known) = (self.path.clone(), self.path.clone(), self.text);
        async move {
            let read = move || Ok(config::read(&path));
            let stalled = |why| Err(ConfigError::Read { path: of.clone(), why });
            match files::blocking(STATUS_TIMEOUT, read).await.unwrap_or_else(stalled) {
                Ok(text) if known == Some(TextId::new(&text)) => None,
                Ok(_) => Some(format!("the schedule {} has changed and is being read", of.display())),
                Err(error) => known.is_some().then(|| error.to_string()),
            }
        }
    }
}

impl Daemon {
    /// Reads the schedule again, beside the daemon's task and once at a time.
    pub(super) fn reload(&mut self) {
        let file = &mut self.schedule_file;
        if let Some(retry) = file.retry.take() {
            retry.abort();
        }
        if file.reading != Reading::Idle {
            file.reading = Reading::Outdated;
            return;
        }
        file.reading = Reading::Running;
        let (path, follower, events) = (file.path.clone(), file.follower.clone(), self.background.clone());
        tokio::spawn(async move {
            let is_gone = |error: &ConfigError| matches!(error, ConfigError::Read { why, .. } if why.kind() == ErrorKind::NotFound);
            let mut found = read(path.clone(), follower.clone()).await;
            if found.outcome.as_ref().is_err_and(is_gone) {
                tokio::time::sleep(REPLACE_TIME).await;
                found = read(path, follower).await;
            }
            // Where the daemon ends, nobody listens.
            let _ = events.send(Event::ScheduleRead(found));
        });
    }

    /// Reads the schedule again, and tells the service manager when that is done.
    pub(super) fn announced_reload(&mut self) {
        notify(&service_manager::reloading());
        self.schedule_file.is_reload = true;
        self.reload();
    }

    /// Uses a schedule that was read; one that cannot be used leaves the running one as it is.
    pub(super) fn on_schedule_read(&mut self, now: Timestamp, read: ScheduleRead) {
        self.schedule_file.text = read.text;
        let is_outdated = self.schedule_file.reading == Reading::Outdated;
        self.schedule_file.reading = Reading::Idle;
        match read.outcome {
            Ok(schedule) => {
                self.status.schedule_error = None;
                self.status.is_plan_from_record = false;
                info!(items = schedule.items.len(), "the schedule was read");
                let items = schedule.items.len();
                let _ = self.events.send(std::sync::Arc::new(protocol::Event::Schedule { items }));
                self.use_channels(&schedule.settings.channels);
                self.input(now, Input::Schedule(schedule));
                if std::mem::take(&mut self.schedule_file.is_told) {
                    let _ = self.desktop.send(desktop::Command::Withdraw(ALERT));
                }
            }
            Err(error) => self.on_schedule_error(&error),
        }
        if is_outdated {
            self.reload();
        } else if std::mem::take(&mut self.schedule_file.is_reload) {
            notify(&[sd_notify::NotifyState::Ready]);
        }
    }

    /// Remembers why the schedule cannot be used, and tells the person once.
    pub(super) fn on_schedule_error(&mut self, error: &ConfigError) {
        let text = error.to_string();
        if self.status.schedule_error.as_ref() != Some(&text) {
            warn!(%error, "the schedule cannot be used; still using the plan before it. `dosed check` shows what is wrong");
            if let (true, ConfigError::Invalid { path, source_text, problems }) =
                (self.options.on_terminal, error)
            {
                start::print(&config::render(&path.display().to_string(), source_text, problems, false));
            }
        }
        self.status.schedule_error = Some(text);
        if matches!(error, ConfigError::Read { .. }) {
            let (events, path) = (self.background.clone(), self.schedule_file.path.clone());
            let again = tokio::spawn(async move {
                tokio::time::sleep(RETRY_DELAY).await;
                let _ = events.send(Event::FileChanged(path));
            });
            self.schedule_file.retry = Some(again.abort_handle());
        }
        self.tell_schedule_error();
    }

    /// Tells the person that the schedule cannot be used, where that is so and they were not told.
    pub(super) fn tell_schedule_error(&mut self) {
        if self.status.schedule_error.is_some() && !self.schedule_file.is_told {
            self.schedule_file.is_told = true;
            let _ = self.desktop.send(desktop::Command::Show(self.schedule_notice()));
        }
    }

    /// Writes the notification, without a name: it may be seen by others.
    fn schedule_notice(&self) -> Notice {
        let plan = self.reminder.plan();
        let since = plan.changed_at().map(|at| {
            let at = plan.zones.zone_at(at).to_datetime(at);
            at.strftime("dosed goes on with the plan of %A, %-d %B %Y, %H:%M.").to_string()
        });
        let lacks = "Channels and quiet hours are off: they are only in the schedule.";
        let lacks = self.status.is_plan_from_record.then(|| lacks.to_owned());
        let help = "`dosed check` shows what is wrong.".to_owned();
        let body = since.into_iter().chain(lacks).chain([help]).collect();
        Notice::plain(ALERT, "The schedule cannot be used", body)
    }

    /// Takes an event of the desktop that is about this notification, and returns any other.
    pub(super) fn take_schedule_event(&mut self, event: desktop::Event) -> Option<desktop::Event> {
        match event {
            desktop::Event::NotShown(ALERT, _) => self.schedule_file.is_told = false,
            desktop::Event::Shown(ALERT, _)
            | desktop::Event::Closed(ALERT, _)
            | desktop::Event::Pressed(ALERT, _) => {}
            event => return Some(event),
        }
        None
    }
}
