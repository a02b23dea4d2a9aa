//! Which hosts a stored secret is sent to.

use model::Connector;
use service::http::Url;

use crate::{Control, Error, Result};

impl Control {
    /// A secret that was entered for one host is sent to no other: whoever owns an address that somebody gives could read it there. One that no
    /// connector uses yet is for the host that was named with it.
    pub(crate) async fn known_host(&self, credential: &str, url: Option<&str>) -> Result<()> {
        let uses = |connector: &Connector| {
            let restores = connector.restore_credential.as_deref();
            let mut all = [Some(connector.credential.as_str()), restores].into_iter();
            all.any(|one| one.is_some_and(|one| one.eq_ignore_ascii_case(credential)))
        };
        let there = origin(url);
        let all = self.catalog.connectors().await?;
        let mut hosts: Vec<Option<String>> = all
            .iter()
            .filter(|connector| uses(connector))
            .map(|connector| origin(connector.url.as_deref()))
            .collect();
        let named = self.catalog.credential(credential).await?.url;
        // Who says nothing means the service's own.
        if named.is_some() || hosts.is_empty() {
            hosts.push(origin(named.as_deref()));
        }
        if hosts.contains(&there) {
            return Ok(());
        }
        Err(Error::Request {
            code: "credential-host",
            message: format!(
                "the secret of `{credential}` was entered for another host, and is sent to no other"
            ),
        })
    }
}

/// Nothing is the service's own hosts.
fn origin(url: Option<&str>) -> Option<String> {
    let url = Url::parse(url?).ok()?;
    Some(url.origin().ascii_serialization())
}
