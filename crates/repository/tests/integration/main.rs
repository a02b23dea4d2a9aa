//! The repository seen from outside: our reader on our writer, and restic as the judge of both.
#![expect(clippy::unwrap_used, reason = "tests")]

mod api;
mod cloud;
mod copy;
mod crash;
mod damage;
mod damage_astray;
mod damage_golden;
mod damage_index;
mod damage_keys;
mod damage_matrix;
mod damage_repair;
mod diff;
mod gate;
mod judge;
mod locks;
mod many;
mod model;
mod object_lock;
mod prune;
mod prune_history;
mod stats;
mod support;
