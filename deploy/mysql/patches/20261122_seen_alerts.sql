-- description: Who has seen an alert, when, and what they wrote beside it: the columns acknowledged_at, acknowledged_by and note of
--   alerts.
-- impact: Adds three columns with defaults to alerts: no row is written, and the lock on the table lasts milliseconds. The next
--   start folds the read models anew.
-- rollback: Nothing is lost that is not in the journal. ALTER TABLE alerts DROP COLUMN acknowledged_at, and so acknowledged_by
--   and note, then delete the line of this patch from schema_patches.

-- MySQL has no ADD COLUMN IF NOT EXISTS
SET @tradeloop_patch = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'alerts' AND column_name = 'acknowledged_at') = 0,
    'ALTER TABLE alerts ADD COLUMN acknowledged_at BIGINT',
    'DO 0'
);
PREPARE tradeloop_patch FROM @tradeloop_patch;
EXECUTE tradeloop_patch;
DEALLOCATE PREPARE tradeloop_patch;
SET @tradeloop_patch = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'alerts' AND column_name = 'acknowledged_by') = 0,
    'ALTER TABLE alerts ADD COLUMN acknowledged_by VARCHAR(128) NOT NULL DEFAULT ''''',
    'DO 0'
);
PREPARE tradeloop_patch FROM @tradeloop_patch;
EXECUTE tradeloop_patch;
DEALLOCATE PREPARE tradeloop_patch;
SET @tradeloop_patch = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'alerts' AND column_name = 'note') = 0,
    'ALTER TABLE alerts ADD COLUMN note VARCHAR(255) NOT NULL DEFAULT ''''',
    'DO 0'
);
PREPARE tradeloop_patch FROM @tradeloop_patch;
EXECUTE tradeloop_patch;
DEALLOCATE PREPARE tradeloop_patch;
