//! The check of a connector: the service's own checks, then one cheap request for each kind.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use jiff::SignedDuration;
use model::{Class, Issue, ItemRef};
use service::{
    Check, CheckOutcome, Client, Crawl, Crawled, Error, Item, Kind, PartInfo,
    Result as ServiceResult, Scope, Service, Sink, Stored,
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Control, Result};

impl Control {
    /// Reads only. The kinds are asked one by one unless organization or credential already fail.
    pub async fn preflight(
        &self,
        service: &'static Service,
        client: &Client,
        organization: &str,
    ) -> Result<Vec<Check>> {
        client.compare_clocks(&self.clock);
        let mut checks = service.preflight.check(client, organization).await;
        if !checks.iter().any(|check| check.blocks) {
            self.probe(service, client, &mut checks).await?;
        }
        checks.extend(client.clock_ahead().map(clocks));
        Ok(checks)
    }

    /// A line for each kind that has none yet.
    async fn probe(
        &self,
        service: &'static Service,
        client: &Client,
        checks: &mut Vec<Check>,
    ) -> Result<()> {
        let work = self.temporary()?;
        let mut scopes: BTreeMap<&str, Option<Scope>> = BTreeMap::new();
        for kind in service
            .kinds
            .iter()
            .copied()
            .filter(|kind| kind.spec().with.is_none())
        {
            let spec = kind.spec();
            if checks.iter().any(|check| check.name == spec.name) {
                continue;
            }
            let scope = match spec
                .parent
                .filter(|_| spec.crawled == Crawled::PerParent)
                .and_then(|parent| service.kind(parent))
            {
                None => Some(Scope::default()),
                Some(parent) => {
                    let name = parent.spec().name;
                    if !scopes.contains_key(name) {
                        let found = first_scope(parent, client, work.path()).await;
                        scopes.insert(name, found);
                    }
                    scopes.get(name).cloned().flatten()
                }
            };
            checks.push(match scope {
                Some(scope) => checked(kind, kind.probe(client, &scope).await),
                None => untested(kind),
            });
        }
        Ok(())
    }
}

fn checked(kind: &dyn Kind, probed: ServiceResult<()>) -> Check {
    let spec = kind.spec();
    let Err(error) = probed else {
        return Check::pass(spec.name, format!("{} can be read", spec.title));
    };
    let outcome = if error.class == Class::Credential {
        CheckOutcome::Fail
    } else {
        CheckOutcome::Missing
    };
    let cost: Vec<&str> = spec.read.iter().map(|permission| permission.why).collect();
    let scopes: Vec<&str> = spec
        .read
        .iter()
        .map(|permission| permission.scope)
        .collect();
    let message = format!("{} cannot be backed up: {}", spec.title, error.message);
    let hint = match (error.class, scopes.is_empty()) {
        (Class::Permission | Class::Missing, false) => Some(format!(
            "Give the token the scope {}. {}",
            scopes.join(", "),
            cost.join(" ")
        )),
        _ => error.hint,
    };
    Check {
        hint,
        code: Some(error.code),
        ..Check::new(spec.name, outcome, message).costing([spec.title])
    }
}

/// Sign-in and retention depend on the clock.
fn clocks(ahead: SignedDuration) -> Check {
    let side = if ahead.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    let message = format!(
        "This machine's clock is {:#} {side} the service's",
        SignedDuration::from_mins(ahead.abs().as_mins())
    );
    Check::new("clock", CheckOutcome::Warning, message).coded("clock-wrong")
}

fn untested(kind: &dyn Kind) -> Check {
    let spec = kind.spec();
    let message = format!(
        "{} could not be tried: the identity sees none of what they lie in",
        spec.title
    );
    Check {
        code: Some("permission-missing"),
        ..Check::new(spec.name, CheckOutcome::Warning, message)
    }
}

/// The first item of a kind, as a scope; `None` when there is none or it cannot be read, which the kind's own probe tells.
async fn first_scope(kind: &dyn Kind, client: &Client, work: &std::path::Path) -> Option<Scope> {
    let sink = First::default();
    let selection = [kind.spec().name.to_owned()].into();
    let scope = Scope::default();
    let http = client.tagged(kind.spec().name);
    let crawl = Crawl {
        http: &http,
        scope: &scope,
        cursor: None,
        order: service::Order::usual(jiff::Timestamp::UNIX_EPOCH),
        selection: &selection,
        sink: &sink,
        prior: &Nothing,
        work,
    };
    if let Err(error) = kind.crawl(&crawl).await {
        tracing::debug!(kind = kind.spec().name, %error, "the crawl for a first item ended");
    }
    sink.0
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Takes one item and ends the crawl.
#[derive(Default)]
struct First(Mutex<Option<Scope>>);

impl First {
    fn enough(&self) -> ServiceResult<()> {
        let found = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .is_some();
        // Fatal, so that no kind takes it for the trouble of one item.
        if found {
            Err(Error::storage("one item is enough"))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Sink for First {
    async fn upsert(&self, item: &Item, _: &[u8]) -> ServiceResult<()> {
        let scope = Scope {
            id: item.item.id.clone(),
            name: item.name.clone(),
        };
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .get_or_insert(scope);
        self.enough()
    }

    async fn keep(&self, _: &ItemRef) -> ServiceResult<()> {
        self.enough()
    }

    async fn delete(&self, _: &ItemRef) -> ServiceResult<()> {
        self.enough()
    }

    async fn part(&self, _: &ItemRef, _: &str, _: &[u8]) -> ServiceResult<()> {
        self.enough()
    }

    async fn append(&self, _: &ItemRef, _: &str, _: &[u8]) -> ServiceResult<()> {
        self.enough()
    }

    async fn stream(
        &self,
        _: &ItemRef,
        _: &str,
        _: &mut (dyn AsyncRead + Send + Unpin),
    ) -> ServiceResult<u64> {
        self.enough().map(|()| 0)
    }

    async fn remove_part(&self, _: &ItemRef, _: &str) -> ServiceResult<()> {
        self.enough()
    }

    fn issue(&self, issue: Issue) {
        tracing::debug!(?issue, "an issue while looking for a first item");
    }

    fn expect(&self, _: u64) {}
}

/// A snapshot before the first.
struct Nothing;

#[async_trait]
impl Stored for Nothing {
    async fn ids(&self, _: &str, _: &str) -> ServiceResult<Vec<String>> {
        Ok(Vec::new())
    }

    async fn document(&self, _: &ItemRef) -> ServiceResult<Option<bytes::Bytes>> {
        Ok(None)
    }

    async fn parts(&self, _: &ItemRef) -> ServiceResult<Vec<PartInfo>> {
        Ok(Vec::new())
    }

    async fn part(&self, _: &ItemRef, _: &str) -> ServiceResult<Option<bytes::Bytes>> {
        Ok(None)
    }

    async fn copy(
        &self,
        item: &ItemRef,
        _: &str,
        _: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> ServiceResult<u64> {
        Err(Error::storage(format!(
            "there is no {item} before the first snapshot"
        )))
    }
}
