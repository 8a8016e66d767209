//! What happens to a person, a machine and a daemon from one step to the next.

use std::sync::Arc;

use super::*;

impl World {
    /// The daemon is killed, sometimes with the whole machine: what is on the disk is all that it has.
    fn restart(&mut self) {
        self.screen.numbers.clear();
        if self.lot.one_in(3) {
            self.screen.restart();
        }
        let mut records: Vec<Record> = self
            .disk
            .iter()
            .filter(|record| {
                let lost = match record.fact {
                    Fact::Snooze { .. } => self.bug == Bug::LostSnooze,
                    Fact::Delivered { .. } => self.bug == Bug::ForgottenDelivery,
                    _ => false,
                };
                let recent = record.recorded_at > self.now - SignedDuration::from_hours(24 * 5);
                !lost && (record.fact.shapes_plan() || recent)
            })
            .cloned()
            .collect();
        // Any order, and some of them twice.
        for i in (1..records.len()).rev() {
            let j = self.lot.below(i as u64 + 1) as usize;
            records.swap(i, j);
        }
        let twice: Vec<Record> = records.iter().take(5).cloned().collect();
        let mut ledger = Ledger::default();
        for record in records.into_iter().chain(twice) {
            ledger.fold(record);
        }
        let plan = replay(&ledger, ledger.zone_history(&self.zones[0].1), |record, definition| {
            let read = config::read_definition(record.fact.item()?, definition);
            assert!(read.unread.is_empty(), "{:?}", read.unread);
            Some(read.item)
        });
        self.core = Reminder::new(plan, ledger, self.now);
        let (zone_name, zone) = self.told_zone(self.zone());
        let schedule = Some(self.schedule());
        self.hides = false;
        self.input(Input::Started { zone_name, zone, schedule, away: self.away, can_open: false });
    }

    fn set_clock(&mut self, to: Timestamp) {
        self.now = to;
        self.latest = self.latest.max(to);
    }

    /// Time passes as the agenda lets it: from deadline to deadline.
    fn sleep(&mut self, length: SignedDuration) {
        let end = self.now + length;
        while let Some(next) = self.core.next_deadline().filter(|next| *next <= end) {
            assert!(
                next > self.now || self.steps == 0,
                "a deadline that has passed: {next}, now {}",
                self.now
            );
            self.set_clock(next.max(self.now));
            self.input(Input::Tick);
            self.check();
        }
        self.set_clock(end);
        self.input(Input::Tick);
    }

    pub(super) fn step(&mut self) {
        match self.lot.below(100) {
            0..52 => {
                let minutes = 30 + self.lot.below(900) as i64;
                self.sleep(SignedDuration::from_mins(minutes));
            }
            52..55 => {
                self.away = !self.away;
                if self.away || self.bug != Bug::UnheardReturn {
                    self.input(Input::Away(self.away));
                }
            }
            55..75 => self.person_answers(),
            75..80 => self.person_closes(),
            80..83 => {
                self.server_works = !self.server_works;
                self.screen.restart();
                if self.server_works {
                    self.input(Input::ServerAppeared);
                }
            }
            83..86 => self.crash_in_an_action(),
            86..89 => self.restart(),
            89..91 => {
                // Asleep, or off: no tick until it is over.
                let minutes = self.lot.below(60 * 24 * 4) as i64;
                self.set_clock(self.now + SignedDuration::from_mins(minutes));
                if self.lot.one_in(2) { self.input(Input::ClockChanged) } else { self.restart() }
            }
            91..93 => self.turn_the_clock(),
            93..95 => self.travel(),
            95..97 => self.edit(),
            97 if self.lot.one_in(2) => self.phone_works = !self.phone_works,
            97 => self.pause(),
            98 => self.disk_works = self.lot.one_in(2) || !self.disk_works,
            _ => {
                for input in [Input::Tick, Input::ClockChanged, Input::Tick] {
                    self.input(input);
                }
            }
        }
        self.check();
        self.steps += 1;
    }

    /// Somebody answers on the phone one of what was sent last; it is heard at once, late, or once more.
    fn phone_answers(&mut self) {
        let last = self.sendings.len().saturating_sub(4);
        self.sendings.drain(..last);
        let (occurrence, nonce) = self.sendings[self.lot.below(self.sendings.len() as u64) as usize].clone();
        let button = Button::ALL[self.lot.below(3) as usize];
        let key = format!("{button:?} {occurrence} {nonce}");
        let at = self.now - SignedDuration::from_mins(self.lot.below(3) as i64 * 20);
        let reply = DeliveryReply { channel: "phone".parse().unwrap(), occurrence, nonce, button, at, key };
        for _ in 0..=self.lot.below(2) {
            self.input(Input::Replied(reply.clone()));
        }
    }

    /// Somebody answers: on the screen, or with a command, sometimes twice or with two minds at once.
    fn person_answers(&mut self) {
        let alerts = self.screen.alerts();
        if !alerts.is_empty() && self.lot.one_in(2) {
            let alert = alerts[self.lot.below(alerts.len() as u64) as usize];
            let button = Button::ALL[self.lot.below(3) as usize];
            self.input(Input::Pressed(alert, button));
            return;
        }
        if !self.sendings.is_empty() && self.lot.one_in(3) {
            self.phone_answers();
            return;
        }
        let item = ["a", "b", "c"][self.lot.below(3) as usize];
        let named = self.known.keys().rev().take(6).nth(self.lot.below(6) as usize).cloned();
        for _ in 0..=self.lot.below(2) {
            let verb =
                [Verb::Take, Verb::Take, Verb::Skip, Verb::Snooze, Verb::Log][self.lot.below(5) as usize];
            let target = match &named {
                Some(named) if self.lot.one_in(2) => AnswerTarget::Occurrence(named.clone()),
                _ => AnswerTarget::Item(item.parse().unwrap()),
            };
            let length = SignedDuration::from_mins(5 + self.lot.below(90) as i64);
            self.last_request += 1;
            let answer = Answer { length: Some(length), ..Answer::new(verb, target) };
            let request = RequestId(self.last_request);
            let context = self.context();
            self.core.add_facts(context);
            self.input(Input::Answer { request, answer });
        }
    }

    /// What the database knows of the last days, as the daemon adds it before an answer.
    fn context(&self) -> Vec<Arc<Record>> {
        let since = self.now - SignedDuration::from_hours(24 * 5);
        let newest = self.disk.iter().rev().take(40);
        newest.filter(|record| record.recorded_at > since).cloned().map(Arc::new).collect()
    }

    fn person_closes(&mut self) {
        if let Some(alert) = self.screen.alerts().first().copied() {
            let lines = self.screen.take_down(alert);
            let reason = if self.lot.one_in(2) { CloseReason::Expired } else { CloseReason::Dismissed };
            if reason == CloseReason::Expired {
                // That was the server, not the person: what it dropped is offered once more.
                self.hides = true;
                for id in &lines {
                    if let Some(known) = self.known.get_mut(id) {
                        known.may_ask += 1;
                    }
                }
            }
            self.input(Input::Closed(alert, reason));
        }
    }

    /// The power goes in the middle of a tick: after some of its actions, before the others.
    fn crash_in_an_action(&mut self) {
        let minutes = 30 + self.lot.below(600) as i64;
        let end = self.now + SignedDuration::from_mins(minutes);
        let Some(next) = self.core.next_deadline().filter(|next| *next <= end) else { return };
        self.set_clock(next);
        let actions = self.core.handle(self.now, Input::Tick);
        self.learn();
        let done = self.lot.below(actions.len() as u64 + 1) as usize;
        for action in actions.into_iter().take(done) {
            match action {
                // Shown, and the power goes before that is written down: the one case of twice.
                Action::Show(notice) => {
                    let place = self.screen.show(notice.alert, notice.occurrences.clone());
                    self.screen.orphans.insert(place.notification);
                    for id in &notice.occurrences {
                        if let Some(known) = self.known.get_mut(id) {
                            known.asked += 1;
                            known.may_ask += 1;
                        }
                    }
                }
                Action::Send(Outgoing { notice, .. }) => {
                    for id in &notice.occurrences {
                        if let Some(known) = self.known.get_mut(id) {
                            known.sent += 1;
                            known.may_send += 1;
                        }
                    }
                }
                Action::Record(_, fact) if self.disk_works && self.lot.one_in(2) => {
                    let seq = self.disk.len() as u64 + 1;
                    let id = FactId { device: "d".into(), seq };
                    self.take_note(&fact);
                    self.disk.push(Record { id, recorded_at: self.now, fact });
                }
                _ => {}
            }
        }
        self.restart();
    }

    fn turn_the_clock(&mut self) {
        let minutes = self.lot.below(60 * 30) as i64 - 60 * 10;
        let to = self.now + SignedDuration::from_mins(minutes);
        if to < self.now {
            self.turned_back = true;
            // What was asked by a clock that was ahead is asked again at its time.
            for known in self.known.values_mut() {
                known.may_ask += u32::from(known.asked > 0);
                known.may_send += u32::from(known.sent > 0);
            }
        }
        self.learn_at = Timestamp::MIN;
        self.set_clock(to);
        self.input(Input::ClockChanged);
    }

    fn travel(&mut self) {
        // A clock that was set back has no straight history of zones to be naive about, and a change that
        // a full disk does not take is made up for at the next start.
        if self.now < self.latest || !self.disk_works {
            return;
        }
        let names = zone_names();
        let zone = TimeZone::get(&names[self.lot.below(names.len() as u64) as usize]).unwrap();
        if zone == self.zone() {
            return;
        }
        self.zones.push((self.now, zone.clone()));
        self.learn_at = Timestamp::MIN;
        self.tell_zone(zone);
    }

    fn edit(&mut self) {
        if self.now < self.latest || !self.disk_works {
            return;
        }
        let past = self.past();
        let which = self.lot.below(3) as usize;
        let (anchor, now) = (self.today(), self.now);
        let id = self.specs[which].0.id.clone();
        let spec = Spec::draw(&mut self.lot, &id, anchor);
        // Which slots of the day stand after an edit is the reference model's to say; this one looks away until the next day.
        for (occurrence, known) in &mut self.known {
            if occurrence.item.as_str() == id && !known.closed && now < known.closes_at() {
                known.excused = true;
            }
        }
        // A journey of the same second can bring slots of the days around.
        let around = (anchor.yesterday().unwrap(), anchor.checked_add(2.days()).unwrap());
        let new = spec.slots(around.0, around.1);
        let mut old = self.specs[which].0.slots(around.0, around.1);
        old.retain(|local| !new.contains(local));
        for local in spec.slots(anchor, anchor).into_iter().chain(old) {
            let slot = dosed::core::schedule::Slot::Civil(local);
            let id = OccurrenceId { slot, item: spec.id.parse().unwrap() };
            let known = self.unknown(&spec, &id, self.instant(local));
            self.known.entry(id).or_insert(Known { excused: true, ..known });
        }
        self.specs[which] = (spec, anchor.tomorrow().unwrap());
        self.learn_at = Timestamp::MIN;
        self.tell_schedule();
        let after = self.past();
        for (id, state) in past {
            assert_eq!(after.get(&id), Some(&state), "an edit changed the past of {id}");
        }
    }

    fn pause(&mut self) {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        if self.lot.one_in(2) {
            let hours = |lot: u32| SignedDuration::from_hours(1 + i64::from(lot));
            let from = self.lot.one_in(3).then(|| self.now + hours(self.lot.below(60) as u32));
            let until = Some(from.unwrap_or(self.now) + hours(self.lot.below(60) as u32));
            self.input(Input::Pause { request, pause: Pause { item: None, from, until, reason: None } });
        } else {
            self.input(Input::Resume { request, item: None });
        }
    }
}
