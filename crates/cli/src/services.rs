//! The services that this binary knows.

use service::Service;

pub(crate) static SERVICES: &[&Service] = &[&azure_devops::AZURE_DEVOPS];

pub(crate) fn find(name: &str) -> Option<&'static Service> {
    SERVICES
        .iter()
        .copied()
        .find(|service| service.name == name)
}
