//! Sign-in by name and password. What is wrong is not told, and takes the same time.

use std::time::Duration;

use axum::http::StatusCode;
use catalog::{PersonRow, SecondFactor};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::{ClientLine, password, second_factor};
use crate::{Problem, SecretText, Server};

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInRequest {
    pub(crate) name: String,
    pub(crate) password: SecretText,
    /// A one-time code or a recovery code, for those who have turned them on.
    pub(crate) code: Option<SecretText>,
}

/// Attempts are counted over this time, from the first on.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// For one name from one network.
const PER_NAME: u64 = 10;
/// Several people may share an address.
const PER_ADDRESS: u64 = 60;
/// One-time codes of one name, from everywhere: who sends them knows the password, and there are few codes.
const PER_CODE: u64 = 10;
/// Whoever comes back from an identity provider is not counted.
const PER_LEAVING: u64 = 300;
/// For one name from everywhere. Then each takes its time: guesses are few, and nobody can shut the person out.
const FREELY: u64 = 100;
const SLOW: Duration = Duration::from_millis(500);

/// The turns of those who have to take their time.
pub(crate) struct Slow(Semaphore);

impl Default for Slow {
    fn default() -> Self {
        Self(Semaphore::new(4))
    }
}

/// Counts an attempt before it is looked at, so that many at once gain nothing.
pub(crate) async fn count(server: &Server, name: &str, client: &ClientLine) -> Result<(), Problem> {
    let keys = [
        (pair_key(name, client), PER_NAME),
        (address_key(client), PER_ADDRESS),
    ];
    limit(server, &keys).await?;
    let everywhere = [(format!("all:{}", name.to_lowercase()), FREELY)];
    if used_up(server, &everywhere).await?.is_some() {
        let _turn = server.access.slow.0.acquire().await;
        tokio::time::sleep(SLOW).await;
    }
    Ok(())
}

/// Counts who begins to sign in elsewhere.
pub(crate) async fn count_leaving(server: &Server, client: &ClientLine) -> Result<(), Problem> {
    limit(server, &[(leaving_key(client), PER_LEAVING)]).await
}

async fn limit(server: &Server, keys: &[(String, u64)]) -> Result<(), Problem> {
    let Some(until) = used_up(server, keys).await? else {
        return Ok(());
    };
    let seconds = until.duration_since(server.control.clock.now()).as_secs();
    let seconds = u64::try_from(seconds.max(1)).unwrap_or(1);
    Err(Problem::slow_down("too many attempts to sign in", seconds))
}

async fn used_up(server: &Server, keys: &[(String, u64)]) -> Result<Option<Timestamp>, Problem> {
    let now = server.control.clock.now();
    let catalog = &server.control.catalog;
    Ok(catalog.count_attempt(keys, now, now + WINDOW).await?)
}

/// After a success.
pub(crate) async fn forgive(
    server: &Server,
    name: &str,
    client: &ClientLine,
) -> Result<(), Problem> {
    let (pair, address) = (pair_key(name, client), address_key(client));
    let catalog = &server.control.catalog;
    catalog.forgive_attempt(&pair, &address).await?;
    Ok(())
}

/// Of somebody who came back.
pub(crate) async fn forgive_leaving(server: &Server, client: &ClientLine) -> Result<(), Problem> {
    let catalog = &server.control.catalog;
    catalog.forgive_attempt("", &leaving_key(client)).await?;
    Ok(())
}

fn pair_key(name: &str, client: &ClientLine) -> String {
    format!("name:{}@{}", name.to_lowercase(), client.network())
}

fn address_key(client: &ClientLine) -> String {
    format!("address:{}", client.network())
}

fn leaving_key(client: &ClientLine) -> String {
    format!("leaving:{}", client.network())
}

fn code_key(person: &PersonRow) -> String {
    format!("code:{}", person.name.to_lowercase())
}

/// Who it is that knows this name, password and code.
pub(crate) async fn prove(
    server: &Server,
    request: &SignInRequest,
    client: &ClientLine,
) -> Result<PersonRow, Problem> {
    if request.password.expose().len() > password::LONGEST {
        return Err(Problem::field("/password", "longer than 1024 bytes"));
    }
    if request.name.chars().count() > 128 {
        return Err(Problem::field("/name", "longer than 128 characters"));
    }
    count(server, &request.name, client).await?;
    match look(server, request).await? {
        Ok(person) => {
            forgive(server, &person.name, client).await?;
            Ok(person)
        }
        Err(why) => {
            if why != Why::CodeNeeded {
                let details = json!({ "method": "password", "reason": why.word() });
                server
                    .audit_nobody(&request.name, client, "session.refused", details)
                    .await?;
            }
            Err(why.problem())
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Unknown,
    Password,
    Disabled,
    CodeNeeded,
    Code,
}

impl Why {
    /// For the log alone.
    fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown-name",
            Self::Password => "password",
            Self::Disabled => "disabled",
            Self::CodeNeeded | Self::Code => "code",
        }
    }

    fn problem(self) -> Problem {
        match self {
            Self::CodeNeeded => Problem::new(
                StatusCode::UNAUTHORIZED,
                "second-factor-needed",
                "a one-time code is needed too",
            ),
            _ => Problem::new(
                StatusCode::UNAUTHORIZED,
                "sign-in-refused",
                "name, password or code are wrong, or the account is disabled",
            ),
        }
    }
}

async fn look(server: &Server, request: &SignInRequest) -> Result<Result<PersonRow, Why>, Problem> {
    let found = server
        .control
        .catalog
        .person_to_prove(&request.name)
        .await?;
    let (person, hash) = found.map_or((None, None), |(person, hash)| (Some(person), hash));
    let right = server
        .access
        .hashing
        .verify(&request.password, hash)
        .await?;
    let Some(person) = person else {
        return Ok(Err(Why::Unknown));
    };
    if !right {
        return Ok(Err(Why::Password));
    }
    if person.disabled {
        return Ok(Err(Why::Disabled));
    }
    if person.second_factor == SecondFactor::On {
        let Some(code) = &request.code else {
            return Ok(Err(Why::CodeNeeded));
        };
        let key = code_key(&person);
        limit(server, &[(key.clone(), PER_CODE)]).await?;
        if !second_factor::prove(server, &person, code.expose()).await? {
            return Ok(Err(Why::Code));
        }
        server.control.catalog.forgive_attempt(&key, "").await?;
    }
    Ok(Ok(person))
}
