-- description: Who approved an order, beside whoever sent it: the column approved_by of trade_orders, empty where nobody did.
-- impact: Adds one column with a default to trade_orders: no row is written, and the lock on the table lasts milliseconds. The
--   names of those who approved come by themselves at the next start, which folds the read models anew.
-- rollback: Nothing is lost that is not in the journal. ALTER TABLE trade_orders DROP COLUMN approved_by, then delete the line
--   of this patch from schema_patches.

-- MySQL has no ADD COLUMN IF NOT EXISTS
SET @tradeloop_patch = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'trade_orders' AND column_name = 'approved_by') = 0,
    'ALTER TABLE trade_orders ADD COLUMN approved_by VARCHAR(128) NOT NULL DEFAULT ''''',
    'DO 0'
);
PREPARE tradeloop_patch FROM @tradeloop_patch;
EXECUTE tradeloop_patch;
DEALLOCATE PREPARE tradeloop_patch;
