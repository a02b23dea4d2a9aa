-- When everything that a backup is for had been read: a kind that could not be read since is as old as that.
ALTER TABLE run ADD COLUMN whole BIGINT;
UPDATE run SET whole = finished WHERE kind = 'backup' AND state IN ('succeeded', 'succeeded_with_issues');
CREATE INDEX run_whole ON run (lower(connector), whole) WHERE whole IS NOT NULL;
