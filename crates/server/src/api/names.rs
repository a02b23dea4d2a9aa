//! The names of items, and of the projects they lie in: what is told of them is told by ids.

use std::collections::HashMap;

use catalog::SourceKey;

use crate::{Problem, Server};

/// Names as the newest snapshots have them, each looked up once.
pub(super) struct Names<'a> {
    server: &'a Server,
    /// By source, kind and id.
    known: HashMap<(SourceKey, String, String), Option<String>>,
    /// By connector.
    sources: HashMap<String, Vec<SourceKey>>,
}

/// What something of a connector is called, as far as any snapshot tells.
#[derive(Default)]
pub(super) struct Named {
    pub(super) item: Option<String>,
    /// The container that it lies in.
    pub(super) scope: Option<String>,
}

impl<'a> Names<'a> {
    pub(super) fn new(server: &'a Server) -> Self {
        Self {
            server,
            known: HashMap::new(),
            sources: HashMap::new(),
        }
    }

    /// What the container in which an item of this kind lies is called, or was last; `None` for one that no snapshot has.
    pub(super) async fn scope(
        &mut self,
        source: &SourceKey,
        kind: &str,
        scope: &str,
    ) -> Result<Option<String>, Problem> {
        // Snapshots of services that this program does not know are shown all the same.
        let Ok(service) = self.server.control.service(&source.id.service) else {
            return Ok(None);
        };
        match service.kind(kind).and_then(|kind| kind.spec().parent) {
            Some(parent) => self.item(source, parent, scope).await,
            None => Ok(None),
        }
    }

    /// What an item is called, or was last.
    async fn item(
        &mut self,
        source: &SourceKey,
        kind: &str,
        id: &str,
    ) -> Result<Option<String>, Problem> {
        if id.is_empty() {
            return Ok(None);
        }
        let key = (source.clone(), kind.to_owned(), id.to_owned());
        if let Some(name) = self.known.get(&key) {
            return Ok(name.clone());
        }
        let versions = self
            .server
            .control
            .catalog
            .history(source, kind, id)
            .await?;
        let name = versions.into_iter().next_back().map(|version| version.name);
        self.known.insert(key, name.clone());
        Ok(name)
    }

    /// What an issue of a connector is about, in whichever repository its snapshots lie.
    pub(super) async fn of_issue(
        &mut self,
        connector: &str,
        issue: &model::Issue,
    ) -> Result<Named, Problem> {
        let item = issue.item.as_ref();
        let (kind, id) = item.map_or(("", ""), |item| (&item.kind, &item.id));
        let mut named = Named::default();
        for source in self.sources(connector).await? {
            if named.item.is_none() {
                named.item = self.item(&source, kind, id).await?;
            }
            if named.scope.is_none() {
                named.scope = self.scope(&source, &issue.kind, &issue.scope).await?;
            }
        }
        Ok(named)
    }

    async fn sources(&mut self, connector: &str) -> Result<Vec<SourceKey>, Problem> {
        if let Some(sources) = self.sources.get(connector) {
            return Ok(sources.clone());
        }
        let catalog = &self.server.control.catalog;
        let found = match catalog.connector(connector).await {
            Ok(found) => self.server.control.source_of(&found).ok(),
            Err(catalog::Error::ConnectorUnknown { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let sources = match found {
            Some(id) => {
                let keys = catalog.sources().await?.into_iter().map(|row| row.key);
                keys.filter(|key| key.id == id).collect()
            }
            None => Vec::new(),
        };
        self.sources.insert(connector.to_owned(), sources.clone());
        Ok(sources)
    }
}
