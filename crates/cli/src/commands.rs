//! The commands: one file each.

mod backup;
mod connector;
mod demo;
mod explain;
mod export;
mod live;
mod reference;
mod repository;
mod restore;
mod run;
mod simulator;
mod snapshot;
mod verify;

use std::path::PathBuf;
use std::pin::Pin;

use clap::{ArgAction, Args, Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Backs up Azure DevOps organizations into restic repositories, and gets them back.
#[derive(Parser)]
#[command(
    name = "keepward",
    version,
    propagate_version = true,
    max_term_width = 110
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Args, Clone)]
pub(crate) struct Global {
    /// Print JSON lines instead of text
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// Where the catalog, its key and its lock are [default: ~/.local/share/keepward]
    #[arg(
        long,
        global = true,
        env = "KEEPWARD_DATA_DIR",
        value_name = "DIR",
        help_heading = "Global options",
        hide_env_values = true
    )]
    pub data_dir: Option<PathBuf>,
    /// Log more to standard error; twice for even more
    #[arg(long, short, global = true, action = ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
}

impl Global {
    pub(crate) fn data(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(app::default_data)
    }
}

#[derive(Subcommand)]
enum Command {
    /// Repositories: where backups are kept
    #[command(subcommand)]
    Repository(repository::Command),
    /// Connectors: the organizations that are backed up
    #[command(subcommand)]
    Connector(connector::Command),
    /// Back up an organization
    Backup(backup::Command),
    /// Snapshots: what was backed up, and what changed between two
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    /// Restore: plan first, then apply
    #[command(subcommand)]
    Restore(restore::Command),
    /// Verify a snapshot, and drill its restore
    Verify(verify::Command),
    /// Write a part of a snapshot to files
    Export(export::Command),
    /// Runs: what was done, and the issues of each
    #[command(subcommand)]
    Run(run::Command),
    /// What a code of an error or issue means and what to do
    Explain(explain::Command),
    /// Back up a simulated organization, lose data, get it back, compare
    Demo(demo::Command),
    /// Serve the simulated organization of the demo
    Simulator(simulator::Command),
    /// The conformance scenario on a sandbox organization of yours
    Live(live::Command),
    /// Write the reference pages
    #[command(hide = true)]
    Reference(reference::Command),
}

impl Cli {
    /// A simulated service runs in this process beside the work.
    pub(crate) fn serves(&self) -> bool {
        matches!(
            self.command,
            Command::Demo(_) | Command::Simulator(_) | Command::Live(_) | Command::Verify(_)
        )
    }
}

/// Runs a command to its exit code. Backups, restores and exports end themselves when asked; everything else just stops.
pub(crate) async fn run(
    cli: Cli,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let global = &cli.global;
    let at_once = async |work: Pin<Box<dyn Future<Output = Result<Exit, Failure>> + '_>>| {
        tokio::select! {
            result = work => result,
            () = cancel.cancelled() => Err(Failure::canceled()),
        }
    };
    match cli.command {
        Command::Backup(command) => Box::pin(backup::run(command, global, output, cancel)).await,
        Command::Restore(command) => Box::pin(restore::run(command, global, output, cancel)).await,
        Command::Export(command) => Box::pin(export::run(command, global, output, cancel)).await,
        Command::Verify(command) => Box::pin(verify::run(command, global, output, cancel)).await,
        Command::Repository(command) => {
            at_once(Box::pin(repository::run(command, global, output))).await
        }
        Command::Connector(command) => {
            at_once(Box::pin(connector::run(command, global, output))).await
        }
        Command::Snapshot(command) => {
            at_once(Box::pin(snapshot::run(command, global, output))).await
        }
        Command::Run(command) => at_once(Box::pin(run::run(command, global, output))).await,
        Command::Explain(command) => explain::run(&command, output),
        Command::Demo(command) => at_once(Box::pin(demo::run(command, output))).await,
        Command::Simulator(command) => at_once(Box::pin(simulator::run(command, output))).await,
        Command::Live(command) => at_once(Box::pin(live::run(command, output))).await,
        Command::Reference(command) => reference::run(&command),
    }
}
