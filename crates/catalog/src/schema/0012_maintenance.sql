-- What a run came to (JSON), and those of its counts that are added up over many runs; null until it has ended.
ALTER TABLE run ADD COLUMN result {text};
ALTER TABLE run ADD COLUMN requests BIGINT;
ALTER TABLE run ADD COLUMN received BIGINT;
ALTER TABLE run ADD COLUMN stored BIGINT;
ALTER TABLE run ADD COLUMN items BIGINT;
-- Wide, so that sums over months read no rows.
CREATE INDEX run_finished ON run (finished, kind, state, repository, connector, requests, received, stored, id) WHERE finished IS NOT NULL;

-- When a prune went through last, and how large all files were when they were measured last.
ALTER TABLE repository ADD COLUMN pruned BIGINT;
ALTER TABLE repository ADD COLUMN bytes BIGINT;
ALTER TABLE repository ADD COLUMN measured BIGINT;
-- Since when a check has found damage that no later one could show to be gone. What was found by reading packs (`damage_read`), only a check
-- that reads all of them can.
ALTER TABLE repository ADD COLUMN damaged BIGINT;
ALTER TABLE repository ADD COLUMN damage_read BIGINT NOT NULL DEFAULT 0;

-- Who asked for it.
ALTER TABLE verification ADD COLUMN by_whom {text} NOT NULL DEFAULT '';

-- What is done for a repository by itself; what is switched off has no row.
CREATE TABLE maintenance (
    repository {text} NOT NULL REFERENCES repository (key) ON DELETE CASCADE,
    task {text} NOT NULL,
    -- JSON.
    schedule {text} NOT NULL,
    -- How much of the packs a check reads, and where the next one begins, in percent of all.
    read_percent BIGINT NOT NULL,
    position BIGINT NOT NULL,
    -- Times of the schedule up to this one are dealt with; 0 until the scheduler has seen it.
    handled BIGINT NOT NULL,
    fired BIGINT,
    PRIMARY KEY (repository, task)
) {clustered};

-- Codes of what the last check of a connector warned of.
CREATE TABLE connector_warning (
    connector {text} NOT NULL REFERENCES connector (key) ON DELETE CASCADE ON UPDATE CASCADE,
    code {text} NOT NULL,
    PRIMARY KEY (connector, code)
) {clustered};

CREATE INDEX found_item_new ON found_item (connector, kind, name) WHERE added = 0;
