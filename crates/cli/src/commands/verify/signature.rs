//! Ed25519 signatures of reports, with a key of the installation that lies in the vault.

use anyhow::anyhow;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use model::{Clock as _, Secret};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock::SystemClock;
use crate::failure::Failure;

pub(super) const ALGORITHM: &str = "Ed25519";
/// The name of the key in the vault.
const CREDENTIAL: &str = "evidence signing key";
/// Before the signed bytes, so that a signature of something else is never one of a report.
const DOMAIN: &[u8] = b"keepward evidence 1\n";

/// Beside the report that it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Signature {
    pub algorithm: String,
    /// 32 bytes, hexadecimal.
    pub public_key: String,
    /// 64 bytes, hexadecimal: of the bytes of the member `report` as they stand in the file, after the line `keepward evidence 1`.
    pub value: String,
}

/// What a signature is worth to whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// By the key that is expected.
    Signed,
    /// Right, but anyone can make a key.
    Stranger,
    Altered,
}

pub(super) struct Key(Ed25519KeyPair);

impl Key {
    /// The installation's key, made on its first use.
    pub(super) async fn load(app: &App) -> Result<Self, Failure> {
        if let Some(key) = Self::stored(app).await? {
            return Ok(key);
        }
        let seed: [u8; 32] = rand::rng().random();
        let key = Self::of(&seed)?;
        app.catalog
            .put_credential(
                &app.kek,
                CREDENTIAL,
                "signing-key",
                &Secret::new(hex::encode(seed)),
                SystemClock.now(),
                &mut rand::rng(),
            )
            .await?;
        Ok(key)
    }

    /// The public key of this installation, when it has one.
    pub(super) async fn known(app: &App) -> Result<Option<String>, Failure> {
        Ok(Self::stored(app).await?.map(|key| key.public()))
    }

    async fn stored(app: &App) -> Result<Option<Self>, Failure> {
        let Some(secret) = app.catalog.get_credential(&app.kek, CREDENTIAL).await? else {
            return Ok(None);
        };
        let seed = hex::decode(secret.expose())
            .map_err(|_| anyhow!("the {CREDENTIAL} in the vault is not understood"))?;
        Self::of(&seed).map(Some)
    }

    fn of(seed: &[u8]) -> Result<Self, Failure> {
        Ed25519KeyPair::from_seed_unchecked(seed)
            .map(Self)
            .map_err(|error| anyhow!("the {CREDENTIAL} cannot be used: {error}").into())
    }

    pub(super) fn public(&self) -> String {
        hex::encode(self.0.public_key().as_ref())
    }

    pub(super) fn sign(&self, report: &str) -> Signature {
        Signature {
            algorithm: ALGORITHM.to_owned(),
            public_key: self.public(),
            value: hex::encode(self.0.sign(&signed(report)).as_ref()),
        }
    }
}

impl Signature {
    /// `expected` is the public key that the reader knows from elsewhere.
    pub(super) fn trust(&self, report: &str, expected: Option<&str>) -> Trust {
        if !self.fits(report) {
            return Trust::Altered;
        }
        match expected {
            Some(expected) if expected.trim().eq_ignore_ascii_case(&self.public_key) => {
                Trust::Signed
            }
            _ => Trust::Stranger,
        }
    }

    fn fits(&self, report: &str) -> bool {
        let (Ok(key), Ok(value)) = (hex::decode(&self.public_key), hex::decode(&self.value)) else {
            return false;
        };
        self.algorithm == ALGORITHM
            && UnparsedPublicKey::new(&ED25519, key)
                .verify(&signed(report), &value)
                .is_ok()
    }
}

fn signed(report: &str) -> Vec<u8> {
    [DOMAIN, report.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_one_report_and_one_key() {
        let (ours, other) = (Key::of(&[7; 32]).unwrap(), Key::of(&[8; 32]).unwrap());
        let signature = ours.sign("{\"a\":1}");
        let public = ours.public();
        assert_eq!(signature.trust("{\"a\":1}", Some(&public)), Trust::Signed);
        assert_eq!(signature.trust("{\"a\": 1}", Some(&public)), Trust::Altered);
        assert_eq!(signature.trust("{\"a\":1}", None), Trust::Stranger);
        assert_eq!(
            signature.trust("{\"a\":1}", Some(&other.public())),
            Trust::Stranger
        );
        let claimed = Signature {
            public_key: other.public(),
            ..signature.clone()
        };
        assert_eq!(
            claimed.trust("{\"a\":1}", Some(&other.public())),
            Trust::Altered
        );
        let nonsense = Signature {
            value: "zz".to_owned(),
            ..signature
        };
        assert_eq!(nonsense.trust("{\"a\":1}", Some(&public)), Trust::Altered);
    }
}
