-- description: Why risk refused an order: the table trade_denials, with the rule, what had to hold, what there was, what the
--   order asked for, and over what it is counted.
-- impact: Creates one table and touches no table that exists. The denials of older orders come by themselves at the next start,
--   which folds the read models anew.
-- rollback: Nothing is lost that is not in the journal. DROP TABLE trade_denials, then delete the line of this patch from
--   schema_patches.

CREATE TABLE IF NOT EXISTS trade_denials (
    id          VARCHAR(64) NOT NULL,
    rule        VARCHAR(64) NOT NULL,
    scope       VARCHAR NOT NULL,
    limit_value VARCHAR NOT NULL,
    was         VARCHAR NOT NULL,
    this_order  VARCHAR NOT NULL,
    text        VARCHAR NOT NULL,
    approved_by VARCHAR(128) NOT NULL,
    uncounted   VARCHAR(16) NOT NULL,
    late        BOOLEAN NOT NULL,
    at          BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX IF NOT EXISTS ix_trade_denials_seq ON trade_denials (seq);
