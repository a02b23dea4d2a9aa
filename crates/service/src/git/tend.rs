//! What a run does for the packs of a repository beyond adding to them: make them one, or fetch everything anew and compare.

use std::path::Path;

use jiff::Timestamp;
use model::{Class, Issue, ItemRef};

use super::consolidate::Workshop;
use super::listing::Listing;
use super::obtain::{Gain, obtain};
use super::prove::prove_repository;
use super::state::State;
use super::upkeep::{Record, Upkeep};
use super::{Packs, Remote};
use crate::{Crawl, Error, Order, Result};

/// How many differences an issue tells one by one.
const MOST_TOLD: usize = 5;

/// What is to be done although the refs may be as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Whole,
    One,
}

impl Upkeep {
    pub(super) fn due(
        self,
        state: &State,
        listing: &Listing,
        item: &ItemRef,
        order: Order<'_>,
    ) -> Option<Due> {
        // Refs that are kept against the service's word cannot be fetched again.
        let may_renew = !state.packs.is_empty() && listing.kept == 0;
        if may_renew && (order.full || self.is_whole_due(&state.record, &item.id, order.started)) {
            return Some(Due::Whole);
        }
        (state.packs.len() > self.most_packs).then_some(Due::One)
    }
}

pub(super) struct Tending<'a> {
    pub(super) cx: &'a Crawl<'a>,
    pub(super) remote: &'a Remote,
    pub(super) item: &'a ItemRef,
    pub(super) state: &'a State,
    pub(super) work: &'a Path,
    /// As it is to be stored.
    pub(super) record: Record,
}

impl Tending<'_> {
    fn now(&self) -> Timestamp {
        self.cx.order.started
    }

    /// What is to be stored: what is new, or one pack in place of all.
    pub(super) async fn gain(&mut self, listing: &Listing, due: Option<Due>) -> Result<Gain> {
        if due == Some(Due::Whole) {
            match Box::pin(self.renew(listing)).await {
                Ok(gain) => {
                    self.fetched_whole();
                    return Ok(gain);
                }
                Err(error) if error.is_fatal() || error.class == Class::Throttled => {
                    return Err(error);
                }
                // What is new can still be had.
                Err(error) => {
                    self.told(
                        "it could not be fetched as a whole, to be compared with what is stored",
                        &error,
                    );
                    self.record.failed = Some(self.now());
                }
            }
        }
        let stored = self.stored().await?;
        let gain = Box::pin(obtain(
            self.remote,
            self.state,
            &stored,
            listing,
            self.work,
            false,
        ))
        .await?;
        if gain.whole {
            if gain.pack.is_some() {
                self.fetched_whole();
            }
            return Ok(gain);
        }
        let measure = self.state.packs.values().sum::<u64>() >= self.remote.upkeep.least_bytes
            && is_anything_lost(self.state, &gain)
            && self.remote.upkeep.is_measure_due(&self.record, self.now());
        if gain.adv.refs.is_empty() || (due != Some(Due::One) && !measure) {
            return Ok(gain);
        }
        match Box::pin(self.one(&gain, due == Some(Due::One))).await {
            Ok(Some(one)) => Ok(one),
            Ok(None) => Ok(gain),
            Err(error) if error.code == "disk-full" || error.is_fatal() => Err(error),
            Err(error) => {
                self.told("its stored packs could not be made one", &error);
                Box::pin(self.repaired(listing, gain)).await
            }
        }
    }

    /// What the next fetch builds on: nothing of what is damaged.
    async fn stored(&self) -> Result<Packs> {
        if self.state.damaged {
            return Ok(Packs::default());
        }
        let indexes = self.state.indexes(self.cx.prior, self.item, self.work);
        match indexes.await {
            Err(error) if error.is_damage() => {
                self.told("it is fetched as a whole", &error);
                Ok(Packs::default())
            }
            indexes => indexes,
        }
    }

    fn fetched_whole(&mut self) {
        self.record = Record {
            whole: Some(self.now()),
            failed: None,
            measured: None,
        };
    }

    /// One pack in place of all; `None` when that would gain too little.
    async fn one(&mut self, gain: &Gain, must: bool) -> Result<Option<Gain>> {
        let workshop =
            Workshop::open(self.cx.prior, self.item, self.state, gain, self.work).await?;
        self.record.measured = Some(self.now());
        if !must && workshop.waste().await? <= self.remote.upkeep.most_waste {
            return Ok(None);
        }
        workshop.one(&gain.adv, self.work).await.map(Some)
    }

    /// Packs that cannot be made one may be damaged, and then they are of no use for the next fetch either.
    async fn repaired(&mut self, listing: &Listing, gain: Gain) -> Result<Gain> {
        let proof = prove_repository(self.cx.prior, self.item, self.work).await?;
        if proof.faults.is_empty() || listing.kept > 0 {
            return Ok(gain);
        }
        let gain = Box::pin(self.renew(listing)).await?;
        self.fetched_whole();
        Ok(gain)
    }

    /// Fetches everything without building on what is stored, and compares. What differs is told, and the new pack is the base from now on.
    async fn renew(&self, listing: &Listing) -> Result<Gain> {
        let nothing = Packs::default();
        let mut gain = obtain(self.remote, self.state, &nothing, listing, self.work, true).await?;
        let proof = prove_repository(self.cx.prior, self.item, self.work).await?;
        let mut differences: Vec<String> = proof
            .faults
            .iter()
            .map(|fault| {
                format!("{} {}", fault.part, fault.message)
                    .trim()
                    .to_owned()
            })
            .collect();
        if let Some(pack) = &gain.pack
            && self.state.refs == gain.adv.refs
        {
            let fresh = Packs::open([&pack.idx])?;
            let mut missing = 0;
            fresh.each(&mut |id| missing += u64::from(!proof.known.contains(&id)));
            if missing > 0 {
                differences.push(format!(
                    "{missing} objects that the service has are not stored"
                ));
            } else if differences.is_empty() && proof.packs == 1 && proof.objects == fresh.objects()
            {
                // The one stored pack holds just that.
                gain.pack = None;
                gain.whole = false;
            }
        }
        if !differences.is_empty() {
            self.cx.sink.issue(self.differs(&differences));
        }
        Ok(gain)
    }

    fn differs(&self, differences: &[String]) -> Issue {
        let told = differences[..differences.len().min(MOST_TOLD)].join("; ");
        self.issue("git-chain-differs", Class::Malformed, &format!(
                "what was stored is not what the service has, and was replaced by a whole fetch: {told}"
            ),
        )
    }

    /// The repository itself is up to date, so that the issue is not about the item.
    fn told(&self, what: &str, error: &Error) {
        let issue = self.issue(
            error.code,
            error.class,
            &format!("{what}: {}", error.message),
        );
        self.cx.sink.issue(issue);
    }

    fn issue(&self, code: &str, class: Class, message: &str) -> Issue {
        Issue {
            code: code.to_owned(),
            class,
            kind: self.item.kind.clone(),
            scope: self.item.scope.clone(),
            item: None,
            message: format!("repository {}: {message}", self.remote.path),
            hint: None,
        }
    }
}

/// Whether an old tip is neither a tip now nor an ancestor of what came: then objects may be out of reach.
fn is_anything_lost(state: &State, gain: &Gain) -> bool {
    let tips = gain.adv.tips();
    let built_on = |id| {
        gain.pack.as_ref().is_some_and(|pack| {
            pack.mentions
                .as_ref()
                .is_some_and(|mentions| mentions.ids.contains(id))
        })
    };
    state
        .refs
        .values()
        .any(|id| !tips.contains(id) && !built_on(id))
}
