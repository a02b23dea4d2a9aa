//! Channels and their secrets: add, change, remove, try.

use base64::Engine as _;
use model::{Channel, Destination, Secret};
use rand::SeedableRng as _;
use service::egress::Egress;
use url::Url;

use super::message::Message;
use super::send::{Sender, compose};
use crate::{Control, Error, Result};

/// The channel as it is to be, with a new secret if it gets one.
pub struct ChannelChange {
    pub channel: Channel,
    pub secret: Option<Secret>,
}

fn credential(channel: &str) -> String {
    format!("notification {}", channel.to_lowercase())
}

fn refused(message: impl Into<String>) -> Error {
    Error::Request {
        code: "channel-refused",
        message: message.into(),
    }
}

/// An address that HTTP can reach; what is refused is not repeated, since it may be a secret.
pub(super) fn http_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "the address is not a URL")?;
    match url.scheme() {
        "http" | "https" if url.username().is_empty() && url.password().is_none() => Ok(url),
        "http" | "https" => Err("the address holds a user name or password"),
        _ => Err("the address begins neither with https:// nor with http://"),
    }
}

impl Control {
    /// Keeps a new channel; `notification test` tells whether it works.
    pub async fn add_channel(&self, change: &ChannelChange) -> Result<()> {
        check(change, false)?;
        let name = &change.channel.name;
        match self.catalog.channel(name).await {
            Err(catalog::Error::ChannelUnknown { .. }) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Err(catalog::Error::ChannelExists { name: name.clone() }.into()),
        }
        let stored = self.store_secret(change).await?;
        let channel = &change.channel;
        self.catalog
            .add_channel(channel, stored.as_deref(), self.now())
            .await?;
        Ok(())
    }

    /// Replaces a channel, if it is still at `version`, and answers the next one; whatever is there without a version. Without a new secret it
    /// keeps the one it has, unless it would now go elsewhere with it.
    pub async fn edit_channel(&self, change: &ChannelChange, version: Option<i64>) -> Result<i64> {
        let channel = &change.channel;
        let row = self.catalog.channel(&channel.name).await?;
        if version.is_some_and(|version| version != row.version) {
            let what = format!("notification channel `{}`", channel.name);
            return Err(catalog::Error::SettingsChanged { what }.into());
        }
        let before = row.channel;
        let kept = self.catalog.channel_credential(&channel.name).await?;
        check(change, kept.is_some())?;
        if change.secret.is_none() && kept.is_some() && leads_elsewhere(&before.to, &channel.to) {
            return Err(refused(
                "the secret was given for another receiver: give it again",
            ));
        }
        let stored = self.store_secret(change).await?;
        let used = stored.or(kept).filter(|_| channel.to.needs_secret());
        self.catalog
            .replace_channel(channel, row.version, used.as_deref(), self.now())
            .await?;
        if used.is_none() {
            self.drop_secret(&channel.name).await?;
        }
        Ok(row.version + 1)
    }

    pub async fn remove_channel(&self, name: &str) -> Result<()> {
        self.catalog.remove_channel(name).await?;
        self.drop_secret(name).await
    }

    /// Sends a message now and says what came of it.
    pub async fn test_channel(&self, name: &str, egress: &Egress) -> Result<()> {
        let channel = self.catalog.channel(name).await?.channel;
        let secret = self.channel_secret(name).await?;
        let (id, now) = (self.new_id(), self.now());
        let message = Message::test(&channel.name, now);
        let sender = Sender::new(egress)?;
        let sent = sender.send(&channel.to, secret.as_ref(), &id, &message, now);
        sent.await.map_err(|failed| Error::Request {
            code: "notification-failed",
            message: failed.why,
        })
    }

    pub(super) async fn channel_secret(&self, name: &str) -> Result<Option<Secret>> {
        match self.catalog.channel_credential(name).await? {
            Some(credential) => Ok(self.catalog.get_credential(&self.kek, &credential).await?),
            None => Ok(None),
        }
    }

    async fn store_secret(&self, change: &ChannelChange) -> Result<Option<String>> {
        let Some(secret) = change
            .secret
            .as_ref()
            .filter(|_| change.channel.to.needs_secret())
        else {
            return Ok(None);
        };
        let name = credential(&change.channel.name);
        let mut rng = rand::rngs::StdRng::from_rng(&mut rand::rng());
        self.catalog
            .put_credential(
                &self.kek,
                &name,
                "notification",
                secret,
                self.now(),
                &mut rng,
            )
            .await?;
        Ok(Some(name))
    }

    async fn drop_secret(&self, channel: &str) -> Result<()> {
        match self.catalog.remove_credential(&credential(channel)).await {
            Err(catalog::Error::CredentialUnknown { .. }) => Ok(()),
            other => Ok(other?),
        }
    }
}

/// Of a length that nobody guesses, as Standard Webhooks asks for.
fn is_signing_key(text: &str) -> bool {
    let encoded = text.strip_prefix("whsec_").unwrap_or(text);
    let key = base64::engine::general_purpose::STANDARD.decode(encoded);
    key.is_ok_and(|key| (24..=64).contains(&key.len()))
        && standardwebhooks::Webhook::new(text).is_ok()
}

/// A secret must not follow to a receiver that it was not given for.
fn leads_elsewhere(before: &Destination, after: &Destination) -> bool {
    match (before, after) {
        (Destination::Email { host: one, .. }, Destination::Email { host: other, .. }) => {
            !one.eq_ignore_ascii_case(other)
        }
        // The key signs, and is never sent.
        (one, other) => one.kind() != other.kind(),
    }
}

fn check(change: &ChannelChange, has_secret: bool) -> Result<()> {
    let channel = &change.channel;
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    let name = &channel.name;
    // A segment of addresses: `.` and `..` would lead elsewhere.
    if !name.starts_with(|char: char| char.is_ascii_alphanumeric())
        || name.len() > 64
        || !name.chars().all(plain)
    {
        return Err(refused(
            "a channel's name has up to 64 letters, digits, `-`, `_` and `.`, and begins with a letter or digit",
        ));
    }
    if channel.on.is_empty() {
        return Err(refused("a channel tells of at least one occasion"));
    }
    let secret = change.secret.as_ref();
    if channel.to.needs_secret() && secret.is_none() && !has_secret {
        return Err(refused(match channel.to {
            Destination::Email { .. } => "the user's password is missing",
            Destination::Webhook { .. } => "the signing key is missing",
            _ => "the address, which is the channel's secret, is missing",
        }));
    }
    match &channel.to {
        Destination::Email { host, from, to, .. } => {
            if host.is_empty() || host.contains(['/', '@', ' ']) {
                return Err(refused("the mail server is a host name or an address"));
            }
            let probe = Message::test(name, jiff::Timestamp::UNIX_EPOCH);
            compose(from, to, "probe", &probe).map_err(refused)?;
        }
        Destination::Webhook { url } => {
            http_url(url).map_err(refused)?;
            if let Some(secret) = secret
                && !is_signing_key(secret.expose())
            {
                return Err(refused(
                    "the signing key is 24 to 64 bytes in base64, with or without `whsec_` before it; `openssl rand -base64 32` makes one",
                ));
            }
        }
        Destination::Slack | Destination::Teams | Destination::Ping => {
            if let Some(secret) = secret {
                http_url(secret.expose()).map_err(refused)?;
            }
        }
    }
    Ok(())
}
