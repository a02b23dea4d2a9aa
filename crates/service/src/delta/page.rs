//! Answers of a list: items, and where it goes on.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::link::Links;
use crate::http::Answer;
use crate::{Client, Error, Result};

/// One page of a round.
#[derive(Deserialize)]
pub(super) struct Page<'a> {
    #[serde(borrow)]
    pub(super) value: Vec<&'a RawValue>,
    #[serde(borrow, rename = "@odata.nextLink")]
    pub(super) next: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "@odata.deltaLink")]
    pub(super) delta: Option<Cow<'a, str>>,
}

/// Reads a list to its end by `@odata.nextLink` and hands over each page's items, byte for byte.
pub async fn each_page(
    http: &Client,
    host: &'static str,
    path: &str,
    query: &[(&str, &str)],
    mut take: impl FnMut(&[&RawValue]) -> Result<()>,
) -> Result<()> {
    let mut call = http.get(host, path);
    for (name, value) in query {
        call = call.query(name, value);
    }
    let mut answer = call.send().await?;
    let mut links = Links::default();
    loop {
        let page: Page<'_> = answer.json()?;
        take(&page.value)?;
        let Some(next) = page.next else {
            return Ok(());
        };
        let url = links.check(http, host, &next)?;
        answer = http.url(&url).send().await?;
    }
}

/// One request by the link that an earlier answer gave.
pub async fn follow(http: &Client, host: &'static str, link: &str) -> Result<Answer> {
    let url = super::link::parse(http, host, link)?;
    http.url(&url).send().await
}

/// Where a page leads.
pub(super) enum Then {
    Next(String),
    /// The round is complete; the cursor of the next.
    Done(String),
}

impl Page<'_> {
    /// A page without either link does not say whether there is more.
    pub(super) fn then(&self, path: &str) -> Result<Then> {
        match (&self.next, &self.delta) {
            (Some(next), _) => Ok(Then::Next(next.to_string())),
            (None, Some(delta)) => Ok(Then::Done(delta.to_string())),
            (None, None) => Err(Error::malformed(format!(
                "{path}: the round has no end: neither a next nor a delta link came"
            ))),
        }
    }
}
