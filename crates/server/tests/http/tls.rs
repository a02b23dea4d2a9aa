//! TLS with certificate files that are replaced while the server runs.

use std::path::PathBuf;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use server::Tls;

use crate::support::World;

/// Writes a new certificate; answers with it.
fn certificate(world: &World) -> (PathBuf, PathBuf, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (world.path("certificate.pem"), world.path("key.pem"));
    std::fs::write(&certificate, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    (certificate, key, cert.pem())
}

/// The status of `/healthz` for a client that trusts this certificate alone.
async fn asked(port: u16, trusted: &str) -> Result<u16, reqwest::Error> {
    let root = reqwest::Certificate::from_pem(trusted.as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .build()
        .unwrap();
    let answer = client
        .get(format!("https://localhost:{port}/healthz"))
        .send()
        .await?;
    Ok(answer.status().as_u16())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_used_without_a_restart() {
    let world = World::new().await;
    let (certificate_file, key_file, first) = certificate(&world);
    let tls = Tls::load(&certificate_file, &key_file).unwrap();
    let listening = world.listen(Some(tls.clone()));
    let port = listening.address.port();
    assert_eq!(asked(port, &first).await.unwrap(), 200);
    let (_, _, second) = certificate(&world);
    tls.reload().unwrap();
    assert_eq!(asked(port, &second).await.unwrap(), 200);
    assert!(asked(port, &first).await.is_err());
    listening.stop.cancel();
    listening.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_leaves_the_old_one() {
    let world = World::new().await;
    let (certificate_file, key_file, _) = certificate(&world);
    let tls = Tls::load(&certificate_file, &key_file).unwrap();
    std::fs::write(&key_file, "no key").unwrap();
    let error = tls.reload().unwrap_err().to_string();
    assert!(error.contains("key.pem"), "{error}");
    assert!(Tls::load(&certificate_file, &key_file).is_err());
}
