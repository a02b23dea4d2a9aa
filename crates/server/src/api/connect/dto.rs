//! What a wizard looks like from outside.

use control::{
    AppChoice, Control, KnownIdentity, Method, ProfileOf, Wizard, WizardAdded, WizardFailure,
    WizardPick, WizardPrompt,
};
use model::{Connector, ManagedIdentity};
use serde::{Deserialize, Serialize};
use service::Check;
use service::preflight::ApiPermission;
use utoipa::{IntoParams, ToSchema};

use crate::access::Caller;
use crate::api::app_profiles::PermissionView;
use crate::api::connectors::{
    AddedConnector, CheckView, NextStep, ReachedView, SyncBody, may_add, next_steps,
};
use crate::api::credentials::{IdentityBody, reach_credentials};
use crate::api::policies::KeepBody;
use crate::{Problem, SecretText, Server};

/// Which service.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MethodQuery {
    #[param(example = "azure-devops")]
    pub service: String,
}

/// The ways to sign in, and what to tell a person before.
#[derive(Serialize, ToSchema)]
pub(super) struct MethodsView {
    methods: Vec<MethodView>,
    /// What the consent page will ask for, and why.
    permissions: Vec<PermissionView>,
    hints: Vec<HintView>,
}

/// A way to sign in.
#[derive(Serialize, ToSchema)]
struct MethodView {
    name: &'static str,
    title: &'static str,
    /// What it is good for.
    usage: &'static str,
    /// How long it lasts without anybody doing anything.
    life: &'static str,
    /// One of the two that are shown first.
    first: bool,
    /// A person has to sign in.
    person: bool,
}

/// Something to know before signing in.
#[derive(Serialize, ToSchema)]
struct HintView {
    about: &'static str,
    text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'static str>,
}

/// Tenants have no organizations.
const ORGANIZATION: &str = "organization-permissions";

const HINTS: &[(&str, &str, Option<&str>)] = &[
    (
        "personal-account",
        "Before you sign in, sign out of personal Microsoft accounts or use a private window.",
        None,
    ),
    (
        "sign-in-window-missing",
        "If no window opens, allow pop-ups for this site permanently in the address bar, or open this one once. If the session has expired, refresh the page and sign in again.",
        None,
    ),
    (
        "consent",
        "Choose \u{201c}Consent on behalf of your organization\u{201d} to be asked only once. It takes an administrator of the tenant.",
        None,
    ),
    (
        ORGANIZATION,
        "The account needs to be owner of the organization, or a member of it and of Project Collection Administrators.",
        Some(
            "https://learn.microsoft.com/azure/devops/organizations/security/change-organization-collection-level-permissions",
        ),
    ),
];

impl MethodsView {
    pub(super) fn of<'a>(
        service: &str,
        methods: impl Iterator<Item = &'a Method>,
        permissions: Vec<ApiPermission>,
    ) -> Self {
        Self {
            methods: methods
                .map(|method| MethodView {
                    name: method.name,
                    title: method.title,
                    usage: method.usage,
                    life: method.life,
                    first: method.first,
                    person: method.person,
                })
                .collect(),
            permissions: permissions.into_iter().map(PermissionView::of).collect(),
            hints: HINTS
                .iter()
                .filter(|(about, ..)| service == "azure-devops" || *about != ORGANIZATION)
                .map(|(about, text, link)| HintView {
                    about,
                    text,
                    link: *link,
                })
                .collect(),
        }
    }
}

/// A managed identity that can be chosen.
#[derive(Serialize, ToSchema)]
pub(super) struct IdentityView {
    title: String,
    /// `system` or `user`.
    assigned: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
}

impl IdentityView {
    pub(super) fn of(known: KnownIdentity) -> Self {
        let (assigned, client_id) = match known.identity {
            ManagedIdentity::System => ("system", None),
            ManagedIdentity::User { client_id } => ("user", Some(client_id)),
        };
        Self {
            title: known.title,
            assigned,
            client_id,
        }
    }
}

/// The first step.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BeginWizard {
    #[schema(example = "azure-devops")]
    pub service: String,
    /// `user`, `stored` for a credential of the vault, or a way to sign in without a person.
    pub method: String,
    /// For `user`: `device-code`, or `code` for a browser that comes back.
    pub flow: Option<String>,
    /// For `code`: `http://localhost:PORT` of a program beside the browser; this server when absent.
    pub redirect: Option<String>,
    /// Where a form asks for it first. Empty is refused.
    pub organization: Option<String>,
    /// Another host than the service's own: Azure DevOps Server.
    pub url: Option<String>,
    /// Signs in again for this connector, with the same or a different account.
    pub connector: Option<String>,
    /// The app profile of the tenant.
    pub app_profile: Option<String>,
    /// Let Microsoft ask which account, also where a session would do.
    #[serde(default)]
    pub choose_account: bool,
    pub cloud: Option<String>,
    pub tenant: Option<String>,
    pub client_id: Option<String>,
    pub credential: Option<String>,
    pub identity: Option<IdentityBody>,
}

impl BeginWizard {
    pub(super) fn app(&self) -> AppChoice {
        AppChoice {
            cloud: self.cloud.clone(),
            tenant: self.tenant.clone(),
            client_id: self.client_id.clone(),
        }
    }
}

/// What the browser brought back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnWizard {
    /// The query of the address, without its question mark.
    pub query: SecretText,
}

/// A wizard on its way.
#[derive(Serialize, ToSchema)]
pub(super) struct WizardView {
    id: String,
    expires: String,
    service: String,
    method: String,
    /// `sign-in`, then `choose`; `failed` when the sign-in came to nothing.
    step: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_in: Option<PromptView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    organizations: Vec<ReachedView>,
    checks: Vec<CheckView>,
}

/// Why the sign-in came to nothing; begin again.
#[derive(Serialize, ToSchema)]
struct FailureView {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl FailureView {
    fn of(failure: WizardFailure) -> Self {
        Self {
            code: failure.code,
            message: failure.message,
            hint: failure.hint,
        }
    }
}

/// What a person needs to sign in.
#[derive(Default, Serialize, ToSchema)]
struct PromptView {
    /// To be opened in a pop-up or in the page itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Until it is worth asking.
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_seconds: Option<u64>,
}

impl WizardView {
    pub(super) fn of(wizard: Wizard) -> Self {
        let sign_in = wizard.prompt.map(|prompt| match prompt {
            WizardPrompt::Page { url } => PromptView {
                url: Some(url),
                ..PromptView::default()
            },
            WizardPrompt::Code { prompt, wait } => PromptView {
                user_code: Some(prompt.user_code),
                verification_uri: Some(prompt.verification_uri),
                expires: Some(prompt.expires.to_string()),
                message: Some(prompt.message),
                wait_seconds: Some(wait),
                ..PromptView::default()
            },
        });
        Self {
            id: wizard.id,
            expires: wizard.expires.to_string(),
            service: wizard.service,
            method: wizard.method,
            step: match (&sign_in, &wizard.failure) {
                (Some(_), _) => "sign-in",
                (None, Some(_)) => "failed",
                (None, None) => "choose",
            },
            failure: wizard.failure.map(FailureView::of),
            connector: wizard.connector,
            organization: wizard.organization,
            sign_in,
            account: wizard.account,
            tenant: wizard.tenant,
            organizations: wizard
                .organizations
                .into_iter()
                .map(ReachedView::of)
                .collect(),
            checks: wizard.checks.into_iter().map(CheckView::of).collect(),
        }
    }
}

/// Which organizations to check.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckWizard {
    /// All that were found when empty.
    #[serde(default)]
    pub organizations: Vec<String>,
}

/// The checks of each organization.
#[derive(Serialize, ToSchema)]
pub(super) struct CheckedWizard {
    organizations: Vec<CheckedOrganization>,
}

/// The checks of one organization.
#[derive(Serialize, ToSchema)]
struct CheckedOrganization {
    organization: String,
    /// It can be connected.
    ok: bool,
    checks: Vec<CheckView>,
}

impl CheckedWizard {
    pub(super) fn of(checked: Vec<(String, Vec<Check>)>) -> Self {
        let one = |(organization, checks): (String, Vec<Check>)| CheckedOrganization {
            organization,
            ok: !checks.iter().any(|check| check.blocks),
            checks: checks.into_iter().map(CheckView::of).collect(),
        };
        Self {
            organizations: checked.into_iter().map(one).collect(),
        }
    }
}

/// What was picked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddWizard {
    /// Empty when a connector signs in again.
    #[serde(default)]
    connectors: Vec<PickBody>,
    /// What to call the credential in the vault; by default it belongs to the connector, or is named after the account.
    pub credential_name: Option<String>,
    /// Start the first backup of each at once.
    #[serde(default)]
    pub run_backup: bool,
    /// People whose connectors are limited, and who reach these too. It takes `manage-people`.
    #[serde(default)]
    pub(super) people: Vec<String>,
    /// How long snapshots are kept: each gets a policy of its own with the usual schedule. It takes `manage-policies`. Without `within`, all of a week stays
    /// beside what it names; a length of nothing is no such rule. When absent, the policy counts that is for them anyway.
    pub(super) retention: Option<KeepBody>,
}

/// An organization that was picked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PickBody {
    organization: String,
    name: Option<String>,
    url: Option<String>,
    restore_credential: Option<String>,
    worker: Option<String>,
    sync: Option<SyncBody>,
}

impl AddWizard {
    pub(super) async fn picks(
        self,
        server: &Server,
        caller: &Caller,
        wizard: &Wizard,
    ) -> Result<Vec<WizardPick>, Problem> {
        for pick in &self.connectors {
            let url = pick.url.as_deref().or(wizard.url.as_deref());
            let place = (&*wizard.service, &*pick.organization, url);
            may_add(server, caller, place, pick.name.as_deref()).await?;
            reach_credentials(server, caller, &pick.restore_credential).await?;
        }
        let picks = self.connectors.into_iter().map(|pick| WizardPick {
            organization: pick.organization,
            name: pick.name,
            url: pick.url,
            restore_credential: pick.restore_credential,
            worker: pick.worker,
            sync: pick.sync.map(SyncBody::settings).unwrap_or_default(),
        });
        Ok(picks.collect())
    }
}

/// A connector as it would be added.
#[derive(Serialize, ToSchema)]
pub(super) struct ReviewView {
    name: String,
    organization: String,
    /// `Azure DevOps OAuth`, `Azure DevOps (PAT)`, …
    #[serde(rename = "type")]
    kind: String,
    /// Through which app profile the person signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_profile: Option<ReviewProfile>,
}

/// The app profile of a sign-in.
#[derive(Serialize, ToSchema)]
struct ReviewProfile {
    name: String,
    /// The tenant has none of this app yet: it is added first.
    new: bool,
}

impl ReviewView {
    pub(super) fn of(connector: Connector, profile: Option<&ProfileOf>) -> Self {
        let service = match connector.service.as_str() {
            "azure-devops" => "Azure DevOps",
            "microsoft-365" => "Microsoft 365",
            other => other,
        };
        let kind = match connector.method.as_str() {
            "user" => format!("{service} OAuth"),
            "pat" => format!("{service} (PAT)"),
            other => {
                let title = control::METHODS
                    .iter()
                    .find(|method| method.name == other)
                    .map_or(other, |method| method.title);
                format!("{service} ({title})")
            }
        };
        Self {
            name: connector.name,
            organization: connector.organization,
            kind,
            app_profile: profile.map(|of| ReviewProfile {
                name: of.profile.name.clone(),
                new: of.new,
            }),
        }
    }
}

/// What the wizard came to.
#[derive(Serialize, ToSchema)]
pub(super) struct AddedWizard {
    /// As a person reads it: `Connected to Azure DevOps`.
    message: &'static str,
    connectors: Vec<AddedConnector>,
    next: Vec<NextStep>,
    /// The ids of the backups that were started.
    runs: Vec<String>,
    /// The app profile that was added first, where the tenant had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_profile: Option<String>,
}

impl AddedWizard {
    pub(super) fn of(control: &Control, added: WizardAdded) -> Self {
        let first = added.connectors.first().map(|one| &one.value);
        let microsoft = first.is_some_and(|one| one.service == "microsoft-365");
        let next = first.map(|one| next_steps(&one.name)).unwrap_or_default();
        Self {
            message: if microsoft {
                "Connected to Microsoft 365"
            } else {
                "Connected to Azure DevOps"
            },
            next,
            connectors: added
                .connectors
                .into_iter()
                .map(|one| AddedConnector::of(control, one))
                .collect(),
            runs: added.runs.into_iter().map(|run| run.id).collect(),
            app_profile: added.profile.map(|profile| profile.name),
        }
    }
}
