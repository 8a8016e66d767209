//! Draws the state: only the terminal's own colours, and never a background, so that light and dark both look right.

use anstyle::{AnsiColor, Effects};
use jiff::Zoned;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};
use unicode_width::UnicodeWidthStr;

use super::state::{State, View};
use crate::present::{self, Cell};
use crate::protocol::OccurrenceState;

/// Below this nothing useful can be shown, in columns and lines.
const SMALLEST: (u16, u16) = (40, 10);

/// The lines that the calendar needs.
const CALENDAR_LINES: u16 = 16;

/// The most lines that a message gets.
const MESSAGE_LINES: usize = 3;

/// The keys, in as many words as there is room for.
const KEYS: [&str; 2] = [
    "t taken  s snooze  x skip  u undo  1 2 3 views  ? help  q quit",
    "t taken s snooze x skip ? help q quit",
];

const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const WAITS: Style = Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD);

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State, now: &Zoned) {
    let area = frame.area();
    let is_calendar = state.view == View::Calendar;
    let is_too_low = area.height < if is_calendar { CALENDAR_LINES } else { SMALLEST.1 };
    if area.width < SMALLEST.0 || is_too_low {
        frame.render_widget(Paragraph::new("make the window larger").wrap(Wrap { trim: true }), area);
        return;
    }
    let width = usize::from(area.width);
    let above = above(state, now, width);
    let below = below(state, width);
    let message = state.message.as_deref().unwrap_or_default();
    let areas = [lines(&above), Constraint::Min(0), message_lines(message, width), lines(&below)];
    let [top, body, middle, bottom] = Layout::vertical(areas).areas(area);
    frame.render_widget(Paragraph::new(above), top);
    match state.view {
        View::Today => today(frame, body, state, now),
        View::Calendar => calendar(frame, body, state),
        View::Coming => coming(frame, body, state),
    }
    frame.render_widget(Paragraph::new(message).style(BOLD).wrap(Wrap { trim: true }), middle);
    frame.render_widget(Paragraph::new(below), bottom);
}

fn lines(text: &[Line<'_>]) -> Constraint {
    Constraint::Length(u16::try_from(text.len()).unwrap_or(u16::MAX))
}

/// Returns room for a message: one line more than its words fill, as they do not break everywhere.
fn message_lines(message: &str, width: usize) -> Constraint {
    let needed = match message.width().div_ceil(width) {
        needed @ 0..=1 => needed,
        needed => (needed + 1).min(MESSAGE_LINES),
    };
    Constraint::Length(u16::try_from(needed).unwrap_or(0))
}

/// Returns the tabs with the day, and what has to be known before anything is read.
fn above(state: &State, now: &Zoned, width: usize) -> Vec<Line<'static>> {
    let mut tabs = vec![Span::raw(" ")];
    for (number, view) in (1..).zip(View::ALL) {
        let name = match view {
            View::Today => "today",
            View::Calendar => "calendar",
            View::Coming => "coming",
        };
        let style = if view == state.view { BOLD.add_modifier(Modifier::UNDERLINED) } else { FAINT };
        tabs.extend([Span::styled(format!("{number} {name}"), style), Span::raw("  ")]);
    }
    let used: usize = tabs.iter().map(Span::width).sum();
    let day = now.strftime("%a %-d %b").to_string();
    tabs.push(Span::styled(format!("{day:>room$} ", room = width.saturating_sub(used + 1)), FAINT));
    let mut above = vec![Line::from(tabs)];
    if state.is_demo {
        above.push(Line::styled(" This record is made up: dosed demo", WAITS));
    }
    if !state.is_connected {
        above.push(Line::styled(" dosed is not running: start it with `dosed daemon`", WAITS));
    }
    above.push(Line::default());
    above
}

fn below(state: &State, width: usize) -> Vec<Line<'static>> {
    let footer = (state.view == View::Calendar).then(|| Line::styled(format!(" {}", present::FOOTER), FAINT));
    let keys = KEYS.into_iter().find(|keys| keys.width() + 2 <= width).unwrap_or(KEYS[1]);
    let keys = match state.view {
        View::Calendar => "left/right item  1 2 3 views  q quit",
        _ => keys,
    };
    footer.into_iter().chain([Line::styled(format!(" {keys}"), FAINT)]).collect()
}

fn today(frame: &mut Frame<'_>, area: Rect, state: &State, now: &Zoned) {
    if state.rows.is_empty() {
        let text = if state.loaded_at.is_some() {
            " Nothing is scheduled for today; 3 shows what comes next."
        } else {
            ""
        };
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), area);
        return;
    }
    let cells: Vec<Vec<Cell>> = state.rows.iter().map(|row| present::day_row(row, now.timestamp())).collect();
    let is_due = |i: usize| state.rows[i].occurrence.state == OccurrenceState::Due;
    let widths = present::widths(&cells);
    let drawn = cells.iter().enumerate().map(|(i, row)| {
        let line = aligned(row, &widths);
        if i == state.selected { chosen(line, area.width, is_due(i)) } else { line }
    });
    scrolled(frame, area, drawn.collect(), state.selected);
}

fn coming(frame: &mut Frame<'_>, area: Rect, state: &State) {
    if state.coming.is_empty() {
        let text = if state.loaded_at.is_some() { " Nothing is scheduled." } else { "" };
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let cells: Vec<Vec<Cell>> = state
        .coming
        .iter()
        .map(|row| {
            let time = row.at.0.strftime("  %H:%M").to_string();
            let dose = row.dose.as_deref().map(present::amount).unwrap_or_default();
            [time, row.name.clone(), dose].map(|text| (text, anstyle::Style::new())).to_vec()
        })
        .collect();
    let widths = present::widths(&cells);
    let (mut drawn, mut selected, mut day) = (Vec::new(), 0, None);
    for (i, (row, cells)) in state.coming.iter().zip(&cells).enumerate() {
        let date = row.at.0.date();
        if day != Some(date) {
            drawn.push(Line::styled(date.strftime(" %A, %-d %B").to_string(), BOLD));
            day = Some(date);
        }
        let line = aligned(cells, &widths);
        if i == state.selected_coming {
            selected = drawn.len();
            drawn.push(chosen(line, area.width, false));
        } else {
            drawn.push(line);
        }
    }
    scrolled(frame, area, drawn, selected);
}

fn calendar(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let name = state.item.as_ref().map_or("", |item| item.name.as_str());
    let mut drawn = vec![Line::styled(format!(" {name}"), BOLD), Line::default()];
    let picture = present::calendar(state.days.as_deref().unwrap_or_default(), usize::from(area.width));
    if picture.is_empty() && state.days.is_some() {
        drawn.push(Line::raw(" Nothing was scheduled in the last year."));
    }
    drawn.extend(picture.iter().map(|line| {
        Line::from(
            line.iter().map(|(text, looks)| Span::styled(text.clone(), style(*looks))).collect::<Vec<_>>(),
        )
    }));
    frame.render_widget(Paragraph::new(drawn), area);
}

/// Draws as many lines as fit, so that the selected one is among them.
fn scrolled(frame: &mut Frame<'_>, area: Rect, drawn: Vec<Line<'_>>, selected: usize) {
    let first = (selected + 1).saturating_sub(usize::from(area.height));
    frame.render_widget(Paragraph::new(drawn.into_iter().skip(first).collect::<Vec<_>>()), area);
}

fn aligned(row: &[Cell], widths: &[usize]) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    for ((text, looks), width) in row.iter().zip(widths) {
        spans.push(Span::styled(text.clone(), style(*looks)));
        spans.push(Span::raw(" ".repeat(width.saturating_sub(text.width()) + 2)));
    }
    Line::from(spans)
}

/// Turns a line around from edge to edge, without colours, which would come out as backgrounds.
fn chosen(line: Line<'_>, width: u16, is_due: bool) -> Line<'static> {
    let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
    let pad = usize::from(width).saturating_sub(text.width());
    let style = if is_due { BOLD } else { Style::new() };
    Line::styled(format!("{text}{}", " ".repeat(pad)), style.add_modifier(Modifier::REVERSED))
}

/// Returns the looks of printed text as those of the screen.
fn style(looks: anstyle::Style) -> Style {
    let colour = match looks.get_fg_color() {
        Some(anstyle::Color::Ansi(AnsiColor::Green)) => Some(Color::Green),
        Some(anstyle::Color::Ansi(AnsiColor::Yellow)) => Some(Color::Yellow),
        Some(anstyle::Color::Ansi(AnsiColor::Red)) => Some(Color::Red),
        _ => None,
    };
    let mut style = Style { fg: colour, ..Style::new() };
    for (effect, modifier) in [(Effects::BOLD, Modifier::BOLD), (Effects::DIMMED, Modifier::DIM)] {
        if looks.get_effects().contains(effect) {
            style = style.add_modifier(modifier);
        }
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::tests::occurrence;
    use crate::protocol::{DayCoverage, DayState, OccurrenceDetails};
    use crate::tui::state::{Item, Loaded, Outcome};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Buffer;

    fn now() -> Zoned {
        "2026-11-23T08:30+01:00[Europe/Berlin]".parse().unwrap()
    }

    fn row(name: &str, day: u8, time: &str, state: OccurrenceState) -> OccurrenceDetails {
        let mut row = occurrence(name, &format!("2026-11-{day}T{time}:00+01:00[Europe/Berlin]"), state);
        row.closes.0 = row.closes.0.with().hour(23).minute(0).second(0).subsec_nanosecond(0).build().unwrap();
        row
    }

    fn shown(view: View) -> State {
        let mut state = State::new();
        state.view = view;
        let day = |day| DayCoverage { date: jiff::civil::date(2026, 11, day), state: DayState::All };
        let item = Item { id: "calcium".to_owned(), name: "Calcium".to_owned() };
        let loaded = Loaded {
            rows: vec![
                row("Probiotic", 23, "07:00", OccurrenceState::Missed),
                row("Calcium", 23, "08:00", OccurrenceState::Due),
            ],
            coming: Some(vec![
                row("Calcium", 23, "20:00", OccurrenceState::Upcoming).occurrence,
                row("Calcium", 24, "08:00", OccurrenceState::Upcoming).occurrence,
            ]),
            days: Some((item, (1..23).map(day).collect())),
            is_demo: true,
        };
        state.show(loaded, now().timestamp());
        state
    }

    fn drawn(state: &State, width: u16, height: u16) -> (Vec<String>, Buffer) {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, state, &now())).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        ((0..height).map(line).collect(), buffer)
    }

    #[test]
    fn each_view_says_what_there_is() {
        let table = [
            (View::Today, vec![" 07:00  missed            Probiotic  500 mg, with food"]),
            (
                View::Today,
                vec![" 08:00  due, until 23:00  Calcium    500 mg, with food", "t taken", "made up"],
            ),
            (
                View::Calendar,
                vec![" Calcium", "      Nov", "  Mon  ███", "  Sun ████", "█ all", present::FOOTER],
            ),
            (
                View::Coming,
                vec![" Monday, 23 November", "   20:00  Calcium", " Tuesday, 24 November", "   08:00  "],
            ),
        ];
        for (view, wanted) in table {
            let (lines, buffer) = drawn(&shown(view), 80, 24);
            for wanted in wanted {
                assert!(lines.iter().any(|line| line.contains(wanted)), "{wanted}: {lines:#?}");
            }
            assert!(buffer.content().iter().all(|cell| cell.bg == Color::Reset), "{view:?}");
        }
    }

    #[test]
    fn what_is_due_is_bold_and_what_is_chosen_turned_around() {
        let (lines, buffer) = drawn(&shown(View::Today), 80, 24);
        let y =
            |name: &str| u16::try_from(lines.iter().position(|line| line.contains(name)).unwrap()).unwrap();
        assert!(buffer[(79, y("Calcium"))].modifier.contains(Modifier::REVERSED | Modifier::BOLD));
        assert!(!buffer[(9, y("Probiotic"))].modifier.contains(Modifier::REVERSED));
        assert_eq!(buffer[(9, y("Probiotic"))].fg, Color::Red);
    }

    #[test]
    fn a_long_message_is_read_to_its_end() {
        let mut state = shown(View::Today);
        state.on_outcome(Outcome::Refused { detail: format!("{}end", "several words ".repeat(10)) });
        let (lines, _) = drawn(&state, 80, 24);
        assert!(lines.iter().any(|line| line.ends_with("end")), "{lines:#?}");
    }

    #[test]
    fn a_long_day_shows_the_row_that_is_chosen() {
        let mut state = shown(View::Today);
        let row = |i| row(&format!("Item{i}"), 23, "09:00", OccurrenceState::Upcoming);
        let rows = (10..60).map(row).collect();
        state.show(Loaded { rows, ..Loaded::default() }, now().timestamp());
        state.selected = 49;
        assert!(drawn(&state, 40, 10).0.iter().any(|line| line.contains("Item59")));
    }

    #[test]
    fn a_small_window_is_told_so() {
        for (view, width, height) in [(View::Today, 39, 24), (View::Coming, 80, 9), (View::Calendar, 80, 15)]
        {
            assert_eq!(drawn(&shown(view), width, height).0[0], "make the window larger", "{view:?}");
        }
        for (view, width, height) in [(View::Today, 40, 10), (View::Coming, 40, 10), (View::Calendar, 40, 16)]
        {
            assert!(drawn(&shown(view), width, height).0[0].contains("1 today"), "{view:?}");
        }
        for size in [1, 2, 5] {
            drawn(&shown(View::Today), size, size);
        }
    }

    #[test]
    fn a_daemon_that_is_away_is_told() {
        let mut state = shown(View::Today);
        state.is_connected = false;
        assert!(drawn(&state, 80, 24).0.iter().any(|line| line.contains("dosed is not running")));
        assert!(drawn(&State::new(), 80, 24).0.iter().all(|line| !line.contains("Nothing is scheduled")));
    }
}
