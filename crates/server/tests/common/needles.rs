//! Looks for a secret in whatever form it may have got somewhere.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use memchr::memmem;

/// The forms of a secret that name it beyond doubt.
pub(crate) fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    // Wherever it begins in what was encoded; the characters at both ends depend on the neighbors. `user:secret` of a `Basic` header is one
    // of the three.
    for before in 0..3 {
        let padded = [&b"\0\0"[..before], secret.as_bytes()].concat();
        for encoded in [STANDARD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let whole = encoded.trim_end_matches('=');
            let start = [0, 2, 3][before];
            let end = whole.len() - usize::from(!padded.len().is_multiple_of(3));
            forms.push(whole.as_bytes()[start..end].to_vec());
        }
    }
    let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    forms.push(url.replace('+', "%20").into_bytes());
    forms.push(url.into_bytes());
    let json = serde_json::to_string(secret).unwrap();
    forms.push(json.as_bytes()[1..json.len() - 1].to_vec());
    forms.extend(unicode(secret).map(String::into_bytes));
    forms.sort();
    forms.dedup();
    forms
}

/// As serializers escape that stay in ASCII, or that keep markup out, with digits of either case.
fn unicode(secret: &str) -> [String; 4] {
    let mut forms = [const { String::new() }; 4];
    for char in secret.chars() {
        for (index, form) in forms.iter_mut().enumerate() {
            let plain = if index < 2 {
                char.is_ascii()
            } else {
                char.is_ascii_alphanumeric() || "-._~".contains(char)
            };
            match char {
                '"' | '\\' if index < 2 => form.extend(['\\', char]),
                _ if plain => form.push(char),
                _ => {
                    for unit in char.encode_utf16(&mut [0; 2]) {
                        match index % 2 {
                            0 => write!(form, "\\u{unit:04x}").unwrap(),
                            _ => write!(form, "\\u{unit:04X}").unwrap(),
                        }
                    }
                }
            }
        }
    }
    forms
}

/// Whether a secret is there in any of its forms.
pub(crate) fn holds(bytes: &[u8], secret: &str) -> bool {
    forms(secret)
        .iter()
        .any(|form| memmem::find(bytes, form).is_some())
}
