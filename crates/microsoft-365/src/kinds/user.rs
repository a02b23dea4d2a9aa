//! Users: people, guests, shared mailboxes, rooms and equipment are all users of the directory.
//!
//! `GET /users/delta`: by default a later round gives changed users with all selected properties. Only properties that the directory itself keeps
//! can be selected; those of the mailbox and of `SharePoint` (skills, interests, mailbox settings) cannot. `licenseAssignmentStates` is not tracked.

use service::delta::Gone;
use service::{Crawled, DeltaKind, KindSpec, Layout, Permission, Searched, TextOf};

use super::NOT_WRITTEN;
use crate::GRAPH;

macro_rules! properties {
    () => {
        "id,accountEnabled,ageGroup,assignedLicenses,assignedPlans,businessPhones,city,companyName,consentProvidedForMinor,country,\
         createdDateTime,creationType,department,displayName,employeeHireDate,employeeId,employeeOrgData,employeeType,externalUserState,\
         externalUserStateChangeDateTime,faxNumber,givenName,identities,imAddresses,isResourceAccount,jobTitle,\
         lastPasswordChangeDateTime,legalAgeGroupClassification,mail,mailNickname,mobilePhone,officeLocation,\
         onPremisesDistinguishedName,onPremisesDomainName,onPremisesExtensionAttributes,onPremisesImmutableId,\
         onPremisesSamAccountName,onPremisesSecurityIdentifier,onPremisesSyncEnabled,onPremisesUserPrincipalName,otherMails,\
         passwordPolicies,postalCode,preferredDataLocation,preferredLanguage,proxyAddresses,securityIdentifier,showInAddressList,state,streetAddress,\
         surname,usageLocation,userPrincipalName,userType"
    };
}

pub(crate) static USER: DeltaKind = DeltaKind {
    spec: KindSpec {
        name: "user",
        title: "Users",
        parent: None,
        crawled: Crawled::Once,
        with: None,
        after: &[],
        layout: Layout::Item {
            folder: "users",
            shard: Some(256),
            document: "user.json",
        },
        bin: None,
        search: Searched {
            text: &[TextOf::document(&[
                "/userPrincipalName",
                "/mail",
                "/jobTitle",
                "/department",
            ])],
            project: None,
        },
        read: &[Permission {
            scope: "User.Read.All",
            why: "Without it people, guests and shared mailboxes are not backed up, and nobody can be chosen for protection.",
        }],
        write: &[],
        restore: NOT_WRITTEN,
    },
    host: GRAPH,
    path: "/users/delta",
    query: &[("$select", properties!())],
    headers: super::GENTLE,
    probe: "/users?$top=1&$select=id",
    id: "/id",
    name: &["/displayName", "/userPrincipalName"],
    modified: None,
    one: concat!("/users/{id}?$select=", properties!()),
    relations: &[],
    gone: Gone::Marked,
};
