//! A control side on a catalog in a folder.

use std::path::Path;
use std::sync::Arc;

use catalog::{Catalog, Kek};
use control::{Control, Reach};
use model::Clock;
use service::Service;

pub(crate) async fn control(
    folder: &Path,
    services: &'static [&'static Service],
    clock: Arc<dyn Clock>,
    reach: Reach,
) -> Control {
    let catalog = Catalog::open_file(&folder.join("catalog.db")).await;
    Control {
        catalog: catalog.unwrap(),
        kek: Arc::new(Kek::new([7; 32])),
        clock,
        services,
        reach,
        worker: "server".to_owned(),
        work: folder.to_owned(),
    }
}
