//! The config file: version, repository id and the polynomial for restic's chunker.

use serde::{Deserialize, Serialize};

use crate::crypto::{self, Cipher};
use crate::files::Files;
use crate::{Error, Id, Result};

pub(crate) const VERSION: u64 = 2;
const DEGREE: u32 = 53;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) version: u64,
    pub(crate) id: Id,
    /// Hexadecimal. restic refuses a repository whose polynomial is not irreducible.
    pub(crate) chunker_polynomial: String,
}

impl Config {
    pub(crate) fn random() -> Self {
        Self::of(Id(crypto::random_bytes()))
    }

    /// With a new polynomial: restic cuts new content elsewhere then, and reads all that is stored as before.
    pub(crate) fn of(id: Id) -> Self {
        Self {
            version: VERSION,
            id,
            chunker_polynomial: format!("{:x}", random_irreducible()),
        }
    }
}

impl Config {
    /// The bytes of the file: encrypted, but never compressed.
    pub(crate) fn seal(&self, cipher: &Cipher) -> Result<Vec<u8>> {
        let json =
            serde_json::to_vec(self).map_err(|error| Error::damaged("config to write", error))?;
        let mut sealed = Vec::new();
        cipher.seal(&json, &mut sealed);
        Ok(sealed)
    }

    pub(crate) fn open(cipher: &Cipher, sealed: &[u8]) -> Result<Self> {
        let clear = cipher
            .open(sealed)
            .map_err(|_| Error::damaged("config", "it cannot be decrypted"))?;
        let config: Self =
            serde_json::from_slice(&clear).map_err(|error| Error::damaged("config", error))?;
        if config.version == VERSION {
            Ok(config)
        } else {
            Err(Error::UnsupportedVersion(config.version))
        }
    }
}

/// Reads the file, or its copy where the file is damaged or gone.
pub(crate) async fn load(files: &Files, cipher: &Cipher) -> Result<Config> {
    let original = match files.read_config().await {
        Ok(Some(sealed)) => Config::open(cipher, &sealed),
        Ok(None) => Err(Error::damaged("config", "it does not exist")),
        Err(error) => Err(error),
    };
    match (original, files.read_config_copy().await) {
        (Err(damaged @ Error::Damaged { .. }), Ok(Some(copy))) => {
            let config = Config::open(cipher, &copy).map_err(|_| damaged)?;
            tracing::warn!("the config is damaged and read from its second copy; repair it");
            Ok(config)
        }
        (original, _) => original,
    }
}

/// About one in 53 polynomials of degree 53 is irreducible.
fn random_irreducible() -> u64 {
    loop {
        let random = u64::from_le_bytes(crypto::random_bytes());
        // Highest and lowest coefficient set: of degree 53 and not divisible by x.
        let candidate = (random & ((1 << DEGREE) - 1)) | (1 << DEGREE) | 1;
        if is_irreducible(candidate) {
            return candidate;
        }
    }
}

/// Ben-Or's test: no common factor with x^(2^i) - x for i up to half the degree.
fn is_irreducible(polynomial: u64) -> bool {
    let mut power = 2;
    for _ in 0..degree(polynomial) / 2 {
        power = multiply(power, power, polynomial);
        if gcd(polynomial, power ^ 2) != 1 {
            return false;
        }
    }
    true
}

fn degree(polynomial: u64) -> u32 {
    polynomial.ilog2()
}

/// The product modulo `modulus`, over the field of two elements.
fn multiply(a: u64, b: u64, modulus: u64) -> u64 {
    let top = 1 << degree(modulus);
    let (mut a, mut product) = (a, 0);
    for bit in 0..64 {
        if b >> bit == 0 {
            break;
        }
        if b >> bit & 1 == 1 {
            product ^= a;
        }
        a <<= 1;
        if a & top != 0 {
            a ^= modulus;
        }
    }
    product
}

fn remainder(mut a: u64, b: u64) -> u64 {
    while a != 0 && degree(a) >= degree(b) {
        a ^= b << (degree(a) - degree(b));
    }
    a
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, remainder(a, b));
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn irreducible_polynomials_are_told_from_products() {
        // The example of restic's chunker and of its design document.
        assert!(is_irreducible(0x003D_A335_8B4D_C173));
        // The polynomials of degree 2 to 4 that are known to be irreducible.
        let known = [0b111, 0b1011, 0b1101, 0b10011, 0b11001, 0b11111];
        for polynomial in 4..32_u64 {
            assert_eq!(
                is_irreducible(polynomial),
                known.contains(&polynomial),
                "{polynomial:b}"
            );
        }
        assert_eq!(degree(random_irreducible()), DEGREE);
    }
}
