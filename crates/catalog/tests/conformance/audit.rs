use catalog::{AuditFilter, Catalog, NewAudit, Page, Requester};
use model::{ProposalKind, ProposalState};
use sqlx::{Connection as _, Executor as _};

use crate::support::{Place, at};

fn event(number: i64, action: &str, subject: &str) -> NewAudit {
    NewAudit {
        time: at(number),
        kind: "person".to_owned(),
        actor: if number % 2 == 0 { "anna" } else { "ben" }.to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        outcome: "done".to_owned(),
        details: format!("{{\"number\":{number}}}"),
        address: (number % 3 == 0).then(|| "192.0.2.1".to_owned()),
        request: None,
    }
}

async fn written(place: &Place, rows: i64) -> Catalog {
    let catalog = place.open().await;
    for number in 0..rows {
        catalog
            .append_audit(&event(number, "connector.add", "connector/contoso"))
            .await
            .unwrap();
    }
    catalog
}

/// A statement of somebody who has the database in their hands.
async fn tamper(place: &Place, sql: &'static str) -> Result<(), sqlx::Error> {
    if place.url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(&place.url).await?;
        connection.execute(sql).await.map(drop)
    } else {
        let mut connection = sqlx::PgConnection::connect(&place.url).await?;
        connection.execute(sql).await.map(drop)
    }
}

pub(crate) async fn rows_are_only_added(place: Place) {
    let catalog = written(&place, 3).await;
    for sql in [
        "UPDATE audit SET actor = 'eve' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
    ] {
        let refused = tamper(&place, sql).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
    let other = if place.url.starts_with("sqlite") {
        "INSERT OR REPLACE INTO audit SELECT seq, time, kind, 'eve', action, subject, outcome, details, address, request, hash FROM audit"
    } else {
        "TRUNCATE audit"
    };
    assert!(
        tamper(&place, other)
            .await
            .unwrap_err()
            .to_string()
            .contains("append-only")
    );
    let verdict = catalog.verify_audit(None).await.unwrap();
    assert_eq!((verdict.rows, verdict.fault), (3, None));
}

async fn without_triggers(place: &Place) {
    let statements: &[&'static str] = if place.url.starts_with("sqlite") {
        &[
            "DROP TRIGGER audit_no_update",
            "DROP TRIGGER audit_no_delete",
            "DROP TRIGGER audit_no_replace",
        ]
    } else {
        &["DROP TRIGGER audit_append_only ON audit"]
    };
    for sql in statements {
        tamper(place, sql).await.unwrap();
    }
}

pub(crate) async fn a_changed_row_is_found(place: Place) {
    let catalog = written(&place, 9).await;
    without_triggers(&place).await;
    tamper(&place, "UPDATE audit SET outcome = 'failed' WHERE seq = 5")
        .await
        .unwrap();
    let (seq, _) = catalog.verify_audit(None).await.unwrap().fault.unwrap();
    assert_eq!(seq, 5);
}

pub(crate) async fn a_removed_row_is_found(place: Place) {
    let catalog = written(&place, 9).await;
    without_triggers(&place).await;
    tamper(&place, "DELETE FROM audit WHERE seq = 9")
        .await
        .unwrap();
    assert_eq!(
        catalog.verify_audit(None).await.unwrap().fault.unwrap().0,
        9
    );
    tamper(&place, "DELETE FROM audit WHERE seq = 4")
        .await
        .unwrap();
    assert_eq!(
        catalog.verify_audit(None).await.unwrap().fault.unwrap().0,
        4
    );
}

pub(crate) async fn rows_that_changed_places_are_found(place: Place) {
    let catalog = written(&place, 9).await;
    without_triggers(&place).await;
    for sql in [
        "UPDATE audit SET seq = 100 WHERE seq = 6",
        "UPDATE audit SET seq = 6 WHERE seq = 7",
        "UPDATE audit SET seq = 7 WHERE seq = 100",
    ] {
        tamper(&place, sql).await.unwrap();
    }
    assert_eq!(
        catalog.verify_audit(None).await.unwrap().fault.unwrap().0,
        6
    );
}

pub(crate) async fn a_noted_hash_finds_a_log_that_was_written_anew(place: Place) {
    let catalog = written(&place, 4).await;
    let noted = catalog.verify_audit(None).await.unwrap();
    without_triggers(&place).await;
    tamper(&place, "DELETE FROM audit").await.unwrap();
    tamper(&place, "UPDATE audit_head SET seq = 0, hash = ''")
        .await
        .unwrap();
    for number in 10..16 {
        catalog
            .append_audit(&event(number, "connector.remove", "connector/contoso"))
            .await
            .unwrap();
    }
    assert_eq!(catalog.verify_audit(None).await.unwrap().fault, None);
    let verdict = catalog.verify_audit(Some((4, &noted.head))).await.unwrap();
    assert_eq!(verdict.fault.unwrap().0, 4);
}

pub(crate) async fn writers_at_once_make_one_chain(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..40 {
        let catalog = if number % 2 == 0 {
            one.clone()
        } else {
            two.clone()
        };
        writers.spawn(async move {
            catalog
                .append_audit(&event(number, "a.b", "c/d"))
                .await
                .unwrap()
        });
    }
    let mut numbers = writers.join_all().await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    assert_eq!(one.verify_audit(None).await.unwrap().fault, None);
}

pub(crate) async fn the_log_is_filtered_and_paged(place: Place) {
    let catalog = written(&place, 4).await;
    catalog
        .append_audit(&event(4, "connectors.other", "connector/contoso-2"))
        .await
        .unwrap();
    catalog
        .append_audit(&event(5, "connector", "connector/a'b%"))
        .await
        .unwrap();
    let seqs = async |filter: AuditFilter| {
        let listed = catalog.audit(&filter, &Page::first(100)).await.unwrap();
        listed.items.iter().map(|row| row.seq).collect::<Vec<_>>()
    };
    let some = |text: &str| Some(text.to_owned());
    let all = AuditFilter::default();
    assert_eq!(seqs(all.clone()).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(
        seqs(AuditFilter {
            action: some("connector"),
            ..all.clone()
        })
        .await,
        [6, 4, 3, 2, 1]
    );
    assert_eq!(
        seqs(AuditFilter {
            subject: some("connector/contoso"),
            ..all.clone()
        })
        .await,
        [4, 3, 2, 1]
    );
    assert_eq!(
        seqs(AuditFilter {
            subject: some("connector/a'b%"),
            ..all.clone()
        })
        .await,
        [6]
    );
    assert_eq!(
        seqs(AuditFilter {
            actor: some("ben"),
            ..all.clone()
        })
        .await,
        [6, 4, 2]
    );
    assert_eq!(
        seqs(AuditFilter {
            since: Some(at(1)),
            until: Some(at(3)),
            ..all.clone()
        })
        .await,
        [3, 2]
    );
    let first = catalog.audit(&all, &Page::first(4)).await.unwrap();
    let second = catalog
        .audit(&all, &Page::first(4).following(&first).unwrap())
        .await
        .unwrap();
    assert_eq!(
        second.items.iter().map(|row| row.seq).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(second.next, None);
    assert_eq!(catalog.audit_after(2, 2).await.unwrap()[0].seq, 3);
}

fn requester(person: &str) -> Requester {
    Requester {
        person: Some(person.to_owned()),
        name: person.to_owned(),
    }
}

pub(crate) async fn a_proposal_is_decided_once_and_in_time(place: Place) {
    let catalog = place.open().await;
    let kind = ProposalKind::SwitchOffFourEyes;
    for id in ["one", "two", "three"] {
        let made = catalog
            .add_proposal(id, &kind, &requester("anna"), at(0), at(100))
            .await
            .unwrap();
        assert_eq!((made.state, made.kind), (ProposalState::Open, kind.clone()));
    }
    let hash = catalog.proposal("one", at(1)).await.unwrap().hash;
    let decide = async |id: &'static str, seen: &str, second| {
        let (executing, seen) = (ProposalState::Executing, Some(seen));
        catalog
            .decide_proposal(id, executing, seen, "ben", at(second), None)
            .await
    };
    let changed = decide("one", "another", 1).await.unwrap_err();
    assert_eq!(changed.code(), Some("proposal-changed"));
    let (first, second) = tokio::join!(decide("one", &hash, 1), decide("one", &hash, 1));
    assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1);
    assert_eq!(
        decide("two", &hash, 100).await.unwrap_err().code(),
        Some("proposal-closed")
    );
    assert_eq!(
        catalog.proposal("two", at(100)).await.unwrap().state,
        ProposalState::Expired
    );
    assert_eq!(
        catalog
            .proposals(true, at(50), &Page::first(10))
            .await
            .unwrap()
            .items
            .len(),
        2
    );
    tamper(&place, "UPDATE proposal SET payload = '{\"kind\":\"forget-snapshots\",\"repository\":\"main\",\"snapshots\":[]}' WHERE id = 'three'")
        .await
        .unwrap();
    assert_eq!(
        decide("three", &hash, 1).await.unwrap_err().code(),
        Some("proposal-changed")
    );
    assert_eq!(catalog.interrupt_proposals(at(1)).await.unwrap(), 0);
    assert_eq!(catalog.interrupt_proposals(at(2)).await.unwrap(), 1);
    assert_eq!(
        catalog.proposal("one", at(2)).await.unwrap().state,
        ProposalState::Failed
    );
}
