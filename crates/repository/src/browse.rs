//! Reading for people who look around: a part of a folder, a part of a file.

use std::ops::Range;

use bytes::Bytes;
use futures::{Stream, stream};

use crate::index::table::Place;
use crate::{BlobId, BlobType, Error, Node, Repository, Result, TreeId};

impl Repository {
    /// The entries of a folder from this number on, at most so many, and the number of the one that follows. Only they are read out of the tree.
    pub async fn entries(
        &self,
        tree: TreeId,
        from: usize,
        most: usize,
    ) -> Result<(Vec<Node>, Option<usize>)> {
        let tree = self.raw_tree(tree).await?;
        let end = tree.len().min(from.saturating_add(most));
        let nodes = (from..end).map(|index| tree.node(index));
        let nodes = nodes.collect::<Result<Vec<_>>>()?;
        Ok((nodes, (end < tree.len()).then_some(end)))
    }

    /// A part of a file, one blob (at most 8 MiB) at a time; blobs before and behind it are not read.
    pub async fn stream_range(
        &self,
        node: &Node,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
        let mut parts = Vec::new();
        let mut start = 0;
        for id in node.content.iter().flatten() {
            if start >= range.end {
                break;
            }
            let end = start + self.place(*id).await?.entry.clear_length();
            if end > range.start {
                let within = range.start.saturating_sub(start)..range.end.min(end) - start;
                parts.push((*id, within));
            }
            start = end;
        }
        let begin = (self.clone(), parts.into_iter());
        Ok(stream::try_unfold(
            begin,
            |(repository, mut parts)| async move {
                let Some((id, within)) = parts.next() else {
                    return Ok(None);
                };
                let bytes = Bytes::from(repository.blob(BlobType::Data, id).await?);
                // What an index says of a length is not proved; the content is, by its hash.
                let end = (within.end as usize).min(bytes.len());
                let start = (within.start as usize).min(end);
                Ok(Some((bytes.slice(start..end), (repository, parts))))
            },
        ))
    }

    async fn place(&self, id: BlobId) -> Result<Place> {
        let kind = BlobType::Data;
        if let Some(place) = self.index().find(kind, &id).await? {
            return Ok(place);
        }
        // Another process may have added it since the index was listed.
        self.index().refresh().await?;
        let found = self.index().find(kind, &id).await?;
        found.ok_or(Error::BlobMissing { kind, id })
    }

    /// About how many bytes of memory its index and what was read last take.
    pub fn memory(&self) -> u64 {
        const ENTRY: u64 = 56;
        const READ_AHEAD: u64 = 8 << 20;
        self.index().blobs() as u64 * ENTRY + READ_AHEAD
    }
}
