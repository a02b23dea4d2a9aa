//! Large files (Git LFS): pointers in the history, contents in a store of their own (git-lfs docs/spec.md, docs/api/batch.md).

mod batch;
mod download;
mod pointer;
mod stored;
mod update;
mod upload;

pub(super) use batch::{Operation, ask};
pub(super) use download::download;
pub use pointer::Pointer;
pub(super) use stored::hash;
pub(super) use update::update;
pub(super) use upload::upload;

use super::Remote;

/// The part that holds an object's content.
pub(super) fn part(oid: &str) -> String {
    format!("lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4])
}

/// The object that a part holds.
pub(super) fn oid_of(part: &str) -> Option<&str> {
    let (_, oid) = part.strip_prefix("lfs/objects/")?.rsplit_once('/')?;
    pointer::is_oid(oid).then_some(oid)
}

/// The part with the objects that the service did not have: `<oid> <size>` a line.
pub(super) const MISSING: &str = "lfs-missing";

impl Remote {
    /// The path below which this repository's LFS server answers; views of refs (`_full`) have none of their own.
    fn lfs_path(&self) -> String {
        let path = self
            .path
            .replace("/_git/_full/", "/_git/")
            .replace("/_git/_optimized/", "/_git/");
        format!("{path}/info/lfs")
    }
}
