//! A server that is lost, and a new one that takes up its repository at the first start.

use serde_json::{Value, json};

use crate::common::World;
use crate::serve::{Serving, get, refused, send};

const PASSWORD: &str = "correct horse battery staple";

/// A server without anything that may use the folder of the old one's repository.
async fn successor(world: &World) -> (Serving, String, Value) {
    std::fs::rename(world.path("data"), world.path("lost")).unwrap();
    std::fs::create_dir(world.path("data")).unwrap();
    let roots = format!("[repositories]\nroots = [{:?}]\n", world.at(""));
    world.file("data/keepward.toml", &roots);
    let mut serving = Serving::start(world, &[]);
    let url = serving.url().await;
    let setup = serving.event("setup").await;
    (serving, url, setup["token"].clone())
}

async fn ended(url: &str, cookie: Option<&str>, run: &Value) -> Value {
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    for _ in 0..600 {
        let run = get(url, &path, cookie).await;
        if run["state"] != "queued" && run["state"] != "running" {
            return run;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the run does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_server_takes_up_the_repository_of_one_that_is_lost() {
    let world = World::connected().await;
    let backup = world.backup("default").await;
    backup.exits(0);
    let snapshot = backup.event("result")["snapshot"].clone();
    let search = "snapshot search '\"the first\"' --kind project";
    let searched = world.first(search).await;
    assert_eq!(searched["name"], "Main Project");
    assert_eq!(searched["excerpt"], "[The first]");

    let (mut serving, url, token) = successor(&world).await;
    let done = take_up(&world, &url, token).await;
    let (restore, cookie) = (&done.0, done.1.as_deref());
    let run = ended(&url, cookie, restore).await;
    assert_eq!(
        (&run["kind"], &run["state"]),
        (&json!("sync"), &json!("succeeded")),
        "{run}"
    );
    assert_eq!(run["result"]["added"], 1);
    is_there(&url, cookie, &snapshot).await;

    // Secrets are in no repository: what has to be connected again is named.
    let orphans = get(&url, "/setup", cookie).await["without_connector"].clone();
    let orphan = json!({
        "service": "azure-devops", "source": "contoso", "address": format!("{}/contoso", world.simulator.url()),
    });
    assert_eq!(orphans, json!([orphan]));
    assert_eq!(get(&url, "/setup", None).await, json!({"needed": false}));
    let overview = get(&url, "/overview", cookie).await;
    let source = &overview["sources"][0];
    assert_eq!(
        (&source["state"], &source["organization"]),
        (&json!("unprotected"), &json!("contoso"))
    );
    assert_eq!(source["last_good"]["snapshot"], snapshot);
    let stored = overview["storage"]["repositories"][0]["bytes"].as_u64();
    assert!(stored.is_some_and(|bytes| bytes > 1_000), "{overview}");
    assert_eq!(serving.terminate().await, 0);
}

/// The first administrator names the repository with its password; whoever does not know both gets nothing.
async fn take_up(world: &World, url: &str, token: Value) -> (Value, Option<String>) {
    let password = std::fs::read_to_string(world.path("password")).unwrap();
    let mut body = json!({
        "token": token, "name": "anna", "password": PASSWORD,
        "restore": { "location": world.at("default"), "password": "not the repository's" },
    });
    let (status, problem) = refused(url, "/setup", &body).await;
    assert_eq!(
        (status, &problem["code"]),
        (422, &json!("wrong-password")),
        "{problem}"
    );
    body["restore"]["password"] = json!(password.trim());
    // It is there already: nobody is told to make one.
    for (place, code, word) in [
        (
            "/elsewhere".to_owned(),
            "repository-outside",
            "`keepward repository add PATH",
        ),
        (
            world.at("nothing"),
            "repository-not-found",
            "the file `config`",
        ),
    ] {
        let mut other = body.clone();
        other["restore"]["location"] = json!(place);
        let (_, problem) = refused(url, "/setup", &other).await;
        assert_eq!(problem["code"], code, "{problem}");
        let hint = problem["hint"].as_str().unwrap_or_default();
        assert!(hint.contains(word) && !hint.contains("init"), "{problem}");
    }
    let mut stranger = body.clone();
    stranger["token"] = json!("made up");
    let (status, problem) = refused(url, "/setup", &stranger).await;
    assert_eq!((status, &problem["code"]), (403, &json!("setup-refused")));
    let (done, cookie) = send(url, "/setup", None, &body).await;
    (done["restore"].clone(), cookie)
}

/// The snapshot is listed and found by its words.
async fn is_there(url: &str, cookie: Option<&str>, snapshot: &Value) {
    let listed = get(url, "/snapshots", cookie).await;
    assert_eq!(&listed["items"][0]["id"], snapshot);
    assert_eq!(listed["items"][0]["repository"], "restored");
    // The server indexes words beside its work.
    let search = "/search?q=%22the%20first%22&kind=project";
    let mut found = get(url, search, cookie).await;
    while found["items"] == json!([]) {
        found = get(url, search, cookie).await;
    }
    let found = &found["items"][0];
    assert_eq!(found["item"]["name"], "Main Project");
    assert_eq!(
        found["excerpt"],
        json!([{"text": "The first", "hit": true}])
    );
    assert_eq!(&found["snapshot"]["id"], snapshot);
}
