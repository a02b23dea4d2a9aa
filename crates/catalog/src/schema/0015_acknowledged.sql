-- Issues of runs that are about a repository alone can be acknowledged too: one of connector and repository is empty.
CREATE TABLE acknowledged_issue (
    connector {text} NOT NULL,
    repository {text} NOT NULL,
    code {text} NOT NULL,
    kind {text} NOT NULL,
    scope {text} NOT NULL,
    item {text} NOT NULL,
    by_whom {text} NOT NULL,
    at BIGINT NOT NULL,
    until BIGINT,
    note {text},
    PRIMARY KEY (connector, repository, code, kind, scope, item)
) {clustered};

INSERT INTO acknowledged_issue (connector, repository, code, kind, scope, item, by_whom, at, until, note)
SELECT connector, '', code, kind, scope, item, by_whom, at, until, note FROM acknowledged;

DROP TABLE acknowledged;
