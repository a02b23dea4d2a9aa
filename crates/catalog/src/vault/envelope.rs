//! XChaCha20-Poly1305 twice: the secret under a key of its own, that key under the key-encryption key.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use model::Secret;
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::{Error, Result};

const NONCE: usize = 24;

/// The key-encryption key: 32 bytes that only the caller keeps.
#[derive(Clone)]
pub struct Kek(Zeroizing<[u8; 32]>);

impl Kek {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *bytes);
        Self(bytes)
    }

    /// For the file that keeps the key.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// All randomness that sealing needs.
pub(crate) struct Seed {
    key: Zeroizing<[u8; 32]>,
    wrap_nonce: [u8; NONCE],
    seal_nonce: [u8; NONCE],
}

impl Seed {
    pub(crate) fn draw<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = Self {
            key: Zeroizing::new([0; 32]),
            wrap_nonce: [0; NONCE],
            seal_nonce: [0; NONCE],
        };
        rng.fill_bytes(&mut *seed.key);
        rng.fill_bytes(&mut seed.wrap_nonce);
        rng.fill_bytes(&mut seed.seal_nonce);
        seed
    }
}

/// A secret as it is stored: each part is a nonce and what it sealed.
pub(crate) struct Sealed {
    pub(crate) wrapped: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

pub(crate) fn seal(
    kek: &Kek,
    name: &str,
    version: i64,
    secret: &Secret,
    seed: &Seed,
) -> Result<Sealed> {
    let secret = secret.expose().as_bytes();
    Ok(Sealed {
        wrapped: encrypt(
            &kek.0,
            &seed.wrap_nonce,
            &*seed.key,
            name,
            "wrapped",
            version,
        )?,
        sealed: encrypt(&seed.key, &seed.seal_nonce, secret, name, "sealed", version)?,
    })
}

pub(crate) fn open(kek: &Kek, name: &str, version: i64, stored: &Sealed) -> Result<Secret> {
    let key = unwrap(kek, name, version, &stored.wrapped)?;
    let plain = decrypt(&key, &stored.sealed, name, "sealed", version)?;
    let text = std::str::from_utf8(&plain).map_err(|_| Error::damaged("a secret"))?;
    Ok(Secret::new(text))
}

pub(crate) fn rewrap(
    old: &Kek,
    new: &Kek,
    name: &str,
    version: i64,
    wrapped: &[u8],
    seed: &Seed,
) -> Result<Vec<u8>> {
    let key = unwrap(old, name, version, wrapped)?;
    encrypt(&new.0, &seed.wrap_nonce, &*key, name, "wrapped", version)
}

fn unwrap(kek: &Kek, name: &str, version: i64, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
    let plain = decrypt(&kek.0, wrapped, name, "wrapped", version)?;
    let key =
        <&[u8; 32]>::try_from(plain.as_slice()).map_err(|_| Error::damaged("a wrapped key"))?;
    Ok(Zeroizing::new(*key))
}

/// Binds a value to its place: moved to another row, column or version it does not open.
fn place(name: &str, column: &str, version: i64) -> Vec<u8> {
    format!("credential\0{name}\0{column}\0{version}").into_bytes()
}

fn encrypt(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    plain: &[u8],
    name: &str,
    column: &str,
    version: i64,
) -> Result<Vec<u8>> {
    let aad = place(name, column, version);
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: plain,
                aad: &aad,
            },
        )
        .map_err(|_| Error::damaged("a secret that is too long"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn decrypt(
    key: &[u8; 32],
    stored: &[u8],
    name: &str,
    column: &str,
    version: i64,
) -> Result<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = stored
        .split_first_chunk::<NONCE>()
        .ok_or_else(|| Error::damaged("a sealed value"))?;
    let aad = place(name, column, version);
    XChaCha20Poly1305::new(key.into())
        .decrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: sealed,
                aad: &aad,
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| Error::WrongKey {
            name: name.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(u8);

    impl rand::TryRng for Counter {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            self.0 = self.0.wrapping_add(1);
            Ok(u32::from_le_bytes([self.0; 4]))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            self.0 = self.0.wrapping_add(1);
            Ok(u64::from_le_bytes([self.0; 8]))
        }

        fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
            self.0 = self.0.wrapping_add(1);
            dst.fill(self.0);
            Ok(())
        }
    }

    impl rand::TryCryptoRng for Counter {}

    #[test]
    fn a_sealed_value_opens_only_in_its_place() {
        let kek = Kek::new([7; 32]);
        let stored = seal(
            &kek,
            "a",
            1,
            &Secret::new("hush"),
            &Seed::draw(&mut Counter(0)),
        )
        .unwrap();
        assert_eq!(open(&kek, "a", 1, &stored).unwrap().expose(), "hush");
        assert!(matches!(
            open(&kek, "b", 1, &stored),
            Err(Error::WrongKey { .. })
        ));
        assert!(matches!(
            open(&kek, "a", 2, &stored),
            Err(Error::WrongKey { .. })
        ));
        assert!(matches!(
            open(&Kek::new([8; 32]), "a", 1, &stored),
            Err(Error::WrongKey { .. })
        ));
        let swapped = Sealed {
            wrapped: stored.sealed.clone(),
            sealed: stored.wrapped.clone(),
        };
        assert!(open(&kek, "a", 1, &swapped).is_err());
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let kek = Kek::new([7; 32]);
        let stored = seal(
            &kek,
            "a",
            1,
            &Secret::new("hush"),
            &Seed::draw(&mut Counter(0)),
        )
        .unwrap();
        for at in 0..stored.sealed.len() {
            let mut sealed = stored.sealed.clone();
            sealed[at] ^= 1;
            let damaged = Sealed {
                wrapped: stored.wrapped.clone(),
                sealed,
            };
            assert!(open(&kek, "a", 1, &damaged).is_err(), "byte {at}");
        }
    }
}
