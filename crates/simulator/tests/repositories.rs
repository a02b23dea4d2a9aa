//! Repositories and wikis over real HTTP, with the `git` program as a client. It blocks its thread, so the server needs another.
#![expect(clippy::unwrap_used, reason = "tests")]

mod repositories {
    mod fixture;
    mod git;
    mod rest;
    mod services;
    mod wikis;
}
