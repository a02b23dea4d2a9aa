//! Entra ID: tenants with their people and apps, sign-in, tokens.

pub(crate) mod app;
mod assertion;
mod authorize;
pub(crate) mod control;
mod device;
mod discovery;
mod error;
mod grant;
pub(crate) mod keys;
pub(crate) mod machine;
mod page;
mod route;
pub(crate) mod seed;
pub(crate) mod tenant;
pub(crate) mod token;

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

pub(crate) use app::App;
pub(crate) use error::Refused;
pub(crate) use route::{Request, answer, belongs_here};
pub(crate) use tenant::{Tenant, User};

use crate::world::Ids;

/// Everything that Entra ID knows.
pub(crate) struct State {
    pub tenants: Vec<Tenant>,
    pub apps: Vec<App>,
    pub settings: Settings,
    pub machine: machine::Machine,
    pub ids: Ids,
    codes: HashMap<String, authorize::Code>,
    devices: Vec<device::Device>,
    refresh_tokens: HashMap<String, grant::RefreshToken>,
    /// `jti` of client assertions that were used.
    assertions: HashSet<String>,
    /// Seconds since 1970.
    pub time: Box<dyn Fn() -> i64 + Send + Sync>,
    /// Seconds that the clock is ahead of that.
    pub ahead: i64,
}

/// How the service behaves, for all tenants.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "switches of tests")]
pub(crate) struct Settings {
    /// Seconds that an access token lives.
    pub token_life: i64,
    /// Seconds that a device code lives.
    pub device_code_life: i64,
    /// Seconds between polls that clients are told.
    pub interval: u64,
    /// So many polls get `slow_down`.
    pub slow_down: u32,
    /// Who has a session in the browser: user principal name.
    pub signed_in: Option<String>,
    /// Nobody sits in front of the browser: who has a session consents without a page.
    pub at_once: bool,
    /// Device codes are entered and approved by the one who has a session, between the first and the second poll.
    pub approves_devices: bool,
    /// Any client assertion is believed, whoever signed it.
    pub trusts_assertions: bool,
    /// A refresh token is good for one use; otherwise the old one stays valid beside the new one.
    pub single_use_refresh: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_life: 3_599,
            device_code_life: 900,
            interval: 5,
            slow_down: 0,
            signed_in: None,
            at_once: false,
            approves_devices: false,
            trusts_assertions: false,
            single_use_refresh: false,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "clients compare the times in tokens and answers with their own clock"
)]
fn machine_time() -> i64 {
    jiff::Timestamp::now().as_second()
}

impl State {
    /// Two tenants, with apps and people.
    pub(crate) fn new() -> Self {
        let mut state = Self {
            tenants: Vec::new(),
            apps: Vec::new(),
            settings: Settings::default(),
            machine: machine::Machine::default(),
            ids: Ids::new(77),
            codes: HashMap::new(),
            devices: Vec::new(),
            refresh_tokens: HashMap::new(),
            assertions: HashSet::new(),
            time: Box::new(machine_time),
            ahead: 0,
        };
        seed::fill(&mut state);
        state
    }

    /// Seconds since 1970, by the machine's clock or a test's, and what was put on top of it.
    pub(crate) fn now(&self) -> i64 {
        (self.time)() + self.ahead
    }

    pub(crate) fn tenant(&self, id: Uuid) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.id == id)
    }

    /// By id or domain.
    pub(crate) fn tenant_named(&self, name: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.is_named(name))
    }

    pub(crate) fn tenant_mut(&mut self, name: &str) -> Option<&mut Tenant> {
        self.tenants.iter_mut().find(|tenant| tenant.is_named(name))
    }

    pub(crate) fn app(&self, client: &str) -> Option<&App> {
        let id = Uuid::parse_str(client).ok()?;
        self.apps.iter().find(|app| app.id == id)
    }

    pub(crate) fn app_mut(&mut self, client: &str) -> Option<&mut App> {
        let id = Uuid::parse_str(client).ok()?;
        self.apps.iter_mut().find(|app| app.id == id)
    }

    /// What an app or a managed identity is called.
    pub(crate) fn title(&self, client: Uuid) -> String {
        let machine = self.machine.system.iter().chain(&self.machine.assigned);
        let app = self.apps.iter().find(|app| app.id == client);
        app.map(|app| app.name.clone())
            .or_else(|| {
                machine
                    .into_iter()
                    .find(|own| own.client == client)
                    .map(|own| own.name.clone())
            })
            .unwrap_or_else(|| client.to_string())
    }

    /// The person with the address, in whichever tenant it is a member of.
    pub(crate) fn person(&self, name: &str) -> Option<(&Tenant, &User)> {
        self.tenants
            .iter()
            .find_map(|tenant| tenant.user(name).map(|user| (tenant, user)))
    }

    /// All sessions of a person begin anew: refresh tokens from before are refused.
    pub(crate) fn revoke(&mut self, name: &str) -> bool {
        let now = self.now();
        let user = self
            .tenants
            .iter_mut()
            .find_map(|tenant| tenant.user_mut(name));
        user.map(|user| user.sessions_from = now + 1).is_some()
    }
}
