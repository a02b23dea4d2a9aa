//! Looking up items at the target and in the snapshot.

use model::{Class, ItemRef};
use service::{Found, Ids, Kind, StoredItem, Target};

use super::PlanContext;
use crate::{Error, Result};

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

/// What stands at the target, in the items' order.
pub(crate) async fn find(
    cx: &PlanContext<'_>,
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Option<Found>>> {
    let mut found = Vec::with_capacity(items.len());
    for items in items.chunks(LOOKUP) {
        let answer = kind.find(target, items).await?;
        if answer.len() != items.len() {
            let message = format!(
                "{}: {} items looked up, {} answered",
                kind.spec().name,
                items.len(),
                answer.len()
            );
            return Err(service::Error::malformed(message).into());
        }
        found.extend(answer);
    }
    cx.progress("look up", items.len() as u64, None);
    Ok(found)
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

/// Like [`find`], but an error that may be about one item alone leaves the others answered.
pub(crate) async fn find_each(
    cx: &PlanContext<'_>,
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Result<Option<Found>, Unfound>>> {
    match find(cx, kind, target, items).await {
        Ok(found) => return Ok(found.into_iter().map(Ok).collect()),
        Err(Error::Service(error)) if !error.is_fatal() => {
            if of_all(&error) || items.len() == 1 {
                return Ok(vec![Err(Unfound::from(&error)); items.len()]);
            }
        }
        Err(error) => return Err(error),
    }
    let mut each = Vec::with_capacity(items.len());
    for item in items {
        match find(cx, kind, target, std::slice::from_ref(item)).await {
            Ok(mut found) => each.push(Ok(found.pop().flatten())),
            Err(Error::Service(error)) if !error.is_fatal() => {
                each.push(Err(Unfound::from(&error)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(each)
}

/// Whether each item stands at the target as an earlier restore made it. An error that may be about one item alone leaves the others answered.
pub(super) async fn recognize(
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Result<bool, Unfound>>> {
    match kind.recognize(target, items).await {
        Ok(known) if known.len() == items.len() => return Ok(known.into_iter().map(Ok).collect()),
        Ok(_) => {
            let message = format!("{}: not all items were looked for", kind.spec().name);
            return Err(service::Error::malformed(message).into());
        }
        Err(error) if error.is_fatal() => return Err(error.into()),
        Err(error) if of_all(&error) || items.len() == 1 => {
            return Ok(vec![Err(Unfound::from(&error)); items.len()]);
        }
        Err(_) => {}
    }
    let mut each = Vec::with_capacity(items.len());
    for item in items {
        match kind.recognize(target, std::slice::from_ref(item)).await {
            Ok(known) => each.push(Ok(known.contains(&true))),
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => each.push(Err(Unfound::from(&error))),
        }
    }
    Ok(each)
}

/// In what each item at the target differs from the snapshot. An error that may be about one item alone leaves the others compared.
pub(crate) async fn differences(
    cx: &PlanContext<'_>,
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Result<Vec<String>, Unfound>>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    match kind.verify(target, items).await {
        Ok(found) if found.len() == items.len() => {
            cx.progress("compare", items.len() as u64, None);
            return Ok(found.into_iter().map(Ok).collect());
        }
        Ok(_) => {
            let message = format!("{}: not all items were compared", kind.spec().name);
            return Err(service::Error::malformed(message).into());
        }
        Err(error) if error.is_fatal() => return Err(error.into()),
        Err(error) if of_all(&error) || items.len() == 1 => {
            return Ok(vec![Err(Unfound::from(&error)); items.len()]);
        }
        Err(_) => {}
    }
    let mut each = Vec::with_capacity(items.len());
    for item in items {
        match kind.verify(target, std::slice::from_ref(item)).await {
            Ok(found) => each.push(Ok(found.concat())),
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => each.push(Err(Unfound::from(&error))),
        }
    }
    Ok(each)
}

/// Which revision of each item stands at the target; `None` where the kind has no such thing, and where it cannot be told.
pub(crate) async fn revisions(
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Option<String>>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    match kind.revisions(target, items).await {
        Ok(found) if found.len() == items.len() => return Ok(found),
        Ok(_) => {
            let message = format!("{}: not all items were looked at", kind.spec().name);
            return Err(service::Error::malformed(message).into());
        }
        Err(error) if error.is_fatal() => return Err(error.into()),
        Err(error) if of_all(&error) || items.len() == 1 => return Ok(vec![None; items.len()]),
        Err(_) => {}
    }
    let mut each = Vec::with_capacity(items.len());
    for item in items {
        match kind.revisions(target, std::slice::from_ref(item)).await {
            Ok(found) => each.push(found.into_iter().next().flatten()),
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(_) => each.push(None),
        }
    }
    Ok(each)
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
