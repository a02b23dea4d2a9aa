//! App profiles: through which app registration a tenant is connected, and what it is allowed.

use catalog::AppProfile;
use model::App;
use service::entra::{AdminConsent, Return};
use service::http::Url;
use service::preflight::ApiPermission;

use crate::connectors::check_label;
use crate::{Control, Error, Result};

/// An app profile to be added.
pub struct NewAppProfile {
    pub name: String,
    pub service: String,
    pub cloud: String,
    /// The tenant's id or domain.
    pub tenant: String,
    /// The customer's own app; without one, ours.
    pub client_id: Option<String>,
}

impl Control {
    /// Keeps a profile; a domain is looked up, so that the profile names the tenant by its id.
    pub async fn add_app_profile(&self, new: &NewAppProfile) -> Result<AppProfile> {
        let service = self.service(&new.service)?;
        check_label("app-profile-name", &new.name)?;
        self.reach.clouds.find(&new.cloud)?;
        let client_id = match &new.client_id {
            Some(client_id) => client_id.clone(),
            None => self.reach.own_app(service.name, &new.cloud)?.client_id,
        };
        let tenant = self.reach.entra()?.tenant(&new.cloud, &new.tenant).await?;
        let profile = AppProfile {
            name: new.name.clone(),
            service: service.name.to_owned(),
            app: App {
                cloud: new.cloud.clone(),
                tenant,
                client_id,
            },
            own: new.client_id.is_some(),
            consented: None,
            created: self.now(),
        };
        self.catalog.add_app_profile(&profile).await?;
        Ok(profile)
    }

    /// What apps and tokens of a service need to be allowed, and why (AV-10).
    pub fn permissions(&self, service: &str) -> Result<Vec<ApiPermission>> {
        Ok(self.service(service)?.preflight.permissions())
    }

    /// A link by which an administrator consents for the profile's tenant, and what to hold the return against.
    pub async fn consent_link(
        &self,
        profile: &AppProfile,
        redirect: &Url,
    ) -> Result<(AdminConsent, Url)> {
        Ok(AdminConsent::begin(self.reach.entra()?, &profile.app, redirect).await?)
    }

    /// Takes an administrator's consent down: the return must be of the profile's tenant.
    pub async fn consented(
        &self,
        profile: &str,
        consent: AdminConsent,
        back: &Return,
    ) -> Result<AppProfile> {
        let tenant = consent.complete(back)?;
        let found = self.catalog.app_profile(profile).await?;
        if !tenant.eq_ignore_ascii_case(&found.app.tenant) {
            return Err(Error::coded("sign-in-mismatch"));
        }
        self.catalog.note_app_consent(profile, self.now()).await?;
        Ok(self.catalog.app_profile(profile).await?)
    }

    /// Refuses a profile of another tenant than the one that is signed in to (AV-03).
    pub(crate) async fn check_profile(
        &self,
        profile: Option<&str>,
        tenant: Option<&str>,
    ) -> Result<()> {
        let Some(name) = profile else {
            return Ok(());
        };
        let profile = self.catalog.app_profile(name).await?;
        if tenant.is_some_and(|tenant| tenant.eq_ignore_ascii_case(&profile.app.tenant)) {
            return Ok(());
        }
        Err(Error::Request {
            code: "app-profile-tenant",
            message: format!(
                "app profile {} is of tenant {}, and the sign-in is of {}",
                profile.name,
                profile.app.tenant,
                tenant.unwrap_or("none")
            ),
        })
    }
}
