//! What a server says that it has: refs, HEAD and capabilities (gitprotocol-pack, gitprotocol-v2).

use std::collections::{BTreeMap, BTreeSet};

use super::pkt::{Frames, Pkt};
use super::{HASH, Oid, oid, refname};
use crate::{Error, Result};

/// The version that the server answered in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// One request lists all refs. All that Azure DevOps speaks.
    #[default]
    V0,
    /// Refs are listed by a request of their own.
    V2,
}

/// The refs of a repository at one moment.
#[derive(Clone, Debug, Default)]
pub struct Advertisement {
    /// The branch that HEAD points to; `None` for a detached HEAD or where the server tells none (an empty repository).
    pub head: Option<String>,
    /// Full names, every one of them valid for git; HEAD and peeled tags are not among them.
    pub refs: BTreeMap<String, Oid>,
    /// Where HEAD stands, when it is not unborn.
    pub head_id: Option<Oid>,
    pub protocol: Protocol,
    pub(super) capabilities: BTreeSet<String>,
}

impl Advertisement {
    /// Every object that must be stored, each once.
    pub fn tips(&self) -> BTreeSet<Oid> {
        self.refs.values().copied().chain(self.head_id).collect()
    }

    pub(super) fn has(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// Reads the answer to `info/refs`; of version 2 it holds capabilities and no refs yet.
    pub(super) fn parse(answer: &[u8]) -> Result<Self> {
        let mut this = Self::default();
        let mut frames = Frames::new(answer);
        let Some(first) = frames.next().transpose()? else {
            return Err(super::pkt::cut_short());
        };
        let mut line = first.line();
        if line.is_some_and(|line| line.starts_with(b"# service=")) {
            if !matches!(frames.next().transpose()?, Some(Pkt::Flush)) {
                return Err(Error::malformed(
                    "the service line of the refs is not followed by a flush",
                ));
            }
            // Azure DevOps ends the answer for an empty repository here or with a second flush.
            line = match frames.next().transpose()? {
                Some(frame) => frame.line(),
                None => return Ok(this),
            };
        }
        if line == Some(b"version 2") {
            this.protocol = Protocol::V2;
            for frame in frames {
                if let Some(line) = frame?.line() {
                    this.capability(line)?;
                }
            }
            return Ok(this);
        }
        if line == Some(b"version 1") {
            line = frames.next().transpose()?.and_then(|frame| frame.line());
        }
        let mut first = true;
        while let Some(text) = line {
            this.v0_ref(text, first)?;
            first = false;
            line = match frames.next().transpose()? {
                Some(frame) => frame.line(),
                None => return Err(super::pkt::cut_short()),
            };
        }
        Ok(this)
    }

    fn capability(&mut self, name: &[u8]) -> Result<()> {
        let name = String::from_utf8_lossy(name);
        if let Some(format) = name.strip_prefix("object-format=")
            && format != "sha1"
        {
            return Err(Error::unsupported(format!(
                "its objects are named by {format:?}, and only sha1 is known"
            )));
        }
        if let Some(target) = name.strip_prefix("symref=HEAD:") {
            self.point_head(target)?;
        }
        self.capabilities.insert(name.into_owned());
        Ok(())
    }

    fn point_head(&mut self, target: &str) -> Result<()> {
        if !refname::is_valid(target) {
            return Err(refuse(target.as_bytes()));
        }
        self.head = Some(target.to_owned());
        Ok(())
    }

    fn v0_ref(&mut self, line: &[u8], first: bool) -> Result<()> {
        let mut line = line;
        if first && let Some(at) = line.iter().position(|b| *b == 0) {
            for name in line[at + 1..]
                .split(|b| *b == b' ')
                .filter(|name| !name.is_empty())
            {
                self.capability(name)?;
            }
            line = &line[..at];
        }
        if line.starts_with(b"shallow ") {
            return Ok(());
        }
        let (id, name) = split(line)?;
        if name == b"capabilities^{}" || name.ends_with(b"^{}") {
            return Ok(());
        }
        self.insert(id, name)
    }

    /// One line of the answer to `ls-refs`: `<id> <name>[ <attribute>]*`.
    pub(super) fn v2_ref(&mut self, line: &[u8]) -> Result<()> {
        let mut words = line.split(|b| *b == b' ');
        let (Some(id), Some(name)) = (words.next(), words.next()) else {
            return Err(not_a_ref(line));
        };
        if name == b"HEAD" {
            for target in words.filter_map(|word| word.strip_prefix(b"symref-target:")) {
                self.point_head(&String::from_utf8_lossy(target))?;
            }
        }
        if id == b"unborn" {
            return Ok(());
        }
        self.insert(oid(id).ok_or_else(|| not_a_ref(line))?, name)
    }

    fn insert(&mut self, id: Oid, name: &[u8]) -> Result<()> {
        if id == Oid::null(HASH) {
            return Err(not_a_ref(name));
        }
        if name == b"HEAD" {
            self.head_id = Some(id);
            return Ok(());
        }
        let text = std::str::from_utf8(name)
            .ok()
            .filter(|text| refname::is_valid(text))
            .ok_or_else(|| refuse(name))?;
        if self
            .refs
            .insert(text.to_owned(), id)
            .is_some_and(|before| before != id)
        {
            return Err(Error::malformed(format!(
                "the ref {} is listed twice",
                refname::shown(name)
            )));
        }
        Ok(())
    }
}

fn split(line: &[u8]) -> Result<(Oid, &[u8])> {
    let (id, name) = line.split_at_checked(41).ok_or_else(|| not_a_ref(line))?;
    match (id.strip_suffix(b" ").and_then(oid), name.is_empty()) {
        (Some(id), false) => Ok((id, name)),
        _ => Err(not_a_ref(line)),
    }
}

fn not_a_ref(line: &[u8]) -> Error {
    Error::malformed(format!(
        "the list of refs holds a line that is none: {}",
        refname::shown(line)
    ))
}

fn refuse(name: &[u8]) -> Error {
    Error::malformed(format!("the server lists a ref whose name git forbids: {}", refname::shown(name)))
        .hinted("Rename or delete this ref at the service; the repository's previous state is kept meanwhile.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "1111111111111111111111111111111111111111";
    const B: &str = "2222222222222222222222222222222222222222";

    fn answer(lines: &[&str]) -> Vec<u8> {
        let mut out = b"001e# service=git-upload-pack\n0000".to_vec();
        for line in lines {
            super::super::pkt::push(&mut out, line);
        }
        out.extend_from_slice(b"0000");
        out
    }

    #[test]
    fn azure_devops_advertisement_gives_refs_head_and_capabilities() {
        let head = format!(
            "{A} HEAD\0 multi_ack thin-pack side-band-64k no-done symref=HEAD:refs/heads/main\n"
        );
        let adv = Advertisement::parse(&answer(&[
            &head,
            &format!("{A} refs/heads/main\n"),
            &format!("{B} refs/tags/v1\n"),
            &format!("{A} refs/tags/v1^{{}}\n"),
        ]))
        .unwrap();
        assert_eq!(adv.head.as_deref(), Some("refs/heads/main"));
        assert_eq!(
            adv.refs.keys().collect::<Vec<_>>(),
            ["refs/heads/main", "refs/tags/v1"]
        );
        assert!(adv.has("multi_ack") && adv.has("side-band-64k") && !adv.has("ofs-delta"));
        assert_eq!(adv.tips().len(), 2);
    }

    #[test]
    fn an_empty_repository_has_no_refs_in_every_form() {
        for empty in [
            &b"001e# service=git-upload-pack\n0000"[..],
            b"001e# service=git-upload-pack\n00000000",
            b"0000",
        ] {
            assert!(Advertisement::parse(empty).unwrap().refs.is_empty());
        }
        let adv = Advertisement::parse(&answer(&[&format!(
            "{} capabilities^{{}}\0 multi_ack\n",
            "0".repeat(40)
        )]))
        .unwrap();
        assert!(adv.refs.is_empty() && adv.head_id.is_none() && adv.has("multi_ack"));
    }

    #[test]
    fn hostile_names_of_refs_and_of_head_are_refused() {
        for name in [
            "refs/heads/a\nb",
            "refs/heads/../x",
            "refs/heads/\x1b[2J",
            "config",
            "refs/heads/a b",
        ] {
            let error =
                Advertisement::parse(&answer(&[&format!("{A} {name}\0 multi_ack\n")])).unwrap_err();
            assert_eq!(error.code, "answer-not-understood", "{name:?}");
            assert!(!error.message.contains(|c: char| c.is_control()));
        }
        assert!(
            Advertisement::parse(&answer(&[&format!("{A} HEAD\0symref=HEAD:../config\n")]))
                .is_err()
        );
    }

    #[test]
    fn lines_that_are_no_refs_are_refused() {
        for line in [
            "xyz",
            "",
            &format!("{A}refs/heads/x"),
            &format!("{A} "),
            &format!("{} refs/heads/x", "0".repeat(40)),
        ] {
            assert!(Advertisement::parse(&answer(&[line])).is_err(), "{line:?}");
        }
    }

    #[test]
    fn an_advertisement_without_its_end_was_cut_short() {
        let mut cut = answer(&[&format!("{A} refs/heads/x\0 multi_ack\n")]);
        cut.truncate(cut.len() - 4);
        assert_eq!(
            Advertisement::parse(&cut).unwrap_err().code,
            "answer-cut-short"
        );
    }

    #[test]
    fn another_object_format_is_unsupported() {
        let error =
            Advertisement::parse(&answer(&["version 2\n", "object-format=sha256\n"])).unwrap_err();
        assert_eq!(error.class, model::Class::Unsupported);
    }
}
