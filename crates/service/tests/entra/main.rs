//! Signing in at Entra ID, against a server that behaves as its documents say: tokens that rotate and expire, codes, device codes, the
//! machine's identity.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bearer;
mod fake;
mod flows;
mod methods;
mod source;
mod world;
