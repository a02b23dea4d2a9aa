//! One round: pages to the delta link, then what they left open.

use std::collections::BTreeSet;

use bytes::Bytes;
use model::ItemRef;
use model::policy::Pick;
use serde_json::value::RawValue;

use super::document::{first_text, is_removed, members, texts, without};
use super::link::{Links, is_expired};
use super::page::{Page, Then};
use super::state::State;
use super::{DeltaKind, Gone, batch};
use crate::http::Answer;
use crate::json::{Members, text_at, time_at};
use crate::{Client, Crawl, Cursor, Error, Item, Result};

impl DeltaKind {
    pub(super) async fn crawl_changes(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        let http = cx.http.tagged(self.spec.name);
        let pick = cx.order.picks.0.get(self.spec.name);
        if pick.is_some() && cx.cursor.is_some() {
            // Changes of what is not chosen would be lost with them: as long as there is a choice, everything is listed each time.
            let message = format!("{} are chosen one by one", self.spec.title.to_lowercase());
            return Err(Error::cursor_expired(message));
        }
        let resumed = cx.sink.resumed().map(State::read).transpose()?;
        let complete = resumed.is_some() || cx.cursor.is_none();
        let mut state = match resumed {
            Some(state) => state,
            None => State::begin(cx.cursor)?,
        };
        let round = Round {
            kind: self,
            cx,
            http: &http,
            pick,
        };
        match round.run(&mut state).await {
            Err(error) if !is_expired(&error) || state.link.is_none() => Err(error),
            // What was sent cannot be taken back, and some of it may be gone when the list begins anew: so does the run.
            Err(_) if complete => Err(Error::start_again(format!(
                "the service no longer knows its place in {}",
                self.spec.title.to_lowercase()
            ))),
            Err(error) => Err(Error::cursor_expired(error.message).caused_by(Expired)),
            Ok(cursor) => {
                let open = round.finish(&state).await?;
                let cursor = state.cursor(cursor, &open)?;
                Ok(pick.is_none().then_some(cursor))
            }
        }
    }

    /// The item that a document is; its name is missing from documents that are not whole.
    pub(super) fn described(
        &self,
        document: &RawValue,
    ) -> (Option<String>, Option<jiff::Timestamp>) {
        (
            first_text(document, self.name).map(Into::into),
            time_at(document, self.modified),
        )
    }

    /// Nothing but the id and pieces of lists.
    fn is_piece(&self, item: &Members<'_>) -> bool {
        let lists = |name: &str| self.relations.iter().any(|list| list.member == name);
        item.0.iter().any(|(name, _)| lists(name))
            && item.0.iter().all(|(name, _)| {
                lists(name) || name.starts_with('@') || self.id.strip_prefix('/') == Some(name)
            })
    }

    fn drops(&self, name: &str) -> bool {
        name == "@odata.context"
            || self
                .relations
                .iter()
                .any(|relation| relation.member == name)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the service refused the token")]
struct Expired;

struct Round<'r, 'a> {
    kind: &'r DeltaKind,
    cx: &'r Crawl<'a>,
    http: &'r Client,
    /// Which items are taken; a round with a choice is complete.
    pick: Option<&'r Pick>,
}

impl Round<'_, '_> {
    fn complete(&self) -> bool {
        self.cx.cursor.is_none()
    }

    fn item(&self, id: &str) -> ItemRef {
        ItemRef::new(self.kind.spec.name, "", id)
    }

    /// Reads pages from where the state stands to the end of the round.
    async fn run(&self, state: &mut State) -> Result<Cursor> {
        let mut links = Links::default();
        loop {
            let answer = self.fetch(state, &mut links).await?;
            let page: Page<'_> = answer.json()?;
            for document in &page.value {
                self.take(state, document).await?;
            }
            match page.then(self.kind.path)? {
                Then::Done(cursor) => return Ok(cursor),
                Then::Next(next) => state.link = Some(next),
            }
            let reached = &*state;
            self.cx.sink.position(&|| reached.write()).await?;
        }
    }

    async fn fetch(&self, state: &State, links: &mut Links) -> Result<Answer> {
        let kind = self.kind;
        let mut call = if let Some(link) = &state.link {
            let url = links.check(self.http, kind.host, link)?;
            self.http.url(&url)
        } else {
            let first = self.http.get(kind.host, kind.path);
            let query = kind.query.iter();
            query.fold(first, |call, (name, value)| call.query(name, value))
        };
        for (name, value) in kind.headers {
            call = call.header(name, value);
        }
        call.send().await
    }

    async fn take(&self, state: &mut State, document: &RawValue) -> Result<()> {
        let kind = self.kind;
        let Some(id) = text_at(document, kind.id).filter(|id| !id.is_empty()) else {
            return Err(Error::malformed(format!(
                "{}: an item without an id at {}",
                kind.path, kind.id
            )));
        };
        let item = members(document)?;
        if is_removed(&item) {
            let sent = state.listed.contains(id.as_ref());
            state.forget(&id);
            if self.pick.is_some() && !sent {
                return Ok(());
            }
            return self.cx.sink.delete(&self.item(&id)).await;
        }
        state.relations.take(kind, &id, &item)?;
        if kind.is_piece(&item) {
            return self.piece(state, &id).await;
        }
        if !self.takes(&id, document) {
            state.forget(&id);
            return self.leave(&id).await;
        }
        if self.complete() {
            if !kind.relations.is_empty() || self.pick.is_some() {
                state.listed.insert(id.to_string());
            }
        } else if !self.is_whole(state, &id, document, &item).await? {
            state.again.insert(id.into_owned());
            return Ok(());
        } else if kind.gone == Gone::Asked {
            state.doubtful.insert(id.to_string());
        }
        state.again.remove(id.as_ref());
        self.send(&id, document, &item).await
    }

    fn takes(&self, id: &str, document: &RawValue) -> bool {
        self.pick.is_none_or(|pick| {
            let names = texts(document, self.kind.name);
            let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
            pick.takes(id, &names)
        })
    }

    /// An item that is not chosen stays as it was; if it never was, it does not come.
    async fn leave(&self, id: &str) -> Result<()> {
        let item = self.item(id);
        match self.cx.before(&item).await? {
            Some(_) => self.cx.sink.keep(&item).await,
            None => Ok(()),
        }
    }

    /// What is not chosen stays also when the service no longer has it, and so does what cannot be read: it may be one of them.
    async fn leave_unlisted(&self, state: &State) -> Result<()> {
        if self.pick.is_none() {
            return Ok(());
        }
        for id in self.cx.prior.ids(self.kind.spec.name, "").await? {
            if state.listed.contains(&id) || state.again.contains(&id) {
                continue;
            }
            let document = self.cx.before(&self.item(&id)).await?;
            let document: Option<&RawValue> = document
                .as_deref()
                .and_then(|document| serde_json::from_slice(document).ok());
            if document.is_none_or(|document| !self.takes(&id, document)) {
                self.cx.sink.keep(&self.item(&id)).await?;
            }
        }
        Ok(())
    }

    /// A piece of an item's lists; the item itself came or comes on its own, or is what it was.
    async fn piece(&self, state: &mut State, id: &str) -> Result<()> {
        let known = if self.complete() {
            state.listed.contains(id)
        } else {
            self.before(state, id).await?.is_some()
        };
        if !known || state.damaged.contains(id) {
            state.again.insert(id.to_owned());
        }
        Ok(())
    }

    /// The document as the snapshot before has it; one that is damaged is as good as empty.
    async fn before(&self, state: &mut State, id: &str) -> Result<Option<Bytes>> {
        let before = self.cx.before(&self.item(id)).await?;
        if before.as_ref().is_some_and(Bytes::is_empty) {
            state.damaged.insert(id.to_owned());
        }
        Ok(before)
    }

    /// Of an item that is new, the name must be there; of one that is known, all that is stored.
    async fn is_whole(
        &self,
        state: &mut State,
        id: &str,
        document: &RawValue,
        item: &Members<'_>,
    ) -> Result<bool> {
        if first_text(document, self.kind.name).is_none() {
            return Ok(false);
        }
        let Some(before) = self.before(state, id).await? else {
            return Ok(true);
        };
        // What cannot be read any more is no measure of what may have been left out.
        let before: Option<&RawValue> = serde_json::from_slice(&before).ok();
        let before = before.and_then(|before| members(before).ok());
        Ok(before.is_some_and(|before| item.cover(&before)))
    }

    async fn send(&self, id: &str, document: &RawValue, item: &Members<'_>) -> Result<()> {
        let own = without(document, item, &|name| self.kind.drops(name));
        let (name, modified) = self.kind.described(document);
        let item = Item {
            item: self.item(id),
            name: name.unwrap_or_else(|| id.to_owned()),
            modified,
        };
        self.cx.sink.upsert(&item, own.as_bytes()).await
    }

    /// What the pages left open: items to read by their id, and lists. The ids that are still open are asked for next time.
    async fn finish(&self, state: &State) -> Result<BTreeSet<String>> {
        let mut failed = BTreeSet::new();
        // What was mended now is no longer marked once it comes without an issue.
        let mut open = state.damaged.clone();
        for (id, answer) in self.each(&state.again).await? {
            match (&answer.body, answer.error(&self.item(&id).to_string())) {
                (Some(body), None) if !self.takes(&id, body) => self.leave(&id).await?,
                (Some(body), None) => self.send(&id, body, &members(body)?).await?,
                // The next round says what became of it; of one that is so new that the service does not find it yet, no round says anything.
                (_, Some(error)) if error.status == Some(404) => {
                    failed.insert(id.clone());
                    open.insert(id);
                }
                (_, error) => {
                    let error = error.unwrap_or_else(|| Error::malformed(format!("{id}: no body")));
                    if error.class == model::Class::Throttled {
                        return Err(error);
                    }
                    let item = Some(self.item(&id));
                    self.cx
                        .sink
                        .issue(error.to_issue(self.kind.spec.name, "", item));
                    failed.insert(id.clone());
                    open.insert(id);
                }
            }
        }
        for (id, answer) in self.each(&state.doubtful).await? {
            if answer.status == 404 {
                self.cx.sink.delete(&self.item(&id)).await?;
                failed.insert(id);
            } else if answer.error(&id).is_some() {
                open.insert(id);
            }
        }
        self.leave_unlisted(state).await?;
        let ids: Vec<&str> = if self.complete() {
            state.listed.iter().map(String::as_str).collect()
        } else {
            state.relations.ids().collect()
        };
        let ids: Vec<&str> = ids.into_iter().filter(|id| !failed.contains(*id)).collect();
        state.relations.send(self.kind, self.cx, &ids).await?;
        Ok(open)
    }

    async fn each(
        &self,
        ids: &BTreeSet<String>,
    ) -> Result<std::collections::BTreeMap<String, batch::Inner>> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        batch::get_each(self.http, self.kind.host, self.kind.one, &ids).await
    }
}
