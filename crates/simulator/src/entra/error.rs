//! Refusals of the token and authorization endpoints, in the words of the service.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::Reply;

/// The Conditional Access policy that blocks people here.
const POLICY: &str = "8b1f4a52-6d0c-4c1e-9a37-2f5e1d7c9b60";

/// A refusal with its AADSTS number.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub status: StatusCode,
    /// As `invalid_grant`.
    pub error: &'static str,
    pub code: u32,
    /// Without the number.
    pub words: String,
    pub suberror: Option<&'static str>,
    /// What a client has to ask for to get further: a claims request as JSON.
    pub claims: Option<Value>,
}

impl Refused {
    pub(crate) fn new(error: &'static str, code: u32, words: impl Into<String>) -> Self {
        let status = if error == "invalid_client" {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        Self {
            status,
            error,
            code,
            words: words.into(),
            suberror: None,
            claims: None,
        }
    }

    pub(crate) fn with_suberror(mut self, suberror: &'static str) -> Self {
        self.suberror = Some(suberror);
        self
    }

    fn with_claims(mut self, claims: Value) -> Self {
        self.claims = Some(claims);
        self
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(
            "invalid_request",
            900_144,
            format!("The request body must contain the following parameter: '{parameter}'."),
        )
    }

    pub(crate) fn no_tenant(name: &str) -> Self {
        Self::new(
            "invalid_request",
            90_002,
            format!(
                "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
            ),
        )
    }

    pub(crate) fn no_app(client: &str, tenant: &str) -> Self {
        Self::new(
            "unauthorized_client",
            700_016,
            format!(
                "Application with identifier '{client}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
            ),
        )
    }

    pub(crate) fn no_resource(resource: &str, tenant: &str) -> Self {
        Self::new(
            "invalid_resource",
            500_011,
            format!(
                "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
            ),
        )
    }

    pub(crate) fn conditional_access() -> Self {
        Self::new(
            "invalid_grant",
            53_003,
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        )
        .with_suberror("message_only")
        .with_claims(json!({"access_token": {"capolids": {"essential": true, "values": [POLICY]}}}))
    }

    pub(crate) fn needs_consent(client: Uuid, name: &str) -> Self {
        Self::new(
            "invalid_grant",
            65_001,
            format!(
                "The user or administrator has not consented to use the application with ID '{client}' named '{name}'. Send an interactive authorization request for this user and resource."
            ),
        )
        .with_suberror("consent_required")
    }

    pub(crate) fn needs_administrator(client: Uuid) -> Self {
        Self::new(
            "access_denied",
            90_094,
            format!(
                "{client} needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it."
            ),
        )
    }

    /// With trace and time, as the service writes it.
    pub(crate) fn description(&self, trace: Uuid, correlation: Uuid, now: i64) -> String {
        format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {}",
            self.code,
            self.words,
            time_text(now)
        )
    }

    /// `correlation` is the id that the client gave its request.
    fn document(&self, trace: Uuid, correlation: Uuid, now: i64) -> Value {
        let mut value = json!({
            "error": self.error,
            "error_description": self.description(trace, correlation, now),
            "error_codes": [self.code],
            "timestamp": time_text(now),
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        if let Some(suberror) = self.suberror {
            value["suberror"] = json!(suberror);
        }
        if let Some(claims) = &self.claims {
            // JSON in a text, as clients send it on.
            value["claims"] = json!(claims.to_string());
        }
        value
    }

    /// The trace in the body is the name of the answer in its headers.
    pub(crate) fn into_reply(self, trace: Uuid, correlation: Uuid, now: i64) -> Reply {
        Reply::json(self.document(trace, correlation, now)).with_status(self.status)
    }
}

fn time_text(now: i64) -> String {
    jiff::Timestamp::from_second(now).map_or_else(
        |_| String::new(),
        |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}
