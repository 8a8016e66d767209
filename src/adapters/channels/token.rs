//! Tokens by which a phone answers: only who received the reminder has them, and they reveal nothing.
//!
//! A button on a phone publishes tokens to a topic that the server, and anyone else who knows it, can read
//! and write. So a token names neither item nor time, cannot be guessed, and belongs to one delivery: it is the key under
//! which its answer is recorded, so that it counts once.

use std::io::Read;
use std::path::Path;

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::core::reminder::Button;
use crate::core::schedule::{ChannelId, OccurrenceId};
use crate::process::files::{open_regular, replace};

/// The most tokens of one message.
pub const MAX_TOKENS: usize = 100;

/// What a message of tokens begins with.
const PREFIX: &str = "dosed1";

/// The length of a token, in bytes before it is written as hexadecimal digits.
const TOKEN_BYTES: usize = 16;

/// The secret key of the tokens; its `Debug` does not show it.
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
        match open_regular(path) {
            Ok(mut file) => file.read_exact(&mut bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fill(&mut bytes)?;
                // Atomically: half a key could never be read again.
                replace(path, 0o600, &bytes)?;
            }
            Err(error) => return Err(error),
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// Returns the token of an answer to one delivery of an occurrence.
    #[must_use]
    pub fn token(
        &self,
        button: Button,
        channel: &ChannelId,
        occurrence: &OccurrenceId,
        nonce: &str,
    ) -> String {
        let text = format!("{}\n{channel}\n{occurrence}\n{nonce}", button.key());
        hex(&hmac::sign(&self.0, text.as_bytes()).as_ref()[..TOKEN_BYTES])
    }
}

/// Writes tokens as one message.
#[must_use]
pub fn write_tokens(tokens: &[String]) -> String {
    format!("{PREFIX} {}", tokens.join(" "))
}

/// Reads the tokens of a message; anything else has none.
#[must_use]
pub fn tokens(message: &str) -> Vec<&str> {
    let mut words = message.split(' ');
    if words.next() != Some(PREFIX) {
        return Vec::new();
    }
    let is_token = |word: &&str| word.len() == 2 * TOKEN_BYTES && word.bytes().all(|b| b.is_ascii_hexdigit());
    words.take(MAX_TOKENS).filter(is_token).collect()
}

/// Returns a random id.
pub(super) fn random_id() -> String {
    let mut bytes = [0; TOKEN_BYTES];
    // Without randomness ids repeat; nothing but the recipient's deduplication depends on them.
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
    fn a_key_is_a_regular_file() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        crate::process::files::make_fifo(&fifo);
        for path in [fifo.as_path(), dir.path(), Path::new("/dev/zero")] {
            assert!(Key::load(path).is_err(), "{}", path.display());
        }
    }

    #[test]
    fn a_token_is_one_answer_to_one_delivery() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let key = Key::load(&path).unwrap();
        let (one, other) = ("a@2026-11-25T08:00".parse().unwrap(), "b@2026-11-25T08:00".parse().unwrap());
        let (phone, watch) = ("phone".parse().unwrap(), "watch".parse().unwrap());
        let all = [
            key.token(Button::Taken, &phone, &one, "1"),
            key.token(Button::Skip, &phone, &one, "1"),
            key.token(Button::Snooze, &phone, &one, "1"),
            key.token(Button::Taken, &phone, &one, "2"),
            key.token(Button::Taken, &phone, &other, "1"),
            key.token(Button::Taken, &watch, &one, "1"),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        // The same after a restart, another with another key.
        assert_eq!(Key::load(&path).unwrap().token(Button::Taken, &phone, &one, "1"), all[0]);
        let stranger = Key::load(&dir.path().join("other")).unwrap();
        assert_ne!(stranger.token(Button::Taken, &phone, &one, "1"), all[0]);
        let message = write_tokens(&all);
        assert_eq!(tokens(&message), all);
        for foreign in ["", "dosed1", "taken", "dosed1 zz", "dosed1 0123", &message[3..]] {
            assert!(tokens(foreign).is_empty(), "{foreign}");
        }
        assert!(tokens(&format!("{PREFIX} {}", vec![all[0].as_str(); 500].join(" "))).len() <= MAX_TOKENS);
    }
}
