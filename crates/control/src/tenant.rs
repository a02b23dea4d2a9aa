//! Tenants: who and what is in them, and which users are protected.

use catalog::{DirectoryChange, Listed, Page, SyncRow};
use jiff::Timestamp;
use model::directory::{Entry, EntryKind, KnownEntry, Licensing};
use model::{Connector, SyncSettings};
use service::Client;
use service::directory::Directory;

use crate::{ConnectorEdit, Control, Error, Result};

/// How the users of a tenant are licensed and kept up to date.
#[derive(Clone, Debug)]
pub struct TenantSettings {
    pub licensing: Licensing,
    pub sync: SyncSettings,
    /// The worker that runs the connector's backups unless a policy says otherwise.
    pub worker: Option<String>,
    /// The last sync that succeeded, and why the one after it did not.
    pub synced: Option<Timestamp>,
    pub sync_error: Option<String>,
    pub users: u64,
    pub protected: u64,
}

/// What is to change; `None` leaves it.
#[derive(Default)]
pub struct TenantEdit {
    pub licensing: Option<Licensing>,
    pub sync: Option<SyncSettings>,
    pub worker: Option<Option<String>>,
}

/// What a sync found, by kind; a kind that could not be listed has its reason instead.
pub type DirectorySync = Vec<(EntryKind, std::result::Result<DirectoryChange, String>)>;

impl Control {
    /// Lists users, groups and sites and keeps them. What one lacked permission leaves the others alone; if nothing could be listed, it failed.
    pub(crate) async fn list_directory(
        &self,
        connector: &Connector,
        directory: &dyn Directory,
        client: &Client,
    ) -> Result<DirectorySync> {
        let mut found = DirectorySync::new();
        let mut failed = None;
        for kind in EntryKind::ALL {
            let mut entries: Vec<Entry> = Vec::new();
            let mut take = |mut some: Vec<Entry>| entries.append(&mut some);
            match directory.entries(client, kind, &mut take).await {
                Ok(()) => {
                    let change = self
                        .catalog
                        .store_directory(
                            &connector.name,
                            kind,
                            &entries,
                            connector.sync.add_new,
                            self.now(),
                        )
                        .await?;
                    found.push((kind, Ok(change)));
                }
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(connector = connector.name, ?kind, %error, "not listed");
                    found.push((kind, Err(error.message.clone())));
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            Some(error) if found.iter().all(|(_, result)| result.is_err()) => Err(error.into()),
            _ => Ok(found),
        }
    }

    /// Lists at once what is new at the service, whatever the schedule says.
    pub async fn sync_now(&self, name: &str) -> Result<DirectorySync> {
        let connector = self.catalog.connector(name).await?;
        let service = self.service(&connector.service)?;
        let result = match service.preflight.directory() {
            Some(directory) => {
                let client = self.client(&connector, None).await?;
                self.list_directory(&connector, directory, &client).await
            }
            None => self.find_new(&connector).await.map(|_| Vec::new()),
        };
        let before = self.catalog.sync_row(&connector.name).await?;
        let now = self.now();
        let row = SyncRow {
            handled: now,
            synced: match &result {
                Ok(_) => Some(now),
                Err(_) => before.and_then(|row| row.synced),
            },
            error: result.as_ref().err().map(ToString::to_string),
        };
        self.catalog.set_sync_row(&connector.name, &row).await?;
        result
    }

    /// Users, groups or sites of a connector's tenant, as the last sync found them.
    pub async fn directory(
        &self,
        name: &str,
        kind: EntryKind,
        search: &str,
        page: &Page,
    ) -> Result<(Licensing, Listed<KnownEntry>)> {
        let connector = self.tenant(name).await?;
        let licensing = self.catalog.licensing(&connector.name).await?;
        let listed = self
            .catalog
            .directory(&connector.name, kind, search, page)
            .await?;
        Ok((licensing, listed))
    }

    /// A person's decision about a user; `None` leaves it to the rule again.
    pub async fn license_user(
        &self,
        name: &str,
        id: &str,
        licensed: Option<bool>,
    ) -> Result<(Licensing, KnownEntry)> {
        let connector = self.tenant(name).await?;
        let unknown = || Error::Request {
            code: "user-unknown",
            message: format!("the tenant of {} has no user {id}", connector.name),
        };
        let decided = self
            .catalog
            .decide_entry(&connector.name, EntryKind::User, id, licensed)
            .await?;
        if !decided {
            return Err(unknown());
        }
        let entry = self
            .catalog
            .directory_entry(&connector.name, EntryKind::User, id)
            .await?;
        let licensing = self.catalog.licensing(&connector.name).await?;
        Ok((licensing, entry.ok_or_else(unknown)?))
    }

    pub async fn tenant_settings(&self, name: &str) -> Result<TenantSettings> {
        let connector = self.tenant(name).await?;
        let licensing = self.catalog.licensing(&connector.name).await?;
        let row = self.catalog.sync_row(&connector.name).await?;
        let counts = self
            .catalog
            .directory_counts(&connector.name, EntryKind::User)
            .await?;
        let protected = counts
            .iter()
            .filter(|count| licensing.protects(count.nature, count.decided, count.waiting));
        Ok(TenantSettings {
            licensing,
            synced: row.as_ref().and_then(|row| row.synced),
            sync_error: row.and_then(|row| row.error),
            users: counts.iter().map(|count| count.count).sum(),
            protected: protected.map(|count| count.count).sum(),
            worker: connector.worker,
            sync: connector.sync,
        })
    }

    pub async fn set_tenant_settings(
        &self,
        name: &str,
        edit: TenantEdit,
    ) -> Result<TenantSettings> {
        let connector = self.tenant(name).await?;
        if edit.sync.is_some() || edit.worker.is_some() {
            let change = ConnectorEdit {
                sync: edit.sync,
                worker: edit.worker,
                ..ConnectorEdit::default()
            };
            self.edit_connector(&connector.name, change).await?;
        }
        if let Some(licensing) = edit.licensing {
            self.catalog
                .set_licensing(&connector.name, licensing)
                .await?;
        }
        self.tenant_settings(&connector.name).await
    }

    /// The connector, if it is one of a tenant.
    async fn tenant(&self, name: &str) -> Result<Connector> {
        let connector = self.catalog.connector(name).await?;
        let service = self.service(&connector.service)?;
        if service.preflight.directory().is_some() {
            return Ok(connector);
        }
        Err(Error::Request {
            code: "directory-missing",
            message: format!("{} has no users, groups and sites", service.title),
        })
    }
}
