-- All backups of a week stay under the default policy that nobody has changed: one that is made after a loss must not take the place of the last
-- that had what was lost.
UPDATE policy SET body = '{"name":"default","retention":{"daily":30,"weekly":12,"monthly":12,"within":{"days":7}}}'
WHERE body = '{"name":"default","retention":{"daily":30,"weekly":12,"monthly":12}}';
