//! What a service says in the body of a refusal.

use std::borrow::Cow;

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::without_bom;
use super::redact::Redactor;

/// The service's own words about a refusal; the source of an [`crate::Error`] that an answer with a body caused.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", message.as_deref().unwrap_or("no message"))]
pub struct Fault {
    /// The code that the message begins with (`TF401019`, `VS402625`), or that the document names (`syncStateNotFound`).
    pub code: Option<String>,
    /// `GitRepositoryNotFoundException`.
    pub type_key: Option<String>,
    /// Localized text: show it, never decide by it.
    pub message: Option<String>,
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow, alias = "Message")]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "typeKey")]
    type_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// `{"error":{"code":"…","message":"…"}}` of Graph and its like.
#[derive(Deserialize)]
struct Coded<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct ModelBinding<'a> {
    #[serde(borrow, rename = "Message")]
    message: Cow<'a, str>,
}

impl Fault {
    /// Reads a wrapped exception, a model-binding error, plain text, or only the header. What it keeps is fit to be shown.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8], html: bool, redactor: &Redactor) -> Self {
        let mut fault = Self::parse(headers, body, html);
        for text in [&mut fault.message, &mut fault.type_key]
            .into_iter()
            .flatten()
        {
            *text = redactor.clean(text);
        }
        fault
    }

    fn parse(headers: &HeaderMap, body: &[u8], html: bool) -> Self {
        let body = without_bom(body);
        let mut fault = Self::default();
        if let Ok(wrapped) = serde_json::from_slice::<Wrapped<'_>>(body) {
            fault.type_key = wrapped.type_key.map(Cow::into_owned);
            let coded = wrapped
                .error
                .and_then(|error| serde_json::from_str::<Coded<'_>>(error.get()).ok());
            if let Some(coded) = coded {
                fault.code = Some(coded.code.into_owned());
                fault.message = coded.message.map(Cow::into_owned);
                return fault;
            }
            fault.message = wrapped.message.map(Cow::into_owned).or_else(|| {
                let inner = serde_json::from_str::<ModelBinding<'_>>(wrapped.value?.get()).ok()?;
                Some(inner.message.into_owned())
            });
        } else if !html && !matches!(body.first(), None | Some(b'{' | b'[' | b'<')) {
            fault.message = Some(String::from_utf8_lossy(body).trim().to_owned());
        }
        let header = || {
            let text = headers.get("x-tfs-serviceerror")?.to_str().ok()?;
            Some(
                percent_encoding::percent_decode_str(text)
                    .decode_utf8_lossy()
                    .into_owned(),
            )
        };
        fault.message = fault
            .message
            .filter(|message| !message.is_empty())
            .or_else(header);
        fault.code = fault
            .message
            .as_deref()
            .and_then(leading_code)
            .map(str::to_owned);
        fault
    }

    /// The codes that say "you may not" whatever the status is.
    pub(crate) fn forbids(&self) -> bool {
        const CODES: [&str; 8] = [
            "TF401019", "TF401027", "TF400813", "TF401347", "TF237111", "TF50309", "VS403463",
            "VS800075",
        ];
        self.code
            .as_deref()
            .is_some_and(|code| CODES.contains(&code))
    }

    /// The request was canceled because of the use of resources: TF400733.
    pub(crate) fn throttles(&self) -> bool {
        self.code.as_deref() == Some("TF400733")
    }

    /// The organization is stopped or suspended: TF24668.
    pub(crate) fn suspended(&self) -> bool {
        self.code.as_deref() == Some("TF24668")
    }

    /// The refused one is nobody: the empty user or the well-known id of Anonymous.
    pub(crate) fn anonymous(&self) -> bool {
        let message = self.message.as_deref().unwrap_or_default();
        self.code.as_deref() == Some("TF400813")
            && (message.contains("''") || message.contains("aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"))
    }
}

/// `TF400813` of `TF400813: The user …`.
fn leading_code(message: &str) -> Option<&str> {
    let message = message.trim_start();
    let letters = message.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = message
        .bytes()
        .skip(letters)
        .take_while(u8::is_ascii_digit)
        .count();
    ((2..=4).contains(&letters) && digits >= 3).then(|| &message[..letters + digits])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Fault {
        Fault::parse(&HeaderMap::new(), body, false)
    }

    #[test]
    fn all_recorded_shapes_are_read() {
        let wrapped = read(br#"{"$id":"1","innerException":null,"message":"TF401019: Das Repository","typeName":"A, B","typeKey":"GitRepositoryNotFoundException","errorCode":0,"eventId":3000}"#);
        assert_eq!(wrapped.code.as_deref(), Some("TF401019"));
        assert_eq!(
            wrapped.type_key.as_deref(),
            Some("GitRepositoryNotFoundException")
        );
        let bom =
            read(b"\xef\xbb\xbf{\"$id\":\"1\",\"message\":\"TF24668: stopped\",\"typeKey\":\"X\"}");
        assert!(bom.suspended());
        let binding = read(br#"{"count":1,"value":{"Message":"VS403425: no\r\n"}}"#);
        assert_eq!(binding.code.as_deref(), Some("VS403425"));
        assert_eq!(
            read(b"The controller for path '/x' was not found")
                .message
                .unwrap(),
            "The controller for path '/x' was not found"
        );
        assert_eq!(read(br#"{"count":0,"value":[]}"#), Fault::default());
        assert_eq!(read(b"<html>no</html>"), Fault::default());
    }

    #[test]
    fn the_header_speaks_when_the_body_does_not() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-tfs-serviceerror",
            "TF400813%3A%20The%20user%20%27%27".parse().unwrap(),
        );
        let fault = Fault::parse(&headers, br#"{"count":0,"value":[]}"#, false);
        assert_eq!(fault.message.as_deref(), Some("TF400813: The user ''"));
        assert!(fault.anonymous());
    }

    #[test]
    fn words_are_not_codes() {
        for text in ["", "HTTP 500", "TF: x", "T123456", "tf400813: x", "A"] {
            assert_eq!(leading_code(text), None, "{text}");
        }
    }
}
