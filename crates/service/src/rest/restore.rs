//! Writing items of a table kind back.

use model::{Action, Class};
use reqwest::Method;
use serde::Serializer as _;
use serde_json::value::RawValue;

use super::pages::fill;
use super::read::Members;
use super::{RestKind, Write, read};
use crate::kind::not_restorable;
use crate::{Error, Outcome, Restore, Result, Scope, StoredItem};

impl RestKind {
    /// One outcome an item. What would fail for every other item too ends it.
    pub(super) async fn write_all(
        &self,
        cx: &Restore<'_>,
        items: &[StoredItem],
    ) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            outcomes.push(match self.write_one(cx, item).await {
                Ok(outcome) => outcome,
                Err(error) if error.is_fatal() || error.class == Class::Throttled => {
                    return Err(error);
                }
                Err(error) => Outcome::Failed {
                    code: error.code,
                    message: error.message,
                },
            });
        }
        Ok(outcomes)
    }

    async fn write_one(&self, cx: &Restore<'_>, item: &StoredItem) -> Result<Outcome> {
        if matches!(item.action, Action::Skip | Action::Export | Action::Remove) {
            return Ok(Outcome::Unchanged);
        }
        let write = self
            .write
            .as_ref()
            .ok_or_else(|| not_restorable(&self.spec, &item.item))?;
        let Some(scope) = self.scope_at(&cx.target, &item.item.scope) else {
            return Err(Error::new(
                Class::Missing,
                "restore-failed",
                format!("{}: what it belongs to is not at the target", item.item),
            ));
        };
        let Some(document) = cx.target.stored.document(&item.item).await? else {
            return Err(Error::new(
                Class::Missing,
                "restore-failed",
                format!("{}: the snapshot does not have it", item.item),
            ));
        };
        let body = sendable(&document, write)?;
        match (item.action, &item.new_id) {
            (Action::Create, None) => self.create(cx, item, write, &scope, body).await,
            (Action::Replace | Action::Merge, Some(id)) => {
                self.update(cx, item, write, &scope, id, body).await
            }
            // Created by an apply that was interrupted before it could say so.
            (Action::Create, Some(id)) => Ok(done(id)),
            (action, _) => Err(Error::unsupported(format!(
                "{}: {action:?} is not possible for this kind",
                item.item
            ))),
        }
    }

    async fn create(
        &self,
        cx: &Restore<'_>,
        item: &StoredItem,
        write: &Write,
        scope: &Scope,
        body: Vec<u8>,
    ) -> Result<Outcome> {
        if item.open_intent {
            if let Some(id) = self.standing(&cx.target, scope).await?.named(&item.name) {
                cx.journal.created(&item.item, id).await?;
                return Ok(done(id));
            }
        } else {
            cx.journal.intend(&item.item).await?;
        }
        let http = cx.target.http.tagged(self.spec.name);
        let path = fill(write.create, scope, "");
        let call = http
            .call(Method::POST, self.list.host, &path)
            .version(write.version)
            .body("application/json", body);
        let answer = call.send().await?;
        let made = answer.json::<&RawValue>()?;
        let Some(id) = read::text_at(made, self.id) else {
            return Err(Error::malformed(format!(
                "{}: the answer to its creation has no id at {}",
                item.item, self.id
            )));
        };
        cx.journal.created(&item.item, &id).await?;
        Ok(done(&id))
    }

    async fn update(
        &self,
        cx: &Restore<'_>,
        item: &StoredItem,
        write: &Write,
        scope: &Scope,
        id: &str,
        body: Vec<u8>,
    ) -> Result<Outcome> {
        let Some(update) = write.update else {
            return Err(Error::unsupported(format!(
                "{}: it cannot be replaced, only created",
                item.item
            )));
        };
        cx.journal.intend(&item.item).await?;
        let http = cx.target.http.tagged(self.spec.name);
        let path = fill(update, scope, id);
        // The same content however often it is sent.
        let call = http
            .call(Method::PATCH, self.list.host, &path)
            .version(write.version)
            .body("application/json", body)
            .safe();
        call.send().await?;
        cx.journal.created(&item.item, id).await?;
        Ok(done(id))
    }
}

fn done(id: &str) -> Outcome {
    Outcome::Done {
        new_id: id.to_owned(),
        losses: Vec::new(),
    }
}

/// The document without what the service sets by itself; all other members as they were stored, to the byte.
fn sendable(document: &[u8], write: &Write) -> Result<Vec<u8>> {
    let not_json =
        |error| Error::malformed("the stored document is not a JSON object").caused_by(error);
    let Members(mut members) = serde_json::from_slice(document).map_err(not_json)?;
    members.retain(|(name, _)| !write.drop.contains(&name.as_ref()));
    let mut body = Vec::with_capacity(document.len());
    serde_json::Serializer::new(&mut body)
        .collect_map(members)
        .map_err(not_json)?;
    Ok(body)
}
