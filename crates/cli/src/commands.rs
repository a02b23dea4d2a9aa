//! The commands: one file each.

mod alarm;
mod app_profile;
mod audit;
mod backup;
mod connector;
mod credential;
mod demo;
mod doctor;
#[cfg(test)]
mod examples;
mod explain;
mod export;
mod identity_provider;
mod live;
mod notification;
mod policy;
mod proposal;
mod reference;
mod repository;
mod restore;
mod run;
mod serve;
mod session;
mod simulator;
mod snapshot;
mod token;
mod user;
mod vault;
mod verify;
mod worker;

use std::path::PathBuf;
use std::pin::Pin;

use clap::{ArgAction, Args, Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::app::{self, Place};
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
    /// The configuration file [default: keepward.toml in the data directory, if there is one]
    #[arg(
        long,
        global = true,
        env = "KEEPWARD_CONFIG",
        value_name = "FILE",
        help_heading = "Global options",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
    /// Ask this server instead of the data directory
    #[arg(
        long,
        global = true,
        env = "KEEPWARD_SERVER",
        value_name = "URL",
        help_heading = "Global options",
        hide_env_values = true
    )]
    pub server: Option<String>,
    /// Holds the token for the server
    #[arg(
        long,
        global = true,
        env = "KEEPWARD_TOKEN_FILE",
        value_name = "FILE",
        help_heading = "Global options",
        hide_env_values = true
    )]
    pub token_file: Option<PathBuf>,
    /// Holds the certificates that the server is known by, when they are your own
    #[arg(
        long,
        global = true,
        env = "KEEPWARD_CA_FILE",
        value_name = "FILE",
        help_heading = "Global options",
        hide_env_values = true
    )]
    pub ca_file: Option<PathBuf>,
    /// Log more to standard error; twice for even more
    #[arg(long, short, global = true, action = ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// Log just this, in place of what --verbose says: a level like `info`, or levels of parts like `warn,engine=debug`
    #[arg(
        long,
        global = true,
        env = "RUST_LOG",
        value_name = "FILTER",
        help_heading = "Global options",
        hide_env_values = true
    )]
    pub log: Option<String>,
}

impl Global {
    pub(crate) fn data(&self) -> Place {
        let data = self.data_dir.clone().unwrap_or_else(app::default_data);
        Place::new(data, self.config.clone(), self.server.is_some())
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
    /// Credentials: the secrets of connectors, kept once and reused
    #[command(subcommand)]
    Credential(credential::Command),
    /// App profiles: through which app registration a tenant is connected
    #[command(subcommand)]
    AppProfile(app_profile::Command),
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
    /// Policies: what is backed up, when, where to, and how long it stays
    #[command(subcommand)]
    Policy(policy::Command),
    /// Runs: what was done, and the issues of each
    #[command(subcommand)]
    Run(run::Command),
    /// The server: the REST interface, the scheduler and a worker
    #[command(
        after_help = "Examples:\n  keepward serve\n  keepward serve --listen 0.0.0.0:8480 --behind-proxy --public-url https://keepward.example.com\n  keepward serve --config /etc/keepward/keepward.toml\n\n\
        The first start prints a token, with which the first administrator is made. It ends in order at SIGTERM and Ctrl-C; SIGHUP reads the certificate anew. \
        Its log goes to standard error: what is wrong, and with `--log info` (or RUST_LOG=info) each request, too."
    )]
    Serve(serve::Command),
    /// A worker on this machine for a server elsewhere; and the workers that a server knows
    #[command(
        after_help = "Examples:\n  keepward worker token edge --to edge.token\n  keepward worker --server https://keepward.example.com --token-file edge.token --label lan \\\n      --storage nas"
    )]
    Worker(worker::Command),
    /// Users: who may sign in, and what they may do
    #[command(subcommand)]
    User(user::Command),
    /// Identity providers: signing in with an account from elsewhere (OIDC)
    #[command(subcommand)]
    IdentityProvider(identity_provider::Command),
    /// Tokens: how programs use the interface
    #[command(subcommand)]
    Token(token::Command),
    /// Sessions: who is signed in
    #[command(subcommand)]
    Session(session::Command),
    /// The audit log: who did what
    #[command(subcommand)]
    Audit(audit::Command),
    /// Proposals: what waits for another person's approval
    #[command(subcommand)]
    Proposal(proposal::Command),
    /// Look at everything that a backup needs, and say what to do about what is wrong
    #[command(
        after_help = "Examples:\n  keepward doctor\n  keepward doctor --offline --json\n  keepward doctor --server https://keepward.example.com --token-file token\n\n\
        It ends with 1 when something is wrong. What a running server holds is asked of the server."
    )]
    Doctor(doctor::Command),
    /// Notifications: where people are told what happened
    #[command(subcommand)]
    Notification(notification::Command),
    /// Alarms: what is wrong although nobody started anything
    #[command(subcommand)]
    Alarm(alarm::Command),
    /// What a code of an error or issue means and what to do
    Explain(explain::Command),
    /// Back up a simulated organization, lose data, get it back, compare
    Demo(demo::Command),
    /// Serve the simulated organization of the demo
    Simulator(simulator::Command),
    /// The vault that holds the secrets of this installation
    #[command(subcommand)]
    Vault(vault::Command),
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
            Command::Demo(_)
                | Command::Simulator(_)
                | Command::Live(_)
                | Command::Verify(_)
                | Command::Serve(_)
                | Command::Worker(_)
        )
    }
}

impl Cli {
    /// It goes on until it is told to end: SIGHUP means something else to it, and nobody sees the answers that it gives.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self.command, Command::Serve(_))
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
        Command::Serve(command) => Box::pin(serve::run(command, global, output, cancel)).await,
        Command::Worker(command) => Box::pin(worker::run(command, global, output, cancel)).await,
        Command::Verify(command) => Box::pin(verify::run(command, global, output, cancel)).await,
        Command::Repository(command) => {
            Box::pin(repository::run(command, global, output, cancel)).await
        }
        Command::Connector(command) => {
            at_once(Box::pin(connector::run(command, global, output))).await
        }
        Command::Credential(command) => {
            at_once(Box::pin(credential::run(command, global, output))).await
        }
        Command::AppProfile(command) => {
            at_once(Box::pin(app_profile::run(command, global, output))).await
        }
        Command::Snapshot(command) => {
            at_once(Box::pin(snapshot::run(command, global, output))).await
        }
        Command::Run(command) => at_once(Box::pin(run::run(command, global, output))).await,
        Command::Policy(command) => at_once(Box::pin(policy::run(command, global, output))).await,
        Command::User(command) => at_once(Box::pin(user::run(command, global, output))).await,
        Command::IdentityProvider(command) => {
            at_once(Box::pin(identity_provider::run(command, global, output))).await
        }
        Command::Notification(command) => {
            at_once(Box::pin(notification::run(command, global, output))).await
        }
        Command::Alarm(command) => at_once(Box::pin(alarm::run(command, global, output))).await,
        Command::Token(command) => at_once(Box::pin(token::run(command, global, output))).await,
        Command::Session(command) => at_once(Box::pin(session::run(command, global, output))).await,
        Command::Audit(command) => at_once(Box::pin(audit::run(command, global, output))).await,
        Command::Proposal(command) => {
            at_once(Box::pin(proposal::run(command, global, output))).await
        }
        // Not cut short: it ends within a moment.
        Command::Vault(command) => Box::pin(vault::run(command, global, output)).await,
        Command::Doctor(command) => at_once(Box::pin(doctor::run(command, global, output))).await,
        Command::Explain(command) => explain::run(&command, output),
        Command::Demo(command) => Box::pin(demo::run(command, output, cancel)).await,
        Command::Simulator(command) => simulator::run(command, output, cancel).await,
        Command::Live(command) => at_once(Box::pin(live::run(command, output))).await,
        Command::Reference(command) => reference::run(&command),
    }
}
