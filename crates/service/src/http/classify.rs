//! What a refusal means: status first, then content type, then the service's code; never localized text.

use model::Class;
use reqwest::StatusCode;

use super::backoff::{Pause, Repeat, Trouble};
use super::fault::Fault;
use crate::Error;

/// A status of nothing there. Callers tell by [`Class::Missing`] what that costs.
const NOT_FOUND: &str = "not-found";

/// A refused request and what is known around it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent finding"
)]
pub(crate) struct Refusal<'a> {
    pub(crate) label: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) fault: &'a Fault,
    /// The answer is a sign-in page or leads to one.
    pub(crate) sign_in: bool,
    /// It came from a host that never got the credential.
    pub(crate) foreign: bool,
    /// The answer says when to come back.
    pub(crate) retry_after: bool,
    /// The service complained about too many requests a moment ago.
    pub(crate) complained: bool,
    /// The service has accepted this credential before.
    pub(crate) accepted: bool,
    /// The request only reads.
    pub(crate) reads: bool,
}

impl Refusal<'_> {
    pub(crate) fn judge(&self) -> Trouble {
        let (repeat, error) = self.verdict();
        let unauthorized = !self.foreign
            && !self.throttled_by()
            && !self.complained
            && (self.sign_in || self.status == StatusCode::UNAUTHORIZED);
        let pause = match () {
            () if self.retry_after => Pause::Told,
            () if self.throttled_by() => Pause::Everyone,
            () => Pause::Alone,
        };
        Trouble {
            error: error
                .with_status(self.status.as_u16())
                .caused_by(self.fault.clone()),
            repeat,
            pause,
            unauthorized,
        }
    }

    fn throttled_by(&self) -> bool {
        self.fault.throttles() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    fn verdict(&self) -> (Repeat, Error) {
        let status = self.status.as_u16();
        // Many 401 of identities in good standing were seen after long throttling.
        let doubtful = !self.foreign && (self.sign_in || matches!(status, 401 | 403));
        // What is refused with the time to come back was not done.
        let again = if self.retry_after {
            Repeat::Always
        } else {
            Repeat::Never
        };
        match status {
            _ if self.throttled_by() || (self.complained && doubtful) => {
                (Repeat::Always, self.throttled())
            }
            _ if self.sign_in && self.foreign => (
                Repeat::Never,
                self.error(
                    Class::Malformed,
                    "answer-not-understood",
                    "a page came for a file",
                ),
            ),
            _ if self.sign_in => (Repeat::Never, self.credential()),
            401 if !self.foreign => (Repeat::Never, self.unauthorized()),
            401 | 403 => (again, self.permission()),
            _ if self.fault.suspended() => (Repeat::Once, self.suspended()),
            408 => (Repeat::IfSafe, self.unavailable()),
            400..=499 if self.fault.forbids() => (again, self.permission()),
            404 | 410 => (again, self.error(Class::Missing, NOT_FOUND, "not found")),
            409 | 412 => (
                again,
                self.error(
                    Class::Conflict,
                    "restore-conflict",
                    "it conflicts with what is there",
                ),
            ),
            503 if self.retry_after => (Repeat::Always, self.unavailable()),
            500..=599 => (Repeat::IfSafe, self.unavailable()),
            _ if self.reads => (
                again,
                self.error(
                    Class::Malformed,
                    "answer-not-understood",
                    "unexpected answer",
                ),
            ),
            _ => (
                again,
                self.error(
                    Class::Unsupported,
                    "restore-failed",
                    "the service refused the write",
                ),
            ),
        }
    }

    fn error(&self, class: Class, code: &'static str, what: &str) -> Error {
        let (label, status) = (self.label, self.status.as_u16());
        let said = self
            .fault
            .message
            .as_ref()
            .map(|message| format!(": {message}"))
            .unwrap_or_default();
        Error::new(class, code, format!("{label}: {what} ({status}){said}"))
    }

    fn credential(&self) -> Error {
        self.error(
            Class::Credential,
            "credential-refused",
            "the service refuses the credential",
        )
        .hinted("Create a new token for this organization and store it.")
    }

    /// A dead token gets the sign-in page for what it reads. A 401 for one that worked before is about this request alone.
    fn unauthorized(&self) -> Error {
        let named = self.fault.code.as_deref() == Some("TF400813") && !self.fault.anonymous();
        if self.accepted || named {
            self.permission()
        } else {
            self.credential()
        }
    }

    fn permission(&self) -> Error {
        let hint = match self.fault.code.as_deref() {
            Some("VS403463") => {
                "A conditional access policy or IP rule of the tenant forbids it: allow this machine or this identity."
            }
            Some("TF401019" | "TF401027") => {
                "The repository is disabled, or the identity lacks Read on it."
            }
            _ => "Give the token the missing scope, or the identity the missing right.",
        };
        self.error(
            Class::Permission,
            "permission-missing",
            "the identity may not do this",
        )
        .hinted(hint)
    }

    fn throttled(&self) -> Error {
        self.error(
            Class::Throttled,
            "throttled",
            "the service asks to slow down",
        )
        .hinted("Run it later, or give the backup an identity of its own.")
    }

    fn suspended(&self) -> Error {
        self.error(
            Class::Transient,
            "service-unavailable",
            "the organization is stopped or suspended",
        )
        .hinted("Open the organization in the browser: the page tells how to activate it again.")
    }

    fn unavailable(&self) -> Error {
        self.error(
            Class::Transient,
            "service-unavailable",
            "the service failed",
        )
        .hinted("Look at the service's status page, then run it again.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::redact::Redactor;

    fn judge(
        status: u16,
        message: &str,
        change: impl Fn(&mut Refusal<'_>),
    ) -> (&'static str, Class, Repeat) {
        let fault = Fault::read(
            &reqwest::header::HeaderMap::new(),
            message.as_bytes(),
            false,
            &Redactor::default(),
        );
        let status = StatusCode::from_u16(status).unwrap();
        let mut refusal = Refusal {
            label: "GET dev/x",
            status,
            fault: &fault,
            sign_in: false,
            foreign: false,
            retry_after: false,
            complained: false,
            accepted: false,
            reads: true,
        };
        change(&mut refusal);
        let trouble = refusal.judge();
        (trouble.error.code, trouble.error.class, trouble.repeat)
    }

    #[test]
    fn every_code_that_is_given_exists() {
        for status in 100..600 {
            for message in [
                "",
                "TF401019: x",
                "TF24668: x",
                "TF400733: x",
                "VS403463: x",
                "TF400813: The user 'b' may not",
            ] {
                for flags in 0..16 {
                    let (code, ..) = judge(status, message, |refusal| {
                        refusal.sign_in = flags & 1 != 0;
                        refusal.complained = flags & 2 != 0;
                        refusal.accepted = flags & 4 != 0;
                        refusal.reads = flags & 8 != 0;
                    });
                    assert!(model::code::find(code).is_some(), "{code}");
                }
            }
        }
    }

    #[test]
    fn a_401_is_a_fact_only_without_throttling() {
        let none = |_: &mut Refusal<'_>| {};
        assert_eq!(
            judge(401, "", none),
            ("credential-refused", Class::Credential, Repeat::Never)
        );
        assert_eq!(
            judge(401, "", |refusal| refusal.complained = true),
            ("throttled", Class::Throttled, Repeat::Always)
        );
        assert_eq!(
            judge(401, "", |refusal| refusal.accepted = true),
            ("permission-missing", Class::Permission, Repeat::Never)
        );
        assert_eq!(
            judge(401, "TF400813: The user '' is not", none).0,
            "credential-refused"
        );
        assert_eq!(
            judge(401, "TF400813: The user '4f7a' is not", none).0,
            "permission-missing"
        );
        assert_eq!(
            judge(
                401,
                "TF400813: x aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
                none
            )
            .0,
            "credential-refused"
        );
    }

    #[test]
    fn the_code_of_the_service_outranks_a_vague_status() {
        let none = |_: &mut Refusal<'_>| {};
        assert_eq!(judge(404, "TF401019: gone", none).1, Class::Permission);
        assert_eq!(judge(404, "TF200016: gone", none).1, Class::Missing);
        assert_eq!(judge(400, "TF400733: slow", none).1, Class::Throttled);
        assert_eq!(judge(403, "VS403463: cap", none).1, Class::Permission);
        assert_eq!(
            judge(503, "TF24668: stopped", |refusal| refusal.retry_after =
                true)
            .2,
            Repeat::Once
        );
    }

    #[test]
    fn only_a_clear_failure_may_repeat_a_write() {
        let write = |refusal: &mut Refusal<'_>| refusal.reads = false;
        assert_eq!(judge(500, "", write).2, Repeat::IfSafe);
        assert_eq!(judge(503, "", write).2, Repeat::IfSafe);
        assert_eq!(
            judge(503, "", |refusal| refusal.retry_after = true).2,
            Repeat::Always
        );
        assert_eq!(judge(429, "", write).2, Repeat::Always);
        assert_eq!(judge(400, "VS402625: dates", write).0, "restore-failed");
        assert_eq!(judge(409, "", write).1, Class::Conflict);
    }
}
