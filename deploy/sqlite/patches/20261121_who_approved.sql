-- description: Who approved an order, beside whoever sent it: the column approved_by of trade_orders, empty where nobody did.
-- impact: Makes trade_orders anew with the same rows, since SQLite adds no column twice without harm: milliseconds, and a
--   second or two for a million orders. Run it in one transaction, as `tradeloop db upgrade` does. The names of those who
--   approved come by themselves at the next start, which folds the read models anew.
-- rollback: Nothing is lost that is not in the journal. ALTER TABLE trade_orders DROP COLUMN approved_by, then delete the line
--   of this patch from schema_patches.

DROP TABLE IF EXISTS trade_orders_made_anew;
CREATE TABLE trade_orders_made_anew (
    id                  VARCHAR(64) NOT NULL,
    trade_run_id        VARCHAR(64),
    leg                 INTEGER NOT NULL,
    broker              VARCHAR(64) NOT NULL,
    account_id          VARCHAR(64) NOT NULL,
    symbol              VARCHAR(64) NOT NULL,
    target_weight       TEXT,
    target_value        TEXT,
    qty                 TEXT NOT NULL,
    side                VARCHAR(4) NOT NULL,
    order_type          VARCHAR(16) NOT NULL,
    ord_type            VARCHAR(16) NOT NULL,
    price               TEXT,
    stop_px             TEXT,
    tif                 VARCHAR(8) NOT NULL,
    position_effect     VARCHAR(16) NOT NULL,
    trading_day         VARCHAR(10) NOT NULL,
    client_order_id     VARCHAR(64) NOT NULL,
    ib_order_id         VARCHAR(128),
    order_id            VARCHAR(128),
    status              VARCHAR(16) NOT NULL,
    ord_status          VARCHAR(24) NOT NULL,
    error               TEXT NOT NULL,
    error_code          VARCHAR(64) NOT NULL,
    cum_qty             TEXT NOT NULL,
    leaves_qty          TEXT NOT NULL,
    avg_px              TEXT,
    filled_amount       TEXT,
    commission          TEXT,
    submitted_at        BIGINT,
    updated_at          BIGINT NOT NULL,
    staged_at           BIGINT NOT NULL,
    acked_at            BIGINT,
    triggered_at        BIGINT,
    unknown_at          BIGINT,
    cancel_requested_at BIGINT,
    canceled_at         BIGINT,
    expired_at          BIGINT,
    rejected_at         BIGINT,
    denied_at           BIGINT,
    cancel_at           BIGINT,
    send_failures       INTEGER NOT NULL,
    absences            INTEGER NOT NULL,
    is_open             BOOLEAN NOT NULL,
    is_external         BOOLEAN NOT NULL,
    created_by          VARCHAR(128) NOT NULL,
    risk_version        VARCHAR(64) NOT NULL,
    approved_by         VARCHAR(128) NOT NULL DEFAULT '',
    request_id          VARCHAR(255) NOT NULL,
    strategy_id         VARCHAR(128) NOT NULL,
    parent_id           VARCHAR(64),
    reason              TEXT NOT NULL,
    arrival_px          TEXT,
    arrival_at          BIGINT,
    reserved            VARCHAR(120) NOT NULL,
    frozen              VARCHAR(120) NOT NULL,
    cum_value           VARCHAR(120) NOT NULL,
    replaces            TEXT NOT NULL,
    multiplier          TEXT NOT NULL,
    seq                 BIGINT NOT NULL,
    updated_seq         BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uk_trade_orders_client_order_id UNIQUE (client_order_id)
);

-- the inner name is the column where the table has it, and the empty text beside it where it has not
INSERT INTO trade_orders_made_anew (
    id, trade_run_id, leg, broker, account_id, symbol, target_weight, target_value, qty, side, order_type, ord_type,
    price, stop_px, tif, position_effect, trading_day, client_order_id, ib_order_id, order_id, status, ord_status,
    error, error_code, cum_qty, leaves_qty, avg_px, filled_amount, commission, submitted_at, updated_at, staged_at,
    acked_at, triggered_at, unknown_at, cancel_requested_at, canceled_at, expired_at, rejected_at, denied_at,
    cancel_at, send_failures, absences, is_open, is_external, created_by, risk_version, request_id, strategy_id,
    parent_id, reason, arrival_px, arrival_at, reserved, frozen, cum_value, replaces, multiplier, seq, updated_seq,
    approved_by
)
SELECT
    o.id, o.trade_run_id, o.leg, o.broker, o.account_id, o.symbol, o.target_weight, o.target_value, o.qty, o.side,
    o.order_type, o.ord_type, o.price, o.stop_px, o.tif, o.position_effect, o.trading_day, o.client_order_id,
    o.ib_order_id, o.order_id, o.status, o.ord_status, o.error, o.error_code, o.cum_qty, o.leaves_qty, o.avg_px,
    o.filled_amount, o.commission, o.submitted_at, o.updated_at, o.staged_at, o.acked_at, o.triggered_at,
    o.unknown_at, o.cancel_requested_at, o.canceled_at, o.expired_at, o.rejected_at, o.denied_at, o.cancel_at,
    o.send_failures, o.absences, o.is_open, o.is_external, o.created_by, o.risk_version, o.request_id, o.strategy_id,
    o.parent_id, o.reason, o.arrival_px, o.arrival_at, o.reserved, o.frozen, o.cum_value, o.replaces, o.multiplier,
    o.seq, o.updated_seq,
    (SELECT approved_by FROM trade_orders AS t WHERE t.id = o.id)
FROM trade_orders AS o CROSS JOIN (SELECT '' AS approved_by) AS nobody;
DROP TABLE trade_orders;
ALTER TABLE trade_orders_made_anew RENAME TO trade_orders;

CREATE INDEX IF NOT EXISTS ix_trade_orders_open ON trade_orders (is_open);
CREATE INDEX IF NOT EXISTS ix_trade_orders_run ON trade_orders (trade_run_id, leg);
CREATE INDEX IF NOT EXISTS ix_trade_orders_seq ON trade_orders (seq);
CREATE INDEX IF NOT EXISTS ix_trade_orders_status ON trade_orders (ord_status);
CREATE INDEX IF NOT EXISTS ix_trade_orders_symbol ON trade_orders (account_id, symbol);
