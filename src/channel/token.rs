//! Answers that only whoever got the reminder can give: tokens that tell nothing to anybody else.
//!
//! A button on a phone publishes tokens to a topic that the server, and whoever else knows it, can read
//! and write. So a token names neither item nor time, cannot be guessed, and one that is used again does
//! nothing new: an intake is recorded once, and a snooze counts for the very reminder that it was on.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::reminder::Button;
use crate::schedule::OccurrenceId;

/// The most tokens of one message.
pub const MAX_TOKENS: usize = 100;

/// What a message of tokens begins with.
const MARK: &str = "dosed1";

/// The length of a token, in bytes before it is written as hexadecimal digits.
const TOKEN_BYTES: usize = 16;

/// The secret that tokens are made with.
#[derive(Clone, Debug)]
pub struct Key(hmac::Key);

impl Key {
    const BYTES: usize = 32;

    /// Reads the key of a file, or makes one where there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written, or is no key.
    pub fn load(path: &Path) -> std::io::Result<Self> {
        let mut bytes = [0; Self::BYTES];
        match std::fs::File::open(path) {
            Ok(mut file) => file.read_exact(&mut bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fill(&mut bytes)?;
                // Whole or not at all: half a key would be no key for ever.
                let beside = path.with_extension("new");
                let mut options = std::fs::OpenOptions::new();
                let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
                file.write_all(&bytes)?;
                file.sync_all()?;
                std::fs::rename(&beside, path)?;
            }
            Err(error) => return Err(error),
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// Returns the token of an answer; a snooze's counts only for the reminder that was due at `due`.
    #[must_use]
    pub fn token(&self, button: Button, occurrence: &OccurrenceId, due: Timestamp) -> String {
        let due = if button == Button::Snooze { due.as_second().to_string() } else { String::new() };
        let tag = hmac::sign(&self.0, format!("{}\n{occurrence}\n{due}", button.key()).as_bytes());
        hex(&tag.as_ref()[..TOKEN_BYTES])
    }
}

/// Writes tokens as one message.
#[must_use]
pub fn write_tokens(tokens: &[String]) -> String {
    format!("{MARK} {}", tokens.join(" "))
}

/// Reads the tokens of a message; anything else has none.
#[must_use]
pub fn tokens(message: &str) -> Vec<&str> {
    let mut words = message.split(' ');
    if words.next() != Some(MARK) {
        return Vec::new();
    }
    let is_token = |word: &&str| word.len() == 2 * TOKEN_BYTES && word.bytes().all(|b| b.is_ascii_hexdigit());
    words.take(MAX_TOKENS).filter(is_token).collect()
}

/// Returns a name that nothing else has.
pub(super) fn random_id() -> String {
    let mut bytes = [0; TOKEN_BYTES];
    // Without randomness the names repeat, and nothing else depends on them.
    let _ = fill(&mut bytes);
    hex(&bytes)
}

fn fill(bytes: &mut [u8]) -> std::io::Result<()> {
    SystemRandom::new().fill(bytes).map_err(|_| std::io::Error::other("the system has no randomness"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_answer_to_one_reminder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let key = Key::load(&path).unwrap();
        let (one, other) = ("a@2026-11-25T08:00".parse().unwrap(), "b@2026-11-25T08:00".parse().unwrap());
        let (due, later) = (Timestamp::from_second(1).unwrap(), Timestamp::from_second(2).unwrap());
        let all = [
            key.token(Button::Taken, &one, due),
            key.token(Button::Skip, &one, due),
            key.token(Button::Snooze, &one, due),
            key.token(Button::Snooze, &one, later),
            key.token(Button::Taken, &other, due),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(key.token(Button::Taken, &one, later), all[0]);
        // The same after a restart, another with another key.
        assert_eq!(Key::load(&path).unwrap().token(Button::Taken, &one, due), all[0]);
        let stranger = Key::load(&dir.path().join("other")).unwrap();
        assert_ne!(stranger.token(Button::Taken, &one, due), all[0]);
        let message = write_tokens(&all);
        assert_eq!(tokens(&message), all);
        for foreign in ["", "dosed1", "taken", "dosed1 zz", "dosed1 0123", &message[3..]] {
            assert!(tokens(foreign).is_empty(), "{foreign}");
        }
        assert!(tokens(&format!("{MARK} {}", vec![all[0].as_str(); 500].join(" "))).len() <= MAX_TOKENS);
    }
}
