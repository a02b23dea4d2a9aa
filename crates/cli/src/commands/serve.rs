//! `keepward serve`.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use catalog::QueueLimits;
use clap::Args;
use control::WorkerSetup;
use server::{Options, Server, Tls};
use service::egress::Egress;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Global, repository};
use crate::app::{App, Place, read_secret};
use crate::config::{self, Config};
use crate::failure::{Exit, Failure};
use crate::output::Output;

const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8480);

#[derive(Args)]
pub(crate) struct Command {
    /// Address and port [default: 127.0.0.1:8480]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// A proxy in front speaks TLS: plain HTTP is served on any address
    #[arg(long)]
    behind_proxy: bool,
    /// Where people reach the server, when that is not where it listens
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
    stop: &CancellationToken,
) -> Result<Exit, Failure> {
    let place = global.data();
    let mut config = place.config()?;
    config.server.public_url = command.public_url.or(config.server.public_url);
    let tls = tls(&config.server)?;
    let listen = command.listen.or(config.server.listen).unwrap_or(LISTEN);
    let proxied = command.behind_proxy || !config.server.trusted_proxies.is_empty();
    if tls.is_none() && !proxied && !listen.ip().is_loopback() {
        return Err(Failure::coded(
            "plain-http-refused",
            format!("will not listen on {listen} without TLS"),
        ));
    }
    let encrypted = tls.is_some() || proxied;
    let unknown = proxied || listen.ip().is_unspecified();
    known_address(config.server.public_url.as_ref(), encrypted, unknown)?;
    let listener =
        TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    let serving = Serving::open(&place, config, listener, tls).await?;
    serving.announce(output);
    repository::first(&serving.app, &serving.roots, output).await?;
    if let Some(token) = serving.server.offer_setup().await? {
        output.event(&serde_json::json!({"event": "setup", "token": token}));
        output.line(format!(
            "nobody has an account yet; the token for the first administrator: {token}"
        ));
    }
    serving.until(stop).await
}

/// What is sent to browsers depends on where they believe to be: cookies for TLS alone, the pages to which a sign-in returns. `unknown` says that
/// this is not where the server listens.
fn known_address(public: Option<&Url>, encrypted: bool, unknown: bool) -> Result<(), Failure> {
    match public {
        None if unknown => Err(Failure::coded(
            "public-url-missing",
            "nobody reaches the server at the address that it listens on, and it was not told another one",
        )),
        Some(url) if encrypted && url.scheme() != "https" => Err(Failure::coded(
            "plain-http-refused",
            format!("people reach the server by TLS, and its public address is {url}"),
        )),
        _ => Ok(()),
    }
}

/// A data directory and the server that is about to answer for it.
pub(super) struct Serving {
    app: App,
    config: Config,
    roots: Vec<PathBuf>,
    listener: TcpListener,
    tls: Option<Tls>,
    pub(super) server: Server,
    pub(super) url: String,
}

impl Serving {
    pub(super) async fn open(
        place: &Place,
        config: Config,
        listener: TcpListener,
        tls: Option<Tls>,
    ) -> Result<Self, Failure> {
        let app = App::open_to_serve(place).await?;
        let address = listener.local_addr().context("cannot listen")?;
        let roots = roots(&config, place)?;
        let options = options(&config, roots.clone(), address, tls.is_some())?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        Ok(Self {
            server: Server::new(app.control.clone(), options),
            url: format!("{scheme}://{address}"),
            app,
            config,
            roots,
            listener,
            tls,
        })
    }

    pub(super) fn announce(&self, output: &Output) {
        let url = &self.url;
        output.event(&serde_json::json!({"event": "listening", "url": url}));
        output.line(format!("listening on {url}"));
    }

    /// Answers, works and watches until `stop`.
    pub(super) async fn until(self, stop: &CancellationToken) -> Result<Exit, Failure> {
        let mut work = begin(&self.server, &self.config, stop);
        let serving = self
            .server
            .serve(self.listener, self.tls.clone(), stop.clone());
        tokio::select! {
            ended = serving => ended.context("the server ended")?,
            () = reload(self.tls.as_ref()) => {}
        }
        while let Some(ended) = work.join_next().await {
            ended.context("a task of the server failed")?;
        }
        self.app.catalog.close().await;
        Ok(Exit::Done)
    }
}

fn tls(config: &config::Server) -> Result<Option<Tls>, Failure> {
    let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) else {
        return Ok(None);
    };
    let tls = Tls::load(certificate, key).context("cannot use the certificate")?;
    Ok(Some(tls))
}

/// Where repositories may be made over the interface; the default one is made here.
fn roots(config: &Config, data: &Path) -> Result<Vec<PathBuf>, Failure> {
    if let Some(roots) = &config.repositories.roots {
        return Ok(roots.clone());
    }
    let root =
        std::path::absolute(data.join("repositories")).context("cannot find the data directory")?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&root)
        .with_context(|| format!("cannot make {}", root.display()))?;
    Ok(vec![root])
}

fn options(
    config: &Config,
    repository_roots: Vec<PathBuf>,
    address: SocketAddr,
    tls: bool,
) -> Result<Options, Failure> {
    let token = config.server.metrics_token_file.as_deref();
    let own = if tls { "https" } else { "http" };
    let own = format!("{own}://{address}").parse().ok();
    Ok(Options {
        public_url: config.server.public_url.clone().or(own),
        trusted_proxies: config.server.trusted_proxies.clone(),
        metrics_token: token.map(read_secret).transpose()?,
        repository_roots,
        outbound: config.outbound.allow.clone(),
        ..Options::default()
    })
}

/// What goes on beside requests, until `stop`.
fn begin(server: &Server, config: &Config, stop: &CancellationToken) -> JoinSet<()> {
    let mut work = JoinSet::new();
    let observer = server.events.observer();
    let setup = WorkerSetup {
        labels: config.worker.labels.clone(),
        slots: config.worker.slots,
        limits: QueueLimits::default(),
        observer: Arc::clone(&observer),
    };
    let (control, cancel) = (server.control.clone(), stop.clone());
    work.spawn(async move { control.run_worker(&setup, &cancel).await });
    let (control, cancel) = (server.control.clone(), stop.clone());
    work.spawn(async move { control.run_scheduler(&observer, &cancel).await });
    let (control, cancel) = (server.control.clone(), stop.clone());
    let egress = Egress::new(config.outbound.allow.clone());
    work.spawn(async move { control.run_notifier(&egress, &cancel).await });
    let (control, cancel) = (server.control.clone(), stop.clone());
    work.spawn(async move { control.run_alarms(&cancel).await });
    let (control, cancel) = (server.control.clone(), stop.clone());
    work.spawn(async move { control.run_indexer(&cancel).await });
    work
}

/// Reads the certificate anew at each SIGHUP; never ends.
async fn reload(tls: Option<&Tls>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        return std::future::pending().await;
    };
    loop {
        hangups.recv().await;
        match tls.map(Tls::reload) {
            Some(Ok(())) => tracing::info!("the certificate was read anew"),
            Some(Err(error)) => tracing::error!(%error, "the certificate stays as it was"),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_know_its_address_is_told_which_setting_to_make() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        let (plain, secure) = (url("http://backup.example"), url("https://backup.example"));
        let code = |public, encrypted, unknown| {
            let refused = known_address(public, encrypted, unknown).err();
            refused.and_then(|failure| failure.code)
        };
        assert_eq!(
            code(None, true, true).as_deref(),
            Some("public-url-missing")
        );
        assert_eq!(code(None, true, false), None, "it is where it listens");
        assert_eq!(code(None, false, false), None, "this machine alone");
        assert_eq!(code(Some(&secure), true, true), None);
        assert_eq!(
            code(Some(&plain), true, true).as_deref(),
            Some("plain-http-refused"),
            "its cookies would go over the network in clear text"
        );
    }
}
