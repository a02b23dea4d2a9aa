//! Attachments: named by links, and by addresses in the middle of texts. Their content never changes, so each is read once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{Class, Issue, ItemRef};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use service::Kind as _;

use super::crawl::{Run, item};
use super::{ATTACHMENTS, SHARED_ATTACHMENTS};
use crate::api::{DEV, STABLE};
use crate::kinds::parts;

const MARK: &str = "/_apis/wit/attachments/";
const GUID: usize = 36;

/// Which item has an attachment's file, by the attachment's id.
#[derive(Default)]
pub(super) struct Fetched(Mutex<HashMap<u128, Owner>>);

#[derive(Clone, Copy)]
struct Owner {
    item: u32,
    /// The file was sent in this crawl.
    stored: bool,
}

impl Fetched {
    fn lock(&self) -> MutexGuard<'_, HashMap<u128, Owner>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The item that has it already, or `None` if it is this one's to fetch.
    pub(super) fn claim(&self, guid: &str, item: u32) -> Option<u32> {
        let stored = false;
        let mut owners = self.lock();
        let owner = owners.entry(number(guid)).or_insert(Owner { item, stored });
        Some(owner.item).filter(|owner| *owner != item)
    }

    /// Items that are left out after all have no file to share.
    pub(super) fn disown(&self, is_out: impl Fn(u32) -> bool) {
        self.lock()
            .retain(|_, owner| owner.stored || !is_out(owner.item));
    }

    fn store(&self, guid: &str) {
        if let Some(owner) = self.lock().get_mut(&number(guid)) {
            owner.stored = true;
        }
    }

    fn is_stored(&self, guid: &str) -> bool {
        self.lock()
            .get(&number(guid))
            .is_some_and(|owner| owner.stored)
    }
}

/// Each with its id in hexadecimal digits.
impl Serialize for Fetched {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let owners = self.lock();
        let each = owners.iter();
        serializer
            .collect_seq(each.map(|(id, owner)| (format!("{id:032x}"), owner.item, owner.stored)))
    }
}

impl<'de> Deserialize<'de> for Fetched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let owners = Vec::<(String, u32, bool)>::deserialize(deserializer)?;
        let owner = |(id, item, stored): (String, u32, bool)| (number(&id), Owner { item, stored });
        Ok(Self(Mutex::new(owners.into_iter().map(owner).collect())))
    }
}

fn number(guid: &str) -> u128 {
    guid.bytes()
        .filter_map(|byte| char::from(byte).to_digit(16))
        .fold(0, |number, digit| (number << 4) | u128::from(digit))
}

/// An address of an attachment in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    /// Where the address begins, and where its id ends.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) guid: &'a str,
    /// The address up to `/_apis`; empty for a relative one.
    pub(super) base: &'a str,
}

/// All addresses of attachments in a text, JSON, HTML or Markdown alike.
pub(super) fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    text.match_indices(MARK).filter_map(move |(at, _)| {
        let begin = at + MARK.len();
        let guid = text.get(begin..begin + GUID).filter(|guid| is_guid(guid))?;
        // It ends here: not the beginning of something longer.
        if text
            .as_bytes()
            .get(begin + GUID)
            .is_some_and(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
        {
            return None;
        }
        let before = &text[..at];
        let stop = |c: char| {
            c.is_whitespace()
                || matches!(
                    c,
                    '"' | '\'' | '<' | '>' | '(' | ')' | '\\' | '=' | '[' | ']' | ';'
                )
        };
        let start = before.rfind(stop).map_or(0, |stop| {
            stop + before[stop..].chars().next().map_or(1, char::len_utf8)
        });
        Some(Reference {
            start,
            end: begin + GUID,
            guid,
            base: &text[start..at],
        })
    })
}

fn is_guid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| {
        if matches!(at, 8 | 13 | 18 | 23) {
            byte == b'-'
        } else {
            byte.is_ascii_hexdigit()
        }
    })
}

/// Texts may be pasted from other organizations, whose attachments cannot be read here.
fn is_foreign(base: &str, organization: &str) -> bool {
    let Some((_, address)) = base.split_once("://") else {
        return false;
    };
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let host = host.to_ascii_lowercase();
    let named = if host == "dev.azure.com" {
        path.split('/').next().unwrap_or_default()
    } else if let Some(name) = host.strip_suffix(".visualstudio.com") {
        name
    } else {
        return false;
    };
    !named.eq_ignore_ascii_case(organization)
}

/// Whether a text names attachments at all; most do not, and this is the quickest way to know.
pub(super) fn any(text: &str) -> bool {
    text.contains(MARK)
}

/// Adds the ids of this organization's attachments that a text names, in lower case.
pub(super) fn scan(text: &str, organization: &str, into: &mut Vec<String>) {
    if !any(text) {
        return;
    }
    for reference in references(text).filter(|reference| !is_foreign(reference.base, organization))
    {
        let guid = reference.guid.to_ascii_lowercase();
        if !into.contains(&guid) {
            into.push(guid);
        }
    }
}

impl Run<'_> {
    /// The organization's name, as addresses have it.
    pub(super) fn organization(&self) -> service::Result<String> {
        let base = self.http.base(DEV)?;
        Ok(base
            .path_segments()
            .and_then(|mut path| path.rfind(|name| !name.is_empty()).map(str::to_owned))
            .unwrap_or_default())
    }
}

/// What links to files say of their size, in bytes, by the attachment's id. Images in texts have none.
pub(super) fn sizes(document: &str) -> service::Result<Sizes> {
    let read: Linked<'_> = serde_json::from_str(document).map_err(|error| {
        service::Error::malformed(format!(
            "the links of a work item are not understood: {error}"
        ))
    })?;
    let links = read.relations.unwrap_or_default().into_iter();
    Ok(links
        .filter_map(|link| {
            let guid = references(&link.url).next()?.guid.to_ascii_lowercase();
            Some((guid, link.attributes?.size?))
        })
        .collect())
}

pub(super) type Sizes = HashMap<String, u64>;

#[derive(Deserialize)]
struct Linked<'a> {
    #[serde(borrow)]
    relations: Option<Vec<FileLink<'a>>>,
}

#[derive(Deserialize)]
struct FileLink<'a> {
    #[serde(borrow)]
    url: Cow<'a, str>,
    attributes: Option<FileAttributes>,
}

#[derive(Deserialize)]
struct FileAttributes {
    #[serde(rename = "resourceSize")]
    size: Option<u64>,
}

/// Fetches what is not stored yet; a file whose size is known must have it.
pub(super) async fn fetch(
    run: &Run<'_>,
    id: u32,
    guids: Vec<String>,
    sizes: &Sizes,
) -> service::Result<()> {
    let item = item(id);
    let mut stored: BTreeSet<String> = run
        .parts_before(&item)
        .await?
        .unwrap_or_default()
        .into_iter()
        .collect();
    let noted = stored.contains(SHARED_ATTACHMENTS);
    // A crawl of everything fetches again what is there in name only.
    if run.full {
        for lost in run.cx.prior.lost_parts(&item).await? {
            stored.remove(&lost);
        }
    }
    let before = if noted {
        shared_before(run, &item).await?
    } else {
        BTreeMap::new()
    };
    let mut shared = still_shared(run, &before).await?;
    for guid in guids {
        let part = format!("{ATTACHMENTS}/{guid}");
        if shared.contains_key(&guid) {
            continue;
        }
        match run.fetched.claim(&guid, id) {
            Some(owner) if !stored.contains(&part) => {
                shared.insert(guid, owner);
            }
            _ if stored.contains(&part) || run.fetched.is_stored(&guid) => {}
            _ => fetch_one(run, id, &item, (&guid, &part), sizes.get(&guid).copied()).await?,
        }
    }
    if noted && shared.is_empty() {
        run.cx.sink.remove_part(&item, SHARED_ATTACHMENTS).await?;
    } else if shared != before {
        let bytes = serde_json::to_vec(&shared)
            .map_err(|error| service::Error::malformed(error.to_string()))?;
        run.cx.sink.part(&item, SHARED_ATTACHMENTS, &bytes).await?;
    }
    Ok(())
}

/// Whose files an item shares, as it was noted. Without the note they are fetched again.
async fn shared_before(run: &Run<'_>, item: &ItemRef) -> service::Result<BTreeMap<String, u32>> {
    let part = match run.cx.prior.part(item, SHARED_ATTACHMENTS).await {
        Err(error) if error.is_damage() => Err(error),
        part => Ok(part?.unwrap_or_default()),
    };
    let read = part.and_then(|part| {
        serde_json::from_slice(&part).map_err(|error| service::Error::malformed(error.to_string()))
    });
    Ok(read.unwrap_or_else(|error| {
        tracing::warn!(
            "{item}: {SHARED_ATTACHMENTS} is not understood, its attachments are fetched again: {error}"
        );
        BTreeMap::new()
    }))
}

/// Which files still lie with the items that they were said to lie with. A crawl of everything finds that out anew: whoever had them may be gone.
async fn still_shared(
    run: &Run<'_>,
    before: &BTreeMap<String, u32>,
) -> service::Result<BTreeMap<String, u32>> {
    let mut shared = BTreeMap::new();
    if run.full {
        return Ok(shared);
    }
    for (guid, owner) in before {
        let parts = run.parts_before(&item(*owner)).await?.unwrap_or_default();
        let name = format!("{ATTACHMENTS}/{guid}");
        if parts.contains(&name) {
            shared.insert(guid.clone(), *owner);
        }
    }
    Ok(shared)
}

async fn fetch_one(
    run: &Run<'_>,
    id: u32,
    item: &ItemRef,
    (guid, part): (&str, &str),
    expected: Option<u64>,
) -> service::Result<()> {
    let call = run
        .attachment_http
        .get(DEV, &format!("/_apis/wit/attachments/{guid}"));
    let call = call
        .accept("application/octet-stream")
        .query("download", "true")
        .query("api-version", STABLE);
    let read = async {
        let mut body = call.open().await?;
        let size = run.cx.sink.stream(item, part, &mut body).await?;
        if expected.is_none_or(|expected| expected == size) {
            run.fetched.store(guid);
            return Ok(());
        }
        run.cx.sink.remove_part(item, part).await?;
        let message = format!("{size} bytes came, and its link promises another size");
        Err(service::Error::new(
            Class::Transient,
            "answer-cut-short",
            message,
        ))
    };
    let Err(error) = read.await else {
        return Ok(());
    };
    if error.is_fatal() || error.class == Class::Throttled {
        return Err(error);
    }
    let (kind, is_missing) = (parts::ATTACHMENT.spec().name, error.class == Class::Missing);
    if is_missing && run.cx.order.accepted.contains(kind) {
        return Ok(());
    }
    let issue = Issue {
        code: "attachment-missing".to_owned(),
        class: error.class,
        kind: kind.to_owned(),
        scope: String::new(),
        item: Some(ItemRef::new(kind, "", guid)),
        message: format!(
            "work item {id}: attachment {guid} cannot be read: {}",
            error.message
        ),
        hint: if is_missing {
            Some(format!(
                "Look whether the file is there. If it was deleted, say so with --accept-deletions {kind}."
            ))
        } else {
            error.hint.clone()
        },
    };
    run.failed(id, issue);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0a1b2c3d-0000-4000-8000-000000000001";
    const B: &str = "0A1B2C3D-0000-4000-8000-000000000002";

    #[test]
    fn addresses_are_found_in_json_html_and_markdown() {
        let text = format!(
            r#"{{"fields":{{"d":"<img src=\"https://dev.azure.com/contoso/p/_apis/wit/attachments/{A}?fileName=ü.png\">"}},"relations":[{{"url":"https://contoso.visualstudio.com/_apis/wit/attachments/{B}"}}],"m":"![x](/_apis/wit/attachments/{A})","no":"/_apis/wit/attachments/{A}0 /_apis/wit/attachments/short"}}"#
        );
        let found: Vec<_> = references(&text)
            .map(|reference| (reference.base, reference.guid))
            .collect();
        assert_eq!(
            found,
            [
                ("https://dev.azure.com/contoso/p", A),
                ("https://contoso.visualstudio.com", B),
                ("", A)
            ]
        );
        let mut guids = Vec::new();
        scan(&text, "Contoso", &mut guids);
        assert_eq!(guids, [A.to_owned(), B.to_lowercase()]);
    }

    #[test]
    fn links_to_files_promise_a_size() {
        let document = format!(
            r#"{{"id":1,"relations":[{{"rel":"AttachedFile","url":"https://dev.azure.com/c/_apis/wit/attachments/{B}","attributes":{{"name":"a","resourceSize":7}}}},{{"rel":"Hyperlink","url":"https://x.example/","attributes":{{}}}},{{"rel":"R","url":"u"}}]}}"#
        );
        let found = sizes(&document).unwrap();
        assert_eq!(found, Sizes::from([(B.to_lowercase(), 7)]));
        assert!(sizes(r#"{"id":1}"#).unwrap().is_empty());
        assert!(sizes(r#"{"relations":7}"#).is_err());
    }

    #[test]
    fn files_of_other_organizations_are_not_asked_for() {
        assert!(is_foreign("https://dev.azure.com/other/p", "contoso"));
        assert!(is_foreign("https://other.visualstudio.com", "contoso"));
        assert!(!is_foreign("https://dev.azure.com/Contoso", "contoso"));
        assert!(!is_foreign("http://127.0.0.1:8080/contoso", "contoso"));
        assert!(!is_foreign("", "contoso"));
    }

    #[test]
    fn the_first_item_that_names_a_file_gets_it() {
        let fetched = Fetched::default();
        assert_eq!(fetched.claim(A, 1), None);
        assert_eq!(fetched.claim(A, 2), Some(1));
        assert_eq!(fetched.claim(A, 1), None);
        assert_eq!(fetched.claim(B, 2), None);
        fetched.store(A);
        let text = serde_json::to_string(&fetched).unwrap();
        let again: Fetched = serde_json::from_str(&text).unwrap();
        assert_eq!((again.claim(A, 3), again.claim(B, 3)), (Some(1), Some(2)));
        assert!(again.is_stored(A) && !again.is_stored(B));
    }
}
