//! Another name, organization, identity or rule for a connector that there is.

use model::{Connector, ConnectorStatus, SignIn};
use service::Check;

use super::given::{check_sync, organization};
use super::verdict::accept;
use super::{Checked, ConnectorEdit};
use crate::{Control, Result};

impl Control {
    /// Changes a connector; another organization or identity is checked before it is saved.
    pub async fn edit_connector(
        &self,
        name: &str,
        edit: ConnectorEdit,
    ) -> Result<Checked<Connector>> {
        let before = self.catalog.connector(name).await?;
        let judged = self.judging().await?;
        let mut after = self.edited(&before, edit).await?;
        let elsewhere = (&after.organization, &after.url, &after.credential)
            != (&before.organization, &before.url, &before.credential);
        let checks = if elsewhere {
            self.check_elsewhere(&after).await?
        } else {
            Vec::new()
        };
        let stands = self.catalog.connector(&before.name).await?.status;
        after.status = if elsewhere {
            ConnectorStatus::Connected
        } else {
            stands
        };
        after.updated = self.now();
        if after.name == before.name {
            self.catalog.change_connector(&before, &after).await?;
        } else {
            judged.rename(&before, &mut after).await?;
        }
        if elsewhere {
            self.note_warnings(&after, &checks).await?;
        }
        Ok(Checked {
            checks,
            value: after,
        })
    }

    /// The connector as it would be; refuses what is wrong with it before anything is asked as it.
    async fn edited(&self, before: &Connector, edit: ConnectorEdit) -> Result<Connector> {
        let mut after = before.clone();
        if let Some(name) = edit.name {
            self.may_be_named(before, &name).await?;
            after.name = name;
        }
        if let Some(text) = &edit.organization {
            after.organization = organization(self.service(&before.service)?, text)?;
        }
        if let Some(url) = edit.url {
            after.url = url;
        }
        if let Some(credential) = &edit.credential {
            let row = self.catalog.credential(credential).await?;
            let sign_in = row.sign_in.as_ref();
            after.tenant = sign_in
                .and_then(SignIn::app)
                .map(|app| app.tenant.clone())
                .or(after.tenant);
            if let Some(sign_in) = sign_in {
                self.note_tenant(&mut after, sign_in).await?;
            }
            (after.method, after.credential) = (row.method, row.name);
        }
        if let Some(restore) = edit.restore_credential {
            if let Some(name) = &restore {
                self.catalog.credential(name).await?;
            }
            after.restore_credential = restore;
        }
        if let Some(worker) = edit.worker {
            after.worker = worker;
        }
        if let Some(sync) = edit.sync {
            check_sync(&sync)?;
            after.sync = sync;
        }
        if let Some(restore) = &after.restore_credential {
            self.known_host(restore, after.url.as_deref()).await?;
        }
        Ok(after)
    }

    /// Asks another organization, or as another identity, whether it can be backed up.
    async fn check_elsewhere(&self, after: &Connector) -> Result<Vec<Check>> {
        self.refuse_taken(after).await?;
        let client = self.client(after, None).await?;
        self.known_host(&after.credential, after.url.as_deref())
            .await?;
        let service = self.service(&after.service)?;
        let checks = self
            .preflight(service, &client, &after.organization)
            .await?;
        accept(&checks)?;
        Ok(checks)
    }
}
