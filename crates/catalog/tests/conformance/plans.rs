use catalog::{Catalog, Error};
use model::{Action, Conflict, ItemRef, PlanState, RestorePlan, RestoreTarget, Step, StepState};

use crate::support::{Place, at};

async fn with_plan(place: &Place) -> Catalog {
    let catalog = place.open().await;
    catalog.create_plan(&plan("plan", 1)).await.unwrap();
    catalog
}

fn plan(id: &str, second: i64) -> RestorePlan {
    RestorePlan {
        id: id.to_owned(),
        snapshot: "aa".to_owned(),
        repository: "main".to_owned(),
        target: RestoreTarget::Other {
            connector: "fabrikam".to_owned(),
        },
        conflict: Conflict::Duplicate,
        state: PlanState::Planning,
        created: at(second),
        planned: None,
        undoes: None,
    }
}

fn step(position: u64) -> Step {
    Step {
        position,
        item: ItemRef::new("work-item", "", &position.to_string()),
        name: format!("item {position}"),
        action: if position.is_multiple_of(3) {
            Action::Skip
        } else {
            Action::Create
        },
        reason: position.is_multiple_of(3).then(|| "is there".to_owned()),
        losses: vec!["created by becomes the restorer".to_owned()],
        state: StepState::Planned,
        new_id: None,
        detail: None,
        url: None,
    }
}

pub(crate) async fn steps_are_paged_and_counted(place: Place) {
    let catalog = with_plan(&place).await;
    let steps: Vec<Step> = (0..1001).map(step).collect();
    catalog.add_steps("plan", &steps[..700]).await.unwrap();
    catalog.add_steps("plan", &steps[700..]).await.unwrap();
    let mut found: Vec<Step> = Vec::new();
    loop {
        let after = found.last().map(|step| step.position);
        let some = catalog.steps("plan", after, 300).await.unwrap();
        if some.is_empty() {
            break;
        }
        found.extend(some);
    }
    assert_eq!(found, steps);

    catalog
        .set_step("plan", 1, StepState::Failed, Some("77"), Some("refused"))
        .await
        .unwrap();
    catalog
        .set_step("plan", 1, StepState::Verified, None, None)
        .await
        .unwrap();
    let one = catalog.steps("plan", Some(0), 1).await.unwrap().remove(0);
    assert_eq!(
        (one.state, one.new_id.as_deref(), one.detail),
        (StepState::Verified, Some("77"), None)
    );
    let counts = catalog.step_counts("plan").await.unwrap();
    let total = |action, state| {
        counts
            .iter()
            .find(|count| (count.action, count.state) == (action, state))
            .map(|count| count.steps)
    };
    assert_eq!(total(Action::Skip, StepState::Planned), Some(334));
    assert_eq!(total(Action::Create, StepState::Planned), Some(666));
    assert_eq!(total(Action::Create, StepState::Verified), Some(1));

    catalog
        .set_plan_state("plan", PlanState::Applied)
        .await
        .unwrap();
    assert_eq!(
        catalog.plan("plan").await.unwrap().state,
        PlanState::Applied
    );
    let step_unknown = catalog
        .set_step("plan", 5000, StepState::Done, None, None)
        .await;
    assert!(matches!(
        step_unknown,
        Err(Error::StepUnknown { position: 5000, .. })
    ));
    assert_eq!(
        catalog.plan("other").await.unwrap_err().code(),
        Some("plan-unknown")
    );
    assert!(matches!(
        catalog.add_steps("other", &steps[..1]).await,
        Err(Error::PlanUnknown { .. })
    ));
    assert!(matches!(
        catalog.set_plan_state("other", PlanState::Failed).await,
        Err(Error::PlanUnknown { .. })
    ));
}

pub(crate) async fn the_journal_knows_what_is_open(place: Place) {
    let catalog = with_plan(&place).await;
    let (one, two, three) = (
        ItemRef::new("work-item", "", "1"),
        ItemRef::new("work-item", "", "2"),
        ItemRef::new("team", "project", "3"),
    );
    for item in [&one, &two, &one] {
        catalog.intend("plan", item).await.unwrap();
    }
    catalog.created("plan", &one, "101").await.unwrap();
    catalog.note("plan", &one, "comment 1").await.unwrap();
    catalog.note("plan", &one, "comment 2").await.unwrap();
    catalog.note("plan", &three, "only noted").await.unwrap();

    // Another process goes on.
    let catalog = place.open().await;
    assert_eq!(
        catalog.open_intents("plan").await.unwrap(),
        std::slice::from_ref(&two)
    );
    assert_eq!(
        catalog.id_map("plan").await.unwrap(),
        [(one.clone(), "101".to_owned())]
    );
    assert_eq!(
        catalog.noted("plan", &one).await.unwrap().as_deref(),
        Some("comment 2")
    );
    assert_eq!(catalog.noted("plan", &two).await.unwrap(), None);
    // Intending again what was created does not open it.
    catalog.intend("plan", &one).await.unwrap();
    catalog.intend("plan", &three).await.unwrap();
    assert_eq!(catalog.open_intents("plan").await.unwrap(), [three, two]);
    assert!(matches!(
        catalog.intend("other", &one).await,
        Err(Error::PlanUnknown { .. })
    ));
}

pub(crate) async fn a_plan_is_removed_with_its_rows(place: Place) {
    let catalog = with_plan(&place).await;
    catalog.create_plan(&plan("later", 2)).await.unwrap();
    catalog.add_steps("plan", &[step(0)]).await.unwrap();
    catalog
        .intend("plan", &ItemRef::new("team", "p", "1"))
        .await
        .unwrap();
    let ids: Vec<_> = catalog
        .plans()
        .await
        .unwrap()
        .into_iter()
        .map(|plan| plan.id)
        .collect();
    assert_eq!(ids, ["later", "plan"]);
    assert_eq!(catalog.plan("later").await.unwrap(), plan("later", 2));
    catalog.remove_plan("plan").await.unwrap();
    assert!(catalog.steps("plan", None, 10).await.unwrap().is_empty());
    assert!(catalog.open_intents("plan").await.unwrap().is_empty());
    assert!(matches!(
        catalog.remove_plan("plan").await,
        Err(Error::PlanUnknown { .. })
    ));
}
