//! What opens a storage. It comes from the vault, never from the environment.

use model::Secret;
use serde::Deserialize;
use zeroize::Zeroize as _;

use super::Cloud;
use crate::{Error, Result};

/// An identity at a storage.
#[derive(Clone)]
pub enum StoreCredential {
    /// The machine's own: instance profile, managed identity or service account.
    Machine,
    S3Key {
        id: String,
        secret: Secret,
        session_token: Option<Secret>,
    },
    /// A role that trusts a token which the platform keeps fresh in a file.
    S3WebIdentity {
        role: String,
        token_file: String,
    },
    AzureKey(Secret),
    /// A shared access signature, with or without its question mark.
    AzureSignature(Secret),
    AzureApp {
        tenant: String,
        client_id: String,
        secret: Secret,
    },
    /// A managed identity that was given to the machine.
    AzureManaged {
        client_id: String,
    },
    AzureWorkload {
        tenant: String,
        client_id: String,
        token_file: String,
    },
    /// The JSON key file of a service account.
    GoogleKey(Secret),
}

/// The members that a credential's JSON may have; which are set decides what it is.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Document {
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    session_token: Option<String>,
    role: Option<String>,
    account_key: Option<String>,
    sas: Option<String>,
    tenant: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    token_file: Option<String>,
}

impl StoreCredential {
    /// What the vault holds: JSON; or for S3 `ID:SECRET`, and for Azure the account's key or a shared access signature.
    pub fn parse(cloud: Cloud, text: &Secret) -> Result<Self> {
        let trimmed = text.expose().trim();
        let parsed = match (cloud, trimmed.starts_with('{')) {
            (Cloud::Google, true) => Some(Self::GoogleKey(text.clone())),
            (_, true) => serde_json::from_str(trimmed)
                .ok()
                .and_then(|document| Self::from_document(cloud, document)),
            (Cloud::S3, false) => trimmed.split_once(':').map(|(id, secret)| Self::S3Key {
                id: id.to_owned(),
                secret: Secret::new(secret),
                session_token: None,
            }),
            (Cloud::Azure, false) if trimmed.contains("sig=") => {
                Some(Self::AzureSignature(Secret::new(trimmed)))
            }
            (Cloud::Azure, false) if !trimmed.is_empty() => {
                Some(Self::AzureKey(Secret::new(trimmed)))
            }
            _ => None,
        };
        parsed.ok_or(Error::StoreCredential(match cloud {
            Cloud::S3 => {
                "for S3 it is `ACCESS_KEY_ID:SECRET_ACCESS_KEY`, or JSON with access_key_id, secret_access_key and perhaps session_token, or with role and token_file"
            }
            Cloud::Azure => {
                "for Azure it is the account's key, a shared access signature, or JSON with tenant, client_id and client_secret or token_file"
            }
            Cloud::Google => "for Google Cloud it is the JSON key file of a service account",
        }))
    }

    fn from_document(cloud: Cloud, mut document: Document) -> Option<Self> {
        let secret = |member: &mut Option<String>| {
            member.take().map(|mut text| {
                let secret = Secret::new(text.as_str());
                text.zeroize();
                secret
            })
        };
        let taken = (
            secret(&mut document.secret_access_key),
            secret(&mut document.session_token),
            secret(&mut document.account_key),
            secret(&mut document.sas),
            secret(&mut document.client_secret),
        );
        let Document {
            access_key_id,
            role,
            tenant,
            client_id,
            token_file,
            ..
        } = document;
        match (cloud, taken) {
            (Cloud::S3, (Some(secret), session_token, ..)) => Some(Self::S3Key {
                id: access_key_id?,
                secret,
                session_token,
            }),
            (Cloud::S3, (None, ..)) => Some(Self::S3WebIdentity {
                role: role?,
                token_file: token_file?,
            }),
            (Cloud::Azure, (_, _, Some(key), ..)) => Some(Self::AzureKey(key)),
            (Cloud::Azure, (_, _, _, Some(sas), _)) => Some(Self::AzureSignature(sas)),
            (Cloud::Azure, (.., Some(secret))) => Some(Self::AzureApp {
                tenant: tenant?,
                client_id: client_id?,
                secret,
            }),
            (Cloud::Azure, _) => {
                let client_id = client_id?;
                Some(match (tenant, token_file) {
                    (Some(tenant), Some(token_file)) => Self::AzureWorkload {
                        tenant,
                        client_id,
                        token_file,
                    },
                    (None, None) => Self::AzureManaged { client_id },
                    _ => return None,
                })
            }
            (Cloud::Google, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(cloud: Cloud, text: &str) -> Result<StoreCredential> {
        StoreCredential::parse(cloud, &Secret::new(text))
    }

    #[test]
    fn each_form_of_a_credential_is_understood() {
        use StoreCredential as C;
        let key = parse(Cloud::S3, "AKIA:se/cr:et\n").unwrap();
        assert!(
            matches!(key, C::S3Key { id, secret, .. } if id == "AKIA" && secret.expose() == "se/cr:et")
        );
        let json = r#"{"access_key_id":"a","secret_access_key":"b","session_token":"c"}"#;
        let key = parse(Cloud::S3, json).unwrap();
        assert!(
            matches!(key, C::S3Key { session_token: Some(token), .. } if token.expose() == "c")
        );
        let json = r#"{"role":"arn:aws:iam::1:role/r","token_file":"/var/t"}"#;
        assert!(matches!(
            parse(Cloud::S3, json).unwrap(),
            C::S3WebIdentity { .. }
        ));
        assert!(matches!(
            parse(Cloud::Azure, "a2V5").unwrap(),
            C::AzureKey(_)
        ));
        assert!(matches!(
            parse(Cloud::Azure, "?sv=1&sig=x").unwrap(),
            C::AzureSignature(_)
        ));
        let json = r#"{"tenant":"t","client_id":"c","client_secret":"s"}"#;
        assert!(matches!(
            parse(Cloud::Azure, json).unwrap(),
            C::AzureApp { .. }
        ));
        assert!(matches!(
            parse(Cloud::Azure, r#"{"client_id":"c"}"#).unwrap(),
            C::AzureManaged { .. }
        ));
        assert!(matches!(
            parse(Cloud::Google, r#"{"type":"service_account"}"#).unwrap(),
            C::GoogleKey(_)
        ));
    }

    #[test]
    fn a_text_that_is_no_credential_is_refused_without_showing_it() {
        for (cloud, text) in [
            (Cloud::S3, "hunter2"),
            (Cloud::S3, r#"{"secret_access_key":"hunter2"}"#),
            (Cloud::S3, r#"{"passwort":"hunter2"}"#),
            (Cloud::Azure, ""),
            (Cloud::Azure, r#"{"client_secret":"hunter2"}"#),
            (Cloud::Google, "hunter2"),
        ] {
            let Err(refused) = parse(cloud, text) else {
                panic!("{text} was accepted")
            };
            assert_eq!(refused.code(), "storage-credential");
            assert!(!refused.to_string().contains("hunter2"));
        }
    }
}
