-- Where connectors stood before they were removed or changed. Their policies go on to say how long the snapshots stay that they made.
CREATE TABLE former_connector (
    key {text} NOT NULL,
    name {text} NOT NULL,
    service {text} NOT NULL,
    organization {text} NOT NULL,
    organization_key {text} NOT NULL,
    url {text} NOT NULL,
    tenant {text} NOT NULL,
    PRIMARY KEY (key, service, organization_key, url, tenant)
);
