//! Key files: the repository's key, encrypted with one that scrypt derives from a password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use model::Secret;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::crypto::{Cipher, KeyBytes, random_bytes};
use crate::files::Files;
use crate::{Error, FileKind, Id, Result};

/// N = 2^15 keeps an attacker busy for 0.1 s a guess and needs 32 MiB.
const LOG_N: u8 = 15;
/// Bounds what a foreign or damaged key file may make us spend: 1 GiB of memory, and about half a minute.
const MOST_MEMORY: u64 = 1 << 30;
const MOST_WORK: u64 = 16 << 30;

/// A key file as it is stored: clear JSON, its secrets encrypted in `data`.
#[derive(Debug, Serialize, Deserialize)]
struct KeyFile {
    /// rustic leaves it out.
    #[serde(default)]
    created: Timestamp,
    #[serde(default)]
    username: String,
    #[serde(default)]
    hostname: String,
    kdf: String,
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
    salt: String,
    data: String,
}

/// A password that opens the repository, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyInfo {
    pub id: Id,
    /// 1970 where the key file does not say.
    pub created: Timestamp,
    pub username: String,
    pub hostname: String,
    /// Whether the repository was opened with this key.
    pub in_use: bool,
    /// Only its second copy is left: another program removed the key, or its file was lost.
    pub is_gone: bool,
}

/// The repository's key as restic writes it inside `data`.
#[derive(Serialize, Deserialize)]
struct MasterJson {
    mac: MacJson,
    encrypt: String,
}

#[derive(Serialize, Deserialize)]
struct MacJson {
    k: String,
    r: String,
}

/// All keys that open the repository, also those that only their second copy tells about; a damaged file is left out.
pub(crate) async fn list(files: &Files, in_use: Id) -> Result<Vec<KeyInfo>> {
    let mut keys = Vec::new();
    let here = files.list(FileKind::Key).await?;
    for id in known(files).await? {
        let file = match load(files, id).await {
            Err(error @ (Error::Damaged { .. } | Error::FileMissing { .. })) => {
                tracing::warn!(%error, "a key file is left out of the list");
                continue;
            }
            file => file?,
        };
        let KeyFile {
            created,
            username,
            hostname,
            ..
        } = file;
        keys.push(KeyInfo {
            id,
            created,
            username,
            hostname,
            in_use: id == in_use,
            is_gone: !here.iter().any(|listed| listed.id == id),
        });
    }
    keys.sort_by_key(|key| (key.created, key.id));
    Ok(keys)
}

/// Ids of key files, then of second copies without their file.
async fn known(files: &Files) -> Result<Vec<Id>> {
    let mut ids: Vec<Id> = Vec::new();
    let copies = files.list_copies(FileKind::Key).await?;
    for listed in files.list(FileKind::Key).await?.into_iter().chain(copies) {
        if !ids.contains(&listed.id) {
            ids.push(listed.id);
        }
    }
    Ok(ids)
}

/// Whether there is a key file, or a copy of one.
pub(crate) async fn any(files: &Files) -> Result<bool> {
    Ok(!known(files).await?.is_empty())
}

/// Tries the keys that `password` could open: first those that are whole, at last what is left of damaged ones. A second copy
/// opens in place of its file only while there is no key file at all: `restic key remove` leaves copies behind.
pub(crate) async fn open(files: &Files, password: &Secret) -> Result<(Id, KeyBytes)> {
    let keys = known(files).await?;
    if keys.is_empty() {
        return Err(Error::damaged("keys", "there is no key file"));
    }
    let stored = files.list(FileKind::Key).await?;
    let (mut gone, mut damaged) = (None, Vec::new());
    for id in &keys {
        match read(files, *id).await {
            Ok(bytes) => {
                if let Some(master) = unlock_bytes(&bytes, password).await? {
                    if stored.is_empty() || stored.iter().any(|file| file.id == *id) {
                        return Ok((*id, master));
                    }
                    // Its file may lie here under another name.
                    gone.get_or_insert(*id);
                }
            }
            Err(Error::Damaged { .. }) => damaged.push(*id),
            // Removed since the listing.
            Err(Error::FileMissing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    for id in &damaged {
        let bytes = match files.read_unverified(FileKind::Key, *id).await {
            // Its second copy is what is damaged, or it is too large to be one.
            Err(Error::FileMissing { .. } | Error::Damaged { .. }) => continue,
            bytes => bytes?,
        };
        if let Some(master) = unlock_bytes(&bytes, password).await? {
            tracing::warn!(key = %id, "a damaged key file still opens the repository; repair it");
            return Ok((*id, master));
        }
    }
    if let Some(id) = gone {
        return Err(removed(id));
    }
    let Some(id) = damaged.first() else {
        return Err(Error::WrongPassword { keys: keys.len() });
    };
    let others = keys.len() - damaged.len();
    let reason = format!(
        "its hash differs from its name, and the password opens none of the {others} others"
    );
    Err(Error::damaged(FileKind::Key.path(*id), reason))
}

/// The key that `password` opens, if there is one whose file is there.
pub(crate) async fn of_password(files: &Files, password: &Secret) -> Result<Option<Id>> {
    for listed in files.list(FileKind::Key).await? {
        let bytes = match files.read(FileKind::Key, listed.id).await {
            Err(Error::Damaged { .. } | Error::FileMissing { .. }) => continue,
            bytes => bytes?,
        };
        if unlock_bytes(&bytes, password).await?.is_some() {
            return Ok(Some(listed.id));
        }
    }
    Ok(None)
}

fn removed(id: Id) -> Error {
    let copy = FileKind::Key.copy_path(id);
    Error::damaged(
        FileKind::Key.path(id),
        format!(
            "this key was removed: the password fits its second copy alone. Where another program changed the password, `keepward repository key use --password-file FILE` takes the new one; if the key was lost by mistake, copy {copy} back to its place"
        ),
    )
}

/// The file, or its copy where the file is damaged or gone.
async fn read(files: &Files, id: Id) -> Result<Bytes> {
    match files.read(FileKind::Key, id).await {
        Err(Error::FileMissing { .. }) => files.read_copy(FileKind::Key, id).await,
        other => other,
    }
}

/// Whether the bytes are those of a key file, be it one that we would refuse to try.
pub(crate) fn is_key_file(bytes: &[u8]) -> bool {
    serde_json::from_slice::<KeyFile>(bytes).is_ok()
}

/// Writes a key file that opens `master` with `password`.
pub(crate) async fn add(
    files: &Files,
    master: &KeyBytes,
    password: &Secret,
    (hostname, username): (&str, &str),
    created: Timestamp,
) -> Result<Id> {
    let salt: [u8; 64] = random_bytes();
    let params =
        scrypt::Params::new(LOG_N, 8, 1).map_err(|error| Error::damaged("key to write", error))?;
    let derived = derive(password, &salt, params).await?;
    let part = |range: std::ops::Range<usize>| STANDARD.encode(&master[range]);
    let json = MasterJson {
        mac: MacJson {
            k: part(32..48),
            r: part(48..64),
        },
        encrypt: part(0..32),
    };
    let clear = Zeroizing::new(
        serde_json::to_vec(&json).map_err(|error| Error::damaged("key to write", error))?,
    );
    let mut data = Vec::new();
    Cipher::new(&derived).seal(&clear, &mut data);
    let file = KeyFile {
        created,
        username: username.to_owned(),
        hostname: hostname.to_owned(),
        kdf: "scrypt".to_owned(),
        n: 1 << LOG_N,
        r: 8,
        p: 1,
        salt: STANDARD.encode(salt),
        data: STANDARD.encode(data),
    };
    let bytes = serde_json::to_vec(&file).map_err(|error| Error::damaged("key to write", error))?;
    let id = Id::of(&bytes);
    files.write(FileKind::Key, id, bytes.into()).await?;
    Ok(id)
}

async fn load(files: &Files, id: Id) -> Result<KeyFile> {
    serde_json::from_slice(&read(files, id).await?)
        .map_err(|error| Error::damaged(FileKind::Key.path(id), error))
}

/// `None` if the password does not fit; a file that makes no sense does not fit either.
pub(crate) async fn unlock_bytes(bytes: &[u8], password: &Secret) -> Result<Option<KeyBytes>> {
    match serde_json::from_slice(bytes) {
        Ok(file) => unlock(&file, password).await,
        Err(_) => Ok(None),
    }
}

async fn unlock(file: &KeyFile, password: &Secret) -> Result<Option<KeyBytes>> {
    let (Ok(salt), Ok(data)) = (STANDARD.decode(&file.salt), STANDARD.decode(&file.data)) else {
        return Ok(None);
    };
    let Some(params) = params(file) else {
        return Ok(None);
    };
    let derived = derive(password, &salt, params).await?;
    let Ok(clear) = Cipher::new(&derived).open(&data).map(Zeroizing::new) else {
        return Ok(None);
    };
    Ok(parse(&clear))
}

/// What a key file asks us to spend, for tests that do not want to.
#[cfg(test)]
pub(crate) fn cost(bytes: &[u8]) -> Option<scrypt::Params> {
    params(&serde_json::from_slice(bytes).ok()?)
}

/// `None` for what is no scrypt, or would cost too much.
fn params(file: &KeyFile) -> Option<scrypt::Params> {
    let memory = file.n.checked_mul(128)?.checked_mul(file.r.into())?;
    let work = memory.checked_mul(file.p.into())?;
    if file.kdf != "scrypt" || !file.n.is_power_of_two() || memory > MOST_MEMORY || work > MOST_WORK
    {
        return None;
    }
    scrypt::Params::new(file.n.trailing_zeros() as u8, file.r, file.p).ok()
}

fn parse(clear: &[u8]) -> Option<KeyBytes> {
    let mut json: MasterJson = serde_json::from_slice(clear).ok()?;
    let mut master = KeyBytes::default_key();
    for (text, range) in [
        (&mut json.encrypt, 0..32),
        (&mut json.mac.k, 32..48),
        (&mut json.mac.r, 48..64),
    ] {
        let part = Zeroizing::new(STANDARD.decode(text.as_bytes()).ok()?);
        if part.len() != range.len() {
            return None;
        }
        master[range].copy_from_slice(&part);
        text.zeroize();
    }
    Some(master)
}

/// scrypt takes 0.1 s or more, so it runs on a thread for blocking work.
async fn derive(password: &Secret, salt: &[u8], params: scrypt::Params) -> Result<KeyBytes> {
    let (password, salt) = (password.clone(), salt.to_vec());
    let work = move || {
        let mut key = KeyBytes::default_key();
        scrypt::scrypt(
            password.expose().as_bytes(),
            &salt,
            &params,
            key.as_mut_slice(),
        )
        .map_err(|error| Error::damaged("a key file", error))?;
        Ok(key)
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::io("derive a key", error.into()))?
}

/// `[u8; 64]` has no `Default`.
trait DefaultKey {
    fn default_key() -> Self;
}

impl DefaultKey for KeyBytes {
    fn default_key() -> Self {
        Self::new([0; 64])
    }
}
