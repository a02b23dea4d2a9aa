//! The vault as people see it, app profiles and wizards on their way.

use std::collections::BTreeSet;

use catalog::{AppProfile, Catalog, ConnectorFilter, Error, Kek, NewCredential, Page};
use model::{App, Connector, ConnectorStatus, Secret, SignIn, SyncSettings, SyncTime};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::support::{Place, at};

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn kek() -> Kek {
    Kek::new([1; 32])
}

fn app(tenant: &str) -> App {
    App {
        cloud: "public".to_owned(),
        tenant: tenant.to_owned(),
        client_id: "1e1f".to_owned(),
    }
}

async fn add(catalog: &Catalog, name: &str, sign_in: &SignIn, secret: &str) {
    let new = NewCredential {
        name,
        sign_in,
        secret: &Secret::new(secret),
        expires: None,
        profile: None,
    };
    catalog
        .add_credential(&kek(), &new, at(0), &mut rng())
        .await
        .unwrap();
}

fn connector(name: &str, organization: &str, credential: &str) -> Connector {
    Connector {
        name: name.to_owned(),
        service: "azure-devops".to_owned(),
        organization: organization.to_owned(),
        method: "user".to_owned(),
        credential: credential.to_owned(),
        created: at(3),
        updated: at(3),
        ..Connector::default()
    }
}

fn profile(name: &str, tenant: &str) -> AppProfile {
    AppProfile {
        name: name.to_owned(),
        service: "azure-devops".to_owned(),
        app: app(tenant),
        own: true,
        credential: None,
        consented: None,
        created: at(0),
    }
}

fn user(tenant: &str) -> SignIn {
    SignIn::User {
        app: app(tenant),
        account: "ada@contoso.com".to_owned(),
    }
}

pub(crate) async fn sre_12_an_organization_is_signed_in_to_once_but_may_have_tokens(place: Place) {
    let catalog = place.open().await;
    add(&catalog, "ada", &user("t"), "r").await;
    add(
        &catalog,
        "app",
        &SignIn::ClientSecret { app: app("t") },
        "s",
    )
    .await;
    let first = connector("first", "Contoso", "ada");
    catalog.add_connector(&first).await.unwrap();
    // By any other way to sign in as well, and in any spelling.
    let mut second = connector("second", "cONTOSO", "app");
    "client-secret".clone_into(&mut second.method);
    let refused = catalog.add_connector(&second).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "A connector for this organization already exists"
    );
    assert_eq!(refused.code(), Some("organization-taken"));
    // SRE-08: the name is told before the organization.
    let third = connector("FIRST", "contoso", "ada");
    let refused = catalog.add_connector(&third).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "A connector with this name already exists"
    );
    add(
        &catalog,
        "token",
        &SignIn::Pat {
            user: String::new(),
        },
        "p",
    )
    .await;
    for name in ["reads", "writes"] {
        let mut token = connector(name, "contoso", "token");
        "pat".clone_into(&mut token.method);
        catalog.add_connector(&token).await.unwrap();
    }
    // SRE-13: several organizations by one sign-in, one connector each.
    catalog
        .add_connector(&connector("fabrikam", "fabrikam", "ada"))
        .await
        .unwrap();
}

pub(crate) async fn sre_17_what_is_connected_at_once_is_saved_whole_or_not_at_all(place: Place) {
    let catalog = place.open().await;
    let sign_in = user("t");
    let secret = Secret::new("r");
    let new = NewCredential {
        name: "ada",
        sign_in: &sign_in,
        secret: &secret,
        expires: None,
        profile: None,
    };
    let connectors = [
        connector("first", "one", "ada"),
        connector("second", "two", "ada"),
        connector("FIRST", "three", "ada"),
    ];
    let both = async |connectors: &[Connector]| {
        catalog
            .connect(
                &kek(),
                catalog::Connecting {
                    credential: Some(&new),
                    connectors,
                    ..catalog::Connecting::default()
                },
                at(0),
                &mut rng(),
            )
            .await
    };
    let refused = both(&connectors).await.unwrap_err();
    assert_eq!(refused.code(), Some("connector-name-taken"));
    assert!(catalog.connectors().await.unwrap().is_empty());
    assert!(catalog.credentials().await.unwrap().is_empty());
    both(&connectors[..2]).await.unwrap();
    assert_eq!(catalog.connectors().await.unwrap().len(), 2);
    let refused = both(&[]).await.unwrap_err();
    assert_eq!(refused.code(), Some("credential-exists"));
}

pub(crate) async fn whoever_is_to_reach_what_is_connected_keeps_what_they_reach(place: Place) {
    let catalog = place.open().await;
    let reaching = |connectors: BTreeSet<String>| catalog::NewPerson {
        id: "1".to_owned(),
        name: "ben".to_owned(),
        roles: BTreeSet::from([model::Role::Viewer]),
        connectors: Some(connectors),
        password: None,
        created: at(0),
    };
    let names = |names: &[&str]| -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    catalog
        .add_person(&reaching(names(&["old"])))
        .await
        .unwrap();
    let connecting = catalog::Connecting {
        reach: &[
            ("1".to_owned(), names(&["first"])),
            ("2".to_owned(), names(&["first"])),
        ],
        ..catalog::Connecting::default()
    };
    catalog
        .connect(&kek(), connecting, at(0), &mut rng())
        .await
        .unwrap();
    let ben = catalog.person("ben").await.unwrap();
    assert_eq!(ben.connectors, Some(names(&["first", "old"])));
}

pub(crate) async fn a_connector_and_its_credential_are_replaced_together_or_not_at_all(
    place: Place,
) {
    let catalog = place.open().await;
    add(&catalog, "ada", &user("t"), "old").await;
    add(&catalog, "ben", &user("t"), "of ben").await;
    let first = connector("first", "one", "ada");
    catalog.add_connector(&first).await.unwrap();
    catalog
        .add_connector(&connector("second", "two", "ben"))
        .await
        .unwrap();
    let sign_in = user("t");
    let replaced = async |organization: &str, secret: &str| {
        let secret = Secret::new(secret);
        let new = NewCredential {
            name: "Ada",
            sign_in: &sign_in,
            secret: &secret,
            expires: None,
            profile: None,
        };
        let connecting = catalog::Connecting {
            credential: Some(&new),
            connectors: &[connector("first", organization, "ada")],
            replace: true,
            ..catalog::Connecting::default()
        };
        catalog.connect(&kek(), connecting, at(1), &mut rng()).await
    };
    let secret = async || {
        let secret = catalog.get_credential(&kek(), "ada").await.unwrap();
        secret.unwrap().expose().to_owned()
    };
    let refused = replaced("two", "new").await.unwrap_err();
    assert_eq!(refused.code(), Some("organization-taken"));
    assert_eq!(secret().await, "old");
    assert_eq!(catalog.connector("first").await.unwrap(), first);
    replaced("three", "new").await.unwrap();
    assert_eq!(secret().await, "new");
    let now = catalog.connector("first").await.unwrap();
    assert_eq!(now.organization, "three");
    assert_eq!(catalog.former_connectors().await.unwrap().len(), 1);
}

pub(crate) async fn a_connector_keeps_all_of_its_settings(place: Place) {
    let catalog = place.open().await;
    add(&catalog, "ada", &user("t"), "r").await;
    add(&catalog, "writer", &user("t"), "w").await;
    let mut full = connector("contoso", "contoso", "ada");
    full.restore_credential = Some("Writer".to_owned());
    full.tenant = Some("t".to_owned());
    full.worker = Some("basement".to_owned());
    full.sync = SyncSettings {
        add_new: false,
        when: SyncTime::Hours {
            hours: vec![2, 14],
            time_zone: "Europe/Berlin".to_owned(),
        },
    };
    catalog.add_connector(&full).await.unwrap();
    assert_eq!(catalog.connector("CONTOSO").await.unwrap(), full);

    let needed = ConnectorStatus::SignInNeeded {
        why: "revoked".to_owned(),
        since: at(9),
    };
    catalog.set_status_of_users("ADA", &needed).await.unwrap();
    assert_eq!(catalog.connector("contoso").await.unwrap().status, needed);
    catalog
        .set_connector_status("contoso", &ConnectorStatus::Connected)
        .await
        .unwrap();
    assert_eq!(catalog.connector("contoso").await.unwrap(), full);

    // Both identities are in use, and both are named.
    for name in ["ada", "writer"] {
        let refused = catalog.remove_credential(name).await.unwrap_err();
        assert!(
            matches!(&refused, Error::CredentialInUse { users, .. } if users == "connector contoso")
        );
    }
    full.restore_credential = Some("nobody".to_owned());
    let refused = catalog.replace_connector(&full).await.unwrap_err();
    assert!(matches!(refused, Error::CredentialUnknown { name } if name == "nobody"));
}

pub(crate) async fn connectors_and_credentials_are_paged(place: Place) {
    let catalog = place.open().await;
    for name in ["b", "A", "c"] {
        add(&catalog, name, &user("t"), "r").await;
        catalog
            .add_connector(&connector(&format!("{name}-org"), name, name))
            .await
            .unwrap();
    }
    // A secret of the program's own is no credential that people manage.
    catalog
        .put_credential(
            &kek(),
            "repository main",
            "repository-password",
            &Secret::new("x"),
            at(0),
            &mut rng(),
        )
        .await
        .unwrap();
    let (mut names, mut page) = (Vec::new(), Some(Page::first(2)));
    while let Some(this) = page {
        let listed = catalog.credentials_page(None, &this).await.unwrap();
        names.extend(listed.items.iter().map(|row| row.name.clone()));
        page = this.following(&listed);
    }
    assert_eq!(names, ["A", "b", "c"]);
    let all = ConnectorFilter::default();
    let first = catalog
        .list_connectors(&all, &Page::first(2))
        .await
        .unwrap();
    let rest = Page {
        after: first.next.clone(),
        limit: 2,
    };
    let rest = catalog.list_connectors(&all, &rest).await.unwrap();
    assert_eq!((first.items.len(), rest.items.len()), (2, 1));
    assert_eq!(rest.next, None);
    let found = async |text: Option<&str>, names: Option<&[&str]>| {
        let filter = ConnectorFilter {
            text: text.map(str::to_owned),
            names: names.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        };
        let listed = catalog.list_connectors(&filter, &Page::first(1)).await;
        let listed = listed.unwrap();
        let names: Vec<String> = listed.items.into_iter().map(|one| one.name).collect();
        (names.join(" "), listed.next.is_some())
    };
    assert_eq!(found(Some("B-OR"), None).await, ("b-org".to_owned(), false));
    assert_eq!(found(Some("%"), None).await, (String::new(), false));
    assert_eq!(found(Some("org"), None).await, ("A-org".to_owned(), true));
    // Whoever reaches one finds it on the first page, and hears of no others.
    let reached: Option<&[&str]> = Some(&["c-org"]);
    assert_eq!(found(None, reached).await, ("c-org".to_owned(), false));
    assert_eq!(found(None, Some(&[])).await, (String::new(), false));
}

pub(crate) async fn a_rotated_credential_keeps_who_refers_to_it(place: Place) {
    let catalog = place.open().await;
    let old = SignIn::ClientSecret { app: app("t") };
    add(&catalog, "app", &old, "old").await;
    let mut uses = connector("contoso", "contoso", "app");
    "client-secret".clone_into(&mut uses.method);
    catalog.add_connector(&uses).await.unwrap();
    catalog
        .note_credential_tested("app", at(1), Some("refused"))
        .await
        .unwrap();
    let new = SignIn::Certificate { app: app("t") };
    let rotated = NewCredential {
        name: "APP",
        sign_in: &new,
        secret: &Secret::new("new"),
        expires: Some(at(500)),
        profile: None,
    };
    catalog
        .rotate_credential(&kek(), &rotated, at(2), &mut rng())
        .await
        .unwrap();
    let row = catalog.credential("app").await.unwrap();
    assert_eq!((row.name.as_str(), row.updated), ("app", at(2)));
    assert_eq!((row.tested, row.test_error), (None, None));
    assert_eq!(row.sign_in.as_ref(), Some(&new));
    let (secret, version) = catalog.versioned_secret(&kek(), "app").await.unwrap();
    assert_eq!((secret.expose(), version), ("new", 2));
    assert_eq!(
        catalog.connector("contoso").await.unwrap().method,
        "certificate"
    );
    let soon = catalog.credentials_expiring(at(501)).await.unwrap();
    assert_eq!(soon.len(), 1);
    assert!(
        catalog
            .credentials_expiring(at(500))
            .await
            .unwrap()
            .is_empty()
    );
    let unknown = NewCredential {
        name: "other",
        ..rotated
    };
    let refused = catalog
        .rotate_credential(&kek(), &unknown, at(2), &mut rng())
        .await;
    assert!(matches!(refused, Err(Error::CredentialUnknown { .. })));
}

pub(crate) async fn of_two_refreshed_tokens_the_first_stands(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    add(&one, "ada", &user("t"), "r0").await;
    let (_, version) = one.versioned_secret(&kek(), "ada").await.unwrap();
    let put = async |catalog: &Catalog, secret: &str| {
        catalog
            .replace_secret(
                &kek(),
                "ada",
                version,
                &Secret::new(secret),
                at(1),
                &mut rng(),
            )
            .await
            .unwrap()
    };
    assert_eq!(put(&one, "r1").await, Some(2));
    assert_eq!(put(&two, "late").await, None);
    let (secret, version) = two.versioned_secret(&kek(), "ada").await.unwrap();
    assert_eq!((secret.expose(), version), ("r1", 2));
}

pub(crate) async fn av_02_an_app_profile_comes_with_its_credential_or_not_at_all(place: Place) {
    let catalog = place.open().await;
    let put = async |name: &str, brought: &AppProfile| {
        let sign_in = user(&brought.app.tenant);
        let new = NewCredential {
            name,
            sign_in: &sign_in,
            secret: &Secret::new("r"),
            expires: None,
            profile: Some(brought),
        };
        catalog
            .add_credential(&kek(), &new, at(0), &mut rng())
            .await
    };
    let first = profile("first", "tenant-1");
    put("ada", &first).await.unwrap();
    for (service, expected) in [("azure-devops", Some(first)), ("microsoft-365", None)] {
        let found = catalog.app_profile_of(service, &app("TENANT-1")).await;
        assert_eq!(found.unwrap(), expected);
    }
    // The name of the credential is taken, and then that of the profile.
    let second = profile("second", "tenant-2");
    let refused = put("ADA", &second).await.unwrap_err();
    assert_eq!(refused.code(), Some("credential-exists"));
    let found = catalog.app_profile_of("azure-devops", &second.app).await;
    assert_eq!(found.unwrap(), None);
    let refused = put("bob", &profile("FIRST", "tenant-2")).await.unwrap_err();
    assert_eq!(refused.code(), Some("app-profile-exists"));
    assert!(catalog.credential("bob").await.is_err());
}

pub(crate) async fn av_03_app_profiles_are_one_for_each_app_and_tenant(place: Place) {
    let catalog = place.open().await;
    let first = profile("Contoso", "tenant-1");
    catalog.add_app_profile(&first).await.unwrap();
    for taken in [profile("CONTOSO", "tenant-2"), profile("other", "TENANT-1")] {
        let refused = catalog.add_app_profile(&taken).await.unwrap_err();
        assert_eq!(refused.code(), Some("app-profile-exists"));
    }
    // Whoever makes a second one of the app in the tenant is told which there is.
    let again = catalog.add_app_profile(&profile("other", "tenant-1")).await;
    assert!(again.unwrap_err().to_string().contains("`Contoso`"));
    let second = profile("fabrikam", "tenant-2");
    catalog.add_app_profile(&second).await.unwrap();
    catalog.note_app_consent("contoso", at(5)).await.unwrap();
    let found = catalog.app_profile("contoso").await.unwrap();
    assert_eq!(found.consented, Some(at(5)));
    let all = catalog.app_profiles(&Page::first(10)).await.unwrap();
    assert_eq!(all.items, [found, second]);

    add(&catalog, "ada", &user("tenant-1"), "r").await;
    let refused = catalog.remove_app_profile("contoso").await.unwrap_err();
    assert!(matches!(refused, Error::AppProfileInUse { users, .. } if users == "credential ada"));
    catalog.remove_app_profile("fabrikam").await.unwrap();
    let gone = catalog.app_profile("fabrikam").await.unwrap_err();
    assert_eq!(gone.code(), Some("app-profile-unknown"));
}

pub(crate) async fn sre_17_a_wizard_belongs_to_one_caller_and_ends_in_time(place: Place) {
    let catalog = place.open().await;
    let state = Secret::new(r#"{"verifier":"v1"}"#);
    let begin = async |id: &str, second: i64| {
        let times = (at(second), at(second + 1800));
        catalog
            .begin_connect_session(&kek(), (id, "ada"), &state, times, &mut rng())
            .await
            .unwrap();
    };
    begin("s1", 0).await;
    let (found, version) = catalog
        .connect_session(&kek(), ("s1", "ada"), at(1))
        .await
        .unwrap();
    assert_eq!(found.expose(), state.expose());
    for (id, owner, second) in [("s1", "eve", 1), ("s2", "ada", 1), ("s1", "ada", 1800)] {
        let refused = catalog
            .connect_session(&kek(), (id, owner), at(second))
            .await;
        assert!(matches!(refused, Err(Error::ConnectSessionUnknown)));
    }
    let next = Secret::new("next");
    catalog
        .advance_connect_session(&kek(), ("s1", version), &next, Some("hash"), &mut rng())
        .await
        .unwrap();
    let twice = catalog
        .advance_connect_session(&kek(), ("s1", version), &next, Some("hash"), &mut rng())
        .await;
    assert!(matches!(twice, Err(Error::ConnectSessionChanged)));
    let found = catalog.awaiting_connect_session("hash").await.unwrap();
    assert_eq!(found, "s1");
    catalog.end_connect_session("s1").await.unwrap();
    assert!(catalog.awaiting_connect_session("hash").await.is_err());
    let ended = catalog.connect_session(&kek(), ("s1", "ada"), at(1)).await;
    assert!(matches!(ended, Err(Error::ConnectSessionUnknown)));

    // A changed key ends wizards, and nothing else.
    add(&catalog, "keep", &user("t"), "r").await;
    begin("s3", 2000).await;
    let new = Kek::new([2; 32]);
    catalog.rotate_kek(&kek(), &new, &mut rng()).await.unwrap();
    let ended = catalog.connect_session(&new, ("s3", "ada"), at(2001)).await;
    assert!(matches!(ended, Err(Error::ConnectSessionUnknown)));
    assert_eq!(
        catalog
            .versioned_secret(&new, "keep")
            .await
            .unwrap()
            .0
            .expose(),
        "r"
    );
}
