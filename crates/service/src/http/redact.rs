//! Keeps secrets out of texts that someone may read.

use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use zeroize::Zeroizing;

/// Parameters whose value is a secret, by the end of their name.
const PARAMETERS: [&str; 8] = [
    "sig=",
    "token=",
    "secret=",
    "password=",
    "pwd=",
    "key=",
    "code=",
    "assertion=",
];
const SCHEMES: [&str; 2] = ["basic ", "bearer "];
const HIDDEN: &str = "[redacted]";
const LONGEST: usize = 400;

/// Tokens live for an hour, and their refusals come back at once: older ones need not be known.
const TOKENS: usize = 8;

/// Knows the secrets of a client in all forms in which they could come back.
#[derive(Default)]
pub(crate) struct Redactor {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    kept: Vec<Zeroizing<String>>,
    /// The newest last.
    tokens: VecDeque<Zeroizing<String>>,
}

impl Redactor {
    pub(crate) fn new(secrets: &[&str]) -> Self {
        let redactor = Self::default();
        for secret in secrets {
            redactor.keep(secret);
        }
        redactor
    }

    /// Hides it for as long as the redactor lives.
    pub(crate) fn keep(&self, secret: &str) {
        if !secret.is_empty() {
            self.write().kept.push(Zeroizing::new(secret.to_owned()));
        }
    }

    /// Hides a token that will be followed by others.
    pub(crate) fn learn(&self, token: &str) {
        let newest = |known: &Known| known.tokens.back().is_some_and(|last| **last == token);
        if token.is_empty() || newest(&self.read()) {
            return;
        }
        let mut known = self.write();
        if !known.tokens.iter().any(|other| **other == token) {
            known.tokens.push_back(Zeroizing::new(token.to_owned()));
            if known.tokens.len() > TOKENS {
                known.tokens.pop_front();
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Foreign text made fit for a message: secrets hidden, one line, of limited length.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        let known = self.read();
        for secret in known.kept.iter().chain(&known.tokens) {
            if clean.contains(secret.as_str()) {
                clean = clean.replace(secret.as_str(), HIDDEN);
            }
        }
        drop(known);
        for name in PARAMETERS {
            clean = hide_after(&clean, name, |rest| {
                rest.find(|c: char| c.is_whitespace() || "&\"'<>;,)".contains(c))
                    .unwrap_or(rest.len())
            });
        }
        for scheme in SCHEMES {
            clean = hide_after(&clean, scheme, |rest| {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+/=._-".contains(c)));
                // A shorter one is a word.
                Some(end.unwrap_or(rest.len()))
                    .filter(|length| *length >= 12)
                    .unwrap_or(0)
            });
        }
        clean = hide_after(&clean, "://", |rest| {
            let authority = rest
                .find(|c: char| c.is_whitespace() || "/?#\"'<>".contains(c))
                .unwrap_or(rest.len());
            rest[..authority].rfind('@').unwrap_or(0)
        });
        let mut line: String = clean
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if let Some((cut, _)) = line.char_indices().nth(LONGEST) {
            line.truncate(cut);
            line.push('…');
        }
        line
    }
}

/// Hides what follows each `mark` (any case), as many bytes as `length` says.
fn hide_after(text: &str, mark: &str, length: impl Fn(&str) -> usize) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = lower[at..].find(mark) {
        let start = at + found + mark.len();
        let end = start + length(&text[start..]);
        out.push_str(&text[at..start]);
        if end > start {
            out.push_str(HIDDEN);
        }
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(&["hunter22", "Omh1bnRlcjIy"])
    }

    #[test]
    fn secrets_and_signed_addresses_are_hidden() {
        let text = redactor().clean(
            "https://bob:pw@host/a?SIG=abc%2F&x=1 Authorization: Basic Omh1bnRlcjIy, hunter22 access_token=eyJ0.x\nBearer eyJ.abc-_0123",
        );
        for secret in ["pw@", "abc%2F", "Omh1bnRlcjIy", "hunter22", "eyJ"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(text.contains("host/a?SIG=[redacted]&x=1"), "{text}");
        assert!(!text.contains('\n'));
    }

    #[test]
    fn the_tokens_of_the_last_hours_are_hidden_and_no_more_are_kept() {
        let redactor = redactor();
        for number in 0..100 {
            redactor.learn(&format!("token-{number:03}"));
            redactor.learn(&format!("token-{number:03}"));
        }
        assert_eq!(redactor.read().tokens.len(), TOKENS);
        assert_eq!(
            redactor.clean("token-099 hunter22 token-092"),
            "[redacted] [redacted] [redacted]"
        );
    }

    #[test]
    fn ordinary_text_stays() {
        for text in [
            "TF401019: repo ü https://dev.azure.com/contoso",
            "use Basic sign-in",
            "Bearer tokens",
        ] {
            assert_eq!(redactor().clean(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_text_around_it_brings_the_secret_through(before in ".*", after in ".*") {
            let clean = redactor().clean(&format!("{before}hunter22{after}"));
            prop_assert!(!clean.contains("hunter22"));
        }
    }
}
