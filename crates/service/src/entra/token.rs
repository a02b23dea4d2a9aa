//! Access tokens and the answers that bring them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::Secret;
use serde::{Deserialize, Deserializer};

use super::wire::Said;
use crate::{Error, Result};

/// Before the end of its life; half of that for tokens that do not live ten minutes.
const EARLY: Duration = Duration::from_mins(5);

/// A token that a service takes until it expires or is revoked.
#[derive(Clone)]
pub struct AccessToken {
    pub(crate) secret: Secret,
    pub(crate) expires: Timestamp,
    pub(crate) renew_at: Timestamp,
}

impl AccessToken {
    pub(crate) fn new(secret: Secret, now: Timestamp, life: Duration) -> Self {
        let after = |part: Duration| {
            SignedDuration::try_from(part)
                .ok()
                .and_then(|part| now.checked_add(part).ok())
                .unwrap_or(Timestamp::MAX)
        };
        Self {
            secret,
            expires: after(life),
            renew_at: after(life.saturating_sub(EARLY.min(life / 2))),
        }
    }

    /// The clear text: pass it on to where it is used, never keep it.
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        self.secret.expose() == other.secret.expose()
    }
}

/// What the token endpoint or the machine's identity service answered. Without `Debug`: all of it is secret.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    access_token: String,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    /// Since 1970; App Service gives this alone.
    #[serde(default, deserialize_with = "seconds")]
    expires_on: Option<u64>,
    pub(crate) refresh_token: Option<String>,
    pub(crate) id_token: Option<String>,
}

impl Tokens {
    pub(crate) fn read(said: &Said) -> Result<Self> {
        let tokens: Self = said.json()?;
        if tokens.access_token.is_empty()
            || !tokens.access_token.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(Error::malformed(
                "the sign-in service gave a token that cannot be sent",
            ));
        }
        Ok(tokens)
    }

    /// `asked` is when the request was sent: the token's life began no earlier.
    pub(crate) fn access(&self, asked: Timestamp) -> Result<AccessToken> {
        let until = |end: u64| {
            let now = u64::try_from(asked.as_second()).unwrap_or(0);
            end.saturating_sub(now)
        };
        let life = self
            .expires_in
            .or_else(|| self.expires_on.map(until))
            .ok_or_else(|| Error::malformed("the token does not say when it expires"))?;
        Ok(AccessToken::new(
            Secret::new(self.access_token.as_str()),
            asked,
            Duration::from_secs(life),
        ))
    }

    pub(crate) fn clear(&self) -> Secret {
        Secret::new(self.access_token.as_str())
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.access_token.zeroize();
        self.refresh_token.zeroize();
        self.id_token.zeroize();
    }
}

/// Entra writes a number, the metadata service a text.
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(u64),
        Text(String),
    }
    match Option::<Seconds>::deserialize(from)? {
        None => Ok(None),
        Some(Seconds::Number(number)) => Ok(Some(number)),
        Some(Seconds::Text(text)) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(life: u64) -> AccessToken {
        AccessToken::new(
            Secret::new("t"),
            Timestamp::UNIX_EPOCH,
            Duration::from_secs(life),
        )
    }

    #[test]
    fn sre_21_a_token_is_renewed_five_minutes_before_its_end() {
        assert_eq!(token(3600).renew_at.as_second(), 3300);
        assert_eq!(token(86_400).renew_at.as_second(), 86_100);
        assert_eq!(token(60).renew_at.as_second(), 30);
        assert_eq!(token(0).renew_at.as_second(), 0);
        assert_eq!(token(u64::MAX).expires, Timestamp::MAX);
    }
}
