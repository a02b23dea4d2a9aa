//! The configuration file: what a server is told, in one place. Secrets are in files that it names, never in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::failure::Failure;

/// The name that is looked for in the data directory.
const NAME: &str = "keepward.toml";

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub server: Server,
    pub vault: Vault,
    pub catalog: Catalog,
    pub outbound: Outbound,
    pub repositories: Repositories,
    pub worker: Worker,
    /// Other addresses of Microsoft's clouds.
    pub clouds: BTreeMap<String, Cloud>,
    pub apps: Vec<OwnApp>,
    pub identities: Vec<Identity>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    pub listen: Option<SocketAddr>,
    /// Where people reach the server, when that is not where it listens.
    pub public_url: Option<Url>,
    pub tls_certificate: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    /// Proxies in front; they speak TLS and say whom they speak for.
    pub trusted_proxies: Vec<IpNet>,
    /// Holds the token that opens `/metrics` to others than this machine.
    pub metrics_token_file: Option<PathBuf>,
}

/// Where the key of the vault is; at most one. Without any it is the file `key` in the data directory.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Vault {
    pub key_file: Option<PathBuf>,
    /// The name of a systemd credential (`LoadCredential=`).
    pub credential: Option<String>,
    /// The name of an environment variable.
    pub env: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Catalog {
    /// `postgres://…`; without it, SQLite in the data directory.
    pub url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Outbound {
    /// Private networks that connectors and webhooks may reach.
    pub allow: Vec<IpNet>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Repositories {
    /// Folders that repositories may lie in which are added over the interface; without it, `repositories` in the data directory.
    pub roots: Option<Vec<PathBuf>>,
}

/// Both addresses for a new cloud or to replace one's; without them the known cloud of this name is changed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cloud {
    pub authority: Option<Url>,
    pub graph: Option<Url>,
    pub imds: Option<Url>,
    /// Addresses of a service's hosts by their names, with `{organization}`.
    pub hosts: BTreeMap<String, String>,
}

/// An app registration of your own, which tenants only have to consent to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnApp {
    pub service: String,
    #[serde(default = "public")]
    pub cloud: String,
    pub client_id: String,
}

fn public() -> String {
    "public".to_owned()
}

/// A user-assigned managed identity of this machine: no service lists them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    pub title: String,
    pub client_id: String,
}

/// The worker in the server's own process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Worker {
    /// Different for each server on one catalog; see [`Config::worker_name`].
    pub name: Option<String>,
    pub labels: BTreeSet<String>,
    /// Jobs at the same time.
    pub slots: usize,
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            name: None,
            labels: BTreeSet::new(),
            slots: 4,
        }
    }
}

impl Config {
    /// The name of the worker in this process. Of a catalog that others may work on too it tells this data directory from theirs: what a
    /// killed process left is found by it, and nobody else's work must be.
    pub(crate) fn worker_name(&self, data: &Path) -> Result<String, Failure> {
        let host = nix::unistd::gethostname().ok();
        self.worker_on(host.and_then(|host| host.into_string().ok()), data)
    }

    fn worker_on(&self, host: Option<String>, data: &Path) -> Result<String, Failure> {
        if let Some(name) = &self.worker.name {
            return Ok(name.clone());
        }
        let url = self.catalog.url.as_deref();
        if url.is_none_or(|url| url.starts_with("sqlite:")) {
            return Ok("built-in".to_owned());
        }
        // Others on the same catalog would be called so too, and each would take up the other's work as its own.
        let host = host.filter(|host| !matches!(host.as_str(), "" | "(none)" | "localhost"));
        let host = host.ok_or_else(|| {
            refused(
                "this machine has no name of its own that tells its worker from others on the same catalog: \
                 give it one with `name` under `[worker]` in the configuration"
                    .to_owned(),
            )
        })?;
        let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
        let place = Sha256::digest(data.as_os_str().as_encoded_bytes());
        Ok(format!("{host}-{}", hex::encode(&place[..3])))
    }

    /// Reads the file that was named, or the one in the data directory, or nothing.
    pub(crate) fn load(named: Option<&Path>, data: &Path) -> Result<Self, Failure> {
        let own = data.join(NAME);
        let path = match named {
            Some(path) => path,
            None if own.exists() => &own,
            None => return Ok(Self::default()),
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| refused(format!("cannot read {}: {error}", path.display())))?;
        let config = Self::parse(&text, &path.display().to_string())?;
        config.check(path)?;
        Ok(config)
    }

    pub(crate) fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| refused(place(text, name, &error)))
    }

    fn check(&self, path: &Path) -> Result<(), Failure> {
        let wrong = |what: &str| Err(refused(format!("{}: {what}", path.display())));
        let keys = [
            self.vault.key_file.is_some(),
            self.vault.credential.is_some(),
            self.vault.env.is_some(),
        ];
        if keys.iter().filter(|set| **set).count() > 1 {
            return wrong("[vault] takes one of key_file, credential and env");
        }
        if self.server.tls_certificate.is_some() != self.server.tls_key.is_some() {
            return wrong("[server] tls_certificate and tls_key belong together");
        }
        Ok(())
    }
}

fn refused(message: String) -> Failure {
    Failure::coded("configuration-refused", message)
}

/// File, line, key and what is wrong. The line itself is not repeated: it may hold what should be in a file of its own.
fn place(text: &str, name: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let key = line.split_once('=').map(|(key, _)| key.trim());
    let said = error.message().replace('\n', " ");
    match key {
        Some(key) => format!("{name}, line {number}, key `{key}`: {said}"),
        None => format!("{name}, line {number}: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        Config::parse(text, "keepward.toml").unwrap_err().message
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let message = message("[server]\n\nlisen = \"127.0.0.1:1\"\n");
        assert!(
            message.starts_with("keepward.toml, line 3, key `lisen`: unknown field"),
            "{message}"
        );
    }

    #[test]
    fn a_value_of_another_type_is_not_repeated() {
        let message = message("[server]\nlisten = \"hunter2\"\n");
        assert!(
            message.starts_with("keepward.toml, line 2, key `listen`"),
            "{message}"
        );
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn servers_on_one_catalog_are_different_workers_by_themselves() {
        let name = |text: &str, data: &str| {
            let config = Config::parse(text, "keepward.toml").unwrap();
            let host = Some("basement-1".to_owned());
            config.worker_on(host, Path::new(data)).unwrap()
        };
        assert_eq!(name("", "/one"), "built-in");
        let shared = "[catalog]\nurl = \"postgres://keepward@db/keepward\"\n";
        let (one, other) = (name(shared, "/one"), name(shared, "/other"));
        assert_ne!(one, "built-in", "of another host it would be the same");
        assert_ne!(one, other);
        assert_eq!(one, name(shared, "/one"), "after a restart");
        let named = format!("{shared}[worker]\nname = \"basement\"\n");
        assert_eq!(name(&named, "/one"), "basement");
    }

    #[test]
    fn a_machine_without_a_name_of_its_own_shares_no_catalog_before_its_worker_has_one() {
        let shared = "[catalog]\nurl = \"postgres://keepward@db/keepward\"\n";
        let named = format!("{shared}[worker]\nname = \"basement\"\n");
        for host in [None, Some(""), Some("localhost"), Some("(none)")] {
            let on = |text: &str| {
                let config = Config::parse(text, "keepward.toml").unwrap();
                config.worker_on(host.map(str::to_owned), Path::new("/one"))
            };
            let refused = on(shared).unwrap_err();
            assert_eq!(refused.code.as_deref(), Some("configuration-refused"));
            assert!(refused.message.contains("[worker]"), "{}", refused.message);
            assert_eq!(on(&named).unwrap(), "basement");
            assert_eq!(on("").unwrap(), "built-in");
        }
    }

    #[test]
    fn two_places_of_the_key_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join(NAME),
            "[vault]\nenv = \"A\"\ncredential = \"b\"\n",
        )
        .unwrap();
        let failure = Config::load(None, folder.path()).unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("configuration-refused"));
    }

    #[test]
    fn the_example_is_right() {
        let text = include_str!("../../../packaging/keepward.toml");
        let config = Config::parse(text, "packaging/keepward.toml").unwrap();
        assert_eq!(config.vault.credential.as_deref(), Some("vault-key"));
        let commented = text
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| line.contains(" = ") || line.starts_with('['));
        // What is commented out is right too, but for what excludes what is there.
        let whole: Vec<&str> = commented
            .filter(|line| !line.starts_with("key_file") && !line.starts_with("env ="))
            .collect();
        for section in ["[clouds.example]", "[[apps]]", "[[identities]]"] {
            let from = whole.iter().position(|line| *line == section).unwrap();
            Config::parse(&whole[from..].join("\n"), section).unwrap();
        }
    }

    #[test]
    fn no_file_is_the_default() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            Config::load(None, folder.path())
                .unwrap()
                .server
                .listen
                .is_none()
        );
    }
}
