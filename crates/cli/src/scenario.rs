//! What `keepward demo` and `keepward live` share: the product used as a user uses it, command by command.

mod files;
mod runner;
mod steps;

pub(crate) use files::{Folder, differing};
pub(crate) use runner::{Runner, quoted};
pub(crate) use steps::{Applied, Connection, Made, Planned, Steps};
