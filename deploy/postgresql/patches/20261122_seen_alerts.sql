-- description: Who has seen an alert, when, and what they wrote beside it: the columns acknowledged_at, acknowledged_by and note of
--   alerts.
-- impact: Adds three columns with defaults to alerts: no row is written, and the lock on the table lasts milliseconds. The next
--   start folds the read models anew.
-- rollback: Nothing is lost that is not in the journal. ALTER TABLE alerts DROP COLUMN acknowledged_at, and so acknowledged_by
--   and note, then delete the line of this patch from schema_patches.

ALTER TABLE alerts ADD COLUMN IF NOT EXISTS acknowledged_at BIGINT;
ALTER TABLE alerts ADD COLUMN IF NOT EXISTS acknowledged_by VARCHAR(128) NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN IF NOT EXISTS note VARCHAR(255) NOT NULL DEFAULT '';
