//! What is selected gets into snapshots, what is not stays as it was.

use catalog::Page;
use engine::backup::read_source;
use model::policy::Choice;
use model::{Policy, Run, RunState};

use crate::Site;

async fn choose(site: &Site, choice: Choice) {
    let catalog = &site.control.catalog;
    let row = catalog.policy("default").await.unwrap();
    let mut policy: Policy = row.policy;
    policy.selection.items.insert("box".to_owned(), choice);
    catalog
        .replace_policy("default", row.version, &policy, site.now())
        .await
        .unwrap();
}

/// Items of boxes and leaves in the newest snapshot.
async fn back_up(site: &Site) -> (u64, u64) {
    let run = ended(site).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.error);
    counts(&run)
}

fn counts(run: &Run) -> (u64, u64) {
    let items = |kind: &str| run.counts.kinds[kind].items;
    (items("box"), items("leaf"))
}

async fn ended(site: &Site) -> Run {
    let run = site.asked("contoso").await;
    site.work().await;
    site.pass(jiff::SignedDuration::from_mins(1));
    site.run(&run.id).await
}

#[tokio::test]
async fn what_is_no_longer_selected_is_never_deleted() {
    let site = Site::new().await;
    site.connector("contoso").await;
    for number in 0..4 {
        let id = format!("c{number}");
        site.world.put("box", "", &id, &format!("Other {number}"));
        site.world.put("leaf", &id, "l", "leaf");
    }
    assert_eq!(back_up(&site).await, (5, 5));
    choose(
        &site,
        Choice {
            include: vec!["first".to_owned()],
            ..Choice::default()
        },
    )
    .await;
    // What happens to the others is not looked at, whatever it is.
    site.world.remove("leaf", "c1", "l");
    site.world.remove("box", "", "c2");
    site.world.remove("leaf", "c2", "l");
    site.world.put("leaf", "c3", "new", "leaf");
    site.world.put("leaf", "b1", "new", "leaf");
    assert_eq!(back_up(&site).await, (5, 6));
    let repository = site.repository().await;
    let newest = repository
        .snapshots()
        .await
        .unwrap()
        .into_iter()
        .max_by_key(|(_, snapshot)| snapshot.time)
        .unwrap();
    let service = site.control.service("fake").unwrap();
    let source = read_source(&repository, service, newest.1.tree)
        .await
        .unwrap();
    assert_eq!(source.picks.0["box"].include, ["first"]);
    // Selected again, all is seen.
    choose(
        &site,
        Choice {
            exclude: vec!["other 3".to_owned()],
            ..Choice::default()
        },
    )
    .await;
    let run = ended(&site).await;
    assert_eq!(counts(&run), (5, 5 + 1 - 1));
    // A box that vanished without a word takes all in it along: that is doubted first.
    assert_eq!(run.state, RunState::SucceededWithIssues);
    let issues = site
        .control
        .catalog
        .issues(&run.id, &Page::first(10))
        .await
        .unwrap();
    let codes: Vec<&str> = issues
        .items
        .iter()
        .map(|row| row.issue.code.as_str())
        .collect();
    assert_eq!(codes[0], "implausible-drop", "{codes:?}");
}

#[tokio::test]
async fn xa_10_a_new_one_is_in_with_the_switch_on_and_absent_with_it_off() {
    for (add_new, expected) in [(true, (2, 2)), (false, (1, 1))] {
        let site = Site::new().await;
        let mut connector = site.connector("contoso").await;
        connector.sync.add_new = add_new;
        site.control
            .catalog
            .replace_connector(&connector)
            .await
            .unwrap();
        site.control
            .find_new_due(&mut control::Remembered::default())
            .await
            .unwrap();
        assert_eq!(back_up(&site).await, (1, 1));
        site.world.put("box", "", "b2", "second");
        site.world.put("leaf", "b2", "l", "leaf");
        let new = site.control.find_new(&connector).await.unwrap();
        assert_eq!(new, [("box".to_owned(), vec!["b2".to_owned()])]);
        assert_eq!(back_up(&site).await, expected);
        // Switched on later, it comes in.
        connector.sync.add_new = true;
        site.control
            .catalog
            .replace_connector(&connector)
            .await
            .unwrap();
        assert_eq!(back_up(&site).await, (2, 2));
    }
}

#[tokio::test]
async fn a_policy_may_leave_new_ones_out_too_and_one_that_is_named_is_in() {
    let site = Site::new().await;
    let connector = site.connector("contoso").await;
    site.control.find_new(&connector).await.unwrap();
    let closed = Choice {
        new: false,
        closed: Some(site.now()),
        ..Choice::default()
    };
    choose(&site, closed.clone()).await;
    site.pass(jiff::SignedDuration::from_mins(1));
    site.world.put("box", "", "b2", "second");
    site.world.put("box", "", "b3", "third");
    assert_eq!(back_up(&site).await.0, 1);
    choose(
        &site,
        Choice {
            include: vec!["first".to_owned(), "third".to_owned()],
            ..closed
        },
    )
    .await;
    assert_eq!(back_up(&site).await.0, 2);
}
