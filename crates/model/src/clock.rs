//! Time as a parameter.

use jiff::Timestamp;

/// Where the current time comes from; the real clock lives in the binary, tests set their own.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}
