-- The checkpoint that a run went on from (JSON); null when it began anew.
ALTER TABLE run ADD COLUMN resumed {text};
