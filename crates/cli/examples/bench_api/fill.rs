//! A catalog as a large installation has it after a year.

use std::collections::BTreeMap;

use anyhow::Result;
use catalog::{Catalog, Change, Connecting, IndexChange, ItemState, Kek, SnapshotRow, SourceKey};
use jiff::{SignedDuration, Timestamp};
use model::{Class, Counts, Issue, ItemRef, KindCounts, Run, RunKind, RunState, Secret, SourceId};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::Args;

const STATES: [RunState; 4] = [
    RunState::Succeeded,
    RunState::Succeeded,
    RunState::SucceededWithIssues,
    RunState::Failed,
];

const PROJECTS: u32 = 50;

fn at(minute: u32) -> Result<Timestamp> {
    Ok(Timestamp::from_second(1_700_000_000)? + SignedDuration::from_mins(i64::from(minute)))
}

pub(crate) async fn fill(catalog: &Catalog, kek: &Kek, args: &Args) -> Result<()> {
    connectors(catalog, kek, args.connectors).await?;
    runs(catalog, args).await?;
    items(catalog, args.items).await
}

async fn connectors(catalog: &Catalog, kek: &Kek, count: u32) -> Result<()> {
    let mut rng = StdRng::seed_from_u64(1);
    let now = at(0)?;
    catalog
        .put_credential(kek, "pat", "pat", &Secret::new("secret"), now, &mut rng)
        .await?;
    for number in 0..count {
        let connector = serde_json::from_value(serde_json::json!({
            "name": format!("organization-{number}"),
            "service": "azure-devops",
            "organization": format!("organization-{number}"),
            "method": "pat",
            "credential": "pat",
        }))?;
        let connecting = Connecting {
            connectors: &[connector],
            ..Connecting::default()
        };
        catalog.connect(kek, connecting, now, &mut rng).await?;
    }
    Ok(())
}

async fn runs(catalog: &Catalog, args: &Args) -> Result<()> {
    for number in 0..args.runs {
        let counts = KindCounts {
            items: 100,
            ..KindCounts::default()
        };
        let kinds = BTreeMap::from([("work-item".to_owned(), counts)]);
        let mut run: Run = serde_json::from_value(serde_json::json!({
            "id": format!("01a20184-{number:012}"),
            "kind": RunKind::Backup,
            "connector": format!("organization-{}", number % args.connectors),
            "repository": "default",
            "state": RunState::Queued,
            "created": at(number)?,
            "counts": Counts::default(),
        }))?;
        catalog.create_run(&run).await?;
        run.state = STATES[number as usize % STATES.len()];
        run.finished = Some(at(number + 1)?);
        run.counts = Counts {
            kinds,
            requests: 10,
            ..Counts::default()
        };
        catalog.finish_run(&run).await?;
        if run.state == RunState::SucceededWithIssues {
            catalog.add_issues(&run.id, &[issue(number)]).await?;
        }
    }
    Ok(())
}

fn issue(number: u32) -> Issue {
    Issue {
        code: "permission-missing".to_owned(),
        class: Class::Permission,
        kind: "work-item".to_owned(),
        scope: String::new(),
        item: Some(ItemRef::new("work-item", "", &number.to_string())),
        message: format!("work item {number} cannot be read"),
        hint: None,
    }
}

/// One large source, and a hundred snapshots of it.
async fn items(catalog: &Catalog, count: u32) -> Result<()> {
    let source = SourceKey {
        repository: "9d1a".to_owned(),
        id: SourceId::new("azure-devops", "https://dev.azure.com", "organization-0"),
    };
    let mut parent = None;
    for number in 0..100_u32 {
        let id = format!("{number:064x}");
        let row = SnapshotRow {
            source: source.clone(),
            name: "organization-0".to_owned(),
            id: id.clone(),
            time: at(number * 60)?,
            run: format!("01a20184-{number:012}"),
            tree: "0".repeat(64),
            parent: parent.replace(id),
            counts: BTreeMap::new(),
            source_file: "{}".to_owned(),
        };
        let mut writer = catalog.begin_snapshot(&row).await?;
        let (items, change) = if number == 0 {
            (count, Change::Added)
        } else {
            (100, Change::Changed)
        };
        if number == 0 {
            for project in 0..PROJECTS {
                writer.push(project_at(project)?).await?;
            }
        }
        for item in 0..items {
            writer.push(item_at(item, number, change)?).await?;
        }
        writer.commit().await?;
        catalog.index_texts().await?;
    }
    Ok(())
}

fn item_at(item: u32, version: u32, change: Change) -> Result<IndexChange> {
    Ok(IndexChange {
        item: ItemRef::new("work-item", "", &item.to_string()),
        name: format!("item {item} of the bench"),
        path: format!("work-items/{}/{item}", item / 256),
        digest: format!("{version:064x}"),
        size: 2000,
        modified: Some(at(version)?),
        state: if item % 20_000 == 11 {
            ItemState::Binned
        } else {
            ItemState::Live
        },
        change,
        text: format!(
            "What happens in version {version}: nothing that item {} has not seen before, when somebody pays by card and the page stays empty.",
            item % 5000
        ),
        project: format!("project {}", item % PROJECTS),
    })
}

fn project_at(number: u32) -> Result<IndexChange> {
    let mut row = item_at(number, 0, Change::Added)?;
    row.item = ItemRef::new("project", "", &format!("p-{number}"));
    row.name = format!("project {number}");
    row.project = format!("p-{number}");
    row.state = ItemState::Live;
    Ok(row)
}
