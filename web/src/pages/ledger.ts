// The movements of cash: what each fill did to it, and what there was behind it.
import type { Fill, Listed, Point } from "@/api/types";
import { isFuture } from "@/stream/instruments";
import { minus, times } from "@/text/decimal";

/** What a fill did to the cash: of a future what was gained alone, and always the fee. Null where that cannot be said. */
export function movedBy(fill: Fill, instrument: Listed | undefined): string | null {
  if (instrument === undefined) return null;
  if (fill.exec_type === "TRADE_CANCEL") return "0";
  if (isFuture(instrument)) {
    const unknown = fill.realized_pnl === null && fill.exec_type !== "TRADE";
    return unknown ? null : minus(fill.realized_pnl ?? "0", fill.commission);
  }
  const value = times(times(fill.quantity, fill.price), instrument.multiplier);
  return minus(fill.side === "BUY" ? minus("0", value) : value, fill.commission);
}

/** The cash as it was booked last at that moment; null before the first, and where it is unknown. */
export function cashAt(points: readonly Point[], at: string): string | null {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.at ?? "") <= at) low = middle + 1;
    else high = middle;
  }
  return points[low - 1]?.balance ?? null;
}
