//! Groups, with who is in them and who owns them.
//!
//! `GET /groups/delta`: members and owners come as `members@delta` and `owners@delta`, in pieces over several pages for large groups, and
//! later as what was added and removed; of each the id and type. A round needs no request for a single group.

use service::delta::{Gone, Relation};
use service::{Crawled, DeltaKind, KindSpec, Layout, Permission, Searched, TextOf};

use super::NOT_WRITTEN;
use crate::GRAPH;

macro_rules! properties {
    () => {
        "id,assignedLabels,assignedLicenses,classification,createdDateTime,description,displayName,expirationDateTime,groupTypes,\
         isAssignableToRole,mail,mailEnabled,mailNickname,membershipRule,membershipRuleProcessingState,onPremisesDomainName,\
         onPremisesNetBiosName,onPremisesSamAccountName,onPremisesSecurityIdentifier,onPremisesSyncEnabled,preferredDataLocation,\
         preferredLanguage,proxyAddresses,renewedDateTime,resourceBehaviorOptions,resourceProvisioningOptions,securityEnabled,\
         securityIdentifier,theme,visibility"
    };
}

pub(crate) static GROUP: DeltaKind = DeltaKind {
    spec: KindSpec {
        name: "group",
        title: "Groups",
        parent: None,
        crawled: Crawled::Once,
        with: None,
        after: &[],
        layout: Layout::Item {
            folder: "groups",
            shard: Some(256),
            document: "group.json",
        },
        bin: None,
        search: Searched {
            text: &[TextOf::document(&["/description", "/mail"])],
            project: None,
        },
        read: &[Permission {
            scope: "Group.Read.All",
            why: "Without it groups, their members and their owners are not backed up.",
        }],
        write: &[],
        restore: NOT_WRITTEN,
    },
    host: GRAPH,
    path: "/groups/delta",
    query: &[("$select", concat!(properties!(), ",members,owners"))],
    headers: super::GENTLE,
    probe: "/groups?$top=1&$select=id",
    id: "/id",
    name: &["/displayName", "/mail"],
    modified: None,
    one: concat!("/groups/{id}?$select=", properties!()),
    relations: &[
        Relation {
            member: "members@delta",
            file: "members.ndjson",
        },
        Relation {
            member: "owners@delta",
            file: "owners.ndjson",
        },
    ],
    gone: Gone::Marked,
};
