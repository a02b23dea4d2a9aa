//! What a refusal of the sign-in service means: by `error` first, by the AADSTS number for the words.

use std::borrow::Cow;

use model::{Class, code};
use serde::Deserialize;

use crate::Error;
use crate::http::Redactor;

/// What was being done when it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A person signs in.
    SignIn,
    /// A device code was asked for, or whether it was entered.
    Device,
    /// A token is got again without a person.
    Refresh,
    /// The application itself signs in.
    Application,
    /// The application signs in with the token of another identity.
    Federation,
    /// A tenant is looked up.
    Tenant,
}

#[derive(Default, Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    error: Cow<'a, str>,
    #[serde(borrow, default)]
    error_description: Cow<'a, str>,
    #[serde(default)]
    error_codes: Vec<u32>,
}

/// AADSTS numbers by what a person has to do.
const NUMBERS: &[(&str, &[u32])] = &[
    (
        "consent-missing",
        &[65001, 65004, 90094, 90093, 650_056, 650_057],
    ),
    ("application-unknown", &[700_016, 7_000_112, 7_000_229]),
    ("client-secret-refused", &[7_000_215, 7_000_222]),
    (
        "certificate-refused",
        &[700_027, 700_024, 700_030, 5_000_142, 50012],
    ),
    (
        "federation-refused",
        &[700_236, 70021, 700_211, 700_212, 700_213, 700_214, 700_223],
    ),
    ("public-client-off", &[7_000_218]),
    ("tenant-unknown", &[90002, 50059, 50194, 900_023, 900_021]),
    (
        "account-refused",
        &[
            50020, 50034, 50055, 50056, 50057, 50053, 50105, 50126, 50128,
        ],
    ),
    (
        "sign-in-more",
        &[50072, 50074, 50076, 50079, 50125, 50158, 50203],
    ),
    (
        "conditional-access",
        &[
            53000, 53001, 53002, 53003, 53004, 53011, 530_032, 530_034, 530_035, 50005,
        ],
    ),
    (
        "token-expired",
        &[
            50173, 70008, 70043, 70044, 700_082, 700_084, 50089, 50132, 50133,
        ],
    ),
    ("service-not-in-tenant", &[650_052, 500_011, 500_014]),
    ("device-code-unknown", &[70018]),
    ("device-code-expired", &[70019, 70020]),
];

/// The names of errors, for numbers that are not known. Both spellings: the RFC's and Microsoft's.
fn by_name(error: &str, step: Step) -> Option<&'static str> {
    Some(match (error, step) {
        ("authorization_declined" | "access_denied", Step::Device) => "device-code-declined",
        ("access_denied" | "consent_required", _) => "consent-missing",
        ("bad_verification_code", _) => "device-code-unknown",
        ("expired_token", _) => "device-code-expired",
        ("invalid_grant" | "interaction_required" | "login_required", Step::Refresh) => {
            "token-expired"
        }
        ("interaction_required" | "login_required", _) => "sign-in-more",
        ("invalid_tenant", _) => "tenant-unknown",
        ("invalid_client" | "unauthorized_client", Step::Federation) => "federation-refused",
        ("invalid_client" | "unauthorized_client", _) => "application-unknown",
        ("invalid_resource", _) => "service-not-in-tenant",
        _ => return None,
    })
}

pub(crate) fn name(body: &[u8]) -> Option<String> {
    let body: Body<'_> = serde_json::from_slice(body).ok()?;
    (!body.error.is_empty()).then(|| body.error.into_owned())
}

/// From an answer of the token or device endpoint.
pub(crate) fn error(status: u16, body: &[u8], step: Step, secrets: &[&str]) -> Error {
    let body: Body<'_> = serde_json::from_slice(body).unwrap_or_default();
    let busy = matches!(
        body.error.as_ref(),
        "temporarily_unavailable" | "server_error"
    );
    let known = known(&body, step);
    match status {
        429 => unavailable(Class::Throttled, "throttled", status),
        500.. => unavailable(Class::Transient, "service-unavailable", status),
        _ if busy && known.is_none() => {
            unavailable(Class::Transient, "service-unavailable", status)
        }
        _ => refused(&body, step, secrets).with_status(status),
    }
}

/// From the query of a redirect: it went through the browser and proves nothing.
pub(crate) fn redirected(error: &str, description: &str, step: Step) -> Error {
    let body = Body {
        error: Cow::Borrowed(error),
        error_description: Cow::Borrowed(description),
        error_codes: Vec::new(),
    };
    refused(&body, step, &[])
}

fn known(body: &Body<'_>, step: Step) -> Option<&'static str> {
    // These say more than their numbers.
    if let "authorization_declined" | "expired_token" | "bad_verification_code" =
        body.error.as_ref()
    {
        return by_name(&body.error, step);
    }
    let described = body.error_description.strip_prefix("AADSTS").map(|rest| {
        rest.bytes()
            .take_while(u8::is_ascii_digit)
            .fold(0_u32, |number, digit| {
                number
                    .saturating_mul(10)
                    .saturating_add(u32::from(digit - b'0'))
            })
    });
    let mut numbers = body.error_codes.iter().copied().chain(described);
    let by_number = numbers.find_map(|number| {
        let (code, _) = NUMBERS
            .iter()
            .find(|(_, numbers)| numbers.contains(&number))?;
        Some(*code)
    });
    // The same number stands for a refresh token, a code and a secret that are too old.
    match by_number {
        Some("token-expired") if step == Step::SignIn => Some("sign-in-failed"),
        Some(code) => Some(code),
        None => by_name(&body.error, step),
    }
}

/// The message is the code's own words, without anything around them: people look for them as they stand in the manual.
fn refused(body: &Body<'_>, step: Step, secrets: &[&str]) -> Error {
    let code = known(body, step).unwrap_or(match step {
        Step::Refresh => "token-expired",
        Step::Federation => "federation-refused",
        Step::Tenant => "tenant-unknown",
        Step::SignIn | Step::Device | Step::Application => "sign-in-failed",
    });
    let said = if body.error_description.is_empty() {
        body.error.as_ref()
    } else {
        first_line(&body.error_description)
    };
    let redactor = Redactor::new(secrets);
    let error = plain(code);
    let hint = error.hint.clone().unwrap_or_default();
    match redactor.clean(said) {
        said if said.is_empty() => error,
        said => error.hinted(format!("{hint} (Microsoft says: {said})")),
    }
}

/// A code as an error, with its own words.
pub(crate) fn plain(name: &'static str) -> Error {
    let code = code::find(name);
    let class = match name {
        "service-not-in-tenant" | "tenant-unknown" => Class::Missing,
        _ => Class::Credential,
    };
    let error = Error::new(class, name, code.map_or(name, |code| code.title));
    match code {
        Some(code) => error.hinted(code.remedy),
        None => error,
    }
}

fn unavailable(class: Class, code: &'static str, status: u16) -> Error {
    Error::new(
        class,
        code,
        format!("the sign-in service cannot answer now ({status})"),
    )
    .hinted("Look at the service's status page, then run it again.")
    .with_status(status)
}

/// Without the trace and correlation ids that follow.
fn first_line(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.split(" Trace ID:").next().unwrap_or(line).trim()
}

#[cfg(test)]
mod tests {
    use model::code::find;

    use super::*;

    fn code(name: &str, number: u32, step: Step) -> &'static str {
        let body = format!(
            r#"{{"error":"{name}","error_description":"AADSTS{number}: words. Trace ID: x","error_codes":[{number}]}}"#
        );
        error(400, body.as_bytes(), step, &[]).code
    }

    #[test]
    fn every_number_has_words() {
        for (name, _) in NUMBERS {
            assert!(find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_number_gives_the_words_and_the_name_is_the_fallback() {
        for (error, number, step, expected) in [
            ("invalid_grant", 700_082, Step::Refresh, "token-expired"),
            ("invalid_grant", 53003, Step::Refresh, "conditional-access"),
            ("invalid_grant", 999_999, Step::Refresh, "token-expired"),
            ("invalid_grant", 54005, Step::SignIn, "sign-in-failed"),
            ("invalid_grant", 70008, Step::SignIn, "sign-in-failed"),
            (
                "invalid_client",
                7_000_215,
                Step::Application,
                "client-secret-refused",
            ),
            (
                "invalid_client",
                700_027,
                Step::Application,
                "certificate-refused",
            ),
            (
                "unauthorized_client",
                700_016,
                Step::Application,
                "application-unknown",
            ),
            (
                "invalid_request",
                90002,
                Step::Application,
                "tenant-unknown",
            ),
            (
                "invalid_client",
                700_236,
                Step::Federation,
                "federation-refused",
            ),
            (
                "authorization_declined",
                65004,
                Step::Device,
                "device-code-declined",
            ),
            (
                "authorization_declined",
                0,
                Step::Device,
                "device-code-declined",
            ),
            ("access_denied", 0, Step::Device, "device-code-declined"),
            ("access_denied", 65004, Step::SignIn, "consent-missing"),
            ("expired_token", 70020, Step::Device, "device-code-expired"),
            (
                "bad_verification_code",
                70018,
                Step::Device,
                "device-code-unknown",
            ),
            (
                "invalid_client",
                7_000_218,
                Step::Device,
                "public-client-off",
            ),
            ("access_denied", 53003, Step::Device, "conditional-access"),
        ] {
            assert_eq!(
                code(error, number, step),
                expected,
                "{error} {number} {step:?}"
            );
        }
    }

    #[test]
    fn sre_46_a_dead_refresh_token_is_an_invalid_or_expired_token() {
        let body = br#"{"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired due to inactivity.\r\nTrace ID: 1","error_codes":[700082]}"#;
        let error = error(400, body, Step::Refresh, &[]);
        assert_eq!(error.message, "Invalid or expired token");
        assert_eq!(error.class, Class::Credential);
        let hint = error.hint.unwrap();
        assert!(
            hint.starts_with("Refresh the page and sign in again."),
            "{hint}"
        );
        assert!(
            hint.contains("AADSTS700082") && !hint.contains("Trace"),
            "{hint}"
        );
    }

    #[test]
    fn a_secret_that_is_echoed_is_hidden() {
        let body =
            br#"{"error":"invalid_client","error_description":"AADSTS7000215: bad s3cr3t-value"}"#;
        let error = error(401, body, Step::Application, &["s3cr3t-value"]);
        assert!(!format!("{error:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_broken_service_says_nothing_about_the_credential() {
        for (status, body) in [
            (503, "<html>"),
            (429, "{}"),
            (500, r#"{"error":"invalid_grant"}"#),
        ] {
            let class = error(status, body.as_bytes(), Step::Refresh, &[]).class;
            assert!(
                matches!(class, Class::Transient | Class::Throttled),
                "{status}"
            );
        }
        let busy = br#"{"error":"temporarily_unavailable"}"#;
        assert_eq!(error(400, busy, Step::Refresh, &[]).class, Class::Transient);
    }
}
