//! Connectors: checked first, saved then, all or nothing.

mod host;
mod rename;
mod secrets;
mod source;

use catalog::{Connecting, NewCredential};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::connector::is_name;
use model::{Class, Connector, ConnectorStatus, SignIn, SyncSettings, SyncTime};
use service::preflight::{AddressPart, CommitSummary, Discovery, RepositorySummary};
use service::{Check, CheckOutcome, Client, Service};

pub(crate) use source::{address, source_id};

use crate::identity::{Identity, cloud};
use crate::{Control, Error, Result, connect};

/// As whom a connector signs in.
#[derive(Clone)]
pub enum IdentityChoice {
    /// A credential of the vault.
    Stored(String),
    /// A new one; kept under this name, or under one of the connector's own.
    New {
        name: Option<String>,
        identity: Identity,
        expires: Option<Timestamp>,
    },
}

/// A connector to be added at once, without a wizard.
pub struct NewConnector {
    /// The organization's name where none is given.
    pub name: Option<String>,
    pub service: String,
    /// Its name or an address that leads to it.
    pub organization: String,
    pub url: Option<String>,
    pub identity: IdentityChoice,
    pub restore_credential: Option<String>,
    pub app_profile: Option<String>,
    pub worker: Option<String>,
    pub sync: SyncSettings,
    /// Take the place of the connector of this name.
    pub replace: bool,
}

/// What is to change; `None` leaves it.
#[derive(Default)]
pub struct ConnectorEdit {
    pub name: Option<String>,
    pub organization: Option<String>,
    pub url: Option<Option<String>>,
    pub credential: Option<String>,
    pub restore_credential: Option<Option<String>>,
    pub worker: Option<Option<String>>,
    pub sync: Option<SyncSettings>,
}

/// What was checked on the way, and what came of it.
pub struct Checked<T> {
    pub checks: Vec<Check>,
    pub value: T,
}

impl Control {
    /// Checks organization, credential and permissions of what is not saved, and saves nothing.
    pub async fn check_new(&self, new: &NewConnector) -> Result<Checked<Connector>> {
        let service = self.service(&new.service)?;
        let mut connector = self.draft(service, new).await?;
        let client = self.client_of_choice(service, &connector, new).await?;
        if let IdentityChoice::Stored(stored) = &new.identity {
            self.known_host(stored, connector.url.as_deref()).await?;
        }
        if let Some(restore) = &connector.restore_credential {
            self.known_host(restore, connector.url.as_deref()).await?;
        }
        let checks = self
            .preflight(service, &client, &connector.organization)
            .await?;
        let stored = match &new.identity {
            IdentityChoice::Stored(stored) => self.catalog.credential(stored).await?.sign_in,
            IdentityChoice::New { identity, .. } => Some(identity.sign_in.clone()),
        };
        if let Some(sign_in) = &stored {
            self.note_tenant(&mut connector, sign_in).await?;
            self.refuse_taken(&connector).await?;
        }
        Ok(Checked {
            checks,
            value: connector,
        })
    }

    /// Refuses what cannot be backed up at all, and an address that leads to what cannot be read.
    pub(crate) async fn accepted(&self, new: &NewConnector) -> Result<Checked<Connector>> {
        let checked = self.check_new(new).await?;
        accept(&checked.checks)?;
        let service = self.service(&new.service)?;
        if let Ok(address) = service.preflight.address(&new.organization) {
            readable(&checked.checks, address.part.as_ref())?;
        }
        Ok(checked)
    }

    /// Checks, then saves credential and connector together; a refusal leaves nothing behind.
    pub async fn add_connector(&self, new: &NewConnector) -> Result<Checked<Connector>> {
        let checked = self.accepted(new).await?;
        self.save(new, &checked.value).await?;
        self.note_warnings(&checked.value, &checked.checks).await?;
        Ok(checked)
    }

    /// Remembers what the check of a saved connector warned of, for as long as no other check says otherwise.
    pub(crate) async fn note_warnings(
        &self,
        connector: &Connector,
        checks: &[Check],
    ) -> Result<()> {
        let warned = checks
            .iter()
            .filter(|check| check.outcome == CheckOutcome::Warning);
        let codes: Vec<&str> = warned.filter_map(|check| check.code).collect();
        self.catalog
            .set_connector_warnings(&connector.name, &codes)
            .await?;
        Ok(())
    }

    /// The name that a connector to be added would get.
    pub fn connector_name(
        &self,
        service: &str,
        organization_text: &str,
        name: Option<&str>,
    ) -> Result<String> {
        let service = self.service(service)?;
        Ok(named(name, &organization(service, organization_text)?))
    }

    /// Saves what was checked.
    pub async fn save(&self, new: &NewConnector, connector: &Connector) -> Result<()> {
        let (kek, now, rng) = (&self.kek, self.now(), &mut crate::identity::rng());
        let secret = match &new.identity {
            IdentityChoice::Stored(_) => None,
            // The newest one: a check may have renewed it.
            IdentityChoice::New { identity, .. } => Some(identity.secret()),
        };
        let credential = match (&new.identity, &secret) {
            (
                IdentityChoice::New {
                    identity, expires, ..
                },
                Some(secret),
            ) => Some(NewCredential {
                name: &connector.credential,
                sign_in: &identity.sign_in,
                secret,
                expires: *expires,
            }),
            _ => None,
        };
        if new.replace && self.catalog.connector(&connector.name).await.is_ok() {
            if let Some(credential) = &credential {
                self.put(credential).await?;
            }
            self.catalog.replace_connector(connector).await?;
        } else {
            self.catalog
                .connect(
                    kek,
                    Connecting {
                        credential: credential.as_ref(),
                        connectors: std::slice::from_ref(connector),
                        ..Connecting::default()
                    },
                    now,
                    rng,
                )
                .await?;
        }
        Ok(())
    }

    /// Adds a credential or gives the one of its name a new secret.
    pub(crate) async fn put(&self, credential: &NewCredential<'_>) -> Result<()> {
        let (kek, now, rng) = (&self.kek, self.now(), &mut crate::identity::rng());
        match self.catalog.add_credential(kek, credential, now, rng).await {
            Err(catalog::Error::CredentialExists { .. }) => {
                let rotated = self.catalog.rotate_credential(kek, credential, now, rng);
                rotated.await?;
                if let Ok(entra) = self.reach.entra() {
                    entra.forget(&credential.name.to_lowercase());
                }
                Ok(())
            }
            added => Ok(added?),
        }
    }

    /// The connector as it would be saved; refuses what needs no request to be refused.
    pub(crate) async fn draft(&self, service: &Service, new: &NewConnector) -> Result<Connector> {
        let organization = organization(service, &new.organization)?;
        let name = named(new.name.as_deref(), &organization);
        check_name(&name)?;
        check_sync(&new.sync)?;
        let (method, credential, app) = match &new.identity {
            IdentityChoice::Stored(stored) => {
                let row = self.catalog.credential(stored).await?;
                let sign_in = row.sign_in.ok_or_else(|| Error::Request {
                    code: "credential-method",
                    message: format!("{stored} is no credential of a service"),
                })?;
                (row.method, row.name, sign_in.app().cloned())
            }
            IdentityChoice::New {
                name: stored,
                identity,
                ..
            } => {
                let own = stored.clone().unwrap_or_else(|| own_credential(&name));
                check_label("credential-name", &own)?;
                let app = identity.sign_in.app().cloned();
                (identity.sign_in.method().to_owned(), own, app)
            }
        };
        if let Some(restore) = &new.restore_credential {
            self.catalog.credential(restore).await?;
        }
        let tenant = app.map(|app| app.tenant);
        self.check_profile(new.app_profile.as_deref(), tenant.as_deref())
            .await?;
        let (now, before) = (self.now(), self.catalog.connector(&name).await.ok());
        if before.is_some() && !new.replace {
            return Err(catalog::Error::ConnectorExists { name }.into());
        }
        if matches!(new.identity, IdentityChoice::New { .. }) {
            self.refuse_taken_secret(&credential, before.as_ref())
                .await?;
        }
        let connector = Connector {
            name,
            service: service.name.to_owned(),
            organization,
            url: new.url.clone(),
            method,
            credential,
            restore_credential: new.restore_credential.clone(),
            tenant,
            status: ConnectorStatus::Connected,
            worker: new.worker.clone(),
            sync: new.sync.clone(),
            created: before.map_or(now, |before| before.created),
            updated: now,
        };
        self.refuse_taken(&connector).await?;
        Ok(connector)
    }

    /// Tells before anything is sent that the organization is signed in to already, by whatever domain; the catalog has the last word.
    pub(crate) async fn refuse_taken(&self, connector: &Connector) -> Result<()> {
        let source = self.source_of(connector)?;
        let taken = self.catalog.connectors().await?.into_iter().any(|other| {
            let named = other.service == connector.service
                && other
                    .organization
                    .eq_ignore_ascii_case(&connector.organization);
            other.method != "pat"
                && connector.method != "pat"
                && (named || self.is_for(&other, &source))
                && !other.name.eq_ignore_ascii_case(&connector.name)
        });
        if taken {
            return Err(catalog::Error::OrganizationExists {
                organization: connector.organization.clone(),
            }
            .into());
        }
        Ok(())
    }

    async fn client_of_choice(
        &self,
        service: &'static Service,
        connector: &Connector,
        new: &NewConnector,
    ) -> Result<Client> {
        let IdentityChoice::New { identity, .. } = &new.identity else {
            return self.client(connector, None).await;
        };
        let auth = self.auth(service, identity).await?;
        let place = (connector.organization.as_str(), connector.url.as_deref());
        self.client_of(service, place, auth, &identity.sign_in)
            .await
    }

    /// Checks a saved connector, and notes how it stands.
    pub async fn test_connector(&self, name: &str) -> Result<Checked<Connector>> {
        let mut connector = self.catalog.connector(name).await?;
        let service = self.service(&connector.service)?;
        let checks = match self.client(&connector, None).await {
            Ok(client) => {
                self.preflight(service, &client, &connector.organization)
                    .await?
            }
            Err(error) => {
                self.note_connection(&connector, Some(&error)).await?;
                return Err(error);
            }
        };
        self.note_warnings(&connector, &checks).await?;
        let failed = checks
            .iter()
            .find(|check| check.outcome == CheckOutcome::Fail);
        let error = failed.map(refusal);
        self.note_connection(&connector, error.as_ref()).await?;
        let why = error.as_ref().map(ToString::to_string);
        self.catalog
            .note_credential_tested(&connector.credential, self.now(), why.as_deref())
            .await?;
        connector.status = self.catalog.connector(name).await?.status;
        Ok(Checked {
            checks,
            value: connector,
        })
    }

    /// The repositories that a connector reaches (SRE-27).
    pub async fn repositories(&self, name: &str) -> Result<Vec<RepositorySummary>> {
        let connector = self.catalog.connector(name).await?;
        let service = self.service(&connector.service)?;
        let client = self.client(&connector, None).await?;
        let listed = service.preflight.repositories(&client).await;
        listed.map_err(without_code)
    }

    /// The newest commits of a repository, by its name or `project/name` (SRE-28).
    pub async fn commits(
        &self,
        name: &str,
        repository: &str,
        most: usize,
    ) -> Result<Vec<CommitSummary>> {
        let connector = self.catalog.connector(name).await?;
        let service = self.service(&connector.service)?;
        let client = self.client(&connector, None).await?;
        let all = service.preflight.repositories(&client).await;
        let all = all.map_err(without_code)?;
        let named = |one: &&RepositorySummary| {
            one.name.eq_ignore_ascii_case(repository)
                || format!("{}/{}", one.project, one.name).eq_ignore_ascii_case(repository)
                || one.id.eq_ignore_ascii_case(repository)
        };
        let mut found = all.iter().filter(named);
        let refused = |message: String| Error::Request {
            code: "not-found",
            message,
        };
        let first = found
            .next()
            .ok_or_else(|| refused(format!("{name} reaches no repository named {repository}")))?;
        if found.next().is_some() {
            return Err(refused(format!(
                "several projects have a repository named {repository}: give PROJECT/REPOSITORY"
            )));
        }
        let (project, id) = (first.project.as_str(), first.id.as_str());
        let listed = service.preflight.commits(&client, project, id, most).await;
        listed.map_err(without_code)
    }

    /// The organizations that an identity reaches.
    pub async fn organizations_of(
        &self,
        service: &str,
        choice: &IdentityChoice,
    ) -> Result<Discovery> {
        let service = self.service(service)?;
        let (sign_in, auth) = match choice {
            IdentityChoice::Stored(name) => self.stored_auth(service, name).await?,
            IdentityChoice::New { identity, .. } => (
                identity.sign_in.clone(),
                self.auth(service, identity).await?,
            ),
        };
        let hosts = &self.reach.clouds.find(cloud(&sign_in))?.hosts;
        let client = connect::connect_without_organization(service, hosts, auth)?;
        Ok(service.preflight.discover(&client).await?)
    }

    /// Changes a connector; another organization or identity is checked before it is saved.
    pub async fn edit_connector(
        &self,
        name: &str,
        edit: ConnectorEdit,
    ) -> Result<Checked<Connector>> {
        let before = self.catalog.connector(name).await?;
        let service = self.service(&before.service)?;
        let mut after = before.clone();
        if let Some(name) = edit.name {
            self.may_be_named(&before, &name).await?;
            after.name = name;
        }
        if let Some(text) = &edit.organization {
            after.organization = organization(service, text)?;
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
        let elsewhere = (&after.organization, &after.url, &after.credential)
            != (&before.organization, &before.url, &before.credential);
        let mut checks = Vec::new();
        if elsewhere {
            self.refuse_taken(&after).await?;
            let client = self.client(&after, None).await?;
            self.known_host(&after.credential, after.url.as_deref())
                .await?;
            checks = self
                .preflight(service, &client, &after.organization)
                .await?;
            accept(&checks)?;
            after.status = ConnectorStatus::Connected;
        }
        after.updated = self.now();
        if after.name == before.name {
            self.catalog.replace_connector(&after).await?;
        } else {
            self.rename(&before, &mut after).await?;
        }
        if elsewhere {
            self.note_warnings(&after, &checks).await?;
        }
        Ok(Checked {
            checks,
            value: after,
        })
    }

    /// Forgets how to reach an organization, with the credential that it had for itself. Snapshots, runs and shared credentials stay.
    pub async fn remove_connector(&self, name: &str) -> Result<Connector> {
        let connector = self.catalog.connector(name).await?;
        self.catalog.remove_connector(&connector.name).await?;
        // Also one that an edit has put aside: it would stand in the way of the next connector of this name.
        let own = own_credential(&connector.name);
        match self.catalog.remove_credential(&own).await {
            // Others came to use it.
            Ok(())
            | Err(
                catalog::Error::CredentialInUse { .. } | catalog::Error::CredentialUnknown { .. },
            ) => Ok(connector),
            Err(error) => Err(error.into()),
        }
    }
}

fn check_name(name: &str) -> Result<()> {
    if is_name(name) {
        return Ok(());
    }
    Err(Error::Request {
        code: "connector-name",
        message: format!("{name:?} cannot be the name of a connector"),
    })
}

/// What a connector is called; of a domain: `contoso-onmicrosoft-com`.
fn named(name: Option<&str>, organization: &str) -> String {
    name.map_or_else(|| organization.replace('.', "-"), str::to_owned)
}

/// The name of a credential that was made for one connector.
pub(crate) fn own_credential(connector: &str) -> String {
    format!("connector {connector}")
}

pub(crate) fn organization(service: &Service, text: &str) -> Result<String> {
    if text.trim().is_empty() {
        return Err(Error::coded("organization-needed"));
    }
    let address = service.preflight.address(text);
    let address = address.map_err(|hint| Error::Request {
        code: "organization-name",
        message: format!("{text} is not the name of an organization: {hint}"),
    })?;
    Ok(address.organization)
}

/// Names of credentials and app profiles: 1 to 64 letters, digits, blanks and `-_.@`, beginning with a letter or digit.
pub(crate) fn check_label(code: &'static str, name: &str) -> Result<()> {
    let fits = name.chars().count() <= 64
        && name.starts_with(char::is_alphanumeric)
        && !name.ends_with(' ')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | ' '));
    if fits {
        return Ok(());
    }
    Err(Error::Request {
        code,
        message: format!("{name:?} cannot be a name"),
    })
}

pub(crate) fn check_sync(sync: &SyncSettings) -> Result<()> {
    let zone = match &sync.when {
        SyncTime::Hours { time_zone, .. } if TimeZone::get(time_zone).is_err() => {
            Some("the time zone is not known: give an IANA name, for example Europe/Berlin")
        }
        _ => None,
    };
    match sync.fault().or(zone) {
        Some(fault) => Err(Error::Request {
            code: "sync-settings",
            message: fault.to_owned(),
        }),
        None => Ok(()),
    }
}

/// The first check that failed, as an error that tells of all. Kinds of data that cannot be read are no failure: they are told and left out.
pub(crate) fn accept(checks: &[Check]) -> Result<()> {
    let failed = checks
        .iter()
        .find(|check| check.outcome == CheckOutcome::Fail);
    match failed.map(refusal) {
        None => Ok(()),
        Some(Error::Service(error)) => Err(Error::Unfit {
            error,
            checks: checks.to_vec(),
        }),
        Some(error) => Err(error),
    }
}

/// What the address named must be readable: whoever gives a repository or wiki wants that (SRE-40).
fn readable(checks: &[Check], part: Option<&AddressPart>) -> Result<()> {
    let kind = match part {
        None => return Ok(()),
        Some(AddressPart::Repository { .. }) => "git-repository",
        Some(AddressPart::Wiki { .. }) => "wiki",
    };
    let missing = checks
        .iter()
        .any(|check| check.name == kind && check.outcome == CheckOutcome::Missing);
    if missing {
        let code = "code-read-missing";
        let title = model::code::find(code).map_or(code, |code| code.title);
        return Err(Error::Unfit {
            error: service::Error::new(Class::Permission, code, title),
            checks: checks.to_vec(),
        });
    }
    Ok(())
}

/// The refusal to list repositories, in the words of SRE-48.
fn without_code(error: service::Error) -> Error {
    match error.class {
        Class::Permission => Error::coded("code-read-missing"),
        _ => Error::Service(error),
    }
}

/// A check that did not pass, as an error with its code, words and hint.
pub(crate) fn refusal(check: &Check) -> Error {
    let code = check.code.unwrap_or("credential-refused");
    let class = match code {
        "organization-unknown" | "organization-none" => Class::Missing,
        "permission-missing" | "code-read-missing" => Class::Permission,
        "service-unavailable" => Class::Transient,
        "throttled" => Class::Throttled,
        _ if check.name == "credential" => Class::Credential,
        _ => Class::Permission,
    };
    let mut error = service::Error::new(class, code, check.message.clone());
    error.hint = check
        .hint
        .clone()
        .or_else(|| model::code::find(code).map(|code| code.remedy.to_owned()));
    Error::Service(error)
}
