//! The control side on the catalog: runs, jobs, leases, preflight.
