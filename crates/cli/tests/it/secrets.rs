//! SRE-39: planted secrets are found nowhere in all that a full run of the server says, sends and writes.

mod corpus;
mod served;

use std::collections::BTreeMap;
use std::time::Duration;

use catalog::{Catalog, Kek};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use crate::common::{PASSWORD, World};
use crate::needles::{forms, holds};
use corpus::Corpus;
use served::{Answer, Served};

const ACCOUNT: &str = "kwplanted pässword \"1\\+";
const WRONG_ACCOUNT: &str = "kwplanted wrong pässword \"2\\+";
const WRONG_PAT: &str = "kwplanted+wrong/pat=\"3";
const CLIENT: &str = "kwplanted~client \"secret\\ü4";
const WRONG_CLIENT: &str = "kwplanted~wrong \"client\\5";
const SMTP: &str = "kwplanted smtp \"pässword\\6";
const HOOK: &str = "a3dwbGFudGVkLXdlYmhvb2sta2V5LTEyMzQ1Ng==";
const SLACK: &str = "kwplantedSlackAddress7";
const PROVIDER: &str = "kwplanted~provider \"secret\\8";
const METRICS: &str = "kwplanted-metrics-token-9";

struct Scene {
    world: World,
    served: Served,
    corpus: Corpus,
    secrets: Vec<(&'static str, String)>,
    /// Names and ids for the parts of paths.
    known: BTreeMap<&'static str, String>,
}

impl Scene {
    async fn start() -> Self {
        let world = World::bare().await;
        world
            .simulator
            .control("settings", &json!({"interval": 1}))
            .unwrap();
        world
            .simulator
            .control(
                "secrets",
                &json!({"client": world.simulator.client_id(), "value": CLIENT}),
            )
            .unwrap();
        std::fs::create_dir_all(world.path("data")).unwrap();
        let metrics = world.file("metrics-token", METRICS);
        world.file("data/keepward.toml", &configuration(&world, &metrics));
        world.repository("main").await;
        let (served, setup) = Served::start(&world).await;
        let mut secrets = vec![
            ("setup token", setup),
            ("repository password", PASSWORD.to_owned()),
            ("token", world.simulator.pat().to_owned()),
        ];
        let planted = [
            ("account password", ACCOUNT),
            ("wrong account password", WRONG_ACCOUNT),
            ("wrong token", WRONG_PAT),
            ("client secret", CLIENT),
            ("wrong client secret", WRONG_CLIENT),
            ("mail password", SMTP),
            ("webhook key", HOOK),
            ("address of Slack", SLACK),
            ("client secret of the identity provider", PROVIDER),
            ("metrics token", METRICS),
        ];
        secrets.extend(planted.map(|(label, secret)| (label, secret.to_owned())));
        Self {
            world,
            served,
            corpus: Corpus::default(),
            secrets,
            known: BTreeMap::new(),
        }
    }

    async fn send(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let path = if path.starts_with("/api") || path == "/metrics" {
            path.to_owned()
        } else {
            format!("/api/v1{path}")
        };
        let answer = self.served.ask(method, &path, body.as_ref()).await;
        self.corpus
            .add(format!("{method} {path}"), answer.bytes.clone());
        answer
    }

    async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    /// An answer that shows a secret once: it alone is not searched.
    async fn secret(
        &mut self,
        label: &'static str,
        path: &str,
        body: Value,
        member: &str,
    ) -> String {
        let answer = self
            .served
            .ask("POST", &format!("/api/v1{path}"), Some(&body))
            .await;
        answer.expect(201);
        let secret = answer.text(member);
        self.secrets.push((label, secret.clone()));
        secret
    }

    async fn run(&mut self, args: &[&str]) -> i32 {
        let token = self.world.at("token");
        let url = self.served.url.clone();
        let all = [args, &["-vv", "--server", &url, "--token-file", &token]].concat();
        let ran = self.world.keepward(&all).await;
        self.corpus
            .add(format!("keepward {}", args.join(" ")), ran.told());
        ran.code.unwrap()
    }
}

fn configuration(world: &World, metrics: &str) -> String {
    let simulator = &world.simulator;
    let url = simulator.url();
    let organization = format!("{url}/{{organization}}");
    format!(
        "[server]\nmetrics_token_file = {metrics:?}\n[outbound]\nallow = [\"127.0.0.0/8\"]\n\
         [[apps]]\nservice = \"azure-devops\"\ncloud = \"lab\"\nclient_id = {:?}\n\
         [clouds.lab]\nauthority = {:?}\ngraph = {:?}\nimds = {:?}\n\
         [clouds.lab.hosts]\ndev = {organization:?}\nsps = {organization:?}\naex = {organization:?}\napp = {url:?}\n",
        simulator.client_id(),
        simulator.authority(),
        simulator.graph(),
        simulator.imds(),
    )
}

/// The first administrator, whom a wrong password does not let in again.
async fn administrator(scene: &mut Scene) {
    let mut body = json!({"token": "kw-wrong", "name": "root", "password": ACCOUNT});
    scene.post("/setup", body.clone()).await;
    body["token"] = json!(scene.secrets[0].1);
    let answer = scene.served.ask("POST", "/api/v1/setup", Some(&body)).await;
    answer.expect(201);
    let cookie = answer.cookie.unwrap();
    let session = cookie.split_once('=').unwrap().1.to_owned();
    scene.secrets.push(("session", session));
    scene.served.cookie = Some(cookie);
    let wrong = json!({"name": "root", "password": WRONG_ACCOUNT});
    scene.post("/session", wrong).await.expect(401);
}

/// What is shown once, and what is typed into the wrong field.
async fn people(scene: &mut Scene) {
    let permissions = json!([
        "read-status",
        "read-content",
        "run-backups",
        "manage-connectors",
        "manage-policies",
        "restore",
        "manage-repositories",
        "approve",
        "manage-people",
        "read-audit",
        "manage-server",
        "own",
    ]);
    let shown = [
        (
            "API token",
            "/tokens",
            json!({"name": "tests", "permissions": permissions}),
            "secret",
        ),
        (
            "worker's token",
            "/workers",
            json!({"name": "elsewhere"}),
            "token",
        ),
        (
            "second factor",
            "/me/second-factor",
            json!({"password": ACCOUNT}),
            "secret",
        ),
    ];
    for (label, path, body, member) in shown {
        let secret = scene.secret(label, path, body, member).await;
        if label == "API token" {
            scene.world.file("token", &secret);
        }
    }
    let person = json!({"name": "anna", "password": ACCOUNT, "roles": ["viewer"]});
    scene.post("/people", person).await.expect(201);
    let misplaced = json!({"name": ACCOUNT, "password": 1, "roles": [WRONG_ACCOUNT]});
    scene.post("/people", misplaced).await;
}

async fn provider(scene: &mut Scene) {
    let path = "/identity-providers/contoso";
    let provider =
        json!({"title": "Contoso", "issuer": "http://127.0.0.1:9/v2.0", "client_id": "keepward"});
    scene.send("PUT", path, Some(provider)).await.expect(200);
    let secret = json!({"client_secret": PROVIDER});
    let path = format!("{path}/client-secret");
    scene.send("PUT", &path, Some(secret)).await.expect(204);
    scene.known.insert("provider", "contoso".to_owned());
}

/// A certificate with its key, for the simulated app.
fn certificate(scene: &mut Scene) -> String {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let pem = key.serialize_pem();
    // A line of it is enough to know it by, however lines are broken where it is found.
    let line = pem.lines().nth(3).unwrap().to_owned();
    scene.secrets.push(("certificate's key", line));
    let simulator = &scene.world.simulator;
    let registered = json!({"client": simulator.client_id(), "certificate": certificate.pem()});
    simulator.control("certificates", &registered).unwrap();
    format!("{}{pem}", certificate.pem())
}

/// Connects in several ways, and fails to.
async fn connect(scene: &mut Scene) {
    let pem = certificate(scene);
    let simulator = &scene.world.simulator;
    let url = simulator.url().to_owned();
    let app = |method: &str, secret: &str| json!({"method": method, "cloud": "lab", "tenant": simulator.tenant(), "client_id": simulator.client_id(), "secret": secret});
    let pat = |secret: &str| json!({"method": "pat", "secret": secret});
    let connector = |name: &str, identity: Value| {
        let mut body = json!({"name": name, "service": "azure-devops", "organization": "contoso", "identity": identity});
        if body["identity"]["method"] == "pat" {
            body["url"] = json!(url);
        }
        body
    };
    let good = [
        connector("contoso", pat(simulator.pat())),
        connector("by-secret", app("client-secret", CLIENT)),
        connector("by-certificate", app("certificate", &pem)),
    ];
    let bad = [
        connector("refused", pat(WRONG_PAT)),
        connector("no-secret", app("client-secret", WRONG_CLIENT)),
        connector(WRONG_PAT, pat(WRONG_PAT)),
        json!({"name": "x", "service": "azure-devops", "organization": WRONG_PAT, "identity": {"method": "pat", "secret": 1, "password": WRONG_PAT}}),
    ];
    let credentials = [
        ("kept", app("client-secret", CLIENT)),
        ("kept-wrong", pat(WRONG_PAT)),
    ];
    let administrator = simulator.administrator();
    for body in good {
        let name = body["name"].as_str().unwrap().to_owned();
        let path = format!("/connectors/{name}");
        scene.post("/connectors", body).await.expect(201);
        let test = format!("{path}/test");
        scene.post(&test, json!({})).await.expect(200);
        if name != "contoso" {
            // An organization is signed in to once.
            scene.send("DELETE", &path, None).await.expect(204);
        }
    }
    for body in bad {
        let answer = scene.post("/connectors", body).await;
        assert!((400..500).contains(&answer.status), "{}", answer.body);
    }
    for (name, identity) in credentials {
        let body = json!({"name": name, "identity": identity});
        scene.post("/credentials", body).await;
        let test = format!("/credentials/{name}/test");
        scene.post(&test, json!({})).await;
    }
    by_device_code(scene, administrator).await;
}

async fn by_device_code(scene: &mut Scene, person: &str) {
    let begin = json!({"service": "azure-devops", "method": "user", "cloud": "lab"});
    let left = scene.post("/connect", begin.clone()).await;
    scene.known.insert("wizard", left.text("id"));
    let begun = scene.post("/connect", begin).await;
    let code = begun.expect(201)["sign_in"]["user_code"].as_str().unwrap();
    scene
        .world
        .simulator
        .approve_device_code(code, person)
        .unwrap();
    let path = format!("/connect/{}", begun.text("id"));
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let wizard = scene.post(&format!("{path}/poll"), json!({})).await;
        if wizard.expect(200)["step"] == "choose" {
            let body = json!({"connectors": [{"organization": "contoso", "name": "person"}]});
            scene.post(&format!("{path}/add"), body).await.expect(201);
            return;
        }
    }
    panic!("nobody was signed in");
}

/// Backs up what works and what does not.
async fn back_up(scene: &mut Scene) {
    backup(scene, "contoso", "succeeded").await;
    // Tokens that live for some seconds, so that each of them is renewed.
    scene.world.simulator.set_token_life(8);
    backup(scene, "person", "succeeded").await;
    let rotate = "/credentials/connector%20contoso/rotate";
    scene.post(rotate, json!({"secret": WRONG_PAT})).await;
    let body = json!({"name": "scapegoat", "secret": WRONG_PAT});
    scene.send("PATCH", "/connectors/contoso", Some(body)).await;
    let simulator = &scene.world.simulator;
    simulator.revoke_sessions(simulator.administrator());
    simulator.advance_clock(100);
    scene.post("/connectors/person/test", json!({})).await;
    backup(scene, "person", "failed").await;
}

async fn backup(scene: &mut Scene, connector: &str, state: &str) {
    let run = scene
        .post("/backups", json!({"connector": connector}))
        .await;
    let id = run.expect(202)["id"].as_str().unwrap().to_owned();
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let answer = scene
            .served
            .ask("GET", &format!("/api/v1/runs/{id}"), None)
            .await;
        if answer.expect(200)["finished"].is_string() {
            scene
                .corpus
                .add(format!("GET /runs/{id}"), answer.bytes.clone());
            assert!(
                answer.text("state").starts_with(state),
                "{connector}: {}",
                answer.body
            );
            return;
        }
    }
    panic!("{connector}: the run does not end");
}

/// Channels that lead nowhere, each with its secret.
async fn notify(scene: &mut Scene) {
    let mail = json!({"kind": "email", "host": "127.0.0.1", "port": 9, "security": "none", "user": "backup", "from": "a@contoso.example", "to": ["b@contoso.example"]});
    let channels = [
        ("mail", mail, SMTP.to_owned()),
        (
            "hook",
            json!({"kind": "webhook", "url": "http://127.0.0.1:9/hook"}),
            format!("whsec_{HOOK}"),
        ),
        (
            "slack",
            json!({"kind": "slack"}),
            format!("http://127.0.0.1:9/services/{SLACK}"),
        ),
        (
            "teams",
            json!({"kind": "teams"}),
            format!("http://127.0.0.1:9/{SLACK}?sig={SLACK}"),
        ),
        (
            "ping",
            json!({"kind": "ping"}),
            format!("http://127.0.0.1:9/ping/{SLACK}"),
        ),
    ];
    let on = json!(["success", "warning", "failure", "alarm"]);
    for (name, to, secret) in channels {
        let body = json!({"name": name, "to": to, "on": on, "secret": secret});
        scene.post("/notifications", body).await.expect(201);
        scene
            .post(&format!("/notifications/{name}/test"), json!({}))
            .await;
    }
    let body = json!({"name": "bad", "to": {"kind": "slack"}, "secret": format!("ftp://{SLACK}")});
    scene.post("/notifications", body).await;
}

/// Every GET of the interface's description, for every entry of the list before it.
async fn walk(scene: &mut Scene) {
    let document = serde_json::to_value(server::openapi()).unwrap();
    let paths: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, methods)| methods.get("get").is_some())
        .map(|(path, _)| path.clone())
        .collect();
    let mut seen = 0;
    for path in &paths {
        for path in filled(scene, path).await {
            for query in [
                "",
                "?limit=200",
                "?connector=contoso&q=a&words=a&path=/&service=azure-devops&repository=main&topics=run",
            ] {
                let answer = scene.send("GET", &format!("{path}{query}"), None).await;
                assert!(
                    answer.status < 500 || path.starts_with("/sign-in"),
                    "{path}: {}",
                    answer.body
                );
                seen += u32::from(answer.status == 200);
            }
        }
    }
    assert!(seen > 100, "{seen} answers of {} paths", paths.len());
    scene.send("GET", "/metrics", None).await;
}

/// The path once for each entry that its list has.
async fn filled(scene: &mut Scene, path: &str) -> Vec<String> {
    let Some((before, after)) = path.split_once("/{") else {
        return vec![path.to_owned()];
    };
    let (_, after) = after.split_once('}').unwrap();
    let of_its_own = match before {
        "/connect" => Some("wizard"),
        "/sign-in" => Some("provider"),
        _ => None,
    };
    if let Some(kind) = of_its_own {
        return vec![format!("{before}/{}{after}", scene.known[kind])];
    }
    let listed = scene.send("GET", before, None).await;
    let items = listed.body["items"].as_array().cloned().unwrap_or_default();
    let names = items
        .iter()
        .filter_map(|item| item["id"].as_str().or(item["name"].as_str()));
    names
        .take(8)
        .map(|name| format!("{before}/{}{after}", name.replace(' ', "%20")))
        .collect()
}

async fn command(scene: &mut Scene) {
    let audit = scene.world.at("audit.jsonl");
    let wrong = scene.world.file("wrong", WRONG_PAT);
    let url = scene.world.simulator.url().to_owned();
    for arguments in [
        &["connector", "list"][..],
        &["connector", "test", "contoso"],
        &["connector", "test", "person"],
        &[
            "connector",
            "add",
            "azure-devops",
            "contoso",
            "--name",
            "again",
            "--url",
            &url,
            "--pat-file",
            &wrong,
        ],
        &["credential", "list"],
        &["run", "list"],
        &["run", "recurring"],
        &["user", "list"],
        &["token", "list"],
        &["session", "list"],
        &["notification", "list"],
        &["notification", "messages"],
        &["notification", "test", "slack"],
        &["policy", "list"],
        &["alarm", "list"],
        &["audit", "list"],
        &["audit", "verify"],
        &["audit", "export", &audit],
        &["doctor"],
    ] {
        scene.run(arguments).await;
    }
    assert!(scene.world.path("audit.jsonl").exists());
    scene
        .corpus
        .add("the audit log", std::fs::read(&audit).unwrap());
    scene.corpus.add_files(&scene.world.path("data"), "key");
}

/// What the data directory and the snapshots hold when the server is gone.
async fn look_inside(world: &World, corpus: &mut Corpus) {
    let out = world.at("out");
    for arguments in [
        &[
            "export",
            "latest",
            "/",
            "--to",
            &out,
            "--repository",
            "main",
        ][..],
        &["snapshot", "list"],
        &["doctor"],
        &["repository", "check"],
        &["connector", "test", "person"],
    ] {
        let ran = world.keepward(&[arguments, &["-vv"]].concat()).await;
        corpus.add(format!("keepward {}", arguments.join(" ")), ran.told());
    }
    assert!(corpus.len("keepward doctor") > 100);
    corpus.add_files(&world.path("out"), "");
    corpus.add_files(&world.path("main"), "");
    corpus.add_files(&world.path("data"), "key");
    assert!(
        !corpus.holding(b"Fabrikam Fiber").is_empty() || corpus.len("/out/") > 10_000,
        "the snapshot was written"
    );
    assert!(corpus.len("catalog.db") > 100_000);
}

/// The tokens that renew the person's sign-in are in the vault alone.
async fn refresh_token(world: &World) -> (&'static str, String) {
    let key = std::fs::read(world.path("data/key")).unwrap();
    let catalog = Catalog::open_file(&world.path("data/catalog.db"))
        .await
        .unwrap();
    let kek = Kek::new(key.try_into().unwrap());
    let (token, _) = catalog
        .versioned_secret(&kek, "connector person")
        .await
        .unwrap();
    catalog.close().await;
    ("refresh token", token.expose().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_39_planted_secrets_are_found_nowhere_in_a_full_run() {
    let mut scene = Scene::start().await;
    administrator(&mut scene).await;
    people(&mut scene).await;
    provider(&mut scene).await;
    connect(&mut scene).await;
    notify(&mut scene).await;
    back_up(&mut scene).await;
    walk(&mut scene).await;
    command(&mut scene).await;
    let Scene {
        world,
        served,
        mut corpus,
        mut secrets,
        ..
    } = scene;
    let logged = served.end().await;
    assert!(
        logged.len() > 10_000,
        "it logs: {}",
        String::from_utf8_lossy(&logged)
    );
    corpus.add("log", logged);
    look_inside(&world, &mut corpus).await;
    secrets.push(refresh_token(&world).await);
    let mut found = corpus.tokens();
    for (label, secret) in &secrets {
        found.extend(
            corpus
                .places(secret)
                .into_iter()
                .map(|place| format!("{label} in {place}")),
        );
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    // The search sees: each form of each secret is found where it is put.
    for (label, secret) in &secrets {
        for form in forms(secret) {
            let planted = [b"x{\"", form.as_slice(), b"\"}"].concat();
            assert!(holds(&planted, secret), "{label}");
        }
    }
}
