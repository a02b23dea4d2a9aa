-- What a plan's snapshot is of, also when that is forgotten: later plans look for what it made.
ALTER TABLE plan ADD COLUMN source_service {text};
ALTER TABLE plan ADD COLUMN source_address {text};
UPDATE plan SET
    source_service = (SELECT s.service FROM snapshot n JOIN source s ON s.id = n.source WHERE n.id = plan.snapshot),
    source_address = (SELECT s.address FROM snapshot n JOIN source s ON s.id = n.source WHERE n.id = plan.snapshot);
CREATE INDEX journal_item ON journal (kind, item) WHERE new_id IS NOT NULL;
