-- What of a credential is no secret: how it signs in (JSON), until when, and how it went. Null `sign_in` is a secret of the program's own.
ALTER TABLE credential ADD COLUMN sign_in {text};
ALTER TABLE credential ADD COLUMN expires BIGINT;
ALTER TABLE credential ADD COLUMN used BIGINT;
ALTER TABLE credential ADD COLUMN tested BIGINT;
ALTER TABLE credential ADD COLUMN test_error {text};
UPDATE credential SET sign_in = '{"method":"pat"}' WHERE method = 'pat';
CREATE INDEX credential_expires ON credential (expires) WHERE expires IS NOT NULL;

ALTER TABLE connector ADD COLUMN restore_credential {text};
ALTER TABLE connector ADD COLUMN restore_key {text} REFERENCES credential (key);
ALTER TABLE connector ADD COLUMN tenant {text};
-- JSON, null for a connector that nothing is wrong with.
ALTER TABLE connector ADD COLUMN status {text};
ALTER TABLE connector ADD COLUMN worker {text};
ALTER TABLE connector ADD COLUMN sync {text};
ALTER TABLE connector ADD COLUMN created BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connector ADD COLUMN updated BIGINT NOT NULL DEFAULT 0;
-- One sign-in an organization, whatever its method; tokens may be several.
DROP INDEX connector_organization;
CREATE UNIQUE INDEX connector_organization ON connector (service, organization_key) WHERE method <> 'pat';
CREATE INDEX connector_credential ON connector (credential_key);

-- An app registration that a tenant consented to.
CREATE TABLE app_profile (
    key {text} PRIMARY KEY,
    name {text} NOT NULL,
    service {text} NOT NULL,
    cloud {text} NOT NULL,
    tenant {text} NOT NULL,
    client_id {text} NOT NULL,
    own BIGINT NOT NULL,
    -- The app's own secret or certificate, where people sign in through one that is no public client.
    credential_key {text} REFERENCES credential (key),
    consented BIGINT,
    created BIGINT NOT NULL,
    UNIQUE (service, cloud, tenant, client_id)
);

-- A wizard on its way. All that it has found lies sealed, under the vault's key.
CREATE TABLE connect_session (
    id {text} PRIMARY KEY,
    owner {text} NOT NULL,
    -- The hash of what a browser brings back, while one is out.
    awaited {text} UNIQUE,
    version BIGINT NOT NULL,
    wrapped {blob} NOT NULL,
    sealed {blob} NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX connect_session_expires ON connect_session (expires);
