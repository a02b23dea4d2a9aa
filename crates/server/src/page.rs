//! Lists: which page is asked for, and how it is answered.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use catalog::{Listed, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{Problem, Server};

const LARGEST: u32 = 1000;
const USUAL: u32 = 50;

/// Which part of a list to answer with.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next` of the page before.
    #[param(required = false)]
    pub after: Option<String>,
    /// At most this many.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}

impl PageQuery {
    pub fn page(&self, server: &Server) -> Result<Page, Problem> {
        let limit = self.limit.unwrap_or(USUAL);
        if limit == 0 || limit > LARGEST {
            return Err(Problem::parameter("limit", format!("from 1 to {LARGEST}")));
        }
        let after = match &self.after {
            Some(after) => Some(
                decode(server, after)
                    .ok_or_else(|| Problem::parameter("after", "not the `next` of a page"))?,
            ),
            None => None,
        };
        Ok(Page { after, limit })
    }
}

/// Sealed: where a page ends may be something that its reader does not reach.
fn encode(server: &Server, next: &str) -> String {
    URL_SAFE_NO_PAD.encode(server.control.kek.hide(next))
}

fn decode(server: &Server, after: &str) -> Option<String> {
    let hidden = URL_SAFE_NO_PAD.decode(after).ok()?;
    server.control.kek.reveal(&hidden)
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Paged<T> {
    pub items: Vec<T>,
    /// Give it as `after` for the next page; absent at the end. While it is there more can follow, also after a page with fewer items than asked for
    /// or with none: where few of very many match, each page looks through a part of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Paged<T> {
    pub fn from_listed<U>(server: &Server, listed: Listed<U>, each: impl FnMut(U) -> T) -> Self {
        let items = listed.items.into_iter().map(each).collect();
        Self::following(server, items, listed.next)
    }
}

impl<T> Paged<T> {
    /// Entries of a listed page that were turned into `items` one by one.
    pub(crate) fn following(server: &Server, items: Vec<T>, next: Option<String>) -> Self {
        Self {
            items,
            next: next.map(|next| encode(server, &next)),
        }
    }
}

impl<T> From<Vec<T>> for Paged<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}
