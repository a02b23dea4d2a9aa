//! What people give for connectors: names, organizations, times of synchronization.

use jiff::tz::TimeZone;
use model::connector::is_name;
use model::{SyncSettings, SyncTime};
use service::Service;

use crate::{Control, Error, Result};

impl Control {
    /// The name that a connector to be added would get.
    pub fn connector_name(
        &self,
        service: &str,
        organization_text: &str,
        name: Option<&str>,
    ) -> Result<String> {
        let service = self.service(service)?;
        Ok(named(name, &organization(service, organization_text)?))
    }
}

pub(super) fn check_name(name: &str) -> Result<()> {
    if is_name(name) {
        return Ok(());
    }
    Err(Error::Request {
        code: "connector-name",
        message: format!("{name:?} cannot be the name of a connector"),
    })
}

/// What a connector is called; of a domain: `contoso-onmicrosoft-com`.
pub(super) fn named(name: Option<&str>, organization: &str) -> String {
    name.map_or_else(|| organization.replace('.', "-"), str::to_owned)
}

/// The organization that a name or an address means.
pub(crate) fn organization(service: &Service, text: &str) -> Result<String> {
    if text.trim().is_empty() {
        return Err(Error::coded("organization-needed"));
    }
    let address = service.preflight.address(text);
    let address = address.map_err(|hint| Error::Request {
        code: "organization-name",
        message: format!("{text} is not the name of an organization: {hint}"),
    })?;
    Ok(address.organization)
}

/// Names of credentials and app profiles: 1 to 64 letters, digits, blanks and `-_.@`, beginning with a letter or digit.
pub(crate) fn check_label(code: &'static str, name: &str) -> Result<()> {
    let fits = name.chars().count() <= 64
        && name.starts_with(char::is_alphanumeric)
        && !name.ends_with(' ')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | ' '));
    if fits {
        return Ok(());
    }
    Err(Error::Request {
        code,
        message: format!("{name:?} cannot be a name"),
    })
}

pub(super) fn check_sync(sync: &SyncSettings) -> Result<()> {
    let zone = match &sync.when {
        SyncTime::Hours { time_zone, .. } if TimeZone::get(time_zone).is_err() => {
            Some("the time zone is not known: give an IANA name, for example Europe/Berlin")
        }
        _ => None,
    };
    match sync.fault().or(zone) {
        Some(fault) => Err(Error::Request {
            code: "sync-settings",
            message: fault.to_owned(),
        }),
        None => Ok(()),
    }
}
