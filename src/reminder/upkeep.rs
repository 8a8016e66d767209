//! What a person says of an item as a whole: paused, resumed, counted anew.

use jiff::Timestamp;

use super::answer::Decision;
use super::refusal::{Refusal, nearest};
use super::{Action, Reminder, RequestId};
use crate::ledger::{Fact, StockChange};
use crate::schedule::ItemId;

impl Reminder {
    pub(super) fn take_pause(
        &mut self,
        now: Timestamp,
        request: RequestId,
        item: Option<ItemId>,
        until: Option<Timestamp>,
        reason: Option<String>,
        actions: &mut Vec<Action>,
    ) {
        let decision = match self.unknown(item.as_ref()) {
            Some(refusal) => refusal.into(),
            None => Decision::Record(Fact::Pause { item, at: now, until, reason }),
        };
        self.carry_out(request, decision, actions);
    }

    pub(super) fn take_resume(
        &mut self,
        now: Timestamp,
        request: RequestId,
        item: Option<ItemId>,
        actions: &mut Vec<Action>,
    ) {
        let decision = match self.unknown(item.as_ref()) {
            Some(refusal) => refusal.into(),
            None => Decision::Record(Fact::Resume { item, at: now }),
        };
        self.carry_out(request, decision, actions);
    }

    pub(super) fn take_stock(
        &mut self,
        now: Timestamp,
        request: RequestId,
        item: ItemId,
        change: StockChange,
        key: Option<String>,
        actions: &mut Vec<Action>,
    ) {
        if self.is_repeated(request, key.as_deref(), actions) {
            return;
        }
        let decision = match self.unknown(Some(&item)) {
            Some(refusal) => refusal.into(),
            None if self.plan.stock(&item).is_none() => Refusal::NoStock { item }.into(),
            None => Decision::Record(Fact::Stock { item, at: now, change, key }),
        };
        self.carry_out(request, decision, actions);
    }

    fn unknown(&self, item: Option<&ItemId>) -> Option<Refusal> {
        let item = item.filter(|item| self.plan.current(item).is_none())?;
        let nearest = nearest(item, self.plan.current_items().map(|item| &item.id));
        Some(Refusal::UnknownItem { item: item.clone(), nearest })
    }
}
