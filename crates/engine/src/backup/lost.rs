//! Items that a full run carried over although the repository no longer has all of their content: nobody gives it again.

use std::collections::BTreeMap;

use model::{Class, Issue, ItemRef};
use repository::{TreeId, Writer};
use service::Stored as _;

use super::attempt::{Attempt, Sent};
use super::gone::listed;
use crate::Result;
use crate::error::DAMAGED;
use crate::stored::SnapshotReader;

impl Attempt<'_> {
    /// An issue for each kind and scope with such items in the new tree.
    pub(super) async fn tell_lost(
        &self,
        sent: &mut Sent,
        writer: &mut Writer,
        tree: TreeId,
    ) -> Result<()> {
        if !self.is_full() || self.parent.is_none() {
            return Ok(());
        }
        // What this run stored is not lost.
        writer.flush().await?;
        let now = SnapshotReader::new(self.cx.repository.clone(), self.cx.service, Some(tree));
        let now = now.around_damage();
        let mut lost: BTreeMap<(&str, &str), Vec<&ItemRef>> = BTreeMap::new();
        for item in sent.carried() {
            if !now.lost_parts(item).await?.is_empty() {
                lost.entry((&item.kind, &item.scope))
                    .or_default()
                    .push(item);
            }
        }
        let issues: Vec<Issue> = lost.into_iter().map(issue).collect();
        for issue in issues {
            self.note(issue, &mut sent.issues);
        }
        Ok(())
    }
}

fn issue(((kind, scope), items): ((&str, &str), Vec<&ItemRef>)) -> Issue {
    let (count, named) = (items.len(), listed(items));
    Issue {
        code: DAMAGED.to_owned(),
        class: Class::Malformed,
        kind: kind.to_owned(),
        scope: scope.to_owned(),
        item: None,
        message: format!(
            "{count} items of kind {kind} are kept, but content of theirs is lost, and the service does not give it again ({named})"
        ),
        hint: model::code::find(DAMAGED).map(|code| code.remedy.to_owned()),
    }
}
