//! What happens in the demonstration, in its order.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use anyhow::Context as _;
use serde_json::Value;

use super::compare::{Comparison, Marks, Outcome, expected};
use super::floor::{self, Floor};
use super::world::{Ledger, World};
use crate::failure::Failure;
use crate::output::Output;
use crate::scenario::{Applied, Connection, Folder, Made, Planned, Steps};

/// The empty organization that everything is restored into.
const ELSEWHERE: &str = "contoso-restored";

pub(super) struct Story<'a> {
    pub world: World,
    pub steps: Steps<'a>,
    pub folder: &'a Folder,
    pub output: &'a Output,
    pub url: String,
}

/// A backup with what it cost.
pub(super) struct Backup {
    pub made: Made,
    pub spent: Ledger,
    pub floor: Floor,
    /// Issues that nothing in the story explains.
    pub unexpected: u64,
}

/// A restore with what it cost.
pub(super) struct Restore {
    pub applied: Applied,
    pub requests: u64,
}

/// Everything that the report is about.
pub(super) struct Told {
    pub full: Backup,
    pub quiet: Backup,
    pub incremental: Backup,
    /// The deleted work items and the deleted repository into the original organization.
    pub repaired: Vec<Restore>,
    /// Everything into an empty organization.
    pub elsewhere: Restore,
    pub comparisons: Vec<(String, Outcome)>,
}

/// An organization at one moment, by what the simulator says that it holds.
struct Moment {
    inventory: Value,
    state: Value,
}

impl Story<'_> {
    pub(super) async fn tell(&self, organization: &str, pat: &str) -> Result<Told, Failure> {
        let first = self.look(organization).await?;
        self.describe(&first.inventory);
        let (full, quiet) = self.first_backups(organization, pat, &first).await?;
        let untouched = self.untouched(organization, &first.state).await?;
        let (incremental, changed) = self.people_work(organization, &first).await?;
        self.output
            .line("\n== 4. See what differs, get back what was lost");
        let (before, after) = (&full.made.snapshot, &incremental.made.snapshot);
        self.steps.diff(before, after).await?;
        let (repaired, repair) = self
            .repair(organization, before, (&first.state, &changed.state))
            .await?;
        let (elsewhere, copy) = self.copy(before, &first.state).await?;
        Ok(Told {
            full,
            quiet,
            incremental,
            repaired,
            elsewhere,
            comparisons: vec![
                (
                    "the backups left the organization as it was".to_owned(),
                    untouched,
                ),
                ("the original organization".to_owned(), repair),
                ("the whole organization in an empty one".to_owned(), copy),
            ],
        })
    }

    /// For whoever looks around afterwards: all of it is backed up as it is now, and then somebody deletes what is worth having.
    pub(super) async fn lose(&self, organization: &str, pat: &str) -> Result<(), Failure> {
        self.output
            .line("\n== 6. Something is left for you to bring back");
        for connector in [organization, ELSEWHERE] {
            self.steps.backup(connector).await?;
        }
        let state = self.world.state(organization).await?;
        let mut lost = Vec::new();
        let most = |list: &'static str, of: &'static str| {
            let mut all: Vec<&Value> = state[list].as_array().into_iter().flatten().collect();
            all.retain(|one| one["isDeleted"] != true);
            all.sort_by_key(|one| Reverse(one[of].as_array().map_or(0, Vec::len)));
            all.into_iter()
        };
        for item in most("workItems", "revisions").take(3) {
            let path = format!("{organization}/_apis/wit/workitems/{}", item["id"]);
            self.world.delete(pat, &path).await?;
            lost.push(format!("work item {} {}", item["id"], item["title"]));
        }
        for repository in most("repositories", "lfs").take(1) {
            let part = |name: &str| {
                let text = repository[name].as_str();
                text.with_context(|| format!("a repository of the simulator has no {name}"))
            };
            let (project, id) = (part("project")?, part("id")?);
            let path = format!("{organization}/{project}/_apis/git/repositories/{id}");
            self.world.delete(pat, &path).await?;
            lost.push(format!("the repository {}", repository["name"]));
        }
        let lost = lost.join(", ");
        self.output.line(format!("Somebody deletes {lost}."));
        self.steps.backup(organization).await?;
        self.output.line(
            "Find them in the console: search for a title, or compare the two newest snapshots.",
        );
        Ok(())
    }

    async fn look(&self, organization: &str) -> Result<Moment, Failure> {
        Ok(Moment {
            inventory: self.world.inventory(organization).await?,
            state: self.world.state(organization).await?,
        })
    }

    /// Everything, and then nothing, since nothing has happened.
    async fn first_backups(
        &self,
        organization: &str,
        pat: &str,
        first: &Moment,
    ) -> Result<(Backup, Backup), Failure> {
        self.output.line("\n== 2. Connect and back up");
        let repository = self.folder.argument("repository");
        let password = self.folder.argument("repository-password");
        self.steps.init(&repository, &password).await?;
        self.connect(organization, pat).await?;
        let floor = floor::full(&first.inventory, &first.state);
        let full = self.backup(organization, floor).await?;
        self.output.line("\nNothing has happened since:");
        let floor = floor::quiet(&first.inventory);
        let quiet = self.backup(organization, floor).await?;
        Ok((full, quiet))
    }

    /// A backup of what people did, and the organization after it.
    async fn people_work(
        &self,
        organization: &str,
        first: &Moment,
    ) -> Result<(Backup, Moment), Failure> {
        self.output
            .line("\n== 3. People work: things are changed, added and deleted");
        let summary = self.world.change().await?;
        self.changes(&summary);
        let changed = self.look(organization).await?;
        let floor = floor::incremental(
            (&first.inventory, &first.state),
            (&changed.inventory, &changed.state),
        );
        let mut incremental = self.backup(organization, floor).await?;
        self.explain(&mut incremental, &summary);
        Ok((incremental, changed))
    }

    /// The deleted repository and the deleted work items go back to where they were.
    async fn repair(
        &self,
        organization: &str,
        snapshot: &str,
        (first, changed): (&Value, &Value),
    ) -> Result<(Vec<Restore>, Outcome), Failure> {
        let (mut repaired, mut losses) = (Vec::new(), Vec::new());
        for kind in ["git-repository", "work-item"] {
            let missing = ["--missing", "--kind", kind];
            let (restore, plan) = self.restore(organization, snapshot, &missing).await?;
            losses.extend(plan.losses);
            repaired.push(restore);
        }
        let back = self.world.state(organization).await?;
        let (wanted, marks) = expected::repaired(first, changed);
        let comparison = Comparison {
            expected: &wanted,
            actual: &back,
            marks,
            losses: &losses,
        };
        Ok((repaired, comparison.run()))
    }

    /// The whole snapshot goes into an organization of its own.
    async fn copy(&self, snapshot: &str, first: &Value) -> Result<(Restore, Outcome), Failure> {
        self.output
            .line("\nEverything of the first snapshot into an empty organization:");
        let pat = self.world.add_organization(ELSEWHERE).await?;
        self.connect(ELSEWHERE, &pat).await?;
        let everything = ["--everything", "--into", ELSEWHERE];
        let (restore, plan) = self.restore(ELSEWHERE, snapshot, &everything).await?;
        let copy = self.world.state(ELSEWHERE).await?;
        let comparison = Comparison {
            expected: &expected::elsewhere(first),
            actual: &copy,
            marks: Marks {
                all: true,
                ..Marks::default()
            },
            losses: &plan.losses,
        };
        Ok((restore, comparison.run()))
    }

    fn describe(&self, inventory: &Value) {
        let names = [
            "projects",
            "teams",
            "areas",
            "iterations",
            "repositories",
            "emptyRepositories",
            "lfsObjects",
            "wikis",
            "workItems",
            "revisions",
            "relations",
            "comments",
            "attachments",
        ];
        let words: Vec<String> = names
            .iter()
            .filter_map(|name| Some(format!("{} {name}", inventory[*name].as_u64()?)))
            .collect();
        self.output.line(format!("It holds {}.", words.join(", ")));
    }

    async fn connect(&self, organization: &str, pat: &str) -> Result<(), Failure> {
        let pat_file = self.folder.secret(&format!("{organization}.pat"), pat)?;
        self.steps
            .connect(&Connection {
                organization,
                url: Some(&self.url),
                pat_file: &pat_file,
            })
            .await
    }

    async fn backup(&self, organization: &str, floor: Floor) -> Result<Backup, Failure> {
        let (made, spent) = self
            .world
            .watch(organization, self.steps.backup(organization))
            .await?;
        self.output.line(format!(
            "  the simulator counted {} requests; the floor is {}",
            spent.requests,
            floor.total()
        ));
        let made = made?;
        Ok(Backup {
            unexpected: made.issues,
            made,
            spent,
            floor,
        })
    }

    /// That an item is gone is no proof that it was deleted: a lost permission looks the same. So destroyed items are issues, and are kept.
    fn explain(&self, backup: &mut Backup, summary: &Value) {
        let destroyed: BTreeSet<u64> = summary["workItems"]["destroyed"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .collect();
        let named = backup
            .made
            .missing
            .iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter(|id| destroyed.contains(id))
            .count() as u64;
        backup.unexpected = backup.made.issues.saturating_sub(named);
        if named > 0 {
            self.output.line(format!("  {named} issues name the {} destroyed work items: they stay in the snapshot, since absence alone does not prove a deletion", destroyed.len()));
        }
    }

    /// The source is read-only to backups.
    async fn untouched(&self, organization: &str, first: &Value) -> Result<Outcome, Failure> {
        let now = self.world.state(organization).await?;
        let comparison = Comparison {
            expected: first,
            actual: &now,
            marks: Marks::default(),
            losses: &[],
        };
        Ok(comparison.run())
    }

    fn changes(&self, summary: &Value) {
        let count = |area: &str, name: &str| summary[area][name].as_array().map_or(0, Vec::len);
        let work: Vec<String> = [
            "edited",
            "commented",
            "attached",
            "linked",
            "created",
            "deleted",
            "destroyed",
        ]
        .iter()
        .map(|name| format!("{} {name}", count("workItems", name)))
        .collect();
        self.output
            .line(format!("Work items: {}.", work.join(", ")));
        let code = &summary["repositories"];
        let text = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
        self.output.line(format!(
            "Repositories: commits pushed to {}, {} force-pushed, {} deleted, {:?} added, {:?} destroyed.",
            text(&code["committed"]["ref"]),
            text(&code["forcePushed"]["ref"]),
            text(&code["branchDeleted"]["ref"]),
            text(&code["added"]["name"]),
            text(&code["destroyed"]["name"]),
        ));
    }

    async fn restore(
        &self,
        organization: &str,
        snapshot: &str,
        what: &[&str],
    ) -> Result<(Restore, Planned), Failure> {
        let work = async {
            let plan = self.steps.plan(snapshot, what).await?;
            let applied = self.steps.apply(&plan).await?;
            Ok::<_, Failure>((plan, applied))
        };
        let (done, spent) = self.world.watch(organization, work).await?;
        let (plan, applied) = done?;
        Ok((
            Restore {
                applied,
                requests: spent.requests,
            },
            plan,
        ))
    }
}
