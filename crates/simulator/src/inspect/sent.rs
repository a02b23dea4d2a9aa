//! What a control request says.

use serde_json::Value;

use crate::server::ApiError;

/// Reads members of a document. One of another type is refused: what a test means must not be taken for nothing.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'a>(&'a Value);

impl<'a> Sent<'a> {
    pub(crate) fn new(document: &'a Value) -> Self {
        Self(document)
    }

    /// The member whatever it is; null if it is not there.
    pub(crate) fn value(self, name: &str) -> &'a Value {
        &self.0[name]
    }

    /// Whether it is there, be it as null.
    pub(crate) fn has(self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    fn member<T>(
        self,
        name: &str,
        kind: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        match self.value(name) {
            Value::Null => Ok(None),
            value => read(value)
                .map(Some)
                .ok_or_else(|| ApiError::bad_body(format!("the member {name} is no {kind}"))),
        }
    }

    pub(crate) fn text(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.member(name, "text", Value::as_str)
    }

    pub(crate) fn required(self, name: &str) -> Result<&'a str, ApiError> {
        self.text(name)?
            .ok_or_else(|| ApiError::bad_body(format!("the member {name} is missing")))
    }

    pub(crate) fn flag(self, name: &str) -> Result<Option<bool>, ApiError> {
        self.member(name, "truth value", Value::as_bool)
    }

    /// A whole number that fits.
    pub(crate) fn number<N: TryFrom<i64>>(self, name: &str) -> Result<Option<N>, ApiError> {
        self.member(name, "number of this kind", |value| {
            N::try_from(value.as_i64()?).ok()
        })
    }

    /// A list of texts.
    pub(crate) fn list(self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        self.member(name, "list of texts", |value| {
            let texts = value.as_array()?.iter().map(Value::as_str);
            texts.map(|text| text.map(str::to_owned)).collect()
        })
    }

    /// Changes a switch that the request names.
    pub(crate) fn set(self, name: &str, target: &mut bool) -> Result<(), ApiError> {
        if let Some(value) = self.flag(name)? {
            *target = value;
        }
        Ok(())
    }

    /// The tenant that is meant: Contoso unless the request names another.
    pub(crate) fn tenant(self) -> Result<&'a str, ApiError> {
        Ok(self.text("tenant")?.unwrap_or(crate::auth::TENANT))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_of_another_type_is_refused_and_a_missing_one_is_not() {
        let document =
            json!({"life": "3600", "on": 1, "roles": ["a", 2], "count": -1, "none": null});
        let sent = Sent::new(&document);
        assert!(sent.number::<i64>("life").is_err());
        assert!(sent.flag("on").is_err());
        assert!(sent.list("roles").is_err());
        assert!(sent.number::<u32>("count").is_err());
        assert_eq!(sent.number::<i64>("count").unwrap(), Some(-1));
        assert_eq!(sent.text("none").unwrap(), None);
        assert_eq!(sent.text("absent").unwrap(), None);
        assert!(sent.required("none").is_err());
    }
}
