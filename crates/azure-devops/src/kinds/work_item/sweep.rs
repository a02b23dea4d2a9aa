//! Items that could not be read when the streams told of them: the streams do not tell of them once more, so now and then all ids are looked at.

use model::Class;
use serde::Deserialize;
use serde_json::json;
use service::Result;
use service::http::Method;

use super::crawl::Run;
use super::marks::{BORN, Marks, OUT, SEEN};
use super::position::Position;
use super::progress::Known;
use super::{WORK_ITEM, vanished};
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
        let condition = match &run.picked {
            None => None,
            Some(picked) => match picked.condition() {
                None => return Ok(Self::All(Marks::default())),
                condition => condition,
            },
        };
        match ids(run, condition.as_deref()).await {
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

    /// No item was passed over; what vanished with its project is known to be gone, or named.
    pub(super) async fn note(&self, run: &Run<'_>, known: &mut Known) -> Result<()> {
        if matches!(self, Self::All(_)) {
            known.position.swept = Some(run.cx.order.started);
        }
        let Some(projects) = &run.projects else {
            return Ok(());
        };
        match self {
            Self::NotDue => known.position.see(projects.clone()),
            Self::All(all) => {
                let lost = known.position.doubtful(projects);
                let doubtful = vanished::absent(run, known, all, lost).await?;
                known.position.see(projects.clone());
                known.position.settle(&doubtful);
            }
            Self::Failed => {}
        }
        Ok(())
    }
}

/// The ids of all items that meet a condition and that the identity may read now.
pub(super) async fn ids(run: &Run<'_>, condition: Option<&str>) -> Result<Marks> {
    let mut all = Marks::default();
    let place = condition.map_or_else(String::new, |condition| format!(" And {condition}"));
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
