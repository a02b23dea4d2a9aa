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

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use tokio_util::sync::CancellationToken;

use crate::commands::Cli;
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error),
    };
    init_logging(cli.global.verbose);
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
    let hangup_ends = !cli.reloads();
    let result = runtime.block_on(async {
        let mut command = std::pin::pin!(commands::run(cli, &output, &cancel));
        tokio::select! {
            result = &mut command => return result,
            () = asked_to_end(hangup_ends) => cancel.cancel(),
        }
        // Locks and leases are given back; whoever does not want to wait asks again.
        tokio::select! {
            result = &mut command => result,
            () = asked_to_end(hangup_ends) => Err(Failure::canceled()),
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
async fn asked_to_end(hangup_ends: bool) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hangup)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv(), if hangup_ends => {}
    }
}

/// Logs go to standard error, data to standard output. Who reads them at once needs no time, and only a terminal knows colors.
fn init_logging(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info,sqlx=warn",
        _ => "debug,sqlx=warn,hyper=info",
    };
    let terminal = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_writer(std::io::stderr)
        .with_ansi(terminal);
    if terminal {
        log.without_time().init();
    } else {
        log.init();
    }
}
