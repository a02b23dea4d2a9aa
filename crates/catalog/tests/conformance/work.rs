//! Policies, workers' claims, what syncs found, and issues over runs.

use std::collections::BTreeSet;
use std::time::Duration;

use catalog::{
    Acknowledgement, Catalog, Claimant, Error, IssueFilter, NewJob, Page, Placement, QueueLimits,
    QueuedRun, why_queued,
};
use jiff::Timestamp;
use model::{Class, Issue, ItemRef, JobState, Policy, Reason, RunState};

use crate::support::{Place, at, run};

const LEASE: Duration = Duration::from_mins(1);

fn queued(id: &str, connector: &str, second: i64) -> QueuedRun {
    QueuedRun {
        run: model::Run {
            connector: connector.to_owned(),
            reason: Reason::Schedule,
            policy: Some("default".to_owned()),
            ..run(id)
        },
        job: NewJob {
            id: format!("job-{id}"),
            payload: "{}".to_owned(),
            concurrency_key: Some(format!("backup/{connector}/{id}")),
            created: at(second),
        },
        placement: Placement {
            connector: connector.to_owned(),
            policy: Some("default".to_owned()),
            ..Placement::default()
        },
    }
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

async fn claim(catalog: &Catalog, limits: QueueLimits, now: Timestamp) -> Option<String> {
    let labels = set(&[]);
    let claimant = Claimant {
        name: "own",
        labels: &labels,
        storages: None,
        at_work: &set(&[]),
    };
    let job = catalog.claim_next(&claimant, limits, now, LEASE).await;
    job.unwrap().map(|job| job.run)
}

pub(crate) async fn the_default_policy_is_there_from_the_start(place: Place) {
    let catalog = place.open().await;
    let all = catalog.policies().await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].policy, Policy::standard());
    assert_eq!(all[0].handled, Timestamp::UNIX_EPOCH);
    // A person who removed it does not get it back.
    catalog.remove_policy("Default").await.unwrap();
    catalog.close().await;
    assert!(place.open().await.policies().await.unwrap().is_empty());
}

pub(crate) async fn a_policy_that_was_changed_meanwhile_is_not_overwritten(place: Place) {
    let catalog = place.open().await;
    let mut policy = Policy::standard();
    "Nightly".clone_into(&mut policy.name);
    catalog.add_policy(&policy, at(1)).await.unwrap();
    let again = catalog.add_policy(&policy, at(1)).await.unwrap_err();
    assert_eq!(again.code(), Some("policy-exists"));
    let row = catalog.policy("nightly").await.unwrap();
    policy.retention.daily = 7;
    catalog
        .replace_policy("NIGHTLY", row.version, &policy, at(2))
        .await
        .unwrap();
    let late = catalog
        .replace_policy("nightly", row.version, &policy, at(3))
        .await
        .unwrap_err();
    assert_eq!(late.code(), Some("policy-changed"));
    let kept = catalog.policy("nightly").await.unwrap();
    assert_eq!((kept.policy.retention.daily, kept.handled), (7, at(1)));
    // Another schedule counts from now on, and a taken name is refused.
    policy.schedule.jitter_minutes = 0;
    catalog
        .replace_policy("nightly", kept.version, &policy, at(4))
        .await
        .unwrap();
    let row = catalog.policy("nightly").await.unwrap();
    assert_eq!(row.handled, at(4));
    "default".clone_into(&mut policy.name);
    let taken = catalog
        .replace_policy("nightly", row.version, &policy, at(5))
        .await
        .unwrap_err();
    assert_eq!(taken.code(), Some("policy-exists"));
}

pub(crate) async fn what_was_judged_is_changed_only_where_nothing_came_between(place: Place) {
    let catalog = place.open().await;
    for name in ["one", "other", "third"] {
        let policy = Policy {
            name: name.to_owned(),
            ..Policy::standard()
        };
        catalog.add_policy(&policy, at(1)).await.unwrap();
    }
    let (anna, ben) = (
        catalog.judging().await.unwrap(),
        catalog.judging().await.unwrap(),
    );
    anna.remove_policy("one").await.unwrap();
    let row = ben.policy("other").await.unwrap();
    for refused in [
        ben.remove_policy("other").await,
        ben.add_policy(&Policy::standard(), at(2)).await,
        ben.replace_policy("other", row.version, &row.policy, at(2))
            .await,
        ben.set_default_repository("any").await,
        ben.remove_repository("any").await,
        anna.remove_policy("third").await,
    ] {
        assert_eq!(refused.unwrap_err().code(), Some("rules-changed"));
    }
    assert_eq!(ben.policy("other").await.unwrap(), row);
    // Whatever else happens is no other rule.
    let clare = catalog.judging().await.unwrap();
    catalog.set_four_eyes(true).await.unwrap();
    catalog.fire_policy(&row, at(3), &[]).await.unwrap();
    clare.remove_policy("other").await.unwrap();
    catalog.remove_policy("third").await.unwrap();
}

pub(crate) async fn of_two_schedulers_one_fires(place: Place) {
    let (one, other) = (place.open().await, place.open().await);
    let row = one.policy("default").await.unwrap();
    let runs = |id: &str| vec![queued(id, "contoso", 1)];
    let (first, second) = (runs("r1"), runs("r2"));
    let (first, second) = tokio::join!(
        one.fire_policy(&row, at(10), &first),
        other.fire_policy(&row, at(10), &second)
    );
    assert_ne!(first.unwrap(), second.unwrap());
    assert_eq!(one.open_work().await.unwrap().len(), 1);
    assert_eq!(one.policy("default").await.unwrap().handled, at(10));
}

pub(crate) async fn no_connector_waits_for_the_backlog_of_another(place: Place) {
    let catalog = place.open().await;
    for number in 0..60 {
        let one = queued(&format!("a{number:02}"), "loud", number);
        catalog.queue_run(&one).await.unwrap();
    }
    for (number, connector) in (100..).zip(["quiet", "calm"]) {
        let one = queued(connector, connector, number);
        catalog.queue_run(&one).await.unwrap();
    }
    let limits = QueueLimits::default();
    let mut order = Vec::new();
    for second in 0..5 {
        let run = claim(&catalog, limits, at(200 + second)).await.unwrap();
        order.push(run);
    }
    assert_eq!(order, ["a00", "quiet", "calm", "a01", "a02"]);
    let row = catalog.run("quiet").await.unwrap();
    assert_eq!(
        (row.state, row.reason, row.policy.as_deref()),
        (RunState::Running, Reason::Schedule, Some("default"))
    );
}

pub(crate) async fn limits_labels_and_storages_hold_jobs_back(place: Place) {
    let catalog = place.open().await;
    let limits = QueueLimits {
        runs: 2,
        of_connector: 1,
    };
    for id in ["r1", "r2"] {
        catalog.queue_run(&queued(id, "contoso", 1)).await.unwrap();
    }
    let mut labeled = queued("r3", "other", 3);
    labeled.placement.labels = set(&["edge"]);
    labeled.placement.storage = Some("nas".to_owned());
    catalog.queue_run(&labeled).await.unwrap();
    assert_eq!(claim(&catalog, limits, at(5)).await.unwrap(), "r1");
    assert_eq!(claim(&catalog, limits, at(5)).await, None);
    let open = catalog.open_work().await.unwrap();
    let why = |run: &str| {
        let job = open.iter().find(|job| job.run == run).unwrap();
        why_queued(job, &open, limits, at(5)).map(|why| why.code)
    };
    assert_eq!(why("r2").as_deref(), Some("connector-busy"));
    assert_eq!(why("r3"), None);
    for (name, storages, expected) in [
        ("edge", set(&["other"]), None),
        ("far", set(&["nas"]), None),
        ("Edge", set(&["nas"]), Some("r3")),
    ] {
        let labels = set(&[]);
        let claimant = Claimant {
            name,
            labels: &labels,
            storages: Some(&storages),
            at_work: &set(&[]),
        };
        let job = catalog.claim_next(&claimant, limits, at(6), LEASE).await;
        let found = job.unwrap().map(|job| job.run);
        assert_eq!(found.as_deref(), expected, "{name}");
    }
    // Two are at work, as many as may be; when their leases are over, the first may be taken over.
    assert_eq!(claim(&catalog, limits, at(7)).await, None);
    assert_eq!(claim(&catalog, limits, at(100)).await.unwrap(), "r1");
}

pub(crate) async fn many_workers_never_exceed_the_limits(place: Place) {
    let catalog = place.open().await;
    for number in 0..20 {
        let connector = format!("c{}", number % 2);
        let mut one = queued(&format!("r{number:02}"), &connector, number);
        one.placement.policy_runs = Some(5);
        catalog.queue_run(&one).await.unwrap();
    }
    let limits = QueueLimits {
        runs: 100,
        of_connector: 4,
    };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let catalog = place.open().await;
        tasks.spawn(async move {
            let mut taken = Vec::new();
            while let Some(run) = claim(&catalog, limits, at(50)).await {
                taken.push(run);
            }
            taken
        });
    }
    let mut taken: Vec<String> = tasks.join_all().await.into_iter().flatten().collect();
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 5, "{taken:?}");
}

pub(crate) async fn a_job_that_was_given_back_waits_for_its_time(place: Place) {
    let catalog = place.open().await;
    catalog
        .queue_run(&queued("r1", "contoso", 1))
        .await
        .unwrap();
    let limits = QueueLimits::default();
    let labels = set(&[]);
    let claimant = Claimant {
        name: "own",
        labels: &labels,
        storages: None,
        at_work: &set(&[]),
    };
    let job = catalog
        .claim_next(&claimant, limits, at(2), LEASE)
        .await
        .unwrap()
        .unwrap();
    catalog
        .requeue(&job.id, job.token, Some(at(100)), None)
        .await
        .unwrap();
    let twice = catalog.requeue(&job.id, job.token, None, None).await;
    assert!(matches!(twice, Err(Error::Superseded { .. })));
    assert_eq!(catalog.run("r1").await.unwrap().state, RunState::Queued);
    assert_eq!(claim(&catalog, limits, at(99)).await, None);
    let open = catalog.open_work().await.unwrap();
    let why = why_queued(&open[0], &open, limits, at(99)).unwrap();
    assert_eq!(
        (why.code.as_str(), why.until),
        ("retry-later", Some(at(100)))
    );
    let again = catalog
        .claim_next(&claimant, limits, at(100), LEASE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((again.attempt, again.token), (2, job.token + 1));
}

/// A machine that slept, or whose clock was set, finds the leases of its own running jobs over.
pub(crate) async fn a_worker_does_not_claim_what_it_is_working_on(place: Place) {
    let catalog = place.open().await;
    catalog
        .queue_run(&queued("r1", "contoso", 1))
        .await
        .unwrap();
    let limits = QueueLimits::default();
    let claim = async |name: &str, at_work: &BTreeSet<String>, now| {
        let claimant = Claimant {
            name,
            labels: &set(&[]),
            storages: None,
            at_work,
        };
        catalog
            .claim_next(&claimant, limits, at(now), LEASE)
            .await
            .unwrap()
    };
    let job = claim("own", &set(&[]), 2).await.unwrap();
    let held = set(&[&job.id]);
    assert_eq!(claim("own", &held, 500).await, None);
    // It has only to show that it is there.
    let beat = catalog.heartbeat(&job.id, job.token, at(501), LEASE).await;
    assert!(!beat.unwrap().cancel_requested);
    assert_eq!(claim("other", &set(&[]), 502).await, None);
    // Lost without it: whoever comes next, of whatever name, may take it.
    assert!(claim("own", &set(&[]), 900).await.is_some());
}

pub(crate) async fn a_run_ends_as_a_whole_or_not_at_all(place: Place) {
    let catalog = place.open().await;
    catalog
        .queue_run(&queued("r1", "contoso", 1))
        .await
        .unwrap();
    let claim = async |now| catalog.claim_for_run("own", "r1", at(now), LEASE).await;
    let old = claim(2).await.unwrap().unwrap();
    let new = claim(500).await.unwrap().unwrap();
    let mut ended = catalog.run("r1").await.unwrap();
    ended.state = RunState::Succeeded;
    ended.snapshot = Some("aa".to_owned());
    ended.finished = Some(at(501));
    let issues = [Issue {
        code: "permission-missing".to_owned(),
        class: Class::Permission,
        kind: "wiki".to_owned(),
        scope: String::new(),
        item: None,
        message: "no right".to_owned(),
        hint: None,
    }];
    let late = catalog
        .end_run(&old.id, old.token, JobState::Succeeded, &ended, &issues)
        .await;
    assert!(matches!(late, Err(Error::Superseded { .. })));
    let first = Page::first(9);
    assert!(catalog.issues("r1", &first).await.unwrap().items.is_empty());
    assert_eq!(catalog.run("r1").await.unwrap().state, RunState::Running);
    // What stands behind a run that is not there is not ended for it either.
    let mut unknown = ended.clone();
    "nobody".clone_into(&mut unknown.id);
    let failed = catalog
        .end_run(&new.id, new.token, JobState::Succeeded, &unknown, &[])
        .await;
    assert!(matches!(failed, Err(Error::RunUnknown { .. })));
    assert_eq!(catalog.job(&new.id).await.unwrap().state, JobState::Leased);
    catalog
        .end_run(&new.id, new.token, JobState::Succeeded, &ended, &issues)
        .await
        .unwrap();
    assert_eq!(catalog.issues("r1", &first).await.unwrap().items.len(), 1);
    assert_eq!(catalog.open_jobs().await.unwrap(), []);
    // Whoever wanted to cancel it came too late: it stays what it became.
    let found = catalog.cancel_run("r1", at(502)).await.unwrap();
    assert_eq!(
        (found.state, found.snapshot.as_deref(), found.finished),
        (RunState::Succeeded, Some("aa"), Some(at(501)))
    );
    assert_eq!(catalog.run("r1").await.unwrap(), found);
}

pub(crate) async fn a_worker_elsewhere_is_known_by_its_token_until_it_is_removed(place: Place) {
    let catalog = place.open().await;
    catalog.add_worker("Edge", "hash-1", at(1)).await.unwrap();
    let twice = catalog.add_worker("edge", "hash-2", at(1)).await;
    assert_eq!(twice.unwrap_err().code(), Some("worker-exists"));
    catalog
        .worker_seen("edge", &set(&["lan"]), &set(&["nas"]), at(2))
        .await
        .unwrap();
    let known = catalog.worker_of_token("hash-1").await.unwrap().unwrap();
    assert_eq!(
        (known.name.as_str(), known.seen, known.own),
        ("Edge", Some(at(2)), false)
    );
    assert_eq!(
        (known.labels, known.storages),
        (set(&["lan"]), set(&["nas"]))
    );
    assert_eq!(catalog.worker_of_token("hash-2").await.unwrap(), None);
    catalog.remove_worker("EDGE").await.unwrap();
    assert_eq!(catalog.worker_of_token("hash-1").await.unwrap(), None);
    let gone = catalog
        .worker_seen("edge", &set(&[]), &set(&[]), at(3))
        .await;
    assert_eq!(gone.unwrap_err().code(), Some("worker-unknown"));
}

pub(crate) async fn new_items_are_told_from_those_of_the_first_listing(place: Place) {
    let catalog = place.open().await;
    let items = |ids: &[&str]| -> Vec<(String, String)> {
        let named = ids.iter().map(|id| ((*id).to_owned(), format!("P/{id}")));
        named.collect()
    };
    let store = |ids: Vec<(String, String)>, add_new, second| {
        let catalog = catalog.clone();
        async move {
            catalog
                .store_found("Contoso", "git-repository", &ids, add_new, at(second))
                .await
                .unwrap()
        }
    };
    store(items(&["A", "b", "a"]), false, 1).await;
    assert_eq!(store(items(&["a", "b", "c"]), false, 2).await, ["c"]);
    let page = Page::first(2);
    let first = catalog.found("contoso", None, &page).await.unwrap();
    let rest = catalog
        .found("contoso", None, &page.following(&first).unwrap())
        .await
        .unwrap();
    let all: Vec<(String, bool)> = first
        .items
        .into_iter()
        .chain(rest.items)
        .map(|item| (item.id, item.added))
        .collect();
    let expected = [("a", true), ("b", true), ("c", false)];
    assert_eq!(all, expected.map(|(id, added)| (id.to_owned(), added)));
    // Switched on, those that waited are added too.
    assert_eq!(store(items(&["c", "d"]), true, 3).await, ["d"]);
    let all = catalog
        .found("contoso", Some("git-repository"), &Page::first(10))
        .await
        .unwrap();
    assert!(all.items.iter().all(|item| item.added));
    assert_eq!(all.items[0].last_seen, at(2));
}

pub(crate) async fn the_same_issue_in_many_runs_is_one_until_it_is_acknowledged(place: Place) {
    let catalog = place.open().await;
    let issue = |code: &str, item: Option<&str>| Issue {
        code: code.to_owned(),
        class: Class::Permission,
        kind: "git-repository".to_owned(),
        scope: String::new(),
        item: item.map(|id| ItemRef::new("git-repository", "", id)),
        message: format!("{code} {item:?}"),
        hint: None,
    };
    for number in 0..3 {
        let mut one = run(&format!("r{number}"));
        one.created = at(number);
        catalog.create_run(&one).await.unwrap();
        let issues = [
            issue("permission-missing", Some("a")),
            issue("throttled", None),
        ];
        catalog.add_issues(&one.id, &issues).await.unwrap();
    }
    let contoso = IssueFilter {
        connector: Some("contoso"),
        ..IssueFilter::default()
    };
    let list = |now| {
        let catalog = catalog.clone();
        async move {
            catalog
                .recurring_issues(contoso, at(1), now, &Page::first(10))
                .await
                .unwrap()
                .items
        }
    };
    let found = list(at(9)).await;
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|one| one.runs == 2 && one.last == at(2)));
    assert!(found.iter().all(|one| one.acknowledged.is_none()));
    let acknowledgement = Acknowledgement {
        connector: "contoso".to_owned(),
        repository: String::new(),
        code: "permission-missing".to_owned(),
        kind: "git-repository".to_owned(),
        scope: String::new(),
        item: "a".to_owned(),
        by_whom: "anna".to_owned(),
        at: at(9),
        until: Some(at(100)),
        note: Some("known".to_owned()),
    };
    catalog.acknowledge(&acknowledgement).await.unwrap();
    let known = |now| list(now);
    let acknowledged = known(at(50)).await;
    let acknowledged: Vec<_> = acknowledged
        .into_iter()
        .filter_map(|one| one.acknowledged)
        .collect();
    assert_eq!(acknowledged, [acknowledgement]);
    let open = async |now| {
        let open = catalog.open_issues("r2", now, 5).await.unwrap();
        open.into_iter().map(|one| one.code).collect::<Vec<_>>()
    };
    assert_eq!(open(at(50)).await, ["throttled"]);
    assert_eq!(open(at(100)).await, ["permission-missing", "throttled"]);
    assert!(
        known(at(100))
            .await
            .iter()
            .all(|one| one.acknowledged.is_none())
    );
}

pub(crate) async fn issues_of_repositories_are_apart_from_each_other(place: Place) {
    let catalog = place.open().await;
    let issue = Issue {
        code: "pack-missing".to_owned(),
        class: Class::Storage,
        kind: String::new(),
        scope: String::new(),
        item: None,
        message: "a pack is missing".to_owned(),
        hint: None,
    };
    for repository in ["main", "copy"] {
        let mut one = run(repository);
        one.connector = String::new();
        one.repository = repository.to_owned();
        catalog.create_run(&one).await.unwrap();
        catalog
            .add_issues(&one.id, std::slice::from_ref(&issue))
            .await
            .unwrap();
    }
    let seen = Acknowledgement {
        connector: String::new(),
        repository: "main".to_owned(),
        code: "pack-missing".to_owned(),
        kind: String::new(),
        scope: String::new(),
        item: String::new(),
        by_whom: "anna".to_owned(),
        at: at(1),
        until: None,
        note: None,
    };
    catalog.acknowledge(&seen).await.unwrap();
    let listed = async |filter: IssueFilter<'_>| {
        let listed = catalog
            .recurring_issues(filter, at(0), at(9), &Page::first(10))
            .await
            .unwrap();
        let items = listed.items.into_iter();
        let mut found: Vec<_> = items
            .map(|one| (one.repository, one.acknowledged.is_some()))
            .collect();
        found.sort();
        found
    };
    let (main, copy) = (("main".to_owned(), true), ("copy".to_owned(), false));
    assert_eq!(listed(IssueFilter::default()).await, [copy.clone(), main]);
    let filter = IssueFilter {
        repository: Some("copy"),
        ..IssueFilter::default()
    };
    assert_eq!(listed(filter).await, [copy]);
    assert!(
        catalog
            .open_issues("main", at(9), 5)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        catalog.open_issues("copy", at(9), 5).await.unwrap().len(),
        1
    );
}
