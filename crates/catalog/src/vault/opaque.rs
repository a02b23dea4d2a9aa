//! Texts that go out and come back unread, such as where the next page of a list begins.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};

use super::Kek;

const NONCE: usize = 24;
/// Nothing that is sealed for another use opens as one of them.
const USE: &[u8] = b"opaque\0";

impl Kek {
    /// Seals a text that only who has this key reads. The same text comes out the same, and tells nothing but its length.
    pub fn hide(&self, text: &str) -> Vec<u8> {
        let hash = Sha256::new()
            .chain_update(USE)
            .chain_update(self.expose())
            .chain_update(text)
            .finalize();
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&hash[..NONCE]);
        let payload = Payload {
            msg: text.as_bytes(),
            aad: USE,
        };
        // Nothing but a text of many gigabytes is refused.
        let sealed = XChaCha20Poly1305::new(self.expose().into())
            .encrypt(&XNonce::from(nonce), payload)
            .unwrap_or_default();
        [nonce.as_slice(), &sealed].concat()
    }

    /// What [`Kek::hide`] sealed; `None` for anything else.
    pub fn reveal(&self, hidden: &[u8]) -> Option<String> {
        let (nonce, sealed) = hidden.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: sealed,
            aad: USE,
        };
        let plain = XChaCha20Poly1305::new(self.expose().into())
            .decrypt(&XNonce::from(*nonce), payload)
            .ok()?;
        String::from_utf8(plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_text_tells_nothing_and_comes_back_for_its_key_alone() {
        let kek = Kek::new([7; 32]);
        let hidden = kek.hide("connector zebra");
        assert!(!hidden.windows(5).any(|part| part == b"zebra"));
        assert_eq!(kek.reveal(&hidden).as_deref(), Some("connector zebra"));
        assert_eq!(kek.hide("connector zebra"), hidden);
        assert_eq!(Kek::new([8; 32]).reveal(&hidden), None);
        for at in 0..hidden.len() {
            let mut other = hidden.clone();
            other[at] ^= 1;
            assert_eq!(kek.reveal(&other), None, "byte {at}");
        }
        assert_eq!(kek.reveal(b"connector zebra"), None);
    }
}
