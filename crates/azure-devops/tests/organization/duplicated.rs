//! Restores beside what is there: that stays as it is, whatever interrupts the restore.

use model::{Conflict, ItemRef};
use serde_json::{Value, json};
use service::http::{Client, Method};
use service::{FoundState, Ids as _};
use simulator::{Seed, Simulator};

use crate::support::{
    Journal, Snapshot, backed_up, delete, differences, empty, found, get, heal, post, recognized,
    restore, without_code,
};

/// A journal of a second restore into the same organization, which knows what its containers became.
fn beside(first: &Journal, conflict: Conflict, containers: &[&str]) -> Journal {
    let journal = Journal {
        conflict,
        ..Journal::default()
    };
    let known = first.ids.known.lock().unwrap();
    let known = known
        .iter()
        .filter(|((kind, _), _)| containers.contains(&kind.as_str()));
    let known = known.map(|(key, id)| (key.clone(), id.clone()));
    journal.ids.known.lock().unwrap().extend(known);
    journal
}

/// A project of a snapshot, which stands in another organization too.
struct Restored {
    simulator: Simulator,
    http: Client,
    target: Client,
    snapshot: Snapshot,
    project: [ItemRef; 1],
    first: Journal,
}

impl Restored {
    async fn new() -> Self {
        let (simulator, http, snapshot) = backed_up(Seed::Small).await;
        let target = empty(&simulator, "empty").await;
        let project = [snapshot.of_kind("project")[0].clone()];
        let first = Journal::default();
        restore(&target, &snapshot, &first, &project).await.unwrap();
        Self {
            simulator,
            http,
            target,
            snapshot,
            project,
            first,
        }
    }
}

async fn listed(http: &Client, path: &str) -> Vec<Value> {
    let answer = http.get("dev", path).version("7.1").send().await.unwrap();
    let listed: Value = answer.json().unwrap();
    listed["value"].as_array().unwrap().clone()
}

/// The next request of this kind is carried out, and its answer is lost.
async fn lose(http: &Client, path: &str) {
    let rule = json!({ "path": path, "method": "POST", "count": 1, "fault": "drop" });
    post(http, "/__faults", &rule).await;
}

async fn struck(http: &Client) -> bool {
    get(http, "/__faults").await["rules"][0]["hits"] == 1
}

fn document(snapshot: &Snapshot, item: &ItemRef, part: &str) -> Value {
    serde_json::from_str(&snapshot.part_text(item, part)).unwrap()
}

#[tokio::test]
async fn a_project_that_was_asked_for_is_waited_for_and_not_made_twice() {
    for requests in 0..6 {
        let (simulator, http, snapshot) = backed_up(Seed::Small).await;
        let target = empty(&simulator, "empty").await;
        let items = [snapshot.of_kind("project")[0].clone()];
        let journal = Journal::default();
        lose(&http, "/empty/_apis/projects").await;
        let report = restore(&target, &snapshot, &journal, &items).await.unwrap();
        assert!(
            struck(&http).await && report.failed.len() == 1,
            "{report:?}"
        );
        heal(&http).await;
        // It is still being made, or has just been.
        for _ in 0..requests {
            listed(&target, "/_apis/git/repositories").await;
        }
        let report = restore(&target, &snapshot, &journal, &items).await.unwrap();
        assert_eq!(report.failed, Vec::<String>::new(), "{requests}");
        assert_eq!(report.differences, Vec::<String>::new(), "{requests}");
        let projects = listed(&target, "/_apis/projects").await;
        assert_eq!(projects.len(), 1, "{requests}: {projects:?}");
        assert_eq!(projects[0]["id"], journal.new_id(&items[0]));
        simulator.stop().await;
    }
}

#[tokio::test]
async fn an_interrupted_duplicate_of_a_project_takes_over_nobody_elses() {
    let there = Restored::new().await;
    let Restored {
        http,
        target,
        snapshot,
        project,
        first,
        ..
    } = &there;
    let second = beside(first, Conflict::Duplicate, &[]);
    lose(http, "/empty/_apis/projects").await;
    restore(target, snapshot, &second, project).await.unwrap();
    assert!(struck(http).await);
    heal(http).await;
    let report = restore(target, snapshot, &second, project).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_ne!(second.new_id(&project[0]), first.new_id(&project[0]));
    assert!(report.losses[0].contains("is taken"), "{:?}", report.losses);
    assert_eq!(listed(target, "/_apis/projects").await.len(), 2);
    there.simulator.stop().await;
}

#[tokio::test]
async fn a_name_that_only_others_see_is_a_conflict() {
    let there = Restored::new().await;
    let Restored {
        http,
        target,
        snapshot,
        project,
        first,
        ..
    } = &there;
    let new_id = first.new_id(&project[0]);
    let hide = json!({ "fault": "hide-project", "project": new_id, "organization": "empty" });
    post(http, "/__faults", &hide).await;
    // Nothing was begun, so that the second time is as quick as the first.
    let journal = Journal::default();
    for _ in 0..2 {
        let report = restore(target, snapshot, &journal, project).await.unwrap();
        let [failed] = &report.failed[..] else {
            panic!("{report:?}");
        };
        assert!(
            failed.contains("restore-conflict") && failed.contains("does not see"),
            "{failed}"
        );
    }
    there.simulator.stop().await;
}

#[tokio::test]
async fn an_interrupted_duplicate_of_a_repository_is_not_pushed_into_the_original() {
    let (simulator, http, snapshot) = backed_up(Seed::Small).await;
    let target = empty(&simulator, "empty").await;
    let of_wiki: Vec<Value> = snapshot
        .of_kind("wiki")
        .into_iter()
        .map(|wiki| document(&snapshot, wiki, "wiki.json")["repositoryId"].clone())
        .collect();
    let repository = snapshot
        .of_kind("git-repository")
        .into_iter()
        .filter(|item| !of_wiki.contains(&json!(item.id)))
        .find(|item| document(&snapshot, item, "repository.json")["defaultBranch"].is_string())
        .unwrap()
        .clone();
    let containers = snapshot.in_use(|kind| kind == "project");
    let items = [repository.clone()];
    let first = Journal::default();
    for items in [&containers[..], &items] {
        let report = restore(&target, &snapshot, &first, items).await.unwrap();
        assert_eq!(report.failed, Vec::<String>::new());
    }
    let before = listed(&target, "/_apis/git/repositories").await.len();
    let second = beside(&first, Conflict::Duplicate, &["project"]);
    lose(&http, "/empty/*/_apis/git/repositories").await;
    let report = restore(&target, &snapshot, &second, &items).await.unwrap();
    assert!(
        struck(&http).await && report.failed.len() == 1,
        "{report:?}"
    );
    heal(&http).await;
    let report = restore(&target, &snapshot, &second, &items).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.differences, Vec::<String>::new());
    assert_ne!(second.new_id(&repository), first.new_id(&repository));
    let after = listed(&target, "/_apis/git/repositories").await.len();
    assert_eq!(after, before + 1, "one more, and no second one");
    simulator.stop().await;
}

#[tokio::test]
async fn a_duplicate_of_a_wiki_leaves_the_wiki_that_is_there() {
    let (simulator, http, snapshot) = backed_up(Seed::Small).await;
    let target = empty(&simulator, "empty").await;
    let wiki = snapshot
        .of_kind("wiki")
        .into_iter()
        .find(|wiki| document(&snapshot, wiki, "wiki.json")["type"] == "projectWiki")
        .unwrap()
        .clone();
    let pages = document(&snapshot, &wiki, "wiki.json")["repositoryId"].clone();
    let items = [
        ItemRef::new("git-repository", "", pages.as_str().unwrap()),
        wiki,
    ];
    let containers = snapshot.in_use(|kind| kind == "project");
    let first = Journal::default();
    for items in [&containers[..], &items] {
        let report = restore(&target, &snapshot, &first, items).await.unwrap();
        assert_eq!(report.failed, Vec::<String>::new());
    }
    let second = beside(&first, Conflict::Duplicate, &["project"]);
    lose(&http, "/empty/*/_apis/git/repositories").await;
    let report = restore(&target, &snapshot, &second, &items[..1])
        .await
        .unwrap();
    assert!(
        struck(&http).await && report.failed.len() == 1,
        "{report:?}"
    );
    heal(&http).await;
    let report = restore(&target, &snapshot, &second, &items).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_ne!(second.new_id(&items[0]), first.new_id(&items[0]));
    assert_eq!(second.new_id(&items[1]), first.new_id(&items[1]));
    // Taking the second back removes what that made.
    let made = |journal: &Journal| {
        let made = journal.made.lock().unwrap();
        items.clone().map(|item| made.contains(&item))
    };
    assert_eq!(
        (made(&first), made(&second)),
        ([true, false], [true, false])
    );
    let told = |words: &str| report.losses.iter().any(|loss| loss.contains(words));
    assert!(
        told("beside it") && told("stays as it is"),
        "{:?}",
        report.losses
    );
    simulator.stop().await;
}

#[tokio::test]
async fn a_repository_that_came_with_its_project_is_filled_and_not_made() {
    let (simulator, _, snapshot) = backed_up(Seed::Small).await;
    let target = empty(&simulator, "empty").await;
    let containers = snapshot.in_use(|kind| kind == "project");
    let journal = Journal::default();
    restore(&target, &snapshot, &journal, &containers)
        .await
        .unwrap();
    let ids = |listed: Vec<Value>| -> Vec<Value> {
        listed.into_iter().map(|one| one["id"].clone()).collect()
    };
    let before = ids(listed(&target, "/_apis/git/repositories").await);
    let repositories = snapshot.in_use(|kind| kind == "git-repository");
    let report = restore(&target, &snapshot, &journal, &repositories)
        .await
        .unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    let made = journal.made.lock().unwrap().clone();
    let (mut filled, mut new) = (0, 0);
    for item in &repositories {
        let there = before.contains(&json!(journal.new_id(item)));
        assert_ne!(there, made.contains(item), "{item}");
        filled += usize::from(there);
        new += usize::from(!there);
    }
    assert!(filled > 0 && new > 0, "{filled} {new}");
    simulator.stop().await;
}

#[tokio::test]
async fn the_dates_of_a_sprint_and_the_words_of_a_team_that_are_there_stay() {
    let (simulator, _, snapshot) = backed_up(Seed::Small).await;
    let target = empty(&simulator, "empty").await;
    let containers = snapshot.in_use(|kind| kind == "project");
    let kinds = ["area", "iteration", "team"];
    let all = snapshot.in_use(|kind| kinds.contains(&kind));
    let first = Journal::default();
    for items in [&containers[..], &all] {
        let report = restore(&target, &snapshot, &first, items).await.unwrap();
        assert_eq!(report.failed, Vec::<String>::new());
    }
    let dated =
        |item: &&ItemRef| document(&snapshot, item, "iteration.json")["attributes"].is_object();
    let iterations = snapshot.of_kind("iteration");
    let sprint = iterations.iter().copied().find(dated).unwrap();
    let path = document(&snapshot, sprint, "iteration.json")["path"].clone();
    let names = path
        .as_str()
        .unwrap()
        .split('\\')
        .skip(3)
        .collect::<Vec<_>>()
        .join("/");
    let container = ItemRef::new("project", "", &sprint.scope);
    let project = first.new_id(&container);
    let path = format!("/{project}/_apis/wit/classificationnodes/Iterations/{names}");
    let dates = json!({ "attributes": { "startDate": "2031-01-01T00:00:00Z", "finishDate": "2031-01-14T00:00:00Z" } });
    let call = target.call(Method::PATCH, "dev", &path).version("7.1");
    call.json(&dates).send().await.unwrap();
    let team = document(&snapshot, &container, "project.json")["defaultTeam"]["id"].clone();
    let mut teams = snapshot.of_kind("team").into_iter();
    let team = teams
        .find(|item| item.scope == sprint.scope && team != json!(item.id))
        .unwrap();
    let words = format!("/_apis/projects/{project}/teams/{}", first.new_id(team));
    let call = target.call(Method::PATCH, "dev", &words).version("7.1");
    call.json(&json!({ "description": "ours" }))
        .send()
        .await
        .unwrap();

    for conflict in [Conflict::Skip, Conflict::Duplicate] {
        let journal = beside(&first, conflict, &["project"]);
        let one = [sprint.clone()];
        assert_eq!(
            found(&target, &snapshot, &journal, &one).await,
            [Some(FoundState::Present)]
        );
        let both = [sprint.clone(), team.clone()];
        let report = restore(&target, &snapshot, &journal, &both).await.unwrap();
        assert_eq!(report.failed, Vec::<String>::new());
        let get = async |path: &str| -> Value {
            let answer = target.get("dev", path).version("7.1").send().await.unwrap();
            answer.json().unwrap()
        };
        assert_eq!(
            get(&path).await["attributes"]["startDate"],
            "2031-01-01T00:00:00Z",
            "{conflict:?}"
        );
        assert_eq!(get(&words).await["description"], "ours", "{conflict:?}");
        assert_eq!(
            journal.ids.get("team", &team.id),
            first.ids.get("team", &team.id)
        );
        assert!(journal.made.lock().unwrap().is_empty(), "{conflict:?}");
    }
    simulator.stop().await;
}

#[tokio::test]
async fn work_items_are_recognized_by_what_a_restore_made_of_them_and_not_by_the_number_alone() {
    let (simulator, _, snapshot) = backed_up(Seed::Small).await;
    let target = empty(&simulator, "empty").await;
    let first = Journal::default();
    let all = snapshot.in_use(without_code);
    restore(&target, &snapshot, &first, &all).await.unwrap();
    let items: Vec<&ItemRef> = all.iter().filter(|item| item.kind == "work-item").collect();
    let asked: Vec<(&ItemRef, String)> = items
        .iter()
        .map(|item| (*item, first.new_id(item)))
        .collect();
    let second = Journal::default();
    let known = async |asked: &[_]| recognized(&target, &snapshot, &second, asked).await;
    assert_eq!(known(&asked).await, vec![true; items.len()]);
    // Another one has the number, as in an organization that was made anew.
    let mut turned = asked.clone();
    let first_id = turned[0].1.clone();
    turned[0].1 = std::mem::replace(&mut turned[1].1, first_id);
    let others = known(&turned).await;
    assert_eq!(others[..2], [false; 2]);
    assert!(others[2..].iter().all(|known| *known));
    // One lies in the recycle bin, one is gone for good.
    let path = |at: usize| format!("/_apis/wit/workitems/{}", asked[at].1);
    delete(&target, &path(0)).await;
    delete(&target, &format!("{}?destroy=true", path(1))).await;
    let left = known(&asked).await;
    assert_eq!(left[..2], [false; 2]);
    assert!(left[2..].iter().all(|known| *known));
    simulator.stop().await;
}

#[tokio::test]
async fn a_child_that_stays_below_the_item_that_is_there_is_a_loss_of_the_duplicate_and_no_difference()
 {
    const CHILD: &str = "System.LinkTypes.Hierarchy-Forward";
    let (simulator, _, snapshot) = backed_up(Seed::Small).await;
    let target = empty(&simulator, "empty").await;
    let first = Journal::default();
    let all = snapshot.in_use(without_code);
    restore(&target, &snapshot, &first, &all).await.unwrap();
    let children = |item: &ItemRef| -> Vec<String> {
        let document = document(&snapshot, item, "work-item.json");
        let links = document["relations"].as_array().into_iter().flatten();
        let links = links.filter(|link| link["rel"] == CHILD);
        let url = links.map(|link| link["url"].as_str().unwrap().to_owned());
        url.map(|url| url.rsplit_once('/').unwrap().1.to_owned())
            .collect()
    };
    let items = snapshot.of_kind("work-item").into_iter();
    let mut parents = items.filter(|item| children(item).len() == 1);
    let parent = [parents.next().unwrap().clone()];
    let containers = ["project", "area", "iteration"];
    let second = beside(&first, Conflict::Duplicate, &containers);
    let child = ItemRef::new("work-item", "", &children(&parent[0])[0]);
    let own = ("work-item".to_owned(), child.id.clone());
    second
        .ids
        .known
        .lock()
        .unwrap()
        .insert(own, first.new_id(&child));
    let report = restore(&target, &snapshot, &second, &parent).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    let lost = |loss: &String| loss.contains(CHILD) && loss.contains("only one Parent");
    assert!(report.losses.iter().any(lost), "{:?}", report.losses);
    assert_eq!(report.differences, Vec::<String>::new());
    // Once the one that was there is gone, nothing keeps the child from the duplicate.
    let path = format!("/_apis/wit/workitems/{}", first.new_id(&parent[0]));
    delete(&target, &format!("{path}?destroy=true")).await;
    let differences = differences(&target, &snapshot, &second, &parent[0]).await;
    let [missing] = &differences[..] else {
        panic!("{differences:?}");
    };
    assert!(missing.contains(CHILD), "{missing}");
    simulator.stop().await;
}
