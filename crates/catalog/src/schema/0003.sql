-- When a snapshot was verified last, and what that came to. It is about the snapshot in the repository, whether or not it is listed here.
CREATE TABLE verification (
    snapshot {text} PRIMARY KEY,
    verified BIGINT NOT NULL,
    damage BIGINT NOT NULL,
    doubts BIGINT NOT NULL,
    -- Differences that a restore into the simulator had; null when there was none.
    differences BIGINT
);
