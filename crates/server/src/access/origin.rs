//! Whether a request that changes something comes from this server's own pages.

use axum::http::{HeaderMap, Method, header};
use url::Url;

use crate::{Options, Problem};

/// Refuses what a page of another site sends. `ambient`: the browser added the proof by itself, so that silence proves nothing either.
pub(crate) fn check(
    method: &Method,
    headers: &HeaderMap,
    options: &Options,
    ambient: bool,
) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("").to_owned())
    };
    let own = match (text("sec-fetch-site").as_deref(), text("origin").as_deref()) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => is_own(origin, headers, options),
        (None, None) => !ambient,
    };
    if own {
        return Ok(());
    }
    Err(Problem::new(
        axum::http::StatusCode::FORBIDDEN,
        "request-forged",
        "the request does not come from a page of this server",
    ))
}

/// The public address when it is known, or else the name that the request was sent to.
fn is_own(origin: &str, headers: &HeaderMap, options: &Options) -> bool {
    let Ok(origin) = Url::parse(origin) else {
        return false;
    };
    if let Some(public) = &options.public_url {
        return origin.origin() == public.origin();
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let named = origin.host_str().map(|host| match origin.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    });
    named.is_some() && named.as_deref() == host
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn refused(headers: &[(&'static str, &'static str)], ambient: bool) -> bool {
        let mut map = HeaderMap::new();
        map.insert(header::HOST, HeaderValue::from_static("localhost:8080"));
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        check(&Method::POST, &map, &Options::default(), ambient).is_err()
    }

    #[test]
    fn only_pages_of_this_server_change_something() {
        assert!(!refused(&[("sec-fetch-site", "same-origin")], true));
        assert!(!refused(&[("origin", "http://localhost:8080")], true));
        for headers in [
            [("sec-fetch-site", "cross-site")],
            [("sec-fetch-site", "same-site")],
            [("sec-fetch-site", "none")],
            [("origin", "https://evil.example")],
            [("origin", "http://localhost:8081")],
            [("origin", "http://localhost")],
            [("origin", "null")],
        ] {
            assert!(refused(&headers, true), "{headers:?}");
            assert!(refused(&headers, false), "{headers:?}");
        }
    }

    #[test]
    fn silence_is_enough_only_for_who_sends_a_proof_by_hand() {
        assert!(refused(&[], true));
        assert!(!refused(&[], false));
    }

    #[test]
    fn the_public_address_counts_and_not_the_name_in_the_request() {
        let options = Options {
            public_url: Url::parse("https://backup.example").ok(),
            ..Options::default()
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("evil.example"));
        headers.insert(
            header::ORIGIN,
            HeaderValue::from_static("https://evil.example"),
        );
        assert!(check(&Method::POST, &headers, &options, true).is_err());
        headers.insert(
            header::ORIGIN,
            HeaderValue::from_static("https://backup.example"),
        );
        assert!(check(&Method::POST, &headers, &options, true).is_ok());
    }
}
