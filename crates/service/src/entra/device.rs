//! A person signs in on another device, with a code that is shown here.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::{App, Class, Secret};
use serde::{Deserialize, Serialize};

use super::grant::{prove, with_refresh};
use super::refusal::{Step, plain};
use super::store::AppProof;
use super::token::Tokens;
use super::{Entra, SignedIn};
use crate::{Error, Result};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What `slow_down` adds (RFC 8628).
const SLOWER: u64 = 5;

/// A sign-in by device code that was begun. Its state holds the device code: it is kept like a secret, on the server.
pub struct DeviceFlow {
    begun: Begun,
}

#[derive(Serialize, Deserialize)]
struct Begun {
    app: App,
    scope: String,
    device_code: String,
    prompt: DevicePrompt,
    interval: u64,
    next: Timestamp,
}

/// What the person needs to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicePrompt {
    pub user_code: String,
    /// The page that the code is entered on.
    pub verification_uri: String,
    pub expires: Timestamp,
    /// Microsoft's own sentence.
    pub message: String,
}

/// What one poll found. Anything final but this is an error with a code of its own.
pub enum DevicePoll {
    /// Not yet; polling earlier than this asks nobody.
    Pending {
        next: Timestamp,
    },
    Done(Box<SignedIn>),
}

#[derive(Deserialize)]
struct Started {
    device_code: String,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    expires_in: u64,
    #[serde(default = "usual")]
    interval: u64,
    #[serde(default)]
    message: String,
}

fn usual() -> u64 {
    5
}

impl DeviceFlow {
    /// Asks for a code: one request. The application must allow public client flows.
    pub async fn start(entra: &Entra, app: &App, scope: &str) -> Result<Self> {
        let cloud = entra.clouds().find(&app.cloud)?;
        let url = cloud.address(&app.tenant, "oauth2/v2.0/devicecode")?;
        let now = entra.core.clock.now();
        let wanted = with_refresh(scope);
        let form = [
            ("client_id", app.client_id.as_str()),
            ("scope", wanted.as_str()),
        ];
        let said = entra.core.wire.post(&url, &form).await?;
        if !said.is_success() {
            return Err(said.refusal(Step::Device, &[]));
        }
        let started: Started = said.json()?;
        let begun = Begun {
            app: app.clone(),
            scope: scope.to_owned(),
            device_code: started.device_code,
            prompt: DevicePrompt {
                user_code: started.user_code,
                verification_uri: started.verification_uri,
                expires: later(now, started.expires_in),
                message: started.message,
            },
            interval: started.interval,
            next: later(now, started.interval),
        };
        Ok(Self { begun })
    }

    pub fn prompt(&self) -> &DevicePrompt {
        &self.begun.prompt
    }

    /// Polling earlier asks nobody.
    pub fn next(&self) -> Timestamp {
        self.begun.next
    }

    /// For the server to keep between polls.
    pub fn keep(&self) -> Result<Secret> {
        super::keep(&self.begun)
    }

    pub fn resume(kept: &Secret) -> Result<Self> {
        super::resume(kept).map(|begun| Self { begun })
    }

    /// Asks once whether the person is done. Before the time, and after the code's end, nobody is asked. Keep the flow anew after it. `proof` is for
    /// applications that can keep a secret.
    pub async fn poll(&mut self, entra: &Entra, proof: Option<&AppProof>) -> Result<DevicePoll> {
        let now = entra.core.clock.now();
        if now >= self.begun.prompt.expires {
            return Err(plain("device-code-expired"));
        }
        if now < self.begun.next {
            return Ok(DevicePoll::Pending {
                next: self.begun.next,
            });
        }
        let cloud = entra.clouds().find(&self.begun.app.cloud)?;
        let form = [
            ("grant_type", GRANT),
            ("device_code", self.begun.device_code.as_str()),
        ];
        let url = cloud.token_endpoint(&self.begun.app.tenant)?;
        let proof = proof
            .map(|proof| prove(proof, &self.begun.app.client_id, &url, now))
            .transpose()?
            .unwrap_or_default();
        let mut all = vec![("client_id", self.begun.app.client_id.as_str())];
        all.extend(form);
        all.extend(proof.iter().map(|(name, secret)| (*name, secret.expose())));
        let said = match entra.core.wire.post(&url, &all).await {
            Ok(said) => said,
            Err(error) => return self.again(now, error, None),
        };
        if said.is_success() {
            let tokens = Tokens::read(&said)?;
            let signed = SignedIn::new(
                cloud,
                &self.begun.app,
                &self.begun.scope,
                None,
                &tokens,
                now,
            )?;
            return Ok(DevicePoll::Done(Box::new(signed)));
        }
        match said.error_name().as_deref() {
            Some("authorization_pending") => Ok(self.pending(now)),
            Some("slow_down") => {
                self.begun.interval += SLOWER;
                Ok(self.pending(now))
            }
            _ => {
                let own = proof.iter().map(|(_, secret)| secret.expose());
                let hidden: Vec<&str> = own.chain([self.begun.device_code.as_str()]).collect();
                let refusal = said.refusal(Step::Device, &hidden);
                self.again(now, refusal, said.retry_after)
            }
        }
    }

    /// A service that is away costs no more than time: the code stays good until it expires.
    fn again(
        &mut self,
        now: Timestamp,
        error: Error,
        retry_after: Option<Duration>,
    ) -> Result<DevicePoll> {
        if !matches!(error.class, Class::Transient | Class::Throttled) {
            return Err(error);
        }
        tracing::debug!(%error, "the device code cannot be asked about");
        self.begun.interval += SLOWER;
        let pending = self.pending(now);
        if let Some(told) = retry_after {
            self.begun.next = self.begun.next.max(later(now, told.as_secs()));
            return Ok(DevicePoll::Pending {
                next: self.begun.next,
            });
        }
        Ok(pending)
    }

    fn pending(&mut self, now: Timestamp) -> DevicePoll {
        self.begun.next = later(now, self.begun.interval);
        DevicePoll::Pending {
            next: self.begun.next,
        }
    }
}

fn later(now: Timestamp, seconds: u64) -> Timestamp {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| now.checked_add(SignedDuration::from_secs(seconds)).ok())
        .unwrap_or(Timestamp::MAX)
}

impl Drop for Begun {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.device_code.zeroize();
    }
}

impl std::fmt::Debug for DeviceFlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceFlow")
            .field("prompt", &self.begun.prompt)
            .finish_non_exhaustive()
    }
}
