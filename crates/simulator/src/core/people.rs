//! People of the tenant and the forms in which answers show them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::Ids;

#[derive(Debug)]
pub(crate) struct Person {
    pub id: Uuid,
    pub display_name: String,
    /// The mail address.
    pub unique_name: String,
    /// Subject descriptor, `aad.…`.
    pub descriptor: String,
}

impl Person {
    /// A service principal or managed identity, which has no mail.
    pub(crate) fn application(name: &str, client: Uuid, principal: Uuid) -> Self {
        let id = Uuid::new_v5(&principal, b"storage key");
        Self {
            id,
            display_name: name.to_owned(),
            unique_name: client.to_string(),
            descriptor: format!("aadsp.{}", URL_SAFE_NO_PAD.encode(id.to_string())),
        }
    }

    /// Somebody of the tenant who is in no organization.
    pub(crate) fn unknown(name: &str, mail: &str, object: Uuid) -> Self {
        let id = Uuid::new_v5(&object, b"storage key");
        Self {
            id,
            display_name: name.to_owned(),
            unique_name: mail.to_owned(),
            descriptor: format!("aad.{}", URL_SAFE_NO_PAD.encode(id.to_string())),
        }
    }

    /// `IdentityRef` as the work item, git and wiki areas send it.
    pub(crate) fn reference(&self, base: &str) -> Value {
        let avatar = format!(
            "{base}/_apis/GraphProfile/MemberAvatars/{}",
            self.descriptor
        );
        json!({
            "displayName": self.display_name,
            "url": format!("{base}/_apis/Identities/{}", self.id),
            "_links": {"avatar": {"href": avatar}},
            "id": self.id,
            "uniqueName": self.unique_name,
            "imageUrl": avatar,
            "descriptor": self.descriptor,
        })
    }

    /// `Name <mail>`, the form of identities in fields when references are not asked for.
    pub(crate) fn combined(&self) -> String {
        format!("{} <{}>", self.display_name, self.unique_name)
    }
}

/// The people that an organization can resolve. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct People(Arc<Vec<Arc<Person>>>);

impl People {
    pub(crate) fn with_administrator(ids: &mut Ids) -> Self {
        let mut people = Self(Arc::new(Vec::new()));
        people.add(ids, "Contoso Administrator", "admin@contoso.example");
        people
    }

    /// Everyone of a tenant who is no guest; its first person is the administrator.
    pub(crate) fn of_tenant(tenant: &crate::entra::Tenant) -> Self {
        let people = tenant
            .users
            .iter()
            .filter(|user| !user.upn().contains("#EXT#"));
        let person =
            |user: &crate::entra::User| Arc::new(Person::unknown(user.name(), user.upn(), user.id));
        Self(Arc::new(people.map(person).collect()))
    }

    pub(crate) fn add(&mut self, ids: &mut Ids, display_name: &str, mail: &str) -> Arc<Person> {
        if let Some(known) = self.find(mail) {
            return known;
        }
        let id = ids.guid();
        let person = Arc::new(Person {
            id,
            display_name: display_name.to_owned(),
            unique_name: mail.to_owned(),
            descriptor: format!("aad.{}", URL_SAFE_NO_PAD.encode(id.to_string())),
        });
        Arc::make_mut(&mut self.0).push(Arc::clone(&person));
        person
    }

    /// The owner of every PAT.
    pub(crate) fn administrator(&self) -> Arc<Person> {
        Arc::clone(&self.0[0])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Person>> {
        self.0.iter()
    }

    /// By id, descriptor, mail, display name or `Name <mail>`, without regard to case.
    pub(crate) fn find(&self, text: &str) -> Option<Arc<Person>> {
        let text = text.trim();
        let mail = text
            .rsplit_once('<')
            .and_then(|(_, rest)| rest.strip_suffix('>'))
            .unwrap_or(text);
        self.0
            .iter()
            .find(|person| {
                person.unique_name.eq_ignore_ascii_case(mail)
                    || person.descriptor.eq_ignore_ascii_case(text)
                    || person.display_name.to_lowercase() == text.to_lowercase()
                    || Uuid::parse_str(text).is_ok_and(|id| id == person.id)
            })
            .cloned()
    }
}
