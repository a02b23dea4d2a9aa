//! The addresses by which a round goes on.

use std::collections::HashSet;

use url::Url;

use crate::{Client, Error, Result};

/// Codes of 400 answers that mean what 410 means: the token is of no use any more.
const EXPIRED: [&str; 8] = [
    "syncStateNotFound",
    "syncStateInvalid",
    "resyncRequired",
    "resyncChangesApplyDifferences",
    "resyncChangesUploadDifferences",
    "Directory_ResyncRequired",
    "Directory_ExpiredPageToken",
    "InvalidDeltaToken",
];

/// Whether the service refused the token and not the request.
pub(super) fn is_expired(error: &Error) -> bool {
    let named = || {
        let code = error.fault().and_then(|fault| fault.code.as_deref());
        code.is_some_and(|code| EXPIRED.iter().any(|known| known.eq_ignore_ascii_case(code)))
    };
    match error.status {
        Some(410) => true,
        Some(400) => named(),
        _ => false,
    }
}

/// Follows links of one round: each once, and only to the host that the credential is for.
#[derive(Debug, Default)]
pub(super) struct Links(HashSet<String>);

impl Links {
    pub(super) fn check(&mut self, http: &Client, host: &'static str, link: &str) -> Result<Url> {
        let url = parse(http, host, link)?;
        if self.0.insert(link.to_owned()) {
            Ok(url)
        } else {
            Err(Error::malformed(format!(
                "{host}{}: the same page comes again and again",
                url.path()
            )))
        }
    }
}

/// A link that leads elsewhere is refused: it would take what we ask for, and answer for the service.
pub(super) fn parse(http: &Client, host: &'static str, link: &str) -> Result<Url> {
    let url = Url::parse(link).map_err(|error| {
        Error::malformed(format!(
            "{host}: a link to go on is not an address: {error}"
        ))
    })?;
    if url.origin() == http.base(host)?.origin() {
        return Ok(url);
    }
    Err(Error::malformed(format!(
        "{host}: a link to go on leads to another host ({}) and is not followed",
        url.host_str().unwrap_or_default()
    )))
}
