//! Finds what snapshots reach. Trees are read level by level in the order of their packs, each once.

use crate::inventory::{Bits, Inventory};
use crate::progress::Progress;
use crate::{BlobType, Id, Repository, Result};

/// What is needed and what is spared.
#[derive(Default)]
pub(super) struct Marks {
    /// Reached by a snapshot: must be there.
    pub(super) needed: Bits,
    /// Reached by a young tree that may become part of a snapshot: stays if it is there.
    pub(super) spared: Bits,
}

impl Marks {
    pub(super) fn is_used(&self, number: u32) -> bool {
        self.needed.contains(number) || self.spared.contains(number)
    }

    /// Marks what the snapshots' trees reach. A blob that is in no index, or a tree that cannot be read, is an error:
    /// what hangs on it must not be removed.
    pub(super) async fn need(
        &mut self,
        repository: &Repository,
        inventory: &Inventory,
        roots: Vec<Id>,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let mut level = Vec::new();
        for id in roots {
            let number = inventory.find(BlobType::Tree, id)?;
            if self.needed.insert(number) {
                level.push(number);
            }
        }
        while !level.is_empty() {
            let mut below = Vec::new();
            let needed = &mut self.needed;
            inventory
                .trees(repository, level, progress, |_, links| {
                    let links = links?;
                    for id in links.blobs {
                        needed.insert(inventory.find(BlobType::Data, id)?);
                    }
                    for id in links.trees {
                        let number = inventory.find(BlobType::Tree, id)?;
                        if needed.insert(number) {
                            below.push(number);
                        }
                    }
                    Ok(())
                })
                .await?;
            level = below;
        }
        Ok(())
    }

    /// Marks these blobs, and what the trees among them reach as far as it is there.
    pub(super) async fn spare(
        &mut self,
        repository: &Repository,
        inventory: &Inventory,
        numbers: Vec<u32>,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let mut level = Vec::new();
        for number in numbers {
            if self.spared.insert(number)
                && !self.needed.contains(number)
                && inventory.place(number).entry.kind == BlobType::Tree
            {
                level.push(number);
            }
        }
        while !level.is_empty() {
            let mut below = Vec::new();
            let Self { needed, spared } = self;
            inventory
                .trees(repository, level, progress, |_, links| {
                    // It was never part of a snapshot: whoever goes on with it has to look for itself.
                    let Ok(links) = links else { return Ok(()) };
                    let data = links.blobs.iter().map(|id| (BlobType::Data, id));
                    let trees = links.trees.iter().map(|id| (BlobType::Tree, id));
                    for (kind, id) in data.chain(trees) {
                        let Some(number) = inventory.number(kind, id) else {
                            continue;
                        };
                        if !needed.contains(number)
                            && spared.insert(number)
                            && kind == BlobType::Tree
                        {
                            below.push(number);
                        }
                    }
                    Ok(())
                })
                .await?;
            level = below;
        }
        Ok(())
    }
}
