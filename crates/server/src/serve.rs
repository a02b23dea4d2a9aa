//! Connections: with TLS or without, patient with nobody, and ended in order.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use futures::future::Either;
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

use crate::Server;

/// Requests that have begun may take this long when the server stops.
const GRACE: Duration = Duration::from_secs(20);

/// A certificate with its key, from files that can be read anew while the server runs.
#[derive(Clone)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: RustlsConfig,
}

impl Tls {
    pub fn load(certificate: &Path, key: &Path) -> io::Result<Self> {
        let config = RustlsConfig::from_config(Arc::new(read(certificate, key)?));
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            config,
        })
    }

    /// New connections get what the files hold now; when that is not usable, what they held before stays.
    pub fn reload(&self) -> io::Result<()> {
        let config = read(&self.certificate, &self.key)?;
        self.config.reload_from_config(Arc::new(config));
        Ok(())
    }
}

fn read(certificate: &Path, key: &Path) -> io::Result<ServerConfig> {
    let unusable = |path: &Path, error: &dyn std::fmt::Display| {
        io::Error::other(format!("{}: {error}", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| unusable(certificate, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

impl Server {
    /// Answers until `stop`; then streams end, requests that have begun are finished, and this returns.
    pub async fn serve(
        &self,
        listener: TcpListener,
        tls: Option<Tls>,
        stop: CancellationToken,
    ) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let patience = self.options.head_timeout;
        let app = self
            .router()
            .into_make_service_with_connect_info::<SocketAddr>();
        let handle = Handle::new();
        // Telling HTTP/1 from HTTP/2 would wait for the first byte without a limit.
        let mut server = axum_server::from_tcp(listener)?
            .handle(handle.clone())
            .http1_only();
        server
            .http_builder()
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(patience);
        let serving = match tls {
            Some(tls) => {
                let acceptor = RustlsAcceptor::new(tls.config).handshake_timeout(patience);
                Either::Left(server.acceptor(acceptor).serve(app))
            }
            None => Either::Right(server.serve(app)),
        };
        let mut serving = pin!(serving);
        tokio::select! {
            ended = &mut serving => return ended,
            () = stop.cancelled() => {}
        }
        self.events.close();
        handle.graceful_shutdown(Some(GRACE));
        let served = serving.await;
        self.writes.close();
        // What still goes on then is at most the answer to somebody who is gone.
        if tokio::time::timeout(GRACE, self.writes.wait())
            .await
            .is_err()
        {
            tracing::warn!("changes that had begun are broken off");
        }
        served
    }
}
