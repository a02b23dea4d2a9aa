//! One repository at a service, reached by smart HTTP (gitprotocol-http).

use std::path::{Path, PathBuf};

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::advertisement::{Advertisement, Protocol};
use super::{Oid, Upkeep, about, fetch, pkt, request};
use crate::http::Call;
use crate::{Client, Error, Result};

/// What one push may carry: Azure DevOps refuses 5 GB, and estimates are a fifth too low.
const PUSH_LIMIT: u64 = 2_000_000_000;

/// Where a repository is. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Remote {
    pub(super) client: Client,
    pub(super) host: &'static str,
    pub(super) path: String,
    pub(super) push_limit: u64,
    pub(super) upkeep: Upkeep,
    asks: Protocol,
}

impl Remote {
    /// `path` is appended to the host's base and is percent-encoded by the caller: `/{project}/_git/_full/{repository}`.
    pub fn new(client: &Client, host: &'static str, path: &str) -> Self {
        Self {
            client: client.clone(),
            host,
            path: path.trim_end_matches('/').to_owned(),
            push_limit: PUSH_LIMIT,
            upkeep: Upkeep::USUAL,
            asks: Protocol::V0,
        }
    }

    /// Asks for this version; whichever the server then speaks is understood. Version 0 needs the fewest requests.
    #[must_use]
    pub fn asking_for(mut self, protocol: Protocol) -> Self {
        self.asks = protocol;
        self
    }

    /// Larger histories are pushed in pieces of about this many bytes.
    #[must_use]
    pub fn push_limit(mut self, bytes: u64) -> Self {
        self.push_limit = bytes;
        self
    }

    /// When stored packs are made one or fetched anew, if not as usual.
    #[must_use]
    pub fn upkeep(mut self, upkeep: Upkeep) -> Self {
        self.upkeep = upkeep;
        self
    }

    /// All refs as they are now: one request, or two where the server speaks version 2.
    pub async fn advertise(&self) -> Result<Advertisement> {
        self.list().await.map_err(|error| about(&self.path, error))
    }

    async fn list(&self) -> Result<Advertisement> {
        let call = self
            .client
            .get(self.host, &format!("{}/info/refs", self.path))
            .query("service", "git-upload-pack");
        let answer = speaking(call, self.asks)
            .accept("application/x-git-upload-pack-advertisement")
            .expect(&[200])
            .send()
            .await?;
        must_be(
            &answer.headers,
            "application/x-git-upload-pack-advertisement",
        )?;
        let mut adv = Advertisement::parse(&answer.body)?;
        if adv.protocol == Protocol::V2 {
            let answer = self
                .upload_pack(Protocol::V2, request::list_refs(&adv))?
                .send()
                .await?;
            must_be(&answer.headers, "application/x-git-upload-pack-result")?;
            read_refs(&answer.body, &mut adv)?;
        }
        Ok(adv)
    }

    /// Writes a pack of what is reachable from `wants` and not from `haves` to a file in the folder `to`; `None` when nothing is wanted.
    ///
    /// The pack is as the server sent it, not yet checked, and stands alone: no object in it is a delta of one that is not.
    pub async fn fetch(
        &self,
        adv: &Advertisement,
        wants: &[Oid],
        haves: &[Oid],
        to: &Path,
    ) -> Result<Option<PathBuf>> {
        if wants.is_empty() {
            return Ok(None);
        }
        let file = to.join("incoming.pack");
        let mut result = self.download(adv, wants, haves, &file).await;
        // The client cannot repeat what breaks within a stream.
        if matches!(&result, Err(error) if error.code == "answer-cut-short") {
            result = self.download(adv, wants, haves, &file).await;
        }
        result
            .map(|()| Some(file))
            .map_err(|error| about(&self.path, error))
    }

    async fn download(
        &self,
        adv: &Advertisement,
        wants: &[Oid],
        haves: &[Oid],
        file: &Path,
    ) -> Result<()> {
        let body = request::body(adv, wants, haves)?;
        let mut answer = self.upload_pack(adv.protocol, body)?.open().await?;
        must_be(&answer.headers, "application/x-git-upload-pack-result")?;
        fetch::receive(adv.protocol, &mut answer, file).await
    }

    fn upload_pack(&self, protocol: Protocol, body: Vec<u8>) -> Result<Call<'_>> {
        let call = self.client.call(
            Method::POST,
            self.host,
            &format!("{}/git-upload-pack", self.path),
        );
        let call = speaking(call, protocol)
            .accept("application/x-git-upload-pack-result")
            .safe()
            .expect(&[200]);
        Ok(match request::compressed(&body)? {
            Some(packed) => call
                .header("content-encoding", "gzip")
                .body("application/x-git-upload-pack-request", packed),
            None => call.body("application/x-git-upload-pack-request", body),
        })
    }

    /// For the git binary.
    pub(super) fn url(&self) -> Result<String> {
        Ok(format!(
            "{}{}",
            self.client.base(self.host)?.as_str().trim_end_matches('/'),
            self.path
        ))
    }
}

fn speaking(call: Call<'_>, protocol: Protocol) -> Call<'_> {
    match protocol {
        Protocol::V0 => call,
        Protocol::V2 => call.header("git-protocol", "version=2"),
    }
}

fn read_refs(answer: &[u8], adv: &mut Advertisement) -> Result<()> {
    for frame in pkt::Frames::new(answer) {
        match frame?.line() {
            Some(line) => adv.v2_ref(line)?,
            None => return Ok(()),
        }
    }
    Err(pkt::cut_short())
}

/// A sign-in page or a proxy's words are never parsed as git.
fn must_be(headers: &HeaderMap, expected: &str) -> Result<()> {
    let found = headers
        .get(CONTENT_TYPE)
        .map_or("", |value| value.to_str().unwrap_or(""));
    if found
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected))
    {
        return Ok(());
    }
    let found: String = found
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect();
    Err(Error::malformed(format!(
        "an answer of type {found:?} came where git's {expected} belongs"
    )))
}
