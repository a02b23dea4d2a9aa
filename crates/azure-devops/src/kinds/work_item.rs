//! Work items with all revisions, comments, attachments and links; crawled by the three reporting streams of the organization.
//!
//! A scope would lose revisions of items that move between projects, so work items lie at the level of the organization.

mod attachments;
mod batch;
mod bin;
mod comments;
mod crawl;
mod document;
mod filed;
mod find;
mod hidden;
mod history;
mod inspect;
mod interrupted;
mod losses;
mod marks;
mod picked;
mod position;
mod progress;
mod renamed;
mod restore;
mod stream;
mod sweep;
mod unread;
mod vanished;
mod verify;

use async_trait::async_trait;
use jiff::Timestamp;
use model::ItemRef;
use service::http::segment;
use service::{
    Client, Crawl, Crawled, Cursor, Fidelity, Found, Inspect, Inspection, Kind, KindSpec, Layout,
    Loss, Outcome, Pass, Permission, Removal, Restore, Result, Scope, Searched, StoredItem, Target,
    TextOf,
};

use self::document::Head;
use super::git_repository::GIT_REPOSITORY;
use super::node::{AREA, ITERATION};
use super::parts;
use super::project::PROJECT;
use super::wiki::WIKI;
use crate::api::{DEV, STABLE};

pub(crate) const WORK_ITEM: &str = "work-item";

const REVISIONS: &str = "revisions.ndjson";
const COMMENTS: &str = "comments.ndjson";
const COMMENT_VERSIONS: &str = "comment-versions.ndjson";
const RECYCLE_BIN: &str = "recycle-bin.json";
const ATTACHMENTS: &str = "attachments";
/// Attachments that several items refer to lie with the first of them; this says where.
const SHARED_ATTACHMENTS: &str = "shared-attachments.json";

static SPEC: KindSpec = KindSpec {
    name: WORK_ITEM,
    title: "Work items",
    parent: None,
    crawled: Crawled::Once,
    with: None,
    after: &[PROJECT, AREA, ITERATION, GIT_REPOSITORY, WIKI],
    layout: Layout::Item {
        folder: "work-items",
        shard: Some(256),
        document: "work-item.json",
    },
    bin: Some(RECYCLE_BIN),
    search: Searched {
        text: &[
            TextOf::document(&[
                "/fields/System.Description",
                "/fields/Microsoft.VSTS.TCM.ReproSteps",
                "/fields/Microsoft.VSTS.Common.AcceptanceCriteria",
                "/fields/System.Tags",
            ]),
            TextOf::part(COMMENTS, &["/text"]),
        ],
        project: Some("/fields/System.TeamProject"),
    },
    read: &[Permission {
        scope: "vso.work",
        why: "Without it no work item, comment or attachment is read.",
    }],
    write: &[
        Permission {
            scope: "vso.work_write",
            why: "To create work items, to take them out of the recycle bin.",
        },
        Permission {
            scope: "vso.work_full",
            why: "To write authors and dates of the past; the identity also needs Bypass rules on work item updates.",
        },
    ],
    restore: Fidelity::Partial(losses::ALL),
};

pub(crate) struct WorkItemKind;

#[async_trait]
impl Kind for WorkItemKind {
    fn spec(&self) -> &KindSpec {
        &SPEC
    }

    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        let head: Head<'_> = serde_json::from_slice(document).ok()?;
        Some((head.fields.name(), head.fields.modified()))
    }

    async fn crawl(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        crawl::crawl(cx).await.map(Some)
    }

    fn is_filtered(&self) -> bool {
        true
    }

    async fn probe(&self, http: &Client, _scope: &Scope) -> Result<()> {
        let call = http
            .get(DEV, "/_apis/wit/reporting/workitemrevisions")
            .version(STABLE)
            .query("$maxPageSize", 1);
        call.send().await?.json::<stream::Page<'_>>().map(drop)
    }

    async fn find(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
        find::find(cx, items).await
    }

    async fn recognize(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<bool>> {
        find::recognize(cx, items).await
    }

    async fn restore(
        &self,
        cx: &Restore<'_>,
        pass: Pass,
        items: &[StoredItem],
    ) -> Result<Vec<Outcome>> {
        match pass {
            Pass::Create => restore::create(cx, items).await,
            Pass::Connect => restore::connect(cx, items).await,
        }
    }

    async fn verify(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
        verify::verify(cx, items).await
    }

    async fn revisions(
        &self,
        cx: &Target<'_>,
        items: &[StoredItem],
    ) -> Result<Vec<Option<String>>> {
        find::revisions(cx, items).await
    }

    async fn losses(&self, cx: &Target<'_>, item: &StoredItem) -> Result<Option<Vec<Loss>>> {
        losses::losses(cx, item).await.map(Some)
    }

    fn removal(&self) -> Removal {
        Removal::Bin
    }

    async fn remove(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Outcome>> {
        parts::remove(cx, items, |id| {
            format!("/_apis/wit/workitems/{}", segment(id))
        })
        .await
    }

    async fn page(&self, cx: &Target<'_>, item: &StoredItem) -> Result<Option<String>> {
        parts::page(cx, item, |id| format!("_workitems/edit/{}", segment(id)))
    }

    async fn inspect(
        &self,
        cx: &Inspect<'_>,
        item: &ItemRef,
        document: &[u8],
    ) -> Result<Inspection> {
        inspect::inspect(cx, item, document).await
    }
}
