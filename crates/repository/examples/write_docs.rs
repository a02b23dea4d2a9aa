//! Writes 100,000 documents of 2 KB and prints the CPU seconds that it took; run it with `--release`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark to read and run by hand"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use model::Secret;
use repository::{
    BlobType, FileContent, Holder, InitOptions, LockGuard, Node, Repository, Snapshot, TreeEditor,
    TreeId, store_from,
};

struct FixedClock(Timestamp);

impl model::Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Words from a fixed sequence, so that documents compress about as work items do.
fn document(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut text = format!("{{\"id\":{number},\"fields\":{{\"System.Title\":\"");
    while text.len() < 1930 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        write!(text, "{:x} ", state % 1_000_003).unwrap();
    }
    text.push_str("\"}}");
    text.into_bytes()
}

/// User and system time of this process in seconds, from the kernel's clock ticks of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

const COUNT: u64 = 100_000;

/// A bench for one repository.
struct Bench {
    repository: Repository,
    lock: LockGuard,
    now: Timestamp,
}

impl Bench {
    /// Commits the documents that `versions` names, by place and number, over a tree; `before` is the time that others took of it.
    async fn commit(
        &self,
        name: &str,
        parent: Option<TreeId>,
        versions: impl Iterator<Item = (u64, u64)>,
        before: f64,
    ) -> TreeId {
        let start = cpu_seconds();
        let mut writer = self.repository.writer();
        let mut editor = TreeEditor::new(&mut writer, parent);
        for (place, number) in versions {
            let bytes = document(number);
            let blob = editor.writer().blob(BlobType::Data, &bytes).await.unwrap();
            let content = FileContent {
                blobs: vec![blob],
                size: bytes.len() as u64,
            };
            let path = [format!("{:04}", place / 128), format!("{place:06}.json")];
            let node = Node::file("", content, self.now);
            editor.put(&path, node).await.unwrap();
        }
        let tree = editor.finish().await.unwrap();
        let snapshot = Snapshot::new(self.now, tree);
        writer.commit(&snapshot, &self.lock).await.unwrap();
        let seconds = cpu_seconds() - start - before;
        println!("{name}: {seconds:.2} CPU s, {:?}", writer.stored());
        tree
    }
}

async fn open(folder: &Path, now: Timestamp) -> Bench {
    let (store, _) = store_from(folder.join("repository").to_str().unwrap()).unwrap();
    let options = InitOptions {
        created: now,
        hostname: "bench".to_owned(),
        username: "bench".to_owned(),
    };
    let start = cpu_seconds();
    let repository = Repository::init(store, &Secret::new("bench"), &options).await;
    println!("init: {:.2} CPU s", cpu_seconds() - start);
    let repository = repository.unwrap();
    let holder = Holder::new("bench", Arc::new(FixedClock(now)));
    let lock = repository.lock_shared(&holder).await.unwrap();
    Bench {
        repository,
        lock,
        now,
    }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let start = cpu_seconds();
    let size: usize = (0..COUNT).map(|number| document(number).len()).sum();
    let generator = cpu_seconds() - start;
    println!("{size} bytes of documents; the time to make them is not counted below");
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let bench = open(folder.path(), now).await;
    let all = (0..COUNT).map(|number| (number, number));
    let tree = bench.commit("first", None, all, generator).await;
    let changed = (0..COUNT)
        .step_by(100)
        .map(|place| (place, place + 1_000_000));
    bench
        .commit("1,000 changed", Some(tree), changed, 0.0)
        .await;
    bench.lock.release().await.unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let memory = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", memory.unwrap());
}
