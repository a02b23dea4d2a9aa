//! What can be seen through a connector, or as an identity that has none yet.

use model::Class;
use service::preflight::{CommitSummary, Discovery, RepositorySummary};
use service::{Client, Service};

use super::IdentityChoice;
use crate::identity::cloud;
use crate::{Control, Error, Result, connect};

impl Control {
    /// The organizations that an identity reaches.
    pub async fn organizations_of(
        &self,
        service: &str,
        choice: &IdentityChoice,
    ) -> Result<Discovery> {
        let service = self.service(service)?;
        let (sign_in, auth) = match choice {
            IdentityChoice::Stored(name) => {
                self.known_host(name, None).await?;
                self.stored_auth(service, name).await?
            }
            IdentityChoice::New { identity, .. } => (
                identity.sign_in.clone(),
                self.auth(service, identity).await?,
            ),
        };
        let hosts = &self.reach.clouds.find(cloud(&sign_in))?.hosts;
        let client = connect::connect_without_organization(service, hosts, auth)?;
        Ok(service.preflight.discover(&client).await?)
    }

    /// The repositories that a connector reaches (SRE-27).
    pub async fn repositories(&self, name: &str) -> Result<Vec<RepositorySummary>> {
        let (service, client) = self.through(name).await?;
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
        let (service, client) = self.through(name).await?;
        let all = service.preflight.repositories(&client).await;
        let all = all.map_err(without_code)?;
        let one = only(&all, repository, name)?;
        let (project, id) = (one.project.as_str(), one.id.as_str());
        let listed = service.preflight.commits(&client, project, id, most).await;
        listed.map_err(without_code)
    }

    async fn through(&self, name: &str) -> Result<(&'static Service, Client)> {
        let connector = self.catalog.connector(name).await?;
        let service = self.service(&connector.service)?;
        Ok((service, self.client(&connector, None).await?))
    }
}

/// The one repository of this name, `project/name` or id, of all that a connector reaches.
fn only<'a>(
    all: &'a [RepositorySummary],
    name: &str,
    connector: &str,
) -> Result<&'a RepositorySummary> {
    let is_named = |one: &&RepositorySummary| {
        one.name.eq_ignore_ascii_case(name)
            || format!("{}/{}", one.project, one.name).eq_ignore_ascii_case(name)
            || one.id.eq_ignore_ascii_case(name)
    };
    let mut found = all.iter().filter(is_named);
    let message = match (found.next(), found.next()) {
        (Some(one), None) => return Ok(one),
        (None, _) => format!("{connector} reaches no repository named {name}"),
        (Some(_), Some(_)) => {
            format!("several projects have a repository named {name}: give PROJECT/REPOSITORY")
        }
    };
    Err(Error::Request {
        code: "not-found",
        message,
    })
}

/// The refusal to list repositories, in the words of SRE-48.
fn without_code(error: service::Error) -> Error {
    match error.class {
        Class::Permission => Error::coded("code-read-missing"),
        _ => Error::Service(error),
    }
}
