-- People, how they come in, what they did, and what waits for a second pair of eyes.

CREATE TABLE person (
    id {text} PRIMARY KEY,
    key {text} NOT NULL UNIQUE,
    name {text} NOT NULL,
    roles {text} NOT NULL,
    -- Whether `admin` is one of the roles, where a statement can count it.
    admin BIGINT NOT NULL,
    -- The connectors that the person reaches (JSON, lower case); null for all.
    connectors {text},
    -- Argon2id; null for who signs in elsewhere.
    password {text},
    -- `pending` until the first code was given, then `on`; the secret is in the vault.
    totp {text},
    -- The last time step whose code was used: none is taken twice.
    totp_step BIGINT NOT NULL,
    disabled BIGINT NOT NULL,
    created BIGINT NOT NULL,
    signed_in BIGINT
);

CREATE TABLE recovery_code (
    person {text} NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    hash {text} NOT NULL,
    PRIMARY KEY (person, hash)
) {clustered};

-- Who somebody is at an identity provider; never found by an e-mail address, which can change hands.
CREATE TABLE identity (
    issuer {text} NOT NULL,
    subject {text} NOT NULL,
    person {text} NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
) {clustered};

CREATE TABLE identity_provider (
    key {text} PRIMARY KEY,
    body {text} NOT NULL
);

CREATE TABLE session (
    hash {text} PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    person {text} NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    method {text} NOT NULL,
    created BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    address {text},
    agent {text}
);
CREATE INDEX session_person ON session (person, id);

CREATE TABLE api_token (
    id {text} PRIMARY KEY,
    person {text} NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    prefix {text} NOT NULL UNIQUE,
    hash {text} NOT NULL,
    permissions {text} NOT NULL,
    connectors {text},
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used BIGINT
);
CREATE INDEX api_token_person ON api_token (person, id);

-- A sign-in that went to an identity provider; the browser's half of the secret is in its cookie alone.
CREATE TABLE oidc_state (
    hash {text} PRIMARY KEY,
    browser {text} NOT NULL,
    provider {text} NOT NULL,
    return_to {text} NOT NULL,
    expires BIGINT NOT NULL
);

CREATE TABLE sign_in_attempt (
    key {text} PRIMARY KEY,
    count BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- The hash of the token that makes the first administrator; there is none once somebody has an account.
CREATE TABLE setup_token (
    only_one BIGINT PRIMARY KEY CHECK (only_one = 1),
    hash {text} NOT NULL
);

-- Each row's hash covers the row before, so that none can be changed, removed or moved unnoticed.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    time BIGINT NOT NULL,
    kind {text} NOT NULL,
    actor {text} NOT NULL,
    action {text} NOT NULL,
    subject {text} NOT NULL,
    outcome {text} NOT NULL,
    details {text} NOT NULL,
    address {text},
    request {text},
    hash {text} NOT NULL
);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_action ON audit (action, seq);
CREATE INDEX audit_subject ON audit (subject, seq);
{audit_is_append_only}

-- Writers wait for each other at this row: the numbers of the log have no gaps.
CREATE TABLE audit_head (
    only_one BIGINT PRIMARY KEY CHECK (only_one = 1),
    seq BIGINT NOT NULL,
    hash {text} NOT NULL
);
INSERT INTO audit_head (only_one, seq, hash) VALUES (1, 0, '');

-- Whether another person has to approve what removes backups.
CREATE TABLE four_eyes (
    only_one BIGINT PRIMARY KEY CHECK (only_one = 1),
    enabled BIGINT NOT NULL
);
INSERT INTO four_eyes (only_one, enabled) VALUES (1, 0);

CREATE TABLE proposal (
    id {text} PRIMARY KEY,
    kind {text} NOT NULL,
    subject {text} NOT NULL,
    payload {text} NOT NULL,
    hash {text} NOT NULL,
    -- The person, so that nobody approves what they asked for under another name; null for the machine's administrator.
    requester {text},
    requester_name {text} NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    state {text} NOT NULL,
    decided_by {text},
    decided BIGINT,
    result {text}
);
CREATE INDEX proposal_state ON proposal (state, id);
