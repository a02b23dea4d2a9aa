//! On the way to an identity provider.

use catalog::PendingSignIn;
use jiff::SignedDuration;
use openidconnect::core::CoreAuthenticationFlow;
use openidconnect::{CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope};
use url::Url;

use super::{Provider, derived};
use crate::access::token::Random;
use crate::{Problem, Server};

/// Time to sign in there.
pub(crate) const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// Where the browser goes, and its half of the secret.
pub(crate) struct Leaving {
    pub(crate) to: Url,
    pub(crate) browser: String,
}

/// A path of this server, and nothing that a browser could take for another one.
pub(crate) fn return_path(text: &str) -> Result<&str, Problem> {
    let base = "https://here.invalid";
    let inside = Url::parse(base)
        .and_then(|base| base.join(text))
        .is_ok_and(|url| url.origin().ascii_serialization() == base && url.username().is_empty());
    let plain = text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= 2000
        && text.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if inside && plain {
        return Ok(text);
    }
    Err(Problem::parameter("return_to", "not a path of this server"))
}

/// Remembers the sign-in and says where to go.
pub(crate) async fn leave(
    server: &Server,
    name: &str,
    provider: &Provider,
    return_to: &str,
) -> Result<Leaving, Problem> {
    let return_to = return_path(return_to)?.to_owned();
    let client = provider.client(server, name, true).await?;
    let (state, browser) = (Random::draw(), Random::draw());
    let now = server.control.clock.now();
    let pending = PendingSignIn {
        hash: state.digest(),
        browser: browser.digest(),
        provider: name.to_owned(),
        return_to,
        expires: now + PATIENCE,
    };
    server.control.catalog.begin_oidc(&pending, now).await?;
    let browser = browser.reveal();
    let verifier = PkceCodeVerifier::new(derived(&browser, "pkce"));
    let nonce = Nonce::new(derived(&browser, "nonce"));
    let state = state.reveal();
    let scopes = provider.scopes.iter().filter(|scope| *scope != "openid");
    let (to, _, _) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || nonce,
        )
        .add_scopes(scopes.cloned().map(Scope::new))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .url();
    Ok(Leaving { to, browser })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_returned_to() {
        for path in [
            "/",
            "/connectors/contoso?tab=issues#top",
            "/a//b",
            "/%2F%2Fevil.example",
        ] {
            assert!(return_path(path).is_ok(), "{path}");
        }
        for path in [
            "",
            "connectors",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\u{0009}//evil.example",
            "/a\r\nSet-Cookie: x=y",
            "/é",
        ] {
            assert!(return_path(path).is_err(), "{path:?}");
        }
    }
}
