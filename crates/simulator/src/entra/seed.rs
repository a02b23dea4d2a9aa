//! Two tenants: `contoso.onmicrosoft.com`, which has everything, and `fabrikam.onmicrosoft.com`, somebody else's.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use uuid::{Uuid, uuid};

use super::app::{Federation, Resource, Secret};
use super::machine::Identity;
use super::tenant::{Principal, Rules, object_id};
use super::{App, State, Tenant, User};
use crate::auth::TENANT;
use crate::graph;

/// Contoso, by the id that [`TENANT`] spells.
const HOME: Uuid = match Uuid::try_parse(TENANT) {
    Ok(id) => id,
    Err(_) => panic!("the id of the tenant is none"),
};
pub(crate) const FABRIKAM: Uuid = uuid!("0b2f8a51-6c3d-4e7f-8a90-b1c2d3e4f506");
/// The app that tests and demonstrations sign in with.
pub(crate) const APP: Uuid = uuid!("6d1f0f5e-7b1c-4f5e-9a1e-2c8f4b7a9d10");
const SYSTEM: Uuid = uuid!("2f6d3c1a-94b7-4a8e-8a55-0d4c7e9b1f32");
const ASSIGNED: Uuid = uuid!("a4c0e6f2-1d3b-4f7a-b6c8-5e2d9a0f7b43");

/// What the app may be granted as itself.
const ROLES: [&str; 10] = [
    "Calendars.Read",
    "Contacts.Read",
    "Directory.Read.All",
    "Files.Read.All",
    "Group.Read.All",
    "GroupMember.Read.All",
    "Mail.Read",
    "Organization.Read.All",
    "Sites.Read.All",
    "User.Read.All",
];

/// Name, address, job, department, kind. The first ten are the people of the Azure DevOps organization.
const CONTOSO: [(&str, &str, &str, &str, Kind); 30] = [
    (
        "Contoso Administrator",
        "admin@contoso.example",
        "",
        "IT",
        Kind::Administrator,
    ),
    (
        "Adele Vance",
        "adele.vance@contoso.example",
        "Retail Manager",
        "Retail",
        Kind::Member,
    ),
    (
        "Diego Siciliani",
        "diego.siciliani@contoso.example",
        "HR Manager",
        "HR",
        Kind::Member,
    ),
    (
        "Grażyna Łukaszewska",
        "grazyna.lukaszewska@contoso.example",
        "Engineer",
        "Engineering",
        Kind::Member,
    ),
    (
        "Johanna Lorenz",
        "johanna.lorenz@contoso.example",
        "Senior Engineer",
        "Engineering",
        Kind::Member,
    ),
    (
        "Lee Gu",
        "lee.gu@contoso.example",
        "Director",
        "Manufacturing",
        Kind::Member,
    ),
    (
        "Pradeep Gupta",
        "pradeep.gupta@contoso.example",
        "Accountant",
        "Finance",
        Kind::Member,
    ),
    (
        "佐藤 陽子",
        "yoko.sato@contoso.example",
        "Designer",
        "Engineering",
        Kind::Member,
    ),
    (
        "Иван Петров",
        "ivan.petrov@contoso.example",
        "Engineer",
        "Engineering",
        Kind::Member,
    ),
    (
        "נועה לוי",
        "noa.levi@contoso.example",
        "Product Manager",
        "Engineering",
        Kind::Member,
    ),
    (
        "Alex Wilber",
        "alex.wilber@contoso.example",
        "Marketing Assistant",
        "Marketing",
        Kind::Member,
    ),
    (
        "Henrietta Mueller",
        "henrietta.mueller@contoso.example",
        "Developer",
        "Operations",
        Kind::Member,
    ),
    (
        "Isaiah Langer",
        "isaiah.langer@contoso.example",
        "Sales Rep",
        "Sales",
        Kind::Member,
    ),
    (
        "Joni Sherman",
        "joni.sherman@contoso.example",
        "Paralegal",
        "Legal",
        Kind::Member,
    ),
    (
        "Lidia Holloway",
        "lidia.holloway@contoso.example",
        "Product Manager",
        "Engineering",
        Kind::Member,
    ),
    (
        "Lynne Robbins",
        "lynne.robbins@contoso.example",
        "Planner",
        "Retail",
        Kind::Member,
    ),
    (
        "Megan Bowen",
        "megan.bowen@contoso.example",
        "Marketing Manager",
        "Marketing",
        Kind::Administrator,
    ),
    (
        "Miriam Graham",
        "miriam.graham@contoso.example",
        "Director",
        "Sales & Marketing",
        Kind::Member,
    ),
    (
        "Nestor Wilke",
        "nestor.wilke@contoso.example",
        "Director",
        "Operations",
        Kind::Member,
    ),
    (
        "Patti Fernandez",
        "patti.fernandez@contoso.example",
        "President",
        "Executive Management",
        Kind::Member,
    ),
    (
        "李小龙",
        "xiaolong.li@contoso.example",
        "Engineer",
        "Engineering",
        Kind::Member,
    ),
    (
        "Ωρίων Παπαδόπουλος",
        "orion.papadopoulos@contoso.example",
        "Analyst",
        "Finance",
        Kind::Member,
    ),
    (
        "محمد علي",
        "mohammed.ali@contoso.example",
        "Analyst",
        "Finance",
        Kind::Member,
    ),
    (
        "Contract Worker",
        "contract.worker@contoso.example",
        "Contractor",
        "Operations",
        Kind::Unlicensed,
    ),
    (
        "Break Glass",
        "break.glass@contoso.onmicrosoft.com",
        "",
        "",
        Kind::Unlicensed,
    ),
    ("Support", "support@contoso.example", "", "", Kind::Shared),
    (
        "Rechnungen & Buchhaltung",
        "rechnungen@contoso.example",
        "",
        "",
        Kind::Shared,
    ),
    (
        "Conference Room Adams",
        "adams@contoso.example",
        "",
        "",
        Kind::Shared,
    ),
    (
        "Mona Kane (Fabrikam)",
        "mona.kane@fabrikam.example",
        "",
        "",
        Kind::Guest,
    ),
    ("Rory Lee", "rory.lee@outlook.com", "", "", Kind::Guest),
];

const OTHERS: [(&str, &str, &str, &str, Kind); 6] = [
    (
        "Fabrikam Administrator",
        "admin@fabrikam.example",
        "",
        "IT",
        Kind::Administrator,
    ),
    (
        "Mona Kane",
        "mona.kane@fabrikam.example",
        "Buyer",
        "Purchasing",
        Kind::Member,
    ),
    (
        "Oscar Ward",
        "oscar.ward@fabrikam.example",
        "Engineer",
        "Engineering",
        Kind::Member,
    ),
    (
        "Zoë Krüger",
        "zoe.krueger@fabrikam.example",
        "Engineer",
        "Engineering",
        Kind::Member,
    ),
    (
        "Service Desk",
        "desk@fabrikam.example",
        "",
        "",
        Kind::Shared,
    ),
    (
        "Intern",
        "intern@fabrikam.example",
        "",
        "",
        Kind::Unlicensed,
    ),
];

#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Kind {
    Member,
    Administrator,
    Unlicensed,
    /// A shared mailbox or a room: no licence, sign-in disabled.
    Shared,
    Guest,
}

pub(super) fn fill(state: &mut State) {
    state
        .tenants
        .push(tenant(HOME, "Contoso", "contoso", &CONTOSO));
    state
        .tenants
        .push(tenant(FABRIKAM, "Fabrikam", "fabrikam", &OTHERS));
    for tenant in &mut state.tenants {
        graph::seed(tenant);
    }
    state.machine.system = Some(identity("backup-vm", SYSTEM));
    state
        .machine
        .assigned
        .push(identity("backup-identity", ASSIGNED));
    let app = app(state);
    state.apps.push(app);
    for (client, granted) in [(APP, true), (SYSTEM, false), (ASSIGNED, false)] {
        let roles: &[&str] = if granted { &ROLES } else { &[] };
        let principal = Principal {
            id: principal_id(client),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Principal::default()
        };
        state.tenants[0].principals.insert(client, principal);
    }
}

/// The object id of an app's or an identity's service principal in Contoso.
fn principal_id(client: Uuid) -> Uuid {
    Uuid::new_v5(&HOME, client.as_bytes())
}

fn identity(name: &str, client: Uuid) -> Identity {
    Identity {
        name: name.to_owned(),
        tenant: HOME,
        client,
        principal: principal_id(client),
    }
}

/// The app of Contoso, which has a secret and trusts both identities of the machine.
fn app(state: &mut State) -> App {
    let value = format!("{}~{}", &state.ids.token()[..8], &state.ids.token()[..31]);
    let secret = Secret {
        id: state.ids.guid(),
        value,
        expires: i64::MAX,
    };
    let federated = [SYSTEM, ASSIGNED].map(|client| Federation {
        issuer: format!("https://login.microsoftonline.com/{HOME}/v2.0"),
        subject: principal_id(client).to_string(),
        audience: "api://AzureADTokenExchange".to_owned(),
    });
    App {
        id: APP,
        name: "Contoso Backup".to_owned(),
        home: HOME,
        multi_tenant: true,
        public_client: true,
        secrets: vec![secret],
        certificates: Vec::new(),
        federated: federated.into(),
        redirects: Vec::new(),
        scopes: default_scopes(),
        roles: ROLES.map(str::to_owned).into(),
        group_claims: true,
    }
}

/// What an app asks for on behalf of people unless a test says otherwise.
pub(super) fn default_scopes() -> BTreeSet<String> {
    BTreeSet::from([
        format!("{}/user_impersonation", Resource::AzureDevOps.id()),
        format!("{}/User.Read", Resource::Graph.id()),
    ])
}

fn tenant(id: Uuid, name: &str, short: &str, people: &[(&str, &str, &str, &str, Kind)]) -> Tenant {
    let domains = [
        format!("{short}.onmicrosoft.com"),
        format!("{short}.example"),
    ];
    let users = people
        .iter()
        .map(|(name, mail, job, department, kind)| {
            user(&domains[0], name, mail, (job, department), *kind)
        })
        .collect();
    Tenant {
        id,
        name: name.to_owned(),
        domains,
        users,
        principals: std::collections::BTreeMap::new(),
        rules: Rules::default(),
        directory: graph::Directory::default(),
    }
}

/// `SPE_E5`, Microsoft 365 E5.
pub(crate) const LICENCE: &str = "06ebc4ee-1bb5-47dd-8120-11324bc54e06";

pub(super) fn user(domain: &str, name: &str, mail: &str, work: (&str, &str), kind: Kind) -> User {
    let upn = match kind {
        Kind::Guest => format!("{}#EXT#@{domain}", mail.replace('@', "_")),
        _ => mail.to_owned(),
    };
    let (given, family) = name.split_once(' ').unwrap_or((name, ""));
    let text = |text: &str| {
        if text.is_empty() {
            Value::Null
        } else {
            json!(text)
        }
    };
    let person = matches!(kind, Kind::Member | Kind::Administrator | Kind::Unlicensed);
    let licensed = matches!(kind, Kind::Member | Kind::Administrator);
    let licences = if licensed {
        json!([{"disabledPlans": [], "skuId": LICENCE}])
    } else {
        json!([])
    };
    let id = object_id(&upn);
    let properties = json!({
        "id": id,
        "businessPhones": [],
        "displayName": name,
        "givenName": if person { text(given) } else { Value::Null },
        "jobTitle": text(work.0),
        "mail": mail,
        "mobilePhone": null,
        "officeLocation": null,
        "preferredLanguage": if person { json!("en-US") } else { Value::Null },
        "surname": if person { text(family) } else { Value::Null },
        "userPrincipalName": upn,
        "accountEnabled": kind != Kind::Shared,
        "assignedLicenses": licences,
        "companyName": null,
        "createdDateTime": "2024-02-12T09:30:00Z",
        "deletedDateTime": null,
        "department": text(work.1),
        "employeeId": null,
        "externalUserState": if kind == Kind::Guest { json!("Accepted") } else { Value::Null },
        "mailNickname": upn.split('@').next(),
        "onPremisesSyncEnabled": null,
        "otherMails": [],
        "proxyAddresses": [format!("SMTP:{mail}")],
        "usageLocation": if licensed { json!("DE") } else { Value::Null },
        "userType": if kind == Kind::Guest { "Guest" } else { "Member" },
    });
    let properties = match properties {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    User {
        id,
        properties,
        administrator: kind == Kind::Administrator,
        sessions_from: 0,
        blocked: false,
    }
}

/// Adds a person to a tenant after its making.
pub(crate) fn join(tenant: &mut Tenant, name: &str, mail: &str, administrator: bool) -> Uuid {
    let kind = if administrator {
        Kind::Administrator
    } else {
        Kind::Member
    };
    let user = user(&tenant.domains[0].clone(), name, mail, ("", ""), kind);
    let id = user.id;
    tenant.users.push(user);
    id
}

/// An empty tenant.
pub(super) fn found(id: Uuid, name: &str, short: &str) -> Tenant {
    let administrator = format!("admin@{short}.example");
    tenant(
        id,
        name,
        short,
        &[(
            "Administrator",
            &administrator,
            "",
            "IT",
            Kind::Administrator,
        )],
    )
}
