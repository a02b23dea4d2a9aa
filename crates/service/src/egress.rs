//! Where we may be sent: addresses that people give (connectors, webhooks) must not lead behind the firewall.
//!
//! A name is looked up and judged by the very lookup that the connection then uses, so that a name which changes its mind gains nothing.

mod network;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use model::Class;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{ClientBuilder, Url};

use crate::{Error, Result};
use network::Network;

const MOST_REDIRECTS: usize = 5;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// May lie in a private network: Azure DevOps Server does.
    Connector,
    /// Public addresses alone.
    Webhook,
}

/// The rules of this installation. Our own requests to the machine's identity service do not pass here.
#[derive(Clone)]
pub struct Egress {
    allow: Arc<[IpNet]>,
    lookup: Lookup,
}

type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> + Send + Sync>;

/// An address that was refused; the source of a connection's error.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{host} leads to {address}, {network}")]
pub struct Refused {
    host: String,
    address: IpAddr,
    network: &'static str,
}

impl Egress {
    /// `allow` opens private networks and this machine; never metadata services, link-local or multicast addresses.
    pub fn new(allow: Vec<IpNet>) -> Self {
        Self {
            allow: allow.into(),
            lookup: Arc::new(|host| {
                Box::pin(async move {
                    let found = tokio::net::lookup_host((host, 0)).await?;
                    Ok(found.map(|address| address.ip()).collect())
                })
            }),
        }
    }

    /// Whether a request may go there now. All addresses of the name must be allowed; they are given back.
    pub async fn check(&self, url: &Url, purpose: Purpose) -> Result<Vec<IpAddr>> {
        let host = plain(url)?;
        let addresses = match literal(url) {
            Some(address) => vec![address],
            None => (self.lookup)(host.clone()).await.map_err(|error| {
                Error::new(
                    Class::Transient,
                    "service-unavailable",
                    format!("the name {host} cannot be looked up"),
                )
                .hinted("Check the address and this machine's name service.")
                .caused_by(error)
            })?,
        };
        self.judge(&host, &addresses, purpose)
            .map_err(|found| refused(&found))?;
        Ok(addresses)
    }

    /// Puts the rules into an HTTP client: names are judged by the lookup that is used, redirects once more. No proxy is used, since its lookups are
    /// its own. An address with a number in place of a name must have passed [`Egress::check`] before.
    pub fn guard(&self, builder: ClientBuilder, purpose: Purpose) -> ClientBuilder {
        let rules = self.clone();
        let redirects = reqwest::redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > MOST_REDIRECTS {
                return attempt.error("it is redirected without end");
            }
            let from = attempt.previous().last();
            let weaker = attempt.url().scheme() != "https"
                && from.is_some_and(|from| from.scheme() == "https");
            if weaker || plain(attempt.url()).is_err() {
                return attempt.stop();
            }
            let numbers: Vec<IpAddr> = literal(attempt.url()).into_iter().collect();
            let host = attempt.url().host_str().unwrap_or_default().to_owned();
            match rules.judge(&host, &numbers, purpose) {
                Ok(()) => attempt.follow(),
                Err(refused) => attempt.error(refused),
            }
        });
        self.resolving(builder, purpose)
            .no_proxy()
            .redirect(redirects)
    }

    /// For clients whose addresses nobody looked at: what is never right stays refused, this machine is open.
    pub(crate) fn lenient() -> Self {
        Self::with_this_machine(Vec::new())
    }

    /// For the administrator of this machine, who reaches all of it anyway.
    pub fn with_this_machine(mut allow: Vec<IpNet>) -> Self {
        const LOOPBACK: [IpNet; 2] = [
            IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
            IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
        ];
        allow.extend(LOOPBACK);
        Self::new(allow)
    }

    /// The same for a client that looks after its redirects and proxies itself.
    pub(crate) fn resolving(&self, builder: ClientBuilder, purpose: Purpose) -> ClientBuilder {
        builder.dns_resolver(Guarded {
            rules: self.clone(),
            purpose,
        })
    }

    /// The lookup alone, for a client that somebody else makes.
    pub fn names(&self, purpose: Purpose) -> Arc<dyn Resolve> {
        Arc::new(Guarded {
            rules: self.clone(),
            purpose,
        })
    }

    /// For an address with a number; names are judged when they are looked up.
    pub fn judge_literal(&self, url: &Url, purpose: Purpose) -> Result<()> {
        let Some(address) = literal(url) else {
            return Ok(());
        };
        let host = url.host_str().unwrap_or_default();
        self.judge(host, &[address], purpose)
            .map_err(|found| refused(&found))
    }

    fn judge(&self, host: &str, addresses: &[IpAddr], purpose: Purpose) -> Result<(), Refused> {
        for address in addresses {
            let network = Network::of(*address);
            let listed = || {
                self.allow
                    .iter()
                    .any(|net| net.contains(&network::plain(*address)))
            };
            let open = match network {
                Network::Public => true,
                Network::Private => purpose == Purpose::Connector || listed(),
                Network::Machine => listed(),
                Network::Metadata | Network::Link | Network::Special => false,
            };
            if !open {
                return Err(Refused {
                    host: host.to_owned(),
                    address: *address,
                    network: network.words(),
                });
            }
        }
        Ok(())
    }

    #[cfg(test)]
    fn looking_up(mut self, lookup: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        self.lookup = Arc::new(move |host| {
            let found = lookup(&host);
            Box::pin(async move { Ok(found) })
        });
        self
    }
}

/// A refusal as an error of ours, also out of the depth of a failed request.
pub fn refusal(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<Refused>() {
            return Some(refused(found));
        }
        cause = error.source();
    }
    None
}

fn refused(refused: &Refused) -> Error {
    let error = Error::new(Class::Permission, "address-refused", refused.to_string());
    match model::code::find("address-refused") {
        Some(code) => error.hinted(code.remedy),
        None => error,
    }
}

/// The host of an address that can be sent to.
fn plain(url: &Url) -> Result<String> {
    let unfit = |why: &str| {
        Err(Error::new(
            Class::Unsupported,
            "url-refused",
            format!("`{}` cannot be used: {why}", crate::http::shown(url)),
        ))
    };
    if !matches!(url.scheme(), "http" | "https") {
        return unfit("it begins neither with https:// nor with http://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return unfit("it holds a user name or password");
    }
    match url.host_str() {
        Some(host) if !host.is_empty() => Ok(host.to_owned()),
        _ => unfit("it names no host"),
    }
}

/// The parser of addresses has understood octal, hexadecimal and short forms by now.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        url::Host::Ipv4(address) => Some(IpAddr::V4(address)),
        url::Host::Ipv6(address) => Some(IpAddr::V6(address)),
        url::Host::Domain(_) => None,
    }
}

struct Guarded {
    rules: Egress,
    purpose: Purpose,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, purpose) = (self.rules.clone(), self.purpose);
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = (rules.lookup)(host.clone()).await?;
            rules.judge(&host, &found, purpose)?;
            let addresses: Addrs =
                Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    async fn check(rules: &Egress, url: &str, purpose: Purpose) -> Result<Vec<IpAddr>> {
        rules.check(&Url::parse(url).unwrap(), purpose).await
    }

    #[tokio::test]
    async fn numbers_in_every_spelling_are_judged() {
        let rules = Egress::new(Vec::new());
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[2002:a9fe:a9fe::]/",
            "http://169.254.169.254/metadata/identity",
            "http://168.63.129.16/",
            "http://[fd00:ec2::254]/",
            "http://0.0.0.0/",
            "http://[::]/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://[fe80::1]/",
        ] {
            for purpose in [Purpose::Connector, Purpose::Webhook] {
                let error = check(&rules, url, purpose).await.unwrap_err();
                assert_eq!(error.code, "address-refused", "{url}");
            }
        }
        for url in [
            "http://10.0.0.5/tfs",
            "http://192.168.1.1/",
            "http://[fd12::1]/",
        ] {
            assert!(
                check(&rules, url, Purpose::Connector).await.is_ok(),
                "{url}"
            );
            assert!(check(&rules, url, Purpose::Webhook).await.is_err(), "{url}");
        }
        assert!(
            check(&rules, "https://1.1.1.1/", Purpose::Webhook)
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn the_list_opens_this_machine_and_never_the_metadata_service() {
        let everything = ["0.0.0.0/0", "::/0"].map(|net| net.parse().unwrap());
        let rules = Egress::new(everything.to_vec());
        assert!(
            check(&rules, "http://127.0.0.1:1/", Purpose::Webhook)
                .await
                .is_ok()
        );
        assert!(
            check(&rules, "http://[::ffff:10.0.0.1]/", Purpose::Webhook)
                .await
                .is_ok()
        );
        for url in [
            "http://169.254.169.254/",
            "http://168.63.129.16/",
            "http://[fe80::1]/",
        ] {
            assert!(
                check(&rules, url, Purpose::Connector).await.is_err(),
                "{url}"
            );
        }
    }

    #[tokio::test]
    async fn lenient_rules_still_keep_out_of_what_is_never_right() {
        let rules = Egress::lenient();
        for url in ["http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/"] {
            assert!(
                check(&rules, url, Purpose::Connector).await.is_ok(),
                "{url}"
            );
        }
        for url in [
            "http://169.254.169.254/",
            "http://[fe80::1]/",
            "http://0.0.0.0/",
        ] {
            assert!(
                check(&rules, url, Purpose::Connector).await.is_err(),
                "{url}"
            );
        }
    }

    #[tokio::test]
    async fn one_bad_address_among_good_ones_is_enough() {
        let rules = Egress::new(Vec::new())
            .looking_up(|_| vec![[1, 1, 1, 1].into(), [127, 0, 0, 1].into()]);
        let error = check(&rules, "https://mixed.example/", Purpose::Webhook)
            .await
            .unwrap_err();
        assert!(error.message.contains("mixed.example") && error.message.contains("127.0.0.1"));
    }

    #[tokio::test]
    async fn what_is_no_web_address_is_refused() {
        let rules = Egress::new(Vec::new());
        for url in [
            "ftp://1.1.1.1/",
            "file:///etc/passwd",
            "http://me:pw@1.1.1.1/",
        ] {
            let error = check(&rules, url, Purpose::Connector).await.unwrap_err();
            assert_eq!(error.code, "url-refused", "{url}");
            assert!(!error.message.contains("pw"));
        }
    }

    /// A name that is public when it is checked and this machine when it is used.
    #[tokio::test]
    async fn a_name_that_changes_its_mind_is_refused_when_it_is_used() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let rules = Egress::new(Vec::new()).looking_up(move |_| match count.fetch_add(1, SeqCst) {
            0 => vec![[1, 1, 1, 1].into()],
            _ => vec![[127, 0, 0, 1].into()],
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://rebind.example:{port}/");
        check(&rules, &url, Purpose::Webhook).await.unwrap();
        let builder = reqwest::Client::builder().tls_certs_only([]);
        let client = rules.guard(builder, Purpose::Webhook).build().unwrap();
        let error = client.get(&url).send().await.unwrap_err();
        assert_eq!(refusal(&error).unwrap().code, "address-refused");
        assert_eq!(asked.load(SeqCst), 2);
    }

    /// A server that may be reached sends us on to one that may not.
    #[tokio::test]
    async fn a_redirect_is_judged_like_the_first_address() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        for (target, told) in [
            ("http://169.254.169.254/latest", true),
            ("http://inner.example/", true),
            ("file:///etc/passwd", false),
        ] {
            let rules =
                Egress::new(vec!["127.0.0.1/32".parse().unwrap()]).looking_up(|host| match host {
                    "hook.example" => vec![[127, 0, 0, 1].into()],
                    _ => vec![[10, 0, 0, 1].into()],
                });
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let builder = reqwest::Client::builder().tls_certs_only([]);
            let client = rules.guard(builder, Purpose::Webhook).build().unwrap();
            let serve = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                let _read = stream.read(&mut request).await.unwrap();
                let answer = format!(
                    "HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            };
            let send = client.get(format!("http://hook.example:{port}/")).send();
            let (sent, ()) = tokio::join!(send, serve);
            match sent {
                Err(error) => assert_eq!(refusal(&error).is_some(), told, "{target}: {error:?}"),
                Ok(answer) => assert!(!told && answer.status() == 302, "{target}"),
            }
        }
    }
}
