//! Tokens of a person: one refresh at a time, the new refresh token kept first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use futures::future::join_all;
use model::{Class, Secret};
use proptest::prelude::*;
use serde_json::json;
use service::entra::{CredentialStore, TokenSource};

use crate::fake::{Fake, refusal};
use crate::world::{SCOPE, Store, entra, user};

fn source(fake: &Fake, store: &Arc<Store>) -> TokenSource {
    let store: Arc<dyn CredentialStore> = Arc::<Store>::clone(store);
    entra(fake).source("ada", &user(), store).unwrap()
}

#[tokio::test]
async fn sre_21_many_who_ask_at_once_cost_one_refresh() {
    let (fake, store) = (Fake::start().await, Store::holding("refresh-0"));
    let source = source(&fake, &store);
    let tokens = join_all((0..50).map(|_| source.token(SCOPE))).await;
    let first = tokens[0].as_ref().unwrap().expose().to_owned();
    for token in &tokens {
        assert_eq!(token.as_ref().unwrap().expose(), first);
    }
    assert_eq!(fake.tokens(), 1);
    assert_eq!(store.get(), "refresh-1");
    fake.clock.advance(3299);
    source.token(SCOPE).await.unwrap();
    assert_eq!(fake.tokens(), 1);
    fake.clock.advance(1);
    join_all((0..50).map(|_| source.token(SCOPE))).await;
    assert_eq!((fake.tokens(), store.get().as_str()), (2, "refresh-2"));
}

#[tokio::test]
async fn connectors_with_the_same_credential_share_its_tokens() {
    let (fake, store) = (Fake::start().await, Store::holding("refresh-0"));
    let library = entra(&fake);
    for _ in 0..3 {
        let kept: Arc<dyn CredentialStore> = Arc::<Store>::clone(&store);
        let source = library.source("ada", &user(), kept).unwrap();
        source.token(SCOPE).await.unwrap();
    }
    assert_eq!(fake.tokens(), 1);
    library.forget("ada");
    let kept: Arc<dyn CredentialStore> = Arc::<Store>::clone(&store);
    let source = library.source("ada", &user(), kept).unwrap();
    source.token(SCOPE).await.unwrap();
    assert_eq!(fake.tokens(), 2);
}

#[tokio::test]
async fn a_token_is_not_used_when_its_refresh_token_cannot_be_kept() {
    let (fake, store) = (Fake::start().await, Store::holding("refresh-0"));
    store.full.store(true, SeqCst);
    let source = source(&fake, &store);
    let error = source.token(SCOPE).await.err().unwrap();
    assert_eq!(
        (error.code, error.class),
        ("token-not-kept", Class::Storage)
    );
    assert!(error.message.contains("no space left"), "{error}");
    assert_eq!(store.get(), "refresh-0");
}

/// The refresh token in the vault was used by somebody else: a stolen one, or a restored vault.
#[tokio::test]
async fn sre_46_a_second_use_of_a_refresh_token_is_an_invalid_or_expired_token() {
    let (fake, store) = (Fake::start().await, Store::holding("refresh-0"));
    fake.inner().refresh.insert("refresh-0".to_owned(), true);
    let source = source(&fake, &store);
    let results = join_all((0..20).map(|_| source.token(SCOPE))).await;
    for result in results {
        let error = result.err().unwrap();
        assert_eq!(error.message, "Invalid or expired token");
        assert_eq!(error.class, Class::Credential);
        assert!(!format!("{error:?}").contains("refresh-0"));
    }
    assert_eq!(fake.tokens(), 1, "those who waited are not refused again");
}

#[tokio::test]
async fn sre_47_without_a_token_the_connector_says_so() {
    let (fake, store) = (Fake::start().await, Arc::new(Store::default()));
    let error = source(&fake, &store).token(SCOPE).await.err().unwrap();
    assert_eq!(
        error.message,
        "Azure DevOps access token not configured. Please authenticate."
    );
    assert_eq!(fake.tokens(), 0);
}

/// Another process exchanged the refresh token between our reading and sending it.
#[tokio::test]
async fn a_refresh_by_another_process_is_found_in_the_store() {
    struct Late(Store);
    #[async_trait::async_trait]
    impl CredentialStore for Late {
        async fn load(&self) -> service::Result<Option<Secret>> {
            let now = self.0.load().await;
            *self.0.secret.lock().unwrap() = Some(Secret::new("refresh-new"));
            now
        }
        async fn replace(&self, secret: Secret) -> service::Result<()> {
            self.0.replace(secret).await
        }
    }
    let fake = Fake::start().await;
    fake.inner().refresh.insert("refresh-0".to_owned(), true);
    fake.inner().refresh.insert("refresh-new".to_owned(), false);
    let store = Late(Store::default());
    *store.0.secret.lock().unwrap() = Some(Secret::new("refresh-0"));
    let source = entra(&fake)
        .source("ada", &user(), Arc::new(store))
        .unwrap();
    source.token(SCOPE).await.unwrap();
    assert_eq!(fake.tokens(), 2);
}

#[tokio::test]
async fn a_refresh_goes_on_when_whoever_asked_has_gone() {
    let (fake, store) = (Fake::start().await, Store::holding("refresh-0"));
    let source = source(&fake, &store);
    {
        let mut asking = std::pin::pin!(source.token(SCOPE));
        assert!(futures::poll!(asking.as_mut()).is_pending());
    }
    source.token(SCOPE).await.unwrap();
    assert_eq!((fake.tokens(), store.get().as_str()), (1, "refresh-1"));
}

#[tokio::test]
async fn a_sign_in_service_that_is_away_costs_nothing_while_the_token_lives() {
    let (fake, store) = (Fake::start().await, Store::holding("refresh-0"));
    let source = source(&fake, &store);
    let first = source.token(SCOPE).await.unwrap();
    fake.clock.advance(3400);
    fake.inner()
        .trouble
        .extend([(503, json!({})), (503, json!({}))]);
    for _ in 0..10 {
        let token = source.token(SCOPE).await.unwrap();
        assert_eq!(token.expose(), first.expose());
    }
    assert_eq!(fake.tokens(), 2, "it is not asked again at once");
    fake.clock.advance(200);
    let error = source.token(SCOPE).await.err().unwrap();
    assert_eq!(error.class, Class::Transient);
    let token = source.token(SCOPE).await.unwrap();
    assert_ne!(token.expose(), first.expose());
}

#[tokio::test]
async fn a_refusal_counts_although_the_token_still_lives() {
    let (fake, store) = (Fake::start().await, Store::holding("refresh-0"));
    let source = source(&fake, &store);
    source.token(SCOPE).await.unwrap();
    fake.clock.advance(3400);
    fake.inner()
        .trouble
        .push_back(refusal("invalid_grant", 53003));
    let error = source.token(SCOPE).await.err().unwrap();
    assert_eq!(error.code, "conditional-access");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever the pace: a scope is refreshed exactly when its token is in its last five minutes, and the chain of refresh tokens never breaks.
    #[test]
    fn refreshes_are_as_many_as_tokens_that_ran_out(steps in prop::collection::vec((0_i64..2000, 1_usize..8, 0_usize..2), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (fake, store) = (Fake::start().await, Store::holding("refresh-0"));
            let source = source(&fake, &store);
            let (mut now, mut expected) = (0, 0);
            let mut until = BTreeMap::new();
            for (seconds, callers, scope) in steps {
                now += seconds;
                fake.clock.advance(seconds);
                let scope = ["a/.default", "b/.default"][scope];
                if until.get(scope).is_none_or(|until| now >= *until) {
                    expected += 1;
                    until.insert(scope, now + 3300);
                }
                for token in join_all((0..callers).map(|_| source.token(scope))).await {
                    assert!(token.is_ok());
                }
                assert_eq!(fake.tokens(), expected);
            }
            assert_eq!(store.replaced.load(SeqCst), expected);
        });
    }
}
