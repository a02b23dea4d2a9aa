//! What a source is called: its name, or its address where several have that name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::visible::visible;

/// Whether somebody who gives a name or an address means this source.
pub(super) fn is_called(wanted: &str, name: &str, address: &str) -> bool {
    let plain = wanted.trim_end_matches('/');
    [name, address]
        .into_iter()
        .any(|own| own.eq_ignore_ascii_case(plain))
}

/// The names that several sources have among rows with `source` and `address`.
pub(super) struct Shared(BTreeSet<String>);

impl Shared {
    pub(super) fn of(rows: &[Value]) -> Self {
        let mut addresses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in rows {
            if let (Some(name), Some(address)) = (row["source"].as_str(), row["address"].as_str()) {
                addresses.entry(name).or_default().insert(address);
            }
        }
        let several = addresses.into_iter().filter(|(_, all)| all.len() > 1);
        Self(several.map(|(name, _)| name.to_owned()).collect())
    }

    pub(super) fn shown(&self, row: &Value) -> String {
        let name = row["source"].as_str().unwrap_or_default();
        let address = row["address"].as_str().filter(|_| self.0.contains(name));
        visible(address.unwrap_or(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn where_two_sources_have_one_name_their_addresses_are_shown() {
        let rows = [
            json!({"source": "defaultcollection", "address": "https://one.example/defaultcollection"}),
            json!({"source": "defaultcollection", "address": "https://other.example/defaultcollection"}),
            json!({"source": "contoso", "address": "https://dev.azure.com/contoso"}),
            json!({"source": "contoso", "address": "https://dev.azure.com/contoso"}),
        ];
        let shared = Shared::of(&rows);
        let shown: Vec<String> = rows.iter().map(|row| shared.shown(row)).collect();
        assert_eq!(
            shown,
            [
                "https://one.example/defaultcollection",
                "https://other.example/defaultcollection",
                "contoso",
                "contoso"
            ]
        );
    }
}
