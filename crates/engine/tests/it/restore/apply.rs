//! What applies do.

use engine::plan::{Select, What};
use model::{Action, Class, Conflict, PlanState, StepState};
use tokio_util::sync::CancellationToken;

use super::Case;
use super::kill::check_whole;
use super::plan::{ids, selector, untouched};
use super::snapshot::MapSnapshot;
use super::world::{Kill, Thing};

#[tokio::test]
async fn an_empty_place_gets_everything_with_its_links() {
    let case = Case::new(MapSnapshot::contoso(120), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    let report = case.apply().await.unwrap();
    assert_eq!(report.state, PlanState::Applied);
    assert_eq!(
        (
            report.created,
            report.merged,
            report.exported,
            report.failed
        ),
        (124, 2, 2, 0)
    );
    assert_eq!(report.verified, 126);
    assert_eq!(report.losses["its age"], 120);
    check_whole(&case, 120);
}

#[tokio::test]
async fn a_second_apply_changes_nothing() {
    let case = Case::new(MapSnapshot::contoso(5), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    case.apply().await.unwrap();
    let before = case.world.things();
    case.apply().await.unwrap();
    assert_eq!(case.world.things(), before);
}

#[tokio::test]
async fn one_item_that_fails_stops_no_other_and_can_be_tried_again() {
    let case = Case::new(MapSnapshot::contoso(60), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    case.world.poison("thing 7");
    let report = case.apply().await.unwrap();
    assert_eq!((report.failed, report.created), (1, 63));
    assert_eq!(report.state, PlanState::AppliedWithIssues);
    assert_eq!(report.troubles[0].item.id, "7");
    assert!(report.losses.contains_key("the link to 7"));
    let issues = case.issues();
    assert_eq!(
        issues
            .iter()
            .map(|issue| (issue.code.as_str(), issue.class))
            .collect::<Vec<_>>(),
        [("permission-missing", Class::Permission)]
    );
    case.world.heal();
    let report = case.apply().await.unwrap();
    assert_eq!((report.failed, report.created), (0, 64));
    assert_eq!(case.world.of_kind("thing").len(), 60);
}

#[tokio::test]
async fn what_somebody_made_after_a_refusal_is_not_ours() {
    let case = Case::new(MapSnapshot::contoso(2), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    case.world.poison("Blue");
    let report = case.apply().await.unwrap();
    assert_eq!(report.failed, 2);
    assert_eq!(case.store.open(), []);
    case.world.heal();
    let (project, _) = case.world.of_kind("project").remove(0);
    let theirs = Thing {
        kind: "team".to_owned(),
        scope: project,
        name: "Blue".to_owned(),
        body: "theirs".to_owned(),
        ..Thing::default()
    };
    case.world.seed("theirs", theirs);
    case.apply().await.unwrap();
    let steps = case.steps().into_iter().filter(|step| step.name == "Blue");
    let states: Vec<StepState> = steps.map(|step| step.state).collect();
    assert_eq!(states.len(), 2);
    assert!(states.contains(&StepState::Skipped) && states.contains(&StepState::Verified));
    assert_eq!(case.world.things()["theirs"].body, "theirs");
    assert!(!case.store.ids().values().any(|id| id == "theirs"));
}

#[tokio::test]
async fn items_that_could_not_be_looked_up_are_not_left_out() {
    let case = Case::new(MapSnapshot::contoso(4), false);
    case.world.away(true);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    assert!(case.steps().iter().all(|step| step.action == Action::Export
        || (step.state == StepState::Failed && step.detail.is_some())));
    let report = case.apply().await.unwrap();
    assert_eq!(report.state, PlanState::AppliedWithIssues);
    assert_eq!(report.created, 0);
    case.world.away(false);
    let report = case.apply().await.unwrap();
    assert_eq!(report.state, PlanState::Applied, "{report:?}");
    check_whole(&case, 4);
}

#[tokio::test]
async fn what_may_still_be_there_is_left_alone_when_it_could_not_be_looked_up() {
    let case = untouched(3);
    case.world.remove("2");
    case.world.away(true);
    case.plan(selector(Some("thing"), What::Deleted), Conflict::Replace)
        .await
        .unwrap();
    case.world.away(false);
    let before = case.world.of_kind("thing");
    let report = case.apply().await.unwrap();
    assert_eq!((report.created, report.replaced), (1, 0), "{report:?}");
    let after = case.world.of_kind("thing");
    assert!(before.iter().all(|thing| after.contains(thing)));
}

#[tokio::test]
async fn nothing_is_written_into_a_container_that_failed() {
    let case = Case::new(MapSnapshot::contoso(2), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    case.world.poison("Contoso");
    let report = case.apply().await.unwrap();
    assert_eq!(report.failed, 3);
    let steps = case.steps();
    let blue = steps.iter().find(|step| step.item.id == "p1-blue").unwrap();
    assert_eq!(
        (blue.state, blue.detail.as_deref()),
        (StepState::Failed, Some("its project could not be restored"))
    );
    assert!(
        case.world
            .of_kind("team")
            .iter()
            .all(|(_, team)| !team.scope.is_empty())
    );
}

#[tokio::test]
async fn a_refused_token_ends_the_apply_and_the_plan_goes_on_later() {
    let case = Case::new(MapSnapshot::contoso(5), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    case.world.lock_out();
    let error = case.apply().await.unwrap_err();
    assert_eq!(error.code(), Some("credential-refused"));
    assert_eq!(case.store.state(), PlanState::Applying);
    case.world.heal();
    case.apply().await.unwrap();
    check_whole(&case, 5);
}

#[tokio::test]
async fn a_canceled_apply_goes_on_later() {
    let case = Case::new(MapSnapshot::contoso(120), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    let token = CancellationToken::new();
    case.world.cancel_at(300, &token);
    assert!(matches!(
        case.apply_until(&token).await,
        Err(engine::Error::Canceled)
    ));
    assert_eq!(case.store.state(), PlanState::Applying);
    let made = case.world.of_kind("thing").len();
    assert!(made > 0 && made < 120, "{made}");
    case.apply().await.unwrap();
    check_whole(&case, 120);
}

#[tokio::test]
async fn references_are_written_once_however_often_the_apply_is_canceled() {
    let case = Case::new(MapSnapshot::contoso(120), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    let mut rounds = 0;
    loop {
        let token = CancellationToken::new();
        case.world.cancel_at(100, &token);
        rounds += 1;
        if case.apply_until(&token).await.is_ok() {
            break;
        }
    }
    assert!(rounds > 5, "{rounds}");
    check_whole(&case, 120);
    assert!(
        case.world
            .things()
            .values()
            .all(|thing| thing.connected == 1),
        "{:?}",
        case.world.things()
    );
}

#[tokio::test]
async fn an_item_that_came_late_gets_its_references() {
    for at in 1..60 {
        let case = Case::new(MapSnapshot::contoso(6), false);
        case.plan(Select::Everything, Conflict::Skip).await.unwrap();
        case.world.poison("thing 4");
        case.apply().await.unwrap();
        case.world.heal();
        case.world.kill(Some(Kill {
            at,
            carried_out: true,
        }));
        let second = case.apply().await;
        case.world.kill(None);
        if second.is_err() {
            case.apply().await.unwrap();
        }
        let things = case.world.of_kind("thing");
        let late = things
            .iter()
            .find(|(_, thing)| thing.name == "thing 4")
            .unwrap();
        assert_eq!(late.1.links.len(), 1, "killed at {at}");
    }
}

#[tokio::test]
async fn undeleted_items_keep_their_ids() {
    let case = untouched(4);
    case.world
        .change("2", |thing| thing.deleted = true)
        .unwrap();
    case.plan(ids("thing", &["2"]), Conflict::Skip)
        .await
        .unwrap();
    let report = case.apply().await.unwrap();
    assert_eq!((report.undeleted, report.verified), (1, 1));
    assert_eq!(case.world.of_kind("thing").len(), 4);
    assert!(!case.world.things()["2"].deleted);
}

#[tokio::test]
async fn what_comes_back_with_an_undeleted_container_is_not_made_again() {
    for conflict in [Conflict::Skip, Conflict::Replace] {
        let case = untouched(4);
        let before = case.world.things();
        case.world.delete_project("p1", &["1", "3"]);
        case.plan(Select::Everything, conflict).await.unwrap();
        let project = &case.steps()[0];
        assert_eq!(
            (project.item.id.as_str(), project.action),
            ("p1", Action::Undelete)
        );
        let report = case.apply().await.unwrap();
        assert_eq!((report.undeleted, report.created), (1, 0), "{conflict:?}");
        assert_eq!(report.state, PlanState::Applied, "{report:?}");
        let ids = |things: &std::collections::BTreeMap<String, Thing>| -> Vec<String> {
            things.keys().cloned().collect()
        };
        assert_eq!(ids(&case.world.things()), ids(&before), "{conflict:?}");
    }
}

#[tokio::test]
async fn a_thing_that_was_purged_before_its_project_is_made_again() {
    let case = untouched(4);
    case.world.remove("3");
    case.world.delete_project("p1", &["1"]);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    let report = case.apply().await.unwrap();
    assert_eq!((report.undeleted, report.created), (1, 1), "{report:?}");
    assert_eq!(case.world.of_kind("thing").len(), 4);
}

#[tokio::test]
async fn conflicts_end_as_they_were_planned() {
    for (conflict, count, body) in [
        (Conflict::Skip, 2, "changed"),
        (Conflict::Replace, 2, "body 1"),
        (Conflict::Duplicate, 3, "changed"),
    ] {
        let case = untouched(2);
        case.world
            .change("1", |thing| thing.body = "changed".to_owned())
            .unwrap();
        case.plan(ids("thing", &["1"]), conflict).await.unwrap();
        let report = case.apply().await.unwrap();
        assert_eq!(report.state, PlanState::Applied, "{conflict:?}");
        assert_eq!(case.world.of_kind("thing").len(), count, "{conflict:?}");
        assert_eq!(case.world.things()["1"].body, body, "{conflict:?}");
    }
}

#[tokio::test]
async fn what_appeared_since_the_plan_is_not_doubled() {
    let case = untouched(3);
    let gone = case.world.remove("2");
    case.plan(ids("thing", &["2"]), Conflict::Skip)
        .await
        .unwrap();
    assert_eq!(case.steps()[0].action, Action::Create);
    case.world.seed("2", gone);
    let report = case.apply().await.unwrap();
    assert_eq!((report.created, report.skipped), (0, 1));
    assert_eq!(case.world.of_kind("thing").len(), 3);
}

#[tokio::test]
async fn links_to_items_that_stayed_point_at_them() {
    let case = untouched(4);
    case.world.remove("2");
    case.plan(selector(Some("thing"), What::Deleted), Conflict::Skip)
        .await
        .unwrap();
    case.apply().await.unwrap();
    let things = case.world.of_kind("thing");
    let restored = things
        .iter()
        .find(|(_, thing)| thing.marker.as_deref() == Some("2"))
        .unwrap();
    assert_eq!(restored.1.links.iter().collect::<Vec<_>>(), ["3"]);
}

#[tokio::test]
async fn a_difference_is_named() {
    let case = Case::new(MapSnapshot::contoso(3), false);
    case.plan(ids("thing", &["3"]), Conflict::Skip)
        .await
        .unwrap();
    case.world.garble("thing 3");
    let report = case.apply().await.unwrap();
    assert_eq!(
        (report.state, report.differs),
        (PlanState::AppliedWithIssues, 1)
    );
    assert_eq!(
        report.troubles[0].detail,
        "lost: the link to 1; body: `garbled` instead of `body 3`"
    );
    assert_eq!(case.issues()[0].code, "restore-differs");
}

#[tokio::test]
async fn an_unknown_plan_is_refused() {
    let case = Case::new(MapSnapshot::contoso(1), false);
    assert_eq!(case.apply().await.unwrap_err().code(), Some("plan-unknown"));
}
