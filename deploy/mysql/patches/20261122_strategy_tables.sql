-- description: The tables strategy_configs and strategy_triggers leave the read models, where nothing was ever written to them. What
--   they are named for stands in strategies.db, in tables of the same names, and under /api/v1/strategies.
-- impact: Drops two empty tables. Whoever put rows of their own there copies them first.
-- rollback: Nothing of the product is lost. Run the two CREATE TABLE statements and the CREATE INDEX of strategy_triggers in
--   20261121_read_models.sql, then delete the line of this patch from schema_patches.

DROP TABLE IF EXISTS strategy_triggers;
DROP TABLE IF EXISTS strategy_configs;
