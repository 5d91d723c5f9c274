// Positions at the prices of the stream: between two answers of the desk their worth and gain follow every quote (S4-16). They are
// counted as the desk counts them: the middle of bid and ask, else the last price; by direction and multiplier, on whole numbers.
import { useMemo, useSyncExternalStore } from "react";
import type { Position } from "@/api/types";
import { ticks, type Tick } from "@/stream/ticks";
import { minus, over, plus, sign, times, trimmed } from "@/text/decimal";

const EVERY_MS = 250;

/** What values a position. */
export function markOf(tick: Pick<Tick, "bid" | "ask" | "last">): string | null {
  if (tick.bid === null || tick.ask === null) return tick.last ?? tick.bid ?? tick.ask;
  const middle = over(plus(tick.bid, tick.ask), "2", 12);
  return middle === null ? null : trimmed(middle);
}

/** The position at a newer quote; as it is where the quote is not newer, or has no price. */
export function repriced(position: Position, tick: Tick | undefined): Position {
  const mark = tick && (position.price_at === null || tick.at > position.price_at) ? markOf(tick) : null;
  if (!tick || mark === null) return position;
  const value = trimmed(times(times(mark, position.quantity), position.multiplier));
  const gained = position.cost === null ? null : trimmed(position.direction === "SHORT" ? minus(position.cost, value) : minus(value, position.cost));
  return { ...position, market_price: mark, price_at: tick.at, market_value: value, unrealized_pnl: sign(position.quantity) === 0 ? "0" : gained };
}

function everyQuarter(listener: () => void): () => void {
  const timer = setInterval(listener, EVERY_MS);
  return () => clearInterval(timer);
}

/** The same positions, priced anew while quotes are pushed. */
export function usePriced(positions: readonly Position[] | undefined): Position[] | undefined {
  const versions = useSyncExternalStore(everyQuarter, () => (positions ?? []).map((each) => ticks.versionOf(each.symbol)).join());
  return useMemo(() => positions?.map((each) => repriced(each, ticks.get(each.symbol))), [positions, versions]);
}
