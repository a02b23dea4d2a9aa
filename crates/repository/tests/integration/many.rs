//! Reading many blobs at once.

use repository::{BlobType, Error, Id};

use crate::support::{OnDisk, PASSWORD, commit, noise, restic};

fn contents() -> Vec<Vec<u8>> {
    (0..600_u64)
        .map(|number| noise(number, 20 + number as usize * 7))
        .collect()
}

async fn filled() -> (OnDisk, Vec<Vec<u8>>) {
    let disk = OnDisk::init().await;
    let contents = contents();
    let names: Vec<String> = (0..contents.len())
        .map(|number| format!("{}/{number}", number / 50))
        .collect();
    // Two packs, so that the order of the packs is not that of the wish.
    for half in [0..300, 300..600] {
        let files: Vec<(&str, &[u8])> = half
            .map(|number| (names[number].as_str(), contents[number].as_slice()))
            .collect();
        commit(&disk.repository, None, &files).await;
    }
    (disk, contents)
}

#[tokio::test]
async fn results_come_in_the_order_asked_for_whatever_the_order_of_the_packs() {
    let (disk, contents) = filled().await;
    // Backwards and with repetitions.
    let wanted: Vec<usize> = (0..1200).rev().map(|number| number * 7 % 600).collect();
    let ids = wanted
        .iter()
        .map(|number| (Id::of(&contents[*number]), *number))
        .collect();
    let read = disk
        .reopen()
        .await
        .blobs(BlobType::Data, ids, |number, bytes| {
            (number, bytes.unwrap().to_vec())
        })
        .await
        .unwrap();
    assert_eq!(read.len(), wanted.len());
    for (wanted, (number, bytes)) in wanted.into_iter().zip(read) {
        assert!(wanted == number && bytes == contents[number], "{wanted}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_costs_only_itself() {
    let (disk, contents) = filled().await;
    // The half of the largest pack is gone, and one blob never was.
    let packs = disk.files("data");
    let largest = packs
        .iter()
        .max_by_key(|pack| pack.metadata().unwrap().len())
        .unwrap();
    let bytes = std::fs::read(largest).unwrap();
    std::fs::write(largest, &bytes[..bytes.len() / 2]).unwrap();
    let mut ids: Vec<(Id, ())> = contents
        .iter()
        .map(|content| (Id::of(content), ()))
        .collect();
    ids.insert(100, (Id::of(b"never stored"), ()));
    let mut read = disk
        .reopen()
        .await
        .blobs(BlobType::Data, ids, |(), bytes| bytes.map(<[u8]>::to_vec))
        .await
        .unwrap();
    assert!(matches!(read.remove(100), Err(Error::BlobMissing { .. })));
    let lost = read.iter().filter(|blob| blob.is_err()).count();
    assert!((50..250).contains(&lost), "{lost}");
    for (content, blob) in contents.iter().zip(read) {
        match blob {
            Ok(bytes) => assert!(bytes == *content),
            Err(error) => assert!(matches!(error, Error::Damaged { .. }), "{error}"),
        }
    }
}

#[tokio::test]
async fn what_proved_unreadable_is_stored_again_by_whoever_has_its_content() {
    let disk = OnDisk::init().await;
    let content = noise(1, 4000);
    commit(&disk.repository, None, &[("a", &content)]).await;
    for pack in disk.files("data") {
        let mut bytes = std::fs::read(&pack).unwrap();
        bytes[40] ^= 1;
        std::fs::write(&pack, bytes).unwrap();
    }
    let repository = disk.reopen().await;
    let id = Id::of(&content);
    let store = async || {
        let mut writer = repository.writer();
        writer.blob(BlobType::Data, &content).await.unwrap();
        writer.flush().await.unwrap();
        writer.stored().blobs
    };
    assert_eq!(store().await, 0, "nobody has looked at it yet");
    let read = repository.blob(BlobType::Data, id).await;
    assert!(matches!(read, Err(Error::Damaged { .. })), "{read:?}");
    assert_eq!(store().await, 1);
    // Here, and for whoever opens it next.
    for repository in [&repository, &disk.reopen().await] {
        assert_eq!(repository.blob(BlobType::Data, id).await.unwrap(), content);
    }
    assert_eq!(store().await, 0);
}

#[tokio::test]
async fn blobs_that_moved_since_the_index_was_read_are_found_again() {
    let (disk, contents) = filled().await;
    let ours = disk.reopen().await;
    ours.count_blobs().await.unwrap();
    let snapshots = ours.snapshots().await.unwrap();
    let second = ours
        .find(snapshots[0].1.tree, "11")
        .await
        .unwrap()
        .is_some();
    let (gone, kept) = (
        &snapshots[usize::from(second)],
        &snapshots[usize::from(!second)],
    );
    // restic writes what the other snapshot needs into new packs and removes the old ones.
    let arguments = [
        "forget",
        &gone.0.to_string(),
        "--prune",
        "--max-unused",
        "0",
    ];
    restic(&disk.path(), PASSWORD, &arguments);
    let trees = ours.trees(vec![kept.1.tree]).await.unwrap();
    assert_eq!(trees[0].as_ref().unwrap().nodes.len(), 6);
    let ids = contents[300..].iter().map(|content| (Id::of(content), ()));
    let read = ours
        .blobs(BlobType::Data, ids.collect(), |(), bytes| {
            bytes.map(<[u8]>::to_vec)
        })
        .await
        .unwrap();
    for (content, blob) in contents[300..].iter().zip(read) {
        assert!(blob.unwrap() == *content);
    }
}
