//! What the catalog tells of backups, jobs, and what is kept.

use catalog::Figures;

use super::text::Page;

pub(super) fn write(figures: &Figures, page: &mut Page) {
    work(figures, page);
    keeping(figures, page);
    let workers = figures
        .workers
        .iter()
        .map(|(name, at)| (vec![("worker", name.clone())], at.as_second()));
    page.gauge(
        "worker_seen_timestamp_seconds",
        "The last sign of life of a worker.",
        workers,
    );
}

/// Backups that were made, and what is in the queue.
fn work(figures: &Figures, page: &mut Page) {
    let last = figures.last_success.iter().map(|(connector, policy, at)| {
        let policy = policy.clone().unwrap_or_default();
        (
            vec![("connector", connector.clone()), ("policy", policy)],
            at.as_second(),
        )
    });
    page.gauge(
        "backup_last_success_timestamp_seconds",
        "The end of the last good backup.",
        last,
    );
    let runs = figures.runs.iter().map(|(state, kind, number)| {
        (
            vec![("state", state.clone()), ("kind", kind.clone())],
            *number,
        )
    });
    page.gauge("runs", "Runs that the catalog has.", runs);
    let jobs = figures
        .jobs
        .iter()
        .map(|(state, number)| (vec![("state", state.clone())], *number));
    page.gauge("job_queue_depth", "Jobs that have not ended.", jobs);
}

/// What has to stay good: credentials, repositories, snapshots.
fn keeping(figures: &Figures, page: &mut Page) {
    let expiry = figures
        .expiry
        .iter()
        .map(|(name, at)| (vec![("credential", name.clone())], at.as_second()));
    page.gauge(
        "credential_expires_timestamp_seconds",
        "When a credential ends.",
        expiry,
    );
    let checked = || {
        figures.checked.iter().map(|(name, at, problems)| {
            (
                vec![("repository", name.clone())],
                at.as_second(),
                *problems,
            )
        })
    };
    page.gauge(
        "repository_checked_timestamp_seconds",
        "The last check of a repository.",
        checked().map(|(labels, at, _)| (labels, at)),
    );
    page.gauge(
        "repository_problems",
        "What the last check of a repository found.",
        checked().map(|(labels, _, problems)| (labels, problems)),
    );
    let verified = figures.verified.iter().map(|(id, source, at)| {
        let labels = vec![
            ("service", id.service.clone()),
            ("source", source.clone()),
            ("address", id.address.clone()),
        ];
        (labels, at.as_second())
    });
    page.gauge(
        "snapshot_verified_timestamp_seconds",
        "The last verification of a snapshot.",
        verified,
    );
}
