//! Writes that the service refuses: nothing came of them, so nothing that stands there later is taken for ours.

use model::{Conflict, ItemRef};
use serde_json::{Value, json};
use service::http::{Client, Method};
use simulator::{Seed, Simulator};

use crate::support::{
    Journal, Report, Snapshot, backed_up, empty, found, get, heal, post, restore,
};

/// Where items of a kind are made.
const MAKING: [(&str, &str); 6] = [
    ("project", "/empty/_apis/projects"),
    ("area", "/empty/*/_apis/wit/classificationnodes/Areas*"),
    ("team", "/empty/_apis/projects/*/teams"),
    ("git-repository", "/empty/*/_apis/git/repositories"),
    ("wiki", "/empty/*/_apis/wiki/wikis"),
    ("work-item", "/empty/*/_apis/wit/workitems/*"),
];

/// An empty organization beside one that is backed up.
struct Case {
    simulator: Simulator,
    http: Client,
    target: Client,
    snapshot: Snapshot,
    journal: Journal,
}

impl Case {
    /// With all that stands before items of a kind.
    async fn before(kind: &str) -> Self {
        let (simulator, http, snapshot) = backed_up(Seed::Small).await;
        let target = empty(&simulator, "empty").await;
        let case = Self {
            simulator,
            http,
            target,
            snapshot,
            journal: Journal::default(),
        };
        let made = MAKING.iter().take_while(|(name, _)| *name != kind);
        let made: Vec<&str> = made.map(|(name, _)| *name).collect();
        // A wiki without its repository, which would make it.
        let kinds = |name: &str| made.contains(&name) && (kind, name) != ("wiki", "git-repository");
        let items = case.snapshot.in_use(kinds);
        let report = case.restore(&items).await;
        assert_eq!(report.failed, Vec::<String>::new(), "{kind}");
        for project in case.snapshot.of_kind("project") {
            if kind == "git-repository" {
                // What came with the project has its name.
                let id = case.journal.new_id(project);
                let path = format!("/{id}/_apis/git/repositories");
                let listed = case.target.get("dev", &path).send().await.unwrap();
                let listed: Value = listed.json().unwrap();
                let path = format!("{path}/{}", listed["value"][0]["id"].as_str().unwrap());
                let body = json!({ "name": "Beside" });
                case.send(Method::PATCH, &path, &body).await;
            }
        }
        case
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Value {
        let call = self.target.call(method, "dev", path).version("7.1");
        call.json(body).send().await.unwrap().json().unwrap()
    }

    async fn restore(&self, items: &[ItemRef]) -> Report {
        let restored = restore(&self.target, &self.snapshot, &self.journal, items);
        restored.await.unwrap()
    }

    /// The one request that makes an item fails.
    async fn fails(&self, item: &ItemRef, path: &str, fault: &str) {
        let rule = json!({ "path": path, "method": "POST", "count": 1, "fault": fault });
        post(&self.http, "/__faults", &rule).await;
        let report = self.restore(std::slice::from_ref(item)).await;
        let rules = get(&self.http, "/__faults").await;
        let hits = rules["rules"][0]["hits"].as_u64();
        let told = (report.failed.is_empty(), hits);
        assert_eq!(told, (false, Some(1)), "{item}: {report:?}");
        heal(&self.http).await;
    }

    /// One that nothing stands for yet, and that needs nothing else.
    async fn one(&self, kind: &str) -> ItemRef {
        let mut items = self.snapshot.in_use(|name| name == kind);
        let fits = |item: &ItemRef| {
            let document = |part| self.snapshot.part_text(item, part);
            let repository = document("repository.json");
            let pushed = repository.contains("defaultBranch") && !repository.contains(".wiki\"");
            (kind != "git-repository" || pushed) && !document("wiki.json").contains("codeWiki")
        };
        items.retain(|item| fits(item));
        let there = found(&self.target, &self.snapshot, &self.journal, &items).await;
        let mut free = items
            .into_iter()
            .zip(there)
            .filter(|(_, there)| there.is_none());
        free.next().unwrap().0
    }

    fn is_intended(&self, item: &ItemRef) -> bool {
        self.journal.intents.lock().unwrap().contains(item)
    }
}

#[tokio::test]
async fn what_the_service_refused_to_make_is_not_intended_any_more() {
    for (kind, path) in MAKING {
        let case = Case::before(kind).await;
        let item = case.one(kind).await;
        case.fails(&item, path, "403").await;
        assert!(!case.is_intended(&item), "{kind}");
        let report = case.restore(std::slice::from_ref(&item)).await;
        assert_eq!(report.failed, Vec::<String>::new(), "{kind}");
        case.simulator.stop().await;
    }
}

#[tokio::test]
async fn a_refusal_tells_nothing_of_an_earlier_request() {
    for (kind, path) in MAKING {
        let case = Case::before(kind).await;
        let item = case.one(kind).await;
        // It is not carried out, which nobody knows here.
        for fault in ["drop-before", "403"] {
            case.fails(&item, path, fault).await;
            assert!(case.is_intended(&item), "{kind}: {fault}");
        }
        case.simulator.stop().await;
    }
}

#[tokio::test]
async fn a_repository_that_somebody_made_after_a_refusal_is_not_pushed_into() {
    let case = Case::before("git-repository").await;
    let item = case.one("git-repository").await;
    let (_, path) = MAKING[3];
    case.fails(&item, path, "403").await;
    let document = case.snapshot.part_text(&item, "repository.json");
    let document: Value = serde_json::from_str(&document).unwrap();
    let old = ItemRef::new("project", "", document["project"]["id"].as_str().unwrap());
    let project = case.journal.new_id(&old);
    let path = format!("/{project}/_apis/git/repositories");
    let made = case
        .send(Method::POST, &path, &json!({ "name": document["name"] }))
        .await;
    let path = format!("{path}/{}", made["id"].as_str().unwrap());
    let push = json!({
        "refUpdates": [{ "name": "refs/heads/main", "oldObjectId": "0".repeat(40) }],
        "commits": [{ "comment": "ours", "changes": [{
            "changeType": "add",
            "item": { "path": "/ours.txt" },
            "newContent": { "content": "ours", "contentType": "rawtext" },
        }] }],
    });
    case.send(Method::POST, &format!("{path}/pushes"), &push)
        .await;
    let refs = async || {
        let call = case.target.get("dev", &format!("{path}/refs"));
        let answer = call.version("7.1").send().await.unwrap();
        answer.json::<Value>().unwrap()
    };
    let before = refs().await;
    for conflict in [Conflict::Skip, Conflict::Duplicate] {
        let journal = Journal {
            conflict,
            ..Journal::default()
        };
        let ids = [(("project".to_owned(), old.id.clone()), project.clone())];
        journal.ids.known.lock().unwrap().extend(ids);
        let intents = case.journal.intents.lock().unwrap().clone();
        *journal.intents.lock().unwrap() = intents;
        let notes = case.journal.notes.lock().unwrap().clone();
        *journal.notes.lock().unwrap() = notes;
        let items = std::slice::from_ref(&item);
        let restored = restore(&case.target, &case.snapshot, &journal, items).await;
        assert_eq!(restored.unwrap().failed, Vec::<String>::new());
        assert_eq!(refs().await, before, "{conflict:?}");
    }
    case.simulator.stop().await;
}
