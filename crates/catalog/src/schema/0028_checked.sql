-- Whether the target was asked for the name that takes a person's place, and knows it. Of what was mapped before nobody knows.
ALTER TABLE plan_person ADD COLUMN checked BIGINT NOT NULL DEFAULT 0;
