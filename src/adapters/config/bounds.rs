//! What no schedule needs, and what would cost memory, time or the order of a screen: refused whatever else it says.

use toml::de::{DeTable, DeValue};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::report::Problem;
use crate::core::text::find_control;

/// The most parts of a dotted key: each makes a table.
const MAX_KEY_PARTS: usize = 8;

/// The most keys, values, brackets, separators, comments and lines of a file: some ten thousand items.
const MAX_TOKENS: usize = 250_000;

/// Refuses a text that costs far more to read than a schedule of its length, before it is read.
pub(super) fn check_size(text: &str) -> Result<(), Problem> {
    let (mut tokens, mut parts) = (0, 1);
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Whitespace => {}
            TokenKind::Dot => parts += 1,
            TokenKind::Atom | TokenKind::BasicString | TokenKind::LiteralString => tokens += 1,
            _ => {
                tokens += 1;
                parts = 1;
            }
        }
        let span = token.span().start()..token.span().end();
        if parts > MAX_KEY_PARTS {
            let message = format!("a key has more than {MAX_KEY_PARTS} parts");
            return Err(Problem::new(span, message, "no key of a schedule has more than three"));
        }
        if tokens > MAX_TOKENS {
            let message =
                format!("the schedule has more than {MAX_TOKENS} keys, values, separators and lines");
            return Err(Problem::new(span, message, "check that it is the right file"));
        }
    }
    Ok(())
}

/// Returns a problem for each text of the items and settings that has a control character; what a channel needs is its own.
pub(super) fn control_characters(document: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, value) in document {
        if key.get_ref() != "channel" {
            find_in(value.get_ref(), value.span(), &mut problems);
        }
    }
    problems
}

fn find_in(value: &DeValue<'_>, span: std::ops::Range<usize>, problems: &mut Vec<Problem>) {
    match value {
        DeValue::String(text) => problems.extend(find_control(text).map(|c| {
            let message = format!("the text has the control character {}", c.escape_unicode());
            Problem::new(span, message, "leave it out")
        })),
        DeValue::Array(values) => {
            values.iter().for_each(|value| find_in(value.get_ref(), value.span(), problems));
        }
        DeValue::Table(table) => {
            table.values().for_each(|value| find_in(value.get_ref(), value.span(), problems));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::config::parse;

    #[track_caller]
    fn check(text: &str, message: &str) {
        let problems = parse(text).unwrap_err();
        assert_eq!(problems[0].message, message, "{}", text.chars().take(200).collect::<String>());
    }

    #[test]
    fn what_costs_more_to_read_than_a_schedule_is_refused_before_it_is_read() {
        let key = |parts: usize| vec!["a"; parts].join(".");
        let deep = "a key has more than 8 parts";
        check(&format!("[{}]\n", key(9)).repeat(100_000), deep);
        check(&format!("[[{}]]\n", key(9)).repeat(100_000), deep);
        check(&format!("{} = 1\n", key(9)).repeat(100_000), deep);
        check(&"\"a\" . 'b' . c . \"a\".\"a\".\"a\".\"a\".\"a\".\"a\" = 1\n".repeat(50_000), deep);
        let many = "the schedule has more than 250000 keys, values, separators and lines";
        for text in ["x = [[],[],[],[],", "=\n", "a = 1\n", "{}", "[a]\n", "x = [1, 2, 3]\n", "\n", "#\n"] {
            check(&text.repeat(4_000_000 / text.len()), many);
        }
        // What is nested deeply has a limit of its own.
        assert!(parse(&format!("x = {}", "[".repeat(100_000))).is_err());
    }

    #[test]
    fn what_a_schedule_has_is_not_refused() {
        let items = "[[habit]]\nid = \"i\"\nname = \"a.b.c.d.e.f.g.h.i.j.k\"\ntimes = [\"08:00\"]\n# 1.2.3.4.5.6.7.8.9.0\n";
        assert!(check_size(&items.repeat(10_000)).is_ok());
        for text in
            ["x = [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]\n", "a.b.c = 1\n", "", "\u{feff}a = 1\n"]
        {
            assert!(check_size(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn control_characters_are_refused_wherever_a_text_is() {
        let places = [
            "[[habit]]\nid = \"a\"\nas-needed = true\nname = \"TEXT\"\n",
            "[[habit]]\nid = \"a\"\nas-needed = true\nnote = \"TEXT\"\n",
            "[[habit]]\nid = \"a\"\nas-needed = true\ngroup = \"TEXT\"\n",
            "[[supplement]]\nid = \"a\"\nas-needed = true\nstrain = \"TEXT\"\n",
            "habit = [{ id = \"a\", as-needed = true, name = \"TEXT\" }]\n",
            "[[check-in]]\nid = \"a\"\nas-needed = true\nquestions = [{ key = \"a\", text = \"TEXT\", low = \"a\", high = \"b\" }]\n",
        ];
        for place in places {
            for (written, named) in [
                ("x\\u0000", "\\u{0}"),
                ("\\u001b]0;x\\u0007", "\\u{1b}"),
                ("\\u007f", "\\u{7f}"),
                ("\u{9b}31m", "\\u{9b}"),
                ("a\u{202e}b", "\\u{202e}"),
                ("a\\rb", "\\u{d}"),
            ] {
                check(
                    &place.replace("TEXT", written),
                    &format!("the text has the control character {named}"),
                );
            }
            for written in ["Vitamin D 💊", "a\\nb", "a\\r\\nb", "a\\tb", "שלום\u{200f}"] {
                assert!(parse(&place.replace("TEXT", written)).is_ok(), "{place} {written}");
            }
        }
        let command = "[[habit]]\nid = \"a\"\nas-needed = true\n[[channel]]\nid = \"b\"\nkind = \"command\"\ncommand = [\"printf\", \"\\u001b[0m\"]\n";
        assert!(parse(command).is_ok());
    }
}
