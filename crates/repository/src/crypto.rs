//! AES-256-CTR with Poly1305-AES as restic uses it: `IV(16) || ciphertext || MAC(16)`.

use aes256ctr_poly1305aes::aead::AeadInPlace as _;
use aes256ctr_poly1305aes::{Aes256CtrPoly1305Aes, Key, Nonce, Tag};
use rand::Rng as _;
use zeroize::Zeroizing;

/// Bytes that encryption adds.
pub(crate) const OVERHEAD: usize = 32;
const IV: usize = 16;

/// The 64 bytes that restic calls encrypt, k and r, in this order.
pub(crate) type KeyBytes = Zeroizing<[u8; 64]>;

/// The key of a repository, or one derived from a password.
#[derive(Clone)]
pub(crate) struct Cipher(Aes256CtrPoly1305Aes);

/// The bytes were changed, cut short or encrypted with another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forged;

impl Cipher {
    pub(crate) fn new(key: &KeyBytes) -> Self {
        Self(Aes256CtrPoly1305Aes::new(Key::from_slice(key.as_slice())))
    }

    /// Appends the encrypted form of `clear` to `out`.
    pub(crate) fn seal(&self, clear: &[u8], out: &mut Vec<u8>) {
        let iv = random_iv();
        out.reserve(clear.len() + OVERHEAD);
        out.extend_from_slice(&iv);
        let start = out.len();
        out.extend_from_slice(clear);
        let tag = self
            .0
            .encrypt_in_place_detached(Nonce::from_slice(&iv), &[], &mut out[start..])
            .expect("only associated data can be refused");
        out.extend_from_slice(&tag);
    }

    /// Decrypts in place and returns the range that holds the clear bytes.
    pub(crate) fn open_in_place<'a>(&self, sealed: &'a mut [u8]) -> Result<&'a mut [u8], Forged> {
        if sealed.len() < OVERHEAD {
            return Err(Forged);
        }
        let (iv, rest) = sealed.split_at_mut(IV);
        let (text, tag) = rest.split_at_mut(rest.len() - 16);
        self.0
            .decrypt_in_place_detached(Nonce::from_slice(iv), &[], text, Tag::from_slice(tag))
            .map_err(|_| Forged)?;
        Ok(text)
    }

    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Forged> {
        let mut bytes = sealed.to_vec();
        let len = self.open_in_place(&mut bytes)?.len();
        bytes.copy_within(IV..IV + len, 0);
        bytes.truncate(len);
        Ok(bytes)
    }
}

/// Never one whose low half could overflow: restic carries into the high half, our cipher does not.
fn random_iv() -> [u8; IV] {
    let mut iv = [0; IV];
    rand::rng().fill_bytes(&mut iv);
    iv[8] &= 0x7f;
    iv
}

pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_bit_anywhere_is_noticed() {
        let cipher = Cipher::new(&Zeroizing::new([7; 64]));
        let mut sealed = Vec::new();
        cipher.seal(b"attack at dawn", &mut sealed);
        assert_eq!(sealed.len(), 14 + OVERHEAD);
        assert_eq!(cipher.open(&sealed).unwrap(), b"attack at dawn");
        for bit in 0..sealed.len() * 8 {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(cipher.open(&forged), Err(Forged), "bit {bit}");
        }
        assert_eq!(cipher.open(&sealed[..20]), Err(Forged));
    }
}
