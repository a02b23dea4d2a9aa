-- The revision of what a step writes over, as it stood when the plan was made.
ALTER TABLE step ADD COLUMN over TEXT;
