//! The services that this binary knows.

use service::Service;

pub(crate) static SERVICES: &[&Service] =
    &[&azure_devops::AZURE_DEVOPS, &microsoft_365::MICROSOFT_365];

/// As the command line takes them.
pub(crate) fn names() -> Vec<&'static str> {
    SERVICES.iter().map(|service| service.name).collect()
}

pub(crate) fn find(name: &str) -> Option<&'static Service> {
    SERVICES
        .iter()
        .copied()
        .find(|service| service.name == name)
}
