//! Which source a connector stands for: the one answer for backups, retention, restores, alarms and what people reach.

use model::{Connector, SignIn, SourceId, is_tenant_id};
use service::Service;

use crate::connect::{addresses, names_organization};
use crate::identity::cloud;
use crate::{Control, Result};

/// The address of the organization, as `source.json` names it. Where an address is that of all tenants, the tenant's id is added, once it
/// is known: a tenant has several domains.
pub(crate) fn address(service: &Service, connector: &Connector) -> Result<String> {
    let addresses = addresses(service, &connector.organization, connector.url.as_deref())?;
    let first = service
        .hosts
        .first()
        .and_then(|host| addresses.get(host.name));
    let own = first.map_or_else(String::new, ToString::to_string);
    let tenant = connector.tenant.as_deref().filter(|id| is_tenant_id(id));
    Ok(match tenant {
        Some(tenant) if !names_organization(service) => {
            format!("{}/{tenant}", own.trim_end_matches('/'))
        }
        _ => own,
    })
}

/// What the snapshots of a connector are of.
pub(crate) fn source_id(service: &Service, connector: &Connector) -> Result<SourceId> {
    let url = address(service, connector)?;
    Ok(SourceId::new(service.name, &url, &connector.organization))
}

impl Control {
    /// The source that a connector stands for; an error where this program does not know the service, or its address is none.
    pub fn source_of(&self, connector: &Connector) -> Result<SourceId> {
        source_id(self.service(&connector.service)?, connector)
    }

    /// The source that a connector would stand for, as far as its address tells.
    pub fn source_named(
        &self,
        service: &str,
        organization: &str,
        url: Option<&str>,
    ) -> Result<SourceId> {
        let service = self.service(service)?;
        let connector = Connector {
            service: service.name.to_owned(),
            organization: super::organization(service, organization)?,
            url: url.map(str::to_owned),
            ..Connector::default()
        };
        source_id(service, &connector)
    }

    /// Puts the tenant's id in the place of a domain, where nothing else tells one tenant from another. Without an answer it stays as it is:
    /// the domain tells them apart then.
    pub(super) async fn note_tenant(
        &self,
        connector: &mut Connector,
        sign_in: &SignIn,
    ) -> Result<()> {
        if names_organization(self.service(&connector.service)?) {
            return Ok(());
        }
        let named = connector.tenant.as_deref();
        let named = named.unwrap_or(&connector.organization);
        match self.reach.entra()?.tenant(cloud(sign_in), named).await {
            Ok(id) => connector.tenant = Some(id),
            Err(error) => tracing::warn!(tenant = named, %error, "the id of a tenant is not known"),
        }
        Ok(())
    }

    /// Whether a connector stands for a source, also one that names it by another name of its own.
    pub fn is_for(&self, connector: &Connector, source: &SourceId) -> bool {
        let plain = Connector {
            tenant: None,
            ..connector.clone()
        };
        [connector, &plain]
            .into_iter()
            .any(|one| self.source_of(one).is_ok_and(|own| own == *source))
    }

    /// The connector that stands for a source, unless it was removed.
    pub(crate) async fn connector_of(&self, source: &SourceId) -> Result<Option<Connector>> {
        let all = self.catalog.connectors().await?;
        let own = |one: &Connector| self.source_of(one).is_ok_and(|own| own == *source);
        Ok(all.into_iter().find(own))
    }
}
