//! The check of a connector before anything is saved.

use async_trait::async_trait;
use model::Class;
use serde::{Deserialize, Serialize};

use crate::entra::Api;
use crate::{Client, Error, Result};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Pass,
    /// It works, and something is worth knowing.
    Warning,
    /// This data cannot be backed up.
    Missing,
    /// What has to be so is not; [`Check::blocks`] says whether anything can be backed up all the same.
    Fail,
    /// It could not be found out; nothing is guessed.
    Unknown,
}

/// One line of a preflight.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// `credential`, `organization`, or the kind that it is about.
    pub name: String,
    pub outcome: Outcome,
    /// Nothing can be backed up while it stands so, and nothing is connected.
    pub blocks: bool,
    /// Begins with a capital letter and has no full stop, as the titles of codes.
    pub message: String,
    /// What the person can do.
    pub hint: Option<String>,
    /// A code of [`model::code::CODES`] unless it passed.
    pub code: Option<&'static str>,
    /// The titles of the kinds that are not backed up, or not in full, while it stands so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub costs: Vec<&'static str>,
    /// A page of the service's maker on how to change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<&'static str>,
}

impl Check {
    /// One that fails blocks, unless it is [`passable`](Self::passable).
    pub fn new(name: &str, outcome: Outcome, message: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            outcome,
            blocks: outcome == Outcome::Fail,
            message: sentence(message.into()),
            hint: None,
            code: None,
            costs: Vec::new(),
            link: None,
        }
    }

    pub fn pass(name: &str, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::Pass, message)
    }

    /// It fails, and what can be read is backed up all the same.
    #[must_use]
    pub fn passable(mut self) -> Self {
        self.blocks = false;
        self
    }

    /// Why it did not pass; the hint is the code's remedy.
    #[must_use]
    pub fn coded(mut self, code: &'static str) -> Self {
        self.hint = model::code::find(code).map(|code| code.remedy.to_owned());
        self.code = Some(code);
        self
    }

    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(sentence(hint.into()));
        self
    }

    #[must_use]
    pub fn costing(mut self, kinds: impl IntoIterator<Item = &'static str>) -> Self {
        self.costs.extend(kinds);
        self
    }

    #[must_use]
    pub fn linked(mut self, link: &'static str) -> Self {
        self.link = Some(link);
        self
    }
}

/// Messages of errors begin in lower case, since they follow something; here they stand alone.
fn sentence(text: String) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(letters).collect(),
        _ => text,
    }
}

/// An organization that an identity reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub organization: String,
    /// The service's own id of it.
    pub id: String,
    /// The identity owns it.
    pub owner: bool,
    /// The tenant that it belongs to; `None` where that could not be read, or where it belongs to personal accounts.
    pub tenant: Option<String>,
    /// It belongs to personal accounts, which tokens of Entra ID do not reach.
    pub personal: Option<bool>,
}

/// What an identity reaches. Organizations are checked one by one afterwards, also those that will be left out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Discovery {
    /// As the service names the account.
    pub account: Option<String>,
    pub organizations: Vec<Reached>,
    /// What is to be said about the identity or about finding none.
    pub checks: Vec<Check>,
}

/// How an application holds a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PermissionType {
    /// For the person who signed in, and no more than that person may; scopes of personal access tokens have the same names.
    Delegated,
    /// For the application itself.
    Application,
}

/// What a permission is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    SignIn,
    /// Preflight tells more with it; nothing depends on it.
    Check,
    /// Reads alone.
    Backup,
    /// Writes; a backup works without it.
    Restore,
}

/// A line of the table that people see before they consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiPermission {
    /// `Azure DevOps`.
    pub api: &'static str,
    /// `vso.code`.
    pub permission: &'static str,
    #[serde(rename = "type")]
    pub kind: PermissionType,
    pub purpose: Purpose,
    pub why: String,
    /// The titles of the kinds of data that need it; none for what serves all of them.
    pub serves: Vec<&'static str>,
}

/// A repository that an identity reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepositorySummary {
    pub project: String,
    pub name: String,
    pub id: String,
    pub disabled: bool,
}

/// A commit as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitSummary {
    pub id: String,
    pub author: String,
    /// As the service writes it.
    pub date: String,
    /// The first line.
    pub message: String,
}

/// What an address that a person pasted leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub organization: String,
    pub part: Option<AddressPart>,
}

/// A part of an organization that an address may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressPart {
    Repository { project: String, name: String },
    Wiki { project: String, name: String },
}

/// A service's own checks of organization and credential.
#[async_trait]
pub trait Preflight: Send + Sync {
    /// The organization that a name or a pasted address is about; else what to give, in words. Sends nothing.
    fn address(&self, text: &str) -> Result<Address, &'static str> {
        let organization = text.trim().to_owned();
        if organization.is_empty() {
            return Err("the organization is missing");
        }
        Ok(Address {
            organization,
            part: None,
        })
    }

    /// What its tokens of Entra ID are for.
    fn api(&self) -> Api {
        Api::AzureDevops
    }

    /// Stops at the first hard failure, collects the rest. Reads only.
    async fn check(&self, http: &Client, organization: &str) -> Vec<Check>;

    /// The organizations that the client's identity reaches. The client needs the addresses of hosts without an organization alone.
    async fn discover(&self, _http: &Client) -> Result<Discovery> {
        Ok(Discovery::default())
    }

    /// What the identity must be allowed, by purpose: from the kinds.
    fn permissions(&self) -> Vec<ApiPermission> {
        Vec::new()
    }

    /// The repositories that the client's identity can read.
    async fn repositories(&self, _http: &Client) -> Result<Vec<RepositorySummary>> {
        Err(without_repositories())
    }

    /// How its documents name people, where they do.
    fn people(&self) -> Option<&'static dyn crate::people::People> {
        None
    }

    /// People, groups and sites, where the source holds such.
    fn directory(&self) -> Option<&'static dyn crate::directory::Directory> {
        None
    }

    /// The newest commits of a repository's default branch.
    async fn commits(
        &self,
        _http: &Client,
        _project: &str,
        _repository: &str,
        _most: usize,
    ) -> Result<Vec<CommitSummary>> {
        Err(without_repositories())
    }
}

fn without_repositories() -> Error {
    Error::new(
        Class::Unsupported,
        "kind-unknown",
        "this service has no repositories",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_check_says_begins_as_a_sentence() {
        let error = Error::malformed("the service names no tenant");
        let check = Check::new("organization", Outcome::Fail, error.message);
        assert_eq!(check.message, "The service names no tenant");
        let hint = check.hinted("éteindre, 1").hint;
        assert_eq!(hint.as_deref(), Some("Éteindre, 1"));
        for text in ["", "GET dev/x: not found", "12 units are left"] {
            assert_eq!(sentence(text.to_owned()), text);
        }
    }
}
