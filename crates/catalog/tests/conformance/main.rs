//! One suite for both databases: a test each on SQLite, all of them in one test on a private PostgreSQL.
#![expect(clippy::unwrap_used, reason = "tests")]

mod audit;
mod connect;
mod index;
mod large;
mod maintenance;
mod names;
mod notify;
mod older;
mod people;
mod plans;
mod postgres;
mod projects;
mod properties;
mod queue;
mod registry;
mod rename;
mod server;
mod side_by_side;
mod sources;
mod sqlite;
mod support;
mod tenants;
mod text;
mod vault;
mod work;

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
            let mut on_postgres = side_by_side::SideBySide::start();
            $(on_postgres.run(stringify!($name), crate::$module::$name).await;)*
            let failed = on_postgres.failed().await;
            assert!(failed.is_empty(), "failed on PostgreSQL: {failed:?}");
        }
    };
}

suite! {
    vault::a_credential_comes_back_as_it_was_stored,
    vault::another_key_opens_nothing,
    vault::a_rotated_key_replaces_the_old_one,
    vault::a_credential_in_use_cannot_be_removed,
    connect::sre_12_an_organization_is_signed_in_to_once_but_may_have_tokens,
    connect::sre_17_what_is_connected_at_once_is_saved_whole_or_not_at_all,
    connect::whoever_is_to_reach_what_is_connected_keeps_what_they_reach,
    connect::a_connector_and_its_credential_are_replaced_together_or_not_at_all,
    connect::a_connector_keeps_all_of_its_settings,
    connect::connectors_and_credentials_are_paged,
    connect::a_rotated_credential_keeps_who_refers_to_it,
    connect::of_two_refreshed_tokens_the_first_stands,
    connect::av_02_an_app_profile_comes_with_its_credential_or_not_at_all,
    connect::av_03_app_profiles_are_one_for_each_app_and_tenant,
    connect::sre_17_a_wizard_belongs_to_one_caller_and_ends_in_time,
    tenants::xm_07_new_users_wait_when_they_are_not_to_be_added,
    tenants::users_are_searched_and_paged_by_name,
    tenants::a_removed_connector_takes_its_directory_along,
    registry::connectors_are_unique_without_regard_to_case,
    registry::a_refused_replacement_leaves_the_old_connector,
    registry::a_connector_that_is_another_one_by_now_is_not_changed,
    registry::removing_a_connector_leaves_its_snapshots,
    registry::what_a_connector_stood_for_is_remembered_under_its_name,
    registry::repositories_are_found_by_name_and_default,
    registry::runs_are_paged_and_keep_how_they_ended,
    registry::issues_of_a_run_are_paged_and_counted,
    registry::a_newer_schema_is_refused,
    older::nothing_is_made_or_changed_below_another_program,
    older::what_an_older_program_kept_is_there_afterwards,
    older::a_default_policy_that_somebody_changed_stays_as_it_is,
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
    index::changes_are_paged_in_both_directions,
    index::what_came_into_the_recycle_bin_is_a_deletion,
    index::snapshots_are_found_by_prefix_and_time,
    index::two_writers_of_one_source_follow_each_other,
    sources::organizations_of_one_name_at_two_addresses_are_two_sources,
    sources::sources_of_an_older_catalog_get_the_addresses_that_their_snapshots_say,
    projects::items_of_a_project_are_listed_wherever_they_lie,
    projects::a_name_that_another_project_took_over_is_that_ones,
    projects::counts_are_the_same_however_they_were_found,
    projects::names_are_found_by_their_words_whether_or_not_these_are_indexed,
    large::a_page_looks_at_a_part_of_a_large_list_and_all_pages_find_all,
    text::words_of_names_and_texts_are_found_names_first,
    text::who_may_not_read_texts_learns_nothing_of_them,
    text::old_texts_are_found_in_their_time,
    text::kind_project_and_source_narrow_a_search,
    text::a_part_of_a_project_s_name_narrows_a_search,
    text::no_query_is_an_error,
    text::an_unchanged_text_is_stored_once,
    names::hostile_names_come_back_unchanged,
    names::hostile_names_are_data_in_filters,
    notify::channels_are_unique_without_regard_to_case,
    notify::an_ended_run_is_told_of_once,
    notify::a_message_is_tried_by_one_and_again_later,
    notify::an_alarm_keeps_who_knows_of_it_until_it_gets_worse,
    notify::the_last_good_backup_is_one_that_made_a_snapshot,
    notify::a_repository_names_the_secret_of_its_storage,
    notify::settings_are_replaced_only_where_nobody_else_has_changed_them,
    plans::steps_are_paged_and_counted,
    plans::the_journal_knows_what_is_open,
    plans::what_plans_made_of_a_source_at_a_target_is_known_to_the_next_one,
    plans::a_plan_is_removed_with_its_rows,
    plans::a_plan_is_applied_by_one_run_at_a_time,
    plans::who_lost_the_job_of_a_plan_writes_nothing_to_it,
    plans::plans_are_listed_for_those_who_reach_them,
    plans::steps_are_filtered_and_their_losses_counted,
    plans::people_of_a_plan_are_mapped_all_or_none,
    people::names_are_unique_and_the_last_administrator_stays,
    people::two_administrators_cannot_remove_each_other_at_once,
    people::the_first_account_takes_the_setup_token,
    people::an_account_made_by_hand_voids_the_setup_token,
    people::sessions_end_with_their_person,
    people::a_token_shows_its_owner_as_they_are_now,
    people::a_code_is_good_once,
    people::identities_belong_to_one_person,
    people::a_pending_sign_in_is_taken_once_and_in_time,
    people::attempts_are_counted_until_their_time,
    audit::rows_are_only_added,
    audit::a_changed_row_is_found,
    audit::a_removed_row_is_found,
    audit::rows_that_changed_places_are_found,
    audit::a_noted_hash_finds_a_log_that_was_written_anew,
    audit::writers_at_once_make_one_chain,
    audit::the_log_is_filtered_and_paged,
    audit::a_proposal_is_decided_once_and_in_time,
    server::an_answer_is_kept_for_its_request,
    server::a_request_that_was_cut_off_may_begin_again,
    server::runs_are_listed_by_what_people_may_see,
    server::snapshots_are_listed_by_what_people_may_see,
    server::figures_tell_of_the_last_good_backup,
    maintenance::a_new_repository_is_looked_after_until_a_person_says_otherwise,
    maintenance::of_two_schedulers_one_looks_after_a_repository,
    maintenance::damage_stays_noted_until_a_check_could_see_that_it_is_gone,
    maintenance::what_a_check_of_a_connector_warned_of_is_replaced,
    maintenance::the_overview_adds_up_what_runs_left,
    maintenance::what_runs_put_into_a_repository_counts_from_when_it_was_measured,
    maintenance::what_nobody_protects_is_listed_for_those_who_reach_it,
    maintenance::a_run_keeps_what_it_came_to,
    properties::intervals_tell_what_every_snapshot_held,
    work::the_default_policy_is_there_from_the_start,
    work::a_policy_that_was_changed_meanwhile_is_not_overwritten,
    work::what_was_judged_is_changed_only_where_nothing_came_between,
    work::of_two_schedulers_one_fires,
    work::no_connector_waits_for_the_backlog_of_another,
    work::limits_labels_and_storages_hold_jobs_back,
    work::many_workers_never_exceed_the_limits,
    work::a_job_that_was_given_back_waits_for_its_time,
    work::a_worker_does_not_claim_what_it_is_working_on,
    work::a_run_ends_as_a_whole_or_not_at_all,
    work::a_worker_elsewhere_is_known_by_its_token_until_it_is_removed,
    work::new_items_are_told_from_those_of_the_first_listing,
    work::the_same_issue_in_many_runs_is_one_until_it_is_acknowledged,
    rename::whatever_names_a_connector_follows_its_new_name,
    rename::a_connector_keeps_its_name_while_a_run_is_open_or_the_other_is_taken,
    work::issues_of_repositories_are_apart_from_each_other,
}
