//! Entra ID, managed identities and Microsoft Graph over real HTTP.
#![expect(clippy::unwrap_used, reason = "tests")]

mod tenants {
    mod apps;
    mod directory;
    mod graph;
    mod organizations;
    mod refusals;
    mod sign_in;
    mod tenancy;
}
