// Puts what the stream says into the store of answers, beside what REST said: the same documents under the same keys. An answer
// that was on its way meanwhile does not take the place of what came after it was made.
import type { QueryClient } from "@tanstack/react-query";
import type { Account, Alert, Alerts, Break, Breaks, Details, Fill, Fills, Halts, HowItDoes, InForce, Money, Order, Orders, Quotes, Run, Runs } from "@/api/types";
import type { Meant } from "@/stream/numbers";
import { joined, type Ticks } from "@/stream/ticks";

/** Rows kept of a list that grows. */
const MOST = 5_000;

type Filter = Record<string, unknown>;
type Told = Exclude<Meant, { is: "nothing" }>;

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

const wanted = (filter: Filter, names: string[]) => (row: object) =>
  names.every((name) => filter[name] === undefined || (row as Record<string, unknown>)[name] === filter[name]);

/** A document of REST, with what the stream told of its topic put over it. */
function changed(topic: string, document: object, filter: Filter, meant: Told): object {
  const put = meant.is === "whole" ? meant.items : meant.put;
  const drop = meant.is === "change" ? meant.drop.map(String) : [];
  switch (topic) {
    case "orders": {
      const data = document as Orders;
      const fits = (row: Order) => wanted(filter, ["run_id", "symbol", "strategy_id"])(row) && (!filter["open"] || row.is_open) && (!filter["unknown"] || row.status === "UNKNOWN");
      return { ...data, orders: merged(data.orders, put as Order[], (row) => row.order_id, fits, drop) };
    }
    case "fills": {
      const data = document as Fills;
      return { ...data, fills: merged(data.fills, put as Fill[], (row) => `${row.exec_id}|${row.order_id}|${row.side}`, wanted(filter, ["run_id", "order_id", "symbol"]), drop) };
    }
    case "account": {
      const data = document as Account;
      return { ...data, money: merged(data.money, put as Money[], (row) => row.currency) };
    }
    case "runs": {
      const data = document as Runs;
      return { ...data, runs: merged(data.runs, put as Run[], (row) => row.run_id) };
    }
    case "alerts": {
      const data = document as Alerts;
      return { ...data, alerts: merged(data.alerts, put as Alert[], (row) => row.id, (row) => !filter["open"] || row.resolved_at === null, drop) };
    }
    case "breaks": {
      const data = document as Breaks;
      return { ...data, breaks: merged(data.breaks, put as Break[], (row) => row.id, (row) => !filter["open"] || row.closed_at === null, drop) };
    }
    case "halts": {
      const halts = meant.is === "whole" ? [] : (document as Halts).halts;
      return { halts: merged(halts, put as InForce[], (row) => String(row.number), () => true, drop).sort((a, b) => a.number - b.number) };
    }
    case "health":
      return (put as (Details & { status: string })[]).reduce<object>((_, row): HowItDoes => ({ status: row.status, details: row }), document);
    default:
      return document; // priced or counted by the desk: it is asked for anew
  }
}

/** What is asked for now, and what the stream has told of it since. */
const asking = new Set<{ topic: string; told: Told[] }>();

/** An answer of REST with what the stream told while it was on its way: that may be newer, and is not told again. Where the answer
 *  was the newer one, the stream has that still to tell. */
export async function overtaken<T extends object>(topic: string, filter: Filter, ask: () => Promise<T>): Promise<T> {
  const request = { topic, told: [] as Told[] };
  asking.add(request);
  try {
    const answer = await ask();
    return request.told.reduce<object>((document, meant) => changed(topic, document, filter, meant), answer) as T;
  } finally {
    asking.delete(request);
  }
}

export function keep(client: QueryClient, meant: Meant): void {
  if (meant.is === "nothing") return;
  const topic = meant.topic === "system" ? "health" : meant.topic;
  for (const request of asking) if (request.topic === topic) request.told.push(meant);
  for (const [key] of client.getQueriesData({ queryKey: [topic] })) {
    client.setQueryData<object>(key, (data) => data && changed(topic, data, (key[1] ?? {}) as Filter, meant));
  }
  if (topic === "orders") for (const row of (meant.is === "whole" ? meant.items : meant.put) as Order[]) void client.invalidateQueries({ queryKey: ["order", row.order_id] });
  if (topic === "orders" || topic === "runs") void client.invalidateQueries({ queryKey: ["run"] });
  if (topic === "positions") void client.invalidateQueries({ queryKey: ["positions"] });
}

/** What the stream told of symbols since, with what REST has told of them. */
export function keepQuotes(client: QueryClient, ticks: Ticks): void {
  for (const [key] of client.getQueriesData({ queryKey: ["quotes"] })) {
    client.setQueryData<Quotes>(key, (data) => data && { ...data, quotes: data.quotes.map((row) => joined(row, ticks.get(row.symbol))) });
  }
}
