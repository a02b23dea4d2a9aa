//! Accounts. The last administrator who may sign in can be neither removed, disabled nor demoted.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::Role;

use crate::db::{Row, Tx, args, json};
use crate::{Catalog, Error, Listed, Page, Result, answers, page};

/// An account without what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Never used again, unlike the name of somebody who was removed.
    pub id: String,
    pub name: String,
    pub roles: BTreeSet<Role>,
    /// Names in lower case; `None` for all connectors, also future ones.
    pub connectors: Option<BTreeSet<String>>,
    /// Groups at an identity provider say so, and no administrator does.
    pub reach_of_groups: bool,
    pub disabled: bool,
    pub created: Timestamp,
    pub signed_in: Option<Timestamp>,
    pub has_password: bool,
    pub second_factor: SecondFactor,
    /// Grows with each change of roles, of connectors, and of whether the person may sign in.
    pub version: i64,
}

/// How far the enrolment of one-time codes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    Off,
    /// A secret was given, and no code of it yet: sign-in does not ask for one.
    Pending,
    On,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewPerson {
    pub id: String,
    pub name: String,
    pub roles: BTreeSet<Role>,
    pub connectors: Option<BTreeSet<String>>,
    /// In the PHC string format.
    pub password: Option<String>,
    pub created: Timestamp,
}

/// What changes in an account; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct PersonChange {
    pub roles: Option<BTreeSet<Role>>,
    pub connectors: Option<Option<BTreeSet<String>>>,
    /// The connectors of the person's groups, which an administrator's decision in `connectors` replaces for good.
    pub group_connectors: Option<Option<BTreeSet<String>>>,
    pub disabled: Option<bool>,
    /// What it changes; `None` for whatever is there.
    pub version: Option<i64>,
}

pub(crate) const COLUMNS: &str = "person.id, person.name, person.roles, person.connectors, person.disabled,
    person.created, person.signed_in, CAST(CASE WHEN person.password IS NULL THEN 0 ELSE 1 END AS BIGINT), person.totp,
    person.reach_of_groups, person.version";

/// How many columns [`COLUMNS`] has.
pub(crate) const WIDTH: usize = 11;

pub(crate) fn read(row: &Row) -> Result<PersonRow> {
    Ok(PersonRow {
        id: row.text(0)?,
        name: row.text(1)?,
        roles: row.json(2)?,
        connectors: connectors(row.opt_text(3)?)?,
        reach_of_groups: row.flag(9)?,
        disabled: row.flag(4)?,
        created: row.time(5)?,
        signed_in: row.opt_time(6)?,
        has_password: row.flag(7)?,
        second_factor: match row.opt_text(8)?.as_deref() {
            None => SecondFactor::Off,
            Some("pending") => SecondFactor::Pending,
            Some(_) => SecondFactor::On,
        },
        version: row.int(10)?,
    })
}

pub(crate) fn connectors(text: Option<String>) -> Result<Option<BTreeSet<String>>> {
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Error::damaged(format!("the connectors of an account: {error}")))
}

/// Adds to the connectors that somebody reaches now; who reaches all, or is gone, stays so.
pub(crate) async fn add_reach(tx: &mut Tx, id: &str, more: &BTreeSet<String>) -> Result<()> {
    let sql = "UPDATE person SET id = id WHERE id = $1 RETURNING connectors";
    let Some(row) = tx.one(sql, args![id]).await? else {
        return Ok(());
    };
    let Some(mut reached) = connectors(row.opt_text(0)?)? else {
        return Ok(());
    };
    reached.extend(more.iter().cloned());
    count_change(tx, id, None).await?;
    set_reach(tx, id, Some(&reached)).await
}

/// Which connectors somebody reaches from now on; `None` is all.
pub(crate) async fn set_reach(
    tx: &mut Tx,
    id: &str,
    connectors: Option<&BTreeSet<String>>,
) -> Result<()> {
    let sql = "UPDATE person SET connectors = $2, reach_of_groups = 0 WHERE id = $1";
    tx.execute(sql, args![id, reach(connectors)?])
        .await
        .map(drop)
}

/// Counts a change of somebody, if nobody else has made one since `version`.
async fn count_change(tx: &mut Tx, id: &str, version: Option<i64>) -> Result<()> {
    let sql =
        "UPDATE person SET version = version + 1 WHERE id = $1 AND (version = $2 OR $2 IS NULL)";
    let changed = tx.execute(sql, args![id, version]).await?;
    if changed > 0 || version.is_none() {
        return Ok(());
    }
    let name = "SELECT name FROM person WHERE id = $1";
    let row = tx.one(name, args![id]).await?;
    let name = row.ok_or_else(|| unknown(id))?.text(0)?;
    Err(Error::SettingsChanged {
        what: format!("the account `{name}`"),
    })
}

/// As stored: in lower case.
pub(crate) fn reach(connectors: Option<&BTreeSet<String>>) -> Result<Option<String>> {
    let lower = |names: &BTreeSet<String>| {
        names
            .iter()
            .map(|name| name.to_lowercase())
            .collect::<BTreeSet<_>>()
    };
    connectors.map(lower).as_ref().map(json).transpose()
}

pub(crate) fn unknown(name: &str) -> Error {
    Error::PersonUnknown {
        name: name.to_owned(),
    }
}

impl Catalog {
    /// All accounts by name.
    pub async fn people(&self, page: &Page) -> Result<Listed<PersonRow>> {
        let after = page.position::<1>()?.map(|[key]| key);
        let sql = format!(
            "SELECT {COLUMNS} FROM person WHERE key > $1 OR $1 IS NULL ORDER BY key LIMIT $2"
        );
        let values = args![after, page.limit() as u64 + 1];
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let people = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(people, page.limit(), |person| {
            page::cursor(&[&person.name.to_lowercase()])
        }))
    }

    /// The account of this name, without regard to case.
    pub async fn person(&self, name: &str) -> Result<PersonRow> {
        let sql = format!("SELECT {COLUMNS} FROM person WHERE key = $1");
        let row = self
            .db
            .read_one(sqlx::AssertSqlSafe(sql), args![name.to_lowercase()])
            .await?;
        row.as_ref().map_or_else(|| Err(unknown(name)), read)
    }

    /// The account of this id.
    pub async fn person_by_id(&self, id: &str) -> Result<PersonRow> {
        let sql = format!("SELECT {COLUMNS} FROM person WHERE id = $1");
        let row = self
            .db
            .read_one(sqlx::AssertSqlSafe(sql), args![id])
            .await?;
        row.as_ref().map_or_else(|| Err(unknown(id)), read)
    }

    /// Whether anybody has an account.
    pub async fn has_people(&self) -> Result<bool> {
        let row = self
            .db
            .read_one("SELECT id FROM person LIMIT 1", args![])
            .await?;
        Ok(row.is_some())
    }

    /// How many may sign in and approve.
    pub async fn count_administrators(&self) -> Result<u64> {
        let sql = "SELECT count(*) FROM person WHERE admin = 1 AND disabled = 0";
        self.db
            .read_one(sql, args![])
            .await?
            .map_or(Ok(0), |row| row.unsigned(0))
    }

    /// Makes an account; its name must be new. Nobody can be set up by the token of the first start afterwards.
    pub async fn add_person(&self, person: &NewPerson) -> Result<()> {
        let mut tx = self.db.begin().await?;
        insert(&mut tx, person).await?;
        tx.commit().await
    }

    /// Makes the first account for the holder of the token of the first start, which is gone then.
    pub async fn add_first_person(&self, token_hash: &str, person: &NewPerson) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let taken = tx
            .execute("DELETE FROM setup_token WHERE hash = $1", args![token_hash])
            .await?;
        if taken == 0 {
            return Err(Error::SetupRefused);
        }
        insert(&mut tx, person).await?;
        tx.commit().await
    }

    /// Whether this is the token of the first start. It stays good.
    pub async fn is_setup_token(&self, token_hash: &str) -> Result<bool> {
        let sql = "SELECT hash FROM setup_token WHERE hash = $1";
        Ok(self.db.read_one(sql, args![token_hash]).await?.is_some())
    }

    /// Stores the hash of a token for the first start, unless somebody has an account; answers whether it did.
    pub async fn offer_setup(&self, token_hash: &str) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        if tx
            .one("SELECT id FROM person LIMIT 1", args![])
            .await?
            .is_some()
        {
            return Ok(false);
        }
        let sql = "INSERT INTO setup_token (only_one, hash) VALUES (1, $1)
            ON CONFLICT (only_one) DO UPDATE SET hash = excluded.hash";
        tx.execute(sql, args![token_hash]).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Changes an account, if it is still at the version of the change. One that is disabled loses its sessions; its tokens are refused until it is enabled again.
    pub async fn change_person(&self, id: &str, change: &PersonChange) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let loses = change.disabled == Some(true)
            || change
                .roles
                .as_ref()
                .is_some_and(|roles| !roles.contains(&Role::Admin));
        if loses {
            keep_an_administrator(&mut tx, id).await?;
        }
        count_change(&mut tx, id, change.version).await?;
        if let Some(roles) = &change.roles {
            let sql = "UPDATE person SET roles = $2, admin = $3 WHERE id = $1";
            tx.execute(sql, args![id, json(roles)?, roles.contains(&Role::Admin)])
                .await?;
        }
        if let Some(connectors) = &change.connectors {
            set_reach(&mut tx, id, connectors.as_ref()).await?;
        }
        if let Some(connectors) = &change.group_connectors {
            let sql = "UPDATE person SET connectors = $2, reach_of_groups = 1 WHERE id = $1";
            tx.execute(sql, args![id, reach(connectors.as_ref())?])
                .await?;
        }
        if let Some(disabled) = change.disabled {
            let sql = "UPDATE person SET disabled = $2 WHERE id = $1";
            tx.execute(sql, args![id, disabled]).await?;
            if disabled {
                tx.execute("DELETE FROM session WHERE person = $1", args![id])
                    .await?;
            }
        }
        tx.commit().await
    }

    /// Removes an account with its sessions and tokens; the audit log keeps its name. The secret of its one-time codes goes too.
    pub async fn remove_person(&self, id: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        keep_an_administrator(&mut tx, id).await?;
        tx.execute(
            "DELETE FROM credential WHERE key = $1",
            args![totp_credential(id)],
        )
        .await?;
        answers::forget(&mut tx, &format!("person/{id}")).await?;
        let sql = "SELECT id FROM api_token WHERE person = $1";
        for token in tx.rows(sql, args![id]).await? {
            answers::forget(&mut tx, &format!("token/{}", token.text(0)?)).await?;
        }
        if tx
            .execute("DELETE FROM person WHERE id = $1", args![id])
            .await?
            == 0
        {
            return Err(unknown(id));
        }
        tx.commit().await
    }

    /// Notes a sign-in.
    pub async fn note_sign_in(&self, id: &str, now: Timestamp) -> Result<()> {
        let sql = "UPDATE person SET signed_in = $2 WHERE id = $1";
        self.db.write(sql, args![id, now]).await.map(drop)
    }
}

/// The name of the secret of a person's one-time codes in the vault.
pub fn totp_credential(person: &str) -> String {
    format!("person/{person}/totp")
}

pub(crate) async fn insert(tx: &mut Tx, person: &NewPerson) -> Result<()> {
    let sql = "INSERT INTO person (id, key, name, roles, admin, connectors, password, totp_step, disabled, created)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8)";
    let values = args![
        &person.id,
        person.name.to_lowercase(),
        &person.name,
        json(&person.roles)?,
        person.roles.contains(&Role::Admin),
        reach(person.connectors.as_ref())?,
        person.password.as_deref(),
        person.created,
    ];
    match tx.execute(sql, values).await {
        Err(error) if error.is_unique() => Err(Error::PersonExists {
            name: person.name.clone(),
        }),
        other => other.map(drop),
    }?;
    tx.execute("DELETE FROM setup_token", args![]).await?;
    Ok(())
}

/// Fails when nobody but this one administers. The update changes nothing: it makes two that remove each other wait.
async fn keep_an_administrator(tx: &mut Tx, leaving: &str) -> Result<()> {
    let sql = "UPDATE person SET admin = 1 WHERE admin = 1 AND disabled = 0 RETURNING id";
    let administrators = tx.rows(sql, args![]).await?;
    let mut ids = administrators
        .iter()
        .map(|row| row.text(0))
        .collect::<Result<BTreeSet<_>>>()?;
    if ids.remove(leaving) && ids.is_empty() {
        return Err(Error::LastAdministrator);
    }
    Ok(())
}
