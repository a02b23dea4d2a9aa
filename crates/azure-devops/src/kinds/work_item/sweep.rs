//! Items that could not be read when the streams told of them: the streams do not tell of them once more, so now and then all ids are looked at.

use model::Class;
use serde::Deserialize;
use serde_json::json;
use service::Result;
use service::http::Method;

use super::WORK_ITEM;
use super::crawl::Run;
use super::marks::{BORN, Marks, OUT, SEEN};
use super::position::Position;
use crate::api::{DEV, STABLE};

/// Ids in one answer; a query for more than twenty thousand is refused.
const PAGE: usize = 10_000;

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "workItems")]
    items: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    id: u32,
}

/// What looking at all ids came to.
pub(super) enum Swept {
    NotDue,
    All(Marks),
    /// It stays due.
    Failed,
}

impl Swept {
    /// All ids, where it is time to look at them.
    pub(super) async fn of(run: &Run<'_>, position: &Position) -> Result<Self> {
        if !position.is_due(run.projects.as_ref(), run.cx.order.started) {
            return Ok(Self::NotDue);
        }
        match ids(run).await {
            Ok(ids) => Ok(Self::All(ids)),
            Err(error) if error.is_fatal() || error.class == Class::Throttled => Err(error),
            Err(error) => {
                tracing::warn!(
                    host = DEV,
                    "work items that could not be read before cannot be looked for: {error}"
                );
                Ok(Self::Failed)
            }
        }
    }

    /// Whether one of them is neither stored nor began in what the streams told now.
    pub(super) async fn has_strangers(&self, run: &Run<'_>, marks: &Marks) -> Result<bool> {
        let Self::All(all) = self else {
            return Ok(false);
        };
        let mut stored = Marks::default();
        for id in run.cx.prior.ids(WORK_ITEM, "").await? {
            if let Ok(id) = id.parse() {
                stored.set(id, SEEN);
            }
        }
        let strange = |id: &u32| stored.get(*id) == 0 && marks.get(*id) & (BORN | OUT) == 0;
        Ok(all.ids(SEEN, 0).any(|id| strange(&id)))
    }

    /// No item was passed over.
    pub(super) fn note(&self, run: &Run<'_>, position: &mut Position) {
        if matches!(self, Self::All(_)) {
            position.swept = Some(run.cx.order.started);
        }
        if let (Self::NotDue | Self::All(_), Some(projects)) = (self, &run.projects) {
            position.see(projects.clone());
        }
    }
}

/// The ids of all items that are selected and that the identity may read now.
async fn ids(run: &Run<'_>) -> Result<Marks> {
    let mut all = Marks::default();
    let place = match &run.picked {
        None => String::new(),
        Some(picked) => match picked.condition() {
            Some(condition) => format!(" And {condition}"),
            None => return Ok(all),
        },
    };
    let mut last = 0;
    loop {
        let query = format!(
            "Select [System.Id] From WorkItems Where [System.Id] > {last}{place} Order By [System.Id]"
        );
        let call = run.http.call(Method::POST, DEV, "/_apis/wit/wiql");
        let call = call.version(STABLE).query("$top", PAGE);
        let answer = call.json(&json!({ "query": query })).safe().send().await?;
        let Answer { items } = answer.json()?;
        for item in &items {
            all.set(item.id, SEEN);
        }
        match items.last() {
            Some(item) if items.len() >= PAGE && item.id > last => last = item.id,
            _ => return Ok(all),
        }
    }
}
