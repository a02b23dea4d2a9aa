//! A person signs in: by device code, or in a browser that comes back to this machine.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::{add, checks, methods};
use crate::client::{Api, segment, text};
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::output::Output;

mod browser;

/// How a person signs in.
#[derive(Args)]
pub(crate) struct Person {
    /// Sign in as a person on any device, with a code that is shown here
    #[arg(long, group = "way")]
    device_code: bool,
    /// Sign in as a person in the browser of this machine
    #[arg(long, group = "way")]
    browser: bool,
}

impl Person {
    pub(super) fn chosen(&self) -> bool {
        self.device_code || self.browser
    }
}

#[derive(Args)]
pub(crate) struct Again {
    /// The connector's name
    name: String,
    #[command(flatten)]
    person: Person,
}

/// Adds a connector by a wizard: sign in, check, add.
pub(super) async fn add(add: &add::Add, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    let mut begin = add.sign_in();
    begin["organization"] = json!(add.organization());
    let wizard = sign_in(&api, begin, add.person(), output)
        .await
        .map_err(add::as_usage)?;
    let mut one = add.settings();
    one.insert("organization".to_owned(), json!(add.organization()));
    let path = format!("/connect/{}/add", segment(text(&wizard, "id")));
    let body = json!({ "connectors": [one] });
    let added = api.post(&path, Some(&body)).await.map_err(add::as_usage)?;
    for connector in added["connectors"].as_array().into_iter().flatten() {
        checks::print_checks(&connector["checks"], output);
        add::tell(connector, output);
    }
    Ok(Exit::Done)
}

/// Signs in once more for a connector that exists.
pub(super) async fn again(again: Again, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    let path = format!("/connectors/{}", segment(&again.name));
    let connector = api.get(&path).await?;
    let begin = json!({ "service": connector["service"], "connector": connector["name"] });
    let wizard = sign_in(&api, begin, &again.person, output).await?;
    let path = format!("/connect/{}/add", segment(text(&wizard, "id")));
    let added = api.post(&path, Some(&json!({ "connectors": [] }))).await?;
    for connector in added["connectors"].as_array().into_iter().flatten() {
        checks::print_checks(&connector["checks"], output);
    }
    output.event(&json!({"event": "signed-in", "name": again.name, "account": wizard["account"]}));
    output.line(format!(
        "{} signs in as {} from now on",
        again.name,
        text(&wizard, "account")
    ));
    Ok(Exit::Done)
}

/// The wizard after its sign-in.
async fn sign_in(
    api: &Api,
    mut begin: Value,
    person: &Person,
    output: &Output,
) -> Result<Value, Failure> {
    methods::hints(api, text(&begin, "service"), output).await?;
    begin["method"] = json!("user");
    if person.browser {
        return browser::sign_in(api, begin, output).await;
    }
    begin["flow"] = json!("device-code");
    let begun = api.post("/connect", Some(&begin)).await?;
    let prompt = &begun["sign_in"];
    output.event(&json!({
        "event": "device-code", "user_code": prompt["user_code"], "verification_uri": prompt["verification_uri"],
        "expires": prompt["expires"],
    }));
    output.line(format!(
        "Open {} and enter the code {}",
        text(prompt, "verification_uri"),
        text(prompt, "user_code")
    ));
    let path = format!("/connect/{}/poll", segment(text(&begun, "id")));
    loop {
        let polled = api.post(&path, None::<&()>).await?;
        if text(&polled, "step") != "sign-in" {
            output.line(format!("signed in as {}", text(&polled, "account")));
            return Ok(polled);
        }
        let seconds = polled["sign_in"]["wait_seconds"].as_u64().unwrap_or(5);
        tokio::time::sleep(Duration::from_secs(seconds.clamp(1, 60))).await;
    }
}
