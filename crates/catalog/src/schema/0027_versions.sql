-- Who may do what, and what a repository does by itself, grow by one with each change too: who read them before somebody else changed them is refused.
ALTER TABLE person ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE repository ADD COLUMN maintenance_version BIGINT NOT NULL DEFAULT 0;
