//! The token endpoint.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Clock as _;
use serde_json::{Value, json};

use super::{Inner, Site, challenge, refusal};
use crate::world::{CLIENT, TENANT};

type Values = BTreeMap<String, String>;

impl Site {
    pub(super) fn token(&self, inner: &mut Inner, path: &str, values: &Values) -> (u16, Value) {
        if values.get("client_id").map(String::as_str) != Some(CLIENT) {
            return refusal("unauthorized_client", 700_016);
        }
        match values["grant_type"].as_str() {
            "refresh_token" => match inner.refresh.get_mut(&values["refresh_token"]) {
                Some(used) if !*used => {
                    *used = true;
                    self.person(inner, None)
                }
                _ => refusal("invalid_grant", 700_082),
            },
            "authorization_code" => match inner.codes.remove(&values["code"]) {
                Some([wanted, nonce, redirect])
                    if challenge(&values["code_verifier"]) == wanted
                        && values["redirect_uri"] == redirect =>
                {
                    self.person(inner, Some(&nonce))
                }
                _ => refusal("invalid_grant", 54005),
            },
            "urn:ietf:params:oauth:grant-type:device_code" => {
                assert!(!values.contains_key("scope"), "the scope is remembered");
                if values["device_code"] == "device-1" {
                    self.person(inner, None)
                } else {
                    refusal("bad_verification_code", 70018)
                }
            }
            "client_credentials" => {
                if path.starts_with("/common") || path.starts_with("/organizations") {
                    return refusal("invalid_request", 50194);
                }
                let secret = values.get("client_secret").map(String::as_str) == Some("s3cr3t");
                let asserted = values.get("client_assertion_type").map(String::as_str)
                    == Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                    && values.contains_key("client_assertion");
                if !secret && !asserted {
                    return refusal("invalid_client", 7_000_215);
                }
                let token = inner.mint(&self.clock);
                (
                    200,
                    json!({"token_type": "Bearer", "expires_in": inner.life, "access_token": token}),
                )
            }
            _ => refusal("unsupported_grant_type", 70003),
        }
    }

    fn person(&self, inner: &mut Inner, nonce: Option<&str>) -> (u16, Value) {
        let token = inner.mint(&self.clock);
        let refresh = format!("refresh-{}", inner.number);
        inner.refresh.insert(refresh.clone(), false);
        let now = self.clock.now().as_second();
        let mut claims = json!({
            "iss": format!("{}/{TENANT}/v2.0", self.url), "aud": CLIENT, "iat": now, "exp": now + 3600, "tid": TENANT, "nonce": nonce,
            "oid": "11111111-0000-0000-0000-000000000001", "sub": "s", "preferred_username": "ada@contoso.com",
        });
        for (name, value) in inner.twist.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let identity = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims.to_string()));
        (
            200,
            json!({"token_type": "Bearer", "scope": "x", "expires_in": inner.life, "access_token": token, "refresh_token": refresh, "id_token": identity}),
        )
    }
}
