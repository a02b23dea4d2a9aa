//! The request for a pack: which objects we want, which we have, in one message.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::advertisement::{Advertisement, Protocol};
use super::{Oid, pkt};
use crate::{Error, Result};

/// More haves make requests longer and packs hardly smaller.
const MOST_HAVES: usize = 256;

/// Stored tips to announce, most useful first: those of refs that moved or went away, then branches, then the rest.
pub(super) fn haves(stored: &BTreeMap<String, Oid>, now: &BTreeMap<String, Oid>) -> Vec<Oid> {
    let mut ranked: Vec<_> = stored
        .iter()
        .map(|(name, id)| {
            let branch = name.starts_with("refs/heads/");
            let rank = match (now.get(name) == Some(id), branch) {
                (false, true) => 0,
                (false, false) => 1,
                (true, true) => 2,
                (true, false) => 3,
            };
            (rank, *id)
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut seen = BTreeSet::new();
    ranked
        .into_iter()
        .map(|(_, id)| id)
        .filter(|id| seen.insert(*id))
        .take(MOST_HAVES)
        .collect()
}

/// The body of the request. It ends with `done`, so the answer is the pack and no negotiation.
pub(super) fn body(adv: &Advertisement, wants: &[Oid], haves: &[Oid]) -> Result<Vec<u8>> {
    match adv.protocol {
        Protocol::V0 => v0(adv, wants, haves),
        Protocol::V2 => Ok(v2(adv, wants, haves)),
    }
}

fn v0(adv: &Advertisement, wants: &[Oid], haves: &[Oid]) -> Result<Vec<u8>> {
    let mut asked = Vec::new();
    for alternatives in [
        &["multi_ack_detailed", "multi_ack"][..],
        &["side-band-64k", "side-band"],
        &["no-progress"],
        &["ofs-delta"],
    ] {
        asked.extend(alternatives.iter().copied().find(|name| adv.has(name)));
    }
    if !asked.iter().any(|name| name.starts_with("side-band")) {
        return Err(Error::unsupported(
            "the server offers no side-band, so its errors could not be told from data",
        ));
    }
    let mut out = Vec::new();
    let mut capabilities = format!(" {}", asked.join(" "));
    for id in wants {
        pkt::push(&mut out, &format!("want {id}{capabilities}\n"));
        capabilities.clear();
    }
    out.extend_from_slice(pkt::FLUSH);
    for id in haves {
        pkt::push(&mut out, &format!("have {id}\n"));
    }
    pkt::push(&mut out, "done\n");
    Ok(out)
}

fn v2(adv: &Advertisement, wants: &[Oid], haves: &[Oid]) -> Vec<u8> {
    let mut out = command(adv, "fetch");
    for argument in ["no-progress\n", "ofs-delta\n"] {
        pkt::push(&mut out, argument);
    }
    for id in wants {
        pkt::push(&mut out, &format!("want {id}\n"));
    }
    for id in haves {
        pkt::push(&mut out, &format!("have {id}\n"));
    }
    pkt::push(&mut out, "done\n");
    out.extend_from_slice(pkt::FLUSH);
    out
}

/// The request of version 2 that lists refs.
pub(super) fn list_refs(adv: &Advertisement) -> Vec<u8> {
    let mut out = command(adv, "ls-refs");
    pkt::push(&mut out, "symrefs\n");
    if adv.capabilities.iter().any(|name| {
        name.strip_prefix("ls-refs=")
            .is_some_and(|features| features.split(' ').any(|f| f == "unborn"))
    }) {
        pkt::push(&mut out, "unborn\n");
    }
    out.extend_from_slice(pkt::FLUSH);
    out
}

fn command(adv: &Advertisement, name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    pkt::push(&mut out, &format!("command={name}\n"));
    if adv.has("object-format=sha1") {
        pkt::push(&mut out, "object-format=sha1\n");
    }
    out.extend_from_slice(pkt::DELIMITER);
    out
}

/// Compresses what git itself would compress: requests above 1 KB.
pub(super) fn compressed(body: &[u8]) -> Result<Option<Vec<u8>>> {
    if body.len() <= 1024 {
        return Ok(None);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(body).and_then(|()| encoder.finish());
    packed
        .map(Some)
        .map_err(|error| Error::malformed("a request could not be compressed").caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::HASH;

    fn id(n: u16) -> Oid {
        let mut id = Oid::null(HASH);
        id.as_mut_slice()[..2].copy_from_slice(&n.to_be_bytes());
        id
    }

    fn adv(protocol: Protocol, capabilities: &[&str]) -> Advertisement {
        Advertisement {
            protocol,
            capabilities: capabilities.iter().map(|&c| c.to_owned()).collect(),
            ..Advertisement::default()
        }
    }

    #[test]
    fn moved_and_deleted_tips_are_announced_first() {
        let stored = BTreeMap::from([
            ("refs/heads/same".to_owned(), id(1)),
            ("refs/heads/moved".to_owned(), id(2)),
            ("refs/pull/1/merge".to_owned(), id(3)),
            ("refs/tags/same".to_owned(), id(4)),
            ("refs/tags/twice".to_owned(), id(2)),
        ]);
        let now = BTreeMap::from([
            ("refs/heads/same".to_owned(), id(1)),
            ("refs/heads/moved".to_owned(), id(9)),
            ("refs/tags/same".to_owned(), id(4)),
        ]);
        assert_eq!(haves(&stored, &now), [id(2), id(3), id(1), id(4)]);
    }

    #[test]
    fn at_most_256_tips_are_announced() {
        let stored: BTreeMap<_, _> = (1..1000)
            .map(|n| (format!("refs/heads/{n}"), id(n)))
            .collect();
        assert_eq!(haves(&stored, &stored).len(), 256);
    }

    #[test]
    fn only_offered_capabilities_are_asked_for_and_never_thin_packs() {
        let server = adv(
            Protocol::V0,
            &[
                "multi_ack",
                "thin-pack",
                "side-band",
                "side-band-64k",
                "no-progress",
                "multi_ack_detailed",
                "no-done",
                "shallow",
                "include-tag",
            ],
        );
        let body = String::from_utf8(body(&server, &[id(1), id(2)], &[id(3)]).unwrap()).unwrap();
        let expected = format!(
            "005fwant {} multi_ack_detailed side-band-64k no-progress\n0032want {}\n00000032have {}\n0009done\n",
            id(1),
            id(2),
            id(3)
        );
        assert_eq!(body, expected);
    }

    #[test]
    fn a_server_without_side_band_is_refused() {
        assert_eq!(
            body(&adv(Protocol::V0, &["multi_ack"]), &[id(1)], &[])
                .unwrap_err()
                .class,
            model::Class::Unsupported
        );
    }

    #[test]
    fn version_2_never_asks_for_thin_packs() {
        let body = String::from_utf8(
            body(
                &adv(Protocol::V2, &["fetch=shallow", "object-format=sha1"]),
                &[id(1)],
                &[id(2)],
            )
            .unwrap(),
        )
        .unwrap();
        assert!(
            body.starts_with("0012command=fetch\n0017object-format=sha1\n0001"),
            "{body}"
        );
        assert!(
            body.ends_with("0009done\n0000")
                && !body.contains("thin-pack")
                && !body.contains("include-tag"),
            "{body}"
        );
    }
}
