//! Faults of the service: a backup is whole, or says what it lacks.

use serde_json::{Value, json};

use crate::common::{Ran, World, lost};

/// Where a request can fail, with what is read there.
const PLACES: [&str; 15] = [
    "/contoso/_apis/projects?*",
    "/contoso/_apis/projects/*/members?*",
    "/contoso/_apis/teams?*",
    "*/_apis/wit/classificationnodes*",
    "*/_apis/git/repositories?*",
    "*/_apis/wiki/wikis*",
    "*/workitemrevisions?*",
    "*/workitemlinks?*",
    "*/discussions?*",
    "*/workitemsbatch*",
    "*/comments?*",
    "*/_apis/wit/attachments/*",
    "*/info/refs?*",
    "*/git-upload-pack",
    "*/info/lfs/objects/*",
];

/// One of each way to read: a list, a stream, a file, a pack.
const FEW: [&str; 4] = [
    "*/_apis/git/repositories?*",
    "*/workitemrevisions?*",
    "*/_apis/wit/attachments/*",
    "*/git-upload-pack",
];

fn rules(fault: &str, count: Option<u64>) -> Value {
    let rule = |path: &&str| json!({"path": path, "fault": fault, "count": count, "retryAfter": 1, "milliseconds": 5});
    PLACES.iter().map(rule).collect()
}

/// Each place fails once, and the snapshot is the same as if nothing had happened.
async fn passes_over(faults: &[&str]) {
    let world = World::connected().await;
    let whole = world.undisturbed().await;
    for fault in faults {
        world.repository(fault).await;
        world.disturb(&rules(fault, Some(1))).await;
        let ran = world.backup(fault).await;
        ran.exits(0);
        assert!(ran.issues().is_empty(), "{}", ran.told());
        for (rule, place) in PLACES.iter().enumerate() {
            assert!(world.hits(rule).await > 0, "{place} was not asked");
        }
        world.heal().await;
        assert_eq!(
            lost(&whole, &world.content(fault).await),
            [""; 0],
            "{fault}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_outlives_throttling() {
    passes_over(&["429"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_slows_down_when_it_is_asked_to() {
    passes_over(&["200-retry-after"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_outlives_errors_of_the_server() {
    passes_over(&["500"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_outlives_a_broken_network() {
    passes_over(&["drop", "drop-before", "truncate", "slow"]).await;
}

/// What is not JSON is repeated, and what cannot be repeated is named.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_ends_early_and_looks_whole_is_found_out() {
    let world = World::connected().await;
    let whole = world.undisturbed().await;
    let rule = |path: &&str| json!({"path": path, "fault": "truncate-clean", "count": 1});
    let texts = PLACES.iter().filter(|place| !place.contains("attachments"));
    world.disturb(&texts.map(rule).collect()).await;
    let ran = world.backup("default").await;
    world.heal().await;
    let lacks = lost(&whole, &world.content("default").await).len();
    // Packs are not repeated within the run.
    assert!(
        ran.code == Some(0) && lacks == 0 || ran.code == Some(3) && !ran.issues().is_empty(),
        "{lacks}: {}",
        ran.told()
    );
    world.backup("default").await.exits(0);
    assert_eq!(lost(&whole, &world.content("default").await), [""; 0]);
}

/// One place refuses everything: either the run fails without a snapshot, or it names what it lacks; and once the place
/// answers again, the next run has everything.
async fn is_never_silent(fault: &str, places: &[&str]) {
    let world = World::connected().await;
    let whole = world.undisturbed().await;
    let mut wrong = Vec::new();
    for (number, place) in places.iter().enumerate() {
        let repository = format!("place-{number}");
        world.repository(&repository).await;
        world
            .disturb(&json!({"path": place, "fault": fault, "retryAfter": 1}))
            .await;
        let ran = world.backup(&repository).await;
        assert!(world.hits(0).await > 0, "{place} was not asked");
        world.heal().await;
        if let Some(trouble) = told(&world, &repository, &ran) {
            wrong.push(format!("{fault} at {place}: {trouble}\n{}", ran.told()));
        }
        let after = world.backup(&repository).await;
        let content = world.content(&repository).await;
        if after.code != Some(0) || !lost(&whole, &content).is_empty() {
            wrong.push(format!(
                "{fault} at {place}, after it: {:?}\n{}",
                lost(&whole, &content),
                after.told()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What is wrong with the end of a run that could not read something.
fn told(world: &World, repository: &str, ran: &Ran) -> Option<String> {
    match (ran.code, world.snapshot_files(repository)) {
        (Some(3), 1) if ran.issues().is_empty() => Some("exit 3 without an issue".to_owned()),
        (Some(3), 1) => {
            let nameless = |issue: &&Value| {
                issue["message"].as_str().is_none_or(str::is_empty)
                    || issue["kind"].as_str().is_none_or(str::is_empty)
            };
            ran.issues()
                .into_iter()
                .find(nameless)
                .map(|issue| format!("an issue without kind or message: {issue}"))
        }
        (Some(1 | 4), 0) => ran.event("error")["code"]
            .is_null()
            .then(|| "a failure without a code".to_owned()),
        (code, count) => Some(format!("exit {code:?} with {count} snapshots")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_page_is_never_taken_for_data() {
    is_never_silent("203", &FEW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_the_sign_in_is_never_taken_for_data() {
    is_never_silent("302", &FEW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_of_someone_unknown_is_never_taken_for_data() {
    is_never_silent("401", &PLACES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_never_taken_for_an_absence() {
    is_never_silent("403", &PLACES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_is_stopped_is_never_silent() {
    is_never_silent("503", &FEW).await;
}

/// After a good backup something cannot be read any more: the next snapshot has all that the last one had.
async fn keeps_what_it_has(fault: &str) {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let before = world.content("default").await;
    let mut wrong = Vec::new();
    for place in PLACES {
        world.disturb(&json!({"path": place, "fault": fault})).await;
        let ran = world.backup("default").await;
        let hits = world.hits(0).await;
        world.heal().await;
        let content = world.content("default").await;
        let fits = match ran.code {
            Some(0) => hits == 0,
            Some(3) => !ran.issues().is_empty(),
            Some(1 | 4) => !ran.event("error")["code"].is_null(),
            _ => false,
        };
        if !fits || !lost(&before, &content).is_empty() {
            wrong.push(format!(
                "{fault} at {place}: {:?}\n{}",
                lost(&before, &content),
                ran.told()
            ));
        }
    }
    let healed = world.backup("default").await;
    healed.exits(0);
    assert_eq!(lost(&before, &world.content("default").await), [""; 0]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_with_401_deletes_nothing() {
    keeps_what_it_has("401").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_permission_deletes_nothing() {
    keeps_what_it_has("403").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_is_hidden_is_kept_and_named() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let before = world.content("default").await;
    for project in ["Main Project", "Проект"] {
        world
            .disturb(&json!({"fault": "hide-project", "project": project}))
            .await;
        let ran = world.backup("default").await;
        world.heal().await;
        assert_eq!(
            lost(&before, &world.content("default").await),
            [""; 0],
            "{project}: {}",
            ran.told()
        );
        ran.exits(3);
        assert!(!ran.issues().is_empty(), "{}", ran.told());
    }
    world.backup("default").await.exits(0);
    assert_eq!(lost(&before, &world.content("default").await), [""; 0]);

    // Unless a person says that it is gone indeed.
    world
        .disturb(&json!({"fault": "hide-project", "project": "Проект"}))
        .await;
    world
        .done("backup contoso --accept-deletions project")
        .await;
    let gone = lost(&before, &world.content("default").await).len();
    assert!(gone > 0 && gone < before.len(), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_the_service_says_is_deleted_goes_without_a_question() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let state = world.get("/__state?organization=contoso").await;
    let project = state["projects"]
        .as_array()
        .unwrap()
        .iter()
        .find(|project| project["name"] == "Проект")
        .unwrap();
    let id = project["id"].as_str().unwrap();
    world
        .call(
            reqwest::Method::DELETE,
            &format!("/contoso/_apis/projects/{id}?api-version=7.1"),
        )
        .await;
    world.backup("default").await.exits(0);
    let content = world.content("default").await;
    assert!(
        !content
            .keys()
            .any(|name| name.starts_with(&format!("projects/{id}/")))
    );
}

/// Where no parser of JSON would find it out.
#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_is_cut_short_is_never_stored_as_whole() {
    let world = World::connected().await;
    let whole = world.undisturbed().await;
    for (number, place) in ["*/info/refs?*", "*/git-upload-pack"].iter().enumerate() {
        let repository = format!("place-{number}");
        world.repository(&repository).await;
        world
            .disturb(&json!({"path": place, "fault": "truncate-clean"}))
            .await;
        let ran = world.backup(&repository).await;
        world.heal().await;
        ran.exits(3);
        assert!(!ran.issues().is_empty(), "{}", ran.told());
        world.backup(&repository).await.exits(0);
        assert_eq!(
            lost(&whole, &world.content(&repository).await),
            [""; 0],
            "{place}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_that_is_refused_is_named_and_fetched_the_next_time() {
    let world = World::connected().await;
    let whole = world.undisturbed().await;
    world
        .disturb(&json!({"path": "*/_apis/wit/attachments/*", "fault": "403", "count": 1}))
        .await;
    let ran = world.backup("default").await;
    ran.exits(3);
    assert!(
        ran.issues()
            .iter()
            .any(|issue| issue["kind"] == "attachment" && issue["item"].is_object()),
        "{}",
        ran.told()
    );
    world.heal().await;
    assert_eq!(lost(&whole, &world.content("default").await).len(), 1);
    world.backup("default").await.exits(0);
    assert_eq!(lost(&whole, &world.content("default").await), [""; 0]);
}
