-- description: What the positions were worth beside the cash, at each point of the money's curve: the column held_value of
--   account_curve.
-- impact: Makes account_curve anew with the same rows, since SQLite adds no column twice without harm: a second for a million
--   points. Run it in one transaction, as `tradeloop db upgrade` does. The next start folds the read models anew, and values
--   every point.
-- rollback: Nothing is lost that is not in the journal. ALTER TABLE account_curve DROP COLUMN held_value, then delete the line of
--   this patch from schema_patches.

DROP TABLE IF EXISTS account_curve_made_anew;
CREATE TABLE account_curve_made_anew (
    id           VARCHAR(128) NOT NULL,
    account_id   VARCHAR(64) NOT NULL,
    currency     VARCHAR(16) NOT NULL,
    at           BIGINT NOT NULL,
    balance      TEXT,
    available    TEXT,
    realized_pnl TEXT,
    equity       TEXT,
    held_value   TEXT,
    batch        BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    PRIMARY KEY (id)
);

-- the inner name is the column where the table has it, and the null beside it where it has not
INSERT INTO account_curve_made_anew (
    id, account_id, currency, at, balance, available, realized_pnl, equity, held_value, batch, seq
)
SELECT
    o.id, o.account_id, o.currency, o.at, o.balance, o.available, o.realized_pnl, o.equity,
    (SELECT held_value FROM account_curve AS t WHERE t.id = o.id),
    o.batch, o.seq
FROM account_curve AS o CROSS JOIN (SELECT NULL AS held_value) AS unvalued;
DROP TABLE account_curve;
ALTER TABLE account_curve_made_anew RENAME TO account_curve;

CREATE INDEX IF NOT EXISTS ix_account_curve_account ON account_curve (account_id, currency, batch);
