//! From a connector to a client of its organization.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::Reporter;
use service::egress::{Egress, Purpose};
use service::http::{Auth, Options, Url, segment};
use service::{Client, Service};

use crate::{Error, Result};

pub const USER_AGENT: &str = concat!("Keepward/", env!("CARGO_PKG_VERSION"));

/// The base address of each host, without a slash at its end. Another address than the service's own stands for all hosts; the organization
/// is added unless the address ends with it, and taken away for a host that belongs to none.
pub fn addresses(
    service: &Service,
    organization: &str,
    url: Option<&str>,
) -> Result<BTreeMap<&'static str, Url>> {
    hosts(service, organization, url, &BTreeMap::new())
}

fn hosts(
    service: &Service,
    organization: &str,
    url: Option<&str>,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<&'static str, Url>> {
    let own = |template: &str| template.replace("{organization}", &segment(organization));
    let named = names_organization(service);
    let other = elsewhere(service, organization, url)
        .map(parse)
        .transpose()?;
    service
        .hosts
        .iter()
        .map(|host| {
            let template = overrides.get(host.name).map_or(host.url, String::as_str);
            let url = match &other {
                None => own(template),
                Some(other) if template.contains("{organization}") => {
                    with_organization(other, organization)
                }
                Some(other) if named => without_organization(other, organization),
                Some(other) => with_path(other, template),
            };
            Ok((host.name, parse(&url)?))
        })
        .collect()
}

/// Whether the service's own addresses tell whose they are.
pub(crate) fn names_organization(service: &Service) -> bool {
    let mut hosts = service.hosts.iter();
    hosts.any(|host| host.url.contains("{organization}"))
}

/// An address that is not the service's own in another form: that would be another one for the same organization.
fn elsewhere<'u>(service: &Service, organization: &str, url: Option<&'u str>) -> Option<&'u str> {
    url.filter(|url| {
        let own = service.preflight.address(url);
        let named = own.is_ok_and(|own| own.organization.eq_ignore_ascii_case(organization));
        // A bare name is no address.
        !named || Url::parse(url).is_err()
    })
}

fn with_organization(url: &Url, organization: &str) -> String {
    let above = without_organization(url, organization);
    let text = url.as_str().trim_end_matches('/');
    if above.len() < text.len() {
        text.to_owned()
    } else {
        format!("{text}/{}", segment(organization))
    }
}

/// What the organization lies in, or the address as it is.
fn without_organization(url: &Url, organization: &str) -> String {
    let text = url.as_str().trim_end_matches('/');
    let last = url.path().trim_end_matches('/').rsplit('/').next();
    let names = |last: &&str| {
        !last.is_empty()
            && (last.eq_ignore_ascii_case(organization)
                || last.eq_ignore_ascii_case(&segment(organization)))
    };
    let length = last.filter(names).map_or(0, |last| last.len() + 1);
    text[..text.len() - length].to_owned()
}

/// Where no address names the organization, each keeps its own path: `/v1.0`.
fn with_path(url: &Url, template: &str) -> String {
    let text = url.as_str().trim_end_matches('/');
    match Url::parse(template) {
        Ok(own) if !text.ends_with(own.path()) => format!("{text}{}", own.path()),
        _ => text.to_owned(),
    }
}

fn parse(text: &str) -> Result<Url> {
    // It is not repeated: who puts a password into it should not find it in a log.
    let refused = |reason: &str| Error::Request {
        code: "url-refused",
        message: format!("this is no address of a service: {reason}"),
    };
    let url =
        Url::parse(text.trim_end_matches('/')).map_err(|error| refused(&error.to_string()))?;
    match url.scheme() {
        "http" | "https" => {}
        _ => return Err(refused("it begins neither with https:// nor with http://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(
            "it holds a user name or password: give the token on its own",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it holds a query"));
    }
    Ok(url)
}

/// Where a client goes.
pub(crate) struct Target<'a> {
    pub organization: &'a str,
    pub url: Option<&'a str>,
    /// The cloud's own addresses of hosts, by their names.
    pub hosts: BTreeMap<String, String>,
}

/// A client of one organization; nothing is sent yet. An address that a person gave must lead to where the rules allow.
pub(crate) async fn connect(
    service: &Service,
    target: &Target<'_>,
    auth: Auth,
    observer: Option<Arc<dyn Reporter>>,
    rules: &Egress,
) -> Result<Client> {
    let hosts = hosts(service, target.organization, target.url, &target.hosts)?;
    if elsewhere(service, target.organization, target.url).is_none() {
        return Ok(Client::new(options(hosts, auth, observer))?);
    }
    if matches!(auth, Auth::Bearer(_)) {
        // A server of one's own knows no such token, and whoever owns the address could use it at Microsoft.
        return Err(Error::Request {
            code: "credential-method",
            message: "at an address of your own only a personal access token signs in: tokens of Microsoft are for Microsoft's hosts"
                .to_owned(),
        });
    }
    // Before the first request, so that the refusal is not taken for a failed check; each connection is judged again.
    if let Some(url) = hosts.values().next() {
        rules.check(url, Purpose::Connector).await?;
    }
    Ok(Client::guarded(options(hosts, auth, observer), rules)?)
}

/// A client of what a service has beside its organizations: which of them there are, for example.
pub(crate) fn connect_without_organization(
    service: &Service,
    overrides: &BTreeMap<String, String>,
    auth: Auth,
) -> Result<Client> {
    let shared = service.hosts.iter().map(|host| {
        let template = overrides
            .get(host.name)
            .map_or(host.url, |own| own.as_str());
        (host.name, template)
    });
    let hosts = shared
        .filter(|(_, template)| !template.contains("{organization}"))
        .map(|(name, template)| Ok((name, parse(template)?)))
        .collect::<Result<_>>()?;
    Ok(Client::new(options(hosts, auth, None))?)
}

fn options(
    hosts: BTreeMap<&'static str, Url>,
    auth: Auth,
    observer: Option<Arc<dyn Reporter>>,
) -> Options {
    Options {
        hosts,
        auth,
        user_agent: USER_AGENT.to_owned(),
        attempts: 5,
        max_wait: Duration::from_mins(5),
        timeout: Duration::from_secs(100),
        max_body: 256 << 20,
        observer,
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use service::preflight::Preflight;
    use service::{Check, Host};

    use super::*;

    struct NoPreflight;

    #[async_trait]
    impl Preflight for NoPreflight {
        async fn check(&self, _: &Client, _: &str) -> Vec<Check> {
            Vec::new()
        }
    }

    static SERVICE: Service = SERVICE_TABLE;

    const SERVICE_TABLE: Service = Service {
        name: "fake",
        title: "Fake",
        hosts: &[
            Host {
                name: "dev",
                url: "https://dev.example.com/{organization}",
            },
            Host {
                name: "sps",
                url: "https://sps.example.com/{organization}",
            },
            Host {
                name: "app",
                url: "https://app.example.com",
            },
        ],
        kinds: &[],
        preflight: &NoPreflight,
    };

    fn dev(organization: &str, url: Option<&str>) -> Result<String> {
        let addresses = addresses(&SERVICE, organization, url)?;
        Ok(addresses["dev"].to_string())
    }

    #[test]
    fn the_organization_is_part_of_every_address() {
        let table = [
            ("contoso", None, "https://dev.example.com/contoso"),
            ("a b", None, "https://dev.example.com/a%20b"),
            (
                "contoso",
                Some("http://127.0.0.1:8080"),
                "http://127.0.0.1:8080/contoso",
            ),
            (
                "contoso",
                Some("http://127.0.0.1:8080/"),
                "http://127.0.0.1:8080/contoso",
            ),
            (
                "contoso",
                Some("http://127.0.0.1:8080/Contoso/"),
                "http://127.0.0.1:8080/Contoso",
            ),
            (
                "DefaultCollection",
                Some("https://server/tfs"),
                "https://server/tfs/DefaultCollection",
            ),
        ];
        for (organization, url, expected) in table {
            assert_eq!(dev(organization, url).unwrap(), expected);
        }
    }

    #[test]
    fn where_the_organization_is_not_in_the_address_the_path_stays() {
        static GRAPH: Service = Service {
            name: "graph",
            hosts: &[Host {
                name: "graph",
                url: "https://graph.example.com/v1.0",
            }],
            ..SERVICE_TABLE
        };
        for (url, expected) in [
            (None, "https://graph.example.com/v1.0"),
            (Some("http://127.0.0.1:1"), "http://127.0.0.1:1/v1.0"),
            (Some("http://127.0.0.1:1/v1.0/"), "http://127.0.0.1:1/v1.0"),
        ] {
            let addresses = addresses(&GRAPH, "contoso.com", url).unwrap();
            assert_eq!(addresses["graph"].as_str(), expected);
        }
    }

    #[test]
    fn another_address_stands_for_all_hosts() {
        let addresses = addresses(&SERVICE, "contoso", Some("http://127.0.0.1:1")).unwrap();
        assert_eq!(addresses["sps"], addresses["dev"]);
    }

    #[test]
    fn what_belongs_to_no_organization_lies_above_it_at_another_address_too() {
        for (url, expected) in [
            (None, "https://app.example.com/"),
            (Some("http://127.0.0.1:1"), "http://127.0.0.1:1/"),
            (Some("http://127.0.0.1:1/Contoso/"), "http://127.0.0.1:1/"),
            (Some("https://server/tfs"), "https://server/tfs"),
            (Some("https://server/tfs/contoso"), "https://server/tfs"),
        ] {
            let addresses = addresses(&SERVICE, "contoso", url).unwrap();
            assert_eq!(addresses["app"].as_str(), expected, "{url:?}");
        }
    }

    #[test]
    fn addresses_that_cannot_be_right_are_refused() {
        for url in [
            "contoso",
            "ftp://example.com",
            "https://me:secret@example.com",
            "https://me:secret@example.com:port",
            "https://example.com/?a=b",
        ] {
            let refused = dev("contoso", Some(url)).unwrap_err();
            assert_eq!(refused.code(), Some("url-refused"), "{url}");
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
    }
}
