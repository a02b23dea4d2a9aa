//! The key that opens the vault: from a file, a systemd credential or the environment.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catalog::{Catalog, Kek};

use crate::config::Vault;
use crate::failure::Failure;
use crate::new_file::write_private;

/// Where systemd puts what `LoadCredential=` names.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Reads the key. Only the file in the data directory is made when it is not there.
pub(crate) fn read(vault: &Vault, data: &Path) -> Result<Kek, Failure> {
    if let Some(name) = &vault.env {
        let value = variable(name)?;
        return parse(
            value.as_bytes(),
            &format!("the environment variable {name}"),
        );
    }
    if let Some(name) = &vault.credential {
        return file(&Path::new(&credentials()?).join(name));
    }
    if let Some(path) = &vault.key_file {
        return file(path);
    }
    let own = data.join("key");
    if own.exists() {
        return file(&own);
    }
    let kek = Kek::generate(&mut rand::rng());
    write_private(&own, kek.expose())?;
    Ok(kek)
}

/// The file that this program keeps the key in; `None` where somebody else hands it over.
fn kept(vault: &Vault, data: &Path) -> Option<PathBuf> {
    if vault.env.is_some() || vault.credential.is_some() {
        return None;
    }
    let own = || data.join("key");
    Some(vault.key_file.clone().unwrap_or_else(own))
}

/// Where the next key lies until it takes the place of the old one.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

/// Whether the key is there, and no change of it was cut short, or is going on.
pub(crate) fn is_settled(vault: &Vault, data: &Path) -> bool {
    kept(vault, data).is_none_or(|path| path.exists() && !beside(&path).exists())
}

/// Ends a change of the key that was cut short: the vault itself says which of the two keys it is under.
pub(crate) async fn settle(
    kek: Kek,
    vault: &Vault,
    data: &Path,
    catalog: &Catalog,
) -> Result<Kek, Failure> {
    let Some(path) = kept(vault, data) else {
        return Ok(kek);
    };
    let next = beside(&path);
    if !next.exists() {
        return Ok(kek);
    }
    if catalog.opens_with(&kek).await? {
        std::fs::remove_file(&next).with_context(|| format!("cannot remove {}", next.display()))?;
        return Ok(kek);
    }
    let new = file(&next)?;
    if !catalog.opens_with(&new).await? {
        return Ok(kek);
    }
    swap(&next, &path)?;
    Ok(new)
}

/// Puts every secret under a new key, the one in `given` or one that is made. The new key is on the disk before anything is under it, and
/// stays there until it is in its place. Answers how many secrets there are.
pub(crate) async fn rotate(
    (vault, data): (&Vault, &Path),
    catalog: &Catalog,
    old: &Kek,
    given: Option<&Path>,
) -> Result<u64, Failure> {
    let new = match given {
        Some(path) => file(path)?,
        None => Kek::generate(&mut rand::rng()),
    };
    if new.expose() == old.expose() {
        return Err(Failure::usage(
            "that is the key already",
            "make another one: openssl rand -hex 32",
        ));
    }
    let Some(path) = kept(vault, data) else {
        if given.is_none() {
            return Err(Failure::usage(
                "the key is handed over by a systemd credential or the environment, where a new one cannot be put",
                "make one (openssl rand -hex 32), give it with --new-key-file, and put it there afterwards",
            ));
        }
        return Ok(catalog.rotate_kek(old, &new, &mut rand::rng()).await?);
    };
    let next = beside(&path);
    write_private(&next, new.expose())?;
    sync_folder(&next)?;
    // After an error nobody knows which key it is under: both stay, and the next start finds out.
    let secrets = catalog.rotate_kek(old, &new, &mut rand::rng()).await?;
    swap(&next, &path)?;
    Ok(secrets)
}

fn swap(next: &Path, path: &Path) -> Result<(), Failure> {
    std::fs::rename(next, path)
        .with_context(|| format!("cannot put {} in its place", next.display()))?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(synced.with_context(|| format!("cannot write {} to the disk", folder.display()))?)
}

fn file(path: &Path) -> Result<Kek, Failure> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("cannot read the key file {}", path.display()))?;
    parse(&bytes, &format!("the key file {}", path.display()))
}

/// 32 bytes as they are, or as text in hexadecimal or base64.
fn parse(bytes: &[u8], place: &str) -> Result<Kek, Failure> {
    if let Ok(bytes) = <[u8; 32]>::try_from(bytes) {
        return Ok(Kek::new(bytes));
    }
    let text = bytes.trim_ascii();
    let decoded = hex::decode(text)
        .ok()
        .or_else(|| STANDARD.decode(text).ok());
    match decoded.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
        Some(bytes) => Ok(Kek::new(bytes)),
        None => Err(Failure::usage(
            format!("{place} does not hold 32 bytes"),
            "make one: openssl rand -hex 32",
        )),
    }
}

/// The unit has it; who runs a command by hand gives the folder with the file.
fn credentials() -> Result<String, Failure> {
    variable(CREDENTIALS).map_err(|_| {
        Failure::usage(
            "the vault's key is a credential of the service, and CREDENTIALS_DIRECTORY is not set",
            "outside of the unit, as root: CREDENTIALS_DIRECTORY=/etc/keepward keepward …, the folder with the file of the credential's name",
        )
    })
}

fn variable(name: &str) -> Result<String, Failure> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment is read in `cli` alone"
    )]
    std::env::var(name).map_err(|_| {
        Failure::usage(
            format!("the environment variable {name} is not set"),
            "the configuration says under [vault] that the key is there",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_bytes_or_text() {
        let bytes = [7_u8; 32];
        let (hex, base64) = (hex::encode(bytes), STANDARD.encode(bytes));
        for form in [bytes.to_vec(), format!("{hex}\n").into(), base64.into()] {
            assert_eq!(parse(&form, "it").unwrap().expose(), &bytes);
        }
    }

    #[test]
    fn a_short_key_is_refused_without_being_shown() {
        let failure = parse(b"hunter2", "the key file k").err().unwrap();
        assert!(!failure.message.contains("hunter2"));
    }

    #[test]
    fn a_key_that_is_named_is_never_made_up() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault {
            key_file: Some(folder.path().join("missing")),
            ..Vault::default()
        };
        assert!(read(&vault, folder.path()).is_err());
        assert!(!folder.path().join("missing").exists());
    }
}
