//! An administrator consents for a whole tenant by a link.

use model::{App, Secret};
use oauth2::CsrfToken;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::Entra;
use super::claims::PERSONAL;
use super::redirect::Return;
use super::refusal::plain;
use crate::Result;

/// A consent that was asked for. It is bound to a tenant and used once.
pub struct AdminConsent {
    asked: Asked,
}

#[derive(Serialize, Deserialize)]
struct Asked {
    tenant: String,
    state: String,
}

impl AdminConsent {
    /// Gives the link for the administrator. A domain is turned into the tenant's id (one request), so that the return can be held against it;
    /// `organizations` leaves the tenant open.
    pub async fn begin(entra: &Entra, app: &App, redirect: &Url) -> Result<(Self, Url)> {
        let cloud = entra.clouds().find(&app.cloud)?;
        let tenant = match app.tenant.as_str() {
            open @ ("organizations" | "common") => open.to_owned(),
            named => entra.tenant(&app.cloud, named).await?,
        };
        let state = CsrfToken::new_random().into_secret();
        let mut address = cloud.address(&tenant, "adminconsent")?;
        address
            .query_pairs_mut()
            .append_pair("client_id", &app.client_id)
            .append_pair("redirect_uri", redirect.as_str())
            .append_pair("state", &state);
        let asked = Asked { tenant, state };
        Ok((Self { asked }, address))
    }

    pub fn state(&self) -> &str {
        &self.asked.state
    }

    pub fn keep(&self) -> Result<Secret> {
        super::keep(&self.asked)
    }

    pub fn resume(kept: &Secret) -> Result<Self> {
        super::resume(kept).map(|asked| Self { asked })
    }

    /// The id of the tenant that consented. It came through the browser: only a token that the application gets in that tenant proves it.
    pub fn complete(self, back: &Return) -> Result<String> {
        back.belongs_to(&self.asked.state)?;
        if !back.consented {
            return Err(plain("consent-missing"));
        }
        let tenant = back.tenant.as_deref().unwrap_or_default();
        let bound = !model::is_tenant_id(&self.asked.tenant)
            || tenant.eq_ignore_ascii_case(&self.asked.tenant);
        if !model::is_tenant_id(tenant) || !bound || tenant.eq_ignore_ascii_case(PERSONAL) {
            return Err(plain("sign-in-mismatch"));
        }
        Ok(tenant.to_ascii_lowercase())
    }
}
