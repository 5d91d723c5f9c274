// The store of everything that was asked for, and the ladder by which a desk that does not answer is asked again.
import { QueryClient } from "@tanstack/react-query";

/** Seconds between tries, the last for ever: it never gives up (1-2-4-8-16-30). */
export const LADDER_S = [1, 2, 4, 8, 16, 30] as const;

/** How long until the next try after so many failures in a row, in milliseconds. */
export function waits(failures: number): number {
  const step = Math.min(Math.max(failures, 1), LADDER_S.length) - 1;
  return (LADDER_S[step] ?? 30) * 1000;
}

export const client = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: 500, gcTime: 300_000, refetchOnWindowFocus: true, structuralSharing: true, networkMode: "always" },
    mutations: { retry: false, networkMode: "always" },
  },
});
