-- Items in the recycle bin of their service, in the order of a list: few, so that backups hardly write it. With `binned` among its columns SQLite
-- prefers it to the order of all items.
CREATE INDEX item_version_binned ON item_version (section, binned, item) WHERE binned = 1;

{vocabulary}
