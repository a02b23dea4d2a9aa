//! The kinds in the order in which they are crawled.

mod group;
mod site;
mod user;

use service::{Fidelity, Kind};

pub(crate) static KINDS: &[&dyn Kind] = &[&user::USER, &group::GROUP, &site::SITE];

/// A backup gives way to what people do in the tenant, and takes large pages where it may.
const GENTLE: &[(&str, &str)] = &[
    ("x-ms-throttle-priority", "Low"),
    ("Prefer", "odata.maxpagesize=999"),
];

const NOT_WRITTEN: Fidelity = Fidelity::ExportOnly(
    "Keepward reads the directory and does not write to it. Within 30 days of a deletion, restore the entry in Entra ID itself, which keeps its id; \
     later, use the exported document to make it again. Passwords, sign-in methods and secrets are never given out by the service.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_says_what_it_needs_and_why_it_is_not_restored() {
        for kind in KINDS {
            let spec = kind.spec();
            assert!(!spec.read.is_empty(), "{}", spec.name);
            assert!(
                matches!(spec.restore, Fidelity::ExportOnly(_)),
                "{}",
                spec.name
            );
            assert!(spec.write.is_empty(), "{}: nothing is written", spec.name);
        }
    }
}
