//! One suite for both databases: a test each on SQLite, all of them in one test on a private PostgreSQL.
#![expect(clippy::unwrap_used, reason = "tests")]

mod index;
mod names;
mod plans;
mod postgres;
mod properties;
mod queue;
mod registry;
mod sqlite;
mod support;
mod vault;

macro_rules! suite {
    ($($module:ident :: $name:ident,)*) => {
        /// On SQLite, in a folder of its own.
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::$module::$name(crate::support::Place::sqlite()).await;
            })*
        }

        /// On PostgreSQL, in a database of its own; the cluster is shared, since making one takes seconds.
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn on_postgres() {
            let cluster = postgres::Cluster::start();
            let mut failed = Vec::new();
            $({
                let place = cluster.place(stringify!($name));
                let mut alone = tokio::task::JoinSet::new();
                alone.spawn($module::$name(place));
                if alone.join_next().await.unwrap().is_err() {
                    failed.push(stringify!($name));
                }
            })*
            assert!(failed.is_empty(), "failed on PostgreSQL: {failed:?}");
        }
    };
}

suite! {
    vault::a_credential_comes_back_as_it_was_stored,
    vault::another_key_opens_nothing,
    vault::a_rotated_key_replaces_the_old_one,
    vault::a_credential_in_use_cannot_be_removed,
    registry::connectors_are_unique_without_regard_to_case,
    registry::a_refused_replacement_leaves_the_old_connector,
    registry::removing_a_connector_leaves_its_snapshots,
    registry::repositories_are_found_by_name_and_default,
    registry::runs_and_issues_are_paged,
    registry::a_newer_schema_is_refused,
    queue::concurrent_claims_give_each_job_once,
    queue::jobs_of_one_key_never_run_at_once,
    queue::a_superseded_token_can_do_nothing,
    queue::an_expired_lease_is_claimed_with_its_checkpoint,
    queue::a_checkpoint_passes_to_the_next_job_of_its_key,
    registry::the_last_verification_of_a_snapshot_is_remembered,
    queue::cancel_reaches_queued_and_leased_jobs,
    queue::leases_survive_a_restart,
    index::a_quiet_snapshot_writes_no_rows,
    index::an_interrupted_snapshot_leaves_nothing,
    index::a_known_snapshot_keeps_its_number,
    index::an_item_that_comes_twice_is_refused,
    index::search_finds_words_ids_and_what_is_gone,
    index::changes_are_paged_in_both_directions,
    index::snapshots_are_found_by_prefix_and_time,
    index::two_writers_of_one_source_follow_each_other,
    names::hostile_names_come_back_unchanged,
    names::hostile_names_are_data_in_filters,
    plans::steps_are_paged_and_counted,
    plans::the_journal_knows_what_is_open,
    plans::a_plan_is_removed_with_its_rows,
    properties::intervals_tell_what_every_snapshot_held,
}
