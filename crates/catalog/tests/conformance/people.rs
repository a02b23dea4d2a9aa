use std::collections::BTreeSet;

use catalog::{
    Catalog, Error, Identity, NewPerson, NewSession, Page, PendingSignIn, PersonChange,
    SecondFactor, TokenRow,
};
use model::{Permission, Role};

use crate::support::{Place, at};

pub(crate) fn person(name: &str, roles: &[Role]) -> NewPerson {
    NewPerson {
        id: format!("id-of-{}", name.to_lowercase()),
        name: name.to_owned(),
        roles: roles.iter().copied().collect(),
        connectors: None,
        password: Some("hash".to_owned()),
        created: at(0),
    }
}

async fn with_people(place: &Place) -> Catalog {
    let catalog = place.open().await;
    catalog
        .add_person(&person("Anna", &[Role::Admin]))
        .await
        .unwrap();
    catalog
        .add_person(&person("Ben", &[Role::Viewer]))
        .await
        .unwrap();
    catalog
}

fn change(roles: &[Role]) -> PersonChange {
    PersonChange {
        roles: Some(roles.iter().copied().collect()),
        ..PersonChange::default()
    }
}

pub(crate) async fn names_are_unique_and_the_last_administrator_stays(place: Place) {
    let catalog = with_people(&place).await;
    let taken = catalog.add_person(&person("aNNA", &[Role::Viewer])).await;
    assert_eq!(taken.unwrap_err().code(), Some("person-exists"));
    let anna = catalog.person("ANNA").await.unwrap();
    let disabled = PersonChange {
        disabled: Some(true),
        ..PersonChange::default()
    };
    for refused in [
        catalog
            .change_person(&anna.id, &change(&[Role::Viewer]))
            .await,
        catalog.change_person(&anna.id, &disabled).await,
        catalog.remove_person(&anna.id).await,
    ] {
        assert!(matches!(refused, Err(Error::LastAdministrator)));
    }
    let ben = catalog.person("ben").await.unwrap();
    catalog
        .change_person(&ben.id, &change(&[Role::Admin, Role::Auditor]))
        .await
        .unwrap();
    catalog.change_person(&ben.id, &disabled).await.unwrap();
    // One who may not sign in is nobody to rely on.
    assert!(matches!(
        catalog.remove_person(&anna.id).await,
        Err(Error::LastAdministrator)
    ));
    let enabled = PersonChange {
        disabled: Some(false),
        ..PersonChange::default()
    };
    catalog.change_person(&ben.id, &enabled).await.unwrap();
    catalog.remove_person(&anna.id).await.unwrap();
    assert!(catalog.person("anna").await.is_err());
    assert_eq!(
        catalog.person("ben").await.unwrap().roles,
        BTreeSet::from([Role::Admin, Role::Auditor])
    );
}

pub(crate) async fn two_administrators_cannot_remove_each_other_at_once(place: Place) {
    for round in 0..10 {
        let catalog = place.open().await;
        let (one, two) = (format!("one{round}"), format!("two{round}"));
        for name in [&one, &two] {
            catalog
                .add_person(&person(name, &[Role::Admin]))
                .await
                .unwrap();
        }
        for other in catalog.people(&Page::first(100)).await.unwrap().items {
            if other.name != one && other.name != two {
                catalog.remove_person(&other.id).await.unwrap();
            }
        }
        let other = place.open().await;
        let (one, two) = (format!("id-of-{one}"), format!("id-of-{two}"));
        let (first, second) = tokio::join!(catalog.remove_person(&one), other.remove_person(&two),);
        assert_eq!(
            usize::from(first.is_ok()) + usize::from(second.is_ok()),
            1,
            "{first:?} {second:?}"
        );
    }
}

pub(crate) async fn the_first_account_takes_the_setup_token(place: Place) {
    let catalog = place.open().await;
    assert!(catalog.offer_setup("one").await.unwrap());
    assert!(catalog.offer_setup("two").await.unwrap());
    let anna = person("anna", &[Role::Admin]);
    // Another start made another token.
    let refused = catalog.add_first_person("one", &anna).await;
    assert!(matches!(refused, Err(Error::SetupRefused)));
    catalog.add_first_person("two", &anna).await.unwrap();
    let again = catalog
        .add_first_person("two", &person("ben", &[Role::Admin]))
        .await;
    assert!(matches!(again, Err(Error::SetupRefused)));
    assert!(!catalog.offer_setup("three").await.unwrap());
}

pub(crate) async fn an_account_made_by_hand_voids_the_setup_token(place: Place) {
    let catalog = place.open().await;
    catalog.offer_setup("one").await.unwrap();
    catalog
        .add_person(&person("anna", &[Role::Viewer]))
        .await
        .unwrap();
    let refused = catalog
        .add_first_person("one", &person("eve", &[Role::Admin]))
        .await;
    assert!(matches!(refused, Err(Error::SetupRefused)));
}

fn session(person: &str, number: i64) -> NewSession {
    NewSession {
        hash: format!("hash-{person}-{number}"),
        id: format!("session-{person}-{number}"),
        person: format!("id-of-{person}"),
        method: "password".to_owned(),
        created: at(number),
        expires: at(number + 1000),
        address: Some("192.0.2.1".to_owned()),
        agent: None,
    }
}

pub(crate) async fn sessions_end_with_their_person(place: Place) {
    let catalog = with_people(&place).await;
    for number in 1..4 {
        catalog.add_session(&session("ben", number)).await.unwrap();
    }
    let (found, owner) = catalog.session("hash-ben-1").await.unwrap().unwrap();
    assert_eq!(
        (found.id.as_str(), owner.name.as_str()),
        ("session-ben-1", "Ben")
    );
    catalog
        .touch_session("session-ben-3", at(500))
        .await
        .unwrap();
    let used = catalog
        .sessions(Some("id-of-ben"), at(500), at(100), &Page::first(10))
        .await
        .unwrap();
    assert_eq!(used.items.len(), 1);
    assert!(
        !catalog
            .remove_session("session-ben-1", Some("id-of-anna"))
            .await
            .unwrap()
    );
    assert!(
        catalog
            .remove_session("session-ben-1", Some("id-of-ben"))
            .await
            .unwrap()
    );
    catalog
        .set_password("id-of-ben", "new", Some("session-ben-2"))
        .await
        .unwrap();
    assert!(catalog.session("hash-ben-2").await.unwrap().is_some());
    assert!(catalog.session("hash-ben-3").await.unwrap().is_none());
    let disabled = PersonChange {
        disabled: Some(true),
        ..PersonChange::default()
    };
    catalog.change_person("id-of-ben", &disabled).await.unwrap();
    assert!(catalog.session("hash-ben-2").await.unwrap().is_none());
}

pub(crate) async fn a_token_shows_its_owner_as_they_are_now(place: Place) {
    let catalog = with_people(&place).await;
    let token = TokenRow {
        id: "t1".to_owned(),
        name: "nightly".to_owned(),
        person: String::new(),
        prefix: "abc".to_owned(),
        permissions: [Permission::ReadStatus].into(),
        connectors: Some(["Contoso".to_owned()].into()),
        created: at(0),
        expires: at(10),
        used: None,
    };
    catalog
        .add_token("id-of-ben", &token, "hash")
        .await
        .unwrap();
    let orphan = catalog
        .add_token(
            "id-of-nobody",
            &TokenRow {
                id: "t2".into(),
                prefix: "d".into(),
                ..token
            },
            "h",
        )
        .await;
    assert_eq!(orphan.unwrap_err().code(), Some("person-unknown"));
    catalog
        .change_person("id-of-ben", &change(&[Role::Operator]))
        .await
        .unwrap();
    catalog.touch_token("t1", at(5)).await.unwrap();
    catalog.touch_token("t1", at(4)).await.unwrap();
    let proof = catalog.token("abc").await.unwrap().unwrap();
    assert_eq!(proof.owner.roles, [Role::Operator].into());
    assert_eq!(
        (proof.hash.as_str(), proof.token.used),
        ("hash", Some(at(5)))
    );
    assert_eq!(proof.token.connectors, Some(["contoso".to_owned()].into()));
    assert!(
        !catalog
            .remove_token("t1", Some("id-of-anna"))
            .await
            .unwrap()
    );
    catalog.remove_person("id-of-ben").await.unwrap();
    assert!(catalog.token("abc").await.unwrap().is_none());
}

pub(crate) async fn a_code_is_good_once(place: Place) {
    let catalog = with_people(&place).await;
    let id = "id-of-ben";
    assert!(!catalog.take_step(id, 100).await.unwrap());
    assert!(catalog.begin_second_factor(id).await.unwrap());
    assert!(!catalog.take_step(id, 100).await.unwrap());
    let recovery = ["r1".to_owned(), "r2".to_owned()];
    assert!(
        catalog
            .confirm_second_factor(id, 100, &recovery)
            .await
            .unwrap()
    );
    assert_eq!(
        catalog.person("ben").await.unwrap().second_factor,
        SecondFactor::On
    );
    assert!(!catalog.begin_second_factor(id).await.unwrap());
    assert!(!catalog.take_step(id, 100).await.unwrap());
    let (first, second) = tokio::join!(catalog.take_step(id, 101), catalog.take_step(id, 101));
    assert_ne!(first.unwrap(), second.unwrap());
    assert!(!catalog.take_step(id, 99).await.unwrap());
    assert!(catalog.take_recovery_code(id, "r1").await.unwrap());
    assert!(!catalog.take_recovery_code(id, "r1").await.unwrap());
    assert!(
        !catalog
            .take_recovery_code("id-of-anna", "r2")
            .await
            .unwrap()
    );
    catalog.end_second_factor(id).await.unwrap();
    assert!(!catalog.take_recovery_code(id, "r2").await.unwrap());
}

pub(crate) async fn identities_belong_to_one_person(place: Place) {
    let catalog = with_people(&place).await;
    let identity = |issuer: &str, subject: &str| Identity {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
    };
    let mine = identity("https://a.example", "1");
    catalog
        .add_person_with(&person("carl", &[Role::Viewer]), &mine)
        .await
        .unwrap();
    assert_eq!(
        catalog.person_of(&mine).await.unwrap().unwrap().name,
        "carl"
    );
    // The same subject of another issuer is somebody else.
    assert_eq!(
        catalog
            .person_of(&identity("https://b.example", "1"))
            .await
            .unwrap(),
        None
    );
    let taken = catalog
        .add_person_with(
            &person("Anna", &[Role::Admin]),
            &identity("https://b.example", "1"),
        )
        .await;
    assert!(matches!(taken, Err(Error::PersonExists { .. })));
    assert_eq!(
        catalog
            .person_of(&identity("https://b.example", "1"))
            .await
            .unwrap(),
        None
    );
}

pub(crate) async fn a_pending_sign_in_is_taken_once_and_in_time(place: Place) {
    let catalog = place.open().await;
    let pending = |hash: &str| PendingSignIn {
        hash: hash.to_owned(),
        browser: "b".to_owned(),
        provider: "entra".to_owned(),
        return_to: "/".to_owned(),
        expires: at(10),
    };
    for hash in ["one", "two"] {
        catalog.begin_oidc(&pending(hash), at(0)).await.unwrap();
    }
    assert_eq!(
        catalog.take_oidc("one", at(9)).await.unwrap(),
        Some(pending("one"))
    );
    assert_eq!(catalog.take_oidc("one", at(9)).await.unwrap(), None);
    assert_eq!(catalog.take_oidc("two", at(10)).await.unwrap(), None);
}

pub(crate) async fn attempts_are_counted_until_their_time(place: Place) {
    let catalog = place.open().await;
    let keys = [("name:anna".to_owned(), 2), ("address:a".to_owned(), 3)];
    let count = async |second| {
        catalog
            .count_attempt(&keys, at(second), at(second + 100))
            .await
            .unwrap()
    };
    assert_eq!(count(0).await, None);
    assert_eq!(count(1).await, None);
    // The time runs from the first attempt on, however many follow.
    assert_eq!(count(2).await, Some(at(100)));
    assert_eq!(count(99).await, Some(at(100)));
    assert_eq!(count(100).await, None);
    catalog
        .forgive_attempt("name:anna", "address:a")
        .await
        .unwrap();
    for second in 101..103 {
        assert_eq!(count(second).await, None);
    }
    assert!(count(104).await.is_some());
}
