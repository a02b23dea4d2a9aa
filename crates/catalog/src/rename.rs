//! A connector gets another name, and whatever names it follows. The audit log keeps the names of its time.

use model::{Alarm, Connector};
use rand::CryptoRng;
use serde_json::Value;

use crate::connectors::{REPLACE, insertion, name_taken};
use crate::credentials;
use crate::db::{Tx, args, json};
use crate::vault::envelope::{self, Sealed, Seed};
use crate::{Catalog, Error, Kek, Result, former};

/// Documents that name connectors: how to read them by their keys, how to write them back, and where in each the name or a list of
/// names is.
const DOCUMENTS: [(&str, &str, &str); 6] = [
    (
        "SELECT id, connectors FROM person WHERE connectors IS NOT NULL",
        "UPDATE person SET connectors = $2 WHERE id = $1",
        "",
    ),
    (
        "SELECT id, connectors FROM api_token WHERE connectors IS NOT NULL",
        "UPDATE api_token SET connectors = $2 WHERE id = $1",
        "",
    ),
    (
        "SELECT key, body FROM policy",
        "UPDATE policy SET body = $2, version = version + 1 WHERE key = $1",
        "/connectors",
    ),
    (
        "SELECT key, body FROM channel",
        "UPDATE channel SET body = $2 WHERE key = $1",
        "/connectors",
    ),
    (
        "SELECT key, body FROM identity_provider",
        "UPDATE identity_provider SET body = $2 WHERE key = $1",
        "/connectors",
    ),
    (
        "SELECT id, target FROM plan",
        "UPDATE plan SET target = $2 WHERE id = $1",
        "/connector",
    ),
];

/// Columns that hold its key.
const KEYS: [&str; 3] = [
    "UPDATE found_item SET connector = $2 WHERE connector = $1",
    "UPDATE connector_sync SET connector = $2 WHERE connector = $1",
    "UPDATE plan SET connector = $2 WHERE connector = $1",
];

/// Columns that hold its name.
const NAMES: [&str; 3] = [
    "UPDATE run SET connector = $2 WHERE lower(connector) = $1",
    "UPDATE job SET connector = $2 WHERE lower(connector) = $1",
    "UPDATE acknowledged_issue SET connector = $2 WHERE lower(connector) = $1",
];

/// What a connector that is gone may have left under the new name, and what would be in the way.
const LEFT: [&str; 3] = [
    "DELETE FROM found_item WHERE connector = $1",
    "DELETE FROM connector_sync WHERE connector = $1",
    "DELETE FROM acknowledged_issue WHERE lower(connector) = $1",
];

impl Catalog {
    /// Puts `after` in the place of the connector `before`, which may have another name, and has every mention follow. Refused while a
    /// run of the connector is open: what is at work knows the old name. `credential` is one that gets another name along with it.
    pub async fn rename_connector<R: CryptoRng + ?Sized>(
        &self,
        kek: &Kek,
        before: &str,
        after: &Connector,
        credential: Option<(&str, &str)>,
        rng: &mut R,
    ) -> Result<()> {
        let (old, new) = (before.to_lowercase(), after.name.to_lowercase());
        let mut tx = self.db.begin().await?;
        let open = "SELECT 1 FROM job j JOIN run r ON r.id = j.run
            WHERE lower(r.connector) = $1 AND j.state IN ('queued', 'leased') LIMIT 1";
        if tx.one(open, args![&old]).await?.is_some() {
            return Err(Error::ConnectorBusy {
                name: before.to_owned(),
            });
        }
        if let Some((from, to)) = credential {
            copy_credential(&mut tx, kek, from, to, rng).await?;
        }
        former::becomes(&mut tx, &old, after).await?;
        former::renamed(&mut tx, &old, &after.name).await?;
        let sql = "UPDATE connector SET key = $2, name = $3 WHERE key = $1";
        match tx.execute(sql, args![&old, &new, &after.name]).await {
            Ok(0) => {
                return Err(Error::ConnectorUnknown {
                    name: before.to_owned(),
                });
            }
            Err(error) if error.is_unique() => return Err(name_taken(after)),
            moved => moved?,
        };
        let (sql, values) = insertion(after, REPLACE)?;
        tx.execute(sqlx::AssertSqlSafe(sql), values).await?;
        if let Some((from, to)) = credential {
            drop_credential(&mut tx, from, to).await?;
        }
        if old != new {
            for sql in LEFT {
                tx.execute(sql, args![&new]).await?;
            }
        }
        for sql in KEYS {
            tx.execute(sql, args![&old, &new]).await?;
        }
        for sql in NAMES {
            tx.execute(sql, args![&old, &after.name]).await?;
        }
        for (read, write, at) in DOCUMENTS {
            // Whom somebody reaches is compared in lower case.
            let name = if at.is_empty() { &new } else { &after.name };
            for row in tx.rows(read, args![]).await? {
                let mut document: Value = row.json(1)?;
                let named = document.pointer_mut(at);
                if named.is_some_and(|named| follow(named, &old, name)) {
                    tx.execute(write, args![row.text(0)?, json(&document)?])
                        .await?;
                }
            }
        }
        objectives(&mut tx, &old, &after.name).await?;
        alarms(&mut tx, &old, &after.name).await?;
        tx.commit().await
    }
}

/// Puts the name in the place of the old one, in a list, in lists by whatever keys or alone; whether that was there.
fn follow(named: &mut Value, old: &str, name: &str) -> bool {
    match named {
        // Each of them, not only the first.
        Value::Array(all) => {
            let followed: Vec<bool> = all.iter_mut().map(|one| follow(one, old, name)).collect();
            followed.contains(&true)
        }
        Value::Object(all) => {
            let lists = all.values_mut();
            let followed: Vec<bool> = lists.map(|one| follow(one, old, name)).collect();
            followed.contains(&true)
        }
        Value::String(text) if text.to_lowercase() == old => {
            name.clone_into(text);
            true
        }
        _ => false,
    }
}

/// How old its last good backup may be.
async fn objectives(tx: &mut Tx, old: &str, name: &str) -> Result<()> {
    let read = "SELECT body FROM alarm_settings WHERE id = 1";
    let Some(row) = tx.one(read, args![]).await? else {
        return Ok(());
    };
    let mut settings: Value = row.json(0)?;
    let Some(Value::Object(objectives)) = settings.get_mut("connectors") else {
        return Ok(());
    };
    let own = objectives.keys().find(|key| key.to_lowercase() == old);
    if let Some(own) = own.cloned()
        && let Some(hours) = objectives.remove(&own)
    {
        objectives.insert(name.to_owned(), hours);
        let write = "UPDATE alarm_settings SET body = $1 WHERE id = 1";
        tx.execute(write, args![json(&settings)?]).await?;
    }
    Ok(())
}

/// What is raised stays so, and is not told again.
async fn alarms(tx: &mut Tx, old: &str, name: &str) -> Result<()> {
    for row in tx.rows("SELECT key, body FROM alarm", args![]).await? {
        let key = row.text(0)?;
        let mut alarm: Alarm = row.json(1)?;
        let about = alarm.connector.as_ref();
        if about.is_none_or(|about| about.to_lowercase() != old) {
            continue;
        }
        alarm.connector = Some(name.to_owned());
        if alarm.subject.to_lowercase() == old {
            name.clone_into(&mut alarm.subject);
        }
        if alarm.key() != key {
            tx.execute("DELETE FROM alarm WHERE key = $1", args![alarm.key()])
                .await?;
        }
        let sql = "UPDATE alarm SET key = $2, body = $3 WHERE key = $1";
        tx.execute(sql, args![key, alarm.key(), json(&alarm)?])
            .await?;
    }
    Ok(())
}

/// A secret is sealed for its name: it is opened, and sealed anew.
async fn copy_credential<R: CryptoRng + ?Sized>(
    tx: &mut Tx,
    kek: &Kek,
    from: &str,
    to: &str,
    rng: &mut R,
) -> Result<()> {
    let (from_key, to_key) = (from.to_lowercase(), to.to_lowercase());
    let sql = "SELECT version, wrapped, sealed FROM credential WHERE key = $1";
    let row = tx.one(sql, args![&from_key]).await?;
    let row = row.ok_or_else(|| Error::CredentialUnknown {
        name: from.to_owned(),
    })?;
    let sealed = Sealed {
        wrapped: row.blob(1)?,
        sealed: row.blob(2)?,
    };
    let version = row.int(0)?;
    let secret = envelope::open(kek, &from_key, version, &sealed)?;
    let Sealed { wrapped, sealed } =
        envelope::seal(kek, &to_key, version, &secret, &Seed::draw(rng))?;
    let sql = "INSERT INTO credential (key, name, method, version, wrapped, sealed, created, updated, sign_in, expires,
            used, tested, test_error)
        SELECT $2, $3, method, version, $4, $5, created, updated, sign_in, expires, used, tested, test_error
        FROM credential WHERE key = $1";
    match tx
        .execute(sql, args![from_key, to_key, to, wrapped, sealed])
        .await
    {
        Err(error) if error.is_unique() => Err(credentials::exists(to)),
        copied => copied.map(drop),
    }
}

/// Others may have come to use it too.
async fn drop_credential(tx: &mut Tx, from: &str, to: &str) -> Result<()> {
    let (from, key) = (from.to_lowercase(), to.to_lowercase());
    for sql in [
        "UPDATE connector SET credential = $3, credential_key = $2 WHERE credential_key = $1",
        "UPDATE connector SET restore_credential = $3, restore_key = $2 WHERE restore_key = $1",
    ] {
        tx.execute(sql, args![&from, &key, to]).await?;
    }
    for sql in [
        "UPDATE app_profile SET credential_key = $2 WHERE credential_key = $1",
        "UPDATE channel SET credential_key = $2 WHERE credential_key = $1",
    ] {
        tx.execute(sql, args![&from, &key]).await?;
    }
    let sql = "DELETE FROM credential WHERE key = $1";
    tx.execute(sql, args![from]).await.map(drop)
}
