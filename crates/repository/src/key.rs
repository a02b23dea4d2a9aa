//! Key files: the repository's key, encrypted with one that scrypt derives from a password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use model::Secret;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::crypto::{Cipher, KeyBytes, random_bytes};
use crate::files::Files;
use crate::{Error, FileKind, Id, Result};

/// N = 2^15 keeps an attacker busy for 0.1 s a guess and needs 32 MiB.
const LOG_N: u8 = 15;
/// Bounds what a foreign key file may make us spend: 1 GiB of memory, and 1,000 times the work.
const MOST_MEMORY: u64 = 1 << 30;
const MOST_ROUNDS: u32 = 1000;

/// A key file as it is stored: clear JSON, its secrets encrypted in `data`.
#[derive(Debug, Serialize, Deserialize)]
struct KeyFile {
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
    pub created: Timestamp,
    pub username: String,
    pub hostname: String,
    /// Whether the repository was opened with this key.
    pub in_use: bool,
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

pub(crate) async fn list(files: &Files, in_use: Id) -> Result<Vec<KeyInfo>> {
    let mut keys = Vec::new();
    for listed in files.list(FileKind::Key).await? {
        let file = load(files, listed.id).await?;
        let KeyFile {
            created,
            username,
            hostname,
            ..
        } = file;
        keys.push(KeyInfo {
            id: listed.id,
            created,
            username,
            hostname,
            in_use: listed.id == in_use,
        });
    }
    keys.sort_by_key(|key| (key.created, key.id));
    Ok(keys)
}

/// Tries the keys that `password` could open.
pub(crate) async fn open(files: &Files, password: &Secret) -> Result<(Id, KeyBytes)> {
    let listed = files.list(FileKind::Key).await?;
    let mut unreadable = None;
    for Id(bytes) in listed.iter().map(|key| key.id) {
        let id = Id(bytes);
        match load(files, id).await {
            Ok(file) => {
                if let Some(master) = unlock(&file, password).await? {
                    return Ok((id, master));
                }
            }
            Err(error) => unreadable = Some(error),
        }
    }
    Err(unreadable.unwrap_or(Error::WrongPassword { keys: listed.len() }))
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
    let derived = derive(password, &salt, (LOG_N, 8, 1)).await?;
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
    let bytes = files.read(FileKind::Key, id).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::damaged(format_args!("key file {id}"), error))
}

/// `None` if the password does not fit; a file that makes no sense does not fit either.
async fn unlock(file: &KeyFile, password: &Secret) -> Result<Option<KeyBytes>> {
    let (Ok(salt), Ok(data)) = (STANDARD.decode(&file.salt), STANDARD.decode(&file.data)) else {
        return Ok(None);
    };
    let memory = file.n.checked_mul(128 * u64::from(file.r));
    if file.kdf != "scrypt"
        || !file.n.is_power_of_two()
        || memory.is_none_or(|memory| memory > MOST_MEMORY)
        || file.p > MOST_ROUNDS
    {
        return Ok(None);
    }
    let log_n = file.n.trailing_zeros();
    let derived = derive(password, &salt, (log_n as u8, file.r, file.p)).await?;
    let Ok(clear) = Cipher::new(&derived).open(&data).map(Zeroizing::new) else {
        return Ok(None);
    };
    Ok(parse(&clear))
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
async fn derive(password: &Secret, salt: &[u8], (log_n, r, p): (u8, u32, u32)) -> Result<KeyBytes> {
    let (password, salt) = (password.clone(), salt.to_vec());
    let work = move || {
        let mut key = KeyBytes::default_key();
        let params = scrypt::Params::new(log_n, r, p)
            .map_err(|error| Error::damaged("a key file", error))?;
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
