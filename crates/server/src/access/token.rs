//! Random secrets. What is stored is their SHA-256: they have 256 bits, so nothing slower is needed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// 256 random bits as text.
pub(crate) struct Random(String);

impl Random {
    pub(crate) fn draw() -> Self {
        let bytes: [u8; 32] = rand::rng().random();
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The clear text: for whom it was made, once.
    pub(crate) fn reveal(self) -> String {
        self.0
    }

    pub(crate) fn digest(&self) -> String {
        digest(&self.0)
    }
}

/// What is stored of a secret.
pub(crate) fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// Compares in constant time.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// A new API token: the text for its owner, its public prefix and what is stored of it.
pub(crate) fn new_token() -> (String, String, String) {
    let prefix = hex::encode(rand::rng().random::<[u8; 6]>());
    let text = format!("kw_{prefix}_{}", Random::draw().reveal());
    let hash = digest(&text);
    (text, prefix, hash)
}

/// The public prefix of a text that could be a token.
pub(crate) fn prefix(text: &str) -> Option<&str> {
    let (prefix, secret) = text.strip_prefix("kw_")?.split_once('_')?;
    (prefix.len() == 12 && secret.len() == 43).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_prefix_and_proved_by_all_of_it() {
        let (text, public, hash) = new_token();
        assert_eq!(prefix(&text), Some(public.as_str()));
        assert!(same(&digest(&text), &hash));
        let mut other = text.clone();
        other.replace_range(text.len() - 2..text.len() - 1, "~");
        assert!(!same(&digest(&other), &hash));
    }

    #[test]
    fn what_is_no_token_has_no_prefix() {
        for text in [
            "",
            "kw_",
            "kw_abc",
            "kw_0123456789ab_",
            "xx_0123456789ab_secret",
            "kw_é_é",
        ] {
            assert_eq!(prefix(text), None, "{text}");
        }
    }
}
