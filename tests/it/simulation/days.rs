//! What happens to a person, a machine and a daemon from one step to the next.

use std::sync::Arc;

use super::*;

impl World {
    /// The daemon is killed, sometimes with the whole machine: what is on the disk is all that it has.
    fn restart(&mut self) {
        self.screen.numbers.clear();
        self.sendings.clear();
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
        let plan = replay(&ledger, ledger.zone_history(&self.zones[0].1), |_, definition| {
            Some(config::parse_definition(definition).unwrap())
        });
        self.core = Reminder::new(plan, ledger, self.now);
        let (zone_name, zone) = self.told_zone(self.zone());
        let schedule = self.schedule();
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

    /// Somebody answers: on the screen, or with a command, sometimes twice or with two minds at once.
    fn person_answers(&mut self) {
        let alerts = self.screen.alerts();
        if !alerts.is_empty() && self.lot.one_in(2) {
            let alert = alerts[self.lot.below(alerts.len() as u64) as usize];
            let button = Button::ALL[self.lot.below(3) as usize];
            self.input(Input::Pressed(alert, button));
            return;
        }
        let sent: Vec<OccurrenceId> = self.sendings.values().flatten().cloned().collect();
        if !sent.is_empty() && self.lot.one_in(3) {
            let occurrence = sent[self.lot.below(sent.len() as u64) as usize].clone();
            let button = Button::ALL[self.lot.below(3) as usize];
            self.input(Input::Replied(occurrence, button));
            return;
        }
        let item = ["a", "b", "c"][self.lot.below(3) as usize];
        let named = self.known.keys().rev().take(6).nth(self.lot.below(6) as usize).cloned();
        for _ in 0..=self.lot.below(2) {
            let verb =
                [Verb::Take, Verb::Take, Verb::Skip, Verb::Snooze, Verb::Log][self.lot.below(5) as usize];
            let target = match &named {
                Some(named) if self.lot.one_in(2) => Target::Occurrence(named.clone()),
                _ => Target::Item(item.parse().unwrap()),
            };
            let length = SignedDuration::from_mins(5 + self.lot.below(90) as i64);
            self.last_request += 1;
            let answer = Answer { length: Some(length), ..Answer::new(verb, target) };
            let request = RequestId(self.last_request);
            let context = self.context();
            self.input(Input::Answer { request, answer, context });
        }
    }

    /// What the database knows of the last days, as the daemon hands it in with an answer.
    fn context(&self) -> Vec<Arc<Record>> {
        let since = self.now - SignedDuration::from_hours(24 * 5);
        let newest = self.disk.iter().rev().take(40);
        newest.filter(|record| record.recorded_at > since).cloned().map(Arc::new).collect()
    }

    fn person_closes(&mut self) {
        if let Some(alert) = self.screen.alerts().first().copied() {
            self.screen.take_down(alert);
            let reason = if self.lot.one_in(2) { CloseReason::Expired } else { CloseReason::Dismissed };
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
                Action::Send(_, notice) => {
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
        self.turned_back |= to < self.now;
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
        // What is open and planned no more is let go of.
        for (occurrence, known) in &mut self.known {
            if occurrence.item.as_str() == id && !known.closed && now < known.closes() {
                let kept = spec
                    .slots(anchor.checked_sub(2.days()).unwrap(), anchor)
                    .iter()
                    .any(|local| dosed::schedule::Slot::Civil(*local) == occurrence.slot);
                if kept {
                    known.grace = SignedDuration::from_mins(spec.grace_minutes);
                }
                // Under which grace a kept slot goes on is for its own regimen to say; the model looks away.
                known.excused = true;
            }
        }
        self.specs[which] = (spec, now);
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
            let hours = 1 + self.lot.below(60) as i64;
            let until = Some(self.now + SignedDuration::from_hours(hours));
            self.input(Input::Pause { request, item: None, until, reason: None });
        } else {
            self.input(Input::Resume { request, item: None });
        }
    }
}
