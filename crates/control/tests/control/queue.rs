//! Backups through the queue: how runs end, one at a time, canceled, killed and superseded.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use catalog::Page;
use control::{BackupOrder, Ending, NewRepository, Order};
use model::{Class, Event, JobState, Reporter, RunState, Secret};
use service::CheckOutcome;
use tokio_util::sync::CancellationToken;

use crate::{Installation, silent};

impl Installation {
    /// The repository gets a row, as whatever goes through the queue needs it.
    async fn remember(&self) {
        let place = self.folder.path().join("repository");
        let there = NewRepository {
            name: "main".to_owned(),
            location: place.to_str().unwrap().parse().unwrap(),
            storage_credential: None,
            storage_secret: None,
            object_lock: None,
            password: Some(Secret::new("password")),
            adopt: true,
        };
        self.control.add_repository(there).await.unwrap();
    }
}

async fn filled() -> Installation {
    let installation = Installation::new().await;
    installation.world.put("box", "", "b1", "first box");
    for number in 0..5 {
        installation.world.put(
            "leaf",
            "b1",
            &format!("l{number}"),
            &format!("leaf {number}"),
        );
    }
    installation
}

#[tokio::test]
async fn a_backup_is_a_run_with_a_snapshot() {
    let installation = filled().await;
    let ended = installation.backup().await;
    let report = ended.result.unwrap();
    let run = installation
        .control
        .catalog
        .run(&ended.run.id)
        .await
        .unwrap();
    assert_eq!(run, ended.run);
    assert_eq!(
        (run.state, Ending::from(run.state)),
        (RunState::Succeeded, Ending::Done)
    );
    assert_eq!(run.snapshot, Some(report.snapshot.to_string()));
    assert_eq!(
        (
            run.counts.kinds["leaf"].items,
            run.counts.kinds["leaf"].added
        ),
        (5, 5)
    );
    assert!(run.finished > Some(run.created));
    let jobs = installation.control.catalog.jobs(&run.id).await.unwrap();
    assert_eq!(
        jobs.iter().map(|job| job.state).collect::<Vec<_>>(),
        [JobState::Succeeded]
    );
    assert_eq!(report.source.job, jobs[0].id);
}

#[tokio::test]
async fn issues_make_a_run_succeed_with_issues() {
    let installation = filled().await;
    installation.backup().await.result.unwrap();
    installation.world.fail(Some(Class::Permission));
    let ended = installation.backup().await;
    assert_eq!(Ending::from(ended.run.state), Ending::DoneWithIssues);
    let rows = installation
        .control
        .catalog
        .issues(&ended.run.id, &Page::first(10))
        .await
        .unwrap()
        .items;
    assert_eq!(
        rows.iter()
            .map(|row| row.issue.code.as_str())
            .collect::<Vec<_>>(),
        ["permission-missing"]
    );
    // The items stay as they were (a lost permission is no deletion).
    assert_eq!(ended.run.counts.kinds["leaf"].items, 5);
}

#[tokio::test]
async fn a_refused_token_fails_the_run_and_asks_to_sign_in() {
    let installation = filled().await;
    installation.world.fail(Some(Class::Credential));
    let ended = installation.backup().await;
    assert_eq!(ended.run.state, RunState::Failed);
    let error = ended.result.unwrap_err();
    assert_eq!(
        (error.code(), error.ending()),
        (Some("credential-refused"), Ending::SignInAgain)
    );
    assert_eq!(ended.run.error.as_deref(), Some("the token is refused"));
    assert_eq!(installation.snapshots().await, 0);
}

#[tokio::test]
async fn a_retry_of_a_run_of_a_command_is_of_the_kinds_that_it_named() {
    let installation = filled().await;
    installation.remember().await;
    installation.world.fail(Some(Class::Credential));
    let order = BackupOrder {
        selection: ["box".to_owned()].into(),
        full: true,
        ..installation.order()
    };
    let control = &installation.control;
    let ended = control
        .backup(&order, silent(), &CancellationToken::new())
        .await
        .unwrap();
    let again = control.retry(&ended.run.id).await.unwrap();
    let job = control.catalog.jobs(&again.id).await.unwrap().remove(0);
    let order = control.catalog.payload(&job.id).await.unwrap();
    let Ok(Order::Backup(order)) = serde_json::from_str(&order) else {
        unreachable!("{order}")
    };
    assert_eq!(order.selection.kinds, ["box".to_owned()].into());
    assert!(order.full);
}

#[tokio::test]
async fn an_unknown_kind_makes_no_run() {
    let installation = filled().await;
    let order = BackupOrder {
        selection: ["nothing".to_owned()].into(),
        ..installation.order()
    };
    let error = installation
        .control
        .backup(&order, silent(), &CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("kind-unknown"));
    assert!(
        installation
            .control
            .catalog
            .runs(&Page::first(1))
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[tokio::test]
async fn one_source_is_backed_up_once_at_a_time() {
    let installation = filled().await;
    *installation.world.hold.lock().unwrap() = true;
    let (first, second) = tokio::join!(installation.backup(), async {
        installation.world.begun.notified().await;
        let second = installation
            .control
            .backup(&installation.order(), silent(), &CancellationToken::new())
            .await;
        installation.world.release.notify_one();
        second.map(|ended| ended.run)
    });
    assert_eq!(first.run.state, RunState::Succeeded);
    assert_eq!(second.unwrap_err().code(), Some("run-busy"));
    let runs = installation
        .control
        .catalog
        .runs(&Page::first(10))
        .await
        .unwrap()
        .items;
    assert_eq!(
        runs.iter().map(|run| run.state).collect::<Vec<_>>(),
        [RunState::Failed, RunState::Succeeded]
    );
    *installation.world.hold.lock().unwrap() = false;
    assert_eq!(installation.backup().await.run.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_canceled_run_leaves_no_snapshot() {
    let installation = filled().await;
    *installation.world.hold.lock().unwrap() = true;
    let cancel = CancellationToken::new();
    let order = installation.order();
    let (ended, ()) = tokio::join!(
        installation.control.backup(&order, silent(), &cancel),
        async {
            installation.world.begun.notified().await;
            cancel.cancel();
        }
    );
    let ended = ended.unwrap();
    assert_eq!(
        (ended.run.state, ended.result.unwrap_err().ending()),
        (RunState::Canceled, Ending::Canceled)
    );
    assert_eq!(installation.snapshots().await, 0);
}

/// No first snapshot can be written, from the commit on: a file stands where their folder would be made.
struct Shut(PathBuf);

impl Reporter for Shut {
    fn report(&self, event: Event) {
        if matches!(event, Event::Phase { phase } if phase == "commit") {
            std::fs::write(self.0.join("snapshots"), "").unwrap();
        }
    }
}

#[tokio::test]
async fn what_a_failed_run_wrote_is_counted_and_not_counted_again_by_the_next() {
    let installation = filled().await;
    let place = installation.folder.path().join("repository");
    let shut = Arc::new(Shut(place.clone()));
    let order = installation.order();
    let never = CancellationToken::new();
    let ended = installation.control.backup(&order, shut, &never).await;
    let ended = ended.unwrap();
    assert_eq!(ended.run.state, RunState::Failed);
    let packs = std::fs::read_dir(place.join("data")).unwrap();
    let folders = packs.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    let sizes = folders
        .flatten()
        .map(|pack| pack.unwrap().metadata().unwrap().len());
    let stored = ended.run.counts.bytes_stored;
    assert!(stored > 0);
    assert_eq!(stored, sizes.sum::<u64>());
    std::fs::remove_file(place.join("snapshots")).unwrap();
    let next = installation.backup().await.run;
    assert_eq!(next.state, RunState::Succeeded);
    assert!(next.counts.bytes_stored < stored, "{:?}", next.counts);
}

#[tokio::test]
async fn what_a_killed_process_left_is_ended_and_stands_in_no_way() {
    let installation = filled().await;
    *installation.world.hold.lock().unwrap() = true;
    tokio::select! {
        _ = installation.backup() => panic!("the backup waits"),
        () = installation.world.begun.notified() => {}
    }
    *installation.world.hold.lock().unwrap() = false;
    let ended = installation.control.recover().await.unwrap();
    assert_eq!(
        ended
            .iter()
            .map(|run| (run.state, run.error.as_deref()))
            .collect::<Vec<_>>(),
        [(
            RunState::Failed,
            Some("the process ended before the run did")
        )]
    );
    assert!(installation.control.recover().await.unwrap().is_empty());
    assert_eq!(installation.backup().await.run.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_worker_that_lost_its_job_commits_nothing() {
    let installation = filled().await;
    *installation.world.hold.lock().unwrap() = true;
    let catalog = &installation.control.catalog;
    let order = installation.order();
    let token = CancellationToken::new();
    let (ended, ()) = tokio::join!(
        installation.control.backup(&order, silent(), &token),
        async {
            installation.world.begun.notified().await;
            catalog.void_leases("worker").await.unwrap();
            let taken = catalog
                .claim(
                    "other",
                    installation.control.clock.now(),
                    Duration::from_mins(1),
                )
                .await
                .unwrap();
            assert!(taken.is_some());
            installation.world.release.notify_one();
        }
    );
    assert_eq!(ended.unwrap_err().code(), Some("job-superseded"));
    assert_eq!(installation.snapshots().await, 0);
}

#[tokio::test]
async fn preflight_asks_every_kind_in_a_scope_that_exists() {
    let installation = filled().await;
    let control = &installation.control;
    let service = control.service("fake").unwrap();
    let client = control.client(&installation.connector, None).await.unwrap();
    let checks = control
        .preflight(service, &client, "Contoso")
        .await
        .unwrap();
    let told: Vec<_> = checks
        .iter()
        .map(|check| (check.name.as_str(), check.outcome))
        .collect();
    assert_eq!(
        told,
        [
            ("organization", CheckOutcome::Pass),
            ("leaf", CheckOutcome::Pass),
            ("box", CheckOutcome::Pass)
        ]
    );
    let probed = installation.world.probed.lock().unwrap().clone();
    assert_eq!(
        probed,
        [
            ("leaf".to_owned(), "first box".to_owned()),
            ("box".to_owned(), String::new())
        ]
    );
    installation.world.fail(Some(Class::Permission));
    let checks = control
        .preflight(service, &client, "Contoso")
        .await
        .unwrap();
    assert_eq!(
        (checks[1].outcome, checks[1].code),
        (CheckOutcome::Missing, Some("permission-missing"))
    );
    assert_eq!(
        checks[1].hint.as_deref(),
        Some("Give the token the scope fake.read. Without it nothing is read.")
    );
    assert_eq!(
        control
            .preflight(service, &client, "nowhere")
            .await
            .unwrap()
            .len(),
        1
    );
}
