//! Groups and sites of the seeded tenants.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Group, Site};
use crate::entra::Tenant;

/// Name, nickname, description, kind, places of members in the list of people, names of groups that are members.
struct Plan {
    name: &'static str,
    nick: &'static str,
    description: &'static str,
    kind: Kind,
    people: &'static [usize],
    groups: &'static [&'static str],
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    /// A Microsoft 365 group with a team.
    Team,
    /// A Microsoft 365 group.
    Unified,
    Security,
    /// A security group with mail.
    Mail,
}

const fn plan(
    name: &'static str,
    nick: &'static str,
    description: &'static str,
    kind: Kind,
    people: &'static [usize],
    groups: &'static [&'static str],
) -> Plan {
    Plan {
        name,
        nick,
        description,
        kind,
        people,
        groups,
    }
}

const CONTOSO: [Plan; 8] = [
    plan(
        "Engineering",
        "engineering",
        "Everyone who builds",
        Kind::Team,
        &[3, 4, 7, 8, 9, 14, 20],
        &[],
    ),
    plan("Design", "design", "", Kind::Unified, &[7, 14], &[]),
    plan(
        "Finance",
        "finance",
        "Cost centers and budgets",
        Kind::Team,
        &[6, 21, 22],
        &[],
    ),
    plan(
        "Sales and Marketing",
        "sales-marketing",
        "",
        Kind::Unified,
        &[10, 12, 16, 17],
        &[],
    ),
    plan(
        "Backup Operators",
        "backup-operators",
        "May run backups",
        Kind::Security,
        &[4, 8],
        &[],
    ),
    plan(
        "All Staff",
        "all-staff",
        "Nested: departments",
        Kind::Security,
        &[0, 1, 2, 5],
        &["Engineering", "Finance", "Sales and Marketing"],
    ),
    plan(
        "VPN Users",
        "vpn-users",
        "Nested twice",
        Kind::Security,
        &[23],
        &["All Staff"],
    ),
    plan(
        "Объявления",
        "announcements",
        "Рассылка",
        Kind::Mail,
        &[1, 8, 9],
        &[],
    ),
];

const FABRIKAM: [Plan; 2] = [
    plan("Purchasing", "purchasing", "", Kind::Team, &[1], &[]),
    plan(
        "Engineering",
        "engineering",
        "",
        Kind::Security,
        &[2, 3],
        &[],
    ),
];

/// Path below the host, title, parent, lists beside the library.
type SitePlan = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static [&'static str],
);

const CONTOSO_SITES: [SitePlan; 6] = [
    ("", "Contoso", None, &["Site Pages", "Announcements"]),
    (
        "sites/engineering",
        "Engineering",
        None,
        &["Site Pages", "Risks"],
    ),
    ("sites/finance", "Finance", None, &["Invoices"]),
    ("sites/sales-marketing", "Sales and Marketing", None, &[]),
    (
        "sites/engineering/archive",
        "Архив",
        Some("sites/engineering"),
        &[],
    ),
    (
        "personal/adele_vance_contoso_example",
        "Adele Vance",
        None,
        &[],
    ),
];

const FABRIKAM_SITES: [SitePlan; 2] = [
    ("", "Fabrikam", None, &[]),
    ("sites/purchasing", "Purchasing", None, &["Orders"]),
];

pub(crate) fn fill(tenant: &mut Tenant) {
    let contoso = tenant.name == "Contoso";
    let plans: &[Plan] = if contoso { &CONTOSO } else { &FABRIKAM };
    for plan in plans {
        let group = group(tenant, plan);
        tenant.directory.groups.push(group);
    }
    let sites: &[SitePlan] = if contoso {
        &CONTOSO_SITES
    } else {
        &FABRIKAM_SITES
    };
    for plan in sites {
        let (path, title, parent, lists) = *plan;
        let site = site_at(tenant, path, title, parent, lists);
        tenant.directory.sites.push(site);
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn group_id(tenant: &Tenant, nick: &str) -> Uuid {
    Uuid::new_v5(&tenant.id, nick.as_bytes())
}

fn group(tenant: &Tenant, plan: &Plan) -> Group {
    let members = plan
        .people
        .iter()
        .filter_map(|at| tenant.users.get(*at))
        .map(|user| user.id)
        .chain(
            plan.groups
                .iter()
                .filter_map(|name| {
                    tenant
                        .directory
                        .groups
                        .iter()
                        .find(|group| group.properties["displayName"] == *name)
                })
                .map(|group| group.id),
        )
        .collect();
    let owners = plan
        .people
        .first()
        .and_then(|at| tenant.users.get(*at))
        .map(|user| user.id);
    let mut made = new_group(tenant, plan.name, plan.nick, plan.kind);
    made.members = members;
    made.owners = owners.into_iter().collect();
    if !plan.description.is_empty() {
        made.properties
            .insert("description".to_owned(), json!(plan.description));
    }
    made
}

/// A Microsoft 365 group without members.
pub(super) fn unified(tenant: &Tenant, name: &str, nick: &str) -> Group {
    new_group(tenant, name, nick, Kind::Unified)
}

fn new_group(tenant: &Tenant, name: &str, nick: &str, kind: Kind) -> Group {
    let unified = matches!(kind, Kind::Team | Kind::Unified);
    let mail = format!("{nick}@{}", tenant.domains[0]);
    let mailed = kind != Kind::Security;
    let id = group_id(tenant, nick);
    let properties = object(json!({
        "id": id,
        "deletedDateTime": null,
        "classification": null,
        "createdDateTime": "2024-03-01T10:00:00Z",
        "creationOptions": [],
        "description": null,
        "displayName": name,
        "expirationDateTime": null,
        "groupTypes": if unified { json!(["Unified"]) } else { json!([]) },
        "isAssignableToRole": null,
        "mail": if mailed { json!(mail) } else { Value::Null },
        "mailEnabled": mailed,
        "mailNickname": nick,
        "membershipRule": null,
        "onPremisesSyncEnabled": null,
        "preferredDataLocation": null,
        "preferredLanguage": null,
        "proxyAddresses": if mailed { json!([format!("SMTP:{mail}")]) } else { json!([]) },
        "renewedDateTime": "2024-03-01T10:00:00Z",
        "resourceBehaviorOptions": [],
        "resourceProvisioningOptions": if kind == Kind::Team { json!(["Team"]) } else { json!([]) },
        "securityEnabled": !unified,
        "securityIdentifier": format!("S-1-12-1-{}", id.as_u128() % 4_294_967_296),
        "theme": null,
        "visibility": if unified { json!("Private") } else { Value::Null },
        "onPremisesProvisioningErrors": [],
    }));
    Group {
        id,
        properties,
        members: Vec::new(),
        owners: Vec::new(),
    }
}

fn site_at(tenant: &Tenant, path: &str, title: &str, parent: Option<&str>, lists: &[&str]) -> Site {
    let short = tenant.domains[0].split('.').next().unwrap_or_default();
    let personal = path.starts_with("personal/");
    let host = if personal {
        format!("{short}-my.sharepoint.com")
    } else {
        format!("{short}.sharepoint.com")
    };
    let collection = Uuid::new_v5(&tenant.id, parent.unwrap_or(path).as_bytes());
    let web = Uuid::new_v5(&collection, path.as_bytes());
    let id = format!("{host},{collection},{web}");
    let url = if path.is_empty() {
        format!("https://{host}")
    } else {
        format!("https://{host}/{path}")
    };
    let properties = object(json!({
        "id": id,
        "createdDateTime": "2024-03-01T10:05:00Z",
        "lastModifiedDateTime": "2026-01-05T08:00:00Z",
        "name": path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("root"),
        "webUrl": url,
        "displayName": title,
        "isPersonalSite": personal,
        "root": {},
        "siteCollection": {"hostname": host},
    }));
    let lists = std::iter::once("Documents")
        .chain(lists.iter().copied())
        .map(str::to_owned)
        .collect();
    let parent = parent.map(|parent| {
        let web = Uuid::new_v5(&collection, parent.as_bytes());
        format!("{host},{collection},{web}")
    });
    Site {
        id,
        properties,
        lists,
        parent,
        personal,
    }
}

/// A site below `sites/` without lists of its own.
pub(super) fn new_site(tenant: &Tenant, path: &str, title: &str) -> Site {
    site_at(tenant, path, title, None, &[])
}
