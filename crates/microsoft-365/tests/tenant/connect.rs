//! Connecting a tenant of the simulator: what is checked, what it costs to lack something, who and what is listed.

use std::collections::BTreeMap;

use crate::support::Tenant;
use microsoft_365::MICROSOFT_365;
use serde_json::{Value, json};
use service::directory::{Entry, EntryKind, Nature};
use service::http::Method;
use service::{Check, CheckOutcome};

const DOMAIN: &str = "contoso.onmicrosoft.com";

async fn check(tenant: &Tenant, name: &str) -> BTreeMap<String, Check> {
    let checks = MICROSOFT_365.preflight.check(&tenant.client(), name).await;
    let named = checks.into_iter().map(|check| (check.name.clone(), check));
    named.collect()
}

/// What the app itself may do from now on.
async fn grant(tenant: &Tenant, roles: &[&str]) {
    let body = json!({"client": tenant.simulator.client_id(), "tenant": tenant.simulator.tenant(), "roles": roles});
    tenant
        .tell(Method::POST, "/__entra/principals", &body)
        .await;
}

#[tokio::test]
async fn av_02_a_tenant_with_everything_passes_every_check() {
    let tenant = Tenant::start().await;
    for name in [DOMAIN, "CONTOSO.example", &tenant.simulator.tenant()] {
        for check in check(&tenant, name).await.values() {
            assert_eq!(check.outcome, CheckOutcome::Pass, "{check:?}");
        }
    }
}

#[tokio::test]
async fn a_credential_of_another_tenant_is_no_substitute() {
    let tenant = Tenant::start().await;
    let checks = check(&tenant, "fabrikam.onmicrosoft.com").await;
    let found = &checks["organization"];
    assert_eq!(
        (found.outcome, found.code),
        (CheckOutcome::Fail, Some("tenant-unknown"))
    );
    assert_eq!(checks.len(), 1, "nothing else is asked of the wrong tenant");
}

#[tokio::test]
async fn a_missing_permission_says_which_data_it_costs() {
    let tenant = Tenant::start().await;
    grant(&tenant, &["User.Read.All", "Sites.Read.All"]).await;
    let checks = check(&tenant, DOMAIN).await;
    let groups = &checks["group"];
    assert_eq!(
        (groups.outcome, groups.code),
        (CheckOutcome::Missing, Some("permission-missing"))
    );
    assert_eq!(groups.costs, ["Groups"]);
    assert!(groups.hint.as_ref().unwrap().contains("Group.Read.All"));
    assert_eq!(checks["user"].outcome, CheckOutcome::Pass);
    assert_eq!(checks["organization"].outcome, CheckOutcome::Unknown);
    assert_eq!(checks["license"].outcome, CheckOutcome::Unknown);
}

#[tokio::test]
async fn without_admin_consent_nothing_can_be_backed_up_and_it_says_so() {
    let tenant = Tenant::start().await;
    grant(&tenant, &[]).await;
    let checks = check(&tenant, DOMAIN).await;
    let consent = &checks["consent"];
    assert_eq!(
        (consent.outcome, consent.code),
        (CheckOutcome::Fail, Some("consent-missing"))
    );
    assert_eq!(consent.costs, ["Users", "Groups", "Sites"]);
    assert!(consent.link.is_some());
}

async fn listed(tenant: &Tenant, kind: EntryKind) -> Vec<Entry> {
    let mut all = Vec::new();
    let directory = MICROSOFT_365.preflight.directory().unwrap();
    let mut take = |some: Vec<Entry>| all.extend(some);
    directory
        .entries(&tenant.client(), kind, &mut take)
        .await
        .unwrap();
    all
}

#[tokio::test]
async fn users_groups_and_sites_of_the_tenant_are_listed() {
    let tenant = Tenant::start().await;
    let path = format!("/__inventory?tenant={}", tenant.simulator.tenant());
    let held = tenant.tell(Method::GET, &path, &Value::Null).await;
    let users = listed(&tenant, EntryKind::User).await;
    let count = |nature| users.iter().filter(|user| user.nature == nature).count() as u64;
    assert_eq!(users.len() as u64, held["users"].as_u64().unwrap());
    assert_eq!(count(Nature::Guest), held["guests"].as_u64().unwrap());
    assert_eq!(
        count(Nature::Member),
        held["licensedUsers"].as_u64().unwrap()
    );
    assert!(count(Nature::SharedMailbox) > 0 && count(Nature::Account) > 0);
    let groups = listed(&tenant, EntryKind::Group).await;
    assert_eq!(groups.len() as u64, held["groups"].as_u64().unwrap());
    assert!(groups.iter().any(|group| group.nature == Nature::Team));
    let sites = listed(&tenant, EntryKind::Site).await;
    assert_eq!(sites.len() as u64, held["sites"].as_u64().unwrap());
    assert!(sites.iter().any(|site| site.nature == Nature::PersonalSite));
}

#[tokio::test]
async fn the_tenant_behind_a_sign_in_is_found() {
    let tenant = Tenant::start().await;
    let found = MICROSOFT_365
        .preflight
        .discover(&tenant.client())
        .await
        .unwrap();
    assert_eq!(found.organizations.len(), 1);
    assert_eq!(found.organizations[0].id, tenant.simulator.tenant());
}
