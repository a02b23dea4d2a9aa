//! `keepward restore`: plans and applies here at once, or at a server, which does both through its queue.

mod ask;
mod here;
mod look;

use clap::{Args, Subcommand, ValueEnum};
use engine::plan::{Select, Selector, What};
use model::Conflict;
use tokio_util::sync::CancellationToken;

use super::Global;
use crate::app::App;
use crate::client::Api;
use crate::confirm;
use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say what a restore would do; writes nothing to the service
    #[command(
        after_help = "Examples:\n  keepward restore plan latest --kind work-item --id 4711 --id 4712\n  keepward restore plan latest --missing\n  \
        keepward restore plan 1f3a --everything --into contoso-new\n\nNothing selected restores nothing."
    )]
    Plan(Plan),
    /// Do what a plan says, read everything back, and report
    #[command(
        after_help = "Examples:\n  keepward restore apply 01a20184-5804-7ad7-ada3-4e217e220162\n  \
        keepward restore apply 01a20184-5804-7ad7-ada3-4e217e220162 --confirm contoso\n\n\
        A plan that replaces or removes what is there wants the organization's name typed, or given with --confirm.\n\
        An interrupted apply goes on where it stopped: run the same command again."
    )]
    Apply(Apply),
    /// Plan to take a restore back
    #[command(
        after_help = "Example:\n  keepward restore undo 01a20184-5804-7ad7-ada3-4e217e220162\n\n\
        What the restore made is removed again, unless somebody changed it since. What it replaced is put back from the newest snapshot of the target from before: \
        what no snapshot has does not come back, and the plan says of what. \
        The answer is a plan: look at it, then apply it."
    )]
    Undo(Id),
    /// The plans
    #[command(after_help = "Example:\n  keepward restore list --json")]
    List,
    /// What a plan does in numbers, and what will be lost
    #[command(
        after_help = "Example:\n  keepward restore show 01a20184-5804-7ad7-ada3-4e217e220162"
    )]
    Show(Id),
    /// The steps of a plan; after it was applied, what came of each
    #[command(
        after_help = "Example:\n  keepward restore steps 01a20184-5804-7ad7-ada3-4e217e220162 --kind work-item --limit 50"
    )]
    Steps(Steps),
    /// The people whom a plan's items name, and who takes their place
    #[command(
        after_help = "Examples:\n  keepward restore identities 01a20184-5804-7ad7-ada3-4e217e220162\n  \
        keepward restore identities 01a20184-5804-7ad7-ada3-4e217e220162 \\\n      --map anna@contoso.com=anna@fabrikam.com\n  \
        keepward restore identities 01a20184-5804-7ad7-ada3-4e217e220162 --map anna@contoso.com=\n\nAn empty name leaves the person as stored."
    )]
    Identities(Identities),
    /// Remove a plan with its report; what it restored stays
    #[command(
        after_help = "Later plans do not know what it made in another organization, and make work items once more.\n\nExample:\n  keepward restore remove 01a20184-5804-7ad7-ada3-4e217e220162"
    )]
    Remove(Id),
}

#[derive(Args)]
pub(crate) struct Plan {
    /// An id, the beginning of one, or `latest`
    snapshot: String,
    /// The connector to restore into [default: the one that made the snapshot]
    #[arg(long, value_name = "CONNECTOR")]
    into: Option<String>,
    /// Everything in the snapshot
    #[arg(long, conflicts_with_all = ["kind", "id", "under"])]
    everything: bool,
    /// What the snapshot has and the target lacks
    #[arg(long, conflicts_with_all = ["everything", "id", "under"])]
    missing: bool,
    /// Items of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Items of this project (id or name)
    #[arg(long)]
    project: Option<String>,
    /// Items with these ids
    #[arg(long, requires = "kind")]
    id: Vec<String>,
    /// Items below this folder of the snapshot
    #[arg(long, value_name = "PATH")]
    under: Option<String>,
    /// What to do with items that the target has already
    ///
    /// A work item gets another number in another organization. It is known there by the plan that made it, wherever the snapshot lies: a restore by
    /// another installation, or after that plan was removed, makes it once more.
    #[arg(long, value_enum, default_value = "skip")]
    conflict: OnConflict,
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum OnConflict {
    Skip,
    Replace,
    Duplicate,
}

impl From<OnConflict> for Conflict {
    fn from(conflict: OnConflict) -> Self {
        match conflict {
            OnConflict::Skip => Self::Skip,
            OnConflict::Replace => Self::Replace,
            OnConflict::Duplicate => Self::Duplicate,
        }
    }
}

#[derive(Args)]
pub(crate) struct Id {
    /// The plan's id, as `restore plan` printed it
    plan: String,
}

#[derive(Args)]
pub(crate) struct Apply {
    /// The plan's id, as `restore plan` printed it
    plan: String,
    /// The name of the target organization, when anything there is replaced or removed; asked for on a terminal
    #[arg(long, value_name = "ORGANIZATION")]
    confirm: Option<String>,
}

#[derive(Args)]
pub(crate) struct Steps {
    /// The plan's id
    plan: String,
    /// Of this kind
    #[arg(long)]
    kind: Option<String>,
    /// That do this: `create`, `undelete`, `replace`, `merge`, `skip`, `export` or `remove`
    #[arg(long)]
    action: Option<String>,
    /// That ended so: `failed`, `differs`, `verified`, `done` or `skipped`
    #[arg(long)]
    state: Option<String>,
    /// At most this many steps
    #[arg(long, default_value_t = 1000)]
    limit: usize,
}

#[derive(Args)]
pub(crate) struct Identities {
    /// The plan's id
    plan: String,
    /// Write the second person wherever the first one stands
    #[arg(long, value_name = "PERSON=PERSON")]
    map: Vec<String>,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let elsewhere = global.server.is_some();
    match command {
        Command::Plan(plan) if elsewhere => {
            ask::plan(&Api::open(global).await?, &plan, output, cancel).await
        }
        Command::Apply(apply) if elsewhere => {
            ask::apply(&Api::open(global).await?, &apply, output, cancel).await
        }
        Command::Undo(id) if elsewhere => {
            ask::undo(&Api::open(global).await?, &id.plan, output, cancel).await
        }
        Command::Plan(plan) => here::plan(&App::open(&global.data()).await?, &plan, output).await,
        Command::Apply(apply) => {
            here::apply(&App::open(&global.data()).await?, &apply, output, cancel).await
        }
        Command::Undo(id) => here::undo(&App::open(&global.data()).await?, &id.plan, output).await,
        Command::List => look::list(&Api::open(global).await?, output).await,
        Command::Show(id) => look::show(&Api::open(global).await?, &id.plan, output).await,
        Command::Steps(steps) => look::steps(&Api::open(global).await?, &steps, output).await,
        Command::Identities(identities) => {
            look::identities(&Api::open(global).await?, &identities, output).await
        }
        Command::Remove(id) => look::remove(&Api::open(global).await?, &id.plan, output).await,
    }
}

impl Apply {
    /// What confirms a plan that replaces or removes something in this organization: as it was given, or as somebody at the terminal types it.
    async fn confirmation(
        &self,
        organization: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<Option<String>, Failure> {
        let Some(organization) = organization.filter(|_| self.confirm.is_none()) else {
            return Ok(self.confirm.clone());
        };
        if !confirm::somebody_is_there() {
            return Ok(None);
        }
        let question = format!(
            "This replaces or removes items in the organization {organization}; what does not come back: keepward restore show {}\nType its name to go on: ",
            self.plan
        );
        tokio::select! {
            typed = confirm::typed(&question) => typed.map(Some),
            () = cancel.cancelled() => Err(Failure::canceled()),
        }
    }
}

impl Plan {
    fn select(&self) -> Result<Select, Failure> {
        let what = match (&self.under, self.id.is_empty()) {
            _ if self.everything && self.project.is_none() => return Ok(Select::Everything),
            _ if self.missing => What::Deleted,
            (Some(path), _) => What::Under(path.trim_matches('/').to_owned()),
            (None, false) => What::Ids(self.id.clone()),
            (None, true) if self.kind.is_some() || self.project.is_some() => What::All,
            (None, true) => return Err(nothing()),
        };
        Ok(Select::Items(vec![Selector {
            kind: self.kind.clone(),
            scope: self.project.clone(),
            what,
        }]))
    }
}

/// The action of items that a plan leaves alone.
const SKIP: &str = "skip";

/// What to do with a plan that was just made.
fn tell_next(id: &str, writes: bool, output: &Output) {
    output.line(if writes {
        format!("\nnothing has been written; to do it: keepward restore apply {id}")
    } else {
        format!("\nthere is nothing to do; why each item is skipped: keepward restore steps {id}")
    });
}

fn nothing() -> Failure {
    let hint =
        "--everything, --missing, --kind KIND [--id ID …], --project PROJECT or --under PATH";
    Failure::usage("nothing is selected, so nothing would be restored", hint)
}
