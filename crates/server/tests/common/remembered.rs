//! A repository that the catalog knows.

use catalog::RepositoryRow;
use control::Control;
use model::Secret;

/// By the name `main`, with the password `password`.
pub(crate) async fn remember(control: &Control, location: &str, id: &str) {
    let (catalog, kek) = (&control.catalog, &control.kek);
    let (secret, now) = (Secret::new("password"), control.clock.now());
    catalog
        .put_credential(kek, "password", "password", &secret, now, &mut rand::rng())
        .await
        .unwrap();
    let row = RepositoryRow {
        name: "main".to_owned(),
        location: location.to_owned(),
        id: id.to_owned(),
        password_credential: "password".to_owned(),
        ..RepositoryRow::default()
    };
    catalog.add_repository(&row).await.unwrap();
}
