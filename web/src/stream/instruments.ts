// What is true of the symbols that the desk has met. It changes seldom, and so is asked for seldom.
import { useQuery } from "@tanstack/react-query";
import { ask } from "@/api/http";
import type { Instruments, Listed } from "@/api/types";

const MOST = 1_000;
const SELDOM_MS = 30_000;
const NONE: ReadonlyMap<string, Listed> = new Map();

/** By symbol; empty until the desk has answered. */
export function useInstruments(): ReadonlyMap<string, Listed> {
  const query = useQuery({
    queryKey: ["instruments of the desk"],
    queryFn: async ({ signal }) => ask<Instruments>("GET", "/api/v1/instruments", { query: { limit: MOST }, signal }),
    select: bySymbol,
    refetchInterval: SELDOM_MS,
  });
  return query.data ?? NONE;
}

function bySymbol(told: Instruments): ReadonlyMap<string, Listed> {
  return new Map(told.instruments.map((each) => [each.symbol, each]));
}

/** Whether a fill of it moves its profit alone, and not its value. */
export function isFuture(instrument: Pick<Listed, "asset_class"> | undefined): boolean | null {
  return instrument ? instrument.asset_class.toUpperCase() === "FUTURE" : null;
}
