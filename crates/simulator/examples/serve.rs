//! Serves a simulated organization until it is stopped: `--listen ADDRESS --seed empty|small|contoso|bulk --items N --bytes N --history DIR`.

use std::io::Write as _;
use std::path::PathBuf;

use simulator::{Options, Seed, Simulator};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut listen = "127.0.0.1:0".to_owned();
    let (mut seed, mut items, mut bytes, mut history) = ("small".to_owned(), 500, 2_000, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--listen" => listen = value,
            "--seed" => seed = value,
            "--items" => items = value.parse()?,
            "--bytes" => bytes = value.parse()?,
            "--history" => history = Some(PathBuf::from(value)),
            _ => return Err(format!("unknown argument {name}").into()),
        }
    }
    let seed = match seed.as_str() {
        "empty" => Seed::Empty,
        "small" => Seed::Small,
        "contoso" => Seed::Contoso {
            history,
            work_items: items,
        },
        "bulk" => Seed::Bulk {
            work_items: items,
            bytes,
            repositories: 0,
        },
        other => return Err(format!("unknown seed {other}").into()),
    };
    let simulator = Simulator::start(Options {
        listen: listen.parse()?,
        data: None,
        seed,
    })
    .await?;
    simulator.serve_demonstrations(simulator.administrator())?;
    writeln!(std::io::stdout(), "{}", simulator.summary())?;
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(())
}
