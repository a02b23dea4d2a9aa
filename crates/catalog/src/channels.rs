//! Notification channels.

use jiff::Timestamp;
use model::Channel;

use crate::db::{Row, args, json};
use crate::{Catalog, Error, Result};

/// A channel and how often it was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelRow {
    pub channel: Channel,
    pub version: i64,
}

fn read(row: &Row) -> Result<ChannelRow> {
    Ok(ChannelRow {
        channel: row.json(0)?,
        version: row.int(1)?,
    })
}

fn unknown(name: &str) -> Error {
    Error::ChannelUnknown {
        name: name.to_owned(),
    }
}

impl Catalog {
    /// All channels by name. There are few: they are not paged here.
    pub async fn channels(&self) -> Result<Vec<ChannelRow>> {
        let sql = "SELECT body, version FROM channel ORDER BY key";
        self.db.read(sql, args![]).await?.iter().map(read).collect()
    }

    /// The channel of this name, without regard to case.
    pub async fn channel(&self, name: &str) -> Result<ChannelRow> {
        let sql = "SELECT body, version FROM channel WHERE key = $1";
        let row = self.db.read_one(sql, args![name.to_lowercase()]).await?;
        row.as_ref().map_or_else(|| Err(unknown(name)), read)
    }

    /// The name of the credential that holds its secret.
    pub async fn channel_credential(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT credential_key FROM channel WHERE key = $1";
        let row = self.db.read_one(sql, args![name.to_lowercase()]).await?;
        row.ok_or_else(|| unknown(name))?.opt_text(0)
    }

    /// Its name must be new; its credential must be in the vault.
    pub async fn add_channel(
        &self,
        channel: &Channel,
        credential: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        let sql = "INSERT INTO channel (key, name, body, credential_key, updated) VALUES ($1, $2, $3, $4, $5)";
        let values = args![
            channel.name.to_lowercase(),
            &channel.name,
            json(channel)?,
            credential.map(str::to_lowercase),
            now
        ];
        match self.db.write(sql, values).await {
            Err(error) if error.is_unique() => Err(Error::ChannelExists {
                name: channel.name.clone(),
            }),
            other => other.map(drop),
        }
    }

    /// Replaces the channel of the same name, if it is still at `version`.
    pub async fn replace_channel(
        &self,
        channel: &Channel,
        version: i64,
        credential: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        let sql = "UPDATE channel SET name = $2, body = $3, credential_key = $4, updated = $5, version = version + 1
            WHERE key = $1 AND version = $6";
        let values = args![
            channel.name.to_lowercase(),
            &channel.name,
            json(channel)?,
            credential.map(str::to_lowercase),
            now,
            version
        ];
        match self.db.write(sql, values).await? {
            0 => Err(Error::SettingsChanged {
                what: format!("notification channel `{}`", channel.name),
            }),
            _ => Ok(()),
        }
    }

    /// What still waits for it is not sent any more.
    pub async fn remove_channel(&self, name: &str) -> Result<()> {
        let key = name.to_lowercase();
        let mut tx = self.db.begin().await?;
        tx.execute("DELETE FROM outbox WHERE channel = $1", args![&key])
            .await?;
        let sql = "DELETE FROM channel WHERE key = $1";
        if tx.execute(sql, args![&key]).await? == 0 {
            return Err(unknown(name));
        }
        tx.commit().await
    }
}
