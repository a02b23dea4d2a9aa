//! The keep rules applied to a repository.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::{SourceFile, SourceId};
use repository::{Id, REPAIRED_TAG, Repository};
use service::Service;

use super::suspicion::{Described, Suspicion, described, find, refuse};
use super::{Candidate, Decision, Keep, Standing, decide};
use crate::{Result, SKEW};

/// What to forget of a service's snapshots.
#[derive(Clone, Debug, Default)]
pub struct ForgetRequest {
    pub keep: Keep,
    /// Only of these organizations, by their names or addresses; empty for all. Case does not matter.
    pub sources: BTreeSet<String>,
    /// Only of this source; damaged snapshots, which do not say what they are of, are taken by `sources` alone. `None` for any.
    pub source: Option<SourceId>,
    /// Only snapshots that carry all tags of one of these entries; empty for all.
    pub tags: Vec<Vec<String>>,
    /// Organizations whose drop a person has confirmed.
    pub accept_drop: BTreeSet<String>,
    /// Only decide.
    pub dry_run: bool,
}

/// What a forget did, or would do.
#[derive(Debug)]
pub struct ForgetPlan {
    pub decisions: Vec<Decision>,
    /// Why a real run is refused, unless each of these sources is accepted.
    pub suspicions: Vec<Suspicion>,
}

impl ForgetPlan {
    /// The snapshots that go.
    pub fn gone(&self) -> impl Iterator<Item = Id> {
        self.decisions
            .iter()
            .filter(|decision| !decision.keep())
            .map(|decision| decision.id)
    }
}

/// Decides on the selected snapshots that Keepward made, and forgets those without a reason to stay. What is dated later than now is neither counted
/// nor forgotten: later ones were dated right after it, so that their dates say nothing. Refused as a whole, with
/// `suspicious-drop`, when that would take snapshots of a source whose newest one is suspicious. Frees no space: that is prune's.
pub async fn forget(
    repository: &Repository,
    service: &'static Service,
    request: &ForgetRequest,
    now: Timestamp,
) -> Result<ForgetPlan> {
    let all = described(repository, service).await?;
    let candidates: Vec<Candidate> = all
        .iter()
        .filter(|one| request.selects(one))
        .map(candidate)
        .collect();
    let (ahead, counted): (Vec<Candidate>, Vec<Candidate>) = candidates
        .into_iter()
        .partition(|candidate| candidate.time.duration_since(now) > SKEW);
    let ahead = ahead.into_iter().map(|candidate| Decision {
        id: candidate.id,
        reasons: vec!["dated later than now".to_owned()],
    });
    let counted = decide(&counted, &request.keep, now);
    let mut plan = ForgetPlan {
        decisions: ahead.chain(counted).collect(),
        suspicions: Vec::new(),
    };
    let gone: BTreeSet<Id> = plan.gone().collect();
    let touched: BTreeSet<String> = all
        .iter()
        .filter(|one| gone.contains(&one.id))
        .map(Described::key)
        .collect();
    plan.suspicions = find(&all);
    // Damaged ones may be of any source of their name.
    plan.suspicions.retain(|suspicion| {
        touched.contains(&suspicion.address) || touched.contains(&suspicion.source)
    });
    if !request.dry_run {
        refuse(&plan.suspicions, &request.accept_drop)?;
        repository.forget(&Vec::from_iter(gone)).await?;
    }
    Ok(plan)
}

impl ForgetRequest {
    fn selects(&self, one: &Described) -> bool {
        let key = one.key();
        let named = self.sources.is_empty()
            || self.sources.iter().any(|named| {
                [one.name(), &key]
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(named))
            });
        let tagged = self.tags.is_empty()
            || self
                .tags
                .iter()
                .any(|wanted| wanted.iter().all(|tag| one.snapshot.tags.contains(tag)));
        let of_source = match (&self.source, &one.source) {
            (Some(wanted), Some(source)) => source.id() == *wanted,
            _ => named,
        };
        of_source && tagged
    }
}

fn candidate(one: &Described) -> Candidate {
    Candidate {
        id: one.id,
        time: one.snapshot.time,
        source: one.key(),
        tags: one.snapshot.tags.clone(),
        standing: match &one.source {
            None => Standing::Unreadable,
            Some(_) if one.snapshot.tags.iter().any(|tag| tag == REPAIRED_TAG) => Standing::Stale,
            Some(source) => standing(source),
        },
    }
}

fn standing(source: &SourceFile) -> Standing {
    if !source.stale.is_empty() {
        Standing::Stale
    } else if !source.issues.is_empty() {
        Standing::Issues
    } else {
        Standing::Whole
    }
}
