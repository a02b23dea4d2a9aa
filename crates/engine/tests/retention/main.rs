//! Which snapshots are forgotten: the rules on their own, against restic, and in a repository.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/quick.rs"]
mod quick;
mod refused;
mod restic;
mod rules;
