//! People in fields: as objects, as `Name <address>`, as plain names.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct IdentityRef<'a> {
    #[serde(borrow, rename = "displayName")]
    display_name: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "uniqueName")]
    unique_name: Option<Cow<'a, str>>,
}

/// The value to write for a person: names that the target does not know stay as this very text.
pub(crate) fn written(raw: &str) -> Option<String> {
    let identity: IdentityRef<'_> = serde_json::from_str(raw).ok()?;
    let unique = identity.unique_name.filter(|name| !name.is_empty());
    let shown = identity.display_name.filter(|name| !name.is_empty());
    match (shown, unique) {
        (Some(shown), Some(unique)) if shown.contains('<') || shown == unique => {
            Some(shown.into_owned())
        }
        (Some(shown), Some(unique)) => Some(format!("{shown} <{unique}>")),
        (Some(one), None) | (None, Some(one)) => Some(one.into_owned()),
        (None, None) => None,
    }
}

/// A person in a form that can be compared, whatever way it was written.
pub(crate) fn key(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Object(object) => {
            let member = |name: &str| {
                object
                    .get(name)
                    .and_then(Value::as_str)
                    .filter(|text| !text.is_empty())
            };
            let shown = member("displayName");
            match (shown.and_then(address), member("uniqueName")) {
                (Some(address), _) => Cow::Borrowed(address),
                (None, Some(unique)) => Cow::Borrowed(unique),
                (None, None) => Cow::Borrowed(shown?),
            }
        }
        _ => return None,
    };
    Some(address(&text).unwrap_or(&text).trim().to_lowercase())
}

/// Whether a value is a person written as an object.
pub(crate) fn is_identity(value: &Value) -> bool {
    value.get("displayName").is_some() || value.get("uniqueName").is_some()
}

/// `x` of `Name <x>`.
fn address(text: &str) -> Option<&str> {
    let rest = text.trim().strip_suffix('>')?;
    let (_, address) = rest.rsplit_once('<')?;
    (!address.is_empty()).then_some(address)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_person_is_the_same_in_every_form() {
        let object =
            json!({ "displayName": "Ünal Åberg", "uniqueName": "Unal@Contoso.com", "id": "x" });
        let written = written(&object.to_string()).unwrap();
        assert_eq!(written, "Ünal Åberg <Unal@Contoso.com>");
        let literal = json!({ "displayName": written });
        for form in [object, json!(written), literal, json!("unal@contoso.com")] {
            assert_eq!(key(&form).as_deref(), Some("unal@contoso.com"));
        }
    }

    #[test]
    fn a_bare_name_stays_a_bare_name() {
        assert_eq!(
            written(r#"{"displayName":"Build Service"}"#).as_deref(),
            Some("Build Service")
        );
        assert_eq!(
            written(r#"{"displayName":"Gone (removed)","uniqueName":"Gone (removed)"}"#).as_deref(),
            Some("Gone (removed)")
        );
        assert_eq!(written(r#"{"id":"1"}"#), None);
        assert_eq!(key(&json!("A > B <")).as_deref(), Some("a > b <"));
    }
}
