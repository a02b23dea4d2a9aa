//! What the checks of a connector come to: accepted, refused, or worth a warning.

use model::{Class, Connector};
use service::preflight::AddressPart;
use service::{Check, CheckOutcome};

use super::Checked;
use crate::{Control, Error, Result};

impl Control {
    /// Checks a saved connector, and notes how it stands.
    pub async fn test_connector(&self, name: &str) -> Result<Checked<Connector>> {
        let mut connector = self.catalog.connector(name).await?;
        let service = self.service(&connector.service)?;
        let checks = match self.client(&connector, None).await {
            Ok(client) => {
                self.preflight(service, &client, &connector.organization)
                    .await?
            }
            Err(error) => {
                self.note_connection(&connector, Some(&error)).await?;
                return Err(error);
            }
        };
        self.note_warnings(&connector, &checks).await?;
        let failed = checks.iter().find(|check| check.blocks);
        let error = failed.map(refusal);
        self.note_connection(&connector, error.as_ref()).await?;
        let why = error.as_ref().map(ToString::to_string);
        self.catalog
            .note_credential_tested(&connector.credential, self.now(), why.as_deref())
            .await?;
        connector.status = self.catalog.connector(name).await?.status;
        Ok(Checked {
            checks,
            value: connector,
        })
    }

    /// Remembers what the check of a saved connector warned of, for as long as no other check says otherwise.
    pub(crate) async fn note_warnings(
        &self,
        connector: &Connector,
        checks: &[Check],
    ) -> Result<()> {
        let warned = checks
            .iter()
            .filter(|check| check.outcome == CheckOutcome::Warning);
        let codes: Vec<&str> = warned.filter_map(|check| check.code).collect();
        self.catalog
            .set_connector_warnings(&connector.name, &codes)
            .await?;
        Ok(())
    }
}

/// The first check that lets nothing be backed up, as an error that tells of all. What else fails or is missing is told, and left out.
pub(crate) fn accept(checks: &[Check]) -> Result<()> {
    let failed = checks.iter().find(|check| check.blocks);
    match failed.map(refusal) {
        None => Ok(()),
        Some(Error::Service(error)) => Err(Error::Unfit {
            error,
            checks: checks.to_vec(),
        }),
        Some(error) => Err(error),
    }
}

/// What the address named must be readable: whoever gives a repository or wiki wants that (SRE-40).
pub(super) fn readable(checks: &[Check], part: Option<&AddressPart>) -> Result<()> {
    let kind = match part {
        None => return Ok(()),
        Some(AddressPart::Repository { .. }) => "git-repository",
        Some(AddressPart::Wiki { .. }) => "wiki",
    };
    let missing = checks
        .iter()
        .any(|check| check.name == kind && check.outcome == CheckOutcome::Missing);
    if missing {
        let code = "code-read-missing";
        let title = model::code::find(code).map_or(code, |code| code.title);
        return Err(Error::Unfit {
            error: service::Error::new(Class::Permission, code, title),
            checks: checks.to_vec(),
        });
    }
    Ok(())
}

/// A check that did not pass, as an error with its code, words and hint.
fn refusal(check: &Check) -> Error {
    let code = check.code.unwrap_or("credential-refused");
    let class = match code {
        "organization-unknown" | "organization-none" => Class::Missing,
        "permission-missing" | "code-read-missing" => Class::Permission,
        "service-unavailable" => Class::Transient,
        "throttled" => Class::Throttled,
        _ if check.name == "credential" => Class::Credential,
        _ => Class::Permission,
    };
    let mut error = service::Error::new(class, code, check.message.clone());
    error.hint = check
        .hint
        .clone()
        .or_else(|| model::code::find(code).map(|code| code.remedy.to_owned()));
    Error::Service(error)
}
