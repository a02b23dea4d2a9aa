//! People whom stored documents name: who they are, and others in their places when a restore goes where they are not known.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::{Client, Loss, Result};

/// Somebody whom a document names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// By which the service tells people apart: `anna@contoso.com`.
    pub unique_name: String,
    pub name: String,
}

/// How a service names people.
#[async_trait]
pub trait People: Send + Sync {
    /// Whom a stored file (JSON, or JSON a line) names, each once. What is not understood names nobody.
    fn named(&self, file: &[u8]) -> BTreeSet<Person>;

    /// The file with the unique names of others, given by those of the people in lower case; `None` when it names none of these. What does not
    /// name them stays as it is to the byte.
    fn renamed(&self, file: &[u8], others: &BTreeMap<String, String>) -> Option<Vec<u8>>;

    /// The unique names, in lower case, of all whom the organization knows.
    async fn known(&self, http: &Client) -> Result<BTreeSet<String>>;

    /// Whether the organization knows somebody by this unique name; one request.
    async fn knows(&self, http: &Client, unique_name: &str) -> Result<bool>;

    /// What an item loses that names somebody whom the organization does not know. A plan tells it of no others, whatever their kind says.
    fn loss(&self) -> Loss;
}
