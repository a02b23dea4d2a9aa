//! API tokens of people. Found by a public prefix; only the hash of the rest is stored.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::Permission;

use crate::db::{Row, args, json};
use crate::people::{COLUMNS, PersonRow, WIDTH, connectors, reach, read as read_person};
use crate::{Catalog, Listed, Page, Result, answers, page};

/// A token as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    pub id: String,
    pub name: String,
    /// The name of its owner.
    pub person: String,
    pub prefix: String,
    /// At most these, and of these only what the owner may at the moment of the request.
    pub permissions: BTreeSet<Permission>,
    /// At most these, in lower case; `None` for what the owner reaches.
    pub connectors: Option<BTreeSet<String>>,
    pub created: Timestamp,
    pub expires: Timestamp,
    /// To the minute.
    pub used: Option<Timestamp>,
}

const TOKEN: &str =
    "api_token.id, api_token.name, person.name, api_token.prefix, api_token.permissions,
    api_token.connectors, api_token.created, api_token.expires, api_token.used";

fn read(row: &Row, from: usize) -> Result<TokenRow> {
    Ok(TokenRow {
        id: row.text(from)?,
        name: row.text(from + 1)?,
        person: row.text(from + 2)?,
        prefix: row.text(from + 3)?,
        permissions: row.json(from + 4)?,
        connectors: connectors(row.opt_text(from + 5)?)?,
        created: row.time(from + 6)?,
        expires: row.time(from + 7)?,
        used: row.opt_time(from + 8)?,
    })
}

/// A token with the hash that proves it and its owner.
#[derive(Clone, Debug)]
pub struct TokenProof {
    pub token: TokenRow,
    pub hash: String,
    pub owner: PersonRow,
}

impl Catalog {
    /// Stores a token of a person by id; the row's own `person` is not looked at.
    pub async fn add_token(&self, person: &str, token: &TokenRow, hash: &str) -> Result<()> {
        let sql = "INSERT INTO api_token (id, person, name, prefix, hash, permissions, connectors, created, expires)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let values = args![
            &token.id,
            person,
            &token.name,
            &token.prefix,
            hash,
            json(&token.permissions)?,
            reach(token.connectors.as_ref())?,
            token.created,
            token.expires,
        ];
        match self.db.write(sql, values).await {
            Err(error) if error.is_foreign_key() => Err(crate::people::unknown(person)),
            other => other.map(drop),
        }
    }

    /// The token of a prefix, whether or not it has expired.
    pub async fn token(&self, prefix: &str) -> Result<Option<TokenProof>> {
        let sql = format!(
            "SELECT {COLUMNS}, {TOKEN}, api_token.hash FROM api_token JOIN person ON person.id = api_token.person
             WHERE api_token.prefix = $1"
        );
        let row = self
            .db
            .read_one(sqlx::AssertSqlSafe(sql), args![prefix])
            .await?;
        row.map(|row| {
            Ok(TokenProof {
                token: read(&row, WIDTH)?,
                hash: row.text(WIDTH + 9)?,
                owner: read_person(&row)?,
            })
        })
        .transpose()
    }

    /// Notes that a token was used; call it at most once a minute.
    pub async fn touch_token(&self, id: &str, now: Timestamp) -> Result<()> {
        let sql = "UPDATE api_token SET used = $2 WHERE id = $1 AND (used < $2 OR used IS NULL)";
        self.db.write(sql, args![id, now]).await.map(drop)
    }

    /// The newest first, also expired ones: of one person by id, or of all.
    pub async fn tokens(&self, person: Option<&str>, page: &Page) -> Result<Listed<TokenRow>> {
        let before = page.position::<1>()?.map(|[id]| id);
        let sql = format!(
            "SELECT {TOKEN} FROM api_token JOIN person ON person.id = api_token.person
             WHERE (api_token.person = $1 OR $1 IS NULL) AND (api_token.id < $2 OR $2 IS NULL)
             ORDER BY api_token.id DESC LIMIT $3"
        );
        let values = args![person, before, page.limit() as u64 + 1];
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let tokens = rows
            .iter()
            .map(|row| read(row, 0))
            .collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(tokens, page.limit(), |token| {
            page::cursor(&[&token.id])
        }))
    }

    /// Revokes a token, of one person alone when given; answers whether there was one.
    pub async fn remove_token(&self, id: &str, person: Option<&str>) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let sql = "DELETE FROM api_token WHERE id = $1 AND (person = $2 OR $2 IS NULL)";
        let removed = tx.execute(sql, args![id, person]).await? == 1;
        if removed {
            answers::forget(&mut tx, &format!("token/{id}")).await?;
        }
        tx.commit().await?;
        Ok(removed)
    }
}
