//! What an object refers to. As lenient as git: old repositories hold objects that strict parsers refuse.

use gix_object::Kind;

use crate::git::Oid;

/// Calls `found` with each id that `data` needs; `None` when the object makes no sense.
pub(super) fn each(kind: Kind, data: &[u8], found: &mut dyn FnMut(Oid)) -> Option<()> {
    match kind {
        Kind::Blob => Some(()),
        Kind::Tree => tree(data, found),
        Kind::Commit => {
            let (id, mut rest) = header(data, b"tree ")?;
            found(id);
            while let Some((id, next)) = header(rest, b"parent ") {
                found(id);
                rest = next;
            }
            Some(())
        }
        Kind::Tag => {
            let (id, _) = header(data, b"object ")?;
            found(id);
            Some(())
        }
    }
}

/// `<name> <id>\n`, and what follows.
fn header<'a>(data: &'a [u8], name: &[u8]) -> Option<(Oid, &'a [u8])> {
    let (hex, rest) = data.strip_prefix(name)?.split_at_checked(40)?;
    Some((Oid::from_hex(hex).ok()?, rest.strip_prefix(b"\n")?))
}

/// `<octal mode> <name>\0<20 bytes>`, again and again.
fn tree(mut data: &[u8], found: &mut dyn FnMut(Oid)) -> Option<()> {
    while !data.is_empty() {
        let space = data.iter().position(|b| *b == b' ')?;
        let mode = data[..space].iter().try_fold(0_u32, |mode, b| {
            matches!(b, b'0'..=b'7').then(|| (mode << 3) | u32::from(b - b'0'))
        })?;
        let name = &data[space + 1..];
        let (id, rest) = name[name.iter().position(|b| *b == 0)? + 1..].split_at_checked(20)?;
        if mode & 0o170_000 != 0o160_000 {
            found(Oid::from_bytes_or_panic(id));
        }
        data = rest;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: Kind, data: &[u8]) -> Option<Vec<String>> {
        let mut ids = Vec::new();
        each(kind, data, &mut |id| {
            ids.push(id.to_string()[..2].to_owned());
        })
        .map(|()| ids)
    }

    #[test]
    fn commits_need_their_tree_and_parents_only() {
        let [a, b, c] = ["aa", "bb", "cc"].map(|x| x.repeat(20));
        let commit = format!("tree {a}\nparent {b}\nparent {c}\nauthor x\n\nparent {a}\n");
        assert_eq!(
            found(Kind::Commit, commit.as_bytes()).unwrap(),
            ["aa", "bb", "cc"]
        );
        assert_eq!(
            found(Kind::Tag, format!("object {b}\ntype tag\n").as_bytes()).unwrap(),
            ["bb"]
        );
    }

    #[test]
    fn trees_need_all_entries_but_submodules() {
        let mut tree = Vec::new();
        for (mode, byte) in [
            ("100644", 0xaa),
            ("160000", 0xbb),
            ("40000", 0xcc),
            ("040000", 0xdd),
            ("120000", 0x00),
        ] {
            tree.extend_from_slice(format!("{mode} a b\0").as_bytes());
            tree.extend_from_slice(&[byte; 20]);
        }
        assert_eq!(found(Kind::Tree, &tree).unwrap(), ["aa", "cc", "dd", "00"]);
        assert_eq!(found(Kind::Tree, b"").unwrap(), [""; 0]);
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (kind, data) in [
            (Kind::Commit, &b"tree abc\n"[..]),
            (Kind::Commit, b""),
            (Kind::Tag, b"type tag\n"),
            (Kind::Tree, b"100644 a"),
            (Kind::Tree, b"100644 a\0short"),
            (Kind::Tree, b"9 a\0aaaaaaaaaaaaaaaaaaaa"),
        ] {
            assert!(found(kind, data).is_none(), "{data:?}");
        }
    }
}
