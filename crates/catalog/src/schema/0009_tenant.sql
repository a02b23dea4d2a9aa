-- Who decides which users of a tenant are protected; no row is the usual one.
CREATE TABLE tenant (
    connector {text} PRIMARY KEY REFERENCES connector (key) ON DELETE CASCADE ON UPDATE CASCADE,
    licensing {text} NOT NULL
);

-- Users, groups and sites of a tenant as the last sync found them.
CREATE TABLE directory_entry (
    connector {text} NOT NULL REFERENCES connector (key) ON DELETE CASCADE ON UPDATE CASCADE,
    kind {text} NOT NULL,
    id {text} NOT NULL,
    name {text} NOT NULL,
    -- Name and address in lower case, for sorting and searching.
    folded {text} NOT NULL,
    address {text},
    nature {text} NOT NULL,
    enabled BIGINT NOT NULL,
    -- A person's decision; null leaves it to the rule.
    decided BIGINT,
    -- It came while new ones were not to be protected by themselves.
    waiting BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    -- Since when the service no longer lists it; null while it does. Decisions outlive that.
    gone BIGINT,
    PRIMARY KEY (connector, kind, id)
) {clustered};
CREATE INDEX directory_entry_name ON directory_entry (connector, kind, folded, id) WHERE gone IS NULL;
