//! What `keepward demo` and `keepward live` share: the product used as a user uses it, command by command.

mod files;
mod runner;
mod steps;

pub(crate) use files::Folder;
pub(crate) use runner::{Ran, Runner};
pub(crate) use steps::{Applied, Connection, Made, Planned, Steps};
