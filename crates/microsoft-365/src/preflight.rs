//! The check of a connector: the tenant, its consent, each kind of data, and whether its licenses carry the data. Reads only.

use std::borrow::Cow;

use async_trait::async_trait;
use model::Class;
use serde::Deserialize;
use service::directory::Directory;
use service::entra::Api;
use service::preflight::{
    Address, ApiPermission, Check, Discovery, PermissionType, Preflight, Purpose, Reached,
};
use service::{CheckOutcome, Client, Error, Kind, Result, Scope};

use crate::GRAPH;
use crate::directory::TenantDirectory;
use crate::kinds::KINDS;

pub(crate) struct TenantPreflight;

const API: &str = "Microsoft Graph";
/// Names the tenant; a backup works without it.
const TENANT: &str = "Organization.Read.All";
const CONSENT: &str =
    "https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Organization<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    display_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    verified_domains: Vec<Domain<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Domain<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    is_default: bool,
}

impl Organization<'_> {
    fn is(&self, tenant: &str) -> bool {
        let mut names = self.verified_domains.iter().map(|domain| &domain.name);
        self.id.eq_ignore_ascii_case(tenant) || names.any(|name| name.eq_ignore_ascii_case(tenant))
    }

    /// The default domain, which people know the tenant by.
    fn domain(&self) -> String {
        let domains = &self.verified_domains;
        let default = domains
            .iter()
            .find(|domain| domain.is_default)
            .or(domains.first());
        default.map_or(&self.id, |domain| &domain.name).to_string()
    }
}

#[async_trait]
impl Preflight for TenantPreflight {
    fn address(&self, text: &str) -> Result<Address, &'static str> {
        let tenant = text.trim().to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        let is_id = tenant.len() == 36 && tenant.bytes().filter(|byte| *byte == b'-').count() == 4;
        let is_domain = tenant.contains('.') && !tenant.starts_with('.') && !tenant.ends_with('.');
        if !tenant.chars().all(plain) || !(is_id || is_domain) {
            return Err(
                "give a domain of the tenant, for example contoso.onmicrosoft.com, or its id",
            );
        }
        Ok(Address {
            organization: tenant,
            part: None,
        })
    }

    fn api(&self) -> Api {
        Api::Graph
    }

    async fn check(&self, http: &Client, organization: &str) -> Vec<Check> {
        let mut checks = tenant(http, organization).await;
        if checks.iter().any(|check| check.blocks) {
            return checks;
        }
        let before = checks.len();
        for kind in KINDS {
            checks.push(probe(http, *kind).await);
        }
        let kinds = &checks[before..];
        if kinds
            .iter()
            .all(|check| check.code == Some("permission-missing"))
        {
            checks.push(without_consent());
        } else {
            checks.push(licenses(http).await);
        }
        checks
    }

    async fn discover(&self, http: &Client) -> Result<Discovery> {
        let answer = http.get(GRAPH, "/organization").send().await?;
        let mut found = Discovery::default();
        for value in answer.values()? {
            let organization = organization(value.get())?;
            found.organizations.push(Reached {
                organization: organization.domain(),
                id: organization.id.to_string(),
                owner: false,
                tenant: Some(organization.id.into_owned()),
                personal: Some(false),
            });
        }
        Ok(found)
    }

    fn permissions(&self) -> Vec<ApiPermission> {
        let sign_in = ["openid", "profile", "offline_access"].map(|permission| ApiPermission {
            api: API,
            permission,
            kind: PermissionType::Delegated,
            purpose: Purpose::SignIn,
            why: "So that you can sign in and Keepward stays signed in.".to_owned(),
            serves: Vec::new(),
        });
        let kinds = KINDS.iter().flat_map(|kind| {
            let spec = kind.spec();
            spec.read
                .iter()
                .map(|needed| (needed.scope, needed.why, vec![spec.title]))
        });
        let tenant = (
            TENANT,
            "To show the tenant's name, domains and licenses. Backups work without it.",
            Vec::new(),
        );
        let mut all = Vec::from(sign_in);
        for (permission, why, serves) in kinds.chain([tenant]) {
            for kind in [PermissionType::Delegated, PermissionType::Application] {
                all.push(ApiPermission {
                    api: API,
                    permission,
                    kind,
                    purpose: Purpose::Backup,
                    why: why.to_owned(),
                    serves: serves.clone(),
                });
            }
        }
        all
    }

    fn directory(&self) -> Option<&'static dyn Directory> {
        Some(&TenantDirectory)
    }
}

fn organization(text: &str) -> Result<Organization<'_>> {
    serde_json::from_str(text).map_err(|error| Error::malformed(format!("the tenant: {error}")))
}

/// Whether the credential is let in, and into the tenant that was meant.
async fn tenant(http: &Client, wanted: &str) -> Vec<Check> {
    let answer = match http.get(GRAPH, "/organization").send().await {
        Ok(answer) => answer,
        Err(error) if error.class == Class::Permission => {
            let message = "The tenant's name could not be read";
            let hint = format!("Grant {TENANT}; backups work without it.");
            let check = Check::new("organization", CheckOutcome::Unknown, message);
            return vec![check.coded("permission-missing").hinted(hint)];
        }
        Err(error) => return vec![refused(&error)],
    };
    let values = match answer.values() {
        Ok(values) => values,
        Err(error) => return vec![refused(&error)],
    };
    let Some(value) = values.first() else {
        let error = Error::malformed("the service names no tenant");
        return vec![refused(&error)];
    };
    match organization(value.get()) {
        Ok(found) if found.is(wanted) => {
            let name = found.display_name.as_deref().unwrap_or_default();
            let domain = found.domain();
            vec![Check::pass(
                "organization",
                format!("The tenant {name} has the domain {domain}"),
            )]
        }
        Ok(found) => {
            let message = format!(
                "The credential is of the tenant {}, not of {wanted}",
                found.domain()
            );
            let check = Check::new("organization", CheckOutcome::Fail, message);
            vec![check.coded("tenant-unknown").hinted(
                "Sign in with an account of the tenant that is to be protected, or name the tenant that the credential belongs to.",
            )]
        }
        Err(error) => vec![refused(&error)],
    }
}

/// Nothing can be read at all.
fn refused(error: &Error) -> Check {
    let name = match error.class {
        Class::Credential => "credential",
        _ => "organization",
    };
    let check = Check::new(name, CheckOutcome::Fail, error.message.clone()).coded(error.code);
    match &error.hint {
        Some(hint) => check.hinted(hint.clone()),
        None => check,
    }
}

async fn probe(http: &Client, kind: &'static dyn Kind) -> Check {
    let spec = kind.spec();
    let Err(error) = kind.probe(http, &Scope::default()).await else {
        return Check::pass(spec.name, format!("{} can be read", spec.title));
    };
    let message = format!("{} cannot be backed up: {}", spec.title, error.message);
    let check = Check::new(spec.name, CheckOutcome::Missing, message).costing([spec.title]);
    let unlicensed = error
        .fault()
        .and_then(|fault| fault.message.as_deref())
        .is_some_and(|said| said.contains("SPO license"));
    if unlicensed {
        return check.coded("license-missing");
    }
    match error.class {
        Class::Credential => refused(&error),
        Class::Permission | Class::Missing => {
            let scopes: Vec<&str> = spec.read.iter().map(|needed| needed.scope).collect();
            let why: Vec<&str> = spec.read.iter().map(|needed| needed.why).collect();
            check
                .coded("permission-missing")
                .linked(CONSENT)
                .hinted(format!(
                    "Grant the app {} and give admin consent. {}",
                    scopes.join(" and "),
                    why.join(" ")
                ))
        }
        _ => check.coded(error.code),
    }
}

/// Signed in, and allowed nothing: nobody consented.
fn without_consent() -> Check {
    let message = "An administrator of the tenant has not consented to any of the permissions";
    let kinds = KINDS.iter().map(|kind| kind.spec().title);
    Check::new("consent", CheckOutcome::Fail, message)
        .coded("consent-missing")
        .costing(kinds)
        .linked(CONSENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription<'a> {
    #[serde(borrow)]
    sku_part_number: Option<Cow<'a, str>>,
    #[serde(borrow)]
    capability_status: Option<Cow<'a, str>>,
}

/// Data lies in a tenant whose subscriptions have ended for a while only.
async fn licenses(http: &Client) -> Check {
    let unknown = |message: String| Check::new("license", CheckOutcome::Unknown, message);
    let answer = match http.get(GRAPH, "/subscribedSkus").send().await {
        Ok(answer) => answer,
        Err(error) => {
            let check = unknown(format!(
                "The tenant's licenses could not be read: {}",
                error.message
            ));
            return check
                .coded(error.code)
                .hinted(format!("Grant {TENANT} to have them checked."));
        }
    };
    let values = match answer.values() {
        Ok(values) => values,
        Err(error) => return unknown(error.message.clone()).coded(error.code),
    };
    let read = values.iter().map(|value| serde_json::from_str(value.get()));
    let all: Vec<Subscription<'_>> = match read.collect::<Result<_, _>>() {
        Ok(all) => all,
        Err(error) => {
            let error = Error::malformed(format!("a subscription of the tenant: {error}"));
            return unknown(error.message).coded(error.code);
        }
    };
    let is_on = |sku: &&Subscription<'_>| {
        matches!(
            sku.capability_status.as_deref(),
            Some("Enabled" | "Warning")
        )
    };
    let names: Vec<&str> = all
        .iter()
        .filter(is_on)
        .filter_map(|sku| sku.sku_part_number.as_deref())
        .collect();
    if names.is_empty() {
        let message = "The tenant has no active subscription of Microsoft 365";
        return Check::new("license", CheckOutcome::Warning, message).coded("license-missing");
    }
    Check::pass(
        "license",
        format!("Active subscriptions: {}", names.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_named_by_a_domain_or_by_its_id() {
        let address = |text| {
            TenantPreflight
                .address(text)
                .map(|address| address.organization)
        };
        assert_eq!(
            address(" Contoso.onmicrosoft.com ").unwrap(),
            "contoso.onmicrosoft.com"
        );
        address("0fd1a1a2-6ef8-4bc4-8d1c-6b7c2fb1d2aa").unwrap();
        for text in [
            "",
            "contoso",
            "https://contoso.com",
            "a/b.com",
            ".com",
            "a.",
            "common",
        ] {
            address(text).unwrap_err();
        }
    }

    #[test]
    fn the_table_for_backups_reads_alone_and_serves_every_kind() {
        let table = TenantPreflight.permissions();
        for line in &table {
            assert_ne!(line.purpose, Purpose::Restore);
            assert!(!line.permission.contains("Write"), "{}", line.permission);
        }
        for kind in KINDS {
            for held in [PermissionType::Delegated, PermissionType::Application] {
                let serves = |line: &&ApiPermission| {
                    line.kind == held && line.serves.contains(&kind.spec().title)
                };
                assert!(
                    table.iter().any(|line| serves(&line)),
                    "{}",
                    kind.spec().name
                );
            }
        }
    }
}
