//! The tree editor against a map of paths.

use std::collections::BTreeMap;

use proptest::prelude::*;
use repository::{BlobType, Change, FileContent, Id, Node, Op, Repository, TreeId};

use crate::support::*;

/// What a map entry is: a path of few short names, so that files and directories collide often.
type Path = Vec<String>;
type Model = BTreeMap<Path, i64>;

#[derive(Debug, Clone, Copy)]
enum Edit {
    Put(i64),
    Remove,
    RemoveAll,
}

fn paths() -> impl Strategy<Value = Path> {
    let name =
        proptest::sample::select(vec!["a", "b", "a.json", "é", "a\"\\<"]).prop_map(str::to_owned);
    proptest::collection::vec(name, 1..4)
}

fn edits() -> impl Strategy<Value = BTreeMap<Path, Edit>> {
    let edit = prop_oneof![4 => (0..5_i64).prop_map(Edit::Put), 1 => Just(Edit::Remove), 1 => Just(Edit::RemoveAll)];
    proptest::collection::btree_map(paths(), edit, 0..12).prop_map(|edits| {
        // Nothing can be put below a file that the same edit puts.
        let files: Vec<Path> = edits
            .iter()
            .filter(|(_, edit)| matches!(edit, Edit::Put(_)))
            .map(|(path, _)| path.clone())
            .collect();
        let below = |path: &Path| {
            files
                .iter()
                .any(|file| path.len() > file.len() && path.starts_with(file))
        };
        edits.into_iter().filter(|(path, _)| !below(path)).collect()
    })
}

fn expect(model: &mut Model, edits: &BTreeMap<Path, Edit>) {
    for (path, edit) in edits {
        match edit {
            Edit::Put(value) => {
                model.retain(|other, _| !other.starts_with(path) && !path.starts_with(other));
                model.insert(path.clone(), *value);
            }
            Edit::Remove => {
                model.remove(path);
            }
            Edit::RemoveAll => model.retain(|other, _| !other.starts_with(path)),
        }
    }
}

fn node(value: i64) -> Node {
    let content = FileContent {
        blobs: vec![Id::of(&value.to_le_bytes())],
        size: 8,
    };
    Node::file("", content, time(value))
}

fn change((path, edit): (&Path, &Edit)) -> Change {
    let op = match edit {
        Edit::Put(value) => Op::Put(Box::new(node(*value))),
        Edit::Remove => Op::Remove,
        Edit::RemoveAll => Op::RemoveAll,
    };
    Change {
        path: path.clone(),
        op,
    }
}

async fn read(repository: &Repository, tree: TreeId) -> Model {
    let mut model = Model::new();
    for (path, node) in repository.list(tree).await.unwrap() {
        if node.is_file() {
            let value = node.mtime.as_second() - time(0).as_second();
            model.insert(path.split('/').map(str::to_owned).collect(), value);
        }
    }
    model
}

async fn apply(
    repository: &Repository,
    parent: Option<TreeId>,
    edits: &BTreeMap<Path, Edit>,
) -> TreeId {
    let mut writer = repository.writer();
    let tree = writer
        .update(parent, edits.iter().map(change))
        .await
        .unwrap();
    writer.flush().await.unwrap();
    tree
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn edits_give_what_a_map_gives_and_the_same_tree_as_writing_it_anew(rounds in proptest::collection::vec(edits(), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (repository, _) = shared().await;
            let (mut model, mut tree) = (Model::new(), None);
            for edits in &rounds {
                expect(&mut model, edits);
                let next = apply(repository, tree, edits).await;
                assert_eq!(read(repository, next).await, model);
                let anew: BTreeMap<Path, Edit> = model.iter().map(|(path, value)| (path.clone(), Edit::Put(*value))).collect();
                assert_eq!(apply(repository, None, &anew).await, next, "history must not show in a tree");
                tree = Some(next);
            }
        });
    }

    #[test]
    fn any_content_is_read_back(contents in proptest::collection::vec(any::<Vec<u8>>(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (repository, _) = shared().await;
            let mut writer = repository.writer();
            let mut ids = Vec::new();
            for content in contents.iter().filter(|content| !content.is_empty()) {
                ids.push((writer.blob(BlobType::Data, content).await.unwrap(), content));
            }
            writer.flush().await.unwrap();
            for (id, content) in ids {
                assert_eq!(&repository.blob(BlobType::Data, id).await.unwrap(), content);
            }
        });
    }
}

/// One repository for all cases: making one costs a key derivation.
async fn shared() -> &'static (Repository, std::sync::Arc<dyn object_store::ObjectStore>) {
    static SHARED: tokio::sync::OnceCell<(
        Repository,
        std::sync::Arc<dyn object_store::ObjectStore>,
    )> = tokio::sync::OnceCell::const_new();
    SHARED.get_or_init(in_memory).await
}
