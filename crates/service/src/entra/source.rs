//! Access tokens of one identity, kept while they live and renewed before they die.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use model::{Class, SignIn};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::store::CredentialStore;
use super::token::AccessToken;
use super::{Core, grant};
use crate::{Error, Result};

/// While a token still lives, a renewal that failed is not tried again at once.
const CALM: SignedDuration = SignedDuration::from_secs(30);
/// A token that replaced a refused one is not replaced so soon again: then the refusal is about the request.
const SETTLED: SignedDuration = SignedDuration::from_mins(5);

/// Gives access tokens of one identity; clones share them. Renewals are one at a time, and go on when whoever asked has gone: a refresh token
/// that was exchanged and not kept would be lost.
#[derive(Clone)]
pub struct TokenSource {
    inner: Arc<Inner>,
}

struct Inner {
    core: Arc<Core>,
    sign_in: SignIn,
    store: Arc<dyn CredentialStore>,
    state: Mutex<State>,
    /// Held while the sign-in service is asked.
    turn: tokio::sync::Mutex<()>,
    flights: Mutex<JoinSet<()>>,
}

#[derive(Default)]
struct State {
    kept: HashMap<String, Kept>,
    failed: Option<Failed>,
}

struct Kept {
    token: AccessToken,
    /// When it replaced a token that the service had refused.
    replaced: Option<Timestamp>,
    not_before: Option<Timestamp>,
}

/// The last failure, for those who were waiting for the same.
struct Failed {
    at: Instant,
    scope: String,
    class: Class,
    code: &'static str,
    message: String,
    hint: Option<String>,
}

impl TokenSource {
    pub(super) fn new(
        core: &Arc<Core>,
        sign_in: &SignIn,
        store: Arc<dyn CredentialStore>,
    ) -> Result<Self> {
        if matches!(sign_in, SignIn::Pat { .. }) {
            return Err(Error::malformed(
                "a personal access token needs no source of tokens",
            ));
        }
        let inner = Inner {
            core: Arc::clone(core),
            sign_in: sign_in.clone(),
            store,
            state: Mutex::default(),
            turn: tokio::sync::Mutex::new(()),
            flights: Mutex::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    pub fn sign_in(&self) -> &SignIn {
        &self.inner.sign_in
    }

    /// This source for one scope: what an HTTP client is given.
    pub fn bearer(&self, scope: impl Into<String>) -> Bearer {
        Bearer {
            source: self.clone(),
            scope: scope.into(),
        }
    }

    /// Takes a token that came with the sign-in itself, so that it need not be asked for.
    #[must_use]
    pub fn with(self, scope: &str, token: AccessToken) -> Self {
        self.inner.keep(scope, token, None);
        self
    }

    /// A token that lives; asks the sign-in service only when there is none.
    pub async fn token(&self, scope: &str) -> Result<AccessToken> {
        match self.inner.good(scope) {
            Some(token) => Ok(token),
            None => self.fly(scope, None).await,
        }
    }

    /// A token in place of one that a service refused. `None` when that one is such a replacement itself: another would be refused too.
    pub async fn replacement(
        &self,
        scope: &str,
        refused: &AccessToken,
    ) -> Result<Option<AccessToken>> {
        let now = self.inner.core.clock.now();
        {
            let state = self.inner.state();
            let kept = state.kept.get(scope);
            match kept {
                Some(kept) if !kept.token.same(refused) => return Ok(Some(kept.token.clone())),
                Some(Kept {
                    replaced: Some(at), ..
                }) if now.duration_since(*at) < SETTLED => return Ok(None),
                _ => {}
            }
        }
        self.fly(scope, Some(refused.clone())).await.map(Some)
    }

    async fn fly(&self, scope: &str, refused: Option<AccessToken>) -> Result<AccessToken> {
        let (send, receive) = oneshot::channel();
        let (inner, scope, asked) = (Arc::clone(&self.inner), scope.to_owned(), Instant::now());
        {
            let mut flights = self
                .inner
                .flights
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            while flights.try_join_next().is_some() {}
            flights.spawn(async move {
                let result = inner.renew(&scope, refused.as_ref(), asked).await;
                if send.send(result).is_err() {
                    tracing::debug!("a token was got for someone who had gone");
                }
            });
        }
        receive.await.unwrap_or_else(|_| {
            Err(Error::new(
                Class::Transient,
                "service-unavailable",
                "signing in was interrupted",
            ))
        })
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, scope: &str, token: AccessToken, replaced: Option<Timestamp>) {
        let kept = Kept {
            token,
            replaced,
            not_before: None,
        };
        let mut state = self.state();
        state.failed = None;
        state.kept.insert(scope.to_owned(), kept);
    }

    /// A token that need not be renewed, or not now.
    fn good(&self, scope: &str) -> Option<AccessToken> {
        let now = self.core.clock.now();
        let state = self.state();
        let kept = state.kept.get(scope)?;
        let calm = kept.not_before.is_some_and(|then| now < then) && now < kept.token.expires;
        (now < kept.token.renew_at || calm).then(|| kept.token.clone())
    }

    async fn renew(
        &self,
        scope: &str,
        refused: Option<&AccessToken>,
        asked: Instant,
    ) -> Result<AccessToken> {
        let _turn = self.turn.lock().await;
        if let Some(token) = self.good(scope)
            && refused.is_none_or(|refused| !token.same(refused))
        {
            return Ok(token);
        }
        if let Some(error) = self.failed_since(scope, asked) {
            return Err(error);
        }
        match grant::obtain(&self.core, &self.sign_in, self.store.as_ref(), scope).await {
            Ok(token) => {
                let replaced = refused.map(|_| self.core.clock.now());
                self.keep(scope, token.clone(), replaced);
                Ok(token)
            }
            Err(error) => self.without(scope, refused, error),
        }
    }

    /// A sign-in service that is away costs nothing while the token lives. A refusal is one at once.
    fn without(
        &self,
        scope: &str,
        refused: Option<&AccessToken>,
        error: Error,
    ) -> Result<AccessToken> {
        let now = self.core.clock.now();
        let away = matches!(error.class, Class::Transient | Class::Throttled);
        let mut state = self.state();
        if away
            && refused.is_none()
            && let Some(kept) = state.kept.get_mut(scope)
            && now < kept.token.expires
        {
            tracing::warn!(%error, "the token is not renewed yet");
            kept.not_before = now.checked_add(CALM).ok();
            return Ok(kept.token.clone());
        }
        state.failed = Some(Failed {
            at: Instant::now(),
            scope: scope.to_owned(),
            class: error.class,
            code: error.code,
            message: error.message.clone(),
            hint: error.hint.clone(),
        });
        Err(error)
    }

    /// The failure of whoever was before us in the queue: asking again would only be refused again.
    fn failed_since(&self, scope: &str, asked: Instant) -> Option<Error> {
        let state = self.state();
        let failed = state
            .failed
            .as_ref()
            .filter(|failed| failed.at >= asked && failed.scope == scope)?;
        let mut error = Error::new(failed.class, failed.code, &*failed.message);
        error.hint.clone_from(&failed.hint);
        Some(error)
    }
}

/// A source for one scope.
#[derive(Clone)]
pub struct Bearer {
    source: TokenSource,
    scope: String,
}

impl Bearer {
    pub async fn token(&self) -> Result<AccessToken> {
        self.source.token(&self.scope).await
    }

    /// See [`TokenSource::replacement`].
    pub async fn replacement(&self, refused: &AccessToken) -> Result<Option<AccessToken>> {
        self.source.replacement(&self.scope, refused).await
    }

    pub fn source(&self) -> &TokenSource {
        &self.source
    }
}
