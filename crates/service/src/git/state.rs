//! The stored repository: what the parts of an item say, and how they are written.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use model::ItemRef;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::advertisement::Advertisement;
use super::fetch::disk;
use super::lfs::{self, Pointer};
use super::upkeep::{self, Record};
use super::{Oid, Packs, oid, refname};
use crate::{Error, Result, Stored};

pub(super) const HEAD: &str = "HEAD";
pub(super) const PACKED_REFS: &str = "packed-refs";
pub(super) const CONFIG: (&str, &[u8]) = (
    "config",
    b"[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
);
/// Git wants these folders even when nothing is in them, and folders come with their files. It takes no notice of names with this ending.
pub(super) const FOLDERS: [(&str, &[u8]); 2] =
    [("objects/keep.lock", b""), ("refs/keep.lock", b"")];
const PACK_FOLDER: &str = "objects/pack/";

/// An item's parts in a snapshot.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The item has refs, even if it is a list of none.
    pub(super) known: bool,
    /// As written; empty when there is none.
    pub(super) head: String,
    pub(super) refs: BTreeMap<String, Oid>,
    /// Names (`pack-<sha1>`) of packs that have an index, with their bytes.
    pub(super) packs: BTreeMap<String, u64>,
    /// Packs without an index and indexes without a pack, by the names of their parts.
    pub(super) halves: Vec<String>,
    /// A pack without its index, an index without its pack, or refs without packs: nothing here may be announced.
    pub(super) damaged: bool,
    /// Sizes of stored LFS objects.
    pub(super) lfs: BTreeMap<String, u64>,
    pub(super) lfs_missing: Vec<Pointer>,
    /// When the packs were looked after.
    pub(super) record: Record,
}

impl State {
    pub(super) async fn load(stored: &dyn Stored, item: &ItemRef) -> Result<Self> {
        let mut this = Self::default();
        let mut halves: BTreeMap<String, (Option<u64>, bool)> = BTreeMap::new();
        let (mut lists_missing, mut has_record) = (false, false);
        for part in stored.parts(item).await? {
            if let Some((name, ending)) = part
                .name
                .strip_prefix(PACK_FOLDER)
                .and_then(|file| file.rsplit_once('.'))
            {
                let half = halves.entry(name.to_owned()).or_default();
                match ending {
                    "pack" => half.0 = Some(part.size),
                    "idx" => half.1 = true,
                    _ => {}
                }
            } else if let Some(oid) = lfs::oid_of(&part.name) {
                this.lfs.insert(oid.to_owned(), part.size);
            } else if part.name == lfs::MISSING {
                lists_missing = true;
            } else if part.name == upkeep::RECORD {
                has_record = true;
            }
        }
        for (name, half) in halves {
            match half {
                (Some(bytes), true) => _ = this.packs.insert(name, bytes),
                (Some(_), false) => this.halves.push(pack_part(&name)),
                (None, _) => this.halves.push(idx_part(&name)),
            }
        }
        this.damaged = !this.halves.is_empty();
        if let Some(refs) = stored.part(item, PACKED_REFS).await? {
            this.refs = parse_refs(&refs)?;
            this.known = true;
        }
        if let Some(head) = stored.part(item, HEAD).await? {
            this.head = String::from_utf8_lossy(&head).into_owned();
        }
        if has_record && let Some(record) = stored.part(item, upkeep::RECORD).await? {
            this.record = Record::read(&record)?;
        }
        if lists_missing && let Some(list) = stored.part(item, lfs::MISSING).await? {
            this.lfs_missing = Pointer::list(&list);
        }
        this.damaged |= !this.refs.is_empty() && this.packs.is_empty();
        Ok(this)
    }

    pub(super) fn equals(&self, adv: &Advertisement) -> bool {
        self.known && !self.damaged && self.refs == adv.refs && self.head == self.head_for(adv)
    }

    /// What `HEAD` is to say; a service that tells nothing leaves it as it was.
    pub(super) fn head_for(&self, adv: &Advertisement) -> String {
        if let Some(target) = &adv.head {
            return format!("ref: {target}\n");
        }
        if let Some(id) = adv.head_id {
            // Old servers do not say which branch it is.
            let usual = ["refs/heads/main", "refs/heads/master"]
                .into_iter()
                .find(|name| adv.refs.get(*name) == Some(&id));
            return usual.map_or_else(|| format!("{id}\n"), |name| format!("ref: {name}\n"));
        }
        if self.head.is_empty() {
            "ref: refs/heads/main\n".to_owned()
        } else {
            self.head.clone()
        }
    }

    /// The branch that HEAD names.
    pub(super) fn head_branch(&self) -> Option<&str> {
        self.head.trim_end().strip_prefix("ref: ")
    }

    /// Opens the indexes of all stored packs, copied into `folder`.
    pub(super) async fn indexes(
        &self,
        stored: &dyn Stored,
        item: &ItemRef,
        folder: &Path,
    ) -> Result<Packs> {
        let mut paths = Vec::new();
        for name in self.packs.keys() {
            let path = folder.join(format!("{name}.idx"));
            copy(stored, item, &idx_part(name), &path).await?;
            paths.push(path);
        }
        tokio::task::spawn_blocking(move || Packs::open(paths))
            .await
            .map_err(|error| Error::storage("an index of a pack cannot be read").caused_by(error))?
    }
}

pub(super) fn pack_part(name: &str) -> String {
    format!("{PACK_FOLDER}{name}.pack")
}

pub(super) fn idx_part(name: &str) -> String {
    format!("{PACK_FOLDER}{name}.idx")
}

/// Writes a part to a file.
pub(super) async fn copy(stored: &dyn Stored, item: &ItemRef, part: &str, to: &Path) -> Result<()> {
    let mut file = File::create(to).await.map_err(|e| disk(to, e))?;
    stored.copy(item, part, &mut file).await?;
    file.flush().await.map_err(|e| disk(to, e))
}

/// The file `packed-refs`. It does not say that tags are peeled, so git looks for itself.
pub(super) fn render_refs(refs: &BTreeMap<String, Oid>) -> Vec<u8> {
    let mut out = String::from("# pack-refs with: sorted \n");
    for (name, id) in refs {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{id} {name}");
    }
    out.into_bytes()
}

pub(super) fn parse_refs(file: &[u8]) -> Result<BTreeMap<String, Oid>> {
    let text = std::str::from_utf8(file)
        .map_err(|error| Error::storage("the stored packed-refs are not text").caused_by(error))?;
    let mut refs = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with(['#', '^'])) {
        let found = line
            .split_once(' ')
            .and_then(|(id, name)| Some((oid(id.as_bytes())?, name)))
            .filter(|(_, name)| refname::is_valid(name));
        let (id, name) = found.ok_or_else(|| {
            Error::storage(format!(
                "the stored packed-refs hold a line that is none: {}",
                refname::shown(line.as_bytes())
            ))
        })?;
        refs.insert(name.to_owned(), id);
    }
    Ok(refs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::HASH;

    #[test]
    fn packed_refs_come_back_as_they_were_written() {
        let refs = BTreeMap::from([
            ("refs/heads/ü".to_owned(), Oid::empty_tree(HASH)),
            ("refs/tags/v1".to_owned(), Oid::empty_blob(HASH)),
        ]);
        assert_eq!(parse_refs(&render_refs(&refs)).unwrap(), refs);
        assert_eq!(
            parse_refs(&render_refs(&BTreeMap::new())).unwrap(),
            BTreeMap::new()
        );
    }

    #[test]
    fn peeled_lines_of_git_are_read_over() {
        let id = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
        let file =
            format!("# pack-refs with: peeled fully-peeled sorted \n{id} refs/tags/v1\n^{id}\n");
        assert_eq!(parse_refs(file.as_bytes()).unwrap().len(), 1);
        assert!(parse_refs(format!("{id} ../config\n").as_bytes()).is_err());
        assert!(parse_refs(b"nonsense\n").is_err());
    }

    #[test]
    fn head_follows_the_server_and_else_stays() {
        let id = Oid::empty_tree(HASH);
        let old = State {
            head: "ref: refs/heads/old\n".to_owned(),
            ..State::default()
        };
        let mut adv = Advertisement::default();
        assert_eq!(State::default().head_for(&adv), "ref: refs/heads/main\n");
        assert_eq!(old.head_for(&adv), "ref: refs/heads/old\n");
        adv.head_id = Some(id);
        assert_eq!(old.head_for(&adv), format!("{id}\n"));
        adv.refs.insert("refs/heads/master".to_owned(), id);
        assert_eq!(old.head_for(&adv), "ref: refs/heads/master\n");
        adv.head = Some("refs/heads/x".to_owned());
        assert_eq!(old.head_for(&adv), "ref: refs/heads/x\n");
    }
}
