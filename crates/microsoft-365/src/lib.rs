//! Microsoft 365 as a service: the directory of a tenant.
