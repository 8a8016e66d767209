use super::*;
use crate::present::tests::occurrence;
use crate::protocol::DayState;

fn row(item: &str, kind: Kind, at: &str, state: OccurrenceState) -> OccurrenceDetails {
    let mut row = occurrence(item, &format!("2026-11-23T{at}:00+01:00[Europe/Berlin]"), state);
    row.kind = kind;
    row
}

fn at(text: &str) -> Zoned {
    format!("2026-11-23T{text}+01:00[Europe/Berlin]").parse().unwrap()
}

fn day() -> Loaded {
    let rows = vec![
        row("probiotic", Kind::Supplement, "08:00", OccurrenceState::Taken),
        row("calcium", Kind::Supplement, "09:00", OccurrenceState::Due),
        row("quarterly", Kind::CheckIn, "18:00", OccurrenceState::Upcoming),
        row("dxa", Kind::Scan, "19:00", OccurrenceState::Upcoming),
    ];
    Loaded {
        rows,
        coming: Some(vec![row("iron", Kind::Supplement, "20:00", OccurrenceState::Upcoming).occurrence]),
        ..Loaded::default()
    }
}

fn shown() -> State {
    let mut state = State::new();
    state.show(day(), at("10:00").timestamp());
    state
}

fn take(occurrence: &str, confirm: bool) -> Effect {
    Effect::Take { occurrence: occurrence.to_owned(), confirm }
}

/// Presses keys by their names, and returns the state with what the last one asked for.
fn pressed(mut state: State, keys: &str) -> (State, Option<Effect>) {
    let mut effect = None;
    for key in keys.split_whitespace() {
        let code = match key {
            "down" => KeyCode::Down,
            "up" => KeyCode::Up,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "enter" => KeyCode::Enter,
            "tab" => KeyCode::Tab,
            "esc" => KeyCode::Esc,
            letter => KeyCode::Char(letter.chars().last().unwrap()),
        };
        let control = key.len() == 2 && key.starts_with('^');
        let modifiers = if control { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
        effect = state.press(KeyEvent::new(code, modifiers));
    }
    (state, effect)
}

#[test]
fn keys_ask_for_what_they_say() {
    let calcium = "calcium@2026-11-23T09:00".to_owned();
    let probiotic = "probiotic@2026-11-23T08:00".to_owned();
    let table = [
        ("q", Some(Effect::Quit)),
        ("esc", Some(Effect::Quit)),
        ("^c", Some(Effect::Quit)),
        ("^t", None),
        ("t", Some(take(&calcium, false))),
        ("enter", Some(take(&calcium, false))),
        // Twice is not once more: nobody asked.
        ("t t", Some(take(&calcium, false))),
        ("s", Some(Effect::Snooze(calcium.clone()))),
        ("x", Some(Effect::Skip(calcium.clone()))),
        ("u", Some(Effect::Undo)),
        ("up t", Some(take(&probiotic, false))),
        ("k k k x", Some(Effect::Skip(probiotic))),
        ("down up j k s", Some(Effect::Snooze(calcium))),
        ("j t", None),
        ("j x", Some(Effect::Skip("quarterly@2026-11-23T18:00".to_owned()))),
        ("1", Some(Effect::Load(View::Today))),
        ("2", Some(Effect::Load(View::Calendar))),
        ("3", Some(Effect::Load(View::Coming))),
        ("tab", Some(Effect::Load(View::Calendar))),
        ("tab tab", Some(Effect::Load(View::Coming))),
        ("tab tab tab", Some(Effect::Load(View::Today))),
        ("2 t", None),
        ("3 x", None),
        ("2 right", Some(Effect::Load(View::Calendar))),
        ("left", None),
        ("3 down up", None),
        ("?", None),
        ("z", None),
    ];
    for (keys, wanted) in table {
        assert_eq!(pressed(shown(), keys).1, wanted, "{keys}");
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let table = [
        ("j t", "it has questions: dosed check-in quarterly"),
        ("j j enter", "it has results: dosed scan add dxa"),
        ("3 t", "answers are given in the first view: press 1"),
        ("?", HELP),
    ];
    for (keys, wanted) in table {
        assert_eq!(pressed(shown(), keys).0.message.as_deref(), Some(wanted), "{keys}");
    }
    let mut alone = shown();
    alone.is_connected = false;
    for keys in ["t", "u"] {
        let (state, effect) = pressed(alone.clone(), keys);
        assert!(effect.is_none() && state.message.unwrap().contains("is not running"), "{keys}");
    }
    alone = pressed(alone, "t").0;
    alone.on_connected();
    assert_eq!((alone.message.as_deref(), alone.is_connected), (None, true));
    assert_eq!(pressed(State::new(), "t").1, None);
}

#[test]
fn one_more_is_taken_when_it_is_asked_for_once_more() {
    let calcium = "calcium@2026-11-23T09:00";
    let mut state = shown();
    let detail = "`calcium` is already recorded, 5 min from this".to_owned();
    state.on_outcome(Outcome::TooSoon { occurrence: calcium.to_owned(), detail });
    assert_eq!(
        state.message.as_deref(),
        Some("`calcium` is already recorded, 5 min from this; press t again to record one more")
    );
    assert_eq!(pressed(state.clone(), "t").1, Some(take(calcium, true)));
    assert_eq!(pressed(state.clone(), "up down t").1, Some(take(calcium, false)));
    assert_eq!(pressed(state.clone(), "up t").1, Some(take("probiotic@2026-11-23T08:00", false)));
    state.on_outcome(Outcome::Refused { detail: "no".to_owned() });
    assert_eq!(pressed(state, "t").1, Some(take(calcium, false)));
}

#[test]
fn what_was_chosen_stays_chosen() {
    let mut state = pressed(shown(), "down").0;
    let mut later = day();
    later.rows.remove(0);
    state.show(later, at("10:01").timestamp());
    assert_eq!(state.rows[state.selected].occurrence.item, "quarterly");
    state.show(Loaded { rows: day().rows[..1].to_vec(), ..Loaded::default() }, at("10:02").timestamp());
    assert_eq!(state.selected, 0);
    state.show(Loaded::default(), at("10:03").timestamp());
    assert_eq!((state.selected, state.rows.len()), (0, 0));
}

#[test]
fn the_calendar_goes_from_item_to_item_and_around() {
    let named = |keys: &str| pressed(shown(), keys).0.item.unwrap().id;
    let table = [
        ("2", "calcium"),
        ("2 right", "quarterly"),
        ("2 left left", "iron"),
        ("2 right right right", "iron"),
    ];
    for (keys, item) in table {
        assert_eq!(named(keys), item, "{keys}");
    }
    // What was asked for before another item was chosen is not shown as that one's.
    let mut state = pressed(shown(), "2 right").0;
    let covered = DayCoverage { date: jiff::civil::date(2026, 11, 23), state: DayState::All };
    let calcium = Item { id: "calcium".to_owned(), name: "CALCIUM".to_owned() };
    state.show(Loaded { days: Some((calcium, vec![covered])), ..day() }, at("10:00").timestamp());
    assert_eq!((state.item.unwrap().id.as_str(), state.days), ("quarterly", None));
}

#[test]
fn words_change_with_the_next_time_on_the_screen() {
    let table = [("10:00", "18:00"), ("18:00", "19:00"), ("08:30", "09:00"), ("07:00", "08:00")];
    for (loaded, changes) in table {
        let mut state = shown();
        state.show(day(), at(loaded).timestamp());
        assert_eq!(state.changes_at(&at(loaded)), Some(at(changes).timestamp()), "{loaded}");
    }
    let mut state = shown();
    state.rows[2].snoozed_until = Some(at("10:15").into());
    state.rows[1].closes = at("10:10").into();
    assert_eq!(state.changes_at(&at("10:00")), Some(at("10:10").timestamp()));
    // With nothing to come there is the next day.
    let mut state = State::new();
    assert_eq!(state.changes_at(&at("10:00")), None);
    state.show(Loaded::default(), at("10:00").timestamp());
    let midnight: Zoned = "2026-11-24T00:00+01:00[Europe/Berlin]".parse().unwrap();
    assert_eq!(state.changes_at(&at("10:00")), Some(midnight.timestamp()));
}
