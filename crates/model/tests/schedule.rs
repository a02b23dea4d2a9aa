//! When policies run: jumps of the clock, windows, jitter, and what was missed.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::Policy;
use model::policy::{Missed, Reached, Schedule, When, Window, due, next_runs};
use proptest::prelude::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn texts(times: &[Timestamp]) -> Vec<String> {
    times.iter().map(ToString::to_string).collect()
}

fn hours(at: &[&str], zone: &str) -> Schedule {
    Schedule {
        when: When::Hours {
            at: at.iter().map(|one| (*one).to_owned()).collect(),
            days: BTreeSet::new(),
        },
        time_zone: zone.to_owned(),
        jitter_minutes: 0,
        missed: Missed::RunOnce,
        window: None,
    }
}

fn cron(expression: &str, zone: &str) -> Schedule {
    let when = When::Cron {
        expression: expression.to_owned(),
    };
    Schedule {
        when,
        ..hours(&[], zone)
    }
}

fn every(minutes: u32) -> Schedule {
    Schedule {
        when: When::Interval { minutes },
        ..hours(&[], "UTC")
    }
}

#[test]
fn chosen_hours_are_those_of_the_zone() {
    let after = time("2026-07-01T00:00:00Z");
    let next = next_runs(&hours(&["22:00", "06:30"], "Europe/Berlin"), "p", after, 3);
    assert_eq!(
        texts(&next),
        [
            "2026-07-01T04:30:00Z",
            "2026-07-01T20:00:00Z",
            "2026-07-02T04:30:00Z"
        ]
    );
}

#[test]
fn a_time_that_the_clock_jumps_over_runs_at_the_jump() {
    // At 02:00 on 29 March it is 03:00 in Berlin.
    let after = time("2026-03-28T12:00:00Z");
    for schedule in [
        hours(&["02:30"], "Europe/Berlin"),
        cron("30 2 * * *", "Europe/Berlin"),
    ] {
        assert_eq!(
            texts(&next_runs(&schedule, "p", after, 2)),
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
        );
    }
}

#[test]
fn a_time_that_comes_twice_runs_once() {
    // At 03:00 on 25 October it is 02:00 again.
    let after = time("2026-10-24T12:00:00Z");
    for schedule in [
        hours(&["02:30"], "Europe/Berlin"),
        cron("30 2 * * *", "Europe/Berlin"),
    ] {
        assert_eq!(
            texts(&next_runs(&schedule, "p", after, 2)),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
    }
}

#[test]
fn a_day_that_never_was_runs_at_its_end() {
    // Samoa had no 30 December 2011.
    let after = time("2011-12-29T12:00:00Z");
    let next = next_runs(&hours(&["12:00"], "Pacific/Apia"), "p", after, 3);
    assert_eq!(
        texts(&next),
        [
            "2011-12-29T22:00:00Z",
            "2011-12-30T10:00:00Z",
            "2011-12-30T22:00:00Z"
        ]
    );
}

#[test]
fn days_of_the_week_are_those_of_the_zone() {
    let mut schedule = hours(&["00:30"], "Asia/Tokyo");
    if let When::Hours { days, .. } = &mut schedule.when {
        days.insert("mon".to_owned());
    }
    let next = next_runs(&schedule, "p", time("2026-11-01T00:00:00Z"), 2);
    assert_eq!(
        texts(&next),
        ["2026-11-01T15:30:00Z", "2026-11-08T15:30:00Z"]
    );
}

#[test]
fn what_falls_outside_the_window_waits_for_it_once() {
    let mut schedule = every(60);
    schedule.window = Some(Window {
        from: "22:00".to_owned(),
        to: "00:30".to_owned(),
    });
    let next = next_runs(&schedule, "p", time("2026-11-01T10:00:00Z"), 5);
    assert_eq!(
        texts(&next),
        [
            "2026-11-01T22:00:00Z",
            "2026-11-01T23:00:00Z",
            "2026-11-02T00:00:00Z",
            "2026-11-02T22:00:00Z",
            "2026-11-02T23:00:00Z"
        ]
    );
}

#[test]
fn jitter_is_the_same_each_day_and_another_for_each_policy() {
    let schedule = Schedule::default();
    let after = time("2026-11-01T12:00:00Z");
    let of = |name: &str| next_runs(&schedule, name, after, 2);
    let first = of("default");
    assert_eq!(first, of("Default"));
    assert_eq!(first[1].duration_since(first[0]).as_hours(), 24);
    let others: BTreeSet<Timestamp> = (0..20).map(|one| of(&format!("p{one}"))[0]).collect();
    assert!(others.len() > 15);
}

#[test]
fn the_default_policy_runs_each_day() {
    let policy = Policy::standard();
    let after = time("2026-11-01T00:00:00Z");
    assert_eq!(
        next_runs(&policy.schedule, &policy.name, after, 30).len(),
        30
    );
}

#[test]
fn an_impossible_date_never_runs() {
    let schedule = cron("0 0 30 2 *", "UTC");
    assert!(next_runs(&schedule, "p", time("2026-01-01T00:00:00Z"), 1).is_empty());
    let due = due(
        &schedule,
        "p",
        time("2026-01-01T00:00:00Z"),
        time("2026-06-01T00:00:00Z"),
    );
    assert_eq!((due.fire, due.next), (Vec::new(), None));
}

#[test]
fn missed_runs_are_skipped_made_up_for_or_each_run() {
    let handled = time("2026-11-01T00:10:00Z");
    let now = time("2026-11-04T12:00:00Z");
    let asked = |missed| {
        let mut schedule = hours(&["01:00"], "UTC");
        schedule.missed = missed;
        due(&schedule, "p", handled, now)
    };
    let skipped = asked(Missed::Skip);
    assert_eq!((skipped.fire.len(), skipped.missed), (0, false));
    assert_eq!(skipped.handled, Some(time("2026-11-04T01:00:00Z")));
    let once = asked(Missed::RunOnce);
    assert_eq!((once.fire.len(), once.missed), (1, true));
    let each = asked(Missed::CatchUp);
    assert_eq!((each.fire.len(), each.missed), (4, true));
    for due in [skipped, once, each] {
        assert_eq!(due.next, Some(time("2026-11-05T01:00:00Z")));
    }
}

#[test]
fn a_run_that_begins_a_little_late_is_not_a_missed_one() {
    let mut schedule = hours(&["01:00"], "UTC");
    schedule.missed = Missed::Skip;
    let handled = time("2026-11-01T00:10:00Z");
    let at = due(&schedule, "p", handled, time("2026-11-01T01:00:09Z"));
    assert_eq!((at.fire.len(), at.missed), (1, false));
}

#[test]
fn what_was_missed_waits_for_the_window_too() {
    let mut schedule = hours(&["23:00"], "UTC");
    schedule.window = Some(Window {
        from: "22:00".to_owned(),
        to: "04:00".to_owned(),
    });
    let handled = time("2026-11-01T12:00:00Z");
    let by_day = due(&schedule, "p", handled, time("2026-11-02T10:00:00Z"));
    assert_eq!((by_day.fire.len(), by_day.handled), (0, None));
    assert_eq!(by_day.next, Some(time("2026-11-02T22:00:00Z")));
    let by_night = due(&schedule, "p", handled, time("2026-11-02T22:00:01Z"));
    assert_eq!((by_night.fire.len(), by_night.missed), (1, true));
}

#[test]
fn after_years_of_downtime_few_runs_are_made_up_for() {
    let mut schedule = every(5);
    schedule.missed = Missed::CatchUp;
    let asked = due(
        &schedule,
        "p",
        time("2025-01-01T00:00:00Z"),
        time("2026-01-01T00:00:00Z"),
    );
    assert_eq!(asked.fire.len(), 24);
}

#[test]
fn a_clock_that_is_set_back_runs_nothing_again_and_goes_on() {
    let schedule = every(60);
    let handled = time("2026-11-03T00:00:00Z");
    let now = time("2026-11-01T00:30:00Z");
    let asked = due(&schedule, "p", handled, now);
    assert!(asked.fire.is_empty());
    assert_eq!(asked.next, Some(time("2026-11-01T01:00:00Z")));
}

#[test]
fn a_clock_that_was_ahead_for_a_while_stops_no_schedule() {
    let schedule = every(60);
    for (ahead, fires) in [
        ("2026-11-02T00:00:00Z", 3),
        ("2036-01-01T00:00:00Z", 3),
        // Told forward and back by a little: what has run does not run again.
        ("2026-11-01T01:00:00Z", 2),
    ] {
        let mut handled = time(ahead);
        let mut fired = Vec::new();
        for minute in 55..=185 {
            let now = time("2026-11-01T00:00:00Z") + SignedDuration::from_mins(minute);
            let asked = due(&schedule, "p", handled, now);
            handled = asked.handled.unwrap_or(handled);
            fired.extend(asked.fire);
        }
        assert_eq!(fired.len(), fires, "{ahead}: {fired:?}");
    }
}

#[test]
fn two_servers_whose_clocks_differ_run_each_time_once() {
    let start = time("2026-11-01T00:30:00Z");
    for minutes in [5, 11, 60, 90, 25 * 60] {
        for missed in [Missed::Skip, Missed::RunOnce, Missed::CatchUp] {
            let mut schedule = every(60);
            schedule.missed = missed;
            let ahead = SignedDuration::from_mins(minutes);
            let (mut handled, mut fired) = (start + ahead, Vec::new());
            let mut servers = [
                (ahead, Reached::at(handled)),
                (SignedDuration::ZERO, Reached::default()),
            ];
            for look in 0..=(5 * 360) {
                for (ahead, reached) in &mut servers {
                    let now = start + SignedDuration::from_secs(10 * look) + *ahead;
                    let asked = reached.due(&schedule, "p", handled, now);
                    if let Some(written) = asked.handled {
                        (handled, *reached) = (written, Reached::at(written));
                    }
                    fired.extend(asked.fire);
                }
            }
            let times: BTreeSet<Timestamp> = fired.iter().copied().collect();
            assert_eq!(times.len(), fired.len(), "{minutes} {missed:?}: {fired:?}");
            assert_eq!(fired.len(), 5, "{minutes} {missed:?}: {fired:?}");
        }
    }
}

#[test]
fn a_time_that_was_rounded_when_it_was_stored_was_set_back_by_nobody() {
    let own = time("2026-11-01T00:30:00.123456789Z");
    let stored = time("2026-11-01T00:30:00.123456Z");
    let now = own + SignedDuration::from_secs(10);
    assert_eq!(Reached::at(own).beyond(stored, now), None);
    let asked = Reached::at(own).due(&every(60), "p", stored, now);
    assert_eq!((asked.handled, asked.fire.len()), (None, 0));
}

#[test]
fn each_refused_member_is_named() {
    let mut policy = Policy::standard();
    policy.name = " x".to_owned();
    policy.schedule.time_zone = "Middle/Earth".to_owned();
    policy.schedule.jitter_minutes = 5000;
    policy.schedule.when = When::Cron {
        expression: "61 * * * *".to_owned(),
    };
    policy.schedule.window = Some(Window {
        from: "25:00".to_owned(),
        to: "6:00".to_owned(),
    });
    policy.limits.runs = Some(0);
    policy.selection.items.insert(
        "a/b".to_owned(),
        model::policy::Choice {
            exclude: vec!["*".to_owned()],
            ..model::policy::Choice::default()
        },
    );
    let pointers: Vec<String> = policy.check().into_iter().map(|one| one.pointer).collect();
    assert_eq!(
        pointers,
        [
            "/name",
            "/selection/items/a~1b/exclude",
            "/schedule/when/expression",
            "/schedule/time_zone",
            "/schedule/jitter_minutes",
            "/schedule/window/from",
            "/schedule/window/to",
            "/limits/runs",
        ]
    );
}

#[test]
fn a_schedule_that_never_comes_is_refused() {
    for (expression, runs) in [
        ("0 0 31 2 *", false),
        ("0 0 30 2 *", false),
        ("0 0 31 4,6,9,11 *", false),
        ("0 0 29 2 *", true),
        ("0 0 31 * *", true),
    ] {
        let wrong = cron(expression, "Europe/Berlin").check();
        assert_eq!(wrong.is_empty(), runs, "{expression}: {wrong:?}");
        let pointers = wrong.iter().map(|one| one.pointer.as_str());
        assert!(pointers.eq((!runs).then_some("/schedule/when/expression")));
    }
    for (minutes, runs) in [(u32::MAX, false), (600_000, false), (527_040, true)] {
        assert_eq!(every(minutes).check().is_empty(), runs, "{minutes}");
    }
}

#[test]
fn a_cron_line_with_a_zone_or_seconds_is_refused() {
    for expression in ["* * * * * UTC", "0 0 * * * *", "", "@daily", "* * * *"] {
        let schedule = cron(expression, "UTC");
        assert_eq!(schedule.check().len(), 1, "{expression}");
    }
}

const ZONES: [&str; 7] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
];

fn schedules() -> impl Strategy<Value = Schedule> {
    let clock = (0_u8..24, 0_u8..60).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
    let when = prop_oneof![
        (5_u32..3000).prop_map(|minutes| When::Interval { minutes }),
        proptest::collection::btree_set(clock.clone(), 1..4).prop_map(|at| When::Hours {
            at,
            days: BTreeSet::new()
        }),
        (0_u8..60, 0_u8..24).prop_map(|(minute, hour)| When::Cron {
            expression: format!("{minute} {hour} * * *")
        }),
        (1_u8..60).prop_map(|step| When::Cron {
            expression: format!("*/{step} * * * *")
        }),
    ];
    let missed = prop_oneof![
        Just(Missed::Skip),
        Just(Missed::RunOnce),
        Just(Missed::CatchUp)
    ];
    let window =
        proptest::option::of((clock.clone(), clock).prop_map(|(from, to)| Window { from, to }));
    (when, 0_usize..ZONES.len(), 0_u32..200, missed, window).prop_map(
        |(when, zone, jitter_minutes, missed, window)| Schedule {
            when,
            time_zone: ZONES[zone].to_owned(),
            jitter_minutes,
            missed,
            window,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn times_grow_and_do_not_depend_on_where_one_looks_from(schedule in schedules(), second in 1_000_000_000_i64..2_000_000_000) {
        let after = Timestamp::from_second(second).unwrap();
        let times = next_runs(&schedule, "policy", after, 8);
        prop_assert_eq!(times.len(), 8);
        prop_assert!(times[0] > after);
        prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
        let later = next_runs(&schedule, "policy", times[3], 4);
        prop_assert_eq!(&later[..], &times[4..]);
        let just_before = times[2] - SignedDuration::from_nanos(1);
        prop_assert_eq!(next_runs(&schedule, "policy", just_before, 1)[0], times[2]);
    }

    #[test]
    fn runs_begin_inside_the_window(schedule in schedules(), second in 1_000_000_000_i64..2_000_000_000) {
        let Some(window) = schedule.window.clone() else { return Ok(()); };
        prop_assume!(window.from != window.to);
        let after = Timestamp::from_second(second).unwrap();
        let zone = TimeZone::get(&schedule.time_zone).unwrap();
        for time in next_runs(&schedule, "policy", after, 5) {
            let wall = time.to_zoned(zone.clone()).strftime("%H:%M").to_string();
            let open = if window.from < window.to {
                window.from <= wall && wall < window.to
            } else {
                window.from <= wall || wall < window.to
            };
            // An opening that the clock jumps over is at the jump.
            let jump = zone.preceding(time + SignedDuration::from_nanos(1)).next().is_some_and(|jump| jump.timestamp() == time);
            prop_assert!(open || jump, "{time} {wall} {window:?}");
        }
    }

    #[test]
    fn a_clock_that_ticks_fires_each_time_once(schedule in schedules(), second in 1_500_000_000_i64..2_000_000_000) {
        let start = Timestamp::from_second(second).unwrap();
        let end = start + SignedDuration::from_hours(26);
        let (mut handled, mut now, mut fired) = (start, start, Vec::new());
        while now < end {
            now += SignedDuration::from_secs(240);
            let asked = due(&schedule, "policy", handled, now);
            prop_assert!(!asked.missed);
            if let Some(to) = asked.handled {
                prop_assert!(to > handled && to <= now);
                handled = to;
            }
            fired.extend(asked.fire.last().copied());
        }
        // Times closer than two ticks may come together.
        let expected: Vec<Timestamp> = next_runs(&schedule, "policy", start, 3000).into_iter().filter(|time| *time <= now).collect();
        prop_assert!(fired.iter().all(|time| expected.contains(time)));
        let alone = expected.windows(2).all(|pair| pair[1].duration_since(pair[0]) >= SignedDuration::from_secs(240));
        if alone {
            prop_assert_eq!(fired, expected);
        }
    }
}

#[test]
fn no_name_of_a_policy_leads_out_of_its_place_in_addresses() {
    let wrong = |name: &str| {
        let mut policy = Policy::standard();
        name.clone_into(&mut policy.name);
        policy.check().iter().any(|one| one.pointer == "/name")
    };
    for name in [".", "..", " a", "", "a/b"] {
        assert!(wrong(name), "{name:?}");
    }
    assert!(!wrong("nightly 2.0") && !wrong("täglich"));
}
