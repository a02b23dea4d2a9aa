-- Times are microseconds since 1970 (UTC), flags are 0 or 1, ids are text. `key` is a name in lower case.

CREATE TABLE credential (
    key {text} PRIMARY KEY,
    name {text} NOT NULL,
    method {text} NOT NULL,
    version BIGINT NOT NULL,
    wrapped {blob} NOT NULL,
    sealed {blob} NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);

CREATE TABLE connector (
    key {text} PRIMARY KEY,
    name {text} NOT NULL,
    service {text} NOT NULL,
    organization {text} NOT NULL,
    organization_key {text} NOT NULL,
    url {text},
    method {text} NOT NULL,
    credential {text} NOT NULL,
    credential_key {text} NOT NULL REFERENCES credential (key)
);

-- One sign-in an organization; tokens may be several: one that reads for backups, one that writes for restores.
CREATE UNIQUE INDEX connector_organization ON connector (service, organization_key, method) WHERE method <> 'pat';

CREATE TABLE repository (
    key {text} PRIMARY KEY,
    name {text} NOT NULL,
    location {text} NOT NULL UNIQUE,
    id {text} NOT NULL,
    password_credential {text} NOT NULL,
    password_key {text} NOT NULL REFERENCES credential (key),
    is_default BIGINT NOT NULL
);

CREATE TABLE run (
    id {text} PRIMARY KEY,
    kind {text} NOT NULL,
    connector {text} NOT NULL,
    repository {text} NOT NULL,
    state {text} NOT NULL,
    created BIGINT NOT NULL,
    finished BIGINT,
    snapshot {text},
    counts {text} NOT NULL,
    error {text}
);

CREATE TABLE issue (
    id {serial},
    run {text} NOT NULL REFERENCES run (id),
    code {text} NOT NULL,
    body {text} NOT NULL
);
CREATE INDEX issue_run ON issue (run, id);

CREATE TABLE job (
    id {text} PRIMARY KEY,
    run {text} NOT NULL REFERENCES run (id),
    payload {text} NOT NULL,
    state {text} NOT NULL,
    concurrency_key {text},
    token BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    owner {text},
    lease_until BIGINT,
    cancel_requested BIGINT NOT NULL,
    checkpoint {text},
    created BIGINT NOT NULL
);
CREATE INDEX job_open ON job (created, id) WHERE state IN ('queued', 'leased');
CREATE INDEX job_run ON job (run);
-- Two jobs of one key never run at once, whatever claims do at the same moment.
CREATE UNIQUE INDEX job_exclusive ON job (concurrency_key) WHERE state = 'leased';

CREATE TABLE source (
    id {serial},
    repository {text} NOT NULL,
    service {text} NOT NULL,
    name {text} NOT NULL,
    UNIQUE (repository, service, name)
);

CREATE TABLE snapshot (
    id {text} PRIMARY KEY,
    source BIGINT NOT NULL REFERENCES source (id),
    seq BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    run {text} NOT NULL,
    tree {text} NOT NULL,
    parent {text},
    counts {text} NOT NULL,
    source_file {text} NOT NULL,
    UNIQUE (source, seq)
);

-- A kind in a scope: one number instead of three texts in every row of the index.
CREATE TABLE section (
    id {serial},
    source BIGINT NOT NULL REFERENCES source (id),
    kind {text} NOT NULL,
    scope {text} NOT NULL,
    UNIQUE (source, kind, scope)
);

-- A version of an item, from the snapshot `first_seq` until before `gone_seq`; null while it is current.
CREATE TABLE item_version (
    section BIGINT NOT NULL,
    item {text} NOT NULL,
    first_seq BIGINT NOT NULL,
    gone_seq BIGINT,
    name {text} NOT NULL,
    -- The name in lower case, only where the databases' own rules for letters do not do: outside ASCII.
    folded {text},
    path {text} NOT NULL,
    digest {text} NOT NULL,
    size BIGINT NOT NULL,
    modified BIGINT,
    binned BIGINT NOT NULL,
    PRIMARY KEY (section, item, first_seq)
) {clustered};
-- Partial, so that a source's first snapshot, which is the large one, pays for neither.
CREATE INDEX item_version_begun ON item_version (section, first_seq) WHERE first_seq > 1;
CREATE INDEX item_version_gone ON item_version (section, gone_seq) WHERE gone_seq IS NOT NULL;

CREATE TABLE plan (
    id {text} PRIMARY KEY,
    snapshot {text} NOT NULL,
    repository {text} NOT NULL,
    target {text} NOT NULL,
    conflict {text} NOT NULL,
    state {text} NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE step (
    plan {text} NOT NULL REFERENCES plan (id),
    position BIGINT NOT NULL,
    kind {text} NOT NULL,
    scope {text} NOT NULL,
    item {text} NOT NULL,
    name {text} NOT NULL,
    action {text} NOT NULL,
    reason {text},
    losses {text} NOT NULL,
    state {text} NOT NULL,
    new_id {text},
    detail {text},
    PRIMARY KEY (plan, position)
) {clustered};

-- What was about to be written, what came of it, and how far it got.
CREATE TABLE journal (
    plan {text} NOT NULL REFERENCES plan (id),
    kind {text} NOT NULL,
    scope {text} NOT NULL,
    item {text} NOT NULL,
    intended BIGINT NOT NULL,
    new_id {text},
    note {text},
    PRIMARY KEY (plan, kind, scope, item)
) {clustered};
