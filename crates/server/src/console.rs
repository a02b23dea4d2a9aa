//! The console: its page, and the files that the page loads. Any other path that a browser opens is a place inside it.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rust_embed::RustEmbed;

use crate::Problem;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Built;

const PAGE: &str = "index.html";
/// Names under here hold the hash of what they name.
const HASHED: &str = "assets/";
const NONCE: &str = "{{nonce}}";
const ABSENT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Keepward</title>\
    <h1>This Keepward was built without its console</h1>\
    <p>The command line and the interface under <code>/api/v1</code> do all that it would. To have it, install Node 20 or later and \
    build again with <code>make console</code>.</p></html>";

/// What is at a path that is none of the interface's.
pub(crate) async fn open(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::no_such_path().into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    if path != PAGE
        && let Some(file) = Built::get(path)
    {
        return asset(path, file.data, request.headers());
    }
    if path.starts_with("api/") || path.starts_with(HASHED) || !wants_page(request.headers()) {
        return Problem::no_such_path().into_response();
    }
    page()
}

fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"))
}

/// The page with a nonce of its own: only styles that carry it are let in.
fn page() -> Response {
    let Some(text) = Built::get(PAGE).and_then(|file| String::from_utf8(file.data.into()).ok())
    else {
        return (StatusCode::NOT_FOUND, Html(ABSENT)).into_response();
    };
    let nonce = BASE64_STANDARD.encode(rand::random::<[u8; 16]>());
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src-elem 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; \
         img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = Html(text.replace(NONCE, &nonce)).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn asset(path: &str, plain: Cow<'static, [u8]>, headers: &HeaderMap) -> Response {
    let zipped = accepts_gzip(headers)
        .then(|| Built::get(&format!("{path}.gz")))
        .flatten();
    let is_zipped = zipped.is_some();
    let body = zipped.map_or(plain, |file| file.data);
    let mut response = Response::new(match body {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    });
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(path)),
    );
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_zipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let keep = if path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .split(',')
                .any(|coding| coding.trim().split(';').next() == Some("gzip"))
        })
}

/// What the build makes, and nothing else is in the folder.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_by_its_name_alone() {
        let says = |value: &'static str| {
            accepts_gzip(&HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static(value),
            )]))
        };
        assert!(says("br, gzip;q=0.8"));
        assert!(!says("br, x-gzip"));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
