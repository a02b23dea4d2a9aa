//! Microsoft 365 as a service: the directory of a tenant.

mod directory;
mod kinds;
mod preflight;

use service::{Host, Service};

/// How kinds name Microsoft Graph.
pub(crate) const GRAPH: &str = "graph";

/// A tenant of Microsoft 365; national clouds and simulators are reached by overriding the host.
pub static MICROSOFT_365: Service = Service {
    name: "microsoft-365",
    title: "Microsoft 365",
    hosts: &[Host {
        name: GRAPH,
        url: "https://graph.microsoft.com/v1.0",
    }],
    kinds: kinds::KINDS,
    preflight: &preflight::TenantPreflight,
};
