// How the account's worth went: the cash as the desk has it at each moment, and what was held then at the prices it was traded for.
// To buy is no loss. For drawing alone, so in binary numbers.
import type { Fill, Point, Position } from "@/api/types";
import { drawn } from "@/text/decimal";

export type Worths = [at: number, worth: number][];

/** The curve in one currency, oldest first; null where it cannot be said: margined positions, busted fills. */
export function equityOf(points: readonly Point[], fills: readonly Fill[], positions: readonly Position[], currency: string): Worths | null {
  const of = new Map<string, Position>();
  const held = new Map<string, number>();
  for (const each of positions) {
    if (each.currency !== currency) continue;
    if (each.margin !== null) return null;
    of.set(each.symbol, each);
    held.set(each.symbol, (held.get(each.symbol) ?? 0) + (each.direction === "SHORT" ? -1 : 1) * drawn(each.quantity));
  }
  const own = fills.filter((fill) => of.has(fill.symbol)).sort((a, b) => (a.booked_at < b.booked_at ? -1 : 1));
  if (own.some((fill) => fill.exec_type !== "TRADE")) return null;
  const prices = new Map([...of].map(([symbol, each]) => [symbol, drawn(each.average_price ?? each.market_price ?? "0")]));
  for (const fill of [...own].reverse()) {
    held.set(fill.symbol, (held.get(fill.symbol) ?? 0) - signed(fill));
    prices.set(fill.symbol, drawn(fill.price));
  }
  const found: Worths = [];
  let next = 0;
  for (const point of points) {
    for (let fill = own[next]; fill !== undefined && fill.booked_at <= point.at; fill = own[next]) {
      held.set(fill.symbol, (held.get(fill.symbol) ?? 0) + signed(fill));
      prices.set(fill.symbol, drawn(fill.price));
      next += 1;
    }
    if (point.balance === null) continue;
    let worth = drawn(point.balance);
    for (const [symbol, quantity] of held) worth += quantity * (prices.get(symbol) ?? 0) * drawn(of.get(symbol)?.multiplier ?? "1");
    found.push([Date.parse(point.at), worth]);
  }
  return found;
}

function signed(fill: Fill): number {
  return (fill.side === "BUY" ? 1 : -1) * drawn(fill.quantity);
}

/** How far each stands below the highest before it, in percent: never above nought. */
export function drawdownOf(worths: Worths): Worths {
  let most = -Infinity;
  return worths.map(([at, worth]) => {
    most = Math.max(most, worth);
    return [at, most > 0 ? (worth / most - 1) * 100 : 0];
  });
}

const MOST = 20_000;
const EVERY_MS = 1_000;
const watched = new Map<string, Worths>();

/** What the account was worth while somebody looked, at the newest prices: goes on where the curve of the books ends. */
export function watch(currency: string, at: number, worth: string | null): Worths {
  const sofar = watched.get(currency) ?? [];
  watched.set(currency, sofar);
  const last = sofar.at(-1);
  if (worth !== null && (!last || at - last[0] >= EVERY_MS)) sofar.push([at, drawn(worth)]);
  if (sofar.length > MOST) sofar.splice(0, sofar.length - MOST);
  return sofar;
}
