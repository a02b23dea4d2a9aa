//! Kills: at every call of store and service, before and after it took effect.

use std::collections::{BTreeMap, BTreeSet};

use engine::plan::Select;
use model::{Conflict, PlanState, StepState};
use proptest::prelude::*;
use service::Stored as _;

use super::Case;
use super::kinds::REVISIONS;
use super::plan::{ids, untouched};
use super::snapshot::MapSnapshot;
use super::world::Kill;

/// The empty place holds the snapshot once: no item doubled, none missing, all links, and the journal knows every id.
pub(crate) fn check_whole(case: &Case, things: usize) {
    let made = case.world.of_kind("thing");
    let by_marker: BTreeMap<&str, &str> = made
        .iter()
        .map(|(id, thing)| (thing.marker.as_deref().unwrap(), id.as_str()))
        .collect();
    assert_eq!(
        (made.len(), by_marker.len()),
        (things, things),
        "things doubled or missing"
    );
    for (_, thing) in &made {
        let number: usize = thing.marker.as_deref().unwrap().parse().unwrap();
        assert_eq!(thing.revisions, REVISIONS, "revisions of {}", thing.name);
        assert_eq!(thing.body, format!("body {number}"));
        let linked = by_marker[(number % things + 1).to_string().as_str()];
        assert_eq!(
            thing.links,
            BTreeSet::from([linked.to_owned()]),
            "links of {}",
            thing.name
        );
    }
    assert_eq!(case.world.of_kind("project").len(), 2);
    let teams: BTreeSet<(String, String)> = case
        .world
        .of_kind("team")
        .into_iter()
        .map(|(_, team)| (team.scope, team.name))
        .collect();
    assert_eq!(
        (teams.len(), case.world.of_kind("team").len()),
        (4, 4),
        "teams doubled or missing"
    );
    assert!(
        case.world
            .of_kind("team")
            .iter()
            .all(|(_, team)| !team.body.is_empty())
    );
    assert_eq!(case.store.open(), []);
    let ids = case.store.ids();
    for (id, thing) in &made {
        let item = model::ItemRef::new("thing", "", thing.marker.as_deref().unwrap());
        assert_eq!(ids.get(&item), Some(id));
    }
    assert!(
        case.steps()
            .iter()
            .all(|step| matches!(step.state, StepState::Verified | StepState::Skipped))
    );
    assert_eq!(case.store.state(), PlanState::Applied);
}

async fn planned(things: usize) -> Case {
    let case = Case::new(MapSnapshot::contoso(things), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    case
}

#[tokio::test]
async fn a_kill_at_any_call_doubles_and_loses_nothing() {
    let things = 3;
    let case = planned(things).await;
    case.world.kill(None);
    case.apply().await.unwrap();
    let calls = case.world.calls();
    assert!(calls > 60, "{calls}");
    for at in 1..=calls {
        for carried_out in [false, true] {
            let case = planned(things).await;
            case.world.kill(Some(Kill { at, carried_out }));
            case.apply().await.unwrap_err();
            case.world.kill(None);
            case.apply()
                .await
                .unwrap_or_else(|error| panic!("killed at {at} {carried_out}: {error}"));
            check_whole(&case, things);
        }
    }
}

#[tokio::test]
async fn a_kill_while_undeleting_or_replacing_is_harmless() {
    for (conflict, deleted) in [(Conflict::Replace, false), (Conflict::Skip, true)] {
        for at in 1..40 {
            let case = untouched(2);
            case.world
                .change("1", |thing| {
                    (thing.deleted, thing.body) = (
                        deleted,
                        if deleted { "body 1" } else { "changed" }.to_owned(),
                    );
                })
                .unwrap();
            case.plan(ids("thing", &["1"]), conflict).await.unwrap();
            case.world.kill(Some(Kill {
                at,
                carried_out: true,
            }));
            let first = case.apply().await;
            case.world.kill(None);
            if first.is_err() {
                case.apply().await.unwrap();
            }
            let things = case.world.of_kind("thing");
            assert_eq!(things.len(), 2);
            assert_eq!(
                (things[0].1.deleted, things[0].1.body.as_str()),
                (false, "body 1")
            );
            assert!(
                case.steps()
                    .iter()
                    .all(|step| step.state == StepState::Verified),
                "{at} {conflict:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_kill_while_duplicating_makes_one_duplicate() {
    for at in 1..60 {
        for carried_out in [false, true] {
            let case = untouched(2);
            case.plan(ids("thing", &["1"]), Conflict::Duplicate)
                .await
                .unwrap();
            case.world.kill(Some(Kill { at, carried_out }));
            let first = case.apply().await;
            case.world.kill(None);
            if first.is_err() {
                case.apply().await.unwrap();
            }
            let duplicates = case
                .world
                .of_kind("thing")
                .into_iter()
                .filter(|(_, thing)| thing.marker.as_deref() == Some("1"))
                .count();
            assert_eq!(
                (duplicates, case.world.of_kind("thing").len()),
                (1, 3),
                "{at} {carried_out}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn several_kills_in_a_row_are_harmless(things in 1usize..8, kills in proptest::collection::vec((1u64..150, any::<bool>()), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let case = planned(things).await;
            for (at, carried_out) in kills {
                case.world.kill(Some(Kill { at, carried_out }));
                drop(case.apply().await);
            }
            case.world.kill(None);
            case.apply().await.unwrap();
            check_whole(&case, things);
            assert_eq!(case.snapshot.ids("thing", "").await.unwrap().len(), things);
        });
    }
}
