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
    "account-personal", "This is a personal Microsoft account", "Azure DevOps takes tokens of Microsoft Entra ID for work and school accounts alone; a personal account and an organization of one are reached by a personal access token.",
        "Sign out of personal Microsoft accounts, or use a private window, and sign in with a work or school account. For a personal organization, add the connector with a personal access token.";
    "account-refused", "Microsoft refuses this account", "The account is unknown in the tenant, a guest of another one, disabled, locked, not assigned to the application, or its password is wrong or expired.",
        "Sign in with another account, or ask an administrator of the tenant: the message holds Microsoft's own reason.";
    "address-refused", "This address may not be reached", "The name leads to an address of this machine, of the local network, or of a cloud's metadata service. Such addresses are refused so that nobody can use the server to look behind its firewall.",
        "If the address is right, allow it: list its network under `[outbound] allow` in the configuration.";
    "administrator-missing", "The account is not in Project Collection Administrators", "Without it the service leaves out, without saying so, what the account may not see, and policies and the audit log cannot be read.",
        "Add the account to the group Project Collection Administrators (Organization settings > Permissions). An owner is in it already. Without it, what the account sees is backed up all the same.";
    "alarm-settings-refused", "An alarm setting is out of range", "",
        "Give a value within the limits that the message states.";
    "alarm-unexplained", "An alarm is acknowledged with a reason", "",
        "Say why it may stay: `keepward alarm ack KEY --reason TEXT`.";
    "alarm-unknown", "There is no such alarm", "It was never raised, or what it was about is over.",
        "`keepward alarm list` shows those that are raised.";
    "answer-cut-short", "An answer ended early", "The connection closed before the whole body had arrived, also after retries. Nothing of the half answer was stored.",
        "Run the backup again. If it happens at the same place, look for a proxy with a time or size limit.";
    "answer-not-understood", "An answer is not what the service documents", "The body is not JSON, or a member that we need is missing or of another type.",
        "Run the backup again. If it stays, report it with the item's id: the item's previous version is kept meanwhile.";
    "app-profile-exists", "An app profile of this name or for this app already exists", "Names are unique without regard to case, and an app is registered once for a tenant.",
        "Use the existing one: `keepward app-profile list`.";
    "app-profile-in-use", "Credentials still sign in through this app profile", "",
        "Remove them first, or let them sign in through another app: `keepward credential list`.";
    "app-profile-name", "The name cannot be that of an app profile", "",
        "1 to 64 letters, digits, blanks and any of - _ . @, beginning with a letter or digit.";
    "app-profile-tenant", "The app profile is of another tenant", "An organization can be connected through an app profile of its own tenant alone.",
        "Add a profile for the organization's tenant: `keepward app-profile add`.";
    "app-profile-unknown", "No app profile has this name", "",
        "`keepward app-profile list` shows those that exist.";
    "application-unknown", "The tenant does not know the application", "The client id or the tenant is wrong, the application is disabled, has no service principal in this tenant, or was made a moment ago and is not everywhere yet.",
        "Check the client id and the tenant. For a new application wait some minutes and try again; for one of another tenant an administrator must consent first.";
    "approval-needed", "Another person has to approve this first", "The request was written down as a proposal; nothing was done yet.",
        "Ask somebody who may approve: `keepward proposal list`, then `keepward proposal approve ID`.";
    "approver-changed", "The approver's account was made or changed by somebody else lately", "Who asks could otherwise make an account, or set the password of one, and approve with it themselves. What others change about an account counts for seven days, if four eyes was on by then; after the proposal every change counts.",
        "Let somebody approve whose account nobody else changed in the last seven days. The machine's own administrator can switch four eyes off: `keepward proposal four-eyes off`.";
    "approvers-missing", "Too few people could approve", "Four eyes need two people with the role admin who may sign in; with fewer, nothing could be approved.",
        "Add another administrator first: `keepward user add NAME --role admin --password-file FILE`.";
    "attachment-missing", "An attachment cannot be downloaded", "A work item or comment refers to an attachment that the service no longer has or does not give to this identity.",
        "Open the item in the browser and look whether the file is there. If it is, check the identity's rights on the area.";
    "body-too-large", "An answer is larger than the limit", "A document exceeded the size that a document may have.", "Report it with the item's id.";
    "canceled", "It was ended before it was done", "Somebody pressed Ctrl-C, or the process was told to end. No half snapshot was written, earlier ones are whole.",
        "Start it again: what was stored is not asked for or sent again.";
    "catalog-address", "The catalog has an address that is not supported", "",
        "Use sqlite:///PATH or postgres://…";
    "catalog-damaged", "The catalog is damaged", "The database cannot be read, or holds a value that cannot be right. Backups lie in their repositories and are untouched.",
        "Stop the server, and move `catalog.db`, `catalog.db-wal` and `catalog.db-shm` out of the data directory. Then `keepward repository add PATH_OR_URL --password-file FILE` and `keepward repository sync` read again what the backups hold; connectors and policies have to be added again.";
    "catalog-failed", "The catalog could not be read or written", "What the run stored in the repository is untouched.",
        "The message names the cause: often a full disk or a database that is away. Then run the command again; `keepward repository sync` reads the index again from the repository.";
    "catalog-newer", "The catalog was written by a newer version", "",
        "Use the newer version: the database is as that left it. Without it, do as for `catalog-damaged`, which keeps the backups and loses connectors, policies, accounts and secrets.";
    "certificate-refused", "The certificate is not accepted", "The PEM file does not hold a certificate with its RSA key, the certificate is not registered with the application, it has expired, or this server's clock is wrong.",
        "Give one PEM file with the certificate and its unencrypted RSA key, upload the certificate to the application (Certificates & secrets), and check the server's clock.";
    "channel-exists", "A notification channel with this name already exists", "Names are unique without regard to case.",
        "Choose another name, or change that one: `keepward notification edit NAME`.";
    "channel-refused", "A setting of the notification channel is wrong", "",
        "Correct the setting that the message names, then save again.";
    "channel-unknown", "No notification channel has this name", "", "`keepward notification list` shows those that exist.";
    "check-unreadable", "A check could not be made", "The service did not give this identity what the check reads. Nothing is guessed from that.",
        "Let an administrator look at the place that the check names, or sign in with an identity that may read it and test again.";
    "checkpoint-unusable", "The checkpoint of an earlier run cannot be used", "What it names is no longer there, or the service no longer knows its place in a stream. The backup begins anew.",
        "Nothing to do: what is stored already is not stored twice.";
    "client-secret-refused", "The client secret is wrong or expired", "Often the id of the secret was pasted in place of its value.",
        "Create a new secret for the application (Certificates & secrets), copy its value, and store it: `keepward credential rotate NAME`.";
    "clock-behind", "The clock is behind the newest snapshot", "The snapshot that this backup goes on from is dated later than now. So that the newest snapshot stays the newest, this one is dated right after it.",
        "Check the clock of this machine (timedatectl), and of the one that made the snapshot before. What is dated later than now is kept until then, and is not counted in what is kept. To have right dates sooner, forget every snapshot that is dated later than now (`keepward snapshot list`, then `keepward snapshot forget ID…`): the next backup goes on from the newest that is left, and what changed since comes with it.";
    "clock-wrong", "The clocks of this machine and of the service are far apart", "The service dates its answers, by more than 10 minutes differently from this machine. What is kept is counted by the dates of snapshots, so this one is dated by the service's clock.",
        "Set this machine's clock (timedatectl set-ntp true). If it is right, look for a proxy that dates answers itself.";
    "code-read-missing", "Token lacks Code.Read permission", "Repositories cannot be read with this token or identity.",
        "Authenticate again with an identity that has Code.Read, or give the token the scope vso.code (Code: Read).";
    "conditional-access", "Conditional Access blocks the sign-in", "A policy of the tenant forbids this way to sign in, this machine or its network. Device codes are blocked in many tenants.",
        "Use the admin-consent link, or an own application with a certificate: neither needs a device code. Otherwise ask the tenant's administrator to allow this machine.";
    "configuration-refused", "The configuration file is not right", "",
        "Correct the key that the message names, with its file and line. packaging/keepward.toml shows every key.";
    "connect-session-changed", "The sign-in was continued elsewhere", "Another window took the next step of the same wizard.",
        "Go on there, or begin again.";
    "connect-session-unknown", "There is no such sign-in under way", "It was finished, it expired after 30 minutes, or it belongs to somebody else.",
        "Begin again: nothing was saved.";
    "connect-step", "The wizard is not at this step", "Each step needs what the one before it found out.",
        "Do the steps in their order: sign in, choose, check, add.";
    "connector-changed", "The connector was changed meanwhile", "Somebody else changed it while its new settings were checked. Nothing was saved.",
        "Look at it again, `keepward connector show NAME`, and make your change once more.";
    "connector-name", "The name cannot be that of a connector", "",
        "Give it 3 to 32 letters, digits and hyphens, beginning with a letter: `--name NAME`. The organization keeps its own name.";
    "connector-name-patterns", "Under this name other policies or notifications would be for the connector", "Policies and notifications name connectors by patterns, or the new name already. Names follow a connector that gets another one, patterns do not.",
        "Name the connector, by the name that it has now, in the policies and notifications that the message lists, or leave it out of them. Then rename it.";
    "connector-name-taken", "A connector with this name already exists", "Names are unique without regard to case.",
        "Choose another name.";
    "connector-unknown", "No connector has this name", "", "`keepward connector list` shows those that exist, `keepward connector add` makes one.";
    "consent-missing", "Consent to the application is missing", "Nobody has yet allowed the application to do this in the tenant, the consent was refused, or only an administrator may give it.",
        "Ask an administrator of the tenant to open the admin-consent link and accept.";
    "content-preparing", "The stored repository is being laid out", "Its packs are being read from the storage, so that its history can be shown. That goes on.",
        "Ask again in a few seconds.";
    "content-too-large", "This is too large to be shown", "A file, a folder or a whole git repository is larger than what is shown here, or git needs too long to find it.",
        "Export it: `keepward export` writes what a snapshot holds as plain files.";
    "credential-exists", "A credential of this name already exists", "",
        "Choose another name, or give the existing one a new secret: `keepward credential rotate NAME`.";
    "credential-host", "The secret was entered for another host", "A stored secret is sent to the host alone that was named with it, and to those at which it is used already.",
        "Enter it again for this host: with the connector or repository that is to use it (`--pat-file`, `--storage-secret-file`), or once for several: `keepward credential add NAME --url URL --pat-file FILE`.";
    "credential-in-use", "A connector still uses this credential", "",
        "Remove the connector first.";
    "credential-method", "This kind of credential does not fit here", "A token cannot be put in the place of an app's secret, and the service does not take every way to sign in.",
        "Choose a credential of a kind that the message names.";
    "credential-name", "The name cannot be that of a credential", "",
        "1 to 64 letters, digits, blanks and any of - _ . @, beginning with a letter or digit.";
    "credential-refused", "The service refuses the credential", "The token is wrong, expired or revoked, or it belongs to another organization. Azure DevOps answers this with a sign-in page, not always with 401.",
        "Create a new token for this organization and store it: `keepward connector add … --pat-file FILE --replace`.";
    "credential-unknown", "The vault has no credential of this name", "",
        "`keepward credential list` shows those that there are; `keepward credential add` makes one.";
    "cursor-expired", "The service no longer knows where the last backup stopped", "Its record of changes does not reach back that far, usually after a pause of more than a week. Everything of this kind is read again and compared.",
        "Nothing to do. Back up at least daily, so that only changes are read.";
    "data-directory-busy", "Another Keepward process holds the data directory", "", "Wait until it has ended, or ask it when it is a server: `--server URL --token-file FILE`.";
    "default-keeps-less", "Policies would keep fewer snapshots", "Policies that name no repository are for the default one. What they keep in the present one, others would forget after the next backup there.",
        "Let the policies name the repository that they are for, `keepward policy edit NAME --repository NAME`, or say that you want this: `--accept-less`.";
    "device-code-declined", "The sign-in with the device code was declined", "Someone answered the question of the sign-in page with no.",
        "Start again and continue on the sign-in page, or connect without a device code: by the admin-consent link, or with an own application and a certificate.";
    "device-code-expired", "The device code has expired", "Nobody entered it in time; it is valid for about 15 minutes.",
        "Start again for a new code, or connect without one: by the admin-consent link, or with an own application and a certificate.";
    "device-code-unknown", "The device code is not known", "It was mistyped, copied in part, or belongs to another tenant or cloud.",
        "Start again and copy the new code, or connect without one: by the admin-consent link, or with an own application and a certificate.";
    "directory-missing", "The service has no users, groups and sites", "Only tenants of Microsoft 365 have a directory that can be listed.",
        "Choose a connector of Microsoft 365: `keepward connector list`.";
    "disk-full", "No space left on the device", "The write failed, no snapshot was made, earlier ones are whole.", "Free space, then do it again: what a backup had stored already is not sent again. On the disk of the repository itself `keepward snapshot forget ID` needs no room and makes a little; after it `keepward repository prune --max-repack-size 0` removes what nothing needs, and rewrites nothing.";
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
    "federation-refused", "The application does not trust this identity", "No federated credential of the application fits the issuer, subject and audience of the token. An application of the customer's own tenant cannot trust a managed identity of another tenant (AADSTS700236).",
        "Add a federated credential to the application: issuer `https://login.microsoftonline.com/HOME-TENANT/v2.0`, subject the identity's object id, audience `api://AzureADTokenExchange`. The application must lie in the identity's own tenant.";
    "file-exists", "There is something at the place of the file to write", "Nothing is replaced that was not named for it: no file without being told so, and never a link, a folder or a device.",
        "Choose another name. Where the command has `--overwrite`, that replaces a regular file.";
    "file-failed", "A file or folder of this machine could not be read or written", "It is not there, the user may not use it, or the disk is full.",
        "Remove the cause that the message names with the file, then try again.";
    "file-unexpected", "A file that no kind of data knows", "The snapshot holds a file at a place where this version stores nothing. A newer version may have written it; it was read back and is whole.",
        "Nothing to do. A restore leaves it out; `keepward export` writes it.";
    "file-unknown", "The snapshot has no such file", "Paths are those of the snapshot, with / between the names.",
        "`keepward snapshot browse SNAPSHOT` lists the files folder by folder.";
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
    "git-revision-unknown", "The stored repository has no such branch, commit or file", "",
        "Choose one of those that its list of refs names, or a whole id of 40 digits.";
    "idempotency-busy", "The first request with this key is still at work", "",
        "Send it again in a moment: the answer of the first will be given.";
    "idempotency-reused", "The idempotency key was used for another request", "A key belongs to one request: method, path and body.",
        "Use a new key for a new request.";
    "identity-provider-away", "The identity provider does not answer as it should", "It is not reached, or what it says about itself cannot be read or is not for the issuer that was set.",
        "Look at the server's log, and compare the issuer with that in `ISSUER/.well-known/openid-configuration`.";
    "identity-provider-unknown", "There is no identity provider of this name", "",
        "An administrator adds it: `PUT /api/v1/identity-providers/NAME`.";
    "identity-unavailable", "The machine has no such identity", "The metadata service of the machine does not answer, or the identity is not assigned to it.",
        "Assign the managed identity to this machine in the Azure portal (Identity), or choose another way to sign in: outside of Azure there is none.";
    "implausible-drop", "Items are no longer listed", "A listing came back without items that the last snapshot has, and nothing proves that they were deleted. That is what a lost permission looks like, so the old items are kept.",
        "Check that the identity still sees them. If they were really deleted, run the backup with `--accept-deletions KIND`.";
    "items-miscounted", "A snapshot holds another number of items than it says", "The description of the snapshot counts its items by kind, and another number is there.",
        "Run a full backup: `keepward backup CONNECTOR --full`, and verify the new snapshot. An older one may hold what is missing.";
    "job-superseded", "Another worker has taken the job over", "Its lease had run out. This worker stopped before its snapshot.",
        "Nothing to do: the other worker goes on.";
    "key-ambiguous", "Several keys begin with this id", "",
        "Give more characters of the id: `keepward repository key list`.";
    "key-in-use", "The key is the one in use", "A repository cannot be left without the key that opened it.",
        "Let Keepward open it with another password first: `keepward repository key use --password-file FILE`. Then remove this key.";
    "key-unknown", "No key begins with this id", "",
        "`keepward repository key list` shows those that open the repository.";
    "kind-unknown", "There is no such kind of data", "",
        "Choose one of the kinds that the message lists.";
    "large-file-damaged", "A stored large file (LFS) is not the one that it is to be", "Its SHA-256 is not its name, or its size is not that of its pointer.",
        "Run the backup again with `--full`, or push the object from a clone that has it and back up again: `git lfs push --all`.";
    "large-file-missing", "A large file (LFS) is not in the snapshot", "A pointer in the history names an object that is neither stored nor listed as missing at the service.",
        "Run the backup again with `--full`.";
    "last-administrator", "Nobody else could manage accounts", "The account is the only one with the role admin that may sign in, so it cannot be removed, disabled or given other roles.",
        "Make somebody else an administrator first: `keepward user edit NAME --role admin`.";
    "lfs-object-missing", "A large file (LFS) is missing at the service", "A commit refers to an LFS object that the service does not have. The pointer is backed up, the content is not.",
        "Push the object from a clone that has it: `git lfs push --all`.";
    "license-missing", "The tenant has no license for this data", "SharePoint and OneDrive, or Microsoft 365 as a whole, are not part of an active subscription of the tenant. There may be no such data, or it is kept for a while only.",
        "Look in the Microsoft 365 admin center under Billing, Your products.";
    "license-too-low", "The account's access level is too low", "A Stakeholder sees no repositories and only a part of everything else.",
        "Give the account at least Basic (Organization settings > Users > Access level).";
    "link-dangling", "A link leads out of the snapshot", "An item links to another one that the snapshot does not have: it was deleted, lies elsewhere, or was not selected. Everything that the link itself says is stored.",
        "Nothing to do. A restore leaves the link out or keeps it as it was, and says so.";
    "lock-held", "The repository is locked", "Another process, Keepward or restic, holds a lock that excludes this one.", "Wait until it has ended. If it was killed, its lock counts for 30 minutes after the time that it bears, which is later where that machine's clock is ahead; `restic unlock --remove-all` removes it, once nothing works on the repository.";
    "lock-lost", "The lock on the repository was lost", "Another program removed the lock, or data was removed below a running job. So does a machine whose clock is half an hour ahead: it takes the lock for stale. No snapshot was written.",
        "Run the job again, do not run `restic unlock --remove-all`, `forget` or `prune` while Keepward works, and set the clocks of all machines that use the repository.";
    "loss-declared", "Something is missing, and a backup said so", "The service did not give it when the backup asked; the run has an issue about it.",
        "`keepward run issues RUN` shows the issue and what can be done about it.";
    "member-missing", "The account is not a member of the organization", "The service knows the account and does not let it in.",
        "Add the account to the organization (Organization settings > Users), with at least Basic access.";
    "method-refused", "The path does not have this method", "",
        "docs/reference/openapi.json lists paths with their methods.";
    "name-refused", "A name cannot be stored", "A name is empty, too long, or holds a separator.",
        "Report it with the message: names from the service are encoded before they are stored.";
    "not-found", "The service does not have it", "It was deleted meanwhile, or the identity may not see it.",
        "If others see it, check the identity's rights.";
    "notification-failed", "The notification could not be delivered", "The receiver refused it or could not be reached.",
        "The message names the cause. Correct the channel with `keepward notification edit NAME` and try it with `keepward notification test NAME`.";
    "oauth-policy-off", "Third-party application access via OAuth is off", "The organization lets no application in that signs in for a person.",
        "Turn it on: Organization settings > Policies > Third-party application access via OAuth.";
    "object-lock-unproved", "The storage did not prove that it keeps files immutable", "Object lock was asked for. The bucket's configuration, a file that was written for the proof or the attempt to remove it says that it does not hold. Nothing was stored.",
        "Make a bucket with object lock (and versions), and give the identity s3:GetBucketObjectLockConfiguration, s3:PutObjectRetention and s3:GetObjectRetention. Or use the repository without object lock.";
    "object-locked", "The file is locked by the storage", "The repository's object lock holds it, and nobody can remove it before its time.",
        "Wait until the time that the message names. Space comes back with the first prune after that.";
    "organization-name", "This is not the name of an organization", "",
        "Give the part after dev.azure.com/, for example contoso.";
    "organization-needed", "Enter the organization first", "Signing in is possible once the organization is named.",
        "Enter the organization, the part after dev.azure.com/, then sign in.";
    "organization-none", "No organization was found", "The account reaches no Azure DevOps organization. A service principal sees none here even when it is a member.",
        "Create an organization or connect it to the tenant first (aex.dev.azure.com), sign in with another account, or enter the organization's name.";
    "organization-not-configured", "Organization not configured for this connector", "The connector does not say which organization it is for.",
        "Delete the connector and create it again with its organization, or edit it and enter the organization.";
    "organization-not-entered", "The account has not yet entered the organization", "An account must have signed in to an organization once before the service answers for it in full.",
        "Sign in with this account at https://dev.azure.com/ORGANIZATION once, then test again.";
    "organization-taken", "A connector for this organization already exists", "An organization is protected by one connector of this type.",
        "Edit the existing connector, or delete it first: its backups stay.";
    "organization-unknown", "The organization does not exist", "The service knows no organization of this name at this host.", "Check the part after dev.azure.com/ in the browser's address bar.";
    "output-failed", "The result could not be written", "Standard output leads to a full disk or to something else that takes nothing. What the command was to do is done.",
        "Make room, or send the output elsewhere, and look at what was done: `keepward run list`.";
    "page-cursor", "The page does not exist", "What was given as `after` is not the `next` of a page of this list.",
        "Begin with the first page: leave `after` out.";
    "part-size-differs", "A stored file has not the size that its link promises", "Its item says how many bytes the file has, and another number is stored.",
        "Run a full backup: `keepward backup CONNECTOR --full`, and verify the new snapshot.";
    "pat-global", "The token is for all organizations", "Global personal access tokens stop working on 2026-12-01 and give away more than a backup needs.", "Create a token for this organization alone.";
    "path-unknown", "The interface has no such path", "",
        "docs/reference/openapi.json lists all paths. They begin with /api/v1.";
    "permission-missing", "The identity lacks a permission", "The service refuses to read this kind of data with this identity or token. What was backed up before is kept and marked stale.",
        "`keepward connector test NAME` names the missing scopes and what they cost.";
    "person-exists", "The name is taken", "Somebody has an account of this name, in whatever case of letters.",
        "Choose another name.";
    "person-needed", "Only the person can do this", "A token or the command line on the server acts for somebody, and this is about the account, its proofs or its session.",
        "Sign in to the console as this person, or let an administrator do it.";
    "person-unknown", "Nobody of this name has an account", "",
        "`keepward user list` shows the accounts that exist.";
    "plain-http-refused", "Passwords and tokens would cross the network in clear text", "The server was told to listen on an address that others reach, without a certificate.",
        "Give a certificate (`tls_certificate` and `tls_key`), listen on 127.0.0.1, or say that a proxy in front speaks TLS (`--behind-proxy` or `trusted_proxies`), and give its address with https: `--public-url`.";
    "plan-busy", "A run is at work on this restore plan", "It is being made or applied, or waits for its turn.",
        "Wait for the run, or cancel it: `keepward run cancel RUN`.";
    "plan-closed", "This restore plan is done", "Everything in it was restored, and a plan is applied once.",
        "Plan again to restore more; `keepward restore undo PLAN` plans to take it back.";
    "plan-confirm", "The restore has to be confirmed", "It replaces or removes what stands at the target, so the name of the target organization is to be typed.",
        "Look at what the plan replaces, `keepward restore show PLAN`, and give the name of the target organization: `--confirm NAME`.";
    "plan-incomplete", "The restore plan was never completed", "Planning ended with an error before all steps were written, so the plan cannot be applied. Nothing was written to the service.",
        "Plan again: `keepward restore plan …`.";
    "plan-not-undone", "This restore cannot be taken back", "Only a restore that wrote something can be, and none that is itself an undo.",
        "Restore what is missing from a snapshot: `keepward restore plan …`.";
    "plan-started", "The plan is no longer to be changed", "People can be mapped until the plan is applied.",
        "Make a new plan, and map people before it is applied.";
    "plan-target-changed", "The connector stands for another organization than the plan was made for", "It was changed, or another one got its name. What was planned for one organization is not written to another.",
        "Plan again: `keepward restore plan …`. A plan that is half applied can be continued when the connector stands for its organization again.";
    "plan-unknown", "No restore plan has this id", "", "`keepward restore list` shows those that exist.";
    "policy-changed", "The policy was changed meanwhile", "Somebody else saved it since it was read. Nothing was saved.",
        "Read it again, `keepward policy show NAME`, and make your change once more.";
    "policy-exists", "A policy of this name already exists", "Names are unique without regard to case.",
        "Choose another name, or change the existing policy: `keepward policy edit NAME`.";
    "policy-missing", "No policy is for this connector", "Every policy names other connectors, and none is for all that are left.",
        "Name the connector in a policy: `keepward policy edit NAME --connector CONNECTOR`.";
    "policy-refused", "A member of the policy is not right", "The answer names each member that was refused. Nothing was saved.",
        "Correct the members named, then save it again.";
    "policy-selects-nothing", "The policy selects nothing of this service", "It names kinds of data of other services alone. A policy may be for connectors of several services; then it names kinds of each.",
        "Name kinds of this service in it too, `keepward policy edit NAME`, or let another policy be for the connector.";
    "policy-unknown", "No policy has this name", "",
        "`keepward policy list` shows those that exist.";
    "proposal-changed", "The proposal is not the one that was shown", "What is stored differs from what the approver saw, or from its own hash. Nothing was done.",
        "Look at it again: `keepward proposal list`. If it still differs, somebody altered the database: `keepward audit verify`.";
    "proposal-closed", "The proposal is decided already", "It was approved, rejected, withdrawn or not decided in time.",
        "Ask for the same again to get a new proposal.";
    "proposal-of-others", "The proposal is not yours", "Only who asked for it can withdraw it.",
        "An approver can reject it: `keepward proposal reject ID`.";
    "proposal-own", "Somebody else has to decide", "Nobody approves or rejects what they asked for, with whatever token, and the machine's administrator is no second person.",
        "Ask another person with the role admin.";
    "proposal-unknown", "No proposal has this id", "",
        "`keepward proposal list` shows those that wait.";
    "public-client-off", "The application does not allow public client flows", "A device code, and a sign-in without a client secret, need them (AADSTS7000218).",
        "Turn on `Allow public client flows` in the application (Authentication), or add its client secret.";
    "public-url-missing", "The server does not know its own address", "A sign-in elsewhere has to come back to the address at which people reach the server, and cookies are for that address alone.",
        "Set it: `keepward serve --public-url https://HOST`, or `public_url` in the section `[server]` of the configuration.";
    "range-refused", "The file has no such part", "A part was asked for that lies behind the end of the file.",
        "Ask for the file without the header Range.";
    "reach-missing", "This is about all connectors", "Storage, workers, policies, channels and who gets in are shared by all connectors: whoever reaches some of them alone does not decide about the others.",
        "Ask somebody who reaches all connectors to do it. `keepward user edit NAME --all-connectors` lifts the limit of an account; a token reaches no more than its owner.";
    "reference-missing", "Something that an item needs is not in the snapshot", "An item belongs to something, or has a file, that the snapshot does not have, and no issue of a backup says why.",
        "Run a full backup: `keepward backup CONNECTOR --full`, and verify the new snapshot. An older snapshot may hold it.";
    "reference-unclear", "An item names a place that the snapshot does not have", "It may have been renamed after the item was changed for the last time, or the snapshot that could tell why it is missing was forgotten.",
        "Look whether the place has another name now. If it has not, run a full backup: `keepward backup CONNECTOR --full`.";
    "repository-counting", "The repository is being counted", "Its index and all folders are read, which takes longer than a request may. That goes on.",
        "Ask again in a minute.";
    "repository-damaged", "The repository is damaged", "A file in the repository is missing, cut short or has a wrong checksum.", "List what is damaged: `keepward repository check --read-data`. If you have a copy of the repository's files, put the listed ones back from it. A repository that `keepward repository copy` made has other files: bring their content back with `keepward repository repair index` and then `keepward repository copy --from THE-COPY --to THIS-ONE`. Without any copy, `keepward repository repair access`, `index --read-data` and `snapshots` bring back what is possible. If another program removed a snapshot on purpose, accept that with `keepward snapshot forget ID`.";
    "repository-exists", "There is already a repository at this place", "",
        "Use it: `keepward repository add PATH_OR_URL --password-file FILE`. Or choose an empty folder.";
    "repository-gone", "Nothing is left of a repository that is known here", "It was at this place. Now its folder is empty or away: most often a disk or network share that is not mounted, or a folder that was moved.",
        "Mount the disk, or put the folder back. If it lies elsewhere now, change its place in the console, or take it up under another name: `keepward repository add PATH --name NAME --password-file FILE`. Make no new repository in its place.";
    "repository-location", "The location is of a kind that is not supported", "",
        "Give a local folder, s3://BUCKET/PREFIX, azure://ACCOUNT/CONTAINER/PREFIX or gs://BUCKET/PREFIX.";
    "repository-none", "There is no repository to back up to", "The policy names none, and none is the default.",
        "Make one: `keepward repository init PATH`, or name one in the policy.";
    "repository-not-found", "There is no repository at this place", "", "Check the path, and whether its disk is mounted. `keepward repository list` shows what is known here; `keepward repository init PATH` makes a new one.";
    "repository-outside", "A repository cannot lie there", "Folders that are given over the interface have to lie in those that the administrator allows.",
        "Choose a folder in one of `[repositories] roots` of the configuration, or let the administrator add it on the machine: `keepward repository init PATH`.";
    "repository-refused", "A setting of the repository is wrong", "",
        "Correct the setting that the message names, then save again.";
    "repository-ruled", "Policies would forget snapshots in this repository", "While four eyes is on, nobody alone takes up a repository under a name that policies are for, or as the only one: what lies in it could be forgotten with the next backup.",
        "Take it up under another name, then let another person approve policies for it; or let the machine's administrator do it: `keepward repository add`.";
    "repository-unknown", "The repository of this snapshot is not known here any more", "It was removed from the list, or its place was given to another one.", "Add it again: `keepward repository add LOCATION`.";
    "repository-unnamed", "Several repositories are known here, and none is the default", "",
        "Say which: `--repository NAME` (`keepward repository list`). Or choose one for all commands: `keepward repository default NAME`.";
    "repository-version", "The repository has another version of the format", "Keepward reads and writes version 2 of the restic format.", "Version 1: migrate it with `restic migrate upgrade_repo_v2`. A version above 2 was made by a newer program: use that, or a newer version of Keepward.";
    "request-forged", "The request comes from another site", "A browser sent it, and not from a page of this server, so it may not be what its user wanted.",
        "Use the console at its public address. Programs authenticate with `Authorization: Bearer TOKEN` and send no cookie.";
    "request-malformed", "The request cannot be understood", "Its body is not JSON, or a parameter has the wrong type.",
        "Correct the part that the message names.";
    "request-not-json", "The body is not marked as JSON", "",
        "Send the header `Content-Type: application/json`.";
    "request-refused", "A value of the request is not right", "",
        "`errors` names each value and what is expected there.";
    "request-too-large", "The body of the request is larger than the limit", "",
        "Send less at once.";
    "request-too-slow", "The request took too long", "It did not arrive in time, or what it asked for was not done in time.",
        "Send it again; with an `Idempotency-Key` nothing is done twice.";
    "restore-conflict", "The target already has this item", "Nothing was changed: the plan's conflict rule is `skip`.", "Plan again with `--conflict replace` or `--conflict duplicate`.";
    "restore-differs", "A restored item differs from the snapshot", "It was read back after the write and something is not the same; the report names each difference.",
        "If what the item needs (an area, a field, a permission) was missing, see to it, and make a new plan with `--conflict replace`: it writes what differs. Otherwise compare the item with `keepward export`, and report what you see.";
    "restore-failed", "An item could not be restored", "The service refused the write.", "Remove the cause that the message states, then run `keepward restore apply PLAN` again: it continues where it stopped.";
    "restore-target", "The connector is of another service than the snapshot", "A snapshot can be restored into an organization of its own service alone.",
        "Choose a connector of the same service with `--into`, or export the data: `keepward export`.";
    "retry-later", "The run is tried again later", "What went wrong may pass: the service or the network failed for a while.",
        "You need not do anything. To stop it: `keepward run cancel RUN`.";
    "revision-missing", "Revisions of an item are not in the snapshot", "The numbers of the stored revisions have a gap, or end before the item does.",
        "The service may not list all of them. If the gap stays after a full backup, compare with the history in the browser, and report it.";
    "role-missing", "Your roles do not allow this", "",
        "Ask an administrator for a role that has the permission which the message names. A token needs it too: `keepward token add --permission`.";
    "rules-changed", "Somebody else changed how long snapshots are kept at the same moment", "What decides that are the policies, the names that they are for, and the repository that is used when none is named. Each change of it is judged by how the others stand. Nothing was saved.",
        "Look at how it stands now, `keepward policy list`, and make your change once more.";
    "run-busy", "Another run is at work on the same thing", "Two backups of one organization into one repository, or two restores into one organization, do not run at the same time.",
        "Wait until the other run has ended (`keepward run list`), then start again.";
    "run-interrupted", "The process ended before the run did", "It was killed, or the machine stopped. No half snapshot was written, earlier ones are whole.",
        "Start it again: a backup finds what is stored already, a restore goes on with `keepward restore apply PLAN`.";
    "run-not-open", "The run has ended", "What has ended can be neither canceled nor waited for.",
        "`keepward run show RUN` shows how it ended.";
    "run-open", "The run has not ended", "It is at work or in the queue.",
        "Wait for its end, or cancel it: `keepward run cancel RUN`.";
    "run-refused", "This run cannot be started again by itself", "Only backups can be retried.",
        "A restore goes on with its plan: `keepward restore apply PLAN`.";
    "run-succeeded", "The run has succeeded", "What it was to back up is in its snapshot: there is nothing to try again.",
        "For what changed since, start a new backup: `keepward backup CONNECTOR`.";
    "run-unknown", "No run has this id", "",
        "`keepward run list` shows those that exist.";
    "second-factor-exists", "One-time codes are on, or none are being set up", "",
        "Turn them off first with the account's password, then set them up again.";
    "second-factor-needed", "A one-time code is needed", "The account has a second factor.",
        "Give the code that the authenticator app shows, or a recovery code.";
    "secret-file-empty", "The file with the secret is empty", "Passwords and tokens are read from the first line of a file.",
        "Put the secret into the first line of the file.";
    "secret-file-not-text", "The file with the secret is not text", "It is not in UTF-8: perhaps it was saved with another encoding, or another file was named.",
        "Save it as plain text in UTF-8, with the secret in its first line.";
    "secret-file-unreadable", "The file with the secret cannot be read", "It is not there, or the user that the command runs as may not read it.",
        "Check the path and the file's permissions.";
    "selection-empty", "Nothing is selected", "A restore of nothing would do nothing.",
        "Select kinds, projects or items, or say that everything is meant.";
    "selection-unknown", "What was selected is not in the snapshot", "A kind, project, id or path of the selection does not exist in this snapshot, or a kind is there only as parts of other items. Nothing was done.",
        "`keepward snapshot search TEXT` and `keepward snapshot browse SNAPSHOT` show what there is.";
    "server-address", "The address cannot be that of a Keepward server", "A worker sends secrets to it: it begins with https://, unless the server is on the same machine, and holds neither user, password nor query.",
        "Give the address at which the server is reached, for example `--server https://keepward.example.com`.";
    "server-error", "Something is wrong with the server", "The cause is in the server's log, under the id of the request.",
        "Look there for the id of the request, and report the problem with what you find.";
    "server-unreachable", "The server cannot be reached", "",
        "Check the address given with `--server`, and that `keepward serve` runs there.";
    "service-not-in-tenant", "The tenant does not have the service", "The resource that was asked for is not known in this tenant: it was never subscribed or opened.",
        "Open the service once with an account of the tenant, or check the tenant.";
    "service-unavailable", "The service is not available", "It answers with errors, or the organization is suspended, also after retries.", "Look at the service's status page, then run again.";
    "service-unknown", "This program does not know the service", "The connector or snapshot was made by a version that knows more services.",
        "Use the newer version.";
    "session-unknown", "There is no such session", "It has ended, or it is somebody else's.",
        "`keepward session list` shows those that there are.";
    "settings-changed", "The settings were changed meanwhile", "Somebody else saved them since they were read. Nothing was saved.",
        "Look at them again, and make your change once more.";
    "setup-refused", "The token of the first start is not valid", "It is wrong, it was used already, or somebody has an account.",
        "Start the server again to get a new token while nobody has an account; otherwise ask an administrator, or run `keepward user add` on the machine itself.";
    "sign-in-failed", "The sign-in did not come to an end", "It took too long, was used twice, or Microsoft answered with an error.",
        "Sign in again.";
    "sign-in-groups-left-out", "Your groups are not in the token", "The identity provider leaves groups out of its token when somebody is in very many (in Entra ID, more than 200).",
        "Ask an administrator to let the application get only the groups that are assigned to it, or app roles instead (`groups_claim` = `roles`).";
    "sign-in-mismatch", "The answer does not belong to this sign-in", "State, nonce, tenant or application of the answer are not those that were asked for. Someone may have tried to put another account in.",
        "Start the sign-in again in this window. If it happens again, tell whoever runs the server.";
    "sign-in-more", "Microsoft asks for more at the sign-in", "A second factor or another step is needed, and only a person can take it.",
        "Sign in again with the account and take the step. For backups without a person use an application with a certificate, or a managed identity.";
    "sign-in-needed", "Nobody is signed in", "The request has no valid session or token, or it has expired.",
        "Sign in again. On the command line: `--token-file FILE`, with a token made by `keepward token add`.";
    "sign-in-no-role", "None of your groups has a role here", "The identity provider let you in, and nothing says what you may do here.",
        "Ask an administrator to give one of your groups, or an app role, a role.";
    "sign-in-refused", "The sign-in was refused", "The name, the password or the code is wrong, or the account is disabled; which one is in the audit log alone.",
        "Try again, or ask an administrator: `keepward user reset-password NAME --password-file FILE`.";
    "sign-in-window-missing", "The sign-in window did not appear", "The browser blocked it, or the session has expired.",
        "Refresh the page. If the session has expired, sign in at the portal, then try again.";
    "snapshot-ambiguous", "Several snapshots begin with this id", "", "Give more characters of the id; the message lists the candidates.";
    "snapshot-foreign", "Another program made this snapshot", "It lies in the same repository, and says of no service whose data it would be. It can be listed, searched folder by folder and exported, and is neither restored into a service nor verified item by item.",
        "Read it back with `keepward repository check --read-data`, which goes through all snapshots, and write it to files with `keepward export`.";
    "snapshot-unknown", "No snapshot has this id", "Either there is none, or the catalog does not list it yet, since another program or server has written it.",
        "`keepward snapshot list` shows those that are listed; `keepward repository sync` lists what the repository has beside them.";
    "source-failed", "Reading the content to store failed", "No snapshot was written.",
        "Run the job again.";
    "storage-credential", "The storage's credential cannot be used", "Its text in the vault is not one for this kind of storage.",
        "Store it again under the same name, in one of the forms that the message lists.";
    "storage-failed", "The storage failed", "A file of the repository could not be read or written.",
        "The message names the file and the cause; run the job again when the storage is back.";
    "suspicious-drop", "The newest snapshot has far fewer items than one before", "Older snapshots may be the only ones that still hold the missing items, so nothing is forgotten and no space is freed.",
        "Look with `keepward snapshot diff`. If the identity lost a right, grant it and run the backup again. If the items were deleted on purpose: `--accept-drop ORGANIZATION` for this time, or `keepward backup NAME --accept-deletions KIND` once for all.";
    "sync-settings", "The settings of the synchronization are wrong", "",
        "Give hours from 0 to 23 with a time zone, or an interval of 5 minutes to 31 days.";
    "tenant-unknown", "The tenant does not exist", "Neither an id nor a domain of this name is known to this cloud, or an application of one tenant was used without naming it.",
        "Check the tenant's id (Entra admin center > Overview) and the cloud.";
    "throttled", "The service asked us to slow down for too long", "The identity's request budget is used up, by us or by others who use the same identity.", "Run later, or give the backup an identity of its own.";
    "token-expired", "Invalid or expired token", "The session has expired: the token is too old, was revoked, or the password was changed.",
        "Refresh the page and sign in again. On the command line: `keepward connector sign-in NAME`.";
    "token-not-configured", "Azure DevOps access token not configured. Please authenticate.", "There is no token for this connector.",
        "Edit the connector and sign in.";
    "token-not-kept", "A new token could not be stored", "The service replaced the refresh token, and the new one could not be written. It was not used, so that nothing is lost unnoticed.",
        "The message names the cause: often a full disk or a database that is away. Then run again; if the sign-in has expired by then, sign in again.";
    "token-unknown", "There is no such token", "It was revoked, or it is somebody else's.",
        "`keepward token list` shows those that there are.";
    "too-many-requests", "Too many requests", "",
        "Wait as long as the header `Retry-After` says.";
    "tree-order", "Entries were written out of order", "An internal check stopped the job before its snapshot.",
        "Report it with the message; earlier snapshots are whole.";
    "unexpected", "Something unexpected happened", "",
        "Remove the cause that the message states, then try again. If it happens again, report it with the message.";
    "url-refused", "The address cannot be that of a service", "It does not begin with http:// or https://, or it holds a user name, a password or a query.",
        "Give the address alone, for example `--url https://tfs.example.com/tfs`, and the token with `--pat-file`.";
    "usage", "The command cannot be understood like this", "An option or argument is missing, is unknown, does not go with another one, or has a value that makes no sense.",
        "The message names it; `keepward COMMAND --help` shows how the command is written.";
    "user-unknown", "The tenant has no such user", "The id belongs to no user that a sync has found.",
        "`keepward connector users NAME` shows those that exist; `keepward connector sync NAME` looks for new ones.";
    "vault-key-wrong", "The vault cannot be opened with this key", "The file `key` in the data directory is not the one that sealed the secrets.",
        "Put the original key file back, or add connectors and repositories again with their secrets.";
    "work-item-missing", "A work item is not in the answer", "The service lists revisions of it but does not give it: it was destroyed meanwhile, or the identity may not see its area.", "If others see the item, grant the identity View work items on its area.";
    "work-item-not-selected", "A work item has left what the policy selects", "It was stored, and now lies in a project that the policy does not select. It is kept as it was before; what happens to it from now on is not stored, and its file `not-selected.json` says since when.", "Nothing to do, or select the project that it lies in now: `keepward policy edit NAME`.";
    "worker-exists", "A worker of this name already exists", "",
        "Choose another name, or remove the worker: `keepward worker remove NAME`.";
    "worker-missing", "No worker can take the job", "None that has the labels the policy asks for, and that reaches the repository, was seen in the last minutes. The run waits for one.",
        "Start a worker with these labels, or change the policy: `keepward worker list`.";
    "worker-refused", "The worker is not let in", "Its token is wrong, or the worker was removed.",
        "Make a new token: `keepward worker token NAME`.";
    "worker-stopped", "The run waits for another worker", "The worker that had it was stopped. What it had stored is not asked for again.",
        "You need not do anything while another worker runs: `keepward worker list`.";
    "worker-storage", "No wanted worker reaches the repository", "The repository is a folder, and the policy, or the connector's default worker where the policy leaves that open, wants workers elsewhere, none of which says that it reaches this folder.",
        "Start a worker beside the storage with `--storage REPOSITORY`, choose another repository, or leave the choice of the worker out of what the message names, the policy or the connector.";
    "worker-unknown", "No worker has this name", "",
        "`keepward worker list` shows those that exist.";
    "wrong-password", "The repository's password is wrong", "", "Check the password file. If the password was changed by restic or on another machine, tell Keepward the new one: `keepward repository key use --password-file FILE`. Without a password of one of its keys a repository cannot be opened by anyone.";
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
