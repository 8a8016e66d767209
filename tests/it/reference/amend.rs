//! What undoes and corrects answers, and the requests about an item as a whole.

use jiff::Timestamp;

use super::life::{Form, Happened, Item, OpId, Outcome, When};
use super::model::Model;

impl Model {
    /// What undoing and correcting mean where they name nothing.
    pub(super) fn newest(&self) -> Option<OpId> {
        let answers = self.log.iter().rev().filter(|entry| {
            let is_answer = matches!(
                entry.what,
                Happened::Intake { .. } | Happened::Skip { .. } | Happened::Snooze { .. }
            );
            entry.device == 0 && is_answer
        });
        answers.map(|entry| entry.op).find(|op| self.is_effective(*op))
    }

    pub(super) fn undo(&mut self, op: OpId, of: Option<OpId>) -> Outcome {
        let Some(of) = of.or_else(|| self.newest()) else { return Outcome::Refused("no answer") };
        let Some(entry) = self.written(of) else { return Outcome::Refused("unknown fact") };
        let about = match entry.what {
            Happened::Intake { item, slot, .. } => slot.map(|slot| (item, slot)),
            Happened::Skip { item, slot, .. } | Happened::Snooze { item, slot, .. } => Some((item, slot)),
            Happened::Undo { about, .. } => about,
            Happened::Stock { .. } => None,
            _ => return Outcome::Refused("not retractable"),
        };
        // What is taken back already, by itself or with the whole answer, is taken back once.
        // Of several, that of the first journal.
        let undone_by = |of: OpId| {
            let holding = self.undone_by.get(&of).into_iter().flatten().filter(|by| !self.is_undone(**by));
            holding.copied().min_by_key(|by| (self.written(*by).unwrap().device, self.by_op[by]))
        };
        if let Some(by) = undone_by(of).or_else(|| undone_by(self.root(of))) {
            return Outcome::Repeated(by);
        }
        if !self.is_effective(of) && self.root(of) != of {
            return Outcome::Refused("superseded");
        }
        self.write(op, Happened::Undo { of, about });
        Outcome::Recorded(about.map(|(_, slot)| slot))
    }

    pub(super) fn correct(
        &mut self,
        op: OpId,
        of: Option<OpId>,
        at: Option<When>,
        amount: Option<u32>,
        form: Option<Form>,
    ) -> Outcome {
        let Some(of) = of.or_else(|| self.newest()) else { return Outcome::Refused("no answer") };
        if at.is_some_and(|at| self.is_ahead(at)) {
            return Outcome::Refused("in the future");
        }
        if self.written(of).is_none() {
            return Outcome::Refused("unknown fact");
        }
        let Some(of) = self.effective(self.root(of)) else { return Outcome::Refused("superseded") };
        let mut what = self.written(of).unwrap().what.clone();
        let has_amount = amount.is_some();
        match &mut what {
            // A form is corrected to another one of its kind, and has no amount.
            Happened::Intake { form: filled, .. }
                if (filled.is_some() && has_amount)
                    || form.is_some_and(|form| {
                        filled.is_none_or(|filled| {
                            matches!(filled, Form::Scan(_)) != matches!(form, Form::Scan(_))
                        })
                    }) =>
            {
                return Outcome::Refused("not correctable");
            }
            Happened::Intake { at: was, amount: had, form: filled, .. }
                if at.is_none_or(|at| at == *was)
                    && (amount.is_none() || amount == *had)
                    && (form.is_none() || form == *filled) =>
            {
                return Outcome::Repeated(of);
            }
            Happened::Skip { at: was, .. }
                if !has_amount && form.is_none() && at.is_none_or(|at| at == *was) =>
            {
                return Outcome::Repeated(of);
            }
            Happened::Intake { at: was, amount: had, form: filled, corrects, .. } => {
                *was = at.unwrap_or(*was);
                *filled = form.or(*filled);
                *had = amount.or(*had);
                *corrects = Some(of);
            }
            Happened::Skip { at: was, corrects, .. } if !has_amount && form.is_none() => {
                *was = at.unwrap_or(*was);
                *corrects = Some(of);
            }
            _ => return Outcome::Refused("not correctable"),
        }
        let slot = match what {
            Happened::Intake { slot, .. } => slot,
            Happened::Skip { slot, .. } => Some(slot),
            _ => None,
        };
        self.write(op, what);
        Outcome::Recorded(slot)
    }

    pub(super) fn pause(
        &mut self,
        op: OpId,
        item: Option<Item>,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Outcome {
        let from = from.unwrap_or(self.now).max(self.now);
        if item.is_some_and(|item| self.current(item).is_none()) {
            return Outcome::Refused("unknown item");
        }
        if until.is_some_and(|until| until <= self.now) {
            return Outcome::Refused("pause over");
        }
        if until.is_some_and(|until| until <= from) {
            return Outcome::Refused("pause empty");
        }
        self.write(op, Happened::Pause { item, from, until });
        Outcome::Recorded(None)
    }

    pub(super) fn resume(&mut self, op: OpId, item: Option<Item>) -> Outcome {
        if item.is_some_and(|item| self.current(item).is_none()) {
            return Outcome::Refused("unknown item");
        }
        self.write(op, Happened::Resume(item));
        Outcome::Recorded(None)
    }

    pub(super) fn count(&mut self, op: OpId, item: Item, counted: bool, doses: u32) -> Outcome {
        match self.current(item) {
            None => Outcome::Refused("unknown item"),
            Some(spec) if spec.stock.is_none() => Outcome::Refused("no stock"),
            Some(_) => {
                self.write(op, Happened::Stock { item, counted, doses });
                Outcome::Recorded(None)
            }
        }
    }
}
