//! Commands about an item as a whole: pause, resume, stock.

use jiff::Timestamp;

use super::Reminder;
use super::answer::Decision;
use super::messages::{Action, RequestId};
use super::refusal::{Refusal, nearest};
use crate::core::ledger::{Fact, Ledger, StockChange};
use crate::core::schedule::ItemId;

/// A pause that someone asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Which item; `None` is all.
    pub item: Option<ItemId>,
    /// From when on; `None`, and a time that is over, is now.
    pub from: Option<Timestamp>,
    /// Until when; `None` is until a resume.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

impl Reminder {
    pub(super) fn on_pause(
        &mut self,
        now: Timestamp,
        request: RequestId,
        pause: Pause,
        actions: &mut Vec<Action>,
    ) {
        let Pause { item, from, until, reason } = pause;
        let item = item.map(|item| self.plan.current_id(&item).clone());
        let at = from.map_or(now, |from| from.max(now));
        let decision = match self.unknown(item.as_ref()) {
            Some(refusal) => refusal.into(),
            None if until.is_some_and(|until| until <= now) => Refusal::PauseOver.into(),
            None if until.is_some_and(|until| until <= at) => Refusal::PauseEmpty.into(),
            None => Decision::Record(Fact::Pause { item, at, until, reason }),
        };
        self.execute(request, decision, actions);
    }

    pub(super) fn on_resume(
        &mut self,
        now: Timestamp,
        request: RequestId,
        item: Option<ItemId>,
        actions: &mut Vec<Action>,
    ) {
        let item = item.map(|item| self.plan.current_id(&item).clone());
        let decision = match self.unknown(item.as_ref()) {
            Some(refusal) => refusal.into(),
            None => Decision::Record(Fact::Resume { item, at: now }),
        };
        self.execute(request, decision, actions);
    }

    pub(super) fn on_stock(
        &mut self,
        now: Timestamp,
        request: RequestId,
        item: ItemId,
        change: StockChange,
        key: Option<String>,
        actions: &mut Vec<Action>,
    ) {
        let item = self.plan.current_id(&item).clone();
        let is_same = |_: &Ledger, known: &Fact| matches!(known, Fact::Stock { item: of, change: made, .. } if *of == item && *made == change);
        if self.is_repeated(request, key.as_deref(), is_same, actions) {
            return;
        }
        let decision = match self.unknown(Some(&item)) {
            Some(refusal) => refusal.into(),
            None if self.plan.stock(&item).is_none() => Refusal::NoStock { item }.into(),
            None => Decision::Record(Fact::Stock { item, at: now, change, key }),
        };
        self.execute(request, decision, actions);
    }

    fn unknown(&self, item: Option<&ItemId>) -> Option<Refusal> {
        let item = item.filter(|item| self.plan.current(item).is_none())?;
        let nearest = nearest(item, self.plan.current_items().map(|item| &item.id));
        Some(Refusal::UnknownItem { item: item.clone(), nearest })
    }
}
