//! Planted secrets are found nowhere: not in an answer, not in a log line, not in a page of the database.

use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::needles::holds;
use crate::world::{Answer, World};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Every page of the database, and what has not been merged into it.
fn pages(world: &World) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            all.extend(std::fs::read(path).unwrap());
        }
    }
    all
}

#[test]
fn the_search_finds_what_is_there_in_every_form() {
    let secret = "kw/plänted+\"secret\\?1";
    for before in 0..3 {
        for after in 0..3 {
            let text = format!("{}{secret}{}", "x".repeat(before), "y".repeat(after));
            assert!(
                holds(STANDARD.encode(&text).as_bytes(), secret),
                "{before} {after}"
            );
        }
    }
    let basic = STANDARD.encode(format!("user:{secret}"));
    let json = json!({ "a": secret }).to_string();
    let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    // As others write JSON: in ASCII alone, or without anything that markup could be made of.
    let ascii = r#"kw/pl\u00e4nted+\"secret\\?1"#;
    let careful = r"kw\u002Fpl\u00E4nted\u002B\u0022secret\u005C\u003F1";
    for text in [secret, &basic, &json, &url, ascii, careful] {
        assert!(
            holds(format!("before {text} after").as_bytes(), secret),
            "{text}"
        );
    }
    assert!(!holds(b"kw/planted secret", secret));
}

#[tokio::test]
async fn sre_39_planted_secrets_are_found_nowhere() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("trace,sqlx=debug")
        .with_writer(lines.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    let mut secrets = vec![
        ("token", pat.clone()),
        ("bad token", "kwplanted+bad/token=1".to_owned()),
        ("client secret", "kwplanted~client\"secret\\2".to_owned()),
        ("key", "a3dwbGFudGVka2V5a3dwbGFudGVka2V5".to_owned()),
        ("new token", "kwplanted-rotated-3".to_owned()),
    ];
    let of = |name: &str| {
        secrets
            .iter()
            .find(|(label, _)| *label == name)
            .unwrap()
            .1
            .clone()
    };
    let app = json!({"cloud": "lab", "tenant": world.simulator.tenant(), "client_id": world.simulator.client_id()});
    let identity = |method: &str, secret: &str| {
        let mut body = app.clone();
        body["method"] = json!(method);
        body["secret"] = json!(secret);
        body
    };
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        of("key")
    );
    let connector = |name: &str, identity: Value| json!({"name": name, "service": "azure-devops", "organization": "contoso", "identity": identity});
    let mut answers = String::new();
    let mut keep = |answer: Answer| answers.push_str(&answer.body.to_string());

    keep(world.add_pat("contoso", &pat).await);
    keep(world.add_pat("wrong", &of("bad token")).await);
    for (name, body) in [
        ("secret", identity("client-secret", &of("client secret"))),
        ("certificate", identity("certificate", &pem)),
        (
            "misplaced",
            json!({"method": of("client secret"), "secret": 1}),
        ),
        (
            "unknown",
            json!({"method": "pat", "secret": of("token"), "password": of("bad token")}),
        ),
    ] {
        keep(
            world
                .post("/connectors", &connector(name, body.clone()))
                .await,
        );
        keep(
            world
                .post("/credentials", &json!({"name": name, "identity": body}))
                .await,
        );
        keep(
            world
                .post(&format!("/credentials/{name}/test"), &json!({}))
                .await,
        );
    }
    keep(
        world
            .post(
                "/credentials/connector%20contoso/rotate",
                &json!({"secret": of("new token")}),
            )
            .await,
    );
    keep(world.post("/connectors/contoso/test", &json!({})).await);
    let body = world.add_user("person").await;
    keep(Answer {
        status: reqwest::StatusCode::CREATED,
        body,
    });
    for path in [
        "/connectors",
        "/credentials",
        "/credentials/secret",
        "/connectors/person",
        "/audit",
    ] {
        keep(world.get(path).await);
    }
    let control = &world.control;
    let (refresh, _) = control
        .catalog
        .versioned_secret(&control.kek, "connector person")
        .await
        .unwrap();
    secrets.push(("refresh token", refresh.expose().to_owned()));

    let logged = lines.0.lock().unwrap().clone();
    assert!(!logged.is_empty() && answers.len() > 1000);
    let pages = pages(&world);
    assert!(
        holds(&pages, "connector contoso"),
        "the pages are those of this database"
    );
    for (label, secret) in &secrets {
        assert!(!holds(answers.as_bytes(), secret), "{label} in an answer");
        assert!(!holds(&logged, secret), "{label} in the log");
        assert!(!holds(&pages, secret), "{label} in the database");
    }
}
