//! Azure DevOps as a service: its kinds, mostly tables.

mod address;
mod api;
mod discovery;
mod identity;
mod kinds;
mod people;
mod permissions;
mod preflight;
mod raw;
mod reach;

use service::{Host, Service};

/// Azure DevOps Services; a Server collection or a simulator is reached by overriding the hosts.
pub static AZURE_DEVOPS: Service = Service {
    name: "azure-devops",
    title: "Azure DevOps",
    hosts: &[
        Host {
            name: api::DEV,
            url: "https://dev.azure.com/{organization}",
        },
        Host {
            name: api::SPS,
            url: "https://vssps.dev.azure.com/{organization}",
        },
        Host {
            name: api::AEX,
            url: "https://vsaex.dev.azure.com/{organization}",
        },
        Host {
            name: api::APP,
            url: "https://app.vssps.visualstudio.com",
        },
    ],
    kinds: kinds::KINDS,
    preflight: &preflight::AzurePreflight,
};
