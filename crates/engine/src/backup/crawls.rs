//! Crawling all selected kinds: parents first, then everything else side by side.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::StreamExt as _;
use jiff::Timestamp;
use model::policy::Pick;
use model::{Class, Event, Issue, ItemRef, Picks};
use service::kind::Crawled as Often;
use service::{Crawl, Kind, Order, Scope, Stored as _};

use super::attempt::Attempt;
use super::checkpoint::Position;
use super::gone::listed_kinds;
use super::prior::Prior;
use super::resume::Begun;
use super::{BackupContext, BackupRequest, Failed, Parent, pulse, scope_key};
use crate::error::DAMAGED;
use crate::layout::Layouts;
use crate::sink::{Collector, CrawlInfo};
use crate::{Error, Result};

/// Kinds and scopes that are crawled at the same time; requests are limited by the client's budget.
const CONCURRENT: usize = 4;

/// What all crawls of a run came to.
pub(crate) struct Crawled {
    pub infos: Vec<CrawlInfo>,
    pub failed: Failed,
    /// Crawls of a killed run that this one has no more use for.
    idle: Failed,
    pub issues: Vec<Issue>,
    pub cursors: BTreeMap<String, String>,
    pub selection: BTreeSet<String>,
    /// As ordered; those of containers as ids, once they are known.
    pub picks: Picks,
    /// Containers by kind, of listings that came to their end.
    listed: BTreeMap<String, BTreeSet<String>>,
}

impl Crawled {
    /// Crawls whose records count for nothing.
    pub(crate) fn left_out(&self) -> Failed {
        self.failed.union(&self.idle).copied().collect()
    }

    /// Of a killed run, and of no more use.
    pub(crate) fn is_idle(&self, number: u16) -> bool {
        self.idle.contains(&number)
    }

    /// What a crawl told cannot be stored: it counts as one that failed.
    pub(crate) fn fail(&mut self, number: u16, parent: Option<&Parent>) {
        let info = &self.infos[usize::from(number)];
        let key = scope_key(info.kind, &info.scope.id);
        match parent.and_then(|parent| parent.source.cursors.get(&key)) {
            Some(before) => drop(self.cursors.insert(key, before.clone())),
            None => drop(self.cursors.remove(&key)),
        }
        self.failed.insert(number);
    }

    /// What was carried over because it could not be read: kinds, and those with folders of their own that would have come with them.
    pub(crate) fn stale_keys(&self, layouts: Layouts) -> Vec<String> {
        let infos = self.failed.iter();
        let infos = infos.map(|&number| &self.infos[usize::from(number)]);
        infos
            .flat_map(|info| {
                let kinds = listed_kinds(layouts, info.kind).into_iter();
                let selected = kinds.filter(|kind| self.selection.contains(*kind));
                selected.map(|kind| scope_key(kind, &info.scope.id))
            })
            .collect()
    }
}

struct Runner<'r, 'a> {
    cx: &'r BackupContext<'a>,
    request: &'r BackupRequest,
    /// Kinds that are read from the beginning.
    anew: &'r BTreeSet<&'static str>,
    parent: Option<&'r Parent>,
    prior: &'r Prior<'r>,
    collector: &'r Collector<'a>,
    positions: HashMap<u16, Position>,
    order: Order<'r>,
    crawled: Crawled,
}

/// Crawls every selected kind. An error of one kind becomes an issue; one that ends all of them is returned.
pub(crate) async fn crawl_all(
    attempt: &Attempt<'_>,
    prior: &Prior<'_>,
    collector: &Collector<'_>,
    begun: Begun,
    started: Timestamp,
) -> Result<Crawled> {
    let (cx, request) = (attempt.cx, attempt.request);
    let selection = selected(cx, request)?;
    let crawled = Crawled {
        idle: (0..).zip(&begun.infos).map(|(number, _)| number).collect(),
        infos: begun.infos,
        failed: Failed::new(),
        issues: Vec::new(),
        cursors: BTreeMap::new(),
        selection,
        picks: request.picks.clone(),
        listed: BTreeMap::new(),
    };
    let mut runner = Runner {
        cx,
        request,
        anew: &attempt.anew,
        parent: attempt.parent,
        prior,
        collector,
        positions: begun.positions,
        order: Order {
            full: attempt.is_full(),
            accepted: &request.accept_deletions,
            picks: &request.picks,
            ..Order::usual(started)
        },
        crawled,
    };
    runner.carry_cursors();
    let own = cx.service.kinds.iter().copied().filter(|kind| {
        kind.spec().with.is_none() && runner.crawled.selection.contains(kind.spec().name)
    });
    let (scopes, rest): (Vec<_>, Vec<_>) = own.partition(|kind| is_parent(cx, *kind));
    for kind in scopes {
        runner.wave(vec![(kind, Scope::default())]).await?;
        runner.resolve(kind.spec().name).await?;
    }
    let jobs = runner.jobs(rest).await?;
    runner.wave(jobs).await?;
    if runner.crawled.left_out().len() == runner.crawled.infos.len() {
        return Err(nothing_read(&runner.crawled.issues));
    }
    Ok(runner.crawled)
}

/// Whether its items are the scopes of another kind.
fn is_parent(cx: &BackupContext<'_>, kind: &dyn Kind) -> bool {
    let name = Some(kind.spec().name);
    cx.service
        .kinds
        .iter()
        .any(|other| other.spec().parent == name)
}

fn nothing_read(issues: &[Issue]) -> Error {
    if let Some(error) = outage(issues) {
        return error.into();
    }
    let damaged = |issue: &&Issue| issue.code == DAMAGED;
    let first = issues.iter().find(damaged).or(issues.first());
    let code = first.and_then(|issue| model::code::find(&issue.code));
    let why = first.map_or("nothing is selected", |issue| &issue.message);
    Error::Request {
        code: code.map_or("permission-missing", |code| code.name),
        message: format!("nothing could be read: {why}"),
    }
}

/// Nothing could be read, and all of it for reasons that pass: a later run may have more luck.
fn outage(issues: &[Issue]) -> Option<service::Error> {
    let passes = |issue: &Issue| matches!(issue.class, Class::Transient | Class::Throttled);
    let first = issues.first().filter(|_| issues.iter().all(passes))?;
    let code = model::code::find(&first.code).map_or("service-unavailable", |code| code.name);
    let message = format!("nothing could be read: {}", first.message);
    Some(service::Error::new(first.class, code, message))
}

/// The kinds of the run, with those that they cannot be read without.
fn selected(cx: &BackupContext<'_>, request: &BackupRequest) -> Result<BTreeSet<String>> {
    let all = || {
        cx.service
            .kinds
            .iter()
            .map(|kind| kind.spec().name.to_owned())
    };
    if request.selection.is_empty() {
        return Ok(all().collect());
    }
    let mut selection = BTreeSet::new();
    let mut open: Vec<&str> = request.selection.iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        let kind = cx.service.kind(name).ok_or_else(|| Error::Request {
            code: "kind-unknown",
            message: format!(
                "there is no kind {name:?}; there are {}",
                all().collect::<Vec<_>>().join(", ")
            ),
        })?;
        if selection.insert(name.to_owned()) {
            open.extend(kind.spec().parent.into_iter().chain(kind.spec().with));
        }
        // A choice of containers is one of what lies in them.
        if open.is_empty() {
            let containers = request.picks.0.keys().map(String::as_str);
            open.extend(containers.filter(|name| {
                let mut kinds = cx.service.kinds.iter().map(|kind| kind.spec());
                !selection.contains(*name) && kinds.any(|spec| spec.parent == Some(name))
            }));
        }
    }
    Ok(selection)
}

impl Runner<'_, '_> {
    /// Kinds that are not selected now keep their cursors for when they are again.
    fn carry_cursors(&mut self) {
        let Some(parent) = self.parent else { return };
        for (key, cursor) in &parent.source.cursors {
            let kind = key.split('/').next().unwrap_or(key);
            if !self.crawled.selection.contains(kind) {
                self.crawled.cursors.insert(key.clone(), cursor.clone());
            }
        }
    }

    fn has_failed(&self, kind: &str) -> bool {
        let mut failed = self.crawled.failed.iter();
        failed.any(|&number| self.crawled.infos[usize::from(number)].kind == kind)
    }

    /// What is to be crawled of these kinds, once their parents are listed.
    async fn jobs(&self, kinds: Vec<&'static dyn Kind>) -> Result<Vec<(&'static dyn Kind, Scope)>> {
        let mut jobs = Vec::new();
        for kind in kinds {
            let spec = kind.spec();
            match (spec.crawled, spec.parent) {
                (Often::PerParent, Some(parent)) => {
                    let scopes = self.scopes(parent).await?.into_iter();
                    jobs.extend(scopes.map(|scope| (kind, scope)));
                }
                _ => jobs.push((kind, Scope::default())),
            }
        }
        Ok(jobs)
    }

    /// The scopes of kinds that are crawled once for each item of `parent`.
    async fn scopes(&self, parent: &str) -> Result<Vec<Scope>> {
        let mut names = self.collector.scopes(parent);
        if self.has_failed(parent) {
            names.extend(
                self.prior
                    .ids(parent, "")
                    .await?
                    .into_iter()
                    .map(|id| (id, String::new())),
            );
        }
        let mut scopes = Vec::new();
        for (id, mut name) in names {
            if name.is_empty()
                && let Some(document) = self.known(&ItemRef::new(parent, "", &id)).await?
            {
                let described = self
                    .cx
                    .service
                    .kind(parent)
                    .and_then(|kind| kind.describe(&document));
                name = described.map_or_else(|| id.clone(), |(name, _)| name);
            }
            if self.request.picks.takes(parent, &id, &[&name]) {
                scopes.push(Scope { id, name });
            }
        }
        Ok(scopes)
    }

    /// The document of a container, for its name; the crawl has named the damage where it has none.
    async fn known(&self, item: &ItemRef) -> Result<Option<bytes::Bytes>> {
        match self.prior.document(item).await {
            Err(error) if error.is_damage() => Ok(None),
            document => Ok(document?),
        }
    }

    /// What lies in a container names it by its id alone: from now on the pick is one of ids.
    async fn resolve(&mut self, kind: &str) -> Result<()> {
        if !self.has_failed(kind) {
            let ids = self.collector.scopes(kind).into_keys();
            let ids = ids.map(|id| id.to_lowercase()).collect();
            self.crawled.listed.insert(kind.to_owned(), ids);
        }
        if !self.crawled.picks.0.contains_key(kind) {
            return Ok(());
        }
        let scopes = self.scopes(kind).await?.into_iter();
        let known = scopes.map(|scope| scope.id.to_lowercase()).collect();
        let pick = Pick {
            known: Some(known),
            ..Pick::default()
        };
        self.crawled.picks.0.insert(kind.to_owned(), pick);
        Ok(())
    }

    /// Runs crawls side by side and takes up their results in order.
    async fn wave(&mut self, jobs: Vec<(&'static dyn Kind, Scope)>) -> Result<()> {
        let mut work = Vec::new();
        for (kind, scope) in jobs {
            let key = scope_key(kind.spec().name, &scope.id);
            let before = self
                .parent
                .and_then(|parent| parent.source.cursors.get(&key).cloned());
            let anew = self.order.full
                || self.anew.contains(kind.spec().name)
                || self.went_on_anew(kind.spec().name, &scope);
            let cursor = before.clone().filter(|_| !anew);
            let number = self.number(kind.spec().name, scope, cursor.is_none())?;
            work.push((kind, number, cursor, before));
        }
        let infos = &self.crawled.infos;
        let results: Vec<_> = {
            let this = &*self;
            let crawling = futures::stream::iter(work)
                .map(|(kind, number, cursor, before)| async move {
                    let info = &infos[usize::from(number)];
                    let result = this.one(kind, number, info, cursor.as_deref()).await;
                    let expired = matches!(&result, Err(error) if error.is_cursor_expired());
                    if !expired || cursor.is_none() {
                        return (number, result, before, false);
                    }
                    tracing::info!(
                        kind = info.kind,
                        "the service no longer knows the cursor: reading everything"
                    );
                    let anew = CrawlInfo {
                        complete: true,
                        ..info.clone()
                    };
                    let result = this.one(kind, number, &anew, None).await;
                    (number, result, before, true)
                })
                .buffer_unordered(CONCURRENT)
                .collect();
            let beat = || this.collector.progress(this.cx.client);
            pulse::beating(crawling, beat).await
        };
        for (number, result, before, anew) in results {
            self.crawled.infos[usize::from(number)].complete |= anew;
            self.take(number, result, before)?;
        }
        Ok(())
    }

    /// A killed run had found its cursor expired and begun to read everything.
    fn went_on_anew(&self, kind: &str, scope: &Scope) -> bool {
        let infos = self.crawled.infos.iter().enumerate();
        let mut begun = infos.filter(|(_, info)| info.kind == kind && info.scope.id == scope.id);
        begun.any(|(number, info)| info.complete && self.positions.contains_key(&(number as u16)))
    }

    /// The number that a killed run gave the crawl, or a new one.
    fn number(&mut self, kind: &'static str, scope: Scope, complete: bool) -> Result<u16> {
        let infos = &mut self.crawled.infos;
        let same = |info: &CrawlInfo| info.kind == kind && info.scope.id == scope.id;
        let number = infos.iter().position(same).unwrap_or(infos.len());
        let info = CrawlInfo {
            kind,
            scope,
            complete,
        };
        match infos.get_mut(number) {
            Some(known) => *known = info,
            None => infos.push(info),
        }
        let number = u16::try_from(number).map_err(|_| Error::Request {
            code: "body-too-large",
            message: "more than 65,535 kinds and scopes in one organization".to_owned(),
        })?;
        self.crawled.idle.remove(&number);
        Ok(number)
    }

    async fn one(
        &self,
        kind: &'static dyn Kind,
        number: u16,
        info: &CrawlInfo,
        cursor: Option<&str>,
    ) -> service::Result<Option<String>> {
        let work = self.collector.work.join(format!("crawl-{number}"));
        let storage = |error: std::io::Error| {
            service::Error::storage(format!("cannot make a folder for temporary files: {error}"))
        };
        std::fs::create_dir(&work).map_err(storage)?;
        self.cx.reporter.report(Event::Phase {
            phase: info.phase(),
        });
        let client = self.cx.client.tagged(kind.spec().name);
        let sink = self
            .collector
            .sink(number, info.clone(), self.positions.get(&number).cloned());
        let crawl = Crawl {
            http: &client,
            scope: &info.scope,
            cursor,
            order: Order {
                picks: &self.crawled.picks,
                listed: &self.crawled.listed,
                ..self.order
            },
            selection: &self.crawled.selection,
            sink: &sink,
            prior: self.prior,
            work: &work,
        };
        let result = kind.crawl(&crawl).await;
        self.collector.progress(&client);
        std::fs::remove_dir_all(&work).map_err(storage)?;
        result
    }

    fn take(
        &mut self,
        number: u16,
        result: service::Result<Option<String>>,
        before: Option<String>,
    ) -> Result<()> {
        let info = &self.crawled.infos[usize::from(number)];
        let key = scope_key(info.kind, &info.scope.id);
        match result {
            Ok(Some(cursor)) => {
                self.crawled.cursors.insert(key, cursor);
            }
            Ok(None) => {}
            Err(error) if error.is_fatal() || error.is_start_again() => return Err(error.into()),
            Err(error) => {
                let issue = error.to_issue(info.kind, &info.scope.id, None);
                self.cx.reporter.report(Event::Issue {
                    issue: issue.clone(),
                });
                self.crawled.issues.push(issue);
                self.crawled.failed.insert(number);
                self.crawled
                    .cursors
                    .extend(before.map(|cursor| (key, cursor)));
            }
        }
        Ok(())
    }
}
