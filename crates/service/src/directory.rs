//! Who and what a tenant holds, as lists show it: for choosing what is protected. Backups read the same things whole, as kinds.

use async_trait::async_trait;
pub use model::directory::{Entry, EntryKind, Nature};

use crate::{Client, Result};

/// A service whose source holds people, groups and sites.
#[async_trait]
pub trait Directory: Send + Sync {
    /// All entries of one kind, page by page. `Ok` states that the list was complete.
    async fn entries(
        &self,
        http: &Client,
        kind: EntryKind,
        take: &mut (dyn FnMut(Vec<Entry>) + Send),
    ) -> Result<()>;
}
