-- description: What the positions were worth beside the cash, at each point of the money's curve: the column held_value of
--   account_curve.
-- impact: Adds one column to account_curve, null in every row: the lock on the table lasts milliseconds. The next start folds the
--   read models anew, and values every point.
-- rollback: Nothing is lost that is not in the journal. ALTER TABLE account_curve DROP COLUMN held_value, then delete the line of
--   this patch from schema_patches.

ALTER TABLE account_curve ADD COLUMN IF NOT EXISTS held_value NUMERIC(30,12);
