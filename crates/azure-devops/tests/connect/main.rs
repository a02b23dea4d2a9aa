//! Signing in and looking around before anything is saved: against the simulator, which was written without a look at this client, and for what
//! it does not do, against a service that says what a test tells it to.
#![expect(clippy::unwrap_used, reason = "tests")]

mod checks;
mod script;
mod sign_in;
mod world;
