//! Refusals of the token and authorization endpoints, in the words of the service.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::State;
use crate::server::Reply;

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
        }
    }

    pub(crate) fn with_suberror(mut self, suberror: &'static str) -> Self {
        self.suberror = Some(suberror);
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

    pub(crate) fn document(&self, state: &mut State) -> Value {
        let (trace, correlation, now) = (state.ids.guid(), state.ids.guid(), state.now());
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
        value
    }

    pub(crate) fn into_reply(self, state: &mut State) -> Reply {
        Reply::json(self.document(state)).with_status(self.status)
    }
}

fn time_text(now: i64) -> String {
    jiff::Timestamp::from_second(now).map_or_else(
        |_| String::new(),
        |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}
