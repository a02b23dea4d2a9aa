//! App profiles: through which app registration a tenant is connected, and what it is allowed.

use catalog::AppProfile;
use jiff::SignedDuration;
use model::{App, Secret, SignIn};
use serde::{Deserialize, Serialize};
use service::entra::{AdminConsent, Return};
use service::http::Url;
use service::preflight::ApiPermission;

use crate::connectors::check_label;
use crate::identity::rng;
use crate::wizard::{hash, random};
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
    /// A client secret or certificate of the app in the vault: for one that is no public client.
    pub credential: Option<String>,
}

/// Consents belong to nobody: the administrator of a tenant may have no account here.
const OWNER: &str = "consent";
/// How long an administrator may take.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// The profile through which a person signs in.
pub struct ProfileOf {
    pub profile: AppProfile,
    /// It is not kept yet.
    pub new: bool,
}

/// A consent that was asked for.
#[derive(Serialize, Deserialize)]
struct Asked {
    profile: String,
    kept: String,
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
        if let Some(name) = &new.credential {
            self.check_proof(name, &client_id).await?;
        }
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
            credential: new.credential.clone(),
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

    /// A link by which an administrator consents for the profile's tenant; what the return is held against is kept.
    pub async fn consent_link(&self, profile: &AppProfile, redirect: &Url) -> Result<Url> {
        let entra = self.reach.entra()?;
        let (consent, url) = AdminConsent::begin(entra, &profile.app, redirect).await?;
        let asked = Asked {
            profile: profile.name.clone(),
            kept: consent.keep()?.expose().to_owned(),
        };
        let asked = serde_json::to_string(&asked).map_err(|_| unknown())?;
        let (kept, id, now) = (Secret::new(asked), random(), self.now());
        let (kek, rng) = (&self.kek, &mut rng());
        self.catalog
            .begin_connect_session(kek, (&id, OWNER), &kept, (now, now + LIFE), rng)
            .await?;
        let awaited = hash(consent.state());
        self.catalog
            .advance_connect_session(kek, (&id, 1), &kept, Some(&awaited), rng)
            .await?;
        Ok(url)
    }

    /// Takes an administrator's consent down, once: the return must be of the profile's tenant. `None` when a wizard awaits this return.
    pub async fn consent_returned(&self, query: &str) -> Result<Option<AppProfile>> {
        let back = Return::parse(query);
        let catalog = &self.catalog;
        let id = catalog
            .awaiting_connect_session(&hash(back.state()))
            .await?;
        let session = catalog.connect_session(&self.kek, (&id, OWNER), self.now());
        let kept = match session.await {
            Ok((kept, _)) => kept,
            Err(catalog::Error::ConnectSessionUnknown) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        catalog.end_connect_session(&id).await?;
        let asked: Asked = serde_json::from_str(kept.expose()).map_err(|_| unknown())?;
        let consent = AdminConsent::resume(&Secret::new(asked.kept))?;
        let tenant = consent.complete(&back)?;
        let found = catalog.app_profile(&asked.profile).await?;
        if !tenant.eq_ignore_ascii_case(&found.app.tenant) {
            return Err(Error::coded("sign-in-mismatch"));
        }
        catalog.note_app_consent(&found.name, self.now()).await?;
        Ok(Some(catalog.app_profile(&found.name).await?))
    }

    /// A profile's credential proves its app and no other.
    async fn check_proof(&self, credential: &str, client_id: &str) -> Result<()> {
        let row = self.catalog.credential(credential).await?;
        let own = match &row.sign_in {
            Some(SignIn::ClientSecret { app } | SignIn::Certificate { app }) => {
                app.client_id.eq_ignore_ascii_case(client_id)
            }
            _ => false,
        };
        if own {
            return Ok(());
        }
        Err(Error::Request {
            code: "credential-method",
            message: format!(
                "{} is no client secret or certificate of the app {client_id}",
                row.name
            ),
        })
    }

    /// The profile of a person's sign-in: the one that there is, or else the one to be kept before anything that uses it (AV-02). `None` for
    /// whoever signs in without a person.
    pub(crate) async fn profile_of(
        &self,
        service: &str,
        sign_in: &SignIn,
    ) -> Result<Option<ProfileOf>> {
        let SignIn::User { app, account } = sign_in else {
            return Ok(None);
        };
        if let Some(profile) = self.catalog.app_profile_of(service, app).await? {
            return Ok(Some(ProfileOf {
                profile,
                new: false,
            }));
        }
        let ours = self.reach.own_app(service, &app.cloud);
        let ours = ours.is_ok_and(|ours| ours.client_id.eq_ignore_ascii_case(&app.client_id));
        let profile = AppProfile {
            name: self.profile_name(service, account, &app.tenant).await?,
            service: service.to_owned(),
            app: app.clone(),
            own: !ours,
            credential: None,
            consented: None,
            created: self.now(),
        };
        Ok(Some(ProfileOf { profile, new: true }))
    }

    /// The profile that a person's sign-in still lacks.
    pub(crate) async fn new_profile(
        &self,
        service: &str,
        sign_in: &SignIn,
    ) -> Result<Option<AppProfile>> {
        let found = self.profile_of(service, sign_in).await?;
        Ok(found.filter(|one| one.new).map(|one| one.profile))
    }

    /// After the domain of the account where that can be a name, else after the tenant.
    async fn profile_name(&self, service: &str, account: &str, tenant: &str) -> Result<String> {
        let domain = account
            .rsplit_once('@')
            .map_or(tenant, |(_, domain)| domain);
        let named = |domain: &str| format!("{domain} {service}");
        let fits = check_label("app-profile-name", &format!("{} 99", named(domain))).is_ok();
        let base = named(if fits { domain } else { tenant });
        for number in 1..100 {
            let name = match number {
                1 => base.clone(),
                number => format!("{base} {number}"),
            };
            match self.catalog.app_profile(&name).await {
                Err(catalog::Error::AppProfileUnknown { .. }) => return Ok(name),
                other => drop(other?),
            }
        }
        Err(catalog::Error::AppProfileExists { name: base }.into())
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

fn unknown() -> Error {
    Error::coded("connect-session-unknown")
}
