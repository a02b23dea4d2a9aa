//! Plans and applies through the catalog.

use control::PlanOrder;
use engine::plan::{Select, Selector, What};
use model::{Action, Class, Conflict, Connector, PlanState, RestoreTarget, RunKind, RunState};
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

fn order<'a>(
    installation: &'a Installation,
    snapshot: repository::SnapshotId,
    connector: &'a Connector,
) -> PlanOrder<'a> {
    PlanOrder {
        repository: &installation.repository,
        repository_name: "main",
        snapshot,
        connector,
        select: everything(),
        conflict: Conflict::Skip,
    }
}

#[tokio::test]
async fn what_was_lost_comes_back_by_a_plan() {
    let (installation, snapshot) = with_a_loss().await;
    let control = &installation.control;
    let plan = control
        .plan_restore(
            order(&installation, snapshot, &installation.connector),
            silent(),
        )
        .await
        .unwrap();
    assert_eq!(
        plan.target,
        RestoreTarget::Original {
            connector: "Contoso".to_owned()
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
    let ended = control
        .apply_restore(
            &plan.id,
            &installation.repository,
            silent(),
            &CancellationToken::new(),
        )
        .await
        .unwrap();
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
    let again = control
        .apply_restore(
            &plan.id,
            &installation.repository,
            silent(),
            &CancellationToken::new(),
        )
        .await
        .unwrap();
    assert_eq!(again.run.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_failed_item_is_an_issue_of_the_run_and_is_tried_again() {
    let (installation, snapshot) = with_a_loss().await;
    let control = &installation.control;
    let plan = control
        .plan_restore(
            order(&installation, snapshot, &installation.connector),
            silent(),
        )
        .await
        .unwrap();
    installation.world.fail(Some(Class::Permission));
    let ended = control
        .apply_restore(
            &plan.id,
            &installation.repository,
            silent(),
            &CancellationToken::new(),
        )
        .await
        .unwrap();
    assert_eq!(ended.run.state, RunState::SucceededWithIssues);
    assert_eq!((ended.issues.len(), ended.result.unwrap().failed), (1, 1));
    installation.world.fail(None);
    let ended = control
        .apply_restore(
            &plan.id,
            &installation.repository,
            silent(),
            &CancellationToken::new(),
        )
        .await
        .unwrap();
    assert_eq!(ended.run.state, RunState::Succeeded);
}

#[tokio::test]
async fn another_organization_is_another_target() {
    let (installation, snapshot) = with_a_loss().await;
    let other = Connector {
        name: "Other".to_owned(),
        organization: "other".to_owned(),
        credential: "other-pat".to_owned(),
        ..installation.connector.clone()
    };
    installation.add(&other).await;
    let plan = installation
        .control
        .plan_restore(order(&installation, snapshot, &other), silent())
        .await
        .unwrap();
    assert_eq!(
        plan.target,
        RestoreTarget::Other {
            connector: "Other".to_owned()
        }
    );
}
