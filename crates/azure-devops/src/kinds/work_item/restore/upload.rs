//! Attachments on their way to the target: each is uploaded once for an item, before anything refers to it.

use std::collections::BTreeMap;
use std::path::Path;

use model::ItemRef;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use service::http::{Call, Method, segment};
use service::{Error, Restore, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::place::Project;
use super::source::{Leads, Source};
use crate::api::{DEV, STABLE};
use crate::kinds::work_item::attachments::{Reference, references};
use crate::kinds::work_item::{ATTACHMENTS, SHARED_ATTACHMENTS, WORK_ITEM};

/// Held in memory up to this size.
const SMALL: u64 = 4 << 20;
/// In one request up to this size, in pieces above.
const SIMPLE: u64 = 100_000_000;
const PIECE: usize = 16 << 20;
const BINARY: &str = "application/octet-stream";

pub(super) struct Uploads<'a> {
    cx: &'a Restore<'a>,
    item: ItemRef,
    project: String,
    names: BTreeMap<String, String>,
    done: BTreeMap<String, String>,
    shared: Option<BTreeMap<String, u32>>,
    lost: Vec<String>,
}

#[derive(Deserialize)]
struct Uploaded {
    id: String,
    url: String,
}

impl<'a> Uploads<'a> {
    pub(super) fn new(
        cx: &'a Restore<'a>,
        item: &ItemRef,
        source: &Source,
        project: &Project,
        done: BTreeMap<String, String>,
    ) -> Self {
        let mut names = BTreeMap::new();
        for relation in source
            .relations
            .iter()
            .filter(|relation| relation.leads() == Leads::ToFile)
        {
            if let Some(reference) = references(&relation.url).next()
                && let Some(name) = relation.attributes.name.clone()
            {
                names.insert(reference.guid.to_ascii_lowercase(), name);
            }
        }
        Self {
            cx,
            item: item.clone(),
            project: project.name.clone(),
            names,
            done,
            shared: None,
            lost: Vec::new(),
        }
    }

    /// What was uploaded, for the journal.
    pub(super) fn done(&self) -> &BTreeMap<String, String> {
        &self.done
    }

    pub(super) fn finish(self, losses: &mut Vec<String>) -> BTreeMap<String, String> {
        losses.extend(self.lost.into_iter().map(|guid| {
            format!(
                "attachment {guid} is not in the snapshot: what refers to it still names the source"
            )
        }));
        self.done
    }

    /// The text with all addresses of attachments as they are at the target.
    pub(super) async fn rewrite(&mut self, text: &str) -> Result<String> {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for reference in references(text) {
            if let Some(name) = file_name(text, &reference) {
                self.names
                    .entry(reference.guid.to_ascii_lowercase())
                    .or_insert(name);
            }
            let Some(url) = self.url(reference.guid).await? else {
                continue;
            };
            out.push_str(&text[at..reference.start.max(at)]);
            out.push_str(&url);
            at = reference.end;
        }
        out.push_str(&text[at..]);
        Ok(out)
    }

    /// The text with the addresses of what was uploaded before; nothing is uploaded for it.
    pub(super) fn rewrite_known(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for reference in references(text) {
            let Some(url) = self.done.get(&reference.guid.to_ascii_lowercase()) else {
                continue;
            };
            out.push_str(&text[at..reference.start.max(at)]);
            out.push_str(url);
            at = reference.end;
        }
        out.push_str(&text[at..]);
        out
    }

    /// The address of an attachment at the target, without its file name; `None` for one that the snapshot does not have.
    pub(super) async fn url(&mut self, guid: &str) -> Result<Option<String>> {
        let guid = guid.to_ascii_lowercase();
        if let Some(url) = self.done.get(&guid) {
            return Ok(Some(url.clone()));
        }
        let Some((owner, size)) = self.owner(&guid).await? else {
            if !self.lost.contains(&guid) {
                self.lost.push(guid);
            }
            return Ok(None);
        };
        let name = self
            .names
            .get(&guid)
            .cloned()
            .unwrap_or_else(|| guid.clone());
        let uploaded = self
            .upload(&owner, &format!("{ATTACHMENTS}/{guid}"), size, &name)
            .await?;
        let url = uploaded
            .url
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned();
        self.done.insert(guid, url.clone());
        Ok(Some(url))
    }

    /// The item whose folder holds the file.
    async fn owner(&mut self, guid: &str) -> Result<Option<(ItemRef, u64)>> {
        let stored = self.cx.target.stored;
        let part = format!("{ATTACHMENTS}/{guid}");
        let size = async |item: &ItemRef| {
            Ok::<_, Error>(
                stored
                    .parts(item)
                    .await?
                    .into_iter()
                    .find(|info| info.name == part)
                    .map(|info| info.size),
            )
        };
        if let Some(size) = size(&self.item).await? {
            return Ok(Some((self.item.clone(), size)));
        }
        if self.shared.is_none() {
            let bytes = stored.part(&self.item, SHARED_ATTACHMENTS).await?;
            let read = bytes
                .map(|bytes| serde_json::from_slice(&bytes))
                .transpose();
            self.shared = Some(
                read.map_err(|error| {
                    Error::malformed(format!("{}: {SHARED_ATTACHMENTS}: {error}", self.item))
                })?
                .unwrap_or_default(),
            );
        }
        let Some(owner) = self.shared.as_ref().and_then(|shared| shared.get(guid)) else {
            return Ok(None);
        };
        let owner = ItemRef::new(WORK_ITEM, "", &owner.to_string());
        Ok(size(&owner).await?.map(|size| (owner, size)))
    }

    async fn upload(&self, owner: &ItemRef, part: &str, size: u64, name: &str) -> Result<Uploaded> {
        let stored = self.cx.target.stored;
        if size <= SMALL {
            let bytes = stored.part(owner, part).await?;
            let bytes = bytes.ok_or_else(|| Error::storage(format!("{owner}: {part} is gone")))?;
            return self
                .begin(name, "simple")
                .body(BINARY, bytes)
                .send()
                .await?
                .json();
        }
        let guid = part.rsplit('/').next().unwrap_or_default();
        let file = self
            .cx
            .target
            .work
            .join(format!("upload-{}-{guid}", self.item.id));
        let mut out = tokio::fs::File::create(&file).await.map_err(unreadable)?;
        stored.copy(owner, part, &mut out).await?;
        out.shutdown().await.map_err(unreadable)?;
        let made = if size <= SIMPLE {
            self.begin(name, "simple")
                .file(BINARY, &file)
                .send()
                .await?
                .json()?
        } else {
            self.in_pieces(&file, size, name).await?
        };
        tokio::fs::remove_file(&file).await.map_err(unreadable)?;
        Ok(made)
    }

    fn path(&self) -> String {
        format!("/{}/_apis/wit/attachments", segment(&self.project))
    }

    /// A file that nothing refers to is no harm: an unclear upload may be repeated.
    fn begin(&self, name: &str, kind: &str) -> Call<'_> {
        let call = self
            .cx
            .target
            .http
            .call(Method::POST, DEV, &self.path())
            .version(STABLE);
        call.query("fileName", name)
            .query("uploadType", kind)
            .safe()
    }

    async fn in_pieces(&self, file: &Path, size: u64, name: &str) -> Result<Uploaded> {
        let made: Uploaded = self.begin(name, "chunked").send().await?.json()?;
        let path = format!("{}/{}", self.path(), segment(&made.id));
        let mut from = tokio::fs::File::open(file).await.map_err(unreadable)?;
        let mut at = 0;
        while at < size {
            let length = PIECE.min((size - at) as usize);
            let mut piece = vec![0; length];
            from.read_exact(&mut piece).await.map_err(unreadable)?;
            let range = format!("bytes {at}-{}/{size}", at + length as u64 - 1);
            let call = self
                .cx
                .target
                .http
                .call(Method::PUT, DEV, &path)
                .version(STABLE)
                .query("fileName", name);
            call.header("Content-Range", &range)
                .body(BINARY, piece)
                .send()
                .await?;
            at += length as u64;
        }
        Ok(made)
    }
}

/// The file between store and target is in the restore's own folder.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unreadable(error: std::io::Error) -> Error {
    Error::storage(format!("an attachment on its way: {error}"))
}

/// The file name that an address carries: `…?fileName=a%20b.png`.
fn file_name(text: &str, reference: &Reference<'_>) -> Option<String> {
    const PARAMETER: &str = "filename=";
    let query = text[reference.end..].strip_prefix('?')?;
    let end = query
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | ')' | '\\'))
        .unwrap_or(query.len());
    let query = &query[..end];
    let at = query.to_ascii_lowercase().find(PARAMETER)? + PARAMETER.len();
    let name = query[at..].split('&').next()?;
    let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_is_read_from_its_address() {
        let name = |rest: &str| {
            let text = format!(
                "<img src=\"https://dev.azure.com/c/_apis/wit/attachments/0a1b2c3d-0000-4000-8000-000000000001{rest}\">"
            );
            let reference = references(&text).next().unwrap();
            file_name(&text, &reference)
        };
        assert_eq!(name("?fileName=a%20b.png").as_deref(), Some("a b.png"));
        assert_eq!(
            name("?download=true&amp;fileName=x.txt&amp;a=b").as_deref(),
            Some("x.txt")
        );
        assert_eq!(name(""), None);
    }
}
