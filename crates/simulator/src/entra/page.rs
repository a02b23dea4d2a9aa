//! Pages of the sign-in, as plain as a test or a person needs them.

use axum::http::StatusCode;

use crate::server::Reply;

/// Text for HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// A page around HTML that is safe already.
pub(super) fn html(status: StatusCode, title: &str, body: &str) -> Reply {
    let title = escape(title);
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>body{{font:16px system-ui;max-width:27rem;margin:4rem auto}}label,button{{display:block;margin:1rem 0}}input[type=text]{{width:100%}}</style></head>\
         <body><p>Microsoft (simulated)</p><h1>{title}</h1>{body}</body></html>"
    );
    Reply::bytes("text/html; charset=utf-8", page)
        .with_status(status)
        .header("cache-control", "no-store, no-cache")
        .header("x-frame-options", "DENY")
}

pub(super) fn text(words: &str) -> Reply {
    html(
        StatusCode::OK,
        "Sign in to your account",
        &format!("<p>{}</p>", escape(words)),
    )
}

/// The page on which the service shows errors that it does not send back to the app.
pub(super) fn error(words: &str) -> Reply {
    html(
        StatusCode::BAD_REQUEST,
        "Sorry, but we’re having trouble signing you in.",
        &format!("<p id=\"error\">{}</p>", escape(words)),
    )
}
