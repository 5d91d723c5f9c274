-- description: The journal (one row per group commit, chained by hash), its snapshots, its lease, and the list of patches.
-- impact: New tables only; nothing that exists is touched, and no lock outlasts the statement.
-- rollback: DROP TABLE snapshot_parts; DROP TABLE snapshots; DROP TABLE lease; DROP TABLE schema_patches; DROP TABLE journal;
--   the journal is the only record of what was traded, so copy it first.

CREATE TABLE IF NOT EXISTS schema_patches (
    name VARCHAR(128) NOT NULL PRIMARY KEY,
    checksum VARCHAR(64) NOT NULL,
    applied_at VARCHAR(32) NOT NULL
);

CREATE TABLE IF NOT EXISTS journal (
    batch INTEGER NOT NULL PRIMARY KEY,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    appended_at BIGINT NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    payload BLOB NOT NULL
);

CREATE TABLE IF NOT EXISTS snapshots (
    seq INTEGER NOT NULL PRIMARY KEY,
    batch BIGINT NOT NULL,
    batch_hash BLOB NOT NULL,
    state_hash VARCHAR(128) NOT NULL,
    format BIGINT NOT NULL,
    size BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS snapshot_parts (
    seq BIGINT NOT NULL,
    part BIGINT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (seq, part)
);

CREATE TABLE IF NOT EXISTS lease (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    owner VARCHAR(512) NOT NULL,
    epoch BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

INSERT INTO lease (name, owner, epoch, expires_at)
SELECT 'journal', '', 0, 0 WHERE NOT EXISTS (SELECT 1 FROM lease WHERE name = 'journal');
