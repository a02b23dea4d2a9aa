//! The keys that sign tokens, and the check of what others signed.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::FromDer as _;

/// A key of an issuer; made when it is first needed, since that takes a while.
pub(crate) struct SigningKey {
    id: String,
    pair: KeyPair,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Signs for all tenants, as the keys of the service do.
pub(crate) static TENANTS: LazyLock<SigningKey> = LazyLock::new(SigningKey::generate);
/// Signs for a platform beside Entra ID: Kubernetes, a pipeline.
pub(crate) static PLATFORM: LazyLock<SigningKey> = LazyLock::new(SigningKey::generate);

impl SigningKey {
    #[expect(
        clippy::expect_used,
        reason = "without a source of randomness nothing works"
    )]
    fn generate() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key is made");
        let public = pair.public_key().as_ref();
        let id = URL_SAFE_NO_PAD.encode(&Sha256::digest(public)[..20]);
        let (modulus, exponent) = components(public).expect("a key can be read");
        Self {
            id,
            pair,
            modulus,
            exponent,
        }
    }

    /// A signed token with the claims.
    #[expect(clippy::expect_used, reason = "a key signs whatever it is given")]
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": self.id, "x5t": self.id});
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .expect("a key signs");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn verifies(&self, token: &Token) -> bool {
        token.is_signed_by(self.pair.public_key().as_ref())
    }

    /// The public part as clients read it from `discovery/v2.0/keys`.
    pub(crate) fn document(&self, issuer: &str) -> Value {
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id, "x5t": self.id,
            "n": URL_SAFE_NO_PAD.encode(&self.modulus), "e": URL_SAFE_NO_PAD.encode(&self.exponent),
            "issuer": issuer,
        })
    }
}

fn components(public: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (_, key) = x509_parser::public_key::RSAPublicKey::from_der(public).ok()?;
    let plain = |number: &[u8]| number.strip_prefix(&[0]).unwrap_or(number).to_vec();
    Some((plain(key.modulus), plain(key.exponent)))
}

/// A token that somebody sent, taken apart and not yet believed.
pub(crate) struct Token {
    pub header: Value,
    pub claims: Value,
    /// Header and claims as they were signed.
    text: String,
    signature: Vec<u8>,
}

impl Token {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.');
        let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
        let json = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        parts.next().is_none().then_some(())?;
        Some(Self {
            header: json(header)?,
            claims: json(claims)?,
            text: format!("{header}.{claims}"),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// `public` is an RSA key in PKCS#1.
    pub(crate) fn is_signed_by(&self, public: &[u8]) -> bool {
        let algorithm: &dyn aws_lc_rs::signature::VerificationAlgorithm =
            match self.header["alg"].as_str() {
                Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
                Some("PS256") => &RSA_PSS_2048_8192_SHA256,
                _ => return false,
            };
        UnparsedPublicKey::new(algorithm, public)
            .verify(self.text.as_bytes(), &self.signature)
            .is_ok()
    }

    pub(crate) fn claim(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    /// A time in whole seconds; some clients send fractions (RFC 7519, 2).
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.claims[name].as_f64().map(|seconds| seconds as i64)
    }
}

/// A certificate that was registered on an app: what identifies it and what it verifies with.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    sha1: String,
    sha256: String,
    public: Vec<u8>,
    /// Seconds since 1970.
    pub expires: i64,
}

impl Certificate {
    /// From PEM, or from base64 of DER; private keys beside it are passed over.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let body = match text.split_once("-----BEGIN CERTIFICATE-----") {
            Some((_, rest)) => rest.split_once("-----END CERTIFICATE-----")?.0,
            None => text,
        };
        let plain: String = body.split_whitespace().collect();
        let der = STANDARD.decode(plain).ok()?;
        let (_, parsed) = x509_parser::certificate::X509Certificate::from_der(&der).ok()?;
        let public = parsed
            .public_key()
            .subject_public_key
            .data
            .clone()
            .into_owned();
        Some(Self {
            sha1: URL_SAFE_NO_PAD.encode(Sha1::digest(&der)),
            sha256: URL_SAFE_NO_PAD.encode(Sha256::digest(&der)),
            public,
            expires: parsed.validity().not_after.timestamp(),
        })
    }

    /// Whether the token's header names this certificate.
    pub(crate) fn is_named_by(&self, token: &Token) -> bool {
        let named = |name: &str, own: &str| {
            token.header[name]
                .as_str()
                .is_some_and(|id| id.trim_end_matches('=') == own)
        };
        named("x5t", &self.sha1) || named("x5t#S256", &self.sha256)
    }

    pub(crate) fn verifies(&self, token: &Token) -> bool {
        token.is_signed_by(&self.public)
    }

    /// As the portal shows it.
    pub(crate) fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD
            .decode(&self.sha1)
            .map(hex::encode_upper)
            .unwrap_or_default()
    }
}
