//! What removes backups waits for another person.

use axum::http::StatusCode;
use model::{ProposalKind, Role};
use serde_json::json;

use crate::harness::{As, World};

struct Two {
    world: World,
    anna: As,
    ben: As,
}

/// Two administrators with four eyes on, and Anna's wish to switch them off.
async fn wish() -> (Two, String, String) {
    let world = World::new().await;
    let anna = world.with("anna", &[Role::Admin]).await;
    let alone = world
        .send(
            &anna,
            "PUT",
            "/settings/four-eyes",
            Some(json!({ "enabled": true })),
        )
        .await;
    assert_eq!(
        (alone.status, alone.code()),
        (StatusCode::UNPROCESSABLE_ENTITY, "approvers-missing")
    );
    let ben = world.with("ben", &[Role::Admin]).await;
    let on = world
        .send(
            &anna,
            "PUT",
            "/settings/four-eyes",
            Some(json!({ "enabled": true })),
        )
        .await;
    assert_eq!(on.status, StatusCode::OK, "{}", on.text);
    let off = world
        .send(
            &anna,
            "PUT",
            "/settings/four-eyes",
            Some(json!({ "enabled": false })),
        )
        .await;
    assert_eq!(off.status, StatusCode::ACCEPTED, "{}", off.text);
    let id = off.json["proposal"].as_str().unwrap().to_owned();
    let shown = world
        .send(&ben, "GET", &format!("/proposals/{id}"), None)
        .await;
    assert_eq!(shown.json["requester"], "anna");
    let hash = shown.json["hash"].as_str().unwrap().to_owned();
    (Two { world, anna, ben }, id, hash)
}

impl Two {
    async fn approve(&self, who: &As, id: &str, hash: &str) -> (StatusCode, String) {
        let path = format!("/proposals/{id}/approve");
        let answer = self
            .world
            .send(who, "POST", &path, Some(json!({ "hash": hash })))
            .await;
        (answer.status, answer.code().to_owned())
    }

    async fn on(&self) -> bool {
        self.world.server.control.four_eyes().await.unwrap()
    }
}

#[tokio::test]
async fn another_person_approves_and_it_is_done_once() {
    let (two, id, hash) = wish().await;
    assert_eq!(
        two.approve(&two.anna, &id, &hash).await,
        (StatusCode::FORBIDDEN, "proposal-own".to_owned())
    );
    let made = json!({ "name": "t", "permissions": ["approve", "read-status"] });
    let made = two
        .world
        .send(&two.anna, "POST", "/tokens", Some(made))
        .await;
    let token = As::bearer(made.json["secret"].as_str().unwrap());
    assert_eq!(
        two.approve(&token, &id, &hash).await,
        (StatusCode::FORBIDDEN, "proposal-own".to_owned())
    );
    let other = two.approve(&two.ben, &id, "another").await;
    assert_eq!(other, (StatusCode::CONFLICT, "proposal-changed".to_owned()));
    assert!(two.on().await);
    assert_eq!(two.approve(&two.ben, &id, &hash).await.0, StatusCode::OK);
    assert!(!two.on().await);
    assert_eq!(
        two.approve(&two.ben, &id, &hash).await,
        (StatusCode::CONFLICT, "proposal-closed".to_owned())
    );
    let actions = two.world.actions().await;
    assert!(
        actions.contains(&"proposal.add".to_owned())
            && actions.contains(&"proposal.approve".to_owned())
    );
}

#[tokio::test]
async fn a_rejected_withdrawn_or_old_proposal_is_not_done() {
    let (two, id, hash) = wish().await;
    let reject = json!({ "reason": "no" });
    let path = format!("/proposals/{id}/reject");
    let own = two
        .world
        .send(&two.anna, "POST", &path, Some(reject.clone()))
        .await;
    assert_eq!(own.code(), "proposal-own");
    let rejected = two.world.send(&two.ben, "POST", &path, Some(reject)).await;
    assert_eq!(
        (&rejected.json["state"], &rejected.json["result"]),
        (&json!("rejected"), &json!("no"))
    );
    assert_eq!(two.approve(&two.ben, &id, &hash).await.1, "proposal-closed");

    let (two, id, hash) = wish().await;
    let path = format!("/proposals/{id}/withdraw");
    assert_eq!(
        two.world.send(&two.ben, "POST", &path, None).await.code(),
        "proposal-of-others"
    );
    assert_eq!(
        two.world.send(&two.anna, "POST", &path, None).await.json["state"],
        "withdrawn"
    );
    assert_eq!(two.approve(&two.ben, &id, &hash).await.1, "proposal-closed");

    let (two, id, hash) = wish().await;
    two.world.pass(24 * 3600);
    let ben = two
        .world
        .session(&two.world.catalog().person("ben").await.unwrap().id)
        .await;
    assert_eq!(two.approve(&ben, &id, &hash).await.1, "proposal-closed");
    assert!(two.on().await);
}

#[tokio::test]
async fn what_cannot_be_done_any_more_fails_and_stays_undone() {
    let (two, _, _) = wish().await;
    let kind = ProposalKind::ForgetSnapshots {
        repository: "gone".to_owned(),
        snapshots: vec!["0".repeat(64)],
    };
    let anna = two.world.catalog().person("anna").await.unwrap();
    let requester = catalog::Requester {
        person: Some(anna.id),
        name: anna.name,
    };
    let proposal = two
        .world
        .server
        .control
        .propose(&requester, &kind)
        .await
        .unwrap();
    let path = format!("/proposals/{}/approve", proposal.id);
    let done = two
        .world
        .send(
            &two.ben,
            "POST",
            &path,
            Some(json!({ "hash": proposal.hash })),
        )
        .await;
    assert_eq!(
        (done.status, &done.json["state"]),
        (StatusCode::OK, &json!("failed"))
    );
    assert!(done.json["result"].as_str().unwrap().contains("gone"));
}

#[tokio::test]
async fn the_machine_is_no_second_person() {
    let (two, id, hash) = wish().await;
    let body = json!({ "hash": hash }).to_string().into_bytes();
    let method = axum::http::Method::POST;
    let answer = two
        .world
        .server
        .call(method, &format!("/proposals/{id}/approve"), Some(body))
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(two.on().await);
}

#[tokio::test]
async fn a_policy_that_is_added_or_removed_and_keeps_less_waits_too() {
    let (two, _, _) = wish().await;
    let world = &two.world;
    let connector = model::Connector {
        name: "contoso".to_owned(),
        service: "azure-devops".to_owned(),
        organization: "contoso".to_owned(),
        credential: "pat".to_owned(),
        ..model::Connector::default()
    };
    let catalog = &world.server.control.catalog;
    let (kek, now) = (&world.server.control.kek, world.server.control.clock.now());
    for name in ["pat", "password"] {
        let secret = model::Secret::new("secret");
        catalog
            .put_credential(kek, name, "pat", &secret, now, &mut rand::rng())
            .await
            .unwrap();
    }
    catalog.add_connector(&connector).await.unwrap();
    let repository = catalog::RepositoryRow {
        name: "main".to_owned(),
        location: "/repository".to_owned(),
        password_credential: "password".to_owned(),
        ..catalog::RepositoryRow::default()
    };
    catalog.add_repository(&repository).await.unwrap();
    let proposed = async |method: &str, path: &str, body| {
        let answer = world.send(&two.anna, method, path, body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        let id = answer.json["proposal"].as_str().unwrap().to_owned();
        let shown = world
            .send(&two.ben, "GET", &format!("/proposals/{id}"), None)
            .await;
        (id, shown.json["hash"].as_str().unwrap().to_owned())
    };
    // It would take the connector from the default policy, which keeps a year.
    let short = json!({ "name": "short", "connectors": ["contoso"], "retention": { "last": 1 } });
    let (id, hash) = proposed("POST", "/policies", Some(short)).await;
    assert!(catalog.policy("short").await.is_err());
    assert_eq!(two.approve(&two.ben, &id, &hash).await.0, StatusCode::OK);
    assert_eq!(
        catalog.policy("short").await.unwrap().policy.retention.last,
        1
    );
    catalog.remove_policy("short").await.unwrap();
    // Without it the default policy decides, which keeps less.
    let long = model::Policy {
        name: "long".to_owned(),
        connectors: vec!["contoso".to_owned()],
        retention: model::policy::Keep {
            daily: 3000,
            weekly: 3000,
            monthly: 3000,
            ..model::policy::Keep::default()
        },
        ..model::Policy::standard()
    };
    catalog.add_policy(&long, now).await.unwrap();
    let (stale, stale_hash) = proposed("DELETE", "/policies/long", None).await;
    let version = catalog.policy("long").await.unwrap().version;
    catalog
        .replace_policy("long", version, &long, now)
        .await
        .unwrap();
    two.approve(&two.ben, &stale, &stale_hash).await;
    // It was changed since: somebody else approved another one.
    catalog.policy("long").await.unwrap();
    let (id, hash) = proposed("DELETE", "/policies/long", None).await;
    two.approve(&two.ben, &id, &hash).await;
    assert!(catalog.policy("long").await.is_err());
}

/// Four eyes of one person: an account that was made, or taken over, to approve.
#[tokio::test]
async fn an_account_that_was_made_or_changed_for_it_does_not_approve() {
    let (two, id, hash) = wish().await;
    let world = &two.world;
    let made = json!({ "name": "eve", "password": "a third horse 17", "roles": ["admin"] });
    let made = world.send(&two.anna, "POST", "/people", Some(made)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let set = json!({ "password": "a fourth horse 17" });
    let set = world
        .send(&two.anna, "PUT", "/people/ben/password", Some(set))
        .await;
    assert_eq!(set.status, StatusCode::NO_CONTENT, "{}", set.text);
    for (name, password) in [("eve", "a third horse 17"), ("ben", "a fourth horse 17")] {
        let signed = world.sign_in(name, password).await;
        let who = As::cookie(&signed.cookie("keepward").unwrap());
        assert_eq!(
            two.approve(&who, &id, &hash).await,
            (StatusCode::FORBIDDEN, "approver-changed".to_owned())
        );
    }
    assert!(two.on().await);
}

/// The same the other way round: the account first, the wish afterwards.
#[tokio::test]
async fn an_account_that_was_made_or_taken_over_before_it_does_not_approve_for_a_week() {
    let (two, _, _) = wish().await;
    let world = &two.world;
    let eve = json!({ "name": "eve", "password": "a third horse 17", "roles": ["admin"] });
    let eve = world.send(&two.anna, "POST", "/people", Some(eve)).await;
    assert_eq!(eve.status, StatusCode::CREATED, "{}", eve.text);
    let set = json!({ "password": "a fourth horse 17" });
    let set = world
        .send(&two.anna, "PUT", "/people/ben/password", Some(set))
        .await;
    assert_eq!(set.status, StatusCode::NO_CONTENT, "{}", set.text);
    let sign_in = async |name: &str, password: &str| {
        let signed = world.sign_in(name, password).await;
        As::cookie(&signed.cookie("keepward").unwrap())
    };
    let people = [
        sign_in("eve", "a third horse 17").await,
        sign_in("ben", "a fourth horse 17").await,
    ];
    let asked = async || {
        world.pass(60);
        let anna = world.catalog().person("anna").await.unwrap();
        let anna = world.session(&anna.id).await;
        // To say again that it is on does not make the week begin later.
        let again = json!({ "enabled": true });
        world
            .send(&anna, "PUT", "/settings/four-eyes", Some(again))
            .await;
        let off = json!({ "enabled": false });
        let off = world
            .send(&anna, "PUT", "/settings/four-eyes", Some(off))
            .await;
        let id = off.json["proposal"].as_str().unwrap().to_owned();
        let shown = world
            .send(&anna, "GET", &format!("/proposals/{id}"), None)
            .await;
        (id, shown.json["hash"].as_str().unwrap().to_owned())
    };
    let (id, hash) = asked().await;
    for who in &people {
        assert_eq!(
            two.approve(who, &id, &hash).await,
            (StatusCode::FORBIDDEN, "approver-changed".to_owned())
        );
    }
    assert!(two.on().await);
    world.pass(7 * 24 * 3600);
    let ben = sign_in("ben", "a fourth horse 17").await;
    let (id, hash) = asked().await;
    assert_eq!(two.approve(&ben, &id, &hash).await.0, StatusCode::OK);
    assert!(!two.on().await);
}
