//! `keepward simulator`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use simulator::{Options, Seed, Simulator};
use tokio_util::sync::CancellationToken;

use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Clone, Copy, ValueEnum)]
enum SeedName {
    /// The organization of the demo
    Contoso,
    /// A tiny organization
    Small,
    /// One project with many equal work items
    Bulk,
    /// No project
    Empty,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  keepward simulator\n  keepward simulator --listen 127.0.0.1:8099 --json\n\n\
    It answers on /ORGANIZATION/… and on the real Host names (dev.azure.com, login.microsoftonline.com, graph.microsoft.com …); Entra ID and Microsoft Graph \
    are at the same address, too. It is for demonstrations and tests: it holds no real data."
)]
pub(crate) struct Command {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What the organization holds
    #[arg(long, value_enum, default_value = "contoso")]
    seed: SeedName,
    /// Work items of the seeds contoso and bulk
    #[arg(long, default_value_t = 500)]
    work_items: u32,
    /// Bytes of each work item of the seed bulk
    #[arg(long, default_value_t = 2000)]
    bytes: u32,
    /// Repositories of the seed bulk beside the project's own
    #[arg(long, default_value_t = 0)]
    repositories: u32,
    /// A git repository whose history becomes one of the organization's [default: the working directory's]
    #[arg(long, value_name = "DIR")]
    history: Option<PathBuf>,
    /// Keep bare repositories and attachments here instead of in a temporary folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Show the pages for sign-in, consent and device codes instead of answering as the administrator
    #[arg(long)]
    sign_in_pages: bool,
}

pub(crate) async fn run(
    command: Command,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let history = command
        .history
        .or_else(|| PathBuf::from(".git").exists().then(|| PathBuf::from(".")));
    let seed = match command.seed {
        SeedName::Contoso => Seed::Contoso {
            history,
            work_items: command.work_items,
        },
        SeedName::Small => Seed::Small,
        SeedName::Bulk => Seed::Bulk {
            work_items: command.work_items,
            bytes: command.bytes,
            repositories: command.repositories,
        },
        SeedName::Empty => Seed::Empty,
    };
    let simulator = Simulator::start(Options {
        listen: command.listen,
        data: command.data,
        seed,
    })
    .await
    .context("the simulator cannot start")?;
    if !command.sign_in_pages {
        simulator
            .serve_demonstrations(simulator.administrator())
            .context("the simulator cannot start")?;
    }
    output.event(&simulator.summary());
    output.line(format!(
        "{}/{}  PAT {}",
        simulator.url(),
        simulator.organization(),
        simulator.pat()
    ));
    output.line(format!(
        "tenant {}  app {}  secret {}",
        simulator.tenant(),
        simulator.client_id(),
        simulator.client_secret()
    ));
    output.line("press Ctrl-C to end");
    cancel.cancelled().await;
    Ok(Exit::Done)
}
