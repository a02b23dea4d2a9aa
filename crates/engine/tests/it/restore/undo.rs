//! Restores taken back: only what is ours and untouched goes, whenever it is killed.

use engine::apply::ApplyReport;
use engine::plan::Select;
use engine::undo::{Before, UndoRequest};
use jiff::Timestamp;
use model::{Action, Conflict, PlanState, RestorePlan, RestoreTarget, StepState, Undone};
use tokio_util::sync::CancellationToken;

use super::Case;
use super::plan::{ids, untouched};
use super::snapshot::MapSnapshot;
use super::world::{Kill, Teams, Thing};
use crate::stand_in::client;

impl Case {
    /// Plans to take the applied plan back, with what stood there before.
    async fn plan_undo(&self, before: Option<&MapSnapshot>) -> engine::Result<RestorePlan> {
        let (client, work) = (client(), tempfile::tempdir().unwrap());
        let head = RestorePlan {
            id: "undo".to_owned(),
            target: RestoreTarget::Original {
                connector: "contoso".to_owned(),
                source: model::SourceId::new("test", "https://test", "contoso"),
            },
            conflict: Conflict::Replace,
            undoes: Some(Undone {
                plan: "plan".to_owned(),
                snapshot: String::new(),
                repository: "main".to_owned(),
                original: self.original,
            }),
            ..self.store.head("plan")
        };
        let request = UndoRequest {
            head,
            made: &self.snapshot,
            before: before.map(|stored| Before {
                stored,
                taken: Timestamp::UNIX_EPOCH,
            }),
        };
        engine::undo::plan(&self.context(&client, work.path()), request, &self.store).await
    }

    async fn undo(&self, before: Option<&MapSnapshot>) -> engine::Result<ApplyReport> {
        let (client, work) = (client(), tempfile::tempdir().unwrap());
        let mut context = self.context(&client, work.path());
        if let Some(before) = before {
            context.stored = before;
        }
        let never = CancellationToken::new();
        engine::apply::undo(&context, &self.snapshot, "undo", &self.store, &never).await
    }

    /// How many things there are, those in the recycle bin aside.
    fn alive(&self) -> usize {
        let things = self.world.of_kind("thing");
        things.iter().filter(|(_, thing)| !thing.deleted).count()
    }
}

async fn restored(things: usize) -> Case {
    let case = Case::new(MapSnapshot::contoso(things), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    case.apply().await.unwrap();
    case
}

#[tokio::test]
async fn what_was_made_goes_and_containers_stay() {
    let case = restored(4).await;
    let plan = case.plan_undo(None).await.unwrap();
    assert_eq!(plan.state, PlanState::Ready);
    let told: Vec<(String, Action)> = case
        .store
        .steps_of("undo")
        .into_iter()
        .map(|step| (step.item.kind, step.action))
        .collect();
    assert!(told.contains(&("project".to_owned(), Action::Skip)));
    assert!(!told.contains(&("project".to_owned(), Action::Remove)));
    // The default teams were merged into what the service made.
    let of_teams = |action| {
        told.iter()
            .filter(|step| **step == ("team".to_owned(), action))
            .count()
    };
    assert_eq!((of_teams(Action::Remove), of_teams(Action::Skip)), (2, 2));
    let report = case.undo(None).await.unwrap();
    assert_eq!((report.removed, report.failed), (6, 0));
    assert_eq!(report.state, PlanState::Applied);
    assert_eq!(case.alive(), 0);
    assert_eq!(case.world.of_kind("project").len(), 2);
    assert_eq!(case.world.of_kind("team").len(), 2);
}

#[tokio::test]
async fn what_was_changed_since_stays_whenever_that_was() {
    let case = restored(3).await;
    let things = case.world.of_kind("thing");
    let change = |at: usize| {
        let changed = case.world.change(&things[at].0, |thing| {
            "somebody works on it".clone_into(&mut thing.body);
        });
        changed.unwrap();
    };
    change(0);
    case.plan_undo(None).await.unwrap();
    let kept: Vec<_> = case
        .store
        .steps_of("undo")
        .into_iter()
        .filter(|step| step.item.kind == "thing" && step.action == Action::Skip)
        .collect();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].reason.as_ref().unwrap().contains("changed since"));
    change(1);
    let report = case.undo(None).await.unwrap();
    assert_eq!(report.failed, 1);
    assert_eq!(report.state, PlanState::AppliedWithIssues);
    assert_eq!(case.alive(), 2);
    assert!(
        case.issues()
            .iter()
            .any(|issue| issue.code == "restore-conflict")
    );
}

/// No difference tells of it: what was restored is as it was, and somebody has added to it.
#[tokio::test]
async fn what_has_another_revision_than_when_it_was_read_back_stays_whenever_that_came() {
    let case = restored(3).await;
    let things = case.world.of_kind("thing");
    let change = |at: usize| {
        let changed = case
            .world
            .change(&things[at].0, |thing| thing.revisions += 1);
        changed.unwrap();
    };
    change(0);
    case.plan_undo(None).await.unwrap();
    let of_things = |step: &model::Step| step.item.kind == "thing";
    let steps = case.store.steps_of("undo").into_iter().filter(of_things);
    let (kept, planned): (Vec<_>, Vec<_>) = steps.partition(|step| step.action == Action::Skip);
    assert_eq!((kept.len(), planned.len()), (1, 2));
    let reason = kept[0].reason.as_deref().unwrap();
    assert!(reason.contains("changed since"), "{reason}");
    change(1);
    let report = case.undo(None).await.unwrap();
    // With the two teams.
    assert_eq!((report.removed, report.failed), (3, 1));
    assert_eq!(case.alive(), 2);
}

#[tokio::test]
async fn what_was_replaced_is_not_put_back_over_a_later_change() {
    let case = untouched(3);
    case.world
        .change("2", |thing| "newer".clone_into(&mut thing.body))
        .unwrap();
    let mut before = case.snapshot.clone();
    let document = r#"{"name":"thing 2","body":"newer","links":[]}"#;
    before.put("thing", "", "2", document);
    case.plan(ids("thing", &["2"]), Conflict::Replace)
        .await
        .unwrap();
    case.apply().await.unwrap();
    case.plan_undo(Some(&before)).await.unwrap();
    let steps = case.store.steps_of("undo");
    assert_eq!(steps[0].action, Action::Replace);
    let change = |thing: &mut Thing| thing.revisions += 1;
    case.world.change("2", change).unwrap();
    let report = case.undo(Some(&before)).await.unwrap();
    assert_eq!(report.failed, 1, "{report:?}");
    assert_eq!(case.world.things()["2"].body, "body 2");
}

#[tokio::test]
async fn what_there_can_be_one_of_is_not_planned_twice_and_never_taken_away() {
    let case = untouched(1);
    case.world.set_teams(Teams::One);
    let before = case.world.things();
    let blue = ids("team", &["p1-blue"]);
    case.plan(blue, Conflict::Duplicate).await.unwrap();
    let [step] = &case.steps()[..] else {
        panic!("{:?}", case.steps());
    };
    let reason = step.reason.as_deref();
    assert_eq!(
        (step.action, reason, step.new_id.as_deref()),
        (
            Action::Skip,
            Some("there can be one of this name"),
            Some("p1-blue")
        )
    );
    let report = case.apply().await.unwrap();
    assert_eq!((report.created, report.skipped), (0, 1), "{report:?}");
    case.plan_undo(None).await.unwrap();
    case.undo(None).await.unwrap();
    assert_eq!(case.world.things(), before);
}

#[tokio::test]
async fn one_that_appeared_meanwhile_is_left_too() {
    let case = untouched(1);
    case.world.set_teams(Teams::One);
    let blue = case.world.remove("p1-blue");
    let select = ids("team", &["p1-blue"]);
    case.plan(select, Conflict::Duplicate).await.unwrap();
    assert_eq!(case.steps()[0].action, Action::Create);
    case.world.seed("p1-blue", blue);
    let before = case.world.things();
    let report = case.apply().await.unwrap();
    assert_eq!((report.created, report.skipped), (0, 1), "{report:?}");
    case.plan_undo(None).await.unwrap();
    case.undo(None).await.unwrap();
    assert_eq!(case.world.things(), before);
}

/// A kind that says that it made what it found: the journal has no intent of it.
#[tokio::test]
async fn what_stood_there_stays_also_where_its_kind_is_mistaken_and_killed() {
    for at in 1..60 {
        for carried_out in [false, true] {
            let case = untouched(1);
            case.world.set_teams(Teams::Mistaken);
            let blue = ids("team", &["p1-blue"]);
            case.plan(blue, Conflict::Duplicate).await.unwrap();
            case.world.kill(Some(Kill { at, carried_out }));
            let first = case.apply().await;
            case.world.kill(None);
            let told = format!("killed at {at} {carried_out}");
            if first.is_err() {
                case.apply().await.unwrap();
            }
            let report = case.apply().await.unwrap();
            assert_eq!((report.created, report.merged), (0, 1), "{told}");
            case.plan_undo(None).await.unwrap();
            let steps = case.store.steps_of("undo");
            assert!(
                steps.iter().all(|step| step.action == Action::Skip),
                "{told}"
            );
            case.undo(None).await.unwrap();
            assert!(case.world.things().contains_key("p1-blue"), "{told}");
        }
    }
}

#[tokio::test]
async fn what_was_made_before_a_kill_is_known_to_be_made() {
    for at in 1..80 {
        for carried_out in [false, true] {
            let case = untouched(2);
            let before = case.alive();
            let select = ids("thing", &["1"]);
            case.plan(select, Conflict::Duplicate).await.unwrap();
            case.world.kill(Some(Kill { at, carried_out }));
            let first = case.apply().await;
            case.world.kill(None);
            if first.is_err() {
                case.apply().await.unwrap();
            }
            assert_eq!(case.alive(), before + 1);
            case.plan_undo(None).await.unwrap();
            let report = case.undo(None).await.unwrap();
            let told = format!("killed at {at} {carried_out}: {report:?}");
            assert_eq!((report.removed, case.alive()), (1, before), "{told}");
        }
    }
}

#[tokio::test]
async fn what_is_not_known_to_be_made_stays() {
    let case = restored(2).await;
    let before = case.world.things();
    // One plan from before it was forgotten, one from after.
    case.plan_undo(None).await.unwrap();
    let removes = |case: &Case| {
        let steps = case.store.steps_of("undo").into_iter();
        steps.filter(|step| step.action == Action::Remove).count()
    };
    assert_eq!(removes(&case), 4);
    case.store.forget_what_was_made();
    let report = case.undo(None).await.unwrap();
    assert_eq!((report.removed, report.failed), (0, 0), "{report:?}");
    case.plan_undo(None).await.unwrap();
    assert_eq!(removes(&case), 0);
    let steps = case.store.steps_of("undo");
    let thing = steps.iter().find(|step| step.item.kind == "thing").unwrap();
    assert!(
        thing.reason.as_ref().unwrap().contains("not known"),
        "{thing:?}"
    );
    case.undo(None).await.unwrap();
    assert_eq!(case.world.things(), before);
}

#[tokio::test]
async fn what_was_replaced_is_put_back_from_the_snapshot_before() {
    let case = untouched(3);
    case.world
        .change("2", |thing| "newer".clone_into(&mut thing.body))
        .unwrap();
    let mut before = case.snapshot.clone();
    before.put(
        "thing",
        "",
        "2",
        r#"{"name":"thing 2","body":"newer","links":[]}"#,
    );
    case.plan(ids("thing", &["2"]), Conflict::Replace)
        .await
        .unwrap();
    let told = case.steps().remove(0).losses;
    assert!(
        told.iter().any(|loss| loss.contains("in none is lost")),
        "{told:?}"
    );
    case.apply().await.unwrap();
    assert_eq!(case.world.things()["2"].body, "body 2");
    // Without a snapshot from before there is nothing to put back.
    case.plan_undo(None).await.unwrap();
    let step = case.store.steps_of("undo").remove(0);
    assert_eq!(step.action, Action::Skip);
    let lost = "what stood there before is in no snapshot of the target";
    assert_eq!(step.losses, [lost]);
    assert_eq!(case.undo(None).await.unwrap().losses[lost], 1);
    case.plan_undo(Some(&before)).await.unwrap();
    let step = case.store.steps_of("undo").remove(0);
    assert_eq!(step.action, Action::Replace);
    assert!(step.losses[0].contains("is lost"));
    case.undo(Some(&before)).await.unwrap();
    assert_eq!(case.world.things()["2"].body, "newer");
}

#[tokio::test]
async fn an_item_that_only_appeared_meanwhile_is_never_removed() {
    let case = untouched(2);
    let there = case.world.remove("2");
    case.plan(ids("thing", &["2"]), Conflict::Replace)
        .await
        .unwrap();
    // Somebody makes it before the plan is applied, and what is written does not arrive as it should.
    case.world.seed("2", there);
    case.world.garble("thing 2");
    case.apply().await.unwrap();
    assert_eq!(case.steps()[0].state, StepState::Differs);
    case.plan_undo(None).await.unwrap();
    let steps = case.store.steps_of("undo");
    assert!(steps.iter().all(|step| step.action == Action::Skip));
}

#[tokio::test]
async fn a_kill_at_any_call_removes_everything_once() {
    let case = restored(3).await;
    case.plan_undo(None).await.unwrap();
    case.world.kill(None);
    case.undo(None).await.unwrap();
    let calls = case.world.calls();
    assert!(calls > 20, "{calls}");
    for at in 1..=calls {
        for carried_out in [false, true] {
            let case = restored(3).await;
            case.plan_undo(None).await.unwrap();
            case.world.kill(Some(Kill { at, carried_out }));
            case.undo(None).await.unwrap_err();
            case.world.kill(None);
            let report = case.undo(None).await.unwrap();
            let told = format!("killed at {at} {carried_out}: {report:?}");
            assert_eq!((case.alive(), report.failed), (0, 0), "{told}");
            assert_eq!(case.world.of_kind("team").len(), 2, "{told}");
            let steps = case.store.steps_of("undo").into_iter();
            let mut removed = steps.filter(|step| step.action == Action::Remove);
            assert!(
                removed.all(|step| step.state == StepState::Verified),
                "{told}"
            );
        }
    }
}
