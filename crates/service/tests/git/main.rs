//! Git against real repositories behind `git http-backend`, shown as Azure DevOps shows them and as git itself does.
#![expect(clippy::unwrap_used, reason = "tests")]

mod backup;
mod crawl;
mod damage;
mod history;
mod host;
mod large_files;
mod memory;
mod packs;
mod parts;
mod restore;
mod scale;
mod torture;
mod upkeep;
