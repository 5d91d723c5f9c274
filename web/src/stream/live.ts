// Everything that is live, as hooks: the one module that knows how it comes. Pages never ask for live data in another way.
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { ask } from "@/api/http";
import type { Account, Alerts, Breaks, Fills, Halts, HowItDoes, Orders, Positions, Queue, Quotes, Runs, Strategies } from "@/api/types";
import { client, waits } from "@/stream/client";
import { overtaken } from "@/stream/keep";
import { STALE_MS, useLink } from "@/stream/link";

/** How often each is asked for, in milliseconds. */
const EVERY = {
  health: 1_000, account: 1_000, halts: 1_000, alerts: 2_000, orders: 1_000, positions: 1_000, quotes: 1_000, runs: 1_500, breaks: 4_000,
  fills: 1_500, queue: 2_000, strategies: 1_000,
} as const;

/** The same while the stream brings it: only to be sure. Positions are priced by the desk, and so are asked for as before; the
 * stream tells nothing of strategies. */
const SELDOM_MS = 15_000;
/** Quotes come for symbols that are known; new ones are found so. */
const SYMBOLS_MS = 5_000;
const NEVER_SELDOM: ReadonlySet<string> = new Set(["positions", "queue", "strategies"]);

function every(topic: Topic): number {
  if (!useLink.getState().streams || NEVER_SELDOM.has(topic)) return EVERY[topic];
  return topic === "quotes" ? SYMBOLS_MS : SELDOM_MS;
}

export type Topic = keyof typeof EVERY;

const ADDRESS: Record<Topic, string> = {
  health: "/health", account: "/api/v1/account", halts: "/api/v1/halts", alerts: "/api/v1/alerts", orders: "/api/v1/orders",
  positions: "/api/v1/positions", quotes: "/api/v1/quotes", runs: "/api/trade/runs", breaks: "/api/v1/breaks", fills: "/api/v1/fills",
  queue: "/api/v1/orders/queue/status", strategies: "/api/v1/strategies",
};

type Filter = Record<string, string | number | boolean>;

function useTopic<T extends object>(topic: Topic, filter: Filter = {}, enabled = true): UseQueryResult<T> {
  return useQuery<T>({
    queryKey: [topic, filter],
    queryFn: async ({ signal }) => overtaken(topic, filter, async () => ask<T>("GET", ADDRESS[topic], { query: filter, signal, patience: 8_000 })),
    refetchInterval: (query) => (query.state.error ? waits(useLink.getState().failures) : every(topic)),
    refetchIntervalInBackground: true,
    placeholderData: keepPreviousData,
    enabled,
  });
}

/** The heart beat: its answers say how the connection does. */
export function useHealth(): UseQueryResult<HowItDoes> {
  return useQuery<HowItDoes>({
    queryKey: ["health", {}],
    queryFn: async ({ signal }) => {
      try {
        const said = await overtaken("health", {}, async () => ask<HowItDoes>("GET", ADDRESS.health, { signal, patience: 4_000 }));
        const now = said.details?.now;
        const was = useLink.getState().failures;
        useLink.getState().heard(now ? Date.parse(now) : null);
        if (was > 0) void client.invalidateQueries(); // back again: everything may have changed meanwhile
        return said;
      } catch (error) {
        if (!signal.aborted) useLink.getState().failed();
        throw error;
      }
    },
    refetchInterval: () => (useLink.getState().failures ? waits(useLink.getState().failures) : every("health")),
    refetchIntervalInBackground: true,
  });
}

export const useAccount = () => useTopic<Account>("account");
export const useHalts = () => useTopic<Halts>("halts");
export const useAlerts = (filter: Filter = { limit: 100 }) => useTopic<Alerts>("alerts", filter);
export const useOrders = (filter: Filter = { limit: 300 }, enabled = true) => useTopic<Orders>("orders", filter, enabled);
export const usePositions = (filter: Filter = {}) => useTopic<Positions>("positions", filter);
export const useQuotes = () => useTopic<Quotes>("quotes");
export const useRuns = () => useTopic<Runs>("runs", { limit: 200 });
export const useBreaks = (filter: Filter = { limit: 200 }) => useTopic<Breaks>("breaks", filter);
export const useFills = (filter: Filter = { limit: 500 }) => useTopic<Fills>("fills", filter);
export const useStrategies = () => useTopic<Strategies>("strategies");
export const useQueue = () => useTopic<Queue>("queue");

/** After a command: what it may have changed is asked for at once. */
export function refresh(...topics: (Topic | "order" | "run" | "triggers" | "versions")[]): void {
  for (const topic of topics) void client.invalidateQueries({ queryKey: [topic] });
}

/** Try again now, without waiting for the ladder. */
export function retryNow(): void {
  useLink.getState().tryNow();
  void client.invalidateQueries({ queryKey: ["health"] });
  void client.refetchQueries({ queryKey: ["health"] });
}

let ticking: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();
let moment = Date.now();

function onTick(listener: () => void): () => void {
  listeners.add(listener);
  ticking ??= setInterval(() => {
    moment = Date.now();
    listeners.forEach((each) => each());
  }, 500);
  return () => {
    listeners.delete(listener);
    if (!listeners.size) {
      clearInterval(ticking);
      ticking = undefined;
    }
  };
}

/** The clock of this browser, twice a second. */
export function useNow(): number {
  return useSyncExternalStore(onTick, () => moment);
}

/** How old what is shown is, in milliseconds; null before anything was heard. */
export function useAge(): number | null {
  const now = useNow();
  const heardAt = useLink((link) => link.heardAt);
  return heardAt ? Math.max(0, now - heardAt) : null;
}

export function useIsStale(): boolean {
  const age = useAge();
  return age !== null && age > STALE_MS;
}
