//! App registrations, the APIs that they may call, and the permissions of those.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::keys::Certificate;

/// An app registration.
pub(crate) struct App {
    /// The client id.
    pub id: Uuid,
    pub name: String,
    /// The tenant where it is registered.
    pub home: Uuid,
    pub multi_tenant: bool,
    /// "Allow public client flows": device code, and codes without a secret.
    pub public_client: bool,
    pub secrets: Vec<Secret>,
    pub certificates: Vec<Certificate>,
    pub federated: Vec<Federation>,
    /// If there is none, any address on loopback.
    pub redirects: Vec<String>,
    /// What `.default` asks for on behalf of people, as `{resource id}/{scope}`.
    pub scopes: BTreeSet<String>,
    /// Application permissions that an administrator who consents grants.
    pub roles: BTreeSet<String>,
    /// Id tokens name the groups of the person.
    pub group_claims: bool,
}

pub(crate) struct Secret {
    pub id: Uuid,
    pub value: String,
    pub expires: i64,
}

/// A federated credential: whose tokens stand for a secret.
pub(crate) struct Federation {
    pub issuer: String,
    pub subject: String,
    pub audience: String,
}

impl App {
    pub(crate) fn is_confidential(&self) -> bool {
        !self.secrets.is_empty() || !self.certificates.is_empty() || !self.federated.is_empty()
    }

    /// Whether an answer may be sent to the address. Ports on loopback do not count.
    pub(crate) fn may_return_to(&self, address: &str) -> bool {
        let Ok(wanted) = url::Url::parse(address) else {
            return false;
        };
        let on_loopback =
            |url: &url::Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if self.redirects.is_empty() {
            return on_loopback(&wanted);
        }
        self.redirects.iter().any(|own| {
            own == address
                || url::Url::parse(own).is_ok_and(|own| {
                    on_loopback(&own)
                        && on_loopback(&wanted)
                        && own.host() == wanted.host()
                        && own.path() == wanted.path()
                })
        })
    }
}

/// An API that issues no tokens itself and accepts ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Resource {
    AzureDevOps,
    Graph,
    /// What federated credentials are exchanged for.
    Exchange,
}

impl Resource {
    const ALL: [Self; 3] = [Self::AzureDevOps, Self::Graph, Self::Exchange];

    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::AzureDevOps => "499b84ac-1321-427f-aa17-267ca6975798",
            Self::Graph => "00000003-0000-0000-c000-000000000000",
            Self::Exchange => "fb60f99c-7a34-4190-8149-302f77469936",
        }
    }

    fn addresses(self) -> &'static [&'static str] {
        match self {
            Self::AzureDevOps => &["https://app.vssps.visualstudio.com"],
            Self::Graph => &[
                "https://graph.microsoft.com",
                "https://graph.microsoft.us",
                "https://dod-graph.microsoft.us",
                "https://microsoftgraph.chinacloudapi.cn",
            ],
            Self::Exchange => &[
                "api://AzureADTokenExchange",
                "api://AzureADTokenExchangeUSGov",
                "api://AzureADTokenExchangeChina",
            ],
        }
    }

    /// By id or address, as `resource=` and the front of a scope name it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = name.trim_end_matches('/');
        // Graph answers on the simulator's own port, too, and clients name it by the address that they use.
        if name.starts_with("http://127.0.0.1:") {
            return Some(Self::Graph);
        }
        Self::ALL.into_iter().find(|resource| {
            resource.id() == name
                || resource
                    .addresses()
                    .iter()
                    .any(|address| address.eq_ignore_ascii_case(name))
        })
    }

    /// Whether a delegated permission needs an administrator.
    pub(crate) fn needs_administrator(self, scope: &str) -> bool {
        self == Self::Graph
            && (scope.ends_with(".All") || scope.starts_with("Directory."))
            && !matches!(
                scope,
                "User.ReadBasic.All" | "Files.Read.All" | "Sites.Read.All"
            )
    }
}

/// The scopes of `OpenID` Connect, which need no consent here.
pub(crate) const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// What a request asks for.
pub(crate) struct Wanted {
    pub resource: Resource,
    /// As the request names the resource, which becomes the audience.
    pub audience: String,
    /// Without the resource; `.default` is kept as it is.
    pub scopes: Vec<String>,
    pub openid: BTreeSet<String>,
}

impl Wanted {
    /// The error is the name of a resource that nobody knows.
    pub(crate) fn parse(scope: &str) -> Result<Self, String> {
        let mut wanted = Self {
            resource: Resource::Graph,
            audience: Resource::Graph.addresses()[0].to_owned(),
            scopes: Vec::new(),
            openid: BTreeSet::new(),
        };
        let mut resource = None;
        for scope in scope.split_whitespace() {
            if OPENID.contains(&scope) {
                wanted.openid.insert(scope.to_owned());
                continue;
            }
            let (front, name) = match scope.rsplit_once('/') {
                Some((front, name)) => (front, name),
                // Without a resource it is one of Microsoft Graph.
                None => (wanted_graph(), scope),
            };
            let found = Resource::named(front).ok_or_else(|| front.to_owned())?;
            if *resource.get_or_insert(found) != found {
                // Tokens are for one resource: the first; the others are consented to only.
                continue;
            }
            wanted.resource = found;
            front.trim_end_matches('/').clone_into(&mut wanted.audience);
            wanted.scopes.push(name.to_owned());
        }
        Ok(wanted)
    }

    /// The delegated permissions that the app asks for with it.
    pub(crate) fn delegated(&self, app: &App) -> BTreeSet<String> {
        let id = self.resource.id();
        self.scopes
            .iter()
            .flat_map(|scope| {
                if scope == ".default" {
                    app.scopes
                        .iter()
                        .filter(|scope| scope.starts_with(id))
                        .cloned()
                        .collect()
                } else {
                    vec![format!("{id}/{scope}")]
                }
            })
            .collect()
    }
}

fn wanted_graph() -> &'static str {
    "https://graph.microsoft.com"
}
