//! Where a backup runs.

use jiff::SignedDuration;

use crate::Site;

#[tokio::test]
async fn xa_12_the_default_worker_of_a_connector_runs_its_backups_and_no_other_does() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let catalog = &site.control.catalog;
    let mut connector = catalog.connector("contoso").await.unwrap();
    connector.worker = Some("basement".to_owned());
    catalog.replace_connector(&connector).await.unwrap();
    let run = site.asked("contoso").await;
    assert_eq!(site.work().await, 0, "it is not this worker's");
    site.pass(SignedDuration::from_mins(10));
    let why = site.waits(&run).await;
    assert_eq!(why.code, "worker-missing");
    assert!(why.message.contains("basement"), "{}", why.message);
}
