//! Clouds: where Entra ID, the services and the machine's own identity are reached.

use std::collections::BTreeMap;

use model::{Class, Secret};
use reqwest::Url;

use crate::{Error, Result};

/// Azure DevOps as a resource, the same in every cloud.
const AZURE_DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798";
const IMDS: &str = "http://169.254.169.254";

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    AzureDevops,
    Graph,
}

/// The identity endpoint that App Service, Functions and Container Apps give to their processes.
#[derive(Clone)]
pub struct AppService {
    pub endpoint: Url,
    /// The platform's proof that the request comes from this process.
    pub header: Secret,
}

/// One cloud. Its addresses are without a slash at the end of their path.
#[derive(Clone)]
pub struct Cloud {
    /// As [`model::App::cloud`] names it.
    pub name: String,
    /// `https://login.microsoftonline.com`.
    pub authority: Url,
    /// `https://graph.microsoft.com`.
    pub graph: Url,
    /// The resource id of Azure DevOps.
    pub azure_devops: String,
    /// The audience of a machine's token that an application trusts (federated credential).
    pub exchange: String,
    /// The metadata service of virtual machines.
    pub imds: Url,
    /// Asked instead of the metadata service where the platform gives one.
    pub app_service: Option<AppService>,
    /// Addresses of a service's hosts by their names, with `{organization}`; those of the service where none is named.
    pub hosts: BTreeMap<String, String>,
}

impl Cloud {
    /// A cloud like the public one but for where people sign in and where Graph is.
    pub fn new(name: &str, authority: &str, graph: &str) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            authority: address(name, authority)?,
            graph: address(name, graph)?,
            azure_devops: AZURE_DEVOPS.to_owned(),
            exchange: "api://AzureADTokenExchange".to_owned(),
            imds: address(name, IMDS)?,
            app_service: None,
            hosts: BTreeMap::from([(
                "graph".to_owned(),
                format!("{}/v1.0", graph.trim_end_matches('/')),
            )]),
        })
    }

    /// All that the identity or application was given: `…/.default`.
    pub fn scope(&self, api: Api) -> String {
        match api {
            Api::AzureDevops => format!("{}/.default", self.azure_devops),
            Api::Graph => format!("{}/.default", self.graph.as_str().trim_end_matches('/')),
        }
    }

    /// An address of the authority; refuses a tenant that would lead elsewhere.
    pub(crate) fn address(&self, tenant: &str, path: &str) -> Result<Url> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        if tenant.is_empty() || tenant.starts_with('.') || !tenant.chars().all(plain) {
            return Err(Error::new(
                Class::Missing,
                "tenant-unknown",
                format!("`{tenant}` is neither the id nor a domain of a tenant"),
            ));
        }
        let base = self.authority.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{tenant}/{path}"))
            .map_err(|error| Error::malformed(format!("cloud {}: {error}", self.name)))
    }

    pub(crate) fn token_endpoint(&self, tenant: &str) -> Result<Url> {
        self.address(tenant, "oauth2/v2.0/token")
    }

    /// Who signs the identity tokens of a tenant.
    pub(crate) fn issuer(&self, tenant: &str) -> String {
        let base = self.authority.as_str().trim_end_matches('/');
        format!("{base}/{tenant}/v2.0")
    }
}

/// The clouds that this installation knows, by name.
#[derive(Clone)]
pub struct Clouds(BTreeMap<String, Cloud>);

impl Clouds {
    /// `public`, `us-government`, `us-defense` and `china`.
    pub fn usual() -> Result<Self> {
        let mut clouds = Self(BTreeMap::new());
        for (name, authority, graph, exchange) in [
            (
                "public",
                "https://login.microsoftonline.com",
                "https://graph.microsoft.com",
                "",
            ),
            (
                "us-government",
                "https://login.microsoftonline.us",
                "https://graph.microsoft.us",
                "USGov",
            ),
            (
                "us-defense",
                "https://login.microsoftonline.us",
                "https://dod-graph.microsoft.us",
                "USGov",
            ),
            (
                "china",
                "https://login.partner.microsoftonline.cn",
                "https://microsoftgraph.chinacloudapi.cn",
                "China",
            ),
        ] {
            let mut cloud = Cloud::new(name, authority, graph)?;
            cloud.exchange.push_str(exchange);
            clouds.add(cloud)?;
        }
        Ok(clouds)
    }

    /// Adds a cloud or replaces one. Passwords and codes go to its authority: it must be encrypted unless it is on this machine.
    pub fn add(&mut self, cloud: Cloud) -> Result<()> {
        for url in [&cloud.authority, &cloud.graph] {
            if url.scheme() != "https" && !crate::http::is_local(url) {
                return Err(unfit(&cloud.name, url.as_str(), "it is not https"));
            }
        }
        self.0.insert(cloud.name.clone(), cloud);
        Ok(())
    }

    pub fn find(&self, name: &str) -> Result<&Cloud> {
        self.0.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.names().collect();
            unfit(
                name,
                name,
                &format!("no such cloud is known; there are {}", known.join(", ")),
            )
        })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn address(cloud: &str, text: &str) -> Result<Url> {
    Url::parse(text.trim_end_matches('/'))
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| unfit(cloud, text, "it is no address"))
}

fn unfit(cloud: &str, what: &str, why: &str) -> Error {
    Error::new(
        Class::Unsupported,
        "url-refused",
        format!("cloud {cloud}: `{what}` cannot be used: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_its_own_hosts_and_the_same_resource() {
        let clouds = Clouds::usual().unwrap();
        for (name, endpoint, graph) in [
            (
                "public",
                "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token",
                "https://graph.microsoft.com/.default",
            ),
            (
                "us-government",
                "https://login.microsoftonline.us/contoso.com/oauth2/v2.0/token",
                "https://graph.microsoft.us/.default",
            ),
            (
                "china",
                "https://login.partner.microsoftonline.cn/contoso.com/oauth2/v2.0/token",
                "https://microsoftgraph.chinacloudapi.cn/.default",
            ),
        ] {
            let cloud = clouds.find(name).unwrap();
            assert_eq!(
                cloud.token_endpoint("contoso.com").unwrap().as_str(),
                endpoint
            );
            assert_eq!(cloud.scope(Api::Graph), graph);
            assert_eq!(
                cloud.scope(Api::AzureDevops),
                "499b84ac-1321-427f-aa17-267ca6975798/.default"
            );
        }
        assert!(clouds.find("moon").is_err());
    }

    #[test]
    fn a_tenant_cannot_lead_to_another_address() {
        let clouds = Clouds::usual().unwrap();
        let cloud = clouds.find("public").unwrap();
        for tenant in ["", "..", "a/b", "a?b", "a#b", "@evil.example", "a%2fb"] {
            let error = cloud.token_endpoint(tenant).unwrap_err();
            assert_eq!(error.code, "tenant-unknown", "{tenant}");
        }
    }

    #[test]
    fn a_cloud_in_clear_text_is_only_allowed_on_this_machine() {
        let mut clouds = Clouds::usual().unwrap();
        let cloud = |authority: &str| Cloud::new("lab", authority, "https://graph.example");
        assert!(clouds.add(cloud("http://login.example").unwrap()).is_err());
        clouds.add(cloud("http://127.0.0.1:9").unwrap()).unwrap();
    }
}
