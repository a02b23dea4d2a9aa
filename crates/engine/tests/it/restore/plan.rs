//! What plans say.

use engine::plan::{Select, Selector, What};
use model::{Action, Conflict, PlanState, Step, StepState};

use super::Case;
use super::kinds::REVISIONS;
use super::snapshot::MapSnapshot;
use super::world::Thing;

pub(crate) fn selector(kind: Option<&str>, what: What) -> Select {
    Select::Items(vec![Selector {
        kind: kind.map(str::to_owned),
        scope: None,
        what,
    }])
}

pub(crate) fn ids(kind: &str, ids: &[&str]) -> Select {
    selector(
        Some(kind),
        What::Ids(ids.iter().map(|&id| id.to_owned()).collect()),
    )
}

/// A thing of the snapshot as it stands at its original place.
pub(crate) fn original(number: usize) -> Thing {
    Thing {
        kind: "thing".to_owned(),
        name: format!("thing {number}"),
        body: format!("body {number}"),
        revisions: REVISIONS,
        ..Thing::default()
    }
}

/// The original organization, with everything of the snapshot.
pub(crate) fn untouched(things: usize) -> Case {
    let case = Case::new(MapSnapshot::contoso(things), true);
    for (id, name) in [("p1", "Contoso"), ("p2", "Fabrikam")] {
        let project = Thing {
            kind: "project".to_owned(),
            name: name.to_owned(),
            body: format!("about {name}"),
            ..Thing::default()
        };
        case.world.seed(id, project);
        let team = |name: &str, automatic| Thing {
            kind: "team".to_owned(),
            scope: id.to_owned(),
            name: name.to_owned(),
            automatic,
            ..Thing::default()
        };
        case.world.seed(
            &format!("{id}-default"),
            team(&format!("{name} Team"), true),
        );
        case.world.seed(&format!("{id}-blue"), team("Blue", false));
    }
    for number in 1..=things {
        case.world.seed(&number.to_string(), original(number));
    }
    case
}

pub(crate) fn told(steps: &[Step]) -> Vec<(String, Action, Option<&str>)> {
    steps
        .iter()
        .map(|step| (step.item.to_string(), step.action, step.reason.as_deref()))
        .collect()
}

fn line(item: &str, action: Action) -> (String, Action, Option<&'static str>) {
    (item.to_owned(), action, None)
}

#[tokio::test]
async fn nothing_selected_restores_nothing() {
    let case = Case::new(MapSnapshot::contoso(3), false);
    let plan = case.plan(Select::default(), Conflict::Skip).await.unwrap();
    assert_eq!(plan.state, PlanState::Ready);
    assert!(case.steps().is_empty());
    case.apply().await.unwrap();
    assert!(case.world.things().is_empty());
}

#[tokio::test]
async fn everything_comes_in_the_order_of_containment() {
    let case = Case::new(MapSnapshot::contoso(12), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    let steps = case.steps();
    let kinds: Vec<&str> = steps.iter().map(|step| step.item.kind.as_str()).collect();
    let mut runs = kinds;
    runs.dedup();
    assert_eq!(runs, ["project", "team", "thing", "record"]);
    let numbers: Vec<&str> = steps
        .iter()
        .filter(|step| step.item.kind == "thing")
        .map(|step| step.item.id.as_str())
        .collect();
    assert_eq!(
        numbers,
        [
            "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"
        ]
    );
    assert!(
        steps
            .iter()
            .enumerate()
            .all(|(place, step)| step.position == place as u64)
    );
}

#[tokio::test]
async fn an_item_tells_what_it_loses_with_its_parts() {
    let case = untouched(4);
    case.world
        .change("2", |thing| thing.deleted = true)
        .unwrap();
    case.plan(ids("thing", &["1", "2"]), Conflict::Skip)
        .await
        .unwrap();
    assert!(
        case.steps().iter().all(|step| step.losses.is_empty()),
        "nothing is lost by what is skipped or taken out of the recycle bin"
    );
    let case = Case::new(MapSnapshot::contoso(4), false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    for step in case.steps() {
        let expected: &[&str] = if step.item.kind == "thing" {
            &["its age", "reactions to it"]
        } else {
            &[]
        };
        assert_eq!(step.losses, expected, "{}", step.item);
    }
}

#[tokio::test]
async fn an_item_tells_of_the_losses_alone_that_its_kind_finds_in_what_is_stored() {
    let mut snapshot = MapSnapshot::contoso(3);
    let ageless = r#"{"name":"thing 2","ageless":true,"team-project":"Contoso"}"#;
    snapshot.put("thing", "", "2", ageless);
    let case = Case::new(snapshot, false);
    case.plan(Select::Everything, Conflict::Skip).await.unwrap();
    let told: Vec<(String, Vec<String>)> = case
        .steps()
        .into_iter()
        .filter(|step| step.item.kind == "thing")
        .map(|step| (step.item.id, step.losses))
        .collect();
    let all = ["its age", "reactions to it"].map(str::to_owned).to_vec();
    let one = vec!["reactions to it".to_owned()];
    let expected = [("1", all.clone()), ("2", one), ("3", all)];
    assert_eq!(told, expected.map(|(id, losses)| (id.to_owned(), losses)));
    let report = case.apply().await.unwrap();
    assert_eq!(
        (report.losses["its age"], report.losses["reactions to it"]),
        (2, 3)
    );
}

#[tokio::test]
async fn what_lies_in_a_project_that_is_nowhere_is_skipped() {
    let mut snapshot = MapSnapshot::contoso(3);
    let of =
        |project: &str, more: &str| format!(r#"{{"name":"x","team-project":"{project}"{more}}}"#);
    snapshot.put("thing", "", "1", &of("Ghost", ""));
    snapshot.put("thing", "", "2", &of("Tailspin", ""));
    // It was renamed since: a team of it is in the snapshot.
    snapshot.put("thing", "", "3", &of("Before", r#","teams":["p1-blue"]"#));
    let case = Case::new(snapshot, false);
    let there = Thing {
        kind: "project".to_owned(),
        name: "tailspin".to_owned(),
        ..Thing::default()
    };
    case.world.seed("p9", there);
    case.plan(ids("thing", &["1", "2", "3"]), Conflict::Skip)
        .await
        .unwrap();
    let steps = case.steps().into_iter();
    let steps = steps.filter(|step| step.item.kind == "thing");
    let told: Vec<_> = steps.map(|step| (step.action, step.reason)).collect();
    let nowhere = "its project Ghost is neither in this snapshot nor at the target";
    assert_eq!(
        told,
        [
            (Action::Skip, Some(nowhere.to_owned())),
            (Action::Create, None),
            (Action::Create, None),
        ]
    );
}

#[tokio::test]
async fn planning_writes_nothing() {
    let case = untouched(4);
    let before = case.world.things();
    case.plan(Select::Everything, Conflict::Replace)
        .await
        .unwrap();
    assert_eq!(case.world.things(), before);
}

#[tokio::test]
async fn what_cannot_be_written_is_planned_as_an_export() {
    let case = Case::new(MapSnapshot::contoso(1), false);
    case.plan(selector(Some("record"), What::All), Conflict::Skip)
        .await
        .unwrap();
    let records: Vec<Step> = case
        .steps()
        .into_iter()
        .filter(|step| step.item.kind == "record")
        .collect();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|step| step.action == Action::Export
        && step.reason.as_deref() == Some("the service has no call for it")));
    assert!(records.iter().all(|step| step.state == StepState::Skipped));
}

#[tokio::test]
async fn what_an_item_needs_comes_along_and_says_why() {
    let case = Case::new(MapSnapshot::contoso(4), false);
    case.plan(ids("thing", &["3"]), Conflict::Skip)
        .await
        .unwrap();
    let expected = [
        (
            "project p1".to_owned(),
            Action::Create,
            Some("needed by thing 3"),
        ),
        (
            "team p1-blue".to_owned(),
            Action::Create,
            Some("needed by thing 3"),
        ),
        (
            "team p1-default".to_owned(),
            Action::Create,
            Some("needed by thing 3"),
        ),
        line("thing 3", Action::Create),
    ];
    assert_eq!(told(&case.steps()), expected);
}

#[tokio::test]
async fn containers_that_are_there_are_no_steps_at_the_original_place() {
    let case = untouched(4);
    case.world
        .change("3", |thing| thing.deleted = true)
        .unwrap();
    case.plan(ids("thing", &["3"]), Conflict::Skip)
        .await
        .unwrap();
    assert_eq!(told(&case.steps()), [line("thing 3", Action::Undelete)]);
}

#[tokio::test]
async fn containers_of_another_place_are_mapped() {
    let case = Case::new(MapSnapshot::contoso(4), false);
    case.world.seed(
        "other",
        Thing {
            kind: "project".to_owned(),
            name: "Contoso".to_owned(),
            ..Thing::default()
        },
    );
    case.plan(ids("team", &["p1-blue"]), Conflict::Skip)
        .await
        .unwrap();
    let steps = case.steps();
    assert_eq!(
        told(&steps),
        [
            (
                "project p1".to_owned(),
                Action::Skip,
                Some("already there; needed by team p1-blue")
            ),
            line("team p1-blue", Action::Create)
        ]
    );
    assert_eq!(steps[0].new_id.as_deref(), Some("other"));
    case.apply().await.unwrap();
    let teams = case.world.of_kind("team");
    assert_eq!(teams.len(), 1);
    assert_eq!(teams[0].1.scope, "other");
}

#[tokio::test]
async fn only_what_is_gone_comes_back() {
    let case = untouched(6);
    case.world
        .change("2", |thing| thing.deleted = true)
        .unwrap();
    let things = case.world.things();
    assert!(things.contains_key("5"));
    case.world.remove("5");
    case.world.remove("p2-blue");
    case.plan(selector(None, What::Deleted), Conflict::Skip)
        .await
        .unwrap();
    let steps: Vec<Step> = case
        .steps()
        .into_iter()
        .filter(|step| step.item.kind != "record")
        .collect();
    assert_eq!(
        told(&steps),
        [
            line("team p2-blue", Action::Create),
            line("thing 2", Action::Undelete),
            line("thing 5", Action::Create)
        ]
    );
}

#[tokio::test]
async fn of_named_items_too_only_what_is_gone_comes_back_whatever_the_rule() {
    for conflict in [Conflict::Skip, Conflict::Replace, Conflict::Duplicate] {
        for named in [
            What::Ids(vec!["1".to_owned(), "5".to_owned()]),
            What::Under("things".to_owned()),
        ] {
            let case = untouched(6);
            case.world.remove("5");
            case.world
                .change("1", |thing| thing.body = "by others".to_owned())
                .unwrap();
            let missing = What::Missing(Box::new(named.clone()));
            case.plan(selector(Some("thing"), missing), conflict)
                .await
                .unwrap();
            let steps = case.steps();
            assert_eq!(
                told(&steps),
                [line("thing 5", Action::Create)],
                "{conflict:?} {named:?}"
            );
        }
    }
}

#[tokio::test]
async fn conflicts_are_decided_by_the_rule() {
    let expected = [
        (
            Conflict::Skip,
            Action::Skip,
            Some("the target already has it"),
        ),
        (
            Conflict::Replace,
            Action::Skip,
            Some("the target has it as it was"),
        ),
        (
            Conflict::Duplicate,
            Action::Create,
            Some("a duplicate: the target already has it"),
        ),
    ];
    for (conflict, action, reason) in expected {
        let case = untouched(2);
        case.plan(ids("thing", &["1"]), conflict).await.unwrap();
        assert_eq!(
            told(&case.steps()),
            [("thing 1".to_owned(), action, reason)],
            "{conflict:?}"
        );
    }
}

#[tokio::test]
async fn items_from_the_recycle_bin_come_back_only_when_they_are_named() {
    let mut snapshot = MapSnapshot::contoso(2);
    snapshot.part("thing", "", "2", "deleted.json", "{}");
    let case = Case::new(snapshot.clone(), false);
    case.plan(selector(Some("thing"), What::All), Conflict::Skip)
        .await
        .unwrap();
    let two = case
        .steps()
        .into_iter()
        .find(|step| step.item.id == "2")
        .unwrap();
    assert_eq!(
        (two.action, two.reason.as_deref()),
        (Action::Skip, Some("was in the recycle bin"))
    );
    let case = Case::new(snapshot, false);
    case.plan(ids("thing", &["2"]), Conflict::Skip)
        .await
        .unwrap();
    assert_eq!(
        case.steps().last().map(|step| step.action),
        Some(Action::Create)
    );
}

#[tokio::test]
async fn a_container_by_name_is_it_and_what_lies_in_it() {
    let case = Case::new(MapSnapshot::contoso(4), false);
    let scope = Some("fabrikam".to_owned());
    case.plan(
        Select::Items(vec![Selector {
            kind: None,
            scope,
            what: What::All,
        }]),
        Conflict::Skip,
    )
    .await
    .unwrap();
    let items: Vec<String> = case
        .steps()
        .iter()
        .map(|step| step.item.to_string())
        .collect();
    let mut sorted = items.clone();
    sorted.sort();
    assert_eq!(
        sorted,
        [
            "project p2",
            "record p2-record",
            "team p2-blue",
            "team p2-default",
            "thing 2",
            "thing 4"
        ]
    );
}

#[tokio::test]
async fn a_path_selects_the_item_that_it_leads_into() {
    for (path, expected) in [
        ("things/2", "thing 2"),
        ("/things/2/document.json", "thing 2"),
        ("projects/p1/teams/p1-blue", "team p1-blue"),
    ] {
        let case = untouched(4);
        case.plan(
            selector(None, What::Under(path.to_owned())),
            Conflict::Replace,
        )
        .await
        .unwrap();
        let steps = case.steps();
        let items: Vec<String> = told(&steps).into_iter().map(|(item, ..)| item).collect();
        assert_eq!(items, [expected], "{path}");
    }
}

#[tokio::test]
async fn only_what_differs_is_replaced_and_the_plan_says_in_what() {
    let case = untouched(3);
    case.world
        .change("2", |thing| thing.body = "changed".to_owned())
        .unwrap();
    case.plan(selector(Some("thing"), What::All), Conflict::Replace)
        .await
        .unwrap();
    let same = Some("the target has it as it was");
    assert_eq!(
        told(&case.steps()),
        [
            ("thing 1".to_owned(), Action::Skip, same),
            (
                "thing 2".to_owned(),
                Action::Replace,
                Some("differs: body: `changed` instead of `body 2`")
            ),
            ("thing 3".to_owned(), Action::Skip, same),
        ]
    );
    let report = case.apply().await.unwrap();
    assert_eq!((report.replaced, report.skipped), (1, 2), "{report:?}");
}

#[tokio::test]
async fn nothing_is_compared_that_is_not_written_over() {
    let calls = async |conflict| {
        let case = untouched(3);
        case.plan(selector(Some("thing"), What::All), conflict)
            .await
            .unwrap();
        case.world.calls()
    };
    assert_eq!(
        calls(Conflict::Skip).await,
        calls(Conflict::Duplicate).await
    );
    assert!(calls(Conflict::Skip).await < calls(Conflict::Replace).await);
}

#[tokio::test]
async fn what_the_snapshot_does_not_have_is_refused_by_name() {
    let case = Case::new(MapSnapshot::contoso(2), false);
    let refusals = [
        (ids("thing", &["1", "77"]), "the snapshot has no thing 77"),
        (
            selector(Some("comment"), What::All),
            "comments come back with their thing: select the thing",
        ),
        (
            selector(None, What::Under("nowhere".to_owned())),
            "the snapshot has no item at `nowhere` or below it",
        ),
        (
            Select::Items(vec![Selector {
                kind: None,
                scope: Some("Nobody".to_owned()),
                what: What::All,
            }]),
            "the snapshot has no project or other container `Nobody`",
        ),
    ];
    for (select, message) in refusals {
        let error = case.plan(select, Conflict::Skip).await.unwrap_err();
        assert_eq!(
            (error.code(), error.to_string().as_str()),
            (Some("selection-unknown"), message)
        );
    }
}

#[tokio::test]
async fn an_unknown_kind_is_answered_with_those_that_exist() {
    let case = Case::new(MapSnapshot::contoso(2), false);
    let error = case
        .plan(selector(Some("nothing"), What::All), Conflict::Skip)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("kind-unknown"));
    assert_eq!(
        error.to_string(),
        "Fake has no kind `nothing`; it has project, team, thing, record"
    );
}

#[tokio::test]
async fn a_plan_that_was_cut_short_cannot_be_applied() {
    let case = Case::new(MapSnapshot::contoso(4), false);
    case.world.kill(Some(super::world::Kill {
        at: 5,
        carried_out: true,
    }));
    case.plan(Select::Everything, Conflict::Skip)
        .await
        .unwrap_err();
    case.world.kill(None);
    let error = case.apply().await.unwrap_err();
    assert_eq!(error.code(), Some("plan-incomplete"));
    assert!(case.world.things().is_empty());
}
