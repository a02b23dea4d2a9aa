//! A repository of 8,000 refs: branches, tags and pull requests.

use std::fmt::Write as _;

use crate::backup::Backup;
use crate::history::Bare;
use crate::host::{Host, Manner};

const REFS: usize = 8000;

/// A long branch, from whose commits all other refs begin: two of three are of pull requests.
fn many_refs(bare: &Bare) {
    let mut stream = String::new();
    for number in 0..REFS * 4 / 3 + 4 {
        let name = match number % 8 {
            3 | 7 => {
                writeln!(
                    stream,
                    "commit refs/heads/main\ncommitter A <a@b> {} +0000\ndata 0\nM 100644 inline f{}\ndata 6\n{number:06}",
                    1_700_000_000 + number,
                    number % 100
                )
                .unwrap();
                continue;
            }
            0 => format!("refs/heads/team-{}/b{number}", number % 5),
            4 => format!("refs/tags/v{number}"),
            _ => format!("refs/pull/{number}/merge"),
        };
        let begin = if number < 4 {
            format!("commit {name}\ncommitter A <a@b> 1700000000 +0000\ndata 0\n\n")
        } else {
            format!("reset {name}\nfrom refs/heads/main\n\n")
        };
        stream.push_str(&begin);
    }
    bare.feed(&["fast-import", "--quiet"], stream.as_bytes());
    bare.git(&["pack-refs", "--all"]);
}

#[expect(clippy::print_stdout, reason = "figures")]
#[tokio::test]
async fn eight_thousand_refs_are_backed_up_and_come_back() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("source");
    many_refs(&bare);
    let count = |bare: &Bare, space: &str| bare.git(&["for-each-ref", space]).lines().count();
    assert!(count(&bare, "refs") >= REFS);
    let mut backup = Backup::of(&host.client, host.remote("source"));
    let clock = std::time::Instant::now();
    backup.clean().await;
    let first = clock.elapsed();
    assert_eq!(host.seen().len(), 2);
    backup.clean().await;
    let unchanged = clock.elapsed().saturating_sub(first);
    assert_eq!((host.seen().len(), backup.touched.len()), (1, 0));
    bare.commit("main", &[("one", b"more")]);
    backup.clean().await;
    assert_eq!(host.seen().len(), 2);
    let (_folder, laid_out) = backup.laid_out();
    assert_eq!(laid_out.picture(), bare.picture());
    let target = host.repository("target");
    let before = clock.elapsed();
    let losses = backup.restore(&host.remote("target")).await.unwrap();
    println!(
        "{REFS} refs: first backup {first:.1?}, unchanged {unchanged:.1?}, restore {:.1?}",
        clock.elapsed().saturating_sub(before)
    );
    assert_eq!(losses.len(), 1, "{losses:?}");
    for space in ["refs/heads", "refs/tags"] {
        assert_eq!(
            target.git(&["for-each-ref", space]),
            bare.git(&["for-each-ref", space])
        );
    }
    assert_eq!(
        backup.verify(&host.remote("target")).await.unwrap(),
        [""; 0]
    );
}
