-- Items of a project in the order of a list.
CREATE INDEX item_text_project ON item_text (section, project, item);

-- How many items of each kind and project a snapshot holds (JSON); null until somebody asked.
ALTER TABLE snapshot ADD COLUMN projects {text};
