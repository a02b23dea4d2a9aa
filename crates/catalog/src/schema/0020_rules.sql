-- Grows with each change of what decides how long snapshots stay: policies, names that they are for, and the repository that is used when none is named.
ALTER TABLE four_eyes ADD COLUMN rules BIGINT NOT NULL DEFAULT 0;
