-- When all steps of a plan were there.
ALTER TABLE plan ADD COLUMN planned BIGINT;
-- The plan that it takes back (JSON).
ALTER TABLE plan ADD COLUMN undoes {text};
-- The target's key.
ALTER TABLE plan ADD COLUMN connector {text};
-- What was asked for (JSON), and by whom.
ALTER TABLE plan ADD COLUMN wish {text};
ALTER TABLE plan ADD COLUMN created_by {text};
ALTER TABLE plan ADD COLUMN plan_run {text};
-- The last run that applied it, and when the first one began.
ALTER TABLE plan ADD COLUMN apply_run {text};
ALTER TABLE plan ADD COLUMN begun BIGINT;
ALTER TABLE plan ADD COLUMN error {text};
CREATE INDEX plan_connector ON plan (connector, id);
CREATE INDEX plan_plan_run ON plan (plan_run) WHERE plan_run IS NOT NULL;
CREATE INDEX plan_apply_run ON plan (apply_run) WHERE apply_run IS NOT NULL;

-- The page of the restored item at the service.
ALTER TABLE step ADD COLUMN url {text};

-- People whom the items of a plan name, and who takes their place at the target.
CREATE TABLE plan_person (
    plan {text} NOT NULL REFERENCES plan (id),
    -- The unique name in lower case.
    person {text} NOT NULL,
    unique_name {text} NOT NULL,
    name {text} NOT NULL,
    items BIGINT NOT NULL,
    -- The target knows the unique name.
    found BIGINT NOT NULL,
    -- The unique name to write; null leaves the person as stored.
    becomes {text},
    PRIMARY KEY (plan, person)
) {clustered};
