-- Sources are told by their addresses: organizations of one name at two servers are two sources. The unique columns follow.
ALTER TABLE source RENAME COLUMN name TO address;
-- What people call it, as its newest snapshot says.
ALTER TABLE source ADD COLUMN name {text} NOT NULL DEFAULT '';
UPDATE source SET name = address;

-- Whether groups at an identity provider say which connectors somebody reaches, and no administrator does.
ALTER TABLE person ADD COLUMN reach_of_groups BIGINT NOT NULL DEFAULT 0;
