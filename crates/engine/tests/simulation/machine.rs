//! Plays a history, and asserts after every step.

use std::collections::{BTreeMap, BTreeSet};

use fault_store::Plan;
use futures::future::join_all;
use jiff::SignedDuration;
use repository::SnapshotId;

use crate::act::Done;
use crate::history::{Act, Mode, Step};
use crate::model::{Files, Model};
use crate::site::{Place, Site};

/// How often what happened.
pub(crate) type Counts = BTreeMap<String, u64>;

pub(crate) struct Machine {
    mode: Mode,
    pub(crate) site: Site,
    pub(crate) model: Model,
    /// What the service held since the run began that is to go on, the present last.
    pub(crate) service: Vec<Files>,
    /// What the second repository has to hold by now.
    copied: BTreeSet<SnapshotId>,
    counts: Counts,
}

/// Plays the history to its end, and then a run of everything without faults; `judged` asks restic too. An error says what is wrong, and in
/// which step.
pub(crate) fn play(steps: &[Step], mode: Mode, judged: bool) -> Result<Counts, String> {
    let mut machine = Machine {
        mode,
        site: Site::new(),
        model: Model::default(),
        service: Vec::new(),
        copied: BTreeSet::new(),
        counts: Counts::new(),
    };
    machine.look_at_the_service();
    for (number, step) in steps.iter().enumerate() {
        machine
            .step(step)
            .map_err(|error| format!("step {number}: {error}"))?;
    }
    machine
        .end()
        .map_err(|error| format!("after the last step: {error}"))?;
    if judged {
        machine.site.ask_restic()?;
    }
    Ok(machine.counts)
}

impl Machine {
    pub(crate) fn count(&mut self, event: impl Into<String>) {
        *self.counts.entry(event.into()).or_default() += 1;
    }

    fn look_at_the_service(&mut self) {
        if self.site.checkpoint.lock().unwrap().is_none() {
            self.service.clear();
        }
        let held = self.site.world.lock().unwrap().expected();
        self.service.push(held);
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Change(changes) => {
                self.site.world.lock().unwrap().apply(changes);
                self.look_at_the_service();
            }
            Step::Wait(hours) => {
                let hours = SignedDuration::from_hours(i64::from(*hours));
                self.site.clock.pass(hours);
            }
            Step::Run { acts, plan } => self.run(acts, plan)?,
        }
        Ok(())
    }

    fn run(&mut self, acts: &[Act], plan: &Plan) -> Result<(), String> {
        let faultless = *plan
            == Plan {
                seed: plan.seed,
                delay: plan.delay,
                torn: plan.torn,
                forgetful: plan.forgetful,
                ..Plan::default()
            };
        let forgets = acts.iter().any(|act| matches!(act, Act::Forget { .. }));
        let mut forgettable: BTreeSet<SnapshotId> = if forgets {
            self.model.snapshots.keys().copied().collect()
        } else {
            BTreeSet::new()
        };
        let before = self.model.snapshots.len();
        let work = join_all(acts.iter().map(|act| self.site.act(act)));
        let done = self.site.process(plan.clone(), work);
        let strikes = self.site.store.strikes();
        let told = |error: String| {
            let strikes: Vec<String> = strikes.iter().map(ToString::to_string).collect();
            format!("{error}; faults: {strikes:?}")
        };
        self.site.pass_half_an_hour();
        let lost = self.site.recover();
        let results: Vec<Option<engine::Result<Done>>> = match done {
            Some(results) => results.into_iter().map(Some).collect(),
            None => acts.iter().map(|_| None).collect(),
        };
        for (act, result) in acts.iter().zip(&results) {
            self.take(act, result.as_ref(), faultless, acts.len() > 1)
                .map_err(&told)?;
        }
        if self.mode != Mode::Honest {
            forgettable.extend(self.mend(&lost, &strikes, &forgettable).map_err(&told)?);
        }
        self.compare(&forgettable).map_err(told)?;
        let committed = self.model.snapshots.len() > before;
        let alone_and_failed =
            matches!(acts, [Act::Backup { .. }]) && !matches!(results.as_slice(), [Some(Ok(_))]);
        if committed && alone_and_failed {
            self.count("snapshot after a failure");
        }
        Ok(())
    }

    /// Judges how an act ended.
    fn take(
        &mut self,
        act: &Act,
        result: Option<&engine::Result<Done>>,
        faultless: bool,
        crowded: bool,
    ) -> Result<(), String> {
        let name = match act {
            Act::Backup { .. } => "backup",
            Act::Forget { .. } => "forget",
            Act::Prune { .. } => "prune",
            Act::Export => "export",
            Act::Copy => "copy",
        };
        match result {
            None => self.count(format!("{name} died")),
            Some(Err(error)) => {
                let refused = match error.code() {
                    Some("credential-refused" | "permission-missing") => {
                        matches!(
                            act,
                            Act::Backup {
                                trouble: Some(_),
                                ..
                            }
                        )
                    }
                    Some("suspicious-drop") => matches!(act, Act::Forget { accept: false, .. }),
                    Some("lock-held" | "lock-lost") => crowded,
                    _ => false,
                };
                if faultless && !refused {
                    return Err(format!("{name} failed without a fault: {error}"));
                }
                self.count(format!("{name} failed"));
            }
            Some(Ok(done)) => {
                self.count(format!("{name} done"));
                match done {
                    Done::Copy(ids) => self.copied = ids.iter().copied().collect(),
                    Done::Backup { resumed: true } => self.count("backup resumed"),
                    Done::Export {
                        snapshot,
                        files,
                        left_out,
                    } => {
                        if faultless && !left_out.is_empty() {
                            return Err(format!("not exported: {left_out:?}"));
                        }
                        self.model.compare_export(*snapshot, files, left_out)?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn compare(&mut self, forgettable: &BTreeSet<SnapshotId>) -> Result<(), String> {
        let (site, model, service) = (&self.site, &mut self.model, &self.service);
        let copied = &self.copied;
        let new = site.calmly(async {
            let repository = site.open(Place::Main).await;
            let repository = repository.map_err(|error| error.to_string())?;
            let new = model.compare(&repository, service, forgettable).await?;
            let second = site.open(Place::Second).await;
            let second = second.map_err(|error| error.to_string())?;
            let copies = model.compare_copies(&second, copied).await;
            copies.map_err(|error| format!("the second repository: {error}"))?;
            Ok::<_, String>(new)
        })?;
        self.look_at_the_service();
        for source in new {
            if !source.stale.is_empty() {
                self.count("stale");
            }
            if !source.issues.is_empty() {
                self.count("issue");
            }
        }
        Ok(())
    }

    /// The faults are over: everything works, and the repository is as if there had been none.
    fn end(&mut self) -> Result<(), String> {
        let backup = Act::Backup {
            trouble: None,
            full: false,
            accept: true,
        };
        // The first one may go on with what a killed one read before the last changes.
        self.run(std::slice::from_ref(&backup), &Plan::default())?;
        self.run(&[backup], &Plan::default())?;
        self.run(&[Act::Prune { grace: 0 }], &Plan::default())?;
        let service = self.site.world.lock().unwrap().expected();
        let site = &self.site;
        let newest = site.calmly(async {
            let repository = site
                .open(Place::Main)
                .await
                .map_err(|error| error.to_string())?;
            let snapshots = repository.snapshots().await;
            let snapshots = snapshots.map_err(|error| error.to_string())?;
            let report = site.check(&repository).await?;
            if report.is_clean() {
                Ok(snapshots.last().map(|(id, _)| *id))
            } else {
                Err(format!("check: {:?}", report.problems))
            }
        })?;
        let newest = newest.and_then(|id| self.model.snapshots.get(&id));
        if newest.is_some_and(|files| **files == service) {
            Ok(())
        } else {
            Err("the last backup does not hold what the service holds".to_owned())
        }
    }
}
