-- description: Who approved an order, beside whoever sent it: the column approved_by of trade_orders, empty where nobody did.
-- impact: Adds one column with a default to trade_orders: no row is written, and the lock on the table lasts milliseconds. The
--   names of those who approved come by themselves at the next start, which folds the read models anew.
-- rollback: Nothing is lost that is not in the journal. ALTER TABLE trade_orders DROP COLUMN approved_by, then delete the line
--   of this patch from schema_patches.

ALTER TABLE trade_orders ADD COLUMN IF NOT EXISTS approved_by VARCHAR(128) NOT NULL DEFAULT '';
