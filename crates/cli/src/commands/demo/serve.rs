//! `keepward demo --serve`: the console on what the demonstration has made, while the simulator goes on.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context as _;
use base64::Engine as _;
use rand::RngExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use simulator::Simulator;
use tokio_util::sync::CancellationToken;

use crate::app::Place;
use crate::commands::serve::Serving;
use crate::failure::{Exit, Failure};
use crate::new_file::write_private;
use crate::output::Output;
use crate::scenario::Folder;

const NAME: &str = "admin";

/// Only this machine: the password is printed, and TLS is not spoken.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    if !address.ip().is_loopback() {
        return Err(Failure::coded(
            "plain-http-refused",
            format!("the demonstration does not listen on {address}, which others reach"),
        ));
    }
    let listener = TcpListener::bind(address);
    Ok(listener.with_context(|| format!("cannot listen on {address}"))?)
}

pub(super) async fn serve(
    folder: &Folder,
    simulator: &Simulator,
    listener: TcpListener,
    output: &Output,
    stop: &CancellationToken,
) -> Result<Exit, Failure> {
    simulator
        .serve_demonstrations(simulator.administrator())
        .context("the simulator does not go on")?;
    let data = folder.join("data");
    write_private(
        &data.join("keepward.toml"),
        configuration(simulator).as_bytes(),
    )?;
    let place = Place::new(data, None, false);
    let serving = Serving::open(&place, place.config()?, listener, None).await?;
    let random: [u8; 12] = rand::rng().random();
    let password = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random);
    let person = json!({ "name": NAME, "password": password, "roles": ["admin"] });
    let answer = serving
        .server
        .call(
            Method::POST,
            "/people",
            Some(person.to_string().into_bytes()),
        )
        .await;
    if !answer.status.is_success() {
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let said = said["detail"].as_str().unwrap_or("no reason given");
        return Err(anyhow::anyhow!("cannot add the administrator: {said}").into());
    }
    output.line("\n== 7. Look around");
    serving.announce(output);
    output.event(&json!({ "event": "sign-in", "name": NAME, "password": password }));
    output.line(format!(
        "sign in at {} as {NAME} with the password {password}\nthe simulated organization goes on; press Ctrl-C to end",
        serving.url
    ));
    serving.until(stop).await
}

/// The simulator stands in for Microsoft's cloud, so that connecting works too.
fn configuration(simulator: &Simulator) -> String {
    let (url, app) = (simulator.url(), simulator.client_id());
    format!(
        "[outbound]\nallow = [\"127.0.0.0/8\"]\n\n\
         [clouds.public]\nauthority = \"{}\"\ngraph = \"{}\"\nimds = \"{url}\"\n\
         hosts = {{ dev = \"{url}/{{organization}}\", sps = \"{url}/{{organization}}\", aex = \"{url}/{{organization}}\", \
         app = \"{url}\", graph = \"{url}/v1.0\" }}\n\n\
         [[apps]]\nservice = \"azure-devops\"\nclient_id = \"{app}\"\n\n[[apps]]\nservice = \"microsoft-365\"\nclient_id = \"{app}\"\n",
        simulator.authority(),
        simulator.graph(),
    )
}
