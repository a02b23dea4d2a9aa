//! Azure DevOps as a real HTTP server for tests and demonstrations.
//!
//! Written from the vendor's documents and recorded traffic, never from our own client, so that both cannot share a mistake.
//!
//! Beside the interface of the service, the same port answers
//! - `GET /__state?organization=X`: everything that an organization holds, with the folders of its bare repositories;
//! - `GET /__inventory?organization=X`: what a complete backup has to read, in numbers, and the page sizes;
//! - `GET /__ledger[?organization=X][&summary=true]`, `POST /__ledger/reset`: every request that was answered;
//! - `POST /__faults` with a rule or a list of rules, `GET /__faults`, `DELETE /__faults`: faults on demand;
//! - `POST /__organizations {"name"}` and `POST /__pats {"organization", "scopes"}`: more of both;
//! - `POST /__repositories {"organization", "repository", "isInMaintenance", "limitedRefs"}`: states that no client can ask for;
//! - `POST /__demo/change`, `POST /__bulk/change {"count"}`: the changes that a second backup finds;
//! - `POST /__access {"organization", "person", "member", "entered", "stakeholder", "administrator", "owner"}`, `{"application"}`,
//!   `{"thirdPartyAccess"}`, `{"conditionalAccess"}`, `{"personal"}`, `{"deny": {"namespace", "token", "bits"}}`: who may do what.
//!
//! Entra ID, managed identities and Microsoft Graph answer on the same port, too: under their real Host names, under those names
//! as first segment, and at `/{tenant}/oauth2/…`, `/devicelogin`, `/metadata/identity/…`, `/msi/token`, `/v1.0/…`. There are two
//! tenants; `GET /__entra` lists them, the apps with their secrets, and the machine's identities. Beside them
//! - `GET /__state?tenant=T`, `GET /__inventory?tenant=T`: what the directory holds, and the fewest requests that read it;
//!   `GET /__ledger?organization=T` has the requests of a tenant by its id;
//! - `POST /__entra/settings {"signedIn", "atOnce", "approvesDevices", "trustsAssertions", "singleUseRefresh", "tokenLife",
//!   "deviceCodeLife", "interval", "slowDown"}`, `POST /__entra/clock {"advance"}`;
//! - `POST /__entra/{tenants, people, apps, secrets, certificates, federations, principals}`: makes or changes one;
//! - `POST /__entra/rules {"tenant", "userConsent", "deviceFlow", "blocksEveryone"}`, `POST /__entra/revoke {"person"}`;
//! - `POST` and `DELETE /__entra/consents {"client", "tenant"}`: an administrator grants all, or removes the app;
//! - `POST /__entra/devices/{approve, decline} {"code", "person"}`: what happens on the other device;
//! - `POST /__entra/{tokens, workload-tokens}`: a token without signing in, a token of a platform;
//! - `POST /__entra/machine {"assign", "system", "failure", "throttled"}`: identities of the machine, and their endpoint;
//! - `POST /__graph/change`: a day in the tenant; `POST /__graph/bulk {"users"}`: many people at once; `POST`, `PATCH`, `DELETE /__graph/{users, groups, sites}[/{id}]`,
//!   `/__graph/groups/{id}/members`; `POST /__graph/expire`: delta tokens end; `POST /__graph/throttle {"count", "retryAfter"}`.

mod auth;
mod catalogue;
mod change;
mod core;
mod entra;
mod faults;
mod git;
mod graph;
mod inspect;
mod ledger;
mod profile;
mod seed;
mod server;
mod simulator;
mod wiki;
mod wit;
mod world;

pub use simulator::{Options, Seed, Simulator, SimulatorError};
