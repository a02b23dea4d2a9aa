//! Keeps secrets out of texts that someone may read.

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

/// Knows the secrets of a client in all forms in which they could come back.
pub(crate) struct Redactor {
    secrets: Vec<Zeroizing<String>>,
}

impl Redactor {
    pub(crate) fn new(secrets: Vec<Zeroizing<String>>) -> Self {
        Self {
            secrets: secrets
                .into_iter()
                .filter(|secret| !secret.is_empty())
                .collect(),
        }
    }

    /// Foreign text made fit for a message: secrets hidden, one line, of limited length.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.secrets {
            if clean.contains(secret.as_str()) {
                clean = clean.replace(secret.as_str(), HIDDEN);
            }
        }
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
        Redactor::new(vec![
            Zeroizing::new("hunter22".to_owned()),
            Zeroizing::new("Omh1bnRlcjIy".to_owned()),
        ])
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
