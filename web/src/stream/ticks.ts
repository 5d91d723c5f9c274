// The newest quote of each symbol, outside of React: ten thousand of them a second change no component. Who draws them asks once a
// frame which have changed since.
import type { Quoted } from "@/api/types";

export class Ticks {
  private readonly newest = new Map<string, Quoted>();
  private readonly versions = new Map<string, number>();
  private version = 0;

  take(quotes: Iterable<Quoted>): void {
    this.version += 1;
    for (const quote of quotes) {
      this.newest.set(quote.symbol, quote);
      this.versions.set(quote.symbol, this.version);
    }
  }

  get(symbol: string): Quoted | undefined {
    return this.newest.get(symbol);
  }

  /** Grows whenever the symbol has a new quote. */
  versionOf(symbol: string): number {
    return this.versions.get(symbol) ?? 0;
  }

  all(): Iterable<Quoted> {
    return this.newest.values();
  }

  get size(): number {
    return this.newest.size;
  }
}

export const ticks = new Ticks();
