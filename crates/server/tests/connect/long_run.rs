//! Runs that are longer than a token lives, through the whole engine, with git.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use catalog::QueueLimits;
use control::{Control, Reach, RunObserver, WorkerSetup};
use model::{Event, Reason, Run, RunState};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// Seconds that a token lives, and that pass at each step of a run: a token is renewed at half of its life.
const LIFE: i64 = 20;
/// So short that a token seldom ends twice while one request is under way: that is told as a refusal.
const STEP: i64 = 9;

/// Makes time pass with the progress of a run.
struct Hourglass {
    world: Arc<World>,
    steps: AtomicU64,
    /// The run is canceled at this step.
    ends_at: u64,
    cancel: CancellationToken,
}

impl RunObserver for Hourglass {
    fn progress(&self, _run: &str, _event: &Event) {
        self.world.advance(STEP);
        if self.steps.fetch_add(1, Ordering::SeqCst) == self.ends_at {
            self.cancel.cancel();
        }
    }

    fn changed(&self, _run: &Run) {}
}

/// A person's connector and a repository; a refresh token is good once, as with the strictest apps.
async fn connected() -> Arc<World> {
    let world = World::start().await;
    world.add_user("contoso").await;
    world
        .simulator
        .control("settings", &json!({"singleUseRefresh": true}))
        .unwrap();
    world.simulator.set_token_life(LIFE);
    let location = world.folder.path().join("repository");
    let body = json!({ "name": "main", "location": location });
    world.post("/repositories", &body).await.expect(201);
    Arc::new(world)
}

/// As a process does that has just started: it knows what is stored and nothing else.
fn started(world: &World) -> Control {
    let control = world.control.clone();
    let reach = Reach::new(
        control.reach.clouds.clone(),
        control.reach.egress.clone(),
        Arc::clone(&control.clock),
    );
    Control { reach, ..control }
}

async fn backup(world: &Arc<World>, ends_at: u64) -> (Run, u64) {
    let control = started(world);
    let run = control
        .request_backup("contoso", None, Reason::Request)
        .await
        .unwrap();
    let cancel = CancellationToken::new();
    let hourglass = Arc::new(Hourglass {
        world: Arc::clone(world),
        steps: AtomicU64::new(0),
        ends_at,
        cancel: cancel.clone(),
    });
    let observer: Arc<dyn RunObserver> = Arc::<Hourglass>::clone(&hourglass);
    let setup = WorkerSetup {
        labels: BTreeSet::new(),
        slots: 1,
        limits: QueueLimits::default(),
        observer,
    };
    control.work_off(&setup, &cancel).await.unwrap();
    let steps = hourglass.steps.load(Ordering::SeqCst);
    (control.catalog.run(&run.id).await.unwrap(), steps)
}

async fn version(world: &World) -> i64 {
    let control = &world.control;
    let stored = control
        .catalog
        .versioned_secret(&control.kek, "connector contoso")
        .await;
    stored.unwrap().1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sre_21_a_backup_outlives_many_tokens() {
    let world = connected().await;
    let before = version(&world).await;
    let (run, steps) = backup(&world, u64::MAX).await;
    let lives = i64::try_from(steps).unwrap() * STEP / LIFE;
    assert!(lives >= 4, "{steps} steps are {lives} lives of a token");
    assert!(
        matches!(
            run.state,
            RunState::Succeeded | RunState::SucceededWithIssues
        ),
        "{:?}",
        run.error
    );
    for kind in ["git-repository", "work-item"] {
        let counts = &run.counts.kinds[kind];
        assert!(counts.items > 0, "{kind} {counts:?}");
    }
    let renewed = version(&world).await - before;
    assert!(
        renewed >= lives / 2,
        "{renewed} refresh tokens were stored in {lives} lives"
    );
    let issues = world
        .get(&format!("/runs/{}/issues?limit=200", run.id))
        .await
        .expect(200);
    assert!(!issues.to_string().contains("token"), "{issues}");
}

/// What was stored when a run ends anywhere is a token that is still good: each was stored before it was used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sre_21_wherever_a_run_ends_the_stored_token_is_the_newest() {
    let world = connected().await;
    for ends_at in [2, 5, 8] {
        let (run, _) = backup(&world, ends_at).await;
        assert!(run.state != RunState::Failed, "{ends_at}: {:?}", run.error);
        world.advance(LIFE);
    }
    let (run, _) = backup(&world, u64::MAX).await;
    assert!(
        matches!(
            run.state,
            RunState::Succeeded | RunState::SucceededWithIssues
        ),
        "{:?}",
        run.error
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sre_44_a_connector_goes_and_its_backups_stay() {
    let world = connected().await;
    // What becomes of tokens meanwhile is the subject of others.
    world.simulator.set_token_life(3600);
    let (run, _) = backup(&world, u64::MAX).await;
    let snapshot = run.snapshot.clone().unwrap_or_else(|| panic!("{run:?}"));
    world.delete("/connectors/contoso").await.expect(204);
    assert!(world.names().await.is_empty());
    let listed = world.get("/snapshots").await.expect(200);
    assert_eq!(listed["items"][0]["id"], snapshot, "{listed}");
    let items = world
        .get(&format!("/snapshots/{snapshot}/items?kind=work-item"))
        .await
        .expect(200);
    assert!(!items["items"].as_array().unwrap().is_empty(), "{items}");
}
