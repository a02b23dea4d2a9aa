//! Addresses: where a request goes, whether it may carry the credential, and how a message names it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

/// What a path segment may hold as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes one segment of a path. `.` and `..` come back encoded twice: as they are, every client would resolve them.
pub fn segment(text: &str) -> String {
    match text {
        "." => "%252E".to_owned(),
        ".." => "%252E%252E".to_owned(),
        _ => utf8_percent_encode(text, SEGMENT).to_string(),
    }
}

/// Scheme, host and port are equal: only then may a credential go along.
pub(crate) fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// The address as it may be sent: a user and password in it would be sent, and traced by the layers below.
pub(crate) fn without_user(mut url: Url) -> Url {
    let cleared = url.set_username("").is_ok() && url.set_password(None).is_ok();
    debug_assert!(
        cleared || url.username().is_empty(),
        "only addresses without a host refuse, and they have no user"
    );
    url
}

/// The address for messages: without user, password, query and fragment, which may hold secrets.
pub(crate) fn shown(url: &Url) -> String {
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!(
        "{}://{}{port}{}",
        url.scheme(),
        url.host_str().unwrap_or_default(),
        url.path()
    )
}

/// Nothing on this machine is behind a proxy, whatever the environment says.
pub(crate) fn is_local(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

/// A redirect there means that the credential was not accepted.
pub(crate) fn is_sign_in(location: &Url) -> bool {
    const HOSTS: [&str; 3] = [
        "login.microsoftonline.com",
        "login.live.com",
        "app.vssps.visualstudio.com",
    ];
    let host = location.host_str().unwrap_or_default();
    location.path().to_ascii_lowercase().contains("_signin")
        || HOSTS.contains(&host)
        || (host.starts_with("spsprod") && host.ends_with(".visualstudio.com"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        let url = |name: &str| Url::parse(&format!("http://h/a/{}/b", segment(name))).unwrap();
        assert_eq!(
            url("../../x y/ü?#%").path(),
            "/a/..%2F..%2Fx%20y%2F%C3%BC%3F%23%25/b"
        );
        assert_eq!(url("..").path_segments().unwrap().count(), 3);
    }

    #[test]
    fn only_the_very_origin_gets_the_credential() {
        let base = Url::parse("https://dev.azure.com/contoso").unwrap();
        for (address, same) in [
            ("https://dev.azure.com/other", true),
            ("https://dev.azure.com:443/x", true),
            ("http://dev.azure.com/contoso", false),
            ("https://dev.azure.com:444/contoso", false),
            ("https://dev.azure.com.evil.example/contoso", false),
            ("https://dev.azure.com@evil.example/", false),
        ] {
            assert_eq!(
                same_origin(&base, &Url::parse(address).unwrap()),
                same,
                "{address}"
            );
        }
    }

    #[test]
    fn a_shown_address_has_no_secrets() {
        let url = Url::parse("https://user:pw@host:8080/p?sig=abc#f").unwrap();
        assert_eq!(shown(&url), "https://host:8080/p");
    }
}
