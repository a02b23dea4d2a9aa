//! What is promised for stores that do not keep their word.
//!
//! The writer looks whether a pack is there that the store acknowledged, and reads nothing back: what is lost afterwards is found by whoever reads
//! it, or by `check`. Until then, and afterwards, nothing wrong is taken for good data. A write that was torn was never acknowledged: the repair
//! of what `check` names costs no data. Of what was acknowledged and lost, the next backup brings back what the service still has: it relies on no
//! blob that the repaired index does not have, and after a repair it reads everything anew.

use std::collections::BTreeSet;
use std::fmt::Display;

use fault_store::Strike;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use repository::{CheckOptions, CheckReport, ProblemKind, ReadData, Repository, SnapshotId};

use crate::machine::Machine;
use crate::site::{Place, Site};

fn text(error: impl Display) -> String {
    error.to_string()
}

impl Machine {
    /// Repairs what the last step left damaged, which takes a torn write or one of the `lost` files. Returns the snapshots that may be gone.
    pub(crate) fn mend(
        &mut self,
        lost: &[Path],
        strikes: &[Strike],
        forgettable: &BTreeSet<SnapshotId>,
    ) -> Result<BTreeSet<SnapshotId>, String> {
        if !lost.is_empty() {
            self.count("writes lost");
        }
        let torn = strikes
            .iter()
            .any(|strike| strike.fault.ends_with("half way"));
        if lost
            .iter()
            .any(|path| path.as_ref().starts_with("main/snapshots/"))
        {
            self.count("snapshot lost");
        }
        let (site, model) = (&self.site, &self.model);
        let (harmed, report) = site.calmly(async {
            let repository = site.open(Place::Main).await.map_err(text)?;
            let harmed = model.harmed(&repository, forgettable).await?;
            Ok::<_, String>((harmed, site.check(&repository).await?))
        })?;
        if report.is_clean() {
            return if harmed.is_empty() {
                Ok(harmed)
            } else {
                Err(format!(
                    "check finds nothing, and {harmed:?} cannot be read"
                ))
            };
        }
        self.count("damage named");
        if lost.is_empty() && !torn {
            return Err(format!("check without damage: {:?}", report.problems));
        }
        if lost.is_empty() && !harmed.is_empty() {
            return Err(format!("a torn write has harmed {harmed:?}"));
        }
        self.site.calmly(self.site.repair(&report))?;
        self.count("repaired");
        self.site.pass_half_an_hour();
        let (site, model, service) = (&self.site, &mut self.model, &self.service);
        site.calmly(async {
            let repository = site.open(Place::Main).await.map_err(text)?;
            let report = site.check(&repository).await?;
            if !report.is_clean() {
                return Err(format!("check after the repair: {:?}", report.problems));
            }
            if !lost.is_empty() {
                model.adopt(&repository, service).await?;
            }
            Ok(harmed)
        })
    }
}

impl Site {
    pub(crate) async fn check(&self, repository: &Repository) -> Result<CheckReport, String> {
        let options = CheckOptions {
            read_data: ReadData::All,
        };
        repository.check(&options).await.map_err(text)
    }

    /// What a person does who reads the report: `repair index`, then `repair snapshots`.
    async fn repair(&self, report: &CheckReport) -> Result<(), String> {
        let locks = report
            .problems
            .iter()
            .filter(|problem| problem.kind == ProblemKind::LockDamaged);
        for file in locks.filter_map(|problem| problem.file.as_deref()) {
            let file = Path::from(format!("{}/{file}", Place::Main.folder()));
            self.store.delete(&file).await.map_err(text)?;
        }
        let repository = self.open(Place::Main).await.map_err(text)?;
        let lock = repository.lock_exclusive(&self.holder()).await;
        let lock = lock.map_err(|error| format!("no lock for the repair: {error}"))?;
        let index = repository.repair_index(&lock, true, false).await;
        index.map_err(|error| format!("repair index: {error}"))?;
        let snapshots = repository.repair_snapshots(&lock, true, false).await;
        snapshots.map_err(|error| format!("repair snapshots: {error}"))?;
        lock.release().await.map_err(text)
    }
}
