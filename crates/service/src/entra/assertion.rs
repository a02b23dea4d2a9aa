//! A client assertion: the application proves itself with its certificate (RFC 7523), as Microsoft's own clients do.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use model::Secret;
use serde::Serialize;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::refusal::plain;
use crate::{Error, Result};

/// Of an assertion, in seconds.
const LIFE: i64 = 600;
/// Clocks differ.
const SKEW: i64 = 60;

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: i64,
    iat: i64,
    exp: i64,
}

/// Signs an assertion for a token endpoint with a PEM file that holds certificate and RSA key.
pub(crate) fn sign(
    pem: &Secret,
    client_id: &str,
    audience: &str,
    now: Timestamp,
) -> Result<Secret> {
    let Pem { certificates, key } = Pem::read(pem.expose())?;
    let leaf = certificates.first().ok_or_else(|| unfit("certificate"))?;
    let key =
        EncodingKey::from_rsa_pem(key.as_bytes()).map_err(|_| unfit("unencrypted RSA key"))?;
    let mut header = Header::new(Algorithm::RS256);
    header.x5t = Some(URL_SAFE_NO_PAD.encode(Sha1::digest(leaf)));
    header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(leaf)));
    header.x5c = Some(
        certificates
            .iter()
            .map(|der| STANDARD.encode(der))
            .collect(),
    );
    let now = now.as_second();
    let claims = Claims {
        aud: audience,
        iss: client_id,
        sub: client_id,
        jti: URL_SAFE_NO_PAD.encode(rand::random::<u128>().to_be_bytes()),
        nbf: now - SKEW,
        iat: now,
        exp: now + LIFE,
    };
    // Its error may quote the key.
    jsonwebtoken::encode(&header, &claims, &key)
        .map(Secret::new)
        .map_err(|_| unfit("usable RSA key"))
}

/// What a PEM file holds: certificates as DER, leaf first, and the block of the key.
struct Pem {
    certificates: Vec<Vec<u8>>,
    key: Zeroizing<String>,
}

impl Pem {
    fn read(text: &str) -> Result<Self> {
        let mut certificates = Vec::new();
        let mut key = None;
        let mut rest = text;
        while let Some(start) = rest.find("-----BEGIN ") {
            let block = &rest[start..];
            let (label, body) = block["-----BEGIN ".len()..]
                .split_once("-----")
                .ok_or_else(|| unfit("whole block"))?;
            let end = format!("-----END {label}-----");
            let length = body.find(&end).ok_or_else(|| unfit("whole block"))?;
            let whole = "-----BEGIN ".len() + label.len() + "-----".len() + length + end.len();
            match label {
                "CERTIFICATE" => {
                    let base64: String = body[..length].split_whitespace().collect();
                    let der = STANDARD
                        .decode(base64)
                        .map_err(|_| unfit("whole certificate"))?;
                    certificates.push(der);
                }
                "PRIVATE KEY" | "RSA PRIVATE KEY" => {
                    key.get_or_insert_with(|| Zeroizing::new(block[..whole].to_owned()));
                }
                _ => {}
            }
            rest = &block[whole..];
        }
        let key = key.ok_or_else(|| unfit("unencrypted private key"))?;
        Ok(Self { certificates, key })
    }
}

fn unfit(lacks: &str) -> Error {
    let error = plain("certificate-refused");
    let hint = error.hint.clone().unwrap_or_default();
    error.hinted(format!("{hint} (The file has no {lacks}.)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_what_is_needed_is_told_so_and_not_quoted() {
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0LWtleQ==\n-----END PRIVATE KEY-----\n";
        for (pem, lacks) in [
            (String::new(), "private key"),
            (certificate.to_owned(), "private key"),
            (key.to_owned(), "no certificate"),
            (format!("{certificate}{key}"), "RSA key"),
            (
                "-----BEGIN PRIVATE KEY-----\nc2Vj".to_owned(),
                "whole block",
            ),
            (
                format!("{key}-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----"),
                "whole certificate",
            ),
        ] {
            let error = sign(
                &Secret::new(&*pem),
                "app",
                "https://x",
                Timestamp::UNIX_EPOCH,
            )
            .err()
            .unwrap();
            let text = format!("{error:?}");
            assert!(text.contains(lacks), "{lacks}: {text}");
            assert!(!text.contains("c2Vj"), "{text}");
        }
    }
}
