//! One pack in place of many, made of what is stored and fetched alone: the service is not asked.

use std::path::{Path, PathBuf};

use model::ItemRef;
use tokio::fs;

use super::advertisement::Advertisement;
use super::fetch::disk;
use super::obtain::{Gain, prove};
use super::process::{git_in, listed, run_with};
use super::restore::bare;
use super::state::State;
use super::{Oid, Packs};
use crate::{Error, Result, Stored};

/// Stored packs and the one that was fetched in this run, laid out for git.
pub(super) struct Workshop {
    bare: PathBuf,
    tips: Vec<u8>,
    /// Of all packs.
    bytes: u64,
}

impl Workshop {
    pub(super) async fn open(
        stored: &dyn Stored,
        item: &ItemRef,
        state: &State,
        gain: &Gain,
        work: &Path,
    ) -> Result<Self> {
        let bare = bare(stored, item, work).await?;
        let mut bytes = state.packs.values().sum();
        if let Some(pack) = &gain.pack {
            for (from, ending) in [(&pack.pack, "pack"), (&pack.idx, "idx")] {
                let to = bare.join(format!("objects/pack/{}.{ending}", pack.name));
                fs::hard_link(from, &to).await.map_err(|e| disk(&to, e))?;
            }
            bytes += fs::metadata(&pack.pack)
                .await
                .map_err(|e| disk(&pack.pack, e))?
                .len();
        }
        Ok(Self {
            bare,
            tips: listed(&gain.adv.tips()),
            bytes,
        })
    }

    /// How many percent of the bytes in all packs are reached by no ref.
    pub(super) async fn waste(&self) -> Result<u64> {
        let command = git_in(
            &self.bare,
            &["rev-list", "--objects", "--disk-usage", "--stdin"],
        );
        let printed = run_with(command, &self.tips).await?;
        let reached: u64 = std::str::from_utf8(&printed)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| Error::malformed("git printed no number of bytes"))?;
        Ok(self.bytes.saturating_sub(reached) * 100 / self.bytes.max(1))
    }

    /// Makes a pack of all that the refs reach, and proves it as if it had come from a server.
    pub(super) async fn one(self, adv: &Advertisement, work: &Path) -> Result<Gain> {
        let prefix = work.join("whole");
        let mut command = git_in(
            &self.bare,
            &["pack-objects", "--revs", "--delta-base-offset", "--quiet"],
        );
        command.arg(&prefix);
        let printed = run_with(command, &self.tips).await?;
        let name = std::str::from_utf8(&printed)
            .ok()
            .map(str::trim)
            .filter(|name| Oid::from_hex(name.as_bytes()).is_ok())
            .ok_or_else(|| Error::malformed("git printed no name of a pack"))?;
        fs::remove_dir_all(&self.bare)
            .await
            .map_err(|e| disk(&self.bare, e))?;
        let pack = work.join(format!("whole-{name}.pack"));
        let (pack, proof) = prove(Some(&pack), &Packs::default(), &adv.tips(), work).await?;
        Ok(Gain {
            adv: adv.clone(),
            pack,
            proof,
            whole: true,
        })
    }
}
