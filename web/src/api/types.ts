// Written by web/types_of_api.py out of docs/reference/openapi.json; not to be changed by hand.

export interface Accept {
  "reason": string;
}

export interface Accepted {
  "done": string;
  "order_id": string;
}

export interface AccessLine {
  "address": string;
  "at": string;
  "number": number;
  "subject": string;
  "text": string;
  "what": string;
  "who": string;
}

export interface AccessLog {
  "lines": AccessLine[];
  "next": string | null;
}

export interface Account {
  "account": string;
  "broker": string;
  "halted": HaltedSymbol[];
  "is_live": boolean;
  "is_ready": boolean;
  "money": Money[];
}

export interface Alert {
  "acknowledged_at": string | null;
  "acknowledged_by": string;
  "id": string;
  "last_at": string;
  "level": string;
  "note": string;
  "raised_at": string;
  "resolved_at": string | null;
  "subject": string;
  "text": string;
  "times": number;
}

export interface Alerts {
  "alerts": Alert[];
  "next": string | null;
}

export interface Amendment {
  "approved_by"?: string;
  "live"?: LiveWord | null;
  "price"?: string | null;
  "quantity"?: string | null;
  "reason"?: string;
  "stop_price"?: string | null;
}

export interface Artefact {
  "kind": string;
  "media_type": string;
  "name": string;
  "size": number;
  "written_at": string;
}

export interface Artefacts {
  "artefacts": Artefact[];
  "run_id": string;
}

export interface Batch {
  "results": InBatch[];
}

export interface BegunFactor {
  "secret": string;
  "svg": string;
  "uri": string;
}

export interface Break {
  "broker": string;
  "cause": string;
  "changed_at": string;
  "closed_at": string | null;
  "closed_by": string;
  "delta": string | null;
  "found_at": string;
  "id": string;
  "kind": string;
  "ours": string;
  "repair": string;
  "status": string;
  "subject": string;
  "theirs": string;
  "times": number;
  "why": string;
}

export interface Breaks {
  "breaks": Break[];
  "next": string | null;
}

export interface Change {
  "approved_by"?: string;
  "but"?: string[];
  "currency"?: string;
  "floor"?: string;
  "for": string;
  "missing"?: string;
  "name"?: string;
  "only"?: string[];
  "reason": string;
  "rule": string;
  "scope"?: string;
  "severity"?: string;
  "shadow"?: boolean;
  "tier"?: string;
  "value"?: string;
}

export interface Compared {
  "account": string;
  "agrees": boolean;
  "breaks": Difference[];
  "broker": string;
}

export interface ConfigVersion {
  "config_data": string;
  "create_time": string;
  "is_active": boolean;
  "source_sha256": string;
  "started_by": string;
  "strategy_name": string;
  "update_time": string;
  "version": number;
}

export interface ConfigVersions {
  "versions": ConfigVersion[];
}

export interface Confirm {
  "code"?: string | null;
  "password"?: string | null;
}

export interface Confirmation {
  "code": string;
  "present"?: string;
}

export interface Curve {
  "account": string;
  "currency": string;
  "drawdown": string | null;
  "points": Point[];
}

export interface Deed {
  "at": string;
  "id": string;
  "result": string;
  "run_id": string | null;
  "subject": string;
  "text": string;
  "what": string;
  "who": string;
}

export interface Deeds {
  "audit": Deed[];
  "next": string | null;
}

export interface Details {
  "access_trouble": string;
  "account": string;
  "breaks_open": number;
  "broker": string;
  "broker_ready": boolean;
  "broker_text": string;
  "epoch": number;
  "feed": string;
  "feed_ended": boolean;
  "group": string;
  "halts": number;
  "inbox_waiting": number;
  "is_live": boolean;
  "journal_seq": number;
  "lock_holder": string;
  "newest_quote_at": string | null;
  "now": string;
  "orders_open": number;
  "orders_unknown": number;
  "started_at": string;
  "version": string;
  "views_lag": number;
  "views_seq": number;
  "views_trouble": string;
}

export interface Difference {
  "cause": string;
  "found_at": string;
  "id": string;
  "kind": string;
  "ours": string;
  "repair": string;
  "subject": string;
  "theirs": string;
}

export interface Fill {
  "account": string;
  "booked_at": string;
  "broker": string;
  "broker_order_id": string | null;
  "commission": string;
  "commission_by_broker": boolean;
  "exchange": string;
  "exec_id": string;
  "exec_type": string;
  "fill_time": string;
  "fill_time_local": string;
  "liquidity": string;
  "order_id": string;
  "position_effect": string;
  "price": string;
  "quantity": string;
  "realized_pnl": string | null;
  "run_id": string | null;
  "side": string;
  "symbol": string;
  "trading_day": string;
}

export interface Fills {
  "fills": Fill[];
  "next": string | null;
}

export interface GivenPassword {
  "password": string;
}

export interface Halted {
  "done": string;
  "halts": InForce[];
  "latched": boolean;
  "recorded": boolean;
}

export interface HaltedSymbol {
  "symbol": string;
  "why": string;
}

export interface Halts {
  "halts": InForce[];
}

export interface HowItDoes {
  "details"?: Details | null;
  "status": string;
}

export interface InBatch {
  "order"?: Taken | null;
  "problem"?: Record<string, unknown> | null;
}

export interface InForce {
  "at": string;
  "by": string;
  "done": boolean;
  "found": string;
  "held": number;
  "name": string;
  "number": number;
  "reason": string;
  "release": string;
  "scope": string;
  "tier": string;
  "trigger": string;
  "unknown": number;
}

export interface InSession {
  "csrf": string;
  "ends_at": string;
  "factor_since": string | null;
  "fresh_until": string;
  "must_change_password": boolean;
  "name": string;
  "recovery_codes_left": number;
  "roles": ("viewer" | "trader" | "risk" | "admin")[];
  "scopes": string[];
  "session_id": string;
  "with_factor": boolean;
}

export interface Instruments {
  "instruments": Listed[];
}

export interface Judgement {
  "checks": Record<string, unknown>[];
  "denied": Record<string, unknown> | null;
  "limits": Record<string, unknown>[];
  "waits": boolean;
}

export interface KeyDocument {
  "accounts": string[] | null;
  "expired": boolean;
  "expires_at": string;
  "id": string;
  "made_at": string;
  "name": string;
  "networks": string[];
  "old_until": string | null;
  "owner": string;
  "scopes": ("read:md" | "read:acct" | "order:paper" | "order:live" | "cancel" | "halt" | "risk:write" | "read:audit" | "admin")[];
  "scopes_now": ("read:md" | "read:acct" | "order:paper" | "order:live" | "cancel" | "halt" | "risk:write" | "read:audit" | "admin")[];
  "used_at": string | null;
  "used_from": string;
}

export interface KeyList {
  "keys": KeyDocument[];
}

export interface KeyMade {
  "expires_at": string;
  "id": string;
  "key": string;
}

export interface Limit {
  "but": string[];
  "currency": string;
  "floor": string | null;
  "missing": string;
  "name": string;
  "only": string[];
  "origin": string;
  "reason": string;
  "rule": string;
  "scope": string;
  "severity": string;
  "shadow": boolean;
  "tier": string;
  "until": string | null;
  "value": string;
  "where": string;
}

export interface Limits {
  "limits": Limit[];
}

export interface Line {
  "industry"?: string;
  "name"?: string;
  "price"?: string | null;
  "symbol": string;
  "weight": string;
}

export interface Listed {
  "asset_class": string;
  "board": string;
  "currency": string;
  "exchange": string;
  "industry": string;
  "lot": string;
  "market": string;
  "multiplier": string;
  "name": string;
  "session": string;
  "symbol": string;
  "tick": string;
}

export interface LiveWord {
  "code"?: string;
  "live_confirm_token"?: string;
  "phrase"?: string;
}

export interface MainContract {
  "auto_subscribe": boolean;
  "contract_multiplier": string | null;
  "exchange": string | null;
  "last_update": string | null;
  "main_contract": string | null;
  "name": string | null;
  "reason": string | null;
  "set_by": string | null;
}

export interface Money {
  "available": string | null;
  "balance": string | null;
  "currency": string;
  "fees": string | null;
  "margin": string | null;
  "realized_pnl": string | null;
  "reserved": string | null;
  "unrealized_pnl": string | null;
  "updated_at": string;
}

export interface NewHalt {
  "name"?: string;
  "reason"?: string;
  "scope"?: "global" | "broker" | "venue" | "account" | "symbol" | "strategy";
  "tier"?: "REDUCE_ONLY" | "HALT" | "CANCEL_ALL" | "FLATTEN";
}

export interface NewKey {
  "accounts"?: string[] | null;
  "days"?: number;
  "name": string;
  "networks"?: string[];
  "scopes": ("read:md" | "read:acct" | "order:paper" | "order:live" | "cancel" | "halt" | "risk:write" | "read:audit" | "admin")[];
}

export interface NewMainContract {
  "exchange"?: string;
  "reason"?: string;
  "symbol": string;
}

export interface NewOrder {
  "account"?: string;
  "approved_by"?: string;
  "exchange"?: string;
  "iceberg_visible_ratio"?: string | null;
  "live"?: LiveWord | null;
  "order_type"?: string;
  "position_effect"?: string;
  "price"?: string | null;
  "quantity": string;
  "reason"?: string;
  "side": "buy" | "sell" | "BUY" | "SELL";
  "stop_price"?: string | null;
  "strategy_id"?: string;
  "symbol": string;
  "time_in_force"?: string;
  "twap_interval"?: number | null;
  "twap_slices"?: number | null;
}

export interface NewOrders {
  "orders": NewOrder[];
}

export interface NewPassword {
  "new": string;
  "old": string;
}

export interface NewRoles {
  "roles": ("viewer" | "trader" | "risk" | "admin")[];
}

export interface NewRun {
  "code"?: string;
  "context"?: unknown;
  "dry_run"?: boolean;
  "execute"?: boolean;
  "hold"?: boolean;
  "live_confirm_token"?: string;
  "mode"?: "paper" | "live";
  "phrase"?: string;
  "portfolio": Line[];
}

export interface NewSecret {
  "value": string;
}

export interface NewUser {
  "name": string;
  "password": string;
  "roles": ("viewer" | "trader" | "risk" | "admin")[];
}

export interface OfRun {
  "cursor"?: number | null;
  "limit"?: number;
  "run_id": string;
}

export interface OfStrategy {
  "strategy_id"?: string | null;
}

export interface OfUser {
  "user"?: string;
}

export interface OfWhom {
  "owner"?: string;
}

export interface Order {
  "account": string;
  "approved_by": string;
  "average_price": string | null;
  "broker": string;
  "broker_order_id": string | null;
  "client_order_id": string;
  "commission": string | null;
  "created_at": string;
  "created_by": string;
  "error": string;
  "error_code": string;
  "exchange": string;
  "filled_amount": string | null;
  "filled_quantity": string;
  "is_external": boolean;
  "is_open": boolean;
  "order_id": string;
  "order_type": string;
  "position_effect": string;
  "price": string | null;
  "quantity": string;
  "reason": string;
  "remaining_quantity": string;
  "run_id": string | null;
  "s0_status": string;
  "s1_status": string;
  "side": string;
  "status": string;
  "stop_price": string | null;
  "strategy_id": string;
  "submitted_at": string | null;
  "symbol": string;
  "time_in_force": string;
  "trading_day": string;
  "updated_at": string;
}

export interface OrderInFull {
  "fills": Fill[];
  "order": Order;
  "timeline": Step[];
}

export interface OrderShown {
  "confirm": ToConfirm | null;
}

export interface OrderToConfirm {
  "currency": string;
  "leg": number;
  "order_type": string;
  "position_effect": string;
  "price": string | null;
  "quantity": string;
  "reference_price": string | null;
  "side": string;
  "stop_price": string | null;
  "symbol": string;
  "value": string | null;
}

export interface Orders {
  "next": string | null;
  "orders": Order[];
}

export interface Plan {
  "cash": string;
  "currency": string;
  "equity": string;
  "findings": Record<string, string>[];
  "lines": PlanLine[];
  "trade_date": string;
}

export interface PlanLine {
  "code": string;
  "held_qty": string | null;
  "leg": number;
  "order_qty": string | null;
  "reason": string;
  "ref_px": string | null;
  "side": string;
  "symbol": string;
  "target_qty": string | null;
  "target_weight": string | null;
}

export interface Point {
  "at": string;
  "available": string | null;
  "balance": string | null;
  "equity": string | null;
  "realized_pnl": string | null;
}

export interface Position {
  "account": string;
  "average_price": string | null;
  "cost": string | null;
  "currency": string;
  "direction": string;
  "exchange": string;
  "frozen_quantity": string | null;
  "margin": string | null;
  "market_price": string | null;
  "market_value": string | null;
  "multiplier": string;
  "price_at": string | null;
  "quantity": string;
  "realized_pnl": string | null;
  "sellable_quantity": string | null;
  "strategy_id": string;
  "symbol": string;
  "today_quantity": string | null;
  "unrealized_pnl": string | null;
  "updated_at": string;
  "yesterday_quantity": string | null;
}

export interface Positions {
  "positions": Position[];
}

export interface ProblemDocument {
  "code": string;
  "detail": string;
  "request_id": string;
  "status": number;
  "title": string;
  "type": string;
}

export interface Progress {
  "order_id": string;
}

export interface Queue {
  "broker": string;
  "cancels_in_flight": number;
  "capacity": number;
  "in_flight": number;
  "is_ready": boolean;
  "staged": number;
  "unknown": number;
  "waiting": number;
  "working": number;
}

export interface Quoted {
  "age_ms": number;
  "ask": string | null;
  "ask_size": string | null;
  "at": string;
  "at_local": string;
  "bid": string | null;
  "bid_size": string | null;
  "exchange": string;
  "last": string | null;
  "prev_close": string | null;
  "suspended": boolean;
  "symbol": string;
  "volume": string | null;
}

export interface Quotes {
  "missing": string[];
  "quotes": Quoted[];
}

export interface RecoveryCodes {
  "recovery_codes": string[];
}

export interface Release {
  "code"?: string;
  "name"?: string;
  "numbers"?: number[];
  "reason": string;
  "scope"?: "global" | "broker" | "venue" | "account" | "symbol" | "strategy";
  "seen"?: number;
}

export interface ReleaseOfSymbol {
  "code"?: string;
  "reason": string;
}

export interface Resolution {
  "as": string;
  "reason": string;
}

export interface Revert {
  "approved_by"?: string;
  "currency"?: string;
  "name"?: string;
  "reason": string;
  "rule": string;
  "scope"?: string;
  "shadow"?: boolean;
}

export interface Rotation {
  "grace_s"?: number;
}

export interface Run {
  "account": string;
  "approved_by": string;
  "attempt": number;
  "broker": string;
  "cash": string | null;
  "champion_id": string;
  "code": string;
  "created_by": string;
  "currency": string;
  "decision_snapshot_id": string;
  "equity": string | null;
  "finished_at": string | null;
  "mode": string;
  "project_id": string;
  "requested_at": string;
  "rounding": string;
  "run_id": string;
  "started_at": string | null;
  "status": string;
  "superseded_by": string | null;
  "supersedes": string | null;
  "text": string;
  "todo": number[];
  "trade_date": string;
  "updated_at": string;
}

export interface RunInFull {
  "lines": RunLine[];
  "params": Record<string, unknown>;
  "run": Run;
}

export interface RunLine {
  "code": string;
  "held_qty": string | null;
  "leg": number;
  "line": number;
  "order_id": string | null;
  "order_qty": string | null;
  "planned_qty": string | null;
  "position_effect": string;
  "reason": string;
  "ref_px": string | null;
  "residual_qty": string | null;
  "residual_value": string | null;
  "side": string;
  "symbol": string;
  "target_qty": string | null;
  "target_weight": string | null;
  "wave": number;
}

export interface RunTaken {
  "confirm"?: ToConfirm | null;
  "dry_run": boolean;
  "plan"?: Plan | null;
  "repeat"?: boolean;
  "run_id"?: string | null;
  "status"?: string | null;
}

export interface Runs {
  "next": string | null;
  "runs": Run[];
}

export interface S0Order {
  "avg_px": string | null;
  "client_order_id": string;
  "cum_qty": string;
  "error": string;
  "ib_order_id": string | null;
  "id": string;
  "ord_status": string;
  "order_type": string;
  "qty": string;
  "side": string;
  "status": string;
  "submitted_at": string | null;
  "symbol": string;
  "target_value": string | null;
  "target_weight": string | null;
  "trade_run_id": string | null;
  "updated_at": string;
}

export interface S0Orders {
  "next": string | null;
  "orders": S0Order[];
}

export interface Said {
  "done": string;
}

export interface SecretDocument {
  "account": string;
  "broker": string;
  "name": string;
  "set_at": string;
  "set_by": string;
}

export interface SecretList {
  "secrets": SecretDocument[];
}

export interface Seen {
  "note"?: string;
}

export interface SessionDocument {
  "address": string;
  "agent": string;
  "current": boolean;
  "ends_at": string;
  "id": string;
  "made_at": string;
  "seen_at": string;
  "user": string;
  "with_factor": boolean;
}

export interface SessionList {
  "sessions": SessionDocument[];
}

export interface SetUp {
  "name": string;
  "password": string;
  "roles": ("viewer" | "trader" | "risk" | "admin")[];
  "token": string;
}

export interface SignIn {
  "code"?: string;
  "name": string;
  "password": string;
}

export interface Statistics {
  "as_of_seq": number;
  "by_side": Record<string, number>;
  "by_status": Record<string, number>;
  "fill_ratio": string | null;
  "filled": number;
  "open": number;
  "strategy_id": string | null;
  "total": number;
  "unknown": number;
}

export interface Step {
  "at": string;
  "by"?: string;
  "text"?: string;
  "what": string;
}

export interface Stop {
  "name"?: string;
  "reason"?: string;
  "scope"?: "global" | "broker" | "venue" | "account" | "symbol" | "strategy";
}

export interface Strategies {
  "strategies": Strategy[];
}

export interface Strategy {
  "file": string;
  "name": string;
  "pid": number | null;
  "since": string | null;
  "standing": string;
  "symbols": string[];
  "triggers": number;
  "version": number;
  "why": string;
}

export interface Switched {
  "contract": MainContract;
  "done": string;
  "steps": string[];
}

export interface Taken {
  "account": string;
  "client_order_id": string;
  "order_id": string;
  "order_type": string;
  "position_effect": string;
  "price": string | null;
  "quantity": string;
  "repeat"?: boolean;
  "side": string;
  "status": string;
  "stop_price": string | null;
  "strategy_id": string;
  "symbol": string;
  "time_in_force": string;
}

export interface TicketGiven {
  "good_for_s"?: number;
  "protocol"?: string;
  "ticket": string;
}

export interface ToConfirm {
  "account": string;
  "content": string;
  "lines": OrderToConfirm[];
  "live_confirm_token": string;
  "orders": number;
  "phrase": string;
  "totals": Total[];
  "until": string;
}

export interface Total {
  "currency": string;
  "value": string | null;
}

export interface Triggered {
  "action_type": string;
  "config_version": number;
  "create_time": string;
  "error_message": string;
  "execution_result": string;
  "id": number;
  "order_id": string | null;
  "strategy_name": string;
  "trigger_condition": string;
  "trigger_price": string | null;
  "trigger_time": string;
}

export interface Triggers {
  "next": string | null;
  "triggers": Triggered[];
}

export interface UserDocument {
  "disabled": boolean;
  "factor_since": string | null;
  "locked_until": string | null;
  "made_at": string;
  "must_change": boolean;
  "name": string;
  "password_at": string;
  "recovery_codes_left": number;
  "roles": ("viewer" | "trader" | "risk" | "admin")[];
  "scopes": ("read:md" | "read:acct" | "order:paper" | "order:live" | "cancel" | "halt" | "risk:write" | "read:audit" | "admin")[];
}

export interface UserList {
  "users": UserDocument[];
}

export interface WhichAlerts {
  "cursor"?: number | null;
  "limit"?: number;
  "open"?: boolean;
  "unseen"?: boolean;
}

export interface WhichBreaks {
  "cursor"?: number | null;
  "kind"?: string | null;
  "limit"?: number;
  "open"?: boolean;
}

export interface WhichDeeds {
  "cursor"?: number | null;
  "limit"?: number;
  "result"?: string | null;
  "run_id"?: string | null;
  "since"?: string | null;
  "subject"?: string | null;
  "until"?: string | null;
  "what"?: string | null;
  "who"?: string | null;
}

export interface WhichFills {
  "cursor"?: number | null;
  "exchange"?: string;
  "limit"?: number;
  "order_id"?: string | null;
  "run_id"?: string | null;
  "symbol"?: string | null;
  "trading_day"?: string | null;
}

export interface WhichInstruments {
  "limit"?: number;
  "q"?: string;
}

export interface WhichLines {
  "cursor"?: number | null;
  "limit"?: number;
  "what"?: string | null;
  "who"?: string | null;
}

export interface WhichOrders {
  "created_by"?: string | null;
  "cursor"?: number | null;
  "exchange"?: string;
  "limit"?: number;
  "open"?: boolean;
  "order_type"?: string | null;
  "run_id"?: string | null;
  "s0_status"?: string | null;
  "side"?: string | null;
  "since"?: string | null;
  "status"?: string | null;
  "strategy_id"?: string | null;
  "symbol"?: string | null;
  "trading_day"?: string | null;
  "unknown"?: boolean;
  "until"?: string | null;
}

export interface WhichPoints {
  "currency": string;
  "limit"?: number;
  "since"?: string | null;
}

export interface WhichPositions {
  "exchange"?: string;
  "flat"?: boolean;
  "strategy_id"?: string | null;
  "symbol"?: string | null;
}

export interface WhichQuotes {
  "symbols"?: string;
}

export interface WhichRuns {
  "cursor"?: number | null;
  "limit"?: number;
  "project_id"?: string | null;
  "status"?: string | null;
  "trade_date"?: string | null;
}

export interface WhichTriggers {
  "cursor"?: number | null;
  "limit"?: number;
}

export interface Why {
  "reason"?: string;
}

export interface WithCode {
  "code": string;
}
