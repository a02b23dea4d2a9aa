//! Where people are told what happened.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What a channel tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    Success,
    /// A run that did its work, with issues.
    Warning,
    Failure,
    /// Something that nobody started is wrong: no good backup for too long, a secret that expires.
    Alarm,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailSecurity {
    /// From the first byte.
    Tls,
    /// Begun in clear, and refused unless the server goes on encrypted.
    #[default]
    Starttls,
    /// For a relay on this machine alone.
    None,
}

/// How a channel tells it. Secrets (passwords, signing keys, addresses that are secrets themselves) are in the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Destination {
    /// The secret is the password, where there is a user.
    Email {
        host: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        #[serde(default)]
        security: MailSecurity,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        from: String,
        to: Vec<String>,
    },
    /// JSON, signed as <https://www.standardwebhooks.com> says; the secret is the signing key.
    Webhook { url: String },
    /// The secret is the address.
    Slack,
    /// A workflow of Teams that takes adaptive cards; the secret is the address.
    Teams,
    /// A dead man's switch, which raises the alarm when it has not heard of us for a while; the secret is the address.
    Ping,
}

impl Destination {
    /// As stored and shown.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Email { .. } => "email",
            Self::Webhook { .. } => "webhook",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Ping => "ping",
        }
    }

    /// Whether the channel is of no use without one.
    pub fn needs_secret(&self) -> bool {
        !matches!(self, Self::Email { user: None, .. })
    }
}

/// One place to tell, and what of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Unique without regard to case.
    pub name: String,
    pub enabled: bool,
    pub to: Destination,
    pub on: BTreeSet<Occasion>,
    /// Names or patterns of connectors; empty for all, and for what is about none.
    #[serde(default)]
    pub connectors: Vec<String>,
}

impl Channel {
    /// Whether it tells of this. `connector` is that which it is about, if it is about one.
    pub fn tells(&self, occasion: Occasion, connector: Option<&str>) -> bool {
        let named = |name: &str| {
            self.connectors
                .iter()
                .any(|pattern| crate::policy::matches(pattern, name))
        };
        self.enabled
            && self.on.contains(&occasion)
            && (self.connectors.is_empty() || connector.is_some_and(named))
    }
}
