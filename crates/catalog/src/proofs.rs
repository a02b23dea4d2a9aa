//! What proves that somebody is who they say: password, one-time codes, identities at providers.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::db::args;
use crate::people::{COLUMNS, NewPerson, PersonRow, read, unknown};
use crate::{Catalog, Error, Result};

/// An identity at a provider: both parts together, since a subject means nothing without its issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
}

impl Catalog {
    /// The account of this name with the hash of its password; `None` for an unknown name.
    pub async fn person_to_prove(&self, name: &str) -> Result<Option<(PersonRow, Option<String>)>> {
        let sql = format!("SELECT {COLUMNS}, person.password FROM person WHERE key = $1");
        let row = self
            .db
            .read_one(sqlx::AssertSqlSafe(sql), args![name.to_lowercase()])
            .await?;
        row.map(|row| Ok((read(&row)?, row.opt_text(crate::people::WIDTH)?)))
            .transpose()
    }

    /// Stores a new password and ends all sessions of the person but one.
    pub async fn set_password(&self, id: &str, password: &str, keep: Option<&str>) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE person SET password = $2 WHERE id = $1";
        if tx.execute(sql, args![id, password]).await? == 0 {
            return Err(unknown(id));
        }
        let sql = "DELETE FROM session WHERE person = $1 AND (id <> $2 OR $2 IS NULL)";
        tx.execute(sql, args![id, keep]).await?;
        tx.commit().await
    }

    /// Begins the enrolment of one-time codes; `false` while they are on.
    pub async fn begin_second_factor(&self, id: &str) -> Result<bool> {
        let sql = "UPDATE person SET totp = 'pending', totp_step = 0 WHERE id = $1 AND (totp IS NULL OR totp = 'pending')";
        Ok(self.db.write(sql, args![id]).await? == 1)
    }

    /// Turns one-time codes on after the first code, with the hashes of new recovery codes.
    pub async fn confirm_second_factor(
        &self,
        id: &str,
        step: u64,
        recovery: &[String],
    ) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let sql =
            "UPDATE person SET totp = 'on', totp_step = $2 WHERE id = $1 AND totp = 'pending'";
        if tx.execute(sql, args![id, step]).await? == 0 {
            return Ok(false);
        }
        tx.execute("DELETE FROM recovery_code WHERE person = $1", args![id])
            .await?;
        for hash in recovery {
            let sql = "INSERT INTO recovery_code (person, hash) VALUES ($1, $2)";
            tx.execute(sql, args![id, hash]).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Turns one-time codes off and forgets their secret and recovery codes.
    pub async fn end_second_factor(&self, id: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        tx.execute("UPDATE person SET totp = NULL WHERE id = $1", args![id])
            .await?;
        tx.execute("DELETE FROM recovery_code WHERE person = $1", args![id])
            .await?;
        let secret = crate::people::totp_credential(id);
        tx.execute("DELETE FROM credential WHERE key = $1", args![secret])
            .await?;
        tx.commit().await
    }

    /// Takes the code of a time step; `false` when it, or a later one, was taken before.
    pub async fn take_step(&self, id: &str, step: u64) -> Result<bool> {
        let sql =
            "UPDATE person SET totp_step = $2 WHERE id = $1 AND totp = 'on' AND totp_step < $2";
        Ok(self.db.write(sql, args![id, step]).await? == 1)
    }

    /// Takes a recovery code by its hash; `false` when there is no such, or no more.
    pub async fn take_recovery_code(&self, id: &str, hash: &str) -> Result<bool> {
        let sql = "DELETE FROM recovery_code WHERE person = $1 AND hash = $2";
        Ok(self.db.write(sql, args![id, hash]).await? == 1)
    }

    /// Who an identity belongs to.
    pub async fn person_of(&self, identity: &Identity) -> Result<Option<PersonRow>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM identity JOIN person ON person.id = identity.person
             WHERE issuer = $1 AND subject = $2"
        );
        let values = args![&identity.issuer, &identity.subject];
        let row = self.db.read_one(sqlx::AssertSqlSafe(sql), values).await?;
        row.as_ref().map(read).transpose()
    }

    /// Makes an account that signs in by an identity. A name that is taken is refused: it may be somebody else's.
    pub async fn add_person_with(&self, person: &NewPerson, identity: &Identity) -> Result<()> {
        let mut tx = self.db.begin().await?;
        crate::people::insert(&mut tx, person).await?;
        let sql = "INSERT INTO identity (issuer, subject, person) VALUES ($1, $2, $3)";
        let values = args![&identity.issuer, &identity.subject, &person.id];
        match tx.execute(sql, values).await {
            Err(error) if error.is_unique() => Err(Error::PersonExists {
                name: person.name.clone(),
            }),
            other => other.map(drop),
        }?;
        tx.commit().await
    }

    /// The identities of a person.
    pub async fn identities(&self, person: &str) -> Result<Vec<Identity>> {
        let sql = "SELECT issuer, subject FROM identity WHERE person = $1 ORDER BY issuer, subject";
        let rows = self.db.read(sql, args![person]).await?;
        let read = |row: &crate::db::Row| {
            Ok(Identity {
                issuer: row.text(0)?,
                subject: row.text(1)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The settings of identity providers by name, as they were stored, with their versions.
    pub async fn identity_providers(&self) -> Result<Vec<(String, String, i64)>> {
        let sql = "SELECT key, body, version FROM identity_provider ORDER BY key";
        let rows = self.db.read(sql, args![]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.text(1)?, row.int(2)?)))
            .collect()
    }

    /// Replaces a provider that is still at `version`, and answers the next one; without a version adds it, or replaces whatever has its name.
    pub async fn put_identity_provider(
        &self,
        name: &str,
        body: &str,
        version: Option<i64>,
    ) -> Result<i64> {
        let rows = if let Some(version) = version {
            let sql = "UPDATE identity_provider SET body = $2, version = version + 1
                WHERE key = $1 AND version = $3 RETURNING version";
            self.db.write_rows(sql, args![name, body, version]).await?
        } else {
            let sql = "INSERT INTO identity_provider (key, body, version) VALUES ($1, $2, 1)
                ON CONFLICT (key) DO UPDATE SET body = excluded.body, version = identity_provider.version + 1
                RETURNING version";
            self.db.write_rows(sql, args![name, body]).await?
        };
        let changed = || Error::SettingsChanged {
            what: format!("identity provider `{name}`"),
        };
        rows.first().ok_or_else(changed)?.int(0)
    }

    /// Answers whether there was one.
    pub async fn remove_identity_provider(&self, name: &str) -> Result<bool> {
        let sql = "DELETE FROM identity_provider WHERE key = $1";
        Ok(self.db.write(sql, args![name]).await? == 1)
    }

    /// Remembers a sign-in that leaves for a provider: hashes of the state and of what the browser alone has.
    pub async fn begin_oidc(&self, state: &PendingSignIn, now: Timestamp) -> Result<()> {
        let mut tx = self.db.begin().await?;
        tx.execute("DELETE FROM oidc_state WHERE expires <= $1", args![now])
            .await?;
        let sql = "INSERT INTO oidc_state (hash, browser, provider, return_to, expires) VALUES ($1, $2, $3, $4, $5)";
        let values = args![
            &state.hash,
            &state.browser,
            &state.provider,
            &state.return_to,
            state.expires
        ];
        tx.execute(sql, values).await?;
        tx.commit().await
    }

    /// Takes a sign-in that comes back: whoever asks first, once.
    pub async fn take_oidc(&self, hash: &str, now: Timestamp) -> Result<Option<PendingSignIn>> {
        let sql = "DELETE FROM oidc_state WHERE hash = $1 RETURNING browser, provider, return_to, expires";
        let rows = self.db.write_rows(sql, args![hash]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let state = PendingSignIn {
            hash: hash.to_owned(),
            browser: row.text(0)?,
            provider: row.text(1)?,
            return_to: row.text(2)?,
            expires: row.time(3)?,
        };
        Ok((state.expires > now).then_some(state))
    }

    /// Counts an attempt under each key before it is looked at; answers until when one of them is used up.
    pub async fn count_attempt(
        &self,
        keys: &[(String, u64)],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let mut tx = self.db.begin().await?;
        tx.execute("DELETE FROM sign_in_attempt WHERE until <= $1", args![now])
            .await?;
        let mut wait = None;
        // In one order, so that two attempts never wait for each other.
        for (key, most) in keys.iter().collect::<BTreeSet<_>>() {
            let sql = "INSERT INTO sign_in_attempt (key, count, until) VALUES ($1, 1, $2)
                ON CONFLICT (key) DO UPDATE SET count = sign_in_attempt.count + 1
                RETURNING count, until";
            if let Some(row) = tx.one(sql, args![key, until]).await?
                && row.unsigned(0)? > *most
            {
                wait = wait.max(Some(row.time(1)?));
            }
        }
        tx.commit().await?;
        Ok(wait)
    }

    /// After a success: forgets the attempts under the first key, and does not count this one under the second.
    pub async fn forgive_attempt(&self, key: &str, counted: &str) -> Result<()> {
        let sql = "DELETE FROM sign_in_attempt WHERE key = $1";
        self.db.write(sql, args![key]).await?;
        let sql = "UPDATE sign_in_attempt SET count = count - 1 WHERE key = $1 AND count > 0";
        self.db.write(sql, args![counted]).await.map(drop)
    }
}

/// A sign-in that went to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSignIn {
    pub hash: String,
    pub browser: String,
    pub provider: String,
    pub return_to: String,
    pub expires: Timestamp,
}
