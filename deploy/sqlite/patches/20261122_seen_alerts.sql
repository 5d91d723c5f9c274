-- description: Who has seen an alert, when, and what they wrote beside it: the columns acknowledged_at, acknowledged_by and note of
--   alerts.
-- impact: Makes alerts anew with the same rows, since SQLite adds no column twice without harm: milliseconds. Run it in one
--   transaction, as `tradeloop db upgrade` does. The next start folds the read models anew.
-- rollback: Nothing is lost that is not in the journal. ALTER TABLE alerts DROP COLUMN acknowledged_at, and so acknowledged_by
--   and note, then delete the line of this patch from schema_patches.

DROP TABLE IF EXISTS alerts_made_anew;
CREATE TABLE alerts_made_anew (
    id              VARCHAR(255) NOT NULL,
    level           VARCHAR(8) NOT NULL,
    subject         VARCHAR(128) NOT NULL,
    text            TEXT NOT NULL,
    times           INTEGER NOT NULL,
    raised_at       BIGINT NOT NULL,
    last_at         BIGINT NOT NULL,
    resolved_at     BIGINT,
    acknowledged_at BIGINT,
    acknowledged_by VARCHAR(128) NOT NULL DEFAULT '',
    note            VARCHAR(255) NOT NULL DEFAULT '',
    seq             BIGINT NOT NULL,
    updated_seq     BIGINT NOT NULL,
    PRIMARY KEY (id)
);

-- the inner names are the columns where the table has them, and what stands beside them where it has not
INSERT INTO alerts_made_anew (
    id, level, subject, text, times, raised_at, last_at, resolved_at, acknowledged_at, acknowledged_by, note, seq, updated_seq
)
SELECT
    o.id, o.level, o.subject, o.text, o.times, o.raised_at, o.last_at, o.resolved_at,
    (SELECT acknowledged_at FROM alerts AS t WHERE t.id = o.id),
    (SELECT acknowledged_by FROM alerts AS t WHERE t.id = o.id),
    (SELECT note FROM alerts AS t WHERE t.id = o.id),
    o.seq, o.updated_seq
FROM alerts AS o CROSS JOIN (SELECT NULL AS acknowledged_at, '' AS acknowledged_by, '' AS note) AS nobody;
DROP TABLE alerts;
ALTER TABLE alerts_made_anew RENAME TO alerts;

CREATE INDEX IF NOT EXISTS ix_alerts_seq ON alerts (seq);
