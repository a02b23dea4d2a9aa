//! Which hosts a stored secret is sent to.

use model::Connector;
use service::http::Url;

use crate::{Control, Error, Result};

impl Control {
    /// A secret that was entered for one host is sent to no other: whoever owns an address that somebody gives could read it there.
    pub(crate) async fn known_host(&self, credential: &str, url: Option<&str>) -> Result<()> {
        let uses = |connector: &Connector| {
            let restores = connector.restore_credential.as_deref();
            let mut all = [Some(connector.credential.as_str()), restores].into_iter();
            all.any(|one| one.is_some_and(|one| one.eq_ignore_ascii_case(credential)))
        };
        let all = self.catalog.connectors().await?;
        let mut users = all.iter().filter(|one| uses(one)).peekable();
        let there = origin(url);
        if users.peek().is_none() || users.any(|one| origin(one.url.as_deref()) == there) {
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
