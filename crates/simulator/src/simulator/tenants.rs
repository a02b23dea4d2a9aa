//! What tests do in the tenants of a running simulator.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Simulator, SimulatorError};
use crate::entra::machine::APP_SERVICE_HEADER;
use crate::entra::seed::{APP, FABRIKAM};

impl Simulator {
    /// The id of the tenant `contoso.onmicrosoft.com`, which backs every organization that no other is named for.
    pub fn tenant(&self) -> String {
        crate::auth::TENANT.to_owned()
    }

    /// The id of the tenant `fabrikam.onmicrosoft.com`, where nothing is consented to.
    pub fn other_tenant(&self) -> String {
        FABRIKAM.to_string()
    }

    /// What stands for `https://login.microsoftonline.com`, without a slash at the end.
    pub fn authority(&self) -> &str {
        &self.url
    }

    /// What stands for `https://graph.microsoft.com`; `/v1.0` follows.
    pub fn graph(&self) -> &str {
        &self.url
    }

    /// What stands for `https://app.vssps.visualstudio.com`; `/_apis/profile` and `/_apis/accounts` follow.
    pub fn profile(&self) -> &str {
        &self.url
    }

    /// What stands for `http://169.254.169.254`; `/metadata/identity/oauth2/token` follows.
    pub fn imds(&self) -> &str {
        &self.url
    }

    /// `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` of App Service.
    pub fn app_service(&self) -> (String, &'static str) {
        (format!("{}/msi/token", self.url), APP_SERVICE_HEADER)
    }

    /// A multi-tenant app of Contoso for people, secrets, certificates and both managed identities, with all roles in Contoso.
    /// It is in the organization `contoso`, as are the managed identities.
    pub fn client_id(&self) -> String {
        APP.to_string()
    }

    /// A secret of [`Self::client_id`] that does not expire.
    pub fn client_secret(&self) -> String {
        let world = self.world.read();
        let app = world.entra.apps.iter().find(|app| app.id == APP);
        app.and_then(|app| app.secrets.first())
            .map(|secret| secret.value.clone())
            .unwrap_or_default()
    }

    /// The client id of the machine's user-assigned identity.
    pub fn managed_identity(&self) -> String {
        let world = self.world.read();
        let found = world.entra.machine.assigned.first();
        found.map_or_else(String::new, |identity| identity.client.to_string())
    }

    /// The user principal name of a member of Contoso and its organization without special rights.
    pub fn person(&self) -> &'static str {
        "adele.vance@contoso.example"
    }

    /// The Global Administrator of Contoso, who owns its organization.
    pub fn administrator(&self) -> &'static str {
        "admin@contoso.example"
    }

    /// From now on the browser has a session of this person, and pages are answered as if they accepted.
    pub fn sign_in_at_once(&self, person: &str) {
        let settings = &mut self.world.write().entra.settings;
        settings.signed_in = Some(person.to_owned());
        settings.at_once = true;
    }

    /// The browser has a session of this person; consent that was not given yet is still asked for on a page.
    pub fn sign_in(&self, person: &str) {
        let settings = &mut self.world.write().entra.settings;
        settings.signed_in = Some(person.to_owned());
        settings.at_once = false;
    }

    /// As if nobody sat in front of it: whoever asks is signed in as this person, device codes are approved at the second
    /// poll, any client assertion is believed, and the machine has an identity with the id of the app, too.
    pub fn serve_demonstrations(&self, person: &str) -> Result<(), SimulatorError> {
        let settings = json!({"signedIn": person, "atOnce": true, "approvesDevices": true, "trustsAssertions": true});
        self.control("settings", &settings)?;
        self.control("machine", &json!({"assign": APP})).map(drop)
    }

    /// Addresses and names that a client needs to begin.
    pub fn summary(&self) -> Value {
        json!({
            "url": self.url(),
            "organization": self.organization(),
            "pat": self.pat(),
            "authority": self.authority(),
            "graph": self.graph(),
            "tenant": self.tenant(),
            "client_id": self.client_id(),
            "client_secret": self.client_secret(),
            "person": self.administrator(),
        })
    }

    /// A person enters the code on another device and accepts.
    pub fn approve_device_code(&self, code: &str, person: &str) -> Result<(), SimulatorError> {
        self.control("devices/approve", &json!({"code": code, "person": person}))
            .map(drop)
    }

    /// A person enters the code and refuses.
    pub fn decline_device_code(&self, code: &str) -> Result<(), SimulatorError> {
        self.control("devices/decline", &json!({"code": code}))
            .map(drop)
    }

    /// Seconds that access tokens live from now on.
    pub fn set_token_life(&self, seconds: i64) {
        self.world.write().entra.settings.token_life = seconds;
    }

    /// Goes by this clock, in seconds since 1970, instead of the machine's: tokens are of its time, and answers are dated by it.
    pub fn keep_time(&self, clock: impl Fn() -> i64 + Send + Sync + 'static) {
        self.world.write().entra.time = Box::new(clock);
    }

    /// Puts the clock ahead: tokens, codes and secrets expire without waiting.
    pub fn advance_clock(&self, seconds: i64) {
        self.world.write().entra.ahead += seconds;
    }

    /// Refresh tokens of the person are refused from now on.
    pub fn revoke_sessions(&self, person: &str) {
        self.world.write().entra.revoke(person);
    }

    /// Makes an organization backed by a tenant, and returns its full-access PAT.
    pub fn add_organization_in(&self, name: &str, tenant: &str) -> Result<String, SimulatorError> {
        let mut world = self.world.write();
        let found = world.entra.tenant_named(tenant).map(|tenant| tenant.id);
        let tenant =
            found.ok_or_else(|| SimulatorError::Refused(format!("there is no tenant {tenant}")))?;
        Ok(world.add_organization_in(name, tenant))
    }

    /// `POST /__entra/{path}` without the way over HTTP.
    pub fn control(&self, path: &str, body: &Value) -> Result<Value, SimulatorError> {
        let mut world = self.world.write();
        let reply = crate::entra::control::answer(&mut world.entra, &Method::POST, path, body);
        reply
            .and_then(|reply| reply.document())
            .map_err(|error| SimulatorError::Refused(error.message))
    }

    /// `POST /__access`: membership, licence, policies and denials in an organization.
    pub fn set_access(&self, organization: &str, body: &Value) -> Result<(), SimulatorError> {
        crate::core::access::change(&mut self.world.write(), organization, body)
            .map_err(|error| SimulatorError::Refused(error.message))
    }

    /// An access token for Azure DevOps as a person with the scopes, without signing in.
    pub fn access_token(&self, person: &str, scopes: &[&str]) -> Result<String, SimulatorError> {
        self.token("tokens", &json!({"person": person, "scopes": scopes}))
    }

    /// A token of Kubernetes or a pipeline, to be put into a file.
    pub fn workload_token(&self, issuer: &str, subject: &str) -> Result<String, SimulatorError> {
        self.token(
            "workload-tokens",
            &json!({"issuer": issuer, "subject": subject}),
        )
    }

    fn token(&self, path: &str, body: &Value) -> Result<String, SimulatorError> {
        let made = self.control(path, body)?;
        let token = made["token"].as_str().map(str::to_owned);
        token.ok_or_else(|| SimulatorError::Refused(format!("{path} made no token")))
    }
}
