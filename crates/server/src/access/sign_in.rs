//! Sign-in by name and password. What is wrong is not told, and takes the same time.

use axum::http::StatusCode;
use catalog::{PersonRow, SecondFactor};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;
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
const PER_NAME: u64 = 10;
/// Several people may share an address.
const PER_ADDRESS: u64 = 60;

/// Counts an attempt before it is looked at, so that many at once gain nothing.
pub(crate) async fn count(server: &Server, name: &str, client: &ClientLine) -> Result<(), Problem> {
    let now = server.control.clock.now();
    let keys = [
        (name_key(name), PER_NAME),
        (address_key(client), PER_ADDRESS),
    ];
    match server
        .control
        .catalog
        .count_attempt(&keys, now, now + WINDOW)
        .await?
    {
        None => Ok(()),
        Some(until) => {
            let seconds = until.duration_since(now).as_secs().max(1);
            Err(Problem::slow_down(
                "too many attempts to sign in",
                u64::try_from(seconds).unwrap_or(1),
            ))
        }
    }
}

/// After a success.
pub(crate) async fn forgive(
    server: &Server,
    name: &str,
    client: &ClientLine,
) -> Result<(), Problem> {
    let (name, address) = (name_key(name), address_key(client));
    server
        .control
        .catalog
        .forgive_attempt(&name, &address)
        .await?;
    Ok(())
}

fn name_key(name: &str) -> String {
    format!("name:{}", name.to_lowercase())
}

fn address_key(client: &ClientLine) -> String {
    format!("address:{}", client.network())
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
        if !second_factor::prove(server, &person, code.expose()).await? {
            return Ok(Err(Why::Code));
        }
    }
    Ok(Ok(person))
}
