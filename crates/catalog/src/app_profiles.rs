//! App profiles: an app registration for one tenant, ours or the customer's own.

use jiff::Timestamp;
use model::App;

use crate::db::{Row, Tx, args};
use crate::page::{Listed, Page, cursor};
use crate::{Catalog, Error, Result};

/// An Entra app that a tenant's connectors may sign in through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppProfile {
    /// Unique without regard to case.
    pub name: String,
    pub service: String,
    pub app: App,
    /// The customer's own registration, and not the one that comes with the installation.
    pub own: bool,
    /// The credential by which the app proves itself when people sign in through it.
    pub credential: Option<String>,
    /// When an administrator consented, as far as it was seen.
    pub consented: Option<Timestamp>,
    pub created: Timestamp,
}

const SELECT: &str =
    "SELECT name, service, cloud, tenant, client_id, own, consented, created,
        (SELECT name FROM credential WHERE credential.key = app_profile.credential_key) FROM app_profile";

fn read(row: &Row) -> Result<AppProfile> {
    Ok(AppProfile {
        name: row.text(0)?,
        service: row.text(1)?,
        app: App {
            cloud: row.text(2)?,
            tenant: row.text(3)?,
            client_id: row.text(4)?,
        },
        own: row.flag(5)?,
        consented: row.opt_time(6)?,
        created: row.time(7)?,
        credential: row.opt_text(8)?,
    })
}

fn unknown(name: &str) -> Error {
    Error::AppProfileUnknown {
        name: name.to_owned(),
    }
}

pub(crate) async fn add(tx: &mut Tx, profile: &AppProfile) -> Result<()> {
    let sql = "INSERT INTO app_profile (key, name, service, cloud, tenant, client_id, own, consented, created,
            credential_key)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values = args![
        profile.name.to_lowercase(),
        &profile.name,
        &profile.service,
        &profile.app.cloud,
        profile.app.tenant.to_lowercase(),
        profile.app.client_id.to_lowercase(),
        profile.own,
        profile.consented,
        profile.created,
        profile.credential.as_ref().map(|name| name.to_lowercase()),
    ];
    match tx.execute(sql, values).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_unique() => Err(Error::AppProfileExists {
            name: profile.name.clone(),
        }),
        Err(error) => Err(error),
    }
}

impl Catalog {
    /// App profiles by name, a page at a time.
    pub async fn app_profiles(&self, page: &Page) -> Result<Listed<AppProfile>> {
        let limit = page.limit();
        let after = page.position::<1>()?.map(|[key]| key).unwrap_or_default();
        let sql = format!("{SELECT} WHERE key > $1 ORDER BY key LIMIT $2");
        let values = args![after, limit as u64 + 1];
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let items: Vec<AppProfile> = rows.iter().map(read).collect::<Result<_>>()?;
        Ok(Listed::cut(items, limit, |last| {
            cursor(&[&last.name.to_lowercase()])
        }))
    }

    pub async fn app_profile(&self, name: &str) -> Result<AppProfile> {
        let sql = format!("{SELECT} WHERE key = $1");
        let row = self
            .db
            .read_one(sqlx::AssertSqlSafe(sql), args![name.to_lowercase()])
            .await?;
        row.as_ref().map_or_else(|| Err(unknown(name)), read)
    }

    /// The service's profile of this app in this tenant.
    pub async fn app_profile_of(&self, service: &str, app: &App) -> Result<Option<AppProfile>> {
        let sql = format!(
            "{SELECT} WHERE service = $1 AND cloud = $2 AND tenant = $3 AND client_id = $4"
        );
        let values = args![
            service,
            &app.cloud,
            app.tenant.to_lowercase(),
            app.client_id.to_lowercase()
        ];
        let row = self.db.read_one(sqlx::AssertSqlSafe(sql), values).await?;
        row.as_ref().map(read).transpose()
    }

    /// Its name must be new, and its app in that tenant.
    pub async fn add_app_profile(&self, profile: &AppProfile) -> Result<()> {
        if let Some(AppProfile { name, .. }) =
            self.app_profile_of(&profile.service, &profile.app).await?
        {
            return Err(Error::AppProfileThere { name });
        }
        let mut tx = self.db.begin().await?;
        add(&mut tx, profile).await?;
        tx.commit().await
    }

    /// The credential by which an app proves itself, by the profile that has one.
    pub async fn app_credential(&self, app: &App) -> Result<Option<String>> {
        let sql = "SELECT credential_key FROM app_profile
            WHERE cloud = $1 AND tenant = $2 AND client_id = $3 AND credential_key IS NOT NULL ORDER BY key";
        let values = args![
            &app.cloud,
            app.tenant.to_lowercase(),
            app.client_id.to_lowercase()
        ];
        let row = self.db.read_one(sql, values).await?;
        row.map(|row| row.text(0)).transpose()
    }

    pub async fn note_app_consent(&self, name: &str, now: Timestamp) -> Result<()> {
        let sql = "UPDATE app_profile SET consented = $2 WHERE key = $1";
        match self.db.write(sql, args![name.to_lowercase(), now]).await? {
            0 => Err(unknown(name)),
            _ => Ok(()),
        }
    }

    /// Refused while a credential signs in through it.
    pub async fn remove_app_profile(&self, name: &str) -> Result<()> {
        let profile = self.app_profile(name).await?;
        let users = self.app_profile_users(&profile).await?;
        if !users.is_empty() {
            return Err(Error::AppProfileInUse {
                name: profile.name,
                users: users.join(", "),
            });
        }
        let sql = "DELETE FROM app_profile WHERE key = $1";
        match self.db.write(sql, args![name.to_lowercase()]).await? {
            0 => Err(unknown(name)),
            _ => Ok(()),
        }
    }

    /// The credentials that sign in through this app in this tenant.
    pub async fn app_profile_users(&self, profile: &AppProfile) -> Result<Vec<String>> {
        let credentials = self.credentials().await?;
        let users = credentials.into_iter().filter(|row| {
            if profile.credential.as_ref() == Some(&row.name) {
                return false;
            }
            let app = row.sign_in.as_ref().and_then(|sign_in| sign_in.app());
            app.is_some_and(|app| {
                app.client_id.eq_ignore_ascii_case(&profile.app.client_id)
                    && app.tenant.eq_ignore_ascii_case(&profile.app.tenant)
            })
        });
        Ok(users
            .map(|row| format!("credential {}", row.name))
            .collect())
    }
}
