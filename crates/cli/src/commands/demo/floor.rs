//! The fewest requests that a backup can be made with, by what the simulator says that it holds.
//!
//! Work items: ⌈R/Pr⌉ + ⌈Lk/Pl⌉ + ⌈N/200⌉ + C + A; repositories: one list, one `ls-remote` each, one fetch for each that is not empty,
//! LFS batches and objects; every other list once. When nothing changed: three streams, the list of repositories, each repository, each other list.

use std::collections::BTreeSet;

use serde_json::Value;

/// LFS objects that one batch asks for.
const LFS_BATCH: u64 = 100;

/// A summand of the floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub kind: &'static str,
    pub what: String,
    pub requests: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Floor(pub Vec<Term>);

impl Floor {
    fn add(&mut self, kind: &'static str, what: impl Into<String>, requests: u64) {
        if requests > 0 {
            self.0.push(Term {
                kind,
                what: what.into(),
                requests,
            });
        }
    }

    /// `⌈count / page⌉`.
    fn pages(&mut self, kind: &'static str, what: &str, count: u64, page: u64) {
        self.add(kind, format!("{what} ⌈{count}/{page}⌉"), pages(count, page));
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|term| term.requests).sum()
    }

    pub(super) fn of_kind(&self, kind: &str) -> u64 {
        self.0
            .iter()
            .filter(|term| term.kind == kind)
            .map(|term| term.requests)
            .sum()
    }

    /// `projects ⌈4/100⌉ = 1 + teams …`, kind by kind.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for kind in super::compare::KINDS {
            let terms: Vec<String> = self
                .0
                .iter()
                .filter(|term| term.kind == kind)
                .map(|term| format!("{} = {}", term.what, term.requests))
                .collect();
            if !terms.is_empty() {
                lines.push(format!(
                    "{kind}: {} → {}",
                    terms.join(" + "),
                    self.of_kind(kind)
                ));
            }
        }
        lines
    }
}

fn pages(count: u64, page: u64) -> u64 {
    count.div_ceil(page.max(1))
}

fn list<'a>(state: &'a Value, name: &str) -> &'a [Value] {
    state[name].as_array().map_or(&[], Vec::as_slice)
}

/// `/__inventory`.
struct Inventory<'a>(&'a Value);

impl Inventory<'_> {
    fn count(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap_or(0)
    }

    fn page(&self, name: &str) -> u64 {
        self.0["pageSizes"][name].as_u64().unwrap_or(100)
    }
}

/// Lists that every backup reads whole, and an `ls-remote` of each repository.
fn lists(inventory: &Inventory<'_>) -> Floor {
    let mut floor = Floor::default();
    let (projects, teams, hidden) = (
        inventory.count("projects"),
        inventory.count("teams"),
        inventory.count("hiddenRepositories"),
    );
    // An empty list is asked for as well.
    floor.pages(
        "project",
        "projects",
        projects.max(1),
        inventory.page("projects"),
    );
    floor.pages("team", "teams", teams.max(1), inventory.page("teams"));
    floor.add("team", "members of each team", teams);
    floor.add("area", "areas and iterations of each project", projects);
    floor.add("git-repository", "list", 1);
    floor.add(
        "git-repository",
        "ls-remote of each",
        inventory.count("repositories").saturating_sub(hidden),
    );
    floor.add("wiki", "list", 1);
    floor.add(
        "wiki",
        "ls-remote of the repository of each project wiki",
        hidden,
    );
    floor
}

/// A backup of everything. The state tells which repositories are of wikis and which have LFS objects.
pub(super) fn full(inventory: &Value, state: &Value) -> Floor {
    let inventory = Inventory(inventory);
    let mut floor = lists(&inventory);
    let repositories: Vec<&Value> = list(state, "repositories")
        .iter()
        .filter(|repository| repository["isDeleted"] != true)
        .collect();
    let filled = |hidden: bool| {
        repositories
            .iter()
            .filter(|repository| repository["isHidden"] == hidden && !refs(repository).is_empty())
            .count() as u64
    };
    floor.add(
        "git-repository",
        "fetch of each that is not empty",
        filled(false),
    );
    floor.add("wiki", "fetch of each that is not empty", filled(true));
    let objects = |repository: &&&Value| list(repository, "lfs").len() as u64;
    let batches = repositories
        .iter()
        .map(|repository| pages(objects(&repository), LFS_BATCH))
        .sum();
    floor.add("lfs-object", "batches of 100 for each repository", batches);
    floor.add("lfs-object", "objects", inventory.count("lfsObjects"));
    floor.pages(
        "work-item",
        "revisions",
        inventory.count("revisions").max(1),
        inventory.page("revisions"),
    );
    floor.pages(
        "work-item",
        "links",
        inventory.count("links").max(1),
        inventory.page("links"),
    );
    floor.pages(
        "work-item",
        "documents",
        inventory.count("workItems"),
        inventory.page("workItemsBatch"),
    );
    floor.add(
        "comment",
        "items with comments",
        inventory.count("commentedItems"),
    );
    floor.add("attachment", "attachments", inventory.count("attachments"));
    floor
}

fn streams(floor: &mut Floor, revisions: u64, links: u64, inventory: &Inventory<'_>) {
    floor.pages(
        "work-item",
        "stream of revisions",
        revisions.max(1),
        inventory.page("revisions"),
    );
    floor.pages(
        "work-item",
        "stream of links",
        links.max(1),
        inventory.page("links"),
    );
    floor.add("work-item", "stream of discussions", 1);
}

/// A backup when nothing changed.
pub(super) fn quiet(inventory: &Value) -> Floor {
    let inventory = Inventory(inventory);
    let mut floor = lists(&inventory);
    streams(&mut floor, 0, 0, &inventory);
    floor
}

/// A backup of what changed between two states with their inventories.
pub(super) fn incremental(before: (&Value, &Value), after: (&Value, &Value)) -> Floor {
    let (was, now) = (Inventory(before.0), Inventory(after.0));
    let mut floor = lists(&now);
    let new = |name: &str| now.count(name).saturating_sub(was.count(name));
    streams(&mut floor, new("revisions"), new("links"), &now);
    let (mut documents, mut comments) = (0, 0);
    for item in list(after.1, "workItems") {
        let before = list(before.1, "workItems")
            .iter()
            .find(|before| before["id"] == item["id"]);
        documents += u64::from(before.is_none_or(|before| {
            before["rev"] != item["rev"] || before["relations"] != item["relations"]
        }));
        let discussed = before.map_or_else(
            || !list(item, "comments").is_empty(),
            |before| before["comments"] != item["comments"],
        );
        comments += u64::from(discussed);
    }
    floor.pages(
        "work-item",
        "changed documents",
        documents,
        now.page("workItemsBatch"),
    );
    floor.add("comment", "items with new or changed comments", comments);
    floor.add("attachment", "new attachments", new("attachments"));
    let fetched = |hidden: bool| {
        let live = list(after.1, "repositories").iter().filter(|repository| {
            repository["isDeleted"] != true && repository["isHidden"] == hidden
        });
        live.filter(|repository| has_new_tips(before.1, repository))
            .count() as u64
    };
    floor.add(
        "git-repository",
        "fetch of each with new commits",
        fetched(false),
    );
    floor.add("wiki", "fetch of each with new commits", fetched(true));
    floor
}

fn refs(repository: &Value) -> BTreeSet<&str> {
    repository["refs"]
        .as_object()
        .map(|refs| refs.values().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

fn has_new_tips(before: &Value, repository: &Value) -> bool {
    let known = list(before, "repositories")
        .iter()
        .find(|before| before["id"] == repository["id"])
        .map(refs)
        .unwrap_or_default();
    !refs(repository).is_subset(&known)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inventory() -> Value {
        json!({
            "projects": 4, "teams": 9, "repositories": 11, "hiddenRepositories": 2, "lfsObjects": 3, "wikis": 3,
            "workItems": 500, "revisions": 3123, "links": 1001, "commentedItems": 200, "attachments": 410,
            "pageSizes": {"revisions": 200, "links": 1000, "workItemsBatch": 200, "projects": 100, "teams": 100},
        })
    }

    fn state() -> Value {
        let repository = |id: &str, hidden: bool, tip: Option<&str>, lfs: usize| {
            let refs = tip.map_or_else(|| json!({}), |tip| json!({"refs/heads/main": tip}));
            let objects: Vec<Value> = (0..lfs).map(|number| json!({"oid": number})).collect();
            json!({"id": id, "isHidden": hidden, "isDeleted": false, "refs": refs, "lfs": objects})
        };
        let item = |id: u64| json!({"id": id, "rev": 1, "relations": [], "comments": []});
        json!({
            "repositories": [repository("a", false, Some("1"), 0), repository("b", false, None, 0), repository("c", false, Some("2"), 3), repository("w", true, Some("3"), 0)],
            "workItems": [item(1), item(2), item(3)],
        })
    }

    #[test]
    fn a_full_backup_is_the_formula_term_by_term() {
        let floor = full(&inventory(), &state());
        assert_eq!(floor.of_kind("work-item"), 16 + 2 + 3);
        assert_eq!(floor.of_kind("comment"), 200);
        assert_eq!(floor.of_kind("attachment"), 410);
        assert_eq!(floor.of_kind("git-repository"), 1 + 9 + 2);
        assert_eq!(floor.of_kind("wiki"), 1 + 2 + 1);
        assert_eq!(floor.of_kind("lfs-object"), 1 + 3);
        assert_eq!(
            (
                floor.of_kind("project"),
                floor.of_kind("team"),
                floor.of_kind("area")
            ),
            (1, 1 + 9, 4)
        );
        assert_eq!(floor.total(), 21 + 200 + 410 + 12 + 4 + 4 + 15);
        assert!(floor.lines().iter().any(|line| line == "work-item: revisions ⌈3123/200⌉ = 16 + links ⌈1001/1000⌉ = 2 + documents ⌈500/200⌉ = 3 → 21"));
    }

    #[test]
    fn a_quiet_backup_is_three_streams_the_repositories_and_each_list() {
        assert_eq!(
            quiet(&inventory()).total(),
            3 + 1 + 11 + (1 + 1 + 9 + 4 + 1)
        );
    }

    #[test]
    fn an_incremental_backup_adds_what_changed() {
        let (mut more, mut changed) = (inventory(), state());
        more["revisions"] = json!(3123 + 201);
        more["attachments"] = json!(412);
        changed["workItems"][0]["rev"] = json!(2);
        changed["workItems"][1]["comments"] = json!([{"id": 7}]);
        changed["repositories"][0]["refs"]["refs/heads/main"] = json!("9");
        let floor = incremental((&inventory(), &state()), (&more, &changed));
        assert_eq!(floor.total(), quiet(&more).total() + 1 + 1 + 1 + 2 + 1);
        let same = incremental((&inventory(), &state()), (&inventory(), &state()));
        assert_eq!(same.total(), quiet(&inventory()).total());
    }
}
