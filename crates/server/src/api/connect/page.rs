//! What a browser shows that came back from the sign-in page. No script, nothing from the address.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use utoipa::IntoResponses;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, RefOr, ResponseBuilder};

use crate::{Problem, Refusals};

/// Refusals of an operation whose answers are pages. Before it is known who asks, they are problems as everywhere.
pub(super) struct Refused;

impl IntoResponses for Refused {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        let response = ResponseBuilder::new()
            .description("A page that says why, or a problem.")
            .content("text/html", Content::new(Some(text)))
            .content(
                "application/problem+json",
                Content::new(Some(utoipa::openapi::Ref::from_schema_name("Problem"))),
            )
            .build();
        Refusals::responses()
            .into_keys()
            .map(|status| (status, RefOr::T(response.clone())))
            .collect()
    }
}

pub(super) fn signed_in(account: &str) -> Response {
    let text = format!(
        "<h1>Connected to the sign-in</h1><p>Signed in as {}. You can close this window and go back to Keepward.</p>",
        escaped(account)
    );
    page(StatusCode::OK, &text)
}

pub(super) fn consented(profile: &str, tenant: &str) -> Response {
    let text = format!(
        "<h1>Consented</h1><p>The app of the profile {} may be used in the tenant {}. You can close this window.</p>",
        escaped(profile),
        escaped(tenant)
    );
    page(StatusCode::OK, &text)
}

pub(super) fn refused(problem: &Problem) -> Response {
    let text = format!(
        "<h1>Nothing was connected</h1><p>{}</p><p>{}</p><p>You can close this window and try again.</p>",
        escaped(problem.detail()),
        escaped(problem.hint().unwrap_or_default())
    );
    page(problem.status(), &text)
}

fn page(status: StatusCode, body: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Keepward</title><body>{body}</body></html>"
    );
    let mut response = (status, Body::from(text)).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_with_the_address_is_text() {
        assert_eq!(
            escaped("<script>alert('x')</script>&\""),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"
        );
    }
}
