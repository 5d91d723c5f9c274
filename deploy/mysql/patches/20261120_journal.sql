-- description: The journal (one row per group commit, chained by hash), its snapshots, its lease, and the list of patches.
-- impact: New tables only; nothing that exists is touched; MySQL and MariaDB commit each statement by itself, and every one may be run again.
-- rollback: DROP TABLE snapshot_parts; DROP TABLE snapshots; DROP TABLE lease; DROP TABLE schema_patches; DROP TABLE journal;
--   the journal is the only record of what was traded, so copy it first.

CREATE TABLE IF NOT EXISTS schema_patches (
    name VARCHAR(128) NOT NULL PRIMARY KEY,
    checksum VARCHAR(64) NOT NULL,
    applied_at VARCHAR(32) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS journal (
    batch BIGINT NOT NULL PRIMARY KEY,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    appended_at BIGINT NOT NULL,
    prev_hash BINARY(32) NOT NULL,
    hash BINARY(32) NOT NULL,
    payload LONGBLOB NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS snapshots (
    seq BIGINT NOT NULL PRIMARY KEY,
    batch BIGINT NOT NULL,
    batch_hash BINARY(32) NOT NULL,
    state_hash VARCHAR(128) NOT NULL,
    format BIGINT NOT NULL,
    size BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS snapshot_parts (
    seq BIGINT NOT NULL,
    part BIGINT NOT NULL,
    payload LONGBLOB NOT NULL,
    PRIMARY KEY (seq, part)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS lease (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    owner VARCHAR(512) NOT NULL,
    epoch BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO lease (name, owner, epoch, expires_at)
SELECT 'journal', '', 0, 0 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM lease WHERE name = 'journal');
