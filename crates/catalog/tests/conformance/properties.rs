//! Random histories against a model that keeps every snapshot whole.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{
    Catalog, Change, IndexChange, ItemFilter, ItemState, Page, Query, SourceKey, TextFilter,
};
use model::ItemRef;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::names::hostile;
use crate::support::{Place, at, snapshot, source};

#[derive(Clone, Debug, PartialEq)]
struct Version {
    name: String,
    digest: String,
    state: ItemState,
}

impl Version {
    /// What can be searched of it: told by its digest, as contents are.
    fn text(&self) -> String {
        format!("text of {}", self.digest)
    }
}

const KINDS: [&str; 2] = ["work-item", "team"];
const IDS: [&str; 4] = ["10", "é\0", "B", "a"];

type State = BTreeMap<ItemRef, Version>;

/// What the catalog must know.
#[derive(Default)]
struct Model {
    /// Id, number and content, the oldest first.
    snapshots: Vec<(String, i64, State)>,
    made: u32,
    forgot: bool,
}

struct History<'a> {
    catalog: &'a Catalog,
    source: SourceKey,
    model: Model,
    rng: StdRng,
    names: Vec<String>,
}

pub(crate) async fn intervals_tell_what_every_snapshot_held(place: Place) {
    let catalog = place.open().await;
    // The short histories come first, so that the first failure is a small one.
    for seed in 0..60 {
        let mut history = History {
            catalog: &catalog,
            source: source(&format!("history {seed}")),
            model: Model::default(),
            rng: StdRng::seed_from_u64(seed),
            names: hostile(),
        };
        for _ in 0..(2 + seed / 6) {
            history.step().await;
        }
        history.check().await;
        history.rebuild().await;
        history.check().await;
        history.check_intervals().await;
        // It asks much of a database.
        if seed % 4 == 0 {
            history.check_texts().await;
        }
    }
}

impl History<'_> {
    async fn step(&mut self) {
        match self.rng.random_range(0..10) {
            0..=2 if !self.model.snapshots.is_empty() => self.forget().await,
            3 => self.add(None).await,
            4 if !self.model.snapshots.is_empty() => {
                let parent = self.rng.random_range(0..self.model.snapshots.len());
                self.add(Some(parent)).await;
            }
            _ => self.add(self.model.snapshots.len().checked_sub(1)).await,
        }
        if self.rng.random_range(0..4) == 0 {
            self.check().await;
            if !self.model.forgot {
                self.check_intervals().await;
            }
        }
    }

    /// Adds a snapshot by its difference to another one, or to nothing.
    async fn add(&mut self, parent: Option<usize>) {
        let parent = parent.map(|index| self.model.snapshots[index].clone());
        let newest = self
            .model
            .snapshots
            .last()
            .map_or_else(State::new, |last| last.2.clone());
        let (parent, base) =
            parent.map_or((None, State::new()), |(id, _, state)| (Some(id), state));
        // Like the newest one or like the parent, which makes a difference when that is an older one.
        let like = if self.rng.random_range(0..2) == 0 {
            newest
        } else {
            base.clone()
        };
        let state = self.change(like);
        self.model.made += 1;
        let id = format!("{} {}", self.source.id.address, self.model.made);
        let row = snapshot(&self.source, &id, self.model.made.into(), parent.as_deref());
        let seq = self
            .catalog
            .add_snapshot(&row, difference(&base, &state))
            .await
            .unwrap();
        let before = self.model.snapshots.last().map_or(0, |(_, seq, _)| *seq);
        assert_eq!(seq, before + 1);
        self.model.snapshots.push((id, seq, state));
    }

    /// Adds, changes and removes some of few items, so that they meet often.
    fn change(&mut self, mut state: State) -> State {
        for _ in 0..self.rng.random_range(0..8) {
            let kind = KINDS[self.rng.random_range(0..KINDS.len())];
            let scope = ["", "B"][self.rng.random_range(0..2)];
            let id = IDS[self.rng.random_range(0..IDS.len())];
            let item = ItemRef::new(kind, scope, id);
            if self.rng.random_range(0..3) == 0 {
                state.remove(&item);
            } else {
                let version = Version {
                    name: self.names[self.rng.random_range(0..self.names.len())].clone(),
                    digest: format!("d{}", self.rng.random_range(0..3)),
                    state: [ItemState::Live, ItemState::Binned][self.rng.random_range(0..2)],
                };
                state.insert(item, version);
            }
        }
        state
    }

    async fn forget(&mut self) {
        let snapshots = self.model.snapshots.len();
        // The newest one often: what follows then begins from an older state.
        let index = self.rng.random_range(0..2 * snapshots).min(snapshots - 1);
        let (id, ..) = self.model.snapshots.remove(index);
        self.catalog.forget_snapshot(&id).await.unwrap();
        self.model.forgot = true;
    }

    /// Throws the index away and makes it again from what remains.
    async fn rebuild(&mut self) {
        self.catalog.clear_index(&self.source).await.unwrap();
        let mut before = (None, State::new());
        for (number, (id, seq, state)) in (1..).zip(&mut self.model.snapshots) {
            let row = snapshot(&self.source, id, number, before.0.as_deref());
            *seq = self
                .catalog
                .add_snapshot(&row, difference(&before.1, state))
                .await
                .unwrap();
            assert_eq!(*seq, number);
            before = (Some(id.clone()), state.clone());
        }
    }

    /// Every snapshot, and what differs between neighbors and over all, read in small pages.
    async fn check(&mut self) {
        for (_, seq, state) in &self.model.snapshots {
            assert_eq!(
                &self.items_at(*seq).await,
                state,
                "{} at {seq}",
                self.source.id.address
            );
        }
        let ends = [self.model.snapshots.first(), self.model.snapshots.last()];
        let pairs = self
            .model
            .snapshots
            .windows(2)
            .map(|pair| (&pair[0], &pair[1]));
        for ((_, a, before), (_, b, after)) in pairs.chain(ends[0].zip(ends[1])) {
            for (a, before, b, after) in [(a, before, b, after), (b, after, a, before)] {
                let rows = difference(before, after).into_iter();
                let told = rows.map(|row| {
                    let change = told(before.get(&row.item), &row);
                    (row.item, change)
                });
                let expected: BTreeMap<_, _> = told.collect();
                let found = self.changes(*a, *b).await;
                assert_eq!(
                    found, expected,
                    "{} from {a} to {b}",
                    self.source.id.address
                );
            }
        }
        self.check_visible().await;
    }

    /// No interval is left that no snapshot sees, and no version of an item begins before the one before it ends.
    async fn check_visible(&self) {
        for (kind, id) in KINDS.iter().flat_map(|kind| IDS.map(|id| (kind, id))) {
            let mut ends = BTreeMap::new();
            for entry in self.catalog.history(&self.source, kind, id).await.unwrap() {
                let holds = |seq: i64| {
                    entry.first_seq <= seq && entry.gone_seq.is_none_or(|gone| gone > seq)
                };
                let seen = self.model.snapshots.iter().any(|(_, seq, _)| holds(*seq));
                assert!(seen, "{}: nobody sees {entry:?}", self.source.id.address);
                let before = ends.insert(entry.item.scope, entry.gone_seq.unwrap_or(i64::MAX));
                assert!(before.is_none_or(|end| end <= entry.first_seq));
            }
        }
    }

    /// A word finds the newest version of each item that has it at the time asked for, and nothing that was forgotten.
    async fn check_texts(&self) {
        self.catalog.index_texts().await.unwrap();
        for (number, (_, seq, state)) in self.model.snapshots.iter().enumerate() {
            for digest in ["d0", "d1", "d2"] {
                let taken = at(i64::try_from(number).unwrap() + 1);
                let filter = TextFilter {
                    source: Some(self.source.clone()),
                    since: Some(taken),
                    until: Some(taken),
                    ..TextFilter::default()
                };
                let query = Query::parse(&format!("\"of {digest}\" text"));
                let mut found = BTreeSet::new();
                let mut page = Some(Page::first(2));
                while let Some(this) = page {
                    let listed = self
                        .catalog
                        .search_text(&query, &filter, &this)
                        .await
                        .unwrap();
                    page = this.following(&listed);
                    for hit in listed.items {
                        assert!(hit.entry.first_seq <= *seq);
                        assert_eq!(hit.entry.digest, digest);
                        assert!(hit.excerpt.iter().any(|piece| piece.hit));
                        assert!(found.insert(hit.entry.item), "an item comes once");
                    }
                }
                let expected = state.iter().filter(|(_, version)| version.digest == digest);
                let expected: BTreeSet<ItemRef> = expected.map(|(item, _)| item.clone()).collect();
                assert_eq!(
                    found, expected,
                    "{} at {seq}: {digest}",
                    self.source.id.address
                );
            }
        }
    }

    async fn items_at(&self, seq: i64) -> State {
        let mut found = State::new();
        let (mut page, mut last) = (Some(Page::first(3)), None);
        while let Some(this) = page {
            let listed = self
                .catalog
                .items_at(&self.source, seq, &ItemFilter::default(), &this)
                .await
                .unwrap();
            page = this.following(&listed);
            for entry in listed.items {
                assert!(
                    last.as_ref() < Some(&entry.item),
                    "the order is that of bytes"
                );
                last = Some(entry.item.clone());
                let version = Version {
                    name: entry.name,
                    digest: entry.digest,
                    state: entry.state,
                };
                found.insert(entry.item, version);
            }
        }
        found
    }

    async fn changes(&self, a: i64, b: i64) -> BTreeMap<ItemRef, Change> {
        let mut found = BTreeMap::new();
        let mut page = Some(Page::first(2));
        while let Some(this) = page {
            let all = ItemFilter::default();
            let listed = self
                .catalog
                .changes_between(&self.source, a, b, &all, None, &this)
                .await
                .unwrap();
            page = this.following(&listed);
            for change in listed.items {
                assert!(found.insert(change.item, change.change).is_none());
            }
        }
        found
    }

    /// One interval for each stretch of snapshots in which a version did not change, and no more.
    async fn check_intervals(&self) {
        let items: BTreeSet<&ItemRef> = self
            .model
            .snapshots
            .iter()
            .flat_map(|(_, _, state)| state.keys())
            .collect();
        for item in items {
            let mut expected = Vec::new();
            let mut current: Option<(i64, &Version)> = None;
            for (_, seq, state) in &self.model.snapshots {
                let version = state.get(item);
                if current.map(|(_, version)| version) != version {
                    expected.extend(current.map(|(first, version)| (first, Some(*seq), version)));
                    current = version.map(|version| (*seq, version));
                }
            }
            expected.extend(current.map(|(first, version)| (first, None, version)));
            let history = self
                .catalog
                .history(&self.source, &item.kind, &item.id)
                .await
                .unwrap();
            let found: Vec<_> = history
                .into_iter()
                .filter(|entry| entry.item == *item)
                .map(|entry| {
                    let version = Version {
                        name: entry.name,
                        digest: entry.digest,
                        state: entry.state,
                    };
                    (entry.first_seq, entry.gone_seq, version)
                })
                .collect();
            assert_eq!(
                found.len(),
                expected.len(),
                "{} {item}",
                self.source.id.address
            );
            for (found, (first, gone, version)) in found.iter().zip(expected) {
                assert_eq!((found.0, found.1, &found.2), (first, gone, version));
            }
        }
    }
}

/// What people are told of a row: an item that lies in the recycle bin now, or no longer, was deleted, or came back.
fn told(before: Option<&Version>, row: &IndexChange) -> Change {
    match (before.map(|before| before.state), row.change, row.state) {
        (Some(ItemState::Live), Change::Changed, ItemState::Binned) => Change::Removed,
        (Some(ItemState::Binned), Change::Changed, ItemState::Live) => Change::Added,
        (_, change, _) => change,
    }
}

fn difference(before: &State, after: &State) -> Vec<IndexChange> {
    let row = |item: &ItemRef, version: &Version, change| IndexChange {
        item: item.clone(),
        name: version.name.clone(),
        path: format!("{}/{}", item.kind, item.id),
        digest: version.digest.clone(),
        size: 1,
        modified: Some(at(0)),
        state: version.state,
        change,
        text: version.text(),
        project: String::new(),
    };
    let mut rows = Vec::new();
    for (item, version) in after {
        match before.get(item) {
            None => rows.push(row(item, version, Change::Added)),
            Some(old) if old != version => rows.push(row(item, version, Change::Changed)),
            Some(_) => {}
        }
    }
    for (item, version) in before {
        if !after.contains_key(item) {
            rows.push(row(item, version, Change::Removed));
        }
    }
    rows
}
