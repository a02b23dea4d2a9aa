//! The one binary of Keepward: the only place that reads configuration, the environment and the terminal, and that lists the services.

mod app;
mod clock;
mod commands;
mod failure;
mod output;
mod progress;
mod recovery;
mod services;

use std::process::ExitCode;

use clap::Parser as _;

use crate::commands::Cli;
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    init_logging(cli.global.verbose);
    let output = Output::new(cli.global.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.failure(&Failure::from(anyhow::Error::new(error).context("cannot start"))),
    };
    let result = runtime.block_on(async {
        tokio::select! {
            result = commands::run(cli, &output) => result,
            _ = tokio::signal::ctrl_c() => Err(Failure::canceled()),
        }
    });
    match result {
        Ok(code) => code.into(),
        Err(failure) => output.failure(&failure),
    }
}

/// Logs go to standard error, data to standard output.
fn init_logging(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info,sqlx=warn",
        _ => "debug,sqlx=warn,hyper=info",
    };
    tracing_subscriber::fmt().with_env_filter(level).with_writer(std::io::stderr).without_time().init();
}
