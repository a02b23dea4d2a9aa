-- Which secret opens a repository's storage, and what its object lock has to hold (JSON); both may be null.
ALTER TABLE repository ADD COLUMN storage_credential {text};
ALTER TABLE repository ADD COLUMN storage_key {text} REFERENCES credential (key);
ALTER TABLE repository ADD COLUMN object_lock {text};

-- When it was checked last, and the problems that were found.
ALTER TABLE repository ADD COLUMN checked BIGINT;
ALTER TABLE repository ADD COLUMN problems BIGINT;

CREATE TABLE channel (
    key {text} PRIMARY KEY,
    name {text} NOT NULL,
    -- The whole channel (JSON), without its secret.
    body {text} NOT NULL,
    credential_key {text} REFERENCES credential (key),
    updated BIGINT NOT NULL
);

-- Messages on their way. What happened gets into it once for each channel, in the transaction that notes that it was told.
CREATE TABLE outbox (
    id {text} PRIMARY KEY,
    channel {text} NOT NULL,
    event {text} NOT NULL,
    body {text} NOT NULL,
    -- `waiting`, `sent` or `failed`.
    state {text} NOT NULL,
    attempts BIGINT NOT NULL,
    created BIGINT NOT NULL,
    due BIGINT NOT NULL,
    finished BIGINT,
    error {text},
    UNIQUE (channel, event)
);
CREATE INDEX outbox_due ON outbox (due) WHERE state = 'waiting';
CREATE INDEX outbox_finished ON outbox (finished) WHERE finished IS NOT NULL;

-- Runs that have ended and that no channel was told of yet; those from before there were channels are no news.
ALTER TABLE run ADD COLUMN told BIGINT;
UPDATE run SET told = 1;
CREATE INDEX run_untold ON run (id) WHERE told IS NULL AND finished IS NOT NULL;

CREATE TABLE alarm (
    key {text} PRIMARY KEY,
    -- The alarm (JSON), as it was seen last.
    body {text} NOT NULL,
    raised BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    acknowledged BIGINT,
    acknowledged_by {text},
    reason {text}
);

-- One row at most: what alarms go by (JSON).
CREATE TABLE alarm_settings (
    id BIGINT PRIMARY KEY,
    body {text} NOT NULL
);
