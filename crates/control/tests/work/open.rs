//! What opens a repository, and what has to be proved before something is written into it.

use catalog::RepositoryRow;
use model::Secret;

use crate::Site;

#[tokio::test]
async fn only_a_credential_of_a_storage_is_sent_to_one() {
    let site = Site::new().await;
    let connector = site.connector("contoso").await;
    let main = site.control.catalog.repository("main").await.unwrap();
    let elsewhere = RepositoryRow {
        location: "s3://backups?endpoint=http://127.0.0.1:9".to_owned(),
        storage_credential: Some(connector.credential),
        ..main.clone()
    };
    // The token of a connector would be told to whoever runs that endpoint.
    for refused in [
        site.control.open_repository(&elsewhere).await.map(drop),
        site.control.read_repository(&elsewhere).await.map(drop),
        site.control.store_of(&elsewhere).await.map(drop),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Some("storage-credential"));
        assert!(
            refused
                .to_string()
                .contains("is no credential of a storage"),
            "{refused}"
        );
    }
    let (catalog, now) = (&site.control.catalog, site.now());
    let (secret, rng) = (Secret::new("not the secret of an S3 key"), &mut rand::rng());
    catalog
        .put_credential(&site.control.kek, "store", "storage", &secret, now, rng)
        .await
        .unwrap();
    let named = RepositoryRow {
        storage_credential: Some("store".to_owned()),
        ..elsewhere
    };
    let refused = site
        .control
        .open_repository(&named)
        .await
        .map(drop)
        .unwrap_err();
    assert!(
        !refused
            .to_string()
            .contains("is no credential of a storage"),
        "it is one, of another form: {refused}"
    );
    site.control.open_repository(&main).await.unwrap();
}

#[tokio::test]
async fn an_object_lock_is_proved_before_anything_is_written_and_not_for_reading() {
    let site = Site::new().await;
    let main = site.control.catalog.repository("main").await.unwrap();
    let rule = r#"{"mode":"compliance","keep":"PT720H"}"#.to_owned();
    let believed = RepositoryRow {
        object_lock: Some(rule),
        ..main.clone()
    };
    let refused = site
        .control
        .open_repository(&believed)
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(refused.code(), Some("object-lock-unproved"), "{refused}");
    site.control.read_repository(&believed).await.unwrap();
    // A rule that is not understood is no reason to do without one.
    let damaged = RepositoryRow {
        object_lock: Some("{}".to_owned()),
        ..main
    };
    let refused = site
        .control
        .open_repository(&damaged)
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(refused.code(), Some("catalog-damaged"));
}
