-- What can be searched of versions of an item beside their names. Versions whose name and text are the same share it.
CREATE TABLE item_text (
    id {serial},
    section BIGINT NOT NULL,
    item {text} NOT NULL,
    -- Of name, project and text, to know them again in the next version.
    hash BIGINT NOT NULL,
    -- The name or id of the project, in lower case, as the document says it.
    project {text} NOT NULL,
    body {text} NOT NULL
);
ALTER TABLE item_version ADD COLUMN text BIGINT;

-- Texts whose words are not indexed yet: that takes longer than a snapshot may keep other writers waiting.
CREATE TABLE text_pending (id {serial});

{text_words}
