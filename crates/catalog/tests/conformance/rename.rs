//! A connector gets another name.

use std::collections::BTreeSet;

use catalog::{Acknowledgement, Catalog, Kek, NewCredential, Page, SyncRow, TokenRow};
use model::{
    Alarm, AlarmKind, AlarmLevel, Channel, Conflict, Connector, Destination, Occasion, Permission,
    PlanState, Policy, RestorePlan, RestoreTarget, Role, Secret, SignIn,
};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Row as _};

use crate::people::person;
use crate::support::{Place, at, run};

const OLD: &str = "Zanzibar";

fn kek() -> Kek {
    Kek::new([1; 32])
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn connector(name: &str, organization: &str, credential: &str) -> Connector {
    Connector {
        name: name.to_owned(),
        service: "azure-devops".to_owned(),
        organization: organization.to_owned(),
        method: "pat".to_owned(),
        credential: credential.to_owned(),
        created: at(0),
        updated: at(0),
        ..Connector::default()
    }
}

async fn credential(catalog: &Catalog, name: &str) {
    let new = NewCredential {
        name,
        sign_in: &SignIn::Pat {
            user: String::new(),
        },
        secret: &Secret::new("the secret"),
        expires: None,
        profile: None,
    };
    catalog
        .add_credential(&kek(), &new, at(0), &mut rng())
        .await
        .unwrap();
}

fn alarm() -> Alarm {
    Alarm {
        kind: AlarmKind::BackupOverdue,
        subject: OLD.to_owned(),
        connector: Some(OLD.to_owned()),
        level: AlarmLevel::Critical,
        message: "late".to_owned(),
        hint: "look".to_owned(),
    }
}

fn acknowledgement() -> Acknowledgement {
    Acknowledgement {
        connector: OLD.to_owned(),
        repository: String::new(),
        code: "throttled".to_owned(),
        kind: String::new(),
        scope: String::new(),
        item: String::new(),
        by_whom: "anna".to_owned(),
        at: at(0),
        until: None,
        note: None,
    }
}

/// Whatever may name a connector does.
async fn mentioned(catalog: &Catalog) {
    catalog.create_run(&run("r1")).await.unwrap();
    let mut own = run("r2");
    OLD.clone_into(&mut own.connector);
    catalog.create_run(&own).await.unwrap();
    let policy = Policy {
        name: "strict".to_owned(),
        connectors: vec!["zanzibar".to_owned(), "zan*".to_owned()],
        ..Policy::standard()
    };
    catalog.add_policy(&policy, at(0)).await.unwrap();
    let channel = Channel {
        name: "ops".to_owned(),
        enabled: true,
        to: Destination::Slack,
        on: [Occasion::Failure].into(),
        connectors: vec![OLD.to_owned()],
    };
    catalog.add_channel(&channel, None, at(0)).await.unwrap();
    let reached = || Some(BTreeSet::from(["other".to_owned(), "zanzibar".to_owned()]));
    let mut anna = person("anna", &[Role::Operator]);
    anna.connectors = reached();
    catalog.add_person(&anna).await.unwrap();
    let token = TokenRow {
        id: "t".to_owned(),
        name: "nightly".to_owned(),
        person: String::new(),
        prefix: "kw_1".to_owned(),
        permissions: [Permission::RunBackups].into(),
        connectors: reached(),
        created: at(0),
        expires: at(9),
        used: None,
    };
    catalog.add_token(&anna.id, &token, "hash").await.unwrap();
    let items = [("1".to_owned(), "web".to_owned())];
    for name in [OLD, "Pemba"] {
        let stored = catalog.store_found(name, "git-repository", &items, true, at(0));
        stored.await.unwrap();
        let row = SyncRow {
            handled: at(1),
            synced: None,
            error: None,
        };
        catalog.set_sync_row(name, &row).await.unwrap();
    }
    catalog.acknowledge(&acknowledgement()).await.unwrap();
    catalog
        .raise_alarm_anew(&alarm(), None, &[], at(0))
        .await
        .unwrap();
    let settings = r#"{"backup_hours":26,"connectors":{"zanzibar":4,"other":5}}"#;
    catalog.set_alarm_settings(settings, None).await.unwrap();
    let plan = RestorePlan {
        id: "p".to_owned(),
        snapshot: "aa".to_owned(),
        source: None,
        repository: "main".to_owned(),
        target: RestoreTarget::Original {
            connector: OLD.to_owned(),
            source: model::SourceId::new("azure-devops", "https://dev.azure.com", "contoso"),
        },
        conflict: Conflict::Skip,
        state: PlanState::Planning,
        created: at(0),
        planned: None,
        undoes: None,
    };
    catalog.create_plan(&plan).await.unwrap();
    catalog
        .set_connector_warnings(OLD, &["permission-missing"])
        .await
        .unwrap();
}

/// Every value of every table in which the old name still stands, as `table.column`.
async fn leftovers(url: &str) -> BTreeSet<String> {
    let mut database = SqliteConnection::connect(url).await.unwrap();
    let tables = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetch_all(&mut database)
        .await
        .unwrap();
    let mut found = BTreeSet::new();
    for table in tables.iter().map(|row| row.get::<String, _>(0)) {
        let columns = format!("SELECT name FROM pragma_table_info('{table}')");
        let columns = sqlx::query(sqlx::AssertSqlSafe(columns))
            .fetch_all(&mut database)
            .await
            .unwrap();
        for column in columns.iter().map(|row| row.get::<String, _>(0)) {
            let look = format!(
                "SELECT 1 FROM \"{table}\" WHERE lower(CAST(\"{column}\" AS TEXT)) LIKE '%zanzibar%' LIMIT 1"
            );
            let look = sqlx::query(sqlx::AssertSqlSafe(look));
            if look.fetch_optional(&mut database).await.unwrap().is_some() {
                found.insert(format!("{table}.{column}"));
            }
        }
    }
    found
}

pub(crate) async fn whatever_names_a_connector_follows_its_new_name(place: Place) {
    let catalog = place.open().await;
    credential(&catalog, "connector zanzibar").await;
    let before = connector(OLD, "contoso", "connector zanzibar");
    catalog.add_connector(&before).await.unwrap();
    let mut other = connector("other", "fabrikam", "connector zanzibar");
    other.restore_credential = Some("connector zanzibar".to_owned());
    catalog.add_connector(&other).await.unwrap();
    mentioned(&catalog).await;
    let after = Connector {
        name: "Pemba".to_owned(),
        credential: "connector Pemba".to_owned(),
        worker: Some("basement".to_owned()),
        ..before.clone()
    };
    let renamed = ("connector zanzibar", "connector Pemba");
    catalog
        .rename_connector(&kek(), &before, &after, Some(renamed), &mut rng())
        .await
        .unwrap();
    assert_eq!(catalog.connector("pemba").await.unwrap(), after);
    assert!(catalog.connector(OLD).await.is_err());
    let secret = catalog.get_credential(&kek(), renamed.1).await.unwrap();
    assert_eq!(secret.unwrap().expose(), "the secret");
    let other = catalog.connector("other").await.unwrap();
    assert_eq!(
        (
            other.credential.as_str(),
            other.restore_credential.as_deref()
        ),
        (renamed.1, Some(renamed.1))
    );
    assert_eq!(catalog.run("r1").await.unwrap().connector, "contoso");
    assert_eq!(catalog.run("r2").await.unwrap().connector, "Pemba");
    let policy = catalog.policy("strict").await.unwrap();
    assert_eq!(policy.policy.connectors, ["Pemba", "zan*"]);
    assert_eq!(policy.version, 2, "an editor notices");
    let ops = catalog.channel("ops").await.unwrap();
    assert_eq!(
        (ops.channel.connectors, ops.version),
        (vec!["Pemba".to_owned()], 1)
    );
    let reached = Some(BTreeSet::from(["other".to_owned(), "pemba".to_owned()]));
    let anna = catalog.person("anna").await.unwrap();
    assert_eq!(anna.connectors, reached);
    let token = catalog.token("kw_1").await.unwrap().unwrap();
    assert_eq!(token.token.connectors, reached);
    let found = catalog.found("Pemba", None, &Page::first(9)).await.unwrap();
    assert_eq!(found.items.len(), 1);
    assert!(catalog.sync_row("Pemba").await.unwrap().is_some());
    let raised = &catalog.alarms().await.unwrap()[0];
    assert_eq!(raised.key, "backup-overdue/pemba");
    assert_eq!(raised.alarm.connector.as_deref(), Some("Pemba"));
    let (settings, version) = catalog.alarm_settings().await.unwrap();
    let settings = settings.unwrap();
    assert_eq!(version, 2);
    assert!(settings.contains(r#""Pemba":4"#), "{settings}");
    let plan = catalog.plan("p").await.unwrap();
    assert_eq!(plan.target.connector(), "Pemba");
    if place.url.starts_with("sqlite:") {
        assert_eq!(leftovers(&place.url).await, BTreeSet::new());
    }
}

pub(crate) async fn a_connector_keeps_its_name_while_a_run_is_open_or_the_other_is_taken(
    place: Place,
) {
    let catalog = place.open().await;
    credential(&catalog, "token").await;
    for name in ["contoso", "fabrikam"] {
        let one = connector(name, name, "token");
        catalog.add_connector(&one).await.unwrap();
    }
    let rename = async |name: &str| {
        let before = connector("contoso", "contoso", "token");
        let after = connector(name, "contoso", "token");
        catalog
            .rename_connector(&kek(), &before, &after, None, &mut rng())
            .await
            .map_err(|error| error.code().unwrap())
    };
    assert_eq!(rename("FABRIKAM").await, Err("connector-name-taken"));
    catalog.create_run(&run("r")).await.unwrap();
    let job = catalog::NewJob {
        id: "j".to_owned(),
        payload: "{}".to_owned(),
        concurrency_key: None,
        created: at(0),
    };
    catalog.enqueue("r", &job).await.unwrap();
    assert_eq!(rename("pemba").await, Err("run-busy"));
    assert!(catalog.connector("contoso").await.is_ok());
    let second = std::time::Duration::from_secs(9);
    let job = catalog.claim("w", at(1), second).await.unwrap().unwrap();
    assert_eq!(rename("pemba").await, Err("run-busy"));
    catalog
        .finish(&job.id, job.token, model::JobState::Succeeded)
        .await
        .unwrap();
    assert_eq!(rename("Contoso").await, Ok(()), "case alone");
    assert_eq!(catalog.run("r").await.unwrap().connector, "Contoso");
}
