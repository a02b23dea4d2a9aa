//! Microsoft Graph: the directory of a tenant, its sites, and a little of mailboxes and drives.

mod answer;
mod batch;
pub(crate) mod control;
mod delta;
mod directory;
mod drives;
mod error;
mod filter;
mod list;
mod mail;
mod seed;
mod sites;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use uuid::Uuid;

pub(crate) use answer::{Request, answer, belongs_here};
pub(crate) use error::fault;
pub(crate) use seed::fill as seed;

/// What a tenant holds beside its people.
#[derive(Default)]
pub(crate) struct Directory {
    pub groups: Vec<Group>,
    pub sites: Vec<Site>,
    /// By object, the properties that once had a value and have none now.
    pub cleared: BTreeMap<String, BTreeSet<String>>,
    /// Everything that changed, in order: delta tokens are places in it.
    pub log: Vec<Change>,
    /// Tokens for places before this one have expired.
    pub oldest: usize,
    /// Changes of every object count: a new token, or a full listing.
    pub throttle: Throttle,
}

/// Requests that are refused by the limits of the service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Throttle {
    /// So many requests get 429.
    pub count: u32,
    /// Seconds.
    pub retry_after: u64,
}

pub(crate) struct Group {
    pub id: Uuid,
    pub properties: Map<String, Value>,
    /// People and groups.
    pub members: Vec<Uuid>,
    pub owners: Vec<Uuid>,
}

impl Group {
    pub(crate) fn list(&self, relation: Relation) -> &[Uuid] {
        match relation {
            Relation::Members => &self.members,
            Relation::Owners => &self.owners,
        }
    }

    pub(crate) fn list_mut(&mut self, relation: Relation) -> &mut Vec<Uuid> {
        match relation {
            Relation::Members => &mut self.members,
            Relation::Owners => &mut self.owners,
        }
    }
}

pub(crate) struct Site {
    /// `host,site collection,web`.
    pub id: String,
    pub properties: Map<String, Value>,
    /// Names of the lists and libraries.
    pub lists: Vec<String>,
    /// A subsite of another.
    pub parent: Option<String>,
    /// The `OneDrive` of a person.
    pub personal: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Collection {
    Users,
    Groups,
    Sites,
}

/// One change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub collection: Collection,
    pub id: String,
    pub what: What,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum What {
    Changed,
    /// Gone; whether it can be restored.
    Removed {
        recoverable: bool,
    },
    Joined(Relation, Uuid),
    Left(Relation, Uuid),
}

/// A list within a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Relation {
    Members,
    Owners,
}

impl Relation {
    /// The name of the list in requests.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Owners => "owners",
        }
    }
}

impl Directory {
    pub(crate) fn note(&mut self, collection: Collection, id: impl Into<String>, what: What) {
        self.log.push(Change {
            collection,
            id: id.into(),
            what,
        });
    }

    /// Notes that properties lost their values: later rounds of changes show them without one.
    pub(crate) fn clear(&mut self, id: &str, properties: Vec<String>) {
        if !properties.is_empty() {
            self.cleared
                .entry(id.to_owned())
                .or_default()
                .extend(properties);
        }
    }

    pub(crate) fn note_user(&mut self, id: Uuid) {
        self.note(Collection::Users, id, What::Changed);
    }

    /// The groups that a person is in, directly or through other groups.
    pub(crate) fn groups_of(&self, member: Uuid) -> Vec<Uuid> {
        let mut found: Vec<Uuid> = Vec::new();
        let mut next = vec![member];
        while let Some(id) = next.pop() {
            for group in self
                .groups
                .iter()
                .filter(|group| group.members.contains(&id))
            {
                if !found.contains(&group.id) {
                    found.push(group.id);
                    next.push(group.id);
                }
            }
        }
        found
    }

    pub(crate) fn group(&self, id: &str) -> Option<&Group> {
        let id = Uuid::parse_str(id).ok()?;
        self.groups.iter().find(|group| group.id == id)
    }
}
