//! The text of a reminder: what, how much, with what, how late. Plain text; escaping is the channel's.

use jiff::{SignedDuration, Timestamp};

use super::alert::Shown;
use super::{AlertId, Reminder};
use crate::schedule::{Item, Kind, Length, OccurrenceId};

/// The most lines that a notification shows; the rest are counted.
const MAX_LINES: usize = 12;

/// A reminder says how late it is from here on.
const LATE_FROM: SignedDuration = SignedDuration::from_mins(5);

/// A button on a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Button {
    /// It was taken, or done.
    Taken,
    /// Ask again later.
    Snooze,
    /// Not this time.
    Skip,
    /// Answer one by one.
    Open,
}

impl Button {
    /// All buttons, in the order in which they stand.
    pub const ALL: [Self; 4] = [Self::Taken, Self::Snooze, Self::Skip, Self::Open];

    /// Returns the button's name on the bus.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Snooze => "snooze",
            Self::Skip => "skip",
            Self::Open => "open",
        }
    }
}

/// A reminder, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which alert it is.
    pub alert: AlertId,
    /// The occurrences that it asks about or announces.
    pub occurrences: Vec<OccurrenceId>,
    /// The newest instant that made it show: a repetition is a reminder of its own, in the same words.
    pub due: Option<Timestamp>,
    /// One line, the most important.
    pub title: String,
    /// The rest, a line each.
    pub body: Vec<String>,
    /// What to type where there are no buttons.
    pub command: Option<String>,
    /// The buttons and what they say; none where there is nothing to answer.
    pub buttons: Vec<(Button, String)>,
}

/// What the words of a reminder depend on, beside its lines.
pub(super) struct Wording<'a> {
    pub(super) reminder: &'a Reminder,
    pub(super) now: Timestamp,
    /// Whether it leaves out what the lines are, as each private item's own does.
    pub(super) private: bool,
    /// Whether it can offer to answer one by one.
    pub(super) can_open: bool,
}

impl Notice {
    pub(super) fn new<'a>(
        alert: AlertId,
        lines: impl Iterator<Item = &'a Shown>,
        wording: &Wording<'_>,
    ) -> Self {
        let lines: Vec<(&Shown, &Item)> = lines
            .filter_map(|line| {
                let regimen = wording.reminder.plan.newest(&line.occurrence.id.item)?;
                Some((line, &regimen.item))
            })
            .collect();
        let due = lines.iter().map(|(line, _)| line.due).max();
        let to_answer = lines.iter().filter(|(line, _)| !line.lead).count();
        let (title, body, command) = match lines.as_slice() {
            [(line, item)] => {
                let private = wording.private || item.private;
                let verb = if item.kind == Kind::CheckIn { "check-in" } else { "take" };
                let command =
                    if private { "dosed answer".to_owned() } else { format!("dosed {verb} {}", item.id) };
                let command = (!line.lead).then_some(command);
                (name(item, private), wording.details(line, item), command)
            }
            several => {
                let mut body: Vec<String> = several
                    .iter()
                    .take(MAX_LINES)
                    .map(|(line, item)| {
                        let rest = wording.details(line, item).join(", ");
                        let comma = if rest.is_empty() { "" } else { ", " };
                        format!("{}{comma}{rest}", name(item, wording.private || item.private))
                    })
                    .collect();
                if several.len() > MAX_LINES {
                    body.push(format!("and {} more: dosed today", several.len() - MAX_LINES));
                }
                let command = (to_answer > 0).then(|| "dosed answer".to_owned());
                (format!("{} reminders", several.len()), body, command)
            }
        };
        let buttons = if to_answer == 0 { Vec::new() } else { buttons(&lines, wording) };
        let occurrences = lines.iter().map(|(line, _)| line.occurrence.id.clone()).collect();
        Self { alert, occurrences, due, title, body, command, buttons }
    }
}

fn name(item: &Item, private: bool) -> String {
    if private { "Reminder".to_owned() } else { item.name.clone() }
}

fn buttons(lines: &[(&Shown, &Item)], wording: &Wording<'_>) -> Vec<(Button, String)> {
    let all_taken = lines.iter().all(|(_, item)| item.kind == Kind::Supplement);
    let several = lines.len() > 1;
    let taken = match (all_taken, several) {
        (true, false) => "Taken",
        (true, true) => "All taken",
        (false, false) => "Done",
        (false, true) => "All done",
    };
    // Some servers show three at most.
    let last = match (several, wording.can_open) {
        (true, true) => (Button::Open, "Open"),
        (true, false) => (Button::Skip, "Skip all"),
        (false, _) => (Button::Skip, "Skip"),
    };
    let is_form = !several && lines.iter().all(|(_, item)| item.kind == Kind::CheckIn);
    if is_form {
        // It is answered with its form and with nothing less.
        let answer = wording.can_open.then(|| (Button::Open, "Answer".to_owned()));
        let later = (Button::Snooze, format!("Snooze {}", minutes(wording.reminder.settings.snooze)));
        return answer.into_iter().chain([later, (last.0, last.1.to_owned())]).collect();
    }
    vec![
        (Button::Taken, taken.to_owned()),
        (Button::Snooze, format!("Snooze {}", minutes(wording.reminder.settings.snooze))),
        (last.0, last.1.to_owned()),
    ]
}

impl Wording<'_> {
    /// Returns what stands on a line beside its name.
    fn details(&self, line: &Shown, item: &Item) -> Vec<String> {
        let id = &line.occurrence.id;
        let private = self.private || item.private;
        let mut details = Vec::new();
        if !private {
            details.extend(item.dose_at(id.slot).map(|dose| dose.to_string()));
            details.extend(item.strain().map(ToOwned::to_owned));
            details.extend(item.extras().with.as_ref().map(|with| format!("with {with}")));
            details.extend(item.extras().target.map(|target| format!("aim: {target}")));
            details.extend(item.extras().note.clone());
        }
        let zone = item.zone.as_ref().unwrap_or_else(|| self.reminder.plan.zones.zone_at(self.now));
        let planned = zone.to_datetime(line.occurrence.at);
        let today = zone.to_datetime(self.now).date();
        let clock = planned.strftime("%H:%M");
        let date = planned.strftime("%a %-d %b");
        let late = self.now.duration_since(line.occurrence.at);
        if line.lead {
            details.push(format!("{date}, {clock}"));
        } else if planned.date() != today {
            details.push(format!("planned {date}, {clock}"));
        } else if late >= LATE_FROM {
            details.push(format!("planned {clock}, {} ago", minutes(late)));
        }
        if !private && !line.lead {
            details.extend(self.reminder.extra_lines(id, self.now));
        }
        details
    }
}

/// Returns a length of time in whole minutes, as people say it.
pub(super) fn minutes(length: SignedDuration) -> String {
    let minutes = length.as_mins();
    if minutes < 60 {
        return format!("{minutes} min");
    }
    Length::Exact(SignedDuration::from_mins(minutes)).to_string()
}
