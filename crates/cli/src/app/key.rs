//! The key that opens the vault: from a file, a systemd credential or the environment.

use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catalog::Kek;

use super::write_private;
use crate::config::Vault;
use crate::failure::Failure;

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
        return file(&Path::new(&variable(CREDENTIALS)?).join(name));
    }
    if let Some(path) = &vault.key_file {
        return file(path);
    }
    let own = data.join("key");
    if own.exists() {
        return file(&own);
    }
    let kek = Kek::generate(&mut rand::rng());
    write_private(&own, kek.expose())
        .with_context(|| format!("cannot make the key file {}", own.display()))?;
    Ok(kek)
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
