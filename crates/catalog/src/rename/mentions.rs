//! Whatever names a connector, beside its own row.

use model::Alarm;
use serde_json::Value;

use crate::Result;
use crate::db::{Tx, args, json};

/// Documents that name connectors: how to read them by their keys, how to write them back, and where in each the name or a list of
/// names is.
const DOCUMENTS: [(&str, &str, &str); 6] = [
    (
        "SELECT id, connectors FROM person WHERE connectors IS NOT NULL",
        "UPDATE person SET connectors = $2, version = version + 1 WHERE id = $1",
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
        "UPDATE channel SET body = $2, version = version + 1 WHERE key = $1",
        "/connectors",
    ),
    (
        "SELECT key, body FROM identity_provider",
        "UPDATE identity_provider SET body = $2, version = version + 1 WHERE key = $1",
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

/// Has every mention of the connector of this key follow to its new name.
pub(super) async fn follow(tx: &mut Tx, old: &str, name: &str) -> Result<()> {
    let new = name.to_lowercase();
    if *old != new {
        for sql in LEFT {
            tx.execute(sql, args![&new]).await?;
        }
    }
    for sql in KEYS {
        tx.execute(sql, args![old, &new]).await?;
    }
    for sql in NAMES {
        tx.execute(sql, args![old, name]).await?;
    }
    for (read, write, at) in DOCUMENTS {
        // Whom somebody reaches is compared in lower case.
        let name = if at.is_empty() { &new } else { name };
        for row in tx.rows(read, args![]).await? {
            let mut document: Value = row.json(1)?;
            let named = document.pointer_mut(at);
            if named.is_some_and(|named| replaced(named, old, name)) {
                tx.execute(write, args![row.text(0)?, json(&document)?])
                    .await?;
            }
        }
    }
    objectives(tx, old, name).await?;
    alarms(tx, old, name).await
}

/// Puts the name in the place of the old one, in a list, in lists by whatever keys or alone; whether that was there.
fn replaced(named: &mut Value, old: &str, name: &str) -> bool {
    match named {
        // Each of them, not only the first.
        Value::Array(all) => {
            let followed: Vec<bool> = all.iter_mut().map(|one| replaced(one, old, name)).collect();
            followed.contains(&true)
        }
        Value::Object(all) => {
            let lists = all.values_mut();
            let followed: Vec<bool> = lists.map(|one| replaced(one, old, name)).collect();
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
        let write = "UPDATE alarm_settings SET body = $1, version = version + 1 WHERE id = 1";
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
