//! Looks for a secret in whatever form it may have got somewhere.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// The forms of a secret that name it beyond doubt.
pub(crate) fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    // Wherever it begins in what was encoded; the characters at both ends depend on the neighbors.
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
    forms.push(json.trim_matches('"').as_bytes().to_vec());
    forms.push(STANDARD.encode(format!(":{secret}")).into_bytes());
    forms.sort();
    forms.dedup();
    forms
}

/// Whether a secret is there in any of its forms.
pub(crate) fn holds(bytes: &[u8], secret: &str) -> bool {
    forms(secret).iter().any(|form| {
        bytes
            .windows(form.len())
            .any(|window| window == form.as_slice())
    })
}
