//! Stable codes of errors and issues, with what they mean and what to do (`keepward explain CODE`).

/// One code: kebab-case, never reused for something else.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    pub name: &'static str,
    pub title: &'static str,
    pub meaning: &'static str,
    /// What the person can do.
    pub remedy: &'static str,
}

/// The code's entry, or `None` for one that does not exist.
pub fn find(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.name == name)
}

macro_rules! codes {
    ($($name:literal, $title:literal, $meaning:literal, $remedy:literal;)*) => {
        /// Every code, in alphabetical order.
        pub const CODES: &[Code] = &[$(Code { name: $name, title: $title, meaning: $meaning, remedy: $remedy }),*];
    };
}

codes! {
    "answer-cut-short", "An answer ended early", "The connection closed before the whole body had arrived, also after retries. Nothing of the half answer was stored.",
        "Run the backup again. If it happens at the same place, look for a proxy with a time or size limit.";
    "answer-not-understood", "An answer is not what the service documents", "The body is not JSON, or a member that we need is missing or of another type.",
        "Run the backup again. If it stays, report it with the item's id: the item's previous version is kept meanwhile.";
    "attachment-missing", "An attachment cannot be downloaded", "A work item or comment refers to an attachment that the service no longer has or does not give to this identity.",
        "Open the item in the browser and look whether the file is there. If it is, check the identity's rights on the area.";
    "body-too-large", "An answer is larger than the limit", "A document exceeded the size that a document may have.", "Report it with the item's id.";
    "catalog-address", "The catalog has an address that is not supported", "",
        "Use sqlite:///PATH or postgres://…";
    "catalog-damaged", "The catalog holds a value that makes no sense", "",
        "Delete the file catalog.db in the data directory; what backups hold is read again from the repositories. Connectors have to be added again.";
    "catalog-failed", "The catalog could not be read or written", "What the run stored in the repository is untouched.",
        "The message names the cause: often a full disk or a database that is away. Then run the command again; `keepward repository sync` reads the index again from the repository.";
    "catalog-newer", "The catalog was written by a newer version", "",
        "Use the newer version, or delete the catalog: it is made again from the repositories.";
    "checkpoint-unusable", "The checkpoint of an earlier run cannot be used", "What it names is no longer there, or the service no longer knows its place in a stream. The backup begins anew.",
        "Nothing to do: what is stored already is not stored twice.";
    "connector-exists", "A connector with this name or organization already exists", "Names and organizations are unique without regard to case.",
        "Choose another name, or use or remove the existing connector.";
    "connector-unknown", "No connector has this name", "", "`keepward connector list` shows those that exist.";
    "credential-in-use", "A connector still uses this credential", "",
        "Remove the connector first.";
    "credential-refused", "The service refuses the credential", "The token is wrong, expired or revoked, or it belongs to another organization. Azure DevOps answers this with a sign-in page, not always with 401.",
        "Create a new token for this organization and store it: `keepward connector add … --pat-file FILE --replace`.";
    "credential-unknown", "The vault has no credential of this name", "",
        "Add the connector or repository again with its secret.";
    "data-directory-busy", "Another Keepward process holds the data directory", "", "Wait until it has ended, or use another data directory with `--data-dir`.";
    "disk-full", "No space left on the device", "The write failed, no snapshot was made, earlier ones are whole.", "Free space, then run the backup again: what was already stored is not sent again.";
    "document-malformed", "A stored document is not JSON", "A file of the snapshot that is to hold one JSON document, or one a line, does not. It was stored so, or by a program with an error: the repository itself is whole.",
        "Run a full backup: `keepward backup CONNECTOR --full`. Then verify the new snapshot; an older one may still hold the item whole: `keepward snapshot history KIND ID`.";
    "document-misplaced", "A stored document is not that of its place", "The id in the document is not the id of the folder that it lies in.",
        "Run a full backup: `keepward backup CONNECTOR --full`, and report it with the item: this is an error of the program that wrote the snapshot.";
    "document-missing", "An item has no document", "The snapshot has parts of an item, but not the item itself, and no issue of a backup says why.",
        "Run a full backup: `keepward backup CONNECTOR --full`. An older snapshot may hold it: `keepward snapshot history KIND ID`.";
    "drill-differs", "A drill did not bring back what the snapshot holds", "The snapshot was restored into an empty simulated organization and read again, and something differs that no declared loss explains.",
        "The report names each difference. Where the simulator lacks what your organization has (an inherited process), the difference is about the drill; otherwise report it with the item.";
    "evidence-altered", "Evidence was altered", "The signature does not fit the report: it was changed after it was signed.",
        "Do not rely on it. Repeat the drill: `keepward verify SNAPSHOT --restore-drill`.";
    "evidence-key-unknown", "Evidence is signed by a key that is not known here", "The signature is right, but anyone can make a key: nothing says that it is one of yours.",
        "Compare the key in the report with the one that `keepward verify --key` shows where the drill ran, and give it: `keepward verify --evidence FILE --public-key KEY`.";
    "evidence-not-understood", "This is no evidence of Keepward", "The file is not a report of a drill, or one of a newer version.",
        "Give the .json file of a drill; `keepward verify --list` names them.";
    "export-path-refused", "A file name would leave the target folder", "The name in the snapshot holds `..`, a separator or control characters.", "The file is written under an escaped name instead; see the report.";
    "export-path-unknown", "The snapshot has no such file or folder", "",
        "`keepward snapshot browse SNAPSHOT [FOLDER]` shows the paths.";
    "file-unexpected", "A file that no kind of data knows", "The snapshot holds a file at a place where this version stores nothing. A newer version may have written it; it was read back and is whole.",
        "Nothing to do. A restore leaves it out; `keepward export` writes it.";
    "file-unreadable", "A file of the snapshot cannot be read back", "A piece of its content or a folder is missing in the repository, or its hash differs.",
        "Run `keepward repository check --read-data` to see all damage, and restore the named files of the repository from a copy. A backup with `--full` stores again what the service still has.";
    "git-chain-differs", "A stored git repository differs from a whole fetch", "Everything was fetched again without building on what is stored, and compared. What was stored is damaged or lacks objects; the fresh pack has taken its place in the new snapshot.",
        "Run `keepward repository check --read-data`: earlier snapshots hold the damaged packs. New ones do not build on them.";
    "git-incomplete", "A stored git repository is not complete", "An object that a ref or another object needs is in none of the stored packs.",
        "Run the backup again with `--full`: it fetches the repository as a whole. Until then `git fsck` on an export names what is missing.";
    "git-object-missing", "A git repository is not complete", "A pack or object that a ref needs did not arrive or has a wrong checksum. The previous state of the repository is kept.",
        "Run the backup again; it fetches the repository as a whole. If it stays, run `git fsck` on a clone: the repository is damaged at the service.";
    "git-pack-damaged", "A stored git pack is damaged", "A pack, its index or the list of refs does not hold what it says, although the repository gives back the bytes that were stored.",
        "Run the backup again with `--full`: it fetches the repository as a whole.";
    "git-refused", "The service refuses access to a git repository", "The repository is disabled, or the identity lacks Read on it.", "Enable the repository in the project's settings, or grant the identity Read on it.";
    "git-repository-disabled", "A git repository is disabled", "Its content cannot be read or changed by anyone until it is enabled. What was backed up before is kept and marked stale.",
        "Enable it in the project's settings if it is to be backed up. If it is to stay as it is, nothing has to be done: each backup carries its last state over.";
    "git-repository-maintenance", "A git repository is in maintenance", "The service works on it and does not give its content meanwhile. What was backed up before is kept and marked stale.",
        "Nothing to do: the next backup tries again. If it lasts for days, ask Microsoft's support.";
    "implausible-drop", "Far fewer items than before", "A listing came back without many items that the last snapshot has. That is what a lost permission looks like, so the old items are kept.",
        "Check that the identity still sees them. If they were really deleted, run the backup with `--accept-deletions KIND`.";
    "items-miscounted", "A snapshot holds another number of items than it says", "The description of the snapshot counts its items by kind, and another number is there.",
        "Run a full backup: `keepward backup CONNECTOR --full`, and verify the new snapshot. An older one may hold what is missing.";
    "job-superseded", "Another worker has taken the job over", "Its lease had run out. This worker stopped before its snapshot.",
        "Nothing to do: the other worker goes on.";
    "key-in-use", "The key is the one in use", "A repository cannot be left without the key that opened it.",
        "Let Keepward open it with another password first: `keepward repository key use --password-file FILE`. Then remove this key.";
    "kind-unknown", "There is no such kind of data", "",
        "The message lists the kinds.";
    "large-file-damaged", "A stored large file (LFS) is not the one that it is to be", "Its SHA-256 is not its name, or its size is not that of its pointer.",
        "Run the backup again with `--full`, or push the object from a clone that has it and back up again: `git lfs push --all`.";
    "large-file-missing", "A large file (LFS) is not in the snapshot", "A pointer in the history names an object that is neither stored nor listed as missing at the service.",
        "Run the backup again with `--full`.";
    "lfs-object-missing", "A large file (LFS) is missing at the service", "A commit refers to an LFS object that the service does not have. The pointer is backed up, the content is not.",
        "Push the object from a clone that has it: `git lfs push --all`.";
    "link-dangling", "A link leads out of the snapshot", "An item links to another one that the snapshot does not have: it was deleted, lies elsewhere, or was not selected. Everything that the link itself says is stored.",
        "Nothing to do. A restore leaves the link out or keeps it as it was, and says so.";
    "lock-held", "The repository is locked", "Another process, Keepward or restic, holds a lock that excludes this one.", "Wait until it has ended. If it was killed, remove stale locks with `restic unlock` or wait 30 minutes.";
    "lock-lost", "The lock on the repository was lost", "Another program removed the lock, or data was removed below a running job. No snapshot was written.",
        "Run the job again, and do not run `restic unlock --remove-all`, `forget` or `prune` while Keepward works.";
    "loss-declared", "Something is missing, and a backup said so", "The service did not give it when the backup asked; the run has an issue about it.",
        "`keepward run issues RUN` shows the issue and what can be done about it.";
    "name-refused", "A name cannot be stored", "A name is empty, too long, or holds a separator.",
        "Report it with the message: names from the service are encoded before they are stored.";
    "not-found", "The service does not have it", "It was deleted meanwhile, or the identity may not see it.",
        "If others see it, check the identity's rights.";
    "organization-unknown", "The organization does not exist", "The service knows no organization of this name at this host.", "Check the part after dev.azure.com/ in the browser's address bar.";
    "part-size-differs", "A stored file has not the size that its link promises", "Its item says how many bytes the file has, and another number is stored.",
        "Run a full backup: `keepward backup CONNECTOR --full`, and verify the new snapshot.";
    "pat-global", "The token is for all organizations", "Global personal access tokens stop working on 2026-12-01 and give away more than a backup needs.", "Create a token for this organization alone.";
    "permission-missing", "The identity lacks a permission", "The service refuses to read this kind of data with this identity or token. What was backed up before is kept and marked stale.",
        "`keepward connector test NAME` names the missing scopes and what they cost.";
    "plan-incomplete", "The restore plan was never completed", "Planning ended with an error before all steps were written, so the plan cannot be applied. Nothing was written to the service.",
        "Plan again: `keepward restore plan …`.";
    "plan-unknown", "No restore plan has this id", "", "`keepward restore list` shows those that exist.";
    "reference-missing", "Something that an item needs is not in the snapshot", "An item belongs to something, or has a file, that the snapshot does not have, and no issue of a backup says why.",
        "Run a full backup: `keepward backup CONNECTOR --full`, and verify the new snapshot. An older snapshot may hold it.";
    "reference-unclear", "An item names a place that the snapshot does not have", "It may have been renamed after the item was changed for the last time, or the snapshot that could tell why it is missing was forgotten.",
        "Look whether the place has another name now. If it has not, run a full backup: `keepward backup CONNECTOR --full`.";
    "repository-damaged", "The repository is damaged", "A file in the repository is missing, cut short or has a wrong checksum.", "`keepward repository check --read-data` names all damage. Put the named files back from a copy of the repository, or let `keepward repository repair access`, `index` and `snapshots` bring back what can be.";
    "repository-exists", "There is already a repository at this place", "", "Use it, or choose an empty folder.";
    "repository-location", "The location is of a kind that is not supported", "",
        "Give a local folder or a file:// URL.";
    "repository-not-found", "There is no repository at this place", "", "Check the path, or make one: `keepward repository init PATH`.";
    "repository-version", "The repository has another version of the format", "Keepward reads and writes version 2 of the restic format.", "Migrate it with `restic migrate upgrade_repo_v2`.";
    "restore-conflict", "The target already has this item", "Nothing was changed: the plan's conflict rule is `skip`.", "Plan again with `--conflict replace` or `--conflict duplicate`.";
    "restore-differs", "A restored item differs from the snapshot", "It was read back after the write and something is not the same; the report names each difference.", "Compare the item with `keepward export`, and report what you see.";
    "restore-failed", "An item could not be restored", "The service refused the write.", "The message tells why. Fix it and run `keepward restore apply PLAN` again: it goes on where it stopped.";
    "restore-target", "The connector is of another service than the snapshot", "A snapshot can be restored into an organization of its own service alone.",
        "Choose a connector of the same service with `--into`, or export the data: `keepward export`.";
    "revision-missing", "Revisions of an item are not in the snapshot", "The numbers of the stored revisions have a gap, or end before the item does.",
        "The service may not list all of them. If the gap stays after a full backup, compare with the history in the browser, and report it.";
    "run-busy", "Another run is at work on the same thing", "Two backups of one organization into one repository, or two restores into one organization, do not run at the same time.",
        "Wait until the other run has ended (`keepward run list`), then start again.";
    "run-interrupted", "The process ended before the run did", "It was killed, or the machine stopped. No half snapshot was written, earlier ones are whole.",
        "Start it again: a backup finds what is stored already, a restore goes on with `keepward restore apply PLAN`.";
    "run-unknown", "No run has this id", "",
        "`keepward run list` shows those that exist.";
    "selection-unknown", "What was selected is not in the snapshot", "A kind, project, id or path of the selection does not exist in this snapshot. Nothing was planned.",
        "`keepward snapshot search TEXT` and `keepward snapshot browse SNAPSHOT` show what there is.";
    "service-unavailable", "The service is not available", "It answers with errors, or the organization is suspended, also after retries.", "Look at the service's status page, then run again.";
    "service-unknown", "This program does not know the service", "The connector or snapshot was made by a version that knows more services.",
        "Use the newer version.";
    "snapshot-ambiguous", "Several snapshots begin with this id", "", "Give more characters of the id; the message lists the candidates.";
    "snapshot-unknown", "No snapshot has this id", "", "`keepward snapshot list` shows those that exist.";
    "source-failed", "Reading the content to store failed", "No snapshot was written.",
        "Run the job again.";
    "storage-failed", "The storage failed", "A file of the repository could not be read or written.",
        "The message names the file and the cause; run the job again when the storage is back.";
    "suspicious-drop", "The newest snapshot has far fewer items than one before", "Older snapshots may be the only ones that still hold the missing items, so nothing is forgotten and no space is freed.",
        "Look with `keepward snapshot diff`. If the identity lost a right, grant it and run the backup again. If the items were deleted on purpose: `--accept-drop ORGANIZATION` for this time, or `keepward backup NAME --accept-deletions KIND` once for all.";
    "throttled", "The service asked us to slow down for too long", "The identity's request budget is used up, by us or by others who use the same identity.", "Run later, or give the backup an identity of its own.";
    "tree-order", "Entries were written out of order", "An internal check stopped the job before its snapshot.",
        "Report it with the message; earlier snapshots are whole.";
    "url-refused", "The address cannot be that of a service", "It does not begin with http:// or https://, or it holds a user name, a password or a query.",
        "Give the address alone, for example `--url https://tfs.example.com/tfs`, and the token with `--pat-file`.";
    "vault-key-wrong", "The vault cannot be opened with this key", "The file `key` in the data directory is not the one that sealed the secrets.",
        "Put the original key file back, or add connectors and repositories again with their secrets.";
    "work-item-missing", "A work item is not in the answer", "The service lists revisions of it but does not give it: it was destroyed meanwhile, or the identity may not see its area.", "If others see the item, grant the identity View work items on its area.";
    "wrong-password", "The repository's password is wrong", "", "Check the password file. Without a password of one of its keys a repository cannot be opened by anyone.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_sorted() {
        assert!(CODES.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn every_code_says_what_to_do() {
        assert!(
            CODES
                .iter()
                .all(|code| !code.title.is_empty() && !code.remedy.is_empty())
        );
    }
}
