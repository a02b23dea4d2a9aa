//! `keepward run`: what the interface tells of runs, the same here and over a server.

mod act;

use clap::{Args, Subcommand};

pub(crate) use act::run;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The newest runs
    #[command(after_help = "Example:\n  keepward run list --limit 5")]
    List {
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// A run: what it did and how it ended
    #[command(after_help = "Example:\n  keepward run show 01a20184-5804-7ad7-ada3-4e217e220162")]
    Show {
        /// The run's id, as `run list` shows it
        run: String,
    },
    /// The issues of a run
    #[command(after_help = "Example:\n  keepward run issues 01a20184-5804-7ad7-ada3-4e217e220162")]
    Issues(Issues),
    /// Ask a run to end
    #[command(after_help = "Example:\n  keepward run cancel 01a20184-5804-7ad7-ada3-4e217e220162")]
    Cancel {
        /// The run's id, as `run list` shows it
        run: String,
    },
    /// Try a backup again that failed, was canceled or has issues; what it got is not read again
    #[command(after_help = "Example:\n  keepward run retry 01a20184-5804-7ad7-ada3-4e217e220162")]
    Retry {
        /// The run's id, as `run list` shows it
        run: String,
    },
    /// Issues of the last 30 days, each once over all runs that had it
    #[command(after_help = "Example:\n  keepward run recurring --connector contoso")]
    Recurring {
        /// Only of this connector
        #[arg(long, value_name = "NAME")]
        connector: Option<String>,
    },
    /// Say that you have seen an issue, so that nobody is told of it again
    #[command(
        after_help = "Example:\n  keepward run acknowledge contoso git-repository-disabled --kind git-repository \\\n      --item 4c1e… --until 2027-01-01T00:00:00Z"
    )]
    Acknowledge(Acknowledge),
}

#[derive(Args)]
pub(crate) struct Acknowledge {
    /// The connector, or with `--repository` the repository that the issue is about alone
    subject: String,
    /// The issue's code, as `run recurring` shows it
    code: String,
    /// It is about a repository: checks and prunes find such issues
    #[arg(long)]
    repository: bool,
    /// The issue's kind of data
    #[arg(long, default_value = "")]
    kind: String,
    /// The issue's project
    #[arg(long, default_value = "")]
    scope: String,
    /// The issue's item
    #[arg(long, default_value = "")]
    item: String,
    /// Until then; for good when not said
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why it is all right
    #[arg(long)]
    note: Option<String>,
}

#[derive(Args)]
pub(crate) struct Issues {
    /// The run's id, as `run list` shows it
    run: String,
    /// At most this many
    #[arg(long, default_value_t = 1000)]
    limit: u32,
}
