//! Cookies. `__Host-` binds a cookie to this host and to TLS; without TLS, on loopback, its name is a plain one.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::AppendHeaders;

use crate::Options;

/// The names and attributes of the cookies of one server.
#[derive(Clone, Copy)]
pub(crate) struct Cookies {
    secure: bool,
}

const SESSION: &str = "keepward";
const SIGN_IN: &str = "keepward-sign-in";

impl Cookies {
    pub(crate) fn new(options: &Options) -> Self {
        let secure = options
            .public_url
            .as_ref()
            .is_some_and(|url| url.scheme() == "https");
        Self { secure }
    }

    fn name(self, name: &str) -> String {
        format!("{}{name}", if self.secure { "__Host-" } else { "" })
    }

    /// The secret of the session, as the browser sent it.
    pub(crate) fn session(self, headers: &HeaderMap) -> Option<String> {
        read(headers, &self.name(SESSION))
    }

    /// The browser's half of a sign-in at an identity provider.
    pub(crate) fn sign_in(self, headers: &HeaderMap) -> Option<String> {
        read(headers, &self.name(SIGN_IN))
    }

    pub(crate) fn set_session(self, secret: &str, seconds: i64) -> SetCookie {
        self.set(SESSION, secret, seconds)
    }

    pub(crate) fn clear_session(self) -> SetCookie {
        self.set(SESSION, "", 0)
    }

    pub(crate) fn set_sign_in(self, secret: &str, seconds: i64) -> SetCookie {
        self.set(SIGN_IN, secret, seconds)
    }

    pub(crate) fn clear_sign_in(self) -> SetCookie {
        self.set(SIGN_IN, "", 0)
    }

    fn set(self, name: &str, value: &str, seconds: i64) -> SetCookie {
        let name = self.name(name);
        let secure = if self.secure { "; Secure" } else { "" };
        SetCookie(format!(
            "{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"
        ))
    }
}

/// A cookie for the browser.
pub(crate) struct SetCookie(String);

impl SetCookie {
    pub(crate) fn header(self) -> AppendHeaders<Option<(header::HeaderName, HeaderValue)>> {
        AppendHeaders(self.pair())
    }

    pub(crate) fn pair(self) -> Option<(header::HeaderName, HeaderValue)> {
        let value = HeaderValue::from_str(&self.0).ok()?;
        Some((header::SET_COOKIE, value))
    }
}

/// The only cookie of a name; two of one name are refused, since one of them was planted.
fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let sent = headers.get_all(header::COOKIE).iter();
    let sent = sent.filter_map(|value| value.to_str().ok());
    let mut found = sent
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name);
    let (_, value) = found.next()?;
    (found.next().is_none() && !value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&'static str]) -> HeaderMap {
        let pairs = cookies
            .iter()
            .map(|cookie| (header::COOKIE, HeaderValue::from_static(cookie)));
        pairs.collect()
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let sent = headers(&["a=b; keepward=secret; c=d"]);
        assert_eq!(read(&sent, "keepward").as_deref(), Some("secret"));
        assert_eq!(read(&sent, "eepward"), None);
    }

    #[test]
    fn a_cookie_that_comes_twice_is_none() {
        assert_eq!(
            read(&headers(&["keepward=one; keepward=two"]), "keepward"),
            None
        );
        assert_eq!(
            read(&headers(&["keepward=one", "keepward=two"]), "keepward"),
            None
        );
    }
}
