//! What a redirect back from the sign-in page carries. It went through the browser: nothing in it is proof of anything.

use model::Secret;
use subtle::ConstantTimeEq as _;

use super::refusal::{Step, plain, redirected};
use crate::{Error, Result};

/// The parameters of the address that the browser came back to.
pub struct Return {
    code: Option<Secret>,
    pub(crate) state: String,
    pub(crate) tenant: Option<String>,
    pub(crate) consented: bool,
    error: Option<(String, String)>,
}

impl Return {
    /// From the query, without the question mark.
    pub fn parse(query: &str) -> Self {
        let mut found = Self {
            code: None,
            state: String::new(),
            tenant: None,
            consented: false,
            error: None,
        };
        let (mut error, mut description) = (None, String::new());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "code" => found.code = Some(Secret::new(value.into_owned())),
                "state" => found.state = value.into_owned(),
                "tenant" => found.tenant = Some(value.into_owned()),
                "admin_consent" => found.consented = value.eq_ignore_ascii_case("true"),
                "error" => error = Some(value.into_owned()),
                "error_description" => description = value.into_owned(),
                _ => {}
            }
        }
        found.error = error.map(|error| (error, description));
        found
    }

    /// The `state`, by which the sign-in that it belongs to is found.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Refuses an answer to another question, before anything else in it is looked at.
    pub(crate) fn belongs_to(&self, state: &str) -> Result<()> {
        let same = self.state.as_bytes().ct_eq(state.as_bytes());
        if state.is_empty() || !bool::from(same) {
            return Err(plain("sign-in-mismatch"));
        }
        match &self.error {
            Some((error, description)) => Err(redirected(error, description, Step::SignIn)),
            None => Ok(()),
        }
    }

    pub(crate) fn code(&self) -> Result<&Secret> {
        self.code.as_ref().ok_or_else(|| {
            Error::new(
                model::Class::Malformed,
                "sign-in-failed",
                "the sign-in page sent no code",
            )
        })
    }
}
