//! Users, groups and sites as lists show them.

use std::borrow::Cow;

use async_trait::async_trait;
use model::Class;
use serde::Deserialize;
use serde_json::value::RawValue;
use service::delta::each_page;
use service::directory::{Directory, Entry, EntryKind, Nature};
use service::{Client, Error, Result};

use crate::GRAPH;

pub(crate) struct TenantDirectory;

// Graph leaves out what is not set, or says null: the id alone is always there.

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserLine<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    display_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_principal_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mail: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_type: Option<Cow<'a, str>>,
    account_enabled: Option<bool>,
    #[serde(borrow)]
    assigned_licenses: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupLine<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    display_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mail: Option<Cow<'a, str>>,
    #[serde(borrow)]
    group_types: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow)]
    resource_provisioning_options: Option<Vec<Cow<'a, str>>>,
    security_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SiteLine<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    display_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    web_url: Option<Cow<'a, str>>,
    is_personal_site: Option<bool>,
}

fn read<'a, T: Deserialize<'a>>(document: &'a RawValue) -> Result<T> {
    serde_json::from_str(document.get())
        .map_err(|error| Error::malformed(format!("an entry of the directory: {error}")))
}

fn first(texts: [Option<Cow<'_, str>>; 2], id: &str) -> String {
    let mut there = texts.into_iter().flatten().filter(|text| !text.is_empty());
    there.next().map_or_else(|| id.to_owned(), Cow::into_owned)
}

fn user(document: &RawValue) -> Result<Entry> {
    let user: UserLine<'_> = read(document)?;
    let licenses = user.assigned_licenses.unwrap_or_default();
    let licensed = !licenses.is_empty();
    let enabled = user.account_enabled.unwrap_or(true);
    let has_mailbox = user.mail.as_ref().is_some_and(|mail| !mail.is_empty());
    let is_guest = user.user_type.as_deref() == Some("Guest");
    let nature = match () {
        () if is_guest => Nature::Guest,
        () if licensed => Nature::Member,
        () if has_mailbox && !enabled => Nature::SharedMailbox,
        () => Nature::Account,
    };
    Ok(Entry {
        name: first(
            [user.display_name, user.user_principal_name.clone()],
            &user.id,
        ),
        address: user.user_principal_name.or(user.mail).map(Cow::into_owned),
        id: user.id.into_owned(),
        nature,
        enabled,
    })
}

fn group(document: &RawValue) -> Result<Entry> {
    let group: GroupLine<'_> = read(document)?;
    let has = |list: &Option<Vec<Cow<'_, str>>>, word: &str| {
        list.iter().flatten().any(|entry| entry == word)
    };
    let nature = match () {
        () if has(&group.resource_provisioning_options, "Team") => Nature::Team,
        () if has(&group.group_types, "Unified") => Nature::UnifiedGroup,
        () if group.security_enabled == Some(true) => Nature::SecurityGroup,
        () => Nature::DistributionList,
    };
    Ok(Entry {
        name: first([group.display_name, group.mail.clone()], &group.id),
        address: group.mail.map(Cow::into_owned),
        id: group.id.into_owned(),
        nature,
        enabled: true,
    })
}

fn site(document: &RawValue) -> Result<Entry> {
    let site: SiteLine<'_> = read(document)?;
    let nature = if site.is_personal_site == Some(true) {
        Nature::PersonalSite
    } else {
        Nature::Site
    };
    Ok(Entry {
        name: first([site.display_name, site.name], &site.id),
        address: site.web_url.map(Cow::into_owned),
        id: site.id.into_owned(),
        nature,
        enabled: true,
    })
}

/// The list of a kind, the largest page that it takes, and what a document of it is.
type Listed = (
    &'static str,
    &'static [(&'static str, &'static str)],
    fn(&RawValue) -> Result<Entry>,
);

fn list(kind: EntryKind) -> Listed {
    match kind {
        EntryKind::User => (
            "/users",
            &[
                (
                    "$select",
                    "id,displayName,userPrincipalName,mail,userType,accountEnabled,assignedLicenses",
                ),
                ("$top", "999"),
            ],
            user,
        ),
        EntryKind::Group => (
            "/groups",
            &[
                (
                    "$select",
                    "id,displayName,mail,groupTypes,resourceProvisioningOptions,securityEnabled",
                ),
                ("$top", "999"),
            ],
            group,
        ),
        EntryKind::Site => ("/sites/getAllSites", &[], site),
    }
}

#[async_trait]
impl Directory for TenantDirectory {
    async fn entries(
        &self,
        http: &Client,
        kind: EntryKind,
        take: &mut (dyn FnMut(Vec<Entry>) + Send),
    ) -> Result<()> {
        let (path, query, read) = list(kind);
        let mut each = |documents: &[&RawValue]| {
            let entries = documents.iter().map(|document| read(document));
            take(entries.collect::<Result<_>>()?);
            Ok(())
        };
        match each_page(http, GRAPH, path, query, &mut each).await {
            // The list of all sites is for applications; a person sees those that search finds.
            Err(error) if kind == EntryKind::Site && error.class == Class::Permission => {
                each_page(http, GRAPH, "/sites", &[("search", "*")], &mut each).await
            }
            result => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(read: fn(&RawValue) -> Result<Entry>, text: &str) -> Entry {
        read(serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn users_are_told_apart_by_license_sign_in_and_origin() {
        for (text, nature, protected) in [
            (
                r#"{"id":"1","displayName":"Ada","mail":"a@c","accountEnabled":true,"assignedLicenses":[{"skuId":"x"}]}"#,
                Nature::Member,
                true,
            ),
            (
                r#"{"id":"1","userType":"Guest","assignedLicenses":[{"skuId":"x"}]}"#,
                Nature::Guest,
                false,
            ),
            (
                r#"{"id":"1","mail":"info@c","accountEnabled":false,"assignedLicenses":[]}"#,
                Nature::SharedMailbox,
                true,
            ),
            (
                r#"{"id":"1","mail":null,"accountEnabled":false}"#,
                Nature::Account,
                false,
            ),
            (
                r#"{"id":"1","mail":"a@c","accountEnabled":true}"#,
                Nature::Account,
                false,
            ),
        ] {
            let entry = entry(user, text);
            assert_eq!(entry.nature, nature, "{text}");
            assert_eq!(entry.nature.usually_protected(), protected, "{text}");
        }
        let nameless = entry(
            user,
            r#"{"id":"1","displayName":"","userPrincipalName":"ada@c"}"#,
        );
        assert_eq!(nameless.name, "ada@c");
    }

    #[test]
    fn groups_are_told_apart() {
        for (text, nature) in [
            (
                r#"{"id":"1","groupTypes":["Unified"],"resourceProvisioningOptions":["Team"],"securityEnabled":false}"#,
                Nature::Team,
            ),
            (
                r#"{"id":"1","groupTypes":["Unified"]}"#,
                Nature::UnifiedGroup,
            ),
            (
                r#"{"id":"1","groupTypes":[],"securityEnabled":true}"#,
                Nature::SecurityGroup,
            ),
            (
                r#"{"id":"1","groupTypes":[],"securityEnabled":false}"#,
                Nature::DistributionList,
            ),
        ] {
            assert_eq!(entry(group, text).nature, nature, "{text}");
        }
    }

    #[test]
    fn what_is_null_is_what_is_not_set() {
        let null = |members: &[&str]| {
            let members = members.iter().map(|name| format!(r#","{name}":null"#));
            format!(r#"{{"id":"1"{}}}"#, members.collect::<String>())
        };
        let texts = ["displayName", "mail", "userPrincipalName", "userType"];
        let all = [&texts[..], &["accountEnabled", "assignedLicenses"]].concat();
        assert_eq!(entry(user, &null(&all)), entry(user, r#"{"id":"1"}"#));
        let lists = ["groupTypes", "resourceProvisioningOptions"];
        let all = [&lists[..], &["displayName", "mail", "securityEnabled"]].concat();
        assert_eq!(entry(group, &null(&all)), entry(group, r#"{"id":"1"}"#));
        let all = ["displayName", "name", "webUrl", "isPersonalSite"];
        assert_eq!(entry(site, &null(&all)), entry(site, r#"{"id":"1"}"#));
        let nothing: &RawValue = serde_json::from_str(r#"{"id":null}"#).unwrap();
        assert!(group(nothing).is_err(), "nothing is guessed");
    }
}
