//! Which snapshots are forgotten: the rules on their own, against restic, and in a repository.

mod refused;
mod restic;
mod rules;
