//! Users, groups and sites of tenants.

use catalog::{Catalog, DirectoryChange, Kek, Page};
use jiff::Timestamp;
use model::directory::{Entry, EntryKind, Licensing, Nature};
use model::{Connector, Secret};
use rand::SeedableRng as _;

use crate::support::Place;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn user(id: &str, name: &str, nature: Nature) -> Entry {
    Entry {
        id: id.to_owned(),
        name: name.to_owned(),
        address: Some(format!("{id}@contoso.com")),
        nature,
        enabled: true,
    }
}

async fn open(place: &Place) -> Catalog {
    let catalog = place.open().await;
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let (kek, secret) = (Kek::new([1; 32]), Secret::new("s"));
    catalog
        .put_credential(&kek, "secret", "user", &secret, at(0), &mut rng)
        .await
        .unwrap();
    let connector = Connector {
        name: "Contoso-365".to_owned(),
        service: "microsoft-365".to_owned(),
        organization: "contoso.com".to_owned(),
        method: "user".to_owned(),
        credential: "secret".to_owned(),
        ..Connector::default()
    };
    catalog.add_connector(&connector).await.unwrap();
    catalog
}

async fn names(catalog: &Catalog, search: &str) -> Vec<String> {
    let page = Page::first(100);
    let listed = catalog
        .directory("contoso-365", EntryKind::User, search, &page)
        .await
        .unwrap();
    listed
        .items
        .into_iter()
        .map(|known| known.entry.name)
        .collect()
}

pub(crate) async fn xm_07_new_users_wait_when_they_are_not_to_be_added(place: Place) {
    let catalog = open(&place).await;
    let first = [
        user("1", "Ada", Nature::Member),
        user("2", "Bob", Nature::Guest),
    ];
    let store = |entries: Vec<Entry>, add, now| {
        let catalog = catalog.clone();
        async move {
            catalog
                .store_directory("CONTOSO-365", EntryKind::User, &entries, add, at(now))
                .await
                .unwrap()
        }
    };
    let change = store(first.to_vec(), false, 1).await;
    assert_eq!(
        change,
        DirectoryChange {
            listed: 2,
            new: 2,
            gone: 0
        }
    );
    let renamed = user("1", "Ada Lovelace", Nature::Member);
    // Given twice, as a list may while it changes.
    let second = vec![renamed.clone(), user("3", "Cy", Nature::Member), renamed];
    let change = store(second, false, 2).await;
    assert_eq!(
        change,
        DirectoryChange {
            listed: 2,
            new: 1,
            gone: 1
        }
    );
    assert_eq!(names(&catalog, "").await, ["Ada Lovelace", "Cy"]);
    let of = async |id: &str| {
        let found = catalog
            .directory_entry("contoso-365", EntryKind::User, id)
            .await;
        found.unwrap().unwrap()
    };
    assert!(of("1").await.is_protected(Licensing::Automatic));
    assert!(
        !of("3").await.is_protected(Licensing::Automatic),
        "it waits"
    );
    let decided = async |kind, id: &str| {
        let decided = catalog.decide_entry("contoso-365", kind, id, Some(true));
        decided.await.unwrap()
    };
    assert!(decided(EntryKind::User, "3").await);
    assert!(!decided(EntryKind::User, "9").await);
    assert!(!decided(EntryKind::Group, "3").await);
    // Who leaves and comes back is who it was.
    assert!(decided(EntryKind::User, "2").await);
    store(vec![user("2", "Bob", Nature::Guest)], false, 3).await;
    assert!(of("2").await.is_protected(Licensing::Manual));
    let counts = catalog
        .directory_counts("contoso-365", EntryKind::User)
        .await
        .unwrap();
    assert_eq!(counts.iter().map(|count| count.count).sum::<u64>(), 1);
}

pub(crate) async fn users_are_searched_and_paged_by_name(place: Place) {
    let catalog = open(&place).await;
    let entries: Vec<Entry> = (0..450)
        .map(|number| {
            user(
                &format!("u{number:03}"),
                &format!("Person {:03}", number % 300),
                Nature::Member,
            )
        })
        .chain([user("x", "100% Ünal_", Nature::Member)])
        .collect();
    catalog
        .store_directory("contoso-365", EntryKind::User, &entries, true, at(1))
        .await
        .unwrap();
    let mut page = Page::first(64);
    let mut seen = Vec::new();
    loop {
        let listed = catalog
            .directory("contoso-365", EntryKind::User, "", &page)
            .await
            .unwrap();
        let next = page.following(&listed);
        seen.extend(listed.items.into_iter().map(|known| known.entry.id));
        match next {
            Some(next) => page = next,
            None => break,
        }
    }
    let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (451, 451));
    assert_eq!(names(&catalog, "0% ü").await, ["100% Ünal_"]);
    assert_eq!(names(&catalog, "l_").await, ["100% Ünal_"]);
    assert_eq!(names(&catalog, "U007@").await, ["Person 007"]);
}

pub(crate) async fn a_removed_connector_takes_its_directory_along(place: Place) {
    let catalog = open(&place).await;
    assert_eq!(
        catalog.licensing("contoso-365").await.unwrap(),
        Licensing::Automatic
    );
    catalog
        .set_licensing("contoso-365", Licensing::Manual)
        .await
        .unwrap();
    catalog
        .set_licensing("contoso-365", Licensing::Manual)
        .await
        .unwrap();
    catalog
        .store_directory(
            "contoso-365",
            EntryKind::User,
            &[user("1", "Ada", Nature::Member)],
            true,
            at(1),
        )
        .await
        .unwrap();
    catalog.remove_connector("contoso-365").await.unwrap();
    assert_eq!(
        catalog.licensing("contoso-365").await.unwrap(),
        Licensing::Automatic
    );
    assert_eq!(names(&catalog, "").await, Vec::<String>::new());
}
