-- Whether a plan made the item or found it there: only what it made is taken away again. Of what older versions wrote nobody knows.
ALTER TABLE journal ADD COLUMN made BIGINT NOT NULL DEFAULT 0;
