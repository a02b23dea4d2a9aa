//! Why reading what changed may have to begin anew.

use service::Error;

use super::stream;

pub(super) enum Interrupted {
    /// The service no longer knows a position in its streams.
    Expired,
    /// Items could not be read before, and now can.
    Strangers,
    Failed(Error),
}

impl Interrupted {
    /// The error of the first page of a stream.
    pub(super) fn of_stream(error: Error) -> Self {
        if stream::is_expired(&error) {
            Self::Expired
        } else {
            Self::Failed(error)
        }
    }
}

impl From<Error> for Interrupted {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
