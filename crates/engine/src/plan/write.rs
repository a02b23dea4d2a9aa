//! From chosen items to steps.

use std::collections::btree_map::Iter;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::iter::Peekable;

use futures::StreamExt as _;
use model::{Action, Conflict, Event, Issue, ItemRef, MadeBefore, RestorePlan, Step, StepState};
use service::{Fidelity, Found, FoundState, Ids as _, Kind, StoredItem};

use super::decide::{Case, Decision, IF_GONE, NEEDED, decide, is_another};
use super::find::{LOOKUP, Unfound, differences, revisions, target};
use super::homes::Homes;
use super::order::restore_order;
use super::people::Census;
use super::select::{Chosen, Key, Why, is_parent};
use super::told::{Coming, Told, told};
use super::unread::{Unread, damaged};
use super::{IdMap, PlanContext, PlanRequest, PlanStore, add_made_before, find_each};
use crate::Result;

/// Steps that are stored in one call.
const PAGE: usize = 500;
/// Documents of the snapshot that are read side by side.
const READERS: usize = 8;
/// The reason of a step that has nothing to write over.
const SAME: &str = "the target has it as it was";
/// So many differences of an item are named.
const NAMED: usize = 5;

pub(super) struct PlanWriter<'a> {
    cx: &'a PlanContext<'a>,
    request: &'a PlanRequest,
    head: &'a RestorePlan,
    store: &'a dyn PlanStore,
    ids: IdMap,
    /// Containers that this plan makes: nothing can stand in them yet.
    fresh: HashSet<(String, String)>,
    /// Containers that could not be looked up: what lies in them cannot be either.
    unknown: HashSet<(String, String)>,
    /// What was looked up while the selection was made.
    known: HashMap<ItemRef, Option<Found>>,
    /// What was found because an earlier plan had made it.
    made: HashMap<ItemRef, MadeBefore>,
    /// What stays at the target beside what is made of it.
    doubled: HashSet<ItemRef>,
    census: Census,
    homes: Homes,
    /// What cannot be read of the snapshot.
    pub(super) unread: Unread,
    page: Vec<Step>,
    position: u64,
}

/// An item on its way to a step.
struct Entry {
    stored: StoredItem,
    /// What its document says of the project that it lies in.
    project: Option<String>,
    why: Why,
    binned: bool,
}

impl Entry {
    fn as_decided(&self, decision: &Decision) -> StoredItem {
        StoredItem {
            action: decision.action,
            new_id: decision.new_id.clone(),
            ..self.stored.clone()
        }
    }
}

impl<'a> PlanWriter<'a> {
    pub(super) fn new(
        cx: &'a PlanContext<'a>,
        request: &'a PlanRequest,
        head: &'a RestorePlan,
        store: &'a dyn PlanStore,
        unread: Unread,
    ) -> Self {
        Self {
            cx,
            request,
            head,
            store,
            ids: IdMap::new(request.original()),
            fresh: HashSet::new(),
            unknown: HashSet::new(),
            known: HashMap::new(),
            made: HashMap::new(),
            doubled: HashSet::new(),
            census: Census::default(),
            homes: Homes::default(),
            unread,
            page: Vec::new(),
            position: 0,
        }
    }

    /// Removes what is wanted only if it is gone and still stands at the target, for kinds that lie in no container: the containers of the
    /// others need not be looked for then.
    pub(super) async fn drop_present(&mut self, mut chosen: Chosen) -> Result<Chosen> {
        for (name, items) in &mut chosen.0 {
            let Some(kind) = self.cx.service.kind(name) else {
                continue;
            };
            let spec = kind.spec();
            let unscoped = spec.parent.is_none() && !is_parent(self.cx, spec.name);
            if !unscoped || matches!(spec.restore, Fidelity::ExportOnly(_)) {
                continue;
            }
            let wanted: BTreeMap<Key, Why> = items
                .iter()
                .filter(|(_, why)| **why == Why::IfGone)
                .map(|(key, why)| (key.clone(), why.clone()))
                .collect();
            let entries = self.entries(kind, wanted).await?;
            for (entry, found) in self.look(kind, entries).await? {
                let Ok(found) = found else { continue };
                let key = Key::new(&entry.stored.item.scope, &entry.stored.item.id);
                let made = self.made.contains_key(&entry.stored.item);
                let stands = |found: &Found| {
                    let another = self.request.original() && !made;
                    found.state != FoundState::Deleted
                        && !(another && is_another(found, &entry.stored.item.id))
                };
                if found.as_ref().is_some_and(stands) {
                    items.remove(&key);
                } else {
                    self.known.insert(entry.stored.item, found);
                }
            }
        }
        Ok(chosen)
    }

    pub(super) async fn write(mut self, chosen: Chosen) -> Result<()> {
        let total = chosen.len();
        let mut done = 0;
        for kind in restore_order(self.cx.service) {
            let Some(items) = chosen.0.get(kind.spec().name) else {
                continue;
            };
            let mut rest = items.iter().peekable();
            while rest.peek().is_some() {
                let batch = next_batch(&mut rest);
                done += batch.len() as u64;
                let entries = self.entries(kind, batch).await?;
                self.batch(kind, entries, &chosen).await?;
                self.cx.progress("plan", done, Some(total));
            }
        }
        for step in std::mem::take(&mut self.unread).steps(self.cx, self.position) {
            if self.page.len() >= PAGE {
                self.flush().await?;
            }
            self.position += 1;
            self.page.push(step);
        }
        self.flush().await?;
        let plan = &self.request.plan_id;
        self.census.store(self.cx, plan, self.store).await
    }

    /// The items as the snapshot has them; those that cannot be read are left out, unless they were asked for by their ids.
    async fn entries(&mut self, kind: &dyn Kind, items: BTreeMap<Key, Why>) -> Result<Vec<Entry>> {
        let cx = self.cx;
        let mut read = futures::stream::iter(items)
            .map(|(key, why)| async move {
                let item = key.item(kind.spec().name);
                let read = entry(cx, kind, &item).await;
                (item, why, read)
            })
            .buffered(READERS);
        let mut entries = Vec::new();
        while let Some((item, why, read)) = read.next().await {
            match read {
                Ok((stored, project, binned)) => entries.push(Entry {
                    stored,
                    project,
                    why,
                    binned,
                }),
                Err(error) if error.is_damage() && why == Why::Asked => {
                    let what = format!("{item} cannot be read");
                    return Err(damaged(&what, &error.to_string()));
                }
                Err(error) => self.unread.leave_out(cx, &item, error)?,
            }
        }
        Ok(entries)
    }

    /// What stands at the target for each entry.
    async fn look(
        &mut self,
        kind: &dyn Kind,
        entries: Vec<Entry>,
    ) -> Result<Vec<(Entry, Result<Option<Found>, Unfound>)>> {
        let mut answers: Vec<Option<Result<Option<Found>, Unfound>>> =
            Vec::with_capacity(entries.len());
        let mut asked = Vec::new();
        for entry in &entries {
            let known = self.answer(kind, entry);
            if known.is_none() {
                asked.push(entry.stored.clone());
            }
            answers.push(known);
        }
        let target = target(self.cx, self.request.original(), &self.ids);
        let mut found = Vec::with_capacity(asked.len());
        for items in asked.chunks(LOOKUP) {
            let mut answers = find_each(self.cx, kind, &target, items).await?;
            let plan = (self.store, self.head);
            let made = add_made_before(plan, kind, &target, items, &mut answers).await?;
            self.made.extend(made);
            found.extend(answers);
        }
        let mut found = found.into_iter();
        let filled = answers
            .into_iter()
            .map(|answer| answer.or_else(|| found.next()).unwrap_or(Ok(None)));
        Ok(entries.into_iter().zip(filled).collect())
    }

    /// The answer that needs no request, when there is one.
    fn answer(&self, kind: &dyn Kind, entry: &Entry) -> Option<Result<Option<Found>, Unfound>> {
        let item = &entry.stored.item;
        let spec = kind.spec();
        if let Some(found) = self.known.get(item) {
            return Some(Ok(found.clone()));
        }
        let skipped = entry.binned && entry.why != Why::Asked;
        if skipped || matches!(spec.restore, Fidelity::ExportOnly(_)) {
            return Some(Ok(None));
        }
        let parent = spec.parent.filter(|_| !item.scope.is_empty())?;
        if self
            .fresh
            .contains(&(parent.to_owned(), item.scope.clone()))
        {
            return Some(Ok(None));
        }
        if self.ids.get(parent, &item.scope).is_none() {
            let message = format!("its {parent} is not restored");
            return Some(Err(Unfound {
                code: "restore-failed",
                message,
            }));
        }
        None
    }

    async fn batch(&mut self, kind: &dyn Kind, entries: Vec<Entry>, chosen: &Chosen) -> Result<()> {
        let mut decided = Vec::new();
        for (entry, found) in self.look(kind, entries).await? {
            let item = &entry.stored.item;
            let decision = match &found {
                Ok(found) => {
                    let case = self.case(kind, &entry, found.as_ref());
                    let decision = decide(&case, &item.id);
                    self.with_home(kind, &entry, decision).await?
                }
                Err(unfound) => {
                    self.report(unfound, item);
                    let message = format!("cannot be looked up at the target: {}", unfound.message);
                    if self.is_elsewhere(kind, item) {
                        Some(Decision::skip(message))
                    } else {
                        self.push_unknown(kind, entry, message, chosen).await?;
                        continue;
                    }
                }
            };
            self.remember(
                item,
                found.as_ref().ok().and_then(Option::as_ref),
                decision.as_ref(),
            );
            decided.extend(decision.map(|decision| (entry, decision)));
        }
        self.compare(kind, &mut decided).await?;
        let told = self.told(kind, &decided, chosen).await?;
        for ((entry, decision), told) in decided.into_iter().zip(told) {
            self.census.add(told.people);
            self.push(entry, decision, told.losses).await?;
        }
        Ok(())
    }

    /// The decision, unless there is nothing to make the item in.
    async fn with_home(
        &mut self,
        kind: &dyn Kind,
        entry: &Entry,
        decision: Option<Decision>,
    ) -> Result<Option<Decision>> {
        let made = |decision: &Decision| decision.action == Action::Create;
        if !decision.as_ref().is_some_and(made) {
            return Ok(decision);
        }
        let (item, named) = (&entry.stored.item, entry.project.as_deref());
        let lacks = self.homes.lacks(self.cx, kind, item, named).await?;
        Ok(lacks.map(Decision::skip).or(decision))
    }

    /// What the records of items tell, as they are going to be written.
    async fn told(
        &self,
        kind: &dyn Kind,
        decided: &[(Entry, Decision)],
        chosen: &Chosen,
    ) -> Result<Vec<Told>> {
        let items: Vec<StoredItem> = decided
            .iter()
            .map(|(entry, decision)| entry.as_decided(decision))
            .collect();
        let ids = Coming {
            ids: &self.ids,
            chosen,
            doubled: &self.doubled,
            duplicates: self.request.conflict == Conflict::Duplicate,
        };
        let target = target(self.cx, self.request.original(), &ids);
        told((self.cx, &self.census.acquainted), &target, kind, &items).await
    }

    /// What would be written over is read first, as after a restore: what is as it was is left alone, and of the rest is said in what it differs.
    async fn compare(&self, kind: &dyn Kind, decided: &mut [(Entry, Decision)]) -> Result<()> {
        let over = |decision: &Decision| {
            self.request.conflict == Conflict::Replace
                && matches!(decision.action, Action::Replace | Action::Merge)
        };
        let mut there: Vec<_> = decided
            .iter_mut()
            .filter(|(_, decision)| over(decision))
            .collect();
        let items: Vec<StoredItem> = there
            .iter()
            .map(|(entry, decision)| entry.as_decided(decision))
            .collect();
        let target = target(self.cx, self.request.original(), &self.ids);
        // First, so that a change beside the comparison is noticed by the apply.
        let revisions = revisions(kind, &target, &items).await?;
        let differences = differences(self.cx, kind, &target, &items).await?;
        let found = differences.into_iter().zip(revisions);
        for ((_, decision), (differences, over)) in there.iter_mut().zip(found) {
            decision.over = over;
            match differences {
                Ok(none) if none.is_empty() => {
                    decision.action = Action::Skip;
                    decision.reason = Some(SAME.to_owned());
                }
                Ok(differences) => {
                    let differences = named(&differences);
                    decision.reason = Some(match decision.reason.take() {
                        Some(before) => format!("{before}; {differences}"),
                        None => differences,
                    });
                }
                Err(Unfound { message, .. }) => {
                    decision.reason = Some(format!("cannot be compared: {message}"));
                }
            }
        }
        Ok(())
    }

    /// It lies in a container that is not restored, which is known.
    fn is_elsewhere(&self, kind: &dyn Kind, item: &ItemRef) -> bool {
        kind.spec().parent.is_some_and(|parent| {
            !item.scope.is_empty()
                && self.ids.get(parent, &item.scope).is_none()
                && !self
                    .unknown
                    .contains(&(parent.to_owned(), item.scope.clone()))
        })
    }

    /// A step that the apply looks up again. It has failed until then: not knowing is no reason to leave an item out in silence.
    async fn push_unknown(
        &mut self,
        kind: &dyn Kind,
        entry: Entry,
        detail: String,
        chosen: &Chosen,
    ) -> Result<()> {
        let item = &entry.stored.item;
        self.ids.set_absent(item);
        if is_parent(self.cx, &item.kind) {
            self.unknown.insert((item.kind.clone(), item.id.clone()));
        }
        let reason = match &entry.why {
            Why::Needed(by) => Some(format!("{NEEDED} {by}")),
            Why::IfGone => Some(IF_GONE.to_owned()),
            Why::Swept | Why::Asked => None,
        };
        let decision = Decision {
            action: Action::Create,
            reason,
            new_id: None,
            over: None,
        };
        let undecided = [(entry, decision)];
        let told = self.told(kind, &undecided, chosen).await?;
        for ((entry, decision), told) in undecided.into_iter().zip(told) {
            self.push(entry, decision, told.losses).await?;
        }
        if let Some(step) = self.page.last_mut() {
            step.state = StepState::Failed;
            step.detail = Some(detail);
        }
        Ok(())
    }

    fn case<'c>(&'c self, kind: &dyn Kind, entry: &'c Entry, found: Option<&'c Found>) -> Case<'c> {
        Case {
            why: &entry.why,
            fidelity: kind.spec().restore,
            found,
            made: self.made.get(&entry.stored.item),
            only_one: kind.only_one(),
            binned: entry.binned,
            conflict: if matches!(entry.why, Why::Needed(_)) {
                Conflict::Skip
            } else {
                self.request.conflict
            },
            original: self.request.original(),
        }
    }

    /// Keeps what the items in this one must know of it.
    fn remember(&mut self, item: &ItemRef, found: Option<&Found>, decision: Option<&Decision>) {
        match decision {
            Some(Decision {
                action: Action::Create,
                ..
            }) => {
                self.ids.set_absent(item);
                if found.is_some_and(|found| found.state != FoundState::Deleted) {
                    self.doubled.insert(item.clone());
                }
                if is_parent(self.cx, &item.kind) {
                    self.fresh.insert((item.kind.clone(), item.id.clone()));
                }
            }
            Some(Decision {
                action: Action::Undelete,
                ..
            }) if is_parent(self.cx, &item.kind) => {
                self.ids.set_absent(item);
                self.fresh.insert((item.kind.clone(), item.id.clone()));
            }
            _ => match found.filter(|found| found.state != FoundState::Deleted) {
                Some(found) => self.ids.insert(item, &found.id),
                None => self.ids.set_absent(item),
            },
        }
    }

    fn report(&self, unfound: &Unfound, item: &ItemRef) {
        let issue = Issue {
            code: unfound.code.to_owned(),
            class: model::Class::Missing,
            kind: item.kind.clone(),
            scope: item.scope.clone(),
            item: Some(item.clone()),
            message: format!(
                "{item} cannot be looked up at the target: {}",
                unfound.message
            ),
            hint: None,
        };
        self.cx.reporter.report(Event::Issue { issue });
    }

    async fn push(
        &mut self,
        entry: Entry,
        decision: Decision,
        mut losses: Vec<String>,
    ) -> Result<()> {
        if self.page.len() >= PAGE {
            self.flush().await?;
        }
        let writes = !matches!(decision.action, Action::Skip | Action::Export);
        losses.extend(beyond_undo(decision.action).map(str::to_owned));
        self.page.push(Step {
            position: self.position,
            item: entry.stored.item,
            name: entry.stored.name,
            action: decision.action,
            reason: decision.reason,
            losses,
            state: if writes {
                StepState::Planned
            } else {
                StepState::Skipped
            },
            new_id: decision.new_id,
            detail: None,
            over: decision.over,
            url: None,
        });
        self.position += 1;
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        if !self.page.is_empty() {
            self.store
                .add_steps(&self.request.plan_id, &self.page)
                .await?;
            self.page.clear();
        }
        Ok(())
    }
}

/// An item of the snapshot, the project that it names, and whether it was in the service's recycle bin.
async fn entry(
    cx: &PlanContext<'_>,
    kind: &dyn Kind,
    item: &ItemRef,
) -> Result<(StoredItem, Option<String>, bool)> {
    let Some(document) = cx.stored.document(item).await? else {
        return Err(damaged(
            &format!("{item} cannot be restored"),
            "the snapshot has no document of it",
        ));
    };
    let name = kind.describe(&document).map(|(name, _)| name);
    let project = kind.spec().project(&document);
    let binned = match kind.spec().bin {
        Some(bin) => {
            let parts = cx.stored.parts(item).await?;
            parts.iter().any(|part| part.name == bin)
        }
        None => false,
    };
    let stored = StoredItem {
        item: item.clone(),
        name: name.unwrap_or_default(),
        action: Action::Create,
        new_id: None,
        open_intent: false,
    };
    Ok((stored, project, binned))
}

/// What no undo brings back: it is told before anything is written.
fn beyond_undo(action: Action) -> Option<&'static str> {
    match action {
        Action::Replace => Some(
            "What is replaced can be put back only as the newest snapshot of the target from before has it; what is in none is lost.",
        ),
        Action::Merge => {
            Some("What it is merged into is not kept: taking the restore back leaves it.")
        }
        _ => None,
    }
}

fn named(differences: &[String]) -> String {
    let more = differences.len().saturating_sub(NAMED);
    let first = differences.iter().take(NAMED).map(String::as_str);
    let list = first.collect::<Vec<_>>().join("; ");
    if more == 0 {
        format!("differs: {list}")
    } else {
        format!("differs: {list}; and {more} more")
    }
}

/// The next items of one scope, in their order.
fn next_batch(rest: &mut Peekable<Iter<'_, Key, Why>>) -> BTreeMap<Key, Why> {
    let mut batch: BTreeMap<Key, Why> = BTreeMap::new();
    while batch.len() < LOOKUP
        && let Some((key, why)) = rest.next_if(|(key, _)| {
            let last = batch.last_key_value();
            last.is_none_or(|(last, _)| last.same_scope(key))
        })
    {
        batch.insert(key.clone(), why.clone());
    }
    batch
}
