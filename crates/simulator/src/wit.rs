//! Work item tracking.

use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

#[derive(Default)]
pub(crate) struct State {}

pub(crate) async fn handle(_world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    Err(ApiError::no_route(call))
}
