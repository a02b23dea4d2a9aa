//! Whether the target of a plan knows those who are to take the places of people.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _};
use model::RestorePlan;

use crate::{Control, Result};

/// Names that the target is asked for side by side.
const AT_ONCE: usize = 8;

/// What the target says of people's unique names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Those of them that it knows.
    Of(BTreeSet<String>),
    /// It cannot be asked, and why.
    Unasked(String),
}

impl Control {
    /// Whom of these the target of a plan knows: one request a name.
    pub async fn known_at_target(
        &self,
        plan: &RestorePlan,
        names: BTreeSet<String>,
    ) -> Result<Known> {
        let connector = self.target_of(plan).await?;
        let service = self.service(&connector.service)?;
        let Some(people) = service.preflight.people() else {
            return Ok(Known::Of(BTreeSet::new()));
        };
        if names.is_empty() {
            return Ok(Known::Of(names));
        }
        let http = match self.restore_client(&connector, None).await {
            Ok(http) => http,
            Err(error) => return Ok(Known::Unasked(error.to_string())),
        };
        let asked = futures::stream::iter(names).map(|name| {
            let http = &http;
            async move {
                let known = people.knows(http, &name).await?;
                Ok::<_, service::Error>(known.then_some(name))
            }
        });
        let known: std::result::Result<Vec<Option<String>>, _> =
            asked.buffered(AT_ONCE).try_collect().await;
        Ok(match known {
            Ok(known) => Known::Of(known.into_iter().flatten().collect()),
            Err(error) => Known::Unasked(error.message),
        })
    }
}
