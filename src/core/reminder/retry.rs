//! When what could not be shown is tried again: each failure in a row doubles the wait.

use jiff::{SignedDuration, Timestamp};

/// The wait after the first failure, and the longest.
const FIRST: SignedDuration = SignedDuration::from_secs(5);
const LONGEST: SignedDuration = SignedDuration::from_mins(5);

/// The next try, if one is scheduled, and how long the one after it would wait.
#[derive(Clone, Debug)]
pub(super) struct Retry {
    at: Option<Timestamp>,
    wait: SignedDuration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { at: None, wait: FIRST }
    }
}

impl Retry {
    /// Returns the instant of the next try.
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// Schedules the next try, unless there is one.
    pub(super) fn schedule(&mut self, now: Timestamp) {
        if self.at.is_none() {
            self.at = Some(now.checked_add(self.wait).unwrap_or(Timestamp::MAX));
            self.wait = (self.wait * 2).min(LONGEST);
        }
    }

    /// Ends the next try if its time has come, and tells whether it had.
    pub(super) fn start_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.at.is_some_and(|at| at <= now);
        if is_due {
            self.at = None;
        }
        is_due
    }

    /// Starts with short waits again: something was shown.
    pub(super) fn on_success(&mut self) {
        self.wait = FIRST;
    }

    /// Forgets all failures: whatever waits is tried now.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut retry = Retry::default();
        let mut now = Timestamp::from_second(0).unwrap();
        for wait in [5, 10, 20, 40, 80, 160, 300, 300] {
            retry.schedule(now);
            // One try is enough for several failures.
            retry.schedule(now);
            let at = now + SignedDuration::from_secs(wait);
            assert_eq!(retry.at(), Some(at));
            assert!(!retry.start_due(at - SignedDuration::from_nanos(1)));
            assert!(retry.start_due(at));
            assert_eq!((retry.at(), retry.start_due(at)), (None, false));
            now = at;
        }
        retry.on_success();
        retry.schedule(now);
        assert_eq!(retry.at(), Some(now + FIRST));
        retry.reset();
        assert_eq!(retry.at(), None);
        retry.schedule(now);
        assert_eq!(retry.at(), Some(now + FIRST));
    }
}
