//! Another name for a connector: nothing that is for it may get lost with the old one.

use model::policy::{covering, matches};
use model::{Connector, Policy};

use super::given::check_name;
use super::secrets::own_credential;
use crate::identity::rng;
use crate::{Control, Error, Result};

/// Names of connectors with `old` under its new name; patterns stay.
fn renamed(patterns: &[String], old: &str, new: &str) -> Vec<String> {
    let name = |pattern: &String| {
        let names = pattern.eq_ignore_ascii_case(old);
        if names { new } else { pattern }.to_owned()
    };
    patterns.iter().map(name).collect()
}

impl Control {
    /// Refuses a name that is none or is taken, and one under which other policies or notifications would be for the connector: patterns
    /// do not follow, and whoever renames would change, without saying so, how long snapshots are kept or who hears of failures.
    pub(super) async fn may_be_named(&self, before: &Connector, name: &str) -> Result<()> {
        check_name(name)?;
        let old = before.name.as_str();
        let same = name.eq_ignore_ascii_case(old);
        if !same && self.connector_named(name).await?.is_some() {
            let name = name.to_owned();
            return Err(catalog::Error::ConnectorExists { name }.into());
        }
        let policies = self.catalog.policies().await?;
        let policies: Vec<Policy> = policies.into_iter().map(|row| row.policy).collect();
        let after: Vec<Policy> = policies
            .iter()
            .map(|policy| Policy {
                connectors: renamed(&policy.connectors, old, name),
                ..policy.clone()
            })
            .collect();
        let names = |all: Vec<&Policy>| -> Vec<String> {
            all.into_iter().map(|policy| policy.name.clone()).collect()
        };
        let would = names(covering(&after, name));
        let mut was = vec![names(covering(&policies, old))];
        let former = self.catalog.former_connectors().await?;
        if former.iter().any(|one| one.name.eq_ignore_ascii_case(name)) {
            // What a connector of that name once made stays for as long as it did.
            was.push(names(covering(&policies, name)));
        }
        let mut changes: Vec<String> = Vec::new();
        for was in &was {
            let all = was.iter().chain(&would);
            let other = all.filter(|name| was.contains(name) != would.contains(name));
            changes.extend(other.map(|name| format!("policy {name}")));
        }
        let tells = |patterns: &[String], name: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, name))
        };
        for row in self.catalog.channels().await? {
            let channel = row.channel;
            let after = renamed(&channel.connectors, old, name);
            if tells(&channel.connectors, old) != tells(&after, name) {
                changes.push(format!("notification {}", channel.name));
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        Err(Error::Request {
            code: "connector-name-patterns",
            message: format!(
                "under the name {name} the connector would begin or cease to belong to: {}",
                changes.join(", ")
            ),
        })
    }

    /// Saves it under its new name. The credential that it has for itself is called after it, and follows.
    pub(super) async fn rename(&self, before: &Connector, after: &mut Connector) -> Result<()> {
        let (from, to) = (own_credential(&before.name), own_credential(&after.name));
        let own = after.credential.eq_ignore_ascii_case(&from) && !from.eq_ignore_ascii_case(&to);
        if own {
            after.credential.clone_from(&to);
        }
        let credential = own.then_some((from.as_str(), to.as_str()));
        self.catalog
            .rename_connector(&self.kek, before, after, credential, &mut rng())
            .await?;
        if own {
            self.forget_tokens(&from);
        }
        Ok(())
    }
}
