//! Connectors: a configured, authenticated connection to one organization or tenant.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::CredentialName;

/// One organization or tenant that we protect; it names its credentials and never holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    /// [`is_name`], unique without regard to case.
    pub name: String,
    /// `azure-devops`, `microsoft-365`.
    pub service: String,
    /// The organization, or the tenant's domain or id.
    pub organization: String,
    /// Another host than the service's own, with the organization in it: a simulator or a Server collection.
    pub url: Option<String>,
    /// [`crate::SignIn::method`] of its credential: `pat`, `user`, `managed-identity`, …
    pub method: String,
    /// Reads for backups.
    pub credential: CredentialName,
    /// Writes for restores; without one, `credential` has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_credential: Option<CredentialName>,
    /// The Entra tenant that the organization belongs to, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    #[serde(default)]
    pub status: ConnectorStatus,
    /// The worker that runs its backups unless a policy says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    #[serde(default)]
    pub sync: SyncSettings,
    /// 1970 for connectors that are older than this member.
    #[serde(default)]
    pub created: Timestamp,
    #[serde(default)]
    pub updated: Timestamp,
}

/// How a connector stood when it was last used or tested.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ConnectorStatus {
    #[default]
    Connected,
    /// The identity is no longer let in: a person has to sign in, or give a new secret.
    SignInNeeded { why: String, since: Timestamp },
    /// Something else went wrong with the connection.
    Failed { why: String, since: Timestamp },
}

impl ConnectorStatus {
    /// As stored and shown: `connected`, `sign-in-needed`, `failed`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::SignInNeeded { .. } => "sign-in-needed",
            Self::Failed { .. } => "failed",
        }
    }
}

/// How what is new in the service gets into the backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncSettings {
    /// New projects, repositories and users are protected without being asked for.
    pub add_new: bool,
    pub when: SyncTime,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            add_new: true,
            when: SyncTime::Interval { minutes: 60 * 24 },
        }
    }
}

/// When the service is asked for what is new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum SyncTime {
    /// At these full hours (0 to 23) of the time zone, an IANA name.
    Hours {
        hours: Vec<u8>,
        time_zone: String,
    },
    Interval {
        minutes: u32,
    },
}

impl SyncSettings {
    /// What is wrong with them, in words; whether the time zone exists is for its user to find out.
    pub fn fault(&self) -> Option<&'static str> {
        match &self.when {
            SyncTime::Hours { hours, .. } if hours.is_empty() => Some("choose at least one hour"),
            SyncTime::Hours { hours, .. } if hours.iter().any(|hour| *hour > 23) => {
                Some("hours are 0 to 23")
            }
            SyncTime::Interval { minutes } if !(5..=60 * 24 * 31).contains(minutes) => {
                Some("the interval is 5 minutes to 31 days")
            }
            _ => None,
        }
    }
}

/// `^[A-Za-z][A-Za-z0-9-]{2,31}$` (SRE-05 to SRE-07).
pub fn is_name(text: &str) -> bool {
    (3..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// `^[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?$` (SRE-10, SRE-11).
pub fn is_organization(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    (1..=50).contains(&text.len())
        && text.starts_with(edge)
        && text.ends_with(edge)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sre_05_sre_07_names_that_fit_the_pattern() {
        for name in [
            "ado-contoso",
            "my-org-connector",
            "abc",
            "abc-",
            &"a".repeat(32),
        ] {
            assert!(is_name(name), "{name}");
        }
    }

    #[test]
    fn sre_06_names_that_do_not() {
        for name in [
            "ab",
            "1abc",
            "-abc",
            "a_bc",
            "a.bc",
            "a bc",
            "äbc",
            "abcé",
            "abc\n",
            "",
            &"a".repeat(33),
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn sre_10_organizations_that_fit_the_pattern() {
        for name in ["c", "7", "contoso", "con-toso-2", &"a".repeat(50)] {
            assert!(is_organization(name), "{name}");
        }
    }

    #[test]
    fn sre_11_organizations_that_do_not() {
        for name in [
            "-contoso",
            "contoso-",
            "-",
            "con_toso",
            "con.toso",
            "con toso",
            "",
            "çontoso",
            "contoso\n",
            &"a".repeat(51),
        ] {
            assert!(!is_organization(name), "{name}");
        }
    }

    #[test]
    fn a_connector_of_an_older_document_reads_with_usual_settings() {
        let old = r#"{"name":"contoso","service":"azure-devops","organization":"contoso","url":null,"method":"pat","credential":"x"}"#;
        let connector: Connector = serde_json::from_str(old).unwrap();
        assert_eq!(connector.status, ConnectorStatus::Connected);
        assert!(connector.sync.add_new && connector.sync.fault().is_none());
    }

    #[test]
    fn xa_11_sync_takes_hours_of_a_zone_or_an_interval() {
        let settings = |when| SyncSettings {
            add_new: true,
            when,
        };
        let hours = |hours: &[u8], zone: &str| {
            settings(SyncTime::Hours {
                hours: hours.to_vec(),
                time_zone: zone.to_owned(),
            })
        };
        assert_eq!(hours(&[0, 23], "UTC").fault(), None);
        assert!(hours(&[], "UTC").fault().is_some());
        assert!(hours(&[24], "UTC").fault().is_some());
        for (minutes, fits) in [
            (4, false),
            (5, true),
            (60 * 24 * 31, true),
            (u32::MAX, false),
        ] {
            assert_eq!(
                settings(SyncTime::Interval { minutes }).fault().is_none(),
                fits,
                "{minutes}"
            );
        }
    }
}
