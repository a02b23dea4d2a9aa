//! A repository that opens at once: its key file asks for almost no scrypt work, and its password is `password`.

use std::sync::Arc;

use model::Secret;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use repository::Repository;

pub(crate) const PASSWORD: &str = "password";
const CONFIG: &[u8] = include_bytes!("../fixtures/quick-repository/config");
const KEY: &[u8] = include_bytes!(
    "../fixtures/quick-repository/keys/934f012a6581dd5cea8ab32dffcd3423e79058ff0fac4e248beb45c7007c1202"
);
const KEY_PATH: &str = "keys/934f012a6581dd5cea8ab32dffcd3423e79058ff0fac4e248beb45c7007c1202";

/// Puts an empty repository into an empty store.
pub(crate) async fn make(store: &dyn ObjectStore) {
    for (path, bytes) in [(KEY_PATH, KEY), ("config", CONFIG)] {
        store
            .put(&Path::from(path), PutPayload::from_static(bytes))
            .await
            .unwrap();
    }
}

/// As a process that starts sees it.
pub(crate) async fn open(store: &Arc<dyn ObjectStore>) -> repository::Result<Repository> {
    Repository::open(Arc::clone(store), &Secret::new(PASSWORD)).await
}
