//! `keepward demo`: the main job on a simulated organization, judged by what the simulator itself holds.

pub(super) mod compare;
mod floor;
mod report;
mod serve;
mod story;
mod world;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use simulator::{Options, Seed, Simulator};
use tokio_util::sync::CancellationToken;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::scenario::{Folder, Runner, Steps};

use report::Report;
use story::Story;
use world::World;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  keepward demo\n  keepward demo --dir /tmp/keepward-demo\n  keepward demo --json --work-items 2000\n  keepward demo --serve\n\n\
    Exit code 1 means that something did not come back as it was; every difference is named."
)]
pub(crate) struct Command {
    /// Keep the repository, its password and everything else here: a new or empty folder [default: a temporary one, of which the repository stays]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Work items of the simulated organization
    #[arg(long, default_value_t = 500, value_name = "NUMBER")]
    work_items: u32,
    /// Serve the console on what the demonstration has made, until Ctrl-C
    #[arg(long)]
    serve: bool,
    /// Where the console listens; port 0 takes a free one
    #[arg(
        long,
        requires = "serve",
        default_value = "127.0.0.1:8480",
        value_name = "ADDRESS:PORT"
    )]
    listen: SocketAddr,
}

pub(crate) async fn run(
    command: Command,
    output: &Output,
    stop: &CancellationToken,
) -> Result<Exit, Failure> {
    let folder = Folder::new(command.dir.as_deref())?;
    // Before the work, which takes a while.
    let listener = command.serve.then(|| serve::listen(command.listen));
    let listener = listener.transpose()?;
    let history = checkout();
    let options = Options {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        data: Some(folder.join("simulator")),
        seed: Seed::Contoso {
            history: history.clone(),
            work_items: command.work_items,
        },
    };
    let simulator = Simulator::start(options)
        .await
        .context("the simulator cannot start")?;
    introduce(&simulator, history.as_deref(), output);
    let played = play(&simulator, &folder, listener, output, stop).await;
    simulator.stop().await;
    let report = played?;
    // Whoever pastes the last line wants something to read.
    folder.keep_only(&["repository", "repository-password"])?;
    Ok(if report.ok() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn introduce(simulator: &Simulator, history: Option<&Path>, output: &Output) {
    output.line("== 1. An organization to lose data in");
    output.line(format!(
        "A simulated Azure DevOps organization, {}, answers on {}.",
        simulator.organization(),
        simulator.url()
    ));
    match history {
        Some(path) => output.line(format!(
            "One of its repositories has the history of {}.",
            path.display()
        )),
        None => output.line("No checkout is around, so its repositories have made-up histories."),
    }
}

/// Tells the story and what came of it; then serves the console, where that is wanted.
async fn play(
    simulator: &Simulator,
    folder: &Folder,
    listener: Option<TcpListener>,
    output: &Output,
    stop: &CancellationToken,
) -> Result<Report, Failure> {
    let story = Story {
        world: World::new(simulator.url())?,
        steps: Steps::new(Runner::new(folder.join("data"), output)?),
        folder,
        output,
        url: simulator.url().to_owned(),
    };
    let (organization, pat) = (simulator.organization(), simulator.pat());
    let told = tokio::select! {
        told = story.tell(organization, pat) => told?,
        () = stop.cancelled() => return Err(Failure::canceled()),
    };
    let report = Report::of(&told);
    report.show(output, folder);
    if let Some(listener) = listener {
        tokio::select! {
            lost = story.lose(organization, pat) => lost?,
            () = stop.cancelled() => return Err(Failure::canceled()),
        }
        serve::serve(folder, simulator, listener, output, stop).await?;
    }
    Ok(report)
}

/// The checkout that the working directory is in.
fn checkout() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors()
        .find(|folder| folder.join(".git").exists())
        .map(PathBuf::from)
}
