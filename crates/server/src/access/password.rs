//! Passwords: argon2id with the parameters that OWASP names, on threads of their own, a few at a time.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use axum::http::StatusCode;
use model::Secret;
use tokio::sync::Semaphore;

use crate::{Problem, SecretText};

/// Each takes 19 MiB: whoever sends many sign-ins waits and does not fill the memory.
const AT_ONCE: usize = 4;

const SHORTEST: usize = 12;
/// In bytes; longer ones are refused before anything is computed.
pub(crate) const LONGEST: usize = 1024;

/// What an unknown name's password is compared with, so that it takes as long as a known one's.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$a2VlcHdhcmQtbm9ib2R5IQ$3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8";

/// The one place where passwords are hashed.
pub(crate) struct Hashing(Semaphore);

impl Default for Hashing {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Hashing {
    /// In the PHC string format.
    pub(crate) async fn hash(&self, password: &SecretText) -> Result<String, Problem> {
        let password = Secret::new(password.expose());
        let hashed = self.work(move || {
            let hashed = Argon2::default().hash_password(password.expose().as_bytes());
            hashed.map(|hash: PasswordHash| hash.to_string())
        });
        hashed.await?.map_err(|error| broken(&error))
    }

    /// Whether a password is the one that was hashed; never for `None`, in the same time.
    pub(crate) async fn verify(
        &self,
        password: &SecretText,
        hash: Option<String>,
    ) -> Result<bool, Problem> {
        let password = Secret::new(password.expose());
        self.work(move || {
            let known = PasswordHash::new(hash.as_deref().unwrap_or(NOBODY))
                .map_err(|error| broken(&error))?;
            let same = Argon2::default()
                .verify_password(password.expose().as_bytes(), &known)
                .is_ok();
            Ok(same && hash.is_some())
        })
        .await?
    }

    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let _place = self.0.acquire().await.map_err(|error| broken(&error))?;
        tokio::task::spawn_blocking(job)
            .await
            .map_err(|error| broken(&error))
    }
}

fn broken(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a password could not be hashed");
    Problem::of(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Refuses passwords that can be guessed; `at` is the member that holds it.
pub(crate) fn acceptable(password: &SecretText, name: &str, at: &str) -> Result<(), Problem> {
    let text = password.expose();
    let different = text
        .chars()
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    let refused = if text.len() > LONGEST {
        "longer than 1024 bytes"
    } else if text.chars().count() < SHORTEST {
        "shorter than 12 characters"
    } else if different < 5 {
        "made of fewer than 5 different characters"
    } else if text.to_lowercase().contains(&name.to_lowercase()) {
        "it contains the name"
    } else {
        return Ok(());
    };
    Err(Problem::field(at, refused))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(password: &str) -> SecretText {
        serde_json::from_value(serde_json::Value::String(password.to_owned())).unwrap()
    }

    #[tokio::test]
    async fn a_password_proves_itself_and_nothing_else() {
        let hashing = Hashing::default();
        let hash = hashing.hash(&text("correct horse battery")).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        for (password, right) in [
            ("correct horse battery", true),
            ("correct horse batterz", false),
            ("", false),
        ] {
            assert_eq!(
                hashing
                    .verify(&text(password), Some(hash.clone()))
                    .await
                    .unwrap(),
                right
            );
        }
    }

    #[tokio::test]
    async fn nobody_has_a_password_that_works() {
        assert!(
            !Hashing::default()
                .verify(&text("anything"), None)
                .await
                .unwrap()
        );
    }

    #[test]
    fn passwords_that_can_be_guessed_are_refused() {
        for password in [
            "short",
            "aaaaaaaaaaaaaaaa",
            "123412341234",
            "anna-anna-2026",
            &"ab1c2".repeat(300),
        ] {
            assert!(
                acceptable(&text(password), "Anna", "/password").is_err(),
                "{password}"
            );
        }
        assert!(acceptable(&text("correct horse battery"), "anna", "/password").is_ok());
    }
}
