//! What the screen shows, and what a key does to it. Pure: no IO, no clock, no drawing.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::{Timestamp, ToSpan, Zoned};
use serde_json::Value;

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
    /// Take the last answer back.
    Undo,
    /// Load what a view shows.
    Load(View),
}

/// What came of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It is recorded.
    Recorded {
        /// What was recorded.
        words: String,
        /// What is to be said beside it.
        remark: Option<String>,
    },
    /// The last answer was taken back.
    TakenBack {
        /// What it was.
        words: String,
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

/// What the daemon told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Loaded {
    /// The occurrences of the day.
    pub(super) rows: Vec<Value>,
    /// What comes next; `None` where it was not asked for.
    pub(super) coming: Option<Vec<Value>>,
    /// The year of an item, with the item; `None` where it was not asked for.
    pub(super) days: Option<(Item, Value)>,
    /// Whether the record is made up.
    pub(super) made_up: bool,
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
    pub(super) rows: Vec<Value>,
    /// Which of them is selected.
    pub(super) selected: usize,
    /// The item of the calendar.
    pub(super) item: Option<Item>,
    /// The days of the calendar.
    pub(super) days: Value,
    /// What comes next.
    pub(super) coming: Vec<Value>,
    /// Which of that is selected.
    pub(super) selected_coming: usize,
    /// What is said, until the next key.
    pub(super) message: Option<String>,
    /// Whether the daemon is there.
    pub(super) is_there: bool,
    /// Whether the record is made up.
    pub(super) made_up: bool,
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
            days: Value::Null,
            coming: Vec::new(),
            selected_coming: 0,
            message: None,
            is_there: true,
            made_up: false,
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

    /// Takes over what the daemon told at a time.
    pub(super) fn show(&mut self, loaded: Loaded, at: Timestamp) {
        let selected = self.rows.get(self.selected).map(|row| row["occurrence"].clone());
        let place = |wanted: &dyn Fn(&Value) -> bool| loaded.rows.iter().position(wanted);
        // What was chosen stays chosen, wherever it is now; at first that is what can be answered.
        self.selected = match selected {
            Some(selected) => place(&|row| row["occurrence"] == selected).unwrap_or(self.selected),
            None => place(&|row| row["state"] == "due")
                .or_else(|| place(&|row| row["state"] == "upcoming"))
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
                self.days = days;
                self.item = Some(item);
            }
        }
        self.made_up = loaded.made_up;
        self.loaded_at = Some(at);
    }

    /// Notes that the daemon is there; what was said of its absence is over.
    pub(super) fn come_back(&mut self) {
        if !self.is_there {
            self.message = None;
        }
        self.is_there = true;
    }

    /// Says why nothing new is known, at a time; it is not asked for again before something happens.
    pub(super) fn miss(&mut self, why: String, at: Timestamp) {
        self.message = Some(why);
        self.loaded_at = self.loaded_at.map(|_| at);
    }

    /// Says what came of an answer.
    pub(super) fn hear(&mut self, said: Said) {
        self.confirms = None;
        self.message = Some(match said {
            Said::Recorded { words, remark } => {
                let remark = remark.map(|remark| format!(" ({remark})")).unwrap_or_default();
                format!("{words}{remark}; u takes it back")
            }
            Said::TakenBack { words } => format!("taken back: {words}"),
            Said::TooSoon { occurrence, detail } => {
                self.confirms = Some(occurrence);
                // What follows the colon tells other programs how to say so.
                let detail = detail.split(": ").next().unwrap_or_default();
                format!("{detail}. Once more? Press t again")
            }
            Said::Refused { detail } => detail,
        });
    }

    /// Returns the next time at which the words on the screen change by themselves.
    pub(super) fn changes_at(&self, now: &Zoned) -> Option<Timestamp> {
        let loaded_at = self.loaded_at?;
        let of_rows =
            self.rows.iter().flat_map(|row| ["at", "closes", "snoozed_until"].map(|name| &row[name]));
        let of_coming = self.coming.iter().map(|row| &row["at"]);
        let times = of_rows.chain(of_coming).filter_map(|at| at.as_str()?.parse::<Zoned>().ok());
        let midnight =
            loaded_at.to_zoned(now.time_zone().clone()).tomorrow().and_then(|day| day.start_of_day());
        times.chain(midnight.ok()).map(|at| at.timestamp()).filter(|at| *at > loaded_at).min()
    }

    /// Returns the first day of the calendar.
    pub(super) fn since(now: &Zoned) -> jiff::civil::Date {
        now.date().saturating_sub(1.year())
    }

    fn look_at(&mut self, view: View) -> Effect {
        if view == View::Calendar && self.view != View::Calendar {
            let wanted = self.rows.get(self.selected).map(item);
            if self.item != wanted {
                self.days = Value::Null;
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
        self.days = Value::Null;
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
            let effect = effect(row["occurrence"].as_str()?.to_owned());
            let id = row["item"].as_str()?;
            match (&effect, row["kind"].as_str()) {
                (Effect::Take { .. }, Some("check-in")) => {
                    state.say(&format!("it has questions: dosed check-in {id}"))
                }
                (Effect::Take { .. }, Some("scan")) => {
                    state.say(&format!("it has results: dosed scan add {id}"))
                }
                _ => Some(effect),
            }
        })
    }

    /// Asks the daemon for something, where there is one.
    fn ask_for(&mut self, ask: impl FnOnce(&mut Self) -> Option<Effect>) -> Option<Effect> {
        if self.is_there { ask(self) } else { self.say("nothing can be recorded while dosed does not run") }
    }

    fn say(&mut self, message: &str) -> Option<Effect> {
        self.message = Some(message.to_owned());
        None
    }
}

fn item(row: &Value) -> Item {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    Item { id: text("item"), name: text("name") }
}

/// Returns the items of the day and of what comes, each once.
pub(super) fn items(rows: &[Value], coming: &[Value]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for item in rows.iter().chain(coming).map(item) {
        if !items.iter().any(|known| known.id == item.id) {
            items.push(item);
        }
    }
    items
}

#[cfg(test)]
mod tests;
