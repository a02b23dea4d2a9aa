//! Fuzz targets: whatever a git server answers, we say that it is not the protocol, and neither panic nor exhaust the memory.

use proptest::prelude::*;

use super::advertisement::{Advertisement, Protocol};
use super::lfs::Pointer;
use super::packs::Packs;
use super::pkt::{self, Frames, Pkt};
use super::{fetch, state};
use crate::mutate::{assert_little_memory, inputs};

const ID: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

fn frames(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        match *line {
            "flush" => out.extend_from_slice(pkt::FLUSH),
            "delimiter" => out.extend_from_slice(pkt::DELIMITER),
            line => pkt::push(&mut out, line),
        }
    }
    out
}

fn advertisements() -> Vec<Vec<u8>> {
    let first = format!(
        "{ID} HEAD\0multi_ack side-band-64k symref=HEAD:refs/heads/main object-format=sha1\n"
    );
    let (main, tag) = (
        format!("{ID} refs/heads/main\n"),
        format!("{ID} refs/tags/v1^{{}}\n"),
    );
    vec![
        frames(&[
            "# service=git-upload-pack\n",
            "flush",
            &first,
            &main,
            &tag,
            "flush",
        ]),
        frames(&["# service=git-upload-pack\n", "flush", "flush"]),
        frames(&[
            "version 2\n",
            "agent=git/2\n",
            "ls-refs=unborn\n",
            "fetch=shallow\n",
            "flush",
        ]),
        frames(&["ERR access denied\n"]),
    ]
}

fn answers() -> Vec<Vec<u8>> {
    let ack = format!("ACK {ID}\n");
    vec![
        frames(&[
            "NAK\n",
            "\u{2}counting\n",
            "\u{1}PACK",
            "\u{1}more",
            "flush",
        ]),
        frames(&[&ack, "\u{1}PACK", "\u{3}out of memory\n"]),
        frames(&[
            "acknowledgments\n",
            &ack,
            "ready\n",
            "delimiter",
            "packfile\n",
            "\u{1}PACK",
            "flush",
        ]),
    ]
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

proptest! {
    #[test]
    fn pkt_lines(bytes in inputs([advertisements(), answers()].concat())) {
        let whole: Vec<_> = Frames::new(&bytes).collect();
        prop_assert!(whole.iter().rev().skip(1).all(Result::is_ok), "an error is the last");
        // A stream gives the same frames as the whole, up to the first error.
        block_on(async {
            let (mut stream, mut buffer) = (bytes.as_slice(), Vec::new());
            for frame in whole {
                let read = pkt::read(&mut stream, &mut buffer).await;
                match (frame, read) {
                    (Ok(Pkt::Data(frame)), Ok(Pkt::Data(read))) => assert_eq!(frame, read),
                    (frame, read) => assert_eq!(frame.is_ok(), read.is_ok()),
                }
            }
        });
        assert_little_memory();
    }

    #[test]
    fn refs(bytes in inputs(advertisements()), line in inputs(vec![format!("{ID} refs/heads/main symref-target:refs/heads/x peeled:{ID}").into_bytes()])) {
        if let Ok(mut adv) = Advertisement::parse(&bytes) {
            adv.tips();
            adv.v2_ref(&line).ok();
        }
        assert_little_memory();
    }

    #[test]
    fn an_answer_with_a_pack(bytes in inputs(answers()), v2 in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("pack");
        let protocol = if v2 { Protocol::V2 } else { Protocol::V0 };
        let received = block_on(fetch::receive(protocol, &mut bytes.as_slice(), &to));
        if received.is_ok() {
            prop_assert!(std::fs::metadata(&to).unwrap().len() > 0, "an empty pack is none");
        }
    }

    #[test]
    fn packed_refs(bytes in inputs(vec![format!("# pack-refs with: sorted \n{ID} refs/heads/main\n^{ID}\n{ID} refs/tags/\u{fc}\n").into_bytes()])) {
        if let Ok(refs) = state::parse_refs(&bytes) {
            prop_assert_eq!(state::parse_refs(&state::render_refs(&refs)).unwrap(), refs);
        }
    }

    #[test]
    fn lfs_pointers(bytes in inputs(vec![format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 7\n", "ab".repeat(32)).into_bytes(), format!("{} 7\n", "ab".repeat(32)).into_bytes()])) {
        Pointer::read(&bytes);
        Pointer::list(&bytes);
    }

    #[test]
    fn a_stored_pack_index(bytes in inputs(vec![super::index::fuzz::idx()])) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.idx");
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(packs) = Packs::open([&path]) {
            let mut ids = Vec::new();
            packs.each(&mut |id| ids.push(id));
            prop_assert_eq!(packs.objects(), ids.len() as u64);
            for id in &ids {
                packs.contains(id);
            }
        }
        assert_little_memory();
    }
}
