//! `keepward repository`.

mod check;
mod copy;
mod first;
mod init;
mod key;
mod maintenance;
mod place;
mod prune;
mod repair;
mod stats;
mod sync;

pub(super) use first::first;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::SignedDuration;
use model::Clock as _;
use repository::{Holder, InitOptions};

use tokio_util::sync::CancellationToken;

use super::Global;
use crate::app::{App, only_here};
use crate::client::Api;
use crate::clock::SystemClock;
use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a repository and print its recovery sheet
    #[command(
        after_help = "Examples:\n  keepward repository init /backup/contoso\n  keepward repository init /backup/contoso --password-file ~/contoso.password\n  \
        keepward repository init s3://backups/contoso --region eu-central-1 --storage-secret-file s3.key\n  \
        keepward repository init s3://backups/contoso --endpoint https://minio.example.com:9000 \\\n      --storage-secret-file s3.key --object-lock compliance --object-lock-days 30\n  \
        keepward repository init azure://account/container/contoso --storage-secret-file azure.key\n  \
        keepward repository init gs://backups/contoso"
    )]
    Init(init::Init),
    /// Use a repository that exists already
    #[command(
        after_help = "Example:\n  keepward repository add /backup/contoso --password-file ~/contoso.password"
    )]
    Add(init::Add),
    /// The repositories that are known here
    #[command(after_help = "Example:\n  keepward repository list --json")]
    List,
    /// Choose the repository that is used when none is named
    #[command(
        after_help = "Example:\n  keepward repository default second\n\nThe first repository is it until another one is chosen."
    )]
    Default {
        /// The repository's name here
        name: String,
        /// Also where policies keep fewer snapshots afterwards
        #[arg(long)]
        accept_less: bool,
    },
    /// Read the catalog's index again from the repository alone: after the catalog was lost, or after `restic forget`
    #[command(
        after_help = "Example:\n  keepward repository sync\n\nIf the whole data directory was lost: `keepward repository add PATH --password-file FILE`, then this, then add the \
        connectors again with their tokens. Snapshots, search and history are as before; runs and restore plans are not kept in repositories."
    )]
    Sync(Which),
    /// Verify that the repository is whole, and name what is damaged
    #[command(
        after_help = "Examples:\n  keepward repository check\n  keepward repository check --read-data=5%\n  keepward repository check --read-data /backup/contoso --password-file ~/contoso.password\n\n\
        Exit code 0: no damage. 8: damage, with the path of each damaged file. Without --read-data, all files but packs of data are read whole; \
        with a share, another part of the packs is read each day, so that 5% has read all of them after 20 days."
    )]
    Check(check::Check),
    /// Bring back what can be brought back after damage
    #[command(subcommand)]
    Repair(repair::Repair),
    /// Keys (passwords) of the repository
    #[command(subcommand)]
    Key(key::Key),
    /// Print the recovery sheet again
    #[command(after_help = "Example:\n  keepward repository sheet > recovery.txt")]
    Sheet(Which),
    /// Free the space that no snapshot needs
    #[command(
        after_help = "Examples:\n  keepward repository prune --dry-run\n  keepward repository prune\n  keepward repository prune --max-unused 0 --max-repack-size 20G\n\n\
        Backups go on while packs are rewritten. Only at the end, while files are removed, nobody else gets in; who comes then waits. \
        What unfinished backups have stored stays, however old it is."
    )]
    Prune(prune::Prune),
    /// What is done by itself for a repository, and when: check, prune, verify
    #[command(
        after_help = "Examples:\n  keepward repository maintenance\n  keepward repository maintenance --check '0 6 * * sat' --read-percent 10 --time-zone Europe/Berlin\n  \
        keepward repository maintenance --prune off\n  keepward repository maintenance --verify '0 6 1 * *' --dry-run\n\n\
        A running server (`keepward serve`) does it. A new repository is checked and pruned every week, and its newest snapshots are verified every month."
    )]
    Maintenance(maintenance::Maintenance),
    /// Copy snapshots into another repository: only what is missing there
    #[command(
        after_help = "Examples:\n  keepward repository copy --from default --to second\n  keepward repository copy --from default --to /mnt/offsite \\\n      --to-password-file ~/offsite.password 5c1d latest\n\n\
        Everything is verified on the way. A copy that was interrupted goes on when it is started again. Snapshots keep their times and tags, and the next copy \
        does not copy them again, nor does `restic copy`. Contents are copied as they are cut: a backup that later goes into the second repository itself cuts files \
        above 512 KiB at other places, so such files share space with their copies only as long as they do not change."
    )]
    Copy(copy::Copy),
    /// How large the repository is, and what makes it so
    #[command(after_help = "Example:\n  keepward repository stats")]
    Stats(Which),
}

#[derive(Args)]
pub(crate) struct Which {
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

impl Which {
    fn name(&self) -> Option<&str> {
        self.repository.as_deref()
    }

    /// Its name, or that of a server's default one.
    async fn asked(&self, api: &Api) -> Result<String, Failure> {
        if let Some(name) = &self.repository {
            return Ok(name.clone());
        }
        let known = api.list("/repositories").await?;
        let default = known.iter().find(|row| row["default"] == true);
        let name = default.and_then(|row| row["name"].as_str());
        name.map(str::to_owned).ok_or_else(|| {
            Failure::usage(
                "the server has no repository that is used when none is named",
                "say which: --repository NAME (keepward repository list)",
            )
        })
    }
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    if global.server.is_some() {
        return ask(command, global, output, cancel).await;
    }
    tokio::select! {
        result = here(command, global, output) => result,
        () = cancel.cancelled() => Err(Failure::canceled()),
    }
}

async fn here(command: Command, global: &Global, output: &Output) -> Result<Exit, Failure> {
    // These open the data directory only when they need it: after the worst there may be none.
    let command = match command {
        Command::Check(options) => return check::check(global, options, output).await,
        Command::Repair(command) => return repair::repair(global, command, output).await,
        Command::Maintenance(options) => {
            return maintenance::maintenance(options, global, output).await;
        }
        Command::Default { name, accept_less } => {
            let api = Api::open(global).await?;
            return sync::default(&api, &name, accept_less, output).await;
        }
        command => command,
    };
    let app = match &command {
        Command::List | Command::Key(key::Key::List(_)) | Command::Sheet(_) | Command::Stats(_) => {
            App::open_beside(&global.data()).await?
        }
        _ => App::open(&global.data()).await?,
    };
    match command {
        Command::Init(options) => init::init(&app, options, output).await,
        Command::Add(options) => init::add(&app, options, output).await,
        Command::List => sync::list(&app, output).await,
        Command::Sync(which) => sync::sync(&app, &which, output).await,
        Command::Check(_)
        | Command::Repair(_)
        | Command::Maintenance(_)
        | Command::Default { .. } => {
            unreachable!("they are run above")
        }
        Command::Key(command) => key::key(&app, command, output).await,
        Command::Sheet(which) => sync::sheet(&app, &which, output).await,
        Command::Prune(options) => prune::prune(&app, options, output).await,
        Command::Copy(options) => copy::copy(&app, options, output).await,
        Command::Stats(which) => stats::stats(&app, &which, output).await,
    }
}

/// What a server does with its repositories.
async fn ask(
    command: Command,
    global: &Global,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    match command {
        Command::Init(options) => init::ask_init(&api, options, output).await,
        Command::Add(options) => init::ask_add(&api, options, output).await,
        Command::List => sync::ask_list(&api, output).await,
        Command::Default { name, accept_less } => {
            sync::default(&api, &name, accept_less, output).await
        }
        Command::Check(options) => check::ask(&api, options, output, cancel).await,
        Command::Prune(options) => prune::ask(&api, options, output, cancel).await,
        Command::Maintenance(options) => maintenance::maintenance(options, global, output).await,
        Command::Stats(which) => stats::ask(&api, &which, output, cancel).await,
        Command::Sync(which) => sync::ask(&api, &which, output, cancel).await,
        Command::Repair(_) | Command::Key(_) | Command::Sheet(_) | Command::Copy(_) => {
            Err(only_here())
        }
    }
}

/// Who makes repositories and keys.
fn by() -> InitOptions {
    let holder = Holder::new("keepward", Arc::new(SystemClock));
    InitOptions {
        created: SystemClock.now(),
        hostname: holder.hostname,
        username: holder.username,
    }
}

fn default_password_file(data: &Path, name: &str) -> PathBuf {
    data.join(format!("repository-password-{name}"))
}

/// A length of time on the command line.
fn time(text: &str) -> Result<Duration, String> {
    let length: SignedDuration = text
        .parse()
        .map_err(|_| format!("{text:?} is not a length of time; write it like 90m or 2h"))?;
    length
        .try_into()
        .map_err(|_| format!("{text:?} is negative"))
}
