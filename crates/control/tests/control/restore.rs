//! Plans and applies through the catalog.

use std::sync::Arc;

use control::{Ended, PlanOrder};
use engine::apply::ApplyReport;
use engine::plan::{Select, Selector, What};
use fault_store::{FaultStore, Plan};
use model::{
    Action, Class, Conflict, Connector, PlanState, RestorePlan, RestoreTarget, RunKind, RunState,
};
use repository::{Repository, store_from};
use tokio_util::sync::CancellationToken;

use crate::{Installation, silent};

fn everything() -> Select {
    Select::Items(vec![Selector {
        kind: None,
        scope: None,
        what: What::Deleted,
    }])
}

async fn with_a_loss() -> (Installation, repository::SnapshotId) {
    let installation = Installation::new().await;
    installation.world.put("box", "", "b1", "first box");
    installation.world.put("leaf", "b1", "l1", "leaf 1");
    installation.world.put("leaf", "b1", "l2", "leaf 2");
    let snapshot = installation.backup().await.result.unwrap().snapshot;
    installation.world.remove("leaf", "b1", "l2");
    (installation, snapshot)
}

impl Installation {
    /// A connector for another organization.
    async fn add_other(&self) -> Connector {
        let other = Connector {
            name: "Other".to_owned(),
            organization: "other".to_owned(),
            credential: "other-pat".to_owned(),
            ..self.connector.clone()
        };
        self.add(&other).await;
        other
    }

    async fn plan(&self, snapshot: repository::SnapshotId, connector: &Connector) -> RestorePlan {
        let order = PlanOrder {
            repository: &self.repository,
            repository_name: "main",
            snapshot,
            connector,
            select: everything(),
            conflict: Conflict::Skip,
        };
        self.control.plan_restore(order, silent()).await.unwrap()
    }

    async fn apply(&self, plan: &RestorePlan) -> Ended<ApplyReport> {
        let stop = CancellationToken::new();
        let applied = self
            .control
            .apply_restore(&plan.id, &self.repository, silent(), &stop);
        applied.await.unwrap()
    }
}

#[tokio::test]
async fn what_was_lost_comes_back_by_a_plan() {
    let (installation, snapshot) = with_a_loss().await;
    let control = &installation.control;
    let plan = installation.plan(snapshot, &installation.connector).await;
    assert_eq!(
        plan.target,
        RestoreTarget::Original {
            connector: "Contoso".to_owned(),
            source: control.source_of(&installation.connector).unwrap(),
        }
    );
    let steps = control.catalog.steps(&plan.id, None, 10).await.unwrap();
    assert_eq!(
        steps
            .iter()
            .map(|step| (step.item.id.as_str(), step.action))
            .collect::<Vec<_>>(),
        [("l2", Action::Create)]
    );
    let ended = installation.apply(&plan).await;
    let report = ended.result.unwrap();
    assert_eq!(
        (report.created, report.verified, report.state),
        (1, 1, PlanState::Applied)
    );
    assert_eq!(
        (ended.run.kind, ended.run.state),
        (RunKind::Restore, RunState::Succeeded)
    );
    assert_eq!(
        control.catalog.plan(&plan.id).await.unwrap().state,
        PlanState::Applied
    );
    assert_eq!(installation.world.items.lock().unwrap().len(), 3);
    // Again: nothing to do.
    let again = installation.apply(&plan).await;
    assert_eq!(again.run.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_failed_item_is_an_issue_of_the_run_and_is_tried_again() {
    let (installation, snapshot) = with_a_loss().await;
    let plan = installation.plan(snapshot, &installation.connector).await;
    installation.world.fail(Some(Class::Permission));
    let ended = installation.apply(&plan).await;
    assert_eq!(ended.run.state, RunState::SucceededWithIssues);
    assert_eq!((ended.issues.len(), ended.result.unwrap().failed), (1, 1));
    installation.world.fail(None);
    let ended = installation.apply(&plan).await;
    assert_eq!(ended.run.state, RunState::Succeeded);
}

#[tokio::test]
async fn another_organization_is_another_target() {
    let (installation, snapshot) = with_a_loss().await;
    let other = installation.add_other().await;
    let plan = installation.plan(snapshot, &other).await;
    assert_eq!(
        plan.target,
        RestoreTarget::Other {
            connector: "Other".to_owned(),
            source: installation.control.source_of(&other).unwrap(),
        }
    );
}

#[tokio::test]
async fn what_was_planned_for_one_organization_is_not_written_to_another() {
    let (installation, snapshot) = with_a_loss().await;
    let control = &installation.control;
    let other = installation.add_other().await;
    for connector in [&installation.connector, &other] {
        let plan = installation.plan(snapshot, connector).await;
        let elsewhere = Connector {
            organization: "elsewhere".to_owned(),
            ..connector.clone()
        };
        control.catalog.replace_connector(&elsewhere).await.unwrap();
        let early = control.request_apply(&plan.id, None).await.unwrap_err();
        assert_eq!(early.code(), Some("plan-target-changed"));
        let late = control
            .apply_restore(
                &plan.id,
                &installation.repository,
                silent(),
                &CancellationToken::new(),
            )
            .await;
        assert_eq!(late.err().unwrap().code(), Some("plan-target-changed"));
        assert_eq!(installation.world.items.lock().unwrap().len(), 2);
        control.catalog.replace_connector(connector).await.unwrap();
    }
    let plan = installation.plan(snapshot, &installation.connector).await;
    assert_eq!(
        installation.apply(&plan).await.run.state,
        RunState::Succeeded
    );
}

#[tokio::test]
async fn on_a_full_disk_snapshots_are_read_restored_and_forgotten() {
    let (mut installation, snapshot) = with_a_loss().await;
    let place = installation.folder.path().join("repository");
    let (store, _) = store_from(place.to_str().unwrap()).unwrap();
    let full = FaultStore::new(store, Arc::new(|| jiff::Timestamp::UNIX_EPOCH.into()));
    full.arm(Plan {
        room: Some(0),
        ..Plan::default()
    });
    let password = model::Secret::new("password");
    installation.repository = Repository::open(Arc::new(full), &password).await.unwrap();
    let (control, repository) = (&installation.control, &installation.repository);

    let plan = installation.plan(snapshot, &installation.connector).await;
    let applied = installation.apply(&plan).await.result.unwrap();
    assert_eq!(applied.state, PlanState::Applied);
    let stop = CancellationToken::new();
    control
        .verify(repository, snapshot, "anna", silent().as_ref(), &stop)
        .await
        .unwrap();
    control.sync(repository).await.unwrap();
    control.forget_these(repository, &[snapshot]).await.unwrap();
    assert_eq!(installation.snapshots().await, 0);
}
