// How the account's worth went, as the desk has it: cash and what was held, at the market. For drawing alone, so in binary numbers.
import type { Point } from "@/api/types";
import { drawn } from "@/text/decimal";

export type Worths = [at: number, worth: number][];

/** The curve, oldest first; where a price was not known there is no point. */
export function equityOf(points: readonly Point[]): Worths {
  return points.flatMap((point) => (point.equity === null ? [] : [[Date.parse(point.at), drawn(point.equity)] as [number, number]]));
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
