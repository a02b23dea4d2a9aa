//! Bodies of requests and answers about repositories.

use std::collections::BTreeSet;

use catalog::RepositoryRow;
use control::RepositoryState;
use jiff::SignedDuration;
use repository::{LockMode, ObjectLockRule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::looks::Counted;
use crate::{Problem, SecretText};

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ObjectLockMode {
    /// Identities with a permission of their own can lift it.
    Governance,
    /// Nobody can lift it.
    Compliance,
}

/// Files cannot be changed or removed for a time, whoever asks.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ObjectLockBody {
    mode: ObjectLockMode,
    /// How long each snapshot stays after it was made.
    #[schema(minimum = 1, maximum = 3660)]
    days: u16,
}

impl ObjectLockBody {
    pub(in crate::api) fn rule(self) -> Result<ObjectLockRule, Problem> {
        if !(1..=3660).contains(&self.days) {
            return Err(Problem::field("/object_lock/days", "from 1 to 3660"));
        }
        Ok(ObjectLockRule {
            mode: match self.mode {
                ObjectLockMode::Governance => LockMode::Governance,
                ObjectLockMode::Compliance => LockMode::Compliance,
            },
            keep: SignedDuration::from_hours(24 * i64::from(self.days)),
        })
    }

    fn of(text: &str) -> Option<Self> {
        let rule: ObjectLockRule = serde_json::from_str(text).ok()?;
        Some(Self {
            mode: match rule.mode {
                LockMode::Governance => ObjectLockMode::Governance,
                LockMode::Compliance => ObjectLockMode::Compliance,
            },
            days: u16::try_from(rule.keep.as_hours() / 24).unwrap_or(u16::MAX),
        })
    }
}

/// A repository, without what opens it.
#[derive(Serialize, ToSchema)]
pub(super) struct RepositoryView {
    name: String,
    location: String,
    /// In the repository itself; the same wherever it is reached.
    id: String,
    /// It is used when none is named.
    default: bool,
    /// The credential that opens its storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_lock: Option<ObjectLockBody>,
    /// When it was checked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    checked: Option<String>,
    /// What that check found.
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<u64>,
    /// Since when a check has found damage that no later one could show to be gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    damaged: Option<String>,
    /// When a prune went through last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pruned: Option<String>,
    /// Grows each time that it is reached in another way; sent back with a change, that is refused when somebody else was faster.
    version: i64,
}

impl RepositoryView {
    pub(super) fn of(row: RepositoryRow, default: bool) -> Result<Self, Problem> {
        let object_lock = match &row.object_lock {
            None => None,
            Some(text) => Some(ObjectLockBody::of(text).ok_or_else(|| {
                let message = format!("the object lock of repository {}", row.name);
                control::Error::Request {
                    code: "catalog-damaged",
                    message,
                }
            })?),
        };
        Ok(Self {
            name: row.name,
            location: row.location,
            id: row.id,
            default,
            credential: row.storage_credential,
            object_lock,
            checked: row.checked.map(|time| time.to_string()),
            problems: row.problems,
            damaged: row.damaged.map(|time| time.to_string()),
            pruned: row.pruned.map(|time| time.to_string()),
            version: row.version,
        })
    }
}

/// A repository to be made or taken up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddRepository {
    pub(super) name: String,
    /// A folder, `s3://BUCKET/PREFIX`, `azure://ACCOUNT/CONTAINER/PREFIX` or `gs://BUCKET/PREFIX`; other servers than the
    /// cloud's own with `?endpoint=URL&region=NAME`.
    pub(super) location: String,
    /// The credential of the vault that opens the storage; the machine's own identity when absent.
    pub(super) credential: Option<String>,
    /// Kept in the vault as this credential, or as `storage NAME`: for S3 `ACCESS_KEY_ID:SECRET_ACCESS_KEY`, for Azure a key or a
    /// shared access signature, for Google Cloud the key file of a service account.
    pub(super) credential_secret: Option<SecretText>,
    pub(super) object_lock: Option<ObjectLockBody>,
    /// A new repository gets a random one when absent; an existing one is opened with that which the vault still has.
    pub(super) password: Option<SecretText>,
    /// It exists, and is not made.
    #[serde(default)]
    pub(super) existing: bool,
}

/// A repository that was added.
#[derive(Serialize, ToSchema)]
pub(super) struct AddedRepository {
    pub(super) repository: RepositoryView,
    /// The random password, shown this once: keep it apart from this server. Without it or the vault nobody reads the backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
}

/// How a repository is reached from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditRepository {
    pub(super) location: String,
    pub(super) credential: Option<String>,
    /// Takes the place of the one that the credential has.
    pub(super) credential_secret: Option<SecretText>,
    pub(super) object_lock: Option<ObjectLockBody>,
    /// What it changes; absent for whatever is there.
    pub(super) version: Option<i64>,
}

/// What a look at the storage found.
#[derive(Serialize, ToSchema)]
pub(super) struct RepositoryStateView {
    reachable: bool,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshots: Option<u64>,
}

impl RepositoryStateView {
    pub(super) fn of(state: &RepositoryState, bytes: Option<u64>) -> Self {
        let error = state.error.as_ref();
        Self {
            reachable: error.is_none(),
            error: error.map(ToString::to_string),
            code: error.and_then(|error| error.code()).map(str::to_owned),
            bytes,
            snapshots: state.snapshots,
        }
    }
}

/// How much to check.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckRepository {
    /// Of the packs, another part each day; 0 when absent.
    #[schema(minimum = 0, maximum = 100)]
    pub(super) read_percent: Option<u8>,
}

/// What to free.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PruneRepository {
    /// Only tells what would be freed.
    #[serde(default)]
    pub(super) dry_run: bool,
    /// Organizations whose newest snapshot may have far fewer items than one before.
    #[serde(default)]
    pub(super) accept_drop: BTreeSet<String>,
}

/// How large a repository is.
#[derive(Serialize, ToSchema)]
pub(super) struct RepositoryStats {
    /// When it was counted.
    #[schema(format = DateTime)]
    counted: String,
    snapshots: u64,
    files: u64,
    /// Of all snapshots, as a restore of each would write them.
    bytes_logical: u64,
    bytes_stored: u64,
    bytes_packs: u64,
    /// What a prune can free, apart from what is too young.
    bytes_unused: u64,
    compression: f64,
    deduplication: f64,
    sources: Vec<RepositorySource>,
}

/// What belongs to one organization.
#[derive(Serialize, ToSchema)]
struct RepositorySource {
    source: String,
    snapshots: u64,
    #[schema(format = DateTime)]
    oldest: String,
    #[schema(format = DateTime)]
    newest: String,
    /// Of the newest snapshot.
    files: u64,
    bytes: u64,
    /// Of all of its snapshots; what it shares with others counts for each.
    bytes_stored: u64,
}

impl RepositoryStats {
    pub(super) fn of(counted: &Counted) -> Self {
        let stats = &counted.stats;
        let sources = stats.sources.iter().map(|source| RepositorySource {
            source: source.source.clone(),
            snapshots: source.snapshots,
            oldest: source.oldest.to_string(),
            newest: source.newest.to_string(),
            files: source.files,
            bytes: source.bytes,
            bytes_stored: source.bytes_stored,
        });
        Self {
            counted: counted.at.to_string(),
            snapshots: stats.snapshots,
            files: stats.files,
            bytes_logical: stats.bytes_logical,
            bytes_stored: stats.bytes_stored,
            bytes_packs: stats.bytes_packs,
            bytes_unused: stats.bytes_unused,
            compression: stats.compression,
            deduplication: stats.deduplication,
            sources: sources.collect(),
        }
    }
}
