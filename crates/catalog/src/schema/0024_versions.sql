-- What people change as a whole grows by one with each change, as policies do: who read it before somebody else changed it is refused.
ALTER TABLE channel ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alarm_settings ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE identity_provider ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE repository ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
