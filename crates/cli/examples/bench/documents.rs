//! What the service holds of its work items, as files for the peer: fetched here, without the product's client.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::measure::Server;

/// The service's limit of one request for documents.
const BATCH: usize = 200;

/// The documents that a backup stores of each work item, in the folders of a snapshot: `0012/3071/work-item.json` and
/// `revisions.ndjson` beside it. Only what changed is written again, so that restic sees what a user's files would show.
pub(crate) struct Documents<'a> {
    pub server: &'a Server,
    pub folder: PathBuf,
    pub items: u32,
    /// Where the stream of revisions goes on: what it told before is not told in the same words once an item has changed.
    pub token: Option<String>,
}

#[derive(Deserialize)]
struct Batch {
    value: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Stream {
    values: Vec<Box<RawValue>>,
    #[serde(rename = "continuationToken")]
    token: Option<String>,
    #[serde(rename = "isLastBatch")]
    last: bool,
}

#[derive(Deserialize)]
struct Numbered {
    id: u32,
}

fn number(document: &RawValue) -> Result<u32> {
    Ok(serde_json::from_str::<Numbered>(document.get())?.id)
}

impl Documents<'_> {
    pub(crate) async fn write(&mut self) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        self.items(&client).await?;
        self.revisions(&client).await
    }

    async fn items(&self, client: &reqwest::Client) -> Result<()> {
        let url = self.url("workitemsbatch");
        let ids: Vec<u32> = (1..=self.items).collect();
        for chunk in ids.chunks(BATCH) {
            let body = serde_json::json!({"ids": chunk, "$expand": "relations"}).to_string();
            let request = client
                .post(&url)
                .header("content-type", "application/json")
                .body(body);
            let page: Batch = self.answer(request).await?;
            ensure!(
                page.value.len() == chunk.len(),
                "the simulator gave {} of {} work items",
                page.value.len(),
                chunk.len()
            );
            for document in page.value {
                self.file(number(&document)?, "work-item.json", document.get())?;
            }
        }
        Ok(())
    }

    /// Each revision a line, in the order in which the service tells them; later ones are added to the files.
    async fn revisions(&mut self, client: &reqwest::Client) -> Result<()> {
        let mut url = url::Url::parse(&self.url("reporting/workitemrevisions"))?;
        url.query_pairs_mut().extend_pairs([
            ("$expand", "fields"),
            ("includeDeleted", "true"),
            ("includeIdentityRef", "true"),
            ("includeTagRef", "true"),
        ]);
        let mut lines: HashMap<u32, String> = HashMap::new();
        loop {
            let mut url = url.clone();
            if let Some(token) = &self.token {
                url.query_pairs_mut()
                    .append_pair("continuationToken", token);
            }
            let page: Stream = self.answer(client.get(url)).await?;
            for revision in page.values {
                let lines = lines.entry(number(&revision)?).or_default();
                lines.push_str(revision.get());
                lines.push('\n');
            }
            self.token = Some(page.token.context("a page of revisions without a token")?);
            if page.last {
                break;
            }
        }
        for (id, lines) in lines {
            let before = match std::fs::read_to_string(self.path(id).join("revisions.ndjson")) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                before => before?,
            };
            self.file(id, "revisions.ndjson", &(before + &lines))?;
        }
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        let Server {
            url, organization, ..
        } = self.server;
        format!("{url}/{organization}/_apis/wit/{path}?api-version=7.1")
    }

    async fn answer<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T> {
        let answer = request
            .basic_auth("", Some(&self.server.pat))
            .send()
            .await?
            .error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    fn path(&self, id: u32) -> PathBuf {
        self.folder.join(format!("{:04}/{id}", id / 256))
    }

    fn file(&self, id: u32, name: &str, content: &str) -> Result<()> {
        let folder = self.path(id);
        let path = folder.join(name);
        if std::fs::read(&path).is_ok_and(|old| old == content.as_bytes()) {
            return Ok(());
        }
        std::fs::create_dir_all(&folder)?;
        Ok(std::fs::write(path, content)?)
    }
}
