//! The naive model: what it knows of each occurrence, and the promises that have to hold.

use super::*;

/// How often an item without `again` is offered again on a desktop that does not keep reminders in sight.
const HIDDEN_OFFERS: u32 = 3;

impl World {
    /// The instant at which a local time is due, naively: through the zones one after another.
    pub(super) fn instant(&self, local: jiff::civil::DateTime) -> Timestamp {
        for (i, (since, zone)) in self.zones.iter().enumerate() {
            let at = zone.to_ambiguous_timestamp(local).compatible().unwrap();
            let until = self.zones.get(i + 1).map_or(Timestamp::MAX, |(until, _)| *until);
            if at <= until {
                return at.max(*since);
            }
        }
        unreachable!("the last zone has no end")
    }

    /// Lets the model know of the occurrences whose time has come.
    pub(super) fn learn(&mut self) {
        if self.now < self.learn_at {
            return;
        }
        self.learn_at = self.now + SignedDuration::from_hours(12);
        let (from, until) = (self.today().checked_sub(3.days()).unwrap(), self.today().tomorrow().unwrap());
        for (spec, first_day) in self.specs.clone() {
            for local in spec.slots(from, until) {
                let at = self.instant(local);
                let slot = dosed::core::schedule::Slot::Civil(local);
                let id = OccurrenceId { slot, item: spec.id.parse().unwrap() };
                if at > self.now {
                    self.learn_at = self.learn_at.min(at);
                }
                if local.date() < first_day || at > self.now || self.known.contains_key(&id) {
                    continue;
                }
                let excused = self
                    .pauses
                    .iter()
                    .any(|(since, until)| *since <= at && until.is_none_or(|until| at < until));
                let known = Known { excused, ..self.unknown(&spec, &id, at) };
                self.known.insert(id, known);
            }
        }
    }

    /// Returns what the model knows of an occurrence at its time.
    pub(super) fn unknown(&self, spec: &Spec, id: &OccurrenceId, at: Timestamp) -> Known {
        Known {
            at,
            grace: SignedDuration::from_mins(spec.grace_minutes),
            again: spec.again,
            then: spec.then,
            sent: 0,
            may_send: 1,
            asked: 0,
            may_ask: 1,
            shown_by: 0,
            unseen: false,
            hidden: false,
            snoozed_until: None,
            resolved: self.disk.iter().rev().take(400).any(|record| resolves(&record.fact, id)),
            excused: false,
            had_to_be_asked: false,
            closed: false,
        }
    }

    pub(super) fn asked(&mut self, id: &OccurrenceId) {
        let now = self.now;
        let known = self.known.get_mut(id).unwrap_or_else(|| panic!("{id} was shown before its time, {now}"));
        known.may_ask += u32::from(known.asked > 0 && known.shown_by != self.screen.run);
        known.shown_by = self.screen.run;
        // What was shown while they were away is shown once more when they are back.
        known.may_ask += u32::from(known.unseen && !self.away);
        known.unseen = self.away;
        known.hidden |= self.hides;
        known.asked += 1;
        self.alerts += 1;
        self.occurrences += u64::from(known.asked == 1);
        assert!(now >= known.at || self.turned_back, "{id} was shown at {now}, before {}", known.at);
        let again = known.again.map_or(if known.hidden { HIDDEN_OFFERS } else { 0 }, |(_, at_most)| at_most);
        let may = known.may_ask * (1 + again);
        assert!(
            known.excused || known.asked <= may,
            "{id} was asked about {} times, {may} were due",
            known.asked
        );
    }

    /// Something goes out to the phone, or is given up: once for each time that it was due.
    pub(super) fn sent(&mut self, id: &OccurrenceId) {
        let now = self.now;
        let known = self.known.get_mut(id).unwrap_or_else(|| panic!("{id} was sent before its time, {now}"));
        known.sent += 1;
        let due = known.at + SignedDuration::from_mins(known.then.unwrap_or_default());
        assert!(now >= due || self.turned_back || known.excused, "{id} was sent at {now}, before {due}");
        let (sent, may) = (known.sent, known.may_send);
        assert!(known.excused || sent <= may, "{id} was sent {sent} times, {may} were due");
    }

    /// The model hears of what is on the disk.
    pub(super) fn take_note(&mut self, fact: &Fact) {
        if let Fact::Pause { at, until, .. } = fact {
            self.pauses.push((*at, *until));
            for known in self.known.values_mut() {
                known.excused |= *at <= known.at && until.is_none_or(|until| known.at < until);
            }
        }
        if let Fact::Resume { at, .. } = fact {
            for (_, until) in &mut self.pauses {
                *until = Some(until.map_or(*at, |until| until.min(*at)));
            }
        }
        if let Fact::Zone { at, .. } = fact {
            self.take_note_of_zone(*at);
        }
        let Some(id) = fact.occurrence() else { return };
        self.learn();
        let Some(known) = self.known.get_mut(id) else { return };
        match fact {
            Fact::Intake { .. } | Fact::Skip { .. } => {
                assert!(!known.resolved, "{id} was resolved twice");
                known.resolved = true;
            }
            Fact::Snooze { until, .. } => {
                known.snoozed_until = Some(*until);
                known.may_ask += 1;
                known.may_send += 1;
            }
            _ => {}
        }
    }

    /// The zone that was recorded while the clock was ahead holds from now on: what was known is due at other times.
    fn take_note_of_zone(&mut self, at: Timestamp) {
        if self.zones.last().is_none_or(|(since, _)| *since <= at) {
            return;
        }
        let zone = self.zone();
        self.zones.retain(|(since, _)| *since < at);
        self.zones.push((at, zone));
        self.learn_at = Timestamp::MIN;
        for known in self.known.values_mut() {
            known.excused = true;
        }
    }

    /// The states of what has closed in the last days.
    pub(super) fn past(&self) -> BTreeMap<OccurrenceId, State> {
        let from = self.now - SignedDuration::from_hours(72);
        timeline(self.core.plan(), self.core.ledger(), None, from, self.now, self.now)
            .into_iter()
            .filter(|line| line.status.closes_at <= self.now)
            .map(|line| (line.planned.occurrence.id.clone(), line.status.state))
            .collect()
    }

    /// The invariants.
    pub(super) fn check(&mut self) {
        self.learn();
        let now = self.now;
        let mut on_screen = BTreeSet::new();
        for id in self.screen.lines() {
            assert!(on_screen.insert(id.clone()), "{id} is on two alerts");
        }
        for id in &on_screen {
            if let Some(known) = self.known.get(id) {
                assert!(!known.resolved, "{id} is resolved and still on the screen");
                assert!(
                    known.excused || now < known.closes_at(),
                    "{id} is on the screen at {now}, after {}",
                    known.closes_at()
                );
            }
        }
        for known in self.known.values_mut().filter(|known| !known.closed) {
            let snoozed = known.snoozed_until.is_some_and(|until| now < until);
            let open =
                known.at <= now && now < known.closes_at() && !known.resolved && !known.excused && !snoozed;
            // A server that works, a person who is there and a core that is not waiting to try again: now it
            // has to have been asked.
            let can_be_asked = self.server_works && self.disk_works && self.core.retry_at().is_none();
            known.had_to_be_asked |= open && can_be_asked && (!self.away || now >= known.half_time());
        }
        for (id, known) in &self.known {
            let Some(then) = known.then.map(SignedDuration::from_mins) else { continue };
            let due = known.snoozed_until.unwrap_or(known.at) + then;
            let open =
                due <= now && now < known.closes_at() && !known.resolved && !known.excused && !known.closed;
            assert!(!open || known.sent > 0 || self.turned_back, "{id} did not go out at {due}, {now}");
        }
        for (id, known) in &mut self.known {
            assert!(
                !known.had_to_be_asked || known.asked > 0,
                "{id} (at {}) was not asked about, {now}",
                known.at
            );
            if let Some(until) = known.snoozed_until.filter(|until| *until <= now) {
                let open = now < known.closes_at() && !known.resolved && !known.excused;
                let must = open && self.server_works && self.disk_works && self.core.retry_at().is_none();
                let must = must && (!self.away || now >= known.half_time());
                let all = dosed::core::ledger::Counted { until: Timestamp::MAX, unseen: true };
                let asked = self.core.ledger().shown_since_snooze(id, all).is_some_and(|at| at >= until);
                assert!(
                    !must || asked || self.turned_back,
                    "{id} was snoozed until {until} and forgotten, {now}"
                );
            }
            known.closed |= now >= known.closes_at() + SignedDuration::from_hours(40);
        }
        self.known.retain(|_, known| !known.closed);
        for id in std::mem::take(&mut self.acknowledged) {
            let kept = usize::try_from(id.seq).ok().and_then(|seq| self.disk.get(seq - 1));
            assert!(
                kept.is_some_and(|record| record.id == id),
                "{id} was acknowledged and is not on the disk"
            );
        }
        assert!(self.core.next_deadline().is_none_or(|next| next > now), "a deadline stays in the past");
    }
}
