//! A tenant: the directory, and who consented to what in it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::graph;

pub(crate) struct Tenant {
    pub id: Uuid,
    pub name: String,
    /// `….onmicrosoft.com`, which a tenant begins with, and the one of its own that addresses have.
    pub domains: [String; 2],
    pub users: Vec<User>,
    /// What apps are here, by client id: the enterprise applications.
    pub principals: BTreeMap<Uuid, Principal>,
    pub rules: Rules,
    /// Groups, sites and the record of changes.
    pub directory: graph::Directory,
}

/// What the tenant's administrators have decided.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// People may consent to what needs no administrator.
    pub user_consent: bool,
    pub device_flow: DeviceFlow,
    /// Every sign-in and every refresh is blocked by Conditional Access.
    pub blocks_everyone: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            user_consent: true,
            device_flow: DeviceFlow::Allowed,
            blocks_everyone: false,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DeviceFlow {
    Allowed,
    /// By Conditional Access, AADSTS53003.
    Blocked,
    /// A confirmation is asked for that the client cannot give, AADSTS50199.
    Interrupted,
}

/// An app in a tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Principal {
    pub id: Uuid,
    /// Application permissions that an administrator granted, as `User.Read.All`.
    pub roles: BTreeSet<String>,
    /// Delegated permissions granted for everyone, as `{resource id}/{scope}`.
    pub for_all: BTreeSet<String>,
    /// Delegated permissions by person.
    pub by_person: BTreeMap<Uuid, BTreeSet<String>>,
    pub disabled: bool,
}

pub(crate) struct User {
    pub id: Uuid,
    /// As Microsoft Graph shows it.
    pub properties: Map<String, Value>,
    /// Global Administrator.
    pub administrator: bool,
    /// Tokens that were issued before do not refresh.
    pub sessions_from: i64,
    /// Conditional Access blocks this person.
    pub blocked: bool,
}

impl User {
    fn text(&self, name: &str) -> &str {
        self.properties
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The user principal name.
    pub(crate) fn upn(&self) -> &str {
        self.text("userPrincipalName")
    }

    pub(crate) fn name(&self) -> &str {
        self.text("displayName")
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.properties.get("accountEnabled") != Some(&json!(false))
    }

    pub(crate) fn is_named(&self, name: &str) -> bool {
        let same = |own: &str| own.to_lowercase() == name.to_lowercase();
        same(self.upn()) || same(&self.id.to_string())
    }
}

impl Tenant {
    /// The domain of its people's addresses.
    pub(crate) fn domain(&self) -> &str {
        &self.domains[1]
    }

    pub(crate) fn is_named(&self, name: &str) -> bool {
        Uuid::parse_str(name).is_ok_and(|id| id == self.id)
            || self
                .domains
                .iter()
                .any(|domain| domain.eq_ignore_ascii_case(name))
    }

    /// By object id or user principal name.
    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.is_named(name))
    }

    /// A guest by the address of the account at home.
    pub(crate) fn guest(&self, mail: &str) -> Option<&User> {
        let mut guests = self
            .users
            .iter()
            .filter(|user| user.text("userType") == "Guest");
        guests.find(|user| user.text("mail").eq_ignore_ascii_case(mail))
    }

    pub(crate) fn user_mut(&mut self, name: &str) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.is_named(name))
    }

    pub(crate) fn user_by_id(&self, id: Uuid) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// As tokens for FIC and apps outside a simulator name it.
    pub(crate) fn issuer(&self) -> String {
        format!("https://login.microsoftonline.com/{}/v2.0", self.id)
    }
}

/// The object id of the directory's entry for a person of Azure DevOps: another one than Azure DevOps itself uses.
pub(crate) fn object_id(mail: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, mail.to_lowercase().as_bytes())
}
