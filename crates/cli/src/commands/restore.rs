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
    #[arg(long, conflicts_with_all = ["kinds", "id", "under"])]
    everything: bool,
    /// What the snapshot has and the target lacks; with others, only that of what these select
    #[arg(long, conflicts_with = "everything")]
    missing: bool,
    /// Items of this kind; may be given several times
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Items of this project (id or name); may be given several times
    #[arg(long = "project", value_name = "PROJECT")]
    projects: Vec<String>,
    /// Items with these ids, of one kind
    #[arg(long, requires = "kinds")]
    id: Vec<String>,
    /// Items below this folder of the snapshot
    #[arg(long, value_name = "PATH", conflicts_with = "id")]
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
        self.checked()?;
        let what = match (&self.under, self.id.is_empty()) {
            _ if self.is_everything() => return Ok(Select::Everything),
            (Some(path), _) => What::Under(path.trim_matches('/').to_owned()),
            (None, false) => What::Ids(self.id.clone()),
            (None, true) => What::All,
        };
        let what = if self.missing {
            What::Missing(Box::new(what))
        } else {
            what
        };
        let mut selectors = Vec::new();
        for kind in each(&self.kinds) {
            for scope in each(&self.projects) {
                selectors.push(Selector {
                    kind: kind.cloned(),
                    scope: scope.cloned(),
                    what: what.clone(),
                });
            }
        }
        Ok(Select::Items(selectors))
    }

    fn is_everything(&self) -> bool {
        self.everything && self.projects.is_empty()
    }

    /// Refuses to restore nothing, and to guess of which kind an id is.
    fn checked(&self) -> Result<(), Failure> {
        let named = !self.kinds.is_empty() || !self.projects.is_empty();
        if !(self.everything || self.missing || self.under.is_some() || named) {
            let hint = "--everything, --missing, --kind KIND [--id ID …], --project PROJECT or --under PATH";
            let message = "nothing is selected, so nothing would be restored";
            return Err(Failure::usage(message, hint));
        }
        if !self.id.is_empty() && (self.kinds.len() > 1 || self.projects.len() > 1) {
            return Err(Failure::usage(
                "--id names items of one kind, and at most of one project",
                "make a plan for the items of each",
            ));
        }
        Ok(())
    }
}

/// Each of them, or once none for all.
fn each(names: &[String]) -> Vec<Option<&String>> {
    match names {
        [] => vec![None],
        names => names.iter().map(Some).collect(),
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        plan: Plan,
    }

    fn parsed(words: &str) -> Result<Line, clap::Error> {
        let words = words.split_whitespace();
        Line::try_parse_from(["plan", "latest"].into_iter().chain(words))
    }

    fn plan(words: &str) -> Plan {
        parsed(words).ok().unwrap().plan
    }

    /// What is selected here, and what a server is asked for.
    fn selected(words: &str) -> (Value, Value) {
        let plan = plan(words);
        let here = serde_json::to_value(plan.select().ok().unwrap()).unwrap();
        (here, ask::select(&plan).ok().unwrap())
    }

    #[test]
    fn several_kinds_and_projects_are_one_selection_here_and_at_a_server() {
        let (here, there) = selected("--kind team --kind wiki --project a --project b");
        let items = here["items"].as_array().unwrap().iter();
        let pairs: Vec<_> = items.map(|one| (&one["kind"], &one["scope"])).collect();
        let pair = |kind: &str, scope: &str| (json!(kind), json!(scope));
        let all = [
            pair("team", "a"),
            pair("team", "b"),
            pair("wiki", "a"),
            pair("wiki", "b"),
        ];
        let all: Vec<_> = all.iter().map(|(kind, scope)| (kind, scope)).collect();
        assert_eq!(pairs, all);
        let asked = json!({ "missing": false, "kinds": ["team", "wiki"], "projects": ["a", "b"] });
        assert_eq!(there, asked);
        let (here, there) = selected("--missing --kind team --kind wiki");
        assert_eq!(here["items"][1]["what"], json!({ "missing": "all" }));
        assert_eq!(there["missing"], true);
        for (words, named) in [
            ("--kind team --id 7", json!({ "ids": ["7"] })),
            ("--under git", json!({ "under": "git" })),
        ] {
            let (here, there) = selected(&format!("--missing {words}"));
            assert_eq!(here["items"][0]["what"], json!({ "missing": named }));
            assert_eq!(there["missing"], true);
        }
        let (here, there) = selected("--everything");
        assert_eq!(
            (here, there),
            (json!("everything"), json!({ "everything": true }))
        );
    }

    #[test]
    fn what_would_be_more_or_less_than_was_said_is_refused() {
        let refused = |result: Result<(), Failure>| {
            assert_eq!(result.err().map(|failure| failure.exit), Some(Exit::Usage));
        };
        for words in [
            "",
            "--kind team --kind wiki --id 7",
            "--kind team --project a --project b --id 7",
        ] {
            refused(plan(words).select().map(drop));
            refused(ask::select(&plan(words)).map(drop));
        }
        assert!(parsed("--under git --kind team --id 7").is_err());
        // A server would take in more than this.
        for words in [
            "--under git --kind team",
            "--under git --project a",
            "--kind team --project a --id 7",
        ] {
            assert!(plan(words).select().is_ok(), "{words}");
            refused(ask::select(&plan(words)).map(drop));
        }
    }
}
