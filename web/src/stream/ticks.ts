// The newest quote of each symbol, outside of React: ten thousand of them a second change no component. Who draws them asks once a
// frame which have changed since.
import type { Quoted } from "@/api/types";

/** A quote as the stream tells it: without the exchange, its clock and its age, which REST has told before. */
export type Tick = Omit<Quoted, "exchange" | "at_local" | "age_ms">;

export class Ticks {
  private readonly newest = new Map<string, Tick>();
  private readonly versions = new Map<string, number>();
  private version = 0;

  take(quotes: Iterable<Tick>): void {
    this.version += 1;
    for (const quote of quotes) {
      this.newest.set(quote.symbol, quote);
      this.versions.set(quote.symbol, this.version);
    }
  }

  get(symbol: string): Tick | undefined {
    return this.newest.get(symbol);
  }

  /** Grows whenever the symbol has a new quote. */
  versionOf(symbol: string): number {
    return this.versions.get(symbol) ?? 0;
  }
}

export const ticks = new Ticks();

/** What REST told of a symbol with what the stream told since; as REST told it where that is newer. */
export function joined(told: Quoted, tick: Tick | undefined): Quoted {
  if (!tick || tick.at < told.at) return told;
  return { ...told, ...tick, at_local: localTime(tick.at, told.at_local), age_ms: 0 };
}

/** A moment by the zone of another that is written with it: 2013-10-08T09:30:22.000-04:00. */
function localTime(at: string, like: string): string {
  const zone = /([+-])(\d\d):(\d\d)$/.exec(like);
  if (!zone) return at;
  const minutes = (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3]));
  return `${new Date(Date.parse(at) + minutes * 60_000).toISOString().slice(0, -1)}${zone[0]}`;
}
