//! The text of a reminder: what, how much, with what, how late. Plain text; escaping is the channel's.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::notice::{AlertId, AlertLine, Button, Notice};
use crate::core::schedule::{Amount, Item, Kind, Length};

/// How many lines a reminder of several shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// So many are all shown.
    all: usize,
    /// So many are shown where there are more, which are counted.
    some: usize,
}

impl Room {
    /// A message of a channel.
    pub(super) const MESSAGE: Self = Self { all: 12, some: 12 };

    /// Returns the room of a notification, of which the server is known to show so many lines.
    pub(super) fn notification(known: Option<usize>) -> Self {
        match known {
            // A name may need two.
            Some(lines) => Self { all: lines.min(5), some: lines.saturating_sub(1).clamp(1, 4) },
            None => Self { all: 4, some: 4 },
        }
    }

    fn shown(self, lines: usize) -> usize {
        if lines <= self.all { lines } else { self.some }
    }
}

/// A reminder says how late it is from here on.
const LATE_FROM: SignedDuration = SignedDuration::from_mins(5);

/// One line of a reminder with what its text is made of.
pub(super) struct NoticeLine<'a> {
    pub(super) line: &'a AlertLine,
    pub(super) item: &'a Item,
    /// What is planned for its slot.
    pub(super) dose: Option<&'a Amount>,
    /// The zone in which its times are shown.
    pub(super) zone: &'a TimeZone,
    /// What to know before it is taken.
    pub(super) warnings: Vec<String>,
}

/// What the text of a reminder depends on, in addition to its lines.
pub(super) struct Wording {
    pub(super) now: Timestamp,
    /// How long *Snooze* lasts.
    pub(super) snooze: SignedDuration,
    /// Whether it leaves out what the lines are, as each private item's own does.
    pub(super) private: bool,
    /// Whether it can offer to answer one by one.
    pub(super) can_open: bool,
    pub(super) room: Room,
}

impl Wording {
    /// Writes a reminder.
    pub(super) fn notice(&self, alert: AlertId, lines: &[NoticeLine<'_>]) -> Notice {
        let to_answer = lines.iter().filter(|line| !line.line.lead).count();
        let (title, body, command) = match lines {
            [line] => self.single(line),
            several => self.several(several, to_answer > 0),
        };
        Notice {
            occurrences: lines.iter().map(|line| line.line.occurrence.id.clone()).collect(),
            due: lines.iter().map(|line| line.line.due).max(),
            command,
            buttons: if to_answer == 0 { Vec::new() } else { self.buttons(lines) },
            ..Notice::plain(alert, title, body)
        }
    }

    fn single(&self, line: &NoticeLine<'_>) -> (String, Vec<String>, Option<String>) {
        let item = line.item;
        let verb = if item.kind == Kind::CheckIn { "check-in" } else { "take" };
        let command =
            if self.hides(item) { "dosed answer".to_owned() } else { format!("dosed {verb} {}", item.id) };
        (self.name(item), self.details(line), (!line.line.lead).then_some(command))
    }

    fn several(&self, lines: &[NoticeLine<'_>], is_question: bool) -> (String, Vec<String>, Option<String>) {
        let row = |line: &NoticeLine<'_>| {
            let parts = [self.name(line.item)].into_iter().chain(self.details(line));
            parts.collect::<Vec<_>>().join(", ")
        };
        let shown = self.room.shown(lines.len());
        let mut body: Vec<String> = lines.iter().take(shown).map(row).collect();
        if lines.len() > shown {
            body.push(format!("and {} more", lines.len() - shown));
        }
        let command = is_question.then(|| "dosed answer".to_owned());
        (format!("{} reminders", lines.len()), body, command)
    }

    fn hides(&self, item: &Item) -> bool {
        self.private || item.private
    }

    fn name(&self, item: &Item) -> String {
        if self.hides(item) { "Reminder".to_owned() } else { item.name.clone() }
    }

    fn buttons(&self, lines: &[NoticeLine<'_>]) -> Vec<(Button, String)> {
        let all_are = |kind| lines.iter().all(|line| line.item.kind == kind);
        let several = lines.len() > 1;
        // Not all of them may be in sight.
        let taken = match (all_are(Kind::Supplement), several) {
            (true, false) => "Taken".to_owned(),
            (true, true) => format!("All {} taken", lines.len()),
            (false, false) => "Done".to_owned(),
            (false, true) => format!("All {} done", lines.len()),
        };
        // Some servers show three at most.
        let last = match (several, self.can_open) {
            (true, true) => (Button::Open, "Open".to_owned()),
            (true, false) => (Button::Skip, "Skip all".to_owned()),
            (false, _) => (Button::Skip, "Skip".to_owned()),
        };
        let snooze = (Button::Snooze, format!("Snooze {}", minutes(self.snooze)));
        if !several && all_are(Kind::CheckIn) {
            // It is answered with its form and with nothing less.
            let answer = self.can_open.then(|| (Button::Open, "Answer".to_owned()));
            return answer.into_iter().chain([snooze, last]).collect();
        }
        if lines.iter().any(|line| line.item.asks_amount(line.dose)) {
            // A button cannot say how much it was; *Open* of several asks too.
            let how_much = (self.can_open && !several).then(|| (Button::Open, "How much?".to_owned()));
            return how_much.into_iter().chain([snooze, last]).collect();
        }
        vec![(Button::Taken, taken), snooze, last]
    }

    /// Returns what a line shows after the name.
    fn details(&self, line: &NoticeLine<'_>) -> Vec<String> {
        let NoticeLine { line: AlertLine { lead, .. }, item, .. } = line;
        let mut details = Vec::new();
        if !self.hides(item) {
            details.extend(line.dose.map(Amount::for_people));
            details.extend(item.strain().map(ToOwned::to_owned));
            details.extend(item.with.as_ref().map(|with| format!("with {with}")));
            details.extend(item.target.as_ref().map(|target| format!("aim: {target}")));
            details.extend(item.note.clone());
        }
        details.extend(self.time(line));
        if !self.hides(item) && !lead {
            details.extend(line.warnings.iter().cloned());
        }
        details
    }

    /// Returns when a line is planned, where that is not now.
    fn time(&self, line: &NoticeLine<'_>) -> Option<String> {
        let AlertLine { occurrence, lead, .. } = line.line;
        let planned = line.zone.to_datetime(occurrence.at);
        let today = line.zone.to_datetime(self.now).date();
        let clock = planned.strftime("%H:%M");
        let date = day(planned.date(), today);
        let late = self.now.duration_since(occurrence.at);
        if *lead {
            Some(format!("{date}, {clock}"))
        } else if planned.date() != today {
            Some(format!("planned {date}, {clock}"))
        } else {
            (late >= LATE_FROM).then(|| format!("planned {clock}, {} ago", minutes(late)))
        }
    }
}

/// Returns a date as people write it; the year where it is another one.
pub(super) fn day(date: jiff::civil::Date, today: jiff::civil::Date) -> String {
    let form = if date.year() == today.year() { "%a %-d %b" } else { "%a %-d %b %Y" };
    date.strftime(form).to_string()
}

/// Returns a length of time in whole minutes, as people write it.
pub(super) fn minutes(length: SignedDuration) -> String {
    let minutes = length.as_mins();
    if minutes < 60 {
        return format!("{minutes} min");
    }
    Length::Exact(SignedDuration::from_mins(minutes)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reminder::tests::line;

    const SCHEDULE: &str = r#"
        [[supplement]]
        id = "a"
        name = "Anise"
        dose = "5 mg"
        strain = "LA-5"
        with = "food"
        note = "the white ones"
        times = ["08:00"]

        [[supplement]]
        id = "secret"
        name = "Basil"
        dose = "5 mg"
        private = true
        times = ["08:00"]

        [[habit]]
        id = "walk"
        target = "30 min / day"
        times = ["08:00"]

        [[check-in]]
        id = "weekly"
        times = ["08:00"]

        [[supplement]]
        id = "insulin"
        dose = "12 unit"
        ask-amount = true
        times = ["08:00"]

        [[supplement]]
        id = "range"
        dose = "1-2 tablet"
        times = ["08:00"]
    "#;

    /// Writes the reminder of these occurrences at an instant: title, body, command, buttons.
    fn write(ids: &[&str], now: &str, change: impl Fn(&mut Wording, &mut Vec<AlertLine>)) -> Notice {
        let items = crate::adapters::config::parse(SCHEDULE).unwrap().items;
        let now = format!("{now}Z").parse().unwrap();
        let mut wording = Wording {
            now,
            snooze: SignedDuration::from_mins(15),
            private: false,
            can_open: false,
            room: Room::notification(None),
        };
        let mut lines: Vec<AlertLine> = ids.iter().map(|id| line(id)).collect();
        change(&mut wording, &mut lines);
        let zone = TimeZone::UTC;
        let lines: Vec<NoticeLine<'_>> = lines
            .iter()
            .map(|line| {
                let item = items.iter().find(|(item, _)| item.id == line.occurrence.id.item).unwrap();
                let warnings = vec!["careful".to_owned()];
                let dose = item.0.dose_on(line.occurrence.id.slot.written().date());
                NoticeLine { line, item: &item.0, dose, zone: &zone, warnings }
            })
            .collect();
        wording.notice(AlertId(1), &lines)
    }

    #[track_caller]
    fn check(notice: &Notice, title: &str, body: &[&str], command: Option<&str>, buttons: &[&str]) {
        let got: Vec<&str> = notice.buttons.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!((notice.title.as_str(), notice.command.as_deref()), (title, command));
        assert_eq!(
            (&notice.body[..], got),
            (&body.iter().map(ToString::to_string).collect::<Vec<_>>()[..], buttons.to_vec())
        );
    }

    const A: &str = "a@2026-11-25T08:00";
    const WALK: &str = "walk@2026-11-25T08:00";
    const SECRET: &str = "secret@2026-11-25T08:00";
    const WEEKLY: &str = "weekly@2026-11-25T08:00";

    #[test]
    fn a_reminder_says_what_how_much_and_how_late() {
        let all = ["5 mg", "LA-5", "with food", "the white ones"];
        let taken = ["Taken", "Snooze 15 min", "Skip"];
        for (now, time) in [
            ("2026-11-25T08:04:59", None),
            ("2026-11-25T08:05", Some("planned 08:00, 5 min ago")),
            ("2026-11-25T09:30", Some("planned 08:00, 1h 30m ago")),
            ("2026-11-26T01:00", Some("planned Wed 25 Nov, 08:00")),
            ("2027-01-01T01:00", Some("planned Wed 25 Nov 2026, 08:00")),
        ] {
            let notice = write(&[A], now, |_, _| {});
            let body: Vec<&str> = all.into_iter().chain(time).chain(["careful"]).collect();
            check(&notice, "Anise", &body, Some("dosed take a"), &taken);
        }
        // An announcement asks nothing.
        let lead = write(&[A], "2026-11-24T08:00", |_, lines| lines[0].lead = true);
        let body: Vec<&str> = all.into_iter().chain(["Wed 25 Nov, 08:00"]).collect();
        check(&lead, "Anise", &body, None, &[]);
    }

    #[test]
    fn a_private_reminder_says_nothing() {
        let taken = ["Taken", "Snooze 15 min", "Skip"];
        let own = write(&[SECRET], "2026-11-25T08:00", |_, _| {});
        check(&own, "Reminder", &[], Some("dosed answer"), &taken);
        let channel = write(&[A], "2026-11-25T08:10", |wording, _| wording.private = true);
        check(&channel, "Reminder", &["planned 08:00, 10 min ago"], Some("dosed answer"), &taken);
    }

    #[test]
    fn buttons_depend_on_what_is_asked() {
        let now = "2026-11-25T08:00";
        let open = |wording: &mut Wording, _: &mut Vec<AlertLine>| wording.can_open = true;
        let habit = ["aim: 30 min / day", "careful"];
        check(
            &write(&[WALK], now, |_, _| {}),
            "walk",
            &habit,
            Some("dosed take walk"),
            &["Done", "Snooze 15 min", "Skip"],
        );
        let form = write(&[WEEKLY], now, |_, _| {});
        check(&form, "weekly", &["careful"], Some("dosed check-in weekly"), &["Snooze 15 min", "Skip"]);
        let form = write(&[WEEKLY], now, open);
        check(
            &form,
            "weekly",
            &["careful"],
            Some("dosed check-in weekly"),
            &["Answer", "Snooze 15 min", "Skip"],
        );
        let rows = ["Anise, 5 mg, LA-5, with food, the white ones, careful", "Reminder"];
        let two = write(&[A, SECRET], now, |_, _| {});
        check(
            &two,
            "2 reminders",
            &rows,
            Some("dosed answer"),
            &["All 2 taken", "Snooze 15 min", "Skip all"],
        );
        let two = write(&[A, SECRET], now, open);
        check(&two, "2 reminders", &rows, Some("dosed answer"), &["All 2 taken", "Snooze 15 min", "Open"]);
        let mixed = write(&[SECRET, WALK], now, |_, _| {});
        let rows = ["Reminder", "walk, aim: 30 min / day, careful"];
        check(
            &mixed,
            "2 reminders",
            &rows,
            Some("dosed answer"),
            &["All 2 done", "Snooze 15 min", "Skip all"],
        );
    }

    /// A button cannot say how much it was.
    #[test]
    fn an_amount_that_is_decided_each_time_is_asked() {
        let now = "2026-11-25T08:00";
        let open = |wording: &mut Wording, _: &mut Vec<AlertLine>| wording.can_open = true;
        for (item, dose) in [("insulin", "12 units"), ("range", "1-2 tablets")] {
            let id = format!("{item}@2026-11-25T08:00");
            let (command, body) = (format!("dosed take {item}"), [dose, "careful"]);
            let asked = write(&[&id], now, open);
            check(&asked, item, &body, Some(&command), &["How much?", "Snooze 15 min", "Skip"]);
            let plain = write(&[&id], now, |_, _| {});
            check(&plain, item, &body, Some(&command), &["Snooze 15 min", "Skip"]);
            let with_another = write(&[A, &id], now, open);
            let buttons: Vec<&str> = with_another.buttons.iter().map(|(_, label)| label.as_str()).collect();
            assert_eq!(buttons, ["Snooze 15 min", "Open"]);
        }
    }

    #[test]
    fn more_lines_than_fit_are_counted() {
        let unknown = Room::notification(None);
        for (room, n, lines, last) in [
            (unknown, 4, 4, "Reminder"),
            (unknown, 5, 5, "and 1 more"),
            (unknown, 8, 5, "and 4 more"),
            // GNOME Shell shows six: names that wrap leave fewer.
            (Room::notification(Some(6)), 5, 5, "Reminder"),
            (Room::notification(Some(6)), 8, 5, "and 4 more"),
            // mako shows four.
            (Room::notification(Some(4)), 4, 4, "Reminder"),
            (Room::notification(Some(4)), 5, 4, "and 2 more"),
            (Room::MESSAGE, 12, 12, "Reminder"),
            (Room::MESSAGE, 20, 13, "and 8 more"),
        ] {
            let notice = write(&vec![SECRET; n], "2026-11-25T08:00", |wording, _| wording.room = room);
            let got = (notice.body.len(), notice.body.last().unwrap().as_str());
            assert_eq!(got, (lines, last), "{room:?} {n}");
            assert_eq!(notice.buttons[0].1, format!("All {n} taken"));
        }
    }
}
