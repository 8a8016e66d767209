//! What the view shows, and what a key does to it. Pure: no I/O, no clock, no drawing.

use crate::protocol::{DayCoverage, Kind, Occurrence, OccurrenceDetails, OccurrenceState, ZonedTime};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::{Timestamp, ToSpan, Zoned};

/// What `?` says.
const HELP: &str = "j/k choose, t taken, s snooze, x skip, u undo, 1 2 3 views, left/right the item";

/// What can be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum View {
    /// What is due, answered and coming today.
    #[default]
    Today,
    /// The year of one item.
    Calendar,
    /// The next weeks.
    Coming,
}

impl View {
    /// All of them, in the order of their keys.
    pub(super) const ALL: [Self; 3] = [Self::Today, Self::Calendar, Self::Coming];

    fn after(self) -> Self {
        match self {
            Self::Today => Self::Calendar,
            Self::Calendar => Self::Coming,
            Self::Coming => Self::Today,
        }
    }
}

/// What a key asks for and the state cannot do by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// End.
    Quit,
    /// Record that an occurrence was taken.
    Take {
        /// Which one.
        occurrence: String,
        /// Whether it is meant although the last one was not long ago.
        confirm: bool,
    },
    /// Record that an occurrence was skipped.
    Skip(String),
    /// Remind of an occurrence later.
    Snooze(String),
    /// Undo the last answer.
    Undo,
    /// Load what a view shows.
    Load(View),
}

/// What came of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is recorded.
    Recorded {
        /// What was recorded.
        text: String,
        /// What to look out for, a sentence each.
        warnings: Vec<String>,
    },
    /// The last answer was undone.
    Undone {
        /// What it was.
        text: String,
    },
    /// It comes too soon after another one.
    TooSoon {
        /// Which occurrence was to be taken.
        occurrence: String,
        /// What the daemon says.
        detail: String,
    },
    /// It was not recorded.
    Refused {
        /// Why.
        detail: String,
    },
}

/// What the daemon sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Loaded {
    /// The occurrences of the day.
    pub(super) rows: Vec<OccurrenceDetails>,
    /// What comes next; `None` where it was not asked for.
    pub(super) coming: Option<Vec<Occurrence>>,
    /// The year of an item, with the item; `None` where it was not asked for.
    pub(super) days: Option<(Item, Vec<DayCoverage>)>,
    /// Whether the record is made up.
    pub(super) is_demo: bool,
}

/// An item, as far as the calendar needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Its id.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
}

/// What the screen shows.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// What is looked at.
    pub(super) view: View,
    /// The occurrences of the day.
    pub(super) rows: Vec<OccurrenceDetails>,
    /// Which of them is selected.
    pub(super) selected: usize,
    /// The item of the calendar.
    pub(super) item: Option<Item>,
    /// The days of the calendar.
    pub(super) days: Option<Vec<DayCoverage>>,
    /// What comes next.
    pub(super) coming: Vec<Occurrence>,
    /// Which of that is selected.
    pub(super) selected_coming: usize,
    /// The message, until the next key.
    pub(super) message: Option<String>,
    /// Whether the daemon is there.
    pub(super) is_connected: bool,
    /// Whether the record is made up.
    pub(super) is_demo: bool,
    /// When the day that is shown was asked for; `None` before the first.
    pub(super) loaded_at: Option<Timestamp>,
    /// What is taken once more when it is asked for once more.
    confirms: Option<String>,
}

impl State {
    /// Returns the screen before anything is known.
    pub(super) fn new() -> Self {
        Self {
            view: View::Today,
            rows: Vec::new(),
            selected: 0,
            item: None,
            days: None,
            coming: Vec::new(),
            selected_coming: 0,
            message: None,
            is_connected: true,
            is_demo: false,
            loaded_at: None,
            confirms: None,
        }
    }

    /// Does what a key says, and returns what it cannot do by itself.
    pub(super) fn press(&mut self, key: KeyEvent) -> Option<Effect> {
        self.message = None;
        let confirms = self.confirms.take();
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return (key.code == KeyCode::Char('c')).then_some(Effect::Quit);
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => Some(Effect::Quit),
            KeyCode::Char('1') => Some(self.look_at(View::Today)),
            KeyCode::Char('2') => Some(self.look_at(View::Calendar)),
            KeyCode::Char('3') => Some(self.look_at(View::Coming)),
            KeyCode::Tab => Some(self.look_at(self.view.after())),
            KeyCode::Down | KeyCode::Char('j') => self.step(true),
            KeyCode::Up | KeyCode::Char('k') => self.step(false),
            KeyCode::Right if self.view == View::Calendar => self.change_item(true),
            KeyCode::Left if self.view == View::Calendar => self.change_item(false),
            KeyCode::Char('?') => self.say(HELP),
            KeyCode::Char('u') => self.ask_for(|_| Some(Effect::Undo)),
            KeyCode::Char('t') | KeyCode::Enter => self.answer(|occurrence| Effect::Take {
                confirm: confirms.as_ref() == Some(&occurrence),
                occurrence,
            }),
            KeyCode::Char('x') => self.answer(Effect::Skip),
            KeyCode::Char('s') => self.answer(Effect::Snooze),
            _ => None,
        }
    }

    /// Shows what the daemon sent at a time.
    pub(super) fn show(&mut self, loaded: Loaded, at: Timestamp) {
        let selected = self.rows.get(self.selected).map(|row| row.occurrence.occurrence.clone());
        let place = |wanted: &dyn Fn(&OccurrenceDetails) -> bool| loaded.rows.iter().position(wanted);
        // What was chosen stays chosen, wherever it is now; at first that is what can be answered.
        self.selected = match selected {
            Some(selected) => place(&|row| row.occurrence.occurrence == selected).unwrap_or(self.selected),
            None => place(&|row| row.occurrence.state == OccurrenceState::Due)
                .or_else(|| place(&|row| row.occurrence.state == OccurrenceState::Upcoming))
                .unwrap_or(0),
        };
        self.rows = loaded.rows;
        self.selected = self.selected.min(self.rows.len().saturating_sub(1));
        if let Some(coming) = loaded.coming {
            self.coming = coming;
            self.selected_coming = self.selected_coming.min(self.coming.len().saturating_sub(1));
        }
        if let Some((item, days)) = loaded.days {
            // Another one may have been chosen since it was asked for, and is on its way; but not one that is gone.
            let is_other =
                self.item.as_ref().is_some_and(|wanted| *wanted != item && self.items().contains(wanted));
            if !is_other {
                self.days = Some(days);
                self.item = Some(item);
            }
        }
        self.is_demo = loaded.is_demo;
        self.loaded_at = Some(at);
    }

    /// Notes that the daemon is connected; the message about its absence goes.
    pub(super) fn on_connected(&mut self) {
        if !self.is_connected {
            self.message = None;
        }
        self.is_connected = true;
    }

    /// Says why nothing new is known, at a time; it is not asked for again before something happens.
    pub(super) fn on_load_error(&mut self, why: String, at: Timestamp) {
        self.message = Some(why);
        self.loaded_at = self.loaded_at.map(|_| at);
    }

    /// Says what came of an answer.
    pub(super) fn on_outcome(&mut self, outcome: Outcome) {
        self.confirms = None;
        self.message = Some(match outcome {
            Outcome::Recorded { text, warnings } => {
                let mut parts = vec![text];
                parts.extend(warnings.iter().map(|warning| format!("({warning})")));
                format!("{}; u to undo", parts.join(" "))
            }
            Outcome::Undone { text } => format!("undone: {text}"),
            Outcome::TooSoon { occurrence, detail } => {
                self.confirms = Some(occurrence);
                format!("{detail}; press t again to record one more")
            }
            Outcome::Refused { detail } => detail,
        });
    }

    /// Returns the next time at which the words on the screen change by themselves.
    pub(super) fn changes_at(&self, now: &Zoned) -> Option<Timestamp> {
        let loaded_at = self.loaded_at?;
        let of_rows = self
            .rows
            .iter()
            .flat_map(|row| [Some(&row.occurrence.at), Some(&row.closes), row.snoozed_until.as_ref()]);
        let of_coming = self.coming.iter().map(|row| Some(&row.at));
        let times = of_rows.chain(of_coming).flatten().map(ZonedTime::timestamp);
        let midnight =
            loaded_at.to_zoned(now.time_zone().clone()).tomorrow().and_then(|day| day.start_of_day());
        times.chain(midnight.ok().map(|at| at.timestamp())).filter(|at| *at > loaded_at).min()
    }

    /// Returns the first day of the calendar.
    pub(super) fn since(now: &Zoned) -> jiff::civil::Date {
        now.date().saturating_sub(1.year())
    }

    fn look_at(&mut self, view: View) -> Effect {
        if view == View::Calendar && self.view != View::Calendar {
            let wanted = self.rows.get(self.selected).map(|row| item(&row.occurrence));
            if self.item != wanted {
                self.days = None;
            }
            self.item = wanted;
        }
        self.view = view;
        Effect::Load(view)
    }

    fn step(&mut self, forward: bool) -> Option<Effect> {
        let (selected, length) = match self.view {
            View::Today => (&mut self.selected, self.rows.len()),
            View::Coming => (&mut self.selected_coming, self.coming.len()),
            View::Calendar => return None,
        };
        *selected =
            if forward { (*selected + 1).min(length.saturating_sub(1)) } else { selected.saturating_sub(1) };
        None
    }

    fn change_item(&mut self, forward: bool) -> Option<Effect> {
        let items = self.items();
        let at = items.iter().position(|item| Some(item) == self.item.as_ref())?;
        let at = if forward { at + 1 } else { at + items.len() - 1 } % items.len();
        self.item = items.into_iter().nth(at);
        self.days = None;
        Some(Effect::Load(View::Calendar))
    }

    fn items(&self) -> Vec<Item> {
        items(&self.rows, &self.coming)
    }

    fn answer(&mut self, effect: impl FnOnce(String) -> Effect) -> Option<Effect> {
        if self.view != View::Today {
            return self.say("answers are given in the first view: press 1");
        }
        self.ask_for(|state| {
            let row = state.rows.get(state.selected)?;
            let effect = effect(row.occurrence.occurrence.clone());
            let id = &row.occurrence.item;
            match (&effect, row.kind) {
                (Effect::Take { .. }, Kind::CheckIn) => {
                    state.say(&format!("it has questions: dosed check-in {id}"))
                }
                (Effect::Take { .. }, Kind::Scan) => {
                    state.say(&format!("it has results: dosed scan add {id}"))
                }
                (Effect::Take { .. }, _) if row.asks_amount => {
                    state.say(&format!("say how much it was: dosed take {id}"))
                }
                _ => Some(effect),
            }
        })
    }

    /// Asks the daemon for something, where there is one.
    fn ask_for(&mut self, ask: impl FnOnce(&mut Self) -> Option<Effect>) -> Option<Effect> {
        if self.is_connected {
            ask(self)
        } else {
            self.say("nothing can be recorded while dosed is not running")
        }
    }

    fn say(&mut self, message: &str) -> Option<Effect> {
        self.message = Some(message.to_owned());
        None
    }
}

fn item(row: &Occurrence) -> Item {
    Item { id: row.item.clone(), name: row.name.clone() }
}

/// Returns the items of the day and of what comes, each once.
pub(super) fn items(rows: &[OccurrenceDetails], coming: &[Occurrence]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for item in rows.iter().map(|row| &row.occurrence).chain(coming).map(item) {
        if !items.iter().any(|known| known.id == item.id) {
            items.push(item);
        }
    }
    items
}

#[cfg(test)]
mod tests;
