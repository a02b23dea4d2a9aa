//! Where and as whom this installation signs in, from the configuration and the machine.

use std::sync::Arc;

use control::{KnownIdentity, OwnApp, Reach};
use model::{ManagedIdentity, Secret};
use service::egress::Egress;
use service::entra::{AppService, Cloud, Clouds};
use url::Url;

use crate::clock::SystemClock;
use crate::config::{self, Config};
use crate::failure::Failure;

pub(crate) fn reach(config: &Config, egress: Egress) -> Result<Reach, Failure> {
    let mut clouds = Clouds::usual()?;
    for (name, given) in &config.clouds {
        let cloud = described(&clouds, name, given)?;
        clouds.add(cloud)?;
    }
    if let Some(endpoint) = app_service()? {
        let names: Vec<String> = clouds.names().map(str::to_owned).collect();
        for name in names {
            let mut cloud = clouds.find(&name)?.clone();
            cloud.app_service = Some(endpoint.clone());
            clouds.add(cloud)?;
        }
    }
    let mut reach = Reach::new(clouds, egress, Arc::new(SystemClock));
    reach.apps = config
        .apps
        .iter()
        .map(|app| OwnApp {
            service: app.service.clone(),
            cloud: app.cloud.clone(),
            client_id: app.client_id.clone(),
        })
        .collect();
    reach.identities = config
        .identities
        .iter()
        .map(|identity| KnownIdentity {
            title: identity.title.clone(),
            identity: ManagedIdentity::User {
                client_id: identity.client_id.clone(),
            },
        })
        .collect();
    Ok(reach)
}

fn described(clouds: &Clouds, name: &str, given: &config::Cloud) -> Result<Cloud, Failure> {
    let needed = |url: &Option<Url>| url.as_ref().map(Url::to_string);
    let mut cloud = match (
        clouds.find(name),
        needed(&given.authority),
        needed(&given.graph),
    ) {
        // Graph's address makes more than one member.
        (_, Some(authority), Some(graph)) => Cloud::new(name, &authority, &graph)?,
        (Ok(known), None, None) => known.clone(),
        _ => {
            return Err(Failure::coded(
                "configuration-refused",
                format!("[clouds.{name}] needs authority and graph"),
            ));
        }
    };
    if let Some(imds) = &given.imds {
        cloud.imds = imds.clone();
    }
    for (host, address) in &given.hosts {
        cloud.hosts.insert(host.clone(), address.clone());
    }
    Ok(cloud)
}

/// The identity endpoint that App Service and Container Apps give to their processes.
fn app_service() -> Result<Option<AppService>, Failure> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment is read in `cli` alone"
    )]
    let (endpoint, header) = (
        std::env::var("IDENTITY_ENDPOINT"),
        std::env::var("IDENTITY_HEADER"),
    );
    let (Ok(endpoint), Ok(header)) = (endpoint, header) else {
        return Ok(None);
    };
    let endpoint = endpoint.parse().map_err(|error| {
        Failure::usage(
            format!("IDENTITY_ENDPOINT is no address: {error}"),
            "the platform sets it; leave it alone",
        )
    })?;
    Ok(Some(AppService {
        endpoint,
        header: Secret::new(header),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(text: &str) -> Result<Reach, Failure> {
        let config = Config::parse(text, "keepward.toml").unwrap();
        reach(&config, Egress::new(Vec::new()))
    }

    #[test]
    fn clouds_apps_and_identities_come_from_the_configuration() {
        let reach = reached(
            r#"
            [clouds.lab]
            authority = "https://login.lab.example"
            graph = "https://graph.lab.example"
            imds = "http://127.0.0.1:1"
            hosts = { dev = "https://dev.lab.example/{organization}" }
            [clouds.china]
            imds = "http://127.0.0.1:2"
            [[apps]]
            service = "azure-devops"
            cloud = "lab"
            client_id = "ours"
            [[identities]]
            title = "backup"
            client_id = "user-assigned"
            "#,
        )
        .unwrap();
        let lab = reach.clouds.find("lab").unwrap();
        assert_eq!(lab.imds.as_str(), "http://127.0.0.1:1/");
        assert_eq!(lab.hosts["dev"], "https://dev.lab.example/{organization}");
        let china = reach.clouds.find("china").unwrap();
        assert_eq!(china.imds.as_str(), "http://127.0.0.1:2/");
        let app = reach.own_app("azure-devops", "lab").unwrap();
        assert_eq!(app.client_id, "ours");
        assert!(reach.own_app("azure-devops", "public").is_err());
        let identities = reach.managed_identities();
        let titles: Vec<&str> = identities.iter().map(|one| one.title.as_str()).collect();
        assert_eq!(titles, ["System-assigned", "backup"]);
    }

    #[test]
    fn half_a_cloud_is_refused() {
        let failure = reached("[clouds.lab]\nauthority = \"https://login.lab.example\"\n");
        let failure = failure.err().unwrap();
        assert_eq!(failure.code.as_deref(), Some("configuration-refused"));
    }
}
