//! An object store for tests that fails as storage fails.
//!
//! [`FaultStore`] wraps any object store. A [`Plan`] says what goes wrong: errors before and after the effect, a store that stays away, torn
//! writes, a full disk, new objects that are seen late, deletes that are sent twice, and a crash, after which nothing returns any more until
//! [`FaultStore::recover`]. Whoever plays the process drops its futures then. A store that is [`Plan::forgetful`] breaks its word: what it
//! acknowledged may be gone after a crash.

mod plan;
mod state;
mod store;

pub use plan::{Plan, Strike};
pub use store::{FaultStore, Now};
