//! `keepward connector`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use model::{Clock as _, Connector, Reporter, Secret};
use service::{Check, CheckOutcome};

use super::Global;
use crate::app::{self, App};
use crate::clock::SystemClock;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::services;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Connect to an organization: checks first, saves then
    #[command(
        after_help = "Examples:\n  keepward connector add azure-devops contoso --pat-file pat.txt\n  \
        keepward connector add azure-devops https://dev.azure.com/contoso --pat-file pat.txt --name prod\n  \
        keepward connector add azure-devops DefaultCollection --url https://tfs.example.com/tfs --pat-file pat.txt"
    )]
    Add(Add),
    /// Check organization, credential and permissions; names what data a missing permission costs
    #[command(
        after_help = "Example:\n  keepward connector test contoso\n\nExit code 0 when everything can be read, 3 when a permission is missing, 4 when the credential is refused."
    )]
    Test(Name),
    /// The connectors
    #[command(after_help = "Example:\n  keepward connector list --json")]
    List,
    /// Remove a connector; its snapshots stay
    #[command(after_help = "Example:\n  keepward connector remove contoso")]
    Remove(Name),
}

#[derive(Args)]
pub(crate) struct Add {
    /// The service
    #[arg(value_parser = ["azure-devops"])]
    service: String,
    /// The organization: the part after dev.azure.com/, or the whole address
    organization: String,
    /// A file whose first line is a personal access token of this organization
    #[arg(long, value_name = "FILE")]
    pat_file: PathBuf,
    /// Another host than the service's own, for Azure DevOps Server or a simulator
    #[arg(long)]
    url: Option<String>,
    /// What to call it [default: the organization]
    #[arg(long)]
    name: Option<String>,
    /// Take the place of a connector of this name (a new token)
    #[arg(long)]
    replace: bool,
}

#[derive(Args)]
pub(crate) struct Name {
    /// The connector's name
    name: String,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let app = App::open(&global.data()).await?;
    match command {
        Command::Add(add) => add_connector(&app, add, output).await,
        Command::Test(name) => test(&app, &name.name, output).await,
        Command::List => list(&app, output).await,
        Command::Remove(name) => {
            let connector = app.catalog.connector(&name.name).await?;
            app.catalog.remove_connector(&connector.name).await?;
            app.catalog.remove_credential(&connector.credential).await?;
            output
                .event(&serde_json::json!({"event": "connector-removed", "name": connector.name}));
            output.line(format!(
                "removed {}; its snapshots are untouched",
                connector.name
            ));
            Ok(Exit::Done)
        }
    }
}

async fn add_connector(app: &App, add: Add, output: &Output) -> Result<Exit, Failure> {
    let organization = organization(&add.organization)?;
    let name = add.name.clone().unwrap_or_else(|| organization.clone());
    check_name(&name)?;
    let connectors = app.catalog.connectors().await?;
    let exists = connectors
        .iter()
        .find(|connector| connector.name.eq_ignore_ascii_case(&name));
    if exists.is_some() && !add.replace {
        return Err(Failure::coded(
            "connector-exists",
            "A connector with this name already exists",
        ));
    }
    let connector = Connector {
        credential: format!("connector {name}"),
        name,
        service: add.service.clone(),
        organization,
        url: add.url.clone(),
        method: "pat".to_owned(),
    };
    let pat = app::read_secret(&add.pat_file)?;
    let checks = preflight(app, &connector, pat.clone(), output).await?;
    refuse_failed(&checks)?;
    app.catalog
        .put_credential(
            &app.kek,
            &connector.credential,
            "pat",
            &pat,
            SystemClock.now(),
            &mut rand::rng(),
        )
        .await?;
    if exists.is_some() {
        app.catalog.replace_connector(&connector).await?;
    } else {
        app.catalog.add_connector(&connector).await?;
    }
    output.event(&serde_json::json!({"event": "connector", "name": connector.name, "organization": connector.organization}));
    output.line(format!(
        "\nconnected: {} ({})\nnext: keepward backup {}",
        connector.name, connector.organization, connector.name
    ));
    Ok(Exit::Done)
}

/// `contoso` from `contoso` or from the address in a browser (acceptance line SRE-09, SRE-10).
fn organization(text: &str) -> Result<String, Failure> {
    let name = match url::Url::parse(text) {
        Ok(address) => match address.host_str() {
            Some(host) if host.ends_with(".visualstudio.com") => {
                host.split('.').next().unwrap_or("").to_owned()
            }
            _ => address
                .path()
                .trim_matches('/')
                .split('/')
                .next()
                .unwrap_or("")
                .to_owned(),
        },
        Err(_) => text.to_owned(),
    };
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let fits = name.len() <= 50
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && edge(name.chars().next())
        && edge(name.chars().last());
    if fits {
        return Ok(name);
    }
    Err(Failure::usage(
        format!("{text} is not the name of an organization"),
        "give the part after dev.azure.com/, for example contoso",
    ))
}

/// Acceptance lines SRE-05 and SRE-06.
fn check_name(name: &str) -> Result<(), Failure> {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    if first
        && (3..=32).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    {
        return Ok(());
    }
    Err(Failure::usage(
        format!("{name:?} cannot be the name of a connector"),
        "3 to 32 letters, digits and hyphens, beginning with a letter: --name NAME",
    ))
}

async fn preflight(
    app: &App,
    connector: &Connector,
    pat: Secret,
    output: &Output,
) -> Result<Vec<Check>, Failure> {
    let service = services::find(&connector.service).ok_or_else(|| {
        Failure::usage(
            format!("there is no service {}", connector.service),
            "azure-devops",
        )
    })?;
    let progress = Progress::new(output);
    let observer: Arc<dyn Reporter> = Arc::<Progress>::clone(&progress);
    let client = control::connect(
        service,
        &connector.organization,
        connector.url.as_deref(),
        pat,
        Some(observer),
    )?;
    let checks = app
        .control
        .preflight(service, &client, &connector.organization)
        .await;
    progress.finish();
    let checks = checks?;
    for check in &checks {
        output.event(&serde_json::json!({
            "event": "check", "name": check.name, "outcome": check.outcome, "message": check.message, "hint": check.hint, "code": check.code,
        }));
        output.line(format!(
            "{:8} {:16} {}",
            word(check.outcome),
            check.name,
            check.message
        ));
        if let (Some(hint), true) = (&check.hint, check.outcome != CheckOutcome::Pass) {
            output.line(format!("{:8} {:16} hint: {hint}", "", ""));
        }
    }
    Ok(checks)
}

fn word(outcome: CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Pass => "pass",
        CheckOutcome::Warning => "warning",
        CheckOutcome::Missing => "missing",
        CheckOutcome::Fail => "FAIL",
    }
}

fn refuse_failed(checks: &[Check]) -> Result<(), Failure> {
    let Some(failed) = checks
        .iter()
        .find(|check| check.outcome == CheckOutcome::Fail)
    else {
        return Ok(());
    };
    let mut failure = Failure::coded(
        failed.code.unwrap_or("credential-refused"),
        failed.message.clone(),
    );
    failure.hint = failed.hint.clone().or(failure.hint);
    Err(failure)
}

async fn test(app: &App, name: &str, output: &Output) -> Result<Exit, Failure> {
    let connector = app.catalog.connector(name).await?;
    let pat = app.secret(&connector.credential).await?;
    let checks = preflight(app, &connector, pat, output).await?;
    refuse_failed(&checks)?;
    let missing = checks
        .iter()
        .filter(|check| check.outcome == CheckOutcome::Missing)
        .count();
    output.event(&serde_json::json!({"event": "result", "ok": missing == 0, "missing": missing}));
    Ok(if missing == 0 {
        Exit::Done
    } else {
        Exit::DoneWithIssues
    })
}

async fn list(app: &App, output: &Output) -> Result<Exit, Failure> {
    let connectors = app.catalog.connectors().await?;
    output.rows(
        &["name", "service", "organization", "address"],
        &connectors,
        |connector| {
            let url = connector
                .url
                .clone()
                .unwrap_or_else(|| "dev.azure.com".to_owned());
            vec![
                connector.name.clone(),
                connector.service.clone(),
                connector.organization.clone(),
                url,
            ]
        },
    );
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_is_taken_from_its_name_or_address() {
        for text in [
            "contoso",
            "https://dev.azure.com/contoso",
            "https://dev.azure.com/contoso/Project/_git/x",
            "https://contoso.visualstudio.com/",
        ] {
            assert_eq!(
                organization(text).ok().as_deref(),
                Some("contoso"),
                "{text}"
            );
        }
        for text in [
            "-contoso",
            "contoso-",
            "con_toso",
            "con.toso",
            "con toso",
            "",
            "https://dev.azure.com/",
            &"a".repeat(51),
        ] {
            assert!(organization(text).is_err(), "{text}");
        }
    }

    #[test]
    fn connector_names_follow_the_documented_pattern() {
        for name in [
            "ado-contoso",
            "my-org-connector",
            "abc",
            "abc-",
            &"a".repeat(32),
        ] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "ab",
            "1abc",
            "-abc",
            "a_bc",
            "a.bc",
            "a bc",
            "äbc",
            "",
            &"a".repeat(33),
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
