//! Keys and config: from their second copies, from each other, or anew.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use model::Secret;
use object_store::ObjectStore;

use super::{RepairReport, unless_damaged};
use crate::check::read_lock;
use crate::config::{self, Config};
use crate::crypto::{Cipher, KeyBytes};
use crate::files::Files;
use crate::lock::STALE;
use crate::{Error, FileKind, Id, InitOptions, Repository, Result, key};

const KIND: FileKind = FileKind::Key;

impl Repository {
    /// Brings back key files and the config, and removes locks that nobody can read. The password must open at least one key, be it by its second copy.
    ///
    /// If the config is lost with its copy, a new one gets the repository's `id` as the caller knows it, or a new one.
    pub async fn repair_access(
        store: Arc<dyn ObjectStore>,
        password: &Secret,
        by: &InitOptions,
        id: Option<Id>,
        dry_run: bool,
    ) -> Result<RepairReport> {
        let files = Files::new(store);
        if !key::any(&files).await? && files.read_config().await?.is_none() {
            return Err(Error::NotFound(files.place()));
        }
        let (opened_by, master) = key::open(&files, password).await?;
        let mut repair = Keys {
            files: &files,
            password,
            by,
            opened_by,
            master: &master,
            report: RepairReport::new(dry_run),
        };
        repair.run().await?;
        let (mut report, cipher) = (repair.report, Cipher::new(&master));
        repair_config(&files, &cipher, id, &mut report).await?;
        repair_locks(&files, &cipher, by.created, &mut report).await?;
        Ok(report)
    }
}

struct Keys<'a> {
    files: &'a Files,
    password: &'a Secret,
    by: &'a InitOptions,
    opened_by: Id,
    master: &'a KeyBytes,
    report: RepairReport,
}

impl Keys<'_> {
    async fn run(&mut self) -> Result<()> {
        let listed = |files: Vec<crate::files::Listed>| files.into_iter().map(|file| file.id);
        let here: BTreeSet<Id> = listed(self.files.list(KIND).await?).collect();
        let copied: BTreeSet<Id> = listed(self.files.list_copies(KIND).await?).collect();
        let (mut misplaced, mut elsewhere) = (HashMap::new(), HashMap::new());
        for id in &here {
            let Some(bytes) = unless_damaged(self.files.read_unverified(KIND, *id).await)? else {
                continue;
            };
            let content = Id::of(&bytes);
            if content != *id {
                misplaced.insert(content, bytes);
                elsewhere.insert(*id, content);
            }
        }
        let mut beyond_repair = Vec::new();
        for id in here.union(&copied) {
            let original = unless_damaged(self.files.read_original(KIND, *id).await)?;
            let copy = unless_damaged(self.files.read_copy(KIND, *id).await)?;
            match (original, copy.or_else(|| misplaced.get(id).cloned())) {
                (Some(original), copy) if !copied.contains(id) || copy.is_none() => {
                    self.write(*id, original, "its second copy was written").await?;
                }
                (Some(_), _) => {}
                (None, Some(bytes)) if here.contains(id) || here.is_empty() => {
                    self.write(*id, bytes, "written again from its second copy").await?;
                }
                (None, Some(bytes)) if misplaced.contains_key(id) => {
                    self.write(*id, bytes, "its content lay under another name").await?;
                }
                (None, Some(_)) => self.report.lost(
                    KIND.path(*id),
                    "it was lost or another program removed it: it is not brought back, since its password may be revoked; \
                     `keepward repository key remove` drops its second copy",
                ),
                (None, None) => beyond_repair.push(*id),
            }
        }
        // What takes their place is written by now.
        for id in beyond_repair {
            match elsewhere.get(&id) {
                Some(content) if here.contains(content) || copied.contains(content) => {
                    let what = format!("its content is that of {}: it goes", KIND.path(*content));
                    self.report.repaired(KIND.path(id), what);
                    self.remove(id).await?;
                }
                _ => self.replace(id).await?,
            }
        }
        Ok(())
    }

    async fn write(&mut self, id: Id, bytes: Bytes, what: &str) -> Result<()> {
        self.report.repaired(KIND.path(id), what);
        if self.report.dry_run {
            return Ok(());
        }
        self.files.write(KIND, id, bytes).await
    }

    /// A file that nothing can bring back: its password gets a new one if we have it, and must be added again if not.
    async fn replace(&mut self, id: Id) -> Result<()> {
        let at = KIND.path(id);
        let ours = id == self.opened_by;
        let by = (self.by.hostname.as_str(), self.by.username.as_str());
        if ours {
            self.report
                .repaired(&at, "replaced by a new key file for the same password");
        } else {
            let what = "it is damaged beyond repair and goes; add its password again: `keepward repository key add`";
            self.report.lost(&at, what);
        }
        if self.report.dry_run {
            return Ok(());
        }
        if ours {
            key::add(self.files, self.master, self.password, by, self.by.created).await?;
        }
        self.remove(id).await
    }

    async fn remove(&self, id: Id) -> Result<()> {
        if self.report.dry_run {
            return Ok(());
        }
        self.files.remove(KIND, id).await
    }
}

/// Whoever holds a lock replaces its file every few minutes: one that is damaged and old has no holder.
async fn repair_locks(
    files: &Files,
    cipher: &Cipher,
    now: Timestamp,
    report: &mut RepairReport,
) -> Result<()> {
    let kind = FileKind::Lock;
    for file in files.list(kind).await? {
        if unless_damaged(read_lock(files, cipher, file.id).await)?.is_some() {
            continue;
        }
        if now.duration_since(file.modified) <= STALE {
            let what = "it is damaged, and its holder may be at work: repair again in half an hour";
            report.lost(kind.path(file.id), what);
            continue;
        }
        report.repaired(kind.path(file.id), "the lock is damaged, old, and goes");
        if !report.dry_run {
            files.remove(kind, file.id).await?;
        }
    }
    Ok(())
}

async fn repair_config(
    files: &Files,
    cipher: &Cipher,
    id: Option<Id>,
    report: &mut RepairReport,
) -> Result<()> {
    let open = |sealed: Option<Bytes>| {
        sealed.and_then(|sealed| {
            Config::open(cipher, &sealed)
                .ok()
                .map(|config| (config, sealed))
        })
    };
    let original = open(unless_damaged(files.read_config().await)?.flatten());
    let copy = open(unless_damaged(files.read_config_copy().await)?.flatten());
    let (bytes, what) = match (original, copy) {
        (Some((config, _)), Some((copied, _))) if config == copied => return Ok(()),
        (Some((_, bytes)), _) => (bytes, "its second copy was written"),
        (None, Some((_, bytes))) => (bytes, "written again from its second copy"),
        (None, None) => {
            // A config of another version of the format is not damaged.
            unless_damaged(config::load(files, cipher).await)?;
            let config = id.map_or_else(Config::random, Config::of);
            let what = if id.is_some() {
                "made anew with the repository's id; restic will cut new content at other places"
            } else {
                "made anew with a new id; restic will cut new content at other places"
            };
            (config.seal(cipher)?.into(), what)
        }
    };
    report.repaired("config", what);
    if report.dry_run {
        return Ok(());
    }
    files.replace_config(bytes).await
}
