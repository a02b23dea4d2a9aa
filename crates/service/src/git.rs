//! Git: a client of the upload-pack protocol that keeps what the server sends as it is, and gives it back by `git push`.
//!
//! A fetch never asks for thin packs, so every answer is a pack that stands alone. What is stored is a bare repository:
//! packs with their indexes, `packed-refs`, `HEAD`. It holds by induction that everything that an object in a stored pack
//! refers to is stored too: a new pack is only accepted when each id that it mentions is in its own index or a stored one.
//! Tips of stored refs may therefore be announced as `have`, and nothing else is kept between runs.

mod advertisement;
pub mod browse;
mod closure;
mod consolidate;
mod crawl;
mod fetch;
#[cfg(test)]
mod fuzz;
mod index;
mod inspect;
mod lfs;
mod listing;
mod obtain;
mod packs;
mod pkt;
mod process;
mod prove;
mod push;
mod refname;
mod remote;
mod request;
mod restore;
mod state;
mod tend;
mod upkeep;
mod verify;

pub use advertisement::{Advertisement, Protocol};
pub use closure::{Closure, closure};
pub use crawl::crawl_repository;
pub use gix_hash::ObjectId as Oid;
pub use index::{Indexed, index};
pub use inspect::inspect_repository;
pub use lfs::Pointer;
pub use packs::Packs;
pub use prove::{Fault, Proof, prove_repository};
pub use remote::Remote;
pub use restore::{LeftOut, left_out, repository_revision, restore_repository};
pub use upkeep::Upkeep;
pub use verify::verify_repository;

/// Azure DevOps knows no other, and a server that announces another is refused.
const HASH: gix_hash::Kind = gix_hash::Kind::Sha1;

/// A lowercase hexadecimal object id, as the wire and `packed-refs` write it.
fn oid(hex: &[u8]) -> Option<Oid> {
    if hex.len() != 40 || hex.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    Oid::from_hex(hex).ok()
}

/// Names the repository in front of what went wrong, and says what a refusal means here.
fn about(repository: &str, mut error: crate::Error) -> crate::Error {
    use model::Class;
    if matches!(error.class, Class::Permission | Class::Missing)
        && matches!(error.status, Some(401 | 403 | 404))
    {
        error.code = "git-refused";
        error.class = Class::Permission;
        error.hint.get_or_insert_with(|| {
            "Enable the repository in the project's settings, or grant the identity Read on it."
                .to_owned()
        });
    }
    if !error.message.contains(repository) {
        error.message = format!("repository {repository}: {}", error.message);
    }
    error
}
