-- Policies, and how far the clock has come for each.
CREATE TABLE policy (
    key {text} PRIMARY KEY,
    name {text} NOT NULL,
    enabled BIGINT NOT NULL,
    -- The whole policy (JSON).
    body {text} NOT NULL,
    -- Grows with each change, so that two editors notice each other.
    version BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    -- Times of its schedule up to this one are dealt with; 0 until the scheduler has seen it.
    handled BIGINT NOT NULL,
    fired BIGINT
);

-- The one that exists from the start, so that a backup can be made at once.
INSERT INTO policy (key, name, enabled, body, version, updated, handled)
VALUES ('default', 'default', 1, '{"name":"default","retention":{"daily":30,"weekly":12,"monthly":12}}', 1, 0, 0);

ALTER TABLE run ADD COLUMN policy {text};
ALTER TABLE run ADD COLUMN reason {text} NOT NULL DEFAULT 'command';
ALTER TABLE run ADD COLUMN retry_of {text};
-- What a run at work waits for (JSON), as its worker said it last.
ALTER TABLE run ADD COLUMN waiting {text};
CREATE INDEX run_connector ON run (connector, id);
CREATE INDEX run_policy ON run (policy, id) WHERE policy IS NOT NULL;

-- Claimed by whoever made it and by no worker's loop.
ALTER TABLE job ADD COLUMN direct BIGINT NOT NULL DEFAULT 1;
ALTER TABLE job ADD COLUMN connector {text};
ALTER TABLE job ADD COLUMN policy {text};
-- Runs of its policy at the same time; null for no limit.
ALTER TABLE job ADD COLUMN policy_runs BIGINT;
-- Labels that its worker must have (JSON).
ALTER TABLE job ADD COLUMN labels {text};
-- The repository when only workers that say so reach it.
ALTER TABLE job ADD COLUMN storage {text};
ALTER TABLE job ADD COLUMN not_before BIGINT;
-- When it was leased last; whose connector waited longest goes first.
ALTER TABLE job ADD COLUMN claimed BIGINT;
CREATE INDEX job_connector ON job (connector, claimed);

-- Workers that were made here or have shown themselves. Only those elsewhere have a token.
CREATE TABLE worker (
    key {text} PRIMARY KEY,
    name {text} NOT NULL,
    labels {text} NOT NULL,
    storages {text} NOT NULL,
    -- In this server's own process: it reaches every repository.
    own BIGINT NOT NULL,
    token {text} UNIQUE,
    created BIGINT NOT NULL,
    seen BIGINT
);

-- Rows of a snapshot that a worker elsewhere has sent so far.
CREATE TABLE job_rows (
    job {text} NOT NULL,
    token BIGINT NOT NULL,
    page BIGINT NOT NULL,
    body {text} NOT NULL,
    PRIMARY KEY (job, token, page)
) {clustered};

-- Projects, repositories and users that a sync has found.
CREATE TABLE found_item (
    connector {text} NOT NULL,
    kind {text} NOT NULL,
    id {text} NOT NULL,
    name {text} NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    -- It was there at the first sync, or came while new ones were added by themselves.
    added BIGINT NOT NULL,
    PRIMARY KEY (connector, kind, id)
) {clustered};

CREATE TABLE connector_sync (
    connector {text} PRIMARY KEY,
    -- Times of the sync's schedule up to this one are dealt with.
    handled BIGINT NOT NULL,
    synced BIGINT,
    error {text}
);

-- Issues that a person has seen and does not want to hear of again, for a while or for good.
CREATE TABLE acknowledged (
    connector {text} NOT NULL,
    code {text} NOT NULL,
    kind {text} NOT NULL,
    scope {text} NOT NULL,
    item {text} NOT NULL,
    by_whom {text} NOT NULL,
    at BIGINT NOT NULL,
    until BIGINT,
    note {text},
    PRIMARY KEY (connector, code, kind, scope, item)
) {clustered};

ALTER TABLE issue ADD COLUMN kind {text};
ALTER TABLE issue ADD COLUMN scope {text};
ALTER TABLE issue ADD COLUMN item {text};
