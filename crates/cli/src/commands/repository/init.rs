//! `keepward repository init` and `add`.

use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use catalog::RepositoryRow;
use clap::{Args, ValueEnum};
use control::NewRepository;
use jiff::SignedDuration;
use model::Secret;
use rand::RngExt as _;
use repository::{Location, LockMode, ObjectLockRule};
use serde_json::{Value, json};

use crate::app::{self, App};
use crate::client::{Api, needed};
use crate::failure::{Exit, Failure};
use crate::new_file::write_private;
use crate::output::Output;
use crate::recovery;

#[derive(Args)]
pub(crate) struct Init {
    /// A folder, `s3://BUCKET/PREFIX`, `azure://ACCOUNT/CONTAINER/PREFIX` or `gs://BUCKET/PREFIX`
    location: String,
    /// The password's file; made with a random password when it does not exist [default: in the data directory]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// What to call it here
    #[arg(long, default_value = "default")]
    name: String,
    #[command(flatten)]
    storage: Storage,
}

#[derive(Args)]
pub(crate) struct Add {
    /// A folder, `s3://BUCKET/PREFIX`, `azure://ACCOUNT/CONTAINER/PREFIX` or `gs://BUCKET/PREFIX`
    location: String,
    /// The file whose first line is the password of one of its keys
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    /// What to call it here
    #[arg(long, default_value = "default")]
    name: String,
    #[command(flatten)]
    storage: Storage,
}

/// How a storage in the cloud is reached.
#[derive(Args)]
#[command(next_help_heading = "Storage in the cloud")]
struct Storage {
    /// The credential of the vault that opens it [default: the machine's own identity]
    #[arg(long, value_name = "NAME")]
    credential: Option<String>,
    /// Holds what opens it, to be kept in the vault: for S3 `ACCESS_KEY_ID:SECRET_ACCESS_KEY`, for Azure a key or shared
    /// access signature, for Google Cloud a service account's key file
    #[arg(long, value_name = "FILE")]
    storage_secret_file: Option<PathBuf>,
    /// Another server than the cloud's own, like `MinIO` or Azurite
    #[arg(long, value_name = "URL", visible_alias = "s3-endpoint")]
    endpoint: Option<String>,
    /// Of the bucket
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// The bucket's name is part of the host's, not of the path
    #[arg(long)]
    virtual_host: bool,
    /// Nobody can change or remove what is written, for --object-lock-days; the bucket must be able to prove it
    #[arg(long, value_name = "MODE", requires = "object_lock_days")]
    object_lock: Option<Mode>,
    /// How long each snapshot stays after it was made
    #[arg(long, value_name = "DAYS", requires = "object_lock", value_parser = clap::value_parser!(u16).range(1..=3660))]
    object_lock_days: Option<u16>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// Identities with a permission of their own can lift it
    Governance,
    /// Nobody can lift it
    Compliance,
}

impl Storage {
    fn location(&self, text: &str) -> Result<Location, Failure> {
        let mut location: Location = text.parse()?;
        let set = self.endpoint.is_some() || self.region.is_some() || self.virtual_host;
        match &mut location {
            Location::Cloud(bucket) if set => {
                bucket.endpoint = self.endpoint.clone().or(bucket.endpoint.take());
                bucket.region = self.region.clone().or(bucket.region.take());
                bucket.virtual_host |= self.virtual_host;
                // Checked as if it had been written so.
                Ok(bucket.to_string().parse()?)
            }
            Location::Local(_) if set => Err(Failure::usage(
                "--endpoint, --region and --virtual-host are for storage in the cloud",
                "give s3://BUCKET, azure://ACCOUNT/CONTAINER or gs://BUCKET",
            )),
            Location::Local(path) => Ok(Location::Local(without_parents(path))),
            Location::Cloud(_) => Ok(location),
        }
    }

    fn rule(&self) -> Option<ObjectLockRule> {
        let (mode, days) = (self.object_lock?, self.object_lock_days?);
        Some(ObjectLockRule {
            mode: match mode {
                Mode::Governance => LockMode::Governance,
                Mode::Compliance => LockMode::Compliance,
            },
            keep: SignedDuration::from_hours(24 * i64::from(days)),
        })
    }

    /// What a server is asked for; its paths are not those of this machine.
    fn request(
        &self,
        name: &str,
        location: &str,
        password: &Secret,
        existing: bool,
    ) -> Result<Value, Failure> {
        let location = match self.location(location)? {
            Location::Local(_) => location.to_owned(),
            cloud @ Location::Cloud(_) => cloud.to_string(),
        };
        let mut body = json!({
            "name": name,
            "location": location,
            "existing": existing,
            "password": password.expose(),
        });
        if let Some(credential) = &self.credential {
            body["credential"] = json!(credential);
        }
        if let Some(file) = &self.storage_secret_file {
            body["credential_secret"] = json!(app::read_whole_secret(file)?.expose());
        }
        if let (Some(mode), Some(days)) = (self.object_lock, self.object_lock_days) {
            let mode = match mode {
                Mode::Governance => "governance",
                Mode::Compliance => "compliance",
            };
            body["object_lock"] = json!({ "mode": mode, "days": days });
        }
        Ok(body)
    }

    fn repository(
        self,
        name: String,
        location: Location,
        password: Secret,
        adopt: bool,
    ) -> Result<NewRepository, Failure> {
        let file = self.storage_secret_file.as_deref();
        Ok(NewRepository {
            name,
            location,
            object_lock: self.rule(),
            storage_secret: file.map(app::read_whole_secret).transpose()?,
            storage_credential: self.credential,
            password: Some(password),
            adopt,
        })
    }
}

pub(super) async fn init(app: &App, init: Init, output: &Output) -> Result<Exit, Failure> {
    let location = init.storage.location(&init.location)?;
    refuse_known(app, &init.name, &location.to_string()).await?;
    let file = init
        .password_file
        .clone()
        .unwrap_or_else(|| super::default_password_file(&app.data, &init.name));
    let password = password(&file)?;
    let new = init
        .storage
        .repository(init.name, location, password, false)?;
    let place = new.location.to_string();
    let row = added(app, new)
        .await
        .map_err(|failure| to_be_added(failure, &place, &file))?;
    output.event(&serde_json::json!({"event": "repository", "name": row.name, "location": row.location, "id": row.id, "password_file": file}));
    output.line(recovery::sheet(&row.location, &row.id, Some(&file)));
    Ok(Exit::Done)
}

/// How what is there already is taken up.
fn to_be_added(failure: Failure, place: &str, password: &Path) -> Failure {
    if failure.code.as_deref() != Some("repository-exists") {
        return failure;
    }
    let hint = format!(
        "Choose an empty folder. To use this one: `keepward repository add {place} --password-file FILE`, with the file of its password ({} if it was made from here).",
        password.display()
    );
    Failure {
        hint: Some(hint),
        ..failure
    }
}

/// Takes up an existing repository, after opening it with the password.
pub(super) async fn add(app: &App, add: Add, output: &Output) -> Result<Exit, Failure> {
    let location = add.storage.location(&add.location)?;
    refuse_known(app, &add.name, &location.to_string()).await?;
    let password = app::read_secret(&add.password_file)?;
    let new = add.storage.repository(add.name, location, password, true)?;
    let row = added(app, new).await?;
    output.event(&serde_json::json!({"event": "repository", "name": row.name, "location": row.location, "id": row.id}));
    output.line(format!(
        "{}: {}\nnext: keepward repository sync, so that the index knows its snapshots",
        row.name, row.location
    ));
    Ok(Exit::Done)
}

/// The path without `..`: it must not depend on a folder that lies elsewhere, and may go.
fn without_parents(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            // A link leads up from where it leads to. What is not there yet is no link.
            plain = std::fs::canonicalize(&plain).unwrap_or(plain);
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

async fn added(app: &App, new: NewRepository) -> Result<RepositoryRow, Failure> {
    let subject = format!("repository/{}", new.name);
    let details = json!({
        "location": new.location.to_string(), "credential": new.storage_credential, "existing": new.adopt,
        "object_lock": new.object_lock.is_some(),
    });
    let added = Box::pin(async { Ok(app.control.add_repository(new).await?.row) });
    app.noted("repository.add", &subject, details, added).await
}

/// Before the file of a new password is made.
async fn refuse_known(app: &App, name: &str, location: &str) -> Result<(), Failure> {
    for row in app.catalog.repositories().await? {
        let (taken, place) = (&row.name, &row.location);
        if place == location {
            let message = format!("{place} is known already, as `{taken}`");
            let hint = format!(
                "Use it by that name, or choose an empty folder: `keepward repository stats --repository {taken}` shows what it holds."
            );
            return Err(Failure {
                hint: Some(hint),
                ..Failure::coded("repository-exists", message)
            });
        }
        if taken.to_lowercase() == name.to_lowercase() {
            let message = format!("`{taken}` is the name of the repository at {place}");
            let hint = "Give this one a name of its own: --name NAME.".to_owned();
            return Err(Failure {
                hint: Some(hint),
                ..Failure::coded("repository-exists", message)
            });
        }
    }
    Ok(())
}

/// The password from its file, or a new random one in a new file.
pub(super) fn password(file: &Path) -> Result<Secret, Failure> {
    if file.exists() {
        return app::read_secret(file);
    }
    let random: [u8; 24] = rand::rng().random();
    let password = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random);
    write_private(file, format!("{password}\n").as_bytes())?;
    Ok(Secret::new(password))
}

/// A server makes it, where the server is. The password is made here and kept there.
pub(super) async fn ask_init(api: &Api, init: Init, output: &Output) -> Result<Exit, Failure> {
    let file = init
        .password_file
        .unwrap_or_else(|| super::default_password_file(Path::new(""), &init.name));
    let password = password(&file)?;
    let body = init
        .storage
        .request(&init.name, &init.location, &password, false)?;
    let added = api.post("/repositories", Some(&body)).await?;
    let row = &added["repository"];
    let (location, id) = (needed(row, "location")?, needed(row, "id")?);
    output.event(&json!({"event": "repository", "name": row["name"], "location": location, "id": id, "password_file": file}));
    output.line(recovery::sheet(location, id, Some(&file)));
    Ok(Exit::Done)
}

pub(super) async fn ask_add(api: &Api, add: Add, output: &Output) -> Result<Exit, Failure> {
    let password = app::read_secret(&add.password_file)?;
    let body = add
        .storage
        .request(&add.name, &add.location, &password, true)?;
    let added = api.post("/repositories", Some(&body)).await?;
    let row = &added["repository"];
    let (location, id) = (needed(row, "location")?, needed(row, "id")?);
    output.event(
        &json!({"event": "repository", "name": row["name"], "location": location, "id": id}),
    );
    output.line(format!("{}: {location}", add.name));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_through_no_folder_that_may_go() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(top.join("deep/inside")).unwrap();
        std::os::unix::fs::symlink(top.join("deep/inside"), top.join("link")).unwrap();
        for (given, settled) in [
            ("u/../r/repo", "r/repo"),
            ("deep/../../r", "../r"),
            ("link/../r", "deep/r"),
            ("link/r", "link/r"),
        ] {
            let expected = match settled.strip_prefix("../") {
                Some(rest) => top.parent().unwrap().join(rest),
                None => top.join(settled),
            };
            assert_eq!(without_parents(&top.join(given)), expected, "{given}");
        }
    }
}
