//! A person signs in by authorization code with PKCE: in a pop-up, or in the page itself.

use model::{App, Secret};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::grant::{Request, prove, with_refresh};
use super::redirect::Return;
use super::refusal::Step;
use super::store::AppProof;
use super::{Entra, SignedIn};
use crate::Result;

/// What the sign-in page asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Nothing from one who is signed in already.
    Nothing,
    /// Which account it is to be ("sign in with a different account").
    Account,
    /// For consent, also when it was given before; the page offers an administrator to consent for all.
    Consent,
}

/// A sign-in by code that was begun. Its state holds secrets: it is kept like one, on the server, and used once.
pub struct CodeFlow {
    begun: Begun,
}

#[derive(Serialize, Deserialize)]
struct Begun {
    app: App,
    scope: String,
    redirect: Url,
    state: String,
    nonce: String,
    verifier: String,
}

impl CodeFlow {
    /// Gives the address that the browser is sent to. `redirect` must be registered with the application.
    pub fn begin(
        entra: &Entra,
        app: &App,
        scope: &str,
        redirect: &Url,
        prompt: Prompt,
    ) -> Result<(Self, Url)> {
        let cloud = entra.clouds().find(&app.cloud)?;
        let page = cloud.address(&app.tenant, "oauth2/v2.0/authorize")?;
        let client = BasicClient::new(ClientId::new(app.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(page))
            .set_redirect_uri(RedirectUrl::from_url(redirect.clone()));
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random();
        let mut request = client
            .authorize_url(CsrfToken::new_random)
            .add_scope(Scope::new(with_refresh(scope)))
            .set_pkce_challenge(challenge)
            .add_extra_param("nonce", nonce.secret())
            .add_extra_param("response_mode", "query");
        match prompt {
            Prompt::Nothing => {}
            Prompt::Account => request = request.add_extra_param("prompt", "select_account"),
            Prompt::Consent => request = request.add_extra_param("prompt", "consent"),
        }
        let (address, state) = request.url();
        let begun = Begun {
            app: app.clone(),
            scope: scope.to_owned(),
            redirect: redirect.clone(),
            state: state.into_secret(),
            nonce: nonce.into_secret(),
            verifier: PkceCodeVerifier::into_secret(verifier),
        };
        Ok((Self { begun }, address))
    }

    /// The `state` parameter: by it the return is matched with what the server keeps.
    pub fn state(&self) -> &str {
        &self.begun.state
    }

    /// For the server to keep until the browser comes back.
    pub fn keep(&self) -> Result<Secret> {
        super::keep(&self.begun)
    }

    pub fn resume(kept: &Secret) -> Result<Self> {
        super::resume(kept).map(|begun| Self { begun })
    }

    /// Exchanges the code: one request. `proof` is for applications that can keep a secret (platform Web).
    pub async fn complete(
        self,
        entra: &Entra,
        back: &Return,
        proof: Option<&AppProof>,
    ) -> Result<SignedIn> {
        back.belongs_to(&self.begun.state)?;
        let code = back.code()?;
        let cloud = entra.clouds().find(&self.begun.app.cloud)?;
        let asked = entra.core.clock.now();
        let endpoint = cloud.token_endpoint(&self.begun.app.tenant)?;
        let proof = proof
            .map(|proof| prove(proof, &self.begun.app.client_id, &endpoint, asked))
            .transpose()?
            .unwrap_or_default();
        let scope = with_refresh(&self.begun.scope);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", self.begun.redirect.as_str()),
            ("code_verifier", self.begun.verifier.as_str()),
            ("scope", scope.as_str()),
        ];
        let request = Request {
            cloud,
            app: &self.begun.app,
            step: Step::SignIn,
        };
        let secrets = [code.expose(), self.begun.verifier.as_str()];
        let tokens = request.send(&entra.core, &form, &proof, &secrets).await?;
        SignedIn::new(
            cloud,
            &self.begun.app,
            &self.begun.scope,
            Some(&self.begun.nonce),
            &tokens,
            asked,
        )
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.verifier.zeroize();
    }
}

impl std::fmt::Debug for CodeFlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeFlow").finish_non_exhaustive()
    }
}
