//! The first repository of a server: without one nothing could be backed up.

use std::path::{Path, PathBuf};

use control::NewRepository;
use repository::Location;
use serde_json::json;

use super::{default_password_file, init};
use crate::app::App;
use crate::failure::Failure;
use crate::new_file::write_private;
use crate::output::Output;
use crate::recovery;

const NAME: &str = "default";

/// Makes one in the first of these folders where there is none at all. A server without one still starts: it can be added
/// over the interface.
pub(in crate::commands) async fn first(
    app: &App,
    roots: &[PathBuf],
    output: &Output,
) -> Result<(), Failure> {
    let Some(root) = roots.first() else {
        return Ok(());
    };
    if !app.catalog.repositories().await?.is_empty() {
        return Ok(());
    }
    let place = root.join(NAME);
    if place.exists() {
        output.notice(format!(
            "there is no repository, and none is made: {} exists. If it is one: keepward repository add {0} --password-file FILE",
            place.display()
        ));
        return Ok(());
    }
    if let Err(failure) = make(app, &place, output).await {
        output.notice(format!(
            "there is no repository, and none could be made at {}: {}",
            place.display(),
            failure.message
        ));
    }
    Ok(())
}

async fn make(app: &App, place: &Path, output: &Output) -> Result<(), Failure> {
    let file = default_password_file(&app.data, NAME);
    let new = NewRepository {
        name: NAME.to_owned(),
        location: Location::Local(place.to_owned()),
        storage_credential: None,
        storage_secret: None,
        object_lock: None,
        password: Some(init::password(&file)?),
        adopt: false,
    };
    let row = app.control.add_repository(new).await?.row;
    let sheet = app.data.join(format!("recovery-sheet-{NAME}.txt"));
    let text = recovery::sheet(&row.location, &row.id, Some(&file));
    if !sheet.exists() {
        write_private(&sheet, text.as_bytes())?;
    }
    output.event(&json!({
        "event": "repository", "name": row.name, "location": row.location, "id": row.id, "password_file": file, "recovery_sheet": sheet,
    }));
    output.notice(format!(
        "made the repository {} at {}\nkeep copies of its password and of its recovery sheet away from this machine:\n  {}\n  {}",
        row.name,
        row.location,
        file.display(),
        sheet.display()
    ));
    Ok(())
}
