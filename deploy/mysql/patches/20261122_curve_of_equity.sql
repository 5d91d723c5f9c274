-- description: What the positions were worth beside the cash, at each point of the money's curve: the column held_value of
--   account_curve.
-- impact: Adds one column to account_curve, null in every row: the lock on the table lasts milliseconds. The next start folds the
--   read models anew, and values every point.
-- rollback: Nothing is lost that is not in the journal. ALTER TABLE account_curve DROP COLUMN held_value, then delete the line of
--   this patch from schema_patches.

-- MySQL has no ADD COLUMN IF NOT EXISTS
SET @tradeloop_patch = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'account_curve' AND column_name = 'held_value') = 0,
    'ALTER TABLE account_curve ADD COLUMN held_value DECIMAL(30,12)',
    'DO 0'
);
PREPARE tradeloop_patch FROM @tradeloop_patch;
EXECUTE tradeloop_patch;
DEALLOCATE PREPARE tradeloop_patch;
