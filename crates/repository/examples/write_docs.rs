//! Writes 100,000 documents of 2 KB and prints the CPU seconds that it took; run it with `--release`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark to read and run by hand"
)]

use std::fmt::Write as _;

use jiff::Timestamp;
use model::Secret;
use repository::{
    BlobType, FileContent, Holder, InitOptions, Node, Repository, Snapshot, TreeEditor, store_from,
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

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let (store, _) = store_from(folder.path().join("repository").to_str().unwrap()).unwrap();
    let options = InitOptions {
        created: now,
        hostname: "bench".to_owned(),
        username: "bench".to_owned(),
    };
    let start = cpu_seconds();
    let size: usize = (0..100_000).map(|number| document(number).len()).sum();
    let generator = cpu_seconds() - start;
    println!("{size} bytes of documents; the time to make them is not counted below");
    let start = cpu_seconds();
    let repository = Repository::init(store, &Secret::new("bench"), &options)
        .await
        .unwrap();
    println!("init: {:.2} CPU s", cpu_seconds() - start);
    let holder = Holder::new("bench", std::sync::Arc::new(FixedClock(now)));
    let lock = repository.lock_shared(&holder).await.unwrap();

    let start = cpu_seconds();
    let mut writer = repository.writer();
    let mut editor = TreeEditor::new(&mut writer, None);
    for number in 0..100_000 {
        let bytes = document(number);
        let blob = editor.writer().blob(BlobType::Data, &bytes).await.unwrap();
        let content = FileContent {
            blobs: vec![blob],
            size: bytes.len() as u64,
        };
        let path = [format!("{:04}", number / 128), format!("{number:06}.json")];
        editor
            .put(&path, Node::file("", content, now))
            .await
            .unwrap();
    }
    let tree = editor.finish().await.unwrap();
    writer
        .commit(&Snapshot::new(now, tree), &lock)
        .await
        .unwrap();
    println!(
        "first: {:.2} CPU s, {:?}",
        cpu_seconds() - start - generator,
        writer.stored()
    );

    let start = cpu_seconds();
    let mut writer = repository.writer();
    let mut editor = TreeEditor::new(&mut writer, Some(tree));
    for number in (0..100_000).step_by(100) {
        let bytes = document(number + 1_000_000);
        let blob = editor.writer().blob(BlobType::Data, &bytes).await.unwrap();
        let content = FileContent {
            blobs: vec![blob],
            size: bytes.len() as u64,
        };
        let path = [format!("{:04}", number / 128), format!("{number:06}.json")];
        editor
            .put(&path, Node::file("", content, now))
            .await
            .unwrap();
    }
    let tree = editor.finish().await.unwrap();
    writer
        .commit(&Snapshot::new(now, tree), &lock)
        .await
        .unwrap();
    println!(
        "1,000 changed: {:.2} CPU s, {:?}",
        cpu_seconds() - start,
        writer.stored()
    );
    lock.release().await.unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!(
        "{}",
        status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap()
    );
}
