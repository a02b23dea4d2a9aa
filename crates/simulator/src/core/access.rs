//! Who is in an organization, with which licence and rights, and what its policies forbid.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::entra;
use crate::inspect::Sent;
use crate::server::{ApiError, Call, Reply};
use crate::world::{Organization, Person, World};

/// Who may enter an organization, and what for.
pub(crate) struct Access {
    /// The tenant that backs it; nil if it belongs to a personal account.
    pub tenant: Uuid,
    /// By id of the person; who is absent is a member with a Basic licence.
    members: BTreeMap<Uuid, Membership>,
    /// Service principals and managed identities that were added.
    applications: Vec<Application>,
    /// By name, as `Policy.DisallowOAuthAuthentication`.
    pub policies: BTreeMap<String, bool>,
    /// Conditional Access refuses requests from here.
    pub fenced: bool,
    denials: Vec<Denial>,
}

#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "as many as there are")]
pub(crate) struct Membership {
    pub member: bool,
    /// The person signed in to the organization once.
    pub entered: bool,
    pub stakeholder: bool,
    /// Project Collection Administrator.
    pub administrator: bool,
    pub owner: bool,
}

const MEMBER: Membership = Membership {
    member: true,
    entered: true,
    stakeholder: false,
    administrator: false,
    owner: false,
};

struct Application {
    /// The object id of the service principal.
    principal: Uuid,
    person: Arc<Person>,
    membership: Membership,
}

/// Bits of a security namespace that somebody lacks on everything below a token.
#[derive(Clone, Debug)]
pub(crate) struct Denial {
    /// Everybody if absent.
    person: Option<Uuid>,
    namespace: String,
    token: String,
    bits: u64,
}

const PROJECT: &str = "52d39943-cb85-4d7f-8fa8-c6baac873819";
const GIT: &str = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87";
const COLLECTION: &str = "3e65f728-f8bc-4ecd-8764-7e378b19bfa7";
const CSS: &str = "83e28ad4-2d72-4ceb-97b0-c7726d5502c3";
const IDENTITY: &str = "5a27515b-ccd7-42c9-84f1-54c998f03866";
/// Create projects, manage process templates, manage enterprise policies.
const ADMINISTRATORS_ONLY: u64 = 4 | 32 | 2_048;

/// What the caller of the request at hand may not do. Without a caller everything is allowed.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    denials: Vec<Denial>,
    stakeholder: bool,
    administrator: bool,
}

tokio::task_local! {
    static CALLER: View;
}

/// Answers a request as the caller may see it: lookups of projects and repositories ask.
pub(crate) async fn as_caller<F: Future>(view: View, work: F) -> F::Output {
    CALLER.scope(view, work).await
}

/// Whether the caller may read a project. Listings ask this for each of very many items.
pub(crate) fn reads_project(project: Uuid) -> bool {
    !is_restricted() || may(PROJECT, &project_token(project), 1)
}

/// Whether the caller has `GenericRead` on a repository: without it, the repository does not exist.
pub(crate) fn reads_repository(project: Uuid, repository: Uuid) -> bool {
    !is_restricted()
        || (may(GIT, &format!("repoV2/{project}/{repository}"), 2) && reads_project(project))
}

/// Whether the caller may view the work items of an area, whose token names each node from the root on.
pub(crate) fn reads_area(nodes: impl FnOnce() -> Vec<Uuid>) -> bool {
    if !is_restricted() {
        return true;
    }
    let node = |id: &Uuid| format!("vstfs:///Classification/Node/{id}");
    let token: Vec<String> = nodes().iter().map(node).collect();
    may(CSS, &token.join(":"), 16)
}

/// Whether the caller may see a team.
pub(crate) fn reads_team(project: Uuid, team: Uuid) -> bool {
    !is_restricted() || may(IDENTITY, &format!("{project}\\{team}"), 1)
}

fn is_restricted() -> bool {
    CALLER
        .try_with(|view| view.stakeholder || !view.denials.is_empty())
        .unwrap_or(false)
}

/// Whether the caller has the bits on a token of a namespace.
pub(crate) fn may(namespace: &str, token: &str, bits: u64) -> bool {
    CALLER
        .try_with(|view| view.allows(namespace, token, bits))
        .unwrap_or(true)
}

/// The token of a project in the namespace `Project`.
fn project_token(project: Uuid) -> String {
    format!("$PROJECT:vstfs:///Classification/TeamProject/{project}")
}

impl View {
    fn allows(&self, namespace: &str, token: &str, bits: u64) -> bool {
        let token = token.to_lowercase();
        let under = |prefix: &str| {
            token.strip_prefix(prefix).is_some_and(|rest| {
                rest.is_empty() || prefix.is_empty() || rest.starts_with([':', '/', '\\'])
            })
        };
        let denied = self.denials.iter().any(|denial| {
            denial.namespace.eq_ignore_ascii_case(namespace)
                && denial.bits & bits != 0
                && under(&denial.token)
        });
        let no_code = self.stakeholder && namespace.eq_ignore_ascii_case(GIT);
        let reserved = !self.administrator
            && namespace.eq_ignore_ascii_case(COLLECTION)
            && bits & ADMINISTRATORS_ONLY != 0;
        !denied && !no_code && !reserved
    }
}

impl Access {
    pub(crate) fn new(tenant: Uuid, owner: Uuid) -> Self {
        let owner_of_all = Membership {
            administrator: true,
            owner: true,
            ..MEMBER
        };
        Self {
            tenant,
            members: BTreeMap::from([(owner, owner_of_all)]),
            applications: Vec::new(),
            policies: BTreeMap::from([
                ("Policy.DisallowOAuthAuthentication".to_owned(), false),
                ("Policy.DisallowSecureShell".to_owned(), false),
                ("Policy.LogAuditEvents".to_owned(), true),
                ("Policy.AllowAnonymousAccess".to_owned(), false),
                ("Policy.EnforceAADConditionalAccess".to_owned(), false),
            ]),
            fenced: false,
            denials: Vec::new(),
        }
    }

    pub(crate) fn membership(&self, person: Uuid) -> Membership {
        let application = self
            .applications
            .iter()
            .find(|application| application.person.id == person)
            .map(|application| application.membership);
        self.members
            .get(&person)
            .copied()
            .or(application)
            .unwrap_or(MEMBER)
    }

    /// What somebody may not do.
    pub(crate) fn view(&self, person: Uuid) -> View {
        let membership = self.membership(person);
        View {
            denials: self
                .denials
                .iter()
                .filter(|denial| denial.person.is_none_or(|denied| denied == person))
                .cloned()
                .collect(),
            stakeholder: membership.stakeholder,
            administrator: membership.administrator,
        }
    }

    /// A service principal by its object id in the tenant.
    pub(crate) fn application(&self, principal: Uuid) -> Option<Arc<Person>> {
        let found = self
            .applications
            .iter()
            .find(|application| application.principal == principal)?;
        found.membership.member.then(|| Arc::clone(&found.person))
    }

    pub(crate) fn applications(&self) -> impl Iterator<Item = (&Arc<Person>, Uuid)> {
        self.applications
            .iter()
            .filter(|application| application.membership.member)
            .map(|application| (&application.person, application.principal))
    }

    /// Adds a service principal of the tenant.
    pub(crate) fn add_application(&mut self, name: &str, client: Uuid, principal: Uuid) {
        self.applications
            .retain(|application| application.principal != principal);
        self.applications.push(Application {
            principal,
            person: Arc::new(Person::application(name, client, principal)),
            membership: MEMBER,
        });
    }
}

impl Organization {
    /// Anyone of the organization: people and applications.
    pub(crate) fn subject(&self, text: &str) -> Option<Arc<Person>> {
        self.people.find(text).or_else(|| {
            self.access
                .applications()
                .map(|(person, _)| person)
                .find(|person| {
                    person.descriptor.eq_ignore_ascii_case(text)
                        || person.id.to_string().eq_ignore_ascii_case(text)
                })
                .cloned()
        })
    }
}

/// `POST /__access`: changes what somebody may do in an organization.
pub(crate) fn change(world: &mut World, name: &str, sent: &Value) -> Result<(), ApiError> {
    let sent = Sent::new(sent);
    if let Some(client) = sent.text("application")? {
        add_application(world, name, client, sent.flag("member")?)?;
    }
    let organization = world.organization_mut(name)?;
    let person = match sent.text("person")? {
        None => None,
        Some(text) => Some(
            organization
                .subject(text)
                .ok_or_else(|| ApiError::bad_request(format!("there is no person {text}")))?
                .id,
        ),
    };
    let access = &mut organization.access;
    if let Some(person) = person {
        let mut membership = access.membership(person);
        sent.set("member", &mut membership.member)?;
        sent.set("entered", &mut membership.entered)?;
        sent.set("stakeholder", &mut membership.stakeholder)?;
        sent.set("administrator", &mut membership.administrator)?;
        sent.set("owner", &mut membership.owner)?;
        access.members.insert(person, membership);
    }
    sent.set("conditionalAccess", &mut access.fenced)?;
    if let Some(allowed) = sent.flag("thirdPartyAccess")? {
        access
            .policies
            .insert("Policy.DisallowOAuthAuthentication".to_owned(), !allowed);
    }
    if sent.flag("personal")? == Some(true) {
        access.tenant = Uuid::nil();
    }
    if sent.has("deny") {
        let deny = Sent::new(sent.value("deny"));
        access.denials.push(Denial {
            person,
            namespace: deny.required("namespace")?.to_owned(),
            // Without a token it is everything, without bits all of them.
            token: deny.text("token")?.unwrap_or_default().to_lowercase(),
            bits: deny.number("bits")?.unwrap_or(u64::MAX),
        });
    }
    if sent.flag("denials")? == Some(false) {
        access.denials.clear();
    }
    Ok(())
}

/// Adds an app of the organization's tenant by its client id, or removes it.
fn add_application(
    world: &mut World,
    name: &str,
    client: &str,
    member: Option<bool>,
) -> Result<(), ApiError> {
    let missing =
        || ApiError::bad_request(format!("there is no application {client} in the tenant"));
    let client = Uuid::parse_str(client).map_err(|_| missing())?;
    let tenant = world.organization(name)?.access.tenant;
    let state: &entra::State = &world.entra;
    let principal = state
        .tenant(tenant)
        .and_then(|tenant| tenant.principals.get(&client))
        .ok_or_else(missing)?
        .id;
    let title = state.title(client);
    let access = &mut world.organization_mut(name)?.access;
    if member == Some(false) {
        access
            .applications
            .retain(|application| application.principal != principal);
    } else {
        access.add_application(&title, client, principal);
    }
    Ok(())
}

/// `GET OrganizationPolicy/Policies/{name}`, for administrators.
pub(crate) fn policy(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let [_, _, name] = &call.segments[..] else {
        return Err(ApiError::no_route(call));
    };
    if call.method != Method::GET {
        return Err(ApiError::method_not_allowed(call));
    }
    if !organization
        .access
        .membership(call.identity.person.id)
        .administrator
    {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "Microsoft.TeamFoundation.Framework.Server.AccessCheckException",
            format!(
                "TF50309: The following account does not have sufficient permissions to complete the operation: {}. The following permissions are needed to perform this operation: View instance-level information.",
                call.identity.person.display_name
            ),
        ));
    }
    let (name, value) = organization
        .access
        .policies
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map_or((name.as_str(), None), |(own, value)| {
            (own.as_str(), Some(*value))
        });
    Ok(Reply::json(json!({
        "name": name,
        "value": value,
        "effectiveValue": value.unwrap_or(false),
        "isValueUndefined": value.is_none(),
        "enforce": false,
        "parentPolicy": null,
    })))
}
