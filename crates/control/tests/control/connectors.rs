//! Connectors that are changed, and secrets that stay with their hosts.

use control::{ConnectorEdit, IdentityChoice};
use model::Connector;

use crate::Installation;

impl Installation {
    /// Changes the organization, while somebody does something else to the connector before the check has ended.
    async fn edit_while(&self, other: impl AsyncFnOnce()) -> Result<(), String> {
        let edit = ConnectorEdit {
            organization: Some("Fabrikam".to_owned()),
            ..ConnectorEdit::default()
        };
        *self.world.hold.lock().unwrap() = true;
        let meanwhile = async {
            self.world.begun.notified().await;
            other().await;
            *self.world.hold.lock().unwrap() = false;
            self.world.release.notify_one();
        };
        let (edited, ()) = tokio::join!(self.control.edit_connector("Contoso", edit), meanwhile);
        let told = |error: control::Error| error.code().unwrap_or("no code").to_owned();
        edited.map(drop).map_err(told)
    }
}

#[tokio::test]
async fn a_connector_that_is_removed_while_an_edit_is_checked_stays_removed() {
    let installation = Installation::new().await;
    let catalog = &installation.control.catalog;
    let edited = installation
        .edit_while(async || catalog.remove_connector("Contoso").await.unwrap())
        .await;
    assert_eq!(edited, Err("connector-unknown".to_owned()));
    assert_eq!(catalog.connectors().await.unwrap(), []);
}

#[tokio::test]
async fn an_edit_overrules_nobody_who_changed_the_connector_while_it_was_checked() {
    let installation = Installation::new().await;
    let catalog = &installation.control.catalog;
    let theirs = Connector {
        worker: Some("edge".to_owned()),
        ..catalog.connector("Contoso").await.unwrap()
    };
    let edited = installation
        .edit_while(async || catalog.replace_connector(&theirs).await.unwrap())
        .await;
    assert_eq!(edited, Err("connector-changed".to_owned()));
    assert_eq!(catalog.connector("Contoso").await.unwrap(), theirs);
    // Nobody is in the way of the next one.
    let edited = installation.edit_while(async || ()).await;
    assert_eq!(edited, Ok(()));
    let now = catalog.connector("Contoso").await.unwrap();
    assert_eq!(now.organization, "Fabrikam");
}

#[tokio::test]
async fn the_secret_of_a_server_of_ones_own_is_not_tried_at_the_service() {
    let installation = Installation::new().await;
    let own = Connector {
        name: "own".to_owned(),
        organization: "own".to_owned(),
        url: Some("http://127.0.0.1:9/tfs".to_owned()),
        credential: "own-pat".to_owned(),
        ..installation.connector.clone()
    };
    installation.add(&own).await;
    let control = &installation.control;
    let tested = control.test_credential("own-pat", Some(("fake", "contoso")));
    let refused = tested.await.err().unwrap();
    assert_eq!(refused.code(), Some("credential-host"));
    let choice = IdentityChoice::Stored("own-pat".to_owned());
    let listed = control.organizations_of("fake", &choice).await;
    assert_eq!(listed.err().unwrap().code(), Some("credential-host"));
    // Where it was entered, and a secret of the service, are as before.
    control
        .test_credential("contoso-pat", Some(("fake", "other")))
        .await
        .unwrap();
}
