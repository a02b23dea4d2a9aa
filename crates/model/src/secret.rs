//! Values that must never reach a log, an error, an answer or a file in clear text.

use zeroize::Zeroizing;

/// A secret text without `Debug`, `Display` or `Serialize`; wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The clear text: pass it on to where it is used, never keep it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
