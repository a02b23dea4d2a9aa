//! Looking up items at the target and in the snapshot.

use futures::future::BoxFuture;
use model::{Class, ItemRef};
use service::{Found, Ids, Kind, StoredItem, Target};

use super::PlanContext;
use crate::Result;

/// Items of one lookup: kinds whose lookup is one listing ask for it once.
pub(crate) const LOOKUP: usize = 200;

/// The item's name as its document tells it; empty when it does not.
pub(crate) async fn describe(
    cx: &PlanContext<'_>,
    kind: &dyn Kind,
    item: &ItemRef,
) -> Result<String> {
    let document = cx.stored.document(item).await?;
    Ok(document
        .and_then(|document| kind.describe(&document))
        .map(|(name, _)| name)
        .unwrap_or_default())
}

/// Why one item could not be looked up.
#[derive(Clone, Debug)]
pub(crate) struct Unfound {
    pub code: &'static str,
    pub message: String,
}

impl From<&service::Error> for Unfound {
    fn from(error: &service::Error) -> Self {
        Self {
            code: error.code,
            message: error.message.clone(),
        }
    }
}

/// Asking for one item after another would end alike.
fn of_all(error: &service::Error) -> bool {
    matches!(
        error.class,
        Class::Permission | Class::Throttled | Class::Transient | Class::Unsupported
    )
}

/// What a kind is on its way to say of some items, in their order.
type Asked<'i, T> = BoxFuture<'i, service::Result<Vec<T>>>;

/// Asks a kind of all items at once. After an error that may be about one item alone it is asked of one after another: the others are answered.
async fn each<'i, T>(
    kind: &dyn Kind,
    items: &'i [StoredItem],
    ask: impl Fn(&'i [StoredItem]) -> Asked<'i, T>,
) -> Result<Vec<Result<T, Unfound>>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    match counted(kind, items.len(), ask(items).await) {
        Ok(all) => return Ok(all.into_iter().map(Ok).collect()),
        Err(error) if error.is_fatal() => return Err(error.into()),
        Err(error) if of_all(&error) || items.len() == 1 => {
            let unfound = |_| Err(Unfound::from(&error));
            return Ok(items.iter().map(unfound).collect());
        }
        Err(_) => {}
    }
    let mut each = Vec::with_capacity(items.len());
    for item in items.chunks(1) {
        match counted(kind, 1, ask(item).await) {
            Ok(one) => each.extend(one.into_iter().map(Ok)),
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => each.push(Err(Unfound::from(&error))),
        }
    }
    Ok(each)
}

/// Answers that are not one for each item cannot be told apart.
fn counted<T>(
    kind: &dyn Kind,
    asked: usize,
    answers: service::Result<Vec<T>>,
) -> service::Result<Vec<T>> {
    let answers = answers?;
    if answers.len() == asked {
        return Ok(answers);
    }
    let (kind, answered) = (kind.spec().name, answers.len());
    Err(service::Error::malformed(format!(
        "{kind}: {asked} items looked at, {answered} answered"
    )))
}

/// What stands at the target, in the items' order.
pub(crate) async fn find_each(
    cx: &PlanContext<'_>,
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Result<Option<Found>, Unfound>>> {
    let mut found = Vec::with_capacity(items.len());
    for items in items.chunks(LOOKUP) {
        found.extend(each(kind, items, |items| kind.find(target, items)).await?);
    }
    cx.progress("look up", items.len() as u64, None);
    Ok(found)
}

/// Whether each item stands at the target as an earlier restore made it.
pub(super) async fn recognize(
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Result<bool, Unfound>>> {
    each(kind, items, |items| kind.recognize(target, items)).await
}

/// In what each item at the target differs from the snapshot.
pub(crate) async fn differences(
    cx: &PlanContext<'_>,
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Result<Vec<String>, Unfound>>> {
    let found = each(kind, items, |items| kind.verify(target, items)).await?;
    if !items.is_empty() {
        cx.progress("compare", items.len() as u64, None);
    }
    Ok(found)
}

/// Which revision of each item stands at the target; `None` where the kind has no such thing, and where it cannot be told.
pub(crate) async fn revisions(
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Option<String>>> {
    let found = each(kind, items, |items| kind.revisions(target, items)).await?;
    Ok(found
        .into_iter()
        .map(|found| found.ok().flatten())
        .collect())
}

/// The target as kinds see it.
pub(crate) fn target<'a>(cx: &PlanContext<'a>, original: bool, ids: &'a dyn Ids) -> Target<'a> {
    Target {
        http: cx.http,
        original,
        stored: cx.stored,
        ids,
        work: cx.work,
    }
}
