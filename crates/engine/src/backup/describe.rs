//! What a snapshot says of itself: `source.json`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::{Class, Issue, KindCounts, SourceFile};
use repository::{BlobType, FileContent, Node, TreeEditor, TreeId, Writer};

use super::attempt::{Attempt, Sent};
use super::parent::Parent;
use super::recount;
use crate::layout::{Layouts, SOURCE_FILE};
use crate::merge::Merged;
use crate::stored::SnapshotReader;
use crate::{Error, Result, SKEW};

impl Attempt<'_> {
    /// All that this run knows now; its clock is read here.
    pub(super) async fn describe(
        &self,
        mut sent: Sent,
        merged: &Merged,
        base: &SnapshotReader,
    ) -> Result<SourceFile> {
        let now = self.cx.clock.now();
        let ahead = self.cx.client.clock_ahead();
        let by_service = |time: Timestamp| time.checked_sub(ahead.unwrap_or_default());
        let dated = by_service(now).unwrap_or(now);
        let finished = finished(dated, self.parent);
        let wrong = ahead.map(|_| clock_wrong(now, dated));
        for issue in wrong.into_iter().chain(clock_behind(dated, finished)) {
            self.note(issue, &mut sent.issues);
        }
        let stale_items = self.stale_items(base, &sent).await?;
        let (cx, request) = (self.cx, self.request);
        Ok(SourceFile {
            schema: 1,
            service: cx.service.name.to_owned(),
            source: request.connector.organization.to_lowercase(),
            url: request.url.clone(),
            connector: request.connector.name.clone(),
            run: request.run.clone(),
            job: request.job.clone(),
            token: request.token,
            started: by_service(sent.started)
                .unwrap_or(sent.started)
                .min(finished),
            finished,
            selection: sent.crawled.selection.iter().cloned().collect(),
            picks: request.picks.clone(),
            accepted: request.accept_deletions.clone(),
            counts: self.counts(merged, &sent.received, base).await?,
            stale: self.stale(&sent),
            cursors: sent.crawled.cursors,
            stale_items,
            issues: sent.issues,
            requests: cx.client.usage().requests,
        })
    }

    pub(super) fn before(&self) -> Option<&SourceFile> {
        self.parent.map(|parent| &parent.source)
    }

    async fn counts(
        &self,
        merged: &Merged,
        received: &BTreeMap<String, u64>,
        base: &SnapshotReader,
    ) -> Result<BTreeMap<String, KindCounts>> {
        let layouts = Layouts::new(self.cx.service);
        let anew = recount::items(base, layouts, &merged.recount).await?;
        let usage = self.cx.client.usage();
        let mut counts = BTreeMap::new();
        for kind in self.cx.service.kinds {
            let name = kind.spec().name;
            let was = self.before().and_then(|before| before.counts.get(name));
            let said = was.map_or(0, |was| was.items);
            let mut own = merged.counts.get(name).cloned().unwrap_or_default();
            let binned = merged.binned.get(name).copied().unwrap_or_default();
            let (came, left) = (own.added - binned.out, own.removed - binned.into);
            own.items = (anew.get(name).unwrap_or(&said) + came).saturating_sub(left);
            own.bytes = received.get(name).copied().unwrap_or(0);
            own.requests = usage.by_kind.get(name).map_or(0, |usage| usage.0);
            counts.insert(name.to_owned(), own);
        }
        Ok(counts)
    }
}

/// Puts the description at the top of the tree.
pub(super) async fn put_source(
    writer: &mut Writer,
    tree: Option<TreeId>,
    source: &SourceFile,
) -> Result<TreeId> {
    let bytes = serde_json::to_vec_pretty(source)
        .map_err(|error| Error::io("cannot write the snapshot's description")(error.into()))?;
    // The run's own id is in it, so it cannot be there already: no index is read for it.
    let content = FileContent {
        blobs: vec![writer.blob_unique(BlobType::Data, &bytes).await?],
        size: bytes.len() as u64,
    };
    let mut editor = TreeEditor::new(writer, tree);
    editor
        .put(
            SOURCE_FILE,
            Node::file(SOURCE_FILE, content, source.finished),
        )
        .await?;
    Ok(editor.finish().await?)
}

/// A snapshot is younger than the one that it goes on from, whatever the clock says: the order of times decides which is the newest.
fn finished(now: Timestamp, parent: Option<&Parent>) -> Timestamp {
    let after = parent.and_then(|parent| {
        let next = parent
            .source
            .finished
            .checked_add(SignedDuration::from_millis(1));
        next.ok()
    });
    after.map_or(now, |after| after.max(now))
}

fn clock_behind(now: Timestamp, finished: Timestamp) -> Option<Issue> {
    let message = format!(
        "the clock says {now:.0}, and the snapshot before is of a later time: this one is dated {finished:.0}"
    );
    (finished.duration_since(now) > SKEW).then(|| of_clock("clock-behind", message))
}

/// A date in the future would make a snapshot the newest one until it comes, and what is kept is counted by dates.
fn clock_wrong(now: Timestamp, dated: Timestamp) -> Issue {
    let message = format!(
        "this machine's clock says {now:.0}, and the service's {dated:.0}: the snapshot is dated by the service's"
    );
    of_clock("clock-wrong", message)
}

fn of_clock(code: &str, message: String) -> Issue {
    Issue {
        code: code.to_owned(),
        class: Class::Implausible,
        kind: String::new(),
        scope: String::new(),
        item: None,
        message,
        hint: model::code::find(code).map(|code| code.remedy.to_owned()),
    }
}
