//! Restores of what an earlier restore has made at the same target already.

use engine::plan::Select;
use model::{Action, Conflict, PlanState, Step};
use tokio_util::sync::CancellationToken;

use super::Case;
use super::plan::ids;
use super::snapshot::MapSnapshot;
use super::world::{Kill, Thing};

const THINGS: usize = 4;

/// Everything was restored into another organization.
async fn restored() -> Case {
    let case = Case::new(MapSnapshot::contoso(THINGS), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    case.apply().await.unwrap();
    assert_eq!(case.world.of_kind("thing").len(), THINGS);
    case
}

impl Case {
    async fn again(&self, id: &str, conflict: Conflict) -> Vec<Step> {
        self.plan_as(id, Select::Everything, conflict)
            .await
            .unwrap();
        let mut steps = self.store.steps_of(id);
        steps.retain(|step| step.item.kind == "thing");
        steps
    }

    /// Makes one thing more than there is; which.
    async fn duplicate(&self, id: &str) -> String {
        self.plan_as("second", ids("thing", &[id]), Conflict::Duplicate)
            .await
            .unwrap();
        assert_eq!(self.apply_again("second").await, THINGS + 1);
        let steps = self.store.steps_of("second").into_iter();
        let mut made = steps.filter(|step| step.item.id == id);
        made.next().and_then(|step| step.new_id).unwrap()
    }

    async fn apply_again(&self, id: &str) -> usize {
        let never = CancellationToken::new();
        let report = self.apply_as(id, &never).await.unwrap();
        assert_eq!(report.state, PlanState::Applied, "{report:?}");
        let things = self.world.of_kind("thing");
        things.iter().filter(|(_, thing)| !thing.deleted).count()
    }

    /// What was made of a thing.
    fn twin(&self, old: &str) -> String {
        let things = self.world.of_kind("thing");
        let of_it = |(_, thing): &&(String, Thing)| thing.marker.as_deref() == Some(old);
        things.iter().find(of_it).unwrap().0.clone()
    }
}

fn actions(steps: &[Step]) -> Vec<Action> {
    steps.iter().map(|step| step.action).collect()
}

#[tokio::test]
async fn the_same_plan_made_again_doubles_nothing() {
    let case = restored().await;
    let before = case.world.of_kind("thing");
    let steps = case.again("second", Conflict::Skip).await;
    assert_eq!(actions(&steps), [Action::Skip; THINGS]);
    assert_eq!(
        steps[0].reason.as_deref(),
        Some("the target already has it: restore plan made it")
    );
    assert_eq!(case.apply_again("second").await, THINGS);
    assert_eq!(case.world.of_kind("thing"), before);
}

#[tokio::test]
async fn plans_that_were_made_before_the_first_was_applied_double_nothing() {
    let case = Case::new(MapSnapshot::contoso(THINGS), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    let steps = case.again("second", Conflict::Skip).await;
    assert_eq!(actions(&steps), [Action::Create; THINGS]);
    case.apply().await.unwrap();
    let before = case.world.of_kind("thing");
    assert_eq!(case.apply_again("second").await, THINGS);
    assert_eq!(case.world.of_kind("thing"), before);
}

#[tokio::test]
async fn what_is_as_it_was_stays_and_what_is_not_is_replaced() {
    let case = restored().await;
    let changed = case.twin("2");
    case.world
        .change(&changed, |thing| "changed".clone_into(&mut thing.body))
        .unwrap();
    let steps = case.again("second", Conflict::Replace).await;
    let replaced: Vec<(&str, Option<&str>)> = steps
        .iter()
        .filter(|step| step.action == Action::Replace)
        .map(|step| (step.item.id.as_str(), step.new_id.as_deref()))
        .collect();
    assert_eq!(replaced, [("2", Some(&*changed))]);
    assert_eq!(case.apply_again("second").await, THINGS);
    assert_eq!(case.world.things()[&changed].body, "body 2");
}

#[tokio::test]
async fn whoever_wants_it_twice_gets_it_twice() {
    let case = restored().await;
    let steps = case.again("second", Conflict::Duplicate).await;
    assert_eq!(actions(&steps), [Action::Create; THINGS]);
    assert!(steps[0].reason.as_ref().unwrap().contains("a duplicate"));
    assert_eq!(case.apply_again("second").await, 2 * THINGS);
}

#[tokio::test]
async fn what_was_deleted_there_meanwhile_is_made_again() {
    let case = restored().await;
    case.world.remove(&case.twin("1"));
    case.world
        .change(&case.twin("3"), |thing| thing.deleted = true)
        .unwrap();
    let steps = case.again("second", Conflict::Skip).await;
    let made: Vec<&str> = steps
        .iter()
        .filter(|step| step.action == Action::Create)
        .map(|step| step.item.id.as_str())
        .collect();
    assert_eq!(made, ["1", "3"]);
    assert_eq!(case.apply_again("second").await, THINGS);
    // Of what was made twice, that which is left counts.
    let steps = case.again("third", Conflict::Skip).await;
    assert_eq!(actions(&steps), [Action::Skip; THINGS]);
    assert!(steps[0].reason.as_ref().unwrap().contains("restore second"));
    assert!(steps[1].reason.as_ref().unwrap().contains("restore plan"));
}

#[tokio::test]
async fn the_copy_that_is_left_counts_when_a_later_one_was_taken_away() {
    let case = restored().await;
    let first = case.twin("1");
    case.world.remove(&case.duplicate("1").await);
    let steps = case.again("third", Conflict::Skip).await;
    assert_eq!(steps[0].new_id.as_deref(), Some(&*first));
}

#[tokio::test]
async fn of_two_copies_the_newest_counts() {
    let case = restored().await;
    let second = case.duplicate("1").await;
    let steps = case.again("third", Conflict::Skip).await;
    assert_eq!(steps[0].new_id.as_deref(), Some(&*second));
}

#[tokio::test]
async fn what_may_be_of_an_earlier_restore_and_cannot_be_told_is_not_made_again() {
    let case = restored().await;
    case.world.veil(&case.twin("2"));
    let steps = case.again("second", Conflict::Skip).await;
    let known = steps.iter().filter(|step| step.action == Action::Skip);
    let known: Vec<&str> = known.map(|step| step.item.id.as_str()).collect();
    assert_eq!(known, ["1", "3", "4"]);
    let never = CancellationToken::new();
    let report = case.apply_as("second", &never).await.unwrap();
    assert_eq!(report.failed, 1, "{report:?}");
    assert_eq!(case.world.of_kind("thing").len(), THINGS);
}

#[tokio::test]
async fn another_item_that_has_the_number_by_now_is_not_taken_for_it() {
    let case = restored().await;
    let id = case.twin("1");
    let mut other = case.world.remove(&id);
    other.marker = None;
    case.world.seed(&id, other);
    let steps = case.again("second", Conflict::Replace).await;
    assert_eq!(steps[0].action, Action::Create, "{:?}", steps[0]);
}

#[tokio::test]
async fn a_restore_that_did_not_end_is_named_as_the_one_to_go_on_with() {
    let case = Case::new(MapSnapshot::contoso(THINGS), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    let mut at = 1;
    while !case.store.ids().keys().any(|item| item.kind == "thing") {
        case.world.kill(Some(Kill {
            at,
            carried_out: true,
        }));
        case.apply().await.unwrap_err();
        case.world.kill(None);
        at += 1;
    }
    let steps = case.again("second", Conflict::Skip).await;
    let begun: Vec<&Step> = steps
        .iter()
        .filter(|step| step.action == Action::Skip)
        .collect();
    let reasons: Vec<&str> = begun
        .iter()
        .filter_map(|step| step.reason.as_deref())
        .collect();
    for reason in &reasons {
        assert!(reason.contains("restore plan began it"), "{reason}");
    }
    assert!(!reasons.is_empty(), "{steps:?}");
}

#[tokio::test]
async fn an_interrupted_duplicate_takes_over_nothing_that_another_plan_made() {
    let (mut at, mut killed) = (1, true);
    while killed {
        let case = restored().await;
        let before = case.world.of_kind("thing");
        case.again("second", Conflict::Duplicate).await;
        case.world.kill(Some(Kill {
            at,
            carried_out: false,
        }));
        let never = CancellationToken::new();
        killed = case.apply_as("second", &never).await.is_err();
        case.world.kill(None);
        assert_eq!(case.apply_again("second").await, 2 * THINGS, "{at}");
        let after = case.world.of_kind("thing");
        assert!(before.iter().all(|thing| after.contains(thing)), "{at}");
        at += 1;
    }
    assert!(at > 20, "{at}");
}
