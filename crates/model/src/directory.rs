//! People, groups and sites of a tenant, and which of them are protected.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    User,
    Group,
    Site,
}

impl EntryKind {
    pub const ALL: [Self; 3] = [Self::User, Self::Group, Self::Site];

    /// The name of the kind of data that holds such entries.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Site => "site",
        }
    }
}

/// What sort of its kind an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nature {
    /// A person of the tenant with a license.
    Member,
    /// A person of another tenant.
    Guest,
    /// A mailbox that nobody signs in to, of several people or of a room: it needs no license of the service.
    SharedMailbox,
    /// An account without a license: of a program, or of a person who uses nothing that is backed up.
    Account,
    /// A group with a mailbox and a site.
    UnifiedGroup,
    Team,
    SecurityGroup,
    DistributionList,
    Site,
    /// The site behind a person's files.
    PersonalSite,
}

impl Nature {
    /// Whether it is protected unless a person decides otherwise.
    pub fn usually_protected(self) -> bool {
        !matches!(self, Self::Guest | Self::Account)
    }
}

/// One user, group or site, as the service lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: String,
    pub name: String,
    /// Its sign-in name, mail address or web address.
    pub address: Option<String>,
    pub nature: Nature,
    /// Somebody can sign in; true for what nobody signs in to.
    pub enabled: bool,
}

/// Who decides which users are protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Licensing {
    /// All but guests and accounts without a license, unless a person says otherwise.
    #[default]
    Automatic,
    /// Only those whom a person has chosen.
    Manual,
}

impl Licensing {
    /// What it has an effect on, in words for a person.
    pub const SCOPE: &str = "Licensing is for the data of people, such as mail and files, of which this version backs up none. The directory is backed up with the entries of all users, licensed or not; the selection of a policy can leave users out.";

    /// Whether such a user is protected; a person's decision stands whatever the rule says.
    pub fn protects(self, nature: Nature, decided: Option<bool>, waiting: bool) -> bool {
        let rule = match self {
            Self::Automatic => nature.usually_protected() && !waiting,
            Self::Manual => false,
        };
        decided.unwrap_or(rule)
    }
}

/// An entry, and what was decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownEntry {
    pub entry: Entry,
    /// A person's decision, which stands whatever the rule says.
    pub decided: Option<bool>,
    /// It came while new ones were not to be protected by themselves.
    pub waiting: bool,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
}

impl KnownEntry {
    pub fn is_protected(&self, licensing: Licensing) -> bool {
        licensing.protects(self.entry.nature, self.decided, self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(nature: Nature, decided: Option<bool>, waiting: bool) -> KnownEntry {
        KnownEntry {
            entry: Entry {
                id: "1".to_owned(),
                name: "Ada".to_owned(),
                address: None,
                nature,
                enabled: true,
            },
            decided,
            waiting,
            first_seen: Timestamp::UNIX_EPOCH,
            last_seen: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn xm_07_a_decision_outranks_the_rule_and_the_rule_leaves_out_guests() {
        use Licensing::{Automatic, Manual};
        for (nature, decided, waiting, automatic, manual) in [
            (Nature::Member, None, false, true, false),
            (Nature::SharedMailbox, None, false, true, false),
            (Nature::Guest, None, false, false, false),
            (Nature::Account, None, false, false, false),
            (Nature::Member, None, true, false, false),
            (Nature::Member, Some(true), true, true, true),
            (Nature::Member, Some(false), false, false, false),
            (Nature::Guest, Some(true), false, true, true),
        ] {
            let entry = known(nature, decided, waiting);
            assert_eq!(entry.is_protected(Automatic), automatic, "{entry:?}");
            assert_eq!(entry.is_protected(Manual), manual, "{entry:?}");
        }
    }
}
