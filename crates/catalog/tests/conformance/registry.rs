use catalog::{Catalog, Error, ItemFilter, Kek, Page, RepositoryRow, Verification};
use model::{Class, Connector, ConnectorStatus, Counts, Issue, KindCounts, RunState, Secret};
use rand::SeedableRng as _;

use crate::support::{Place, at, run, snapshot, source, work_item};

async fn with_credential(place: &Place) -> Catalog {
    let catalog = place.open().await;
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let (kek, secret) = (Kek::new([1; 32]), Secret::new("s"));
    catalog
        .put_credential(&kek, "token", "pat", &secret, at(0), &mut rng)
        .await
        .unwrap();
    catalog
}

fn connector(name: &str, organization: &str, method: &str) -> Connector {
    Connector {
        name: name.to_owned(),
        service: "azure-devops".to_owned(),
        organization: organization.to_owned(),
        url: Some("http://127.0.0.1:1/contoso".to_owned()),
        method: method.to_owned(),
        credential: "token".to_owned(),
        ..Connector::default()
    }
}

pub(crate) async fn connectors_are_unique_without_regard_to_case(place: Place) {
    let catalog = with_credential(&place).await;
    let first = connector("Contoso", "Contoso", "oauth");
    catalog.add_connector(&first).await.unwrap();
    for (second, code) in [
        (connector("cONTOSO", "other", "pat"), "connector-name-taken"),
        (connector("other", "contoso", "oauth"), "organization-taken"),
    ] {
        let refused = catalog.add_connector(&second).await.unwrap_err();
        assert_eq!(refused.code(), Some(code));
    }
    let reader = connector("contoso-read", "contoso", "pat");
    let writer = connector("contoso-write", "contoso", "pat");
    catalog.add_connector(&reader).await.unwrap();
    catalog.add_connector(&writer).await.unwrap();
    assert_eq!(catalog.connector("CONTOSO").await.unwrap(), first);
    assert_eq!(catalog.connectors().await.unwrap(), [first, reader, writer]);
    let mut orphan = connector("third", "third", "pat");
    "nobody".clone_into(&mut orphan.credential);
    let refused = catalog.add_connector(&orphan).await.unwrap_err();
    assert!(matches!(refused, Error::CredentialUnknown { .. }));
    let unknown = catalog.connector("third").await.unwrap_err();
    assert_eq!(unknown.code(), Some("connector-unknown"));
}

pub(crate) async fn a_refused_replacement_leaves_the_old_connector(place: Place) {
    let catalog = with_credential(&place).await;
    let (one, two) = (
        connector("one", "contoso", "oauth"),
        connector("two", "fabrikam", "oauth"),
    );
    catalog.replace_connector(&one).await.unwrap();
    catalog.replace_connector(&two).await.unwrap();
    let taken = connector("two", "CONTOSO", "oauth");
    let refused = catalog.replace_connector(&taken).await.unwrap_err();
    assert_eq!(refused.code(), Some("organization-taken"));
    assert_eq!(catalog.connectors().await.unwrap(), [one.clone(), two]);
    let renamed = connector("Two", "tailspin", "oauth");
    catalog.replace_connector(&renamed).await.unwrap();
    assert_eq!(catalog.connectors().await.unwrap(), [one, renamed]);
}

pub(crate) async fn a_connector_that_is_another_one_by_now_is_not_changed(place: Place) {
    let catalog = with_credential(&place).await;
    let read = connector("one", "contoso", "oauth");
    catalog.add_connector(&read).await.unwrap();
    let with = |worker: &str| Connector {
        worker: Some(worker.to_owned()),
        ..read.clone()
    };
    // How it stands changes by itself.
    let failed = ConnectorStatus::Failed {
        why: "gone".to_owned(),
        since: read.created,
    };
    catalog.set_connector_status("one", &failed).await.unwrap();
    catalog
        .change_connector(&read, &with("anna"))
        .await
        .unwrap();
    let (kek, mut rng) = (Kek::new([1; 32]), rand::rngs::StdRng::seed_from_u64(1));
    let late = catalog
        .change_connector(&read, &with("ben"))
        .await
        .unwrap_err();
    assert_eq!(late.code(), Some("connector-changed"));
    let other = connector("two", "contoso", "oauth");
    let late = catalog
        .rename_connector(&kek, &read, &other, None, &mut rng)
        .await
        .unwrap_err();
    assert_eq!(late.code(), Some("connector-changed"));
    assert_eq!(catalog.connectors().await.unwrap(), [with("anna")]);
    // What was removed does not come back.
    catalog.remove_connector("one").await.unwrap();
    let late = catalog
        .change_connector(&with("anna"), &with("ben"))
        .await
        .unwrap_err();
    assert_eq!(late.code(), Some("connector-unknown"));
    assert_eq!(catalog.connectors().await.unwrap(), []);
}

pub(crate) async fn removing_a_connector_leaves_its_snapshots(place: Place) {
    let catalog = with_credential(&place).await;
    catalog
        .add_connector(&connector("contoso", "contoso", "oauth"))
        .await
        .unwrap();
    let source = source("contoso");
    let rows = [work_item("1", "One", "d1", catalog::Change::Added)];
    let seq = catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), rows)
        .await
        .unwrap();
    catalog.remove_connector("contoso").await.unwrap();
    let refused = catalog.remove_connector("contoso").await.unwrap_err();
    assert!(matches!(refused, Error::ConnectorUnknown { .. }));
    assert_eq!(catalog.source_snapshots(&source).await.unwrap().len(), 1);
    let items = catalog
        .items_at(&source, seq, &ItemFilter::default(), &Page::first(10))
        .await
        .unwrap();
    assert_eq!(items.items.len(), 1);
}

pub(crate) async fn what_a_connector_stood_for_is_remembered_under_its_name(place: Place) {
    let catalog = with_credential(&place).await;
    let former = async || {
        let all = catalog.former_connectors().await.unwrap().into_iter();
        all.map(|one| format!("{} {}", one.name, one.organization))
            .collect::<Vec<_>>()
    };
    let first = connector("one", "contoso", "oauth");
    catalog.replace_connector(&first).await.unwrap();
    catalog.replace_connector(&first).await.unwrap();
    assert!(former().await.is_empty());
    let second = connector("one", "fabrikam", "oauth");
    catalog.replace_connector(&second).await.unwrap();
    assert_eq!(former().await, ["one contoso"]);
    let third = Connector {
        url: Some("http://127.0.0.1/".to_owned()),
        ..connector("two", "fabrikam", "oauth")
    };
    let (kek, mut rng) = (Kek::new([1; 32]), rand::rngs::StdRng::seed_from_u64(1));
    catalog
        .rename_connector(&kek, &second, &third, None, &mut rng)
        .await
        .unwrap();
    assert_eq!(former().await, ["two contoso", "two fabrikam"]);
    for _ in 0..2 {
        catalog.remove_connector("two").await.unwrap();
        catalog.add_connector(&third).await.unwrap();
    }
    let all = catalog.former_connectors().await.unwrap();
    assert_eq!(all.len(), 3);
    assert!(all.iter().any(|one| one.url == third.url));
}

pub(crate) async fn repositories_are_found_by_name_and_default(place: Place) {
    let catalog = with_credential(&place).await;
    let repository = |name: &str, location: &str| RepositoryRow {
        name: name.to_owned(),
        location: location.to_owned(),
        id: "9d1a".to_owned(),
        password_credential: "token".to_owned(),
        ..RepositoryRow::default()
    };
    assert_eq!(catalog.default_repository().await.unwrap(), None);
    let (main, second) = (
        repository("Main", "/srv/main"),
        repository("second", "/srv/second"),
    );
    catalog.add_repository(&main).await.unwrap();
    assert_eq!(
        catalog.default_repository().await.unwrap().as_ref(),
        Some(&main)
    );
    catalog.add_repository(&second).await.unwrap();
    assert_eq!(
        catalog.default_repository().await.unwrap().as_ref(),
        Some(&main),
        "policies that name none stay where they are"
    );
    catalog.set_default_repository("Second").await.unwrap();
    assert_eq!(
        catalog.default_repository().await.unwrap().as_ref(),
        Some(&second)
    );
    assert!(catalog.set_default_repository("third").await.is_err());
    assert_eq!(
        catalog.default_repository().await.unwrap().as_ref(),
        Some(&second)
    );
    for taken in [
        repository("main", "/srv/third"),
        repository("third", "/srv/main"),
    ] {
        let refused = catalog.add_repository(&taken).await.unwrap_err();
        assert_eq!(refused.code(), Some("repository-exists"));
    }
    assert_eq!(catalog.repository("MAIN").await.unwrap(), main);
    catalog.remove_repository("main").await.unwrap();
    let unknown = catalog.repository("main").await.unwrap_err();
    assert_eq!(unknown.code(), Some("repository-not-found"));
    assert_eq!(catalog.repositories().await.unwrap(), [second]);
}

pub(crate) async fn runs_are_paged_and_keep_how_they_ended(place: Place) {
    let catalog = place.open().await;
    for number in 0..5 {
        catalog
            .create_run(&run(&format!("run-{number}")))
            .await
            .unwrap();
    }
    let mut ended = run("run-3");
    ended.state = RunState::SucceededWithIssues;
    ended.finished = Some(at(60));
    ended.snapshot = Some("aa".to_owned());
    ended.counts = Counts {
        requests: 7,
        ..Counts::default()
    };
    ended.counts.kinds.insert(
        "work-item".to_owned(),
        KindCounts {
            items: 3,
            ..KindCounts::default()
        },
    );
    catalog.finish_run(&ended).await.unwrap();
    assert_eq!(catalog.run("run-3").await.unwrap(), ended);
    assert!(matches!(
        catalog.finish_run(&run("run-9")).await,
        Err(Error::RunUnknown { .. })
    ));
    assert!(matches!(
        catalog.run("run-9").await,
        Err(Error::RunUnknown { .. })
    ));

    let mut ids = Vec::new();
    let mut page = Some(Page::first(2));
    while let Some(this) = page {
        let listed = catalog.runs(&this).await.unwrap();
        ids.extend(listed.items.iter().map(|run| run.id.clone()));
        page = this.following(&listed);
    }
    assert_eq!(ids, ["run-4", "run-3", "run-2", "run-1", "run-0"]);
}

pub(crate) async fn issues_of_a_run_are_paged_and_counted(place: Place) {
    let catalog = place.open().await;
    catalog.create_run(&run("run-0")).await.unwrap();
    let issue = |number: usize| Issue {
        code: if number.is_multiple_of(2) {
            "throttled"
        } else {
            "answer-cut-short"
        }
        .to_owned(),
        class: Class::Transient,
        kind: "wiki".to_owned(),
        scope: String::new(),
        item: None,
        message: format!("number {number} \0 ü"),
        hint: None,
    };
    let issues: Vec<Issue> = (0..501).map(issue).collect();
    catalog.add_issues("run-0", &issues[..300]).await.unwrap();
    catalog.add_issues("run-0", &issues[300..]).await.unwrap();
    let first = catalog.issues("run-0", &Page::first(500)).await.unwrap();
    let next = Page::first(500).following(&first).unwrap();
    let rest = catalog.issues("run-0", &next).await.unwrap();
    let found: Vec<Issue> = first
        .items
        .into_iter()
        .chain(rest.items)
        .map(|row| row.issue)
        .collect();
    assert_eq!(found, issues);
    assert_eq!(rest.next, None);
    let counts = catalog.issue_counts("run-0").await.unwrap();
    assert_eq!(
        counts,
        [
            ("throttled".to_owned(), 251),
            ("answer-cut-short".to_owned(), 250)
        ]
    );
    assert!(matches!(
        catalog.add_issues("run-9", &issues[..1]).await,
        Err(Error::RunUnknown { .. })
    ));
}

pub(crate) async fn a_newer_schema_is_refused(place: Place) {
    place.open().await.close().await;
    place
        .sql(&["INSERT INTO schema_version (version) VALUES (999)"])
        .await;
    let refused = Catalog::open(&place.url).await.err().unwrap();
    assert!(matches!(refused, Error::NewerSchema { found: 999, .. }));
    assert!(matches!(
        Catalog::open("mysql://x@h/y").await,
        Err(Error::Address { .. })
    ));
}

pub(crate) async fn the_last_verification_of_a_snapshot_is_remembered(place: Place) {
    let catalog = place.open().await;
    let made = |second, damage, differences| Verification {
        time: at(second),
        damage,
        doubts: 0,
        differences,
        by: "anna".to_owned(),
    };
    let (source, failed, passed) = (source("contoso"), made(1, 2, None), made(2, 0, Some(0)));
    catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), [])
        .await
        .unwrap();
    for (id, made) in [("aa", &failed), ("aa", &passed), ("not-listed", &failed)] {
        catalog.set_verification(id, made).await.unwrap();
    }
    let all = catalog.verifications().await.unwrap();
    assert_eq!((&all["aa"], &all["not-listed"]), (&passed, &failed));
    let some = catalog.verifications_of(&["bb", "aa"]).await.unwrap();
    assert_eq!(some, [("aa".to_owned(), passed.clone())].into());
    assert!(catalog.verifications_of(&[]).await.unwrap().is_empty());
    assert_eq!(catalog.damaged_snapshots().await.unwrap(), []);
    catalog.set_verification("aa", &failed).await.unwrap();
    let damaged = catalog.damaged_snapshots().await.unwrap();
    assert_eq!((damaged.len(), damaged[0].id.as_str()), (1, "aa"));
    // What a clock that was ahead dated is none of now.
    let key = source.repository.clone();
    for (now, last) in [(0, None), (1, Some(at(1)))] {
        let found = catalog.last_verifications(at(now)).await.unwrap();
        assert_eq!(found.get(&key).copied(), last);
    }
    assert!(passed.is_clean() && !failed.is_clean() && !made(3, 0, Some(1)).is_clean());

    catalog.forget_snapshot("aa").await.unwrap();
    let left: Vec<String> = catalog.verifications().await.unwrap().into_keys().collect();
    assert_eq!(left, ["not-listed"]);
}
