//! What identity providers said about themselves a moment ago.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use openidconnect::core::CoreProviderMetadata;

/// Where a provider sends people changes less often.
const RECENT: SignedDuration = SignedDuration::from_mins(5);
/// There are a handful of providers; what one was called before goes.
const MOST: usize = 50;

/// By issuer.
#[derive(Default)]
pub(crate) struct Said(Mutex<BTreeMap<String, (Timestamp, CoreProviderMetadata)>>);

impl Said {
    pub(super) fn recent(&self, issuer: &str, now: Timestamp) -> Option<CoreProviderMetadata> {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, metadata) = said.get(issuer)?;
        let age = now.duration_since(*at);
        (age >= SignedDuration::ZERO && age < RECENT).then(|| metadata.clone())
    }

    pub(super) fn keep(&self, issuer: &str, metadata: &CoreProviderMetadata, now: Timestamp) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, (at, _)| now.duration_since(*at) < RECENT);
        if said.len() < MOST {
            said.insert(issuer.to_owned(), (now, metadata.clone()));
        }
    }
}
