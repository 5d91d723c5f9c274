// Puts what the stream says into the store of answers, beside what REST said: the same documents under the same keys.
import type { QueryClient } from "@tanstack/react-query";
import type { Account, Alert, Alerts, Break, Breaks, Details, Fill, Fills, Halts, HowItDoes, InForce, Money, Order, Orders, Quotes, Run, Runs } from "@/api/types";
import type { Meant } from "@/stream/numbers";
import { joined, type Ticks } from "@/stream/ticks";

/** Rows kept of a list that grows. */
const MOST = 5_000;

type Filter = Record<string, unknown>;

/** Each new or in place of the one with its key; those of `drop` are gone, and those that `fits` does not want. */
export function merged<T>(rows: readonly T[], put: readonly T[], key: (row: T) => string, fits: (row: T) => boolean = () => true, drop: readonly string[] = []): T[] {
  const fresh = new Map(put.map((row) => [key(row), row]));
  const gone = new Set(drop);
  const kept: T[] = [];
  for (const row of rows) {
    const name = key(row);
    const now = fresh.get(name);
    fresh.delete(name);
    const next = now ?? row;
    if (!gone.has(name) && (now === undefined || fits(next))) kept.push(next);
  }
  const added = [...fresh.values()].filter(fits).reverse();
  return [...added, ...kept].slice(0, MOST);
}

function each<T>(client: QueryClient, topic: string, change: (data: T, filter: Filter) => T): void {
  for (const [key] of client.getQueriesData<T>({ queryKey: [topic] })) {
    client.setQueryData<T>(key, (data) => (data === undefined ? data : change(data, (key[1] ?? {}) as Filter)));
  }
}

const wanted = (filter: Filter, names: string[]) => (row: object) =>
  names.every((name) => filter[name] === undefined || (row as Record<string, unknown>)[name] === filter[name]);

export function keep(client: QueryClient, meant: Meant): void {
  if (meant.is === "nothing") return;
  const put = meant.is === "whole" ? meant.items : meant.put;
  const drop = meant.is === "change" ? meant.drop.map(String) : [];
  const whole = meant.is === "whole";
  switch (meant.topic) {
    case "orders":
      each<Orders>(client, "orders", (data, filter) => {
        const fits = (row: Order) => wanted(filter, ["run_id", "symbol", "strategy_id"])(row) && (!filter["open"] || row.is_open) && (!filter["unknown"] || row.status === "UNKNOWN");
        return { ...data, orders: merged(data.orders, put as Order[], (row) => row.order_id, fits, drop) };
      });
      for (const row of put as Order[]) void client.invalidateQueries({ queryKey: ["order", row.order_id] });
      void client.invalidateQueries({ queryKey: ["run"] });
      break;
    case "fills":
      each<Fills>(client, "fills", (data, filter) => ({ ...data, fills: merged(data.fills, put as Fill[], (row) => `${row.exec_id}|${row.order_id}|${row.side}`, wanted(filter, ["run_id", "order_id", "symbol"]), drop) }));
      break;
    case "positions":
      void client.invalidateQueries({ queryKey: ["positions"] });
      break;
    case "account":
      each<Account>(client, "account", (data) => ({ ...data, money: merged(data.money, put as Money[], (row) => row.currency) }));
      break;
    case "runs":
      each<Runs>(client, "runs", (data) => ({ ...data, runs: merged(data.runs, put as Run[], (row) => row.run_id) }));
      void client.invalidateQueries({ queryKey: ["run"] });
      break;
    case "alerts":
      each<Alerts>(client, "alerts", (data, filter) => ({ ...data, alerts: merged(data.alerts, put as Alert[], (row) => row.id, (row) => !filter["open"] || row.resolved_at === null, drop) }));
      break;
    case "breaks":
      each<Breaks>(client, "breaks", (data, filter) => ({ ...data, breaks: merged(data.breaks, put as Break[], (row) => row.id, (row) => !filter["open"] || row.closed_at === null, drop) }));
      break;
    case "halts":
      each<Halts>(client, "halts", (data) => ({ halts: merged(whole ? [] : data.halts, put as InForce[], (row) => String(row.number), () => true, drop).sort((a, b) => a.number - b.number) }));
      break;
    case "system":
      for (const row of put as (Details & { status: string })[]) client.setQueryData<HowItDoes>(["health", {}], { status: row.status, details: row });
      break;
    default:
      break;
  }
}

/** What the stream told of symbols since, with what REST has told of them. */
export function keepQuotes(client: QueryClient, ticks: Ticks): void {
  each<Quotes>(client, "quotes", (data) => ({ ...data, quotes: data.quotes.map((row) => joined(row, ticks.get(row.symbol))) }));
}
