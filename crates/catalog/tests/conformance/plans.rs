use catalog::{
    Catalog, Error, NewJob, Page, PersonMapping, Placement, PlanFilter, PlanRow, QueuedRun,
    StepFilter,
};
use model::{
    Action, Conflict, Counts, ItemRef, JobState, PlanPerson, PlanState, Reason, RestorePlan,
    RestoreTarget, Run, RunKind, RunState, SourceId, Step, StepState, Written,
};

use crate::support::{Place, at};

async fn with_plan(place: &Place) -> Catalog {
    let catalog = place.open().await;
    catalog.create_plan(&plan("plan", 1)).await.unwrap();
    catalog
}

fn organization(name: &str) -> SourceId {
    SourceId::new("azure-devops", "https://dev.azure.com", name)
}

fn plan(id: &str, second: i64) -> RestorePlan {
    RestorePlan {
        id: id.to_owned(),
        snapshot: "aa".to_owned(),
        source: Some(organization("contoso")),
        repository: "main".to_owned(),
        target: RestoreTarget::Other {
            connector: "fabrikam".to_owned(),
            source: organization("fabrikam"),
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
        losses: if position.is_multiple_of(3) {
            Vec::new()
        } else {
            vec!["created by becomes the restorer".to_owned()]
        },
        state: StepState::Planned,
        new_id: None,
        detail: None,
        over: position.is_multiple_of(2).then(|| "7".to_owned()),
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

/// Made, and not found.
fn wrote(item: &ItemRef, new_id: &str) -> Written {
    Written {
        item: item.clone(),
        new_id: new_id.to_owned(),
        made: true,
    }
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
    catalog.wrote("plan", &wrote(&one, "101")).await.unwrap();
    catalog.note("plan", &one, "comment 1").await.unwrap();
    catalog.note("plan", &one, "comment 2").await.unwrap();
    catalog.note("plan", &three, "only noted").await.unwrap();
    let found = Written {
        made: false,
        ..wrote(&ItemRef::new("team", "project", "4"), "104")
    };
    catalog.wrote("plan", &found).await.unwrap();

    // Another process goes on.
    let catalog = place.open().await;
    assert_eq!(
        catalog.open_intents("plan").await.unwrap(),
        std::slice::from_ref(&two)
    );
    assert_eq!(
        catalog.written("plan").await.unwrap(),
        [found, wrote(&one, "101")]
    );
    assert_eq!(
        catalog.noted("plan", &one).await.unwrap().as_deref(),
        Some("comment 2")
    );
    assert_eq!(catalog.noted("plan", &two).await.unwrap(), None);
    // Intending again what was created does not open it.
    catalog.intend("plan", &one).await.unwrap();
    catalog.intend("plan", &three).await.unwrap();
    assert_eq!(
        catalog.open_intents("plan").await.unwrap(),
        [three.clone(), two.clone()]
    );
    // What was refused is open no more; what stands there stays known.
    for item in [&one, &three] {
        catalog.withdraw("plan", item).await.unwrap();
    }
    assert_eq!(catalog.open_intents("plan").await.unwrap(), [two]);
    assert_eq!(catalog.written("plan").await.unwrap().len(), 2);
    let noted = catalog.noted("plan", &three).await.unwrap();
    assert_eq!(noted.as_deref(), Some("only noted"));
    assert!(matches!(
        catalog.intend("other", &one).await,
        Err(Error::PlanUnknown { .. })
    ));
}

pub(crate) async fn what_plans_made_of_a_source_at_a_target_is_known_to_the_next_one(place: Place) {
    let catalog = with_plan(&place).await;
    let target = |name: &str| RestoreTarget::Other {
        connector: "renamed since".to_owned(),
        source: organization(name),
    };
    let others = [
        plan("later", 2),
        RestorePlan {
            source: Some(organization("other")),
            ..plan("of-another", 3)
        },
        RestorePlan {
            source: None,
            ..plan("of-unknown", 3)
        },
        RestorePlan {
            target: target("other"),
            ..plan("elsewhere", 4)
        },
    ];
    for plan in &others {
        catalog.create_plan(plan).await.unwrap();
    }
    let items = ["1", "2", "3"].map(|id| ItemRef::new("work-item", "", id));
    for (plan, at) in [
        ("plan", 0),
        ("later", 0),
        ("of-another", 0),
        ("of-unknown", 0),
        ("elsewhere", 0),
        ("later", 1),
    ] {
        let new_id = format!("{at} of {plan}");
        let written = wrote(&items[at], &new_id);
        catalog.wrote(plan, &written).await.unwrap();
    }
    catalog.intend("later", &items[2]).await.unwrap();
    catalog
        .wrote("later", &wrote(&ItemRef::new("team", "", "1"), "team"))
        .await
        .unwrap();
    catalog
        .set_plan_state("plan", PlanState::AppliedWithIssues)
        .await
        .unwrap();
    let now = RestorePlan {
        target: target("fabrikam"),
        ..plan("now", 5)
    };
    let known = async |plan: &RestorePlan, ids: &[&str]| {
        let made = catalog.made_before(plan, "work-item", ids).await.unwrap();
        made.into_iter()
            .map(|made| (made.item.id, made.new_id, made.finished))
            .collect::<Vec<_>>()
    };
    let row = |id: &str, new_id: &str, finished| (id.to_owned(), new_id.to_owned(), finished);
    assert_eq!(
        known(&now, &["1", "3"]).await,
        [row("1", "0 of plan", true), row("1", "0 of later", false)]
    );
    // Its own writes are no earlier ones.
    assert_eq!(
        known(&plan("plan", 1), &["1", "2"]).await,
        [row("1", "0 of later", false), row("2", "1 of later", false)]
    );
    assert!(known(&now, &[]).await.is_empty());
    let unknown = RestorePlan {
        source: None,
        ..now.clone()
    };
    assert!(known(&unknown, &["1"]).await.is_empty());
}

pub(crate) async fn a_plan_is_removed_with_its_rows(place: Place) {
    let catalog = with_plan(&place).await;
    catalog.create_plan(&plan("later", 2)).await.unwrap();
    catalog.add_steps("plan", &[step(0)]).await.unwrap();
    catalog
        .intend("plan", &ItemRef::new("team", "p", "1"))
        .await
        .unwrap();
    assert_eq!(catalog.plan("later").await.unwrap(), plan("later", 2));
    // A run is at it.
    assert_eq!(
        catalog.remove_plan("plan").await.unwrap_err().code(),
        Some("plan-busy")
    );
    assert_eq!(catalog.steps("plan", None, 10).await.unwrap().len(), 1);
    catalog.plan_ready("plan", at(3)).await.unwrap();
    catalog.remove_plan("plan").await.unwrap();
    assert!(catalog.steps("plan", None, 10).await.unwrap().is_empty());
    assert!(catalog.open_intents("plan").await.unwrap().is_empty());
    assert!(matches!(
        catalog.remove_plan("plan").await,
        Err(Error::PlanUnknown { .. })
    ));
}

fn queued(id: &str, kind: RunKind) -> QueuedRun {
    QueuedRun {
        run: Run {
            id: id.to_owned(),
            kind,
            connector: "fabrikam".to_owned(),
            repository: "main".to_owned(),
            state: RunState::Queued,
            created: at(5),
            finished: None,
            snapshot: None,
            counts: Counts::default(),
            error: None,
            resumed: None,
            policy: None,
            reason: Reason::Request,
            retry_of: None,
            waiting: None,
            result: None,
        },
        job: NewJob {
            id: format!("job of {id}"),
            payload: String::new(),
            concurrency_key: None,
            created: at(5),
        },
        placement: Placement::default(),
    }
}

fn asked(id: &str, run: &str) -> PlanRow {
    PlanRow {
        plan: plan(id, 1),
        wish: Some("\"everything\"".to_owned()),
        created_by: Some("anna".to_owned()),
        plan_run: Some(run.to_owned()),
        apply_run: None,
        begun: None,
        error: None,
    }
}

/// Claims the run's job and ends it.
async fn end(catalog: &Catalog, run: &str, state: RunState, error: Option<&str>) {
    let lease = std::time::Duration::from_mins(1);
    let job = catalog.claim_for_run("own", run, at(5), lease).await;
    let (job, mut run) = (job.unwrap().unwrap(), catalog.run(run).await.unwrap());
    run.state = state;
    run.error = error.map(str::to_owned);
    catalog
        .end_run(&job.id, job.token, JobState::Failed, &run, &[])
        .await
        .unwrap();
}

/// Another worker has its job: nothing is written to the plan any more, and the one who has the job writes on.
pub(crate) async fn who_lost_the_job_of_a_plan_writes_nothing_to_it(place: Place) {
    let catalog = place.open().await;
    catalog.create_plan(&plan("p1", 1)).await.unwrap();
    catalog.add_steps("p1", &[step(0)]).await.unwrap();
    catalog.plan_ready("p1", at(6)).await.unwrap();
    let lease = std::time::Duration::from_mins(1);
    catalog
        .queue_apply("p1", &queued("r1", RunKind::Restore))
        .await
        .unwrap();
    let claim = async |now| {
        catalog
            .claim_for_run("own", "r1", at(now), lease)
            .await
            .unwrap()
            .unwrap()
    };
    let old = claim(10).await;
    let before = catalog.held(&old.id, old.token);
    let item = ItemRef::new("work-item", "", "1");
    before.intend("p1", &item).await.unwrap();
    let new = claim(100).await;
    let (one, two) = (ItemRef::new("work-item", "", "2"), StepState::Done);
    for refused in [
        before.intend("p1", &one).await,
        before.wrote("p1", &wrote(&item, "77")).await,
        before.note("p1", &item, "half").await,
        before.set_step("p1", 0, two, Some("77"), None).await,
        before.set_step_url("p1", 0, "https://a").await,
        before.set_plan_state("p1", PlanState::Applied).await,
        before.plan_ready("p1", at(101)).await,
        before.add_steps("p1", &[step(1)]).await,
        before.create_plan(&plan("p1", 1)).await,
        before.set_plan_people("p1", &[]).await,
    ] {
        assert_eq!(refused.unwrap_err().code(), Some("job-superseded"));
    }
    assert_eq!(
        catalog.open_intents("p1").await.unwrap(),
        std::slice::from_ref(&item)
    );
    let now = catalog.held(&new.id, new.token);
    now.wrote("p1", &wrote(&item, "78")).await.unwrap();
    assert_eq!(now.written("p1").await.unwrap(), [wrote(&item, "78")]);
    assert_eq!(catalog.plan("p1").await.unwrap().state, PlanState::Applying);
}

pub(crate) async fn a_plan_is_applied_by_one_run_at_a_time(place: Place) {
    let catalog = place.open().await;
    let made = queued("r1", RunKind::Plan);
    catalog.queue_plan(&asked("p1", "r1"), &made).await.unwrap();
    let apply = async |run: &str| {
        let queued = queued(run, RunKind::Restore);
        catalog.queue_apply("p1", &queued).await
    };
    // Not while it is made, nor when that failed.
    assert_eq!(apply("r2").await.unwrap_err().code(), Some("plan-busy"));
    end(&catalog, "r1", RunState::Failed, Some("killed")).await;
    let row = catalog.plan_row("p1").await.unwrap();
    assert_eq!(row.error.as_deref(), Some("killed"));
    assert_eq!(
        apply("r2").await.unwrap_err().code(),
        Some("plan-incomplete")
    );
    assert!(catalog.run("r2").await.is_err(), "no run was queued");
    // Planning begins anew and keeps who wants what.
    catalog.create_plan(&plan("p1", 1)).await.unwrap();
    catalog.add_steps("p1", &[step(0)]).await.unwrap();
    catalog.plan_ready("p1", at(6)).await.unwrap();
    apply("r3").await.unwrap();
    let row = catalog.plan_row("p1").await.unwrap();
    assert_eq!(
        (row.plan.state, row.apply_run.as_deref(), row.begun),
        (PlanState::Applying, Some("r3"), Some(at(5)))
    );
    assert_eq!(row.created_by.as_deref(), Some("anna"));
    assert_eq!(apply("r4").await.unwrap_err().code(), Some("plan-busy"));
    // Another run's end is nothing to it; its own is, and it can be gone on with.
    catalog
        .queue_run(&queued("r4", RunKind::Restore))
        .await
        .unwrap();
    end(&catalog, "r4", RunState::Failed, None).await;
    assert_eq!(catalog.plan("p1").await.unwrap().state, PlanState::Applying);
    end(&catalog, "r3", RunState::Canceled, None).await;
    apply("r5").await.unwrap();
    catalog
        .set_plan_state("p1", PlanState::Applied)
        .await
        .unwrap();
    assert_eq!(apply("r6").await.unwrap_err().code(), Some("plan-closed"));
}

pub(crate) async fn plans_are_listed_for_those_who_reach_them(place: Place) {
    let catalog = place.open().await;
    for id in ["p1", "p2", "p3"] {
        catalog.create_plan(&plan(id, 1)).await.unwrap();
    }
    let elsewhere = RestorePlan {
        target: RestoreTarget::Original {
            connector: "Contoso".to_owned(),
            source: organization("contoso"),
        },
        ..plan("p4", 1)
    };
    catalog.create_plan(&elsewhere).await.unwrap();
    catalog.plan_ready("p2", at(2)).await.unwrap();
    let list = async |filter: PlanFilter, page: Page| {
        let listed = catalog.list_plans(&filter, &page).await.unwrap();
        let ids: Vec<String> = listed.items.into_iter().map(|row| row.plan.id).collect();
        (ids.join(" "), listed.next)
    };
    let (ids, next) = list(PlanFilter::default(), Page::first(3)).await;
    assert_eq!(ids, "p4 p3 p2");
    let rest = Page {
        after: next,
        limit: 3,
    };
    assert_eq!(list(PlanFilter::default(), rest).await.0, "p1");
    let of = |names: &[&str]| PlanFilter {
        connectors: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..PlanFilter::default()
    };
    assert_eq!(list(of(&["CONTOSO"]), Page::first(9)).await.0, "p4");
    assert_eq!(list(of(&[]), Page::first(9)).await.0, "");
    let ready = PlanFilter {
        connector: Some("Fabrikam".to_owned()),
        state: Some(PlanState::Ready),
        ..PlanFilter::default()
    };
    assert_eq!(list(ready, Page::first(9)).await.0, "p2");
}

pub(crate) async fn steps_are_filtered_and_their_losses_counted(place: Place) {
    let catalog = with_plan(&place).await;
    let steps: Vec<Step> = (0..10).map(step).collect();
    catalog.add_steps("plan", &steps).await.unwrap();
    catalog
        .set_step_url("plan", 1, "https://x/1")
        .await
        .unwrap();
    let filter = StepFilter {
        kind: Some("work-item".to_owned()),
        action: Some(Action::Create),
        state: None,
    };
    let mut page = Page::first(4);
    let mut positions = Vec::new();
    loop {
        let listed = catalog.list_steps("plan", &filter, &page).await.unwrap();
        positions.extend(listed.items.iter().map(|step| step.position));
        match page.following(&listed) {
            Some(next) => page = next,
            None => break,
        }
    }
    assert_eq!(positions, [1, 2, 4, 5, 7, 8]);
    let other = StepFilter {
        kind: Some("team".to_owned()),
        ..StepFilter::default()
    };
    let none = catalog.list_steps("plan", &other, &Page::first(9)).await;
    assert!(none.unwrap().items.is_empty());
    let failed = catalog.set_step("plan", 4, StepState::Failed, None, Some("refused"));
    failed.await.unwrap();
    let look = StepFilter {
        state: Some(StepState::Failed),
        ..StepFilter::default()
    };
    let listed = catalog.list_steps("plan", &look, &Page::first(9)).await;
    let listed = listed.unwrap().items;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].position, 4);
    let losses = catalog.step_losses("plan").await.unwrap();
    assert_eq!((losses.len(), losses[0].items), (1, 6));
    let one = catalog.steps("plan", Some(0), 1).await.unwrap().remove(0);
    assert_eq!(one.url.as_deref(), Some("https://x/1"));
}

pub(crate) async fn people_of_a_plan_are_mapped_all_or_none(place: Place) {
    let catalog = with_plan(&place).await;
    let person = |name: &str| PlanPerson {
        unique_name: format!("{name}@Contoso.example"),
        name: name.to_owned(),
        items: 2,
        found: false,
        becomes: None,
        checked: false,
    };
    let people = [person("Anna"), person("Ben")];
    catalog.set_plan_people("plan", &people).await.unwrap();
    let map = |from: &str, to: Option<&str>| PersonMapping {
        person: from.to_owned(),
        becomes: to.map(str::to_owned),
        checked: true,
    };
    let early = catalog.map_plan_people("plan", &[]).await.unwrap_err();
    assert_eq!(early.code(), Some("plan-started"), "it is not ready");
    catalog.plan_ready("plan", at(5)).await.unwrap();
    let strangers = catalog
        .map_plan_people(
            "plan",
            &[
                map("ANNA@contoso.example", Some("a@new.example")),
                map("carl@contoso.example", None),
            ],
        )
        .await
        .unwrap();
    assert_eq!(strangers, ["carl@contoso.example"]);
    assert!(catalog.plan_mapping("plan").await.unwrap().is_empty());
    let all = [map("ANNA@contoso.example", Some("a@new.example"))];
    assert!(
        catalog
            .map_plan_people("plan", &all)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        catalog.plan_mapping("plan").await.unwrap(),
        [(
            "anna@contoso.example".to_owned(),
            "a@new.example".to_owned()
        )]
    );
    let first = catalog.plan_people("plan", &Page::first(1)).await.unwrap();
    assert_eq!(first.items[0].unique_name, "Anna@Contoso.example");
    assert!(first.items[0].checked, "the target knows the other name");
    let rest = Page::first(1).following(&first).unwrap();
    let rest = catalog.plan_people("plan", &rest).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
    let applying = catalog.set_plan_state("plan", PlanState::Applying);
    applying.await.unwrap();
    let late = catalog.map_plan_people("plan", &all).await.unwrap_err();
    assert_eq!(late.code(), Some("plan-started"));
}
