-- The host of one's own for which a secret was entered, besides those at which connectors use it.
ALTER TABLE credential ADD COLUMN url {text};
