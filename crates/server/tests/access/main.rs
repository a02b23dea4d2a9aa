//! Who may do what, and what an attacker may not.
#![expect(clippy::unwrap_used, reason = "tests")]

mod accounts;
mod browser;
mod codes;
mod entra;
mod four_eyes;
mod harness;
mod matrix;
mod oidc;
mod outbound;
mod provider;
mod reach;
mod replayed;
mod retention;
mod tokens;
