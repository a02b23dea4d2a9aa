use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use catalog::{Catalog, Error, NewJob};
use model::{JobState, RunState};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::{Place, at, run};

const LEASE: Duration = Duration::from_secs(30);

fn job(number: usize, key: Option<&str>) -> NewJob {
    NewJob {
        id: format!("job-{number:03}"),
        payload: format!("{{\"number\":{number}}}"),
        concurrency_key: key.map(str::to_owned),
        created: at(i64::try_from(number).unwrap()),
    }
}

async fn with_run(place: &Place) -> Catalog {
    let catalog = place.open().await;
    catalog.create_run(&run("run")).await.unwrap();
    catalog
}

pub(crate) async fn concurrent_claims_give_each_job_once(place: Place) {
    let catalog = with_run(&place).await;
    for number in 0..40 {
        catalog.enqueue("run", &job(number, None)).await.unwrap();
    }
    let barrier = Arc::new(Barrier::new(8));
    let mut workers = JoinSet::new();
    for worker in 0..8 {
        // Half of them with connections of their own, as other processes have.
        let catalog = if worker % 2 == 0 {
            catalog.clone()
        } else {
            place.open().await
        };
        let barrier = Arc::clone(&barrier);
        workers.spawn(async move {
            let mut claimed = Vec::new();
            barrier.wait().await;
            while let Some(job) = catalog
                .claim(&format!("worker-{worker}"), at(0), LEASE)
                .await
                .unwrap()
            {
                claimed.push(job.id);
            }
            claimed
        });
    }
    let all: Vec<String> = workers.join_all().await.concat();
    assert_eq!(all.len(), 40);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 40);
    assert_eq!(catalog.run("run").await.unwrap().state, RunState::Running);
}

pub(crate) async fn jobs_of_one_key_never_run_at_once(place: Place) {
    let catalog = with_run(&place).await;
    for number in 0..24 {
        let key = format!("source-{}", number % 3);
        catalog
            .enqueue("run", &job(number, Some(&key)))
            .await
            .unwrap();
    }
    let ids = async || {
        catalog
            .claim("one", at(0), LEASE)
            .await
            .unwrap()
            .map(|job| (job.id, job.token))
    };
    // The oldest of each key, then none.
    let first = [
        ids().await.unwrap(),
        ids().await.unwrap(),
        ids().await.unwrap(),
    ];
    assert_eq!(
        first.each_ref().map(|(id, _)| id.as_str()),
        ["job-000", "job-001", "job-002"]
    );
    assert_eq!(ids().await, None);
    catalog
        .finish(&first[1].0, first[1].1, JobState::Succeeded)
        .await
        .unwrap();
    let next = ids().await.unwrap();
    assert_eq!(next.0, "job-004");
    for (id, token) in [&first[0], &first[2], &next] {
        catalog
            .finish(id, *token, JobState::Succeeded)
            .await
            .unwrap();
    }

    let mut workers = JoinSet::new();
    let barrier = Arc::new(Barrier::new(6));
    for worker in 0..6 {
        let (catalog, barrier) = (catalog.clone(), Arc::clone(&barrier));
        workers.spawn(async move {
            let mut done = 0;
            barrier.wait().await;
            loop {
                let claimed = catalog
                    .claim(&format!("worker-{worker}"), at(0), LEASE)
                    .await
                    .unwrap();
                let open = catalog.open_jobs().await.unwrap();
                let mut leased: BTreeMap<_, u32> = BTreeMap::new();
                for job in open.iter().filter(|job| job.state == JobState::Leased) {
                    *leased.entry(&job.concurrency_key).or_default() += 1;
                }
                assert!(leased.values().all(|jobs| *jobs == 1), "{leased:?}");
                match claimed {
                    Some(job) => {
                        catalog
                            .finish(&job.id, job.token, JobState::Succeeded)
                            .await
                            .unwrap();
                        done += 1;
                    }
                    None if open.is_empty() => return done,
                    None => tokio::task::yield_now().await,
                }
            }
        });
    }
    let done: i32 = workers.join_all().await.iter().sum();
    assert_eq!(done, 20);
}

pub(crate) async fn a_superseded_token_can_do_nothing(place: Place) {
    let catalog = with_run(&place).await;
    catalog.enqueue("run", &job(1, Some("key"))).await.unwrap();
    let old = catalog.claim("first", at(0), LEASE).await.unwrap().unwrap();
    assert!(
        catalog
            .claim("second", at(29), LEASE)
            .await
            .unwrap()
            .is_none()
    );
    let new = catalog
        .claim("second", at(31), LEASE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(new.id, old.id);
    assert!(new.token > old.token);

    let superseded = |result: Result<(), Error>| matches!(result, Err(Error::Superseded { .. }));
    let beat = catalog
        .heartbeat(&old.id, old.token, at(32), LEASE)
        .await
        .map(drop);
    assert!(superseded(beat));
    assert!(superseded(
        catalog.checkpoint(&old.id, old.token, Some("stale")).await
    ));
    assert!(superseded(
        catalog.permit_commit(&old.id, old.token, at(32)).await
    ));
    assert!(superseded(
        catalog
            .finish(&old.id, old.token, JobState::Succeeded)
            .await
    ));

    catalog
        .permit_commit(&new.id, new.token, at(32))
        .await
        .unwrap();
    catalog
        .finish(&new.id, new.token, JobState::Succeeded)
        .await
        .unwrap();
    assert!(superseded(
        catalog.finish(&new.id, new.token, JobState::Failed).await
    ));
    assert!(superseded(
        catalog.permit_commit(&new.id, new.token, at(32)).await
    ));
    assert_eq!(
        catalog.job(&new.id).await.unwrap().state,
        JobState::Succeeded
    );
    let unknown = catalog.heartbeat("nobody", 1, at(0), LEASE).await;
    assert!(matches!(unknown, Err(Error::JobUnknown { .. })));
}

pub(crate) async fn an_expired_lease_is_claimed_with_its_checkpoint(place: Place) {
    let catalog = with_run(&place).await;
    catalog.enqueue("run", &job(1, None)).await.unwrap();
    let first = catalog.claim("a", at(0), LEASE).await.unwrap().unwrap();
    assert_eq!((first.attempt, first.checkpoint.as_deref()), (1, None));
    catalog
        .checkpoint(&first.id, first.token, Some("cursor \0 7"))
        .await
        .unwrap();
    // A beat moves the end of the lease.
    catalog
        .heartbeat(&first.id, first.token, at(20), LEASE)
        .await
        .unwrap();
    assert!(catalog.claim("b", at(40), LEASE).await.unwrap().is_none());
    // Expired, but nobody took it: a commit is refused until the next beat.
    let late = catalog.permit_commit(&first.id, first.token, at(51)).await;
    assert!(matches!(late, Err(Error::LeaseExpired { .. })));
    catalog
        .heartbeat(&first.id, first.token, at(51), LEASE)
        .await
        .unwrap();
    catalog
        .permit_commit(&first.id, first.token, at(52))
        .await
        .unwrap();

    let second = catalog.claim("b", at(90), LEASE).await.unwrap().unwrap();
    assert_eq!(
        (second.attempt, second.checkpoint.as_deref()),
        (2, Some("cursor \0 7"))
    );
    // Given back, it is claimed again at once.
    catalog
        .finish(&second.id, second.token, JobState::Queued)
        .await
        .unwrap();
    let third = catalog
        .claim_for_run("c", "run", at(91), LEASE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(third.attempt, 3);
    assert!(third.token > second.token);
    assert!(
        catalog
            .claim_for_run("c", "other", at(999), LEASE)
            .await
            .unwrap()
            .is_none()
    );
    // A worker that is known to be dead is not waited for.
    assert_eq!(catalog.void_leases("c").await.unwrap(), 1);
    assert_eq!(
        catalog
            .claim("d", at(92), LEASE)
            .await
            .unwrap()
            .unwrap()
            .attempt,
        4
    );
}

pub(crate) async fn cancel_reaches_queued_and_leased_jobs(place: Place) {
    let catalog = with_run(&place).await;
    catalog.enqueue("run", &job(1, None)).await.unwrap();
    catalog.enqueue("run", &job(2, None)).await.unwrap();
    let leased = catalog.claim("a", at(0), LEASE).await.unwrap().unwrap();
    assert!(
        !catalog
            .heartbeat(&leased.id, leased.token, at(1), LEASE)
            .await
            .unwrap()
            .cancel_requested
    );
    catalog.request_cancel(&leased.id).await.unwrap();
    catalog.request_cancel("job-002").await.unwrap();
    assert!(
        catalog
            .heartbeat(&leased.id, leased.token, at(2), LEASE)
            .await
            .unwrap()
            .cancel_requested
    );
    let commit = catalog.permit_commit(&leased.id, leased.token, at(2)).await;
    assert!(matches!(commit, Err(Error::Canceled { .. })));
    assert!(catalog.claim("b", at(2), LEASE).await.unwrap().is_none());
    catalog
        .finish(&leased.id, leased.token, JobState::Canceled)
        .await
        .unwrap();
    let states: Vec<_> = catalog
        .jobs("run")
        .await
        .unwrap()
        .iter()
        .map(|job| job.state)
        .collect();
    assert_eq!(states, [JobState::Canceled, JobState::Canceled]);
    assert!(matches!(
        catalog.request_cancel("job-9").await,
        Err(Error::JobUnknown { .. })
    ));
}

pub(crate) async fn leases_survive_a_restart(place: Place) {
    let held = {
        let catalog = with_run(&place).await;
        catalog.enqueue("run", &job(1, None)).await.unwrap();
        let held = catalog.claim("a", at(0), LEASE).await.unwrap().unwrap();
        catalog
            .checkpoint(&held.id, held.token, Some("half"))
            .await
            .unwrap();
        held
    };
    let catalog = place.open().await;
    assert!(catalog.claim("b", at(1), LEASE).await.unwrap().is_none());
    let again = catalog.claim("b", at(31), LEASE).await.unwrap().unwrap();
    assert_eq!(again.checkpoint.as_deref(), Some("half"));
    assert!(again.token > held.token);
    let unknown = catalog.enqueue("no-run", &job(2, None)).await;
    assert!(matches!(unknown, Err(Error::RunUnknown { .. })));
}

pub(crate) async fn a_checkpoint_passes_to_the_next_job_of_its_key(place: Place) {
    let catalog = with_run(&place).await;
    let next = async |number: usize, key: &str| {
        catalog
            .enqueue("run", &job(number, Some(key)))
            .await
            .unwrap();
        catalog.claim("one", at(0), LEASE).await.unwrap().unwrap()
    };
    let take = async |job: &catalog::Job| catalog.take_checkpoint(&job.id, job.token).await;
    let first = next(0, "a").await;
    assert_eq!(take(&first).await.unwrap(), None);
    catalog
        .checkpoint(&first.id, first.token, Some("half"))
        .await
        .unwrap();
    let other = next(1, "b").await;
    assert_eq!(take(&other).await.unwrap(), None);
    catalog
        .finish(&first.id, first.token, JobState::Failed)
        .await
        .unwrap();

    let second = next(2, "a").await;
    assert_eq!(take(&second).await.unwrap().as_deref(), Some("half"));
    // Its own from now on, in one place alone.
    assert_eq!(take(&second).await.unwrap().as_deref(), Some("half"));
    let waiting = catalog.checkpoints().await.unwrap();
    assert_eq!(waiting, [("a".to_owned(), "half".to_owned())]);
    assert!(matches!(take(&first).await, Err(Error::Superseded { .. })));
    catalog
        .checkpoint(&second.id, second.token, None)
        .await
        .unwrap();
    catalog
        .finish(&second.id, second.token, JobState::Succeeded)
        .await
        .unwrap();
    let third = next(3, "a").await;
    assert_eq!(take(&third).await.unwrap(), None);
    assert!(catalog.checkpoints().await.unwrap().is_empty());
}
