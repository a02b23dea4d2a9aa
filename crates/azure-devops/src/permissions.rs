//! The permissions that people are asked for, from the kinds: which, why, and which data it is for.

use service::KindSpec;
use service::preflight::{ApiPermission, PermissionType, Purpose};

use crate::kinds::KINDS;

const API: &str = "Azure DevOps";

/// What serves no kind of data in particular.
const COMMON: [(&str, PermissionType, Purpose, &str); 4] = [
    (
        "vso.profile",
        PermissionType::Delegated,
        Purpose::SignIn,
        "Finds the organizations that the account reaches.",
    ),
    (
        "vso.memberentitlementmanagement",
        PermissionType::Delegated,
        Purpose::Check,
        "Says whether the account's access level is high enough; without it that stays unknown.",
    ),
    (
        "Member with Basic access",
        PermissionType::Application,
        Purpose::Backup,
        "An application or managed identity has no scopes: it sees what its membership in the organization and its groups allow.",
    ),
    (
        "user_impersonation",
        PermissionType::Delegated,
        Purpose::Restore,
        "All that the account may do, in one permission. Not needed: the single ones in this table are enough.",
    ),
];

/// Reading and writing apart, so that a backup can be given what reads alone.
pub(crate) fn table() -> Vec<ApiPermission> {
    let mut table: Vec<ApiPermission> = COMMON
        .iter()
        .map(|(permission, kind, purpose, why)| ApiPermission {
            api: API,
            permission,
            kind: *kind,
            purpose: *purpose,
            why: (*why).to_owned(),
            serves: Vec::new(),
        })
        .collect();
    for kind in KINDS {
        let spec = kind.spec();
        add(&mut table, spec, Purpose::Backup, spec.read);
        add(&mut table, spec, Purpose::Restore, spec.write);
    }
    table.sort_by_key(|line| (line.purpose, line.permission));
    table
}

fn add(
    table: &mut Vec<ApiPermission>,
    spec: &KindSpec,
    purpose: Purpose,
    permissions: &[service::Permission],
) {
    for permission in permissions {
        let same =
            |line: &ApiPermission| line.permission == permission.scope && line.purpose == purpose;
        let index = table.iter().position(same).unwrap_or_else(|| {
            table.push(ApiPermission {
                api: API,
                permission: permission.scope,
                kind: PermissionType::Delegated,
                purpose,
                why: String::new(),
                serves: Vec::new(),
            });
            table.len() - 1
        });
        let line = &mut table[index];
        if !line.why.contains(permission.why) {
            if !line.why.is_empty() {
                line.why.push(' ');
            }
            line.why.push_str(permission.why);
        }
        if !line.serves.contains(&spec.title) {
            line.serves.push(spec.title);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(purpose: Purpose) -> Vec<&'static str> {
        table()
            .iter()
            .filter(|line| line.purpose == purpose && !line.serves.is_empty())
            .map(|line| line.permission)
            .collect()
    }

    #[test]
    fn av_10_each_line_says_why_and_what_for() {
        let table = table();
        for line in &table {
            assert!(!line.why.is_empty() && line.api == API, "{line:?}");
        }
        let code = table
            .iter()
            .find(|line| line.permission == "vso.code" && line.purpose == Purpose::Backup);
        assert!(
            code.is_some_and(|line| line.serves.contains(&"Git repositories")),
            "{code:?}"
        );
        for kind in KINDS {
            let title = kind.spec().title;
            assert!(
                table.iter().any(|line| line.serves.contains(&title)),
                "{title}"
            );
        }
    }

    #[test]
    fn av_11_a_backup_asks_for_nothing_that_writes() {
        let backup = of(Purpose::Backup);
        assert_eq!(backup, ["vso.code", "vso.project", "vso.wiki", "vso.work"]);
        for scope in of(Purpose::Restore) {
            assert!(!backup.contains(&scope), "{scope}");
            let writes = ["_write", "_manage", "_full"];
            assert!(writes.iter().any(|end| scope.ends_with(end)), "{scope}");
        }
    }
}
