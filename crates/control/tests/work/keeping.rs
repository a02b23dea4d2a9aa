//! Who keeps what: all policies of an organization decide together, whoever its connectors are, and a run says what is gone after it.

use std::sync::Arc;

use control::ConnectorEdit;
use jiff::SignedDuration;
use model::policy::{Keep, Schedule, When};
use model::{Connector, Policy};
use repository::{Holder, Snapshot};
use serde_json::json;

use crate::Site;

fn keeping(name: &str, connectors: &[&str], last: u32) -> Policy {
    Policy {
        name: name.to_owned(),
        connectors: connectors.iter().map(|one| (*one).to_owned()).collect(),
        retention: Keep {
            last,
            ..Keep::default()
        },
        schedule: Schedule {
            when: When::Manual,
            ..Schedule::default()
        },
        ..Policy::standard()
    }
}

async fn replace(site: &Site, policy: &Policy) {
    let catalog = &site.control.catalog;
    let row = catalog.policy(&policy.name).await.unwrap();
    catalog
        .replace_policy(&policy.name, row.version, policy, site.now())
        .await
        .unwrap();
}

/// As people are told to make one: another token, for restores, of the same organization.
async fn another_of_contoso(site: &Site) {
    site.secret("write", "token").await;
    let connector = Connector {
        name: "contoso-restore".to_owned(),
        service: "fake".to_owned(),
        organization: "Contoso".to_owned(),
        method: "pat".to_owned(),
        credential: "write".to_owned(),
        ..Connector::default()
    };
    site.control
        .catalog
        .add_connector(&connector)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_policy_keeps_of_an_organization_no_other_connector_of_it_forgets() {
    let site = Site::new().await;
    site.connector("contoso").await;
    another_of_contoso(&site).await;
    replace(&site, &keeping("default", &[], 1)).await;
    let long = keeping("long", &["contoso"], 10);
    let catalog = &site.control.catalog;
    catalog.add_policy(&long, site.now()).await.unwrap();
    for _ in 0..3 {
        site.backed_up("contoso").await;
    }
    site.backed_up("contoso-restore").await;
    assert_eq!(site.snapshots().await, 4, "`long` keeps them all");
    // Whoever looks ahead sees the same.
    for preview in site
        .control
        .preview_retention(&catalog.policy("default").await.unwrap().policy)
        .await
        .unwrap()
    {
        assert!(
            preview
                .decisions
                .iter()
                .all(engine::retention::Decision::keep)
        );
    }
    let shorter = keeping("long", &["contoso"], 2);
    let control = &site.control;
    for after in [None, Some(&shorter)] {
        assert!(control.would_shorten(Some("long"), after).await.unwrap());
    }
    // With `long` over all of them, nothing hangs on the default one.
    let least = keeping("default", &[], 1);
    assert!(
        !control
            .would_shorten(Some("default"), Some(&least))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn what_another_installation_kept_is_removed_by_no_policy_that_nobody_has_set() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let forever = Policy {
        retention: Keep::default(),
        ..keeping("default", &[], 0)
    };
    replace(&site, &forever).await;
    // More than one of a day, and days longer ago than the usual rules reach.
    for days in [0, 0, 400, 0] {
        site.pass(SignedDuration::from_hours(24 * days));
        site.backed_up("contoso").await;
    }
    let mut site = site;
    for (synced, there) in [(true, 5), (false, 6)] {
        site = site.lost_its_catalog().await;
        if synced {
            let repository = site.repository().await;
            site.control.sync(&repository).await.unwrap();
        }
        site.connector("contoso").await;
        site.pass(SignedDuration::from_hours(24 * 10));
        site.backed_up("contoso").await;
        assert_eq!(site.snapshots().await, there, "synced: {synced}");
    }
    // Its rules hold from the moment on in which somebody has saved it.
    let row = site.control.catalog.policy("default").await.unwrap();
    let removes = async |row| site.control.removes_nothing(row).await.unwrap();
    site.control.sync(&site.repository().await).await.unwrap();
    assert!(removes(&row).await);
    replace(&site, &row.policy).await;
    let row = site.control.catalog.policy("default").await.unwrap();
    assert!(!removes(&row).await);
    site.backed_up("contoso").await;
    assert!(site.snapshots().await < 6);
}

/// Design rule 7, in whatever way the connector goes from its organization.
#[tokio::test]
async fn what_a_connector_made_that_is_gone_stays_as_long_as_its_policies_say() {
    for way in ["removed", "moved", "moved and renamed"] {
        let site = Site::new().await;
        let connector = site.connector("contoso").await;
        another_of_contoso(&site).await;
        replace(&site, &keeping("default", &[], 1)).await;
        let (control, catalog) = (&site.control, &site.control.catalog);
        let long = keeping("long", &["contoso"], 10);
        catalog.add_policy(&long, site.now()).await.unwrap();
        for _ in 0..2 {
            site.backed_up("contoso").await;
        }
        if way == "removed" {
            control.remove_connector("contoso").await.unwrap();
        } else {
            let elsewhere = Connector {
                organization: "fabrikam".to_owned(),
                ..connector
            };
            catalog.replace_connector(&elsewhere).await.unwrap();
        }
        if way == "moved and renamed" {
            let edit = ConnectorEdit {
                name: Some("fabrikam".to_owned()),
                ..ConnectorEdit::default()
            };
            control.edit_connector("contoso", edit).await.unwrap();
        }
        site.backed_up("contoso-restore").await;
        assert_eq!(site.snapshots().await, 3, "{way}");
        // Taking its policy away is what would keep less.
        let without = control.would_shorten(Some("long"), None).await.unwrap();
        assert!(without, "{way}");
    }
}

#[tokio::test]
async fn nobody_shortens_what_a_removed_connector_made_by_taking_its_name() {
    let site = Site::new().await;
    site.connector("contoso").await;
    site.connector("gone").await;
    let control = &site.control;
    let short = keeping("short", &["contoso"], 1);
    control
        .catalog
        .add_policy(&short, site.now())
        .await
        .unwrap();
    control.remove_connector("gone").await.unwrap();
    let edit = |name: &str| ConnectorEdit {
        name: Some(name.to_owned()),
        ..ConnectorEdit::default()
    };
    let refused = control.edit_connector("contoso", edit("gone")).await;
    let refused = refused.err().unwrap();
    assert_eq!(refused.code(), Some("connector-name-patterns"), "{refused}");
    control
        .edit_connector("contoso", edit("new"))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_organization_of_the_same_name_elsewhere_keeps_to_its_own_rules() {
    let site = Site::new().await;
    let connector = site.connector("contoso").await;
    let elsewhere = Connector {
        name: "other-server".to_owned(),
        url: Some("http://127.0.0.1:8/".to_owned()),
        ..connector
    };
    let catalog = &site.control.catalog;
    catalog.add_connector(&elsewhere).await.unwrap();
    replace(&site, &keeping("default", &[], 1)).await;
    let long = keeping("long", &["contoso"], 10);
    catalog.add_policy(&long, site.now()).await.unwrap();
    for _ in 0..3 {
        site.backed_up("contoso").await;
    }
    for _ in 0..2 {
        site.backed_up("other-server").await;
    }
    assert_eq!(
        site.snapshots().await,
        4,
        "three, and the last of the other"
    );
}

#[tokio::test]
async fn a_run_names_the_snapshots_that_were_dropped_after_it() {
    let site = Site::new().await;
    site.connector("contoso").await;
    replace(&site, &keeping("default", &[], 1)).await;
    let first = site.backed_up("contoso").await;
    assert_eq!(first.result, Some(json!({ "full": true })));
    let id = first.snapshot.unwrap();
    let catalog = &site.control.catalog;
    let time = catalog.find_snapshot(&id).await.unwrap().time.to_string();
    let second = site.backed_up("contoso").await;
    let gone = json!([{ "id": id, "time": time }]);
    assert_eq!(second.result, Some(json!({ "forgotten": gone })));
    // With nothing to drop there is nothing to say.
    replace(&site, &keeping("default", &[], 9)).await;
    assert_eq!(site.backed_up("contoso").await.result, None);
}

#[tokio::test]
async fn a_snapshot_of_another_program_stops_no_retention() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let made = site.backed_up("contoso").await;
    let repository = site.repository().await;
    let own = repository.resolve(&made.snapshot.unwrap()).await.unwrap();
    let own = repository.snapshot(own).await.unwrap();
    // One that restic itself made.
    let holder = Holder::new("restic", Arc::clone(&site.control.clock));
    let lock = repository.lock_shared(&holder).await.unwrap();
    let foreign = Snapshot::new(site.now(), own.tree);
    let mut writer = repository.writer();
    writer.commit(&foreign, &lock).await.unwrap();
    lock.release().await.unwrap();
    site.backed_up("contoso").await;
    site.pass(SignedDuration::from_hours(24 * 5 * 365));
    let last = site.backed_up("contoso").await;
    assert!(last.result.is_some(), "the older one of a day is forgotten");

    // One that a sync would list is another matter: nobody knows how long it was to stay.
    let catalog = &site.control.catalog;
    let listed = last.snapshot.unwrap();
    catalog.forget_snapshot(&listed).await.unwrap();
    assert!(site.backed_up("contoso").await.result.is_none());
}

#[tokio::test]
async fn a_repository_in_which_nothing_would_be_removed_is_taken_up_by_one_alone() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let (control, catalog) = (&site.control, &site.control.catalog);
    catalog.set_four_eyes(true).await.unwrap();
    let main = catalog.repository("main").await.unwrap();
    catalog.remove_repository("main").await.unwrap();
    // Nobody has set the default policy: it removes nothing that another installation made.
    assert!(!control.adoption_waits("main").await.unwrap());
    // What this one made is forgotten by it as ever, under whatever name it comes back.
    catalog.add_repository(&main).await.unwrap();
    site.backed_up("contoso").await;
    catalog.remove_repository("main").await.unwrap();
    assert!(control.adoption_waits("again").await.unwrap());
    catalog.add_repository(&main).await.unwrap();
    assert!(!control.adoption_waits("second").await.unwrap());
    replace(&site, &keeping("default", &[], 1)).await;
    catalog.remove_repository("main").await.unwrap();
    assert!(control.adoption_waits("second").await.unwrap());
}
