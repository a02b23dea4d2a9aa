//! What the cluster of the tests and the control side need.

use jiff::Timestamp;
use model::Clock;

pub(crate) struct Place {
    pub(crate) url: String,
}

impl Place {
    pub(crate) fn at(url: String) -> Self {
        Self { url }
    }
}

pub(crate) struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
