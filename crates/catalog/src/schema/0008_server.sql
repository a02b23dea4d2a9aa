-- Requests that carried an idempotency key; `wrapped` and `sealed` hold the answer, null while the first one is at work.
CREATE TABLE answer (
    caller {text} NOT NULL,
    key {text} NOT NULL,
    request {blob} NOT NULL,
    wrapped {blob},
    sealed {blob},
    created BIGINT NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX answer_created ON answer (created);

CREATE INDEX run_connector_name ON run (lower(connector), id);
CREATE INDEX run_state ON run (state, id);
CREATE INDEX snapshot_taken ON snapshot (taken, id);
