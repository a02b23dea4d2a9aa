//! What stands at a target: the whole list of each scope, read once.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::{Pages, RestKind, compare, read};
use crate::{Error, Found, FoundState, Result, Scope, StoredItem, Target};

/// The items of one scope at the target.
pub(super) struct Standing {
    by_id: HashMap<String, Box<RawValue>>,
    /// Lower-case name → id: the service's names differ by more than case.
    by_name: HashMap<String, String>,
}

impl Standing {
    pub(super) fn named(&self, name: &str) -> Option<&String> {
        self.by_name.get(&name.to_lowercase())
    }
}

impl RestKind {
    /// The scope at the target, `None` while its parent is not there.
    pub(super) fn scope_at(&self, cx: &Target<'_>, old: &str) -> Option<Scope> {
        match self.spec.parent {
            Some(parent) if !old.is_empty() => {
                let id = cx.ids.get(parent, old)?;
                // The service takes an id wherever it takes a name.
                Some(Scope {
                    name: id.clone(),
                    id,
                })
            }
            _ => Some(Scope::default()),
        }
    }

    pub(super) async fn standing(&self, cx: &Target<'_>, scope: &Scope) -> Result<Standing> {
        let http = cx.http.tagged(self.spec.name);
        let mut pages = Pages::new(&http, &self.list, scope);
        let mut standing = Standing {
            by_id: HashMap::new(),
            by_name: HashMap::new(),
        };
        while let Some(page) = pages.next().await? {
            for document in page.values()? {
                let Some(id) = read::text_at(document, self.id) else {
                    return Err(Error::malformed(format!(
                        "a {} without an id at {}",
                        self.spec.name, self.id
                    )));
                };
                if let Some(name) = read::text_at(document, self.name) {
                    standing.by_name.insert(name.to_lowercase(), id.to_string());
                }
                standing.by_id.insert(id.into_owned(), document.to_owned());
            }
        }
        Ok(standing)
    }

    /// One listing for each scope that the items have.
    async fn standings(
        &self,
        cx: &Target<'_>,
        items: &[StoredItem],
    ) -> Result<HashMap<String, Standing>> {
        let mut standings = HashMap::new();
        for item in items {
            if !standings.contains_key(&item.item.scope)
                && let Some(scope) = self.scope_at(cx, &item.item.scope)
            {
                let standing = self.standing(cx, &scope).await?;
                standings.insert(item.item.scope.clone(), standing);
            }
        }
        Ok(standings)
    }

    /// By the new id if there is one, by the id at the original place, else by name.
    pub(super) async fn find_all(
        &self,
        cx: &Target<'_>,
        items: &[StoredItem],
    ) -> Result<Vec<Option<Found>>> {
        let standings = self.standings(cx, items).await?;
        let find = |item: &StoredItem| {
            let standing = standings.get(&item.item.scope)?;
            let known = item
                .new_id
                .as_ref()
                .or(cx.original.then_some(&item.item.id));
            let id = known
                .filter(|id| standing.by_id.contains_key(*id))
                .or_else(|| standing.named(&item.name))?;
            Some(Found {
                id: id.clone(),
                state: FoundState::Present,
            })
        };
        Ok(items.iter().map(find).collect())
    }

    pub(super) async fn verify_all(
        &self,
        cx: &Target<'_>,
        items: &[StoredItem],
    ) -> Result<Vec<Vec<String>>> {
        let standings = self.standings(cx, items).await?;
        let drop = self.write.map_or(&[][..], |write| write.drop);
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            let now = standings
                .get(&item.item.scope)
                .zip(item.new_id.as_ref())
                .and_then(|(standing, id)| standing.by_id.get(id));
            let before = cx.stored.document(&item.item).await?;
            all.push(match (before, now) {
                (Some(before), Some(now)) => {
                    compare::differences(&before, now.get().as_bytes(), drop)?
                }
                (None, _) => vec!["the snapshot does not have it".to_owned()],
                (_, None) => vec!["it is not in the service's list".to_owned()],
            });
        }
        Ok(all)
    }
}
