//! The groups of a whole organization.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::identities::legacy_descriptor;
use crate::world::{Organization, Person};

/// A group that every organization has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Group {
    Administrators,
    ValidUsers,
}

impl Group {
    pub(crate) const ALL: [Self; 2] = [Self::Administrators, Self::ValidUsers];

    fn name(self) -> &'static str {
        match self {
            Self::Administrators => "Project Collection Administrators",
            Self::ValidUsers => "Project Collection Valid Users",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Administrators => {
                "Members of this application group can perform all privileged operations on the Team Project Collection."
            }
            Self::ValidUsers => {
                "Members of this application group have access to the Team Project Collection."
            }
        }
    }

    /// The last number of the SID is the same in every organization.
    fn sid(self, organization: &Organization) -> String {
        let end = match self {
            Self::Administrators => 1,
            Self::ValidUsers => 3,
        };
        let id = organization.id.as_u128();
        let part = |at: u32| (id >> (32 * at)) as u32;
        format!(
            "S-1-9-1551374245-{}-{}-{}-{}-0-0-0-0-{end}",
            part(3),
            part(2),
            part(1),
            part(0)
        )
    }

    pub(crate) fn id(self, organization: &Organization) -> Uuid {
        Uuid::new_v5(&organization.id, self.name().as_bytes())
    }

    /// The subject descriptor.
    pub(crate) fn descriptor(self, organization: &Organization) -> String {
        format!("vssgp.{}", URL_SAFE_NO_PAD.encode(self.sid(organization)))
    }

    pub(super) fn legacy(self, organization: &Organization) -> String {
        format!(
            "Microsoft.TeamFoundation.Identity;{}",
            self.sid(organization)
        )
    }

    fn principal_name(self, organization: &Organization) -> String {
        format!("[{}]\\{}", organization.name, self.name())
    }

    /// By descriptor of either form, id, name or `[organization]\name`.
    pub(crate) fn find(organization: &Organization, text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| {
            [
                group.descriptor(organization),
                group.legacy(organization),
                group.id(organization).to_string(),
                group.principal_name(organization),
                group.name().to_owned(),
            ]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(text.trim()))
        })
    }

    /// Whether a search for the text finds it, by the beginning of its name.
    pub(super) fn is_found_by(self, organization: &Organization, text: &str) -> bool {
        let text = text.to_lowercase();
        let names = [self.name().to_owned(), self.principal_name(organization)];
        names
            .iter()
            .any(|name| name.to_lowercase().starts_with(&text))
            || Self::find(organization, &text) == Some(self)
    }

    pub(crate) fn has(self, organization: &Organization, person: &Person) -> bool {
        let membership = organization.access.membership(person.id);
        membership.member && (self == Self::ValidUsers || membership.administrator)
    }

    /// People and applications.
    pub(crate) fn members(self, organization: &Organization) -> Vec<&Person> {
        let people = organization.people.iter().map(AsRef::as_ref);
        let applications = organization
            .access
            .applications()
            .map(|(person, _)| person.as_ref());
        people
            .chain(applications)
            .filter(|person| self.has(organization, person))
            .collect()
    }

    /// `GraphGroup`.
    pub(crate) fn document(self, organization: &Organization, base: &str) -> Value {
        let descriptor = self.descriptor(organization);
        let url = format!("{base}/_apis/Graph/Groups/{descriptor}");
        json!({
            "subjectKind": "group",
            "description": self.description(),
            "domain": format!("vstfs:///Framework/IdentityDomain/{}", organization.id),
            "principalName": self.principal_name(organization),
            "mailAddress": null,
            "origin": "vsts",
            "originId": self.id(organization),
            "displayName": self.name(),
            "_links": {
                "self": {"href": url},
                "memberships": {"href": format!("{base}/_apis/Graph/Memberships/{descriptor}")},
                "membershipState": {"href": format!("{base}/_apis/Graph/MembershipStates/{descriptor}")},
                "storageKey": {"href": format!("{base}/_apis/Graph/StorageKeys/{descriptor}")},
            },
            "url": url,
            "descriptor": descriptor,
        })
    }

    /// `Identity`, with its members if they were asked for.
    pub(crate) fn identity(self, organization: &Organization, members: bool) -> Value {
        let text = |text: &str| json!({"$type": "System.String", "$value": text});
        let (ids, descriptors): (Vec<Uuid>, Vec<String>) = if members {
            self.members(organization)
                .into_iter()
                .map(|person| (person.id, legacy_descriptor(organization, person)))
                .unzip()
        } else {
            (Vec::new(), Vec::new())
        };
        json!({
            "id": self.id(organization),
            "descriptor": self.legacy(organization),
            "subjectDescriptor": self.descriptor(organization),
            "providerDisplayName": self.principal_name(organization),
            "isActive": true,
            "isContainer": true,
            "members": descriptors,
            "memberOf": [],
            "memberIds": ids,
            "properties": {
                "SchemaClassName": text("Group"),
                "Description": text(self.description()),
                "Domain": text(&format!("vstfs:///Framework/IdentityDomain/{}", organization.id)),
                "Account": text(self.name()),
                "SecurityGroup": text("SecurityGroup"),
                "SpecialType": text(if self == Self::Administrators { "AdministrativeApplicationGroup" } else { "EveryoneApplicationGroup" }),
            },
            "resourceVersion": 2,
            "metaTypeId": 255,
        })
    }
}
