//! The identity token: who signed in, and whether it was this sign-in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::cloud::Cloud;
use super::refusal::plain;
use crate::{Error, Result};

/// The tenant of all personal Microsoft accounts.
pub(crate) const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// Clocks differ.
const SKEW: i64 = 300;

#[derive(Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: Value,
    exp: i64,
    nonce: Option<String>,
    pub(crate) tid: String,
    pub(crate) oid: Option<String>,
    pub(crate) preferred_username: Option<String>,
    pub(crate) name: Option<String>,
}

/// What the identity token must say.
pub(crate) struct Expected<'a> {
    pub(crate) cloud: &'a Cloud,
    /// `organizations` and domains stand for any tenant.
    pub(crate) tenant: &'a str,
    pub(crate) client_id: &'a str,
    /// Device codes have none.
    pub(crate) nonce: Option<&'a str>,
    pub(crate) now: Timestamp,
}

impl Claims {
    /// Reads a token that came from the token endpoint itself: the connection vouches for it (`OpenID` Connect Core 3.1.3.7), so that its
    /// signature need not be looked at. One from elsewhere must never come here.
    pub(crate) fn read(token: &str, expected: &Expected<'_>) -> Result<Self> {
        let unreadable = || Error::malformed("the identity token is not understood");
        let payload = token.split('.').nth(1).ok_or_else(unreadable)?;
        let bytes = URL_SAFE_NO_PAD
            .decode(payload.trim_end_matches('='))
            .map_err(|_| unreadable())?;
        let claims: Self = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
        claims.check(expected)?;
        Ok(claims)
    }

    fn check(&self, expected: &Expected<'_>) -> Result<()> {
        if self.tid.eq_ignore_ascii_case(PERSONAL) {
            return Err(plain("account-personal"));
        }
        let audience = self.aud.as_str() == Some(expected.client_id);
        let tenant =
            !model::is_tenant_id(expected.tenant) || self.tid.eq_ignore_ascii_case(expected.tenant);
        let issuer = self.iss == expected.cloud.issuer(&self.tid);
        let nonce = expected.nonce.is_none() || self.nonce.as_deref() == expected.nonce;
        let alive = self.exp.saturating_add(SKEW) > expected.now.as_second();
        for (holds, what) in [
            (model::is_tenant_id(&self.tid), "tenant"),
            (audience, "application"),
            (tenant, "tenant"),
            (issuer, "issuer"),
            (nonce, "nonce"),
            (alive, "time"),
        ] {
            if !holds {
                let error = plain("sign-in-mismatch");
                let hint = error.hint.clone().unwrap_or_default();
                return Err(error.hinted(format!("{hint} (It is about the {what}.)")));
            }
        }
        Ok(())
    }

    /// As people know it.
    pub(crate) fn account(&self) -> String {
        [&self.preferred_username, &self.name, &self.oid]
            .into_iter()
            .flatten()
            .find(|text| !text.is_empty())
            .cloned()
            .unwrap_or_else(|| "unnamed account".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::cloud::Clouds;
    use super::*;

    const TENANT: &str = "0fd1a1a2-6ef8-4bc4-8d1c-6b7c2fb1d2aa";

    fn read(change: &Value, tenant: &str) -> Result<Claims> {
        let clouds = Clouds::usual().unwrap();
        let mut claims = json!({
            "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "aud": "app", "exp": 1000, "nonce": "n",
            "tid": TENANT, "preferred_username": "ada@contoso.com",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let token = format!("x.{}.y", URL_SAFE_NO_PAD.encode(claims.to_string()));
        Claims::read(
            &token,
            &Expected {
                cloud: clouds.find("public").unwrap(),
                tenant,
                client_id: "app",
                nonce: Some("n"),
                now: Timestamp::from_second(900).unwrap(),
            },
        )
    }

    #[test]
    fn only_the_token_of_this_sign_in_is_taken() {
        assert_eq!(
            read(&json!({}), TENANT).unwrap().account(),
            "ada@contoso.com"
        );
        read(&json!({}), "organizations").unwrap();
        let other = "11111111-6ef8-4bc4-8d1c-6b7c2fb1d2aa";
        for change in [
            json!({"aud": "other"}),
            json!({"aud": ["app"]}),
            json!({"nonce": "other"}),
            json!({"nonce": null}),
            json!({"exp": 100}),
            json!({"iss": "https://evil.example/x/v2.0"}),
            json!({"iss": format!("https://login.microsoftonline.com/{other}/v2.0")}),
            json!({"tid": "common"}),
        ] {
            let error = read(&change, TENANT).err().unwrap();
            assert_eq!(error.code, "sign-in-mismatch", "{change}");
        }
    }

    #[test]
    fn a_token_of_another_tenant_is_no_substitute() {
        let other = "11111111-6ef8-4bc4-8d1c-6b7c2fb1d2aa";
        let error = read(&json!({}), other).err().unwrap();
        assert_eq!(error.code, "sign-in-mismatch");
    }

    #[test]
    fn a_personal_account_is_told_so() {
        let error = read(&json!({"tid": PERSONAL}), "organizations")
            .err()
            .unwrap();
        assert_eq!(error.code, "account-personal");
    }
}
