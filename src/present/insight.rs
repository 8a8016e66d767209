//! What went together, and what cannot be concluded from it.

use super::text::{FAINT, PLAIN, cell, count, footer, percent, table};
use crate::protocol::{CoOccurrence, Insight, ItemPair, Pair};

/// The most pairs that are named; the others are counted.
const MAX_PAIRS: usize = 10;

/// Says in a few sentences what the record shows: of the pair that was chosen beforehand, of the others, and what cannot be said.
#[must_use]
pub fn letter(found: &Insight) -> String {
    let check_ins = count(found.check_ins as u64, "check-in");
    if found.check_ins < found.needed {
        let when =
            found.first_answer.map(|date| format!(", and by the schedule there will be enough on {date}"));
        let answered = if found.check_ins == 0 { "no check-in yet".to_owned() } else { check_ins };
        return format!(
            "You have answered {answered}. A first look needs {}{}. Until then there is nothing to compare; \
             `dosed check-in list` shows your answers, and `dosed adherence` what you took.\n{}",
            found.needed,
            when.unwrap_or_default(),
            footer()
        );
    }
    let (chosen, others): (Vec<&Pair>, Vec<&Pair>) = found.pairs.iter().partition(|pair| pair.primary);
    let mut paragraphs = Vec::new();
    for pair in chosen {
        let mut text = format!("The question chosen beforehand. {}.", pair.sentence);
        if pair.dropped > 0 {
            let dropped = count(pair.dropped as u64, "check-in");
            text.push_str(&format!(
                " Without {dropped}: an answer, or more than four in ten of the days before, are unknown."
            ));
        }
        paragraphs.push(text);
    }
    if !others.is_empty() {
        let standing_out: Vec<&str> =
            others.iter().filter(|pair| pair.stands_out).map(|pair| pair.sentence.as_str()).collect();
        let pairs = count(others.len() as u64, "other pair");
        paragraphs.push(match standing_out.as_slice() {
            [] => format!("The others. Of {pairs} of a habit and a question, nothing stands out."),
            sentences => format!(
                "The others. Of {pairs} of a habit and a question, these stand out. {}.",
                sentences.join(". ")
            ),
        });
    }
    let mut limits = "What cannot be said. With the 4 check-ins of one year the smallest possible p is 0.083: one year can \
                      never show anything. Nothing here shows which of two caused the other, or what caused both."
        .to_owned();
    if !found.changed.is_empty() {
        let changed = count(found.changed.len() as u64, "check-in");
        limits.push_str(&format!(" At {changed} something else had changed."));
    }
    if !found.notes.is_empty() {
        limits.push_str(" What hardly varied, or always went together, is left out.");
    }
    paragraphs.push(limits);
    format!(
        "{}\n\nFrom {check_ins}; {} compared. Every pair, and what was left out: dosed insight --all\n{}",
        paragraphs.join("\n\n"),
        count(found.comparisons as u64, "pair"),
        footer()
    )
}

/// Shows every pair, and what cannot be concluded from it.
#[must_use]
pub fn insight(found: &Insight) -> String {
    let mut text =
        format!("{}; a first look needs {}", count(found.check_ins as u64, "check-in"), found.needed);
    if let Some(date) = found.first_answer {
        text.push_str(&format!("; by the schedule there will be enough on {date}"));
    }
    text.push_str(".\n");
    for pair in &found.pairs {
        let primary = if pair.primary { "chosen beforehand: " } else { "" };
        let dropped = match pair.dropped {
            0 => String::new(),
            dropped => format!("  {FAINT}{dropped} left out{FAINT:#}"),
        };
        text.push_str(&format!("  {primary}{}{dropped}\n", pair.sentence));
    }
    if found.pairs.iter().any(|pair| pair.dropped > 0) {
        text.push_str(
            "  Check-ins are left out where an answer, or more than four in ten of the days before, are unknown.\n",
        );
    }
    for note in &found.notes {
        text.push_str(&format!("  {note}\n"));
    }
    for changed in &found.changed {
        text.push_str(&format!("  {}: something had changed ({})\n", changed.date, changed.text));
    }
    if let Some(share) = found.composite {
        text.push_str(&format!(
            "Overall, {} on average in the last {} days.\n",
            percent(share),
            found.window_days
        ));
    }
    text.push_str(&same_days(&found.together));
    text.push_str(&format!(
        "{} compared, seed {}. With the 4 check-ins of one year the smallest possible p is 0.083: one year can never show \
         anything. Which set of habits does best is not ranked: with so few check-ins chance alone makes one look perfect.\n{}",
        count(found.comparisons as u64, "pair"),
        found.seed,
        footer()
    ));
    text
}

/// Shows how often things happened on the same day.
fn same_days(found: &CoOccurrence) -> String {
    if found.pairs.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "On {} of {} everything that was planned was done. On the same day:\n",
        found.all,
        count(found.days, "day")
    );
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let line = |pair: &ItemPair| {
        let names = format!("  {} and {}", name(&pair.a), name(&pair.b));
        vec![cell(names, PLAIN), cell(format!("{} of {}", pair.both, count(pair.days, "day")), FAINT)]
    };
    text.push_str(&table(&found.pairs.iter().take(MAX_PAIRS).map(line).collect::<Vec<_>>()));
    if let Some(more) = found.pairs.len().checked_sub(MAX_PAIRS).filter(|more| *more > 0) {
        text.push_str(&format!("  {FAINT}and {} with --json{FAINT:#}\n", count(more as u64, "more pair")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::PrimaryPair;

    fn pair(sentence: &str, primary: bool, stands_out: bool) -> Pair {
        Pair {
            exposure: "probiotic".to_owned(),
            outcome: "wellness".to_owned(),
            primary,
            n: 24,
            dropped: usize::from(primary),
            tau_b: None,
            tau_b_raw: None,
            p: None,
            p_adjusted: None,
            method: None,
            slope: None,
            slope_low: None,
            slope_high: None,
            stands_out,
            sentence: sentence.to_owned(),
        }
    }

    fn found(check_ins: usize, pairs: Vec<Pair>) -> Insight {
        Insight {
            check_ins,
            needed: 6,
            comparisons: pairs.len(),
            seed: 1,
            primary: PrimaryPair { exposure: "probiotic".to_owned(), outcome: "wellness".to_owned() },
            pairs,
            notes: vec!["Sun hardly varied".to_owned()],
            changed: Vec::new(),
            composite: None,
            together: CoOccurrence::default(),
            window_days: 28,
            first_answer: Some("2027-03-01".parse().unwrap()),
        }
    }

    #[test]
    fn a_letter_begins_with_what_was_chosen_beforehand() {
        let few = letter(&found(2, Vec::new()));
        assert!(few.starts_with("You have answered 2 check-ins. A first look needs 6, and by the schedule there will be enough on 2027-03-01."), "{few}");
        let pairs = |stands_out| {
            vec![
                pair("The first went with nothing", true, false),
                pair("The second did", false, stands_out),
                pair("The third did not", false, false),
            ]
        };
        let quiet = letter(&found(24, pairs(false)));
        assert!(
            quiet.starts_with(
                "The question chosen beforehand. The first went with nothing. Without 1 check-in:"
            ),
            "{quiet}"
        );
        assert!(
            quiet.contains("Of 2 other pairs of a habit and a question, nothing stands out.")
                && !quiet.contains("second")
        );
        let loud = letter(&found(24, pairs(true)));
        assert!(loud.contains("these stand out. The second did.") && !loud.contains("third"), "{loud}");
        assert!(loud.contains("3 pairs compared") && loud.ends_with(&footer()));
    }
}
