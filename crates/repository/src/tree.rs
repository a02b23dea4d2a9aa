//! Trees: directories as JSON blobs, in the exact bytes that restic would write.

pub(crate) mod diff;
pub(crate) mod editor;
pub(crate) mod frame;
pub(crate) mod json;
pub(crate) mod name;
pub(crate) mod node;
pub(crate) mod path;
pub(crate) mod raw;
pub(crate) mod walk;
