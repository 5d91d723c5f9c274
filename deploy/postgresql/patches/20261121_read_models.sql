-- description: Read models folded from the journal: runs, orders, fills, trades, accounts, positions, breaks, alerts, audit
--   log. Quantities, prices and money are NUMERIC(30,12). Times are BIGINT nanoseconds since 1970-01-01T00:00:00Z.
--   Columns carry the names of the source documents (S0-14 to S0-36, S4-41 to S4-45), with more digits, and FIX's
--   where they have none.
-- impact: Adds tables and indexes, touches no table that exists, takes milliseconds. The rows come by `tradeloop db
--   rebuild`, or by themselves at the next start.
-- rollback: Nothing but time is lost, since every row can be folded anew. DROP TABLE view_cursors, strategy_triggers,
--   strategy_configs, audit_log, alerts, breaks, positions, account_curve, accounts, trades, trade_fills,
--   trade_orders, trade_run_lines, trade_runs, sessions, instruments, then delete the line of this patch from
--   schema_patches.

-- what is true of a symbol now
CREATE TABLE IF NOT EXISTS instruments (
    id          VARCHAR(64) NOT NULL,
    asset_class VARCHAR(16) NOT NULL,
    currency    VARCHAR(16) NOT NULL,
    market      VARCHAR(32) NOT NULL,
    session     VARCHAR(64) NOT NULL,
    board       VARCHAR(32) NOT NULL,
    name        VARCHAR(255) NOT NULL,
    industry    VARCHAR(255) NOT NULL,
    multiplier  NUMERIC(30,12) NOT NULL,
    lot         NUMERIC(30,12) NOT NULL,
    tick        NUMERIC(30,12) NOT NULL,
    listing     VARCHAR NOT NULL,
    updated_seq BIGINT NOT NULL,
    PRIMARY KEY (id)
);

-- the trading day of each session
CREATE TABLE IF NOT EXISTS sessions (
    id          VARCHAR(64) NOT NULL,
    trading_day VARCHAR(10) NOT NULL,
    opens_at    BIGINT,
    closes_at   BIGINT,
    windows     VARCHAR NOT NULL,
    updated_seq BIGINT NOT NULL,
    PRIMARY KEY (id)
);

-- runs, attempt by attempt (S0-14 to S0-21)
CREATE TABLE IF NOT EXISTS trade_runs (
    id                   VARCHAR(64) NOT NULL,
    project_id           VARCHAR(128) NOT NULL,
    mode                 VARCHAR(16) NOT NULL,
    decision_snapshot_id VARCHAR(128) NOT NULL,
    trade_date           VARCHAR(10) NOT NULL,
    attempt              INTEGER NOT NULL,
    status               VARCHAR(24) NOT NULL,
    code                 VARCHAR(64) NOT NULL,
    error                VARCHAR NOT NULL,
    requested_at         BIGINT NOT NULL,
    started_at           BIGINT,
    finished_at          BIGINT,
    updated_at           BIGINT NOT NULL,
    created_by           VARCHAR(128) NOT NULL,
    approved_by          VARCHAR(128) NOT NULL,
    approved_at          BIGINT,
    cancel_requested_by  VARCHAR(128) NOT NULL,
    cancel_requested_at  BIGINT,
    broker               VARCHAR(64) NOT NULL,
    account_id           VARCHAR(64) NOT NULL,
    currency             VARCHAR(16) NOT NULL,
    content_hash         VARCHAR(128) NOT NULL,
    champion_id          VARCHAR(128) NOT NULL,
    target_exposure      NUMERIC(30,12),
    rounding             VARCHAR(24) NOT NULL,
    cash                 NUMERIC(30,12),
    equity               NUMERIC(30,12),
    supersedes           VARCHAR(64),
    superseded_by        VARCHAR(64),
    todo                 VARCHAR NOT NULL,
    params               VARCHAR NOT NULL,
    seq                  BIGINT NOT NULL,
    updated_seq          BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uk_trade_runs_key UNIQUE (project_id, decision_snapshot_id, mode, trade_date, account_id, attempt)
);
CREATE INDEX IF NOT EXISTS ix_trade_runs_seq ON trade_runs (seq);
CREATE INDEX IF NOT EXISTS ix_trade_runs_status ON trade_runs (status);

-- the plan of each run, line by line
CREATE TABLE IF NOT EXISTS trade_run_lines (
    id              VARCHAR(80) NOT NULL,
    trade_run_id    VARCHAR(64) NOT NULL,
    line            INTEGER NOT NULL,
    leg             INTEGER NOT NULL,
    wave            INTEGER NOT NULL,
    symbol          VARCHAR(64) NOT NULL,
    side            VARCHAR(4) NOT NULL,
    position_effect VARCHAR(16) NOT NULL,
    target_weight   NUMERIC(30,12),
    target_value    NUMERIC(30,12),
    target_qty      NUMERIC(30,12),
    held_qty        NUMERIC(30,12),
    planned_qty     NUMERIC(30,12),
    order_qty       NUMERIC(30,12),
    ref_px          NUMERIC(30,12),
    residual_qty    NUMERIC(30,12),
    residual_value  NUMERIC(30,12),
    code            VARCHAR(64) NOT NULL,
    reason          VARCHAR NOT NULL,
    trade_order_id  VARCHAR(64),
    updated_seq     BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_trade_run_lines_run ON trade_run_lines (trade_run_id, line);

-- orders: facts, and the statuses they amount to (S0-22 to S0-32)
CREATE TABLE IF NOT EXISTS trade_orders (
    id                  VARCHAR(64) NOT NULL,
    trade_run_id        VARCHAR(64),
    leg                 INTEGER NOT NULL,
    broker              VARCHAR(64) NOT NULL,
    account_id          VARCHAR(64) NOT NULL,
    symbol              VARCHAR(64) NOT NULL,
    target_weight       NUMERIC(30,12),
    target_value        NUMERIC(30,12),
    qty                 NUMERIC(30,12) NOT NULL,
    side                VARCHAR(4) NOT NULL,
    order_type          VARCHAR(16) NOT NULL,
    ord_type            VARCHAR(16) NOT NULL,
    price               NUMERIC(30,12),
    stop_px             NUMERIC(30,12),
    tif                 VARCHAR(8) NOT NULL,
    position_effect     VARCHAR(16) NOT NULL,
    trading_day         VARCHAR(10) NOT NULL,
    client_order_id     VARCHAR(64) NOT NULL,
    ib_order_id         VARCHAR(128),
    order_id            VARCHAR(128),
    status              VARCHAR(16) NOT NULL,
    ord_status          VARCHAR(24) NOT NULL,
    error               VARCHAR NOT NULL,
    error_code          VARCHAR(64) NOT NULL,
    cum_qty             NUMERIC(30,12) NOT NULL,
    leaves_qty          NUMERIC(30,12) NOT NULL,
    avg_px              NUMERIC(30,12),
    filled_amount       NUMERIC(30,12),
    commission          NUMERIC(30,12),
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
    request_id          VARCHAR(255) NOT NULL,
    strategy_id         VARCHAR(128) NOT NULL,
    parent_id           VARCHAR(64),
    reason              VARCHAR NOT NULL,
    arrival_px          NUMERIC(30,12),
    arrival_at          BIGINT,
    reserved            VARCHAR(120) NOT NULL,
    frozen              VARCHAR(120) NOT NULL,
    cum_value           VARCHAR(120) NOT NULL,
    replaces            VARCHAR NOT NULL,
    multiplier          NUMERIC(30,12) NOT NULL,
    seq                 BIGINT NOT NULL,
    updated_seq         BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uk_trade_orders_client_order_id UNIQUE (client_order_id)
);
CREATE INDEX IF NOT EXISTS ix_trade_orders_open ON trade_orders (is_open);
CREATE INDEX IF NOT EXISTS ix_trade_orders_run ON trade_orders (trade_run_id, leg);
CREATE INDEX IF NOT EXISTS ix_trade_orders_seq ON trade_orders (seq);
CREATE INDEX IF NOT EXISTS ix_trade_orders_status ON trade_orders (ord_status);
CREATE INDEX IF NOT EXISTS ix_trade_orders_symbol ON trade_orders (account_id, symbol);

-- executions and what became of them (S0-33 to S0-36)
CREATE TABLE IF NOT EXISTS trade_fills (
    id                   VARCHAR(255) NOT NULL,
    trade_order_id       VARCHAR(64) NOT NULL,
    trade_run_id         VARCHAR(64),
    broker               VARCHAR(64) NOT NULL,
    account_id           VARCHAR(64) NOT NULL,
    trading_day          VARCHAR(10) NOT NULL,
    exec_id              VARCHAR(128) NOT NULL,
    side                 VARCHAR(4) NOT NULL,
    symbol               VARCHAR(64) NOT NULL,
    position_effect      VARCHAR(16) NOT NULL,
    fill_qty             NUMERIC(30,12) NOT NULL,
    fill_price           NUMERIC(30,12) NOT NULL,
    fill_time            BIGINT NOT NULL,
    commission           NUMERIC(30,12) NOT NULL,
    commission_by_broker BOOLEAN NOT NULL,
    liquidity            VARCHAR(16) NOT NULL,
    order_id             VARCHAR(128),
    realized_pnl         NUMERIC(30,12),
    exec_type            VARCHAR(16) NOT NULL,
    booked_at            BIGINT NOT NULL,
    seq                  BIGINT NOT NULL,
    updated_seq          BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uk_trade_fills_key UNIQUE (broker, account_id, trading_day, exec_id, side)
);
CREATE INDEX IF NOT EXISTS ix_trade_fills_order ON trade_fills (trade_order_id);
CREATE INDEX IF NOT EXISTS ix_trade_fills_run ON trade_fills (trade_run_id);
CREATE INDEX IF NOT EXISTS ix_trade_fills_seq ON trade_fills (seq);

-- trades that stand (S4-43)
CREATE TABLE IF NOT EXISTS trades (
    id              VARCHAR(255) NOT NULL,
    trade_id        VARCHAR(128) NOT NULL,
    order_id        VARCHAR(64) NOT NULL,
    broker          VARCHAR(64) NOT NULL,
    account_id      VARCHAR(64) NOT NULL,
    symbol          VARCHAR(64) NOT NULL,
    direction       VARCHAR(4) NOT NULL,
    position_effect VARCHAR(16) NOT NULL,
    trading_day     VARCHAR(10) NOT NULL,
    volume          NUMERIC(30,12) NOT NULL,
    price           NUMERIC(30,12) NOT NULL,
    commission      NUMERIC(30,12) NOT NULL,
    trade_time      BIGINT NOT NULL,
    create_time     BIGINT NOT NULL,
    seq             BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uk_trades_key UNIQUE (broker, account_id, trading_day, trade_id, direction)
);
CREATE INDEX IF NOT EXISTS ix_trades_seq ON trades (seq);
CREATE INDEX IF NOT EXISTS ix_trades_symbol ON trades (account_id, symbol);

-- money by account and currency (S4-41)
CREATE TABLE IF NOT EXISTS accounts (
    id             VARCHAR(96) NOT NULL,
    account_id     VARCHAR(64) NOT NULL,
    broker         VARCHAR(64) NOT NULL,
    currency       VARCHAR(16) NOT NULL,
    balance        NUMERIC(30,12),
    available      NUMERIC(30,12),
    reserved       NUMERIC(30,12),
    margin         NUMERIC(30,12),
    unrealized_pnl NUMERIC(30,12),
    realized_pnl   NUMERIC(30,12),
    fees           NUMERIC(30,12),
    update_time    BIGINT NOT NULL,
    updated_seq    BIGINT NOT NULL,
    book           VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uk_accounts_account_currency UNIQUE (account_id, currency)
);

-- money after each batch that changed it
CREATE TABLE IF NOT EXISTS account_curve (
    id           VARCHAR(128) NOT NULL,
    account_id   VARCHAR(64) NOT NULL,
    currency     VARCHAR(16) NOT NULL,
    at           BIGINT NOT NULL,
    balance      NUMERIC(30,12),
    available    NUMERIC(30,12),
    realized_pnl NUMERIC(30,12),
    equity       NUMERIC(30,12),
    batch        BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_account_curve_account ON account_curve (account_id, currency, batch);

-- positions by account, symbol and direction (S4-42)
CREATE TABLE IF NOT EXISTS positions (
    id               VARCHAR(160) NOT NULL,
    account_id       VARCHAR(64) NOT NULL,
    broker           VARCHAR(64) NOT NULL,
    symbol           VARCHAR(64) NOT NULL,
    direction        VARCHAR(5) NOT NULL,
    currency         VARCHAR(16) NOT NULL,
    multiplier       NUMERIC(30,12) NOT NULL,
    volume           NUMERIC(30,12) NOT NULL,
    today_volume     NUMERIC(30,12) NOT NULL,
    yesterday_volume NUMERIC(30,12) NOT NULL,
    frozen_volume    NUMERIC(30,12) NOT NULL,
    avg_price        NUMERIC(30,12),
    cost             NUMERIC(30,12),
    current_price    NUMERIC(30,12),
    price_at         BIGINT,
    unrealized_pnl   NUMERIC(30,12),
    realized_pnl     NUMERIC(30,12),
    margin           NUMERIC(30,12),
    open_time        BIGINT,
    update_time      BIGINT NOT NULL,
    updated_seq      BIGINT NOT NULL,
    book             VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uk_positions_account_symbol_direction UNIQUE (account_id, symbol, direction)
);

-- differences between books
CREATE TABLE IF NOT EXISTS breaks (
    id          VARCHAR(255) NOT NULL,
    kind        VARCHAR(64) NOT NULL,
    broker      VARCHAR(64) NOT NULL,
    account_id  VARCHAR(64) NOT NULL,
    subject     VARCHAR(128) NOT NULL,
    ours        VARCHAR NOT NULL,
    theirs      VARCHAR NOT NULL,
    delta       NUMERIC(30,12),
    cause       VARCHAR NOT NULL,
    repair      VARCHAR NOT NULL,
    status      VARCHAR(8) NOT NULL,
    why         VARCHAR NOT NULL,
    closed_by   VARCHAR(128) NOT NULL,
    times       INTEGER NOT NULL,
    found_at    BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    closed_at   BIGINT,
    seq         BIGINT NOT NULL,
    updated_seq BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_breaks_seq ON breaks (seq);
CREATE INDEX IF NOT EXISTS ix_breaks_status ON breaks (status);

-- troubles that the journal shows
CREATE TABLE IF NOT EXISTS alerts (
    id          VARCHAR(255) NOT NULL,
    level       VARCHAR(8) NOT NULL,
    subject     VARCHAR(128) NOT NULL,
    text        VARCHAR NOT NULL,
    times       INTEGER NOT NULL,
    raised_at   BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    resolved_at BIGINT,
    seq         BIGINT NOT NULL,
    updated_seq BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_alerts_seq ON alerts (seq);

-- who did what to what
CREATE TABLE IF NOT EXISTS audit_log (
    id           VARCHAR(32) NOT NULL,
    at           BIGINT NOT NULL,
    who          VARCHAR(128) NOT NULL,
    what         VARCHAR(32) NOT NULL,
    subject      VARCHAR(128) NOT NULL,
    account_id   VARCHAR(64) NOT NULL,
    trade_run_id VARCHAR(64),
    result       VARCHAR(16) NOT NULL,
    text         VARCHAR NOT NULL,
    seq          BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_audit_log_run ON audit_log (trade_run_id);
CREATE INDEX IF NOT EXISTS ix_audit_log_seq ON audit_log (seq);
CREATE INDEX IF NOT EXISTS ix_audit_log_subject ON audit_log (subject);

-- configuration of strategies (S4-44)
CREATE TABLE IF NOT EXISTS strategy_configs (
    id            VARCHAR(64) NOT NULL,
    strategy_name VARCHAR(100) NOT NULL,
    config_data   VARCHAR NOT NULL,
    is_active     BOOLEAN NOT NULL,
    create_time   BIGINT NOT NULL,
    update_time   BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uk_strategy_configs_name UNIQUE (strategy_name)
);

-- firings of strategies (S4-45)
CREATE TABLE IF NOT EXISTS strategy_triggers (
    id                VARCHAR(64) NOT NULL,
    strategy_name     VARCHAR(100) NOT NULL,
    trigger_time      BIGINT NOT NULL,
    trigger_condition VARCHAR NOT NULL,
    trigger_price     NUMERIC(30,12),
    action_type       VARCHAR(8) NOT NULL,
    execution_result  VARCHAR(8) NOT NULL,
    order_id          VARCHAR(64),
    error_message     VARCHAR NOT NULL,
    create_time       BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_strategy_triggers_name ON strategy_triggers (strategy_name, trigger_time);

-- how far the rows are folded
CREATE TABLE IF NOT EXISTS view_cursors (
    id         VARCHAR(64) NOT NULL,
    batch      BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    projection INTEGER NOT NULL,
    clearing   BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
