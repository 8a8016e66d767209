//! Characters that would act on a terminal, or turn the text around them, in place of being shown.

use std::borrow::Cow;

/// Tells whether a character is a control character or an override of the direction of text; a line break and a tab are
/// neither.
#[must_use]
pub fn is_control(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}

/// Returns the first control character of a text; the line breaks of Windows are none.
#[must_use]
pub fn find_control(text: &str) -> Option<char> {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if is_control(c) && !(c == '\r' && chars.peek() == Some(&'\n')) {
            return Some(c);
        }
    }
    None
}

/// Returns a text with its control characters written out, as `\u{1b}`.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if is_control(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// Fills in the places of a text, `{title}`; `{{` is a brace.
///
/// # Errors
///
/// A brace is not closed, or `fill` does not know a place; the error says which.
pub fn filled(format: &str, fill: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        filled.push_str(before);
        if let Some(after) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
            filled.push_str(&brace[..1]);
            rest = after;
            continue;
        }
        let inside = brace.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let (place, after) =
            inside.ok_or_else(|| format!("unmatched brace in `{format}`: write it twice"))?;
        filled.push_str(&fill(place)?);
        rest = after;
    }
    Ok(filled + rest)
}

/// Returns a text as it is compared with what another report prints: dashes are hyphens, the case and the width of blanks do
/// not matter.
#[must_use]
pub fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().map(plain_dash).collect::<String>().to_lowercase()
}

/// Returns the hyphen in place of any dash or minus.
#[must_use]
pub fn plain_dash(c: char) -> char {
    if matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{ff0d}') { '-' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_is_written_out() {
        for (text, found, shown) in [
            ("Vitamin D\tü 💊\nשלום \u{200f}", None, "Vitamin D\tü 💊\nשלום \u{200f}"),
            ("a\r\nb", None, "a\\u{d}\nb"),
            ("a\rb", Some('\r'), "a\\u{d}b"),
            ("\u{1b}]0;x\u{7}", Some('\u{1b}'), "\\u{1b}]0;x\\u{7}"),
            ("\0", Some('\0'), "\\u{0}"),
            ("\u{7f}", Some('\u{7f}'), "\\u{7f}"),
            ("\u{9b}31m", Some('\u{9b}'), "\\u{9b}31m"),
            ("a\u{202e}b\u{2069}", Some('\u{202e}'), "a\\u{202e}b\\u{2069}"),
        ] {
            assert_eq!((find_control(text), &*visible(text)), (found, shown), "{text:?}");
        }
    }
}
