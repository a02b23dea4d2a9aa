use catalog::{Error, Kek, RepositoryRow};
use model::{Connector, Secret};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::support::{Place, at};

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

pub(crate) async fn a_credential_comes_back_as_it_was_stored(place: Place) {
    let (catalog, kek, mut rng) = (place.open().await, Kek::generate(&mut rng()), rng());
    let secret = Secret::new("pät\0 \u{FDD0} '; DROP TABLE credential; --");
    catalog
        .put_credential(&kek, "Contoso", "pat", &secret, at(1), &mut rng)
        .await
        .unwrap();
    let found = catalog
        .get_credential(&kek, "CONTOSO")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.expose(), secret.expose());
    assert!(
        catalog
            .get_credential(&kek, "other")
            .await
            .unwrap()
            .is_none()
    );

    catalog
        .put_credential(&kek, "contoso", "pat", &Secret::new("new"), at(2), &mut rng)
        .await
        .unwrap();
    let rows = catalog.credentials().await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].created, rows[0].updated), (at(1), at(2)));
    let reopened = place
        .open()
        .await
        .get_credential(&kek, "contoso")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reopened.expose(), "new");
}

pub(crate) async fn another_key_opens_nothing(place: Place) {
    let (catalog, mut rng) = (place.open().await, rng());
    let (right, wrong) = (Kek::new([1; 32]), Kek::new([2; 32]));
    catalog
        .put_credential(&right, "a", "pat", &Secret::new("s"), at(0), &mut rng)
        .await
        .unwrap();
    let refused = catalog.get_credential(&wrong, "a").await.err().unwrap();
    assert!(matches!(refused, Error::WrongKey { .. }));
    assert!(refused.code().is_some());
}

pub(crate) async fn a_rotated_key_replaces_the_old_one(place: Place) {
    let (catalog, mut rng) = (place.open().await, rng());
    let (old, new) = (Kek::new([1; 32]), Kek::new([2; 32]));
    for name in ["a", "b", "c"] {
        catalog
            .put_credential(&old, name, "pat", &Secret::new(name), at(0), &mut rng)
            .await
            .unwrap();
    }
    assert!(catalog.rotate_kek(&new, &old, &mut rng).await.is_err());
    assert_eq!(catalog.rotate_kek(&old, &new, &mut rng).await.unwrap(), 3);
    for name in ["a", "b", "c"] {
        assert_eq!(
            catalog
                .get_credential(&new, name)
                .await
                .unwrap()
                .unwrap()
                .expose(),
            name
        );
        assert!(catalog.get_credential(&old, name).await.is_err());
    }
}

pub(crate) async fn a_credential_in_use_cannot_be_removed(place: Place) {
    let (catalog, mut rng, kek) = (place.open().await, rng(), Kek::new([1; 32]));
    for name in ["token", "password", "spare"] {
        catalog
            .put_credential(&kek, name, "pat", &Secret::new("s"), at(0), &mut rng)
            .await
            .unwrap();
    }
    let connector = Connector {
        name: "contoso".to_owned(),
        service: "azure-devops".to_owned(),
        organization: "contoso".to_owned(),
        url: None,
        method: "pat".to_owned(),
        credential: "Token".to_owned(),
        ..Connector::default()
    };
    catalog.add_connector(&connector).await.unwrap();
    let repository = RepositoryRow {
        name: "main".to_owned(),
        location: "/srv/main".to_owned(),
        id: "9d1a".to_owned(),
        password_credential: "password".to_owned(),
        ..RepositoryRow::default()
    };
    catalog.add_repository(&repository).await.unwrap();

    let refused = catalog.remove_credential("TOKEN").await.unwrap_err();
    assert!(
        matches!(&refused, Error::CredentialInUse { users, .. } if users == "connector contoso")
    );
    let refused = catalog.remove_credential("password").await.unwrap_err();
    assert!(matches!(&refused, Error::CredentialInUse { users, .. } if users == "repository main"));
    catalog.remove_credential("spare").await.unwrap();
    let unknown = catalog.remove_credential("spare").await.unwrap_err();
    assert!(matches!(unknown, Error::CredentialUnknown { .. }));
    catalog.remove_connector("Contoso").await.unwrap();
    catalog.remove_credential("token").await.unwrap();
}
