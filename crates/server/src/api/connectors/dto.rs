//! What connectors look like from outside.

use std::collections::BTreeSet;

use control::{Checked, ConnectorEdit, Control, IdentityChoice, NewConnector};
use model::{Connector, ConnectorStatus, SyncSettings, SyncTime};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use service::preflight::{CommitSummary, Discovery, Reached, RepositorySummary};
use service::{Check, CheckOutcome};
use utoipa::{IntoParams, ToSchema};

use crate::api::credentials::{IdentityBody, identity_of};
use crate::api::word;
use crate::{Problem, Server};

/// A connector. It names its credentials and never holds them.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectorView {
    pub name: String,
    service: String,
    organization: String,
    /// Where that is, as snapshots of it say. Null where nobody can tell.
    address: Option<String>,
    /// Why nobody can; the connector stands for no source until that is mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    address_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// `pat`, `user`, `client-secret`, `certificate`, `managed-identity`, `federated-identity`, `workload-identity`.
    method: String,
    credential: String,
    /// Writes for restores.
    #[serde(skip_serializing_if = "Option::is_none")]
    restore_credential: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    status: StatusView,
    /// The worker that runs its backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<String>,
    sync: SyncBody,
    created: String,
    updated: String,
}

/// How a connector stands.
#[derive(Serialize, ToSchema)]
struct StatusView {
    /// `connected`, `sign-in-needed` or `failed`.
    state: &'static str,
    /// As people read it.
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

impl StatusView {
    fn of(status: ConnectorStatus) -> Self {
        let state = status.name();
        let (title, why, since) = match status {
            ConnectorStatus::Connected => ("Connected", None, None),
            ConnectorStatus::SignInNeeded { why, since } => {
                ("Sign-in needed", Some(why), Some(since.to_string()))
            }
            ConnectorStatus::Failed { why, since } => {
                ("Failed", Some(why), Some(since.to_string()))
            }
        };
        Self {
            state,
            title,
            why,
            since,
        }
    }
}

impl ConnectorView {
    pub(super) fn of(control: &Control, connector: Connector) -> Self {
        let (address, address_error) = match control.source_of(&connector) {
            Ok(id) => (Some(id.address), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self {
            address,
            address_error,
            name: connector.name,
            service: connector.service,
            organization: connector.organization,
            url: connector.url,
            method: connector.method,
            credential: connector.credential,
            restore_credential: connector.restore_credential,
            tenant: connector.tenant,
            status: StatusView::of(connector.status),
            worker: connector.worker,
            sync: SyncBody::of(connector.sync),
            created: connector.created.to_string(),
            updated: connector.updated.to_string(),
        }
    }
}

/// How new repositories, projects and users get into the backup: by chosen hours or by an interval.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncBody {
    add_new: bool,
    /// Full hours, 0 to 23, in `time_zone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hours: Option<Vec<u8>>,
    /// An IANA name; UTC when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// 5 to 44640.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interval_minutes: Option<u32>,
}

impl SyncBody {
    pub(crate) fn of(sync: SyncSettings) -> Self {
        let (hours, time_zone, interval_minutes) = match sync.when {
            SyncTime::Hours { hours, time_zone } => (Some(hours), Some(time_zone), None),
            SyncTime::Interval { minutes } => (None, None, Some(minutes)),
        };
        Self {
            add_new: sync.add_new,
            hours,
            time_zone,
            interval_minutes,
        }
    }

    pub(crate) fn settings(self) -> SyncSettings {
        let usual = SyncSettings::default();
        let when = match (self.hours, self.interval_minutes) {
            (Some(hours), _) => SyncTime::Hours {
                hours,
                time_zone: self.time_zone.unwrap_or_else(|| "UTC".to_owned()),
            },
            (None, Some(minutes)) => SyncTime::Interval { minutes },
            (None, None) => usual.when,
        };
        SyncSettings {
            add_new: self.add_new,
            when,
        }
    }
}

/// A result of a check, with what it costs and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CheckView {
    name: String,
    /// `pass`, `warning`, `missing`, `fail` or `unknown`.
    outcome: String,
    /// Nothing can be backed up while it stands so; a failed check without it is told and held against nobody.
    blocks: bool,
    message: String,
    hint: Option<String>,
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    costs: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'static str>,
}

impl CheckView {
    pub(crate) fn of(check: Check) -> Self {
        Self {
            name: check.name,
            outcome: word(&check.outcome),
            blocks: check.blocks,
            message: check.message,
            hint: check.hint,
            code: check.code,
            costs: check.costs,
            link: check.link,
        }
    }
}

/// A connector to be added at once. Give either `credential` or `identity`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddConnector {
    /// 3 to 32 letters, digits and hyphens, beginning with a letter; the organization's name when absent.
    name: Option<String>,
    #[schema(example = "azure-devops")]
    service: String,
    /// The organization or tenant: its name, or an address that leads to it, to one of its repositories or wikis.
    organization: String,
    /// Another host than the service's own: Azure DevOps Server.
    url: Option<String>,
    /// A credential of the vault.
    credential: Option<String>,
    /// A new credential, kept in the vault.
    identity: Option<IdentityBody>,
    /// What to call the new credential; without a name it belongs to this connector alone.
    credential_name: Option<String>,
    /// A credential of the vault that writes for restores.
    restore_credential: Option<String>,
    app_profile: Option<String>,
    worker: Option<String>,
    sync: Option<SyncBody>,
    /// Take the place of the connector of this name.
    #[serde(default)]
    replace: bool,
}

impl AddConnector {
    pub(super) async fn into_new(self, server: &Server) -> Result<NewConnector, Problem> {
        let expires = self.identity.as_ref().map(IdentityBody::expiry);
        let expires = expires.transpose()?.flatten();
        let identity = match (self.credential, self.identity) {
            (Some(name), None) => IdentityChoice::Stored(name),
            (None, Some(body)) => IdentityChoice::New {
                name: self.credential_name,
                identity: identity_of(server, body).await?,
                expires,
            },
            _ => {
                return Err(Problem::field(
                    "/credential",
                    "give either `credential` or `identity`",
                ));
            }
        };
        Ok(NewConnector {
            name: self.name,
            service: self.service,
            organization: self.organization,
            url: self.url,
            identity,
            restore_credential: self.restore_credential,
            app_profile: self.app_profile,
            worker: self.worker,
            sync: self.sync.map(SyncBody::settings).unwrap_or_default(),
            replace: self.replace,
        })
    }
}

/// A step that is useful after adding.
#[derive(Serialize, ToSchema)]
pub(crate) struct NextStep {
    /// `custom-policy` or `run-backup`.
    action: &'static str,
    title: &'static str,
    method: &'static str,
    path: &'static str,
    /// What to send there, as it is or changed.
    body: serde_json::Value,
    /// The same on the command line.
    command: String,
}

/// The two buttons after success (XA-05).
pub(crate) fn next_steps(connector: &str) -> Vec<NextStep> {
    vec![
        NextStep {
            action: "custom-policy",
            title: "Custom policy",
            method: "POST",
            path: "/api/v1/policies",
            body: serde_json::json!({ "name": connector, "connectors": [connector] }),
            command: format!("keepward policy add {connector} --connector {connector}"),
        },
        NextStep {
            action: "run-backup",
            title: "Run backup",
            method: "POST",
            path: "/api/v1/backups",
            body: serde_json::json!({ "connector": connector }),
            command: format!("keepward backup {connector}"),
        },
    ]
}

/// A connector that was added or changed, with what was checked.
#[derive(Serialize, ToSchema)]
pub(crate) struct AddedConnector {
    #[serde(flatten)]
    connector: ConnectorView,
    checks: Vec<CheckView>,
    /// The data that is not backed up, since the identity may not read it.
    missing: Vec<&'static str>,
    next: Vec<NextStep>,
}

impl AddedConnector {
    pub(crate) fn of(
        control: &Control,
        Checked {
            checks,
            value: connector,
        }: Checked<Connector>,
    ) -> Self {
        Self {
            next: next_steps(&connector.name),
            missing: missing(&checks),
            connector: ConnectorView::of(control, connector),
            checks: checks.into_iter().map(CheckView::of).collect(),
        }
    }
}

fn missing(checks: &[Check]) -> Vec<&'static str> {
    let missing = checks
        .iter()
        .filter(|check| check.outcome == CheckOutcome::Missing);
    let costs: BTreeSet<&str> = missing.flat_map(|check| check.costs.clone()).collect();
    costs.into_iter().collect()
}

/// How a test ended.
#[derive(Serialize, ToSchema)]
pub(super) struct TestedConnector {
    pub connector: ConnectorView,
    /// Everything can be backed up.
    pub ok: bool,
    /// Checks that found a permission or right missing: not everything can be backed up.
    missing: usize,
    checks: Vec<CheckView>,
}

impl TestedConnector {
    pub(super) fn of(
        control: &Control,
        Checked {
            checks,
            value: connector,
        }: Checked<Connector>,
    ) -> Self {
        let lacking = |check: &&Check| {
            matches!(check.outcome, CheckOutcome::Missing | CheckOutcome::Fail) && !check.blocks
        };
        let missing = checks.iter().filter(lacking).count();
        Self {
            connector: ConnectorView::of(control, connector),
            ok: missing == 0 && !checks.iter().any(|check| check.blocks),
            missing,
            checks: checks.into_iter().map(CheckView::of).collect(),
        }
    }
}

/// What to change; absent members stay, `null` takes a value away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditConnector {
    /// Policies, runs, people and whatever else names the connector follow. Refused while a run of it is open.
    name: Option<String>,
    organization: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    url: Option<Option<String>>,
    credential: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    restore_credential: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    worker: Option<Option<String>>,
    sync: Option<SyncBody>,
}

#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl EditConnector {
    /// For the audit log.
    pub(super) fn details(&self) -> Value {
        json!({
            "name": self.name, "organization": self.organization, "url": self.url, "credential": self.credential,
            "restore_credential": self.restore_credential, "worker": self.worker, "sync": self.sync,
        })
    }

    pub(super) fn into_edit(self) -> ConnectorEdit {
        ConnectorEdit {
            name: self.name,
            organization: self.organization,
            url: self.url,
            credential: self.credential,
            restore_credential: self.restore_credential,
            worker: self.worker,
            sync: self.sync.map(SyncBody::settings),
        }
    }
}

/// Which connectors.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Somewhere in the name or the organization, without regard to case.
    #[param(required = false)]
    pub q: Option<String>,
}

/// Which connectors to remove.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveConnectors {
    pub names: Vec<String>,
}

/// What became of each.
#[derive(Serialize, ToSchema)]
pub(super) struct RemovedConnectors {
    pub items: Vec<RemovedConnector>,
}

/// What became of one connector.
#[derive(Serialize, ToSchema)]
pub(super) struct RemovedConnector {
    pub name: String,
    pub removed: bool,
    /// Why it stayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// A repository that the connector reaches.
#[derive(Serialize, ToSchema)]
pub(super) struct ReachedRepository {
    project: String,
    name: String,
    id: String,
    disabled: bool,
}

impl ReachedRepository {
    pub(super) fn of(one: RepositorySummary) -> Self {
        Self {
            project: one.project,
            name: one.name,
            id: one.id,
            disabled: one.disabled,
        }
    }
}

/// Whose commits, and how many.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CommitQuery {
    pub repository: String,
    /// 10 when absent, 100 at most.
    #[param(required = false, minimum = 1, maximum = 100)]
    pub limit: Option<u16>,
}

/// A commit.
#[derive(Serialize, ToSchema)]
pub(super) struct CommitView {
    id: String,
    author: String,
    date: String,
    message: String,
}

impl CommitView {
    pub(super) fn of(one: CommitSummary) -> Self {
        Self {
            id: one.id,
            author: one.author,
            date: one.date,
            message: one.message,
        }
    }
}

/// As whom to look. Give either `credential` or `identity`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Discover {
    #[schema(example = "azure-devops")]
    pub service: String,
    pub credential: Option<String>,
    pub identity: Option<IdentityBody>,
}

/// What an identity reaches.
#[derive(Serialize, ToSchema)]
pub(super) struct DiscoveryView {
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    organizations: Vec<ReachedView>,
    checks: Vec<CheckView>,
}

/// An organization that an identity reaches.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReachedView {
    organization: String,
    id: String,
    owner: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    personal: Option<bool>,
}

impl ReachedView {
    pub(crate) fn of(one: Reached) -> Self {
        Self {
            organization: one.organization,
            id: one.id,
            owner: one.owner,
            tenant: one.tenant,
            personal: one.personal,
        }
    }
}

impl DiscoveryView {
    pub(super) fn of(found: Discovery) -> Self {
        Self {
            account: found.account,
            organizations: found
                .organizations
                .into_iter()
                .map(ReachedView::of)
                .collect(),
            checks: found.checks.into_iter().map(CheckView::of).collect(),
        }
    }
}
