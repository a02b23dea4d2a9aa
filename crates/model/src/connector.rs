//! Connectors: a configured, authenticated connection to one organization.

use serde::{Deserialize, Serialize};

use crate::CredentialName;

/// One organization that we protect; it names its credential and never holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    /// `^[A-Za-z][A-Za-z0-9-]{2,31}$`, unique without regard to case.
    pub name: String,
    /// `azure-devops`.
    pub service: String,
    pub organization: String,
    /// Another host than the service's own, with the organization in it: a simulator or a Server collection.
    pub url: Option<String>,
    /// `pat`.
    pub method: String,
    pub credential: CredentialName,
}
