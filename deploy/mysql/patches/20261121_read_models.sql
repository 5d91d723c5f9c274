-- description: Read models folded from the journal: runs, orders, fills, trades, accounts, positions, breaks, alerts, audit
--   log. Quantities, prices and money are DECIMAL(30,12). Times are BIGINT nanoseconds since 1970-01-01T00:00:00Z.
--   Columns carry the names of the source documents (S0-14 to S0-36, S4-41 to S4-45), with more digits, and FIX's
--   where they have none. Text compares by bytes, so that au2512 is not AU2512.
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
    multiplier  DECIMAL(30,12) NOT NULL,
    lot         DECIMAL(30,12) NOT NULL,
    tick        DECIMAL(30,12) NOT NULL,
    listing     LONGTEXT NOT NULL,
    updated_seq BIGINT NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- the trading day of each session
CREATE TABLE IF NOT EXISTS sessions (
    id          VARCHAR(64) NOT NULL,
    trading_day VARCHAR(10) NOT NULL,
    opens_at    BIGINT,
    closes_at   BIGINT,
    windows     LONGTEXT NOT NULL,
    updated_seq BIGINT NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

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
    error                LONGTEXT NOT NULL,
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
    target_exposure      DECIMAL(30,12),
    rounding             VARCHAR(24) NOT NULL,
    cash                 DECIMAL(30,12),
    equity               DECIMAL(30,12),
    supersedes           VARCHAR(64),
    superseded_by        VARCHAR(64),
    todo                 LONGTEXT NOT NULL,
    params               LONGTEXT NOT NULL,
    seq                  BIGINT NOT NULL,
    updated_seq          BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY uk_trade_runs_key (project_id, decision_snapshot_id, mode, trade_date, account_id, attempt),
    KEY ix_trade_runs_seq (seq),
    KEY ix_trade_runs_status (status)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

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
    target_weight   DECIMAL(30,12),
    target_value    DECIMAL(30,12),
    target_qty      DECIMAL(30,12),
    held_qty        DECIMAL(30,12),
    planned_qty     DECIMAL(30,12),
    order_qty       DECIMAL(30,12),
    ref_px          DECIMAL(30,12),
    residual_qty    DECIMAL(30,12),
    residual_value  DECIMAL(30,12),
    code            VARCHAR(64) NOT NULL,
    reason          LONGTEXT NOT NULL,
    trade_order_id  VARCHAR(64),
    updated_seq     BIGINT NOT NULL,
    PRIMARY KEY (id),
    KEY ix_trade_run_lines_run (trade_run_id, line)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- orders: facts, and the statuses they amount to (S0-22 to S0-32)
CREATE TABLE IF NOT EXISTS trade_orders (
    id                  VARCHAR(64) NOT NULL,
    trade_run_id        VARCHAR(64),
    leg                 INTEGER NOT NULL,
    broker              VARCHAR(64) NOT NULL,
    account_id          VARCHAR(64) NOT NULL,
    symbol              VARCHAR(64) NOT NULL,
    target_weight       DECIMAL(30,12),
    target_value        DECIMAL(30,12),
    qty                 DECIMAL(30,12) NOT NULL,
    side                VARCHAR(4) NOT NULL,
    order_type          VARCHAR(16) NOT NULL,
    ord_type            VARCHAR(16) NOT NULL,
    price               DECIMAL(30,12),
    stop_px             DECIMAL(30,12),
    tif                 VARCHAR(8) NOT NULL,
    position_effect     VARCHAR(16) NOT NULL,
    trading_day         VARCHAR(10) NOT NULL,
    client_order_id     VARCHAR(64) NOT NULL,
    ib_order_id         VARCHAR(128),
    order_id            VARCHAR(128),
    status              VARCHAR(16) NOT NULL,
    ord_status          VARCHAR(24) NOT NULL,
    error               LONGTEXT NOT NULL,
    error_code          VARCHAR(64) NOT NULL,
    cum_qty             DECIMAL(30,12) NOT NULL,
    leaves_qty          DECIMAL(30,12) NOT NULL,
    avg_px              DECIMAL(30,12),
    filled_amount       DECIMAL(30,12),
    commission          DECIMAL(30,12),
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
    reason              LONGTEXT NOT NULL,
    arrival_px          DECIMAL(30,12),
    arrival_at          BIGINT,
    reserved            VARCHAR(120) NOT NULL,
    frozen              VARCHAR(120) NOT NULL,
    cum_value           VARCHAR(120) NOT NULL,
    replaces            LONGTEXT NOT NULL,
    multiplier          DECIMAL(30,12) NOT NULL,
    seq                 BIGINT NOT NULL,
    updated_seq         BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY uk_trade_orders_client_order_id (client_order_id),
    KEY ix_trade_orders_open (is_open),
    KEY ix_trade_orders_run (trade_run_id, leg),
    KEY ix_trade_orders_seq (seq),
    KEY ix_trade_orders_status (ord_status),
    KEY ix_trade_orders_symbol (account_id, symbol)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

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
    fill_qty             DECIMAL(30,12) NOT NULL,
    fill_price           DECIMAL(30,12) NOT NULL,
    fill_time            BIGINT NOT NULL,
    commission           DECIMAL(30,12) NOT NULL,
    commission_by_broker BOOLEAN NOT NULL,
    liquidity            VARCHAR(16) NOT NULL,
    order_id             VARCHAR(128),
    realized_pnl         DECIMAL(30,12),
    exec_type            VARCHAR(16) NOT NULL,
    booked_at            BIGINT NOT NULL,
    seq                  BIGINT NOT NULL,
    updated_seq          BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY uk_trade_fills_key (broker, account_id, trading_day, exec_id, side),
    KEY ix_trade_fills_order (trade_order_id),
    KEY ix_trade_fills_run (trade_run_id),
    KEY ix_trade_fills_seq (seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

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
    volume          DECIMAL(30,12) NOT NULL,
    price           DECIMAL(30,12) NOT NULL,
    commission      DECIMAL(30,12) NOT NULL,
    trade_time      BIGINT NOT NULL,
    create_time     BIGINT NOT NULL,
    seq             BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY uk_trades_key (broker, account_id, trading_day, trade_id, direction),
    KEY ix_trades_seq (seq),
    KEY ix_trades_symbol (account_id, symbol)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- money by account and currency (S4-41)
CREATE TABLE IF NOT EXISTS accounts (
    id             VARCHAR(96) NOT NULL,
    account_id     VARCHAR(64) NOT NULL,
    broker         VARCHAR(64) NOT NULL,
    currency       VARCHAR(16) NOT NULL,
    balance        DECIMAL(30,12),
    available      DECIMAL(30,12),
    reserved       DECIMAL(30,12),
    margin         DECIMAL(30,12),
    unrealized_pnl DECIMAL(30,12),
    realized_pnl   DECIMAL(30,12),
    fees           DECIMAL(30,12),
    update_time    BIGINT NOT NULL,
    updated_seq    BIGINT NOT NULL,
    book           LONGTEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY uk_accounts_account_currency (account_id, currency)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- money after each batch that changed it
CREATE TABLE IF NOT EXISTS account_curve (
    id           VARCHAR(128) NOT NULL,
    account_id   VARCHAR(64) NOT NULL,
    currency     VARCHAR(16) NOT NULL,
    at           BIGINT NOT NULL,
    balance      DECIMAL(30,12),
    available    DECIMAL(30,12),
    realized_pnl DECIMAL(30,12),
    equity       DECIMAL(30,12),
    batch        BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    PRIMARY KEY (id),
    KEY ix_account_curve_account (account_id, currency, batch)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- positions by account, symbol and direction (S4-42)
CREATE TABLE IF NOT EXISTS positions (
    id               VARCHAR(160) NOT NULL,
    account_id       VARCHAR(64) NOT NULL,
    broker           VARCHAR(64) NOT NULL,
    symbol           VARCHAR(64) NOT NULL,
    direction        VARCHAR(5) NOT NULL,
    currency         VARCHAR(16) NOT NULL,
    multiplier       DECIMAL(30,12) NOT NULL,
    volume           DECIMAL(30,12) NOT NULL,
    today_volume     DECIMAL(30,12) NOT NULL,
    yesterday_volume DECIMAL(30,12) NOT NULL,
    frozen_volume    DECIMAL(30,12) NOT NULL,
    avg_price        DECIMAL(30,12),
    cost             DECIMAL(30,12),
    current_price    DECIMAL(30,12),
    price_at         BIGINT,
    unrealized_pnl   DECIMAL(30,12),
    realized_pnl     DECIMAL(30,12),
    margin           DECIMAL(30,12),
    open_time        BIGINT,
    update_time      BIGINT NOT NULL,
    updated_seq      BIGINT NOT NULL,
    book             LONGTEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY uk_positions_account_symbol_direction (account_id, symbol, direction)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- differences between books
CREATE TABLE IF NOT EXISTS breaks (
    id          VARCHAR(255) NOT NULL,
    kind        VARCHAR(64) NOT NULL,
    broker      VARCHAR(64) NOT NULL,
    account_id  VARCHAR(64) NOT NULL,
    subject     VARCHAR(128) NOT NULL,
    ours        LONGTEXT NOT NULL,
    theirs      LONGTEXT NOT NULL,
    delta       DECIMAL(30,12),
    cause       LONGTEXT NOT NULL,
    repair      LONGTEXT NOT NULL,
    status      VARCHAR(8) NOT NULL,
    why         LONGTEXT NOT NULL,
    closed_by   VARCHAR(128) NOT NULL,
    times       INTEGER NOT NULL,
    found_at    BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    closed_at   BIGINT,
    seq         BIGINT NOT NULL,
    updated_seq BIGINT NOT NULL,
    PRIMARY KEY (id),
    KEY ix_breaks_seq (seq),
    KEY ix_breaks_status (status)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- troubles that the journal shows
CREATE TABLE IF NOT EXISTS alerts (
    id          VARCHAR(255) NOT NULL,
    level       VARCHAR(8) NOT NULL,
    subject     VARCHAR(128) NOT NULL,
    text        LONGTEXT NOT NULL,
    times       INTEGER NOT NULL,
    raised_at   BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    resolved_at BIGINT,
    seq         BIGINT NOT NULL,
    updated_seq BIGINT NOT NULL,
    PRIMARY KEY (id),
    KEY ix_alerts_seq (seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

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
    text         LONGTEXT NOT NULL,
    seq          BIGINT NOT NULL,
    PRIMARY KEY (id),
    KEY ix_audit_log_run (trade_run_id),
    KEY ix_audit_log_seq (seq),
    KEY ix_audit_log_subject (subject)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- configuration of strategies (S4-44)
CREATE TABLE IF NOT EXISTS strategy_configs (
    id            VARCHAR(64) NOT NULL,
    strategy_name VARCHAR(100) NOT NULL,
    config_data   LONGTEXT NOT NULL,
    is_active     BOOLEAN NOT NULL,
    create_time   BIGINT NOT NULL,
    update_time   BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY uk_strategy_configs_name (strategy_name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- firings of strategies (S4-45)
CREATE TABLE IF NOT EXISTS strategy_triggers (
    id                VARCHAR(64) NOT NULL,
    strategy_name     VARCHAR(100) NOT NULL,
    trigger_time      BIGINT NOT NULL,
    trigger_condition LONGTEXT NOT NULL,
    trigger_price     DECIMAL(30,12),
    action_type       VARCHAR(8) NOT NULL,
    execution_result  VARCHAR(8) NOT NULL,
    order_id          VARCHAR(64),
    error_message     LONGTEXT NOT NULL,
    create_time       BIGINT NOT NULL,
    PRIMARY KEY (id),
    KEY ix_strategy_triggers_name (strategy_name, trigger_time)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- how far the rows are folded
CREATE TABLE IF NOT EXISTS view_cursors (
    id         VARCHAR(64) NOT NULL,
    batch      BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    projection INTEGER NOT NULL,
    clearing   BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
