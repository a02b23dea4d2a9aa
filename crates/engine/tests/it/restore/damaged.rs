//! Restores from a snapshot that cannot be read whole.

use engine::plan::{Select, Selector, What};
use model::{Action, Conflict, Event, PlanState, Step, StepState};

use super::Case;
use super::plan::ids;
use super::snapshot::MapSnapshot;

/// Things 3 and 4 lie in a folder that cannot be read, and the document of thing 5 is damaged.
fn damaged() -> Case {
    let mut snapshot = MapSnapshot::contoso(8);
    snapshot.lose("things/0000", "thing", "", &["3", "4"]);
    snapshot.damage("thing", "", "5");
    Case::new(snapshot, false)
}

fn left_out(steps: &[Step]) -> Vec<&str> {
    let left_out = steps.iter().filter(|step| step.state == StepState::Failed);
    let left_out = left_out.inspect(|step| assert_eq!(step.action, Action::Skip));
    left_out.filter_map(|step| step.reason.as_deref()).collect()
}

#[tokio::test]
async fn what_cannot_be_read_is_left_out_and_named() {
    let case = damaged();
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    let steps = case.steps();
    let left_out = left_out(&steps);
    assert_eq!(left_out.len(), 2, "{left_out:?}");
    assert!(left_out[0].contains("`things/0000`"), "{left_out:?}");
    assert!(left_out[0].contains("tree blob 0a1b"), "{left_out:?}");
    assert!(left_out[1].contains("data blob 2c3d"), "{left_out:?}");
    let planned = |step: &&Step| step.item.kind == "thing" && step.state == StepState::Planned;
    let planned: Vec<&str> = steps
        .iter()
        .filter(planned)
        .map(|step| step.item.id.as_str())
        .collect();
    assert_eq!(planned, ["1", "2", "6", "7", "8"]);
    let positions: Vec<u64> = steps.iter().map(|step| step.position).collect();
    assert!(positions.into_iter().eq(0..steps.len() as u64));
    let issues = case.events.0.lock().unwrap().clone();
    let issues = issues.into_iter().filter_map(|event| match event {
        Event::Issue { issue } => Some(issue.message),
        _ => None,
    });
    assert_eq!(issues.collect::<Vec<_>>(), left_out);
    let report = case.apply().await.unwrap();
    assert_eq!(report.state, PlanState::AppliedWithIssues);
    assert_eq!(report.failed, 2);
    let made = case.world.things();
    assert_eq!(made.values().filter(|made| made.kind == "thing").count(), 5);
}

#[tokio::test]
async fn asking_for_what_cannot_be_read_is_refused_by_its_name() {
    for (id, why) in [("3", "`things/0000`"), ("5", "data blob 2c3d")] {
        let case = damaged();
        let planned = case.plan(ids("thing", &[id]), Conflict::Skip).await;
        let error = planned.unwrap_err();
        assert_eq!(error.code(), Some("repository-damaged"));
        let told = error.to_string();
        assert!(told.contains(&format!("thing {id}")), "{told}");
        assert!(told.contains(why), "{told}");
    }
    let case = damaged();
    let planned = case.plan(ids("thing", &["6"]), Conflict::Skip).await;
    planned.unwrap();
    assert!(left_out(&case.steps()).is_empty(), "it is whole");
}

#[tokio::test]
async fn an_item_without_its_document_may_lie_in_the_container_and_is_named() {
    let mut snapshot = MapSnapshot::contoso(2);
    snapshot.part("thing", "", "3", "remarks.txt", "of a thing");
    let case = Case::new(snapshot, false);
    let inside = Select::Items(vec![Selector {
        kind: Some("thing".to_owned()),
        scope: Some("Contoso".to_owned()),
        what: What::All,
    }]);
    case.plan(inside, Conflict::Skip).await.unwrap();
    let steps = case.steps();
    let left_out = left_out(&steps);
    assert_eq!(left_out.len(), 1, "{steps:?}");
    assert!(left_out[0].contains("thing 3"), "{left_out:?}");
}

#[tokio::test]
async fn what_has_no_document_is_not_promised() {
    let mut snapshot = MapSnapshot::contoso(2);
    snapshot.part("thing", "", "3", "remarks.txt", "of a thing");
    let case = Case::new(snapshot, false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    let steps = case.steps();
    let left_out = left_out(&steps);
    assert_eq!(left_out.len(), 1, "{steps:?}");
    assert!(left_out[0].contains("thing 3"), "{left_out:?}");
}

#[tokio::test]
async fn damage_elsewhere_is_no_matter_of_a_plan_for_one_folder() {
    for (prefix, count) in [("projects/p1", 0), ("things", 1)] {
        let mut snapshot = MapSnapshot::contoso(8);
        snapshot.lose("things/0000", "thing", "", &["3", "4"]);
        let case = Case::new(snapshot, false);
        let under = Select::Items(vec![Selector {
            kind: None,
            scope: None,
            what: What::Under(prefix.to_owned()),
        }]);
        case.plan(under, Conflict::Skip).await.unwrap();
        assert_eq!(left_out(&case.steps()).len(), count, "{prefix}");
    }
}
