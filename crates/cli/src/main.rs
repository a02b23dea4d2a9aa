//! The one binary of Keepward: the only place that reads configuration, the environment and the terminal, and that lists the services.

mod app;
mod client;
mod clock;
mod commands;
mod config;
mod confirm;
mod failure;
mod follow;
mod new_file;
mod output;
mod progress;
mod recovery;
mod scenario;
mod services;
mod visible;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use clap::error::ErrorKind;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::commands::Cli;
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error),
    };
    init_logging(&cli);
    let output = Output::new(cli.global.json);
    let mut builder = if cli.serves() {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        // Packing, hashing and parsing are one stream of work, and handing pages between threads costs more than it gains. Files, git packs and
        // the database have threads of their own.
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return output.failure(&Failure::from(
                anyhow::Error::new(error).context("cannot start"),
            ));
        }
    };
    let cancel = CancellationToken::new();
    let hangup_ends = !cli.is_server();
    let result = runtime.block_on(async {
        // Before anything is begun: from here on no signal ends the process by itself.
        let mut ending = Ending::listen(hangup_ends)?;
        let mut command = std::pin::pin!(async {
            let result = commands::run(cli, &output, &cancel).await;
            repository::locks_given_back().await;
            result
        });
        tokio::select! {
            result = &mut command => return result,
            () = ending.asked() => cancel.cancel(),
        }
        // Locks and leases are given back; whoever does not want to wait asks again.
        tokio::select! {
            result = &mut command => result,
            () = ending.asked() => Err(Failure::canceled()),
        }
    });
    match result {
        Ok(code) => output.ended(code),
        Err(failure) => output.failure(&failure),
    }
}

/// What was asked for cannot be read, or is help. Programs that want JSON get the error as JSON, too.
fn not_understood(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os()
        .take_while(|argument| argument != "--")
        .any(|argument| argument == "--json");
    let help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if help || !json {
        error.exit();
    }
    Output::new(true).failure(&Failure::not_understood(&error.render().to_string()))
}

/// Ctrl-C, or the signals by which a service manager or a closed terminal ends a process.
struct Ending {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    hangup_ends: bool,
}

impl Ending {
    fn listen(hangup_ends: bool) -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen to signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
            hangup_ends,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv(), if self.hangup_ends => {}
        }
    }
}

/// Logs go to standard error, data to standard output. Who reads them at once needs no time, and only a terminal knows colors.
fn init_logging(cli: &Cli) {
    let commands = format!("warn,{}=off", server::TOLD);
    let usual = match cli.global.verbose {
        0 if cli.is_server() => "warn",
        0 => &commands,
        1 => "info,sqlx=warn",
        _ => "debug,sqlx=warn,hyper=info",
    };
    let asked = cli.global.log.as_deref().map(str::trim);
    let asked = asked.filter(|filter| !filter.is_empty());
    // A slip in a variable of the environment is no reason to make no backup.
    let (filter, slip) = match EnvFilter::builder().parse(asked.unwrap_or(usual)) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(usual), Some(error)),
    };
    let terminal = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal);
    if terminal {
        log.without_time().init();
    } else {
        log.init();
    }
    if let Some(error) = slip {
        tracing::warn!(%error, filter = asked, "what --log or RUST_LOG asks for is not understood; it is left out");
    }
}
