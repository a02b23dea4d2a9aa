//! Every kind of damage to every file of a golden repository is named, and touches nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use object_store::ObjectStore;
use proptest::prelude::*;
use repository::{
    BlobType, CheckOptions, CheckReport, Error, Id, ProblemKind, ReadData, Repository,
};

use crate::damage_golden::{Files, GOLDEN, all_files, fixture, in_store, opened_from};
use crate::support::*;

const ALL: CheckOptions = CheckOptions {
    read_data: ReadData::All,
};

/// What happens to one file.
#[derive(Debug, Clone)]
pub(crate) enum Damage {
    Flip { bit: usize },
    Cut { length: usize },
    Empty,
    Grow(&'static [u8]),
    Delete,
    Swap { with: String },
    Move { to: String },
}

use Damage::{Cut, Delete, Empty, Flip, Grow, Move, Swap};

impl Damage {
    pub(crate) fn apply(&self, path: &str, files: &mut Files) {
        let Some(bytes) = files.get_mut(path) else {
            panic!("no {path}")
        };
        match self {
            Flip { bit } => bytes[bit / 8] ^= 1 << (bit % 8),
            Cut { length } => bytes.truncate(*length),
            Empty => bytes.clear(),
            Grow(garbage) => bytes.extend_from_slice(garbage),
            Delete => {
                files.remove(path);
            }
            Swap { with } => {
                let own = std::mem::take(bytes);
                let other = files.insert(with.clone(), own).unwrap();
                files.insert(path.to_owned(), other);
            }
            Move { to } => {
                let own = files.remove(path).unwrap();
                files.insert(to.clone(), own);
            }
        }
    }
}

/// The kind of a file: `config`, `keys`, `data`, `keepward/snapshots` …
fn folder(path: &str) -> &str {
    match path.split('/').next().unwrap() {
        "keepward" => path.rsplit_once('/').map_or(path, |(folder, _)| folder),
        folder => folder,
    }
}

/// Where a file of this name is not looked for.
pub(crate) fn astray(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap();
    format!("{}/zz/{name}", folder(path))
}

/// The table: every damage for a file of `length` bytes, with offsets spread over it by a fixed sequence.
fn damages(path: &str, files: &Files) -> Vec<Damage> {
    let length = files[path].len();
    let bits = [0, 7, 8 * 16, 8 * length - 1]
        .into_iter()
        .chain((0..12).map(|n| (n * 7919 + length) % (8 * length)));
    let mut table: Vec<Damage> = bits.map(|bit| Flip { bit }).collect();
    table.extend([1, 16, 40, length / 2, length - 1].map(|length| Cut { length }));
    table.extend([Empty, Grow(b"\0"), Grow(b"garbage"), Delete]);
    let others = files.keys().filter(|other| *other != path);
    let mut seen = BTreeSet::new();
    let swaps = others.filter(|other| folder(other) == folder(path) || seen.insert(folder(other)));
    // The second copy of a file is the same bytes: nothing is swapped.
    let differ = swaps.filter(|other| files[*other] != files[path]);
    table.extend(differ.map(|other| Swap {
        with: other.clone(),
    }));
    if ["keys", "snapshots", "index", "data"].contains(&folder(path)) {
        table.push(Move { to: astray(path) });
    }
    table
}

pub(crate) async fn check(store: &Arc<dyn ObjectStore>) -> CheckReport {
    match Repository::open(Arc::clone(store), &secret(PASSWORD)).await {
        Ok(repository) => repository.check(&ALL).await.unwrap(),
        Err(error) => {
            let wrong = matches!(error, Error::WrongPassword { .. });
            assert!(!wrong, "damage is no wrong password");
            Repository::check_damaged(Arc::clone(store), &secret(PASSWORD), error, &ALL)
                .await
                .unwrap()
        }
    }
}

/// Whether a file that is simply absent leaves a trace at all.
fn is_known_when_gone(path: &str, files: &Files) -> bool {
    match folder(path) {
        // A copy that is absent is made anew by a repair; nothing is damaged.
        "locks" | "keepward" | "keepward/keys" | "keepward/snapshots" => false,
        "keys" | "snapshots" => {
            files.contains_key(&format!("keepward/{path}"))
                || !files.keys().any(|other| folder(other) == folder(path))
        }
        _ => true,
    }
}

async fn assert_named(path: &str, damage: &Damage, golden: &Files) {
    let mut files = golden.clone();
    damage.apply(path, &mut files);
    let unknown = !is_known_when_gone(path, &files);
    if unknown && folder(path) == "keys" && matches!(damage, Delete | Move { .. }) {
        // Its password is one like any other that opens nothing.
        return;
    }
    let unknown = unknown && matches!(damage, Delete);
    let report = check(&in_store(&files).await).await;
    if unknown {
        assert!(report.is_clean(), "{path}: {:?}", report.problems);
        return;
    }
    assert!(!report.is_clean(), "{path} {damage:?} is not noticed");
    let errors = || {
        report
            .problems
            .iter()
            .filter(|problem| !problem.kind.is_note())
    };
    let named = |path: &str| {
        errors().any(|problem| {
            let file = problem.file.as_deref();
            file == Some(path) || (file == Some("keys") && folder(path) == "keys")
        })
    };
    match damage {
        // Nobody knows its name; the packs that it named are shown instead.
        Delete if folder(path) == "index" => {
            assert!(errors().any(|problem| problem.kind == ProblemKind::IndexMissing));
        }
        // What nobody can decrypt any more has no hash in its name.
        Swap { with } if errors().any(|problem| problem.kind == ProblemKind::AccessLost) => {
            assert!(named(path) || named(with), "{path} {damage:?}");
        }
        Swap { with } => assert!(
            named(path) && named(with),
            "{path} {damage:?}: {:?}",
            report.problems
        ),
        Move { to } => assert!(named(to), "{path} {damage:?}: {:?}", report.problems),
        _ => assert!(named(path), "{path} {damage:?}: {:?}", report.problems),
    }
}

#[tokio::test]
async fn every_damage_of_every_file_is_named() {
    let golden = fixture(GOLDEN);
    let mut cases = 0;
    for path in golden.keys() {
        for damage in damages(path, &golden) {
            assert_named(path, &damage, &golden).await;
            cases += 1;
        }
    }
    assert!(cases > 400, "{cases}");
}

/// As restic and other programs leave it.
#[tokio::test]
async fn every_damage_is_named_without_second_copies_too() {
    let mut golden = fixture(GOLDEN);
    golden.retain(|path, _| !path.starts_with("keepward/"));
    for path in golden.keys() {
        for damage in damages(path, &golden) {
            assert_named(path, &damage, &golden).await;
        }
    }
}

#[tokio::test]
async fn the_loss_of_the_only_key_is_named_and_no_wrong_password() {
    let mut golden = fixture(GOLDEN);
    golden.retain(|path, _| !path.starts_with("keepward/") && !path.starts_with("keys/"));
    let report = check(&in_store(&golden).await).await;
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.file.as_deref() == Some("keys"))
    );
    // Nothing opens it, and still each damaged file is named.
    for path in golden.keys().filter(|path| folder(path) == "data") {
        let mut files = golden.clone();
        Flip { bit: 99 }.apply(path, &mut files);
        let report = check(&in_store(&files).await).await;
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.file.as_ref() == Some(path))
        );
    }
}

#[tokio::test]
async fn a_wrong_password_is_only_said_of_whole_keys() {
    let golden = fixture(GOLDEN);
    let open = async |files: &Files| {
        let opened = Repository::open(in_store(files).await, &secret("wrong")).await;
        opened.err().unwrap().code()
    };
    assert_eq!(open(&golden).await, "wrong-password");
    let mut damaged = golden.clone();
    damaged.retain(|path, _| !path.starts_with("keepward/"));
    let key = damaged
        .keys()
        .find(|path| folder(path) == "keys")
        .unwrap()
        .clone();
    let bytes = damaged.remove(&key).unwrap();
    damaged.insert(format!("keys/{}", Id::of(b"another name")), bytes);
    assert_eq!(open(&damaged).await, "repository-damaged");
}

#[tokio::test]
async fn a_place_without_a_repository_is_not_a_damaged_one() {
    let store = in_store(&Files::new()).await;
    let error = Repository::open(Arc::clone(&store), &secret(PASSWORD))
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "repository-not-found");
    let checked = Repository::check_damaged(store, &secret(PASSWORD), error, &ALL).await;
    assert_eq!(checked.err().unwrap().code(), "repository-not-found");
}

/// What the snapshots hold, as `(path in its snapshot, content)`; an error's text for what cannot be read.
async fn read_all(files: &Files) -> Vec<(String, Result<Vec<u8>, String>)> {
    let golden = opened_from(&fixture(GOLDEN)).await;
    let repository = opened_from(files).await;
    let mut all = Vec::new();
    for (id, path, _) in all_files(&golden).await {
        let read = async {
            let snapshot = repository.snapshot(id).await?;
            let node = repository.find(snapshot.tree, path.as_str()).await?;
            repository.read(&node.unwrap()).await
        };
        let content = read
            .await
            .map(|bytes| bytes.to_vec())
            .map_err(|error| error.to_string());
        all.push((format!("{id}:{path}"), content));
    }
    all
}

/// The same by one bulk read of all blobs.
async fn read_at_once(files: &Files) -> Vec<(String, Result<Vec<u8>, String>)> {
    let golden = opened_from(&fixture(GOLDEN)).await;
    let repository = opened_from(files).await;
    let (mut names, mut wanted) = (Vec::new(), Vec::new());
    for (id, path, _) in all_files(&golden).await {
        let snapshot = golden.snapshot(id).await.unwrap();
        let node = golden.find(snapshot.tree, path.as_str()).await.unwrap();
        for (number, blob) in node.unwrap().content.unwrap_or_default().iter().enumerate() {
            names.push(format!("{id}:{path}:{number}"));
            wanted.push((*blob, ()));
        }
    }
    let read = repository.blobs(BlobType::Data, wanted, |(), bytes| {
        bytes.map(<[u8]>::to_vec).map_err(|error| error.to_string())
    });
    names.into_iter().zip(read.await.unwrap()).collect()
}

#[tokio::test]
async fn a_damaged_index_file_costs_a_bulk_read_what_it_names_and_no_more() {
    let golden = fixture(GOLDEN);
    let whole = read_at_once(&golden).await;
    assert!(whole.iter().all(|(_, content)| content.is_ok()));
    let mut spared = 0;
    for path in golden.keys().filter(|path| folder(path) == "index") {
        let (mut without, mut flipped) = (golden.clone(), golden.clone());
        Delete.apply(path, &mut without);
        Flip { bit: 100 }.apply(path, &mut flipped);
        let (without, flipped) = (read_at_once(&without).await, read_at_once(&flipped).await);
        for ((name, gone), (_, read)) in without.iter().zip(&flipped) {
            assert_eq!(gone.as_ref().ok(), read.as_ref().ok(), "{name} {path}");
            spared += usize::from(read.is_ok());
        }
    }
    assert!(spared > 0, "every index file names everything");
}

#[tokio::test]
async fn what_a_damage_does_not_touch_is_read_byte_for_byte() {
    let golden = fixture(GOLDEN);
    let whole = read_all(&golden).await;
    assert!(whole.iter().all(|(_, content)| content.is_ok()));
    for path in golden.keys() {
        let mut without = golden.clone();
        Delete.apply(path, &mut without);
        let reach = match folder(path) {
            "data" | "index" => read_all(&without).await,
            // Of these there is a second copy.
            _ => whole.clone(),
        };
        let hit = reach.iter().filter(|(_, content)| content.is_err()).count();
        assert!(hit < whole.len(), "{path} is needed for everything");
        for damage in damages(path, &golden) {
            if let Delete | Swap { .. } | Move { .. } = damage {
                continue;
            }
            let mut files = golden.clone();
            damage.apply(path, &mut files);
            for (((name, right), (_, reach)), (_, read)) in
                whole.iter().zip(&reach).zip(read_all(&files).await)
            {
                match read {
                    Ok(_) => assert_eq!(read, *right, "{name} {path} {damage:?}"),
                    Err(error) => {
                        assert!(reach.is_err(), "{name} {path} {damage:?}: {error}");
                        let id = path.rsplit('/').next().unwrap();
                        let says = error.contains(id) || error.contains(" blob ");
                        assert!(says, "{error} does not say what is damaged");
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_flip_or_cut_anywhere_is_named(file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), cut in any::<bool>()) {
        let golden = fixture(GOLDEN);
        let path = golden.keys().nth(file.index(golden.len())).unwrap();
        let length = golden[path].len();
        let damage = if cut { Cut { length: at.index(length) } } else { Flip { bit: at.index(8 * length) } };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(assert_named(path, &damage, &golden));
    }
}
