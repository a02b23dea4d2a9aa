//! The ways to connect to a service, and what a person has to know before.

use clap::Args;
use serde_json::{Value, json};

use crate::client::{Api, segment, text};
use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Methods {
    /// The service
    #[arg(value_parser = crate::services::names())]
    service: String,
}

async fn told(api: &Api, service: &str) -> Result<Value, Failure> {
    let path = format!("/connect/methods?service={}", segment(service));
    api.get(&path).await
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

pub(super) async fn list(api: &Api, of: &Methods, output: &Output) -> Result<Exit, Failure> {
    let told = told(api, &of.service).await?;
    for method in each(&told["methods"]) {
        output.event(&json!({
            "event": "method", "name": method["name"], "title": method["title"], "usage": method["usage"],
            "life": method["life"], "first": method["first"],
        }));
        let of = |key: &str| text(method, key);
        output.line(format!(
            "{}\n  {}\n  {}\n",
            of("title"),
            of("usage"),
            of("life")
        ));
    }
    for identity in api.list("/connect/identities").await? {
        output.event(&json!({
            "event": "identity", "title": identity["title"], "assigned": identity["assigned"],
            "client_id": identity["client_id"],
        }));
        let (title, client_id) = (text(&identity, "title"), text(&identity, "client_id"));
        output.line(format!("managed identity: {title} {client_id}"));
    }
    print_hints(&told, output);
    Ok(Exit::Done)
}

/// What somebody has to know before signing in.
pub(super) async fn hints(api: &Api, service: &str, output: &Output) -> Result<(), Failure> {
    print_hints(&told(api, service).await?, output);
    Ok(())
}

fn print_hints(told: &Value, output: &Output) {
    // There are no pop-ups here.
    let fit = each(&told["hints"]).filter(|hint| text(hint, "about") != "sign-in-window-missing");
    for hint in fit {
        output.event(&json!({
            "event": "hint", "about": hint["about"], "text": hint["text"], "link": hint["link"],
        }));
        output.line(format!("{} {}", text(hint, "text"), text(hint, "link")));
    }
}
