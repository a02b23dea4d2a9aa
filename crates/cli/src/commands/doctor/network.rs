//! What is reached over the network: services, and a server.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::Clock as _;
use reqwest::Url;

use super::Finding;
use crate::app::App;
use crate::client::Api;
use crate::clock::SystemClock;
use crate::commands::Global;

/// Tokens and signatures fail when clocks differ by minutes.
const SKEW: SignedDuration = SignedDuration::from_mins(2);

/// Whether the hosts of the connectors answer, and what time they say it is.
pub(super) async fn services(app: &App, findings: &mut Vec<Finding>) {
    let connectors = match app.catalog.connectors().await {
        Ok(connectors) => connectors,
        Err(error) => return findings.push(Finding::failed("connectors", &error.into())),
    };
    let mut hosts = BTreeSet::new();
    for connector in connectors {
        let Ok(service) = app.control.service(&connector.service) else {
            continue;
        };
        if let Ok(addresses) =
            control::addresses(service, &connector.organization, connector.url.as_deref())
        {
            hosts.extend(addresses.into_values().map(|url| origin(&url)));
        }
    }
    let client = reqwest::Client::builder()
        .user_agent(control::USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            return findings.push(Finding::failed(
                "network",
                &anyhow::Error::new(error).into(),
            ));
        }
    };
    for host in hosts {
        findings.push(service(&client, &host).await);
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

async fn service(client: &reqwest::Client, host: &str) -> Finding {
    let check = format!("service {host}");
    let answer = match client.get(host).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let failure = anyhow::Error::new(error.without_url()).into();
            return Finding::failed(check, &failure)
                .hinted("Check the name, the proxy and the firewall.");
        }
    };
    let date = answer
        .headers()
        .get("date")
        .and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    match date {
        Some(date) => clock(check, date.timestamp()),
        None => Finding::pass(check, "answers"),
    }
}

fn clock(check: String, theirs: Timestamp) -> Finding {
    let skew = SystemClock.now().duration_since(theirs).abs();
    if skew <= SKEW {
        return Finding::pass(check, "answers, and the clocks agree");
    }
    Finding::fail(
        check,
        format!("the clocks differ by {} s", skew.as_secs()),
        "Set this machine's clock: tokens are refused when it is wrong (timedatectl set-ntp true).",
    )
}

/// Whether a server answers, is ready and knows the token.
pub(super) async fn server(url: &str, global: &Global, findings: &mut Vec<Finding>) {
    let api = match Api::open(global).await {
        Ok(api) => api,
        Err(failure) => return findings.push(Finding::failed("server", &failure)),
    };
    match api.get("/status").await {
        Ok(status) => {
            let version = status["version"].as_str().unwrap_or("?");
            findings.push(Finding::pass(
                "server",
                format!("{url} answers, version {version}"),
            ));
            if let Some(Ok(theirs)) = status["time"].as_str().map(str::parse) {
                findings.push(clock("clock".to_owned(), theirs));
            }
        }
        Err(failure) => findings.push(Finding::failed("server", &failure)),
    }
}
